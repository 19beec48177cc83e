//! Quotes that end where they should not: what the parser reports far behind them, or in words
//! that do not help.

use super::scan;

/// A mistake in the use of quotes: where, what, and what to do.
pub(super) struct Misquoted {
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) help: String,
}

/// What is wrong with the quotes before or around the place where the parser stopped.
pub(super) fn misquoted(text: &str, stopped: usize) -> Option<Misquoted> {
    in_expression(text, stopped).or_else(|| unclosed(text, stopped))
}

/// A quote inside `${…}` that ends the string around it: `"${f("x")}"`.
fn in_expression(text: &str, stopped: usize) -> Option<Misquoted> {
    let end = text[stopped..]
        .find('\n')
        .map_or(text.len(), |at| stopped + at);
    // The parser may be a few lines further on when it notices.
    let lines = text[..end].rsplit('\n').take(4);
    let mut start = end;
    for line in lines {
        start -= line.len();
        let mut at = 0;
        while let Some(open) = opening(line, at) {
            let quote = line[open..].chars().next()?;
            let Some(close) = closing(line, open + 1, quote) else {
                break;
            };
            if depth(&line[open + 1..close]) > 0
                && let Some(last) = intended_end(line, open, quote)
            {
                return Some(Misquoted {
                    offset: start + close,
                    message: "the quote inside ${…} ends the YAML string here".to_owned(),
                    help: help(&line[open + 1..last], quote),
                });
            }
            at = close + 1;
        }
        // The line break in front of it.
        start = start.saturating_sub(1);
    }
    None
}

fn help(inside: &str, quote: char) -> String {
    if quote == '\'' {
        let double = inside.replace('\'', "\"");
        return format!("strings in an expression take double quotes: '{double}'");
    }
    let single = inside.replace('\'', "''");
    format!("put single quotes around the value: '{single}'")
}

/// Where the next quoted string begins: a quote at the start of a node.
fn opening(line: &str, from: usize) -> Option<usize> {
    line[from..]
        .char_indices()
        .map(|(at, c)| (from + at, c))
        .find_map(|(at, c)| {
            let before = line[..at].trim_end_matches(' ');
            let starts = before.is_empty() || before.ends_with([':', ',', '[', '{', '-', '?', '(']);
            (matches!(c, '"' | '\'') && starts).then_some(at)
        })
}

/// Where YAML takes a quoted string to end.
fn closing(line: &str, from: usize, quote: char) -> Option<usize> {
    let mut chars = line[from..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.next_if(|(_, next)| *next == '\'').is_some() {
                continue;
            }
            return Some(from + at);
        }
    }
    None
}

/// How many `${` are open at the end of a string.
fn depth(text: &str) -> usize {
    let mut open = 0_usize;
    let mut last = ' ';
    for c in text.chars() {
        match c {
            '{' if last == '$' || open > 0 => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        last = c;
    }
    open
}

/// The quote at which the string was meant to end: the first one with no `${` open.
fn intended_end(line: &str, open: usize, quote: char) -> Option<usize> {
    let inside = open + 1;
    let quotes = line[inside..]
        .match_indices(quote)
        .map(|(at, _)| inside + at);
    quotes.into_iter().find(|at| depth(&line[inside..*at]) == 0)
}

/// A string that goes on over lines that look like entries: its quote was forgotten.
fn unclosed(text: &str, stopped: usize) -> Option<Misquoted> {
    let found = scan::quoted_over_lines(text);
    let found = found.into_iter().filter(|range| range.start <= stopped);
    let suspect = |range: &std::ops::Range<usize>| {
        let inside = text.get(range.clone()).unwrap_or_default();
        range.end >= text.trim_end().len() || inside.lines().skip(1).any(is_entry)
    };
    let range = found.into_iter().rfind(suspect)?;
    Some(Misquoted {
        offset: range.start,
        message: "a quoted string does not end".to_owned(),
        help: "close the quote".to_owned(),
    })
}

fn is_entry(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ");
    line.split_once(':').is_some_and(|(key, value)| {
        !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
            && (value.is_empty() || value.starts_with(' '))
    })
}

/// `name:q` in the lines before the place where a `: ` is refused: the parser reads on and takes
/// both lines for one string. Its offset, and the entry that is meant.
pub(super) fn without_blank(text: &str, stopped: usize) -> Option<(usize, String)> {
    let before = text[..stopped].rfind('\n')?;
    let start = text[..before].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..before].trim_end();
    let entry = line.trim_start().trim_start_matches("- ");
    let (key, value) = entry.split_once(':')?;
    let is_key = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let fits =
        is_key && !value.is_empty() && !value.starts_with([' ', '/', ':']) && !value.contains(": ");
    fits.then(|| (start + line.len() - entry.len(), entry.to_owned()))
}

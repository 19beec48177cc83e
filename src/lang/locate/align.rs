//! A part of a string's value, located in the file as it is written: between quotes, with escapes,
//! in a block scalar.

use std::ops::Range;

/// How a string is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Block,
}

/// The bytes of the file that `part` of the value comes from; the value is written from
/// `start` on. None where the two cannot be matched.
pub(super) fn align(
    text: &str,
    start: usize,
    value: &str,
    part: &Range<usize>,
) -> Option<Range<usize>> {
    let rest = &text[start..];
    let (style, first, indent) = match rest.as_bytes().first()? {
        b'"' => (Style::Double, start + 1, 0),
        b'\'' => (Style::Single, start + 1, 0),
        b'|' | b'>' => {
            let (first, indent) = block(text, start)?;
            (Style::Block, first, indent)
        }
        _ => (Style::Plain, start, 0),
    };
    let mut from = None;
    let mut to = None;
    let mut raw = first;
    for (at, c) in value
        .char_indices()
        .map(|(at, c)| (at, Some(c)))
        .chain([(value.len(), None)])
    {
        if at >= part.start && from.is_none() {
            from = Some(skip_fold(text, raw, style, indent, c));
        }
        if at >= part.end {
            to = to.or(Some(raw));
            break;
        }
        raw = step(text, raw, style, indent, c?)?;
    }
    let (from, to) = (from?, to?);
    let to = to.max(from);
    // A part that goes over several lines is shown on its first one.
    let line_end = text[from..to]
        .find(['\n', '\r'])
        .map_or(to, |end| from + end);
    Some(from..line_end)
}

/// Past a line break in front of the character that is not part of the value: an escaped one, or
/// the one that ends the blank lines of a folded block.
fn skip_fold(text: &str, raw: usize, style: Style, indent: usize, next: Option<char>) -> usize {
    match style {
        Style::Double if next != Some('\n') => {
            escaped_break(&text[raw..]).map_or(raw, |length| raw + length)
        }
        Style::Block if !matches!(next, None | Some('\n' | ' ')) => {
            block_step(text, raw, indent, '\n').unwrap_or(raw)
        }
        _ => raw,
    }
}

/// The length of a backslash, the line break after it and the next line's indentation.
fn escaped_break(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('\\')?;
    let after = after
        .strip_prefix('\r')
        .unwrap_or(after)
        .strip_prefix('\n')?;
    Some(rest.len() - after.trim_start_matches([' ', '\t']).len())
}

/// Where the part after the character `c` of the value is written.
fn step(text: &str, raw: usize, style: Style, indent: usize, c: char) -> Option<usize> {
    let raw = skip_fold(text, raw, style, indent, Some(c));
    let rest = text.get(raw..)?;
    let here = rest.chars().next()?;
    if style == Style::Block {
        return block_step(text, raw, indent, c);
    }
    if style == Style::Double && here == '\\' {
        return Some(raw + escape_length(rest)?);
    }
    if style == Style::Single && here == '\'' {
        return rest.starts_with("''").then_some(raw + 2);
    }
    let breaks = rest
        .trim_start_matches([' ', '\t'])
        .starts_with(['\n', '\r']);
    if breaks && (c == ' ' || c == '\n') {
        return Some(folded(text, raw, c));
    }
    (here == c).then_some(raw + c.len_utf8())
}

/// Over a line break that became a blank, or over one blank line that became a line break.
fn folded(text: &str, raw: usize, c: char) -> usize {
    let rest = &text[raw..];
    let after_break = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let next = &rest[after_break..];
    let indented = next.len() - next.trim_start_matches([' ', '\t']).len();
    let blank = next[indented..].starts_with(['\n', '\r']);
    if c == '\n' && blank {
        // The break after the last blank line is folded away.
        let rest = &next[indented..];
        let line = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let last = &rest[line..];
        let last_indent = last.len() - last.trim_start_matches([' ', '\t']).len();
        if last[last_indent..].starts_with(['\n', '\r']) {
            return raw + after_break;
        }
        return raw + after_break + indented + line + last_indent;
    }
    raw + after_break + indented
}

fn escape_length(rest: &str) -> Option<usize> {
    let kind = rest[1..].chars().next()?;
    Some(match kind {
        'x' => 4,
        'u' => 6,
        'U' => 10,
        other => 1 + other.len_utf8(),
    })
}

/// The first line of a block scalar's content, after its indentation, and the indentation.
fn block(text: &str, start: usize) -> Option<(usize, usize)> {
    let mut at = start + text[start..].find('\n')? + 1;
    let first = at;
    loop {
        let line = text[at..].split('\n').next()?;
        let indent = line.len() - line.trim_start_matches(' ').len();
        if !line.trim().is_empty() {
            let here = text[first..].len() - text[first..].trim_start_matches(' ').len();
            return Some((first + here.min(indent), indent));
        }
        at += line.len() + 1;
        if at >= text.len() {
            return None;
        }
    }
}

fn block_step(text: &str, raw: usize, indent: usize, c: char) -> Option<usize> {
    let rest = &text[raw..];
    if rest.starts_with(['\n', '\r']) && (c == '\n' || c == ' ') {
        let next = raw + rest.find('\n')? + 1;
        let after = &text[next..];
        let blanks = after.len() - after.trim_start_matches(' ').len();
        return Some(next + blanks.min(indent));
    }
    rest.starts_with(c).then_some(raw + c.len_utf8())
}

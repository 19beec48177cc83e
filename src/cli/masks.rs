//! What a mistake shows of the files around it: no value of a file with variables, and of the
//! stack file none that is sensitive. No byte moves, so that places stay where they are.

use super::output;
use crate::lang::diagnostic::Place;
use crate::lang::locate::{is_written, locate};
use crate::lang::stack::Sources;
use crate::resource::table::native;
use serde_json::Value;
use std::ops::Range;

/// The sources as they may be shown.
pub(super) fn masked(sources: &Sources) -> Sources {
    let mut shown = sources.clone();
    let too_many = has_too_many(sources);
    let secret = sources.secret.iter().filter(|(file, _)| *file == 0);
    for (file, path) in secret.filter(|_| !too_many) {
        let Some((_, text)) = sources.files.get(*file) else {
            continue;
        };
        // `locate` returns the closest enclosing path for a path that does not exist.
        if !is_written(text, path) {
            continue;
        }
        let Some(found) = locate(text, &Place::Value(path.clone())) else {
            continue;
        };
        let key = locate(text, &Place::Key(path.clone()));
        let column = key.map_or(found.column, |key| key.column);
        let bytes = found.bytes.start..end_of_value(text, found.bytes.end, column);
        blot(&mut shown.files[*file].1, &[bytes]);
    }
    for (index, (_, text)) in shown.files.iter_mut().enumerate() {
        if index > 0 || too_many {
            keys_only(text);
            continue;
        }
        if sources.unread.contains(&index) && text.contains("sensitive") {
            blot_variables(text);
        }
        blot(text, &sensitive_calls(text));
        output::secrets().blot(text);
    }
    shown
}

/// How many bytes of a file are read to find the values of sensitive variables.
const MOST_READ: usize = 16 << 20;

/// Whether the stack file is too large, for the sensitive variables that it declares, to look for
/// the value of each: then none of its values is shown.
fn has_too_many(sources: &Sources) -> bool {
    let secret = sources.secret.iter().filter(|(file, _)| *file == 0);
    let size = sources.files.first().map_or(0, |(_, text)| text.len());
    secret.count().saturating_mul(size) > MOST_READ
}

/// Learns the strings that a stack file marks as sensitive where they stand, so that no message
/// repeats them.
pub(super) fn learn(sources: &Sources) {
    let Some((_, text)) = sources.files.first() else {
        return;
    };
    for call in sensitive_calls(text) {
        // In a quoted string of YAML the quotes have backslashes.
        for part in text[call].split('"').skip(1).step_by(2) {
            let bare = part.trim_end_matches('\\');
            output::secrets().learn(&Value::from(bare));
        }
    }
}

/// Has the words of the stack file, except those of its secrets, and the names of properties
/// distinguished from the keys of secret maps.
pub(super) fn learn_words(sources: &Sources) {
    let sources = sources.clone();
    output::secrets().hear(move || {
        let mut text = masked(&sources).files.swap_remove(0).1;
        let schemas = native().resources().values().map(|kind| kind.schema());
        let sources = native().data_sources().values().map(|kind| kind.schema());
        for schema in schemas.chain(sources) {
            schema.every_name(&mut |name| {
                text.push(' ');
                text.push_str(name);
            });
        }
        text
    });
}

/// Makes parts of a text unreadable that come one after the other; white space stays.
fn blot(text: &mut String, parts: &[Range<usize>]) {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for part in parts {
        out.push_str(&text[done..part.start]);
        for c in text[part.clone()].chars() {
            match c.is_whitespace() {
                true => out.push(c),
                false => out.extend(std::iter::repeat_n('*', c.len_utf8())),
            }
        }
        done = part.end;
    }
    out.push_str(&text[done..]);
    *text = out;
}

/// What stands between the brackets of `sensitive(…)`, unless that only names something.
fn sensitive_calls(text: &str) -> Vec<Range<usize>> {
    const NAME: &str = "sensitive";
    let names = |inside: &str| {
        let inside = inside.trim();
        inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && inside
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-.[]".contains(c))
    };
    let calls = text.match_indices(NAME).filter_map(|(at, _)| {
        let rest = &text[at + NAME.len()..];
        let open = rest.find(|c: char| !c.is_whitespace())?;
        let start = at + NAME.len() + open + 1;
        rest[open..].starts_with('(').then_some(start)
    });
    // A call in another one is a part of that, so that no byte is looked at twice.
    let mut done = 0;
    let mut found = Vec::new();
    for start in calls {
        if start < done {
            continue;
        }
        let call = start..closing(text, start);
        done = call.end;
        if !names(&text[call.clone()]) {
            found.push(call);
        }
    }
    found
}

/// Where the bracket closes that opened before `start`; the end of the text where it does not.
fn closing(text: &str, start: usize) -> usize {
    let (mut depth, mut quoted, mut backslashes) = (1_usize, None, 0_usize);
    for (at, c) in text[start..].char_indices() {
        match c {
            '\\' => {
                backslashes += 1;
                continue;
            }
            // A string ends with as many backslashes as it began with: in YAML's own quotes one.
            '"' if quoted.is_none() => quoted = Some(backslashes),
            '"' if quoted == Some(backslashes) => quoted = None,
            '(' if quoted.is_none() => depth += 1,
            ')' if quoted.is_none() => depth -= 1,
            _ => {}
        }
        backslashes = 0;
        if depth == 0 {
            return start + at;
        }
    }
    text.len()
}

/// The keys of a variable's declaration whose values reveal nothing.
const OPEN: &[&str] = &["type", "description", "sensitive", "minimum", "maximum"];

/// Makes the values in `variables:` unreadable, of a stack file that cannot be read and has
/// sensitive ones: nobody knows which these are.
fn blot_variables(text: &mut String) {
    if text.trim_start().starts_with('{') {
        return keys_only(text);
    }
    let mut at = 0;
    let mut hidden: Vec<Range<usize>> = Vec::new();
    let mut inside = false;
    let (mut names_at, mut keys_at) = (None, None);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let bare = line.trim_start_matches(' ');
        let indent = line.len() - bare.len();
        let value = key(bare);
        if let Some(end) = value.filter(|_| indent == 0) {
            inside = bare[..end].contains("variables");
            names_at = None;
        }
        if !inside || bare.trim().is_empty() {
            continue;
        }
        let shown = match value {
            Some(end) if indent == 0 => end + open_pairs(&bare[end..]),
            Some(end) if *names_at.get_or_insert(indent) == indent => {
                keys_at = None;
                end + open_pairs(&bare[end..])
            }
            // Deeper ones are a part of a value.
            Some(end) if *keys_at.get_or_insert(indent) == indent => {
                let name = bare[..end].trim_end_matches([':', ' ']);
                match OPEN.contains(&name) {
                    true => bare.len(),
                    false => end,
                }
            }
            _ => 0,
        };
        hidden.push(start + indent + shown..at);
    }
    blot(text, &hidden);
}

/// How much of a declaration in braces reveals nothing: the first pairs, as long as they do.
fn open_pairs(text: &str) -> usize {
    let word = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        end.unwrap_or(text.len())
    };
    let Some(inside) = text.trim_start().strip_prefix('{') else {
        return 0;
    };
    let mut at = text.len() - inside.len();
    loop {
        let pair = text[at..].trim_start();
        let (key, rest) = pair.split_at(word(pair));
        let Some(value) = rest.strip_prefix(": ").filter(|_| OPEN.contains(&key)) else {
            return at;
        };
        let Some(more) = value[word(value)..].strip_prefix(',') else {
            return at;
        };
        at = text.len() - more.len();
    }
}

/// Where the key ends that a line begins with, its colon included.
fn key(line: &str) -> Option<usize> {
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''));
    let end = match quote {
        Some(quote) => line[1..].find(quote)? + 2,
        None => line.find(|c: char| !c.is_alphanumeric() && !"_-.".contains(c))?,
    };
    let rest = line[end..].trim_start_matches(' ');
    let colon = line.len() - rest.len() + 1;
    let ends = rest.strip_prefix(':').is_some_and(|rest| {
        quote.is_some() || rest.is_empty() || rest.starts_with(char::is_whitespace)
    });
    (end > 0 && ends).then_some(colon)
}

/// Makes all unreadable of a file with variables but the names of these.
fn keys_only(text: &mut String) {
    let shown = match text.trim_start().starts_with('{') {
        true => keys_in_flow(text),
        false => keys_in_lines(text),
    };
    let mut hidden = Vec::new();
    let mut at = 0;
    for key in shown {
        hidden.push(at..key.start);
        at = key.end;
    }
    hidden.push(at..text.len());
    blot(text, &hidden);
}

/// The keys at the start of lines, where no value goes on from the line before.
fn keys_in_lines(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut value = Open::default();
    for line in text.split_inclusive('\n') {
        let key = key(line).filter(|_| !value.is_open());
        if let Some(end) = key {
            found.push(at..at + end);
            value = Open::default();
        }
        value.read(&line[key.unwrap_or(0)..]);
        at += line.len();
    }
    found
}

/// The keys of a document in braces (JSON is one), without those of inner ones.
fn keys_in_flow(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut value = Open::default();
    let mut is_key = false;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if value.depth == 1 && value.quote.is_none() && is_key && !c.is_whitespace() && c != '}' {
            is_key = false;
            if let Some(end) = key(&text[at..]) {
                found.push(at..at + end);
                at += end;
                continue;
            }
        }
        value.take(c);
        if value.quote.is_none() && value.depth == 1 && matches!(c, '{' | ',') {
            is_key = true;
        }
        at += c.len_utf8();
    }
    found
}

/// A value that may go on over lines: in quotes, or in brackets.
#[derive(Default)]
struct Open {
    depth: usize,
    quote: Option<char>,
    escaped: bool,
    /// Whether a quote here starts a string: nothing of a value without quotes was seen.
    fresh: bool,
    /// Whether a single quote was closed just now.
    doubles: bool,
}

impl Open {
    fn is_open(&self) -> bool {
        self.depth > 0 || self.quote.is_some()
    }

    /// Reads a line's value.
    fn read(&mut self, text: &str) {
        if !self.is_open() {
            let start = text.trim_start_matches([' ', '\t']);
            // A tag or an anchor stands in front of the value.
            let start = match start.starts_with(['!', '&']) {
                true => start
                    .split_once([' ', '\t'])
                    .map_or("", |(_, rest)| rest)
                    .trim_start(),
                false => start,
            };
            if !start.starts_with(['"', '\'', '{', '[']) {
                return;
            }
            self.fresh = true;
            return start.chars().for_each(|c| self.take(c));
        }
        text.chars().for_each(|c| self.take(c));
    }

    fn take(&mut self, c: char) {
        match (self.quote, c) {
            (Some('"'), '\\') if !self.escaped => {
                self.escaped = true;
                return;
            }
            (Some(quote), c) if c == quote && !self.escaped => {
                self.quote = None;
                // A second one stands for itself.
                self.doubles = quote == '\'';
                return;
            }
            (Some(_), _) => {}
            (None, '\'') if self.doubles => self.quote = Some(c),
            (None, '"' | '\'') if self.fresh => self.quote = Some(c),
            (None, '{' | '[') => self.depth += 1,
            (None, '}' | ']') => self.depth = self.depth.saturating_sub(1),
            (None, _) => {}
        }
        self.escaped = false;
        self.doubles = false;
        self.fresh = match c {
            '{' | '[' | ',' | ':' => true,
            c => self.fresh && c.is_whitespace(),
        };
    }
}

/// Where a value ends that begins on the line around `at` and whose key is at `column`
/// (from 1): behind the lines below that are indented more, or are items of its list.
fn end_of_value(text: &str, at: usize, column: usize) -> usize {
    let mut end = at;
    let mut line_end = text[at..]
        .find('\n')
        .map_or(text.len(), |below| at + below + 1);
    for line in text[line_end..].split_inclusive('\n') {
        let bare = line.trim_start_matches(' ');
        let indent = line.len() - bare.len() + 1;
        let inside = indent > column || (indent == column && bare.starts_with('-'));
        if !inside && !bare.trim().is_empty() {
            break;
        }
        line_end += line.len();
        end = line_end;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> String {
        let mut shown = text.to_owned();
        keys_only(&mut shown);
        assert_eq!(shown.len(), text.len());
        shown
    }

    #[test]
    fn of_a_file_with_variables_the_names_are_left() {
        for (text, expected) in [
            ("pw: Secret\n", "pw: ******\n"),
            ("pw: Sec: ret\nb: 1", "pw: **** ***\nb: *"),
            (
                "pw: |\n  user:Secret\n  a: b\n",
                "pw: *\n  ***********\n  ** *\n",
            ),
            (
                "pw: \"abc\nSecret: tail\"\nb: x\n",
                "pw: ****\n******* *****\nb: *\n",
            ),
            ("pw: 'it''s\nSecret: x'\n", "pw: ******\n******* **\n"),
            ("pw: {\nSecret: x\n}\nb: x\n", "pw: *\n******* *\n*\nb: *\n"),
            ("pw: !t \"a\nSecret: x\"\n", "pw: ** **\n******* **\n"),
            ("Secret\n", "******\n"),
            // A value with what looks like a key in it.
            ("{pw: Secret: x, b: y}", "*pw: ******* ** b: **"),
            ("{\"pw\": \"Secret\": 1}", "*\"pw\": ********* **"),
            ("- Secret: x\n", "* ******* *\n"),
            (
                "# pw: Secret\n\"pw\": it's\nb: it's\n",
                "* *** ******\n\"pw\": ****\nb: ****\n",
            ),
            (
                "{\"pw\": \"Sec,ret: x\", \"b\": {\"Secret\": 1}}",
                "*\"pw\": ********* *** \"b\": ********** ***",
            ),
            (
                "{\n  \"a\": \"Sec\",\n  \"b\": [\"x\", \"y\"]\n}\n",
                "*\n  \"a\": ******\n  \"b\": ***** ****\n*\n",
            ),
            ("{pw: Secret:x, b: 1}", "*pw: ********* b: **"),
        ] {
            assert_eq!(keys(text), expected, "{text}");
        }
    }

    #[test]
    fn what_sensitive_is_called_with_is_found() {
        let found = |text: &str| {
            let calls = sensitive_calls(text).into_iter();
            calls.map(|call| text[call].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("a: ${sensitive(\"S (x)\")}"), ["\"S (x)\""]);
        assert_eq!(found("a: \"${sensitive(\\\"S)\\\") + 1}\""), ["\\\"S)\\\""]);
        assert_eq!(
            found("a: ${sensitive(upper(\"S\"), 1)}"),
            ["upper(\"S\"), 1"]
        );
        assert_eq!(found("a: ${sensitive(\"S"), ["\"S"]);
        assert!(found("a: ${sensitive(var.pw)}, sensitive: true").is_empty());
    }

    #[test]
    fn of_a_stack_that_cannot_be_read_no_default_is_shown() {
        let mut text = "name: x\nvariables:\n  pw:\n    type: string\n    sensitive: true\n    defualt: |\n      Secret: x\n  q: {default: S\nresources:\n  a: b\n".to_owned();
        blot_variables(&mut text);
        assert_eq!(
            text,
            "name: x\nvariables:\n  pw:\n    type: string\n    sensitive: true\n    defualt: *\n      ******* *\n  q: {******** *\nresources:\n  a: b\n"
        );
    }
}

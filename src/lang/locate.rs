//! Where in the text something stands. The model has paths only; the place is looked up when a
//! diagnostic is shown, by a walk that goes to the path and fails there, so that the parser's error
//! gives the position.

mod align;
mod find;
#[cfg(test)]
mod tests;

use super::diagnostic::Place;
use super::source;
use crate::data::Path;
use align::align;
use find::{Kind, Located};
use std::ops::Range;

/// A part of a file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the text, on one line where what is meant is larger than a line. Empty
    /// where the place is at the end of a line.
    pub bytes: Range<usize>,
}

/// Finds a place in the text of a YAML file. Of a path that is not written there, the closest one
/// around it is used. None for [`Place::Outside`] and for a text that cannot be read (such mistakes
/// carry their line and column).
pub fn locate(text: &str, place: &Place) -> Option<Span> {
    let bytes = match place {
        Place::Outside => return None,
        Place::At(line, column) => at(text, *line, *column),
        Place::Value(path) => value(text, path)?,
        Place::Key(path) => key(text, path).or_else(|| value(text, path))?,
        Place::Within(path, range) => within(text, path, range)?,
    };
    // The parser counts some characters otherwise (U+00A0 in front of a key): a span never
    // begins or ends inside one.
    let start = text.floor_char_boundary(bytes.start);
    let bytes = start..text.floor_char_boundary(bytes.end).max(start);
    let (line, column) = source::position(text, bytes.start);
    Some(Span {
        line,
        column,
        bytes,
    })
}

/// Whether there is a value at just this path.
pub fn is_written(text: &str, path: &Path) -> bool {
    find(text, path, false).is_some()
}

fn at(text: &str, line: usize, column: usize) -> Range<usize> {
    let start = text
        .match_indices('\n')
        .nth(line.wrapping_sub(2))
        .map_or(if line > 1 { text.len() } else { 0 }, |(at, _)| at + 1);
    let rest = line_of(text, start);
    let start = start
        + rest
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(rest.len(), |(at, _)| at);
    let rest = line_of(text, start);
    let end = rest
        .char_indices()
        .skip(1)
        .find(|(_, c)| c.is_whitespace() || matches!(c, ',' | ']' | '}' | ':'))
        .map_or(rest.len(), |(at, _)| at);
    start..start + end
}

/// The rest of the line from `start` on.
fn line_of(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    rest.split(['\n', '\r']).next().unwrap_or_default()
}

fn key(text: &str, path: &Path) -> Option<Range<usize>> {
    let found = find(text, path, true)?;
    Some(span(text, &found))
}

fn value(text: &str, path: &Path) -> Option<Range<usize>> {
    if let Some(found) = find(text, path, false) {
        return Some(span(text, &found));
    }
    // Not written: the key of what is around it says most.
    let around = path.parent()?;
    if around.is_root() {
        return find(text, &around, false).map(|found| span(text, &found));
    }
    key(text, &around).or_else(|| value(text, &around))
}

fn within(text: &str, path: &Path, range: &Range<usize>) -> Option<Range<usize>> {
    let Some(found) = find(text, path, false) else {
        return value(text, path);
    };
    let Kind::Text(value) = &found.kind else {
        return Some(span(text, &found));
    };
    let start = after_properties(text, found.offset);
    align(text, start, value, range).or_else(|| Some(span(text, &found)))
}

/// What a node covers of its first line.
fn span(text: &str, found: &Located) -> Range<usize> {
    let start = after_properties(text, found.offset);
    let line = line_of(text, start);
    let length = match line.bytes().next() {
        Some(b'"' | b'\'') => quoted_length(line),
        Some(b'[' | b'{') => bracket_length(line),
        _ => match &found.kind {
            Kind::Text(value) if line.starts_with(value.as_str()) => value.len(),
            Kind::Text(value) => common(line, value),
            Kind::Other => line
                .find(|c: char| !(c.is_alphanumeric() || "+-._~".contains(c)))
                .unwrap_or(line.len()),
            Kind::Collection => line.split(" #").next().unwrap_or_default().trim_end().len(),
        },
    };
    start..start + length
}

/// A plain scalar that goes on in the next line, or a block scalar's header.
fn common(line: &str, value: &str) -> usize {
    let same = line
        .bytes()
        .zip(value.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let whole = line.split(" #").next().unwrap_or_default().trim_end().len();
    if same > 0 && line.is_char_boundary(same) {
        same.min(whole).max(1)
    } else {
        whole
    }
}

/// Finds the node at a path. An output's short form stands for its `value`.
fn find(text: &str, path: &Path, key: bool) -> Option<Located> {
    find::find(text, path, key).or_else(|| {
        let segments: Vec<_> = path.segments().collect();
        let is_value = segments.len() > 2 && segments[0] == "outputs" && segments[2] == "value";
        let short = || {
            let rest = segments.iter().enumerate().filter(|(at, _)| *at != 2);
            rest.fold(Path::root(), |path, (_, segment)| path.join(segment))
        };
        is_value
            .then(short)
            .and_then(|path| find::find(text, &path, key))
    })
}

/// The start of a node after its anchor and tag.
fn after_properties(text: &str, mut start: usize) -> usize {
    while text[start..].starts_with(['&', '!']) {
        let rest = &text[start..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let blank = rest[end..].len() - rest[end..].trim_start().len();
        if end + blank == rest.len() || end == 0 {
            break;
        }
        start += end + blank;
    }
    start
}

fn quoted_length(line: &str) -> usize {
    let quote = &line[..1];
    let mut chars = line.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == "\"" {
            chars.next();
        } else if line[at..].starts_with(quote) {
            if quote == "'" && chars.next_if(|(_, next)| *next == '\'').is_some() {
                continue;
            }
            return at + 1;
        }
    }
    line.trim_end().len()
}

fn bracket_length(line: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            '"' | '\'' if line[..at].ends_with([' ', ',', '[', '{', ':']) => {
                at += quoted_length(&line[at..]);
                continue;
            }
            _ => {}
        }
        at += c.len_utf8();
        if depth == 0 {
            return at;
        }
    }
    line.trim_end().len()
}

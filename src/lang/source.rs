//! From the bytes of a YAML file to a JSON value, with guards against files that are designed to
//! exhaust the reader.
//!
//! `serde_yaml` parses. It has no bound on repeated aliases to long text, takes duplicate keys
//! and needs minutes for deeply nested flow style, so that:
//! - `scan` looks over the text first, in one pass, for nesting and for a second document;
//! - a seed of our own builds the value, counting nodes and bytes and noting what is wrong;
//! - where there are scalars whose value does not show how they are written (keys that are not
//!   strings, floats), a second walk reads these as strings.
//!
//! Mistakes that leave the rest readable (duplicate keys, tags, keys that are not strings) are all
//! reported; only then the places are found by another walk.

mod build;
mod message;
mod quote;
mod scan;
#[cfg(test)]
mod tests;

use build::{Target, walk};

use super::diagnostic::{Diagnostic, Place};
use super::yaml;
use build::Builder;
use serde_json::Value;

/// The largest file that is read.
pub const LARGEST: usize = 8 * 1024 * 1024;
/// The deepest nesting.
pub const DEEPEST: usize = 100;
/// The most values and keys, aliases counted as often as they are used.
pub const MOST_NODES: usize = 600_000;
/// The most text, aliases counted as often as they are used.
pub const MOST_TEXT: usize = 16 * 1024 * 1024;

/// Each place costs a walk over the document: so many are found, and fewer in a document of
/// so many nodes that this would take more than a second. The rest are counted.
const PLACES: usize = 100;
const MOST_WALKED: usize = 2_000_000;

/// Parses one YAML document; an empty one is null. Keys are strings: a number, bool or null is the
/// string that stands in the file. Numbers are finite and keep the form they are written in, where
/// JSON has it (`1.0`, `1.10`). Merge keys are applied.
///
/// # Errors
/// Every mistake that could be seen, each with its line and column.
pub fn parse(bytes: &[u8]) -> Result<Value, Vec<Diagnostic>> {
    if bytes.len() > LARGEST {
        return Err(vec![at(
            (1, 1),
            format!(
                "the file is larger than {} MiB, which is the most that is read",
                LARGEST >> 20
            ),
        )]);
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let message = "the file is UTF-16, and stack files are UTF-8";
        return Err(vec![at((1, 1), message).help("save it as UTF-8")]);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let message = "the file is not UTF-8 text: this byte cannot be read";
            return Err(vec![at(position(&good, good.len()), message)]);
        }
    };
    if let Some(found) = text.char_indices().find(|(_, c)| is_control(*c)) {
        let message = format!(
            "the character U+{:04X} cannot stand in a YAML file",
            found.1 as u32
        );
        return Err(vec![at(position(text, found.0), message)]);
    }
    let text = without_mark(text);
    scan::scan(text).map_err(|(offset, message)| vec![at(position(text, offset), message)])?;
    build(text)
}

/// A mistake in a file with variables, of which no value is shown: what repeats a part of the
/// file is put in general words.
pub fn without_values(problem: Diagnostic) -> Diagnostic {
    let is_key =
        problem.message.starts_with("duplicate key") && matches!(problem.place, Place::At(_, 1));
    let message = match is_key || message::is_general(&problem.message) {
        true => problem.message,
        false => "this part of the file cannot be read".to_owned(),
    };
    let help = problem.help.filter(|help| message::is_general(help));
    Diagnostic {
        message,
        help,
        ..problem
    }
}

/// A text without its byte order mark, which is not part of it.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn build(text: &str) -> Result<Value, Vec<Diagnostic>> {
    let mut builder = Builder::default();
    if ["0x", "0o", "+"].iter().any(|form| text.contains(form)) {
        builder.reads_integers_as_written();
    }
    let mut result = walk(text, &builder);
    if result.is_ok() && builder.reads_again() {
        builder = builder.into_second();
        result = walk(text, &builder);
    }
    let mut diagnostics = noted(text, &builder);
    match result {
        Ok(value) if diagnostics.is_empty() => return Ok(value),
        Ok(_) => {}
        Err(error) => {
            let found = offset(text, &error).or_else(|| {
                // The parser's own bound on aliases has no place: the last node that was read has.
                let last = Builder::finding(Target::Node(builder.last()));
                walk(text, &last)
                    .err()
                    .and_then(|error| offset(text, &error))
            });
            diagnostics.push(message::explain(text, &error, found));
        }
    }
    Err(diagnostics)
}

/// What the builder noted, each with its place; those beyond what is affordable as a number.
fn noted(text: &str, builder: &Builder) -> Vec<Diagnostic> {
    let affordable = (MOST_WALKED / (builder.last() + 1)).clamp(1, PLACES);
    let notes = builder.notes();
    let more = notes.len().saturating_sub(affordable);
    let mut told: Vec<Diagnostic> = notes
        .into_iter()
        .take(affordable)
        .map(|note| {
            let find = |node: usize| {
                let found = walk(text, &Builder::finding(Target::Node(node))).err();
                let offset = found.and_then(|error| offset(text, &error))?;
                Some(position(text, offset))
            };
            let place = match find(note.node) {
                Some((line, column)) => Place::At(line, column),
                None => Place::Key(note.path),
            };
            let first = note.first.and_then(find);
            let first = first.map_or(String::new(), |(line, _)| {
                format!(" (first at line {line})")
            });
            Diagnostic {
                help: note.help,
                ..Diagnostic::error(place, note.message + &first)
            }
        })
        .collect();
    if let Some(last) = told.last_mut()
        && more > 0
    {
        let message = format!("{more} more such mistakes follow");
        let place = last.place.clone();
        told.push(Diagnostic::error(place, message));
    }
    told
}

fn is_control(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\x7f')
}

fn at(place: (usize, usize), message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Place::At(place.0, place.1), message)
}

/// The line and column, both from 1, of an offset.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// Where in the text an error happened. libyaml counts bytes, and excludes a byte order mark.
pub(super) fn offset(text: &str, error: &yaml::Error) -> Option<usize> {
    let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut at = (error.location()?.index() + mark).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    Some(at)
}

//! What the parser says, in words that help.

use super::build::OURS;
use super::{position, quote};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::yaml::Error;

/// A parser's error, found at an offset, as a diagnostic.
pub(super) fn explain(text: &str, error: &Error, found: Option<usize>) -> Diagnostic {
    let said = error.to_string();
    // The parser has read past the character that starts an alias or anchor.
    let found = found.map(|at| {
        if said.contains("while scanning an a") {
            at.saturating_sub(1)
        } else {
            at
        }
    });
    let found = found.filter(|at| text.is_char_boundary(*at));
    let (line, column) = found.map_or((1, 1), |offset| position(text, offset));
    let place = Place::At(line, column);
    if let Some((_, ours)) = said.split_once(OURS) {
        let ours = ours
            .rsplit_once(" at line ")
            .map_or(ours, |(message, _)| message);
        return Diagnostic::error(place, ours);
    }
    let stopped = found.unwrap_or(text.len());
    if let Some(found) = quote::misquoted(text, stopped) {
        let (line, column) = position(text, found.offset);
        return Diagnostic::error(Place::At(line, column), found.message).help(found.help);
    }
    if said.contains("mapping values are not allowed")
        && let Some((offset, entry)) = quote::without_blank(text, stopped)
    {
        let (line, column) = position(text, offset);
        let message = format!("{entry:?} needs a blank after the colon");
        let help = format!("write {}", entry.replacen(':', ": ", 1));
        return Diagnostic::error(Place::At(line, column), message).help(help);
    }
    let here = found
        .and_then(|offset| text.get(offset..))
        .unwrap_or_default();
    let line_text = text.lines().nth(line - 1).unwrap_or_default();
    let (message, help) = words(&said, here, line_text);
    Diagnostic {
        help: help.map(str::to_owned),
        ..Diagnostic::error(place, message)
    }
}

/// Whether a message or its help is the same for every file, so that it repeats nothing of one.
pub(super) fn is_general(text: &str) -> bool {
    GENERAL.contains(&text)
        || WORDS
            .iter()
            .any(|(_, message, help)| *message == text || *help == Some(text))
}

/// Those that are in no table.
const GENERAL: &[&str] = &[
    "a quoted string does not end",
    "close the quote",
    "a tab cannot indent a line",
    "indent with spaces",
    "this list or map in brackets cannot be read",
    "the file is not UTF-8 text: this byte cannot be read",
    "the file is UTF-16, and stack files are UTF-8",
    "save it as UTF-8",
    "a number must be finite",
    "put it in quotes if it is meant as a string",
    "this number has more than 64 bits",
    "this key is a list or a map, and keys are strings",
    "remove one of the two",
];

const QUOTE: Option<&str> = Some("put the value in quotes");

/// What the parser's message holds, what it means, and what to do. The first row that fits
/// counts.
const WORDS: &[(&str, &str, Option<&str>)] = &[
    (
        "unknown anchor",
        "unknown anchor",
        Some("a string that starts with \"*\" needs quotes: \"*\""),
    ),
    (
        "while scanning an alias",
        "\"*\" starts an alias in YAML, and no name follows",
        Some("put it in quotes: \"*\""),
    ),
    (
        "while scanning an anchor",
        "\"&\" starts an anchor in YAML, and no name follows",
        QUOTE,
    ),
    (
        "repetition limit",
        "the file's aliases make it too large",
        None,
    ),
    ("recursion limit", "the file is nested too deeply", None),
    (
        "more than one document",
        "the file holds more than one document",
        Some("a file holds one stack"),
    ),
    (
        "mapping values are not allowed",
        "a \": \" is not allowed here",
        Some("a string that holds \": \" needs quotes; otherwise check the indentation"),
    ),
    (
        "cannot start any token",
        "a string without quotes cannot start with this character",
        QUOTE,
    ),
    (
        "unknown escape character",
        "YAML knows no such escape in double quotes",
        Some("use single quotes, in which a backslash is literal"),
    ),
    (
        "while scanning a quoted scalar",
        "a quoted string does not end",
        Some("close the quote"),
    ),
    ("flow mapping", "a \",\" or \"}\" is expected here", None),
    ("flow sequence", "a \",\" or \"]\" is expected here", None),
    (
        "could not find expected ':'",
        "a \":\" is missing after this key",
        None,
    ),
    (
        "block mapping",
        "this line does not fit into the map around it",
        INDENT,
    ),
    (
        "block collection",
        "this line does not fit into the list around it",
        INDENT,
    ),
];

const INDENT: Option<&str> = Some("check its indentation, and the quotes in the lines before it");

fn words(said: &str, here: &str, line: &str) -> (String, Option<&'static str>) {
    if said.contains("cannot start any token") && here.starts_with('\t') {
        return (
            "a tab cannot indent a line".to_owned(),
            Some("indent with spaces"),
        );
    }
    if said.contains("while parsing a flow") && line.contains("${") {
        return (
            "this list or map in brackets cannot be read".to_owned(),
            Some("a string that holds ${…} needs quotes between brackets: \"${…}\""),
        );
    }
    match WORDS.iter().find(|(part, _, _)| said.contains(part)) {
        Some((_, message, help)) => ((*message).to_owned(), *help),
        None => {
            let plain = said.split(" at line ").next().unwrap_or(said);
            (format!("the YAML cannot be read: {plain}"), None)
        }
    }
}

//! Strings parsed into literal text and expressions.

use super::error::EvalError;
use super::simple::{Simple, simple};
use crate::literal::{directives, starts_directive};
use crate::schema::alias;
use hcl::edit::parser::parse_template;
use hcl::edit::template::{Element, Template};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// A string taken apart.
pub(super) enum Parsed {
    /// Nothing but text and plain references, which is most of what stacks hold; these
    /// need no parser.
    Plain(Vec<Piece>),
    /// Anything else.
    Hcl(Rc<Hcl>),
}

/// A part of a plain string.
pub(super) enum Piece {
    Text(String),
    Reference(Simple),
}

/// A string with expressions, as parsed.
pub(super) struct Hcl {
    pub(super) template: Template,
    /// Where a `%` was put in to keep a `%{` literal; offsets in the text handed to the parser.
    inserted: Vec<usize>,
}

impl Hcl {
    /// A range of the parsed text as a range of the text as written.
    pub(super) fn range(&self, range: Option<Range<usize>>) -> Option<Range<usize>> {
        let back = |offset: usize| offset - self.inserted.iter().filter(|at| **at < offset).count();
        range.map(|range| back(range.start)..back(range.end))
    }
}

/// Whether the text is anything but plain text.
pub(super) fn is_template(text: &str) -> bool {
    memchr::memchr2(b'$', b'%', text.as_bytes()).is_some()
        && (expression(text, 0).is_some() || directives(text).next().is_some())
}

/// Where the next `${` stands.
fn expression(text: &str, from: usize) -> Option<usize> {
    memchr::memchr_iter(b'$', &text.as_bytes()[from..])
        .map(|at| from + at)
        .find(|at| text.as_bytes().get(at + 1) == Some(&b'{'))
}

/// Whether the text has an expression or a directive in it.
pub fn is_expression(text: &str) -> bool {
    is_template(text)
        && match parse(text) {
            Ok(Parsed::Plain(pieces)) => {
                let mut pieces = pieces.iter();
                pieces.any(|piece| matches!(piece, Piece::Reference(_)))
            }
            Ok(Parsed::Hcl(hcl)) => {
                let mut elements = hcl.template.iter();
                elements.any(|element| !matches!(element, Element::Literal(_)))
            }
            Err(_) => true,
        }
}

/// Takes a string apart.
pub(super) fn parse(text: &str) -> Result<Parsed, EvalError> {
    match plain(text) {
        Some(pieces) => Ok(Parsed::Plain(pieces)),
        None => cached(text).map(Parsed::Hcl),
    }
}

/// The parts of a string that holds nothing but plain references.
fn plain(text: &str) -> Option<Vec<Piece>> {
    if directives(text).next().is_some() {
        return None;
    }
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(start) = expression(text, at) {
        if start > at && text.as_bytes()[start - 1] == b'$' {
            literal.push_str(&text[at..start - 1]);
            literal.push_str("${");
            at = start + 2;
            continue;
        }
        literal.push_str(&text[at..start]);
        let (reference, end) = simple(text, start + 2)?;
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Reference(reference));
        at = end;
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Some(pieces)
}

/// Templates are evaluated several times: for each instance, in each pass. The parser is
/// the slow part, so its results are kept.
fn cached(text: &str) -> Result<Rc<Hcl>, EvalError> {
    const KEPT: usize = 4096;
    const SHORT: usize = 8 * 1024;
    thread_local! {
        static CACHE: RefCell<HashMap<String, Rc<Hcl>>> = RefCell::default();
    }
    if let Some(found) = CACHE.with_borrow(|cache| cache.get(text).cloned()) {
        return Ok(found);
    }
    let parsed = Rc::new(parse_hcl(text)?);
    if text.len() > SHORT {
        return Ok(parsed);
    }
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= KEPT {
            cache.clear();
        }
        cache.insert(text.to_owned(), Rc::clone(&parsed));
    });
    Ok(parsed)
}

/// An expression longer than this is refused: the parser's cost grows faster than the text.
const LONGEST: usize = 256 * 1024;

fn parse_hcl(text: &str) -> Result<Hcl, EvalError> {
    if text.len() > LONGEST {
        return Err(EvalError::new(format!(
            "a string with expressions may be at most {} KiB long",
            LONGEST / 1024
        ))
        .help("put the string into a file and read it with file(\"…\")".to_owned()));
    }
    let (masked, inserted) = mask(text);
    match parse_template(&masked) {
        Ok(template) => Ok(Hcl { template, inserted }),
        Err(error) => {
            let offset = error.location().offset().min(masked.len());
            let offset = offset - inserted.iter().filter(|at| **at < offset).count();
            Err(unreadable(error.message(), text, offset))
        }
    }
}

/// The text with every `%{` that starts no directive escaped.
fn mask(text: &str) -> (String, Vec<usize>) {
    let mut masked = String::with_capacity(text.len() + 8);
    let mut inserted = Vec::new();
    let mut at = 0;
    for (start, _) in text.match_indices("%{") {
        if !starts_directive(&text[start + 2..]) {
            masked.push_str(&text[at..start]);
            inserted.push(masked.len());
            masked.push('%');
            at = start;
        }
    }
    masked.push_str(&text[at..]);
    (masked, inserted)
}

/// Single quotes in the expression that begins at `inside`, where the parser stopped in or
/// before them.
fn single_quoted(text: &str, inside: usize, stopped: usize) -> Option<EvalError> {
    let mut double = false;
    let mut outside = text[inside..].char_indices().filter(|(_, c)| {
        double ^= *c == '"';
        !double && matches!(c, '\'' | '}')
    });
    let (at, first) = outside.next()?;
    let start = inside + at;
    let end = text[start + 1..].find('\'').map(|at| start + at + 2)?;
    if first == '}' || stopped > end {
        return None;
    }
    let word = &text[start..end];
    let message = format!("strings in an expression take double quotes, not {word}");
    let whole = text.replace('\'', "\"");
    let wrong = EvalError::new(message).at(Some(start..end));
    Some(if text.len() <= 120 && !text.contains('\n') {
        wrong.help(format!(
            "'{whole}' - single quotes outside, double quotes inside"
        ))
    } else {
        wrong.help("single quotes around the value, double quotes inside the expression".to_owned())
    })
}

fn unreadable(message: &str, text: &str, offset: usize) -> EvalError {
    let mut start = offset.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let end = text[start..]
        .chars()
        .next()
        .map_or(start, |c| start + c.len_utf8());
    let inside = text[..end].rfind("${").map(|at| at + 2);
    if let Some(quoted) = inside.and_then(|inside| single_quoted(text, inside, start)) {
        return quoted;
    }
    let notation = inside.and_then(|inside| alias::notation_of(&text[inside..]));
    let literal = || {
        notation
            .clone()
            .unwrap_or_else(|| alias::LITERAL.to_owned())
    };
    let wrong = if message.starts_with("invalid expression") {
        EvalError::new("an expression is expected here").help(literal())
    } else if message.starts_with("invalid nesting depth") {
        EvalError::new("the expression is nested too deeply, at most 64 levels are read")
    } else if text[start..].starts_with("${") || message == "unexpected token" {
        EvalError::new("the expression cannot be read from here on").help(literal())
    } else if start >= text.len() {
        EvalError::new("the expression does not end: a \"}\" is missing").help(literal())
    } else {
        EvalError::new(format!("the expression cannot be read: {message}")).help(literal())
    };
    wrong.at(Some(start..end))
}

/// Whether a value has no part to evaluate.
pub(super) fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => !is_template(text),
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    }
}

//! Terms: `ERROR`, `"exact phrase"`, `?optional`, `-exclude`, `%regex%`.

use super::{Parsed, Reader, wrong};
use regex::Regex;

enum Term {
    Literal(String),
    Regex(Regex),
}

impl Term {
    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Literal(text) => message.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

/// The terms of a pattern. Case counts.
#[derive(Default)]
pub(in super::super) struct Terms {
    all: Vec<Term>,
    any: Vec<Term>,
    none: Vec<Term>,
}

impl Terms {
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let mut terms = Self::default();
        let mut reader = Reader::new(text);
        loop {
            reader.blank();
            if reader.rest.is_empty() {
                return Ok(terms);
            }
            let list = if reader.take("?") {
                &mut terms.any
            } else if reader.take("-") {
                &mut terms.none
            } else {
                &mut terms.all
            };
            let term = if let Some(text) = reader.quoted()? {
                Term::Literal(text)
            } else if let Some(regex) = reader.regex()? {
                Term::Regex(regex)
            } else {
                let word = reader.while_in(|c| !c.is_whitespace());
                let plain = |c: char| c.is_alphanumeric() || c == '_';
                if word.is_empty() || !word.chars().all(plain) {
                    return wrong(format!(
                        "Invalid character(s) in term {word:?}; a term of more than letters, digits and underscores stands in double quotes"
                    ));
                }
                Term::Literal(word.to_owned())
            };
            list.push(term);
        }
    }

    /// Optional terms count where all terms are optional.
    pub(super) fn matches(&self, message: &str) -> bool {
        let is_in = |term: &Term| term.is_in(message);
        let only_optional = self.all.is_empty() && self.none.is_empty() && !self.any.is_empty();
        match only_optional {
            true => self.any.iter().any(is_in),
            false => self.all.iter().all(is_in) && !self.none.iter().any(is_in),
        }
    }
}

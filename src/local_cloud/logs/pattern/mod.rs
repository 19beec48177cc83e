//! Filter patterns of log events (CloudWatch Logs user guide, "Filter pattern syntax"): terms,
//! phrases, regular expressions, JSON selectors, fields divided by spaces.

mod condition;
mod fields;
mod json;
mod terms;

#[cfg(test)]
mod tests;

use condition::Condition;
use fields::Fields;
use json::Expression;
use terms::Terms;

/// The longest pattern, in characters (FilterLogEvents, API reference).
const LONGEST: usize = 1024;

/// Why a pattern is refused: a clause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid filter pattern: {0}")]
pub(super) struct Wrong(String);

type Parsed<T> = Result<T, Wrong>;

fn wrong<T>(why: impl Into<String>) -> Parsed<T> {
    Err(Wrong(why.into()))
}

/// A pattern.
pub(super) enum Pattern {
    /// Words, phrases and regular expressions in an event as a whole.
    Terms(Terms),
    /// `{ $.level = "ERROR" }`: events that are JSON.
    Json(Expression),
    /// `[ip, user, status = 4*]`: events that are fields with spaces between them.
    Fields(Fields),
}

impl Pattern {
    /// Reads a pattern; an empty one matches every event.
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        if text.chars().count() > LONGEST {
            return wrong(format!("it is longer than {LONGEST} characters"));
        }
        let text = text.trim();
        if text.starts_with('{') {
            return Expression::parse(text).map(Self::Json);
        }
        if text.starts_with('[') {
            return Fields::parse(text).map(Self::Fields);
        }
        Terms::parse(text).map(Self::Terms)
    }

    /// Whether an event's message matches.
    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => terms.matches(message),
            Self::Json(expression) => {
                serde_json::from_str(message).is_ok_and(|value: serde_json::Value| {
                    value.is_object() && expression.matches(&value)
                })
            }
            Self::Fields(fields) => fields.matches(message),
        }
    }
}

/// A pattern's text and how much of it was read.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Reads a mark, if it comes next after blanks.
    fn take(&mut self, mark: &str) -> bool {
        self.blank();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads a word, in any case, that no letter follows.
    fn word(&mut self, word: &str) -> bool {
        self.blank();
        let Some(start) = self.rest.get(..word.len()) else {
            return false;
        };
        let after = &self.rest[word.len()..];
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let found = ends && start.eq_ignore_ascii_case(word);
        if found {
            self.rest = after;
        }
        found
    }

    /// Reads up to the first character that does not belong to it.
    fn while_in(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (read, rest) = self.rest.split_at(end);
        self.rest = rest;
        read
    }

    /// Reads what stands in quotes; a quote inside has a backslash.
    fn quoted(&mut self) -> Parsed<Option<String>> {
        let Some(rest) = self.rest.strip_prefix('"') else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut letters = rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &rest[at + 1..];
                    return Ok(Some(text));
                }
                '\\' => match letters.next() {
                    Some((_, next @ ('"' | '\\'))) => text.push(next),
                    Some((_, next)) => text.extend(['\\', next]),
                    None => break,
                },
                letter => text.push(letter),
            }
        }
        wrong("a quote is not closed")
    }

    /// Reads a regular expression between percent signs.
    fn regex(&mut self) -> Parsed<Option<regex::Regex>> {
        let Some(rest) = self.rest.strip_prefix('%') else {
            return Ok(None);
        };
        let Some((text, rest)) = rest.split_once('%') else {
            return wrong("a regular expression has no % at its end");
        };
        self.rest = rest;
        let fits = |c: char| c.is_ascii_alphanumeric() || " :_#=@/;,-^$?[]{}|\\*+.".contains(c);
        if let Some(letter) = text.chars().find(|letter| !fits(*letter)) {
            return wrong(format!(
                "the regular expression %{text}% has the character {letter:?}, which these cannot have"
            ));
        }
        let regex = regex::RegexBuilder::new(text).size_limit(1 << 20).build();
        match regex {
            Ok(regex) => Ok(Some(regex)),
            Err(_) => wrong(format!("%{text}% is not a regular expression")),
        }
    }
}

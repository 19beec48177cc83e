//! A place in a template, and what stands there.

use super::Fault;

/// How deep directives, expressions and strings may stand in each other.
const DEEPEST: usize = 60;

/// A place in a part of a template. Places are bytes of the whole.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) end: usize,
    depth: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            end: text.len(),
            depth: 0,
        }
    }

    /// A part of the same template.
    pub(super) fn part(&self, from: usize, to: usize) -> Self {
        Self {
            text: self.text,
            at: from,
            end: to,
            depth: self.depth,
        }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..self.end]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes past a text, if it stands here.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let stands = self.rest().starts_with(text);
        if stands {
            self.at += text.len();
        }
        stands
    }

    pub(super) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Goes past blanks and the end of the line, if nothing else stands before it.
    pub(super) fn skip_line_end(&mut self) {
        let start = self.at;
        self.take_while(|c| c == ' ' || c == '\t');
        if !["\r\n", "\n", "\r"].iter().any(|end| self.take(end)) {
            self.at = start;
        }
    }

    /// A name: letters, digits, `_` and, in references, `-`, after a letter or `_`.
    pub(super) fn name(&mut self, hyphens: bool) -> Option<&'t str> {
        let first = self.peek()?;
        if !(first.is_ascii_alphabetic() || first == '_') {
            return None;
        }
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || hyphens && c == '-';
        Some(self.take_while(belongs))
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.at, message)
    }

    /// What stands here, for a message.
    pub(super) fn found(&self) -> String {
        match self.peek() {
            Some(c) => format!("{c:?}"),
            None => "the end".to_owned(),
        }
    }

    /// Reads something that may hold itself.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth == DEEPEST {
            return Err(self.fault(format!("More than {DEEPEST} levels are nested here.")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }
}

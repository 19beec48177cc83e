//! Mistakes in expressions: of a string, and with the place of the string in its template.

use crate::data::Path;
use crate::lang::diagnostic::{Diagnostic, Place};
use std::ops::Range;

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedError {
    /// Where in the template the string stands.
    pub path: Path,
    /// The part of the string, in bytes; none: all of it.
    pub range: Option<Range<usize>>,
    /// A full sentence without a full stop.
    pub message: String,
    /// What to do, where there is something to say.
    pub help: Option<String>,
    /// Whether a limit of the whole stack is reached, so that nothing more can be evaluated.
    pub limit: bool,
}

impl LocatedError {
    /// The mistake as a diagnostic in the stack file; `base` is the template's path there.
    pub fn diagnostic(self, base: &Path) -> Diagnostic {
        let path = base.concat(&self.path);
        let place = match self.range {
            Some(range) => Place::Within(path, range),
            None => Place::Key(path),
        };
        Diagnostic {
            help: self.help,
            ..Diagnostic::error(place, self.message)
        }
    }
}

/// A mistake whose string is not known yet.
#[derive(Debug, Clone)]
pub(crate) struct EvalError {
    pub(super) range: Option<Range<usize>>,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// Whether a limit is reached, which `try` and `can` do not hide.
    pub(super) fatal: bool,
}

impl EvalError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            range: None,
            message: message.into(),
            help: None,
            fatal: false,
        }
    }

    /// A limit that is reached.
    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self {
            fatal: true,
            ..Self::new(message)
        }
    }

    pub(super) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// Gives it a place, unless one that is closer is known.
    pub(super) fn at(mut self, range: Option<Range<usize>>) -> Self {
        self.range = self.range.or(range);
        self
    }

    pub(super) fn into_fault(self, path: &Path) -> LocatedError {
        LocatedError {
            path: path.clone(),
            range: self.range,
            message: self.message,
            help: self.help,
            limit: self.fatal,
        }
    }
}

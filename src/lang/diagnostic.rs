//! Mistakes in a stack file, each with the place it was made at.

use crate::data::Path;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Worth knowing; the command goes on.
    Warning,
}

/// Where in the document a mistake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The value at this path of the document.
    Value(Path),
    /// The key of the entry at this path of the document.
    Key(Path),
    /// A part of the text at this path: byte offsets into the string's value.
    Within(Path, std::ops::Range<usize>),
    /// A line and column of the file, both from 1; for mistakes that keep it from being parsed.
    At(usize, usize),
    /// No place in the file: a `--var`, an environment variable.
    Outside,
}

/// One mistake: what is wrong, where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A full sentence without a full stop: `"nam" is not a property of aws:sqs:Queue`.
    pub message: String,
    /// The file it is in (index into [`super::stack::Sources`]: 0 is the stack file).
    pub file: usize,
    /// Where.
    pub place: Place,
    /// What stands under the underline: `expected a number`.
    pub label: Option<String>,
    /// What to do: `did you mean "name"?`.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error in the stack file.
    pub fn error(place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            file: 0,
            place,
            label: None,
            help: None,
        }
    }

    /// With a label under the underline.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With a help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Place {
    /// The path in the document, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Value(path) | Self::Key(path) | Self::Within(path, _) => Some(path),
            Self::At(..) | Self::Outside => None,
        }
    }
}

/// Adds to `found` those of `more` that do not tell one of its mistakes again: at the same
/// place, or in the same words at a place around it.
pub fn add(found: &mut Vec<Diagnostic>, more: impl IntoIterator<Item = Diagnostic>) {
    for new in more {
        let told = found
            .iter()
            .any(|old| match (old.place.path(), new.place.path()) {
                (Some(was), Some(at)) => {
                    let near = was.is_within(at) || at.is_within(was);
                    was == at || (near && new.message.starts_with(&old.message))
                }
                _ => *old == new,
            });
        if !told {
            found.push(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_once() {
        let at = |place: &str, message: &str| {
            Diagnostic::error(Place::Value(Path::pointer(place)), message)
        };
        let key = Diagnostic::error(Place::Key(Path::pointer("/r/q")), "it needs a name");
        let mut found = vec![key, at("/r/q/properties/x", "\"x\" is no property")];
        let more = [
            at("/r/q/properties", "it needs a name"),
            at(
                "/r/q/properties/x",
                "\"x\" is no property; did you mean \"y\"?",
            ),
            at("/r/q/properties", "it needs a length"),
            at("/r/p/properties/x", "\"x\" is no property"),
        ];
        add(&mut found, more);
        assert_eq!(found.len(), 4);
    }
}

//! Mistakes in a stack file, each with its place.

use crate::data::Path;
use crate::severity::Severity;
use std::collections::BTreeMap;

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
    /// The code of the rule that is broken (`SK0301`), where it has one.
    pub code: Option<&'static str>,
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
    /// Other places of the same file that have a part in it, each with a label.
    pub related: Vec<(Place, String)>,
    /// Whether it is about what leads out of the project, which `--strict` refuses.
    pub leads_out: bool,
}

impl Diagnostic {
    /// An error in the stack file.
    pub fn error(place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: None,
            message: message.into(),
            file: 0,
            place,
            label: None,
            help: None,
            related: Vec::new(),
            leads_out: false,
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

/// The list with each mistake once: not in the same words at the same place or at one around it.
pub fn distinct(list: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = Seen::default();
    let mut found = Vec::with_capacity(list.len());
    for new in list {
        if !seen.has(&new, &found, |_, old| new.message == old.message) {
            seen.note(&new, found.len());
            found.push(new);
        }
    }
    found
}

/// Adds to `found` those of `more` that do not repeat one of its mistakes: at the same place, or in
/// the same words at a place around it.
pub fn add(found: &mut Vec<Diagnostic>, more: impl IntoIterator<Item = Diagnostic>) {
    let mut seen = Seen::default();
    for (at, old) in found.iter().enumerate() {
        seen.note(old, at);
    }
    let before = found.len();
    for new in more {
        // Several mistakes of one place come from one look.
        let same = |at: usize, old: &Diagnostic| at < before || new.message == old.message;
        if !seen.has(&new, found, same) {
            seen.note(&new, found.len());
            found.push(new);
        }
    }
}

/// Which mistakes are at which path of which file.
#[derive(Default)]
struct Seen {
    at: BTreeMap<(usize, Path), Vec<usize>>,
}

impl Seen {
    fn note(&mut self, diagnostic: &Diagnostic, index: usize) {
        if let Some(path) = diagnostic.place.path() {
            let key = (diagnostic.file, path.clone());
            self.at.entry(key).or_default().push(index);
        }
    }

    /// Whether `new` is among `found`: at the same path one that is the `same`, or one in the
    /// same words at a path around it or within it.
    fn has(
        &self,
        new: &Diagnostic,
        found: &[Diagnostic],
        same: impl Fn(usize, &Diagnostic) -> bool,
    ) -> bool {
        let Some(path) = new.place.path() else {
            return found.contains(new);
        };
        let starts = |index: &usize| {
            found
                .get(*index)
                .is_some_and(|old| new.message.starts_with(&old.message))
        };
        let at = |path: Path| self.at.get(&(new.file, path)).into_iter().flatten();
        let mut around = path.parent();
        while let Some(outer) = around {
            around = outer.parent();
            if at(outer).any(starts) {
                return true;
            }
        }
        // What lies below a path starts with it and a slash; '0' is the character after that.
        let below = |end: char| Path::pointer(format!("{}{end}", path.as_pointer()));
        let mut within = self
            .at
            .range((new.file, below('/'))..(new.file, below('0')));
        at(path.clone()).any(|index| {
            found
                .get(*index)
                .is_some_and(|old| same(*index, old) || new.message.starts_with(&old.message))
        }) || within.any(|(_, indexes)| indexes.iter().any(starts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_reported_once() {
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

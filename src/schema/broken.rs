//! What is wrong with properties.

use crate::data::Path;

/// A rule between properties, or between resources, that the file breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// The property at fault.
    pub path: Path,
    /// What of it the mistake is in.
    pub part: Part,
    /// What is wrong, and what would be right.
    pub message: String,
    /// What to do, where that is a line of its own: `did you mean "name"?`.
    pub help: Option<String>,
    /// The code of the rule in the table of rules (`SK0301`), where it is one of those.
    pub code: Option<&'static str>,
}

/// The part of a map's entry that a mistake is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its key: the name is wrong, or the whole entry is.
    Key,
    /// Its value.
    Value,
}

impl Broken {
    /// A rule that the value at `path` breaks.
    pub fn new(path: Path, message: impl Into<String>) -> Self {
        Self {
            path,
            part: Part::Value,
            message: message.into(),
            help: None,
            code: None,
        }
    }

    /// The same, of the property named in dotted form.
    pub fn at(path: &str, message: impl Into<String>) -> Self {
        Self::new(Path::dotted(path), message)
    }

    /// At the key instead of the value.
    #[must_use]
    pub fn on_key(mut self) -> Self {
        self.part = Part::Key;
        self
    }

    /// Of the rule with this code.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// With a help line.
    #[must_use]
    pub fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

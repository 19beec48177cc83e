//! How bad a finding is.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is done until it is fixed.
    Error,
    /// Worth knowing; the command continues.
    Warning,
    /// What may be done better; nothing is wrong.
    Hint,
}

impl Severity {
    /// The word for it, on screens and in JSON: `error`, `warning`, `hint`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

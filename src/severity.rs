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

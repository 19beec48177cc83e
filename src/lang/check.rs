//! What can be said of a stack without evaluating it.
use super::diagnostic::Diagnostic;
use super::stack::Stack;

/// Every mistake that needs no evaluation to be seen.
pub fn check(_stack: &Stack) -> Vec<Diagnostic> {
    Vec::new()
}

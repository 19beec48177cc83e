//! The first word of a reference, and the fixed part of what follows it.

use super::error::EvalError;
use hcl::edit::expr::{Expression, Traversal, TraversalOperator};

/// What the first word of a reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// `var.name`
    Var,
    /// `local.name`
    Local,
    /// `data.name`
    Data,
    /// `each.key`, `each.value`
    Each,
    /// `stack.name`, `stack.dir`, `stack.env`
    Stack,
    /// Any other word: a resource.
    Resource,
}

impl Root {
    /// The root that this first word stands for.
    pub fn of(word: &str) -> Self {
        match word {
            "var" => Self::Var,
            "local" => Self::Local,
            "data" => Self::Data,
            "each" => Self::Each,
            "stack" => Self::Stack,
            _ => Self::Resource,
        }
    }

    /// The word that an expression starts with; none for resources, whose name comes first.
    pub fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Var => "var",
            Self::Local => "local",
            Self::Data => "data",
            Self::Each => "each",
            Self::Stack => "stack",
            Self::Resource => return None,
        })
    }
}

/// The mistake of naming a root alone.
pub(super) fn nameless(word: &str) -> EvalError {
    EvalError::new(format!("\"{word}\" needs a name after it")).help(format!("write {word}.<name>"))
}

/// The fixed part of what follows the first word, and how many operators it takes up.
pub(super) fn fixed(traversal: &Traversal) -> (Vec<String>, usize) {
    let mut segments = Vec::new();
    for operator in &traversal.operators {
        segments.push(match operator.value() {
            TraversalOperator::GetAttr(name) => name.as_str().to_owned(),
            TraversalOperator::LegacyIndex(index) => index.value().to_string(),
            TraversalOperator::Index(Expression::String(key)) => key.value().clone(),
            TraversalOperator::Index(Expression::Number(number)) => number.value().to_string(),
            _ => break,
        });
    }
    let taken = segments.len();
    (segments, taken)
}

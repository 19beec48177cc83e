//! Expressions: HCL templates in the strings of a stack file.
use crate::data::{Data, Path};
use serde_json::Value;
use std::ops::Range;

/// What an expression may refer to.
pub trait Scope {
    /// A variable.
    fn var(&self, name: &str) -> Option<&Data>;
    /// A local.
    fn local(&self, name: &str) -> Option<&Data>;
    /// A data source's outputs.
    fn data(&self, name: &str) -> Option<&Data>;
    /// A resource's attributes.
    fn resource(&self, name: &str) -> Option<&Data>;
    /// `each.key` and `each.value`.
    fn each(&self) -> Option<(&Data, &Data)>;
    /// `stack`.
    fn stack(&self) -> &Data;
    /// Reads a file.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The string's path within the template.
    pub path: Path,
    /// The part of the string.
    pub range: Option<Range<usize>>,
    /// A full sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// What a reference's first word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the words of the language")]
pub enum Root {
    Var,
    Local,
    Data,
    Each,
    Stack,
    Resource,
}

/// One use of a name in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What kind of thing.
    pub root: Root,
    /// Its name.
    pub name: String,
    /// The static part after the name.
    pub attribute: Path,
    /// The string's path within the template.
    pub at: Path,
    /// The part of the string.
    pub range: Option<Range<usize>>,
}

/// Evaluates every string of a template.
pub fn evaluate(template: &Value, _scope: &dyn Scope) -> Result<Data, Vec<Fault>> {
    Ok(template.clone().into())
}

/// Every reference in a template.
pub fn references(_template: &Value) -> Result<Vec<Reference>, Vec<Fault>> {
    Ok(Vec::new())
}

/// The reference that a text consists of, if it is exactly one `${a.b.c}`.
pub fn lone_reference(_text: &str) -> Option<Reference> {
    None
}

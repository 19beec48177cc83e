//! Policy documents: what AWS refuses in them, and what they allow.

mod decide;
mod grammar;

pub(super) use decide::{Decision, decide, denials, is_public, trusts};
pub(super) use grammar::{Kind, check};

use serde_json::Value;

/// A value that may be one or a list, as a list.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// The strings of a value that may be one or a list.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    list(value).into_iter().filter_map(Value::as_str).collect()
}

//! Changes a YAML text in place: comments, order and style stay. Each change is applied to the text
//! and to its value; a text that does not then parse to that value is refused, so that a shape this
//! does not understand does no harm.
//!
//! saphyr-parser gives the places and styles of nodes, and one change replaces one range of bytes.
//! Anchors and merged maps are safe without a rule for them.

mod splice;
#[cfg(test)]
mod tests;
mod tree;
mod write;

use super::source;
use crate::data::Path;
use serde_json::Value;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Another value in place of the one at the path.
    Replace(Path, Value),
    /// A new entry of a map, or item of a list, at the path.
    Insert(Path, Value),
    /// The entry or item at the path goes.
    Remove(Path),
}

/// Makes the changes, one after the other.
///
/// # Errors
/// A clause that says which edit cannot be applied, and why.
pub fn edit(text: &str, edits: &[Edit]) -> Result<String, String> {
    let parse = |text: &str| {
        source::parse(text.as_bytes())
            .map_err(|_| "the changed text would not be readable".to_owned())
    };
    let mut value = parse(text)?;
    let mut text = text.to_owned();
    for one in edits {
        text = splice::splice(&text, one)?;
        apply(&mut value, one);
    }
    if parse(&text)? == value {
        Ok(text)
    } else {
        Err("the change would reach further than it should; is it in an anchor?".to_owned())
    }
}

/// The same change on the value.
fn apply(value: &mut Value, edit: &Edit) {
    match edit {
        Edit::Replace(path, new) => path.set(value, new.clone()),
        Edit::Insert(path, new) => match (parent(value, path), index(path)) {
            (Some(Value::Array(list)), Some(at)) if at <= list.len() => {
                list.insert(at, new.clone());
            }
            _ => path.set(value, new.clone()),
        },
        Edit::Remove(path) => match (parent(value, path), index(path)) {
            (Some(Value::Array(list)), Some(at)) if at < list.len() => {
                list.remove(at);
            }
            _ => path.remove(value),
        },
    }
}

fn parent<'v>(value: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    value.pointer_mut(path.parent()?.as_pointer())
}

fn index(path: &Path) -> Option<usize> {
    path.last()?.parse().ok()
}

//! The name of a resource at its service, where it must be unique.

use crate::data::{Attributes, Data, Path};
use crate::resource::ResourceType;
use crate::resource::types::Types;
use crate::store::state::ResourceState;
use serde_json::{Map, Value};

/// The name of an existing resource; none where its type has no unique names.
pub(super) fn of_existing(types: &Types, known: &ResourceState) -> Option<String> {
    let kind = types.resource(&known.type_name)?;
    name(kind, &known.outputs).or_else(|| name(kind, &known.inputs))
}

/// The name that a resource about to be created will have; also none where it is still unknown.
pub(super) fn of_new(
    kind: &dyn ResourceType,
    inputs: &Data,
    decided: &Map<String, Value>,
) -> Option<String> {
    let identity = kind.identity();
    if identity.is_empty() || identity.iter().any(|name| is_unknown(inputs, name)) {
        return None;
    }
    name(kind, &attributes(inputs, decided))
}

/// Whether a resource about to be created gets the name of an existing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Same {
    /// It does not, or the type has no unique names.
    No,
    /// What is known of its name is the same.
    Perhaps,
    /// It does.
    Yes,
}

/// Compares the name that a resource about to be created will have with that of a live one.
pub(super) fn compared(
    kind: &dyn ResourceType,
    (inputs, decided): (&Data, &Map<String, Value>),
    live: &Attributes,
) -> Same {
    let identity = kind.identity();
    let known: Vec<&str> = identity
        .iter()
        .filter(|name| !is_unknown(inputs, name))
        .copied()
        .collect();
    let new = attributes(inputs, decided);
    let parts = |attributes: &Attributes| {
        let part = |name: &&str| Some(((*name).to_owned(), attributes.get(*name)?.clone()));
        let parts = Value::Object(known.iter().map(part).collect::<Option<_>>()?);
        Some(kind.comparable(&parts).into_owned())
    };
    match (parts(&new), parts(live)) {
        (Some(new), Some(live)) if new == live && !identity.is_empty() => {
            if known.len() == identity.len() {
                Same::Yes
            } else {
                Same::Perhaps
            }
        }
        _ => Same::No,
    }
}

fn is_unknown(inputs: &Data, name: &str) -> bool {
    let path = Path::root().join(name);
    inputs.unknown_at(&path).is_some() || inputs.unknown.keys().any(|at| at.is_within(&path))
}

fn attributes(inputs: &Data, decided: &Map<String, Value>) -> Attributes {
    let mut attributes = decided.clone();
    attributes.extend(inputs.value.as_object().cloned().unwrap_or_default());
    Attributes::new(attributes)
}

/// The name that these inputs or attributes give; none where a part of it is missing.
fn name(kind: &dyn ResourceType, values: &Value) -> Option<String> {
    let identity = kind.identity();
    if identity.is_empty() {
        return None;
    }
    part(kind, identity, values)
}

/// The given parts of a resource's name, in comparable form; none where a part is missing.
pub(super) fn part(kind: &dyn ResourceType, parts: &[&str], values: &Value) -> Option<String> {
    let part = |name: &&str| Some(((*name).to_owned(), values.get(*name)?.clone()));
    let parts: Option<Map<String, Value>> = parts.iter().map(part).collect();
    let parts = Value::Object(parts?);
    Some(kind.comparable(&parts).to_string())
}

//! What an object is called at its service, where that must be unique.

use crate::data::{Data, Path};
use crate::resource::resource_type;
use crate::store::state::ResourceState;
use serde_json::{Map, Value};

/// The name of an object that exists; none where its type has no unique names.
pub(super) fn of_known(known: &ResourceState) -> Option<String> {
    name(&known.type_name, &known.outputs).or_else(|| name(&known.type_name, &known.inputs))
}

/// The name that an object about to be made will have; none too where it is not known yet.
pub(super) fn of_new(
    type_name: &str,
    inputs: &Data,
    decided: &Map<String, Value>,
) -> Option<String> {
    let identity = resource_type(type_name)?.identity();
    let unknown = identity.iter().any(|name| {
        let path = Path::root().join(name);
        inputs.unknown_at(&path).is_some() || inputs.unknown.keys().any(|at| at.is_within(&path))
    });
    if unknown || identity.is_empty() {
        return None;
    }
    let mut attrs = decided.clone();
    attrs.extend(inputs.value.as_object().cloned().unwrap_or_default());
    name(type_name, &Value::Object(attrs))
}

/// The name that these attributes give; none where a part of it is missing.
pub(super) fn name(type_name: &str, attrs: &Value) -> Option<String> {
    let kind = resource_type(type_name)?;
    let identity = kind.identity();
    if identity.is_empty() {
        return None;
    }
    let part = |name: &&str| Some(((*name).to_owned(), attrs.get(*name)?.clone()));
    let parts: Option<Map<String, Value>> = identity.iter().map(part).collect();
    let mut parts = Value::Object(parts?);
    kind.canonical(&mut parts);
    Some(parts.to_string())
}

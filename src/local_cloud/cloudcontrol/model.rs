//! Resource models: what a schema says of them, and what Cloud Control refuses.

use super::check::faults;
use super::{Refusal, bad_request, invalid, refusal};
use crate::registry::{Handler as Action, RegistryType};
use serde_json::{Map, Value};

/// A string that holds a JSON object.
pub(super) fn object(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    value.is_object().then_some(value)
}

/// The steps of a property's path: `Code`, `S3Bucket` of `Code/S3Bucket`.
pub(super) fn steps(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

/// Paths as Cloud Control writes them.
fn pointers(paths: &[&String]) -> String {
    let all: Vec<String> = paths
        .iter()
        .map(|path| format!("/properties/{path}"))
        .collect();
    all.join(", ")
}

/// The values at a path; a `*` in it stands for all items.
fn values<'v>(value: &'v Value, path: &[&str]) -> Vec<&'v Value> {
    let Some((step, rest)) = path.split_first() else {
        return vec![value];
    };
    let below = |value| values(value, rest);
    match (value, *step) {
        (Value::Array(list), "*") => list.iter().flat_map(below).collect(),
        (Value::Object(map), "*") => map.values().flat_map(below).collect(),
        (value, step) => value.get(step).map(below).unwrap_or_default(),
    }
}

fn at<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    values(value, &steps(path))
}

/// Removes what is at a path, and the maps that this leaves empty.
pub(super) fn remove(value: &mut Value, path: &[&str]) {
    let Some((step, rest)) = path.split_first() else {
        return;
    };
    match (value, *step) {
        (Value::Array(list), "*") => list.iter_mut().for_each(|item| remove(item, rest)),
        (Value::Object(map), "*") => map.values_mut().for_each(|item| remove(item, rest)),
        (Value::Object(map), step) => {
            let Some(below) = map.get_mut(step) else {
                return;
            };
            if !rest.is_empty() {
                let was_empty = is_empty(below);
                remove(below, rest);
                if was_empty || !is_empty(below) {
                    return;
                }
            }
            map.remove(step);
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// The parts of the primary identifier, joined by vertical bars (user guide, "Identifying
/// resources").
pub(super) fn identifier(kind: &RegistryType, model: &Value) -> String {
    let parts = kind
        .primary_identifier()
        .iter()
        .flat_map(|path| at(model, path));
    let part = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    parts.map(part).collect::<Vec<_>>().join("|")
}

/// Whether a request for a resource contains all of its identifier.
pub(super) fn is_foreseen(kind: &RegistryType, sent: &Value) -> bool {
    let mut paths = kind.primary_identifier().iter();
    paths.all(|path| !at(sent, path).is_empty())
}

/// The top-level properties that the identifier consists of.
pub(super) fn identifying(kind: &RegistryType, model: &Value) -> Value {
    let names = kind.primary_identifier().iter().map(|path| steps(path)[0]);
    let map: Map<_, _> = names
        .map(|name| (name.to_owned(), model[name].clone()))
        .collect();
    Value::Object(map)
}

/// Whether a list is to contain a resource: what is asked for is equal, where the model has it.
pub(super) fn is_wanted(model: &Value, wanted: &Value) -> bool {
    let mut wanted = wanted.as_object().into_iter().flatten();
    wanted.all(|(name, value)| model.get(name).is_none_or(|has| has == value))
}

/// What a list handler demands of the resource model (sentence: awslabs/mcp#403).
pub(super) fn check_listed(kind: &RegistryType, wanted: &Value) -> Result<(), Refusal> {
    let list = kind.handler(Action::List);
    let Some(schema) = list.and_then(|list| list.schema.as_ref()) else {
        return Ok(());
    };
    let names = |schema: &Value| -> Vec<String> {
        let list = schema["required"].as_array().into_iter().flatten();
        list.filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect()
    };
    let lacks = |schema: &Value| -> Vec<String> {
        let mut names = names(schema);
        names.retain(|name| wanted.get(name).is_none());
        names
    };
    let mut lacking = lacks(schema);
    for keyword in ["oneOf", "anyOf"] {
        if let Some(options) = schema[keyword].as_array()
            && options.iter().all(|option| !lacks(option).is_empty())
        {
            lacking.extend(options.first().map(lacks).unwrap_or_default());
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let lacking: Vec<String> = lacking
        .iter()
        .map(|name| format!("#: required key [{name}] not found"))
        .collect();
    Err(bad_request(format!(
        "Missing or invalid ResourceModel property in {} list handler request input.Required \
         property: ({})",
        kind.name(),
        lacking.join("\n")
    )))
}

/// Refuses what no resource may be created with. That the schema's keywords are checked before
/// the request is accepted, and the sentence: pulumi/pulumi-aws-native#581. Of read-only
/// properties only the sentence for patches is known (see [`check_change`]).
pub(super) fn check_new(kind: &RegistryType, sent: &Value) -> Result<(), Refusal> {
    let read_only = kind.read_only().iter();
    let set: Vec<_> = read_only
        .filter(|path| !at(sent, path).is_empty())
        .collect();
    if !set.is_empty() {
        let message = format!("readOnlyProperties [{}] cannot be set", pointers(&set));
        return Err(failed(&[message]));
    }
    check(kind, sent)
}

/// Refuses changes that no update may make. UpdateResource itself returns the refusals, with these
/// sentences: carina-rs/carina#806 and #809.
pub(super) fn check_change(
    kind: &RegistryType,
    before: &Value,
    after: &Value,
) -> Result<(), Refusal> {
    for (paths, name, code) in [
        (
            kind.read_only(),
            "readOnlyProperties",
            "ValidationException",
        ),
        (
            kind.create_only(),
            "createOnlyProperties",
            "NotUpdatableException",
        ),
    ] {
        let differs = |path: &&String| at(before, path) != at(after, path);
        let changed: Vec<_> = paths.iter().filter(differs).collect();
        if !changed.is_empty() {
            let message = format!(
                "Invalid patch update: {name} [{}] cannot be updated",
                pointers(&changed)
            );
            return Err(refusal(code, message));
        }
    }
    check(kind, after)
}

fn failed(faults: &[String]) -> Refusal {
    invalid(format!("Model validation failed ({})", faults.join("\n")))
}

fn check(kind: &RegistryType, model: &Value) -> Result<(), Refusal> {
    let faults = faults(kind, model)?;
    match faults.is_empty() {
        true => Ok(()),
        false => Err(failed(&faults)),
    }
}

/// What tags break that no schema states: types' handlers refuse the keys that AWS reserves.
pub(super) fn tag_fault(kind: &RegistryType, model: &Value) -> Option<String> {
    let tagging = kind.tagging();
    let mut tags = at(model, tagging.property.as_deref()?);
    let keys: Vec<&str> = match tags.pop()? {
        Value::Object(map) => map.keys().map(String::as_str).collect(),
        Value::Array(list) => {
            let keys = list.iter().filter_map(|tag| tag[&tagging.key].as_str());
            keys.collect()
        }
        _ => return None,
    };
    let reserved = |key: &&str| key.to_ascii_lowercase().starts_with("aws:");
    let key = keys.into_iter().find(reserved)?;
    Some(format!(
        "The tag key {key:?} is reserved: it starts with aws:."
    ))
}

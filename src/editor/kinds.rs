//! Resources and data sources: the types there are, and the properties of each.
//!
//! An editor tries each condition in turn, at each resource, and there are nearly two thousand
//! types. So a resource's properties are found by its type in two steps, the service first. The
//! conditions are patterns, since the server of YAML files takes the beginning of a constant for
//! the constant while it completes: a queue would complete the properties of a queue's policy.
//!
//! What a type may be is one pattern. The names stand beside it for completion alone, in an
//! alternative that never holds: as constants of which one must hold they took 100 times as long
//! (3 to 9 s at 100 resources), and where they hold, the server shows all of them with the
//! documentation of each type.

use super::frame;
use super::written::{At, written};
use crate::lang::load::keys;
use crate::registry;
use crate::resource::types::Types;
use crate::schema::Schema;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The properties of each type: a definition by the type's name.
pub(super) fn definitions(types: &Types, detailed: &BTreeSet<&str>) -> Map<String, Value> {
    let own = types.resources().keys().copied();
    let own = own.chain(detailed.iter().copied());
    let resources = own.filter_map(|name| types.schema(name));
    let data = types.data_sources().values().map(|kind| kind.schema());
    let of = |schema: &Schema| (schema.name.to_owned(), properties(schema));
    resources.chain(data).map(of).collect()
}

fn properties(schema: &Schema) -> Value {
    let mut properties = written(&schema.properties, schema.name, At::Top);
    if schema.required().next().is_none() {
        // `properties:` alone is right.
        properties["type"] = json!(["object", "null"]);
    }
    properties["title"] = schema.name.into();
    properties["description"] = schema.description.trim().into();
    if properties.get("properties").is_none() {
        properties["additionalProperties"] = false.into();
    }
    properties
}

/// A type's name, and what it is.
struct Name {
    name: &'static str,
    text: String,
}

/// An entry of `resources`.
pub(super) fn resource(types: &Types, detailed: &BTreeSet<&str>) -> Value {
    let own = types.resources().values().map(|kind| native(kind.schema()));
    let registry = registry::names().iter().map(|name| of_registry(name));
    let names: Vec<Name> = own.chain(registry).collect();
    let own = types.resources().keys().copied();
    let detailed = own.chain(detailed.iter().copied());
    let schemas = detailed.filter_map(|name| types.schema(name));
    let about = "Where the properties of a type do not complete, run stackctl schema again.";
    entry(keys::RESOURCE, about, &names, schemas)
}

/// An entry of `data`.
pub(super) fn data(types: &Types) -> Value {
    let schemas = types.data_sources().values().map(|kind| kind.schema());
    let names: Vec<Name> = schemas.clone().map(native).collect();
    entry(keys::DATA, "", &names, schemas)
}

fn entry<'s>(
    keys: &[keys::Key],
    about: &str,
    names: &[Name],
    schemas: impl Iterator<Item = &'s Schema>,
) -> Value {
    let mut entry = frame::map(keys);
    let kind = &mut entry["properties"]["type"];
    let text = kind["description"].as_str().unwrap_or_default();
    let text = format!("{text} {about}").trim().to_owned();
    let (all, texts): (Vec<&str>, Vec<&str>) =
        names.iter().map(|it| (it.name, it.text.as_str())).unzip();
    *kind = json!({
        "type": "string",
        "pattern": format!("^(?:{})$", all.join("|")),
        "patternErrorMessage": "unknown type",
        "anyOf": [{}, {"enum": all, "markdownEnumDescriptions": texts, "not": {}}],
    });
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for schema in schemas {
        let end = schema.name.rfind(':').map_or(0, |at| at + 1);
        let text = names.iter().find(|it| it.name == schema.name);
        let text = text.map_or("", |it| it.text.as_str());
        let condition = when(&format!("^{}$", schema.name), of_type(schema, text));
        groups
            .entry(&schema.name[..end])
            .or_default()
            .push(condition);
    }
    let of = |(service, mut conditions): (&str, Vec<Value>)| match conditions.len() {
        1 => conditions.remove(0),
        _ => when(&format!("^{service}"), json!({"allOf": conditions})),
    };
    let mut all: Vec<Value> = groups.into_iter().map(of).collect();
    // An editor shows the first description that it meets: this one, where it knows none of the
    // type itself.
    all.push(json!({"properties": {"type": {"description": text}}}));
    entry["allOf"] = all.into();
    entry
}

fn when(pattern: &str, then: Value) -> Value {
    json!({
        "if": {"properties": {"type": {"pattern": pattern}}, "required": ["type"]},
        "then": then,
    })
}

/// What holds of an entry of this type.
fn of_type(schema: &Schema, text: &str) -> Value {
    let reference = json!({"$ref": format!("#/definitions/{}", schema.name)});
    let mut kind = json!({"description": schema.description.trim()});
    if schema.example.is_some() {
        kind["markdownDescription"] = text.into();
    }
    let mut then = json!({"properties": {"type": kind, "properties": reference}});
    if schema.required().next().is_some() {
        then["required"] = json!(["properties"]);
    }
    then
}

/// A native type's name, with what it is and an example.
fn native(schema: &'static Schema) -> Name {
    let mut text = schema.description.trim().to_owned();
    if let Some(example) = &schema.example {
        let _ = write!(text, "\n\n```yaml\n{}\n```", example.trim_end());
    }
    let name = schema.name;
    Name { name, text }
}

/// A registry type's name, with the beginning of its description.
fn of_registry(name: &'static str) -> Name {
    let text = registry::registry_type(name).map_or("", |kind| kind.description());
    let text = beginning(text);
    Name { name, text }
}

/// The first sentence, as far as a list of completions has room for it.
fn beginning(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.trim().lines().next().unwrap_or_default();
    let sentence = line.find(". ").map_or(line, |end| &line[..=end]);
    match sentence.char_indices().nth(LONGEST) {
        None => sentence.to_owned(),
        Some((end, _)) => format!("{}…", sentence[..end].trim_end()),
    }
}

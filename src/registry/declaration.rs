//! A type of the registry as stackctl declares types: its schema in the keywords of
//! [`crate::schema`].
//!
//! | of the registry | here |
//! |---|---|
//! | `readOnlyProperties` | no properties; outputs, with the primary identifier |
//! | `createOnlyProperties`, `writeOnlyProperties` | `createOnly`, `writeOnly` at the property of that path alone |
//! | `conditionalCreateOnlyProperties` | `conditionalCreateOnly`, the same way |
//! | `deprecatedProperties` | `deprecated`, the same way; nothing reads it yet |
//! | tags, a list or a map of keys and values | a map, `othersKeys: kept`, `tagList` |
//! | an optional string of `createOnlyProperties` | an output too: the service may choose it |
//! | a list with `insertionOrder: false`, or of unique strings, numbers or bools | `set` |
//! | an object of which nothing is declared | `document`: `policy` where its name says so, else `json` |
//! | a string whose name says that it is secret (`is_secret`) | `sensitive`; `writeOnly` says nothing of secrecy |
//! | `enumCaseInsensitive` | `ignoreCase`; the values are not checked |
//! | `requiredXor`, `requiredOr`, `dependentExcluded`, `dependencies` | the same in JSON Schema |
//! | `patternProperties` of one pattern | `additionalProperties`, and `propertyNames` |
//! | `default` | nothing: what a file does not say is the service's |
//! | `oneOf` of formats | nothing: no validator knows cfn-lint's names of them |
//!
//! Definitions stay definitions, which may hold themselves; what is said of one path is said of a
//! copy that only this path leads to.
//!
//! An output is derived (`from`) from every property that has nothing sensitive in it: no service
//! returns a password in an ARN, but a name that is secret is a part of it. An update may change
//! (`volatile`) an output, unless its name says that it identifies the resource (`is_stable`).

use super::kind::RegistryType;
use super::tidy::{inline, tidied};
use crate::schema::{Schema, walk};
use serde_json::{Map, Value, json};

/// The declaration of a type, made at first use, then kept.
pub fn declaration(kind: &RegistryType) -> &'static Schema {
    kind.declared
        .get_or_init(|| Box::leak(Box::new(declared(kind))))
}

/// The same, not kept.
pub(super) fn declared(kind: &RegistryType) -> Schema {
    let whole = whole(kind);
    let mut properties = whole.clone();
    for path in kind.read_only() {
        edit(&whole, &mut properties, &steps(path), &Edit::Remove);
    }
    let flags = [
        ("createOnly", kind.create_only()),
        ("conditionalCreateOnly", kind.conditional_create_only()),
        ("writeOnly", kind.write_only()),
        ("deprecated", kind.deprecated()),
    ];
    for (keyword, paths) in flags {
        for path in paths {
            edit(&whole, &mut properties, &steps(path), &Edit::Flag(keyword));
        }
    }
    tags_as_map(kind, &mut properties);
    let outputs = outputs(kind, &whole, &properties);
    let description = kind.description().to_owned();
    Schema::from_json(kind.name(), description, properties, outputs)
}

/// The schema of all properties, the read-only ones too, in our keywords.
fn whole(kind: &RegistryType) -> Value {
    const KEPT: [&str; 16] = [
        "additionalProperties",
        "allOf",
        "anyOf",
        "definitions",
        "dependencies",
        "dependentExcluded",
        "dependentRequired",
        "else",
        "if",
        "oneOf",
        "patternProperties",
        "properties",
        "required",
        "requiredOr",
        "requiredXor",
        "then",
    ];
    let mut root = Map::new();
    for keyword in KEPT {
        if let Some(value) = kind.schema().get(keyword) {
            root.insert(keyword.to_owned(), value.clone());
        }
    }
    root.insert("type".to_owned(), "object".into());
    root.insert("description".to_owned(), kind.description().into());
    let mut root = tidied(Value::Object(root));
    // What stands beside a reference of a property itself counts, its description above all.
    let definitions = json!({"definitions": root.get("definitions").cloned()});
    let properties = root.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        if property.as_object().is_some_and(|map| map.len() > 1) {
            inline(&definitions, property);
        }
    }
    root
}

/// Tags are a map, whatever the service takes; others may add to it.
fn tags_as_map(kind: &RegistryType, properties: &mut Value) {
    let tagging = kind.tagging();
    let Some(name) = tagging.plain() else {
        return;
    };
    let Some(declared) = properties["properties"].get_mut(name) else {
        return;
    };
    let mut map = json!({
        "type": "object",
        "additionalProperties": {"type": "string"},
        "othersKeys": "kept",
    });
    for keyword in ["description", "createOnly", "writeOnly"] {
        if let Some(value) = declared.get(keyword) {
            map[keyword] = value.clone();
        }
    }
    if tagging.is_list {
        map["tagList"] = json!({"key": tagging.key, "value": tagging.value});
    }
    *declared = map;
}

/// The strings that can be given and never change: where they are not given, the service may.
fn given_or_made<'k>(kind: &'k RegistryType, properties: &Value) -> Vec<&'k String> {
    let is_string = |path: &&String| {
        let declared = properties["properties"].get(path.as_str());
        let declared = declared.map(|declared| walk::resolve(properties, declared));
        declared.is_some_and(|it| it["type"] == "string" && it.get("sensitive").is_none())
    };
    let is_optional = |path: &&String| !kind.required().contains(path);
    let paths = kind.create_only().iter();
    paths.filter(is_string).filter(is_optional).collect()
}

fn steps(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

/// What is done to a property.
enum Edit<'a> {
    /// It is taken out, and what has nothing else in it with it.
    Remove,
    /// It gets a keyword.
    Flag(&'a str),
}

/// Edits the property at a path. On the way, references become copies, of which only this path is
/// a part.
fn edit(root: &Value, schema: &mut Value, path: &[&str], what: &Edit<'_>) {
    let Some((first, rest)) = path.split_first() else {
        if let (Edit::Flag(keyword), Some(map)) = (what, schema.as_object_mut()) {
            map.insert((*keyword).to_owned(), true.into());
        }
        return;
    };
    if !leads(root, schema, path) {
        return;
    }
    inline(root, schema);
    let Some(map) = schema.as_object_mut() else {
        return;
    };
    for keyword in ["oneOf", "anyOf", "allOf"] {
        let branches = map.get_mut(keyword).and_then(Value::as_array_mut);
        for branch in branches.into_iter().flatten() {
            edit(root, branch, path, what);
        }
    }
    if *first == "*" {
        for keyword in ["items", "additionalProperties"] {
            if let Some(inner) = map.get_mut(keyword).filter(|inner| inner.is_object()) {
                edit(root, inner, rest, what);
            }
        }
        let patterns = map
            .get_mut("patternProperties")
            .and_then(Value::as_object_mut);
        for inner in patterns.into_iter().flat_map(Map::values_mut) {
            edit(root, inner, rest, what);
        }
        return;
    }
    let properties = map.get_mut("properties").and_then(Value::as_object_mut);
    let Some(property) = properties.and_then(|all| all.get_mut(*first)) else {
        return;
    };
    let is_removed = match what {
        Edit::Remove if rest.is_empty() => true,
        _ => {
            if rest.is_empty() {
                inline(root, property);
            }
            edit(root, property, rest, what);
            matches!(what, Edit::Remove) && is_empty(property)
        }
    };
    if is_removed {
        remove(map, first);
    }
}

/// Whether the path leads to a property.
fn leads(root: &Value, schema: &Value, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    if *first == "*" {
        let patterns = walk::resolve(root, schema).get("patternProperties");
        return patterns.is_some()
            || walk::items(root, schema).is_some_and(|items| leads(root, items, rest))
            || walk::member(root, schema, "*").is_some_and(|values| leads(root, values, rest));
    }
    let all = walk::properties(root, schema);
    let mut named = all.into_iter().filter(|(name, _)| name.as_str() == *first);
    named.any(|(_, property)| leads(root, property, rest))
}

/// Whether an object, or the items of a list, have no properties left.
fn is_empty(schema: &Value) -> bool {
    if let Some(items) = schema.get("items") {
        return is_empty(items);
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let others = [
        "additionalProperties",
        "patternProperties",
        "oneOf",
        "anyOf",
        "allOf",
        "$ref",
    ];
    let has = |keyword: &&str| {
        schema
            .get(*keyword)
            .is_some_and(|it| it != &Value::Bool(false))
    };
    properties.is_some_and(Map::is_empty) && !others.iter().any(has)
}

/// Takes a property out, and the demand for it.
fn remove(map: &mut Map<String, Value>, name: &str) {
    let properties = map.get_mut("properties").and_then(Value::as_object_mut);
    properties.and_then(|all| all.remove(name));
    if let Some(required) = map.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|required| required != name);
    }
    let dependent = map
        .get_mut("dependentRequired")
        .and_then(Value::as_object_mut);
    if let Some(dependent) = dependent {
        dependent.remove(name);
    }
}

/// The outputs: the read-only properties, at any depth, and the primary identifier.
fn outputs(kind: &RegistryType, whole: &Value, properties: &Value) -> Value {
    let mut all = json!({"type": "object", "partial": true, "properties": {}});
    let mut paths: Vec<&String> = kind.read_only().iter().collect();
    paths.extend(kind.primary_identifier());
    paths.extend(given_or_made(kind, properties));
    // What holds others comes first.
    paths.sort_by_key(|path| path.matches('/').count());
    for path in paths {
        let steps = steps(path);
        let mut at = whole;
        let found = steps.iter().all(|step| {
            let next = match *step {
                "*" => walk::items(whole, at).or_else(|| walk::member(whole, at, "*")),
                name => walk::member(whole, at, name),
            };
            at = next.unwrap_or(at);
            next.is_some()
        });
        if found {
            put(&mut all, &steps, at);
        }
    }
    unmark(&mut all);
    let from = plain_properties(properties);
    let outputs = all["properties"].as_object_mut();
    for (name, output) in outputs.into_iter().flatten() {
        let is_settable = properties["properties"].get(name).is_some();
        let of_itself = is_settable && !kind.read_only().contains(name);
        output["from"] = match of_itself {
            true => json!([name]),
            false => from.clone(),
        };
        if !of_itself && !is_stable(kind, name) {
            output["volatile"] = true.into();
        }
    }
    if all["properties"].get("id").is_none() {
        let what = "The identifier; a vertical bar joins the parts of a compound one.";
        all["properties"]["id"] = json!({"type": "string", "description": what, "from": from});
    }
    all
}

/// Puts a schema at a path of the outputs, but where it is a part of one already. What only holds
/// others is `partial`.
fn put(at: &mut Value, path: &[&str], schema: &Value) {
    let Some((first, rest)) = path.split_first() else {
        *at = schema.clone();
        return;
    };
    let is_item = *first == "*";
    if at.is_null() {
        let kind = if is_item { "array" } else { "object" };
        *at = json!({"type": kind, "partial": true});
    }
    if at.get("partial").is_none() {
        return;
    }
    if is_item {
        put(&mut at["items"], rest, schema);
    } else {
        if at["properties"].is_null() {
            at["properties"] = json!({});
        }
        put(&mut at["properties"][*first], rest, schema);
    }
}

/// Takes the marks of [`put`] away.
fn unmark(at: &mut Value) {
    let is_marked = at
        .as_object_mut()
        .is_some_and(|map| map.remove("partial").is_some());
    if is_marked {
        let properties = at.get_mut("properties").and_then(Value::as_object_mut);
        properties
            .into_iter()
            .flat_map(Map::values_mut)
            .for_each(unmark);
        at.get_mut("items").into_iter().for_each(unmark);
    }
}

/// The names of the properties that have nothing sensitive in them, as far as the schema says.
fn plain_properties(properties: &Value) -> Value {
    let all = properties["properties"].as_object().into_iter().flatten();
    let plain = all.filter(|(_, schema)| !has_secret(properties, schema, 6));
    plain.map(|(name, _)| name.as_str()).collect()
}

fn has_secret(root: &Value, schema: &Value, deep: usize) -> bool {
    let schema = walk::resolve(root, schema);
    if schema.get("sensitive").is_some() {
        return true;
    }
    if deep == 0 {
        return false;
    }
    let mut members = walk::properties(root, schema).into_iter();
    members.any(|(_, member)| has_secret(root, member, deep - 1))
        || walk::items(root, schema).is_some_and(|items| has_secret(root, items, deep - 1))
        || walk::member(root, schema, "*").is_some_and(|it| has_secret(root, it, deep - 1))
}

/// Whether an output stays what it is while the resource exists: an identifier, or one whose name
/// ends in Arn, Id, Name, Url, Endpoint, Address or Created and speaks of no version.
fn is_stable(kind: &RegistryType, name: &str) -> bool {
    const ENDINGS: [&str; 9] = [
        "Arn",
        "ARN",
        "Id",
        "Name",
        "Url",
        "URL",
        "Endpoint",
        "Address",
        "CreatedAt",
    ];
    let identifies = kind
        .primary_identifier()
        .iter()
        .chain(kind.additional_identifiers().iter().flatten());
    let of_version = ["Version", "Revision", "Latest"]
        .iter()
        .any(|word| name.contains(word));
    identifies.into_iter().any(|path| path == name)
        || (!of_version && ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

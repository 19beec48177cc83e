//! One registry schema's parts, in the keywords of JSON Schema and of [`crate::schema`].

use crate::schema::walk;
use serde_json::{Map, Value, json};

/// The schema with every part tidied, whatever the depth.
pub(super) fn tidied(mut root: Value) -> Value {
    let before = json!({"definitions": root.get("definitions").cloned()});
    tidy(&before, "", &mut root);
    root
}

/// Replaces a reference by a copy of what it leads to, under what stands beside it. References in
/// the copy stay.
pub(super) fn inline(root: &Value, schema: &mut Value) {
    if schema.get("$ref").is_none() {
        return;
    }
    let target = walk::resolve(root, schema);
    let Value::Object(mut target) = target.clone() else {
        return;
    };
    if target.contains_key("$ref") {
        return;
    }
    if let Value::Object(beside) = schema {
        beside.remove("$ref");
        target.append(beside);
    }
    *schema = Value::Object(target);
}

fn tidy(root: &Value, name: &str, schema: &mut Value) {
    if is_secret(name, walk::resolve(root, schema)) {
        inline(root, schema);
        schema["sensitive"] = true.into();
    }
    let Value::Object(map) = schema else {
        return;
    };
    for keyword in [
        "default",
        "examples",
        "$comment",
        "$schema",
        "title",
        "relationshipRef",
    ] {
        map.remove(keyword);
    }
    if let Some(Value::String(pattern)) = map.get_mut("pattern") {
        *pattern = translated(pattern);
    }
    for keyword in ["properties", "definitions", "patternProperties"] {
        let members = map.get_mut(keyword).and_then(Value::as_object_mut);
        for (name, member) in members.into_iter().flatten() {
            tidy(root, name, member);
        }
    }
    for keyword in [
        "items",
        "additionalProperties",
        "not",
        "if",
        "then",
        "else",
        "contains",
        "propertyNames",
    ] {
        if let Some(inner) = map.get_mut(keyword) {
            tidy(root, name, inner);
        }
    }
    for keyword in ["oneOf", "anyOf", "allOf", "prefixItems"] {
        let branches = map.get_mut(keyword).and_then(Value::as_array_mut);
        for branch in branches.into_iter().flatten() {
            tidy(root, name, branch);
        }
    }
    formats(map);
    lists(root, map);
    maps(map);
    documents(name, map);
    conditions(map);
    if map.remove("enumCaseInsensitive").is_some() {
        map.insert("ignoreCase".to_owned(), true.into());
    }
}

fn is_type(map: &Map<String, Value>, wanted: &str) -> bool {
    match map.get("type") {
        Some(Value::String(name)) => name == wanted,
        Some(Value::Array(names)) => names.iter().any(|name| name == wanted),
        _ => false,
    }
}

/// Alternatives that differ in a format alone are not told apart by a validator.
fn formats(map: &mut Map<String, Value>) {
    let only = |branch: &Value| {
        let keys = branch.as_object().into_iter().flat_map(Map::keys);
        keys.into_iter()
            .all(|key| matches!(key.as_str(), "format" | "description"))
    };
    let branches = map.get("oneOf").and_then(Value::as_array);
    if branches.is_some_and(|all| all.iter().any(only)) {
        map.remove("oneOf");
    }
}

/// `set`, for lists of which the order does not matter.
fn lists(root: &Value, map: &mut Map<String, Value>) {
    let is = |keyword: &str| map.get(keyword).and_then(Value::as_bool);
    let items = map.get("items").map(|items| walk::resolve(root, items));
    let kind = items.and_then(|items| items.get("type")?.as_str());
    let scalar = matches!(kind, Some("string" | "integer" | "number" | "boolean"));
    let ordered = is("insertionOrder");
    let unique = is("uniqueItems") == Some(true) && scalar && ordered != Some(true);
    map.remove("insertionOrder");
    if ordered == Some(false) || unique {
        map.insert("set".to_owned(), true.into());
    }
}

/// A map is one by `additionalProperties`, where a single pattern says what its keys are.
fn maps(map: &mut Map<String, Value>) {
    let patterns = map.get("patternProperties").and_then(Value::as_object);
    let Some((pattern, values)) = patterns
        .filter(|all| all.len() == 1)
        .and_then(|all| all.iter().next())
    else {
        return;
    };
    let own = map.get("properties").and_then(Value::as_object);
    if own.is_some_and(|own| !own.is_empty()) {
        return;
    }
    let (pattern, values) = (translated(pattern), values.clone());
    let is_closed = map.get("additionalProperties") == Some(&Value::Bool(false));
    map.remove("patternProperties");
    map.remove("properties");
    map.insert("additionalProperties".to_owned(), values);
    let any = matches!(pattern.as_str(), ".*" | "^.*$" | ".+" | "^.+$" | "");
    if is_closed && !any {
        map.insert("propertyNames".to_owned(), json!({"pattern": pattern}));
    }
}

/// `document`, for objects of which nothing is declared.
fn documents(name: &str, map: &mut Map<String, Value>) {
    const INSIDE: [&str; 7] = [
        "$ref",
        "properties",
        "patternProperties",
        "oneOf",
        "anyOf",
        "allOf",
        "enum",
    ];
    const POLICIES: [&str; 6] = [
        "PolicyDocument",
        "KeyPolicy",
        "ResourcePolicy",
        "RepositoryPolicyText",
        "RegistryPolicyText",
        "BucketPolicy",
    ];
    let has = |keyword: &&str| {
        map.get(*keyword)
            .is_some_and(|it| it.as_object().is_none_or(|it| !it.is_empty()))
    };
    let values = map
        .get("additionalProperties")
        .is_some_and(Value::is_object);
    let closed = map.get("additionalProperties") == Some(&Value::Bool(false));
    if !is_type(map, "object") || values || INSIDE.iter().any(has) {
        return;
    }
    // An object without properties that may have no others says only that it is there.
    if closed && map.get("properties").is_some() {
        return;
    }
    let kind = match POLICIES.iter().any(|ending| name.ends_with(ending)) {
        true => "policy",
        false => "json",
    };
    if closed {
        map.remove("additionalProperties");
    }
    map.insert("document".to_owned(), kind.into());
}

/// What cfn-lint and older drafts say of properties together, in the words of draft 2020-12.
fn conditions(map: &mut Map<String, Value>) {
    let mut all = Vec::new();
    for (keyword, joined) in [("requiredXor", "oneOf"), ("requiredOr", "anyOf")] {
        if let Some(Value::Array(names)) = map.remove(keyword) {
            // One list of names, or several.
            let lists = match names.first() {
                Some(Value::Array(_)) => names,
                _ => vec![Value::Array(names)],
            };
            for list in lists {
                let names = list.as_array().into_iter().flatten();
                let branches: Vec<Value> = names.map(|name| json!({"required": [name]})).collect();
                all.push(json!({joined: branches}));
            }
        }
    }
    if let Some(Value::Object(excluded)) = map.remove("dependentExcluded") {
        for (name, others) in excluded {
            let others = others.as_array().into_iter().flatten();
            let branches: Vec<Value> = others
                .map(|other| json!({"not": {"required": [name, other]}}))
                .collect();
            all.extend(branches);
        }
    }
    if let Some(Value::Object(dependencies)) = map.remove("dependencies") {
        for (name, needed) in dependencies {
            let keyword = match needed {
                Value::Array(_) => "dependentRequired",
                _ => "dependentSchemas",
            };
            let of = map.entry(keyword).or_insert_with(|| json!({}));
            of[name] = needed;
        }
    }
    if !all.is_empty() {
        let list = map.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.append(&mut all);
        }
    }
}

/// A pattern in the notation of the validator.
fn translated(pattern: &str) -> String {
    pattern.replace("\\Z", "\\z")
}

/// Whether a property is secret, by its name, as the registry marks none: a string whose name ends
/// in one of these words. A token that makes a call unrepeatable, that names a version or a
/// service, or goes through pages is none, and what the description calls an ARN, a name or an id
/// is none, passwords and keys aside.
pub(super) fn is_secret(name: &str, schema: &Value) -> bool {
    const SURE: [&str; 6] = [
        "password",
        "privatekey",
        "secretkey",
        "secretaccesskey",
        "secretstring",
        "apikeyvalue",
    ];
    const LIKELY: [&str; 3] = ["secret", "token", "secretbinary"];
    const NONE: [&str; 9] = [
        "clienttoken",
        "clientrequesttoken",
        "idempotencytoken",
        "nexttoken",
        "versiontoken",
        "servicetoken",
        "eventsourcetoken",
        "billingtoken",
        "removeprivatekey",
    ];
    let is_string = schema.get("type").and_then(Value::as_str) == Some("string");
    if !is_string || schema.get("enum").is_some() {
        return false;
    }
    let name = name.to_lowercase();
    let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
    if ends(&NONE) {
        return false;
    }
    let text = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let names_it = ["ARN", "Amazon Resource Name", "name of the", "ID of the"];
    ends(&SURE) || (ends(&LIKELY) && !names_it.iter().any(|words| text.contains(words)))
}

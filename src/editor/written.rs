//! A type's schema as that of what a file may hold: an expression in place of any value, null in
//! place of what is not given, a number or a bool where a string is wanted. The keywords of our
//! own become sentences.
//!
//! What could flag a right file is not said: `oneOf` is `anyOf`, since an expression fits each of
//! the alternatives; conditions (`if`, `not`, `contains`) are judged by values, which expressions
//! hide.

use super::patterns;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The text has an expression in it, or a directive.
pub(super) const EXPRESSION: &str = r"[$%]\{";

/// What an editor says of a value that is neither of its type nor an expression.
pub(super) fn expected(what: &str) -> String {
    format!("expected {what}, or an expression ${{…}}")
}

/// Where in a schema another one stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The map of a type's properties: no expression, not null.
    Top,
    /// An optional member: null is the same as no member.
    Optional,
    /// A member that must be given, or an item.
    Given,
}

/// The keywords that stay as they are.
const KEPT: &[&str] = &[
    "$ref",
    "description",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxProperties",
    "maximum",
    "minItems",
    "minProperties",
    "minimum",
    "multipleOf",
    "required",
    "type",
    "uniqueItems",
];

/// What our own keywords say, as sentences.
const SAID: &[(&str, &str)] = &[
    ("deprecated", "Deprecated."),
    ("createOnly", "A change replaces the resource."),
    (
        "conditionalCreateOnly",
        "A change may replace the resource.",
    ),
    ("sensitive", "The value is secret: it is shown nowhere."),
    (
        "localFile",
        "The path of a file, from the stack file's folder.",
    ),
];

/// The schema of what a file may hold there. `name` is the definition that holds the type, for its
/// references.
pub(super) fn written(schema: &Value, name: &str, at: At) -> Value {
    let Some(from) = schema.as_object() else {
        return schema.clone();
    };
    let kept = from.iter().filter(|(key, _)| KEPT.contains(&key.as_str()));
    let mut map: Map<String, Value> = kept.map(|(key, it)| (key.clone(), it.clone())).collect();
    describe(from, &mut map);
    if let Some(Value::String(reference)) = map.get_mut("$ref") {
        *reference = reference.replacen("#/", &format!("#/definitions/{name}/"), 1);
        return Value::Object(map);
    }
    inside(from, name, &mut map);
    alternatives(from, name, at, &mut map);
    if from.contains_key("tagList")
        && let Some(kind) = map.remove("type")
    {
        let mut kinds = listed(&kind);
        kinds.push("array".into());
        map.insert("type".to_owned(), kinds.into());
        map.insert("items".to_owned(), json!({"type": "object"}));
    }
    if at == At::Top {
        return Value::Object(map);
    }
    constrained(from, at, map)
}

/// The description, and what our own keywords add to it.
fn describe(from: &Map<String, Value>, map: &mut Map<String, Value>) {
    let text = from.get("description").and_then(Value::as_str);
    let mut text = text.unwrap_or_default().trim().to_owned();
    for (keyword, sentence) in SAID {
        let holds = from.get(*keyword) == Some(&Value::Bool(true));
        // Most of our own descriptions say it already.
        let is_said = keyword.ends_with("reateOnly") && text.contains("replaces");
        if holds && !is_said {
            add(&mut text, sentence);
        }
    }
    // As a keyword editors would write it into the file.
    if let Some(default) = from.get("default").filter(|it| !it.is_null()) {
        add(&mut text, &format!("Default: `{default}`."));
    }
    match text.is_empty() {
        true => drop(map.remove("description")),
        false => drop(map.insert("description".to_owned(), text.into())),
    }
}

/// Adds a sentence.
fn add(text: &mut String, sentence: &str) {
    match text.chars().last() {
        None => {}
        Some('.' | '!' | '?' | ':' | ')') => text.push(' '),
        Some(_) => text.push_str(". "),
    }
    text.push_str(sentence);
}

/// What lies below: members, items, definitions.
fn inside(from: &Map<String, Value>, name: &str, map: &mut Map<String, Value>) {
    let required = from.get("required").and_then(Value::as_array);
    let is_required = |member: &str| {
        let mut names = required.into_iter().flatten();
        names.any(|required| required == member)
    };
    for keyword in ["properties", "definitions", "patternProperties"] {
        let Some(members) = from.get(keyword).and_then(Value::as_object) else {
            continue;
        };
        let of = |(member, schema): (&String, &Value)| {
            let at = match is_required(member) && keyword == "properties" {
                true => At::Given,
                false => At::Optional,
            };
            let key = match keyword == "patternProperties" {
                true => patterns::or_expression(member)?,
                false => member.clone(),
            };
            Some((key, written(schema, name, at)))
        };
        let all: Map<String, Value> = members.iter().filter_map(of).collect();
        map.insert(keyword.to_owned(), all.into());
    }
    if let Some(values) = from.get("additionalProperties") {
        if values == &Value::Bool(false) {
            // A key may be an expression too.
            let patterns = map.entry("patternProperties").or_insert_with(|| json!({}));
            patterns[EXPRESSION] = json!({});
        }
        let values = written(values, name, At::Optional);
        map.insert("additionalProperties".to_owned(), values);
    }
    match from.get("items") {
        Some(Value::Array(items)) => {
            let items = items.iter().map(|item| written(item, name, At::Given));
            map.insert("items".to_owned(), items.collect());
        }
        Some(items) => drop(map.insert("items".to_owned(), written(items, name, At::Given))),
        None => {}
    }
    if let Some(Value::Array(items)) = from.get("prefixItems") {
        let others = map.remove("items");
        let items = items.iter().map(|item| written(item, name, At::Given));
        map.insert("items".to_owned(), items.collect());
        map.extend(others.map(|others| ("additionalItems".to_owned(), others)));
    }
    let keys = from
        .get("propertyNames")
        .and_then(|keys| keys.get("pattern"));
    if let Some(pattern) = keys
        .and_then(Value::as_str)
        .and_then(patterns::or_expression)
    {
        map.insert("propertyNames".to_owned(), json!({"pattern": pattern}));
    }
}

/// Alternatives, and what one property asks of another.
fn alternatives(from: &Map<String, Value>, name: &str, at: At, map: &mut Map<String, Value>) {
    let branch = |schema: &Value| match at {
        At::Top => written(schema, name, At::Top),
        _ => written(schema, name, At::Optional),
    };
    let lists = ["oneOf", "anyOf", "allOf"];
    let lists = lists.into_iter().filter_map(|keyword| {
        let branches = from.get(keyword).and_then(Value::as_array)?;
        let branches: Vec<Value> = branches.iter().map(branch).collect();
        Some((keyword, branches))
    });
    let mut all: Vec<Value> = Vec::new();
    for (keyword, branches) in lists {
        match keyword {
            "allOf" => all.extend(branches),
            _ if map.contains_key("anyOf") => all.push(json!({"anyOf": branches})),
            _ => drop(map.insert("anyOf".to_owned(), branches.into())),
        }
    }
    all.retain(|schema| schema.as_object().is_none_or(|map| !map.is_empty()));
    if let Some(not) = from.get("not")
        && not
            .as_object()
            .is_some_and(|not| not.keys().eq(["required"]))
    {
        map.insert("not".to_owned(), not.clone());
    }
    if !all.is_empty() {
        map.insert("allOf".to_owned(), all.into());
    }
    let mut needed = Map::new();
    for keyword in ["dependentRequired", "dependentSchemas"] {
        let members = from.get(keyword).and_then(Value::as_object);
        for (member, asked) in members.into_iter().flatten() {
            let asked = match asked {
                Value::Array(_) => asked.clone(),
                schema => written(schema, name, At::Top),
            };
            needed.insert(member.clone(), asked);
        }
    }
    if !needed.is_empty() {
        map.insert("dependencies".to_owned(), needed.into());
    }
}

fn listed(kind: &Value) -> Vec<Value> {
    match kind {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    }
}

/// What the value itself must be, or an expression.
fn constrained(from: &Map<String, Value>, at: At, mut map: Map<String, Value>) -> Value {
    if from.contains_key("enum") || from.contains_key("const") {
        return of_values(from, at, map);
    }
    let Some(kind) = map.remove("type") else {
        // The alternatives say what it is.
        return Value::Object(map);
    };
    let mut kinds = listed(&kind);
    let has = |kinds: &[Value], name: &str| kinds.iter().any(|kind| kind == name);
    if kind == "string" {
        // A number or a bool is converted.
        kinds.extend([json!("number"), json!("boolean")]);
        if let Some((pattern, what)) = patterns::of_string(from) {
            map.insert("pattern".to_owned(), pattern.into());
            map.insert("patternErrorMessage".to_owned(), expected(&what).into());
        }
    } else if !has(&kinds, "string") {
        let what = expected(&words(&kinds));
        kinds.push("string".into());
        map.insert("pattern".to_owned(), EXPRESSION.into());
        map.insert("patternErrorMessage".to_owned(), what.into());
    }
    if at == At::Optional && !has(&kinds, "null") {
        kinds.push("null".into());
    }
    map.insert("type".to_owned(), kinds.into());
    Value::Object(map)
}

/// One of some values, or an expression.
fn of_values(from: &Map<String, Value>, at: At, mut map: Map<String, Value>) -> Value {
    let values = from.get("enum").and_then(Value::as_array);
    let mut values: Vec<&Value> = values
        .into_iter()
        .flatten()
        .chain(from.get("const"))
        .collect();
    let mut seen = BTreeSet::new();
    values.retain(|value| seen.insert(value.to_string()));
    // Where a string is wanted, the file may say 1 or true.
    let bare = |value: &&Value| match serde_json::from_str(value.as_str()?) {
        Ok(bare @ (Value::Number(_) | Value::Bool(_))) => Some(bare),
        _ => None,
    };
    let bare: Vec<Value> = values.iter().filter_map(bare).collect();
    map.remove("type");
    let mut branches = vec![json!({"enum": values})];
    if !bare.is_empty() {
        branches.push(json!({"enum": bare}));
    }
    let other = match at {
        At::Optional => "expression_or_null",
        At::Top | At::Given => "expression",
    };
    branches.push(json!({"$ref": format!("#/definitions/{other}")}));
    let branches = Value::from(branches);
    match map.remove("anyOf") {
        None => map.insert("anyOf".to_owned(), branches),
        Some(beside) => {
            let both = json!([{"anyOf": beside}, {"anyOf": branches}]);
            map.insert("allOf".to_owned(), both)
        }
    };
    Value::Object(map)
}

/// What alternatives refer to. Null has no type here, which editors would complete.
pub(super) fn definitions() -> Map<String, Value> {
    let about = "An expression.";
    let other = json!({"type": ["number", "boolean", "array", "object"]});
    let all = [
        (
            "expression",
            json!({"description": about, "type": "string", "pattern": EXPRESSION}),
        ),
        (
            "expression_or_null",
            json!({"description": about, "not": other, "pattern": EXPRESSION}),
        ),
    ];
    all.map(|(name, schema)| (name.to_owned(), schema))
        .into_iter()
        .collect()
}

/// Types as users say them.
fn words(kinds: &[Value]) -> String {
    let words: Vec<&str> = kinds
        .iter()
        .map(|kind| match kind.as_str().unwrap_or_default() {
            "integer" => "an integer",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            "object" => "a map",
            _ => "another value",
        })
        .collect();
    words.join(" or ")
}

/// Lets null stand for "not given".
pub(super) fn nullable(schema: &mut Value) {
    if schema.get("enum").is_some() {
        let description = schema
            .as_object_mut()
            .and_then(|map| map.remove("description"));
        *schema = json!({"description": description, "anyOf": [schema, {"type": "null"}]});
        return;
    }
    if let Some(kind) = schema.get("type") {
        let mut kinds = listed(kind);
        kinds.push("null".into());
        schema["type"] = kinds.into();
    }
}

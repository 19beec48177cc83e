//! The keys of a stack file, as a schema.

use super::written::{EXPRESSION, expected, nullable};
use crate::lang::load::keys::{self, Entry, Holds, Key};
use crate::lint::Rule;
use crate::lint::switch::LEVELS;
use serde_json::{Map, Value, json};

/// The parts that several places refer to.
pub(super) fn definitions() -> Map<String, Value> {
    let mut all = Map::new();
    let mut variable = map(keys::VARIABLE);
    // `size:` alone is a variable without a default.
    nullable(&mut variable);
    all.insert("variable".to_owned(), variable);
    all.insert("output".to_owned(), output());
    all.insert("addresses".to_owned(), addresses());
    all
}

/// The file itself.
pub(super) fn file(rules: &[&Rule]) -> Value {
    let mut file = map(keys::FILE);
    file["patternProperties"] = json!({"^x-": {"description": "A place for anchors."}});
    file["properties"]["lint"]["properties"] = levels(rules);
    file
}

/// A map with these keys and no others.
pub(super) fn map(keys: &[Key]) -> Value {
    let all = keys.iter().map(|key| (key.name.to_owned(), of(key)));
    let properties: Map<String, Value> = all.collect();
    let required = keys.iter().filter(|key| key.is_required);
    let required: Vec<&str> = required.map(|key| key.name).collect();
    let mut map = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        map["required"] = json!(required);
    }
    map
}

fn of(key: &Key) -> Value {
    let mut schema = holds(key.holds);
    schema["description"] = key.about.into();
    if key.is_nullable {
        nullable(&mut schema);
    }
    schema
}

fn holds(holds: Holds) -> Value {
    match holds {
        Holds::Any => json!({}),
        Holds::Text => json!({"type": "string"}),
        Holds::Matching(pattern, what) => json!({
            "type": "string",
            "pattern": format!("{EXPRESSION}|{pattern}"),
            "patternErrorMessage": expected(what),
        }),
        Holds::Literal(pattern, what) => json!({
            "type": "string",
            "pattern": pattern,
            "patternErrorMessage": format!("expected {what}"),
        }),
        Holds::Choice(names) => json!({"type": "string", "enum": names}),
        Holds::Bool => json!({"type": "boolean"}),
        Holds::When => json!({
            "type": ["boolean", "string"],
            "pattern": EXPRESSION,
            "patternErrorMessage": expected("true or false"),
        }),
        Holds::Number => json!({"type": "number"}),
        Holds::Values => json!({"type": "array", "minItems": 1}),
        Holds::Names => json!({"type": "array", "items": {"type": "string"}}),
        Holds::Map([]) => json!({"type": "object"}),
        Holds::Map(keys) => map(keys),
        Holds::Settings(keys) => {
            let mut settings = map(keys);
            settings["type"] = json!(["object", "string"]);
            settings["pattern"] = EXPRESSION.into();
            settings
        }
        Holds::Entries(entry) => entries(entry),
        Holds::Tags => json!({
            "type": ["object", "string"],
            "pattern": EXPRESSION,
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        }),
        Holds::Accounts => json!({
            "type": ["array", "string"],
            "pattern": EXPRESSION,
            "items": {
                "type": ["string", "integer"],
                "minimum": 100_000_000_000_u64,
                "maximum": 999_999_999_999_u64,
            },
        }),
        Holds::Many => json!({
            "type": ["object", "array", "string"],
            "pattern": EXPRESSION,
            "patternErrorMessage": expected("a map or a list of strings"),
        }),
        Holds::ImportId => json!({
            "type": ["string", "array"],
            "minItems": 1,
            "items": {"type": "string"},
        }),
        Holds::Addresses => addresses(),
    }
}

fn entries(entry: Entry) -> Value {
    let one = match entry {
        Entry::Level => return json!({"type": "object", "additionalProperties": false}),
        Entry::Local => json!({}),
        Entry::Variable => json!({"$ref": "#/definitions/variable"}),
        Entry::Data => json!({"$ref": "#/definitions/data"}),
        Entry::Resource => json!({"$ref": "#/definitions/resource"}),
        Entry::Output => json!({"$ref": "#/definitions/output"}),
    };
    json!({
        "type": "object",
        "propertyNames": {
            "pattern": keys::IDENTIFIER,
            "patternErrorMessage": "a name starts with a letter or _, and goes on in letters, digits, _ and -",
        },
        "additionalProperties": one,
    })
}

/// An old address, a list of them, or a map of these.
fn addresses() -> Value {
    json!({
        "type": ["string", "array", "object"],
        "items": {"type": "string"},
        "additionalProperties": {"$ref": "#/definitions/addresses"},
    })
}

/// The long form, or any value but a map.
fn output() -> Value {
    let mut output = map(keys::OUTPUT);
    output["type"] = json!(["object", "string", "number", "boolean", "array", "null"]);
    output
}

/// Each rule's code with the levels it may have. What AWS itself refuses stays an error.
fn levels(rules: &[&Rule]) -> Value {
    let of = |rule: &&Rule| {
        let levels: &[&str] = match rule.is_refused {
            true => &["error"],
            false => LEVELS,
        };
        let level = json!({
            "description": format!("{}. Without a line here: {}.", rule.title, rule.severity.word()),
            "enum": levels,
        });
        (rule.code.to_owned(), level)
    };
    Value::Object(rules.iter().map(of).collect())
}

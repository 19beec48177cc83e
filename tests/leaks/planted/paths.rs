//! Every place of a type's schema at which a stack file may have a value.

use serde_json::{Value, json};
use stackctl::data::Path;
use stackctl::schema::Schema;
use std::fmt;

/// One step down into the properties.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Name(String),
    /// An item of a list: the first one.
    Item,
    /// A value of a map whose keys are the file's.
    Value,
}

/// What of a place is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The value: a string, a number or a bool.
    Value,
    /// All of a map, a list, or a block.
    Whole,
    /// A key of a map.
    Key,
    /// A string in a JSON document that is written as YAML.
    InDocument,
    /// A JSON document as a string.
    Text,
}

/// A place of a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) steps: Vec<Step>,
    pub(super) part: Part,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Name(name) if at == 0 => write!(f, "{name}")?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Item => write!(f, "[]")?,
                Step::Value => write!(f, ".*")?,
            }
        }
        match self.part {
            Part::Value => Ok(()),
            Part::Whole => write!(f, " whole"),
            Part::Key => write!(f, " key"),
            Part::InDocument => write!(f, " document"),
            Part::Text => write!(f, " text"),
        }
    }
}

impl Place {
    /// The top-level property.
    pub(super) fn property(&self) -> &str {
        match &self.steps[0] {
            Step::Name(name) => name,
            step => panic!("{step:?} is no property"),
        }
    }

    /// The path in the properties that are given.
    pub(super) fn path(&self, properties: &Value) -> Path {
        let mut path = Path::root();
        for step in &self.steps {
            path = match step {
                Step::Name(name) => path.join(name),
                Step::Item => path.join(0),
                Step::Value => path.join(first_key(path.get(properties))),
            };
        }
        path
    }

    /// Puts a value there; what must be given around it is filled in.
    pub(super) fn put(&self, schema: &Value, properties: &mut Value, new: Value) {
        put(schema, properties, &self.steps, new);
    }
}

/// The key under which a map has its value.
fn first_key(map: Option<&Value>) -> String {
    let keys = map.and_then(Value::as_object).into_iter().flatten();
    let mut keys = keys.map(|(key, _)| key.clone());
    keys.next().unwrap_or_else(|| "planted".to_owned())
}

fn put(schema: &Value, at: &mut Value, steps: &[Step], new: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *at = new;
        return;
    };
    match step {
        Step::Name(name) => {
            if !at.is_object() {
                *at = example(schema);
            }
            let declared = &schema["properties"][name];
            put(declared, &mut at[name], rest, new);
        }
        Step::Item => {
            if at.as_array().is_none_or(Vec::is_empty) {
                *at = json!([example(&schema["items"])]);
            }
            put(&schema["items"], &mut at[0], rest, new);
        }
        Step::Value => {
            let key = first_key(Some(&*at));
            if !at.is_object() {
                *at = json!({});
            }
            put(&schema["additionalProperties"], &mut at[key], rest, new);
        }
    }
}

/// The names of the types that a schema takes.
pub(super) fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A small value that a schema takes.
pub(super) fn example(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    match schema["document"].as_str() {
        Some("policy") => {
            return json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]});
        }
        Some(_) => return json!({"planted": "a"}),
        None => {}
    }
    match types(schema).first() {
        Some(&"string") => json!("planted"),
        Some(&"integer" | &"number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some(&"boolean") => json!(false),
        Some(&"array") => json!([example(&schema["items"])]),
        _ => {
            let required = schema["required"].as_array().into_iter().flatten();
            let required = required.filter_map(Value::as_str);
            let member = |name: &str| (name.to_owned(), example(&schema["properties"][name]));
            required.map(member).collect()
        }
    }
}

/// Every place of a type, in the order of its schema.
pub(super) fn places(schema: &Schema) -> Vec<Place> {
    let mut found = Vec::new();
    let all = schema.properties["properties"].as_object();
    for (name, declared) in all.into_iter().flatten() {
        walk(
            schema.name,
            declared,
            &mut vec![Step::Name(name.clone())],
            &mut found,
        );
    }
    found
}

fn walk(type_name: &str, schema: &Value, at: &mut Vec<Step>, found: &mut Vec<Place>) {
    for keyword in [
        "oneOf",
        "anyOf",
        "allOf",
        "$ref",
        "patternProperties",
        "prefixItems",
    ] {
        let is_known = schema.get(keyword).is_none();
        assert!(is_known, "{type_name} {at:?}: the walk knows no {keyword}");
    }
    let place = |at: &[Step], part: Part| Place {
        steps: at.to_vec(),
        part,
    };
    if schema.get("document").is_some() {
        let parts = [Part::InDocument, Part::Key, Part::Text, Part::Whole];
        found.extend(parts.map(|part| place(at, part)));
        return;
    }
    // Any value at all.
    if schema == &Value::Bool(true) {
        found.extend([Part::Value, Part::Whole].map(|part| place(at, part)));
        return;
    }
    for kind in types(schema) {
        match kind {
            "string" | "integer" | "number" | "boolean" => found.push(place(at, Part::Value)),
            "array" => {
                found.push(place(at, Part::Whole));
                below(type_name, &schema["items"], Step::Item, at, found);
            }
            "object" => {
                found.push(place(at, Part::Whole));
                let members = schema["properties"].as_object();
                for (name, declared) in members.into_iter().flatten() {
                    below(type_name, declared, Step::Name(name.clone()), at, found);
                }
                let values = &schema["additionalProperties"];
                if values.is_object() || values == &Value::Bool(true) {
                    found.push(place(at, Part::Key));
                    below(type_name, values, Step::Value, at, found);
                }
            }
            other => panic!("{type_name} {at:?}: the walk knows no {other}"),
        }
    }
}

fn below(type_name: &str, schema: &Value, step: Step, at: &mut Vec<Step>, found: &mut Vec<Place>) {
    at.push(step);
    walk(type_name, schema, at, found);
    at.pop();
}

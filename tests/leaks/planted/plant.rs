//! What is planted at a place of a schema: what the file says there, and what the variable is.

use super::paths::{Part, Place, Step, example, types};
use super::shapes::{DOCUMENTS, KEYED, WORDS};
use serde_json::{Map, Value, json};
use stackctl::schema::Schema;

/// Stands for the plant's variable in what the file says.
pub(super) const VAR: &str = "${var.@}";

/// Stands for the mark in the value of a variable.
pub(super) const MARK: &str = "{mark}";

/// What the variable of a plant holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// A value with the mark in it: another one in each round.
    Marked(Value),
    /// A number of eight digits.
    Number,
    /// One of few values that the place takes: it can be a secret, and no search finds it.
    Closed(Value),
    /// Nothing: what the file refers to is declared a secret where it stands.
    Nothing,
}

/// One way to plant a secret at a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    /// What the file says.
    pub(super) written: Value,
    pub(super) given: Given,
}

impl Shape {
    /// Any string.
    pub(super) fn any() -> Self {
        Self::text("", "")
    }

    fn text(before: &str, after: &str) -> Self {
        Self {
            written: json!(VAR),
            given: Given::Marked(json!(format!("{before}{MARK}{after}"))),
        }
    }

    fn closed(value: Value) -> Self {
        Self {
            written: json!(VAR),
            given: Given::Closed(value),
        }
    }

    /// An expression that makes the value, or the text, of a template with the mark in it.
    fn made(function: &str, template: &Value) -> Self {
        let inside = expression(template);
        let marked = template.to_string().contains(MARK);
        Self {
            written: json!(format!("${{{function}({inside})}}")),
            given: match marked {
                true => Given::Marked(json!(MARK)),
                false => Given::Nothing,
            },
        }
    }

    /// The value declared a secret where it stands.
    fn declared(value: &Value) -> Self {
        Self {
            written: json!(format!("${{sensitive({})}}", expression(value))),
            given: Given::Nothing,
        }
    }

    /// Whether a search can find it.
    pub(super) fn is_marked(&self) -> bool {
        matches!(self.given, Given::Marked(_) | Given::Number)
    }
}

/// A value as an expression; the mark in it is the plant's variable.
fn expression(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let quoted = json!(text.replace(MARK, VAR)).to_string();
            // A bare `%{` and the like are none of the examples'.
            quoted
        }
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(expression).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| match key.contains(MARK) {
                true => format!("({}) = {}", expression(&json!(key)), expression(value)),
                false => format!("{} = {}", json!(key), expression(value)),
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Whether a string looks like one that may be any other: none of a service's own words.
fn is_free(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_:*/.-$".contains(c);
    let own = text.starts_with("arn:") || text.contains(':') || text.contains(".amazonaws.com");
    !text.is_empty() && !own && !text.chars().all(is_word) && !["Allow", "Deny"].contains(&text)
}

fn at<'s>(schema: &'s Value, steps: &[Step]) -> &'s Value {
    steps.iter().fold(schema, |schema, step| match step {
        Step::Name(name) => &schema["properties"][name],
        Step::Item => &schema["items"],
        Step::Value => &schema["additionalProperties"],
    })
}

/// The ways to plant at a place, the first that is taken counts; `there` is what an example has.
pub(super) fn shapes(schema: &Schema, place: &Place, there: Option<&Value>) -> Vec<Shape> {
    let name = format!("{} {place}", schema.name);
    let declared = at(&schema.properties, &place.steps);
    let mut shapes = Vec::new();
    let own = WORDS.iter().filter(|(of, _)| *of == name);
    for (_, word) in own {
        let word: Value = serde_json::from_str(word).unwrap_or_else(|_| json!(word));
        shapes.push(match word.to_string().contains(MARK) {
            true => Shape {
                written: json!(VAR),
                given: Given::Marked(word),
            },
            false => Shape::closed(word),
        });
    }
    if !shapes.is_empty() {
        return shapes;
    }
    match place.part {
        Part::Value => value_shapes(declared, there, &mut shapes),
        Part::Key => {
            let template = match declared.get("document") {
                Some(_) => document(&name, KEYED, there, declared),
                None => json!({MARK: example(&declared["additionalProperties"])}),
            };
            let has_reference = template.to_string().contains("${");
            if !has_reference && declared.get("document").is_none() {
                shapes.push(Shape {
                    written: json!(VAR),
                    given: Given::Marked(template.clone()),
                });
            }
            shapes.push(Shape::made("merge", &template));
        }
        Part::InDocument => {
            let template = document(&name, DOCUMENTS, there, declared);
            shapes.push(Shape {
                written: filled(&template, &|text| text.replace(MARK, VAR)),
                given: match template.to_string().contains(MARK) {
                    true => Given::Marked(json!(MARK)),
                    false => Given::Nothing,
                },
            });
        }
        Part::Text => {
            let template = document(&name, DOCUMENTS, there, declared);
            if !template.to_string().contains("${") {
                shapes.push(Shape {
                    written: json!(VAR),
                    given: Given::Marked(json!(template.to_string())),
                });
            }
            shapes.push(Shape::made("jsonencode", &template));
        }
        Part::Whole => {
            let template = match declared.get("document") {
                Some(_) => document(&name, DOCUMENTS, there, declared),
                None => marked_within(declared, there),
            };
            if !template.to_string().contains("${") {
                shapes.push(Shape {
                    written: json!(VAR),
                    given: match template.to_string().contains(MARK) {
                        true => Given::Marked(template.clone()),
                        false => Given::Closed(template.clone()),
                    },
                });
            }
            shapes.push(Shape::made("sensitive", &template));
            let plain = there.cloned().unwrap_or_else(|| example(declared));
            shapes.push(Shape::declared(&plain));
        }
    }
    shapes
}

fn value_shapes(declared: &Value, there: Option<&Value>, shapes: &mut Vec<Shape>) {
    if let Some(words) = declared["enum"].as_array() {
        shapes.extend(
            there
                .filter(|it| words.contains(it))
                .cloned()
                .map(Shape::closed),
        );
        shapes.extend(words.iter().cloned().map(Shape::closed));
        return;
    }
    let kinds = types(declared);
    if kinds == ["boolean"] {
        shapes.extend([true, false].map(|flag| Shape::closed(json!(flag))));
        return;
    }
    if kinds == ["integer"] || kinds == ["number"] {
        let most = declared["maximum"].as_f64().unwrap_or(f64::MAX);
        if most >= 99_999_999.0 {
            shapes.push(Shape {
                written: json!(VAR),
                given: Given::Number,
            });
        }
        let least = declared["minimum"].as_f64().map_or(0, |least| least as i64);
        shapes.extend(there.cloned().map(Shape::closed));
        shapes.extend([least + 1, least].map(|number| Shape::closed(json!(number))));
        return;
    }
    match there.and_then(Value::as_str) {
        // What names another resource.
        Some(text) if text.contains("${") => shapes.push(Shape::declared(&json!(text))),
        Some(text) if !is_free(text) => {
            shapes.push(Shape::text(text, ""));
            shapes.push(Shape::closed(json!(text)));
            return;
        }
        _ => {}
    }
    shapes.push(Shape::text("", ""));
    for (before, after) in [
        ("arn:aws:iam::000000000000:role/", ""),
        ("/", ""),
        ("/", "/"),
        ("/mnt/", ""),
        ("o-", ""),
        ("integrations/", ""),
        ("lambda:", ""),
        ("https://", ".example.com/"),
    ] {
        shapes.push(Shape::text(before, after));
    }
}

/// The document to plant in: what the table says, or the example's with a condition in it.
fn document(name: &str, table: &[(&str, &str)], there: Option<&Value>, declared: &Value) -> Value {
    let of = name.rsplit_once(' ').map_or(name, |(of, _)| of);
    if let Some((_, text)) = table.iter().find(|(row, _)| *row == of) {
        return serde_json::from_str(text).unwrap();
    }
    let mut document = match there {
        Some(Value::Object(map)) => Value::Object(map.clone()),
        _ => example(declared),
    };
    let is_key = std::ptr::eq(table, KEYED);
    if declared["document"] != "policy" {
        let (key, value) = if is_key {
            (MARK, "a")
        } else {
            ("planted", MARK)
        };
        document[key] = json!(value);
        return document;
    }
    let statement = match &mut document["Statement"] {
        Value::Array(list) => &mut list[0],
        one => one,
    };
    statement["Condition"] = match is_key {
        true => json!({"StringEquals": {(format!("aws:RequestTag/{MARK}")): "a"}}),
        false => json!({"StringEquals": {"aws:UserAgent": MARK}}),
    };
    document
}

/// What the example has, or a value of the schema, with the mark in each string that is free.
fn marked_within(declared: &Value, there: Option<&Value>) -> Value {
    let value = there.cloned().unwrap_or_else(|| fullest(declared));
    marked(declared, &value)
}

fn marked(declared: &Value, value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let fixed = ["enum", "pattern"]
                .iter()
                .any(|word| declared.get(word).is_some());
            match !fixed && is_free(text) && !text.contains("${") {
                true => json!(MARK),
                false => value.clone(),
            }
        }
        Value::Array(list) => list
            .iter()
            .map(|item| marked(&declared["items"], item))
            .collect(),
        Value::Object(map) => {
            let members = map.iter().map(|(name, value)| {
                let own = &declared["properties"][name];
                let schema = match own.is_null() {
                    true => &declared["additionalProperties"],
                    false => own,
                };
                (name.clone(), marked(schema, value))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// An example with a value in each map and list.
fn fullest(declared: &Value) -> Value {
    match types(declared).first() {
        Some(&"object") if declared["additionalProperties"].is_object() => {
            json!({"planted": fullest(&declared["additionalProperties"])})
        }
        Some(&"array") => json!([fullest(&declared["items"])]),
        None => json!({"planted": ["planted"]}),
        _ => example(declared),
    }
}

/// The value with each string in it changed.
pub(super) fn filled(value: &Value, with: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(with(text)),
        Value::Array(list) => list.iter().map(|item| filled(item, with)).collect(),
        Value::Object(map) => {
            let members = map
                .iter()
                .map(|(key, item)| (with(key), filled(item, with)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

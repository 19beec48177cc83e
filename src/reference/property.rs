//! A property or an output of a type, as the reference shows it.

use crate::schema::walk;
use serde_json::{Value, json};

/// A property or an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its name in a stack file.
    pub name: String,
    /// What its value is: `string`, `list of objects`.
    pub shape: String,
    /// Whether it must be given.
    pub is_required: bool,
    /// What else holds of it, a clause each: `0 to 900`, `default 30`.
    pub facts: Vec<String>,
    /// What it is; may be empty, and have several paragraphs.
    pub description: String,
    /// The properties of the object that it is, or of the objects in it.
    pub properties: Vec<Property>,
    /// Whether those are the ones of an object that it stands in.
    pub is_recursive: bool,
}

/// How deep properties are looked at. Definitions that hold themselves end before.
const DEEPEST: usize = 16;
/// How many values of an enum are listed.
const MOST_VALUES: usize = 48;
/// The longest pattern that is shown.
const LONGEST_PATTERN: usize = 72;

/// The properties that a schema declares, required ones first.
pub fn properties(root: &Value, schema: &Value) -> Vec<Property> {
    within(root, schema, &mut Vec::new())
}

fn within<'s>(root: &'s Value, schema: &'s Value, around: &mut Vec<&'s Value>) -> Vec<Property> {
    let required: Vec<&str> = texts(schema.get("required")).collect();
    let mut found: Vec<Property> = Vec::new();
    for (name, declared) in walk::properties(root, schema) {
        if found.iter().any(|property| property.name == *name) {
            continue;
        }
        let is_required = required.contains(&name.as_str());
        found.push(property(root, name, declared, is_required, around));
    }
    found.sort_by_key(|property| !property.is_required);
    found
}

fn property<'s>(
    root: &'s Value,
    name: &str,
    declared: &'s Value,
    is_required: bool,
    around: &mut Vec<&'s Value>,
) -> Property {
    let resolved = walk::resolve(root, declared);
    let own = declared.get("description").and_then(Value::as_str);
    let description = own.or_else(|| resolved.get("description").and_then(Value::as_str));
    let inner = innermost(root, resolved);
    let has_members = inner.get("document").is_none() && !walk::properties(root, inner).is_empty();
    let is_recursive = has_members && around.iter().any(|outer| std::ptr::eq(*outer, inner));
    let mut inside = Vec::new();
    if has_members && !is_recursive && around.len() < DEEPEST {
        around.push(inner);
        inside = within(root, inner, around);
        around.pop();
    }
    Property {
        name: name.to_owned(),
        shape: shape(root, resolved, DEEPEST),
        is_required,
        facts: facts(declared, resolved),
        description: description.unwrap_or_default().trim().to_owned(),
        properties: inside,
        is_recursive,
    }
}

/// The schema of what a list or a map holds, at any depth, or the schema itself.
fn innermost<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let mut at = schema;
    for _ in 0..DEEPEST {
        let values = at.get("additionalProperties").filter(|it| it.is_object());
        match walk::items(root, at).or_else(|| values.map(|it| walk::resolve(root, it))) {
            Some(inner) if at.get("properties").is_none() => at = inner,
            _ => break,
        }
    }
    at
}

/// What a value is, in the words of the language.
fn shape(root: &Value, schema: &Value, deep: usize) -> String {
    let schema = walk::resolve(root, schema);
    match schema.get("document").and_then(Value::as_str) {
        Some("policy") => return "policy document".to_owned(),
        Some(_) => return "JSON document".to_owned(),
        None => {}
    }
    if deep == 0 {
        return "value".to_owned();
    }
    let named: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        types => texts(types).collect(),
    };
    match named.as_slice() {
        [] => untyped(root, schema, deep),
        [only] => one(root, schema, only, deep),
        several => {
            let shapes = several.iter().map(|name| one(root, schema, name, deep));
            shapes.collect::<Vec<_>>().join(" or ")
        }
    }
}

fn untyped(root: &Value, schema: &Value, deep: usize) -> String {
    let mut shapes = Vec::new();
    for keyword in ["oneOf", "anyOf", "allOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array);
        for branch in branches.into_iter().flatten() {
            let shape = shape(root, branch, deep - 1);
            if !shapes.contains(&shape) {
                shapes.push(shape);
            }
        }
    }
    shapes.retain(|shape| shape != "value");
    if shapes.is_empty() {
        return of_keywords(schema).to_owned();
    }
    shapes.join(" or ")
}

/// What a schema without a type means, by the keywords that it has.
fn of_keywords(schema: &Value) -> &'static str {
    let values = schema.get("enum").and_then(Value::as_array);
    let has = |keywords: &[&str]| keywords.iter().any(|it| schema.get(it).is_some());
    if has(&["properties"]) {
        "object"
    } else if has(&["minLength", "maxLength", "pattern"])
        || values.is_some_and(|values| values.iter().all(Value::is_string))
    {
        "string"
    } else if has(&["minimum", "maximum"]) {
        "number"
    } else {
        "value"
    }
}

fn one(root: &Value, schema: &Value, name: &str, deep: usize) -> String {
    match name {
        "integer" | "number" => "number".to_owned(),
        "boolean" => "bool".to_owned(),
        "array" => {
            let is_set = schema.get("set") == Some(&Value::Bool(true));
            let list = if is_set { "set" } else { "list" };
            match walk::items(root, schema) {
                Some(items) => format!("{list} of {}", plural(&shape(root, items, deep - 1))),
                None => list.to_owned(),
            }
        }
        "object" => {
            let values = schema.get("additionalProperties");
            match values.filter(|values| values.is_object()) {
                Some(values) if schema.get("properties").is_none() => {
                    format!("map of {}", plural(&shape(root, values, deep - 1)))
                }
                _ => "object".to_owned(),
            }
        }
        other => other.to_owned(),
    }
}

fn plural(shape: &str) -> String {
    let several = |shape: &str| match shape.split_once(' ') {
        Some((first, rest)) if rest.starts_with("of ") => format!("{first}s {rest}"),
        _ => format!("{shape}s"),
    };
    let parts: Vec<String> = shape.split(" or ").map(several).collect();
    parts.join(" or ")
}

/// A short list of what else holds.
fn facts(declared: &Value, resolved: &Value) -> Vec<String> {
    let of = |keyword: &str| declared.get(keyword).or_else(|| resolved.get(keyword));
    let is = |keyword: &str| of(keyword) == Some(&Value::Bool(true));
    let mut facts = Vec::new();
    if let Some(Value::Array(values)) = of("enum") {
        facts.push(values_of(values));
    }
    if let Some(only) = of("const") {
        facts.push(format!("always {}", plain(only)));
    }
    for (least, most, unit) in [
        ("minimum", "maximum", ["", ""]),
        ("minLength", "maxLength", [" character", " characters"]),
        ("minItems", "maxItems", [" item", " items"]),
        ("minProperties", "maxProperties", [" entry", " entries"]),
    ] {
        facts.extend(range(of(least), of(most), unit));
    }
    if let Some(pattern) = of("pattern").and_then(Value::as_str)
        && pattern.len() <= LONGEST_PATTERN
    {
        facts.push(format!("matches {pattern}"));
    }
    if let Some(default) = of("default") {
        facts.push(format!("default {}", plain(default)));
    }
    for (keyword, says) in [
        ("createOnly", "a change replaces the resource"),
        ("conditionalCreateOnly", "a change may replace the resource"),
        ("sensitive", "secret"),
        ("writeOnly", "no read returns it"),
        ("localFile", "the path of a local file"),
        ("deprecated", "deprecated"),
        ("volatile", "an update may change it"),
    ] {
        if is(keyword) {
            facts.push(says.to_owned());
        }
    }
    facts
}

fn values_of(values: &[Value]) -> String {
    let shown: Vec<String> = values.iter().take(MOST_VALUES).map(plain).collect();
    let more = values.len() - shown.len();
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("one of {}{rest}", shown.join(", "))
}

fn range(least: Option<&Value>, most: Option<&Value>, [one, many]: [&str; 2]) -> Option<String> {
    let least = least.filter(|least| many.is_empty() || least.as_u64() != Some(0));
    let counted = |number: &Value| match number.as_u64() {
        Some(1) => format!("1{one}"),
        _ => format!("{number}{many}"),
    };
    Some(match (least, most) {
        (Some(least), Some(most)) if least == most => format!("exactly {}", counted(most)),
        (Some(least), Some(most)) => format!("{least} to {}", counted(most)),
        (Some(least), None) => format!("at least {}", counted(least)),
        (None, Some(most)) => format!("at most {}", counted(most)),
        (None, None) => return None,
    })
}

/// A value as a stack file has it, in one line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{key}: {}", plain(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items = items.iter().map(plain);
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str)
}

impl Property {
    /// The property as JSON, with those below it.
    pub fn json(&self) -> Value {
        let inside: Vec<Value> = self.properties.iter().map(Self::json).collect();
        json!({
            "name": self.name,
            "type": self.shape,
            "required": self.is_required,
            "facts": self.facts,
            "description": self.description,
            "properties": inside,
        })
    }

    /// How many properties there are down to so many levels, itself counted.
    pub fn count(&self, levels: usize) -> usize {
        match levels.checked_sub(1) {
            None => 0,
            Some(left) => {
                let inside = self.properties.iter().map(|property| property.count(left));
                1 + inside.sum::<usize>()
            }
        }
    }

    /// How many levels of properties there are, itself counted.
    pub fn levels(&self) -> usize {
        1 + self.properties.iter().map(Self::levels).max().unwrap_or(0)
    }

    /// The property at these names below it.
    pub fn at<'p>(&'p self, names: &[&str]) -> Option<&'p Self> {
        match names {
            [] => Some(self),
            [name, rest @ ..] => {
                let inside = self.properties.iter().find(|inner| inner.name == *name)?;
                inside.at(rest)
            }
        }
    }
}

//! Values that a type takes, made from its schema: for tests, for examples, and for a cloud that
//! only plays one.

use super::declaration::declaration;
use super::kind::RegistryType;
use super::strings::Wanted;
use super::{arn_template, nothing};
use crate::data::Data;
use crate::schema::{Schema, walk};
use serde_json::{Map, Value, json};

/// How many ways through the alternatives of a schema are tried.
const ATTEMPTS: usize = 12;
/// How deep values are nested at most, and from where on lists are empty that may be.
const DEEPEST: usize = 24;
const DEEP: usize = 8;

/// The fewest properties that the type's schema takes: those that it requires, with the first value
/// of an enum, and one item in a list. Other seeds give other strings and numbers. Where no attempt
/// satisfies the whole schema it is the first one.
pub fn instance(kind: &RegistryType, seed: u64) -> Value {
    instance_of(declaration(kind), seed)
}

/// The same, of a declaration.
pub(super) fn instance_of(schema: &Schema, seed: u64) -> Value {
    let mut first = None;
    for attempt in 0..ATTEMPTS {
        let made = Maker {
            root: &schema.properties,
            seed,
            attempt,
            plain: "example".to_owned(),
        };
        let Some(value) = made.value(&schema.properties, "", 0, 0) else {
            continue;
        };
        if schema.validate(&Data::from(value.clone())).is_empty() {
            return value;
        }
        first.get_or_insert(value);
    }
    first.unwrap_or_else(|| json!({}))
}

/// A value of the property at a path, read-only ones too: an id in its pattern, an ARN by the
/// type's template, or a name made of the type and the seed. Null where the path leads nowhere.
pub fn sample(kind: &RegistryType, path: &str, seed: u64) -> Value {
    let last = path
        .rsplit('/')
        .find(|name| *name != "*")
        .unwrap_or_default();
    let word = kind
        .name()
        .rsplit("::")
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let plain = match arn_template(kind.name()) {
        Some(template) if last.to_lowercase().ends_with("arn") => arn(template, &word, seed),
        _ if last.to_lowercase().ends_with("arn") => {
            let service = kind
                .name()
                .split("::")
                .nth(1)
                .unwrap_or_default()
                .to_lowercase();
            format!("arn:aws:{service}:us-east-1:123456789012:{word}/{word}-{seed}")
        }
        _ => format!("{word}-{seed}"),
    };
    let found = kind.at(path);
    let Some(schema) = found.first() else {
        return Value::Null;
    };
    let made = Maker {
        root: kind.schema(),
        seed,
        attempt: 0,
        plain,
    };
    made.value(schema, last, 0, 0)
        .unwrap_or_else(|| made.plain.clone().into())
}

/// An ARN of a template, with names and numbers in the places.
fn arn(template: &str, word: &str, seed: u64) -> String {
    let mut text = String::new();
    for part in template.split("${") {
        match part.split_once('}') {
            Some((name, rest)) => {
                match name {
                    "Partition" => text.push_str("aws"),
                    "Region" => text.push_str("us-east-1"),
                    "Account" => text.push_str("123456789012"),
                    _ => text.push_str(&format!("{word}-{seed}")),
                }
                text.push_str(rest);
            }
            None => text.push_str(part),
        }
    }
    text
}

/// One way through the alternatives.
struct Maker<'a> {
    root: &'a Value,
    seed: u64,
    attempt: usize,
    /// A string where any will do.
    plain: String,
}

impl Maker<'_> {
    /// A value; `nth` tells the items of a list apart. None where the schema cannot be satisfied.
    fn value(&self, schema: &Value, name: &str, deep: usize, nth: u64) -> Option<Value> {
        if deep > DEEPEST {
            return None;
        }
        let schema = Value::Object(self.flat(schema, deep));
        if let Some(only) = schema.get("const") {
            return Some(only.clone());
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let at = usize::try_from(nth).ok()? % values.len().max(1);
            return values.get(at).cloned();
        }
        match kind(&schema) {
            "object" => self.object(&schema, deep, nth),
            "array" => self.array(&schema, name, deep),
            "integer" => number(&schema, nth, true),
            "number" => number(&schema, nth, false),
            "boolean" => Some((nth % 2 == 1).into()),
            "null" => Some(Value::Null),
            _ => self.string(&schema, name, nth),
        }
    }

    /// The schema with its references followed and one of its alternatives in it.
    fn flat(&self, schema: &Value, deep: usize) -> Map<String, Value> {
        let mut flat = walk::resolve(self.root, schema)
            .as_object()
            .cloned()
            .unwrap_or_default();
        let beside = schema.as_object().into_iter().flatten();
        for (keyword, value) in beside.filter(|(keyword, _)| *keyword != "$ref") {
            flat.insert(keyword.clone(), value.clone());
        }
        if deep > DEEPEST {
            return flat;
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Value::Array(branches)) = flat.remove(keyword) {
                let at = (self.attempt / (1 + deep % 3)) % branches.len().max(1);
                if let Some(branch) = branches.get(at) {
                    merge(&mut flat, self.flat(branch, deep + 1));
                }
            }
        }
        if let Some(Value::Array(branches)) = flat.remove("allOf") {
            for branch in branches {
                merge(&mut flat, self.flat(&branch, deep + 1));
            }
        }
        if flat.contains_key("if") && self.attempt % 2 == 1 {
            if let Some(then) = flat.remove("then") {
                merge(&mut flat, self.flat(&then, deep + 1));
            }
        }
        flat
    }

    fn object(&self, schema: &Value, deep: usize, nth: u64) -> Option<Value> {
        if let Some(document) = schema.get("document") {
            return Some(match document.as_str() {
                Some("policy") => json!({"Version": "2012-10-17", "Statement": []}),
                _ => json!({}),
            });
        }
        let none = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let mut names: Vec<&str> = texts(schema.get("required")).collect();
        let mut at = 0;
        while let Some(name) = names.get(at) {
            let needed = schema
                .get("dependentRequired")
                .and_then(|all| all.get(*name));
            let more: Vec<&str> = texts(needed).filter(|name| !names.contains(name)).collect();
            names.extend(more);
            at += 1;
        }
        let fewest = schema
            .get("minProperties")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        let fewest = usize::try_from(fewest).ok()?;
        let others = properties.keys().map(String::as_str);
        let others: Vec<&str> = others.filter(|name| !names.contains(name)).collect();
        let missing = fewest.saturating_sub(names.len());
        names.extend(
            others
                .into_iter()
                .cycle()
                .skip(self.attempt)
                .take(missing.min(properties.len())),
        );
        let mut made = Map::new();
        for name in names {
            let others = schema
                .get("additionalProperties")
                .filter(|it| it.is_object());
            let declared = properties.get(name).or(others).unwrap_or(nothing());
            made.insert(name.to_owned(), self.value(declared, name, deep + 1, nth)?);
        }
        while made.len() < fewest {
            let (key, value) = self.entry(schema, made.len() as u64, deep)?;
            if made.insert(key, value).is_some() {
                return None;
            }
        }
        Some(made.into())
    }

    /// An entry of a map.
    fn entry(&self, schema: &Value, nth: u64, deep: usize) -> Option<(String, Value)> {
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let pattern = patterns.and_then(|all| all.iter().next());
        let keys = schema.get("propertyNames").unwrap_or(nothing());
        let own = json!({"pattern": pattern.map(|(key, _)| key)});
        let keys = if pattern.is_some() { &own } else { keys };
        let key = self.string(keys, "key", nth)?;
        let values = pattern
            .map(|(_, values)| values)
            .or(schema.get("additionalProperties"));
        let value = self.value(
            values.filter(|it| it.is_object()).unwrap_or(nothing()),
            "value",
            deep + 1,
            nth,
        )?;
        Some((key.as_str()?.to_owned(), value))
    }

    fn array(&self, schema: &Value, name: &str, deep: usize) -> Option<Value> {
        let says = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
        let fewest = says("minItems").unwrap_or(0);
        let usual = u64::from(deep < DEEP && says("maxItems") != Some(0));
        let items = schema.get("items").filter(|items| items.is_object());
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let mut made = Vec::new();
        for nth in 0..fewest.max(usual) {
            let of_place = first.and_then(|all| all.get(made.len()));
            let item = of_place.or(items).unwrap_or(nothing());
            match self.value(item, name, deep + 1, nth) {
                Some(value) => made.push(value),
                None if (made.len() as u64) < fewest => return None,
                None => break,
            }
        }
        Some(made.into())
    }

    fn string(&self, schema: &Value, name: &str, nth: u64) -> Option<Value> {
        let says = |keyword: &str| {
            let found = schema.get(keyword).and_then(Value::as_u64);
            found.and_then(|found| usize::try_from(found).ok())
        };
        let wanted = Wanted {
            pattern: schema.get("pattern").and_then(Value::as_str),
            shortest: says("minLength").unwrap_or(0),
            longest: says("maxLength").unwrap_or(1024),
        };
        let is_arn = name.ends_with("Arn") || name.ends_with("ARN");
        let mut plain = match is_arn && !self.plain.starts_with("arn:") {
            true => "arn:aws:iam::123456789012:role/example".to_owned(),
            false => self.plain.clone(),
        };
        if nth > 0 {
            // In front, where no cut reaches it.
            plain = match is_arn {
                true => format!("{plain}{nth}"),
                false => format!("{}{plain}", char::from(b'a' + u8::try_from(nth % 26).ok()?)),
            };
        }
        // What the type calls a string fits the pattern, often.
        wanted
            .string(&plain, self.seed + nth, self.attempt)
            .map(Value::String)
    }
}

/// The type of value to make.
fn kind(schema: &Value) -> &str {
    let has = |keyword: &str| schema.get(keyword).is_some();
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            let mut all = names.iter().filter_map(Value::as_str);
            let object = names.iter().any(|name| name == "object");
            match object && (has("document") || has("properties")) {
                true => "object",
                false => all.find(|name| *name != "null").unwrap_or("string"),
            }
        }
        _ if has("properties") || has("additionalProperties") || has("required") => "object",
        _ if has("items") => "array",
        _ if has("minimum") || has("maximum") => "integer",
        _ => "string",
    }
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str)
}

/// Puts what one alternative says into the schema around it.
fn merge(into: &mut Map<String, Value>, branch: Map<String, Value>) {
    for (keyword, value) in branch {
        match (keyword.as_str(), into.get_mut(&keyword), value) {
            ("required", Some(Value::Array(all)), Value::Array(more)) => {
                let more: Vec<Value> = more
                    .into_iter()
                    .filter(|name| !all.contains(name))
                    .collect();
                all.extend(more);
            }
            ("properties", Some(Value::Object(all)), Value::Object(more)) => {
                for (name, schema) in more {
                    match (all.get_mut(&name), schema) {
                        (Some(Value::Object(known)), Value::Object(schema)) => merge(known, schema),
                        (_, schema) => {
                            all.insert(name, schema);
                        }
                    }
                }
            }
            (_, _, value) => {
                into.insert(keyword, value);
            }
        }
    }
}

/// The least number that a schema takes, from 1 on where it may be.
fn number(schema: &Value, nth: u64, whole: bool) -> Option<Value> {
    let says = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "a place in a list")]
    let nth = nth as f64;
    let step = says("multipleOf").unwrap_or(1.0);
    let least = says("minimum").or(says("exclusiveMinimum").map(|least| least + step));
    let most = says("maximum").or(says("exclusiveMaximum").map(|most| most - step));
    let least = least.unwrap_or_else(|| most.map_or(1.0, |most| most.min(1.0)));
    let value = ((least / step).ceil() + nth) * step;
    let value = most.filter(|most| value > *most).unwrap_or(value);
    if whole || value.fract() == 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "bounds of a schema")]
        return Some((value as i64).into());
    }
    serde_json::Number::from_f64(value).map(Value::Number)
}

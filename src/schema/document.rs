//! Properties that hold a JSON document: plain YAML in the file, JSON text at AWS.

use crate::data::Path;
use crate::schema::conform::{drop_members, plain};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// A JSON document, given as YAML or as JSON text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Document(pub Value);

/// An IAM policy document; two of them are compared by meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policy(pub Value);

impl Document {
    /// The text to send: compact JSON, or the given text as it stands.
    pub fn text(&self) -> String {
        text(&self.0)
    }

    /// A document from the text that AWS returned; text that is not JSON stays a string.
    pub fn parse(text: &str) -> Self {
        Self(parse(text))
    }
}

impl Policy {
    /// The text to send: compact JSON, or the given text as it stands.
    pub fn text(&self) -> String {
        text(&self.0)
    }

    /// A policy from the text that AWS returned; text that is not JSON stays a string.
    pub fn parse(text: &str) -> Self {
        Self(parse(text))
    }

    /// A policy from percent-encoded text, as IAM returns it (a `+` is a plus).
    pub fn parse_encoded(text: &str) -> Self {
        Self(parse(
            &percent_encoding::percent_decode_str(text).decode_utf8_lossy(),
        ))
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Removes the members that are null, at any depth and in a document given as text too; what is not
/// known yet stays. A null in a list stays as well.
pub fn drop_nulls(document: &mut Value, path: &Path, unknown: &BTreeMap<Path, String>) {
    match document {
        Value::String(text) if text.contains("null") => {
            let Ok(mut parsed @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
            else {
                return;
            };
            let before = parsed.clone();
            drop_in(&mut parsed, path, unknown);
            if parsed != before {
                *text = parsed.to_string();
            }
        }
        value => drop_in(value, path, unknown),
    }
}

fn drop_in(value: &mut Value, path: &Path, unknown: &BTreeMap<Path, String>) {
    match value {
        Value::Object(map) => {
            drop_members(map, path, unknown);
            for (key, value) in map.iter_mut().filter(|(_, value)| !is_leaf(value)) {
                drop_in(value, &path.join(key), unknown);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate().filter(|(_, it)| !is_leaf(it)) {
                drop_in(item, &path.join(index), unknown);
            }
        }
        _ => {}
    }
}

fn is_leaf(value: &Value) -> bool {
    !matches!(value, Value::Object(_) | Value::Array(_))
}

/// The document with numbers in one form, so that two can be compared: `1.0` is `1`.
pub fn comparable(mut document: Value) -> Value {
    fn plain_numbers(value: &mut Value) {
        match value {
            Value::Number(number) => {
                if let Some(plain) = plain(number) {
                    *number = plain;
                }
            }
            Value::Object(map) => map.values_mut().for_each(plain_numbers),
            Value::Array(items) => items.iter_mut().for_each(plain_numbers),
            _ => {}
        }
    }
    plain_numbers(&mut document);
    document
}

/// The parsed form of a document that may be given as text.
pub fn parse(text: &str) -> Value {
    parsed(text).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// No document has more bytes: the longest that a service takes has a few hundred thousand.
const LONGEST: usize = 1 << 20;

/// The JSON of a text; none where it is not JSON, or would lose something by being parsed: a key
/// that repeats, or one that the parser takes for its own.
pub fn parsed(text: &str) -> Option<Value> {
    // `arbitrary_precision` of serde_json reads a map of this key as a number.
    if text.len() > LONGEST || text.contains("$serde_json") {
        return None;
    }
    serde_json::from_str::<UniqueKeys>(text).ok()?;
    serde_json::from_str(text).ok()
}

/// A JSON value in which no key repeats; what it is, is not kept.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    // A number that is not an integer comes as a map, too.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            entries.next_value::<Self>()?;
            if !seen.insert(key) {
                return Err(de::Error::custom("a key repeats"));
            }
        }
        Ok(self)
    }
}

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["object", "array", "string"], "document": "json"})
    }
}

impl JsonSchema for Policy {
    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["object", "string"], "document": "policy"})
    }
}

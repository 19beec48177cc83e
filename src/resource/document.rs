//! Properties that hold a JSON document: plain YAML in the file, JSON text at AWS.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

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

    /// A document from the text that AWS returned; text that is no JSON stays a string.
    pub fn parse(text: &str) -> Self {
        Self(parse(text))
    }
}

impl Policy {
    /// The text to send: compact JSON, or the given text as it stands.
    pub fn text(&self) -> String {
        text(&self.0)
    }

    /// A policy from the text that AWS returned; text that is no JSON stays a string.
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

/// The parsed form of a document that may be given as text.
pub fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
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

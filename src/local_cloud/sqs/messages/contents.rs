//! What a message may hold, and the checksums of it (SQS API reference, SendMessage; developer
//! guide, "Amazon SQS message metadata").

use super::super::{invalid_value, missing, refusal};
use crate::local_cloud::json::Input;
use crate::local_cloud::service::Refusal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

/// The most attributes that a message may have.
const MOST_ATTRIBUTES: usize = 10;

/// The body of a message.
pub(super) fn body(input: &Input) -> Result<&str, Refusal> {
    let body = input.text("MessageBody")?.unwrap_or_default();
    if body.is_empty() {
        return Err(missing("MessageBody"));
    }
    characters(body)?;
    Ok(body)
}

/// Refuses what XML 1.0 cannot hold.
fn characters(text: &str) -> Result<(), Refusal> {
    let is_valid = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(is_valid) {
        return Ok(());
    }
    Err(refusal(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF \
         | #xE000 to #xFFFD | #x10000 to #x10FFFF.",
    ))
}

/// The attributes of a message, checked, in the form of the API.
pub(super) fn attributes(input: &Input) -> Result<Map<String, Value>, Refusal> {
    let sent = input.input_map("MessageAttributes")?;
    if sent.len() > MOST_ATTRIBUTES {
        let message = format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MOST_ATTRIBUTES}].",
            sent.len()
        );
        return Err(refusal("InvalidParameterValue", message));
    }
    let mut all = Map::new();
    for (name, attribute) in &sent {
        check_name(name)?;
        all.insert(name.clone(), value(name, attribute)?);
    }
    Ok(all)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let lower = name.to_ascii_lowercase();
    let is_valid = (1..=256).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !["aws.", "amazon."].iter().any(|it| lower.starts_with(it));
    match is_valid {
        true => Ok(()),
        false => Err(refusal(
            "InvalidParameterValue",
            format!("The message attribute name '{name}' is invalid."),
        )),
    }
}

/// An attribute with its type and its value.
fn value(name: &str, input: &Input) -> Result<Value, Refusal> {
    let invalid = |why: &str| {
        refusal(
            "InvalidParameterValue",
            format!("The message attribute '{name}' {why}"),
        )
    };
    let kind = input.text("DataType")?.unwrap_or_default();
    let base = kind.split('.').next().unwrap_or_default();
    if kind.is_empty() {
        return Err(invalid("must contain a non-empty message attribute type."));
    }
    if kind.len() > 256 || !["String", "Number", "Binary"].contains(&base) {
        return Err(invalid(
            "has an invalid message attribute type, the set of supported type prefixes is Binary, \
             Number, and String.",
        ));
    }
    if base == "Binary" {
        let text = input.text("BinaryValue")?.unwrap_or_default();
        let bytes = STANDARD.decode(text).map_err(|_| {
            let message = "BinaryValue has the wrong type.";
            refusal("SerializationException", message)
        })?;
        return match bytes.is_empty() {
            true => Err(invalid(
                "must contain a non-empty message attribute value for message attribute type \
                 'Binary'.",
            )),
            false => Ok(json!({"DataType": kind, "BinaryValue": text})),
        };
    }
    let text = input.text("StringValue")?.unwrap_or_default();
    if text.is_empty() {
        return Err(invalid(&format!(
            "must contain a non-empty message attribute value for message attribute type \
             '{base}'."
        )));
    }
    characters(text)?;
    let is_number = || text.len() <= 256 && text.parse::<f64>().is_ok_and(f64::is_finite);
    if base == "Number" && !is_number() {
        return Err(invalid("must have a number as its value."));
    }
    Ok(json!({"DataType": kind, "StringValue": text}))
}

/// The trace header, the one system attribute that can be sent.
pub(super) fn trace(input: &Input) -> Result<Option<String>, Refusal> {
    let sent = input.input_map("MessageSystemAttributes")?;
    if let Some(other) = sent.keys().find(|name| *name != "AWSTraceHeader") {
        return Err(invalid_value(
            other,
            "MessageSystemAttributes",
            "Only AWSTraceHeader is supported.",
        ));
    }
    match sent.get("AWSTraceHeader") {
        None => Ok(None),
        Some(header) => {
            let value = header.text("StringValue")?.unwrap_or_default();
            Ok(Some(value.to_owned()))
        }
    }
}

/// The trace header as the system attribute that was sent.
pub(super) fn trace_attribute(trace: &str) -> Map<String, Value> {
    let value = json!({"DataType": "String", "StringValue": trace});
    Map::from_iter([("AWSTraceHeader".to_owned(), value)])
}

/// How many bytes a message has: its body, and the names, types and values of its attributes.
pub(super) fn size(body: &str, attributes: &Map<String, Value>) -> usize {
    let attributes = attributes.iter().map(|(name, value)| {
        name.len() + text(value, "DataType").len() + bytes_of(value).map_or(0, |bytes| bytes.len())
    });
    body.len() + attributes.sum::<usize>()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// The bytes of an attribute's value.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match value.get("BinaryValue") {
        Some(binary) => STANDARD.decode(binary.as_str()?).ok(),
        None => Some(text(value, "StringValue").as_bytes().to_vec()),
    }
}

/// The MD5 of a body, in hex.
pub(super) fn md5_of_body(body: &str) -> String {
    hex::encode(Md5::digest(body))
}

/// The MD5 of attributes, in hex: in the order of their names, of each the name, the type, a byte
/// that says whether the value is a string (1) or binary (2), and the value, each with its length
/// before it (developer guide, "Calculating the MD5 message digest for message attributes").
pub(super) fn md5_of_attributes(attributes: &Map<String, Value>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut hash = Md5::new();
    let mut add = |bytes: &[u8], kind: Option<u8>| {
        hash.update(kind.as_slice());
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(bytes);
    };
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort();
    for name in names {
        let value = &attributes[name];
        let kind = if value["BinaryValue"].is_null() { 1 } else { 2 };
        add(name.as_bytes(), None);
        add(text(value, "DataType").as_bytes(), None);
        add(&bytes_of(value).unwrap_or_default(), Some(kind));
    }
    Some(hex::encode(hash.finalize()))
}

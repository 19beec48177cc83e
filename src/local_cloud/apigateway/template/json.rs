//! JSON texts as values of a template, and values as JSON.

use super::value::{DEEPEST, Value, java_double};
use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The key under which `serde_json` hands on a number as its file writes it.
const NUMBER: &str = "$serde_json::private::Number";

/// The value of a JSON text; keys keep their order.
///
/// # Errors
/// What is wrong with the text, and where.
pub(in crate::local_cloud::apigateway) fn parse(text: &str) -> Result<Value, String> {
    let read: Result<Read, _> = serde_json::from_str(text);
    read.map(|read| read.0).map_err(|error| error.to_string())
}

/// The value of JSON that is parsed already.
pub(super) fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(it) => Value::Bool(*it),
        serde_json::Value::Number(it) => number(&it.to_string()),
        serde_json::Value::String(it) => Value::from(it.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(value_of).collect()),
        serde_json::Value::Object(pairs) => Value::map(
            pairs
                .iter()
                .map(|(key, value)| (key.clone(), value_of(value)))
                .collect(),
        ),
    }
}

struct Read(Value);

impl<'d> Deserialize<'d> for Read {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader).map(Read)
    }
}

struct Reader;

impl<'d> Visitor<'d> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Value, E> {
        Ok(Value::Bool(it))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Value, E> {
        Ok(Value::Int(it.into()))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Value, E> {
        Ok(Value::Int(it.into()))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Value, E> {
        Ok(Value::Float(it))
    }

    fn visit_str<E>(self, it: &str) -> Result<Value, E> {
        Ok(Value::from(it))
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Read(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::list(all))
    }

    fn visit_map<A: MapAccess<'d>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut all = IndexMap::new();
        while let Some(key) = pairs.next_key::<String>()? {
            let Read(value) = pairs.next_value()?;
            if let (NUMBER, Value::Text(text), true) = (key.as_str(), &value, all.is_empty()) {
                return Ok(number(text));
            }
            all.insert(key, value);
        }
        Ok(Value::map(all))
    }
}

/// A number as Java reads it: an integer where it has neither decimals nor an exponent.
fn number(text: &str) -> Value {
    match text.parse() {
        Ok(integer) => Value::Int(integer),
        Err(_) => text
            .parse()
            .map_or_else(|_| Value::from(text), Value::Float),
    }
}

/// A value as JSON, without blanks; none where lists and maps are nested too deep.
pub(super) fn write(value: &Value) -> Option<String> {
    let mut out = String::new();
    write_to(value, &mut out, 0).map(|()| out)
}

fn write_to(value: &Value, out: &mut String, depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::Int(it) => out.push_str(&it.to_string()),
        Value::Float(it) => out.push_str(&java_double(*it)),
        Value::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
        Value::Text(it) => quote(it, out),
        Value::List(items) => {
            out.push('[');
            for (place, item) in items.borrow().iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_to(item, out, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(pairs) => {
            out.push('{');
            for (place, (key, value)) in pairs.borrow().iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                quote(key, out);
                out.push(':');
                write_to(value, out, depth + 1)?;
            }
            out.push('}');
        }
        Value::Entry(_) => quote(&value.to_text()?, out),
        Value::Null | Value::Tool(_) | Value::Block(_) => out.push_str("null"),
    }
    Some(())
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

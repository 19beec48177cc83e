//! What a member of a request's body may be, and how a PATCH changes it.

use super::bad;
use crate::local_cloud::service::Refusal;
use serde_json::{Map, Value};

/// A resource of the API, as GET returns it.
pub(super) type Doc = Map<String, Value>;

/// The protocol of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    WebSocket,
    Http,
}

/// What a value must be. Pairs are the least and the most: characters, or a number.
pub(super) enum Shape {
    Text(usize, usize),
    OneOf(&'static [&'static str]),
    Flag,
    Number(i64, i64),
    /// A number that may have decimals, not below zero.
    Rate,
    /// So many strings at most, of such a length.
    List(usize, (usize, usize)),
    /// A map from strings to strings of such a length.
    Texts(usize, usize),
    /// A map from strings to maps of strings.
    Maps,
    Object(&'static [Member]),
    /// A map from strings to JSON objects.
    Objects(&'static [Member]),
}

/// One member of a body.
pub(super) struct Member {
    name: &'static str,
    shape: Shape,
    only: Option<Protocol>,
    needed: bool,
    /// Only read when the resource is created.
    once: bool,
    /// A PATCH changes the keys it names and leaves the others; an empty value removes.
    merged: bool,
}

impl Member {
    /// A member for both protocols that may be omitted and is replaced by a PATCH.
    pub(super) const fn new(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            only: None,
            needed: false,
            once: false,
            merged: false,
        }
    }

    pub(super) const fn only(mut self, protocol: Protocol) -> Self {
        self.only = Some(protocol);
        self
    }

    pub(super) const fn needed(mut self) -> Self {
        self.needed = true;
        self
    }

    pub(super) const fn once(mut self) -> Self {
        self.once = true;
        self
    }

    pub(super) const fn merged(mut self) -> Self {
        self.merged = true;
        self
    }
}

/// The members of a body that the table knows, each one checked. `patch` allows the empty
/// values that clear something.
pub(super) fn read(
    body: &Doc,
    table: &[Member],
    protocol: Protocol,
    patch: bool,
) -> Result<Doc, Refusal> {
    let mut doc = Doc::new();
    for member in table.iter().filter(|member| !(patch && member.once)) {
        let name = member.name;
        let value = match body.get(name) {
            Some(value) if !value.is_null() => value,
            _ if member.needed && !patch => return Err(bad(format!("{name} must be given."))),
            _ => continue,
        };
        if member.only.is_some_and(|only| only != protocol) {
            let other = match protocol {
                Protocol::WebSocket => "WEBSOCKET",
                Protocol::Http => "HTTP",
            };
            return Err(bad(format!(
                "{name} is not supported on protocolType {other}."
            )));
        }
        let clears = patch && !member.needed;
        if !(clears && matches!(member.shape, Shape::Text(..)) && value == "") {
            check(
                name,
                value,
                &member.shape,
                protocol,
                clears && member.merged,
            )?;
        }
        doc.insert(name.to_owned(), value.clone());
    }
    Ok(doc)
}

fn check(
    name: &str,
    value: &Value,
    shape: &Shape,
    protocol: Protocol,
    patch: bool,
) -> Result<(), Refusal> {
    let within = |value: &Value, least: usize, most: usize| {
        value
            .as_str()
            .is_some_and(|text| (least..=most).contains(&text.chars().count()))
    };
    let good = match shape {
        Shape::Text(least, most) => within(value, *least, *most),
        Shape::OneOf(values) => value.as_str().is_some_and(|text| values.contains(&text)),
        Shape::Flag => value.is_boolean(),
        Shape::Number(least, most) => value
            .as_i64()
            .is_some_and(|number| (*least..=*most).contains(&number)),
        Shape::Rate => value.as_f64().is_some_and(|rate| rate >= 0.0),
        Shape::List(items, (least, most)) => value.as_array().is_some_and(|list| {
            list.len() <= *items && list.iter().all(|item| within(item, *least, *most))
        }),
        Shape::Texts(least, most) => value.as_object().is_some_and(|map| {
            map.values()
                .all(|item| within(item, *least, *most) || patch && item == "")
        }),
        Shape::Maps => value.as_object().is_some_and(|map| {
            map.values().all(|inner| {
                inner
                    .as_object()
                    .is_some_and(|inner| inner.values().all(Value::is_string))
            })
        }),
        Shape::Object(table) => match value.as_object() {
            Some(inner) => return read(inner, table, protocol, patch).map(|_| ()),
            None => false,
        },
        Shape::Objects(table) => match value.as_object() {
            Some(map) => {
                for inner in map.values() {
                    check(name, inner, &Shape::Object(table), protocol, patch)?;
                }
                true
            }
            None => false,
        },
    };
    if good {
        return Ok(());
    }
    let wanted = match shape {
        Shape::OneOf(values) => format!("one of {}", values.join(", ")),
        Shape::Text(least, most) => format!("a string of {least} to {most} characters"),
        Shape::Number(least, most) => format!("a number from {least} to {most}"),
        _ => "of another form".to_owned(),
    };
    Err(bad(format!(
        "Invalid value for {name}: {value} must be {wanted}."
    )))
}

/// Puts checked members over a resource: an empty string clears a member.
pub(super) fn merge(doc: &mut Doc, given: Doc, table: &[Member]) {
    for (name, value) in given {
        let merged = table
            .iter()
            .any(|member| member.name == name && member.merged);
        match (value, merged) {
            (Value::String(text), _) if text.is_empty() => {
                doc.remove(&name);
            }
            (Value::Object(new), true) => {
                let old = doc.entry(name).or_insert_with(|| Doc::new().into());
                if let Value::Object(old) = old {
                    merge_keys(old, new);
                }
            }
            (value, _) => {
                doc.insert(name, value);
            }
        }
    }
}

fn merge_keys(old: &mut Doc, new: Doc) {
    for (key, value) in new {
        match value {
            Value::String(text) if text.is_empty() => {
                old.remove(&key);
            }
            Value::Object(map) if map.is_empty() => {
                old.remove(&key);
            }
            Value::Object(map) if old.get(&key).is_some_and(Value::is_object) => {
                if let Some(Value::Object(inner)) = old.get_mut(&key) {
                    inner.extend(map);
                }
            }
            value => {
                old.insert(key, value);
            }
        }
    }
}

/// Fills in what AWS returns for members that nobody gave.
pub(super) fn fill(doc: &mut Doc, defaults: &[(&str, Value)]) {
    for (name, value) in defaults {
        doc.entry((*name).to_owned())
            .or_insert_with(|| value.clone());
    }
}

/// A string member; the empty string where there is none.
pub(super) fn text<'d>(doc: &'d Doc, name: &str) -> &'d str {
    doc.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a boolean member is true.
pub(super) fn is_on(doc: &Doc, name: &str) -> bool {
    doc.get(name) == Some(&Value::Bool(true))
}

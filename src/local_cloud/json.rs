//! The AWS JSON protocols: an operation in the `x-amz-target` header, JSON both ways.

use super::service::{Refusal, Reply, Request};
use crate::resource::aws::tags::is_tag_character;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The operation: what follows the dot in `x-amz-target`.
pub(super) fn operation(request: &Request) -> &str {
    request
        .headers
        .get("x-amz-target")
        .and_then(|target| target.rsplit('.').next())
        .unwrap_or_default()
}

/// A reply; `version` is that of the protocol: `1.0` or `1.1`.
pub(super) fn reply(version: &str, status: u16, body: &Value) -> Reply {
    Reply {
        status,
        headers: vec![(
            "content-type".to_owned(),
            format!("application/x-amz-json-{version}"),
        )],
        body: body.to_string().into(),
    }
}

/// The refusal of an operation that the local cloud does not have.
pub(super) fn unknown(service: &str, operation: &str) -> Refusal {
    Refusal::new(
        400,
        "UnknownOperationException",
        format!("The local cloud does not have {service}:{operation}."),
    )
}

/// The members of a request's body.
pub(super) struct Input(Map<String, Value>);

impl Input {
    /// Reads the body.
    pub(super) fn parse(request: &Request) -> Result<Self, Refusal> {
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            _ if request.body.is_empty() => Ok(Self(Map::new())),
            _ => Err(Refusal::new(
                400,
                "SerializationException",
                "The body is not a JSON object.",
            )),
        }
    }

    fn member<'m, T>(
        &'m self,
        name: &str,
        read: impl FnOnce(&'m Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| {
                Refusal::new(
                    400,
                    "SerializationException",
                    format!("{name} has the wrong type."),
                )
            }),
        }
    }

    /// A string.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        self.member(name, Value::as_str)
    }

    /// An integer.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.member(name, Value::as_i64)
    }

    /// A boolean.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.member(name, Value::as_bool)
    }

    /// A list of structures.
    pub(super) fn inputs(&self, name: &str) -> Result<Option<Vec<Self>>, Refusal> {
        self.member(name, |value| {
            let list = value.as_array()?;
            list.iter()
                .map(|item| Some(Self(item.as_object()?.clone())))
                .collect()
        })
    }

    /// A map to structures.
    pub(super) fn input_map(&self, name: &str) -> Result<BTreeMap<String, Self>, Refusal> {
        let all = self.member(name, |value| {
            let map = value.as_object()?;
            map.iter()
                .map(|(key, value)| Some((key.clone(), Self(value.as_object()?.clone()))))
                .collect()
        })?;
        Ok(all.unwrap_or_default())
    }

    /// A list of strings.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        self.member(name, |value| {
            let list = value.as_array()?;
            list.iter()
                .map(|item| Some(item.as_str()?.to_owned()))
                .collect()
        })
    }

    /// A list.
    pub(super) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, Refusal> {
        self.member(name, Value::as_array)
    }

    /// A map from string to string.
    pub(super) fn map(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Refusal> {
        self.member(name, text_map)
    }
}

/// A JSON object of strings as a map.
pub(super) fn text_map(value: &Value) -> Option<BTreeMap<String, String>> {
    let map = value.as_object()?;
    map.iter()
        .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// What is wrong with tags: too many, a reserved key, a key or value too long, or a
/// character that no AWS tag may have. `least` is the shortest value allowed.
pub(super) fn tags_fault(tags: &BTreeMap<String, String>, least: usize) -> Option<String> {
    let fits = |text: &str| text.chars().all(is_tag_character);
    if tags.len() > 50 {
        return Some("More than 50 tags are given.".to_owned());
    }
    for (key, value) in tags {
        let (length, size) = (key.chars().count(), value.chars().count());
        if !(1..=128).contains(&length) || !fits(key) {
            return Some(format!("The tag key {key:?} is not valid."));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Some(format!(
                "The tag key {key:?} is reserved: it starts with aws:."
            ));
        }
        if !(least..=256).contains(&size) || !fits(value) {
            return Some(format!("The value of the tag {key:?} is not valid."));
        }
    }
    None
}

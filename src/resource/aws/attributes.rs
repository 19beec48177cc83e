//! Properties that a service accepts and returns as a map of attributes, in which every value is a
//! string: a type has a table of them, and its properties go through it both ways.

use crate::data::Inputs;
use crate::resource::declaration::Change;
use crate::resource::error::Error;
use crate::schema::document;
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Attributes by name, as they are sent.
pub type Texts = BTreeMap<&'static str, String>;

/// How a property's value is converted to a string.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Text,
    Number,
    Bool,
    Json,
}

/// A property that is an attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// The property.
    pub property: &'static str,
    /// The attribute's name.
    pub name: &'static str,
    /// What is sent to put the service's default back.
    pub default: &'static str,
    shape: Shape,
}

impl Attribute {
    const fn new(
        shape: Shape,
        property: &'static str,
        name: &'static str,
        default: &'static str,
    ) -> Self {
        Self {
            property,
            name,
            default,
            shape,
        }
    }

    /// One that is a string.
    pub const fn text(property: &'static str, name: &'static str, default: &'static str) -> Self {
        Self::new(Shape::Text, property, name, default)
    }

    /// One that is a number.
    pub const fn number(property: &'static str, name: &'static str, default: &'static str) -> Self {
        Self::new(Shape::Number, property, name, default)
    }

    /// One that is true or false.
    pub const fn bool(property: &'static str, name: &'static str, default: &'static str) -> Self {
        Self::new(Shape::Bool, property, name, default)
    }

    /// One that is a JSON document; the empty string removes it.
    pub const fn json(property: &'static str, name: &'static str) -> Self {
        Self::new(Shape::Json, property, name, "")
    }

    /// The same, reset by another string.
    pub const fn reset_by(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    fn value(&self, text: &str) -> Result<Value, serde_json::Error> {
        Ok(match self.shape {
            Shape::Text => json!(text),
            Shape::Bool => json!(text == "true"),
            Shape::Json => document::parse(text),
            Shape::Number => json!(text.parse::<u64>().map_err(serde_json::Error::custom)?),
        })
    }
}

/// Properties as JSON, those that have a value.
///
/// # Errors
/// When they cannot be written so.
pub fn fields(props: &impl Serialize) -> Result<Inputs, Error> {
    Inputs::of(props).map_err(|error| Error::failed(error.to_string()))
}

/// The value as it goes over the wire; none for one that is empty or absent.
pub fn wire(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Object(map) if map.is_empty() => None,
        other => Some(other.to_string()),
    }
}

/// The attributes that the properties give, for a create.
pub fn given(table: &[Attribute], props: &impl Serialize) -> Result<Texts, Error> {
    let fields = fields(props)?;
    let given = table
        .iter()
        .filter_map(|it| Some((it.name, wire(&fields[it.property])?)));
    Ok(given.collect())
}

/// The attributes to send for a change: new values, and defaults for what was removed.
pub fn changed<P: Serialize>(table: &[Attribute], change: &Change<P>) -> Result<Texts, Error> {
    let fields = fields(&change.new)?;
    let changed = table.iter().filter(|it| change.has(&[it.property]));
    Ok(changed
        .map(|it| {
            let given = wire(&fields[it.property]);
            (it.name, given.unwrap_or_else(|| it.default.to_owned()))
        })
        .collect())
}

/// The properties that live attributes represent; `live` gives one by its name, and `call` is what
/// returned them.
///
/// # Errors
/// When one does not have the form of its property.
pub fn parse<'l, P: DeserializeOwned>(
    table: &[Attribute],
    call: &str,
    live: impl Fn(&str) -> Option<&'l str>,
) -> Result<P, Error> {
    let unreadable = |name: &str, error: &serde_json::Error| {
        Error::failed(format!(
            "{call} gave {name} in a form that cannot be read: {error}"
        ))
    };
    let mut fields = Map::new();
    for it in table {
        if let Some(text) = live(it.name).filter(|text| !text.is_empty()) {
            let value = it
                .value(text)
                .map_err(|error| unreadable(it.name, &error))?;
            fields.insert(it.property.to_owned(), value);
        }
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| unreadable("a value", &error))
}

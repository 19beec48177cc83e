//! The members of a JSON request, with the checks that Lambda's model states.

use super::super::service::Refusal;
use serde_json::{Map, Value};

/// A JSON object of a request. A member that is null counts as absent.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    values: Map<String, Value>,
    /// Where the JSON object is, for messages: empty, or `code.`.
    place: String,
}

impl Members {
    /// From a body; an empty one has no members.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self {
                values,
                place: String::new(),
            }),
            _ => Err(malformed("Could not parse request body into json")),
        }
    }

    /// A member of any kind.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// Whether the member exists.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the JSON object has no member.
    pub(super) fn is_empty(&self) -> bool {
        self.values.values().all(Value::is_null)
    }

    /// A string.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(malformed(&format!("{name} is not a string"))),
        }
    }

    /// A required string.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)?
            .ok_or_else(|| self.violation(name, "null", "Member must not be null"))
    }

    /// A string of up to `max` characters.
    pub(super) fn short(&self, name: &str, max: usize) -> Result<Option<&str>, Refusal> {
        let text = self.text(name)?;
        if let Some(text) = text
            && text.chars().count() > max
        {
            let rule = format!("Member must have length less than or equal to {max}");
            return Err(self.violation(name, text, &rule));
        }
        Ok(text)
    }

    /// One of some strings.
    pub(super) fn choice(&self, name: &str, choices: &[&str]) -> Result<Option<&str>, Refusal> {
        let text = self.text(name)?;
        match text {
            Some(text) if !choices.contains(&text) => {
                let rule = format!(
                    "Member must satisfy enum value set: [{}]",
                    choices.join(", ")
                );
                Err(self.violation(name, text, &rule))
            }
            text => Ok(text),
        }
    }

    /// A number in a range.
    pub(super) fn number(&self, name: &str, min: i64, max: i64) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value
            .as_i64()
            .ok_or_else(|| malformed(&format!("{name} is not an integer")))?;
        let rule = if number < min {
            format!("Member must have value greater than or equal to {min}")
        } else if number > max {
            format!("Member must have value less than or equal to {max}")
        } else {
            return Ok(Some(number));
        };
        Err(self.violation(name, &number.to_string(), &rule))
    }

    /// A yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(malformed(&format!("{name} is not a boolean"))),
        }
    }

    /// A JSON object.
    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(values)) => Ok(Some(Self {
                values: values.clone(),
                place: format!("{}{}.", self.place, small(name)),
            })),
            Some(_) => Err(malformed(&format!("{name} is not an object"))),
        }
    }

    /// A list of strings with up to `max` items.
    pub(super) fn texts(&self, name: &str, max: usize) -> Result<Option<Vec<&str>>, Refusal> {
        let items = match self.get(name) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(malformed(&format!("{name} is not a list"))),
        };
        if items.len() > max {
            let rule = format!("Member must have length less than or equal to {max}");
            return Err(self.violation(name, &Value::from(items.clone()).to_string(), &rule));
        }
        let texts = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
        texts
            .map(Some)
            .ok_or_else(|| malformed(&format!("{name} is not a list of strings")))
    }

    /// A list of JSON objects with up to `max` items.
    pub(super) fn objects(&self, name: &str, max: usize) -> Result<Option<Vec<Self>>, Refusal> {
        let items = match self.get(name) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(malformed(&format!("{name} is not a list"))),
        };
        if items.len() > max {
            let rule = format!("Member must have length less than or equal to {max}");
            return Err(self.violation(name, &Value::from(items.clone()).to_string(), &rule));
        }
        let place = format!("{}{}.", self.place, small(name));
        let objects = items.iter().map(|item| {
            item.as_object().map(|values| Self {
                values: values.clone(),
                place: place.clone(),
            })
        });
        objects
            .collect::<Option<Vec<_>>>()
            .map(Some)
            .ok_or_else(|| malformed(&format!("{name} is not a list of objects")))
    }

    /// A map of strings.
    pub(super) fn map(&self, name: &str) -> Result<Option<Vec<(String, String)>>, Refusal> {
        let Some(object) = self.object(name)? else {
            return Ok(None);
        };
        let pairs = object.values.into_iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            _ => Err(malformed(&format!("{name}.{key} is not a string"))),
        });
        pairs.collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// The refusal of a member's value.
    pub(super) fn violation(&self, name: &str, value: &str, rule: &str) -> Refusal {
        let value: String = value.chars().take(200).collect();
        Refusal::new(
            400,
            "ValidationException",
            format!(
                "1 validation error detected: Value '{value}' at '{}{}' failed to satisfy constraint: {rule}",
                self.place,
                small(name)
            ),
        )
    }
}

/// Messages write members with a small first letter.
fn small(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn malformed(message: &str) -> Refusal {
    Refusal::new(400, "SerializationException", message)
}

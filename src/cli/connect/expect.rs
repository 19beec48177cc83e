//! What a reply must be.

use super::super::error::CliError;
use regex::Regex;
use serde_json::Value;

/// What `--expect` describes.
#[derive(Debug)]
pub(super) enum Expect {
    /// JSON whose members the reply has.
    Json(Value),
    /// A regular expression that the reply matches somewhere.
    Pattern(Regex),
}

impl Expect {
    /// JSON is what begins with `{` or `[`, or is a JSON string.
    pub(super) fn parse(text: &str) -> Result<Self, CliError> {
        let json = serde_json::from_str(text);
        match json {
            Ok(json @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => {
                return Ok(Self::Json(json));
            }
            Err(error) if text.trim_start().starts_with(['{', '[']) => {
                return Err(wrong("JSON", error));
            }
            _ => {}
        }
        let pattern = Regex::new(text);
        pattern
            .map(Self::Pattern)
            .map_err(|error| wrong("regular expression", error))
    }

    /// Whether a reply is what is expected.
    pub(super) fn is_met(&self, reply: &str) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.is_match(reply),
            Self::Json(wanted) => {
                let reply: Result<Value, _> = serde_json::from_str(reply);
                reply.is_ok_and(|reply| has(&reply, wanted))
            }
        }
    }
}

fn wrong(what: &str, error: impl std::error::Error + 'static) -> CliError {
    CliError::new(format!("--expect is no {what}."))
        .caused_by(&error)
        .now("Nothing was sent.")
        .hint("Give JSON, such as '{\"type\": \"welcome\"}', or a regular expression.")
}

/// Whether a value has all that another has: maps may have more members, everything else is equal.
fn has(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| value.get(name).is_some_and(|it| has(it, wanted))),
        (Value::Array(value), Value::Array(wanted)) => {
            let mut pairs = value.iter().zip(wanted);
            value.len() == wanted.len() && pairs.all(|(value, wanted)| has(value, wanted))
        }
        (Value::Number(value), Value::Number(wanted)) => {
            value == wanted || value.as_f64() == wanted.as_f64()
        }
        _ => value == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_met_by_members_or_by_pattern() {
        for (expect, reply, met) in [
            (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#, true),
            (r#"{"a": 1.0}"#, r#"{"a": 1}"#, true),
            (r#"{"a": {"b": []}}"#, r#"{"a": {"b": [], "c": 1}}"#, true),
            (r#"{"a": [1]}"#, r#"{"a": [1, 2]}"#, false),
            (r#"{"a": 1}"#, r#"{"b": 1}"#, false),
            (r#"{"a": 1}"#, "no JSON", false),
            (r#""x""#, r#""x""#, true),
            ("hel+o", "say hello", true),
            ("\"a\": 1", r#"{"a": 1}"#, true),
            ("7", "17", true),
            ("^hello$", "say hello", false),
        ] {
            let expected = Expect::parse(expect).unwrap();
            assert_eq!(expected.is_met(reply), met, "{expect} {reply}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["{a: 1}", "(", "[1"] {
            assert!(Expect::parse(text).is_err(), "{text}");
        }
    }
}

//! Reads maps with known keys, and notes what does not fit.

use super::keys::{self, Key};
use crate::data::Path;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::is_identifier;
use crate::nearest::did_you_mean;
use serde_json::{Map, Value};

/// Collects the mistakes.
#[derive(Default)]
pub(super) struct Reader {
    /// The stack file.
    pub(super) text: String,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// How many of them are about a key that there is not.
    pub(super) unknown_keys: usize,
    /// How many large patterns the variables have.
    pub(super) large_patterns: usize,
}

/// What kind of value it is, with its article, as YAML users say it.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// `name:q`, which YAML reads as a string: the entry that is likely meant.
fn key_without_blank(text: &str) -> Option<String> {
    let (key, value) = text.split_once(':')?;
    let is_key = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    (is_key && !value.is_empty() && !value.starts_with(['/', ':', ' ']))
        .then(|| format!("{key}: {value}"))
}

impl Reader {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn value(&mut self, path: &Path, message: impl Into<String>) -> &mut Diagnostic {
        self.at(Place::Value(path.clone()), message)
    }

    pub(super) fn key(&mut self, path: &Path, message: impl Into<String>) -> &mut Diagnostic {
        self.at(Place::Key(path.clone()), message)
    }

    fn at(&mut self, place: Place, message: impl Into<String>) -> &mut Diagnostic {
        let at = self.diagnostics.len();
        self.diagnostics.push(Diagnostic::error(place, message));
        &mut self.diagnostics[at]
    }

    /// A value that is not what it must be.
    pub(super) fn unfit(&mut self, path: &Path, what: &str, value: &Value) -> &mut Diagnostic {
        let name = path.to_string();
        let name = if name.is_empty() {
            "the stack file".to_owned()
        } else {
            name
        };
        let diagnostic = self.value(
            path,
            format!("{name}: expected {what}, got {}", kind(value)),
        );
        if let Some(key) = value.as_str().and_then(key_without_blank) {
            diagnostic.help = Some(format!("a blank is missing after the colon: {key}"));
        }
        diagnostic
    }

    /// A map; an absent or empty one is empty.
    pub(super) fn map<'v>(
        &mut self,
        value: Option<&'v Value>,
        path: &Path,
    ) -> Option<&'v Map<String, Value>> {
        match value? {
            Value::Object(map) => Some(map),
            Value::Null => None,
            other => {
                self.unfit(path, "a map", other);
                None
            }
        }
    }

    pub(super) fn text(&mut self, value: &Value, path: &Path) -> Option<String> {
        match value {
            Value::String(text) => return Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => {
                self.unfit(path, "a string", value).help = Some("put it in quotes".to_owned());
            }
            other => {
                self.unfit(path, "a string", other);
            }
        }
        None
    }

    pub(super) fn bool(&mut self, value: &Value, path: &Path) -> Option<bool> {
        match value {
            Value::Bool(flag) => Some(*flag),
            other => {
                self.unfit(path, "true or false", other);
                None
            }
        }
    }

    pub(super) fn texts(&mut self, value: &Value, path: &Path) -> Vec<String> {
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| self.text(item, &path.join(index)))
                .collect(),
            Value::Null => Vec::new(),
            other => {
                self.unfit(path, "a list of names", other).help =
                    Some("write a list, even of one: [name]".to_owned());
                Vec::new()
            }
        }
    }

    /// Refuses the keys that are not among the known ones. `elsewhere` says, of a key that is
    /// right in another place, where that is.
    pub(super) fn check_keys(
        &mut self,
        map: &Map<String, Value>,
        path: &Path,
        allowed: &'static [Key],
        elsewhere: fn(&str) -> Option<String>,
    ) {
        let names = keys::names(allowed);
        for key in map.keys() {
            if names.clone().any(|name| name == key) {
                continue;
            }
            let place = path.to_string();
            let place = if place.is_empty() {
                "a stack file".to_owned()
            } else {
                place
            };
            let help = elsewhere(key)
                .or_else(|| did_you_mean(key, names.clone()))
                .unwrap_or_else(|| {
                    let names: Vec<&str> = names.clone().collect();
                    format!("the keys here are {}", names.join(", "))
                });
            self.unknown_keys += 1;
            self.key(&path.join(key), format!("{key:?} is not a key of {place}"))
                .help = Some(help);
        }
    }

    /// Checks a name that expressions use.
    pub(super) fn identifier(&mut self, name: &str, path: &Path, what: &str) -> bool {
        let fits = is_identifier(name);
        if !fits {
            self.key(path, format!("{name:?} cannot be the name of a {what}"))
                .help = Some(
                "names start with a letter or \"_\", and go on in letters, digits, \"_\" and \"-\""
                    .to_owned(),
            );
        }
        fits
    }
}

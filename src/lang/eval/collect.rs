//! Puts values together from parts that may be unknown or secret.

use super::error::EvalError;
use super::value::{LONGEST_TEXT, text};
use crate::data::{Data, Path};
use serde_json::{Map, Value};

/// Puts a list or an object together from values that may be unknown or secret in part.
#[derive(Default)]
pub(super) struct Collector {
    items: Vec<Value>,
    map: Map<String, Value>,
    inner: Data,
    unknown: bool,
    secret: bool,
}

impl Collector {
    fn note(&mut self, path: &Path, data: Data) -> Value {
        self.inner.unknown.extend(
            data.unknown
                .into_iter()
                .map(|(at, text)| (path.concat(&at), text)),
        );
        self.inner
            .secret
            .extend(data.secret.iter().map(|at| path.concat(at)));
        data.value
    }

    /// One more item of a list.
    pub(super) fn item(&mut self, data: Data) {
        let path = Path::root().join(self.items.len());
        let value = self.note(&path, data);
        self.items.push(value);
    }

    /// One more entry of an object.
    pub(super) fn entry(&mut self, key: String, data: Data) {
        let path = Path::root().join(&key);
        let value = self.note(&path, data);
        self.map.insert(key, value);
    }

    /// One more item of the list at a key.
    pub(super) fn grouped(&mut self, key: String, data: Data) {
        let length = self
            .map
            .get(&key)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let path = Path::root().join(&key).join(length);
        let value = self.note(&path, data);
        if let Value::Array(list) = self
            .map
            .entry(key)
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            list.push(value);
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// A key as a string. None where it is unknown: then so is the whole object.
    pub(super) fn key(&mut self, key: Data) -> Result<Option<String>, EvalError> {
        self.depends_on(&key);
        if key.is_known() {
            text(&key.value).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The shape depends on this value: unknown or secret, the whole is.
    pub(super) fn depends_on(&mut self, data: &Data) {
        self.unknown |= !data.is_known();
        self.secrets_of(data);
    }

    /// Only secrecy matters of this value.
    pub(super) fn secrets_of(&mut self, data: &Data) {
        self.secret |= !data.secret.is_empty();
    }

    /// What was put together, as a list.
    pub(super) fn list(mut self) -> Data {
        let items = std::mem::take(&mut self.items);
        self.finish(Value::Array(items))
    }

    /// What was put together, as an object.
    pub(super) fn object(mut self) -> Data {
        let map = std::mem::take(&mut self.map);
        self.finish(Value::Object(map))
    }

    fn finish(self, value: Value) -> Data {
        let mut data = if self.unknown {
            let secret = !self.inner.secret.is_empty();
            let mut data = Data::unknown("");
            data.secret.extend(secret.then(Path::root));
            data
        } else {
            Data {
                value,
                ..self.inner
            }
        };
        data.secret.extend(self.secret.then(Path::root));
        data
    }
}

/// Puts a string together from values that may be unknown or secret.
#[derive(Default)]
pub(super) struct Text {
    text: String,
    unknown: bool,
    secret: bool,
}

impl Text {
    pub(super) fn push_str(&mut self, text: &str) -> Result<(), EvalError> {
        if self.text.len().saturating_add(text.len()) > LONGEST_TEXT {
            return Err(too_long());
        }
        self.text.push_str(text);
        Ok(())
    }

    pub(super) fn push(&mut self, data: &Data) -> Result<(), EvalError> {
        self.secret |= !data.secret.is_empty();
        if data.is_known() {
            match &data.value {
                Value::String(text) => self.push_str(text)?,
                other => self.push_str(&text(other)?)?,
            }
        } else {
            self.unknown = true;
        }
        Ok(())
    }

    /// Cuts the blanks, and one line break, off the end (`~` in front of an expression).
    pub(super) fn trim_end(&mut self, from: usize) {
        let tail = &self.text[from..];
        let cut = tail.trim_end_matches([' ', '\t']);
        let cut = cut
            .strip_suffix('\n')
            .map_or(cut, |cut| cut.strip_suffix('\r').unwrap_or(cut));
        let length = from + cut.len();
        self.text.truncate(length);
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn depends_on(&mut self, data: &Data) {
        self.unknown |= !data.is_known();
        self.secret |= !data.secret.is_empty();
    }

    pub(super) fn finish(self) -> Data {
        let mut data = if self.unknown {
            Data::unknown("")
        } else {
            Data::from(Value::String(self.text))
        };
        data.secret.extend(self.secret.then(Path::root));
        data
    }
}

/// A string grows beyond what one may be.
pub(super) fn too_long() -> EvalError {
    EvalError::limit(format!(
        "the string grows beyond {} MiB",
        LONGEST_TEXT / (1024 * 1024)
    ))
}

//! Keeps secrets out of a state, a journal, a plan file. In place of a secret value stands its
//! sealed form: `{"$sealed": hash, "$age": ciphertext}`, a hash keyed with the state's key (see
//! [`super::key`]), and the value's JSON as an age file in base64. A saved plan has the hash alone.
//!
//! Older states may have a hash alone as well, keyed with their lineage. What it was derived from
//! counts as not known, and nothing is compared with it.
//!
//! The hash authenticates the value too: everyone can encrypt to a recipient, so a value opens only
//! where its hash fits, and a state with one that does not is refused as a whole, before any call.
//! Equal hash, same ciphertext. The state in memory stays sealed: the planner and the steps open
//! what they look at, and nothing that is written can forget to seal.

use super::error::StoreError;
use super::key::StateKey;
use super::resource_state::ResourceState;
use super::sealed::{AGE, SEALED, unknown};
use super::state::{State, StateChange};
use crate::data::{Attributes, Data, Inputs, Path};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeSet;

pub use super::sealed::{holds_hash, holds_kept, holds_sealed, is_kept, is_sealed, sealed_paths};

/// Seals the secrets of one state, and opens them.
#[derive(Debug, Clone)]
pub struct Seal {
    key: StateKey,
    /// Whether values are excluded.
    hashes: bool,
}

impl Seal {
    /// The seal of a state, with the key to its secrets.
    pub fn new(key: StateKey) -> Self {
        Self { key, hashes: false }
    }

    /// A seal for what is compared later and never opened, as a saved plan: it leaves the
    /// values out.
    #[must_use]
    pub fn comparing(&self) -> Self {
        Self {
            key: self.key.clone(),
            hashes: true,
        }
    }

    /// Whether sealed values can be opened again.
    pub fn is_open(&self) -> bool {
        self.key.is_open()
    }

    /// Whether the state has a key, and it was not given.
    pub fn is_locked(&self) -> bool {
        self.key.why_locked().is_some()
    }

    /// The sealed form of one value. Without a key nothing is kept of it.
    pub fn seal(&self, value: &Value) -> Value {
        let Some(key) = self.key.key() else {
            return unknown();
        };
        key.use_it();
        let hash = key.hash(&value.to_string());
        if self.hashes {
            return json!({ SEALED: hash });
        }
        match key.encrypt(&hash, value) {
            Some(age) => json!({ SEALED: hash, AGE: age }),
            // Encrypting to a key in memory does not fail; if it did, nothing would be kept.
            None => unknown(),
        }
    }

    /// Whether a sealed value is the sealed form of this one.
    pub fn is_seal_of(&self, sealed: &Value, value: &Value) -> bool {
        let hash = sealed.get(SEALED).and_then(Value::as_str);
        let key = self.key.key().filter(|_| is_kept(sealed));
        key.is_some_and(|key| hash == Some(&key.hash(&value.to_string())))
    }

    /// A value with everything at its secret paths sealed.
    pub fn seal_all<'d>(&self, data: &'d Data) -> Cow<'d, Value> {
        if data.secret.is_empty() {
            return Cow::Borrowed(&data.value);
        }
        Cow::Owned(self.seal_paths(&data.value, &data.secret))
    }

    /// `value` with everything at `secret` paths sealed. Where a string or number stands in place
    /// of what holds a path (a document as a string), all of it is.
    pub fn seal_paths(&self, value: &Value, secret: &BTreeSet<Path>) -> Value {
        let mut sealed = value.clone();
        for path in secret {
            let mut at = path.clone();
            while let (None, Some(parent)) = (at.get(&sealed), at.parent()) {
                at = parent;
            }
            let Some(part) = at.get(&sealed) else {
                continue;
            };
            // A JSON object or a list that has no such part holds nothing of the secret.
            let without = at != *path && (part.is_object() || part.is_array());
            if !without && !part.is_null() && !is_sealed(part) {
                let part = self.seal(part);
                at.set(&mut sealed, part);
            }
        }
        sealed
    }

    /// The value behind a sealed one; none without the key, and for what is not kept.
    pub fn open(&self, sealed: &Value) -> Option<Value> {
        let text = |name: &str| sealed.get(name)?.as_str();
        self.key.key()?.decrypt(text(SEALED)?, text(AGE)?)
    }

    /// `value` with every sealed part opened that can be.
    pub fn opened<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        if self.is_open() && holds_sealed(value) {
            Cow::Owned(self.open_all(value))
        } else {
            Cow::Borrowed(value)
        }
    }

    fn open_all(&self, value: &Value) -> Value {
        match value {
            sealed if is_sealed(sealed) => self.open(sealed).unwrap_or_else(|| sealed.clone()),
            Value::Object(map) => map
                .iter()
                .map(|(name, value)| (name.clone(), self.open_all(value)))
                .collect::<Map<_, _>>()
                .into(),
            Value::Array(list) => list.iter().map(|value| self.open_all(value)).collect(),
            other => other.clone(),
        }
    }

    /// A resource of the state with its secrets opened, to be looked at and not to be kept.
    pub fn opened_resource<'v>(&self, known: &'v ResourceState) -> Cow<'v, ResourceState> {
        match (self.opened(&known.inputs), self.opened(&known.outputs)) {
            (Cow::Borrowed(_), Cow::Borrowed(_)) if known.sealed_files.is_empty() => {
                Cow::Borrowed(known)
            }
            (inputs, outputs) => {
                let mut opened = ResourceState {
                    inputs: Inputs::new(inputs.into_owned()),
                    outputs: Attributes::new(outputs.into_owned()),
                    ..known.clone()
                };
                // What was sealed is secret, whatever the list says.
                opened.sensitive.extend(sealed_paths(&known.inputs));
                opened.sensitive.extend(sealed_paths(&known.outputs));
                for (path, sealed) in &known.sealed_files {
                    let content = self.open(sealed).map(serde_json::from_value);
                    if let Some(Ok(content)) = content {
                        opened.files.insert(path.clone(), content);
                    }
                }
                Cow::Owned(opened)
            }
        }
    }

    /// The change that the state needs before anything that this seal encrypted is kept: with which
    /// key. None where it says so already, or nothing was encrypted.
    ///
    /// # Errors
    /// When the key cannot be locked with the passphrase.
    pub fn key_change(&self, state: &State) -> Result<Option<StateChange>, StoreError> {
        if state.encryption.is_some() || !self.key.is_used() {
            return Ok(None);
        }
        let encryption = self.key.encryption().map_err(StoreError::Key)?;
        Ok(encryption.map(|encryption| StateChange::Encrypt {
            encryption: Some(encryption),
        }))
    }
}

#[cfg(test)]
mod tests;

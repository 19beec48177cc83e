//! Keeps secrets out of a state, a journal, a plan file. In place of a secret value stands its
//! sealed form: `{"$sealed": hash, "$age": ciphertext}`, a hash keyed with the state's key (see
//! [`super::key`]), and the value's JSON as an age file in base64. A saved plan has the hash alone.
//!
//! Older states may have a hash alone as well, keyed with their lineage. What it was made of
//! counts as not known, and nothing is compared with it.

use super::StoreError;
use super::key::StateKey;
use super::state::{ResourceState, State, StateChange};
use crate::data::{Data, Path};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use std::borrow::Cow;
use std::collections::BTreeSet;

const SEALED: &str = "$sealed";
const AGE: &str = "$age";

/// Seals the secrets of one state, and opens them.
#[derive(Debug, Clone)]
pub struct Seal {
    key: StateKey,
    /// Whether values are left out.
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

    /// `value` with everything at `secret` paths sealed. Where a text or number stands in
    /// place of what holds a path (a document as text), all of it is.
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
            // An object or a list that has no such part holds nothing of the secret.
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

    /// An object of the state with its secrets opened, to be looked at and not to be kept.
    pub fn opened_resource<'v>(&self, known: &'v ResourceState) -> Cow<'v, ResourceState> {
        match (self.opened(&known.inputs), self.opened(&known.outputs)) {
            (Cow::Borrowed(_), Cow::Borrowed(_)) if known.sealed_files.is_empty() => {
                Cow::Borrowed(known)
            }
            (inputs, outputs) => {
                let (inputs, outputs) = (inputs.into_owned(), outputs.into_owned());
                let mut opened = ResourceState {
                    inputs,
                    outputs,
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

    /// What the state must be told before anything that this seal encrypted is kept: with
    /// which key. None where it says so already, or nothing was encrypted.
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

/// In place of a secret of which nothing is known but that it is one.
pub(super) fn unknown() -> Value {
    json!({ SEALED: "" })
}

/// The hash of a text with a key, in hex.
pub(super) fn hash(key: &[u8], text: &str) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Whether this is the hash of a text with a key; how long that takes tells nothing of it.
pub(super) fn is_hash(hash: &str, key: &[u8], text: &str) -> bool {
    let (Ok(mut mac), Ok(bytes)) = (Hmac::<Sha256>::new_from_slice(key), hex::decode(hash)) else {
        return false;
    };
    mac.update(text.as_bytes());
    mac.verify_slice(&bytes).is_ok() && !hash.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Whether this is a sealed value.
pub fn is_sealed(value: &Value) -> bool {
    value.as_object().is_some_and(|map| {
        // Most maps are told apart by their first key.
        let first = map.keys().next();
        first.is_some_and(|first| first.starts_with('$'))
            && map.contains_key(SEALED)
            && (map.len() == 1 || (map.len() == 2 && map.contains_key(AGE)))
    })
}

/// Whether this is a sealed value that the state's key opens.
pub fn is_kept(value: &Value) -> bool {
    is_sealed(value) && value.get(AGE).is_some()
}

/// Whether there is a sealed value in it that the state's key opens.
pub fn holds_kept(value: &Value) -> bool {
    let mut found = false;
    each_sealed(value, &mut |_, age| found |= age.is_some());
    found
}

/// Whether there is a hash in it that an older version kept of a secret.
pub fn holds_hash(value: &Value) -> bool {
    let mut found = false;
    each_sealed(value, &mut |hash, age| {
        found |= age.is_none() && !hash.is_empty();
    });
    found
}

/// Whether there is a sealed value in it.
pub fn holds_sealed(value: &Value) -> bool {
    match value {
        Value::Object(map) => is_sealed(value) || map.values().any(holds_sealed),
        Value::Array(list) => list.iter().any(holds_sealed),
        _ => false,
    }
}

/// Where there are sealed values in it.
pub fn sealed_paths(value: &Value) -> BTreeSet<Path> {
    fn walk(value: &Value, at: &Path, found: &mut BTreeSet<Path>) {
        match value {
            sealed if is_sealed(sealed) => {
                found.insert(at.clone());
            }
            Value::Object(map) => map
                .iter()
                .filter(|(_, value)| holds_sealed(value))
                .for_each(|(name, value)| walk(value, &at.join(name), found)),
            Value::Array(list) => list
                .iter()
                .enumerate()
                .for_each(|(index, value)| walk(value, &at.join(index), found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(value, &Path::root(), &mut found);
    found
}

/// Calls `see` with the hash, and the ciphertext where there is one, of every sealed value.
pub(super) fn each_sealed(value: &Value, see: &mut dyn FnMut(&str, Option<&str>)) {
    match value {
        Value::Object(map) if is_sealed(value) => {
            let text = |name: &str| map.get(name).and_then(Value::as_str);
            see(text(SEALED).unwrap_or_default(), text(AGE));
        }
        Value::Object(map) => map.values().for_each(|value| each_sealed(value, see)),
        Value::Array(list) => list.iter().for_each(|value| each_sealed(value, see)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;

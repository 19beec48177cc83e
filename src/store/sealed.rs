//! The form in which a secret is kept: see [`super::seal`].

use crate::data::Path;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeSet;

pub(super) const SEALED: &str = "$sealed";
pub(super) const AGE: &str = "$age";

/// In place of a secret of which nothing is known but that it is one.
pub(super) fn unknown() -> Value {
    json!({ SEALED: "" })
}

/// The hash of a string with a key, in hex.
pub(super) fn hash(key: &[u8], text: &str) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Whether this is the hash of a string with a key; the time it takes reveals nothing of it.
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
        // Most maps are distinguished by their size or their first key.
        let first = || map.keys().next();
        map.len() <= 2
            && first().is_some_and(|first| first.starts_with('$'))
            && map.contains_key(SEALED)
            && (map.len() == 1 || map.contains_key(AGE))
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

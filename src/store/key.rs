//! The key to the secrets in a state. With one, secret values are kept, encrypted; see
//! [`super::seal`].
//!
//! With a passphrase the state holds an age identity of its own, encrypted with the
//! passphrase, so that its slow derivation is paid once a run and not once a value. With a
//! key file the values are encrypted to the identity in it.

use super::state::{Encryption, State};
use age::secrecy::{ExposeSecret, SecretString};
use age::{DecryptError, scrypt, x25519};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// scrypt's work: N = 2^15, 32 MiB, about 0.1 s of a core. Paid by everyone who tries a
/// passphrase, the user included; a long passphrase is what makes trying hopeless.
const WORK: u8 = 15;

/// More than this (about 4 s, 1 GiB) is refused, so that a forged state cannot hold a run up.
const MOST_WORK: u8 = 20;

/// What the user gave to open a state with.
#[derive(Default)]
pub struct Given {
    /// A passphrase.
    pub passphrase: Option<SecretString>,
    /// The identities of a key file; the first one encrypts.
    pub identities: Vec<x25519::Identity>,
}

impl Given {
    /// A passphrase.
    pub fn passphrase(text: String) -> Self {
        Self {
            passphrase: Some(text.into()),
            identities: Vec::new(),
        }
    }

    /// The identities in the text of a key file, as `age-keygen` writes it.
    ///
    /// # Errors
    /// A clause that says what is wrong with the file; no part of it is quoted.
    pub fn key_file(text: &str) -> Result<Self, String> {
        let mut identities = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let identity = line.parse::<x25519::Identity>().map_err(|_| {
                format!(
                    "line {} is no age identity of the usual kind (AGE-SECRET-KEY-1…)",
                    index + 1
                )
            })?;
            identities.push(identity);
        }
        if identities.is_empty() {
            return Err("it holds no age identity".to_owned());
        }
        Ok(Self {
            passphrase: None,
            identities,
        })
    }

    fn is_none(&self) -> bool {
        self.passphrase.is_none() && self.identities.is_empty()
    }
}

/// Why a state's secrets cannot be opened with what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A passphrase is needed, and none was given.
    #[error("its secrets are encrypted with a passphrase")]
    NeedsPassphrase,
    /// A key file is needed, and none was given.
    #[error("its secrets are encrypted to {0}, the key of a key file")]
    NeedsKeyFile(String),
    /// The passphrase is another one.
    #[error("the passphrase is not the one its secrets are encrypted with")]
    WrongPassphrase,
    /// The key file has other keys.
    #[error("its secrets are encrypted to {0}, and the key file has no such key")]
    OtherKey(String),
    /// A passphrase and a key file were given, and the state says neither yet.
    #[error("a passphrase and a key file were both given, and it is not encrypted yet")]
    Both,
    /// What the state has is damaged.
    #[error("what it says of its encryption is damaged: {0}")]
    Damaged(String),
}

/// The key to a state's secrets, or none: without one, secrets are not kept.
#[derive(Clone, Default)]
pub struct StateKey(Option<Arc<Key>>);

/// The key and what was encrypted with it so far.
pub(super) struct Key {
    identity: x25519::Identity,
    /// Keys the hashes.
    hash: Vec<u8>,
    /// What the state says, or is to say once something is encrypted.
    encryption: OnceLock<Encryption>,
    /// Protects a new identity.
    passphrase: Option<SecretString>,
    /// Ciphertexts by hash: an unchanged value keeps its ciphertext.
    kept: Mutex<HashMap<String, String>>,
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "key" } else { "no key" })
    }
}

/// Two worlds that differ in nothing else are the same: what is sealed tells.
impl PartialEq for StateKey {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl StateKey {
    /// The key to a state. Costs the passphrase's derivation, where the state is encrypted
    /// with one; a state without encryption costs nothing.
    ///
    /// # Errors
    /// When what was given does not open it.
    pub fn unlock(given: Given, state: &State) -> Result<Self, KeyError> {
        let key = match &state.encryption {
            None if given.is_none() => return Ok(Self::default()),
            None => Key::fresh(given, &state.lineage)?,
            Some(encryption) => Key::of(given, encryption, &state.lineage)?,
        };
        key.remember(state);
        Ok(Self(Some(Arc::new(key))))
    }

    /// A new key for a state, whatever it has now.
    ///
    /// # Errors
    /// When both a passphrase and a key file were given.
    pub fn renew(given: Given, state: &State) -> Result<Self, KeyError> {
        if given.is_none() {
            return Ok(Self::default());
        }
        Key::fresh(given, &state.lineage).map(|key| Self(Some(Arc::new(key))))
    }

    /// Whether secret values are kept.
    pub fn keeps(&self) -> bool {
        self.0.is_some()
    }

    /// What the state is to say of its encryption, once something was encrypted.
    ///
    /// # Errors
    /// When the identity cannot be encrypted, which the system's memory decides.
    pub fn encryption(&self) -> Result<Option<Encryption>, String> {
        self.0.as_ref().map(|key| key.encryption()).transpose()
    }

    /// Whether the next run will have the same one: the state names it, or a key file has it.
    pub fn is_settled(&self) -> bool {
        let settled = |key: &Arc<Key>| key.encryption.get().is_some() || key.passphrase.is_none();
        self.0.as_ref().is_some_and(settled)
    }

    /// Whether anything was encrypted with it, now or before.
    pub fn is_used(&self) -> bool {
        self.0.as_ref().is_some_and(|key| !key.kept().is_empty())
    }

    pub(super) fn key(&self) -> Option<&Key> {
        self.0.as_deref()
    }
}

impl Key {
    fn new(identity: x25519::Identity, lineage: &str, passphrase: Option<SecretString>) -> Self {
        let secret = identity.to_string();
        // HMAC takes keys of any length, so this cannot fail.
        let hash = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
            .map(|mut mac| {
                mac.update(b"stackctl seal 1\0");
                mac.update(lineage.as_bytes());
                mac.finalize().into_bytes().to_vec()
            })
            .unwrap_or_default();
        Self {
            identity,
            hash,
            encryption: OnceLock::new(),
            passphrase,
            kept: Mutex::default(),
        }
    }

    /// The key of a state that has no encryption yet.
    fn fresh(given: Given, lineage: &str) -> Result<Self, KeyError> {
        match (given.passphrase, given.identities.into_iter().next()) {
            (Some(_), Some(_)) => Err(KeyError::Both),
            (None, Some(identity)) => Ok(Self::new(identity, lineage, None)),
            (passphrase, None) => Ok(Self::new(x25519::Identity::generate(), lineage, passphrase)),
        }
    }

    /// The key that a state says it is encrypted with.
    fn of(given: Given, encryption: &Encryption, lineage: &str) -> Result<Self, KeyError> {
        let recipient = || encryption.recipient.clone();
        let identity = match (&encryption.identity, given.passphrase) {
            (Some(locked), Some(passphrase)) => unlock(locked, passphrase)?,
            (Some(_), None) => return Err(KeyError::NeedsPassphrase),
            (None, _) if given.identities.is_empty() => {
                return Err(KeyError::NeedsKeyFile(recipient()));
            }
            (None, _) => {
                let mut identities = given.identities.into_iter();
                let fits = |one: &x25519::Identity| one.to_public().to_string() == recipient();
                identities
                    .find(fits)
                    .ok_or_else(|| KeyError::OtherKey(recipient()))?
            }
        };
        if identity.to_public().to_string() != encryption.recipient {
            let why = "its key is not the one that it names".to_owned();
            return Err(KeyError::Damaged(why));
        }
        let key = Self::new(identity, lineage, None);
        let _ = key.encryption.set(encryption.clone());
        Ok(key)
    }

    /// Takes in the ciphertexts of the state.
    fn remember(&self, state: &State) {
        let mut kept = self.kept();
        let known = state
            .resources
            .values()
            .chain(state.deposed.values().flat_map(|known| known.values()));
        let values = known
            .flat_map(|known| [&known.inputs, &known.outputs])
            .chain(state.outputs.values().map(|output| &output.value));
        for value in values {
            super::seal::each_sealed(value, &mut |hash, age| {
                if let Some(age) = age {
                    kept.insert(hash.to_owned(), age.to_owned());
                }
            });
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn encryption(&self) -> Result<Encryption, String> {
        if let Some(known) = self.encryption.get() {
            return Ok(known.clone());
        }
        let recipient = self.identity.to_public().to_string();
        let identity = match &self.passphrase {
            None => None,
            Some(passphrase) => {
                let mut lock = scrypt::Recipient::new(passphrase.clone());
                lock.set_work_factor(WORK);
                let secret = self.identity.to_string();
                let locked = age::encrypt(&lock, secret.expose_secret().as_bytes());
                Some(STANDARD.encode(locked.map_err(|error| error.to_string())?))
            }
        };
        let made = Encryption {
            recipient,
            identity,
        };
        Ok(self.encryption.get_or_init(|| made).clone())
    }

    /// The keyed hash of a text.
    pub(super) fn hash(&self, text: &str) -> String {
        super::seal::hash(&self.hash, text)
    }

    /// The ciphertext of a value whose hash is given; that of before where it is known.
    pub(super) fn encrypt(&self, hash: &str, value: &Value) -> Option<String> {
        let mut kept = self.kept();
        if let Some(age) = kept.get(hash) {
            return Some(age.clone());
        }
        let text = value.to_string();
        let age = age::encrypt(&self.identity.to_public(), text.as_bytes()).ok()?;
        let age = STANDARD.encode(age);
        kept.insert(hash.to_owned(), age.clone());
        Some(age)
    }

    /// The value behind a ciphertext; none where it is damaged or another key's.
    pub(super) fn decrypt(&self, age: &str) -> Option<Value> {
        let bytes = STANDARD.decode(age).ok()?;
        let text = age::decrypt(&self.identity, &bytes).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

fn unlock(locked: &str, passphrase: SecretString) -> Result<x25519::Identity, KeyError> {
    let damaged = |why: &str| KeyError::Damaged(why.to_owned());
    let bytes = STANDARD
        .decode(locked)
        .map_err(|_| damaged("the key is no base64"))?;
    let mut opener = scrypt::Identity::new(passphrase);
    opener.set_max_work_factor(MOST_WORK);
    let text = age::decrypt(&opener, &bytes).map_err(|error| match error {
        DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed
        | DecryptError::NoMatchingKeys => KeyError::WrongPassphrase,
        DecryptError::ExcessiveWork { .. } => damaged("opening it would take far too long"),
        _ => damaged("the key is no age file"),
    })?;
    let text = SecretString::from(String::from_utf8(text).unwrap_or_default());
    text.expose_secret()
        .parse()
        .map_err(|_| damaged("the key is no age identity"))
}

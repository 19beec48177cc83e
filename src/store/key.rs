//! The key to the secrets in a state; see [`super::seal`].
//!
//! A state with secrets has an age identity of its own, to which its values are encrypted. The
//! state holds that identity, encrypted with a passphrase or to the recipients of all who use the
//! state: a slow derivation is paid once a run, and who is added or goes costs no value a new
//! ciphertext. In an older state values may be encrypted directly to the identity of a key file;
//! the next save gives it an identity of its own ([`super::rekey::upgrade`]).
//!
//! No user's own identity is ever given to another. The key is named in the journal before the
//! first value that was encrypted with it. There is no mode without a key: `StateKey` is open, or
//! locked, where the user lacks it.

mod given;

pub use given::{Create, Given, KeyError, recipient};

use super::state::{Encryption, State};
use age::secrecy::{ExposeSecret, SecretString};
use age::{DecryptError, Encryptor, Recipient, scrypt, x25519};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// scrypt's work: N = 2^15, 32 MiB, about 0.1 s of a core. Paid by everyone who tries a
/// passphrase, the user included; a long passphrase is what makes trying hopeless.
const WORK: u8 = 15;

/// More than this (about 4 s, 1 GiB) is refused, so that a forged state cannot hold a run up.
const MOST_WORK: u8 = 20;

/// What hashes of values, of the head and of saved plans are keyed with, each with its own.
const SEALS: &[u8] = b"stackctl seal 1\0";
const HEADS: &[u8] = b"stackctl head 1\0";
const PLANS: &[u8] = b"stackctl plan 1\0";

/// The key to a state's secrets. Without one none can be kept.
#[derive(Clone, Default)]
pub struct StateKey(Inner);

#[derive(Clone, Default)]
enum Inner {
    #[default]
    None,
    Locked(Arc<KeyError>),
    Open(Arc<Key>),
}

/// The key and what was encrypted with it so far.
pub(super) struct Key {
    identity: x25519::Identity,
    lineage: String,
    /// Keys the hashes of values.
    hash: Vec<u8>,
    /// What the state says, or is to say once something is encrypted.
    encryption: OnceLock<Encryption>,
    /// Protects a new identity.
    lock: Lock,
    /// The user's identity that opens it.
    opener: OnceLock<x25519::Identity>,
    /// Whether a value was sealed with it in this run.
    used: AtomicBool,
    /// Ciphertexts by hash: an unchanged value keeps its ciphertext.
    kept: Mutex<HashMap<String, String>>,
    /// Values by ciphertext.
    opened: Mutex<HashMap<String, Value>>,
    /// The key that has taken its place.
    next: OnceLock<Arc<Key>>,
}

/// How the identity of a state is protected.
enum Lock {
    Passphrase(SecretString),
    Recipients(BTreeMap<String, String>),
    Create(Create),
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::None => "no key",
            Inner::Locked(_) => "locked",
            Inner::Open(_) => "key",
        })
    }
}

/// Two worlds that differ in nothing else are equal: sealed values show a different key.
impl PartialEq for StateKey {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl StateKey {
    /// The key to a state. Costs the passphrase's derivation, where the state is encrypted
    /// with one; for a state without encryption a key is drawn, and named once it is used.
    ///
    /// # Errors
    /// When what was given does not open it, or a secret in it was not encrypted with it.
    pub fn unlock(given: Given, state: &State) -> Result<Self, KeyError> {
        let key = match &state.encryption {
            None if given.is_none() => return Ok(Self::default()),
            None => Key::fresh(given, &state.lineage),
            Some(encryption) => Key::of(given, encryption, &state.lineage)?,
        };
        key.remember(state)?;
        Ok(Self(Inner::Open(Arc::new(key))))
    }

    /// The key that a saved plan brings along for a state that has none yet. `proof` shows that
    /// whoever wrote it had the identity that opens it.
    ///
    /// # Errors
    /// When what was given does not open it, or the proof does not fit.
    pub fn of_plan(
        given: Given,
        (encryption, proof): (&Encryption, &str),
        lineage: &str,
    ) -> Result<Self, KeyError> {
        let key = Key::of(given, encryption, lineage)?;
        if encryption.identity.is_none() || key.proof() != proof {
            let why = "its key was not made by the one who opens it".to_owned();
            return Err(KeyError::Damaged(why));
        }
        Ok(Self(Inner::Open(Arc::new(key))))
    }

    /// A new key for a state, whatever it has now; none where nothing was given.
    pub fn renew(given: Given, state: &State) -> Self {
        if given.is_none() {
            return Self::default();
        }
        Self(Inner::Open(Arc::new(Key::fresh(given, &state.lineage))))
    }

    /// A new key for a state, to these recipients.
    pub fn to_recipients(recipients: BTreeMap<String, String>, state: &State) -> Self {
        let lock = Lock::Recipients(recipients);
        let key = Key::new(x25519::Identity::generate(), &state.lineage, lock);
        Self(Inner::Open(Arc::new(key)))
    }

    /// A key that nothing that was given opens.
    pub fn locked(why: KeyError) -> Self {
        Self(Inner::Locked(Arc::new(why)))
    }

    /// Why it is locked.
    pub fn why_locked(&self) -> Option<&KeyError> {
        match &self.0 {
            Inner::Locked(why) => Some(why),
            _ => None,
        }
    }

    /// Whether secrets can be opened and kept.
    pub fn is_open(&self) -> bool {
        matches!(self.0, Inner::Open(_))
    }

    /// How the state describes its encryption. The user's identity is created for that where
    /// there is none.
    ///
    /// # Errors
    /// When that, or encrypting the identity, fails.
    pub fn encryption(&self) -> Result<Option<Encryption>, String> {
        self.key().map(Key::encryption).transpose()
    }

    /// Whether this is the code of a saved plan; none without a key.
    pub fn is_plan_mac(&self, mac: &str, text: &str) -> Option<bool> {
        let key = self.key()?;
        Some(crate::store::sealed::is_hash(
            mac,
            &key.derived(PLANS),
            text,
        ))
    }

    /// The same key, to other recipients.
    ///
    /// # Errors
    /// A clause, when the identity cannot be encrypted to them.
    pub fn wrapped_to(
        &self,
        recipients: BTreeMap<String, String>,
    ) -> Result<Option<Encryption>, String> {
        self.key().map(|key| key.wrapped(recipients)).transpose()
    }

    /// Whether anything was sealed with it in this run.
    pub fn is_used(&self) -> bool {
        self.key()
            .is_some_and(|key| key.used.load(Ordering::Relaxed))
    }

    /// What shows in a saved plan that the creator of its key can open it.
    pub fn proof(&self) -> Option<String> {
        self.key().map(Key::proof)
    }

    /// The message authentication code of a saved plan, in hex; none without a key.
    pub fn plan_mac(&self, text: &str) -> Option<String> {
        let key = self.key()?;
        Some(crate::store::sealed::hash(&key.derived(PLANS), text))
    }

    /// Whether the values of the state are encrypted to a key file's own identity.
    pub(super) fn is_direct(&self) -> bool {
        let encryption = self.key().and_then(|key| key.encryption.get());
        encryption.is_some_and(|encryption| encryption.identity.is_none())
    }

    /// A key of the state's own in place of a key file's, to which it is encrypted.
    pub(super) fn own(&self) -> Option<Self> {
        let key = self.key()?;
        let Lock::Recipients(recipients) = &key.lock else {
            return None;
        };
        let lock = Lock::Recipients(recipients.clone());
        let own = Key::new(x25519::Identity::generate(), &key.lineage, lock);
        let _ = own.opener.set(key.identity.clone());
        Some(Self(Inner::Open(Arc::new(own))))
    }

    /// From here on `next` is this key.
    pub(super) fn replace(&self, next: &Self) {
        if let (Inner::Open(key), Inner::Open(next)) = (&self.0, &next.0) {
            let _ = key.next.set(Arc::clone(next));
        }
    }

    pub(super) fn key(&self) -> Option<&Key> {
        match &self.0 {
            Inner::Open(key) => Some(key.next.get().unwrap_or(key)),
            _ => None,
        }
    }
}

impl Encryption {
    /// What its code covers.
    fn text(&self) -> String {
        json!([self.recipient, self.identity, self.recipients]).to_string()
    }
}

impl Key {
    fn new(identity: x25519::Identity, lineage: &str, lock: Lock) -> Self {
        let mut key = Self {
            identity,
            lineage: lineage.to_owned(),
            hash: Vec::new(),
            encryption: OnceLock::new(),
            lock,
            opener: OnceLock::new(),
            used: AtomicBool::new(false),
            kept: Mutex::default(),
            opened: Mutex::default(),
            next: OnceLock::new(),
        };
        key.hash = key.derived(SEALS);
        key
    }

    /// A key derived from the identity and the lineage.
    fn derived(&self, label: &[u8]) -> Vec<u8> {
        let secret = self.identity.to_string();
        mac(
            secret.expose_secret().as_bytes(),
            &[label, self.lineage.as_bytes()],
        )
    }

    /// The key of a state that has no encryption yet.
    fn fresh(given: Given, lineage: &str) -> Self {
        let opener = given.identities.into_iter().next();
        let lock = match (given.passphrase, &opener, given.create) {
            (Some(passphrase), ..) => Lock::Passphrase(passphrase),
            (None, Some(identity), _) => to_one(identity, given.made_in),
            (None, None, Some(create)) => Lock::Create(create),
            (None, None, None) => Lock::Recipients(BTreeMap::new()),
        };
        let key = Self::new(x25519::Identity::generate(), lineage, lock);
        key.open_with(opener);
        key
    }

    /// The key that a state says it is encrypted with.
    fn of(given: Given, encryption: &Encryption, lineage: &str) -> Result<Self, KeyError> {
        let Given {
            passphrase,
            identities,
            made_in,
            ..
        } = given;
        let (identity, lock, opener) = match (&encryption.identity, passphrase) {
            (None, _) => {
                let recipient = encryption.recipient.clone();
                let needed = BTreeMap::from([(recipient, String::new())]);
                let identity = fitting(identities, needed)?;
                let lock = to_one(&identity, made_in);
                (identity, lock, None)
            }
            (Some(locked), _) if !encryption.recipients.is_empty() => {
                let opener = fitting(identities, encryption.recipients.clone())?;
                let identity = opened(locked, &opener, KeyError::Damaged)?;
                let lock = Lock::Recipients(encryption.recipients.clone());
                (identity, lock, Some(opener))
            }
            (Some(locked), Some(passphrase)) => {
                let mut opener = scrypt::Identity::new(passphrase.clone());
                opener.set_max_work_factor(MOST_WORK);
                let wrong = |_| KeyError::WrongPassphrase;
                let identity = opened(locked, &opener, wrong)?;
                (identity, Lock::Passphrase(passphrase), None)
            }
            (Some(_), None) => return Err(KeyError::NeedsPassphrase),
        };
        let damaged = |why: &str| KeyError::Damaged(why.to_owned());
        if identity.to_public().to_string() != encryption.recipient {
            return Err(damaged("its key is not the one that it names"));
        }
        let key = Self::new(identity, lineage, lock);
        key.open_with(opener);
        if !encryption.recipients.is_empty() && !key.is_head(encryption) {
            return Err(damaged("its recipients are not those that were written"));
        }
        let _ = key.encryption.set(encryption.clone());
        Ok(key)
    }

    fn open_with(&self, opener: Option<x25519::Identity>) {
        if let Some(opener) = opener {
            let _ = self.opener.set(opener);
        }
    }

    /// Remembers the ciphertexts of the state.
    fn remember(&self, state: &State) -> Result<(), KeyError> {
        let deposed = state.deposed.iter().flat_map(|(address, all)| {
            let all = all.values();
            all.map(move |known| (address, known))
        });
        let known = state.resources.iter().chain(deposed);
        let values = known.flat_map(|(address, known)| {
            let values = [&*known.inputs, &*known.outputs];
            values.map(|value| ("", address, value))
        });
        let outputs = state.outputs.iter();
        let outputs = outputs.map(|(name, output)| ("the output ", name, &output.value));
        for (kind, name, value) in values.chain(outputs) {
            let mut altered = false;
            crate::store::sealed::each_sealed(value, &mut |hash, age| {
                if let Some(age) = age {
                    altered |= self.decrypt(hash, age).is_none();
                    self.kept().insert(hash.to_owned(), age.to_owned());
                }
            });
            if altered {
                return Err(KeyError::Altered(format!("{kind}{name}")));
            }
        }
        Ok(())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn encryption(&self) -> Result<Encryption, String> {
        if let Some(known) = self.encryption.get() {
            return Ok(known.clone());
        }
        let made = match &self.lock {
            Lock::Passphrase(passphrase) => {
                let mut lock = scrypt::Recipient::new(passphrase.clone());
                lock.set_work_factor(WORK);
                self.locked_to(&[&lock], BTreeMap::new())?
            }
            Lock::Recipients(recipients) => self.wrapped(recipients.clone())?,
            Lock::Create(create) => {
                let (identity, made_in) = create()?;
                let recipient = identity.to_public().to_string();
                self.open_with(Some(identity));
                self.wrapped(BTreeMap::from([(recipient, made_in)]))?
            }
        };
        Ok(self.encryption.get_or_init(|| made).clone())
    }

    /// The identity, encrypted to these recipients.
    fn wrapped(&self, recipients: BTreeMap<String, String>) -> Result<Encryption, String> {
        let parsed = recipients.keys().map(|text| recipient(text));
        let parsed: Vec<x25519::Recipient> = parsed.collect::<Result<_, _>>()?;
        let locks: Vec<&dyn Recipient> = parsed.iter().map(|lock| lock as _).collect();
        let mut made = self.locked_to(&locks, recipients)?;
        made.mac = Some(self.head_mac(&made));
        Ok(made)
    }

    fn locked_to(
        &self,
        locks: &[&dyn Recipient],
        recipients: BTreeMap<String, String>,
    ) -> Result<Encryption, String> {
        let text = |error: &dyn fmt::Display| error.to_string();
        let secret = self.identity.to_string();
        let mut locked = Vec::new();
        let encryptor = Encryptor::with_recipients(locks.iter().copied());
        let encryptor = encryptor.map_err(|error| text(&error))?;
        let mut writer = encryptor
            .wrap_output(&mut locked)
            .map_err(|error| text(&error))?;
        writer
            .write_all(secret.expose_secret().as_bytes())
            .and_then(|()| writer.finish())
            .map_err(|error| text(&error))?;
        Ok(Encryption {
            recipient: self.identity.to_public().to_string(),
            identity: Some(STANDARD.encode(locked)),
            recipients,
            mac: None,
        })
    }

    /// Vouches for all that a state says of its encryption.
    fn head_mac(&self, head: &Encryption) -> String {
        crate::store::sealed::hash(&self.derived(HEADS), &head.text())
    }

    /// Whether what a state says of its encryption was written with this key.
    fn is_head(&self, head: &Encryption) -> bool {
        let mac = head.mac.as_deref();
        mac.is_some_and(|mac| {
            crate::store::sealed::is_hash(mac, &self.derived(HEADS), &head.text())
        })
    }

    /// See [`StateKey::proof`]. A passphrase is proof enough: who does not know it cannot encrypt
    /// with it.
    fn proof(&self) -> String {
        let opener = self.opener.get().map(x25519::Identity::to_string);
        let opener = opener.unwrap_or_default();
        let text = format!("{} {}", self.lineage, self.identity.to_public());
        crate::store::sealed::hash(opener.expose_secret().as_bytes(), &text)
    }

    /// The keyed hash of a text.
    pub(super) fn hash(&self, text: &str) -> String {
        crate::store::sealed::hash(&self.hash, text)
    }

    /// The key is needed from here on.
    pub(super) fn use_it(&self) {
        self.used.store(true, Ordering::Relaxed);
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

    /// The value behind a ciphertext; none where it is damaged, another key's, or not the one
    /// that was hashed: everyone can encrypt to a recipient, but not hash with the key.
    pub(super) fn decrypt(&self, hash: &str, age: &str) -> Option<Value> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{hash} {age}");
        if let Some(value) = opened.get(&name) {
            return Some(value.clone());
        }
        let bytes = STANDARD.decode(age).ok()?;
        let text = age::decrypt(&self.identity, &bytes).ok()?;
        let value: Value = serde_json::from_slice(&text).ok()?;
        if !crate::store::sealed::is_hash(hash, &self.hash, &value.to_string()) {
            return None;
        }
        opened.insert(name, value.clone());
        Some(value)
    }
}

/// HMAC-SHA256 of some parts.
fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes keys of any length, so this cannot fail.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().to_vec()
        })
        .unwrap_or_default()
}

fn to_one(identity: &x25519::Identity, made_in: String) -> Lock {
    let recipient = identity.to_public().to_string();
    Lock::Recipients(BTreeMap::from([(recipient, made_in)]))
}

/// The identity of one of the recipients.
fn fitting(
    identities: Vec<x25519::Identity>,
    recipients: BTreeMap<String, String>,
) -> Result<x25519::Identity, KeyError> {
    if identities.is_empty() {
        return Err(KeyError::NeedsKey(recipients));
    }
    let names: Vec<String> = identities
        .iter()
        .map(|one| one.to_public().to_string())
        .collect();
    let mut found = identities.into_iter().zip(&names);
    match found.find(|(_, name)| recipients.contains_key(*name)) {
        Some((identity, _)) => Ok(identity),
        None => Err(KeyError::OtherKey {
            recipients,
            given: names.join(", "),
        }),
    }
}

/// The identity in an age file in base64; `wrong` where this one does not open it.
fn opened(
    locked: &str,
    opener: &dyn age::Identity,
    wrong: impl Fn(String) -> KeyError,
) -> Result<x25519::Identity, KeyError> {
    let damaged = |why: &str| KeyError::Damaged(why.to_owned());
    let bytes = STANDARD
        .decode(locked)
        .map_err(|_| damaged("the key is not base64"))?;
    let text = decrypted(&bytes, opener).map_err(|error| match error {
        DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed
        | DecryptError::NoMatchingKeys => {
            wrong("the key is not encrypted to whom it names".to_owned())
        }
        DecryptError::ExcessiveWork { .. } => damaged("opening it would take far too long"),
        _ => damaged("the key is not an age file"),
    })?;
    let text = SecretString::from(String::from_utf8(text).unwrap_or_default());
    text.expose_secret()
        .parse()
        .map_err(|_| damaged("the key is not an age identity"))
}

fn decrypted(bytes: &[u8], opener: &dyn age::Identity) -> Result<Vec<u8>, DecryptError> {
    let mut reader = age::Decryptor::new_buffered(bytes)?.decrypt(std::iter::once(opener))?;
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut text)?;
    Ok(text)
}

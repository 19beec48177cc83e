//! What a user gives to open a state's secrets with, and why it does not open them.

use age::secrecy::SecretString;
use age::x25519;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Creates the identity of the user who has none: it, and where it was created. Called at most
/// once, when the first secret is to be kept.
pub type Create = Arc<dyn Fn() -> Result<(x25519::Identity, String), String> + Send + Sync>;

/// What the user gave to open a state with.
#[derive(Clone, Default)]
pub struct Given {
    /// A passphrase. A new state is encrypted with it, where there is one.
    pub passphrase: Option<SecretString>,
    /// Identities; a new state is encrypted to the first one.
    pub identities: Vec<x25519::Identity>,
    /// What the state says of where these are.
    pub made_in: String,
    /// Creates an identity where neither was given.
    pub create: Option<Create>,
}

impl Given {
    /// A passphrase.
    pub fn passphrase(text: String) -> Self {
        Self {
            passphrase: Some(text.into()),
            ..Self::default()
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
                    "line {} is not an X25519 age identity (AGE-SECRET-KEY-1…)",
                    index + 1
                )
            })?;
            identities.push(identity);
        }
        if identities.is_empty() {
            return Err("it has no age identity".to_owned());
        }
        Ok(Self {
            identities,
            ..Self::default()
        })
    }

    pub(super) fn is_none(&self) -> bool {
        self.passphrase.is_none() && self.identities.is_empty() && self.create.is_none()
    }
}

/// A recipient in its usual form.
///
/// # Errors
/// A clause about "it".
pub fn recipient(text: &str) -> Result<x25519::Recipient, String> {
    text.parse()
        .map_err(|_| "it is not an X25519 age recipient (age1…)".to_owned())
}

/// Why a state's secrets cannot be opened with what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A passphrase is needed, and none was given.
    #[error("they are encrypted with a passphrase")]
    NeedsPassphrase,
    /// An identity is needed, and none was given.
    #[error("they are encrypted to {}", list(.0))]
    NeedsKey(BTreeMap<String, String>),
    /// The passphrase is another one.
    #[error("the passphrase is not the one that they are encrypted with")]
    WrongPassphrase,
    /// The identities that were given are none of those.
    #[error("they are encrypted to {}, and {given} is not one of them", list(.recipients))]
    OtherKey {
        /// Who can open them, and where that key was created.
        recipients: BTreeMap<String, String>,
        /// The recipients of what was given.
        given: String,
    },
    /// What the state has is damaged.
    #[error("what the state says of its encryption is damaged: {0}")]
    Damaged(String),
    /// A value was not encrypted with the state's key, or was altered.
    #[error("a secret of {0} was not encrypted with this key, or was altered since")]
    Altered(String),
}

/// Recipients, with where each was created as far as the state says so.
fn list(recipients: &BTreeMap<String, String>) -> String {
    let one = |(recipient, made_in): (&String, &String)| match made_in.as_str() {
        "" => recipient.clone(),
        place => format!("{recipient} ({place})"),
    };
    let all: Vec<String> = recipients.iter().map(one).collect();
    all.join(" and ")
}

//! The key to a state's secrets, from the environment and the flags.

use super::args::CloudArgs;
use super::error::CliError;
use crate::files;
use crate::store::key::{Given, KeyError, StateKey};
use crate::store::state::State;
use std::path::{Path, PathBuf};

/// The passphrase.
const PASSPHRASE: &str = "STACKCTL_STATE_PASSPHRASE";

/// The path of the key file; `--state-key` goes before it.
const KEY_FILE: &str = "STACKCTL_STATE_KEY_FILE";

/// The key to a state's secrets, where the user gave one. `place` is what people call the
/// state.
///
/// # Errors
/// When what was given cannot be read, or does not open the state.
pub(super) fn unlock(cloud: &CloudArgs, state: &State, place: &str) -> Result<StateKey, CliError> {
    let mut given = Given {
        passphrase: passphrase(PASSPHRASE)?.map(Into::into),
        identities: Vec::new(),
    };
    if let Some((path, from)) = key_file(cloud) {
        given.identities = read(&path, from)?.identities;
        if cloud.state_key.is_some() && state.encryption.is_none() {
            // The flag was meant for this run; the variable for all.
            given.passphrase = None;
        }
    }
    StateKey::unlock(given, state).map_err(|error| refused(&error, place))
}

/// The passphrase in a variable.
///
/// # Errors
/// When it is set and cannot be meant: empty, as where a CI secret is missing, or no text.
#[expect(clippy::disallowed_methods, reason = "the command line is the edge")]
pub(super) fn passphrase(name: &str) -> Result<Option<String>, CliError> {
    let wrong = |why: &str| {
        CliError::new(format!("{name} is set, but {why}."))
            .now("Nothing was changed.")
            .hint("Set it to the passphrase, or unset it.")
    };
    match std::env::var(name) {
        Ok(text) if text.trim().is_empty() => Err(wrong("it is empty")),
        Ok(text) => Ok(Some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(wrong("it is no UTF-8")),
    }
}

fn key_file(cloud: &CloudArgs) -> Option<(PathBuf, &'static str)> {
    match &cloud.state_key {
        Some(path) => Some((path.clone(), "--state-key")),
        None => std::env::var_os(KEY_FILE).map(|path| (path.into(), KEY_FILE)),
    }
}

/// The identities of the key file that `from` names.
///
/// # Errors
/// When it cannot be read or holds none.
pub(super) fn read(path: &Path, from: &str) -> Result<Given, CliError> {
    let failed = |what: String| {
        CliError::new(format!("The key file {} {what}.", path.display()))
            .now("Nothing was changed.")
    };
    let text = files::read_text(path, files::LARGEST_SETTINGS).map_err(|why| {
        let error = std::io::Error::from(why);
        failed(format!("that {from} names cannot be read"))
            .caused_by(&error)
            .hint(format!("Make the file readable, or correct {from}."))
    })?;
    Given::key_file(&text).map_err(|why| {
        failed(format!("is none: {why}"))
            .hint("Make one with age-keygen -o FILE; it must not be encrypted itself.")
    })
}

/// The error for a key that does not open the state.
pub(super) fn refused(error: &KeyError, place: &str) -> CliError {
    let found = CliError::new(format!("The secrets in {place} cannot be opened: {error}."))
        .now("Nothing was changed.");
    found.hint(match error {
        KeyError::NeedsPassphrase => format!("Set {PASSPHRASE} to the passphrase."),
        KeyError::WrongPassphrase => format!("Set {PASSPHRASE} to the right passphrase."),
        KeyError::NeedsKeyFile(_) => {
            format!("Name the key file with --state-key or {KEY_FILE}.")
        }
        KeyError::OtherKey(_) => {
            format!("Name the key file that has this key with --state-key or {KEY_FILE}.")
        }
        KeyError::Both => format!("Unset {PASSPHRASE} or {KEY_FILE}."),
        KeyError::Damaged(_) => "Put an undamaged version of the state back.".to_owned(),
    })
}

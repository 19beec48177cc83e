//! The key to a state's secrets, from the environment, the flags and the user's own identity.

use super::args::CloudArgs;
use super::error::CliError;
use super::identity::{self, VARIABLES};
use crate::files;
use crate::store::key::{Given, KeyError, StateKey};
use crate::store::state::State;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The passphrase.
const PASSPHRASE: &str = "STACKCTL_STATE_PASSPHRASE";

/// The path of the key file; `--state-key` goes before it.
const KEY_FILE: &str = "STACKCTL_STATE_KEY_FILE";

/// The identity itself.
const KEY: &str = "STACKCTL_STATE_KEY";

/// The key to a state's secrets. It is locked where the user has none that opens it: what needs
/// no secret goes on ([`need`]). `place` is what people call the state.
///
/// # Errors
/// When what was given cannot be read, or does not open the state.
pub(super) fn unlock(cloud: &CloudArgs, state: &State, place: &str) -> Result<StateKey, CliError> {
    let (given, own) = given(cloud, state.encryption.is_none(), place)?;
    match StateKey::unlock(given, state) {
        Ok(key) => Ok(key),
        Err(error) => locked(error, own, place),
    }
}

/// The same for a saved plan that brings the key for a state that has none yet.
///
/// # Errors
/// See [`unlock`].
pub(super) fn of_plan(
    cloud: &CloudArgs,
    plan: &crate::saved::SavedPlan,
    place: &str,
) -> Result<Option<StateKey>, CliError> {
    let Some(key) = &plan.key else {
        return Ok(None);
    };
    let (given, own) = given(cloud, false, place)?;
    let lineage = &plan.state.lineage;
    match StateKey::of_plan(given, (&key.encryption, &key.proof), lineage) {
        Ok(key) => Ok(Some(key)),
        Err(error) => locked(error, own, place).map(Some),
    }
}

/// What the user has not is missing; what the user gave and does not fit is a mistake.
fn locked(error: KeyError, own: bool, place: &str) -> Result<StateKey, CliError> {
    match &error {
        KeyError::NeedsPassphrase | KeyError::NeedsKey(_) => Ok(StateKey::locked(error)),
        KeyError::OtherKey { .. } if own => Ok(StateKey::locked(error)),
        _ => Err(refused(&error, place)),
    }
}

/// What the user gives, and whether the identity is the user's own. For a `new` state the own one
/// is not looked for before a secret is kept.
fn given(cloud: &CloudArgs, new: bool, place: &str) -> Result<(Given, bool), CliError> {
    let mut given = match key_file(cloud) {
        Some((path, from)) => read(&path, from)?,
        None => variable(KEY)?
            .map(|text| in_variable(&text))
            .transpose()?
            .unwrap_or_default(),
    };
    // The flag is meant for this run; a variable for all.
    if cloud.state_key.is_none() || !new {
        given.passphrase = variable(PASSPHRASE)?.map(Into::into);
    }
    if !given.identities.is_empty() {
        return Ok((given, false));
    }
    if new {
        given.create = Some(Arc::new(identity::find_or_create));
    } else if let Some((own, made_in)) = identity::find().map_err(|why| unusable(&why, place))? {
        given.identities = vec![own];
        given.made_in = made_in;
    }
    Ok((given, true))
}

fn unusable(why: &str, place: &str) -> CliError {
    CliError::new(format!("The secrets in {place} cannot be opened: {why}."))
        .now("Nothing was changed.")
        .hint(format!(
            "Put your own identity back there, or set {VARIABLES}."
        ))
}

/// Refuses what needs secrets of a state whose key is missing. `what` are the resources and outputs
/// that have them.
///
/// # Errors
/// Says which key is missing.
pub(super) fn need(key: &StateKey, place: &str, what: &[String]) -> Result<(), CliError> {
    let (Some(why), Some(first)) = (key.why_locked(), what.first()) else {
        return Ok(());
    };
    let more = match what.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let found = CliError::new(format!(
        "The secrets of {first}{more} in {place} are needed and cannot be opened: {why}."
    ));
    Err(found.now("Nothing was changed.").hint(next(why)))
}

/// A variable that holds a key.
///
/// # Errors
/// When it is set and not usable: empty, as where a CI secret is missing, or not valid UTF-8.
#[expect(clippy::disallowed_methods, reason = "the command line is the edge")]
pub(super) fn variable(name: &str) -> Result<Option<String>, CliError> {
    let what = if name == KEY {
        "an age identity"
    } else {
        "the passphrase"
    };
    let wrong = |why: &str| {
        CliError::new(format!("{name} is set, but {why}."))
            .now("Nothing was changed.")
            .hint(format!("Set it to {what}, or unset it."))
    };
    match std::env::var(name) {
        Ok(text) if text.trim().is_empty() => Err(wrong("it is empty")),
        Ok(text) => Ok(Some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(wrong("it is not UTF-8")),
    }
}

fn in_variable(text: &str) -> Result<Given, CliError> {
    let mut given = Given::key_file(text).map_err(|why| {
        CliError::new(format!("{KEY} does not hold a key: {why}."))
            .now("Nothing was changed.")
            .hint("Set it to the line AGE-SECRET-KEY-1… of an age identity.")
    })?;
    given.made_in = format!("{KEY} on {}", identity::host());
    Ok(given)
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
/// When it cannot be read or has none.
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
    let mut given = Given::key_file(&text).map_err(|why| {
        failed(format!("cannot be used: {why}"))
            .hint("Create one with age-keygen -o FILE; it must not be encrypted itself.")
    })?;
    given.made_in = format!("{} on {}", path.display(), identity::host());
    Ok(given)
}

/// The error for a key that does not open the state.
pub(super) fn refused(error: &KeyError, place: &str) -> CliError {
    CliError::new(format!("The secrets in {place} cannot be opened: {error}."))
        .now("Nothing was changed.")
        .hint(next(error))
}

fn next(error: &KeyError) -> String {
    match error {
        KeyError::NeedsPassphrase => format!("Set {PASSPHRASE} to the passphrase."),
        KeyError::WrongPassphrase => format!("Set {PASSPHRASE} to the right passphrase."),
        KeyError::NeedsKey(_) => {
            format!("Give that key with --state-key FILE, {KEY_FILE} or {KEY}.")
        }
        KeyError::OtherKey { given, .. } => format!(
            "Give that key with --state-key FILE, {KEY_FILE} or {KEY}; or have someone who has it \
             run `stackctl state rekey --add {given}`."
        ),
        KeyError::Damaged(_) | KeyError::Altered(_) => {
            "Put an unaltered version back: `stackctl state history` lists them.".to_owned()
        }
    }
}

/// Has the state's key ready before anything is called that may lead to a secret; the user's
/// identity is created for that where it does not exist.
///
/// # Errors
/// When there is none and none can be created.
pub(super) fn ready(key: &StateKey) -> Result<(), CliError> {
    key.encryption().map(|_| ()).map_err(|why| {
        CliError::new(format!(
            "The secrets of this stack need a key, and none can be created: {why}."
        ))
        .now("Nothing was changed.")
        .hint(format!(
            "Set {VARIABLES}; or HOME or XDG_CONFIG_HOME to a folder of yours outside of the \
             project."
        ))
    })
}

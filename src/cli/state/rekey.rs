//! `stackctl state rekey`: who can open the secrets in the state, and another key for them.

use super::super::args::GlobalArgs;
use super::super::args::state::RekeyArgs;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::{confirm, identity, output, state_key};
use super::bench::Bench;
use crate::report::terminal::escape;
use crate::store::key::{Given, StateKey, recipient};
use crate::store::rekey::{forget, rekey};
use crate::store::state::{Encryption, State, StateChange};
use serde_json::json;
use std::collections::BTreeMap;

/// The passphrase to come.
const NEW_PASSPHRASE: &str = "STACKCTL_STATE_NEW_PASSPHRASE";

const QUESTION: &str = "Give up the secrets in the state? Only \"yes\" is accepted: ";

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &RekeyArgs) -> Result<Exit, CliError> {
    if args.no_encryption {
        return Err(CliError::new(
            "--no-encryption does not exist any more: a state keeps its secrets encrypted, always.",
        )
        .now("Nothing was changed.")
        .hint("Give the state another key with --new-passphrase or --new-key FILE."));
    }
    let given = given(args)?;
    for text in args.add.iter().chain(&args.remove) {
        recipient(text).map_err(|why| {
            CliError::new(format!("{text} cannot be added or removed: {why}."))
                .now("Nothing was changed.")
                .hint("Give the public key of an identity: `age-keygen -y FILE` prints it.")
        })?;
    }
    let place = &args.change.place;
    let bench = Bench::new(global, args.stack.as_deref(), place).await?;
    let asks =
        given.is_none() && args.add.is_empty() && args.remove.is_empty() && !args.forget_secrets;
    if asks {
        let state = bench.open().await?.into_state();
        return list(global, state.encryption.as_ref(), &bench.store.name());
    }
    bench.lock(global, args.change.lock).await?;
    let opened = bench.open().await?;
    let exists = opened.existed || opened.interrupted;
    let mut state = opened.into_state();
    let name = bench.store.name();
    if !exists {
        return Err(CliError::new(format!("{name} has no state yet."))
            .now("Nothing was changed.")
            .hint("Run apply first; the first secret creates the state's key."));
    }
    if args.forget_secrets {
        if !confirm::confirm(QUESTION, args.change.consent.yes, global.json).await? {
            output::message("Cancelled. No changes were made.\n");
            return Ok(Exit::Failed);
        }
        state.change(forget(&state));
        bench.save(&mut state).await?;
        return forgotten(global, &state);
    }
    let old = state_key::unlock(&place.cloud, &state, &name)?;
    state_key::need(&old, &name, &["the state".to_owned()])?;
    let change = match given {
        Some(given) => change(&state, &old, &StateKey::renew(given, &state), &name)?,
        None => shared(args, &state, &old, &name)?,
    };
    state.change(change);
    bench.save(&mut state).await?;
    if global.json {
        let json = json!({
            "serial": state.serial,
            "recipient": state.encryption.as_ref().map(|known| &known.recipient),
            "recipients": state.encryption.as_ref().map(|known| &known.recipients),
        });
        output::json(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let next = if args.new_passphrase {
        "Set STACKCTL_STATE_PASSPHRASE to the new passphrase from now on."
    } else if args.new_key.is_some() {
        "Name the new key file from now on."
    } else {
        "No value that exists was sent anywhere."
    };
    let older = match args.remove.is_empty() {
        true => "Older versions have the key they were saved with.",
        false => {
            "Versions that were saved before keep the old key: who was removed and has one of \
             them can still read it. Change the secrets themselves where that matters."
        }
    };
    output::message(&format!(
        "Saved as serial {}. {next} {older}\n",
        state.serial
    ));
    Ok(Exit::Done)
}

fn forgotten(global: &GlobalArgs, state: &State) -> Result<Exit, CliError> {
    if global.json {
        let json = json!({"serial": state.serial, "recipient": null, "recipients": null});
        output::json(&format!("{json:#}\n"))?;
    } else {
        output::message(&format!(
            "Saved as serial {}, without its secrets. The next apply keeps those that the file \
             gives, with a new key.\n",
            state.serial
        ));
    }
    Ok(Exit::Done)
}

/// Every secret gets the new key.
fn change(
    state: &State,
    old: &StateKey,
    new: &StateKey,
    name: &str,
) -> Result<StateChange, CliError> {
    rekey(state, old, new).map_err(|why| {
        CliError::new(format!(
            "The secrets in {name} cannot be given another key: {why}."
        ))
        .now("Nothing was changed.")
        .hint("Look for an undamaged version with `stackctl state history`.")
    })
}

/// The same key for more people, or another one for fewer.
fn shared(
    args: &RekeyArgs,
    state: &State,
    old: &StateKey,
    name: &str,
) -> Result<StateChange, CliError> {
    let refused = |what: String, hint: &str| {
        let error = CliError::new(format!(
            "The recipients of {name} stay as they are: {what}."
        ));
        error.now("Nothing was changed.").hint(hint)
    };
    let failed = |why: String| refused(why, "Correct the recipient.");
    let encryption = old.encryption().map_err(failed)?;
    let Some(encryption) = encryption else {
        return Err(failed("the state has no key".to_owned()));
    };
    let is_direct = encryption.identity.is_none();
    let mut recipients = match is_direct {
        true => BTreeMap::from([(encryption.recipient.clone(), String::new())]),
        false => encryption.recipients.clone(),
    };
    if recipients.is_empty() {
        return Err(refused(
            "its secrets are encrypted with a passphrase, which all share".to_owned(),
            "Run `stackctl state rekey --new-key FILE` first, with your own identity.",
        ));
    }
    for one in &args.remove {
        if recipients.remove(one).is_none() {
            let what = format!("{one} is not one of them");
            return Err(refused(what, "`stackctl state rekey` lists them."));
        }
    }
    let added = format!("added on {}", identity::host());
    for one in &args.add {
        recipients
            .entry(one.clone())
            .or_insert_with(|| added.clone());
    }
    if recipients.is_empty() {
        return Err(refused(
            "nobody would be left who can open the secrets".to_owned(),
            "Add another recipient with --add first.",
        ));
    }
    if args.remove.is_empty() && !is_direct {
        let encryption = old.wrapped_to(recipients).map_err(failed)?;
        return Ok(StateChange::Encrypt { encryption });
    }
    change(
        state,
        old,
        &StateKey::to_recipients(recipients, state),
        name,
    )
}

/// Who can open the secrets.
fn list(
    global: &GlobalArgs,
    encryption: Option<&Encryption>,
    name: &str,
) -> Result<Exit, CliError> {
    if global.json {
        let json = json!({
            "recipient": encryption.map(|known| &known.recipient),
            "recipients": encryption.map(|known| &known.recipients),
            "passphrase": encryption.map(is_passphrase),
        });
        output::json(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let text = match encryption {
        None => format!(
            "{name} has no key yet: it has no secrets. The first one is encrypted with {}, or \
             with a key that is created for you.\n",
            identity::VARIABLES
        ),
        Some(known) if is_passphrase(known) => {
            format!("The secrets in {name} are encrypted with a passphrase.\n")
        }
        Some(known) if known.identity.is_none() => format!(
            "The secrets in {name} are encrypted to {}, the key of a key file.\n",
            escape(&known.recipient)
        ),
        Some(known) => {
            let lines = known.recipients.iter();
            let lines: String = lines
                .map(|(one, made_in)| format!("  {}  {}\n", escape(one), escape(made_in)))
                .collect();
            format!("The secrets in {name} can be opened by\n{lines}")
        }
    };
    output::result(&text)?;
    Ok(Exit::Done)
}

fn is_passphrase(known: &Encryption) -> bool {
    known.identity.is_some() && known.recipients.is_empty()
}

/// The key to come, where all is to get another one.
fn given(args: &RekeyArgs) -> Result<Option<Given>, CliError> {
    if let Some(path) = &args.new_key {
        return state_key::read(path, "--new-key").map(Some);
    }
    if !args.new_passphrase {
        return Ok(None);
    }
    match state_key::variable(NEW_PASSPHRASE)? {
        Some(text) => Ok(Some(Given::passphrase(text))),
        None => Err(CliError::new(format!(
            "--new-passphrase takes the passphrase from {NEW_PASSPHRASE}, which is not set."
        ))
        .now("Nothing was changed.")
        .hint(format!("Set {NEW_PASSPHRASE} for this command."))),
    }
}

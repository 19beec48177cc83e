//! `stackctl state rekey`: another key for the secrets in the state.

use super::super::args::GlobalArgs;
use super::super::args::state::RekeyArgs;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::{confirm, output, state_key};
use super::Bench;
use crate::store::key::{Given, StateKey};
use crate::store::rekey::rekey;
use serde_json::json;

/// The passphrase to come.
const NEW_PASSPHRASE: &str = "STACKCTL_STATE_NEW_PASSPHRASE";

const QUESTION: &str = "Drop the secrets that the state keeps? Only \"yes\" is accepted: ";

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &RekeyArgs) -> Result<Exit, CliError> {
    let given = given(args)?;
    let place = &args.change.place;
    let bench = Bench::new(global, args.stack.as_deref(), place).await?;
    bench.lock(global, args.change.lock).await?;
    let mut state = bench.open().await?.into_state();
    let name = bench.store.name();
    let old = state_key::unlock(&place.cloud, &state, &name)?;
    let old = match state.encryption {
        Some(_) => old,
        // What was given for a state that is not encrypted has encrypted nothing.
        None => StateKey::default(),
    };
    let new = StateKey::renew(given, &state).map_err(|error| state_key::refused(&error, &name))?;
    let change = rekey(&state, &old, &new).map_err(|why| {
        CliError::new(format!(
            "The secrets in {name} cannot be given another key: {why}."
        ))
        .now("Nothing was changed.")
        .hint("Look for an undamaged version with `stackctl state history`.")
    })?;
    let drops = args.no_encryption && state.encryption.is_some();
    if drops && !confirm::confirm(QUESTION, args.change.consent.yes, global.json).await? {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    state.change(change);
    bench.save(&mut state).await?;
    let recipient = state.encryption.as_ref().map(|known| &known.recipient);
    if global.json {
        let json = json!({"serial": state.serial, "recipient": recipient});
        output::result(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let next = if args.new_passphrase {
        "Set STACKCTL_STATE_PASSPHRASE to the new passphrase from now on"
    } else if args.no_encryption {
        "Unset STACKCTL_STATE_PASSPHRASE and STACKCTL_STATE_KEY_FILE, or the next apply encrypts again"
    } else {
        "Name the new key file from now on"
    };
    output::message(&format!(
        "Saved as serial {}. {next}. Older versions have the key they were saved with.\n",
        state.serial
    ));
    Ok(Exit::Done)
}

/// The key to come.
fn given(args: &RekeyArgs) -> Result<Given, CliError> {
    if let Some(path) = &args.new_key {
        return state_key::read(path, "--new-key");
    }
    if !args.new_passphrase {
        return Ok(Given::default());
    }
    match state_key::passphrase(NEW_PASSPHRASE)? {
        Some(text) => Ok(Given::passphrase(text)),
        None => Err(CliError::new(format!(
            "--new-passphrase takes the passphrase from {NEW_PASSPHRASE}, which is not set."
        ))
        .now("Nothing was changed.")
        .hint(format!("Set {NEW_PASSPHRASE} for this command."))),
    }
}

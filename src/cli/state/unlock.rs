//! `stackctl state unlock`: removes the lock of a dead run.

use super::super::args::GlobalArgs;
use super::super::args::state::UnlockArgs;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::place::store_error;
use super::super::{confirm, output};
use super::bench::Bench;
use crate::store::Locked;
use serde_json::json;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &UnlockArgs) -> Result<Exit, CliError> {
    let bench = Bench::new(global, args.stack.as_deref(), &args.place).await?;
    let name = bench.store.name();
    let mut notify = |holder: &crate::store::lease::Holder| {
        output::message(&format!("Looking whether the holder lives: {holder}.\n"));
    };
    // With --force it does not matter whether the holder lives.
    let looking = bench.store.check_lock(!args.force, &mut notify);
    let found = bench.reading(looking).await;
    let found = found.map_err(store_error)?;
    let holder = match found {
        Locked::Free => {
            say(global, &format!("{name} is not locked."), None)?;
            return Ok(Exit::Done);
        }
        Locked::Alive(holder) if !args.force => {
            return Err(CliError::new(format!("The holder of {name} lives: {holder}."))
                .exit(Exit::Locked)
                .now("The lock was left to it.")
                .hint("Wait until that run has ended, or stop it. With --force it loses the lock and begins nothing more."));
        }
        Locked::Alive(holder) | Locked::Dead(holder) => holder,
    };
    output::message(&format!("{name} is locked by {holder}.\n"));
    let question = "Take this lock away? Only \"yes\" is accepted: ";
    if !confirm::confirm(question, args.consent.yes, global.json).await? {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    bench.store.unlock(&holder).await.map_err(store_error)?;
    say(
        global,
        &format!("{name} is not locked any more."),
        Some(holder.to_string()),
    )?;
    Ok(Exit::Done)
}

fn say(global: &GlobalArgs, text: &str, holder: Option<String>) -> Result<(), CliError> {
    if global.json {
        let json = json!({"locked": false, "taken_from": holder});
        return output::json(&format!("{json:#}\n"));
    }
    output::message(&format!("{text}\n"));
    Ok(())
}

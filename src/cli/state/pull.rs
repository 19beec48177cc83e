//! `stackctl state pull`: the state as it is kept.

use super::super::args::GlobalArgs;
use super::super::args::state::PullArgs;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::output;
use super::super::place::store_error;
use super::bench::Bench;
use crate::store::{self, transfer};
use serde_json::json;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &PullArgs) -> Result<Exit, CliError> {
    let bench = Bench::new(global, args.stack.as_deref(), &args.place).await?;
    let name = bench.store.name();
    let opened = bench.open().await?;
    if !opened.existed {
        return Err(nothing(&name));
    }
    // Without what an interrupted run did: that is in its journal.
    let inspected = bench.store.inspect().await.map_err(store_error)?;
    let state = inspected.state.map_err(|why| {
        CliError::new(format!("{name} changed while it was read: {why}."))
            .hint("Run the command again.")
    })?;
    let text = store::to_text(&state)
        .map_err(|error| CliError::new("The state could not be put as JSON.").caused_by(&error))?;
    output::message(&format!("{name} has serial {}.\n", state.serial));
    if opened.interrupted {
        output::message(
            "A run is in progress or was interrupted: what it did is in its journal, and not in this.\n",
        );
    }
    let Some(path) = &args.out else {
        output::json(&String::from_utf8_lossy(&text))?;
        return Ok(Exit::Done);
    };
    transfer::write_copy(path, &text).map_err(store_error)?;
    if global.json {
        let json = json!({"serial": state.serial, "file": path.display().to_string()});
        output::json(&format!("{json:#}\n"))?;
    }
    Ok(Exit::Done)
}

/// The state does not exist.
pub(super) fn nothing(name: &str) -> CliError {
    CliError::new(format!("{name} has no state."))
        .now("Nothing was changed.")
        .hint("The first apply makes one; one that is elsewhere is named with --state.")
}

//! `stackctl refresh`: records what is live in the state, and changes nothing else.

use super::args::{GlobalArgs, RefreshArgs};
use super::error::CliError;
use super::exit::Exit;
use super::live::{self, Live, Wanted};
use super::place::store_error;
use super::session::Session;
use super::{confirm, output, planning};
use crate::engine::after::drift;
use crate::report::{self, terminal::escape};
use crate::resource::table::native;
use crate::store::StoreError;
use crate::store::rekey::upgrade;
use crate::store::state::StateChange;
use serde_json::json;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &RefreshArgs) -> Result<Exit, CliError> {
    let mut live = live::read(Wanted {
        global,
        names: &args.names,
        input: &args.read.input,
        cloud: &args.read.cloud,
        writes: Some(args.lock),
    })
    .await?;
    let show = args.read.secrets.show_secrets;
    let changes = drift::refreshed(native(), &live.drift, &live.world);
    if !global.json {
        let style = Session::style(global, show);
        output::result(&report::text::drift(&live.drift, &live.world, &style))?;
        output::result(&outputs(&live, &changes))?;
    }
    let changed = !changes.is_empty();
    if changed && !confirm::confirm(confirm::REFRESH, args.consent.yes, global.json).await? {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    let mut document = report::drift::json(&live.drift, &live.world, show);
    if changed {
        for change in changes {
            live.world.state.change(change);
        }
        planning::name_key(&mut live.world)?;
        let state = &mut live.world.state;
        upgrade(state, &live.world.key).map_err(|why| store_error(StoreError::Key(why)))?;
        live.store.save(state).await.map_err(store_error)?;
    }
    if global.json {
        document["refreshed"] = changed.into();
        document["serial"] = json!(live.world.state.serial);
        output::json(&format!("{document:#}\n"))?;
    } else if changed {
        output::message("The state has the live values now; nothing else was changed.\n");
    }
    Ok(Exit::Done)
}

/// Resources of which only outputs have changed, which is not drift.
fn outputs(live: &Live, changes: &[StateChange]) -> String {
    let mut text = String::new();
    for change in changes {
        let StateChange::Put { address, resource } = change else {
            continue;
        };
        let drifted = live.drift.drifted.iter();
        let known = live.world.state.resources.get(address);
        let Some(known) = known.filter(|_| !drifted.clone().any(|it| it.address == *address))
        else {
            continue;
        };
        let values = resource.outputs.as_object().into_iter().flatten();
        let names: Vec<&str> = values
            .filter(|(name, value)| known.outputs.get(*name) != Some(value))
            .map(|(name, _)| name.as_str())
            .collect();
        let line = format!("{address}: the outputs {} have changed", names.join(", "));
        text.push_str(&escape(&line));
        text.push('\n');
    }
    text
}

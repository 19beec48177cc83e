//! `apply --verify`: whether a plan right after the apply is empty.

use super::args::{GlobalArgs, RunArgs};
use super::error::CliError;
use super::session::Session;
use super::{output, reads};
use crate::content::Disk;
use crate::engine::after::post_apply::{self, After, Remaining};
use crate::engine::apply::Finished;
use crate::engine::apply::event::Doing;
use crate::engine::observe::{self, Observe};
use crate::engine::plan::planned::Options;
use crate::engine::plan::planned::Planned;
use crate::engine::world::World;
use crate::report;
use crate::resource::table::native;
use crate::store::state::State;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// How an apply is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verify {
    /// Not at all.
    Off,
    /// From the results that the calls of the run returned.
    OwnResults,
    /// From what is read once more.
    Read,
}

/// Some services show a change a moment late; one that is not seen is looked for once more.
const MOMENT: Duration = Duration::from_secs(3);

/// Checks that a plan after the apply is empty, and reports each attribute that is not.
pub(super) async fn verify(
    global: &GlobalArgs,
    run: &RunArgs,
    session: &Session,
    (how, finished): (Verify, &Finished),
) -> Result<(), CliError> {
    let Some(state) = &finished.state else {
        return Ok(());
    };
    let made = finished
        .done
        .iter()
        .filter(|(_, doing)| matches!(doing, Doing::Creating | Doing::Updating | Doing::Importing));
    let touched: BTreeSet<String> = made.map(|(address, _)| address.clone()).collect();
    let remaining = match how {
        Verify::Off => return Ok(()),
        Verify::OwnResults => post_apply::remaining(&After {
            types: native(),
            stack: &session.stack,
            world: &session.world,
            state,
            touched: &touched,
            read_file: &Disk::new(&session.stack.dir),
        }),
        Verify::Read => {
            let narrowed = !(run.targets.is_empty() && run.excludes.is_empty());
            let wanted = |address: &str| !narrowed || touched.contains(address);
            let mut remaining = read(session, state, &wanted).await?;
            if !remaining.is_empty() {
                tokio::time::sleep(MOMENT).await;
                remaining = read(session, state, &wanted).await?;
            }
            remaining
        }
    };
    report(global, run, &remaining)
}

async fn read(
    session: &Session,
    state: &State,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Remaining>, CliError> {
    let options = Options::default();
    let read_file = Disk::new(&session.stack.dir);
    let observe = Observe {
        types: native(),
        stack: &session.stack,
        options: &options,
        cx: &session.cx,
        refresh: true,
        only: None,
        allowed: &[],
        read_file: &read_file,
    };
    let world = World {
        seed: session.world.seed,
        unix_time: session.world.unix_time,
        data: session.world.data.clone(),
        key: session.world.key.clone(),
        head: session.world.head.clone(),
        ..World::new(state.clone())
    };
    let (_, planned) = observe::observe_and_plan(&observe, world, Planned::default())
        .await
        .map_err(|failures| {
            reads::placed(failures, &session.sources)
                .now("Everything was applied and is in the state; only the check was not made.")
        })?;
    Ok(post_apply::remaining_in(&planned, wanted))
}

fn report(global: &GlobalArgs, run: &RunArgs, remaining: &[Remaining]) -> Result<(), CliError> {
    let show = run.secrets.show_secrets;
    if global.json {
        let rows: Vec<_> = remaining
            .iter()
            .flat_map(|one| report::json::remaining(one, show))
            .collect();
        let event = json!({"type": "verify", "empty": rows.is_empty(), "differences": rows});
        output::json(&format!("{event}\n"))?;
    }
    let Some(first) = remaining.first() else {
        return Ok(());
    };
    let mut error = CliError::new(
        "Everything was applied, but a plan made right after it is not empty.",
    )
    .now("What was applied is in the state.")
    .hint(format!(
        "Run plan. If it shows the same though nobody else changes {}, the type {} has a defect: please report it.",
        first.address, first.type_name
    ));
    error.chain = remaining
        .iter()
        .flat_map(|one| report::text::remaining(one, show))
        .collect();
    Err(error)
}

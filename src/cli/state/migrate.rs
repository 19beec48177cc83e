//! `stackctl state migrate`: the state and its versions go to another place.
//!
//! In this order: the versions, the state, and the mark in the old place. Whenever it is cut
//! off, one of the two places has the state and the same command continues from there.

use super::super::account::AccountReport;
use super::super::args::GlobalArgs;
use super::super::args::state::MigrateArgs;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::place::{self, store_error};
use super::super::{confirm, identity, output};
use super::bench::Bench;
use super::history::all;
use super::pull::nothing;
use crate::lang::stack::Stack;
use crate::store::state::State;
use crate::store::transfer::{Moved, copy_versions};
use crate::store::{self, Inspected, Store};
use serde_json::{Value, json};
use std::path::absolute;

/// Where the state goes by its stack's name.
const LOCAL: &str = "local";

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &MigrateArgs) -> Result<Exit, CliError> {
    let (bench, target) = places(global, args).await?;
    let name = bench.store.name();
    let journey = Journey {
        to: match args.to.as_str() {
            LOCAL => target.name(),
            named => named.to_owned(),
        },
        stack: &bench.stack,
        from: &bench.store,
        target: &target,
    };
    let left = bench.reading(bench.store.inspect()).await;
    let left = left.map_err(store_error)?;
    if let Some(moved) = &left.moved
        && moved.to == journey.to
    {
        let there = target
            .open(&bench.stack.name, bench.stack.env.as_deref())
            .await;
        return journey.arrived(global, there.map_err(store_error)?.state.serial);
    }
    let opened = bench.open().await?;
    if !opened.existed {
        return Err(nothing(&name));
    }
    if opened.interrupted {
        return Err(journey
            .refused("an interrupted run has left its journal")
            .hint("Run `stackctl apply` first, which recovers it."));
    }
    let state = opened.into_state();
    let there = target.inspect().await.map_err(store_error)?;
    let serial = there
        .take(&state, &left.versions, args.force)
        .map_err(|found| journey.refused(&found.why).hint(found.next))?;
    if !global.json {
        output::message(&journey.render(&state, &there, serial));
    }
    let question = "Move the state? Only \"yes\" is accepted: ";
    if !confirm::confirm(question, args.change.consent.yes, global.json).await? {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    let serial = journey.go(state, serial).await?;
    journey.arrived(global, serial)
}

/// The place that the state is to leave, and the other one; both locked.
async fn places(global: &GlobalArgs, args: &MigrateArgs) -> Result<(Bench, Store), CliError> {
    let cloud = &args.change.place.cloud;
    let mut bench = Bench::new(global, args.stack.as_deref(), &args.change.place).await?;
    let mut target = match args.to.as_str() {
        LOCAL => place::usual(&bench.stack),
        named => place::at(&bench.stack, cloud, named).await?,
    };
    let name = bench.store.name();
    if absolute(&name).ok() == absolute(target.name()).ok() {
        return Err(CliError::new(format!("{name} is where the state is kept already."))
            .now("Nothing was changed.")
            .hint("Name the place it is to leave with --state, if the stack file has the new one already."));
    }
    let watch = place::watch(cloud).await?;
    bench.store.watch(watch.clone());
    target.watch(watch);
    bench.lock(global, args.change.lock).await?;
    let account_report = AccountReport::new(global, &bench.stack, cloud, &target);
    let locking = place::lock(&target, &bench.stack, global, args.change.lock);
    account_report.reading(&target, locking).await?;
    Ok((bench, target))
}

/// From where to where.
struct Journey<'a> {
    stack: &'a Stack,
    from: &'a Store,
    target: &'a Store,
    /// The target as `--state` takes it.
    to: String,
}

impl Journey<'_> {
    fn refused(&self, why: &str) -> CliError {
        let (from, to) = (self.from.name(), &self.to);
        CliError::new(format!("The state {from} cannot be moved to {to}: {why}."))
            .now("Nothing was changed.")
    }

    /// What is about to happen; `serial`: none where the target has it already.
    fn render(&self, state: &State, there: &Inspected, serial: Option<u64>) -> String {
        let (from, to) = (self.from.name(), &self.to);
        let (of, objects) = (state.serial, all(state).len());
        let mut text = format!("{from}, serial {of} (resources: {objects}), goes to {to}.\n");
        text.push_str(&match (&there.state, &there.moved) {
            (Ok(_), _) if serial.is_none() => {
                "The copy exists already; the old place is still to be marked.\n".to_owned()
            }
            (Ok(old), _) if old.lineage == state.lineage => format!(
                "There is serial {} of the same lineage, which is kept among the versions.\n",
                old.serial
            ),
            (Ok(old), _) => format!(
                "There is serial {} of another lineage (resources: {}): it is replaced, and kept among the versions.\n",
                old.serial,
                all(old).len()
            ),
            (Err(_), Some(_)) => "It was moved away from there before.\n".to_owned(),
            (Err(_), None) => String::new(),
        });
        text
    }

    /// Moves it; its serial there.
    async fn go(&self, mut state: State, serial: Option<u64>) -> Result<u64, CliError> {
        let (from, to) = (self.from.name(), &self.to);
        let stays = |error| {
            store_error(error)
                .now(format!("The state is in {from} as before."))
                .hint("Run the command again; it continues from there.")
        };
        copy_versions(self.from, self.target).await.map_err(stays)?;
        if let Some(serial) = serial {
            let saved = self.target.save_as(&mut state, serial);
            saved.await.map_err(stays)?;
        }
        let both = |error: CliError| {
            error
                .now(format!(
                    "The state is in {to}, and {from} does not say so yet."
                ))
                .hint("Run the command again before anything else; it continues from there.")
        };
        let (stack, env) = (&self.stack.name, self.stack.env.as_deref());
        let back = self.target.open(stack, env).await;
        let back = back.map_err(|error| both(store_error(error)))?.into_state();
        if (State {
            serial: state.serial,
            ..back.clone()
        }) != state
        {
            let message = format!("What was read back from {to} is not what was written.");
            return Err(both(CliError::new(message)));
        }
        let moved = Moved {
            to: to.clone(),
            host: identity::host(),
            at: store::now(),
            stack: state.stack,
            env: state.env,
            lineage: state.lineage,
            serial: state.serial,
        };
        let retired = self.from.retire(moved).await;
        retired.map_err(|error| both(store_error(error)))?;
        Ok(back.serial)
    }

    /// Says what to write into the stack file.
    fn arrived(&self, global: &GlobalArgs, serial: u64) -> Result<Exit, CliError> {
        let (from, to) = (self.from.name(), &self.to);
        let usual = self.target.name() == place::usual(self.stack).name();
        let line = (!usual).then(|| format!("state: {}", Value::from(to.as_str())));
        if global.json {
            let json = json!({"from": from, "to": to, "serial": serial, "line": line});
            output::json(&format!("{json:#}\n"))?;
            return Ok(Exit::Done);
        }
        output::message(&format!(
            "Serial {serial} is in {to} now, and {from} says so.\n"
        ));
        match line {
            Some(line) => {
                output::message(
                    "Put this line into the stack file, or pass --state from now on:\n",
                );
                output::result(&format!("{line}\n"))?;
            }
            None if self.stack.state.is_null() => {
                output::message("Leave --state out from now on.\n");
            }
            None => output::message("Take the line `state:` out of the stack file.\n"),
        }
        if self.stack.env.is_some() && !usual {
            output::message(
                "Each environment keeps a state of its own: the line may say ${stack.env}.\n",
            );
        }
        Ok(Exit::Done)
    }
}

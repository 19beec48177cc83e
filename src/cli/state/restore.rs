//! `stackctl state restore`: a saved version or a file becomes the newest version.

use super::super::args::state::{RestoreArgs, as_file};
use super::super::args::{ConsentArg, GlobalArgs};
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::place::store_error;
use super::super::{confirm, output};
use super::bench::{Bench, words};
use super::history::{Difference, all};
use crate::files;
use crate::store::Inspected;
use crate::store::state::State;
use serde_json::json;
use std::path::Path;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &RestoreArgs) -> Result<Exit, CliError> {
    let (stack, rest) = words(&args.words, 1);
    let bench = Bench::new(global, stack, &args.change.place).await?;
    bench.lock(global, args.change.lock).await?;
    let inspected = bench.store.inspect().await.map_err(store_error)?;
    let wanted = match as_file(&rest[0]) {
        Some(path) => from_file(&path)?,
        None => from_history(&bench, &inspected, &rest[0]).await?,
    };
    check(&bench, &wanted)?;
    let state = inspected.continued(wanted).map_err(|why| {
        CliError::new(format!("The state cannot be restored: {why}."))
            .now("Nothing was changed.")
            .hint("Run `stackctl apply` first, which recovers that run.")
    })?;
    let newest = Newest {
        bench: &bench,
        inspected: &inspected,
        before: before(&bench, &inspected).await?,
        verb: "restored",
        from: &rest[0],
    };
    let serial = state.serial + 1;
    newest
        .save(global, args.change.consent, (state, serial))
        .await
}

/// What the new version is compared with: the existing state, or its newest version.
pub(super) async fn before(bench: &Bench, inspected: &Inspected) -> Result<State, CliError> {
    match (&inspected.state, inspected.versions.last()) {
        (Ok(before), _) => Ok(before.clone()),
        (Err(_), Some(newest)) => {
            let version = bench.store.version(newest).await;
            Ok(version.map_err(store_error)?.state)
        }
        (Err(_), None) => Ok(State::empty(&bench.stack.name, None, String::new())),
    }
}

/// A state that is to be the newest version.
pub(super) struct Newest<'a> {
    pub(super) bench: &'a Bench,
    /// The existing state.
    pub(super) inspected: &'a Inspected,
    /// What it is compared with.
    pub(super) before: State,
    /// What is done with it, for scripts.
    pub(super) verb: &'static str,
    /// Where it comes from, as it was typed.
    pub(super) from: &'a str,
}

impl Newest<'_> {
    /// Shows what would be different, asks, and saves the state with this serial.
    pub(super) async fn save(
        &self,
        global: &GlobalArgs,
        consent: ConsentArg,
        (mut state, serial): (State, u64),
    ) -> Result<Exit, CliError> {
        if !global.json {
            show(self.inspected, &self.before, &state);
        }
        let question = "Save this as the newest version? Only \"yes\" is accepted: ";
        if !confirm::confirm(question, consent.yes, global.json).await? {
            output::message("Cancelled. No changes were made.\n");
            return Ok(Exit::Failed);
        }
        let saved = self.bench.store.save_as(&mut state, serial).await;
        saved.map_err(store_error)?;
        let serial = state.serial;
        if global.json {
            let difference = Difference::between(&self.before, &state);
            let (added, changed, gone) = (difference.added, difference.changed, difference.removed);
            let json = json!({self.verb: self.from, "serial": serial, "added": added, "changed": changed, "gone": gone});
            output::json(&format!("{json:#}\n"))?;
        } else {
            output::message(&format!(
                "Saved as serial {serial}. `stackctl plan` shows how it differs from what is live.\n"
            ));
        }
        Ok(Exit::Done)
    }
}

fn from_file(path: &Path) -> Result<State, CliError> {
    let text = files::read(path, files::LARGEST_STATE).map_err(|why| {
        let error = std::io::Error::from(why);
        CliError::new(format!("{} cannot be read.", path.display()))
            .caused_by(&error)
            .now("Nothing was changed.")
    })?;
    crate::store::read_edited(&text).map_err(|why| {
        CliError::new(format!("{} is not to be restored: {why}.", path.display()))
            .now("Nothing was changed.")
            .hint("`stackctl state history` lists the versions that can be restored.")
    })
}

async fn from_history(
    bench: &Bench,
    inspected: &Inspected,
    serial: &str,
) -> Result<State, CliError> {
    let known = inspected.versions.iter().rev();
    let mut known = known.filter(|name| serial.parse() == Ok(name.serial));
    let Some(name) = known.next() else {
        let message = format!("No version with serial {serial} was saved here.");
        return Err(CliError::new(message)
            .now("Nothing was changed.")
            .hint("`stackctl state history` lists the versions."));
    };
    let version = bench.store.version(name).await.map_err(store_error)?;
    Ok(version.state)
}

pub(super) fn check(bench: &Bench, wanted: &State) -> Result<(), CliError> {
    let stack = &bench.stack;
    if wanted.stack == stack.name && wanted.env == stack.env {
        return Ok(());
    }
    let of = match &wanted.env {
        Some(env) => format!("\"{}\" with --env {env}", wanted.stack),
        None => format!("\"{}\"", wanted.stack),
    };
    Err(CliError::new(format!("This is a state of the stack {of}."))
        .now("Nothing was changed.")
        .hint(
            "Use it for that stack: two states of the same resources would undo each other's work.",
        ))
}

/// What would be different, by resource.
fn show(inspected: &Inspected, before: &State, after: &State) {
    let mut text = match &inspected.state {
        Ok(_) => String::new(),
        Err(why) => format!(
            "The existing state cannot be used: {why}. Compared with the newest version that was saved:\n"
        ),
    };
    let (before, after) = (all(before), all(after));
    let mut lines = Vec::new();
    for (name, known) in &after {
        match before.get(name) {
            None => lines.push(format!("+ {name} ({}), id {}", known.type_name, known.id)),
            Some(old) if old.id != known.id => {
                lines.push(format!("~ {name}: id {} -> {}", old.id, known.id));
            }
            Some(old) if old != known => {
                lines.push(format!("~ {name}: {}", parts(old, known).join(", ")));
            }
            Some(_) => {}
        }
    }
    for (name, known) in &before {
        if !after.contains_key(name) {
            lines.push(format!("- {name} ({}), id {}", known.type_name, known.id));
        }
    }
    if lines.is_empty() {
        text.push_str("No resource differs.\n");
    }
    for line in lines {
        text.push_str(&crate::report::terminal::escape_lines(&line));
        text.push('\n');
    }
    output::message(&text);
}

/// The names of what differs between two records of a resource.
fn parts(
    old: &crate::store::state::ResourceState,
    new: &crate::store::state::ResourceState,
) -> Vec<String> {
    let mut parts = Vec::new();
    for (what, old, new) in [
        ("inputs", &*old.inputs, &*new.inputs),
        ("outputs", &old.outputs, &new.outputs),
    ] {
        let empty = serde_json::Map::new();
        let (old, new) = (
            old.as_object().unwrap_or(&empty),
            new.as_object().unwrap_or(&empty),
        );
        let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differ = names
            .into_iter()
            .filter(|name| old.get(*name) != new.get(*name));
        parts.extend(differ.map(|name| format!("{what}.{name}")));
    }
    if parts.is_empty() {
        parts.push("options or dependencies".to_owned());
    }
    parts
}

//! `stackctl state rebuild`: searches AWS for the resources that the state lacks, and imports them.

use super::super::account::{self, Account, AccountReport};
use super::super::args::GlobalArgs;
use super::super::args::state::RebuildArgs;
use super::super::clock;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::mistakes::{load_checked, report, strictly};
use super::super::place::{self, store_error};
use super::super::planning::{self, Connect, Connected};
use super::super::session::Session;
use super::super::{confirm, find, output, reads, state_key};
use crate::content::Disk;
use crate::engine::after::rebuild::{self, Missing, Rebuilt};
use crate::engine::apply::recovery;
use crate::engine::observe::{Observe, observe_and_plan};
use crate::engine::plan::planned::{Options, Planned, Request};
use crate::engine::plan::rewrite;
use crate::engine::plan::rewrites::ImportFault;
use crate::engine::world::ReadFailure;
use crate::engine::world::World;
use crate::lang::stack::Stack;
use crate::report as reports;
use crate::resource::context::AsTyped;
use crate::resource::table::native;
use crate::store::journal::Intent;
use crate::store::state::State;
use crate::store::{Store, StoreError};
use serde_json::json;
use std::collections::BTreeMap;

/// What the state is rebuilt from.
struct Base {
    state: State,
    /// What an interrupted run left open, where one was interrupted.
    open: Option<Vec<Intent>>,
    /// Why the existing state cannot be used.
    unusable: Option<String>,
    /// The newest saved version, beside a state that cannot be used.
    newest: Option<u64>,
}

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &RebuildArgs) -> Result<Exit, CliError> {
    let given = given(&args.id)?;
    let change = &args.change;
    let cloud = &change.place.cloud;
    let loaded = find::load(args.stack.as_deref(), &change.place.input, cloud)?;
    let (stack, sources) = load_checked(global, loaded)?;
    let mut store = place::store(&stack, cloud).await?;
    place::lock(&store, &stack, global, change.lock).await?;
    let account_report = AccountReport::new(global, &stack, cloud, &store);
    let (base, account) = account_report.asking(&store, base(&stack, &store)).await;
    let base = base.inspect_err(|_| Account::report_some(&account))?;
    let mut world = World::new(base.state);
    world.head = account::head(&stack, cloud, &store);
    world.seed = rand::random();
    world.unix_time = clock::now();
    world.key = state_key::unlock(cloud, &world.state, &store.name())?;
    state_key::need(&world.key, &store.name(), &["the state".to_owned()])?;
    let open = base.open.as_deref().unwrap_or_default();
    let remote = planning::uses_aws(&stack, &world) || recovery::needs_aws(native(), open);
    if !remote {
        // Else the plan says so.
        Account::report_some(&account);
    }
    let Connected {
        cx,
        allowed_accounts,
    } = Connect {
        stack: &stack,
        cloud,
        typed: AsTyped::default(),
    }
    .connect(&mut store, remote)
    .await?;
    world.head.endpoints = account::endpoints(&cx.aws);
    if remote {
        let identity = cx.aws.identity().await;
        world.identity = Some(identity.map_err(|it| reads::resource_error(&it))?.clone());
        world.region = Some(cx.aws.region().to_owned());
        account::check_account(&world, &allowed_accounts, &store)?;
    }
    if let Some(open) = &base.open {
        planning::recover_open(&cx, &mut world, open).await?;
        planning::name_key(&mut world)?;
    }
    let read_file = Disk::new(&stack.dir);
    let none = Options::default();
    let mut observe = Observe {
        types: native(),
        stack: &stack,
        options: &none,
        cx: &cx,
        refresh: false,
        only: None,
        allowed: &allowed_accounts,
        read_file: &read_file,
    };
    let found = rebuild::search(&observe, world, given).await;
    let (world, found) = found.map_err(|failures| reads::failed(global, failures, &sources))?;
    let options = Options {
        imports: Some(found.imports.clone()),
        ..Options::default()
    };
    observe.options = &options;
    let first = rewrite::plan(&Request {
        types: native(),
        stack: &stack,
        world: &world,
        options: &options,
        read_file: &read_file,
    });
    let planned = observe_and_plan(&observe, world, first).await;
    let (world, mut planned) =
        planned.map_err(|failures| reads::failed(global, failures, &sources))?;
    strictly(cloud.strict, &mut planned.diagnostics);
    output::secrets().learn_plan(&planned.plan);
    report(global, &planned.diagnostics, &sources)?;
    refuse(&planned.rewrites.faults)?;
    let shown = RebuildReport {
        global,
        planned: &planned,
        rebuilt: &found,
        unusable: base.unusable.as_deref().map(|why| (why, base.newest)),
    };
    shown.plan()?;
    let nothing = planned.plan.steps.is_empty() && base.unusable.is_none() && base.open.is_none();
    let question = "Save this as the state? Only \"yes\" is accepted: ";
    if !nothing && !confirm::confirm(question, change.consent.yes, global.json).await? {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    let mut state = rebuild::state_after_imports(&stack, native(), (&world, &planned), &read_file)
        .map_err(|error| reads::resource_error(&error))?;
    if !nothing {
        store.save(&mut state).await.map_err(store_error)?;
    }
    shown.end((!nothing).then_some(state.serial))?;
    Ok(match found.failed.is_empty() {
        true => Exit::Done,
        false => Exit::Failed,
    })
}

/// The existing state, or where that cannot be used an empty state that continues it.
async fn base(stack: &Stack, store: &Store) -> Result<Base, CliError> {
    let error = match store.open(&stack.name, stack.env.as_deref()).await {
        Ok(opened) => {
            let interrupted = opened.interrupted || !opened.open.is_empty();
            return Ok(Base {
                state: opened.state,
                open: interrupted.then_some(opened.open),
                unusable: None,
                newest: None,
            });
        }
        Err(error) => error,
    };
    let StoreError::Unusable { why: unusable, .. } = &error else {
        return Err(store_error(error));
    };
    let unusable = unusable.clone();
    let inspected = store.inspect().await.map_err(store_error)?;
    if inspected.moved.is_some() {
        return Err(store_error(error));
    }
    let newest = inspected.versions.last();
    let lineage = match newest {
        None => None,
        Some(name) => {
            let version = store.version(name).await.map_err(store_error)?;
            Some(version.state.lineage)
        }
    };
    Ok(Base {
        open: None,
        state: inspected.empty_state(&stack.name, stack.env.as_deref(), lineage),
        unusable: Some(unusable),
        newest: newest.map(|name| name.serial),
    })
}

/// `ADDRESS=ID`, as often as it was given.
fn given(pairs: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    let mut given = BTreeMap::new();
    for pair in pairs {
        // A key of forEach may have any character in it.
        let start = pair.find("\"]").map_or(0, |at| at + 2);
        let split = pair[start..].find('=').map(|at| start + at);
        let parts = split.map(|at| (&pair[..at], &pair[at + 1..]));
        match parts {
            Some((address, id)) if !address.is_empty() && !id.is_empty() => {
                given.insert(address.to_owned(), id.to_owned());
            }
            _ => {
                // What it is stays untold: an id may be a secret.
                return Err(CliError::new("--id takes ADDRESS=ID.").hint(
                    "Write --id queue=https://sqs.…; `stackctl import --help` tells more of ids.",
                ));
            }
        }
    }
    Ok(given)
}

fn refuse(faults: &[ImportFault]) -> Result<(), CliError> {
    if faults.is_empty() {
        return Ok(());
    }
    let mut error = CliError::new("Some of what was found cannot be imported.");
    error.chain = faults.iter().map(ImportFault::line).collect();
    Err(error
        .now("Nothing was changed.")
        .hint("Make the stack file fit what is live, then run the command again."))
}

/// What the user gets to see.
struct RebuildReport<'a> {
    global: &'a GlobalArgs,
    planned: &'a Planned,
    rebuilt: &'a Rebuilt,
    /// Why the existing state cannot be used, and the newest saved version.
    unusable: Option<(&'a str, Option<u64>)>,
}

impl RebuildReport<'_> {
    fn plan(&self) -> Result<(), CliError> {
        if self.global.json {
            return Ok(());
        }
        if let Some((why, newest)) = self.unusable {
            let mut text = format!("The existing state cannot be used: {why}.\n");
            if let Some(serial) = newest {
                text.push_str(&format!(
                    "Serial {serial} was saved: `stackctl state restore {serial}` brings back more than a rebuild can, secrets and drawn values among it.\n"
                ));
            }
            output::message(&text);
        }
        if !self.planned.plan.steps.is_empty() {
            let style = Session::style(self.global, false);
            let plan = self.planned.plan.without_files();
            output::result(&reports::text::plan(&plan, &style))?;
        }
        output::message(&not_found(&self.rebuilt.missing));
        output::message(&not_looked_for(&self.rebuilt.failed));
        Ok(())
    }

    fn end(&self, serial: Option<u64>) -> Result<(), CliError> {
        if self.global.json {
            let mut document = reports::json::plan(&self.planned.plan, false);
            let missing = self.rebuilt.missing.iter();
            let missing = missing
                .map(|it| json!({"address": it.address, "type": it.type_name, "why": it.why}));
            document["found"] = json!(self.rebuilt.imports.keys().collect::<Vec<_>>());
            document["missing"] = missing.collect();
            let failed = self.rebuilt.failed.iter();
            let failed = failed
                .map(|(address, error)| json!({"address": address, "error": error.to_string()}));
            document["failed"] = failed.collect();
            document["savedSerial"] = json!(serial);
            return output::json(&format!("{document:#}\n"));
        }
        output::message(&match serial {
            Some(serial) => format!(
                "Saved as serial {serial}. `stackctl plan` shows how the file differs from what is live.\n"
            ),
            None if !self.rebuilt.failed.is_empty() => "Nothing was changed.\n".to_owned(),
            None => "Nothing was changed: no resource was found that the state lacks.\n".to_owned(),
        });
        Ok(())
    }
}

fn not_found(missing: &[Missing]) -> String {
    let mut text = String::new();
    if !missing.is_empty() {
        text.push_str("Not found:\n");
    }
    for it in missing {
        text.push_str(&format!(
            "  {} ({}): {}\n",
            it.address, it.type_name, it.why
        ));
    }
    text
}

/// What is reported of lookups that failed.
fn not_looked_for(failed: &[ReadFailure]) -> String {
    if failed.is_empty() {
        return String::new();
    }
    let mut text = "Could not be looked for or read, and may exist:\n".to_owned();
    for (address, error) in failed {
        text.push_str(&format!("  {address}: {error}\n"));
    }
    text.push_str(
        "Run `stackctl state rebuild` again before the next apply, which would create them.\n",
    );
    text
}

//! What the commands share that compare the state with the live resources and make no plan.

use super::account::{self, Account, AccountReport, check_account};
use super::addresses::no_address;
use super::args::{CloudArgs, GlobalArgs, InputArgs, LockArg, NamesArg};
use super::error::CliError;
use super::mistakes::load_checked;
use super::place::{self, store_error};
use super::planning::Connect;
use super::reads::read_errors;
use super::{find, neighbours, state_key};
use crate::content::Disk;
use crate::engine::address::is_named;
use crate::engine::after::drift::{self, Drift};
use crate::engine::apply::recovery;
use crate::engine::observe::{self, Observe};
use crate::engine::plan::planned::Options;
use crate::engine::world::World;
use crate::lang::stack::{Sources, Stack};
use crate::resource::context::AsTyped;
use crate::resource::table::native;
use crate::store::Store;
use crate::store::state::State;
use std::collections::BTreeSet;

/// A stack, its state, and its live resources.
pub(super) struct Live {
    /// The stack.
    pub(super) stack: Stack,
    /// The source files it was loaded from.
    pub(super) sources: Sources,
    /// Where its state is.
    pub(super) store: Store,
    /// What was seen.
    pub(super) world: World,
    /// What drifted.
    pub(super) drift: Drift,
}

/// What is looked at.
pub(super) struct Wanted<'a> {
    /// Flags of every command.
    pub(super) global: &'a GlobalArgs,
    /// The stack, and the addresses; none: all.
    pub(super) names: &'a NamesArg,
    /// What goes in from outside.
    pub(super) input: &'a InputArgs,
    /// Where it is.
    pub(super) cloud: &'a CloudArgs,
    /// Where the state will be written: how long its lock is waited for.
    pub(super) writes: Option<LockArg>,
}

/// Reads the state and the live resources.
pub(super) async fn read(wanted: Wanted<'_>) -> Result<Live, CliError> {
    let (stack, addresses) = wanted.names.split(find::is_stack);
    let loaded = find::load(stack.name.as_deref(), wanted.input, wanted.cloud)?;
    let (stack, sources) = load_checked(wanted.global, loaded)?;
    let mut store = place::store(&stack, wanted.cloud).await?;
    if let Some(lock) = wanted.writes {
        place::lock(&store, &stack, wanted.global, lock).await?;
    }
    let account_report = AccountReport::new(wanted.global, &stack, wanted.cloud, &store);
    let opening = store.open(&stack.name, stack.env.as_deref());
    let (opened, account) = account_report.asking(&store, opening).await;
    let opened = opened
        .inspect_err(|_| Account::report_some(&account))
        .map_err(store_error)?;
    if !opened.existed && !opened.interrupted {
        Account::report_some(&account);
        let message = neighbours::never_applied(&stack, &store.name());
        return Err(CliError::new(message)
            .now("Nothing was read or changed.")
            .hint("Run apply first."));
    }
    let mut world = World::new(opened.state);
    world.head = account::head(&stack, wanted.cloud, &store);
    world.key = state_key::unlock(wanted.cloud, &world.state, &store.name())?;
    let only = only(&world.state, &addresses)?;
    let looked_at = world.state.resources.iter();
    let looked_at = looked_at.filter(|(address, known)| {
        only.as_ref().is_none_or(|only| only.contains(*address)) && known.has_secrets()
    });
    let with_secrets: Vec<String> = looked_at.map(|(address, _)| address.clone()).collect();
    state_key::need(&world.key, &store.name(), &with_secrets)?;
    let known = world.state.resources.values();
    let remote = known
        .into_iter()
        .any(|known| native().is_remote(&known.type_name))
        || recovery::needs_aws(native(), &opened.open);
    if !remote {
        // Else the drift says so.
        Account::report_some(&account);
    }
    let connect = Connect {
        stack: &stack,
        cloud: wanted.cloud,
        typed: AsTyped::default(),
    };
    let connected = if opened.interrupted || !opened.open.is_empty() {
        let writes = wanted.writes.is_some();
        let recovered = connect.recover(&mut store, &mut world, &opened.open, writes);
        recovered.await?
    } else {
        None
    };
    let connected = match connected {
        Some(connected) => connected,
        None => connect.connect(&mut store, remote).await?,
    };
    world.head.endpoints = account::endpoints(&connected.cx.aws);
    if remote {
        let observe = Observe {
            types: native(),
            stack: &stack,
            options: &Options::default(),
            cx: &connected.cx,
            refresh: true,
            only: only.as_ref(),
            allowed: &[],
            read_file: &Disk::new(&stack.dir),
        };
        world = observe::read_live(&observe, world)
            .await
            .map_err(|failures| read_errors(&failures))?;
    }
    check_account(&world, &connected.allowed_accounts, &store)?;
    let drift = drift::drift(&stack, native(), &world);
    Ok(Live {
        stack,
        sources,
        store,
        world,
        drift,
    })
}

/// The addresses of the state that are named; none: all.
fn only(state: &State, names: &[String]) -> Result<Option<BTreeSet<String>>, CliError> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut only = BTreeSet::new();
    for name in names {
        let known = state.resources.keys();
        let before = only.len();
        only.extend(known.filter(|address| is_named(address, name)).cloned());
        if only.len() > before || only.iter().any(|address| is_named(address, name)) {
            continue;
        }
        let error = CliError::new(format!(
            "{name}: no resource in the state has this address, and no stack this name."
        ))
        .now("Nothing was read or changed.");
        let known = state.resources.keys().map(String::as_str);
        return Err(error.hint(no_address(name, known)));
    }
    Ok(Some(only))
}

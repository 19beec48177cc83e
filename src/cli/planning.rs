//! From the arguments to a plan: what the commands that plan have in common.

use super::account::{self, Account, AccountReport, check_account, check_place, home};
use super::addresses::check_addresses;
use super::args::CloudArgs;
use super::error::CliError;
use super::files::Files;
use super::mistakes::{are_wrong, load_checked, report, strictly};
use super::output::{self};
use super::place::{self, WORK_DIR, store_error};
use super::reads::{recovery_errors, resource_error};
use super::session::{Keeps, Session, Wanted};
use super::{clock, find, plan_file, plan_place, provider, reads, state_key, typed};
use crate::content::Disk;
use crate::engine::apply::recovery;
use crate::engine::observe::{self, Observe};
use crate::engine::plan::planned::Request;
use crate::engine::plan::rewrite;
use crate::engine::world::World;
use crate::lang::stack::Stack;
use crate::resource::aws::Aws;
use crate::resource::context::AsTyped;
use crate::resource::context::{Cx, Owner};
use crate::resource::table::native;
use crate::saved::SavedState;
use crate::store::Store;
use crate::store::journal::Intent;
use crate::store::key::StateKey;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Session {
    /// Loads the stack, reads the state and the live resources, and makes the plan.
    pub(super) async fn plan(wanted: Wanted<'_>) -> Result<Self, CliError> {
        let Wanted {
            global,
            run,
            options,
            ..
        } = &wanted;
        let loaded = find::load(wanted.stack.name.as_deref(), &run.input, &run.cloud)?;
        if let Keeps::Repeats(plan) = wanted.keeps {
            plan_file::check_texts(plan, &loaded)?;
        }
        let (stack, sources) = load_checked(global, loaded)?;
        let files = match wanted.keeps {
            Keeps::Nothing => Files::default(),
            Keeps::Saves | Keeps::Repeats(_) => Files::noting(&sources),
        };
        let read_file = files.reader(&stack.dir);
        let mut store = place::store(&stack, &run.cloud).await?;
        if wanted.writes {
            place::lock(&store, &stack, global, run.lock).await?;
        }
        let account_report = AccountReport::new(global, &stack, &run.cloud, &store);
        let opening = store.open(&stack.name, stack.env.as_deref());
        let (opened, account) = account_report.asking(&store, opening).await;
        let opened = opened
            .inspect_err(|_| Account::report_some(&account))
            .map_err(store_error)?;
        let read = SavedState {
            existed: opened.existed || opened.interrupted,
            lineage: opened.state.lineage.clone(),
            serial: opened.state.serial,
        };
        let mut world = World::new(opened.state);
        world.head = account::head(&stack, &run.cloud, &store);
        world.seed = rand::random();
        world.unix_time = clock::now();
        let read = match wanted.keeps {
            Keeps::Repeats(plan) => plan_file::resume(plan, read, &mut world),
            Keeps::Nothing | Keeps::Saves => read,
        };
        world.key = key(&wanted, &world, &store.name())?;
        // Mistakes that only show in evaluation cost no call either.
        let mut first = rewrite::plan(&Request {
            types: native(),
            stack: &stack,
            world: &world,
            options,
            read_file: &read_file,
        });
        output::secrets().learn_plan(&first.plan);
        strictly(run.cloud.strict, &mut first.diagnostics);
        if let Keeps::Repeats(plan) = wanted.keeps {
            let variables = plan_file::variables(&stack, &sources, &world.seal().comparing());
            plan_file::check_before(plan, (&files, &world.key), &variables, &read)?;
        }
        if are_wrong(&first.diagnostics) {
            report(global, &first.diagnostics, &sources)?;
        }
        if world.key.why_locked().is_some() {
            let with_secrets = first.with_secrets(native(), &world.state);
            state_key::need(&world.key, &store.name(), &with_secrets)?;
        }
        check_addresses(options, &first, false)?;
        let remote = uses_aws(&stack, &world) || recovery::needs_aws(native(), &opened.open);
        if !remote {
            // Else the plan says so.
            Account::report_some(&account);
        }
        let connect = Connect {
            stack: &stack,
            cloud: &run.cloud,
            typed: typed::typed(global, wanted.stack, run),
        };
        let connected = if opened.interrupted || !opened.open.is_empty() {
            let open = &opened.open;
            let recovered = connect.recover(&mut store, &mut world, open, wanted.writes);
            recovered.await?
        } else {
            None
        };
        let Connected {
            cx,
            allowed_accounts,
        } = match connected {
            Some(connected) => connected,
            None => connect.connect(&mut store, remote).await?,
        };
        world.head.endpoints = account::endpoints(&cx.aws);
        if let Keeps::Repeats(plan) = wanted.keeps {
            plan_place::check_head(plan, &world.head)?;
        }
        let planned = if remote || !first.needs.is_empty() || !first.imports.is_empty() {
            let observe = Observe {
                types: native(),
                stack: &stack,
                options,
                cx: &cx,
                refresh: run.refresh,
                only: None,
                allowed: &allowed_accounts,
                read_file: &read_file,
            };
            let home = home(&world);
            match observe::observe_and_plan(&observe, world, first).await {
                Ok((seen, planned)) => {
                    world = seen;
                    output::secrets().learn_plan(&planned.plan);
                    planned
                }
                Err(failures) => {
                    // In a wrong account reads fail too, and that is not what is wrong.
                    let known = failures
                        .iter()
                        .all(|(what, _)| what != observe::CREDENTIALS);
                    if known
                        && remote
                        && let Ok(identity) = cx.aws.identity().await
                    {
                        let account = (identity.account.as_str(), cx.aws.region());
                        check_place(account, &home, &allowed_accounts, &store)?;
                    }
                    return Err(reads::failed(global, failures, &sources));
                }
            }
        } else {
            first
        };
        let mut planned = planned;
        strictly(run.cloud.strict, &mut planned.diagnostics);
        report(global, &planned.diagnostics, &sources)?;
        check_addresses(options, &planned, true)?;
        if world.key.why_locked().is_some() {
            let with_secrets = planned.with_secrets(native(), &world.state);
            state_key::need(&world.key, &store.name(), &with_secrets)?;
        }
        if let Keeps::Repeats(plan) = wanted.keeps {
            let seal = world.seal().comparing();
            plan_file::check_plan(plan, (&files, &world.key), &stack, (&planned, &seal))?;
        }
        check_account(&world, &allowed_accounts, &store)?;
        world.files = planned.files();
        planned.plan.head.clone_from(&world.head);
        Ok(Self {
            stack,
            store,
            cx,
            world,
            planned,
            sources,
            read,
            files,
        })
    }
}

/// The clients of a stack, and whom they may work for.
pub(super) struct Connected {
    /// The clients.
    pub(super) cx: Cx,
    /// `allowedAccountIds`; empty: any.
    pub(super) allowed_accounts: Vec<String>,
}

/// How the clients are created.
pub(super) struct Connect<'a> {
    /// For which stack.
    pub(super) stack: &'a Stack,
    /// Of which cloud.
    pub(super) cloud: &'a CloudArgs,
    /// The command line, for hints.
    pub(super) typed: AsTyped,
}

impl Connect<'_> {
    /// Creates the clients; none that could call where nothing is `remote`.
    pub(super) async fn connect(
        &self,
        store: &mut Store,
        remote: bool,
    ) -> Result<Connected, CliError> {
        let (stack, cloud) = (self.stack, self.cloud);
        let (aws, allowed_accounts) = if remote {
            let provider = provider::provider(stack, cloud, &Disk::new(&stack.dir))?;
            let (aws, watch) =
                provider::clients(provider.settings, Some(stack), cloud, Path::new(WORK_DIR))
                    .await?;
            store.watch(watch);
            (aws, provider.allowed_accounts)
        } else {
            (Arc::new(Aws::offline()), Vec::new())
        };
        let mut cx = Cx::new(aws);
        cx.owner = Owner {
            stack: stack.full_name(),
            ..Owner::default()
        };
        cx.stack_dir.clone_from(&stack.dir);
        cx.work_dir = PathBuf::from(WORK_DIR);
        cx.typed = self.typed.clone();
        // The reasons that delay reads; the steps of an apply report theirs as events.
        cx.notify = Arc::new(|reason| output::message(&format!("{reason}\n")));
        Ok(Connected {
            cx,
            allowed_accounts,
        })
    }

    /// Recovers what an interrupted run left open, and saves the state where the command
    /// `writes`. Steps of local types need no AWS, whatever the rest of the stack needs: clients
    /// are created, and returned, where an open step's own type calls.
    pub(super) async fn recover(
        &self,
        store: &mut Store,
        world: &mut World,
        open: &[Intent],
        writes: bool,
    ) -> Result<Option<Connected>, CliError> {
        let calls = recovery::needs_aws(native(), open);
        let connected = self.connect(store, calls).await?;
        if calls {
            // What an interrupted run left is looked for, and kept, in the right account only.
            let aws = &connected.cx.aws;
            let identity = aws.identity().await;
            let identity = identity.map_err(|error| resource_error(&error))?;
            let account = (identity.account.as_str(), aws.region());
            check_place(account, &home(world), &connected.allowed_accounts, store)?;
        }
        recover_open(&connected.cx, world, open).await?;
        if writes {
            name_key(world)?;
            store.save(&mut world.state).await.map_err(store_error)?;
        }
        Ok(calls.then_some(connected))
    }
}

/// Finds out how the steps ended that an interrupted run had started.
pub(super) async fn recover_open(
    cx: &Cx,
    world: &mut World,
    open: &[Intent],
) -> Result<(), CliError> {
    let seal = world.seal();
    recovery::recover(cx, native(), &mut world.state, (open, &seal))
        .await
        .map(|_| ())
        .map_err(|failures| recovery_errors(&failures))
}

/// Has the state, which is about to be saved, name the key that was used.
pub(super) fn name_key(world: &mut World) -> Result<(), CliError> {
    let change = world.seal().key_change(&world.state).map_err(store_error)?;
    change
        .into_iter()
        .for_each(|change| world.state.change(change));
    Ok(())
}

/// The key to the secrets of the state; of a saved plan, which must have been written with it, the
/// one that it brings along where the state has none.
fn key(wanted: &Wanted<'_>, world: &World, place: &str) -> Result<StateKey, CliError> {
    let cloud = &wanted.run.cloud;
    let Keeps::Repeats(plan) = wanted.keeps else {
        return state_key::unlock(cloud, &world.state, place);
    };
    if let Some(encryption) = &world.state.encryption {
        let key = state_key::unlock(cloud, &world.state, place)?;
        // A plan of the time when the state had no key is stale; a later check reports that.
        let before = plan.key.as_ref().filter(|of| of.encryption != *encryption);
        let of_plan = match before {
            Some(_) => state_key::of_plan(cloud, plan, place)?,
            None => None,
        };
        plan_file::check_mark(plan, of_plan.as_ref().unwrap_or(&key), place)?;
        return Ok(key);
    }
    match state_key::of_plan(cloud, plan, place)? {
        Some(key) => {
            plan_file::check_mark(plan, &key, place)?;
            Ok(key)
        }
        None => {
            plan_file::check_mark(plan, &StateKey::default(), place)?;
            state_key::unlock(cloud, &world.state, place)
        }
    }
}

pub(super) fn uses_aws(stack: &Stack, world: &World) -> bool {
    let blocks = stack.resources.values().map(|block| &block.type_name);
    let data = stack.data.values().map(|block| &block.type_name);
    let known = world.state.resources.values().map(|known| &known.type_name);
    let deposed = world
        .state
        .deposed
        .values()
        .flat_map(|known| known.values());
    blocks
        .chain(data)
        .chain(known)
        .chain(deposed.map(|known| &known.type_name))
        .any(|name| native().is_remote(name))
}

//! `stackctl state …`: looks at the state, and repairs it.

mod history;
mod inspect;
mod migrate;
mod pull;
mod push;
mod rebuild;
mod rekey;
mod restore;
mod table;
mod unlock;
mod update;

use super::account::Telling;
use super::args::state::{PlaceArgs, StateArgs, StateCommand};
use super::args::{GlobalArgs, LockArg};
use super::error::CliError;
use super::exit::Exit;
use super::place::{self, store_error};
use super::{find, mistakes};
use crate::lang::stack::Stack;
use crate::store::state::State;
use crate::store::{Opened, Store};

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &StateArgs) -> Result<Exit, CliError> {
    match &args.command {
        StateCommand::List(args) => inspect::list(global, args).await,
        StateCommand::Show(args) => inspect::show(global, args).await,
        StateCommand::Mv(args) => update::mv(global, args).await,
        StateCommand::Rm(args) => update::rm(global, args).await,
        StateCommand::History(args) => history::run(global, args).await,
        StateCommand::Restore(args) => restore::run(global, args).await,
        StateCommand::Rebuild(args) => rebuild::run(global, args).await,
        StateCommand::Unlock(args) => unlock::run(global, args).await,
        StateCommand::Pull(args) => pull::run(global, args).await,
        StateCommand::Push(args) => push::run(global, args).await,
        StateCommand::Migrate(args) => migrate::run(global, args).await,
        StateCommand::Rekey(args) => rekey::run(global, args).await,
    }
}

/// A stack and the place of its state.
struct Bench {
    stack: Stack,
    store: Store,
    telling: Telling,
}

impl Bench {
    /// Loads the stack. Its name is all that matters; mistakes elsewhere in the file do not
    /// stand in the way.
    async fn new(
        global: &GlobalArgs,
        stack: Option<&str>,
        place: &PlaceArgs,
    ) -> Result<Self, CliError> {
        let loaded = find::load(stack, &place.input, &place.cloud)?;
        let stack = mistakes::load_named(global, loaded)?;
        let mut store = place::store(&stack, &place.cloud).await?;
        store.watch(place::watch(&place.cloud).await?);
        let telling = Telling::new(global, &stack, &place.cloud, &store);
        Ok(Self {
            stack,
            store,
            telling,
        })
    }

    /// Reads from the state's place, and tells where that is.
    async fn reading<T>(&self, reading: impl Future<Output = T>) -> T {
        self.telling.reading(&self.store, reading).await
    }

    async fn lock(&self, global: &GlobalArgs, arg: LockArg) -> Result<(), CliError> {
        let locking = place::lock(&self.store, &self.stack, global, arg);
        self.reading(locking).await
    }

    async fn open(&self) -> Result<Opened, CliError> {
        let (stack, env) = (&self.stack.name, self.stack.env.as_deref());
        let opening = self.store.open(stack, env);
        self.reading(opening).await.map_err(store_error)
    }

    async fn save(&self, state: &mut State) -> Result<(), CliError> {
        self.store.save(state).await.map_err(store_error)
    }
}

/// Tells the stack, which may stand in front, from the words that are wanted.
fn words(words: &[String], wanted: usize) -> (Option<&str>, &[String]) {
    match words.len() > wanted {
        true => (Some(&words[0]), &words[1..]),
        false => (None, words),
    }
}

/// No resource has this address.
fn unknown(address: &str, state: &State) -> CliError {
    let error = CliError::new(format!("The state has no resource \"{address}\"."))
        .now("Nothing was changed.");
    let known = state.resources.keys().map(String::as_str);
    match crate::nearest::nearest(address, known) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None => error.hint("`stackctl state list` lists the addresses."),
    }
}

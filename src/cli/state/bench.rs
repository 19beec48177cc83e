//! What the commands on a state have in common.

use crate::cli::account::AccountReport;
use crate::cli::args::state::PlaceArgs;
use crate::cli::args::{GlobalArgs, LockArg};
use crate::cli::error::CliError;
use crate::cli::place::{self, store_error};
use crate::cli::{find, mistakes};
use crate::lang::stack::Stack;
use crate::store::state::State;
use crate::store::{Opened, Store};

/// A stack and the place of its state.
pub(super) struct Bench {
    pub(super) stack: Stack,
    pub(super) store: Store,
    pub(super) account_report: AccountReport,
}

impl Bench {
    /// Loads the stack. Its name is all that matters; mistakes elsewhere in the file do not
    /// stand in the way.
    pub(super) async fn new(
        global: &GlobalArgs,
        stack: Option<&str>,
        place: &PlaceArgs,
    ) -> Result<Self, CliError> {
        let loaded = find::load(stack, &place.input, &place.cloud)?;
        let stack = mistakes::load_named(global, loaded)?;
        let mut store = place::store(&stack, &place.cloud).await?;
        store.watch(place::watch(&place.cloud).await?);
        let account_report = AccountReport::new(global, &stack, &place.cloud, &store);
        Ok(Self {
            stack,
            store,
            account_report,
        })
    }

    /// Reads from the state's place, and reports where that is.
    pub(super) async fn reading<T>(&self, reading: impl Future<Output = T>) -> T {
        self.account_report.reading(&self.store, reading).await
    }

    pub(super) async fn lock(&self, global: &GlobalArgs, arg: LockArg) -> Result<(), CliError> {
        let locking = place::lock(&self.store, &self.stack, global, arg);
        self.reading(locking).await
    }

    pub(super) async fn open(&self) -> Result<Opened, CliError> {
        let (stack, env) = (&self.stack.name, self.stack.env.as_deref());
        let opening = self.store.open(stack, env);
        self.reading(opening).await.map_err(store_error)
    }

    pub(super) async fn save(&self, state: &mut State) -> Result<(), CliError> {
        self.store.save(state).await.map_err(store_error)
    }
}

/// Splits the stack, which may stand in front, from the words that are wanted.
pub(super) fn words(words: &[String], wanted: usize) -> (Option<&str>, &[String]) {
    match words.len() > wanted {
        true => (Some(&words[0]), &words[1..]),
        false => (None, words),
    }
}

/// No resource has this address.
pub(super) fn unknown(address: &str, state: &State) -> CliError {
    let error = CliError::new(format!("The state has no resource \"{address}\"."))
        .now("Nothing was changed.");
    let known = state.resources.keys().map(String::as_str);
    match crate::nearest::nearest(address, known) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None => error.hint("`stackctl state list` lists the addresses."),
    }
}

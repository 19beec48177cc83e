//! `stackctl state …`: looks at the state, and repairs it.

mod bench;
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

use super::args::GlobalArgs;
use super::args::state::{StateArgs, StateCommand};
use super::error::CliError;
use super::exit::Exit;

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

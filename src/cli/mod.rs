//! What people and scripts type, and what they get back: arguments, exit codes, streams,
//! questions, and one file for each command.

mod accept;
mod account;
mod addresses;
mod apply;
pub mod args;
mod broken;
mod clock;
pub mod confirm;
mod connect;
mod destroy;
mod drift;
pub mod error;
pub mod exit;
mod files;
mod find;
mod functions;
mod identity;
mod import;
mod interrupt;
mod invoke;
mod live;
mod local;
mod logs;
mod masks;
mod mistakes;
mod neighbours;
pub mod output;
mod outputs;
mod place;
mod plan;
mod plan_file;
mod plan_place;
mod planning;
mod provider;
mod reads;
mod refresh;
mod running;
mod schema;
mod served;
mod session;
mod state;
mod state_key;
mod typed;
mod types;
mod validate;
mod verify;

use args::{Cli, Command};
use error::CliError;
use exit::Exit;
use std::process::ExitCode;

/// Runs the command line.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        output::panicked(place.as_deref().unwrap_or("an unknown place"));
    }));
    // The hook has reported the panic.
    std::panic::catch_unwind(run_to_exit).unwrap_or_else(|_| Exit::Failed.into())
}

fn run_to_exit() -> ExitCode {
    let cli = match args::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    let style = output::Stream::Stderr.style(cli.global.no_color);
    let json = cli.global.json;
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            if error.exit == Exit::Interrupted {
                interrupt::printing();
            }
            if !error.message.is_empty() {
                if json {
                    // A failed write is reported below in any case.
                    let _ = output::json(&output::secrets().hide(&error.json()));
                }
                output::message(&error.render(style.color));
            }
            error.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, CliError> {
    if let Some(dir) = &cli.global.directory {
        std::env::set_current_dir(dir).map_err(|error| {
            CliError::new(format!("The folder {} cannot be used.", dir.display())).caused_by(&error)
        })?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| CliError::new("The runtime could not be started.").caused_by(&error))?;
    let global = &cli.global;
    interrupt::listen();
    let command = async {
        match &cli.command {
            Command::Validate(args) => validate::run(global, args),
            Command::Plan(args) => plan::run(global, args).await,
            Command::Apply(args) => apply::run(global, args).await,
            Command::Outputs(args) => outputs::run(global, args).await,
            Command::Destroy(args) => destroy::run(global, args).await,
            Command::Import(args) => import::run(global, args).await,
            Command::Drift(args) => drift::run(global, args).await,
            Command::Refresh(args) => refresh::run(global, args).await,
            Command::Logs(args) => logs::run(global, args).await,
            Command::Invoke(args) => invoke::run(global, args).await,
            Command::Connect(args) => connect::run(global, args).await,
            Command::Local(args) => local::run(global, args).await,
            Command::State(args) => state::run(global, args).await,
            Command::Types(args) => types::run(global, args),
            Command::Functions(args) => functions::run(global, args),
            Command::Schema(args) => schema::run(global, args),
        }
    };
    let exit = runtime.block_on(async {
        tokio::select! {
            biased;
            exit = command => exit,
            () = interrupt::cut() => Err(interrupt::interrupted()),
        }
    });
    // However the command ended, others need not wait for its lock to run out.
    runtime.block_on(crate::store::s3::release_all());
    // A call that is still in progress after the second Ctrl-C is not waited for.
    runtime.shutdown_background();
    exit
}

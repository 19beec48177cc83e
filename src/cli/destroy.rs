//! `stackctl destroy`: plan the deletion, ask, delete.

use super::apply::{How, carry_out};
use super::args::{DestroyArgs, GlobalArgs};
use super::confirm;
use super::error::CliError;
use super::exit::Exit;
use super::session::{Keeps, Session, Wanted};
use super::verify::Verify;
use crate::engine::plan::planned::Options;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &DestroyArgs) -> Result<Exit, CliError> {
    let session = Session::plan(Wanted {
        global,
        stack: &args.stack,
        run: &args.run,
        options: Options {
            destroy: true,
            target: args.run.targets.clone(),
            exclude: args.run.excludes.clone(),
            replace: Vec::new(),
            ..Options::default()
        },
        writes: true,
        keeps: Keeps::Nothing,
    })
    .await?;
    let how = How {
        consent: args.consent,
        question: confirm::DESTROY,
        verify: Verify::Off,
    };
    carry_out(global, &args.run, session, how).await
}

//! `stackctl drift`: what somebody else changed.

use super::args::{DriftArgs, GlobalArgs};
use super::error::CliError;
use super::exit::Exit;
use super::live::{self, Wanted};
use super::session::Session;
use super::{accept, output};
use crate::report;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &DriftArgs) -> Result<Exit, CliError> {
    if !args.accept.is_empty() {
        return accept::run(global, args).await;
    }
    let live = live::read(Wanted {
        global,
        names: &args.names,
        input: &args.read.input,
        cloud: &args.read.cloud,
        writes: None,
    })
    .await?;
    let show = args.read.secrets.show_secrets;
    if global.json {
        let json = report::drift::json(&live.drift, &live.world, show);
        output::json(&format!("{json:#}\n"))?;
    } else {
        let style = Session::style(global, show);
        output::result(&report::text::drift(&live.drift, &live.world, &style))?;
    }
    Ok(match live.drift.drifted.is_empty() {
        true => Exit::Done,
        false => Exit::Changes,
    })
}

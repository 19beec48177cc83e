//! `stackctl drift`: what somebody else changed.

use super::args::{DriftArgs, GlobalArgs};
use super::error::CliError;
use super::exit::Exit;
use super::look::{self, Wanted};
use super::session::Session;
use super::{accept, output};
use crate::report;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &DriftArgs) -> Result<Exit, CliError> {
    if !args.accept.is_empty() {
        return accept::run(global, args).await;
    }
    let look = look::look(Wanted {
        global,
        names: &args.names,
        input: &args.look.input,
        cloud: &args.look.cloud,
        writes: None,
    })
    .await?;
    let show = args.look.secrets.show_secrets;
    if global.json {
        let json = report::drift::json(&look.drift, &look.world, show);
        output::json(&format!("{json:#}\n"))?;
    } else {
        let style = Session::style(global, show);
        output::result(&report::text::drift(&look.drift, &look.world, &style))?;
    }
    Ok(match look.drift.drifted.is_empty() {
        true => Exit::Done,
        false => Exit::Changes,
    })
}

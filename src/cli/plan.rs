//! `stackctl plan`: what apply would do.

use super::args::{GlobalArgs, PlanArgs};
use super::error::CliError;
use super::exit::Exit;
use super::output;
use super::session::{Session, Wanted};
use crate::engine::planner::Options;
use crate::report;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &PlanArgs) -> Result<Exit, CliError> {
    let session = Session::plan(Wanted {
        global,
        stack: &args.stack,
        run: &args.run,
        options: Options {
            destroy: false,
            target: args.run.targets.clone(),
            exclude: args.run.excludes.clone(),
            replace: args.replace.addresses.clone(),
        },
        writes: false,
    })
    .await?;
    let plan = &session.planned.plan;
    let show = args.run.secrets.show_secrets;
    if global.json {
        output::result(&format!("{:#}\n", report::json::plan(plan, show)))?;
    } else {
        output::result(&report::text::plan(plan, &Session::style(global, show)))?;
    }
    let changes = !plan.is_empty();
    // The process ends here; taking a large plan apart piece by piece would only cost time.
    std::mem::forget(session);
    Ok(if args.detailed_exitcode && changes {
        Exit::Changes
    } else {
        Exit::Done
    })
}

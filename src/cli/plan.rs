//! `stackctl plan`: what apply would do.

use super::args::{GlobalArgs, PlanArgs};
use super::error::CliError;
use super::exit::Exit;
use super::plan_file;
use super::session::{Keeps, Session, Wanted};
use super::{apply, output, typed};
use crate::engine::plan::planned::Options;
use crate::report;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &PlanArgs) -> Result<Exit, CliError> {
    if let Some(path) = &args.out {
        plan_file::check_target(path)?;
    }
    let options = Options {
        destroy: args.destroy,
        target: args.run.targets.clone(),
        exclude: args.run.excludes.clone(),
        replace: args.replace.addresses.clone(),
        ..Options::default()
    };
    let session = Session::plan(Wanted {
        global,
        stack: &args.stack,
        run: &args.run,
        options: options.clone(),
        writes: false,
        keeps: match args.out {
            Some(_) => Keeps::Saves,
            None => Keeps::Nothing,
        },
    })
    .await?;
    if let Some(path) = &args.out {
        plan_file::save(path, &session, &args.run, options)?;
    }
    let plan = &session.planned.plan;
    let show = args.run.secrets.show_secrets;
    if global.json {
        output::json(&format!("{:#}\n", report::json::plan(plan, show)))?;
    } else {
        let (serial, place) = (plan.serial, session.store.name());
        if session.read.existed {
            output::message(&format!(
                "Read serial {serial} of {place}; plan takes no lock.\n"
            ));
        }
        output::result(&apply::render(&session, &Session::style(global, show)))?;
    }
    if let Some(path) = &args.out {
        let (place, path) = (typed::place(&args.run.cloud), path.display());
        output::message(&format!(
            "The plan is saved in {path}. To do exactly that: stackctl apply --plan {path}{place}\n"
        ));
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

//! `stackctl apply`: plan, ask, do.

use super::args::{ApplyArgs, ConsentArg, GlobalArgs, RunArgs};
use super::error::CliError;
use super::exit::Exit;
use super::interrupt;
use super::output::{self, Stream};
use super::place::WORK_DIR;
use super::session::{Keeps, Session, Wanted};
use super::verify::{self, Verify};
use super::{broken, confirm, mistakes, plan_file, plan_place, reads, state_key};
use crate::content::Disk;
use crate::engine::apply::event::Event;
use crate::engine::apply::files;
use crate::engine::apply::{self, Finished, Run};
use crate::engine::plan::planned::Options;
use crate::engine::world::ReadFailure;
use crate::files as local_files;
use crate::report::progress::{self, Reporter};
use crate::report::text::Style;
use crate::report::{self, outputs::Row};
use crate::resource::archive::cache;
use crate::resource::table::native;
use crate::store;
use crate::store::seal::Seal;
use crate::store::state::State;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &ApplyArgs) -> Result<Exit, CliError> {
    if let Some(path) = &args.plan {
        return saved(global, args, path).await;
    }
    let session = Session::plan(Wanted {
        global,
        stack: &args.stack,
        run: &args.run,
        options: Options {
            destroy: false,
            target: args.run.targets.clone(),
            exclude: args.run.excludes.clone(),
            replace: args.replace.addresses.clone(),
            ..Options::default()
        },
        writes: true,
        keeps: Keeps::Nothing,
    })
    .await?;
    let how = How {
        consent: args.consent,
        question: confirm::APPLY,
        verify: checked(args),
    };
    carry_out(global, &args.run, session, how).await
}

/// Applies a saved plan, if it comes out again; it was consented to when it was shown.
async fn saved(global: &GlobalArgs, args: &ApplyArgs, path: &Path) -> Result<Exit, CliError> {
    let plan = plan_file::read(path)?;
    let (stack, run) = plan_file::restore(&plan, args)?;
    plan_place::agree(global, &plan, args, &run).await?;
    let session = Session::plan(Wanted {
        global,
        stack: &stack,
        run: &run,
        options: plan.command.options.clone(),
        writes: true,
        keeps: Keeps::Repeats(&plan),
    })
    .await?;
    let how = How {
        consent: ConsentArg { yes: true },
        question: confirm::APPLY,
        verify: checked(args),
    };
    carry_out(global, &run, session, how).await
}

fn checked(args: &ApplyArgs) -> Verify {
    match args.verify {
        None => Verify::OwnResults,
        Some(true) => Verify::Read,
        Some(false) => Verify::Off,
    }
}

/// How a plan is carried out.
pub(super) struct How<'a> {
    /// Whether to ask.
    pub(super) consent: ConsentArg,
    /// What to ask.
    pub(super) question: &'a str,
    /// How the result is checked.
    pub(super) verify: Verify,
}

/// Shows the plan, asks, and carries it out.
pub(super) async fn carry_out(
    global: &GlobalArgs,
    run: &RunArgs,
    mut session: Session,
    how: How<'_>,
) -> Result<Exit, CliError> {
    let plan = &session.planned.plan;
    let show = run.secrets.show_secrets;
    if !global.json {
        output::result(&render(&session, &Session::style(global, show)))?;
    }
    if !plan.is_empty() && !confirm::confirm(how.question, how.consent.yes, global.json).await? {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    let world = &session.world;
    let keeps_secrets = world.key.is_used() || plan_file::keeps_secrets(plan);
    if world.state.encryption.is_none() && keeps_secrets {
        state_key::ready(&world.key)?;
    }
    if !session.planned.destroy {
        files::write(&session.cx, native(), &session.stack, &session.world)
            .map_err(|failures| unwritten(&failures))?;
    }
    let finished = execute(global, run, &session).await?;
    // The check makes a plan of its own: a large stack's two need not be there at once.
    let destroy = std::mem::take(&mut session.planned).destroy;
    for (address, notice) in &finished.notices {
        let notice = output::secrets().hide(notice);
        output::message(&format!("warning: {address}: {notice}\n"));
    }
    let failed = !finished.failed.is_empty();
    if let Some(state) = &finished.state
        && !destroy
        && !failed
        && !finished.interrupted
    {
        let checked = verify::verify(global, run, &session, (how.verify, &finished)).await;
        show_outputs(global, state, &session.world.seal(), show)?;
        checked?;
    }
    if let Some(state) = &finished.state {
        sweep(state);
    }
    Ok(match (finished.interrupted, failed) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Failed,
        (false, false) => Exit::Done,
    })
}

/// Deletes the archives that no state of the project names any more. A saved plan needs none: to
/// apply it makes them again.
fn sweep(state: &State) {
    let entries = std::fs::read_dir("state").into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    cache::sweep(Path::new(WORK_DIR), || {
        let own = store::to_text(state).into_iter();
        // Of one that cannot be read it is not known what it names.
        let others = paths.map(|path| local_files::read(&path, local_files::LARGEST_STATE).ok());
        own.map(Some).chain(others).collect()
    });
}

/// The error for files that could not be written before the first step.
fn unwritten(failures: &[ReadFailure]) -> CliError {
    let lines: Vec<String> = failures
        .iter()
        .map(|(address, error)| format!("{address}: {error}"))
        .collect();
    let error = CliError::new(format!("No file was written for {}.", lines.join("\n  ")))
        .now("Nothing was changed.");
    match failures.iter().find_map(|(_, error)| error.hint()) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The plan, for people.
pub(super) fn render(session: &Session, style: &Style) -> String {
    let planned = &session.planned;
    if planned.destroy && planned.plan.is_empty() && session.world.state.is_empty() {
        return "Nothing to destroy. The state is empty.\n".to_owned();
    }
    report::text::plan(&planned.plan, style)
}

async fn execute(
    global: &GlobalArgs,
    run: &RunArgs,
    session: &Session,
) -> Result<Finished, CliError> {
    let working = interrupt::working()?;
    let started = Instant::now();
    let secrets = output::secrets().clone();
    secrets.learn_plan(&session.planned.plan);
    let learning = secrets.clone();
    let style = Stream::Stderr.style(global.no_color);
    let reporter: Box<dyn Reporter> = if global.json {
        let plan = &session.planned.plan;
        let mut head = report::json::head(&plan.head);
        head["account"] = plan.account.clone().into();
        head["region"] = plan.region.clone().into();
        progress::json_lines(Box::new(std::io::stdout()), secrets, head)
    } else {
        progress::stderr(style, secrets)
    };
    let quiet = session.planned.plan.is_empty() && !global.json;
    let reporter = Arc::new(Mutex::new(reporter));
    let ticking = Arc::clone(&reporter);
    let ticks = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(100));
        loop {
            every.tick().await;
            ticking
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .tick();
        }
    });
    let result = apply::apply(
        Run {
            types: native(),
            stack: &session.stack,
            planned: &session.planned,
            world: &session.world,
            store: &session.store,
            cx: &session.cx,
            parallelism: usize::from(run.parallelism),
            read_file: &Disk::new(&session.stack.dir),
            secrets: learning,
            interrupt: working.subscribe(),
        },
        &mut |mut event| {
            if let Event::Failed { address, now, .. } = &mut event
                && let Some(place) = reads::place(address)
                && let Some(at) = mistakes::position(&session.sources, &place)
            {
                *now = format!("{now} It is at {at}.");
            }
            if !quiet {
                reporter
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .event(&event);
            }
        },
    )
    .await;
    ticks.abort();
    if !quiet {
        reporter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .finish(started.elapsed());
    }
    result.map_err(|failure| broken::error(&failure, &session.stack, &session.cx.typed))
}

/// The outputs, as the reports take them; secret ones opened where there is a key.
pub(super) fn rows(state: &State, seal: &Seal) -> Vec<Row> {
    let outputs = state.outputs.iter();
    outputs
        .map(|(name, output)| {
            (
                name.clone(),
                seal.opened(&output.value).into_owned(),
                output.sensitive,
                output.description.clone(),
            )
        })
        .collect()
}

fn show_outputs(
    global: &GlobalArgs,
    state: &State,
    seal: &Seal,
    show: bool,
) -> Result<(), CliError> {
    let rows = rows(state, seal);
    if global.json {
        let outputs = report::outputs::json(&rows, show);
        return output::json(&format!(
            "{}\n",
            serde_json::json!({"type": "outputs", "outputs": outputs})
        ));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let style = Session::style(global, show);
    output::result(&format!(
        "\nOutputs:\n{}",
        report::outputs::table(&rows, &style)
    ))
}

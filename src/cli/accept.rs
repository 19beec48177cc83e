//! `stackctl drift --accept`: the live values go into the stack file.

use super::args::{DriftArgs, GlobalArgs, NamesArg};
use super::error::CliError;
use super::exit::Exit;
use super::live::{self, Live, Wanted};
use super::masks::masked;
use super::mistakes::are_wrong;
use super::{confirm, find, neighbours, output};
use crate::content::Disk;
use crate::data::Path as DataPath;
use crate::engine::after::accept::{self, Accepted, Refused};
use crate::engine::after::drift::Drifted;
use crate::engine::plan::Change;
use crate::engine::plan::planned::{Options, Planned, Request};
use crate::engine::plan::rewrite;
use crate::engine::world::World;
use crate::files;
use crate::lang::diagnostic::Place;
use crate::lang::edit;
use crate::lang::load::Loaded;
use crate::lang::locate::locate;
use crate::lang::source;
use crate::lang::stack::{Sources, Stack};
use crate::resource::table::native;
use serde_json::json;
use similar::TextDiff;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &DriftArgs) -> Result<Exit, CliError> {
    let (stack, more) = args.names.split(find::is_stack);
    if let Some(name) = more.first() {
        return Err(CliError::new(format!(
            "{name} is named beside --accept, which takes its addresses itself."
        ))
        .now("Nothing was changed.")
        .hint(format!("Write --accept {name} to accept it as well.")));
    }
    let names = NamesArg {
        names: stack.name.into_iter().chain(args.accept.clone()).collect(),
    };
    let live = live::read(Wanted {
        global,
        names: &names,
        input: &args.read.input,
        cloud: &args.read.cloud,
        writes: None,
    })
    .await?;
    let Some((path, text)) = live.sources.files.first() else {
        return Ok(Exit::Done);
    };
    let new = changed(&live, text)?;
    if new == *text {
        let message = "Nothing is to be written: the file wants what is live already.\n";
        return finish(global, (path, ""), message, false);
    }
    let loaded = find::load_text(Path::new(path), new.clone().into_bytes(), &args.read.input)?;
    check(&live, &loaded)?;
    let diff = render_diff(path, &live.sources, &loaded.sources);
    if !global.json {
        output::result(&diff)?;
    }
    if !confirm::confirm(confirm::ACCEPT, args.consent.yes, global.json).await? {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    write(Path::new(path), text, &new)?;
    let message = format!("{path} is changed. The next apply has the state take it over.\n");
    finish(global, (path, &diff), &message, true)
}

fn finish(
    global: &GlobalArgs,
    (path, diff): (&str, &str),
    message: &str,
    accepted: bool,
) -> Result<Exit, CliError> {
    if global.json {
        let document = json!({"accepted": accepted, "file": path, "diff": diff});
        output::json(&format!("{document:#}\n"))?;
    } else {
        output::message(message);
    }
    Ok(Exit::Done)
}

fn plan(stack: &Stack, world: &World) -> Planned {
    rewrite::plan(&Request {
        types: native(),
        stack,
        world,
        options: &Options::default(),
        read_file: &Disk::new(&stack.dir),
    })
}

fn rows(planned: &Planned) -> BTreeMap<&str, &Change> {
    let rows = planned.plan.changes.iter();
    rows.map(|row| (row.address.as_str(), row)).collect()
}

/// The text of the stack file with the live values in it.
fn changed(live: &Live, text: &str) -> Result<String, CliError> {
    let document = source::parse(text.as_bytes()).unwrap_or_default();
    let planned = plan(&live.stack, &live.world);
    let rows = rows(&planned);
    let mut all = Accepted::default();
    for found in &live.drift.drifted {
        if found.deleted {
            return Err(CliError::new(format!(
                "{} does not exist any more; it has no live value to accept.",
                found.address
            ))
            .now("Nothing was changed.")
            .hint("Take it out of the file, or apply to recreate it."));
        }
        let row = rows.get(found.address.as_str());
        let Some(desired) = row.and_then(|row| row.after.as_ref()) else {
            return Err(CliError::new(format!(
                "{} is not in the stack file, so that nothing can be written there.",
                found.address
            ))
            .now("Nothing was changed.")
            .hint("Put it back into the file first, or let apply delete it."));
        };
        let one = accept::accept(&live.stack, &document, found, desired);
        all.edits.extend(one.edits);
        let refused = one
            .refused
            .into_iter()
            .map(|one| refusal(live, text, found, &one));
        let refused: Vec<String> = refused.collect();
        if !refused.is_empty() {
            let mut error = CliError::new(format!(
                "The live values of {} cannot be written into the file.",
                found.address
            ))
            .now("Nothing was changed.")
            .hint("Change by hand what they come from; drift shows the live values.");
            error.chain = refused;
            return Err(error);
        }
    }
    edit::edit(text, &all.edits).map_err(|why| by_hand(&why))
}

fn by_hand(why: &str) -> CliError {
    CliError::new(format!(
        "The live values cannot be written into the file: {why}."
    ))
    .now("Nothing was changed.")
    .hint("Write them by hand; drift shows them.")
}

fn refusal(live: &Live, text: &str, found: &Drifted, refused: &Refused) -> String {
    let place = locate(text, &Place::Value(refused.at.clone()));
    let file = live
        .sources
        .files
        .first()
        .map_or("", |file| file.0.as_str());
    let at = place.map_or(String::new(), |span| {
        format!(" ({file}:{}:{})", span.line, span.column)
    });
    let mut message = format!("{}.{} {}{at}", found.address, refused.property, refused.why);
    for name in &refused.variables {
        let origin = live.sources.origin(name);
        message.push_str(&format!(
            "; the variable {name} has its value from {origin}"
        ));
    }
    message
}

/// Refuses a text that does not evaluate to exactly what is live, with all else as it was.
fn check(live: &Live, loaded: &Loaded) -> Result<(), CliError> {
    let now = plan(&loaded.stack, &live.world);
    if are_wrong(&loaded.diagnostics) || are_wrong(&now.diagnostics) {
        return Err(by_hand("the stack would not be valid with them"));
    }
    let was = plan(&live.stack, &live.world);
    let (old, new) = (rows(&was), rows(&now));
    let addresses: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    for address in addresses {
        let (old, new) = (old.get(address), new.get(address));
        let mut drifted = live.drift.drifted.iter();
        let Some(found) = drifted.find(|found| found.address == address) else {
            let wants = |row: Option<&&Change>| row.map(|row| row.after.clone());
            if wants(old) != wants(new) {
                return Err(by_hand(&format!("{address} would change with them")));
            }
            continue;
        };
        let left = new.into_iter().flat_map(|row| &row.differences);
        let within = |path: &DataPath| {
            let mut rows = found.rows.iter();
            rows.any(|row| path.is_within(&row.path) || row.path.is_within(path))
        };
        if let Some(row) = left.into_iter().find(|row| within(&row.path)) {
            let path = &row.path;
            return Err(by_hand(&format!("{address}.{path} would still differ")));
        }
    }
    Ok(())
}

/// The change of the file as a diff; what is sensitive in it is masked.
fn render_diff(path: &str, old: &Sources, new: &Sources) -> String {
    let text = |sources: &Sources| {
        let masked = masked(sources);
        masked
            .files
            .first()
            .map(|file| file.1.clone())
            .unwrap_or_default()
    };
    let (old, new) = (text(old), text(new));
    let diff = TextDiff::from_lines(&old, &new);
    let diff = diff
        .unified_diff()
        .context_radius(3)
        .header(path, path)
        .to_string();
    let diff = crate::report::terminal::escape_lines(&diff);
    format!("{}\n", diff.trim_end_matches('\n'))
}

/// Writes the file, whole or not at all, with the mode it had; not over what somebody else
/// wrote meanwhile.
fn write(path: &Path, old: &str, new: &str) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::new(format!("{} could not be written.", path.display()))
            .caused_by(&error)
            .now("It is as it was.")
            .hint("Make it and its folder writable, then run the command again.")
    };
    let target = std::fs::canonicalize(path).map_err(failed)?;
    let now = files::read(&target, neighbours::LARGEST).map_err(|why| failed(why.into()))?;
    if now != old.as_bytes() {
        return Err(CliError::new(format!(
            "{} was changed by somebody else meanwhile.",
            path.display()
        ))
        .now("It was left alone.")
        .hint("Run the command again."));
    }
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mode = std::fs::metadata(&target).map_err(failed)?.permissions();
    file.write_all(new.as_bytes())
        .and_then(|()| file.as_file().set_permissions(mode))
        .and_then(|()| file.as_file().sync_all())
        .map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

//! `stackctl import`: imports existing resources into the state.
//!
//! The command never updates; the option does, in the same run. A file that would replace what it
//! imports is refused.

use super::args::{GlobalArgs, ImportArgs, RunArgs, StackArg};
use super::error::CliError;
use super::exit::Exit;
use super::interrupt;
use super::output;
use super::session::{Keeps, Session, Wanted};
use super::{broken, confirm, reads};
use crate::content::Disk;
use crate::engine::address;
use crate::engine::apply::{self, Run};
use crate::engine::plan::Change;
use crate::engine::plan::planned::Options;
use crate::engine::plan::rewrites::ImportFault;
use crate::files;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::source;
use crate::report;
use crate::resource::table::native;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The resources to import: the id by address.
type ImportIds = BTreeMap<String, String>;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &ImportArgs) -> Result<Exit, CliError> {
    let (stack, imports) = requested(args).await?;
    let run = RunArgs {
        targets: Vec::new(),
        excludes: Vec::new(),
        // Only imported resources are read.
        refresh: false,
        parallelism: 1,
        secrets: args.read.secrets,
        input: args.read.input.clone(),
        cloud: args.read.cloud.clone(),
        lock: args.lock,
    };
    let session = Session::plan(Wanted {
        global,
        stack: &StackArg { name: stack },
        run: &run,
        options: Options {
            imports: Some(imports.clone()),
            ..Options::default()
        },
        writes: true,
        keeps: Keeps::Nothing,
    })
    .await?;
    let failed = refused(&session, &imports, args.skip_failed)?;
    let plan = &session.planned.plan;
    let show = args.read.secrets.show_secrets;
    if !global.json && !plan.is_empty() {
        let style = Session::style(global, show);
        output::result(&report::text::plan(&plan.without_files(), &style))?;
    }
    if !plan.is_empty() && !confirm::confirm(confirm::IMPORT, args.consent.yes, global.json).await?
    {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    let imported: Vec<&Change> = plan
        .changes
        .iter()
        .filter(|change| !change.is_nothing())
        .collect();
    import_all(&session).await?;
    if global.json {
        let mut document = report::json::plan(plan, show);
        let addresses: Vec<&str> = imported
            .iter()
            .map(|change| change.address.as_str())
            .collect();
        document["imported"] = json!(addresses);
        output::json(&format!("{document:#}\n"))?;
    } else {
        output::message(&outcome(&imported, failed));
    }
    Ok(if failed > 0 { Exit::Failed } else { Exit::Done })
}

/// Carries the plan out: it has no step that calls.
async fn import_all(session: &Session) -> Result<(), CliError> {
    if session.planned.plan.steps.is_empty() {
        return Ok(());
    }
    let working = interrupt::working()?;
    let secrets = output::secrets().clone();
    secrets.learn_plan(&session.planned.plan);
    let run = Run {
        types: native(),
        stack: &session.stack,
        planned: &session.planned,
        world: &session.world,
        store: &session.store,
        cx: &session.cx,
        parallelism: 1,
        read_file: &Disk::new(&session.stack.dir),
        secrets,
        interrupt: working.subscribe(),
    };
    let finished = apply::apply(run, &mut |_| {}).await;
    let finished =
        finished.map_err(|failure| broken::error(&failure, &session.stack, &session.cx.typed))?;
    match finished.failed.first() {
        Some((_, _, error)) => Err(reads::resource_error(error)),
        None => Ok(()),
    }
}

fn outcome(imported: &[&Change], failed: usize) -> String {
    let mut text = match imported {
        [] if failed > 0 => "Nothing was imported.".to_owned(),
        [] => "No changes: what is named is in the state already.".to_owned(),
        [only] => format!("Imported {}.", only.address),
        many => format!("Imported {} resources.", many.len()),
    };
    if imported.iter().any(|change| !change.differences.is_empty()) {
        text.push_str(" The next plan shows what differs from the file.");
    }
    text.push('\n');
    text
}

/// Reports the resources that cannot be imported: an error that names all of them, or with
/// `--skip-failed` a message. Returns their number.
fn refused(session: &Session, imports: &ImportIds, skip: bool) -> Result<usize, CliError> {
    let faults = &session.planned.rewrites.faults;
    if faults.is_empty() {
        return Ok(0);
    }
    let error = match faults.as_slice() {
        [only] => {
            let id = imports.get(&only.address).map_or("", String::as_str);
            let message = format!("{} cannot be imported: {}.", only.address, only.message);
            let hint = match &only.help {
                Some(help) => sentence(help),
                None => block(&only.address, id, &session.stack.name),
            };
            CliError::new(message).hint(hint)
        }
        many => {
            let message = format!(
                "{} of {} resources cannot be imported.",
                many.len(),
                imports.len()
            );
            let mut error = CliError::new(message);
            error.chain = many.iter().map(ImportFault::line).collect();
            error.hint("Mend what is wrong; --skip-failed imports the others without it.")
        }
    };
    if skip {
        output::message(&error.now("The others are imported.").render(false));
        return Ok(faults.len());
    }
    Err(error.now("Nothing was changed."))
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    let end = if text.ends_with('?') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), chars.as_str())
}

/// The block to add for an address that the file does not have.
fn block(address: &str, id: &str, stack: &str) -> String {
    let name = address::block(address);
    format!(
        "Add it to the stack {stack} with its type and properties, then import again:\n\
         resources:\n  {name}:\n    type: {}\n    properties: {{}}",
        guess(id).unwrap_or("TYPE")
    )
}

/// The type whose import ids look like this one, where only one does.
fn guess(id: &str) -> Option<&'static str> {
    let is_uuid = id.len() == 36 && id.bytes().filter(|b| *b == b'-').count() == 4;
    Some(match id {
        _ if id.starts_with("https://sqs.") => "aws:sqs:Queue",
        _ if id.starts_with("arn:") && id.contains(":policy/") => "aws:iam:Policy",
        _ if id.contains("/arn:") => "aws:iam:RolePolicyAttachment",
        _ if id.starts_with("s3://") => "aws:s3:BucketObject",
        _ if id.starts_with('/') => "aws:cloudwatch:LogGroup",
        _ if is_uuid => "aws:lambda:EventSourceMapping",
        _ => return None,
    })
}

/// What the arguments name: the stack, and the resources.
async fn requested(args: &ImportArgs) -> Result<(Option<String>, ImportIds), CliError> {
    let names: Vec<&str> = args.names.iter().map(String::as_str).collect();
    if let Some(path) = &args.file {
        return match names.as_slice() {
            [] => Ok((None, listed(path)?)),
            [stack] => Ok((Some((*stack).to_owned()), listed(path)?)),
            _ => Err(CliError::new(
                "With --file, the addresses and ids are in the file; only the stack is named beside it.",
            )),
        };
    }
    let (stack, address, id) = match names.as_slice() {
        [address, id] => (None, *address, *id),
        [stack, address, id] => (Some((*stack).to_owned()), *address, *id),
        _ => {
            return Err(CliError::new("import takes an address and an id.")
                .hint("stackctl import [STACK] ADDRESS ID, or --file with a list of them."));
        }
    };
    let id = match id {
        "-" => typed().await?,
        id => id.to_owned(),
    };
    Ok((stack, ImportIds::from([(address.to_owned(), id)])))
}

/// The id from the standard input: for one that is a secret.
async fn typed() -> Result<String, CliError> {
    let failed = || CliError::new("The id could not be read from the standard input.");
    // On a thread of its own, so that a signal can end the command meanwhile.
    let read = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    });
    let text = read.await.map_err(|error| failed().caused_by(&error))?;
    let text = text.map_err(|error| failed().caused_by(&error))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// The list in a file: a map of ids by address, or a list of entries with `address` and `id`.
fn listed(path: &Path) -> Result<ImportIds, CliError> {
    let shown = path.display();
    let text = files::read_text(path, files::LARGEST_SETTINGS).map_err(|why| {
        let error = std::io::Error::from(why);
        CliError::new(format!("{shown} cannot be read.")).caused_by(&error)
    })?;
    parsed(&text).map_err(|faults| {
        let mut error = CliError::new(format!("{shown} is not a list of resources to import."))
            .hint("Write ADDRESS: ID on each line, or a list of entries with address: and id:.");
        error.chain = faults;
        error
    })
}

fn parsed(text: &str) -> Result<ImportIds, Vec<String>> {
    let document = source::parse(text.as_bytes()).map_err(|faults| {
        let told = |fault: Diagnostic| match fault.place {
            Place::At(line, column) => format!("{line}:{column}: {}", fault.message),
            _ => fault.message,
        };
        faults.into_iter().map(told).collect::<Vec<_>>()
    })?;
    let text = |value: Option<&Value>| value?.as_str().map(str::to_owned);
    let pairs: Vec<(Option<String>, Option<String>)> = match &document {
        Value::Object(map) => {
            let pairs = map.iter();
            let pairs = pairs.map(|(address, id)| (Some(address.clone()), text(Some(id))));
            pairs.collect()
        }
        Value::Array(list) => {
            let entries = list.iter();
            let pairs = entries.map(|entry| (text(entry.get("address")), text(entry.get("id"))));
            pairs.collect()
        }
        _ => return Err(vec!["it is neither a map nor a list".to_owned()]),
    };
    let mut requested = ImportIds::new();
    let mut faults = Vec::new();
    for (number, (address, id)) in pairs.into_iter().enumerate() {
        let number = number + 1;
        match (address, id) {
            (Some(address), Some(id)) => {
                if requested.insert(address.clone(), id).is_some() {
                    faults.push(format!("entry {number}: {address} is named twice"));
                }
            }
            (None, _) => faults.push(format!("entry {number} has no address that is a string")),
            (Some(address), None) => {
                faults.push(format!(
                    "entry {number}: the id of {address} is not a string"
                ));
            }
        }
    }
    if faults.is_empty() && requested.is_empty() {
        faults.push("it names nothing".to_owned());
    }
    if faults.is_empty() {
        Ok(requested)
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_map_or_a_list_of_entries() {
        let expected = ImportIds::from([
            ("a".to_owned(), "1/2".to_owned()),
            ("b[\"k\"]".to_owned(), "x".to_owned()),
        ]);
        assert_eq!(parsed("a: 1/2\n'b[\"k\"]': x\n"), Ok(expected.clone()));
        let list = "- {address: a, id: 1/2}\n- {id: x, address: 'b[\"k\"]'}\n";
        assert_eq!(parsed(list), Ok(expected));
        let faults = parsed(
            "- {address: a, id: 1}\n- {id: x}\n- {address: b, id: x}\n- {address: b, id: y}\n",
        );
        insta::assert_debug_snapshot!(faults, @r#"
        Err(
            [
                "entry 1: the id of a is not a string",
                "entry 2 has no address that is a string",
                "entry 4: b is named twice",
            ],
        )
        "#);
        assert!(parsed("text").is_err() && parsed("").is_err() && parsed("{}").is_err());
    }
}

//! Reads before a plan that failed, as the user sees them: those of data blocks at their place
//! in the stack file.

use super::args::GlobalArgs;
use super::error::CliError;
use super::exit::Exit;
use super::{mistakes, output, place};
use crate::data::Path;
use crate::engine::observe::{self, ReadFailure};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::stack::Sources;
use crate::resource::error::Error;

/// The error for reads that failed. For people, those of data blocks are shown with the lines of
/// the file; scripts get all of them in one error.
pub(super) fn failed(
    global: &GlobalArgs,
    failures: Vec<ReadFailure>,
    sources: &Sources,
) -> CliError {
    if global.json {
        return placed(failures, sources);
    }
    let mut others = Vec::new();
    let mut shown = Vec::new();
    for (what, error) in failures {
        let Some(place) = place(&what) else {
            others.push((what, error));
            continue;
        };
        let message = format!("{what} could not be read: {error}");
        let diagnostic = Diagnostic::error(place, message);
        shown.push(match error.hint() {
            Some(hint) => diagnostic.help(hint),
            None => diagnostic,
        });
    }
    mistakes::show(global, &shown, sources);
    if others.is_empty() {
        output::message("Nothing was changed.\n");
        return CliError::silent(Exit::Failed);
    }
    read_errors(&others)
}

/// One error for reads that failed, those of data blocks with their place in the file.
pub(super) fn placed(failures: Vec<ReadFailure>, sources: &Sources) -> CliError {
    let placed = failures.into_iter().map(|(what, error)| {
        let at = place(&what).and_then(|place| mistakes::position(sources, &place));
        (
            at.map_or(what.clone(), |at| format!("{what} ({at})")),
            error,
        )
    });
    read_errors(&placed.collect::<Vec<_>>())
}

/// The place of a data block by its address; none for what is no data block.
pub(super) fn place(address: &str) -> Option<Place> {
    let name = address.strip_prefix("data.")?;
    Some(Place::Key(Path::root().join("data").join(name)))
}

/// Errors of the reads before a plan.
pub(super) fn read_errors(failures: &[(String, Error)]) -> CliError {
    // Each read fails alike where the credentials are what is wrong.
    let mut of_credentials = failures.iter().filter(|(_, it)| it.is_of_credentials());
    let named = failures
        .iter()
        .find(|(what, _)| what == observe::CREDENTIALS);
    let named = named.filter(|(_, error)| error.is_of_credentials());
    match named.or_else(|| of_credentials.next()) {
        Some((_, error @ Error::Credentials { .. })) => return resource_error(error),
        Some(one) if failures.len() > 1 => return read_errors(std::slice::from_ref(one)),
        _ => {}
    }
    let lines: Vec<String> = failures
        .iter()
        .map(|(address, error)| format!("{address}: {error}"))
        .collect();
    let message = match lines.as_slice() {
        [only] => format!("Reading {only}."),
        _ => format!("{} reads failed:\n  {}", lines.len(), lines.join("\n  ")),
    };
    let mut found = CliError::new(message).now("Nothing was changed.");
    if let Some(hint) = failures.iter().find_map(|(_, error)| error.hint()) {
        found = found.hint(hint);
    }
    found
}

/// An error from outside any step.
pub(super) fn resource_error(error: &Error) -> CliError {
    let text = error.to_string();
    let found = CliError::new(format!("{}.", place::capital(text.trim_end_matches('.'))));
    let found = found.now("Nothing was changed.");
    match error.hint() {
        Some(hint) => found.hint(hint),
        None => found,
    }
}

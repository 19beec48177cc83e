//! Reads before a plan that failed, as the user sees them: those of data blocks at their place
//! in the stack file.

use super::args::GlobalArgs;
use super::error::{CliError, capital};
use super::exit::Exit;
use super::{mistakes, output};
use crate::data::Path;
use crate::engine::observe;
use crate::engine::world::ReadFailure;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::stack::Sources;
use crate::resource::error::{Effect, Error};

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
    let (mut shown, mut told) = (Vec::new(), Vec::new());
    for (what, error) in failures {
        let Some(place) = place(&what) else {
            others.push((what, error));
            continue;
        };
        told.push((error.code().to_owned(), error.message().to_owned()));
        let message = format!("{what} could not be read: {error}");
        let diagnostic = Diagnostic::error(place, message);
        shown.push(diagnostic.help(next(&error)));
    }
    // What a data block asks for may be what the run itself asks for.
    others.retain(|(what, error)| {
        let same = |(code, message): &(String, String)| {
            what == observe::CREDENTIALS && code == error.code() && message == error.message()
        };
        !told.iter().any(same)
    });
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

/// The place of a data block by its address; none for what is not a data block.
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
    let hint = failures.iter().find_map(|(_, error)| error.hint());
    let hint = hint.or_else(|| failures.first().map(|(_, error)| next(error)));
    CliError {
        hint,
        ..CliError::new(message).now("Nothing was changed.")
    }
}

/// The error for steps of an interrupted run of which it could not be found out how they ended.
pub(super) fn recovery_errors(failures: &[(String, Error)]) -> CliError {
    let mut addresses: Vec<&str> = failures.iter().map(|(address, _)| &**address).collect();
    addresses.dedup();
    let addresses = addresses.join(", ");
    read_errors(failures).now(format!(
        "Nothing was changed. Whether an earlier run created {addresses} is still not known; the next \
         run looks again."
    ))
}

/// The one next step after a call that only reads.
fn next(error: &Error) -> String {
    let again = match error.effect() {
        _ if error.is_throttle() => {
            "Run the command again in a moment, or with a lower --parallelism."
        }
        Effect::Unknown => "Run the command again in a moment.",
        Effect::None => "Fix the cause, then run the command again.",
    };
    error.hint().unwrap_or_else(|| again.to_owned())
}

/// An error from outside any step.
pub(super) fn resource_error(error: &Error) -> CliError {
    let text = error.to_string();
    CliError::new(format!("{}.", capital(text.trim_end_matches('.'))))
        .now("Nothing was changed.")
        .hint(next(error))
}

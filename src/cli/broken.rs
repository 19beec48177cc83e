//! A run that could not write down what it did: the error reports what is known instead.

use super::error::CliError;
use super::error::capital;
use super::place::WORK_DIR;
use crate::engine::apply::StoreFailure;
use crate::engine::apply::event::Doing;
use crate::lang::stack::Stack;
use crate::resource::context::AsTyped;
use crate::store::{self, StoreError, transfer};
use std::fmt::Write as _;
use std::path::Path;

/// The error of such a run of a stack, which is reported in words that a command takes.
pub(super) fn error(broken: &StoreFailure, stack: &Stack, typed: &AsTyped) -> CliError {
    let found = CliError::new(format!("{}.", capital(&broken.error.to_string())));
    let lost = matches!(broken.error, StoreError::Lost { .. });
    if let Some(file) = save_beside(broken, stack)
        && !lost
    {
        let AsTyped { stack, flags } = typed;
        let place = format!("{file} {stack}");
        return found
            .now(format!(
                "No further step was started. The state in its place is as it was before; {file} holds \
                 the one with all that was done:{}",
                facts(broken)
            ))
            .hint(format!(
                "Make the place of the state usable{}, then run `stackctl state push {}{flags}`.",
                match &broken.error {
                    StoreError::Cloud { error, .. } if error.of_credentials =>
                        " (the credentials are what is wrong: sign in again)",
                    _ => "",
                },
                place.trim_end()
            ));
    }
    let (now, next) = match (broken.started, broken.saved) {
        (false, false) => (
            "Nothing was changed.".to_owned(),
            if lost {
                "See with `stackctl plan` how things stand, then run the command again."
            } else {
                "Make the place of the state usable, then run the command again."
            },
        ),
        (_, true) => (
            "No further step was started; the state holds all that was done.".to_owned(),
            "Make the place of the state usable, then run the command again.",
        ),
        (true, false) if broken.journal && !lost => (
            done(broken),
            "Make the place of the state usable, then run the command again: the journal names every step that was started, and the run recovers each.",
        ),
        (true, false) => (
            done(broken),
            "Look at `stackctl plan`. What was created here and is to be created there is imported with `stackctl import ADDRESS ID`.",
        ),
    };
    found.now(now).hint(next)
}

/// The file with the state that could not be saved, of its owner's only; none where nothing was
/// done, or it cannot be written either.
fn save_beside(broken: &StoreFailure, stack: &Stack) -> Option<String> {
    let state = broken
        .state
        .as_ref()
        .filter(|_| !broken.saved && broken.started)?;
    if is_nothing_done(broken) {
        return None;
    }
    let folder = Path::new(WORK_DIR).join("unsaved");
    crate::files::folder(&folder).ok()?;
    let path = folder.join(format!("{}.json", stack.full_name()));
    let text = store::to_text(state).ok()?;
    transfer::write_copy(&path, &text).ok()?;
    Some(path.display().to_string())
}

/// Whether no step has brought anything about, as far as that is known for sure.
fn is_nothing_done(broken: &StoreFailure) -> bool {
    let mut states = broken.state.iter();
    broken.done.is_empty() && states.all(|state| state.pending.is_empty())
}

/// What was done, a line a step: nothing else holds it now.
fn done(broken: &StoreFailure) -> String {
    if is_nothing_done(broken) {
        return "No further step was started, and none that was started is known to have brought anything about. The state is as it was before.".to_owned();
    }
    let text = "No further step was started. The state is as it was before; this was done since:";
    format!("{text}{}", facts(broken))
}

/// The steps that were done, and those that may have been, a line each.
fn facts(broken: &StoreFailure) -> String {
    let mut text = String::new();
    for fact in &broken.done {
        let verb = match fact.doing {
            Doing::Creating => "created",
            Doing::Updating => "updated",
            Doing::Deleting => "deleted",
            _ => "imported",
        };
        let (address, type_name, id) = (&fact.address, &fact.type_name, &fact.id);
        let _ = write!(text, "\n  {verb} {address} ({type_name}), id {id}");
    }
    let open = broken.state.iter().flat_map(|state| &state.pending);
    for intent in open {
        let (address, type_name) = (&intent.address, &intent.type_name);
        let _ = write!(text, "\n  may have created {address} ({type_name})");
    }
    text
}

//! A run that could not write down what it did: what is known is told instead.

use super::error::CliError;
use super::place::capital;
use crate::engine::apply::Broken;
use crate::engine::event::Doing;
use crate::store::StoreError;
use std::fmt::Write as _;

/// The error of such a run.
pub(super) fn error(broken: &Broken) -> CliError {
    let found = CliError::new(format!("{}.", capital(&broken.error.to_string())));
    let lost = matches!(broken.error, StoreError::Lost { .. });
    let (now, next) = match (broken.begun, broken.saved) {
        (false, false) => (
            "Nothing was changed.".to_owned(),
            if lost {
                "See with `stackctl plan` how things stand, then run the command again."
            } else {
                "Make the place of the state usable, then run the command again."
            },
        ),
        (_, true) => (
            "No further step was begun; the state holds all that was done.".to_owned(),
            "Make the place of the state usable, then run the command again.",
        ),
        (true, false) if broken.journal && !lost => (
            done(broken),
            "Make the place of the state usable, then run the command again: the journal names every step that was begun, and the run finds out what became of each.",
        ),
        (true, false) => (
            done(broken),
            "Look at `stackctl plan`. What was created here and is to be created there is adopted with `stackctl import ADDRESS ID`.",
        ),
    };
    found.now(now).hint(next)
}

/// What was done, a line a step: nothing else holds it now.
fn done(broken: &Broken) -> String {
    if broken.done.is_empty() {
        return "No further step was begun, and none that was begun has brought anything about. The state is as it was before.".to_owned();
    }
    let mut text =
        "No further step was begun. The state is as it was before; this was done since:".to_owned();
    for fact in &broken.done {
        let verb = match fact.doing {
            Doing::Creating => "created",
            Doing::Updating => "updated",
            Doing::Deleting => "deleted",
            _ => "adopted",
        };
        let (address, type_name, id) = (&fact.address, &fact.type_name, &fact.id);
        let _ = write!(text, "\n  {verb} {address} ({type_name}), id {id}");
    }
    text
}

//! The events that a run reports while it goes on; one channel, one reporter.

use crate::engine::plan::Op;
use crate::resource::error::{Effect, Error};
use std::time::Duration;

/// What kind of step an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// A create.
    Creating,
    /// An update.
    Updating,
    /// A delete.
    Deleting,
    /// A data source's read.
    Reading,
    /// Importing an existing resource into the state.
    Importing,
    /// Moving a resource to another address in the state.
    Moving,
    /// A bookkeeping step (depose, forget, update of the state); it gets no line.
    Keeping,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run starts; the number of steps, without bookkeeping.
    Started {
        /// The number of steps.
        steps: usize,
        /// How many of those that call AWS must follow one another, at the most.
        depth: usize,
        /// Whether the stack is deleted.
        destroys: bool,
    },
    /// A step started.
    StepStarted {
        /// The address.
        address: String,
        /// What is done.
        doing: Doing,
    },
    /// A step waits for something.
    Waiting {
        /// The address.
        address: String,
        /// The reason, a clause.
        reason: String,
    },
    /// A step is done.
    Done {
        /// The address.
        address: String,
        /// What was done.
        doing: Doing,
        /// The resource's id.
        id: String,
        /// How long it took.
        took: Duration,
    },
    /// A step failed.
    Failed {
        /// The address.
        address: String,
        /// What was tried.
        doing: Doing,
        /// Why it failed.
        error: Error,
        /// The state that the resource is in now, a sentence.
        now: String,
        /// Whether it was created all the same: it is in the state, and is not finished.
        created: bool,
    },
    /// The run was interrupted while a step only waited: the wait was ended.
    Stopped {
        /// The address.
        address: String,
        /// What was being done.
        doing: Doing,
        /// The state that the resource is in now, a sentence.
        now: String,
    },
    /// A step was skipped.
    Skipped {
        /// The address.
        address: String,
        /// What would have been done.
        doing: Doing,
        /// The address whose step failed, or none when the run was interrupted.
        because: Option<String>,
    },
    /// The user asked to stop: what runs is waited for.
    Interrupted {
        /// How many steps are still running.
        running: usize,
    },
}

/// What a step is to people.
pub fn doing(op: &Op) -> Doing {
    match op {
        Op::Create { .. } => Doing::Creating,
        Op::Update { .. } => Doing::Updating,
        Op::Delete { .. } => Doing::Deleting,
        Op::Read { .. } => Doing::Reading,
        Op::Import { .. } => Doing::Importing,
        Op::Move { .. } => Doing::Moving,
        Op::Depose { .. } | Op::Forget { .. } | Op::UpdateState { .. } => Doing::Keeping,
    }
}

/// What the run has done to the address of a failed step before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// It has created the resource, though the step failed then.
    Created,
    /// It has deleted the one that this one was to replace.
    Deleted,
    /// The one that was replaced, or was to be, still exists.
    Deposed,
}

/// The state that the resource is in after a failure. `request` is what a create started that AWS
/// goes on with by itself.
pub(super) fn now(
    address: &str,
    doing: Doing,
    (error, request): (&Error, Option<&str>),
    before: Before,
) -> String {
    if let (Doing::Creating, Effect::Unknown, Some(request)) = (doing, error.effect(), request)
        && before != Before::Created
    {
        return format!(
            "AWS goes on with the request {request}, which creates {address}; the next run asks how it ended."
        );
    }
    match (doing, before, error.effect()) {
        (Doing::Creating, Before::Created, _) => {
            format!("{address} exists and is in the state, but is not finished.")
        }
        (Doing::Creating, Before::Deleted, Effect::None) => {
            format!("{address} was deleted, and its replacement was not created.")
        }
        (Doing::Creating, Before::Deposed, Effect::None) => {
            format!("{address} was not created; the one that it replaces still exists.")
        }
        (Doing::Creating, Before::Nothing, Effect::None) => format!("{address} was not created."),
        (Doing::Creating, _, Effect::Unknown) => {
            format!("Whether {address} was created is not known; the next run finds out.")
        }
        (Doing::Updating, ..) => {
            format!("{address} may be changed in part; the next plan shows what is left to do.")
        }
        (Doing::Deleting, Before::Deposed, Effect::None) => {
            format!("The {address} that was replaced still exists; the next run deletes it.")
        }
        (Doing::Deleting, _, Effect::None) => format!("{address} is still in the state."),
        (Doing::Deleting, _, Effect::Unknown) => {
            format!("Whether {address} was deleted is not known; the next run finds out.")
        }
        _ => format!("{address} was not read."),
    }
}

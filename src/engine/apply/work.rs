//! The calls of one step, as its task sends them.

use crate::data::{Attributes, Inputs, Path};
use crate::engine::apply::retry;
use crate::resource::context::{Cx, Owner};
use crate::resource::error::{Effect, Error};
use crate::resource::{DataSourceType, ResourceType};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A step with everything its calls need.
pub struct Work {
    /// What to call.
    pub call: Call,
    /// The create's owner tag, or the empty string.
    pub operation: String,
    /// The context; set just before the start.
    pub cx: Option<Cx>,
}

/// The kinds of calls.
pub enum Call {
    /// Create it.
    Create {
        /// The type.
        kind: &'static dyn ResourceType,
        /// The properties.
        inputs: Inputs,
        /// What the plan decided.
        decided: Map<String, Value>,
    },
    /// Change it.
    Update {
        /// The type.
        kind: &'static dyn ResourceType,
        /// The id.
        id: String,
        /// The attributes as read.
        live: Attributes,
        /// The properties.
        inputs: Inputs,
        /// The paths that differ.
        changed: BTreeSet<Path>,
    },
    /// Delete it.
    Delete {
        /// The type.
        kind: &'static dyn ResourceType,
        /// The id.
        id: String,
        /// What is known of it.
        live: Attributes,
    },
    /// Read it.
    Read {
        /// The data source.
        kind: &'static dyn DataSourceType,
        /// The arguments.
        args: Inputs,
        /// Whether there is a secret among them.
        is_secret: bool,
    },
}

/// The outcome of a step.
#[derive(Debug)]
pub struct Outcome {
    /// The id.
    pub id: String,
    /// The outputs.
    pub outputs: Attributes,
    /// The resource exists, but a call that had to follow failed.
    pub error: Option<Error>,
}

impl Work {
    /// The lane of its writes.
    pub fn lane(&self) -> Option<String> {
        match &self.call {
            Call::Create { kind, inputs, .. } => {
                kind.lane(&Attributes::of(inputs, &Attributes::default()))
            }
            Call::Update { kind, live, .. } => kind.lane(live),
            Call::Delete { kind, live, .. } => kind.lane(live),
            Call::Read { .. } => None,
        }
    }

    /// The owner of what it creates.
    pub fn owner(&self, stack: &str, address: &str) -> Owner {
        Owner {
            stack: stack.to_owned(),
            address: address.to_owned(),
            operation: self.operation.clone(),
        }
    }
}

/// Sends the calls.
///
/// # Errors
/// When nothing took effect, or it is unknown whether something did; [`Error::Interrupted`] where
/// the user stopped the run while the step only waited.
pub async fn run(work: Work) -> Result<Outcome, Error> {
    let Some(cx) = work.cx else {
        return Err(Error::failed("the step has no context"));
    };
    let calls = cx.reporting_waits(call(&cx, work.call));
    match cx.unless_stopped(calls).await {
        Some(ended) => ended,
        None => stopped(&cx),
    }
}

/// What is known of a step that was left while it only waited.
fn stopped(cx: &Cx) -> Result<Outcome, Error> {
    let effect = match cx.flight.is_unsure() {
        true => Effect::Unknown,
        false => Effect::None,
    };
    let error = Error::Interrupted { effect };
    after(cx, error)
}

/// What is known of a step whose task panicked.
///
/// # Errors
/// [`Error::BrokeOff`], unless the step is known to have created something.
pub(super) fn broke_off(cx: Option<&Cx>) -> Result<Outcome, Error> {
    cx.map_or(Err(Error::BrokeOff), |cx| after(cx, Error::BrokeOff))
}

/// A step that failed: what it created is known all the same.
fn after(cx: &Cx, error: Error) -> Result<Outcome, Error> {
    match cx.take_made() {
        Some(made) => Ok(Outcome {
            id: made.id,
            outputs: made.outputs,
            error: Some(error),
        }),
        None => Err(error),
    }
}

/// The error of a create. A refusal covers its own call alone: where an earlier call created
/// something unknown, or may have, the next run has to search for it.
fn of_create(cx: &Cx, error: Error) -> Error {
    unsure_if(
        cx.made_id().is_none() && cx.flight.may_have_created(),
        error,
    )
}

/// The error of a deletion: a call before the refused one may have deleted.
fn of_deletion(cx: &Cx, error: Error) -> Error {
    unsure_if(cx.flight.is_unsure(), error)
}

fn unsure_if(unsure: bool, error: Error) -> Error {
    match error.effect() {
        Effect::None if unsure => Error::Unsure {
            error: Box::new(error),
            lookup_error: None,
        },
        _ => error,
    }
}

async fn call(cx: &Cx, call: Call) -> Result<Outcome, Error> {
    match call {
        Call::Create {
            kind,
            inputs,
            decided,
        } => match retry::create(kind, cx, &inputs, &decided).await {
            Ok(made) => Ok(Outcome {
                id: made.id,
                outputs: made.outputs,
                error: None,
            }),
            Err(error) => after(cx, of_create(cx, error)),
        },
        Call::Update {
            kind,
            id,
            live,
            inputs,
            changed,
        } => {
            let made = retry::update(kind, cx, &id, live, inputs, changed).await?;
            Ok(Outcome {
                id: made.id,
                outputs: made.outputs,
                error: None,
            })
        }
        Call::Delete { kind, id, live } => {
            let deleted = retry::delete(kind, cx, &id, &live).await;
            deleted.map_err(|error| of_deletion(cx, error))?;
            Ok(Outcome {
                id,
                outputs: Attributes::default(),
                error: None,
            })
        }
        Call::Read {
            kind,
            args,
            is_secret,
        } => {
            let mut cx = cx.clone();
            cx.is_secret = is_secret;
            let outputs = kind.read(&cx, args.clone()).await?;
            kind.write(&cx, &args, &outputs)?;
            Ok(Outcome {
                id: String::new(),
                outputs,
                error: None,
            })
        }
    }
}

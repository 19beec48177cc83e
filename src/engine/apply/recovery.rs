//! What a run that was cut off left open: each create whose end is not known is searched for.

use super::lookup::Lookup;
use super::results;
use super::retry;
use crate::data::{Attributes, Inputs};
use crate::engine::plan::unfinished;
use crate::engine::world::ReadFailure;
use crate::resource::context::{Cx, Owner};
use crate::resource::error::Error;
use crate::resource::types::Types;
use crate::resource::{Read, ResourceType};
use crate::store::journal::Intent;
use crate::store::seal::Seal;
use crate::store::state::{State, StateChange};
use serde_json::Value;
use std::sync::Arc;

/// Whether these open steps are recovered with calls to AWS: those of local types alone need
/// neither a region nor credentials nor the network.
pub fn needs_aws(types: &Types, open: &[Intent]) -> bool {
    creates(open).any(|intent| types.is_remote(&intent.type_name))
}

fn creates(open: &[Intent]) -> impl Iterator<Item = &Intent> {
    open.iter().filter(|intent| intent.op == "create")
}

/// Recovers every open create. Updates and deletes need nothing: the next plan reads their outcome.
///
/// A create that left the dead process may take effect a moment later, so one that is not found is
/// searched for again, for up to [`Aws::late`](crate::resource::aws::Aws::late) long. A failed
/// lookup does not end the others.
///
/// # Errors
/// All lookups that failed: their outcome is unknown then, and their intents stay open.
pub async fn recover(
    cx: &Cx,
    types: &Types,
    state: &mut State,
    (open, seal): (&[Intent], &Seal),
) -> Result<Vec<StateChange>, Vec<ReadFailure>> {
    let (mut changes, mut failures) = (Vec::new(), Vec::new());
    let mut left: Vec<&Intent> = creates(open).collect();
    for pause in retry::lookup_pauses(cx.aws.late()) {
        tokio::time::sleep(pause).await;
        let mut missing = Vec::new();
        for intent in left {
            let Some(kind) = types.resource(&intent.type_name) else {
                failures.push((intent.address.clone(), unknown_type(&intent.type_name)));
                continue;
            };
            match recover_create((cx, seal), state, intent, kind).await {
                Ok(Some(change)) => {
                    state.change(change.clone());
                    changes.push(change);
                }
                // What exists in the state alone comes about at once or not at all.
                Ok(None) if types.is_remote(&intent.type_name) => missing.push(intent),
                Ok(None) => {}
                Err(error) => failures.push((intent.address.clone(), error)),
            }
        }
        left = missing;
        if left.is_empty() {
            break;
        }
    }
    if failures.is_empty() {
        Ok(changes)
    } else {
        Err(failures)
    }
}

fn unknown_type(name: &str) -> Error {
    Error::with_hint(
        format!("the journal has the type {name}, which this version does not know"),
        "Use the version of stackctl that wrote it.",
    )
}

/// What an open create left behind, as a change of the state.
async fn recover_create(
    (cx, seal): (&Cx, &Seal),
    state: &State,
    intent: &Intent,
    kind: &'static dyn ResourceType,
) -> Result<Option<StateChange>, Error> {
    let mut cx = cx.for_step(Owner {
        operation: intent.operation.clone(),
        address: intent.address.clone(),
        ..cx.owner.clone()
    });
    let (notify, address) = (Arc::clone(&cx.notify), intent.address.clone());
    cx.notify = Arc::new(move |reason| notify(&format!("looking for {address}: {reason}")));
    cx.known_ids = Arc::new(state.ids(&intent.type_name));
    let ids = Lookup::of_create(kind, intent, seal).ids(&cx).await?;
    let (Some(id), Some(resource)) = (ids.into_iter().next(), &intent.resource) else {
        return Ok(None);
    };
    let given = Inputs::new(seal.opened(&intent.inputs).into_owned());
    let decided = Value::Object(intent.decided.clone());
    let decided = Attributes::new(seal.opened(&decided).into_owned());
    let read = Read::new(id, Attributes::of(&given, &decided)).of(retry::names(&intent.inputs));
    let live = cx.reporting_waits(kind.read(&cx, &read)).await?.live;
    let mut resource = resource.clone();
    let outputs = read.attributes.with(&live.unwrap_or_default());
    let outputs = Attributes::new(seal.seal_paths(&outputs, &resource.sensitive));
    resource.outputs = outputs.with(&resource.inputs);
    resource.id = results::stored_id(kind, &read.id, &resource.sensitive).to_owned();
    resource.unfinished = unfinished::settable(kind, &resource.inputs);
    resource.forget_later(Some(kind.schema()));
    Ok(Some(StateChange::Put {
        address: intent.address.clone(),
        resource,
    }))
}

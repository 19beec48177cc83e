//! Creates of an interrupted run whose end is unknown: looked up, and taken into the state
//! when they took effect.

use super::diff::{Compare, differences};
use crate::data::{Data, Path};
use crate::resource::context::{Cx, Owner};
use crate::resource::error::{Effect, Error};
use crate::resource::{Applied, ResourceType, overlay, resource_type};
use crate::store::journal::Intent;
use crate::store::state::{Seal, State, StateChange, is_sealed};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Settles every open create. Updates and deletes need nothing: the next plan reads what
/// became of them.
///
/// # Errors
/// When a look-up fails: nothing is known then, and the intent stays open.
pub async fn settle(
    cx: &Cx,
    state: &mut State,
    open: &[Intent],
) -> Result<Vec<StateChange>, (String, Error)> {
    let mut changes = Vec::new();
    for intent in open.iter().filter(|intent| intent.op == "create") {
        let failed = |error| (intent.address.clone(), error);
        let Some(kind) = resource_type(&intent.type_name) else {
            continue;
        };
        let mut cx = cx.for_step(Owner {
            operation: intent.operation.clone(),
            address: intent.address.clone(),
            ..cx.owner.clone()
        });
        cx.wanted = Some(names(&intent.inputs));
        cx.known_ids = Arc::new(state.ids(&intent.type_name));
        let inputs = without_seals(&intent.inputs);
        let found = kind
            .find(&cx, inputs, intent.decided.clone())
            .await
            .map_err(failed)?;
        let (Some(id), Some(resource)) = (found, &intent.resource) else {
            continue;
        };
        let attrs = overlay(&intent.inputs, &Value::Object(intent.decided.clone()));
        let live = kind.read(&cx, &id, &attrs).await.map_err(failed)?;
        let mut resource = resource.clone();
        resource.outputs = overlay(
            &overlay(&attrs, &live.unwrap_or_default()),
            &resource.inputs,
        );
        resource.id = id;
        let change = StateChange::Put {
            address: intent.address.clone(),
            resource,
        };
        state.change(change.clone());
        changes.push(change);
    }
    Ok(changes)
}

/// The names of the properties given: all that a read has to cover.
fn names(inputs: &Value) -> BTreeSet<String> {
    let names = inputs.as_object().into_iter().flatten();
    names.map(|(name, _)| name.clone()).collect()
}

/// Sealed values as a text that fits a property's type well enough to be looked past.
fn without_seals(value: &Value) -> Value {
    match value {
        sealed if is_sealed(sealed) => Value::from("(sealed)"),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), without_seals(value)))
            .collect(),
        Value::Array(list) => list.iter().map(without_seals).collect(),
        other => other.clone(),
    }
}

/// How often a call whose outcome is unknown, or that is throttled, is made.
const TRIES: u32 = 5;

/// Waits before the next attempt, and says why; none where the error is final.
async fn pause(cx: &Cx, attempt: u32, error: &Error, what: &str) -> Option<()> {
    let throttled = error.is_throttle() && error.effect() == Effect::None;
    if attempt >= TRIES || (error.effect() == Effect::None && !throttled) {
        return None;
    }
    if throttled {
        cx.waiting("the service asks to slow down");
    } else {
        cx.waiting(&format!(
            "the reply was lost; looking whether the {what} took effect"
        ));
    }
    let pause = Duration::from_millis(100) * 2u32.pow(attempt - 1);
    tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))).await;
    Some(())
}

/// Creates, and where the outcome is unknown (a timeout, a lost reply, a 5xx) finds out
/// before anything is tried again, so that nothing is made twice.
///
/// # Errors
/// The create's own, once it is sure that it did nothing or that no more can be known.
pub async fn create(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    inputs: &Value,
    decided: &Map<String, Value>,
) -> Result<Applied, Error> {
    let mut attempt = 1;
    loop {
        let error = match kind.create(cx, inputs.clone(), decided.clone()).await {
            Ok(applied) => return Ok(applied),
            Err(error) => error,
        };
        if cx.has_made() || pause(cx, attempt, &error, "create").await.is_none() {
            return Err(error);
        }
        attempt += 1;
        if error.effect() == Effect::Unknown
            && let Some(id) = kind.find(cx, inputs.clone(), decided.clone()).await?
        {
            return finish(kind, cx, id, inputs, decided).await;
        }
    }
}

/// Updates, and where the outcome is unknown reads what became of it, and sends only what
/// did not take effect.
///
/// # Errors
/// The update's own, once it is sure that it did nothing or that no more can be known.
pub async fn update(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    id: &str,
    mut live: Value,
    inputs: Value,
    mut changed: BTreeSet<String>,
) -> Result<Applied, Error> {
    let mut attempt = 1;
    loop {
        let tried = kind.update(cx, id, live.clone(), inputs.clone(), changed.clone());
        let error = match tried.await {
            Ok(applied) => return Ok(applied),
            Err(error) => error,
        };
        if pause(cx, attempt, &error, "update").await.is_none() {
            return Err(error);
        }
        attempt += 1;
        if error.effect() == Effect::None {
            continue;
        }
        kind.ready(cx, id).await?;
        let mut reading = cx.clone();
        reading.wanted = Some(names(&inputs).union(&changed).cloned().collect());
        let Some(now) = kind.read(&reading, id, &live).await? else {
            return Err(error);
        };
        // A property taken out of the file was applied before, and what no read returns may
        // have been lost.
        let applied = overlay(&live, &inputs);
        let applied = only(&applied, |name| {
            changed.contains(name) || has(&inputs, name)
        });
        let left = differing(kind, &applied, &inputs, &now);
        let unread = |name: &str| kind.schema().flag(&Path::root().join(name), "writeOnly");
        changed.retain(|name| left.contains(name) || unread(name));
        live = overlay(&live, &now);
        if changed.is_empty() {
            return Ok(Applied {
                id: id.to_owned(),
                outputs: now,
            });
        }
    }
}

fn has(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(|value| !value.is_null())
}

fn only(value: &Value, keep: impl Fn(&str) -> bool) -> Value {
    let members = value.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| keep(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Brings a found object to where `create` would have left it: waits as `create` does, and
/// makes the calls that `create` makes after the first one, as an update of what is missing.
async fn finish(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    id: String,
    inputs: &Value,
    decided: &Map<String, Value>,
) -> Result<Applied, Error> {
    let attrs = overlay(inputs, &Value::Object(decided.clone()));
    // It exists: whatever fails from here on, it is in the state.
    cx.made(&id, Value::Object(decided.clone()));
    kind.ready(cx, &id).await?;
    let mut reading = cx.clone();
    reading.wanted = Some(names(inputs));
    let live = kind.read(&reading, &id, &attrs).await?.unwrap_or_default();
    let missing = differing(kind, inputs, inputs, &live);
    let outputs = overlay(&attrs, &live);
    if missing.is_empty() {
        return Ok(Applied { id, outputs });
    }
    let live = overlay(&Value::Object(decided.clone()), &live);
    let updated = kind.update(cx, &id, live, inputs.clone(), missing).await?;
    Ok(Applied {
        outputs: overlay(&outputs, &updated.outputs),
        id,
    })
}

/// The properties that a plan would update, were it made now.
fn differing(
    kind: &dyn ResourceType,
    applied: &Value,
    inputs: &Value,
    live: &Value,
) -> BTreeSet<String> {
    let canonical = |value: &Value| {
        let mut value = value.clone();
        kind.canonical(&mut value);
        value
    };
    let desired = Data::from(canonical(inputs));
    let (found, _) = differences(&Compare {
        schema: kind.schema(),
        applied: &canonical(applied),
        live: &canonical(live),
        desired: &desired,
        seal: &Seal::new(""),
        settled: &|_, _| true,
        replace_on: &[],
    });
    let updatable = found.iter().filter(|row| !row.replaces);
    updatable
        .filter_map(|row| row.path.first().map(std::borrow::Cow::into_owned))
        .collect()
}

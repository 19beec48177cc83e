//! The calls of a step, retried where the service did not respond or asked to slow down. Before a
//! create is retried, stackctl searches for the resource, so that nothing is created twice.
//!
//! A call may take effect after its client gave up or died. Where no reply came, and after a crash,
//! a resource that is not found is searched for again for 5 seconds (`Aws::late`) before it is
//! created again. Only runs that lost a reply, or follow a crash in the middle of a create, pay
//! that. A create whose outcome stays unknown (the service is away for longer than the run waits)
//! is kept in the state as `pending`, for the next run to recover.

use crate::data::{Attributes, Data, Inputs, Path};
use crate::engine::plan::diff::Compare;
use crate::resource::context::Cx;
use crate::resource::error::{Effect, Error};
use crate::resource::{Applied, Known, Read, ResourceType};
use crate::schema::Schema;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::time::Duration;

/// The pauses before the lookups of something that may take effect within `late`: the first
/// lookup is at once, the last one at the end.
pub(super) fn lookup_pauses(late: Duration) -> Vec<Duration> {
    if late.is_zero() {
        return vec![Duration::ZERO];
    }
    let share = |part: f64| late.mul_f64(part);
    [0.0, 0.05, 0.1, 0.2, 0.3, 0.35].map(share).to_vec()
}

/// The names of the properties given: all that a read has to cover.
pub(super) fn names(inputs: &Inputs) -> BTreeSet<String> {
    let names = inputs.as_object().into_iter().flatten();
    names.map(|(name, _)| name.clone()).collect()
}

/// How often a step is tried while the service does not respond, or asks to slow down.
const TRIES: u32 = 8;

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Waits before the next try, and says why; none where the error is final, or the budget of
/// the step or of the run is used up.
async fn pause(cx: &Cx, attempt: u32, error: &Error, what: &str) -> Option<()> {
    let throttled = error.is_throttle() && error.effect() == Effect::None;
    if error.is_of_credentials() {
        // Neither the lookup nor the next try would be allowed.
        return None;
    }
    if attempt >= TRIES || (error.effect() == Effect::None && !throttled) || !cx.may_repeat() {
        return None;
    }
    let again = format!("try {} of {TRIES}", attempt + 1);
    if throttled {
        cx.waiting(&format!("the service asks to slow down; {again}"));
    } else {
        let lost = match error.status() {
            Some(status) if status >= 300 => format!("the service returned {status}"),
            Some(_) => "the reply could not be read".to_owned(),
            None => "the reply was lost".to_owned(),
        };
        cx.waiting(&format!(
            "{lost}; looking whether the {what} took effect, then {again}"
        ));
    }
    let pause = (Duration::from_millis(100) * 2u32.pow(attempt - 1)).min(LONGEST_PAUSE);
    let pause = pause.mul_f64(rand::random_range(0.5..1.0));
    tokio::time::sleep(cx.aws.real(pause)).await;
    Some(())
}

/// Creates; where the outcome is unknown (a timeout, a lost reply, a 5xx), finds it out before any
/// retry, so that nothing is created twice.
///
/// # Errors
/// The create's own error, once it is certain that it had no effect or that its outcome cannot be
/// found out.
pub async fn create(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    inputs: &Inputs,
    decided: &Map<String, Value>,
) -> Result<Applied, Error> {
    let mut attempt = 1;
    let mut made: Option<String> = None;
    loop {
        let tried = match &made {
            None => create_once_free(kind, cx, inputs, decided).await,
            Some(id) => finish(kind, cx, id, inputs, decided).await,
        };
        let error = match tried {
            Ok(applied) => {
                cx.repeated(attempt - 1);
                return Ok(applied);
            }
            Err(error) => error,
        };
        pause(cx, attempt, &error, "create")
            .await
            .ok_or_else(|| error.clone())?;
        attempt += 1;
        made = made.or_else(|| cx.made_id());
        if made.is_none() && error.effect() == Effect::Unknown {
            let looked = find_created(kind, cx, &error, inputs, decided).await;
            made = looked.map_err(|look| Error::Unsure {
                error: Box::new(error),
                lookup_error: Some(Box::new(look)),
            })?;
        }
    }
}

/// How long a create waits for what has its name and is being deleted (the longest that a type
/// waits for a deletion, an event source mapping's).
const LEAVING: Duration = Duration::from_secs(300);

/// Creates, once the resource that has the name and is being deleted no longer exists.
async fn create_once_free(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    inputs: &Inputs,
    decided: &Map<String, Value>,
) -> Result<Applied, Error> {
    let leaving = |error: &Error| {
        matches!(error, Error::StillThere { .. })
            .then_some("the one that has its name is being deleted")
    };
    cx.retry(LEAVING, leaving, || {
        kind.create(cx, inputs.clone(), decided.clone())
    })
    .await
}

/// Checks whether a create took effect. Where the service did not respond, the request may still be
/// in transit, and one lookup is not enough.
async fn find_created(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    error: &Error,
    inputs: &Inputs,
    decided: &Map<String, Value>,
) -> Result<Option<String>, Error> {
    let refused = error.status().is_some_and(|status| status >= 300);
    let late = if refused {
        Duration::ZERO
    } else {
        cx.aws.late()
    };
    let known = Known::whole(inputs.clone(), decided.clone());
    for pause in lookup_pauses(late) {
        tokio::time::sleep(pause).await;
        let found = kind.find(cx, &known).await?;
        if let Some(id) = found {
            // It exists: whatever fails from here on, it is in the state.
            cx.made(&id, Attributes::new(decided.clone()));
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Deletes, and retries where the outcome is unknown: a resource that does not exist counts as
/// deleted.
///
/// # Errors
/// The deletion's own error, once it will not be retried.
pub async fn delete(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    id: &str,
    attributes: &Attributes,
) -> Result<(), Error> {
    let mut attempt = 1;
    loop {
        let error = match kind.delete(cx, id, attributes).await {
            Ok(()) => {
                cx.repeated(attempt - 1);
                return Ok(());
            }
            Err(error) => error,
        };
        pause(cx, attempt, &error, "deletion").await.ok_or(error)?;
        attempt += 1;
    }
}

/// Updates; where the outcome is unknown, reads the resource and sends only what did not take
/// effect.
///
/// # Errors
/// The update's own error, once it is certain that it had no effect or that its outcome cannot be
/// found out.
pub async fn update(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    id: &str,
    mut live: Attributes,
    inputs: Inputs,
    mut changed: BTreeSet<Path>,
) -> Result<Applied, Error> {
    let mut attempt = 1;
    loop {
        let tried = kind.update(cx, id, live.clone(), inputs.clone(), changed.clone());
        let error = match tried.await {
            Ok(applied) => {
                cx.repeated(attempt - 1);
                return Ok(applied);
            }
            Err(error) => error,
        };
        pause(cx, attempt, &error, "update")
            .await
            .ok_or_else(|| error.clone())?;
        attempt += 1;
        if error.effect() == Effect::None {
            continue;
        }
        kind.ready(cx, id).await?;
        let names_changed = Path::firsts(&changed);
        let wanted = names(&inputs).union(&names_changed).cloned().collect();
        let read = Read::new(id, live.clone()).of(wanted);
        let Some(now) = kind.read(cx, &read).await?.live else {
            return Err(error);
        };
        // A property taken out of the file was applied before, and what no read returns may
        // have been lost.
        let mut applied = with_keys_of(kind.schema(), &live, &names_changed, live.with(&inputs));
        for path in &changed {
            if let (None, Some(was)) = (path.get(&inputs), path.get(&live)) {
                path.set(&mut applied, was.clone());
            }
        }
        let applied = applied.inputs(|name| names_changed.contains(name) || has(&inputs, name));
        let left = differing(kind, &applied, &inputs, &now);
        let unread = |path: &Path| kind.schema().flag(path, "writeOnly");
        let is_left = |path: &Path| {
            let mut left = left.iter();
            left.any(|left| left.is_within(path) || path.is_within(left))
        };
        changed.retain(|path| is_left(path) || unread(path));
        live = live.with(&now);
        if changed.is_empty() {
            return Ok(Applied {
                id: id.to_owned(),
                outputs: now,
            });
        }
    }
}

fn has(inputs: &Inputs, name: &str) -> bool {
    inputs.get(name).is_some_and(|value| !value.is_null())
}

/// The changed maps that keep keys of others (`othersKeys`), with the keys that existed before. The
/// keys of others are wanted, so one that is not wanted and still exists was to be deleted.
fn with_keys_of(
    schema: &Schema,
    before: &Attributes,
    changed: &BTreeSet<String>,
    mut applied: Attributes,
) -> Attributes {
    let shared = |name: &&String| {
        let path = Path::root().join(name.as_str());
        schema.is_map(&path) && schema.keeps_others(&path)
    };
    for name in changed.iter().filter(shared) {
        if let (Some(Value::Object(was)), Some(Value::Object(is))) =
            (before.get(name), applied.get_mut(name))
        {
            for (key, value) in was {
                is.entry(key).or_insert_with(|| value.clone());
            }
        }
    }
    applied
}

/// Completes an existing resource as `create` would have: waits as `create` does, and sends the
/// calls that `create` sends after the first one, as an update of what is missing.
async fn finish(
    kind: &'static dyn ResourceType,
    cx: &Cx,
    id: &str,
    inputs: &Inputs,
    decided: &Map<String, Value>,
) -> Result<Applied, Error> {
    let decided = Attributes::new(decided.clone());
    let attributes = Attributes::of(inputs, &decided);
    let id = id.to_owned();
    kind.ready(cx, &id).await?;
    let read = Read::new(&id, attributes.clone()).of(names(inputs));
    let live = kind.read(cx, &read).await?.live.unwrap_or_default();
    let mut missing = differing(kind, inputs, inputs, &live);
    let later = kind.schema().later().filter(|name| has(inputs, name));
    missing.extend(later.map(|name| Path::root().join(name)));
    let outputs = attributes.with(&live);
    if missing.is_empty() {
        return Ok(Applied { id, outputs });
    }
    let live = decided.with(&live);
    let updated = kind.update(cx, &id, live, inputs.clone(), missing).await?;
    Ok(Applied {
        outputs: outputs.with(&updated.outputs),
        id,
    })
}

/// The paths that a plan computed now would update.
fn differing(
    kind: &dyn ResourceType,
    applied: &Inputs,
    inputs: &Inputs,
    live: &Attributes,
) -> BTreeSet<Path> {
    let desired = Data::from(inputs.clone().into_value());
    let plain = BTreeSet::new();
    let compare = Compare::new(kind, (applied, &plain), live, Some(&desired));
    let (found, _) = compare.differences();
    let updatable = found.into_iter().filter(|row| !row.replaces);
    updatable.map(|row| row.path).collect()
}

//! Receipt handles, and what is done with them: DeleteMessage and ChangeMessageVisibility; and
//! PurgeQueue, which needs none.

use super::super::{Answer, Queue, invalid_value, missing, refusal};
use super::{By, Held};
use crate::local_cloud::json::Input;
use crate::local_cloud::service::Refusal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fmt;

/// How often a queue can be purged, in milliseconds (SQS API reference, PurgeQueue).
const PURGED: u64 = 60_000;
/// How long a message may be invisible in all, in milliseconds (SQS API reference,
/// ChangeMessageVisibility).
const LONGEST: u64 = 43_200_000;

/// What a receipt handle says.
pub(super) struct Handle<'h> {
    pub(super) queue: &'h str,
    pub(super) lane: &'h str,
    pub(super) number: u64,
    pub(super) token: &'h str,
}

impl fmt::Display for Handle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            queue,
            lane,
            number,
            token,
        } = self;
        f.write_str(&STANDARD.encode(format!("{queue}/{lane}/{number}/{token}")))
    }
}

/// The bytes of the handle that a request has.
fn decoded(input: &Input) -> Result<String, Refusal> {
    let text = input.text("ReceiptHandle")?.unwrap_or_default();
    if text.is_empty() {
        return Err(missing("ReceiptHandle"));
    }
    let bytes = STANDARD.decode(text).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(invalid)
}

fn invalid() -> Refusal {
    refusal(
        "ReceiptHandleIsInvalid",
        "The input receipt handle is invalid.",
    )
}

impl<'h> Handle<'h> {
    fn parse(text: &'h str, queue: &Queue) -> Result<Self, Refusal> {
        let parts: Vec<&str> = text.split('/').collect();
        let [name, lane, number, token] = parts[..] else {
            return Err(invalid());
        };
        match number.parse() {
            Ok(number) if name == queue.name => Ok(Self {
                queue: name,
                lane,
                number,
                token,
            }),
            _ => Err(invalid()),
        }
    }
}

/// Deletes a message. One that does not exist is deleted; one that was received again since stays,
/// as this handle is not the last (developer guide, "Message identifiers").
pub(super) fn delete(held: &mut Held<'_>, queue: &Queue, input: &Input, by: &By) -> Answer {
    let now = by.now;
    let text = decoded(input)?;
    let handle = Handle::parse(&text, queue)?;
    let Some(mut lane) = held.lane(handle.lane)? else {
        return Ok(json!({}));
    };
    let Some(seen) = lane.seen.get(&handle.number) else {
        return Ok(json!({}));
    };
    if queue.fifo && seen.until <= now {
        // The group may be with another consumer (SQS API reference, DeleteMessage).
        let value = input.text("ReceiptHandle")?.unwrap_or_default();
        return Err(invalid_value(
            value,
            "ReceiptHandle",
            "The receipt handle has expired.",
        ));
    }
    if seen.token != handle.token {
        return Ok(json!({}));
    }
    lane.seen.remove(&handle.number);
    held.remove_message(handle.lane, handle.number);
    held.reorder(handle.lane, lane)?;
    Ok(json!({}))
}

/// Changes how long a message that was received stays invisible, from now on.
pub(super) fn change_visibility(
    held: &mut Held<'_>,
    queue: &Queue,
    input: &Input,
    by: &By,
) -> Answer {
    let now = by.now;
    let text = decoded(input)?;
    let handle = Handle::parse(&text, queue)?;
    let timeout = input
        .integer("VisibilityTimeout")?
        .ok_or_else(|| missing("VisibilityTimeout"))?;
    let timeout = match u64::try_from(timeout) {
        Ok(timeout @ 0..=43_200) => timeout * 1000,
        _ => {
            return Err(invalid_value(
                timeout,
                "VisibilityTimeout",
                "Must be between 0 and 43200, if provided.",
            ));
        }
    };
    let unavailable = || {
        let value = input.text("ReceiptHandle")?.unwrap_or_default();
        Err(invalid_value(
            value,
            "ReceiptHandle",
            "Message does not exist or is not available for visibility timeout change.",
        ))
    };
    let Some(mut lane) = held.lane(handle.lane)? else {
        return unavailable();
    };
    let Some(seen) = lane.seen.get_mut(&handle.number) else {
        return unavailable();
    };
    if seen.token != handle.token {
        return unavailable();
    }
    if seen.until <= now {
        return Err(refusal(
            "AWS.SimpleQueueService.MessageNotInflight",
            "The specified message isn't in flight.",
        ));
    }
    if now + timeout > seen.last + LONGEST {
        return Err(invalid_value(
            timeout / 1000,
            "VisibilityTimeout",
            "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].",
        ));
    }
    seen.until = now + timeout;
    held.reorder(handle.lane, lane)?;
    Ok(json!({}))
}

/// Deletes all messages.
pub(super) fn purge(held: &mut Held<'_>, queue: &Queue, _input: &Input, by: &By) -> Answer {
    let now = by.now;
    let key = held.key("purged");
    let last = held.store.get(&key).and_then(|last| last.as_u64());
    if last.is_some_and(|last| now < last + PURGED) {
        return Err(Refusal::new(
            403,
            "AWS.SimpleQueueService.PurgeQueueInProgress",
            format!(
                "Only one PurgeQueue operation on {} is allowed every 60 seconds.",
                queue.name
            ),
        ));
    }
    held.clear(false);
    held.store.put(&key, json!(now));
    Ok(json!({}))
}

//! SendMessage.

use super::super::{Answer, Queue, invalid_value, missing, refusal};
use super::{By, Held, Message, contents, once};
use crate::local_cloud::json::Input;
use crate::local_cloud::service::Refusal;
use crate::local_cloud::stamps;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The least sequence number: twenty digits, as SQS has them.
const SEQUENCE: u64 = 10_000_000_000_000_000_000;
/// How far apart two sequence numbers are.
const STRIDE: u64 = 256;

/// The sequence number of a message of a FIFO queue.
pub(super) fn sequence(number: u64) -> String {
    (SEQUENCE + number * STRIDE).to_string()
}

/// The message that a deduplication id stands for.
#[derive(Serialize, Deserialize)]
struct First {
    id: String,
    number: u64,
}

/// Sends a message: one request, or one entry of a batch.
pub(super) fn send(held: &mut Held<'_>, queue: &Queue, input: &Input, by: &By) -> Answer {
    let now = by.now;
    let body = contents::body(input)?;
    let attributes = contents::attributes(input)?;
    let trace = contents::trace(input)?;
    let most = queue.number("MaximumMessageSize");
    if contents::size(body, &attributes) as u64 > most {
        return Err(refusal(
            "InvalidParameterValue",
            format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {most} \
                 bytes."
            ),
        ));
    }
    let delay = delay(queue, input)?;
    let group = name(input, "MessageGroupId")?;
    if queue.fifo && group.is_none() {
        return Err(missing("MessageGroupId"));
    }
    let deduplication = deduplication(queue, input, body)?;
    let hash = deduplication.as_ref().map(|id| {
        let by_group = queue.text("DeduplicationScope") == "messageGroup";
        let scope = group.as_deref().filter(|_| by_group).unwrap_or_default();
        once::hash("deduplication", &[scope, id])
    });
    let known: Option<First> = match &hash {
        Some(hash) => held.remembered(hash, now)?,
        None => None,
    };
    let mut reply = json!({"MD5OfMessageBody": contents::md5_of_body(body)});
    let checksums = [
        (
            "MD5OfMessageAttributes",
            contents::md5_of_attributes(&attributes),
        ),
        (
            "MD5OfMessageSystemAttributes",
            trace
                .as_deref()
                .and_then(|trace| contents::md5_of_attributes(&contents::trace_attribute(trace))),
        ),
    ];
    for (name, checksum) in checksums {
        if let Some(checksum) = checksum {
            reply[name] = json!(checksum);
        }
    }
    let first = match known {
        Some(first) => first,
        None => {
            let message = Message {
                id: stamps::uuid(),
                number: held.next_number(),
                body: body.to_owned(),
                attributes,
                group,
                deduplication,
                sender: by.sender.clone(),
                trace,
                sent: now,
                at: now + delay * 1000,
                source: None,
            };
            held.add(queue.fifo, &message)?;
            let first = First {
                id: message.id,
                number: message.number,
            };
            if let Some(hash) = &hash {
                held.remember(hash, now, &first);
            }
            first
        }
    };
    reply["MessageId"] = json!(first.id);
    if queue.fifo {
        reply["SequenceNumber"] = Value::String(sequence(first.number));
    }
    Ok(reply)
}

/// The delay of a message, in seconds.
fn delay(queue: &Queue, input: &Input) -> Result<u64, Refusal> {
    let Some(delay) = input.integer("DelaySeconds")? else {
        return Ok(queue.number("DelaySeconds"));
    };
    if queue.fifo && delay != 0 {
        return Err(invalid_value(
            delay,
            "DelaySeconds",
            "The request include parameter that is not valid for this queue type.",
        ));
    }
    match u64::try_from(delay) {
        Ok(_) if queue.fifo => Ok(queue.number("DelaySeconds")),
        Ok(delay @ ..=900) => Ok(delay),
        _ => Err(invalid_value(
            delay,
            "DelaySeconds",
            "DelaySeconds must be >= 0 and <= 900.",
        )),
    }
}

/// The id of a group, or of a message to be sent once.
fn name(input: &Input, parameter: &str) -> Result<Option<String>, Refusal> {
    let Some(name) = input.text(parameter)? else {
        return Ok(None);
    };
    let is_valid = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_punctuation();
    if (1..=128).contains(&name.len()) && name.chars().all(is_valid) {
        return Ok(Some(name.to_owned()));
    }
    Err(invalid_value(
        name,
        parameter,
        &format!(
            "{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        ),
    ))
}

/// The deduplication id: as sent, or made of the body.
fn deduplication(queue: &Queue, input: &Input, body: &str) -> Result<Option<String>, Refusal> {
    let sent = name(input, "MessageDeduplicationId")?;
    if !queue.fifo {
        return match sent {
            None => Ok(None),
            Some(id) => Err(invalid_value(
                id,
                "MessageDeduplicationId",
                "The request include parameter that is not valid for this queue type.",
            )),
        };
    }
    let by_content = queue.text("ContentBasedDeduplication") == "true";
    match sent {
        Some(id) => Ok(Some(id)),
        None if by_content => Ok(Some(hex::encode(Sha256::digest(body)))),
        None => Err(refusal(
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or \
             MessageDeduplicationId provided explicitly",
        )),
    }
}

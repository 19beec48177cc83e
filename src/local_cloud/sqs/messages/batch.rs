//! The batches: up to ten entries, each of which succeeds or fails by itself.

use super::super::{Answer, Queue, refusal};
use super::{By, Held, contents, handle, send};
use crate::local_cloud::json::Input;
use crate::local_cloud::service::Refusal;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The most entries.
const MOST: usize = 10;
/// The most bytes of all messages of a batch.
const LARGEST: usize = 1_048_576;

/// SendMessageBatch.
pub(super) fn send(held: &mut Held<'_>, queue: &Queue, input: &Input, by: &By) -> Answer {
    let entries = entries(input, "SendMessageBatchRequestEntry")?;
    let mut size = 0;
    for entry in &entries {
        let body = entry.text("MessageBody")?.unwrap_or_default();
        // What is wrong with them is the entry's failure.
        let attributes = contents::attributes(entry).unwrap_or_default();
        size += contents::size(body, &attributes);
    }
    if size > LARGEST {
        return Err(refusal(
            "AWS.SimpleQueueService.BatchRequestTooLong",
            format!(
                "Batch requests cannot be longer than {LARGEST} bytes. You have sent {size} bytes."
            ),
        ));
    }
    each(&entries, |entry| send::send(held, queue, entry, by))
}

/// DeleteMessageBatch.
pub(super) fn delete(held: &mut Held<'_>, queue: &Queue, input: &Input, by: &By) -> Answer {
    let entries = entries(input, "DeleteMessageBatchRequestEntry")?;
    each(&entries, |entry| handle::delete(held, queue, entry, by))
}

/// ChangeMessageVisibilityBatch.
pub(super) fn change_visibility(
    held: &mut Held<'_>,
    queue: &Queue,
    input: &Input,
    by: &By,
) -> Answer {
    let entries = entries(input, "ChangeMessageVisibilityBatchRequestEntry")?;
    each(&entries, |entry| {
        handle::change_visibility(held, queue, entry, by)
    })
}

/// The entries, with distinct ids.
fn entries(input: &Input, kind: &str) -> Result<Vec<Input>, Refusal> {
    let fail = |code: &str, message: String| {
        Err(refusal(&format!("AWS.SimpleQueueService.{code}"), message))
    };
    let entries = input.inputs("Entries")?.unwrap_or_default();
    if entries.is_empty() {
        let message = format!("There should be at least one {kind} in the request.");
        return fail("EmptyBatchRequest", message);
    }
    if entries.len() > MOST {
        let message = format!(
            "Maximum number of entries per request are {MOST}. You have sent {}.",
            entries.len()
        );
        return fail("TooManyEntriesInBatchRequest", message);
    }
    let mut ids = BTreeSet::new();
    for entry in &entries {
        let id = entry.text("Id")?.unwrap_or_default();
        let is_valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !(1..=80).contains(&id.len()) || !id.chars().all(is_valid) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and \
                           underscores. It can be at most 80 letters long.";
            return fail("InvalidBatchEntryId", message.to_owned());
        }
        if !ids.insert(id) {
            return fail("BatchEntryIdsNotDistinct", format!("Id {id} repeated."));
        }
    }
    Ok(entries)
}

/// Does each entry, and says of each how it ended.
fn each(entries: &[Input], mut one: impl FnMut(&Input) -> Answer) -> Answer {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry.text("Id")?;
        match one(entry) {
            Ok(mut reply) => {
                reply["Id"] = json!(id);
                done.push(reply);
            }
            Err(refusal) if refusal.status >= 500 => return Err(refusal),
            Err(refusal) => failed.push(json!({
                "Id": id,
                "Code": refusal.code,
                "Message": refusal.message,
                "SenderFault": true,
            })),
        }
    }
    let mut reply = json!({"Successful": done});
    if !failed.is_empty() {
        reply["Failed"] = Value::Array(failed);
    }
    Ok(reply)
}

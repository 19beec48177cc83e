//! The messages of a queue, in lanes.
//!
//! A lane is what is delivered in order: a message group of a FIFO queue, or a single message of a
//! standard queue. A lane with messages in flight is closed until the last of them is deleted or
//! visible again, which is what SQS promises of a group (developer guide, "FIFO delivery logic").
//!
//! All keys of a queue begin with `.sqs/{region}/queue/{name}/`:
//! - `message/{lane}/{number}`: the message, never changed;
//! - `lane/{lane}`: what was received of it, and its place in the order;
//! - `order/{at}/{number}`: the lanes, by the time from which they can be received from, and then
//!   by the number of their first message;
//! - `next`: the number of the next message;
//! - `once/{hash}`: what a deduplication id or the id of an attempt to receive stands for;
//! - `forget/{at}/{hash}`: which of these can be removed, by time;
//! - `purged`: when the queue was purged.
//!
//! Times are milliseconds of local time since 1970. To receive looks at the front of the order
//! alone, however long the queue is.
//!
//! Laxer than AWS: no limit of messages in flight, no throughput limit, no fairness between the
//! groups of a standard queue.

mod batch;
mod contents;
mod handle;
mod once;
mod receive;
mod send;
#[cfg(test)]
mod tests;

pub(super) use receive::wait;

use super::{Answer, Queue};
use crate::local_cloud::json::Input;
use crate::local_cloud::service::{Refusal, Store};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Who calls, and when.
pub(super) struct By {
    /// The caller's unique id.
    pub(super) sender: String,
    /// Milliseconds since 1970.
    pub(super) now: u64,
}

/// An operation on the messages of a queue.
pub(super) type Operation = fn(&mut Held<'_>, &Queue, &Input, &By) -> Answer;

/// The operation of this name.
pub(super) fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "SendMessage" => send::send,
        "SendMessageBatch" => batch::send,
        "ReceiveMessage" => receive::receive,
        "DeleteMessage" => handle::delete,
        "DeleteMessageBatch" => batch::delete,
        "ChangeMessageVisibility" => handle::change_visibility,
        "ChangeMessageVisibilityBatch" => batch::change_visibility,
        "PurgeQueue" => handle::purge,
        _ => return None,
    })
}

/// A message, as it was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Message {
    id: String,
    /// Its place in the queue.
    number: u64,
    body: String,
    /// The attributes, in the form of the API.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
    group: Option<String>,
    deduplication: Option<String>,
    /// The unique id of who sent it.
    sender: String,
    /// The trace header of AWS X-Ray.
    trace: Option<String>,
    sent: u64,
    /// When it is there to be received.
    at: u64,
    /// The ARN of the queue that it was moved from, and what was received of it there.
    source: Option<Source>,
}

/// What a dead-letter queue knows of a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Source {
    arn: String,
    /// How often it was received.
    received: u64,
    /// The first time.
    first: Option<u64>,
}

/// What was received of a lane.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Lane {
    /// Its key in the order.
    place: String,
    /// The messages that were received, by number.
    seen: BTreeMap<u64, Seen>,
}

/// A message that was received.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Seen {
    /// When it is visible again.
    until: u64,
    /// How often it was received.
    received: u64,
    /// The first time.
    first: u64,
    /// The last time.
    last: u64,
    /// What the receipt handle of the last time holds.
    token: String,
}

/// What a queue holds, in the store.
pub(super) struct Held<'s> {
    start: String,
    store: &'s mut dyn Store,
}

/// A number as keys have it: they sort as the numbers do.
fn padded(number: u64) -> String {
    format!("{number:016}")
}

impl<'s> Held<'s> {
    pub(super) fn of(store: &'s mut dyn Store, region: &str, queue: &str) -> Self {
        Self {
            start: format!(".sqs/{region}/queue/{queue}/"),
            store,
        }
    }

    fn key(&self, rest: &str) -> String {
        format!("{}{rest}", self.start)
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Refusal> {
        let value = self.store.get(key).map(serde_json::from_value).transpose();
        value.map_err(|error| {
            let message = format!("the local cloud's {key} cannot be read: {error}");
            Refusal::new(500, "InternalError", message)
        })
    }

    fn write(&mut self, key: &str, value: &impl Serialize) {
        // The types here have string keys only, so it cannot fail.
        let value = serde_json::to_value(value).unwrap_or_default();
        self.store.put(key, value);
    }

    /// The number of the next message.
    fn next_number(&mut self) -> u64 {
        let key = self.key("next");
        let next = self.store.get(&key).and_then(|next| next.as_u64());
        let next = next.unwrap_or(1);
        self.store.put(&key, json!(next + 1));
        next
    }

    /// Adds a message at the end of its lane.
    fn add(&mut self, fifo: bool, message: &Message) -> Result<(), Refusal> {
        let lane = lane_of(fifo, message);
        let key = self.key(&format!("message/{lane}/{}", padded(message.number)));
        self.write(&key, message);
        match self.lane(&lane)? {
            // Its first message is the same as before.
            Some(_) => Ok(()),
            None => self.reorder(&lane, Lane::default()),
        }
    }

    fn lane(&self, name: &str) -> Result<Option<Lane>, Refusal> {
        self.read(&self.key(&format!("lane/{name}")))
    }

    fn message(&self, lane: &str, number: u64) -> Result<Option<Message>, Refusal> {
        self.read(&self.key(&format!("message/{lane}/{}", padded(number))))
    }

    /// The next message of a lane after one with this number.
    fn message_after(&self, lane: &str, number: u64) -> Result<Option<Message>, Refusal> {
        let prefix = self.key(&format!("message/{lane}/"));
        let after = format!("{prefix}{}", padded(number));
        match self.store.next_key(&prefix, &after) {
            Some(key) => self.read(&key),
            None => Ok(None),
        }
    }

    fn remove_message(&mut self, lane: &str, number: u64) {
        let key = self.key(&format!("message/{lane}/{}", padded(number)));
        self.store.remove(&key);
    }

    /// Keeps a lane in its place in the order, or removes it where it holds no message.
    fn reorder(&mut self, name: &str, mut lane: Lane) -> Result<(), Refusal> {
        if !lane.place.is_empty() {
            self.store.remove(&lane.place);
        }
        let key = self.key(&format!("lane/{name}"));
        let Some(first) = self.message_after(name, 0)? else {
            self.store.remove(&key);
            return Ok(());
        };
        let visible = lane.seen.values().map(|seen| seen.until).max();
        let at = first.at.max(visible.unwrap_or_default());
        lane.place = self.key(&format!("order/{}/{}", padded(at), padded(first.number)));
        self.store.put(&lane.place, json!(name));
        self.write(&key, &lane);
        Ok(())
    }

    /// The key of the first lane after another one in the order, and when it opens.
    fn opening(&self, after: &str) -> Option<(String, u64)> {
        let prefix = self.key("order/");
        let key = self.store.next_key(&prefix, after)?;
        let at = key[prefix.len()..].split('/').next()?.parse().ok()?;
        Some((key, at))
    }

    /// When the next lane opens.
    pub(super) fn opens(&self) -> Option<u64> {
        self.opening("").map(|(_, at)| at)
    }

    /// Removes all that the queue holds: messages, or with `all` what it remembers, too.
    pub(super) fn clear(&mut self, all: bool) {
        let kinds: &[&str] = match all {
            true => &[""],
            false => &["message/", "lane/", "order/"],
        };
        for kind in kinds {
            let prefix = self.key(kind);
            while let Some(key) = self.store.next_key(&prefix, "") {
                self.store.remove(&key);
            }
        }
    }

    /// How many messages can be received, are in flight, and are delayed.
    pub(super) fn counts(&self, queue: &Queue, now: u64) -> Result<[usize; 3], Refusal> {
        let mut counts = [0; 3];
        let (lanes, messages) = (self.key("lane/"), self.key("message/"));
        let mut at = String::new();
        let mut current: (String, Lane) = Default::default();
        while let Some(key) = self.store.next_key(&messages, &at) {
            let name = key[messages.len()..].split('/').next().unwrap_or_default();
            if current.0 != name {
                let lane = self.read(&format!("{lanes}{name}"))?;
                current = (name.to_owned(), lane.unwrap_or_default());
            }
            if let Some(message) = self.read::<Message>(&key)?
                && !message.is_expired(queue, now)
            {
                let seen = current.1.seen.get(&message.number);
                counts[match seen {
                    Some(seen) if seen.until > now => 1,
                    None if message.at > now => 2,
                    _ => 0,
                }] += 1;
            }
            at = key;
        }
        Ok(counts)
    }
}

impl Message {
    fn is_expired(&self, queue: &Queue, now: u64) -> bool {
        now >= self.sent + queue.number("MessageRetentionPeriod") * 1000
    }
}

/// The lane of a message.
fn lane_of(fifo: bool, message: &Message) -> String {
    match &message.group {
        Some(group) if fifo => hex::encode(group),
        _ => padded(message.number),
    }
}

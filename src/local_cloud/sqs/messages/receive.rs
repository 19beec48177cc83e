//! ReceiveMessage: what is taken off the front of the order, and what goes to the dead-letter
//! queue on the way.

use super::super::attributes::admits;
use super::super::{Answer, Queue, invalid_value, refusal};
use super::handle::Handle;
use super::send::sequence;
use super::{By, Held, Lane, Message, Seen, Source, contents, once};
use crate::local_cloud::json::Input;
use crate::local_cloud::service::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The system attributes that can be asked for.
const SYSTEM: &[&str] = &[
    "All",
    "AWSTraceHeader",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

/// What is asked for.
struct Wanted {
    most: usize,
    /// How long the messages stay invisible, in milliseconds.
    visibility: u64,
    system: Vec<String>,
    attributes: Vec<String>,
    attempt: Option<String>,
}

/// A message that was taken.
struct Taken {
    message: Message,
    seen: Seen,
    lane: String,
}

/// Which messages an attempt to receive got.
#[derive(Serialize, Deserialize)]
struct Attempt(Vec<(String, u64, String)>);

fn integer(input: &Input, name: &str, (least, most): (i64, i64)) -> Result<Option<u64>, Refusal> {
    match input.integer(name)? {
        None => Ok(None),
        Some(value) if (least..=most).contains(&value) => Ok(u64::try_from(value).ok()),
        Some(value) => Err(invalid_value(
            value,
            name,
            &format!("Must be between {least} and {most}, if provided."),
        )),
    }
}

/// How long a request waits for messages, in milliseconds.
pub(in crate::local_cloud::sqs) fn wait(queue: &Queue, input: &Input) -> Result<u64, Refusal> {
    let sent = integer(input, "WaitTimeSeconds", (0, 20))?;
    Ok(sent.unwrap_or_else(|| queue.number("ReceiveMessageWaitTimeSeconds")) * 1000)
}

impl Wanted {
    fn of(queue: &Queue, input: &Input) -> Result<Self, Refusal> {
        wait(queue, input)?;
        let most = integer(input, "MaxNumberOfMessages", (1, 10))?.unwrap_or(1);
        let visibility = integer(input, "VisibilityTimeout", (0, 43_200))?;
        let visibility = visibility.unwrap_or_else(|| queue.number("VisibilityTimeout"));
        let names = |name: &str| Ok::<_, Refusal>(input.texts(name)?.unwrap_or_default());
        let mut system = names("MessageSystemAttributeNames")?;
        system.extend(names("AttributeNames")?);
        if let Some(unknown) = system.iter().find(|name| !SYSTEM.contains(&name.as_str())) {
            return Err(refusal(
                "InvalidAttributeName",
                format!("Unknown Attribute {unknown}."),
            ));
        }
        let attempt = input.text("ReceiveRequestAttemptId")?;
        if let Some(attempt) = attempt.filter(|_| !queue.fifo) {
            return Err(invalid_value(
                attempt,
                "ReceiveRequestAttemptId",
                "The request include parameter that is not valid for this queue type.",
            ));
        }
        Ok(Self {
            most: usize::try_from(most).unwrap_or(1),
            visibility: visibility * 1000,
            system,
            attributes: names("MessageAttributeNames")?,
            attempt: attempt.map(|id| once::hash("attempt", &[id])),
        })
    }
}

/// Receives what can be received now.
pub(super) fn receive(held: &mut Held<'_>, queue: &Queue, input: &Input, by: &By) -> Answer {
    let now = by.now;
    let wanted = Wanted::of(queue, input)?;
    let taken = match again(held, &wanted, now)? {
        Some(taken) => taken,
        None => {
            let taken = take(held, queue, &wanted, now)?;
            if let Some(attempt) = &wanted.attempt
                && !taken.is_empty()
            {
                let of = |it: &Taken| (it.lane.clone(), it.message.number, it.seen.token.clone());
                held.remember(attempt, now, &Attempt(taken.iter().map(of).collect()));
            }
            taken
        }
    };
    if taken.is_empty() {
        return Ok(json!({}));
    }
    let messages: Vec<Value> = taken.iter().map(|it| it.show(queue, &wanted)).collect();
    Ok(json!({"Messages": messages}))
}

/// The messages that an attempt got before, if none of them was deleted or made visible since;
/// their visibility begins anew.
fn again(held: &mut Held<'_>, wanted: &Wanted, now: u64) -> Result<Option<Vec<Taken>>, Refusal> {
    let Some(hash) = &wanted.attempt else {
        return Ok(None);
    };
    let Some(Attempt(before)) = held.remembered(hash, now)? else {
        return Ok(None);
    };
    let mut taken = Vec::new();
    for (name, number, token) in before {
        let lane = held.lane(&name)?.unwrap_or_default();
        let seen = lane.seen.get(&number).cloned().unwrap_or_default();
        let Some(message) = held.message(&name, number)? else {
            return Ok(None);
        };
        if seen.token != token || seen.until <= now {
            return Ok(None);
        }
        taken.push(Taken {
            message,
            seen,
            lane: name,
        });
    }
    for it in &mut taken {
        it.seen.until = now + wanted.visibility;
        let mut lane = held.lane(&it.lane)?.unwrap_or_default();
        lane.seen.insert(it.message.number, it.seen.clone());
        held.reorder(&it.lane, lane)?;
    }
    Ok(Some(taken))
}

/// Takes messages off the front.
fn take(
    held: &mut Held<'_>,
    queue: &Queue,
    wanted: &Wanted,
    now: u64,
) -> Result<Vec<Taken>, Refusal> {
    let dead_letters = DeadLetters::of(held, queue);
    let (mut taken, mut dead) = (Vec::new(), Vec::new());
    // A lane whose messages stay visible would be met again.
    let mut met = BTreeSet::new();
    let mut after = String::new();
    while taken.len() < wanted.most {
        let Some((place, _)) = held.opening(&after).filter(|(_, at)| *at <= now) else {
            break;
        };
        let name = held.read::<String>(&place)?.unwrap_or_default();
        after = place;
        if !met.insert(name.clone()) {
            continue;
        }
        let mut lane = held.lane(&name)?.unwrap_or_default();
        let mut number = 0;
        while taken.len() < wanted.most {
            let Some(message) = held.message_after(&name, number)? else {
                break;
            };
            number = message.number;
            if message.is_expired(queue, now) {
                lane.seen.remove(&number);
                held.remove_message(&name, number);
                continue;
            }
            if message.at > now {
                break;
            }
            let received = lane.seen.get(&number).map_or(0, |seen| seen.received);
            if dead_letters.as_ref().is_some_and(|it| received >= it.most) {
                held.remove_message(&name, number);
                dead.push((message, lane.seen.remove(&number).unwrap_or_default()));
                continue;
            }
            let seen = see(&mut lane, number, now, wanted.visibility);
            taken.push(Taken {
                message,
                seen,
                lane: name.clone(),
            });
        }
        held.reorder(&name, lane)?;
    }
    if let Some(dead_letters) = dead_letters {
        dead_letters.take(held, queue, dead, now)?;
    }
    Ok(taken)
}

/// Notes that a message was received once more.
fn see(lane: &mut Lane, number: u64, now: u64, visibility: u64) -> Seen {
    let seen = lane.seen.entry(number).or_default();
    if seen.received == 0 {
        seen.first = now;
    }
    seen.received += 1;
    seen.last = now;
    seen.until = now + visibility;
    seen.token = hex::encode(rand::random::<[u8; 8]>());
    seen.clone()
}

/// Where the messages go that were received too often.
struct DeadLetters {
    /// The start of the other queue's keys.
    start: String,
    /// How often a message may be received.
    most: u64,
}

impl DeadLetters {
    /// None where the queue has none, or it does not exist or does not take the messages: they
    /// stay where they are.
    fn of(held: &Held<'_>, queue: &Queue) -> Option<Self> {
        let policy: Value = serde_json::from_str(queue.text("RedrivePolicy")).ok()?;
        let target = policy["deadLetterTargetArn"].as_str()?;
        let mut parts = target.rsplit(':');
        let (name, _, region) = (parts.next()?, parts.next()?, parts.next()?);
        let other = held.store.get(&super::super::key(region, name))?;
        admits(&other, &queue.arn).then_some(Self {
            start: format!(".sqs/{region}/queue/{name}/"),
            most: policy["maxReceiveCount"].as_u64()?,
        })
    }

    /// Moves messages there. In a standard queue they keep the time at which they were sent
    /// (developer guide, "Configuring a dead-letter queue retention period").
    fn take(
        self,
        held: &mut Held<'_>,
        queue: &Queue,
        dead: Vec<(Message, Seen)>,
        now: u64,
    ) -> Result<(), Refusal> {
        let mut other = Held {
            start: self.start,
            store: &mut *held.store,
        };
        for (mut message, seen) in dead {
            let before = message.source.take();
            message.source = Some(Source {
                arn: queue.arn.clone(),
                received: seen.received + before.as_ref().map_or(0, |it| it.received),
                first: before.and_then(|it| it.first).or(Some(seen.first)),
            });
            message.number = other.next_number();
            message.at = now;
            if queue.fifo {
                message.sent = now;
            }
            other.add(queue.fifo, &message)?;
        }
        Ok(())
    }
}

impl Taken {
    /// The message as the reply has it.
    fn show(&self, queue: &Queue, wanted: &Wanted) -> Value {
        let message = &self.message;
        let handle = Handle {
            queue: &queue.name,
            lane: &self.lane,
            number: message.number,
            token: &self.seen.token,
        };
        let mut shown = json!({
            "MessageId": message.id,
            "ReceiptHandle": handle.to_string(),
            "MD5OfBody": contents::md5_of_body(&message.body),
            "Body": message.body,
        });
        let mut system = self.system(queue);
        let is_wanted = |name: &str| wanted.system.iter().any(|it| it == "All" || it == name);
        system.retain(|name, _| is_wanted(name));
        if !system.is_empty() {
            shown["Attributes"] = Value::Object(system);
        }
        let mut attributes = message.attributes.clone();
        attributes.retain(|name, _| wanted.attributes.iter().any(|it| selects(it, name)));
        if let Some(md5) = contents::md5_of_attributes(&attributes) {
            shown["MD5OfMessageAttributes"] = json!(md5);
            shown["MessageAttributes"] = Value::Object(attributes);
        }
        shown
    }

    fn system(&self, queue: &Queue) -> Map<String, Value> {
        let (message, seen) = (&self.message, &self.seen);
        let source = message.source.as_ref();
        let received = seen.received + source.map_or(0, |source| source.received);
        let first = source.and_then(|source| source.first).unwrap_or(seen.first);
        let sequence = queue.fifo.then(|| sequence(message.number));
        [
            ("SenderId", Some(message.sender.clone())),
            ("SentTimestamp", Some(message.sent.to_string())),
            ("ApproximateReceiveCount", Some(received.to_string())),
            ("ApproximateFirstReceiveTimestamp", Some(first.to_string())),
            ("AWSTraceHeader", message.trace.clone()),
            ("MessageGroupId", message.group.clone()),
            ("MessageDeduplicationId", message.deduplication.clone()),
            ("SequenceNumber", sequence),
            (
                "DeadLetterQueueSourceArn",
                source.map(|source| source.arn.clone()),
            ),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
        .collect()
    }
}

/// Whether a name in `MessageAttributeNames` selects an attribute: `All`, a prefix that ends in
/// `.*`, or the name.
fn selects(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(prefix) => prefix.is_empty() || name.starts_with(prefix),
        None => wanted == "All" || wanted == name,
    }
}

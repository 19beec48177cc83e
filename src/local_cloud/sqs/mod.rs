//! SQS: queues, their attributes and tags, and their messages.
//!
//! A queue is kept under `sqs/{region}/queue/{name}` as `{name, url, arn, attributes, tags,
//! created}`; the names deleted a moment ago under `.sqs/{region}/deleted/{name}`.

mod attributes;
mod messages;
mod queue;
#[cfg(test)]
mod tests;
mod waiting;

pub(super) use waiting::{is_empty, is_receive, waiting};

use super::callers::Caller;
use super::json::{self, Input, tags_fault};
use super::service::{ACCOUNT, Refusal, Reply, Request, Service, Store};
use crate::resource::aws::partition_of;
use attributes::{Attributes, Place};
use messages::{By, Held};
use queue::{Queue, attributes_of, named};
use serde_json::{Value, json};

/// The service.
#[derive(Debug)]
pub struct Sqs;

/// How long the name of a deleted queue cannot be used again (CreateQueue, API reference).
const COOL_DOWN_MS: u64 = 60_000;

/// How many messages can be received, are in flight, and are delayed.
const COUNTS: [&str; 3] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

fn key(region: &str, name: &str) -> String {
    format!("sqs/{region}/queue/{name}")
}

fn deleted_key(region: &str, name: &str) -> String {
    format!(".sqs/{region}/deleted/{name}")
}

fn refusal(code: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(400, code, message)
}

fn missing(name: &str) -> Refusal {
    refusal(
        "MissingParameter",
        format!("The request must contain the parameter {name}."),
    )
}

/// The refusal of a parameter's value.
fn invalid_value(value: impl std::fmt::Display, parameter: &str, reason: &str) -> Refusal {
    refusal(
        "InvalidParameterValue",
        format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"),
    )
}

fn no_queue() -> Refusal {
    refusal(
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    )
}

impl Service for Sqs {
    fn signing_name(&self) -> &'static str {
        "sqs"
    }

    fn operation(&self, request: &Request) -> String {
        json::operation(request).to_owned()
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        if json::operation(request).is_empty() {
            return Err(refusal(
                "UnsupportedOperation",
                "SQS of the local cloud speaks the JSON protocol only, as the SDKs do since the \
                 end of 2023.",
            ));
        }
        let input = Input::parse(request)?;
        if let Some(operation) = messages::operation(json::operation(request)) {
            let by = By {
                sender: Caller::of(request, store).user_id,
                now: request.now,
            };
            let (_, queue) = named(&input, &request.region, store)?;
            let queue = Queue::of(&queue);
            let mut held = Held::of(store, &request.region, &queue.name);
            let body = operation(&mut held, &queue, &input, &by)?;
            return Ok(json::reply("1.0", 200, &body));
        }
        let mut call = Call {
            region: &request.region,
            now: request.now,
            input,
            store,
        };
        let body = match json::operation(request) {
            "CreateQueue" => call.create_queue(),
            "GetQueueUrl" => call.get_queue_url(),
            "GetQueueAttributes" => call.get_queue_attributes(),
            "SetQueueAttributes" => call.set_queue_attributes(),
            "ListQueues" => call.list_queues(),
            "TagQueue" => call.tag_queue(),
            "UntagQueue" => call.untag_queue(),
            "ListQueueTags" => call.list_queue_tags(),
            "DeleteQueue" => call.delete_queue(),
            other => Err(json::unknown("sqs", other)),
        }?;
        Ok(json::reply("1.0", 200, &body))
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        // The code of the old query protocol goes into a header, the new one into the body.
        let short = refusal.code.strip_prefix("AWS.SimpleQueueService.");
        let shape = match short.unwrap_or(&refusal.code) {
            "NonExistentQueue" => "QueueDoesNotExist",
            "QueueAlreadyExists" => "QueueNameExists",
            other => other,
        };
        let body = json!({
            "__type": format!("com.amazonaws.sqs#{shape}"),
            "message": refusal.message,
        });
        let mut reply = json::reply("1.0", refusal.status, &body);
        let blame = if refusal.status < 500 {
            "Sender"
        } else {
            "Receiver"
        };
        reply.headers.push((
            "x-amzn-query-error".to_owned(),
            format!("{};{blame}", refusal.code),
        ));
        reply
    }
}

struct Call<'c> {
    region: &'c str,
    now: u64,
    input: Input,
    store: &'c mut dyn Store,
}

type Answer = Result<Value, Refusal>;

impl Call<'_> {
    fn create_queue(&mut self) -> Answer {
        let name = self.name()?;
        let sent = self.input.map("Attributes")?.unwrap_or_default();
        let tags = self.input.map("tags")?.unwrap_or_default();
        check_tags(&tags)?;
        let fifo = sent.get("FifoQueue").is_some_and(|value| value == "true");
        check_name(&name, fifo)?;
        let (partition, suffix) = partition_of(self.region);
        let arn = format!("arn:{partition}:sqs:{}:{ACCOUNT}:{name}", self.region);
        let place = Place {
            region: self.region,
            arn: &arn,
            store: self.store,
        };
        let mut all = attributes::merge(Attributes::new(), &sent, fifo, &place)?;
        let url = format!("https://sqs.{}.{suffix}/{ACCOUNT}/{name}", self.region);
        if let Some(queue) = self.store.get(&key(self.region, &name)) {
            let differing = attributes::differing(&sent, &all, &attributes_of(&queue));
            // Tags that are sent must be the same, too
            // (awslabs/amazon-sqs-java-temporary-queues-client#70).
            let known = json::text_map(&queue["tags"]).unwrap_or_default();
            if !tags.is_empty() && tags != known {
                return Err(refusal(
                    "QueueAlreadyExists",
                    "A queue already exists with the same name and different tags",
                ));
            }
            if differing.is_empty() {
                return Ok(json!({"QueueUrl": url}));
            }
            return Err(refusal(
                "QueueAlreadyExists",
                format!(
                    "A queue already exists with the same name and a different value for \
                     attribute(s) {}",
                    differing.join(", ")
                ),
            ));
        }
        let deleted = deleted_key(self.region, &name);
        if let Some(when) = self.store.get(&deleted).and_then(|when| when.as_u64())
            && self.now < when + COOL_DOWN_MS
        {
            return Err(refusal(
                "AWS.SimpleQueueService.QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create \
                 another with the same name.",
            ));
        }
        self.store.remove(&deleted);
        let seconds = (self.now / 1000).to_string();
        all.insert("QueueArn".to_owned(), arn.clone());
        all.insert("CreatedTimestamp".to_owned(), seconds.clone());
        all.insert("LastModifiedTimestamp".to_owned(), seconds);
        let queue = json!({
            "name": name, "url": url, "arn": arn,
            "attributes": all, "tags": tags, "created": self.now,
        });
        self.store.put(&key(self.region, &name), queue);
        Ok(json!({"QueueUrl": url}))
    }

    fn get_queue_url(&mut self) -> Answer {
        let name = self.name()?;
        if self
            .input
            .text("QueueOwnerAWSAccountId")?
            .is_some_and(|account| account != ACCOUNT)
        {
            return Err(no_queue());
        }
        let queue = self
            .store
            .get(&key(self.region, &name))
            .ok_or_else(no_queue)?;
        Ok(json!({"QueueUrl": queue["url"]}))
    }

    fn get_queue_attributes(&mut self) -> Answer {
        let (_, queue) = self.queue()?;
        let names = self.input.texts("AttributeNames")?.unwrap_or_default();
        if let Some(unknown) = names
            .iter()
            .find(|name| *name != "All" && !attributes::exists(name))
        {
            return Err(refusal(
                "InvalidAttributeName",
                format!("Unknown Attribute {unknown}."),
            ));
        }
        let all = names.iter().any(|name| name == "All");
        let wanted = |name: &str| all || names.iter().any(|it| it == name);
        let mut found = attributes_of(&queue);
        if wanted(COUNTS[0]) || wanted(COUNTS[1]) || wanted(COUNTS[2]) {
            let queue = Queue::of(&queue);
            let held = Held::of(self.store, self.region, &queue.name);
            let counts = held.counts(&queue, self.now)?;
            for (name, count) in COUNTS.iter().zip(counts) {
                found.insert((*name).to_owned(), count.to_string());
            }
        }
        found.retain(|name, _| wanted(name));
        Ok(if found.is_empty() {
            json!({})
        } else {
            json!({"Attributes": found})
        })
    }

    fn set_queue_attributes(&mut self) -> Answer {
        let (name, mut queue) = self.queue()?;
        let sent = self
            .input
            .map("Attributes")?
            .ok_or_else(|| missing("Attributes"))?;
        let fifo = name.ends_with(".fifo");
        if let Some(wanted) = sent.get("FifoQueue")
            && (wanted == "true") != fifo
        {
            return Err(refusal(
                "InvalidAttributeValue",
                "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is \
                 not supported.",
            ));
        }
        let arn = queue["arn"].as_str().unwrap_or_default().to_owned();
        let place = Place {
            region: self.region,
            arn: &arn,
            store: self.store,
        };
        let mut all = attributes::merge(attributes_of(&queue), &sent, fifo, &place)?;
        all.insert(
            "LastModifiedTimestamp".to_owned(),
            (self.now / 1000).to_string(),
        );
        queue["attributes"] = json!(all);
        self.store.put(&key(self.region, &name), queue);
        Ok(json!({}))
    }

    fn list_queues(&mut self) -> Answer {
        let prefix = self.input.text("QueueNamePrefix")?.unwrap_or_default();
        let most = self.input.integer("MaxResults")?;
        if most.is_some_and(|most| !(1..=1000).contains(&most)) {
            return Err(refusal(
                "InvalidParameterValue",
                "Value for parameter MaxResults is invalid. Reason: must be between 1 and 1000.",
            ));
        }
        let after = self.input.text("NextToken")?.map(str::to_owned);
        if after.is_some() && most.is_none() {
            return Err(missing("MaxResults"));
        }
        let mut urls: Vec<String> = self
            .store
            .scan(&key(self.region, prefix))
            .iter()
            .filter_map(|(_, queue)| queue["url"].as_str().map(str::to_owned))
            .filter(|url| after.as_ref().is_none_or(|after| url > after))
            .collect();
        let page = most.and_then(|most| usize::try_from(most).ok());
        let more = page.is_some_and(|page| urls.len() > page);
        urls.truncate(page.unwrap_or(1000));
        let mut body = json!({});
        if more {
            body["NextToken"] = json!(urls.last());
        }
        if !urls.is_empty() {
            body["QueueUrls"] = json!(urls);
        }
        Ok(body)
    }

    fn tag_queue(&mut self) -> Answer {
        let (name, mut queue) = self.queue()?;
        let sent = self.input.map("Tags")?.ok_or_else(|| missing("Tags"))?;
        let mut tags = json::text_map(&queue["tags"]).unwrap_or_default();
        tags.extend(sent);
        check_tags(&tags)?;
        queue["tags"] = json!(tags);
        self.store.put(&key(self.region, &name), queue);
        Ok(json!({}))
    }

    fn untag_queue(&mut self) -> Answer {
        let (name, mut queue) = self.queue()?;
        let keys = self
            .input
            .texts("TagKeys")?
            .ok_or_else(|| missing("TagKeys"))?;
        let mut tags = json::text_map(&queue["tags"]).unwrap_or_default();
        tags.retain(|tag, _| !keys.contains(tag));
        queue["tags"] = json!(tags);
        self.store.put(&key(self.region, &name), queue);
        Ok(json!({}))
    }

    fn list_queue_tags(&mut self) -> Answer {
        let (_, queue) = self.queue()?;
        let tags = json::text_map(&queue["tags"]).unwrap_or_default();
        Ok(if tags.is_empty() {
            json!({})
        } else {
            json!({"Tags": tags})
        })
    }

    fn delete_queue(&mut self) -> Answer {
        let (name, _) = self.queue()?;
        self.store.remove(&key(self.region, &name));
        Held::of(self.store, self.region, &name).clear(true);
        for (key, when) in self.store.scan(&deleted_key(self.region, "")) {
            if when
                .as_u64()
                .is_none_or(|when| self.now >= when + COOL_DOWN_MS)
            {
                self.store.remove(&key);
            }
        }
        self.store
            .put(&deleted_key(self.region, &name), json!(self.now));
        Ok(json!({}))
    }

    fn name(&self) -> Result<String, Refusal> {
        match self.input.text("QueueName")? {
            Some(name) if !name.is_empty() => Ok(name.to_owned()),
            _ => Err(missing("QueueName")),
        }
    }

    /// The queue that `QueueUrl` names, and its name.
    fn queue(&self) -> Result<(String, Value), Refusal> {
        named(&self.input, self.region, self.store)
    }
}

fn check_tags(tags: &Attributes) -> Result<(), Refusal> {
    match tags_fault(tags, 0) {
        Some(fault) => Err(refusal("InvalidParameterValue", fault)),
        None => Ok(()),
    }
}

/// A FIFO queue's name ends in `.fifo`, and no other queue's does.
fn check_name(name: &str, fifo: bool) -> Result<(), Refusal> {
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let length = (1..=80).contains(&name.len());
    if fifo {
        if length && name.strip_suffix(".fifo").is_some_and(plain) {
            return Ok(());
        }
        return Err(refusal(
            "InvalidParameterValue",
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or \
             underscores, must end with .fifo suffix and be 1 to 80 in length.",
        ));
    }
    if length && plain(name) {
        return Ok(());
    }
    Err(refusal(
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
    ))
}

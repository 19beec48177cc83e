//! The poller of one event source mapping: takes messages off the queue, calls the function with
//! them, and deletes what is done. What failed becomes visible again when its time is over.

use super::batch;
use super::event::{self, Message};
use super::filter::Filter;
use super::instance::Invocation;
use super::pool::{Throttled, machine_limit};
use super::{find, request_id};
use crate::local_cloud::iam::role_of_arn;
use crate::local_cloud::lambda::{Polled, Runnable};
use crate::local_cloud::live::Live;
use crate::local_cloud::service::Request;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

/// How often is looked for what other processes did, and whether a problem is over.
const GLANCE: Duration = Duration::from_secs(1);
/// The largest event, in bytes.
const EVENT: usize = 6 << 20;
/// How many batches of a mapping are under way at once, where it does not say.
const AT_ONCE: usize = 5;
/// How long a throttled batch is tried again.
const THROTTLED: Duration = Duration::from_secs(10);

/// Polls until the sender of `ended` is dropped.
pub(super) async fn poll(live: Live, mapping: Polled, mut ended: watch::Receiver<bool>) {
    let poller = Arc::new(Poller::new(live.clone(), mapping));
    let most = poller.at_once();
    let slots = Arc::new(Semaphore::new(most));
    let mut messages = live.cloud().messages();
    loop {
        let turn = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            messages.mark_unchanged();
            let batch = poller.batch().await;
            if batch.is_empty() {
                tokio::select! {
                    _ = messages.changed() => {}
                    () = tokio::time::sleep(GLANCE) => {}
                }
                return None;
            }
            Some((slot, batch))
        };
        // The messages of a batch that is being filled become visible again by themselves.
        let turn = tokio::select! {
            turn = turn => turn,
            _ = ended.changed() => return,
            () = live.stopping() => return,
        };
        if let Some((slot, batch)) = turn {
            poller.hand_out(slot, batch);
        }
    }
}

struct Poller {
    live: Live,
    mapping: Polled,
    filter: Filter,
}

impl Poller {
    fn new(live: Live, mapping: Polled) -> Self {
        Self {
            filter: Filter::of(&mapping.config),
            live,
            mapping,
        }
    }

    fn number(&self, name: &str) -> usize {
        let number = self.mapping.config.get(name).and_then(Value::as_u64);
        number
            .and_then(|it| usize::try_from(it).ok())
            .unwrap_or_default()
    }

    fn at_once(&self) -> usize {
        let scaling = self.mapping.config.get("ScalingConfig");
        let most = scaling.and_then(|it| it["MaximumConcurrency"].as_u64());
        let most = most.and_then(|most| usize::try_from(most).ok());
        most.unwrap_or(AT_ONCE).clamp(1, machine_limit())
    }

    /// The queue's URL, if function and role are as they must be.
    fn ready(&self) -> Option<String> {
        let mapping = &self.mapping;
        let function = self.function()?;
        let role = function.text("Role");
        let queue = &mapping.queue_arn;
        let actions = [
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        ];
        let seen = self.live.cloud().look(|now, store| {
            let role = role_of_arn(store, role);
            let denied = actions.into_iter().find(|action| {
                let allows = |role: &_| {
                    crate::local_cloud::iam::Role::allows(role, store, action, queue, now)
                };
                !role.as_ref().is_some_and(allows)
            });
            let name = queue.rsplit(':').next().unwrap_or_default();
            let found = store.get(&format!("sqs/{}/queue/{name}", mapping.region));
            let url = found.and_then(|queue| queue["url"].as_str().map(str::to_owned));
            (denied, url)
        });
        let (denied, url) = seen.ok()?;
        if let Some(action) = denied {
            self.live.note(&format!(
                "The function {} is not called for messages of {queue}: its role may not {action}.",
                function.name
            ));
            return None;
        }
        url
    }

    fn function(&self) -> Option<Runnable> {
        let name = (self.mapping.function_arn.as_str(), None);
        find(&self.live, &self.mapping.region, name).ok()
    }

    fn call(&self, operation: &str, body: &Value) -> Option<Value> {
        let target = format!("AmazonSQS.{operation}");
        let request = Request::json(&self.mapping.region, &target, body);
        let reply = self.live.cloud().call("sqs", request);
        let ok = reply.status == 200;
        ok.then(|| serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    fn receive(&self, url: &str, most: usize) -> Vec<Message> {
        let reply = self.call(
            "ReceiveMessage",
            &json!({
                "QueueUrl": url, "MaxNumberOfMessages": most.min(10), "WaitTimeSeconds": 0,
                "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"],
            }),
        );
        let reply = reply.unwrap_or_default();
        let list = reply["Messages"].as_array().into_iter().flatten();
        list.map(|message| Message::new(message.clone())).collect()
    }

    /// Takes messages: as many as there are, up to a batch; where the mapping has a window, as many
    /// as come in that time.
    async fn batch(&self) -> Vec<Message> {
        let size = self.number("BatchSize").max(1);
        let window = Duration::from_secs(self.number("MaximumBatchingWindowInSeconds") as u64);
        let window = window.div_f64(self.live.cloud().speed());
        let mut batch: Vec<Message> = Vec::new();
        let mut end: Option<Instant> = None;
        let mut news = self.live.cloud().messages();
        loop {
            let Some(url) = self.ready() else {
                return batch;
            };
            news.mark_unchanged();
            let taken = self.receive(&url, size - batch.len());
            let none = taken.is_empty();
            batch.extend(taken);
            let full =
                batch.len() >= size || batch.iter().map(Message::size).sum::<usize>() >= EVENT;
            if batch.is_empty() || full || (none && window.is_zero()) {
                return batch;
            }
            if !none {
                // There may be more at once.
                end.get_or_insert_with(|| Instant::now() + window);
                continue;
            }
            let end = *end.get_or_insert_with(|| Instant::now() + window);
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return batch;
            }
            tokio::select! {
                _ = news.changed() => {}
                () = tokio::time::sleep(left.min(GLANCE)) => {}
            }
        }
    }

    /// Calls the function with a batch, in a task of its own. What the filter does not send is
    /// deleted; what is too large for one event is several.
    fn hand_out(self: &Arc<Self>, slot: OwnedSemaphorePermit, batch: Vec<Message>) {
        let mapping = &self.mapping;
        let (mut sent, mut dropped) = (Vec::new(), Vec::new());
        for message in batch {
            let record = message.record(&mapping.queue_arn, &mapping.region);
            match self.filter.sends(&record) {
                true => sent.push((message, record)),
                false => dropped.push(message),
            }
        }
        self.delete(&dropped);
        let poller = Arc::clone(self);
        // A cloud that stops gives it a moment to end; else its messages become visible again by
        // themselves.
        self.live.spawn(async move {
            let mut rest = sent.into_iter().peekable();
            while rest.peek().is_some() {
                let mut size = 0;
                let mut part = Vec::new();
                while let Some((message, _)) = rest.peek() {
                    size += message.size();
                    if size > EVENT && !part.is_empty() {
                        break;
                    }
                    part.extend(rest.next());
                }
                poller.invoke(part).await;
            }
            drop(slot);
        });
    }

    async fn invoke(&self, part: Vec<(Message, Value)>) {
        let (messages, records): (Vec<Message>, Vec<Value>) = part.into_iter().unzip();
        let payload = Bytes::from(event::event(records).to_string());
        let started = Instant::now();
        let outcome = loop {
            let Some(function) = self.function() else {
                return;
            };
            let invocation = Invocation {
                id: request_id(),
                payload: payload.clone(),
                arn: self.mapping.function_arn.clone(),
                client_context: None,
            };
            let running = self
                .live
                .functions()
                .pool
                .run(&self.live, &function, invocation);
            match running.await {
                Ok(outcome) => break outcome,
                Err(Throttled::Reserved) if function.reserved == Some(0) => return,
                Err(_) if started.elapsed() > THROTTLED => return,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        };
        if outcome.failed {
            return;
        }
        let reports = self.mapping.config.get("FunctionResponseTypes");
        let reports = reports.and_then(Value::as_array);
        let reports =
            reports.is_some_and(|types| types.iter().any(|it| it == "ReportBatchItemFailures"));
        let ids: Vec<&str> = messages.iter().map(Message::id).collect();
        let done = batch::done(&ids, &outcome.payload, reports);
        let done: Vec<Message> = messages
            .iter()
            .filter(|message| done.contains(&message.id()))
            .cloned()
            .collect();
        self.delete(&done);
    }

    fn delete(&self, messages: &[Message]) {
        let name = self
            .mapping
            .queue_arn
            .rsplit(':')
            .next()
            .unwrap_or_default();
        let key = format!("sqs/{}/queue/{name}", self.mapping.region);
        let url = self.live.cloud().look(|_, store| store.get(&key));
        let Ok(Some(queue)) = url else {
            return;
        };
        for some in messages.chunks(10) {
            let entries: Vec<Value> = some
                .iter()
                .enumerate()
                .map(|(at, message)| json!({"Id": at.to_string(), "ReceiptHandle": message.handle()}))
                .collect();
            // What could not be deleted comes again, as at AWS.
            self.call(
                "DeleteMessageBatch",
                &json!({"QueueUrl": queue["url"], "Entries": entries}),
            );
        }
    }
}

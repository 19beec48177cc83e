//! SNS: topics, their subscriptions, attributes and tags. No messages.
//!
//! Wire: the query protocol with XML replies, API version 2010-03-31. A topic is kept under
//! `sns/{region}/topic/{name}`, a subscription under `sns/{region}/subscription/{topic}:{id}`, both
//! as `{arn, attributes, created}`, a topic with `tags`. Codes are the service model's, messages
//! those in LocalStack's tests, which ran against AWS.
//! Laxer than AWS: nobody confirms a subscription, no filter is looked into, and neither queues nor
//! roles need to exist.

#[cfg(test)]
mod tests;

use super::json::{tags_fault, text_map};
use super::policy::{self, Kind};
use super::query::{self, Form};
use super::service::{ACCOUNT, Refusal, Reply, Request, Service, Store};
use super::stamps;
use super::xml::Xml;
use crate::resource::aws::partition_of;
use crate::resource::aws::sns::{masked, topic::default_policy, topic_subscription::FORMS};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The service.
#[derive(Debug)]
pub struct Sns;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// How long a subscription waits for its confirmation (AWS, "What's New", 10 May 2023).
const PENDING_MS: u64 = 48 * 3_600_000;

type Answer = Result<Xml, Refusal>;

fn invalid(what: &str) -> Refusal {
    Refusal::new(
        400,
        "InvalidParameter",
        format!("Invalid parameter: {what}"),
    )
}

impl Service for Sns {
    fn signing_name(&self) -> &'static str {
        "sns"
    }

    fn operation(&self, request: &Request) -> String {
        Form::parse(request).action().to_owned()
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        let form = &Form::parse(request);
        let (region, now) = (&*request.region, request.now);
        let mut call = Call {
            form,
            region,
            now,
            store,
        };
        let xml = match form.action() {
            "CreateTopic" => call.create_topic(),
            "GetTopicAttributes" => call.attributes("TopicArn"),
            "SetTopicAttributes" => call.set_attributes("TopicArn"),
            "DeleteTopic" => call.delete_topic(),
            "ListTopics" => Ok(call.list_topics()),
            "TagResource" | "UntagResource" => call.tag(),
            "ListTagsForResource" => call.list_tags(),
            "Subscribe" => call.subscribe(),
            "GetSubscriptionAttributes" => call.attributes("SubscriptionArn"),
            "SetSubscriptionAttributes" => call.set_attributes("SubscriptionArn"),
            "ListSubscriptionsByTopic" => call.list_subscriptions(),
            "Unsubscribe" => call.unsubscribe(),
            other => {
                let message = format!("The local cloud does not have sns:{other}.");
                Err(Refusal::new(400, "InvalidAction", message))
            }
        }?;
        Ok(query::respond(NAMESPACE, form.action(), xml))
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        query::refuse(NAMESPACE, refusal)
    }
}

struct Call<'c> {
    form: &'c Form,
    region: &'c str,
    now: u64,
    store: &'c mut dyn Store,
}

impl Call<'_> {
    fn required(&self, name: &str) -> Result<&str, Refusal> {
        let found = self.form.get(name).filter(|text| !text.is_empty());
        found.ok_or_else(|| invalid(&format!("{name} Reason: no value for required parameter")))
    }

    /// The key of what an ARN names.
    fn key(&self, name: &str) -> Result<String, Refusal> {
        let parts: Vec<&str> = self.required(name)?.split(':').collect();
        let kind = ["topic", "subscription"][usize::from(name == "SubscriptionArn")];
        match parts[..] {
            ["arn", _, "sns", region, _, ref rest @ ..] if region == self.region => {
                Ok(format!("sns/{region}/{kind}/{}", rest.join(":")))
            }
            _ => Err(invalid(name)),
        }
    }

    /// The topic or subscription that an ARN names, with its key.
    fn item(&self, name: &str) -> Result<(String, Value), Refusal> {
        let key = self.key(name)?;
        let found = self.store.get(&key).filter(|it| !self.is_over(it));
        let what = name.trim_end_matches("Arn");
        let code = ["NotFound", "ResourceNotFound"][usize::from(what == "Resource")];
        let missing = || Refusal::new(404, code, format!("{what} does not exist"));
        Ok((key, found.ok_or_else(missing)?))
    }

    /// Whether nobody confirmed a subscription in time.
    fn is_over(&self, item: &Value) -> bool {
        is_pending(item) && self.now >= item["created"].as_u64().unwrap_or_default() + PENDING_MS
    }

    /// `Attributes.entry.1.key`, or `Tags.member.1.Key`, …
    fn pairs(&self, start: &str, names: [&str; 2]) -> BTreeMap<String, String> {
        let at = |n: usize, at: usize| self.form.get(&format!("{start}.{n}.{}", names[at]));
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (1..)
            .map_while(|n| Some((at(n, 0)?.to_owned(), text(at(n, 1)))))
            .collect()
    }

    /// The attributes that a create sends, put into those there are.
    fn put_attributes(&self, all: &mut Value) -> Result<Vec<String>, Refusal> {
        let sent = self.pairs("Attributes.entry", ["key", "value"]);
        for (name, value) in &sent {
            let fault = |it| invalid(&format!("Attributes Reason: {it}"));
            set(all, name, value, self.now).map_err(fault)?;
        }
        Ok(sent.into_keys().collect())
    }

    /// The tags sent, put over those there are.
    fn tags(&self, mut tags: BTreeMap<String, String>) -> Result<Value, Refusal> {
        tags.extend(self.pairs("Tags.member", ["Key", "Value"]));
        tags.retain(|tag, _| !self.form.list("TagKeys").contains(&tag.as_str()));
        match tags_fault(&tags, 0) {
            Some(fault) if tags.len() > 50 => Err(Refusal::new(400, "TagLimitExceeded", fault)),
            Some(fault) => Err(invalid(&fault)),
            None => Ok(json!(tags)),
        }
    }

    fn create_topic(&mut self) -> Answer {
        let name = self.required("Name")?;
        let sent = self.pairs("Attributes.entry", ["key", "value"]);
        let fifo = sent.get("FifoTopic").is_some_and(|value| value == "true");
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let stem = name
            .strip_suffix(if fifo { ".fifo" } else { "" })
            .unwrap_or_default();
        if stem.is_empty() || name.len() > 256 || !stem.chars().all(fits) {
            return Err(invalid("Topic Name"));
        }
        let (partition, _) = partition_of(self.region);
        let arn = format!("arn:{partition}:sns:{}:{ACCOUNT}:{name}", self.region);
        let mut all = json!({"TopicArn": arn, "Owner": ACCOUNT, "DisplayName": "",
            "Policy": default_policy(&arn)});
        if fifo {
            all["FifoTopic"] = json!("true");
            all["ContentBasedDeduplication"] = json!("false");
            all["FifoThroughputScope"] = json!("Topic");
        }
        let sent = self.put_attributes(&mut all)?;
        let tags = self.tags(BTreeMap::new())?;
        let key = format!("sns/{}/topic/{name}", self.region);
        let found = self.store.get(&key);
        if let Some(topic) = &found {
            differ("Topic", &sent, &all, &topic["attributes"])?;
            let mut tags = tags.as_object().into_iter().flatten();
            if tags.any(|(tag, it)| topic["tags"][tag] != *it) {
                let reason = "Topic already exists with different tags";
                return Err(invalid(&format!("Tags Reason: {reason}")));
            }
        }
        let topic = json!({"arn": arn, "attributes": all, "tags": tags, "created": self.now});
        self.store.put(&key, found.unwrap_or(topic));
        let mut xml = Xml::default();
        xml.text("TopicArn", arn);
        Ok(xml)
    }

    fn attributes(&mut self, name: &str) -> Answer {
        let (_, item) = self.item(name)?;
        let mut all = text_map(&item["attributes"]).unwrap_or_default();
        if !all.contains_key("FilterPolicy") {
            all.remove("FilterPolicyScope");
        }
        let mut xml = Xml::default();
        xml.element("Attributes", |xml| {
            for (name, value) in &all {
                xml.element("entry", |xml| {
                    xml.text("key", name);
                    xml.text("value", masked(value));
                });
            }
        });
        Ok(xml)
    }

    fn set_attributes(&mut self, of: &str) -> Answer {
        let (key, mut item) = self.item(of)?;
        let name = self.required("AttributeName")?;
        let value = self.form.get("AttributeValue").unwrap_or("{}");
        set(&mut item["attributes"], name, value, self.now).map_err(|it| invalid(&it))?;
        self.store.put(&key, item);
        Ok(Xml::default())
    }

    fn delete_topic(&mut self) -> Answer {
        let key = self.key("TopicArn")?;
        let topic = self.store.get(&key).unwrap_or_default();
        if topic["attributes"]["ArchivePolicy"].is_string() {
            let message = "Invalid state: Cannot delete a topic with an ArchivePolicy";
            return Err(Refusal::new(400, "InvalidState", message));
        }
        self.store.remove(&key);
        for (key, _) in self.store.scan(&of_topic(&key)) {
            self.store.remove(&key);
        }
        Ok(Xml::default())
    }

    fn list_topics(&mut self) -> Xml {
        let topics = self.store.scan(&format!("sns/{}/topic/", self.region));
        self.page("Topics", &topics, |xml, topic| {
            xml.text("TopicArn", text(&topic["arn"]));
        })
    }

    /// A page of 100.
    fn page(&self, name: &str, all: &[(String, Value)], write: fn(&mut Xml, &Value)) -> Xml {
        let token = self.form.get("NextToken");
        let start: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
        let mut xml = Xml::default();
        xml.element(name, |xml| {
            for (_, item) in all.iter().skip(start).take(100) {
                xml.element("member", |xml| write(xml, item));
            }
        });
        xml.maybe(
            "NextToken",
            (all.len() > start + 100).then_some(start + 100),
        );
        xml
    }

    fn tag(&mut self) -> Answer {
        let (key, mut topic) = self.item("ResourceArn")?;
        topic["tags"] = self.tags(text_map(&topic["tags"]).unwrap_or_default())?;
        self.store.put(&key, topic);
        Ok(Xml::default())
    }

    fn list_tags(&mut self) -> Answer {
        let (_, topic) = self.item("ResourceArn")?;
        let tags = text_map(&topic["tags"]).unwrap_or_default();
        let mut xml = Xml::default();
        query::write_tags(&mut xml, &tags.into_iter().collect::<Vec<_>>());
        Ok(xml)
    }

    /// The subscriptions of the topic with this key.
    fn subscriptions(&self, topic: &str) -> Vec<(String, Value)> {
        let all = self.store.scan(&of_topic(topic)).into_iter();
        all.filter(|(_, it)| !self.is_over(it)).collect()
    }

    fn subscribe(&mut self) -> Answer {
        let (topic_key, topic) = self.item("TopicArn")?;
        let (protocol, endpoint) = (self.required("Protocol")?, self.required("Endpoint")?);
        let Some((_, part, _)) = FORMS.iter().find(|(name, ..)| *name == protocol) else {
            let words = "Amazon SNS does not support this protocol string";
            return Err(invalid(&format!("{words}: {protocol}")));
        };
        let fifo = topic["attributes"]["FifoTopic"] == "true";
        if !endpoint.contains(part) || (fifo && protocol != "sqs") {
            return Err(invalid("Endpoint must match the specified protocol"));
        }
        if !fifo && protocol == "sqs" && endpoint.ends_with(".fifo") {
            let reason = "FIFO SQS Queues can not be subscribed to standard SNS topics";
            return Err(invalid(&format!("Endpoint Reason: {reason}")));
        }
        let mut all = json!({"TopicArn": topic["arn"], "Protocol": protocol, "Endpoint": endpoint,
            "Owner": ACCOUNT, "RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"});
        let sent = self.put_attributes(&mut all)?;
        if protocol == "firehose" && all.get("SubscriptionRoleArn").is_none() {
            return Err(invalid(
                "Attributes Reason: SubscriptionRoleArn is required",
            ));
        }
        let is_it = |name| move |it: &Value, all: &Value| it["attributes"][name] == all[name];
        let (by_protocol, by_endpoint) = (is_it("Protocol"), is_it("Endpoint"));
        let mut known = self.subscriptions(&topic_key).into_iter();
        let found = known.find(|(_, it)| by_protocol(it, &all) && by_endpoint(it, &all));
        let (key, item) = match found {
            Some((key, found)) => {
                differ("Subscription", &sent, &all, &found["attributes"])?;
                (key, found)
            }
            None => {
                let pending = ["http", "https", "email", "email-json"].contains(&protocol);
                let id = stamps::uuid();
                let arn = format!("{}:{id}", text(&topic["arn"]));
                all["PendingConfirmation"] = json!(pending.to_string());
                all["ConfirmationWasAuthenticated"] = json!((!pending).to_string());
                all["SubscriptionArn"] = json!(arn);
                let item = json!({"arn": arn, "attributes": all, "created": self.now});
                (format!("{}{id}", of_topic(&topic_key)), item)
            }
        };
        let hidden = is_pending(&item) && self.form.get("ReturnSubscriptionArn") != Some("true");
        let mut xml = Xml::default();
        let arn = if hidden {
            "pending confirmation"
        } else {
            text(&item["arn"])
        };
        xml.text("SubscriptionArn", arn);
        self.store.put(&key, item);
        Ok(xml)
    }

    fn list_subscriptions(&mut self) -> Answer {
        let (key, _) = self.item("TopicArn")?;
        Ok(
            self.page("Subscriptions", &self.subscriptions(&key), |xml, it| {
                let arn = if is_pending(it) {
                    "PendingConfirmation"
                } else {
                    text(&it["arn"])
                };
                xml.text("SubscriptionArn", arn);
                for name in ["Owner", "Protocol", "Endpoint", "TopicArn"] {
                    xml.text(name, masked(text(&it["attributes"][name])));
                }
            }),
        )
    }

    fn unsubscribe(&mut self) -> Answer {
        let key = self.key("SubscriptionArn")?;
        let found = self.store.get(&key).filter(|it| !self.is_over(it));
        if found.as_ref().is_some_and(is_pending) {
            let reason = "Cannot unsubscribe a subscription that is pending confirmation";
            return Err(invalid(&format!("SubscriptionArn Reason: {reason}")));
        }
        self.store.remove(&key);
        Ok(Xml::default())
    }
}

/// How the keys of a topic's subscriptions begin.
fn of_topic(key: &str) -> String {
    format!("{}:", key.replacen("/topic/", "/subscription/", 1))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_pending(item: &Value) -> bool {
    item["attributes"]["PendingConfirmation"] == "true"
}

/// Refuses a create whose attributes differ from what exists; documents are compared by content.
fn differ(what: &str, sent: &[String], all: &Value, known: &Value) -> Result<(), Refusal> {
    let parsed = |value: &Value| serde_json::from_str(text(value)).unwrap_or(value.clone());
    match sent
        .iter()
        .all(|name| parsed(&all[name]) == parsed(&known[name]))
    {
        true => Ok(()),
        false => {
            let reason = format!("{what} already exists with different attributes");
            Err(invalid(&format!("Attributes Reason: {reason}")))
        }
    }
}

/// Sets an attribute of a topic or a subscription, or clears it.
fn set(all: &mut Value, name: &str, value: &str, now: u64) -> Result<(), String> {
    let takes = match all.get("Protocol") {
        Some(_) => subscription_takes(all, name, value),
        None => topic_takes(all["FifoTopic"] == "true", name, value),
    };
    if !takes.ok_or("AttributeName")? {
        return Err(format!("{name}: Invalid value [{value}]"));
    }
    let Some(all) = all.as_object_mut() else {
        return Ok(());
    };
    if value.is_empty() || value == "{}" {
        all.remove(name);
    } else {
        all.insert(name.to_owned(), json!(value));
    }
    if name == "ArchivePolicy" {
        let since = json!(stamps::iso_millis(now));
        all.remove("BeginningArchiveTime");
        all.extend((value != "{}").then(|| ("BeginningArchiveTime".to_owned(), since)));
    }
    Ok(())
}

fn document(value: &str) -> Option<Value> {
    serde_json::from_str(value).ok().filter(Value::is_object)
}

/// Whether an attribute of a topic takes a value; none where there is no such attribute.
fn topic_takes(fifo: bool, name: &str, value: &str) -> Option<bool> {
    let days = |policy: Value| policy["MessageRetentionPeriod"].to_string();
    let days = |policy: Value| days(policy).trim_matches('"').parse().unwrap_or(0);
    Some(match name {
        "ArchivePolicy" if value == "{}" => fifo,
        "ArchivePolicy" => fifo && (1..=365).contains(&document(value).map_or(0, days)),
        "ContentBasedDeduplication" => fifo && ["true", "false"].contains(&value),
        "DeliveryPolicy" => value.is_empty() || document(value).is_some(),
        "DisplayName" => value.chars().count() <= 100,
        "FifoThroughputScope" => fifo && ["Topic", "MessageGroup"].contains(&value),
        "FifoTopic" => (value == "true") == fifo,
        "KmsMasterKeyId" => value.len() <= 2048 && !value.contains(' '),
        "Policy" => policy::check(value, Kind::Resource).is_ok(),
        "SignatureVersion" => ["1", "2"].contains(&value),
        "TracingConfig" => value == "PassThrough" || (value == "Active" && !fifo),
        _ => {
            let of = ["Application", "Firehose", "HTTP", "Lambda", "SQS"];
            match of.iter().find_map(|of| name.strip_prefix(of))? {
                "SuccessFeedbackRoleArn" | "FailureFeedbackRoleArn" => {
                    value.is_empty() || value.contains(":role/")
                }
                "SuccessFeedbackSampleRate" => value.parse().is_ok_and(|rate: u8| rate <= 100),
                _ => return None,
            }
        }
    })
}

/// The same of a subscription.
fn subscription_takes(all: &Value, name: &str, value: &str) -> Option<bool> {
    let is_fifo = |name: &str| text(&all[name]).ends_with(".fifo");
    let dead = document(value).map(|it| text(&it["deadLetterTargetArn"]).to_owned());
    Some(match name {
        "DeliveryPolicy" | "FilterPolicy" => document(value).is_some(),
        "FilterPolicyScope" => ["MessageAttributes", "MessageBody"].contains(&value),
        "RawMessageDelivery" => ["true", "false"].contains(&value),
        "RedrivePolicy" if value == "{}" => true,
        // A FIFO queue has its dead letters in one.
        "RedrivePolicy" => dead.is_some_and(|queue| {
            queue.contains(":sqs:") && queue.ends_with(".fifo") == is_fifo("Endpoint")
        }),
        "ReplayPolicy" => is_fifo("TopicArn") && document(value).is_some(),
        "SubscriptionRoleArn" => value.contains(":role/"),
        _ => return None,
    })
}

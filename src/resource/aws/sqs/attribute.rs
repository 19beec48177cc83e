//! A queue's properties as attributes: on the wire, all values are text.

use super::Attributes;
use crate::resource::Change;
use crate::resource::aws_sqs_queue::Queue;
use crate::resource::document::parse as document;
use crate::resource::error::Error;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde::de::Error as _;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Bool,
    Json,
}

/// Property, attribute, shape, and what is sent to put the service's default back.
const TABLE: &[(&str, &str, Shape, &str)] = &[
    (
        "contentBasedDeduplication",
        "ContentBasedDeduplication",
        Shape::Bool,
        "false",
    ),
    (
        "deduplicationScope",
        "DeduplicationScope",
        Shape::Text,
        "queue",
    ),
    ("delaySeconds", "DelaySeconds", Shape::Number, "0"),
    (
        "fifoThroughputLimit",
        "FifoThroughputLimit",
        Shape::Text,
        "perQueue",
    ),
    (
        "kmsDataKeyReusePeriodSeconds",
        "KmsDataKeyReusePeriodSeconds",
        Shape::Number,
        "300",
    ),
    ("kmsMasterKeyId", "KmsMasterKeyId", Shape::Text, ""),
    (
        "maxMessageSize",
        "MaximumMessageSize",
        Shape::Number,
        "1048576",
    ),
    (
        "messageRetentionSeconds",
        "MessageRetentionPeriod",
        Shape::Number,
        "345600",
    ),
    ("policy", "Policy", Shape::Json, ""),
    (
        "receiveWaitTimeSeconds",
        "ReceiveMessageWaitTimeSeconds",
        Shape::Number,
        "0",
    ),
    ("redriveAllowPolicy", "RedriveAllowPolicy", Shape::Json, ""),
    ("redrivePolicy", "RedrivePolicy", Shape::Json, ""),
    (
        "sqsManagedSseEnabled",
        "SqsManagedSseEnabled",
        Shape::Bool,
        "true",
    ),
    (
        "visibilityTimeoutSeconds",
        "VisibilityTimeout",
        Shape::Number,
        "30",
    ),
];

fn fields(props: &Queue) -> Result<Value, Error> {
    serde_json::to_value(props).map_err(|error| Error::failed(error.to_string()))
}

/// The value as it goes over the wire; none for one that is empty or absent.
fn wire(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Object(map) if map.is_empty() => None,
        other => Some(other.to_string()),
    }
}

/// The attributes to create a queue with: those that the file gives, `FifoQueue` aside.
pub fn all(props: &Queue) -> Result<BTreeMap<&'static str, String>, Error> {
    let fields = fields(props)?;
    Ok(TABLE
        .iter()
        .filter_map(|(property, name, _, _)| Some((*name, wire(&fields[*property])?)))
        .collect())
}

/// The attributes to send for a change: new values, and defaults for what was taken out.
pub fn changed(change: &Change<Queue>) -> Result<BTreeMap<&'static str, String>, Error> {
    let fields = fields(&change.new)?;
    let has_key = wire(&fields["kmsMasterKeyId"]).is_some();
    let mut wanted = BTreeMap::new();
    for (property, name, _, default) in TABLE {
        let given = wire(&fields[*property]);
        // A key that goes turns managed encryption on; where the file says otherwise, it
        // has to be said again. A key that is there keeps it off.
        let is_sse = *property == "sqsManagedSseEnabled";
        let again = is_sse && given.is_some() && change.has(&["kmsMasterKeyId"]);
        let settled = is_sse && given.is_none() && has_key;
        if (change.has(&[property]) || again) && !settled {
            wanted.insert(*name, given.unwrap_or_else(|| (*default).to_owned()));
        }
    }
    Ok(wanted)
}

/// The properties that a queue's attributes stand for; name, kind and tags aside.
pub fn parse(live: &Attributes) -> Result<Queue, Error> {
    let mut fields = Map::new();
    for (property, name, shape, _) in TABLE {
        let Some(text) = live.get(&Name::from(*name)).filter(|text| !text.is_empty()) else {
            continue;
        };
        let value = match shape {
            Shape::Text => json!(text),
            Shape::Bool => json!(text == "true"),
            Shape::Json => document(text),
            Shape::Number => text
                .parse::<u64>()
                .map(Value::from)
                .map_err(|error| unreadable(name, &serde_json::Error::custom(error)))?,
        };
        fields.insert((*property).to_owned(), value);
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| unreadable("a value", &error))
}

fn unreadable(name: &str, error: &serde_json::Error) -> Error {
    Error::failed(format!(
        "sqs:GetQueueAttributes gave {name} in a form that cannot be read: {error}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn queue(fields: Value) -> Queue {
        serde_json::from_value(fields).unwrap_or_default()
    }

    fn change(new: Value, changed: &[&str]) -> BTreeMap<&'static str, String> {
        let change = Change {
            id: "url".to_owned(),
            old: Queue::default(),
            new: queue(new),
            attrs: Value::Null,
            changed: changed
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>(),
        };
        super::changed(&change).unwrap_or_default()
    }

    #[test]
    fn what_is_sent_reads_back_the_same() {
        let sent = json!({
            "delaySeconds": 5, "sqsManagedSseEnabled": false, "deduplicationScope": "queue",
            "redrivePolicy": {"deadLetterTargetArn": "a", "maxReceiveCount": 3},
        });
        let wire = all(&queue(sent.clone())).unwrap_or_default();
        assert_eq!(wire["SqsManagedSseEnabled"], "false");
        let live: Attributes = wire
            .into_iter()
            .map(|(name, value)| (Name::from(name), value))
            .collect();
        let read = parse(&live).and_then(|queue| fields(&queue));
        assert_eq!(read.unwrap_or_default(), sent);
    }

    #[test]
    fn what_was_taken_out_gets_its_default() {
        let wanted = change(
            json!({"delaySeconds": 1}),
            &["delaySeconds", "visibilityTimeoutSeconds", "policy"],
        );
        let expected = [
            ("DelaySeconds", "1"),
            ("Policy", ""),
            ("VisibilityTimeout", "30"),
        ];
        assert_eq!(
            wanted,
            expected
                .map(|(name, value)| (name, value.to_owned()))
                .into()
        );
    }

    #[test]
    fn a_key_and_managed_encryption_are_never_both_on() {
        let key = json!({"kmsMasterKeyId": "alias/x"});
        let wanted = change(key, &["kmsMasterKeyId", "sqsManagedSseEnabled"]);
        assert_eq!(
            wanted,
            BTreeMap::from([("KmsMasterKeyId", "alias/x".to_owned())])
        );
        let wanted = change(json!({"sqsManagedSseEnabled": false}), &["kmsMasterKeyId"]);
        let expected = [("KmsMasterKeyId", ""), ("SqsManagedSseEnabled", "false")];
        assert_eq!(
            wanted,
            expected
                .map(|(name, value)| (name, value.to_owned()))
                .into()
        );
    }
}

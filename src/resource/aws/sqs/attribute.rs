//! A queue's properties as attributes.

use super::QueueAttributes;
use crate::resource::Change;
use crate::resource::aws::attributes::{self, Attribute, Texts, fields, wire};
use crate::resource::error::Error;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde::Serialize;
use serde::de::DeserializeOwned;

const TABLE: &[Attribute] = &[
    Attribute::bool(
        "contentBasedDeduplication",
        "ContentBasedDeduplication",
        "false",
    ),
    Attribute::text("deduplicationScope", "DeduplicationScope", "queue"),
    Attribute::number("delaySeconds", "DelaySeconds", "0"),
    Attribute::text("fifoThroughputLimit", "FifoThroughputLimit", "perQueue"),
    Attribute::number(
        "kmsDataKeyReusePeriodSeconds",
        "KmsDataKeyReusePeriodSeconds",
        "300",
    ),
    Attribute::text("kmsMasterKeyId", "KmsMasterKeyId", ""),
    Attribute::number("maxMessageSize", "MaximumMessageSize", "1048576"),
    Attribute::number(
        "messageRetentionSeconds",
        "MessageRetentionPeriod",
        "345600",
    ),
    Attribute::json("policy", "Policy"),
    Attribute::number(
        "receiveWaitTimeSeconds",
        "ReceiveMessageWaitTimeSeconds",
        "0",
    ),
    Attribute::json("redriveAllowPolicy", "RedriveAllowPolicy"),
    Attribute::json("redrivePolicy", "RedrivePolicy"),
    Attribute::bool("sqsManagedSseEnabled", "SqsManagedSseEnabled", "true"),
    Attribute::number("visibilityTimeoutSeconds", "VisibilityTimeout", "30"),
];

/// The attributes to create a queue with: those that the file gives, `FifoQueue` aside.
pub fn all(props: &impl Serialize) -> Result<Texts, Error> {
    attributes::given(TABLE, props)
}

/// The attributes to send for a change: new values, and defaults for what was removed.
pub fn changed<P: Serialize>(change: &Change<P>) -> Result<Texts, Error> {
    let mut wanted = attributes::changed(TABLE, change)?;
    let fields = fields(&change.new)?;
    // Removing a key turns managed encryption on; where the file says otherwise, it has to be sent
    // again. A key that is set keeps it off.
    match wire(&fields["sqsManagedSseEnabled"]) {
        Some(given) if change.has(&["kmsMasterKeyId"]) => {
            wanted.insert("SqsManagedSseEnabled", given);
        }
        None if wire(&fields["kmsMasterKeyId"]).is_some() => {
            wanted.remove("SqsManagedSseEnabled");
        }
        _ => {}
    }
    Ok(wanted)
}

/// The properties that a queue's attributes represent; name, kind and tags aside.
pub fn parse<P: DeserializeOwned>(live: &QueueAttributes) -> Result<P, Error> {
    attributes::parse(TABLE, "sqs:GetQueueAttributes", |name| {
        live.get(&Name::from(name)).map(String::as_str)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::aws::sqs::queue::Queue;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;
    use std::collections::BTreeSet;

    fn queue(fields: Value) -> Queue {
        serde_json::from_value(fields).unwrap_or_default()
    }

    fn change(new: Value, changed: &[&str]) -> BTreeMap<&'static str, String> {
        let change = Change {
            id: "url".to_owned(),
            old: Queue::default(),
            new: queue(new),
            live: Default::default(),
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
        let live: QueueAttributes = wire
            .into_iter()
            .map(|(name, value)| (Name::from(name), value))
            .collect();
        let read = parse::<Queue>(&live).and_then(|queue| fields(&queue));
        assert_eq!(read.unwrap_or_default().into_value(), sent);
    }

    #[test]
    fn what_was_removed_gets_its_default() {
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

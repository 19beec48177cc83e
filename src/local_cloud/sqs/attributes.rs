//! The attributes of a queue: their types and ranges (SQS API reference, CreateQueue and
//! SetQueueAttributes), what fits together, and what SQS fills in.

use super::{key, refusal};
use crate::local_cloud::service::{ACCOUNT, Refusal, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Attribute names and values, all of them strings as on the wire.
pub(super) type Attributes = BTreeMap<String, String>;

/// What an attribute's string must be.
enum Kind {
    Number(u64, u64),
    Flag,
    OneOf(&'static [&'static str]),
    Policy,
    Redrive,
    RedriveAllow,
    Key,
    /// Set by SQS.
    ReadOnly,
}

use Kind::{Flag, Key, Number, OneOf, Policy, ReadOnly, Redrive, RedriveAllow};

/// The attributes, with what SQS fills in; the last column says whether only FIFO queues
/// have it.
const TABLE: &[(&str, Kind, Option<&str>, bool)] = &[
    ("ApproximateNumberOfMessages", ReadOnly, Some("0"), false),
    (
        "ApproximateNumberOfMessagesDelayed",
        ReadOnly,
        Some("0"),
        false,
    ),
    (
        "ApproximateNumberOfMessagesNotVisible",
        ReadOnly,
        Some("0"),
        false,
    ),
    ("ContentBasedDeduplication", Flag, Some("false"), true),
    ("CreatedTimestamp", ReadOnly, None, false),
    (
        "DeduplicationScope",
        OneOf(&["queue", "messageGroup"]),
        Some("queue"),
        true,
    ),
    ("DelaySeconds", Number(0, 900), Some("0"), false),
    ("FifoQueue", Flag, None, true),
    (
        "FifoThroughputLimit",
        OneOf(&["perQueue", "perMessageGroupId"]),
        Some("perQueue"),
        true,
    ),
    (
        "KmsDataKeyReusePeriodSeconds",
        Number(60, 86_400),
        None,
        false,
    ),
    ("KmsMasterKeyId", Key, None, false),
    ("LastModifiedTimestamp", ReadOnly, None, false),
    (
        "MaximumMessageSize",
        Number(1024, 1_048_576),
        Some("1048576"),
        false,
    ),
    (
        "MessageRetentionPeriod",
        Number(60, 1_209_600),
        Some("345600"),
        false,
    ),
    ("Policy", Policy, None, false),
    ("QueueArn", ReadOnly, None, false),
    (
        "ReceiveMessageWaitTimeSeconds",
        Number(0, 20),
        Some("0"),
        false,
    ),
    ("RedriveAllowPolicy", RedriveAllow, None, false),
    ("RedrivePolicy", Redrive, None, false),
    ("SqsManagedSseEnabled", Flag, None, false),
    ("VisibilityTimeout", Number(0, 43_200), Some("30"), false),
];

/// Whether there is an attribute of this name.
pub(super) fn exists(name: &str) -> bool {
    TABLE.iter().any(|row| row.0 == name)
}

/// Where a queue is, for the checks that read other queues.
pub(super) struct Place<'s> {
    pub(super) region: &'s str,
    pub(super) arn: &'s str,
    pub(super) store: &'s dyn Store,
}

fn invalid(name: &str, reason: &str) -> Refusal {
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(" Reason: {reason}")
    };
    refusal(
        "InvalidAttributeValue",
        format!("Invalid value for the parameter {name}.{reason}"),
    )
}

/// Puts `sent` attributes over those a queue has (none of them for a new one), as SQS would: each
/// one checked, an empty string clears, the encryption settings follow each other, defaults are
/// filled in.
pub(super) fn merge(
    mut all: Attributes,
    sent: &Attributes,
    fifo: bool,
    place: &Place<'_>,
) -> Result<Attributes, Refusal> {
    for (name, value) in sent {
        match check(name, value, fifo, place)? {
            Some(value) => all.insert(name.clone(), value),
            None => all.remove(name),
        };
    }
    for (name, _, default, fifo_only) in TABLE {
        if let Some(default) = default
            && (fifo || !fifo_only)
        {
            all.entry((*name).to_owned())
                .or_insert_with(|| (*default).to_owned());
        }
    }
    encryption(&mut all, sent)?;
    let is = |name: &str, value: &str| all.get(name).is_some_and(|text| text == value);
    if is("FifoThroughputLimit", "perMessageGroupId") && is("DeduplicationScope", "queue") {
        return Err(invalid(
            "FifoThroughputLimit",
            "perMessageGroupId can be set only where DeduplicationScope is messageGroup.",
        ));
    }
    Ok(all)
}

/// A queue is encrypted by SQS, by a KMS key, or not at all. A new key switches SQS's own
/// encryption off; a cleared key switches it on again.
fn encryption(all: &mut Attributes, sent: &Attributes) -> Result<(), Refusal> {
    let managed = sent.get("SqsManagedSseEnabled").map(String::as_str);
    if all.contains_key("KmsMasterKeyId") {
        if managed == Some("true") {
            return Err(refusal(
                "InvalidAttributeValue",
                "You can use one type of server-side encryption (SSE) at one time. You can \
                 either enable KMS SSE or SQS SSE.",
            ));
        }
        all.insert("SqsManagedSseEnabled".to_owned(), "false".to_owned());
        all.entry("KmsDataKeyReusePeriodSeconds".to_owned())
            .or_insert_with(|| "300".to_owned());
        return Ok(());
    }
    all.remove("KmsDataKeyReusePeriodSeconds");
    let cleared = sent.contains_key("KmsMasterKeyId") && managed.is_none();
    if cleared || !all.contains_key("SqsManagedSseEnabled") {
        all.insert("SqsManagedSseEnabled".to_owned(), "true".to_owned());
    }
    Ok(())
}

/// The value as SQS keeps it; none where it is cleared.
fn check(
    name: &str,
    value: &str,
    fifo: bool,
    place: &Place<'_>,
) -> Result<Option<String>, Refusal> {
    let unknown = || refusal("InvalidAttributeName", format!("Unknown Attribute {name}."));
    let (_, kind, _, fifo_only) = TABLE.iter().find(|row| row.0 == name).ok_or_else(unknown)?;
    if *fifo_only && !fifo {
        return Err(unknown());
    }
    let good = match kind {
        ReadOnly => return Err(unknown()),
        Number(least, most) => value
            .parse::<u64>()
            .is_ok_and(|number| (*least..=*most).contains(&number)),
        // SQS knows "true" only: a standard queue is one without the attribute.
        Flag if name == "FifoQueue" => value == "true",
        Flag => matches!(value, "true" | "false"),
        OneOf(values) => values.contains(&value),
        Policy | Redrive | RedriveAllow | Key if value.is_empty() => return Ok(None),
        Policy => {
            policy(value)?;
            true
        }
        Redrive => return redrive(value, fifo, place).map(Some),
        RedriveAllow => {
            redrive_allow(value)?;
            true
        }
        Key => value.len() <= 2048 && !value.contains(char::is_whitespace),
    };
    if good {
        Ok(Some(value.to_owned()))
    } else {
        Err(invalid(name, ""))
    }
}

fn policy(text: &str) -> Result<(), Refusal> {
    let document: Value =
        serde_json::from_str(text).map_err(|_| invalid("Policy", "It is not valid JSON."))?;
    let statements = match document.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    };
    if statements.is_empty() {
        return Err(invalid("Policy", "It has no Statement."));
    }
    for statement in statements {
        let has = |names: &[&str]| names.iter().any(|name| statement.get(name).is_some());
        if !matches!(
            statement.get("Effect").and_then(Value::as_str),
            Some("Allow" | "Deny")
        ) {
            return Err(invalid(
                "Policy",
                "A statement's Effect is not Allow or Deny.",
            ));
        }
        if !has(&["Principal", "NotPrincipal"]) {
            return Err(invalid("Policy", "A statement has no Principal."));
        }
        if !has(&["Action", "NotAction"]) {
            return Err(invalid("Policy", "A statement has no Action."));
        }
    }
    Ok(())
}

/// A redrive policy names an existing queue of the same kind, region and account that lets
/// this queue use it; its count is kept as a number.
fn redrive(text: &str, fifo: bool, place: &Place<'_>) -> Result<String, Refusal> {
    let fail = |reason: &str| {
        refusal(
            "InvalidParameterValue",
            format!("Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}"),
        )
    };
    let Ok(Value::Object(policy)) = serde_json::from_str(text) else {
        return Err(fail("Redrive policy is not a valid JSON map."));
    };
    if policy
        .keys()
        .any(|name| !matches!(name.as_str(), "deadLetterTargetArn" | "maxReceiveCount"))
    {
        return Err(fail(
            "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].",
        ));
    }
    let Some(target) = policy.get("deadLetterTargetArn").and_then(Value::as_str) else {
        return Err(fail(
            "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.",
        ));
    };
    let count = match policy.get("maxReceiveCount") {
        None => Some(10),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
    };
    let Some(count) = count.filter(|count| (1..=1000).contains(count)) else {
        return Err(fail(
            "Invalid value for maxReceiveCount: it must be between 1 and 1000.",
        ));
    };
    let parts: Vec<&str> = target.split(':').collect();
    let ["arn", _, "sqs", region, account, name] = parts[..] else {
        return Err(fail("Invalid value for deadLetterTargetArn."));
    };
    if region != place.region || account != ACCOUNT {
        return Err(fail(
            "Dead-letter target owner should be same as the source.",
        ));
    }
    let Some(queue) = place.store.get(&key(region, name)) else {
        return Err(fail("Dead letter target does not exist."));
    };
    if name.ends_with(".fifo") != fifo {
        return Err(fail(
            "Dead-letter queue must be same type of queue as the source.",
        ));
    }
    if !admits(&queue, place.arn) {
        return Err(fail(
            "The dead-letter queue's redrive allow policy does not admit the source queue.",
        ));
    }
    Ok(json!({"deadLetterTargetArn": target, "maxReceiveCount": count}).to_string())
}

/// Whether a queue takes the messages of another one, by its redrive allow policy.
pub(super) fn admits(queue: &Value, source: &str) -> bool {
    let Some(policy) = queue
        .pointer("/attributes/RedriveAllowPolicy")
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
    else {
        return true;
    };
    match policy.get("redrivePermission").and_then(Value::as_str) {
        Some("denyAll") => false,
        Some("byQueue") => policy
            .get("sourceQueueArns")
            .and_then(Value::as_array)
            .is_some_and(|list| list.iter().any(|arn| arn == source)),
        _ => true,
    }
}

fn redrive_allow(text: &str) -> Result<(), Refusal> {
    let fail = |reason: &str| {
        refusal(
            "InvalidParameterValue",
            format!("Value {text} for parameter RedriveAllowPolicy is invalid. Reason: {reason}"),
        )
    };
    let Ok(Value::Object(policy)) = serde_json::from_str(text) else {
        return Err(fail(
            "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.",
        ));
    };
    if policy
        .keys()
        .any(|name| !matches!(name.as_str(), "redrivePermission" | "sourceQueueArns"))
    {
        return Err(fail(
            "Only following attributes are supported: [redrivePermission, sourceQueueArns].",
        ));
    }
    let sources = policy.get("sourceQueueArns");
    match policy.get("redrivePermission").and_then(Value::as_str) {
        Some("allowAll" | "denyAll") if sources.is_none() => Ok(()),
        Some("allowAll" | "denyAll") => Err(fail(
            "sourceQueueArns can be given only with the permission byQueue.",
        )),
        Some("byQueue") => {
            let list = sources.and_then(Value::as_array);
            let good = |list: &Vec<Value>| {
                (1..=10).contains(&list.len())
                    && list
                        .iter()
                        .all(|arn| arn.as_str().is_some_and(|arn| arn.contains(":sqs:")))
            };
            if list.is_some_and(good) {
                Ok(())
            } else {
                Err(fail("sourceQueueArns must hold 1 to 10 queue ARNs."))
            }
        }
        _ => Err(fail(
            "redrivePermission must be one of allowAll, denyAll, byQueue.",
        )),
    }
}

/// The names among the `sent` attributes whose value differs from what the queue has.
/// JSON documents are compared by content.
pub(super) fn differing<'s>(
    sent: &'s Attributes,
    checked: &Attributes,
    existing: &Attributes,
) -> Vec<&'s str> {
    sent.keys()
        .filter(|name| {
            let (new, old) = (checked.get(*name), existing.get(*name));
            let parsed = |text: Option<&String>| -> Option<Value> {
                text.and_then(|text| serde_json::from_str(text).ok())
            };
            new != old && (new.is_none() || old.is_none() || parsed(new) != parsed(old))
        })
        .map(String::as_str)
        .collect()
}

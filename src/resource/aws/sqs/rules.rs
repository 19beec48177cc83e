//! Rules on queues that a schema cannot say.

use crate::resource::author::*;
use crate::resource::aws::fifo::Fifo;
use crate::resource::aws::policy_check::{self, Kind};
use crate::resource::document::parse;

/// The longest policy a queue takes, in characters. No quota is published; the attribute
/// is bound by the size of a request.
const POLICY_LIMIT: usize = 200_000;

/// What is FIFO among queues.
pub(crate) const QUEUE: Fifo = Fifo {
    thing: "queue",
    flag: "fifoQueue",
    only: &[
        "contentBasedDeduplication",
        "deduplicationScope",
        "fifoThroughputLimit",
    ],
    codes: ["SK0301", "SK0302", "SK0303"],
};

/// The rules of `aws:sqs:Queue`.
pub fn of_queue(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = kind(rules);
    broken.extend(encryption(rules));
    broken.extend(redrive_policy(rules));
    broken.extend(redrive_allow_policy(rules));
    broken.extend(policy(rules));
    broken
}

/// The rules on a queue's `policy`.
pub fn policy(rules: &Rules<'_>) -> Vec<Broken> {
    let at = Path::root().join("policy");
    policy_check::rules(rules, &at, Kind::Resource, POLICY_LIMIT)
}

fn kind(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = QUEUE.rules(rules);
    if QUEUE.is(rules).is_none() {
        return broken;
    }
    let scope_known =
        rules.known("deduplicationScope").is_some() || !rules.given("deduplicationScope");
    if rules.known("fifoThroughputLimit") == Some(&Value::from("perMessageGroupId"))
        && scope_known
        && rules.known("deduplicationScope") != Some(&Value::from("messageGroup"))
    {
        broken.push(
            Broken::at(
                "fifoThroughputLimit",
                "fifoThroughputLimit: perMessageGroupId needs deduplicationScope: messageGroup.",
            )
            .code("SK0304"),
        );
    }
    broken
}

fn encryption(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let has_key =
        rules.given("kmsMasterKeyId") && rules.known("kmsMasterKeyId") != Some(&Value::from(""));
    if has_key && rules.known("sqsManagedSseEnabled") == Some(&Value::Bool(true)) {
        broken.push(Broken::at(
            "sqsManagedSseEnabled",
            "sqsManagedSseEnabled and kmsMasterKeyId exclude each other: a queue has one kind of encryption.",
        ).code("SK0305"));
    }
    if !has_key && rules.given("kmsDataKeyReusePeriodSeconds") {
        broken.push(Broken::at(
            "kmsDataKeyReusePeriodSeconds",
            "kmsDataKeyReusePeriodSeconds has no effect without kmsMasterKeyId, and SQS does not return it: take it out.",
        ).code("SK0306"));
    }
    broken
}

/// A document property that is given and known in its outline, parsed.
fn outline(rules: &Rules<'_>, name: &str) -> Option<(Value, bool)> {
    match rules.known(name)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some((parse(text), true)),
        value => Some((value.clone(), false)),
    }
}

fn redrive_policy(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::from_iter(target_kind(rules));
    let Some((value, _)) = outline(rules, "redrivePolicy") else {
        return broken;
    };
    let Value::Object(map) = &value else {
        broken.push(Broken::at(
            "redrivePolicy",
            "redrivePolicy is an object with deadLetterTargetArn and maxReceiveCount, or that as a JSON string.",
        ).code("SK0307"));
        return broken;
    };
    if map.is_empty() {
        return broken;
    }
    if !map.contains_key("deadLetterTargetArn") {
        broken.push(Broken::at(
            "redrivePolicy",
            "redrivePolicy needs deadLetterTargetArn: the ARN of the queue that gets the messages.",
        ).code("SK0307"));
    }
    let count = map.get("maxReceiveCount").filter(|value| !value.is_null());
    let count_fits = count.is_none_or(|value| {
        let number = value
            .as_u64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        number.is_some_and(|number| (1..=1000).contains(&number))
    });
    if !count_fits {
        broken.push(
            Broken::at(
                "redrivePolicy",
                "maxReceiveCount is an integer from 1 to 1000.",
            )
            .code("SK0307"),
        );
    }
    broken.extend(unknown_keys(
        "redrivePolicy",
        map.keys(),
        &["deadLetterTargetArn", "maxReceiveCount"],
    ));
    broken
}

/// A dead letter queue is of the same kind as the queue it serves.
fn target_kind(rules: &Rules<'_>) -> Option<Broken> {
    let at = Path::root().join("redrivePolicy");
    let (type_name, target) =
        (rules.peer)(&at.join("deadLetterTargetArn")).or_else(|| (rules.peer)(&at))?;
    if type_name != "aws:sqs:Queue" {
        return Some(
            Broken::new(
                at,
                format!("The dead letter target of a queue is a queue, not {type_name}."),
            )
            .code("SK0308"),
        );
    }
    let target = Rules {
        props: target,
        peer: &none,
    };
    let (own, other) = (QUEUE.is(rules)?, QUEUE.is(&target)?);
    let word = |fifo: bool| if fifo { "FIFO" } else { "standard" };
    (own != other).then(|| {
        Broken::new(
            at,
            format!(
                "The dead letter queue of a {} queue must be {} too; the one named is {}.",
                word(own),
                word(own),
                word(other)
            ),
        )
        .code("SK0308")
    })
}

fn none<'a>(_: &Path) -> Option<(&'static str, &'a Data)> {
    None
}

fn redrive_allow_policy(rules: &Rules<'_>) -> Vec<Broken> {
    const NAME: &str = "redriveAllowPolicy";
    let mut broken = Vec::new();
    let Some((value, as_text)) = outline(rules, NAME) else {
        return broken;
    };
    let Value::Object(map) = &value else {
        broken.push(
            Broken::at(
                NAME,
                "redriveAllowPolicy is an object with redrivePermission, or that as a JSON string.",
            )
            .code("SK0309"),
        );
        return broken;
    };
    if map.is_empty() {
        return broken;
    }
    let at = Path::root().join(NAME);
    let unknown = |key: &str| !as_text && rules.props.unknown_at(&at.join(key)).is_some();
    let permission = map.get("redrivePermission").and_then(Value::as_str);
    if !unknown("redrivePermission")
        && !matches!(permission, Some("allowAll" | "denyAll" | "byQueue"))
    {
        broken.push(
            Broken::at(
                NAME,
                "redriveAllowPolicy needs redrivePermission: allowAll, denyAll or byQueue.",
            )
            .code("SK0309"),
        );
    }
    let sources = map.get("sourceQueueArns");
    let count = sources.and_then(Value::as_array).map(Vec::len);
    let has_sources = unknown("sourceQueueArns") || count.is_some_and(|count| count > 0);
    if permission == Some("byQueue") && !has_sources {
        broken.push(
            Broken::at(
                NAME,
                "redrivePermission: byQueue needs sourceQueueArns, a list of ARNs.",
            )
            .code("SK0309"),
        );
    }
    if matches!(permission, Some("allowAll" | "denyAll")) && has_sources {
        broken.push(
            Broken::at(
                NAME,
                "sourceQueueArns goes with redrivePermission: byQueue only.",
            )
            .code("SK0309"),
        );
    }
    if count.is_some_and(|count| count > 10) {
        broken.push(Broken::at(NAME, "sourceQueueArns takes 10 ARNs at most.").code("SK0309"));
    }
    broken.extend(unknown_keys(
        NAME,
        map.keys(),
        &["redrivePermission", "sourceQueueArns"],
    ));
    broken
}

fn unknown_keys<'k>(
    property: &str,
    keys: impl Iterator<Item = &'k String>,
    known: &[&str],
) -> Vec<Broken> {
    keys.filter(|key| !known.contains(&key.as_str()))
        .map(|key| {
            Broken::at(
                property,
                format!(
                    "\"{key}\" is not part of {property}: it has {}.",
                    known.join(" and ")
                ),
            )
            .code(match property {
                "redrivePolicy" => "SK0307",
                _ => "SK0309",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Resource;
    use crate::resource::aws::sqs::queue::Queue;
    use serde_json::json;

    fn said(props: Value) -> Vec<String> {
        let props = Data::from(props);
        let found = Queue::all_rules(&Rules {
            props: &props,
            peer: &none,
        });
        found
            .into_iter()
            .map(|broken| broken.path.to_string())
            .collect()
    }

    #[test]
    fn sound_queues_pass() {
        for props in [
            json!({}),
            json!({"name": "a.fifo", "fifoQueue": true, "sqsManagedSseEnabled": true}),
            json!({"fifoQueue": true, "deduplicationScope": "messageGroup", "fifoThroughputLimit": "perMessageGroupId"}),
            json!({"kmsMasterKeyId": "alias/x", "sqsManagedSseEnabled": false, "kmsDataKeyReusePeriodSeconds": 60}),
            json!({"redrivePolicy": "{\"deadLetterTargetArn\":\"a\",\"maxReceiveCount\":\"4\"}"}),
            json!({"redriveAllowPolicy": {"redrivePermission": "byQueue", "sourceQueueArns": ["a"]}}),
        ] {
            assert_eq!(said(props.clone()), [""; 0], "{props}");
        }
    }

    #[test]
    fn each_broken_rule_is_said_at_its_property() {
        for (props, at) in [
            (json!({"name": "a", "fifoQueue": true}), "name"),
            (json!({"name": "a.fifo"}), "name"),
            (json!({"name": "a", "namePrefix": "b"}), "namePrefix"),
            (json!({"deduplicationScope": "queue"}), "deduplicationScope"),
            (
                json!({"fifoQueue": true, "fifoThroughputLimit": "perMessageGroupId"}),
                "fifoThroughputLimit",
            ),
            (
                json!({"kmsMasterKeyId": "x", "sqsManagedSseEnabled": true}),
                "sqsManagedSseEnabled",
            ),
            (
                json!({"kmsDataKeyReusePeriodSeconds": 60}),
                "kmsDataKeyReusePeriodSeconds",
            ),
            (
                json!({"redrivePolicy": {"maxReceiveCount": 1}}),
                "redrivePolicy",
            ),
            (
                json!({"redrivePolicy": {"deadLetterTargetArn": "a", "maxReceiveCount": 0}}),
                "redrivePolicy",
            ),
            (
                json!({"redriveAllowPolicy": {"redrivePermission": "byQueue"}}),
                "redriveAllowPolicy",
            ),
            (
                json!({"redriveAllowPolicy": {"redrivePermission": "denyAll", "sourceQueueArns": ["a"]}}),
                "redriveAllowPolicy",
            ),
            (
                json!({"policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*"}]}}),
                "policy.Statement[0]",
            ),
        ] {
            assert_eq!(said(props.clone()), [at], "{props}");
        }
    }

    #[test]
    fn a_dead_letter_queue_is_of_the_same_kind() {
        let dlq = Data::from(json!({"fifoQueue": true}));
        let mut props = Data::from(json!({"redrivePolicy": {"maxReceiveCount": 3}}));
        let target = Path::pointer("/redrivePolicy/deadLetterTargetArn");
        props.set(&target, Data::unknown("${dlq.arn}"));
        let peer = |path: &Path| (*path == target).then_some(("aws:sqs:Queue", &dlq));
        let broken = Queue::all_rules(&Rules {
            props: &props,
            peer: &peer,
        });
        assert_eq!(broken.len(), 1);
        assert!(broken[0].message.contains("must be standard too"));
        let mut props = props.clone();
        props.set(&Path::pointer("/fifoQueue"), Data::from(json!(true)));
        assert_eq!(
            Queue::all_rules(&Rules {
                props: &props,
                peer: &peer
            }),
            []
        );
    }
}

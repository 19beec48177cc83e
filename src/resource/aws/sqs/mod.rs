//! What the SQS types share: attributes on the wire, and waiting until they are in force.

pub mod attribute;
pub mod queue;
pub mod queue_policy;
pub mod rules;

use super::policy::canonical;
use crate::resource::author::*;
use crate::resource::document::parse;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// The codes for a queue that does not exist: with and without the query-compatible header.
pub const NOT_FOUND: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
];

/// How a queue is imported, and what belongs to it.
pub(crate) const BY_URL: Import = Import::Other(
    "the queue's URL, such as `https://sqs.us-west-2.amazonaws.com/123456789012/orders`",
    import_id::queue_url,
);

/// How long a new queue may be unknown to reads.
pub const CREATE_LAG: Duration = Duration::from_secs(20);

/// How long changed attributes may take (message retention up to 15 minutes, which is not
/// waited for: reads show it at once).
pub const CHANGE_LAG: Duration = Duration::from_secs(60);

/// A queue's attributes as on the wire.
pub type QueueAttributes = HashMap<Name, String>;

/// Refusals of a write that pass: throttling, a queue just created, a principal just created.
pub fn unseen(error: &Error) -> Option<Reason> {
    if error.effect() != Effect::None {
        return None;
    }
    if error.is(NOT_FOUND) {
        return Some("a new queue takes a few seconds".into());
    }
    principal_unseen(error)
}

/// A policy that names a principal SQS does not see yet, or throttling.
pub fn principal_unseen(error: &Error) -> Option<Reason> {
    (error.effect() == Effect::None
        && error.is(&["InvalidAttributeValue"])
        && error.message().contains("parameter Policy"))
    .then_some(Reason::created("a new principal takes up to a minute"))
    .or_else(|| throttled(error).map(Reason::from))
}

/// What waits out [`unseen`].
pub(crate) const UNSEEN: Waits<Reason> = (CREATE_LAG, unseen);

/// What waits out throttling, of a change.
pub(crate) const SLOWED: Waits = (CHANGE_LAG, throttled);

/// All attributes of the queue, or those named; none when the queue does not exist. A host of SQS
/// that has not heard of the whole queue returns less: that reply does not count, and the read is
/// retried.
///
/// # Errors
/// When the call fails, or no whole reply comes within [`CHANGE_LAG`].
pub async fn attributes(cx: &Cx, url: &str, names: Name) -> Result<Option<QueueAttributes>, Error> {
    let fifo = name_in_url(url).ends_with(".fifo");
    let mut asked = vec![names];
    if asked != [Name::All] {
        asked.push(Name::QueueArn);
        asked.extend(fifo.then_some(Name::FifoQueue));
    }
    let call = cx.aws.sqs().get_queue_attributes().queue_url(url);
    let call = call.set_attribute_names(Some(asked));
    cx.until("SQS to show the whole queue", CHANGE_LAG, || async {
        let Some(reply) = send!(call.clone(), "sqs:GetQueueAttributes", none: NOT_FOUND)? else {
            return Ok(None);
        };
        let live = reply.attributes.unwrap_or_default();
        match lacking(&live, fifo) {
            Some(name) => Err(Wait::NotYet(format!("a reply without {}", name.as_str()))),
            None => Ok(Some(live)),
        }
    })
    .await
}

/// What every whole reply has and this one lacks.
fn lacking(live: &QueueAttributes, fifo: bool) -> Option<Name> {
    let needed = [Some(Name::QueueArn), fifo.then_some(Name::FifoQueue)];
    needed
        .into_iter()
        .flatten()
        .find(|name| !live.contains_key(name))
}

/// Waits until SQS has shown the attributes as they were sent with a create, once.
pub async fn wait_until_visible(
    cx: &Cx,
    url: &str,
    wanted: &BTreeMap<&'static str, String>,
) -> Result<(), Error> {
    cx.until("SQS to show the new queue", CHANGE_LAG, || async {
        let differing = match attributes(cx, url, Name::All).await? {
            Some(live) => first_difference(wanted, &live),
            None => Some("no such queue".to_owned()),
        };
        differing.map_or(Ok(()), |seen| Err(Wait::NotYet(seen)))
    })
    .await
}

/// When a change counts as in force: its hosts return different replies for up to a minute, so that
/// equal replies count only over a while (the Terraform provider wants six, five seconds apart).
#[derive(Debug, Default)]
struct InForce(Mutex<Option<Instant>>);

impl InForce {
    /// Records whether a reply shows the change; returns whether replies have shown it without a
    /// break for `spread`, twice at least.
    fn saw(&self, shown: bool, now: Instant, spread: Duration) -> bool {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !shown {
            *since = None;
            return false;
        }
        match *since {
            None => {
                *since = Some(now);
                false
            }
            Some(first) => now.duration_since(first) >= spread,
        }
    }
}

/// The tags of a queue; none when the queue does not exist.
pub async fn tags(cx: &Cx, url: &str) -> Result<Option<HashMap<String, String>>, Error> {
    let call = cx.aws.sqs().list_queue_tags().queue_url(url);
    let reply = send!(call, "sqs:ListQueueTags", none: NOT_FOUND)?;
    Ok(reply.map(|reply| reply.tags.unwrap_or_default()))
}

/// Sets attributes and waits until the queue has shown them for a while.
pub async fn set_attributes(
    cx: &Cx,
    url: &str,
    wanted: &BTreeMap<&'static str, String>,
) -> Result<(), Error> {
    let map: QueueAttributes = wanted
        .iter()
        .map(|(name, value)| (Name::from(*name), value.clone()))
        .collect();
    let call = cx.aws.sqs().set_queue_attributes().queue_url(url);
    let call = call.set_attributes(Some(map));
    send!(cx, call, "sqs:SetQueueAttributes", wait: UNSEEN)?;
    if cx.made_id().is_none() {
        // What is created by attributes exists from here on.
        cx.made(url, Attributes::new(json!({"id": url})));
    }
    let in_force = InForce::default();
    cx.until(
        "the queue to show its new attributes",
        CHANGE_LAG,
        || async {
            let differing = match attributes(cx, url, Name::All).await? {
                Some(live) => first_difference(wanted, &live),
                None => Some("no such queue".to_owned()),
            };
            let shown = in_force.saw(differing.is_none(), Instant::now(), cx.aws.agreement());
            match differing {
                Some(differing) => Err(Wait::NotYet(differing)),
                None if shown => Ok(()),
                None => Err(Wait::NotYet("shown, not by all hosts yet".to_owned())),
            }
        },
    )
    .await
}

/// The first attribute that is not yet as it was sent, with what it is.
fn first_difference(
    wanted: &BTreeMap<&'static str, String>,
    live: &QueueAttributes,
) -> Option<String> {
    wanted.iter().find_map(|(name, value)| {
        let seen = live.get(&Name::from(*name)).map_or("", String::as_str);
        // The period is returned only where a KMS key is set.
        let hidden = *name == "KmsDataKeyReusePeriodSeconds" && seen.is_empty();
        (!hidden && !same(name, value, seen)).then(|| format!("{name} is \"{seen}\""))
    })
}

/// Whether two values of an attribute mean the same.
pub fn same(name: &str, one: &str, other: &str) -> bool {
    let text = |value: &str| json!(value);
    match name {
        "Policy" => canonical(&text(one)) == canonical(&text(other)),
        "RedrivePolicy" | "RedriveAllowPolicy" => redrive(&text(one)) == redrive(&text(other)),
        _ => one == other,
    }
}

/// The canonical form of a redrive (allow) policy: parsed, `maxReceiveCount` a number (10 where it
/// is omitted beside a target), `sourceQueueArns` in order.
pub fn redrive(value: &Value) -> Value {
    let parsed = match value {
        Value::String(text) => parse(text),
        other => other.clone(),
    };
    let Value::Object(mut map) = parsed else {
        return parsed;
    };
    if let Some(Value::String(count)) = map.get("maxReceiveCount")
        && let Ok(count) = count.parse::<u64>()
    {
        map.insert("maxReceiveCount".to_owned(), json!(count));
    }
    if map.contains_key("deadLetterTargetArn") {
        map.entry("maxReceiveCount").or_insert_with(|| json!(10));
    }
    if let Some(Value::Array(list)) = map.get_mut("sourceQueueArns") {
        list.sort_by_cached_key(Value::to_string);
        list.dedup();
        if list.is_empty() {
            map.remove("sourceQueueArns");
        }
    }
    Value::Object(Map::from_iter(map))
}

/// The name in a queue's URL.
pub fn name_in_url(url: &str) -> &str {
    url.trim_end_matches('/').rsplit('/').next().unwrap_or(url)
}

/// The account in a queue's URL, where its place holds 12 digits.
pub fn account_in_url(url: &str) -> Option<&str> {
    let account = url.trim_end_matches('/').rsplit('/').nth(1)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQS accepts a count as a string as well, and returns it as it was.
    #[test]
    fn a_redrive_policy_has_one_form() {
        let three = json!({"deadLetterTargetArn": "a", "maxReceiveCount": 3});
        for same in [
            json!({"deadLetterTargetArn": "a", "maxReceiveCount": "3"}),
            json!(r#"{"maxReceiveCount": "3", "deadLetterTargetArn": "a"}"#),
        ] {
            assert_eq!(redrive(&same), three);
        }
        let ten = json!({"deadLetterTargetArn": "a", "maxReceiveCount": 10});
        assert_eq!(redrive(&json!({"deadLetterTargetArn": "a"})), ten);
        let word = json!({"deadLetterTargetArn": "a", "maxReceiveCount": "x"});
        assert_eq!(redrive(&word), word);
        let all = json!({"redrivePermission": "allowAll"});
        let none = json!({"redrivePermission": "allowAll", "sourceQueueArns": []});
        assert_eq!(redrive(&none), all);
        let two = json!({"sourceQueueArns": ["b", "a", "b"]});
        assert_eq!(redrive(&two), json!({"sourceQueueArns": ["a", "b"]}));
    }

    #[test]
    fn an_account_has_twelve_digits() {
        let of = |url| account_in_url(url);
        let real = "https://sqs.us-west-2.amazonaws.com/123456789012/orders";
        assert_eq!(of(real), Some("123456789012"));
        assert_eq!(of("http://localhost:9324/queues/orders"), None);
        // A host or a folder of twelve characters is none.
        assert_eq!(of("http://queue-system/orders"), None);
        assert_eq!(of("http://localhost/12345678901/orders"), None);
    }

    #[test]
    fn half_an_answer_is_none() {
        let arn = (Name::QueueArn, "a".to_owned());
        let fifo = (Name::FifoQueue, "true".to_owned());
        assert_eq!(
            lacking(&QueueAttributes::new(), false),
            Some(Name::QueueArn)
        );
        assert_eq!(lacking(&QueueAttributes::from([arn.clone()]), false), None);
        let half = QueueAttributes::from([arn.clone()]);
        assert_eq!(lacking(&half, true), Some(Name::FifoQueue));
        assert_eq!(lacking(&QueueAttributes::from([arn, fifo]), true), None);
    }

    #[test]
    fn a_change_is_in_force_when_it_was_visible_for_a_while() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let spread = Duration::from_secs(10);
        let seen = InForce::default();
        let answers = [
            (0, true),
            (4, true),
            (6, false),
            (7, true),
            (16, true),
            (17, true),
        ];
        let in_force = answers.map(|(when, shown)| seen.saw(shown, at(when), spread));
        assert_eq!(in_force, [false, false, false, false, false, true]);
        let quick = InForce::default();
        assert!(!quick.saw(true, at(0), Duration::ZERO));
        assert!(quick.saw(true, at(0), Duration::ZERO));
    }

    #[test]
    fn attributes_are_compared_by_what_they_mean() {
        assert!(same("VisibilityTimeout", "30", "30"));
        assert!(!same("VisibilityTimeout", "30", "60"));
        let sent = r#"{"Statement":{"Effect":"Allow","Action":"sqs:*"}}"#;
        let seen = r#"{"Statement":[{"Action":["sqs:*"],"Effect":"Allow"}]}"#;
        assert!(same("Policy", sent, seen));
        assert!(!same("Policy", sent, ""));
        let sent = r#"{"deadLetterTargetArn":"a","maxReceiveCount":"4"}"#;
        let seen = r#"{"maxReceiveCount":4,"deadLetterTargetArn":"a"}"#;
        assert!(same("RedrivePolicy", sent, seen));
        assert!(!same(
            "RedrivePolicy",
            sent,
            r#"{"deadLetterTargetArn":"a"}"#
        ));
    }

    #[test]
    fn a_cleared_attribute_is_an_absent_one() {
        let wanted = BTreeMap::from([
            ("RedrivePolicy", String::new()),
            ("KmsDataKeyReusePeriodSeconds", "600".to_owned()),
        ]);
        assert_eq!(first_difference(&wanted, &QueueAttributes::new()), None);
        let live = QueueAttributes::from([(Name::RedrivePolicy, "{}".to_owned())]);
        assert!(first_difference(&wanted, &live).is_some());
    }

    #[test]
    fn a_url_contains_account_and_name() {
        let url = "https://sqs.us-west-2.amazonaws.com/123456789012/a.fifo";
        assert_eq!(name_in_url(url), "a.fifo");
        assert_eq!(account_in_url(url), Some("123456789012"));
        assert_eq!(account_in_url("http://localhost/queue/a"), None);
    }

    #[test]
    fn redrive_policies_have_one_form() {
        assert_eq!(
            redrive(&json!({"redrivePermission": "byQueue", "sourceQueueArns": ["b", "a"]})),
            redrive(&json!(
                r#"{"sourceQueueArns":["a","b"],"redrivePermission":"byQueue"}"#
            )),
        );
        assert_eq!(
            redrive(&json!({"deadLetterTargetArn": "a"})),
            json!({"deadLetterTargetArn": "a", "maxReceiveCount": 10}),
        );
    }
}

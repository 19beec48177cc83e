//! `aws:sqs:Queue`.

use crate::resource::aws::listing;
use crate::resource::aws::physical_name::{Given, Naming};
use crate::resource::aws::sqs::{self, Attributes, attribute, rules as queue_rules};
use crate::resource::aws::tags::{self, tag_diff};
use crate::resource::contents::Contents;
use crate::resource::context::{Cx, Draw, throttled, user_tags};
use crate::resource::document::{Document, Policy};
use crate::resource::error::{CallResult, Effect, Error};
use crate::resource::import_id::{self, Imported};
use crate::resource::relation::Parent;
use crate::resource::spread::Reason;
use crate::resource::{Broken, Change, Known, Live, Made, New, Resource, Rules, outputs_of};
use aws_sdk_sqs::operation::create_queue::builders::CreateQueueFluentBuilder;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// How long a name is blocked after a queue of that name was deleted (60 s), and some.
const NAME_BLOCKED: Duration = Duration::from_secs(90);
/// What the name of a FIFO queue ends in.
const FIFO: &str = ".fifo";

const NAMING: Naming = Naming {
    longest: 80,
    allowed: |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
};

/// An SQS queue, standard or FIFO.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Queue {
    /// The queue's name; a FIFO queue's ends in `.fifo`. Left out: made of the address. A
    /// name cannot be used again for 60 seconds after its queue was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 80),
        regex(pattern = r"^[A-Za-z0-9_-]+(\.fifo)?$"),
        extend("createOnly" = true)
    )]
    pub name: Option<String>,
    /// The beginning of a generated name; excludes `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 68),
        regex(pattern = r"^[A-Za-z0-9_-]+$"),
        extend("createOnly" = true, "prefixOf" = "name", "writeOnly" = true)
    )]
    pub name_prefix: Option<String>,
    /// Whether messages are delivered in order and once (FIFO).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("createOnly" = true, "default" = false))]
    pub fifo_queue: Option<bool>,
    /// FIFO only: whether equal message bodies count as duplicates.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub content_based_deduplication: Option<bool>,
    /// FIFO only: whether duplicates are looked for in the queue or in the message group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["queue", "messageGroup"], "default" = "queue"))]
    pub deduplication_scope: Option<String>,
    /// FIFO only: what the throughput quota counts for; `perMessageGroupId` needs
    /// `deduplicationScope: messageGroup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["perQueue", "perMessageGroupId"], "default" = "perQueue"))]
    pub fifo_throughput_limit: Option<String>,
    /// How long a new message stays hidden, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 900), extend("default" = 0))]
    pub delay_seconds: Option<u32>,
    /// The most bytes a message may have. Queues made before August 2025 without a value
    /// have 262144.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 1_048_576), extend("default" = 1_048_576))]
    pub max_message_size: Option<u32>,
    /// How long a message is kept, in seconds. A change may take 15 minutes to have effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 1_209_600), extend("default" = 345_600))]
    pub message_retention_seconds: Option<u32>,
    /// How long a receive waits for a message, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 20), extend("default" = 0))]
    pub receive_wait_time_seconds: Option<u32>,
    /// How long a received message stays hidden from others, in seconds. At least the
    /// timeout of the function that the queue feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 43200), extend("default" = 30))]
    pub visibility_timeout_seconds: Option<u32>,
    /// Who may do what to the queue. Excludes `aws:sqs:QueuePolicy` on the same queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Where messages go that were received `maxReceiveCount` times (10 when left out):
    /// `{deadLetterTargetArn, maxReceiveCount}`. The target is a queue of the same kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrive_policy: Option<Document>,
    /// Which queues may use this one as their dead letter queue:
    /// `{redrivePermission: allowAll | denyAll | byQueue, sourceQueueArns}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"redrivePermission": "allowAll"}))]
    pub redrive_allow_policy: Option<Document>,
    /// The KMS key that encrypts messages: id, ARN or `alias/…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub kms_master_key_id: Option<String>,
    /// How long a data key is used again, in seconds; goes with `kmsMasterKeyId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 86400), extend("default" = 300))]
    pub kms_data_key_reuse_period_seconds: Option<u32>,
    /// Whether messages are encrypted with keys that SQS keeps; excludes `kmsMasterKeyId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true))]
    pub sqs_managed_sse_enabled: Option<bool>,
    /// Tags; three more (`stackctl:…`) mark the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<BTreeMap<String, String>>,
}

/// The outputs of `aws:sqs:Queue`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The queue's URL.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub id: String,
    /// The queue's URL.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub url: String,
    /// The queue's ARN.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub arn: String,
    /// The queue's name.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub name: String,
}

impl Resource for Queue {
    const TYPE: &'static str = "aws:sqs:Queue";
    const IMPORT_ID: &'static str =
        "the queue's URL, such as `https://sqs.us-west-2.amazonaws.com/123456789012/orders`";
    const IDENTITY: &'static [&'static str] = &["name"];
    const PARENTS: &'static [Parent] = &[
        Parent::survives(
            "aws:sqs:Queue",
            "redrivePolicy.deadLetterTargetArn",
            &["arn"],
        ),
        Parent::survives(
            "aws:sqs:Queue",
            "redriveAllowPolicy.sourceQueueArns",
            &["arn"],
        ),
    ];
    type Outputs = Outputs;

    fn import(text: &str) -> Result<Imported, String> {
        import_id::queue_url(text)
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        queue_rules::of_queue(rules)
    }

    fn decide(props: &Value, draw: &mut Draw) -> Map<String, Value> {
        // Whether the ending belongs there is not known yet: null.
        if props.get("fifoQueue").is_some_and(Value::is_null) {
            return Map::new();
        }
        let fifo = props.get("fifoQueue") == Some(&Value::Bool(true));
        NAMING.decide(props, draw, if fifo { FIFO } else { "" })
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        let props = props.to_mut();
        for name in ["redrivePolicy", "redriveAllowPolicy"] {
            if let Some(value) = props.get_mut(name) {
                *value = sqs::redrive(value);
            }
        }
    }

    fn lane(attrs: &Value) -> Option<String> {
        sqs::lane(attrs["url"].as_str())
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let name = props.name_to_be(cx, &new.decided);
        let wanted = wanted_attributes(props)?;
        let sent_attributes = wanted.clone();
        let call = create_call(cx, &name, wanted, props);
        let sent = cx
            .retry(NAME_BLOCKED, creatable, || async {
                call.clone().send().await.call("sqs:CreateQueue")
            })
            .await;
        let reply = match sent {
            Err(error) if error.is(&["QueueNameExists", "QueueAlreadyExists"]) => {
                // Its URL is the import id; where it cannot be told, the answer must do.
                let url = url_of(cx, &name).await.ok().flatten();
                return Err(url.map_or(error, |url| taken(cx, &name, &url)));
            }
            other => other?,
        };
        let url = reply
            .queue_url
            .ok_or_else(|| Error::incomplete("sqs:CreateQueue", "QueueUrl"))?;
        let outputs = outputs(cx, &url).await?;
        cx.made(&url, json!(outputs));
        let (proven, shown) = tokio::join!(
            prove_made(cx, &url),
            sqs::wait_shown(cx, &url, &sent_attributes)
        );
        match proven {
            Ok(true) => shown?,
            // It is somebody else's: nothing was created.
            Ok(false) => {
                cx.take_made();
                cx.flight.nothing_created();
                return Err(taken(cx, &name, &url));
            }
            // Whose it is could not be found out.
            Err(error) => {
                cx.take_made();
                return Err(error);
            }
        }
        Ok(Made { id: url, outputs })
    }

    async fn read(cx: &Cx, id: &str, _attrs: &Value) -> Result<Option<Live<Self, Outputs>>, Error> {
        let tags = async {
            if cx.wants("tags") {
                tags::read(cx, "sqs:ListQueueTags", sqs::tags(cx, id).await)
            } else {
                Ok(None)
            }
        };
        let (live, tags) = tokio::join!(sqs::attributes(cx, id, Name::All), tags);
        let Some(live) = live? else {
            return Ok(None);
        };
        cx.holds(Contents {
            messages: Some(messages(&live)),
            ..Contents::default()
        });
        let mut outputs = outputs(cx, id).await?;
        if let Some(arn) = live.get(&Name::QueueArn) {
            outputs.arn.clone_from(arn);
        }
        let mut props: Self = attribute::parse(&live)?;
        props.name = Some(outputs.name.clone());
        props.fifo_queue = live.get(&Name::FifoQueue).map(|value| value == "true");
        props.tags = user_tags(tags?.unwrap_or_default());
        Ok(Some(Live { props, outputs }))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let wanted = attribute::changed(&change)?;
        if !wanted.is_empty() {
            sqs::set_attributes(cx, &change.id, &wanted).await?;
        }
        if change.has(&["tags"]) {
            update_tags(cx, &change).await?;
        }
        Ok(Made {
            outputs: outputs_of(&change.attrs)?,
            id: change.id,
        })
    }

    async fn delete(cx: &Cx, id: &str, _attrs: &Value) -> Result<(), Error> {
        let call = cx.aws.sqs().delete_queue().queue_url(id);
        cx.retry(sqs::CHANGE_LAG, throttled, || async {
            call.clone()
                .send()
                .await
                .call_unless("sqs:DeleteQueue", sqs::NOT_FOUND)
        })
        .await?;
        Ok(())
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(name) = NAMING.known(cx, known, ending(known)) else {
            return Ok(None);
        };
        let mut url = url_of(cx, &name).await?;
        if url.is_none() {
            // A queue may be unknown for about a second after it was made.
            tokio::time::sleep(cx.aws.real(Duration::from_secs(1))).await;
            url = url_of(cx, &name).await?;
        }
        let Some(url) = url else {
            return Ok(None);
        };
        let tags = match sqs::tags(cx, &url).await {
            Err(error) if tags::is_denied(&error) => {
                return found_untold(cx, known, (&name, url), &error).await;
            }
            other => other?.unwrap_or_default(),
        };
        Ok(is_made(cx, &tags).then_some(url))
    }

    async fn names(cx: &Cx, known: &Known, start: Option<&str>) -> Result<Vec<String>, Error> {
        let generated = NAMING.beginning(&cx.owner.address, ending(known));
        let start = start.unwrap_or(&generated);
        let prefix = Some(start).filter(|start| !start.is_empty());
        listing::all("sqs:ListQueues", |token| async move {
            let call = cx.aws.sqs().list_queues().max_results(1000);
            let call = call.set_queue_name_prefix(prefix.map(str::to_owned));
            let reply = call.set_next_token(token).send().await;
            let reply = reply.call("sqs:ListQueues")?;
            let urls = reply.queue_urls.unwrap_or_default().into_iter();
            let names = urls.filter_map(|url| Some(url.rsplit_once('/')?.1.to_owned()));
            Ok((names.collect(), reply.next_token))
        })
        .await
    }
}

impl Queue {
    fn name_to_be(&self, cx: &Cx, decided: &Map<String, Value>) -> String {
        let given = Given {
            name: self.name.as_deref(),
            prefix: self.name_prefix.as_deref(),
        };
        let ending = if self.fifo_queue == Some(true) {
            FIFO
        } else {
            ""
        };
        NAMING.name_of(cx, given, decided, ending)
    }
}

/// What a generated name ends with.
fn ending(known: &Known) -> &'static str {
    match known.value("fifoQueue") {
        Some(Value::Bool(true)) => FIFO,
        _ => "",
    }
}

/// About how many messages the queue holds: those that wait, that are being worked on, and
/// that are delayed.
fn messages(live: &Attributes) -> u64 {
    [
        Name::ApproximateNumberOfMessages,
        Name::ApproximateNumberOfMessagesNotVisible,
        Name::ApproximateNumberOfMessagesDelayed,
    ]
    .iter()
    .filter_map(|name| live.get(name)?.parse::<u64>().ok())
    .sum()
}

/// The attributes that a create sends.
fn wanted_attributes(props: &Queue) -> Result<BTreeMap<&'static str, String>, Error> {
    let mut wanted = attribute::all(props)?;
    if props.fifo_queue == Some(true) {
        wanted.insert("FifoQueue", "true".to_owned());
    }
    Ok(wanted)
}

fn create_call(
    cx: &Cx,
    name: &str,
    wanted: BTreeMap<&'static str, String>,
    props: &Queue,
) -> CreateQueueFluentBuilder {
    let attributes: Attributes = wanted
        .into_iter()
        .map(|(name, value)| (Name::from(name), value))
        .collect();
    let tags: HashMap<String, String> = cx.owner.tagged(props.tags.as_ref()).into_iter().collect();
    cx.aws
        .sqs_once()
        .create_queue()
        .queue_name(name)
        .set_attributes((!attributes.is_empty()).then_some(attributes))
        .set_tags(Some(tags))
}

/// For a queue whose tags the caller may not read: SQS answers the same create with the queue
/// where attributes and tags are the same, and refuses it where they differ. The operation's
/// tag is nobody else's, so the answer proves what the tags would.
async fn found_untold(
    cx: &Cx,
    known: &Known,
    (name, url): (&str, String),
    denied: &Error,
) -> Result<Option<String>, Error> {
    let untold = || {
        tags::untold(
            &format!("A queue named {name}"),
            "sqs:ListQueueTags",
            denied,
        )
    };
    if known.withholds() || cx.owner.operation.is_empty() {
        return Err(untold());
    }
    let props: Queue = known.parsed()?;
    let call = create_call(cx, name, wanted_attributes(&props)?, &props);
    match call.send().await.call("sqs:CreateQueue") {
        Ok(_) => Ok(Some(url)),
        Err(error) if error.is(&["QueueNameExists", "QueueAlreadyExists"]) => Ok(None),
        Err(error) if error.effect() == Effect::Unknown => Err(error),
        Err(_) => Err(untold()),
    }
}

fn creatable(error: &Error) -> Option<Reason> {
    (error.effect() == Effect::None
        && error.is(&[
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "QueueDeletedRecently",
        ]))
    .then(|| "the name is free 60 seconds after the deletion".into())
    .or_else(|| sqs::principal_unseen(error))
}

fn is_made(cx: &Cx, tags: &HashMap<String, String>) -> bool {
    cx.owner.made(
        tags.iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
    )
}

/// `CreateQueue` answers with a queue that is there already when its attributes are the
/// same, whoever made it: only our tag on it proves that it is ours.
async fn prove_made(cx: &Cx, url: &str) -> Result<bool, Error> {
    let call = cx.aws.sqs().list_queue_tags().queue_url(url);
    let started = Instant::now();
    loop {
        let tags = cx
            .retry(sqs::CREATE_LAG, sqs::unseen, || async {
                call.clone().send().await.call("sqs:ListQueueTags")
            })
            .await;
        let tags = match tags {
            // SQS refuses a create whose tags differ from those of the queue that is there.
            Err(error) if tags::is_denied(&error) => return Ok(true),
            other => other?.tags.unwrap_or_default(),
        };
        if is_made(cx, &tags) {
            return Ok(true);
        }
        // A host that has not heard of the queue's tags shows none at all.
        if !tags.is_empty() || started.elapsed() > cx.aws.agreement() * 2 {
            return Ok(false);
        }
        cx.waiting("SQS does not show the queue's tags yet");
        tokio::time::sleep(cx.aws.real(Duration::from_secs(1))).await;
    }
}

fn taken(cx: &Cx, name: &str, url: &str) -> Error {
    import_id::exists(cx, &format!("a queue named {name}"), url)
}

async fn url_of(cx: &Cx, name: &str) -> Result<Option<String>, Error> {
    let reply = cx
        .aws
        .sqs()
        .get_queue_url()
        .queue_name(name)
        .send()
        .await
        .call_unless("sqs:GetQueueUrl", sqs::NOT_FOUND)?;
    Ok(reply.and_then(|reply| reply.queue_url))
}

/// The outputs by formula: the URL ends in `/account/name`.
async fn outputs(cx: &Cx, url: &str) -> Result<Outputs, Error> {
    let name = sqs::name_in_url(url);
    let account = match sqs::account_in_url(url) {
        Some(account) => account,
        None => cx.aws.account().await?,
    };
    let (partition, region) = (cx.aws.partition(), cx.aws.region());
    Ok(Outputs {
        id: url.to_owned(),
        url: url.to_owned(),
        arn: format!("arn:{partition}:sqs:{region}:{account}:{name}"),
        name: name.to_owned(),
    })
}

async fn update_tags(cx: &Cx, change: &Change<Queue>) -> Result<(), Error> {
    let (set, remove) = tag_diff(change.old.tags.as_ref(), change.new.tags.as_ref());
    if !remove.is_empty() {
        let call = cx
            .aws
            .sqs()
            .untag_queue()
            .queue_url(&change.id)
            .set_tag_keys(Some(remove));
        cx.retry(sqs::CHANGE_LAG, throttled, || async {
            call.clone().send().await.call("sqs:UntagQueue")
        })
        .await?;
    }
    if !set.is_empty() {
        let call = cx
            .aws
            .sqs()
            .tag_queue()
            .queue_url(&change.id)
            .set_tags(Some(set.into_iter().collect()));
        cx.retry(sqs::CHANGE_LAG, throttled, || async {
            call.clone().send().await.call("sqs:TagQueue")
        })
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_all_kinds_are_counted() {
        let live = Attributes::from([
            (Name::ApproximateNumberOfMessages, "3".to_owned()),
            (Name::ApproximateNumberOfMessagesNotVisible, "2".to_owned()),
            (Name::ApproximateNumberOfMessagesDelayed, "1".to_owned()),
            (Name::DelaySeconds, "5".to_owned()),
        ]);
        assert_eq!(messages(&live), 6);
    }
}

//! `aws:sqs:Queue`.

use crate::resource::author::*;
use crate::resource::aws::listing;
use crate::resource::aws::sqs::{self, QueueAttributes, attribute, rules as queue_rules};
use aws_sdk_sqs::operation::create_queue::builders::CreateQueueFluentBuilder;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use tokio::time::Instant;

/// How long a name is blocked after a queue of that name was deleted (60 s), and some.
const NAME_BLOCKED: Duration = Duration::from_secs(90);

const NAMING: Naming = Naming {
    longest: 80,
    allowed: |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
    ending: Some(("fifoQueue", ".fifo")),
};

/// An SQS queue, standard or FIFO.
///
/// ```yaml
/// queue:
///   type: aws:sqs:Queue
///   properties: {visibilityTimeoutSeconds: 60}
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Queue {
    /// The queue's name; a FIFO queue's ends in `.fifo`. If omitted, it is generated from the
    /// address. A name cannot be used again for 60 seconds after its queue was deleted.
    #[schemars(length(min = 1, max = 80))]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]+(\.fifo)?$"))]
    #[schemars(extend("createOnly" = true))]
    pub name: Option<String>,
    /// The beginning of a generated name; excludes `name`.
    #[schemars(length(min = 1, max = 68), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    #[schemars(extend("createOnly" = true, "prefixOf" = "name", "writeOnly" = true))]
    pub name_prefix: Option<String>,
    /// Whether messages are delivered in order and once (FIFO).
    #[schemars(extend("createOnly" = true, "default" = false))]
    pub fifo_queue: Option<bool>,
    /// FIFO only: whether equal message bodies count as duplicates.
    #[schemars(extend("default" = false))]
    pub content_based_deduplication: Option<bool>,
    /// FIFO only: whether duplicates are looked for in the queue or in the message group.
    #[schemars(extend("enum" = ["queue", "messageGroup"], "default" = "queue"))]
    pub deduplication_scope: Option<String>,
    /// FIFO only: what the throughput quota counts for; `perMessageGroupId` needs
    /// `deduplicationScope: messageGroup`.
    #[schemars(extend("enum" = ["perQueue", "perMessageGroupId"], "default" = "perQueue"))]
    pub fifo_throughput_limit: Option<String>,
    /// How long a new message stays hidden, in seconds.
    #[schemars(range(min = 0, max = 900), extend("default" = 0))]
    pub delay_seconds: Option<u32>,
    /// The most bytes a message may have. Queues created before August 2025 without a value have
    /// 262144.
    #[schemars(range(min = 1024, max = 1_048_576), extend("default" = 1_048_576))]
    pub max_message_size: Option<u32>,
    /// How long a message is kept, in seconds. A change may take 15 minutes to have effect.
    #[schemars(range(min = 60, max = 1_209_600), extend("default" = 345_600))]
    pub message_retention_seconds: Option<u32>,
    /// How long a receive waits for a message, in seconds.
    #[schemars(range(min = 0, max = 20), extend("default" = 0))]
    pub receive_wait_time_seconds: Option<u32>,
    /// How long a received message stays hidden from others, in seconds. At least the
    /// timeout of the function that the queue feeds.
    #[schemars(range(min = 0, max = 43200), extend("default" = 30))]
    pub visibility_timeout_seconds: Option<u32>,
    /// Who may do what to the queue. Excludes `aws:sqs:QueuePolicy` on the same queue.
    pub policy: Option<Policy>,
    /// Where messages go that were received `maxReceiveCount` times (10 when omitted):
    /// `{deadLetterTargetArn, maxReceiveCount}`. The target is a queue of the same kind.
    pub redrive_policy: Option<Document>,
    /// Which queues may use this one as their dead letter queue:
    /// `{redrivePermission: allowAll | denyAll | byQueue, sourceQueueArns}`.
    #[schemars(extend("default" = {"redrivePermission": "allowAll"}))]
    pub redrive_allow_policy: Option<Document>,
    /// The KMS key that encrypts messages: id, ARN or `alias/…`.
    #[schemars(length(min = 1, max = 2048))]
    pub kms_master_key_id: Option<String>,
    /// How long a data key is used again, in seconds; goes with `kmsMasterKeyId`.
    #[schemars(range(min = 60, max = 86400), extend("default" = 300))]
    pub kms_data_key_reuse_period_seconds: Option<u32>,
    /// Whether messages are encrypted with keys that SQS keeps; excludes `kmsMasterKeyId`.
    #[schemars(extend("default" = true))]
    pub sqs_managed_sse_enabled: Option<bool>,
    /// Tags; three more (`stackctl:…`) mark the owner.
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
    const CALLS: &'static [&'static str] = &[
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ListQueueTags",
        "sqs:ListQueues",
        "sqs:SetQueueAttributes",
        "sqs:TagQueue",
        "sqs:UntagQueue",
    ];
    const IMPORT: Import = sqs::BY_URL;
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
    const NAMING: Option<Naming> = Some(NAMING);
    const TAGGING: Option<Tagging> = Some(Tagging::Plain);
    const LANE: Option<Lane> = Some(Lane("sqs", "url"));
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        queue_rules::of_queue(rules)
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        let props = props.to_mut();
        for name in ["redrivePolicy", "redriveAllowPolicy"] {
            if let Some(value) = props.get_mut(name) {
                *value = sqs::redrive(value);
            }
        }
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let name = NAMING.name_of(cx, &new.props, &new.decided)?;
        let wanted = wanted_attributes(props)?;
        let sent_attributes = wanted.clone();
        let call = create_call(cx, &name, wanted, props);
        let sent = send!(cx, call, "sqs:CreateQueue", wait: (NAME_BLOCKED, creatable));
        let reply = match sent {
            Err(error) if error.is(&["QueueNameExists", "QueueAlreadyExists"]) => {
                // Its URL is the import id; where it cannot be built, SQS's message stands.
                let url = url_of(cx, &name).await.ok().flatten();
                return Err(url.map_or(error, |url| name_taken(cx, &name, &url)));
            }
            other => other?,
        };
        let url = reply
            .queue_url
            .ok_or_else(|| Error::incomplete("sqs:CreateQueue", "QueueUrl"))?;
        let outputs = outputs(cx, &url).await?;
        cx.made(&url, Attributes::new(json!(outputs)));
        let (proven, shown) = tokio::join!(
            prove_created(cx, &url),
            sqs::wait_until_visible(cx, &url, &sent_attributes)
        );
        match proven {
            Ok(true) => shown?,
            // It is somebody else's: nothing was created.
            Ok(false) => {
                cx.take_made();
                cx.flight.nothing_created();
                return Err(name_taken(cx, &name, &url));
            }
            // Whose it is could not be found out.
            Err(error) => {
                cx.take_made();
                return Err(error);
            }
        }
        Ok(Made { id: url, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let id = &read.id;
        let tags = tags::wanted(read, "sqs:ListQueueTags", sqs::tags(cx, id));
        let (live, tags) = tokio::join!(sqs::attributes(cx, id, Name::All), tags);
        let Some(live) = live? else {
            return Ok(None);
        };
        let held = Contents {
            messages: Some(messages(&live)),
            ..Contents::default()
        };
        let mut outputs = outputs(cx, id).await?;
        if let Some(arn) = live.get(&Name::QueueArn) {
            outputs.arn.clone_from(arn);
        }
        let mut props: Self = attribute::parse(&live)?;
        props.name = Some(outputs.name.clone());
        props.fifo_queue = live.get(&Name::FifoQueue).map(|value| value == "true");
        props.tags = user_tags(tags?.unwrap_or_default());
        Ok(Some(Live::new(props, outputs).holding(held)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let wanted = attribute::changed(&change)?;
        if !wanted.is_empty() {
            sqs::set_attributes(cx, &change.id, &wanted).await?;
        }
        if change.has(&["tags"]) {
            update_tags(cx, &change).await?;
        }
        Ok(Made::new(change.id, outputs_of(&change.live)?))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let call = cx.aws.sqs().delete_queue().queue_url(id);
        send!(cx, call, "sqs:DeleteQueue", wait: sqs::SLOWED, gone: sqs::NOT_FOUND)
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(name) = NAMING.known(cx, known) else {
            return Ok(None);
        };
        let mut url = url_of(cx, &name).await?;
        if url.is_none() {
            // A queue may be unknown for about a second after its creation.
            tokio::time::sleep(cx.aws.real(Duration::from_secs(1))).await;
            url = url_of(cx, &name).await?;
        }
        let Some(url) = url else {
            return Ok(None);
        };
        let tags = match sqs::tags(cx, &url).await {
            Err(error) if tags::is_denied(&error) => {
                return find_without_tags(cx, known, (&name, url), &error).await;
            }
            other => other?.unwrap_or_default(),
        };
        Ok(cx.owner.made(&tags).then_some(url))
    }

    async fn names(cx: &Cx, _known: &Known, start: &str) -> Result<Vec<String>, Error> {
        let prefix = Some(start).filter(|start| !start.is_empty());
        listing::all("sqs:ListQueues", |token| async move {
            let call = cx.aws.sqs().list_queues().max_results(1000);
            let call = call.set_queue_name_prefix(prefix.map(str::to_owned));
            let reply = send!(call.set_next_token(token), "sqs:ListQueues")?;
            let urls = reply.queue_urls.unwrap_or_default().into_iter();
            let names = urls.filter_map(|url| Some(url.rsplit_once('/')?.1.to_owned()));
            Ok((names.collect(), reply.next_token))
        })
        .await
    }
}

/// About how many messages the queue holds: those that wait, that are being worked on, and
/// that are delayed.
fn messages(live: &QueueAttributes) -> u64 {
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
    let attributes: QueueAttributes = wanted
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

/// For a queue whose tags the caller may not read: SQS returns the queue for the same create where
/// attributes and tags are the same, and refuses it where they differ. The operation's tag is
/// unique, so the reply proves what the tags would.
async fn find_without_tags(
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
    match send!(call, "sqs:CreateQueue") {
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

/// `CreateQueue` returns a queue that exists already when its attributes are the same, whoever
/// created it: only our tag on it proves that it is ours.
async fn prove_created(cx: &Cx, url: &str) -> Result<bool, Error> {
    let call = cx.aws.sqs().list_queue_tags().queue_url(url);
    let started = Instant::now();
    loop {
        let tags = send!(cx, call.clone(), "sqs:ListQueueTags", wait: sqs::UNSEEN);
        let tags = match tags {
            // SQS refuses a create whose tags differ from those of the existing queue.
            Err(error) if tags::is_denied(&error) => return Ok(true),
            other => other?.tags.unwrap_or_default(),
        };
        if cx.owner.made(&tags) {
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

fn name_taken(cx: &Cx, name: &str, url: &str) -> Error {
    import_id::exists(cx, &format!("a queue named {name}"), url)
}

async fn url_of(cx: &Cx, name: &str) -> Result<Option<String>, Error> {
    let call = cx.aws.sqs().get_queue_url().queue_name(name);
    let reply = send!(call, "sqs:GetQueueUrl", none: sqs::NOT_FOUND)?;
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
        let call = cx.aws.sqs().untag_queue().queue_url(&change.id);
        let call = call.set_tag_keys(Some(remove));
        send!(cx, call, "sqs:UntagQueue", wait: sqs::SLOWED)?;
    }
    if !set.is_empty() {
        let call = cx.aws.sqs().tag_queue().queue_url(&change.id);
        let call = call.set_tags(Some(set.into_iter().collect()));
        send!(cx, call, "sqs:TagQueue", wait: sqs::SLOWED)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_all_kinds_are_counted() {
        let live = QueueAttributes::from([
            (Name::ApproximateNumberOfMessages, "3".to_owned()),
            (Name::ApproximateNumberOfMessagesNotVisible, "2".to_owned()),
            (Name::ApproximateNumberOfMessagesDelayed, "1".to_owned()),
            (Name::DelaySeconds, "5".to_owned()),
        ]);
        assert_eq!(messages(&live), 6);
    }
}

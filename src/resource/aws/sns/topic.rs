//! `aws:sns:Topic`.

use crate::resource::author::*;
use crate::resource::aws::attributes::{self, Attribute};
use crate::resource::aws::fifo::Fifo;
use crate::resource::aws::policy_check::{self, Kind};
use crate::resource::aws::{listing, sns};
use crate::resource::document::drop_nulls;
use aws_sdk_sns::types::Tag;

const NAMING: Naming = Naming {
    longest: 256,
    allowed: |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
    ending: Some(("fifoTopic", ".fifo")),
};

pub(crate) const FIFO: Fifo = Fifo {
    thing: "topic",
    flag: "fifoTopic",
    only: &[
        "archivePolicy",
        "contentBasedDeduplication",
        "fifoThroughputScope",
    ],
    codes: ["SK0401", "SK0402", "SK0403"],
};

/// The longest policy of a topic (Amazon SNS Developer Guide, "API permissions reference": 30 kb).
const POLICY_LIMIT: usize = 30_720;

/// The attributes, those of the delivery status for each of these protocols among them, and the
/// roles that the latter name.
macro_rules! tables {
    ($($property:literal $name:literal,)*) => {
        const TABLE: &[Attribute] = &[
            Attribute::json("archivePolicy", "ArchivePolicy").reset_by("{}"),
            Attribute::bool("contentBasedDeduplication", "ContentBasedDeduplication", "false"),
            Attribute::json("deliveryPolicy", "DeliveryPolicy"),
            Attribute::text("displayName", "DisplayName", ""),
            Attribute::text("fifoThroughputScope", "FifoThroughputScope", "Topic"),
            Attribute::text("kmsMasterKeyId", "KmsMasterKeyId", ""),
            Attribute::json("policy", "Policy"),
            Attribute::number("signatureVersion", "SignatureVersion", "1"),
            Attribute::text("tracingConfig", "TracingConfig", "PassThrough"),
            $(
                Attribute::text(concat!($property, "FailureFeedbackRoleArn"), concat!($name, "FailureFeedbackRoleArn"), ""),
                Attribute::text(concat!($property, "SuccessFeedbackRoleArn"), concat!($name, "SuccessFeedbackRoleArn"), ""),
                Attribute::number(concat!($property, "SuccessFeedbackSampleRate"), concat!($name, "SuccessFeedbackSampleRate"), "0"),
            )*
        ];
        const ROLES: &[Parent] = &[$(
            Parent::survives("aws:iam:Role", concat!($property, "FailureFeedbackRoleArn"), &["arn"]),
            Parent::survives("aws:iam:Role", concat!($property, "SuccessFeedbackRoleArn"), &["arn"]),
        )*];
    };
}

tables! {
    "application" "Application",
    "firehose" "Firehose",
    "http" "HTTP",
    "lambda" "Lambda",
    "sqs" "SQS",
}

/// An SNS topic, standard or FIFO. SNS deletes its subscriptions with it.
///
/// ```yaml
/// topic:
///   type: aws:sns:Topic
///   properties: {displayName: Orders}
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Topic {
    /// The topic's name; a FIFO topic's ends in `.fifo`. Left out: made of the address.
    #[schemars(
        length(min = 1, max = 256),
        regex(pattern = r"^[A-Za-z0-9_-]+(\.fifo)?$")
    )]
    #[schemars(extend("createOnly" = true))]
    pub name: Option<String>,
    /// The beginning of a generated name; excludes `name`.
    #[schemars(length(min = 1, max = 244), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    #[schemars(extend("createOnly" = true, "prefixOf" = "name", "writeOnly" = true))]
    pub name_prefix: Option<String>,
    /// Whether messages are delivered in order and once (FIFO).
    #[schemars(extend("createOnly" = true, "default" = false))]
    pub fifo_topic: Option<bool>,
    /// FIFO only: whether equal message bodies count as duplicates.
    #[schemars(extend("default" = false))]
    pub content_based_deduplication: Option<bool>,
    /// FIFO only: whether duplicates are looked for in the topic or in the message group.
    #[schemars(extend("enum" = ["Topic", "MessageGroup"], "default" = "Topic"))]
    pub fifo_throughput_scope: Option<String>,
    /// FIFO only: for how many days messages are kept for replays:
    /// `{MessageRetentionPeriod: 1 to 365}`. SNS deletes no topic that has one; taking it out
    /// deletes the messages kept.
    pub archive_policy: Option<Document>,
    /// The sender's name in e-mail and text messages.
    #[schemars(length(max = 100))]
    pub display_name: Option<String>,
    /// Who may do what to the topic. Taken out of the file, SNS's default applies: the owner alone.
    pub policy: Option<Policy>,
    /// How failed deliveries to HTTP and HTTPS endpoints are repeated.
    pub delivery_policy: Option<Document>,
    /// The KMS key that encrypts messages: id, ARN or `alias/…`.
    #[schemars(length(min = 1, max = 2048))]
    pub kms_master_key_id: Option<String>,
    /// How messages are signed: 1 is SHA1, 2 is SHA256.
    #[schemars(range(min = 1, max = 2), extend("default" = 1))]
    pub signature_version: Option<u8>,
    /// Standard only: `Active` sends traces to X-Ray.
    #[schemars(extend("enum" = ["PassThrough", "Active"], "default" = "PassThrough"))]
    pub tracing_config: Option<String>,
    /// The role that logs failed deliveries to platform applications.
    pub application_failure_feedback_role_arn: Option<String>,
    /// The role that logs deliveries to platform applications.
    pub application_success_feedback_role_arn: Option<String>,
    /// The share of them that is logged, in percent.
    #[schemars(range(min = 0, max = 100), extend("default" = 0))]
    pub application_success_feedback_sample_rate: Option<u8>,
    /// The role that logs failed deliveries to Firehose.
    pub firehose_failure_feedback_role_arn: Option<String>,
    /// The role that logs deliveries to Firehose.
    pub firehose_success_feedback_role_arn: Option<String>,
    /// The share of them that is logged, in percent.
    #[schemars(range(min = 0, max = 100), extend("default" = 0))]
    pub firehose_success_feedback_sample_rate: Option<u8>,
    /// The role that logs failed deliveries to HTTP and HTTPS endpoints.
    pub http_failure_feedback_role_arn: Option<String>,
    /// The role that logs deliveries to HTTP and HTTPS endpoints.
    pub http_success_feedback_role_arn: Option<String>,
    /// The share of them that is logged, in percent.
    #[schemars(range(min = 0, max = 100), extend("default" = 0))]
    pub http_success_feedback_sample_rate: Option<u8>,
    /// The role that logs failed deliveries to Lambda functions.
    pub lambda_failure_feedback_role_arn: Option<String>,
    /// The role that logs deliveries to Lambda functions.
    pub lambda_success_feedback_role_arn: Option<String>,
    /// The share of them that is logged, in percent.
    #[schemars(range(min = 0, max = 100), extend("default" = 0))]
    pub lambda_success_feedback_sample_rate: Option<u8>,
    /// The role that logs failed deliveries to SQS queues.
    pub sqs_failure_feedback_role_arn: Option<String>,
    /// The role that logs deliveries to SQS queues.
    pub sqs_success_feedback_role_arn: Option<String>,
    /// The share of them that is logged, in percent.
    #[schemars(range(min = 0, max = 100), extend("default" = 0))]
    pub sqs_success_feedback_sample_rate: Option<u8>,
    /// Tags; three more (`stackctl:…`) mark the owner.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<BTreeMap<String, String>>,
}

/// The outputs of `aws:sns:Topic`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The topic's ARN.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub id: String,
    /// The topic's ARN.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub arn: String,
    /// The topic's name.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub name: String,
    /// The account that owns the topic.
    #[schemars(extend("from" = []))]
    pub owner: String,
    /// From when on archived messages can be replayed.
    #[schemars(extend("volatile" = ["archivePolicy"], "from" = []))]
    pub beginning_archive_time: Option<String>,
}

/// By formula: the ARN ends in `:account:name`.
fn outputs(arn: &str, live: Option<&HashMap<String, String>>) -> Outputs {
    let mut parts = arn.rsplit(':').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    Outputs {
        id: arn.to_owned(),
        arn: arn.to_owned(),
        name: part(),
        owner: part(),
        beginning_archive_time: live.and_then(|live| live.get("BeginningArchiveTime").cloned()),
    }
}

impl Resource for Topic {
    const TYPE: &'static str = "aws:sns:Topic";
    const CALLS: &'static [&'static str] = &[
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:GetTopicAttributes",
        "sns:ListTagsForResource",
        "sns:ListTopics",
        "sns:SetTopicAttributes",
        "sns:TagResource",
        "sns:UntagResource",
    ];
    const IMPORT: Import = Import::Other(
        "the topic's ARN, such as `arn:aws:sns:us-west-2:123456789012:orders`",
        |text| sns::imported(text, 6, "arn:aws:sns:REGION:ACCOUNT:NAME"),
    );
    const IDENTITY: &'static [&'static str] = &["name"];
    const PARENTS: &'static [Parent] = ROLES;
    const NAMING: Option<Naming> = Some(NAMING);
    const TAGGING: Option<Tagging> = Some(Tagging::Plain);
    const LANE: Option<Lane> = Some(Lane("sns", "arn"));
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let mut broken = FIFO.rules(rules);
        let at = Path::root().join("policy");
        broken.extend(policy_check::rules(
            rules,
            &at,
            Kind::Resource,
            POLICY_LIMIT,
        ));
        if FIFO.is(rules) == Some(true) && rules.known("tracingConfig") == Some(&json!("Active")) {
            broken.push(Broken::at(
                "tracingConfig",
                "tracingConfig: Active is for standard topics: take it out.",
            ));
        }
        broken
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        sns::canonical(props);
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let name = NAMING.name_of(cx, props, &new.decided)?;
        let mut given = attributes::given(TABLE, props)?;
        if props.fifo_topic == Some(true) {
            given.insert("FifoTopic", "true".to_owned());
        } else {
            // False, the only value that the rules let stand here; SNS takes none.
            given.remove("ContentBasedDeduplication");
        }
        let call = cx.aws.sns_once().create_topic().name(&name);
        let call = call.set_attributes(sns::sent(given));
        let call = call.set_tags(Some(tag_list(&cx.owner.tagged(props.tags.as_ref()))?));
        let reply = match send!(cx, call, "sns:CreateTopic", wait: sns::PASSING) {
            Err(error) if sns::exists(&error) => {
                return Err(taken(cx, &name, &arn_of(cx, &name).await?));
            }
            other => other?.topic_arn,
        };
        let arn = reply.ok_or_else(|| Error::incomplete("sns:CreateTopic", "TopicArn"))?;
        cx.made(&arn, Attributes::new(json!(outputs(&arn, None))));
        let is_ours = prove_made(cx, &arn).await.inspect_err(|_| {
            cx.take_made();
        })?;
        if !is_ours {
            cx.take_made();
            cx.flight.nothing_created();
            return Err(taken(cx, &name, &arn));
        }
        let outputs = with_archive(cx, &arn, props).await?;
        Ok(Made { id: arn, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let id = &read.id;
        let tags = tags::wanted(read, "sns:ListTagsForResource", tags_of(cx, id));
        let (live, tags) = tokio::join!(get(cx, id), tags);
        let Some(live) = live? else {
            return Ok(None);
        };
        let text = |name: &str| live.get(name).map(String::as_str);
        let mut props: Self = attributes::parse(TABLE, "sns:GetTopicAttributes", text)?;
        if let Some(policy) = &mut props.delivery_policy {
            drop_nulls(&mut policy.0, &Path::root(), &BTreeMap::new());
        }
        let outputs = outputs(id, Some(&live));
        props.name = Some(outputs.name.clone());
        props.fifo_topic = live.get("FifoTopic").map(|value| value == "true");
        props.tags = user_tags(tags?.unwrap_or_default());
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let id = &change.id;
        for (name, value) in attributes::changed(TABLE, &change)? {
            let value = match name == "Policy" && value.is_empty() {
                true => default_policy(id),
                false => value,
            };
            let call = cx.aws.sns().set_topic_attributes().topic_arn(id);
            let call = call.attribute_name(name).attribute_value(value);
            send!(cx, call, "sns:SetTopicAttributes", wait: sns::PASSING)?;
        }
        let (set, remove) = tag_diff(change.old.tags.as_ref(), change.new.tags.as_ref());
        if change.has(&["tags"]) && !remove.is_empty() {
            let call = cx.aws.sns().untag_resource().resource_arn(id);
            let call = call.set_tag_keys(Some(remove));
            send!(cx, call, "sns:UntagResource", wait: sns::PASSING)?;
        }
        if change.has(&["tags"]) && !set.is_empty() {
            let call = cx.aws.sns().tag_resource().resource_arn(id);
            let call = call.set_tags(Some(tag_list(&set)?));
            send!(cx, call, "sns:TagResource", wait: sns::PASSING)?;
        }
        let outputs = match change.has(&["archivePolicy"]) {
            true => with_archive(cx, id, &change.new).await?,
            false => outputs_of(&change.live)?,
        };
        Ok(Made::new(change.id, outputs))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let call = cx.aws.sns().delete_topic().topic_arn(id);
        let sent = send!(cx, call, "sns:DeleteTopic", wait: sns::PASSING, gone: sns::NOT_FOUND);
        // "You can not delete a topic with an active message archive policy" (Developer Guide,
        // "Message archiving for FIFO topic owners").
        sent.map_err(|error| match error.is(&["InvalidState"]) {
            true => Error::with_hint(
                error.to_string(),
                format!(
                    "Take archivePolicy out of the file and apply, or run `aws sns \
                     set-topic-attributes --topic-arn {id} --attribute-name ArchivePolicy \
                     --attribute-value '{{}}'`: both delete the archived messages. Then run the \
                     command again."
                ),
            ),
            false => error,
        })
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(name) = NAMING.known(cx, known) else {
            return Ok(None);
        };
        let arn = arn_of(cx, &name).await?;
        match tags_of(cx, &arn).await {
            Err(error) if tags::is_denied(&error) => {
                let what = format!("A topic named {name}");
                let found = get(cx, &arn).await?;
                let untold = || tags::untold(&what, "sns:ListTagsForResource", &error);
                found.map_or(Ok(None), |_| Err(untold()))
            }
            found => Ok(found?.filter(|tags| cx.owner.made(tags)).map(|_| arn)),
        }
    }

    async fn names(cx: &Cx, _known: &Known, start: &str) -> Result<Vec<String>, Error> {
        let mut names = listing::all("sns:ListTopics", |token| async move {
            let call = cx.aws.sns().list_topics().set_next_token(token);
            let reply = send!(call, "sns:ListTopics")?;
            let arns = reply.topics.unwrap_or_default().into_iter();
            let names = arns.filter_map(|it| Some(it.topic_arn?.rsplit_once(':')?.1.to_owned()));
            Ok((names.collect(), reply.next_token))
        })
        .await?;
        names.retain(|name| name.starts_with(start));
        Ok(names)
    }
}

fn taken(cx: &Cx, name: &str, arn: &str) -> Error {
    import_id::exists(cx, &format!("a topic named {name}"), arn)
}

async fn arn_of(cx: &Cx, name: &str) -> Result<String, Error> {
    let (partition, region) = (cx.aws.partition(), cx.aws.region());
    let account = cx.aws.account().await?;
    Ok(format!("arn:{partition}:sns:{region}:{account}:{name}"))
}

fn tag_list(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, Error> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build();
    let tags: Result<_, _> = tags.iter().map(tag).collect();
    tags.map_err(|error| Error::failed(error.to_string()))
}

async fn get(cx: &Cx, arn: &str) -> Result<Option<HashMap<String, String>>, Error> {
    let call = cx.aws.sns().get_topic_attributes().topic_arn(arn);
    let reply = send!(call, "sns:GetTopicAttributes", none: sns::NOT_FOUND)?;
    Ok(reply.map(|reply| reply.attributes.unwrap_or_default()))
}

/// The outputs, with what SNS alone tells where the topic has an archive.
async fn with_archive(cx: &Cx, arn: &str, props: &Topic) -> Result<Outputs, Error> {
    let live = match &props.archive_policy {
        Some(_) => get(cx, arn).await?,
        None => None,
    };
    Ok(outputs(arn, live.as_ref()))
}

async fn tags_of(cx: &Cx, arn: &str) -> Result<Option<HashMap<String, String>>, Error> {
    let call = cx.aws.sns().list_tags_for_resource().resource_arn(arn);
    let reply = send!(call, "sns:ListTagsForResource", none: sns::NOT_FOUND)?;
    let tags = reply.map(|reply| reply.tags.unwrap_or_default().into_iter());
    Ok(tags.map(|tags| tags.map(|tag| (tag.key, tag.value)).collect()))
}

/// `CreateTopic` answers with a topic of the name that exists already where attributes and tags
/// are the same: only our tag on it proves that it is ours. A host that has not heard of the
/// topic shows none.
async fn prove_made(cx: &Cx, arn: &str) -> Result<bool, Error> {
    cx.until("SNS to show the topic's tags", sns::LAG, || async move {
        match tags_of(cx, arn).await {
            // SNS refuses a create whose tags differ from those of the topic that exists.
            Err(error) if tags::is_denied(&error) => Ok(true),
            found => match found?.filter(|tags| !tags.is_empty()) {
                Some(tags) => Ok(cx.owner.made(&tags)),
                None => Err(Wait::NotYet("none".to_owned())),
            },
        }
    })
    .await
}

/// What a topic's policy is at first. It cannot be taken away: CloudFormation's handler of topic
/// policies and Terraform's provider put this one back.
pub(crate) fn default_policy(arn: &str) -> String {
    let Outputs { owner, .. } = outputs(arn, None);
    let actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission \
                   DeleteTopic Subscribe ListSubscriptionsByTopic Publish";
    let actions = actions.split(' ').map(|action| format!("SNS:{action}"));
    json!({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [{
        "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": actions.collect::<Vec<_>>(), "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    }]})
    .to_string()
}

//! `aws:sns:TopicSubscription`, without Pulumi's `endpointAutoConfirms` and
//! `confirmationTimeoutInMinutes`: they are waits of that provider, and nothing that SNS keeps.

use super::topic::FIFO;
use crate::resource::author::*;
use crate::resource::aws::attributes::{self, Attribute};
use crate::resource::aws::sqs::rules::QUEUE;
use crate::resource::aws::{listing, sns};
use crate::resource::document::drop_nulls;
use aws_sdk_sns::operation::subscribe::builders::SubscribeFluentBuilder;

/// The attributes that are set. An empty default stands for a call without a value (Terraform's
/// provider: SNS refuses an empty redrive policy, and takes none).
const TABLE: &[Attribute] = &[
    Attribute::json("deliveryPolicy", "DeliveryPolicy"),
    Attribute::json("filterPolicy", "FilterPolicy").reset_by("{}"),
    Attribute::text(
        "filterPolicyScope",
        "FilterPolicyScope",
        "MessageAttributes",
    ),
    Attribute::bool("rawMessageDelivery", "RawMessageDelivery", "false"),
    Attribute::json("redrivePolicy", "RedrivePolicy"),
    Attribute::json("replayPolicy", "ReplayPolicy"),
    Attribute::text("subscriptionRoleArn", "SubscriptionRoleArn", ""),
];

/// The attributes that say which one it is.
const NAMED: &[Attribute] = &[
    Attribute::text("topic", "TopicArn", ""),
    Attribute::text("protocol", "Protocol", ""),
    Attribute::text("endpoint", "Endpoint", ""),
];

/// A subscription: an endpoint that gets a topic's messages. One by e-mail, HTTP or HTTPS is
/// pending until somebody confirms it; stackctl does not wait for that, and it is no drift. Until
/// then no call deletes it: SNS does so with the topic, or after 48 hours, and then the next plan
/// creates it again. One that is pending already is asked for again and becomes this one.
///
/// ```yaml
/// subscription:
///   type: aws:sns:TopicSubscription
///   properties: {topic: "${topic.arn}", protocol: sqs, endpoint: "${queue.arn}"}
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopicSubscription {
    /// The topic's ARN.
    #[schemars(regex(pattern = "^arn:[^:]+:sns:"), extend("createOnly" = true))]
    pub topic: String,
    /// How messages are delivered.
    #[schemars(extend("createOnly" = true, "enum" = ["application", "email", "email-json",
        "firehose", "http", "https", "lambda", "sms", "sqs"]))]
    pub protocol: String,
    /// Who gets the messages: an ARN, a URL, an e-mail address or a phone number. SNS does not
    /// tell a password in a URL: another one alone is no change, but for `--replace`.
    #[schemars(length(min = 1), extend("createOnly" = true))]
    pub endpoint: String,
    /// Whether messages come without SNS's own JSON around them; for `sqs`, `http`, `https` and
    /// `firehose`.
    #[schemars(extend("default" = false))]
    pub raw_message_delivery: Option<bool>,
    /// Which messages are delivered; omitted or empty: all of them. A change may take 15 minutes
    /// to have effect.
    pub filter_policy: Option<Document>,
    /// What the filter looks at.
    #[schemars(extend("enum" = ["MessageAttributes", "MessageBody"], "default" = "MessageAttributes"))]
    pub filter_policy_scope: Option<String>,
    /// Where messages go that cannot be delivered: `{deadLetterTargetArn}`, a queue.
    pub redrive_policy: Option<Document>,
    /// How failed deliveries are repeated, in place of the topic's `deliveryPolicy`.
    pub delivery_policy: Option<Document>,
    /// The role that writes to the delivery stream; for `firehose`, which needs it.
    pub subscription_role_arn: Option<String>,
    /// FIFO topics only: which archived messages are delivered again.
    pub replay_policy: Option<Document>,
}

/// The outputs of `aws:sns:TopicSubscription`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The subscription's ARN.
    #[schemars(extend("from" = ["topic"]))]
    pub id: String,
    /// The subscription's ARN.
    #[schemars(extend("from" = ["topic"]))]
    pub arn: String,
    /// The account that owns the subscription.
    #[schemars(extend("from" = []))]
    pub owner_id: String,
    /// Whether it still waits for its confirmation.
    #[schemars(extend("from" = []))]
    pub pending_confirmation: bool,
    /// Whether an identity of AWS confirmed it.
    #[schemars(extend("from" = []))]
    pub confirmation_was_authenticated: bool,
}

/// What the endpoints of a protocol have in them, and what they are.
pub(crate) const FORMS: &[(&str, &str, &str)] = &[
    ("http", "http://", "a URL that begins with http://"),
    ("https", "https://", "a URL that begins with https://"),
    ("email", "@", "an e-mail address"),
    ("email-json", "@", "an e-mail address"),
    ("sms", "+", "a phone number such as +12065550100"),
    ("sqs", ":sqs:", "the ARN of a queue"),
    ("lambda", ":lambda:", "the ARN of a function"),
    ("firehose", ":firehose:", "the ARN of a delivery stream"),
    (
        "application",
        ":endpoint/",
        "the ARN of a platform endpoint",
    ),
];

/// Whether the queue or topic that a property names is FIFO, by its ARN or its own properties.
fn is_fifo(rules: &Rules<'_>, name: &str) -> Option<bool> {
    if let Some(arn) = rules.known(name).and_then(Value::as_str) {
        return Some(arn.ends_with(".fifo"));
    }
    let (type_name, props) = (rules.peer)(&Path::root().join(name))?;
    let fifo = match type_name {
        "aws:sns:Topic" => FIFO,
        "aws:sqs:Queue" => QUEUE,
        _ => return None,
    };
    fifo.is(&Rules {
        props,
        peer: &|_| None,
    })
}

fn checks(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let text = |name: &str| rules.known(name).and_then(Value::as_str);
    if rules.known("filterPolicyScope") == Some(&json!("MessageBody"))
        && !rules.given("filterPolicy")
    {
        broken.push(Broken::at(
            "filterPolicyScope",
            "filterPolicyScope has no effect without filterPolicy, and SNS does not tell it back: take it out.",
        ).code("SK0408"));
    }
    let (topic, endpoint) = (is_fifo(rules, "topic"), is_fifo(rules, "endpoint"));
    if topic == Some(false) && rules.given("replayPolicy") {
        broken.push(Broken::at(
            "replayPolicy",
            "replayPolicy is for subscriptions to FIFO topics: take it out.",
        ));
    }
    let Some(protocol) = text("protocol") else {
        return broken;
    };
    let form = FORMS.iter().find(|(name, ..)| *name == protocol);
    if let (Some((_, part, form)), Some(endpoint)) = (form, text("endpoint"))
        && !endpoint.contains(part)
    {
        broken.push(
            Broken::at(
                "endpoint",
                format!("An endpoint of the protocol {protocol} is {form}."),
            )
            .code("SK0404"),
        );
    }
    if topic == Some(true) && protocol != "sqs" {
        broken.push(
            Broken::at(
                "protocol",
                "A FIFO topic has queues alone as its endpoints: the protocol is sqs.",
            )
            .code("SK0405"),
        );
    }
    if topic == Some(false) && endpoint == Some(true) && protocol == "sqs" {
        broken.push(Broken::at(
            "endpoint",
            "A FIFO queue cannot be subscribed to a standard topic: one of the two must change.",
        ).code("SK0406"));
    }
    if (protocol == "firehose") != rules.given("subscriptionRoleArn") {
        broken.push(Broken::at(
            "subscriptionRoleArn",
            "subscriptionRoleArn goes with the protocol firehose, which needs it, and with no other.",
        ).code("SK0407"));
    }
    broken
}

impl Resource for TopicSubscription {
    const TYPE: &'static str = "aws:sns:TopicSubscription";
    const CALLS: &'static [&'static str] = &[
        "sns:GetSubscriptionAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:SetSubscriptionAttributes",
        "sns:Subscribe",
        "sns:Unsubscribe",
    ];
    const IMPORT: Import = Import::Other(
        "the subscription's ARN, such as `arn:aws:sns:us-west-2:123456789012:orders:8a21d249-4329-4871-acc6-7be709c6ea7f`",
        |text| sns::imported(text, 7, "arn:aws:sns:REGION:ACCOUNT:TOPIC:ID"),
    );
    const IDENTITY: &'static [&'static str] = &["topic", "protocol", "endpoint"];
    const PARENTS: &'static [Parent] = &[
        Parent::dies_with("aws:sns:Topic", "topic", &["arn"]),
        // It points at the next one of the name.
        Parent::survives("aws:sqs:Queue", "endpoint", &["arn"]),
        Parent::survives("aws:lambda:Function", "endpoint", &["arn"]),
        Parent::survives(
            "aws:sqs:Queue",
            "redrivePolicy.deadLetterTargetArn",
            &["arn"],
        ),
        Parent::survives("aws:iam:Role", "subscriptionRoleArn", &["arn"]),
    ];
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        checks(rules)
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        sns::canonical(props);
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let whose = (&*props.topic, &*props.protocol, &*props.endpoint);
        // `Subscribe` answers with one that exists, whoever made it.
        let look = listed(cx, whose).await.map_err(Error::before_write)?;
        if let Some(arn) = look.filter(|arn| arn.starts_with("arn:")) {
            return Err(taken(cx, whose, &arn));
        }
        let given = attributes::given(TABLE, props)?;
        let call = subscribe(cx.aws.sns_once().subscribe(), whose);
        let call = call.set_attributes(sns::sent(given));
        let arn = match send!(cx, call, "sns:Subscribe", wait: sns::PASSING) {
            // One that is pending, with other attributes.
            Err(error) if sns::exists(&error) => {
                let arn = found(cx, whose).await?;
                return Err(arn.map_or(error, |arn| taken(cx, whose, &arn)));
            }
            other => other?.subscription_arn,
        };
        let arn = arn.ok_or_else(|| Error::incomplete("sns:Subscribe", "SubscriptionArn"))?;
        cx.made(&arn, Attributes::new(json!({"id": arn, "arn": arn})));
        let shown = cx.until("SNS to show the subscription", sns::LAG, || async {
            let live = get(cx, &arn).await?;
            live.ok_or_else(|| Wait::NotYet("not found".to_owned()))
        });
        let outputs = outputs(&arn, &shown.await?);
        Ok(Made { id: arn, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let id = &read.id;
        let Some(live) = get(cx, id).await? else {
            return Ok(None);
        };
        let text = |name: &str| live.get(name).map(String::as_str);
        let table = [NAMED, TABLE].concat();
        let mut props: Self = attributes::parse(&table, "sns:GetSubscriptionAttributes", text)?;
        if let Some(policy) = &mut props.delivery_policy {
            drop_nulls(&mut policy.0, &Path::root(), &BTreeMap::new());
        }
        Ok(Some(Live::new(props, outputs(id, &live))))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let mut wanted: Vec<_> = attributes::changed(TABLE, &change)?.into_iter().collect();
        // A filter of bodies may be nested, one of attributes may not: the scope that takes more
        // comes first, the other one last (Terraform's provider).
        wanted.sort_by_key(|(name, value)| match (*name, value.as_str()) {
            ("FilterPolicyScope", "MessageBody") => 0,
            ("FilterPolicyScope", _) => 2,
            _ => 1,
        });
        for (name, value) in wanted {
            let call = cx.aws.sns().set_subscription_attributes();
            let call = call.subscription_arn(&change.id).attribute_name(name);
            let call = call.set_attribute_value(Some(value).filter(|value| !value.is_empty()));
            send!(cx, call, "sns:SetSubscriptionAttributes", wait: sns::PASSING)?;
        }
        Ok(Made::new(change.id, outputs_of(&change.live)?))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let call = cx.aws.sns().unsubscribe().subscription_arn(id);
        match send!(cx, call, "sns:Unsubscribe", wait: sns::PASSING, gone: sns::NOT_FOUND) {
            Err(error) if error.message().contains("pending confirmation") => {
                cx.waiting("nobody has confirmed the subscription, and no call deletes it: SNS does so within 48 hours, or with the topic");
                return Ok(());
            }
            other => other?,
        }
        cx.until("the subscription to be deleted", sns::LAG, || async move {
            match get(cx, id).await? {
                None => Ok(()),
                Some(_) => Err(Wait::NotYet("still there".to_owned())),
            }
        })
        .await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let [topic, protocol, endpoint] =
            ["topic", "protocol", "endpoint"].map(|it| known.text(it));
        match (topic, protocol, endpoint) {
            (Some(topic), Some(protocol), Some(endpoint)) => {
                found(cx, (topic, protocol, endpoint)).await
            }
            _ => Ok(None),
        }
    }
}

/// Topic, protocol and endpoint: SNS has one subscription of them.
type Whose<'w> = (&'w str, &'w str, &'w str);

fn taken(cx: &Cx, (topic, protocol, endpoint): Whose<'_>, arn: &str) -> Error {
    let endpoint = sns::masked(endpoint);
    let what = format!("a subscription of {protocol} {endpoint} to the topic {topic}");
    import_id::exists(cx, &what, arn)
}

fn subscribe(call: SubscribeFluentBuilder, whose: Whose<'_>) -> SubscribeFluentBuilder {
    let call = call.topic_arn(whose.0).protocol(whose.1).endpoint(whose.2);
    call.return_subscription_arn(true)
}

async fn get(cx: &Cx, arn: &str) -> Result<Option<HashMap<String, String>>, Error> {
    let call = cx.aws.sns().get_subscription_attributes();
    let call = call.subscription_arn(arn);
    let reply = send!(call, "sns:GetSubscriptionAttributes", none: sns::NOT_FOUND)?;
    Ok(reply.map(|reply| reply.attributes.unwrap_or_default()))
}

fn outputs(arn: &str, live: &HashMap<String, String>) -> Outputs {
    let is_true = |name: &str| live.get(name).is_some_and(|value| value == "true");
    Outputs {
        id: arn.to_owned(),
        arn: arn.to_owned(),
        owner_id: live.get("Owner").cloned().unwrap_or_default(),
        pending_confirmation: is_true("PendingConfirmation"),
        confirmation_was_authenticated: is_true("ConfirmationWasAuthenticated"),
    }
}

/// The ARN of a subscription; of a pending one the listing has the word `PendingConfirmation` in its
/// place, of one on its way out `Deleted`.
async fn listed(cx: &Cx, (topic, protocol, endpoint): Whose<'_>) -> Result<Option<String>, Error> {
    let shown = &*sns::masked(endpoint);
    listing::first("sns:ListSubscriptionsByTopic", |token| async move {
        let call = cx.aws.sns().list_subscriptions_by_topic();
        let call = call.topic_arn(topic).set_next_token(token);
        let reply = send!(call, "sns:ListSubscriptionsByTopic", none: sns::NOT_FOUND)?;
        let Some(reply) = reply else {
            return Ok((None, None));
        };
        let mut all = reply.subscriptions.unwrap_or_default().into_iter();
        let found = all.find(|it| {
            it.protocol() == Some(protocol)
                && it.endpoint() == Some(shown)
                && it.subscription_arn() != Some("Deleted")
        });
        Ok((found.and_then(|it| it.subscription_arn), reply.next_token))
    })
    .await
}

/// The ARN of a subscription. Only the same `Subscribe` returns that of a pending one.
async fn found(cx: &Cx, whose: Whose<'_>) -> Result<Option<String>, Error> {
    match listed(cx, whose).await? {
        Some(arn) if arn.starts_with("arn:") => Ok(Some(arn)),
        Some(_) => {
            let call = subscribe(cx.aws.sns().subscribe(), whose);
            Ok(send!(call, "sns:Subscribe")?.subscription_arn)
        }
        None => Ok(None),
    }
}

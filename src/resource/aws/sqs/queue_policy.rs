//! `aws:sqs:QueuePolicy`.

use crate::resource::author::*;
use crate::resource::aws::policy::canonical;
use crate::resource::aws::sqs::{self, rules as queue_rules};
use aws_sdk_sqs::types::QueueAttributeName as Name;

/// The policy of a queue, kept apart from the queue so that it may name the queue itself.
/// A queue has one policy: one that others set before is overwritten.
///
/// ```yaml
/// queue_policy:
///   type: aws:sqs:QueuePolicy
///   properties:
///     queueUrl: ${queue.url}
///     policy:
///       Version: "2012-10-17"
///       Statement:
///         - Effect: Allow
///           Principal: {Service: events.amazonaws.com}
///           Action: sqs:SendMessage
///           Resource: ${queue.arn}
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueuePolicy {
    /// The queue's URL.
    #[schemars(length(min = 1), extend("createOnly" = true))]
    pub queue_url: String,
    /// Who may do what to the queue. Every statement names a principal.
    pub policy: Policy,
}

/// The outputs of `aws:sqs:QueuePolicy`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The queue's URL.
    #[schemars(extend("from" = ["queueUrl"]))]
    pub id: String,
}

impl From<String> for Outputs {
    fn from(id: String) -> Self {
        Self { id }
    }
}

/// Why a policy resource cannot stand beside a queue that has the property `policy`.
fn queue_has_its_own(_policy: &Rules<'_>, queue: &Rules<'_>) -> Option<Broken> {
    let message = "The queue has a policy of its own, and one would overwrite the other: take it out of the queue, or this resource out of the stack.";
    queue
        .given("policy")
        .then(|| Broken::at("queueUrl", message))
}

impl Setting for QueuePolicy {
    const TYPE: &'static str = "aws:sqs:QueuePolicy";
    const CALLS: &'static [&'static str] = &["sqs:GetQueueAttributes", "sqs:SetQueueAttributes"];
    const OF: Parent =
        Parent::dies_with("aws:sqs:Queue", "queueUrl", &["url"]).unless(queue_has_its_own);
    const LANE: Lane = Lane("sqs", "queueUrl");
    const IMPORT: Import = sqs::BY_URL;
    const IN_THE_WAY: Option<&'static str> = Some("a policy of the queue");
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        queue_rules::policy(rules)
    }

    fn parent(&self) -> &str {
        &self.queue_url
    }

    fn is_same(&self, live: &Self) -> bool {
        canonical(&live.policy.0) == canonical(&self.policy.0)
    }

    async fn get(cx: &Cx, url: &str, _attributes: &Attributes) -> Result<Option<Self>, Error> {
        let live = sqs::attributes(cx, url, Name::Policy).await?;
        let text = live.and_then(|mut live| live.remove(&Name::Policy));
        let text = text.filter(|text| !text.is_empty());
        Ok(text.map(|text| Self {
            queue_url: url.to_owned(),
            policy: Policy::parse(&text),
        }))
    }

    async fn put(cx: &Cx, props: &Self, _change: Option<&Change<Self>>) -> Result<(), Error> {
        let wanted = BTreeMap::from([("Policy", props.policy.text())]);
        sqs::set_attributes(cx, &props.queue_url, &wanted).await
    }

    async fn remove(cx: &Cx, url: &str, _attributes: &Attributes) -> Result<(), Error> {
        let call = cx.aws.sqs().set_queue_attributes().queue_url(url);
        let call = call.attributes(Name::Policy, "");
        send!(cx, call, "sqs:SetQueueAttributes", wait: sqs::SLOWED, gone: sqs::NOT_FOUND)
    }
}

//! `aws:sqs:QueuePolicy`.

use crate::resource::aws::policy::canonical;
use crate::resource::aws::sqs::{self, rules as queue_rules};
use crate::resource::context::{Cx, throttled};
use crate::resource::document::Policy;
use crate::resource::error::{CallResult, Error};
use crate::resource::import_id::{self, Imported};
use crate::resource::relation::Parent;
use crate::resource::{Broken, Change, Known, Live, Made, New, Resource, Rules};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The policy of a queue, kept apart from the queue so that it may name the queue itself.
/// A queue has one policy: one that others set before is overwritten.
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

impl Resource for QueuePolicy {
    const TYPE: &'static str = "aws:sqs:QueuePolicy";
    const IMPORT_ID: &'static str =
        "the queue's URL, such as `https://sqs.us-west-2.amazonaws.com/123456789012/orders`";
    const IDENTITY: &'static [&'static str] = &["queueUrl"];
    const PARENTS: &'static [Parent] =
        &[Parent::dies_with("aws:sqs:Queue", "queueUrl", &["url"]).unless(queue_has_its_own)];
    type Outputs = Outputs;

    fn import(text: &str) -> Result<Imported, String> {
        import_id::queue_url(text)
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        queue_rules::policy(rules)
    }

    fn lane(attrs: &Value) -> Option<String> {
        sqs::lane(attrs["queueUrl"].as_str())
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let url = &new.props.queue_url;
        // The write would go over what somebody else allowed.
        if let Some(live) = live_policy(cx, url).await.map_err(Error::before_write)?
            && canonical(&live.0) != canonical(&new.props.policy.0)
        {
            return Err(import_id::exists(cx, "a policy of the queue", url));
        }
        put(cx, &new.props).await
    }

    async fn read(cx: &Cx, id: &str, _attrs: &Value) -> Result<Option<Live<Self, Outputs>>, Error> {
        Ok(live_policy(cx, id).await?.map(|policy| Live {
            props: Self {
                queue_url: id.to_owned(),
                policy,
            },
            outputs: Outputs { id: id.to_owned() },
        }))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        put(cx, &change.new).await
    }

    async fn delete(cx: &Cx, id: &str, _attrs: &Value) -> Result<(), Error> {
        let call = cx
            .aws
            .sqs()
            .set_queue_attributes()
            .queue_url(id)
            .attributes(Name::Policy, "");
        cx.retry(sqs::CHANGE_LAG, throttled, || async {
            call.clone()
                .send()
                .await
                .call_unless("sqs:SetQueueAttributes", sqs::NOT_FOUND)
        })
        .await?;
        Ok(())
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let (Some(url), Some(policy)) = (known.text("queueUrl"), known.get::<Policy>("policy")?)
        else {
            return Ok(None);
        };
        let live = live_policy(cx, url).await?;
        Ok(live
            .filter(|live| canonical(&live.0) == canonical(&policy.0))
            .map(|_| url.to_owned()))
    }
}

/// Why a policy resource cannot stand beside a queue that has the property `policy`.
fn queue_has_its_own(_policy: &Rules<'_>, queue: &Rules<'_>) -> Option<Broken> {
    let message = "The queue has a policy of its own, and one would overwrite the other: take it out of the queue, or this resource out of the stack.";
    queue
        .given("policy")
        .then(|| Broken::at("queueUrl", message))
}

async fn put(cx: &Cx, props: &QueuePolicy) -> Result<Made<Outputs>, Error> {
    let wanted = BTreeMap::from([("Policy", props.policy.text())]);
    sqs::set_attributes(cx, &props.queue_url, &wanted).await?;
    let id = props.queue_url.clone();
    Ok(Made {
        id: id.clone(),
        outputs: Outputs { id },
    })
}

/// The queue's policy; none when it has none, or there is no such queue.
async fn live_policy(cx: &Cx, url: &str) -> Result<Option<Policy>, Error> {
    let live = sqs::attributes(cx, url, Name::Policy).await?;
    Ok(live
        .and_then(|mut live| live.remove(&Name::Policy))
        .filter(|text| !text.is_empty())
        .map(|text| Policy::parse(&text)))
}

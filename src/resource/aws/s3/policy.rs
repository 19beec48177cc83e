//! `aws:s3:BucketPolicy`: the resource policy of a bucket.

use crate::resource::aws::policy::canonical;
use crate::resource::aws::s3;
use crate::resource::context::Cx;
use crate::resource::document::{Policy, parse};
use crate::resource::error::{CallResult, Error};
use crate::resource::import_id::{self, Imported};
use crate::resource::relation::Parent;
use crate::resource::relation::{After, turned_on};
use crate::resource::spread::Reason;
use crate::resource::{Broken, Change, Known, Live, Made, New, Resource, Rules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// The policy of a bucket; a bucket has one at most. One that makes the bucket public is
/// refused while the bucket's public access block says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketPolicy {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), extend("createOnly" = true))]
    pub bucket: String,
    /// The policy document.
    pub policy: Policy,
}

/// The outputs of `aws:s3:BucketPolicy`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The bucket's name.
    #[schemars(extend("from" = ["bucket"]))]
    pub id: String,
}

/// How long IAM may take to make a new principal known.
const PROPAGATION: Duration = Duration::from_secs(2 * 60);

fn made(bucket: String) -> Made<Outputs> {
    Made {
        outputs: Outputs { id: bucket.clone() },
        id: bucket,
    }
}

/// A role or user that was just made is not known to S3 at once.
fn principal_unknown(error: &Error) -> Option<Reason> {
    (error.is(&["MalformedPolicy"]) && error.message().contains("Invalid principal"))
        .then_some(Reason::created("a new principal takes up to a minute"))
}

fn explain(bucket: &str, error: Error) -> Error {
    if error.is(&["AccessDenied"]) && error.message().contains("BlockPublicPolicy") {
        return Error::with_hint(
            format!("S3 refuses the policy of bucket {bucket}, since it is public: {error}"),
            "Narrow the policy's principals, or set blockPublicPolicy: false in an \
             aws:s3:BucketPublicAccessBlock that this policy depends on.",
        );
    }
    error
}

async fn get(cx: &Cx, bucket: &str) -> Result<Option<BucketPolicy>, Error> {
    let reply = cx
        .aws
        .s3()
        .get_bucket_policy()
        .bucket(bucket)
        .send()
        .await
        .call_unless(
            "s3:GetBucketPolicy",
            &["NoSuchBucketPolicy", "NoSuchBucket"],
        )?;
    let text = reply.and_then(|reply| reply.policy);
    Ok(text.map(|text| BucketPolicy {
        bucket: bucket.to_owned(),
        policy: Policy::parse(&text),
    }))
}

fn is_same(live: &Policy, wanted: &Policy) -> bool {
    canonical(&live.0) == canonical(&wanted.0)
}

impl Resource for BucketPolicy {
    const TYPE: &'static str = "aws:s3:BucketPolicy";
    const IMPORT_ID: &'static str = "the bucket's name";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const PARENTS: &'static [Parent] = &[Parent::dies_with("aws:s3:Bucket", "bucket", &["bucket"])];
    // S3 refuses a public policy as long as such policies are blocked.
    const AFTER: &'static [After] = &[After {
        closes: |from, to| turned_on(from, to, &["blockPublicPolicy", "restrictPublicBuckets"]),
        ..After::siblings("aws:s3:BucketPublicAccessBlock", "bucket")
    }];
    type Outputs = Outputs;

    fn import(text: &str) -> Result<Imported, String> {
        import_id::name(text, &['/', ':', ','], "bucket, such as my-bucket")
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let document = match rules.known("policy") {
            Some(Value::String(text)) => parse(text),
            Some(other) => other.clone(),
            None => return Vec::new(),
        };
        if document.get("Statement").is_some() || !rules.props.is_known() {
            return Vec::new();
        }
        vec![Broken::at(
            "policy",
            "a bucket policy is a JSON object with a Statement",
        )]
    }

    fn lane(attrs: &Value) -> Option<String> {
        s3::lane(attrs)
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let bucket = new.props.bucket;
        // The write would go over what somebody else allowed.
        if let Some(live) = get(cx, &bucket).await.map_err(Error::before_write)?
            && !is_same(&live.policy, &new.props.policy)
        {
            return Err(import_id::exists(cx, "a policy of the bucket", &bucket));
        }
        let request = cx
            .aws
            .s3_once()
            .put_bucket_policy()
            .bucket(&bucket)
            .policy(new.props.policy.text());
        s3::first_write(cx, principal_unknown, || async {
            request.clone().send().await.call("s3:PutBucketPolicy")
        })
        .await
        .map_err(|error| explain(&bucket, error))?;
        Ok(made(bucket))
    }

    async fn read(cx: &Cx, id: &str, _attrs: &Value) -> Result<Option<Live<Self, Outputs>>, Error> {
        Ok(get(cx, id).await?.map(|props| Live {
            props,
            outputs: Outputs { id: id.to_owned() },
        }))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let request = cx
            .aws
            .s3()
            .put_bucket_policy()
            .bucket(&change.id)
            .policy(change.new.policy.text());
        let reason = |error: &Error| {
            let busy = s3::busy(error).map(Reason::from);
            busy.or_else(|| principal_unknown(error))
        };
        cx.retry(PROPAGATION, reason, || async {
            request.clone().send().await.call("s3:PutBucketPolicy")
        })
        .await
        .map_err(|error| explain(&change.id, error))?;
        Ok(made(change.id))
    }

    async fn delete(cx: &Cx, id: &str, _attrs: &Value) -> Result<(), Error> {
        s3::change(cx, || async {
            let sent = cx.aws.s3().delete_bucket_policy().bucket(id).send().await;
            s3::gone_is_done(sent.call("s3:DeleteBucketPolicy"), &["NoSuchBucketPolicy"])
        })
        .await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let (Some(bucket), Some(policy)) = (known.text("bucket"), known.get::<Policy>("policy")?)
        else {
            return Ok(None);
        };
        let live = get(cx, bucket).await?;
        let same = live.is_some_and(|live| is_same(&live.policy, &policy));
        Ok(same.then(|| bucket.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Data, Path};
    use serde_json::json;

    fn is_fine(policy: Value) -> bool {
        let props = Data::from(json!({"bucket": "abc", "policy": policy}));
        let rules = Rules {
            props: &props,
            peer: &|_| None,
        };
        BucketPolicy::rules(&rules).is_empty()
    }

    #[test]
    fn a_policy_without_a_statement_is_refused() {
        assert!(is_fine(json!({"Statement": []})));
        assert!(is_fine(json!("{\"Statement\": []}")));
        assert!(!is_fine(json!({"Statment": []})));
        assert!(!is_fine(json!("Statement")));
    }

    #[test]
    fn a_policy_that_is_not_known_yet_is_left_alone() {
        let mut props = Data::from(json!({"bucket": "abc"}));
        props.set(&Path::dotted("policy"), Data::unknown("${x.json}"));
        let rules = Rules {
            props: &props,
            peer: &|_| None,
        };
        assert!(BucketPolicy::rules(&rules).is_empty());
    }
}

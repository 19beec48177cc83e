//! `aws:s3:BucketPolicy`: the resource policy of a bucket.

use crate::resource::author::*;
use crate::resource::aws::policy::canonical;
use crate::resource::aws::s3::{self, OfBucket};
use crate::resource::document::parse;

/// The policy of a bucket; a bucket has one at most. One that makes the bucket public is
/// refused while the bucket's public access block says so.
///
/// ```yaml
/// bucket_policy:
///   type: aws:s3:BucketPolicy
///   properties:
///     bucket: ${bucket.bucket}
///     policy:
///       Version: "2012-10-17"
///       Statement:
///         - Effect: Deny
///           Principal: "*"
///           Action: s3:*
///           Resource: ["${bucket.arn}", "${bucket.arn}/*"]
///           Condition: {Bool: {"aws:SecureTransport": "false"}}
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketPolicy {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), extend("createOnly" = true))]
    pub bucket: String,
    /// The policy document.
    pub policy: Policy,
}

/// How long IAM may take to make a new principal known.
const PROPAGATION: Duration = Duration::from_secs(2 * 60);

/// A role or user that was just created is not known to S3 at once.
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

/// The code that says that the policy does not exist.
pub(super) const NOT_FOUND: &[&str] = &["NoSuchBucketPolicy", "NoSuchBucket", "NotFound"];

impl Setting for BucketPolicy {
    const TYPE: &'static str = "aws:s3:BucketPolicy";
    const CALLS: &'static [&'static str] = &[
        "s3:DeleteBucketPolicy",
        "s3:GetBucketPolicy",
        "s3:PutBucketPolicy",
    ];
    const OF: Parent = s3::BUCKET;
    // S3 refuses a public policy as long as such policies are blocked.
    const AFTER: &'static [After] = &[After {
        closes: |from, to| turned_on(from, to, &["blockPublicPolicy", "restrictPublicBuckets"]),
        ..After::siblings("aws:s3:BucketPublicAccessBlock", "bucket")
    }];
    const LANE: Lane = s3::LANE;
    const IMPORT: Import = s3::BY_BUCKET;
    const IN_THE_WAY: Option<&'static str> = Some("a policy of the bucket");
    type Outputs = OfBucket;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let document = match rules.known("policy") {
            Some(Value::String(text)) => parse(text),
            Some(other) => other.clone(),
            None => return Vec::new(),
        };
        if document.get("Statement").is_some() || !rules.props.is_known() {
            return Vec::new();
        }
        vec![
            Broken::at(
                "policy",
                "a bucket policy is a JSON object with a Statement",
            )
            .code("SK0504"),
        ]
    }

    fn parent(&self) -> &str {
        &self.bucket
    }

    fn is_same(&self, live: &Self) -> bool {
        canonical(&live.policy.0) == canonical(&self.policy.0)
    }

    async fn get(cx: &Cx, bucket: &str, _attributes: &Attributes) -> Result<Option<Self>, Error> {
        let request = cx.aws.s3().get_bucket_policy().bucket(bucket);
        let reply =
            send!(request, "s3:GetBucketPolicy", none: &["NoSuchBucketPolicy", "NoSuchBucket"])?;
        let text = reply.and_then(|reply| reply.policy);
        Ok(text.map(|text| Self {
            bucket: bucket.to_owned(),
            policy: Policy::parse(&text),
        }))
    }

    async fn put(cx: &Cx, props: &Self, change: Option<&Change<Self>>) -> Result<(), Error> {
        let request = s3::client(cx, change.is_none()).put_bucket_policy();
        let request = request.bucket(&props.bucket).policy(props.policy.text());
        let reason = |error: &Error| {
            let busy = s3::busy(error).map(Reason::from);
            busy.or_else(|| principal_unknown(error))
        };
        let sent = match change {
            None => send!(cx, request, "s3:PutBucketPolicy", wait: s3::first(principal_unknown)),
            Some(_) => send!(cx, request, "s3:PutBucketPolicy", wait: (PROPAGATION, reason)),
        };
        sent.map_err(|error| explain(&props.bucket, error))?;
        Ok(())
    }

    async fn remove(cx: &Cx, bucket: &str, _attributes: &Attributes) -> Result<(), Error> {
        let request = cx.aws.s3().delete_bucket_policy().bucket(bucket);
        send!(cx, request, "s3:DeleteBucketPolicy", wait: s3::BUSY, gone: NOT_FOUND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fine(policy: Value) -> bool {
        let props = Data::from(json!({"bucket": "abc", "policy": policy}));
        let rules = Rules {
            props: &props,
            peer: &|_| None,
        };
        <BucketPolicy as Setting>::rules(&rules).is_empty()
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
        assert!(<BucketPolicy as Setting>::rules(&rules).is_empty());
    }
}

//! `aws:s3:BucketOwnershipControls`: who owns a bucket's objects, and whether ACLs count.

use crate::resource::author::*;
use crate::resource::aws::s3::{self, OfBucket};
use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};

/// The object ownership of a bucket. Every bucket has one: `BucketOwnerEnforced` for a new
/// bucket, and `ObjectWriter` after this resource is deleted.
///
/// ```yaml
/// ownership:
///   type: aws:s3:BucketOwnershipControls
///   properties: {bucket: "${bucket.bucket}", rule: {objectOwnership: BucketOwnerPreferred}}
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketOwnershipControls {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), extend("createOnly" = true))]
    pub bucket: String,
    /// The rule.
    pub rule: Rule,
}

/// The rule of ownership controls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// `BucketOwnerEnforced` (ACLs are off), `BucketOwnerPreferred` or `ObjectWriter`.
    #[schemars(extend("enum" = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]))]
    pub object_ownership: String,
}

fn controls(rule: &Rule) -> Result<OwnershipControls, Error> {
    let ownership = ObjectOwnership::from(rule.object_ownership.as_str());
    OwnershipControlsRule::builder()
        .object_ownership(ownership)
        .build()
        .and_then(|rule| OwnershipControls::builder().rules(rule).build())
        .map_err(|error| s3::built(&error))
}

/// What says that there are none.
const NO_CONTROLS: &[&str] = &["OwnershipControlsNotFoundError", "NoSuchBucket", "NotFound"];

impl Setting for BucketOwnershipControls {
    const TYPE: &'static str = "aws:s3:BucketOwnershipControls";
    const CALLS: &'static [&'static str] = &[
        "s3:DeleteBucketOwnershipControls",
        "s3:GetBucketOwnershipControls",
        "s3:PutBucketOwnershipControls",
    ];
    const OF: Parent = s3::BUCKET;
    const LANE: Lane = s3::LANE;
    const IMPORT: Import = s3::BY_BUCKET;
    type Outputs = OfBucket;

    fn parent(&self) -> &str {
        &self.bucket
    }

    fn is_same(&self, live: &Self) -> bool {
        live.rule == self.rule
    }

    async fn get(cx: &Cx, bucket: &str, _attributes: &Attributes) -> Result<Option<Self>, Error> {
        let request = cx.aws.s3().get_bucket_ownership_controls().bucket(bucket);
        let none = &["OwnershipControlsNotFoundError", "NoSuchBucket"];
        let reply = send!(request, "s3:GetBucketOwnershipControls", none: none)?;
        let controls = reply.and_then(|reply| reply.ownership_controls);
        let rule = controls.and_then(|controls| controls.rules.into_iter().next());
        Ok(rule.map(|rule| Self {
            bucket: bucket.to_owned(),
            rule: Rule {
                object_ownership: rule.object_ownership.as_str().to_owned(),
            },
        }))
    }

    async fn put(cx: &Cx, props: &Self, change: Option<&Change<Self>>) -> Result<(), Error> {
        let request = s3::client(cx, change.is_none()).put_bucket_ownership_controls();
        let request = request
            .bucket(&props.bucket)
            .ownership_controls(controls(&props.rule)?);
        let waits = s3::writing(change.is_none(), s3::never);
        send!(cx, request, "s3:PutBucketOwnershipControls", wait: waits)?;
        cx.aws.fresh.note(s3::ownership_of(&props.bucket));
        Ok(())
    }

    async fn remove(cx: &Cx, bucket: &str, _attributes: &Attributes) -> Result<(), Error> {
        let request = cx.aws.s3().delete_bucket_ownership_controls();
        let request = request.bucket(bucket);
        send!(
            cx, request, "s3:PutBucketOwnershipControls (DeleteBucketOwnershipControls)",
            wait: s3::BUSY, gone: NO_CONTROLS
        )
    }
}

//! `aws:s3:BucketPublicAccessBlock`: what keeps a bucket from being public.

use crate::resource::author::*;
use crate::resource::aws::s3::{self, OfBucket};
use aws_sdk_s3::types::PublicAccessBlockConfiguration;

/// The four public access settings of a bucket. All four are on for a new bucket; here one
/// that is not given is off, and all are off once this resource is deleted.
///
/// ```yaml
/// access_block:
///   type: aws:s3:BucketPublicAccessBlock
///   properties: {bucket: "${bucket.bucket}", blockPublicAcls: true, blockPublicPolicy: true}
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketPublicAccessBlock {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), extend("createOnly" = true))]
    pub bucket: String,
    /// Refuse ACLs that make the bucket or its objects public.
    #[schemars(extend("default" = false))]
    pub block_public_acls: Option<bool>,
    /// Refuse bucket policies that make the bucket public.
    #[schemars(extend("default" = false))]
    pub block_public_policy: Option<bool>,
    /// Treat public ACLs as if they did not exist.
    #[schemars(extend("default" = false))]
    pub ignore_public_acls: Option<bool>,
    /// Let only this account and AWS services use a bucket whose policy is public.
    #[schemars(extend("default" = false))]
    pub restrict_public_buckets: Option<bool>,
}

impl BucketPublicAccessBlock {
    /// All four settings spelled out: a Put sets what is omitted to false as well.
    fn complete(&self) -> Self {
        let full = |flag: Option<bool>| Some(flag.unwrap_or(false));
        Self {
            bucket: self.bucket.clone(),
            block_public_acls: full(self.block_public_acls),
            block_public_policy: full(self.block_public_policy),
            ignore_public_acls: full(self.ignore_public_acls),
            restrict_public_buckets: full(self.restrict_public_buckets),
        }
    }

    fn configuration(&self) -> PublicAccessBlockConfiguration {
        let full = self.complete();
        PublicAccessBlockConfiguration::builder()
            .set_block_public_acls(full.block_public_acls)
            .set_block_public_policy(full.block_public_policy)
            .set_ignore_public_acls(full.ignore_public_acls)
            .set_restrict_public_buckets(full.restrict_public_buckets)
            .build()
    }
}

/// What says that there is none.
const NO_BLOCK: &[&str] = &[
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchBucket",
    "NotFound",
];

impl Setting for BucketPublicAccessBlock {
    const TYPE: &'static str = "aws:s3:BucketPublicAccessBlock";
    const CALLS: &'static [&'static str] = &[
        "s3:DeletePublicAccessBlock",
        "s3:GetPublicAccessBlock",
        "s3:PutPublicAccessBlock",
    ];
    const OF: Parent = s3::BUCKET;
    const LANE: Lane = s3::LANE;
    const IMPORT: Import = s3::BY_BUCKET;
    type Outputs = OfBucket;

    fn parent(&self) -> &str {
        &self.bucket
    }

    fn is_same(&self, live: &Self) -> bool {
        *live == self.complete()
    }

    async fn get(cx: &Cx, bucket: &str, _attributes: &Attributes) -> Result<Option<Self>, Error> {
        let request = cx.aws.s3().get_public_access_block().bucket(bucket);
        let none = &["NoSuchPublicAccessBlockConfiguration", "NoSuchBucket"];
        let reply = send!(
            request, "s3:GetBucketPublicAccessBlock (GetPublicAccessBlock)", none: none
        )?;
        let config = reply.and_then(|reply| reply.public_access_block_configuration);
        Ok(config.map(|config| {
            Self {
                bucket: bucket.to_owned(),
                block_public_acls: config.block_public_acls,
                block_public_policy: config.block_public_policy,
                ignore_public_acls: config.ignore_public_acls,
                restrict_public_buckets: config.restrict_public_buckets,
            }
            .complete()
        }))
    }

    async fn put(cx: &Cx, props: &Self, change: Option<&Change<Self>>) -> Result<(), Error> {
        let request = s3::client(cx, change.is_none()).put_public_access_block();
        let request = request
            .bucket(&props.bucket)
            .public_access_block_configuration(props.configuration());
        let waits = s3::writing(change.is_none(), s3::never);
        send!(cx, request, "s3:PutBucketPublicAccessBlock (PutPublicAccessBlock)", wait: waits)
            .map(|_| ())
    }

    async fn remove(cx: &Cx, bucket: &str, _attributes: &Attributes) -> Result<(), Error> {
        let request = cx.aws.s3().delete_public_access_block().bucket(bucket);
        send!(
            cx, request, "s3:PutBucketPublicAccessBlock (DeletePublicAccessBlock)",
            wait: s3::BUSY, gone: NO_BLOCK
        )
    }
}

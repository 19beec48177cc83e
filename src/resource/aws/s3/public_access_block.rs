//! `aws:s3:BucketPublicAccessBlock`: what keeps a bucket from being public.

use crate::resource::aws::s3;
use crate::resource::context::Cx;
use crate::resource::error::{CallResult, Error};
use crate::resource::import_id::{self, Imported};
use crate::resource::relation::Parent;
use crate::resource::{Change, Known, Live, Made, New, Resource};
use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The four public access settings of a bucket. All four are on for a new bucket; here one
/// that is left out is off, and all are off once this resource is deleted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketPublicAccessBlock {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), extend("createOnly" = true))]
    pub bucket: String,
    /// Refuse ACLs that make the bucket or its objects public.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub block_public_acls: Option<bool>,
    /// Refuse bucket policies that make the bucket public.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub block_public_policy: Option<bool>,
    /// Treat public ACLs as if they were not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub ignore_public_acls: Option<bool>,
    /// Let only this account and AWS services use a bucket whose policy is public.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub restrict_public_buckets: Option<bool>,
}

/// The outputs of `aws:s3:BucketPublicAccessBlock`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The bucket's name.
    #[schemars(extend("from" = ["bucket"]))]
    pub id: String,
}

impl BucketPublicAccessBlock {
    /// All four settings spelled out: a Put sets what is left out to false as well.
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

fn made(bucket: String) -> Made<Outputs> {
    Made {
        outputs: Outputs { id: bucket.clone() },
        id: bucket,
    }
}

async fn get(cx: &Cx, bucket: &str) -> Result<Option<BucketPublicAccessBlock>, Error> {
    let reply = cx
        .aws
        .s3()
        .get_public_access_block()
        .bucket(bucket)
        .send()
        .await
        .call_unless(
            "s3:GetBucketPublicAccessBlock (GetPublicAccessBlock)",
            &["NoSuchPublicAccessBlockConfiguration", "NoSuchBucket"],
        )?;
    let config = reply.and_then(|reply| reply.public_access_block_configuration);
    Ok(config.map(|config| {
        BucketPublicAccessBlock {
            bucket: bucket.to_owned(),
            block_public_acls: config.block_public_acls,
            block_public_policy: config.block_public_policy,
            ignore_public_acls: config.ignore_public_acls,
            restrict_public_buckets: config.restrict_public_buckets,
        }
        .complete()
    }))
}

impl Resource for BucketPublicAccessBlock {
    const TYPE: &'static str = "aws:s3:BucketPublicAccessBlock";
    const IMPORT_ID: &'static str = "the bucket's name";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const PARENTS: &'static [Parent] = &[Parent::dies_with("aws:s3:Bucket", "bucket", &["bucket"])];
    type Outputs = Outputs;

    fn import(text: &str) -> Result<Imported, String> {
        import_id::name(text, &['/', ':', ','], "bucket, such as my-bucket")
    }

    fn lane(attrs: &Value) -> Option<String> {
        s3::lane(attrs)
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let client = cx.aws.s3_once();
        let request = client
            .put_public_access_block()
            .bucket(&new.props.bucket)
            .public_access_block_configuration(new.props.configuration());
        s3::first_write(cx, s3::never, || async {
            let sent = request.clone().send().await;
            sent.call("s3:PutBucketPublicAccessBlock (PutPublicAccessBlock)")
        })
        .await?;
        Ok(made(new.props.bucket))
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
            .put_public_access_block()
            .bucket(&change.id)
            .public_access_block_configuration(change.new.configuration());
        s3::change(cx, || async {
            let sent = request.clone().send().await;
            sent.call("s3:PutBucketPublicAccessBlock (PutPublicAccessBlock)")
        })
        .await?;
        Ok(made(change.id))
    }

    async fn delete(cx: &Cx, id: &str, _attrs: &Value) -> Result<(), Error> {
        s3::change(cx, || async {
            let request = cx.aws.s3().delete_public_access_block().bucket(id);
            let sent = request
                .send()
                .await
                .call("s3:PutBucketPublicAccessBlock (DeletePublicAccessBlock)");
            s3::gone_is_done(sent, &["NoSuchPublicAccessBlockConfiguration"])
        })
        .await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        if known.withholds() {
            return Ok(None);
        }
        let wanted = known.parsed::<Self>()?;
        let live = get(cx, &wanted.bucket).await?;
        Ok((live == Some(wanted.complete())).then_some(wanted.bucket))
    }
}

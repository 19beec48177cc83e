//! `aws:s3:BucketOwnershipControls`: who owns a bucket's objects, and whether ACLs count.

use crate::resource::aws::s3;
use crate::resource::context::Cx;
use crate::resource::error::{CallResult, Error};
use crate::resource::import_id::{self, Imported};
use crate::resource::relation::Parent;
use crate::resource::{Change, Known, Live, Made, New, Resource};
use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The object ownership of a bucket. Every bucket has one: `BucketOwnerEnforced` for a new
/// bucket, and `ObjectWriter` after this resource is deleted.
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

/// The outputs of `aws:s3:BucketOwnershipControls`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The bucket's name.
    #[schemars(extend("from" = ["bucket"]))]
    pub id: String,
}

fn made(bucket: String) -> Made<Outputs> {
    Made {
        outputs: Outputs { id: bucket.clone() },
        id: bucket,
    }
}

fn controls(rule: &Rule) -> Result<OwnershipControls, Error> {
    let ownership = ObjectOwnership::from(rule.object_ownership.as_str());
    OwnershipControlsRule::builder()
        .object_ownership(ownership)
        .build()
        .and_then(|rule| OwnershipControls::builder().rules(rule).build())
        .map_err(|error| s3::built(&error))
}

async fn get(cx: &Cx, bucket: &str) -> Result<Option<BucketOwnershipControls>, Error> {
    let reply = cx
        .aws
        .s3()
        .get_bucket_ownership_controls()
        .bucket(bucket)
        .send()
        .await
        .call_unless(
            "s3:GetBucketOwnershipControls",
            &["OwnershipControlsNotFoundError", "NoSuchBucket"],
        )?;
    let rule = reply
        .and_then(|reply| reply.ownership_controls)
        .and_then(|controls| controls.rules.into_iter().next());
    Ok(rule.map(|rule| BucketOwnershipControls {
        bucket: bucket.to_owned(),
        rule: Rule {
            object_ownership: rule.object_ownership.as_str().to_owned(),
        },
    }))
}

impl Resource for BucketOwnershipControls {
    const TYPE: &'static str = "aws:s3:BucketOwnershipControls";
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
        let bucket = new.props.bucket;
        let client = cx.aws.s3_once();
        let request = client
            .put_bucket_ownership_controls()
            .bucket(&bucket)
            .ownership_controls(controls(&new.props.rule)?);
        s3::first_write(cx, s3::never, || async {
            let sent = request.clone().send().await;
            sent.call("s3:PutBucketOwnershipControls")
        })
        .await?;
        cx.aws.fresh.note(s3::ownership_of(&bucket));
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
            .put_bucket_ownership_controls()
            .bucket(&change.id)
            .ownership_controls(controls(&change.new.rule)?);
        s3::change(cx, || async {
            let sent = request.clone().send().await;
            sent.call("s3:PutBucketOwnershipControls")
        })
        .await?;
        cx.aws.fresh.note(s3::ownership_of(&change.id));
        Ok(made(change.id))
    }

    async fn delete(cx: &Cx, id: &str, _attrs: &Value) -> Result<(), Error> {
        s3::change(cx, || async {
            let request = cx.aws.s3().delete_bucket_ownership_controls().bucket(id);
            let sent = request
                .send()
                .await
                .call("s3:PutBucketOwnershipControls (DeleteBucketOwnershipControls)");
            s3::gone_is_done(sent, &["OwnershipControlsNotFoundError"])
        })
        .await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let (Some(bucket), Some(rule)) = (known.text("bucket"), known.get::<Rule>("rule")?) else {
            return Ok(None);
        };
        let live = get(cx, bucket).await?;
        let same = live.is_some_and(|live| live.rule == rule);
        Ok(same.then(|| bucket.to_owned()))
    }
}

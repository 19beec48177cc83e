//! The tags of a bucket.

use super::{built, change, sdk_tags};
use crate::resource::context::{Cx, OWNER_TAG_PREFIX};
use crate::resource::error::{CallResult, Error};
use aws_sdk_s3::types::Tagging;
use std::collections::BTreeMap;

/// The bucket's tags where the file or the state has some.
pub async fn tags(cx: &Cx, name: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
    if cx.wants("tags") {
        all_tags(cx, name).await
    } else {
        Ok(None)
    }
}

/// All tags of a bucket, the owner's included; none without tags or without the bucket.
pub async fn all_tags(cx: &Cx, name: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
    let reply = cx
        .aws
        .s3()
        .get_bucket_tagging()
        .bucket(name)
        .send()
        .await
        .call_unless("s3:GetBucketTagging", &["NoSuchTagSet", "NoSuchBucket"])?;
    Ok(reply.map(|reply| {
        reply
            .tag_set
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect()
    }))
}

/// Puts these tags in place of the user's; PutBucketTagging replaces the whole set, so the
/// owner's tags are sent along.
pub async fn retag(cx: &Cx, name: &str, wanted: BTreeMap<String, String>) -> Result<(), Error> {
    let mut all = wanted;
    all.extend(
        all_tags(cx, name)
            .await?
            .into_iter()
            .flatten()
            .filter(|(key, _)| key.starts_with(OWNER_TAG_PREFIX)),
    );
    let s3 = cx.aws.s3();
    if all.is_empty() {
        return change(cx, || async {
            let sent = s3.delete_bucket_tagging().bucket(name).send().await;
            sent.call("s3:PutBucketTagging").map(|_| ())
        })
        .await;
    }
    let tagging = Tagging::builder()
        .set_tag_set(Some(sdk_tags(&all)?))
        .build()
        .map_err(|error| built(&error))?;
    let request = s3.put_bucket_tagging().bucket(name).tagging(tagging);
    change(cx, || async {
        request
            .clone()
            .send()
            .await
            .call("s3:PutBucketTagging")
            .map(|_| ())
    })
    .await
}

//! The tags of a bucket.

use super::{BUSY, built, first, never, sdk_tags};
use crate::resource::author::*;
use crate::resource::aws::tags as reading;
use aws_sdk_s3::types::Tagging;

/// The bucket's tags where the file or the state has some.
pub async fn tags(cx: &Cx, read: &Read) -> Result<Option<BTreeMap<String, String>>, Error> {
    reading::wanted(read, "s3:GetBucketTagging", all_tags(cx, &read.id)).await
}

/// All tags of a bucket, the owner's included; none without tags or without the bucket.
pub async fn all_tags(cx: &Cx, name: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
    let call = cx.aws.s3().get_bucket_tagging().bucket(name);
    let reply = send!(call, "s3:GetBucketTagging", none: &["NoSuchTagSet", "NoSuchBucket"])?;
    Ok(reply.map(|reply| {
        reply
            .tag_set
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect()
    }))
}

/// Changes the user's tags of a bucket from `old` to `new`. PutBucketTagging replaces the whole
/// set, so all others that the bucket has by now are sent along: the owner's, those of others, and
/// AWS's own (`aws:…`), which S3 refuses to remove.
pub async fn retag(
    cx: &Cx,
    name: &str,
    old: Option<&BTreeMap<String, String>>,
    new: Option<&BTreeMap<String, String>>,
) -> Result<(), Error> {
    let (set, remove) = tag_diff(old, new);
    let mut all = all_tags(cx, name).await?.unwrap_or_default();
    all.retain(|key, _| !remove.contains(key));
    all.extend(set);
    if all.is_empty() {
        let request = cx.aws.s3().delete_bucket_tagging().bucket(name);
        let call = send!(cx, request, "s3:PutBucketTagging (DeleteBucketTagging)", wait: BUSY);
        return call.map(|_| ());
    }
    put(cx, name, &all).await
}

/// Puts these tags in place of all that the bucket has.
pub async fn put(cx: &Cx, name: &str, all: &BTreeMap<String, String>) -> Result<(), Error> {
    let tagging = Tagging::builder()
        .set_tag_set(Some(sdk_tags(all)?))
        .build()
        .map_err(|error| built(&error))?;
    let request = cx.aws.s3().put_bucket_tagging().bucket(name);
    let request = request.tagging(tagging);
    send!(cx, request, "s3:PutBucketTagging", wait: first(never)).map(|_| ())
}

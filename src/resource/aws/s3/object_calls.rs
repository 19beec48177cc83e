//! The calls on an object other than its upload and its deletion.

use super::content::unquoted;
use super::object_settings::BucketObject;
use super::upload::PRIVATE;
use super::{built, refused_head, sdk_tags};
use crate::resource::author::*;
use crate::resource::aws::tags as reading;
use crate::resource::aws::time::{rfc3339, time};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{
    ChecksumMode, ObjectCannedAcl, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
    ObjectLockRetention, ObjectLockRetentionMode, Tagging,
};

/// HEAD of an object; none when it, or its bucket, does not exist.
pub async fn head(
    cx: &Cx,
    bucket: &str,
    key: &str,
    checksums: bool,
) -> Result<Option<HeadObjectOutput>, Error> {
    let call = cx
        .aws
        .s3()
        .head_object()
        .bucket(bucket)
        .key(key)
        .set_checksum_mode(checksums.then_some(ChecksumMode::Enabled));
    send!(call, "s3:GetObject (HeadObject)", none: &["NotFound", "NoSuchKey", "NoSuchBucket"])
        .map_err(|error| match error.status() {
            // A HEAD reply has no body to say so.
            Some(403) => Error::with_hint(
                format!("{bucket}/{key} may not be read, or does not exist: {error}"),
                "Allow s3:GetObject and s3:ListBucket for the identity in use.",
            ),
            _ => refused_head(cx, &format!("object {bucket}/{key}"), error),
        })
}

/// The properties that a HEAD reply returns.
pub fn live(head: &HeadObjectOutput) -> BucketObject {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let metadata = head.metadata().filter(|metadata| !metadata.is_empty());
    BucketObject {
        etag: head.e_tag().map(unquoted),
        content_type: text(head.content_type()),
        cache_control: text(head.cache_control()),
        content_disposition: text(head.content_disposition()),
        content_encoding: text(head.content_encoding()),
        content_language: text(head.content_language()),
        metadata: metadata.map(|all| all.clone().into_iter().collect()),
        storage_class: text(head.storage_class().map(|class| class.as_str())),
        server_side_encryption: text(head.server_side_encryption().map(|kind| kind.as_str())),
        kms_key_id: text(head.ssekms_key_id()),
        bucket_key_enabled: head.bucket_key_enabled(),
        website_redirect: text(head.website_redirect_location()),
        object_lock_mode: text(head.object_lock_mode().map(|mode| mode.as_str())),
        object_lock_retain_until_date: head.object_lock_retain_until_date().and_then(rfc3339),
        object_lock_legal_hold_status: text(
            head.object_lock_legal_hold_status()
                .map(|hold| hold.as_str()),
        ),
        ..BucketObject::default()
    }
}

/// The object's tags, where they are wanted.
pub async fn tags(
    cx: &Cx,
    read: &Read,
    [bucket, key]: [&str; 2],
    wanted: bool,
) -> Result<Option<BTreeMap<String, String>>, Error> {
    if !wanted {
        return Ok(None);
    }
    let call = cx.aws.s3().get_object_tagging().bucket(bucket).key(key);
    let reply = send!(call, "s3:GetObjectTagging", none: &["NoSuchKey", "NoSuchBucket"]);
    let reply = reading::read(read, "s3:GetObjectTagging", reply)?;
    Ok(
        reply
            .and_then(|reply| user_tags(reply.tag_set.into_iter().map(|tag| (tag.key, tag.value)))),
    )
}

/// Puts the properties' tags in place of the object's.
pub async fn retag(cx: &Cx, props: &BucketObject) -> Result<(), Error> {
    let tags = props.tags.clone().unwrap_or_default();
    let s3 = cx.aws.s3();
    if tags.is_empty() {
        let request = s3.delete_object_tagging().bucket(&props.bucket);
        let request = request.key(&props.key);
        return send!(request, "s3:DeleteObjectTagging").map(|_| ());
    }
    let tagging = Tagging::builder()
        .set_tag_set(Some(sdk_tags(&tags)?))
        .build()
        .map_err(|error| built(&error))?;
    let request = s3.put_object_tagging().bucket(&props.bucket);
    let request = request.key(&props.key).tagging(tagging);
    send!(request, "s3:PutObjectTagging").map(|_| ())
}

/// Puts the canned ACL; in a bucket without ACLs `private` is satisfied as it is.
pub async fn put_acl(cx: &Cx, props: &BucketObject) -> Result<(), Error> {
    let acl = props.acl.as_deref().unwrap_or(PRIVATE);
    let call = cx.aws.s3().put_object_acl().bucket(&props.bucket);
    let call = call.key(&props.key).acl(ObjectCannedAcl::from(acl));
    let sent = send!(call, "s3:PutObjectAcl");
    match sent {
        Err(error) if acl == PRIVATE && error.is(&["AccessControlListNotSupported"]) => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Puts the legal hold, off where the properties name none.
pub async fn put_legal_hold(cx: &Cx, props: &BucketObject) -> Result<(), Error> {
    let status = props.object_lock_legal_hold_status.as_deref();
    let status = ObjectLockLegalHoldStatus::from(status.unwrap_or("OFF"));
    let call = cx
        .aws
        .s3()
        .put_object_legal_hold()
        .bucket(&props.bucket)
        .key(&props.key)
        .legal_hold(ObjectLockLegalHold::builder().status(status).build());
    send!(call, "s3:PutObjectLegalHold").map(|_| ())
}

/// Puts the retention; an empty one removes it, which governance mode allows with a permission.
pub async fn put_retention(cx: &Cx, props: &BucketObject) -> Result<(), Error> {
    let mode = props.object_lock_mode.as_deref();
    let until = props.object_lock_retain_until_date.as_deref();
    let retention = ObjectLockRetention::builder()
        .set_mode(mode.map(ObjectLockRetentionMode::from))
        .set_retain_until_date(until.map(time).transpose()?);
    let call = cx.aws.s3().put_object_retention().bucket(&props.bucket);
    let call = call.key(&props.key).retention(retention.build());
    let call = call.set_bypass_governance_retention(props.force_destroy);
    send!(call, "s3:PutObjectRetention").map(|_| ())
}

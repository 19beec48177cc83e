//! Uploads in parts: CreateMultipartUpload, UploadPart, CompleteMultipartUpload.

use super::content::Source;
use super::object_settings::BucketObject;
use super::{first_write, never, upload};
use crate::content::Hashing;
use crate::resource::author::*;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use std::sync::{Mutex, PoisonError};

/// How many parts go up at the same time.
const AT_ONCE: usize = 4;

/// Puts a file up. With `new`, only where no object exists yet. What an upload that broke off has
/// left at this key (it cannot be seen, and is billed) is cleared away first.
///
/// # Errors
/// When a call fails; the parts are given back then, as far as that can be reached.
pub(crate) async fn put(
    cx: &Cx,
    props: &BucketObject,
    source: &Source,
    new: bool,
) -> Result<CompleteMultipartUploadOutput, Error> {
    first_write(cx, never, || abandon(cx, props)).await?;
    let client = cx.aws.s3_once();
    let call = upload::start(client, props)?;
    let started = send!(call, "s3:PutObject (CreateMultipartUpload)")?;
    let id = started.upload_id;
    let call = "s3:PutObject (CreateMultipartUpload)";
    let id = id.ok_or_else(|| Error::incomplete(call, "UploadId"))?;
    let result = finish(cx, props, source, &id, new).await;
    if let Err(error) = &result
        && error.effect() == Effect::None
    {
        // Parts are not an object.
        cx.flight.nothing_created();
        // The error that counts is the upload's; the next one clears up what this leaves.
        let _ = abort(cx, props, &id).await;
    }
    result
}

async fn finish(
    cx: &Cx,
    props: &BucketObject,
    source: &Source,
    id: &str,
    new: bool,
) -> Result<CompleteMultipartUploadOutput, Error> {
    let count = source.count();
    // Read one after the other, so that what was uploaded can be compared with what was planned.
    let hashing = Mutex::new(Hashing::default());
    let read =
        futures_util::stream::unfold((1, source.clone()), move |(number, source)| async move {
            if number > count {
                return None;
            }
            let bytes = source.part(number).await;
            Some(((number, bytes), (number + 1, source)))
        });
    let parts: Vec<CompletedPart> = read
        .inspect(|(_, bytes)| {
            let mut hashing = hashing.lock().unwrap_or_else(PoisonError::into_inner);
            hashing.update(bytes.as_deref().unwrap_or_default());
        })
        .map(|(number, bytes)| part(cx, props, bytes, id, number))
        .buffered(AT_ONCE)
        .inspect_ok(|part| {
            let number = part.part_number().unwrap_or_default();
            cx.waiting(&format!("part {number} of {count} is up"));
        })
        .try_collect()
        .await?;
    let hashing = hashing.into_inner().unwrap_or_else(PoisonError::into_inner);
    cx.as_planned("source", &source.path, &hashing.finish())?;
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
    let call = cx.aws.s3_once().complete_multipart_upload();
    let call = call.bucket(&props.bucket).key(&props.key).upload_id(id);
    let call = call.multipart_upload(parts.build());
    let call = call.set_if_none_match(new.then(|| "*".to_owned()));
    send!(call, "s3:PutObject (CompleteMultipartUpload)")
}

async fn part(
    cx: &Cx,
    props: &BucketObject,
    bytes: Result<Bytes, Error>,
    id: &str,
    number: u64,
) -> Result<CompletedPart, Error> {
    let bytes = bytes?;
    // At most 10,000.
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    let call = cx.aws.s3().upload_part();
    let call = call.bucket(&props.bucket).key(&props.key).upload_id(id);
    let call = call
        .part_number(number)
        .set_checksum_algorithm(upload::checksum_algorithm(props))
        .body(ByteStream::from(bytes))
        .customize()
        .config_override(upload::checksums(props));
    let reply = send!(call, "s3:PutObject (UploadPart)")?;
    Ok(CompletedPart::builder()
        .part_number(number)
        .set_e_tag(reply.e_tag)
        .set_checksum_crc32(reply.checksum_crc32)
        .set_checksum_crc32_c(reply.checksum_crc32_c)
        .set_checksum_crc64_nvme(reply.checksum_crc64_nvme)
        .set_checksum_sha1(reply.checksum_sha1)
        .set_checksum_sha256(reply.checksum_sha256)
        .build())
}

/// Gives back the parts of unfinished uploads to this key.
async fn abandon(cx: &Cx, props: &BucketObject) -> Result<(), Error> {
    let call = cx.aws.s3().list_multipart_uploads();
    let call = call.bucket(&props.bucket).prefix(&props.key);
    let reply = send!(call, "s3:ListBucketMultipartUploads (ListMultipartUploads)")?;
    for upload in reply.uploads.unwrap_or_default() {
        if let (Some(key), Some(id)) = (upload.key, upload.upload_id)
            && key == props.key
        {
            abort(cx, props, &id).await?;
        }
    }
    Ok(())
}

async fn abort(cx: &Cx, props: &BucketObject, id: &str) -> Result<(), Error> {
    let call = cx.aws.s3().abort_multipart_upload();
    let call = call.bucket(&props.bucket).key(&props.key).upload_id(id);
    send!(call, "s3:AbortMultipartUpload", none: &["NoSuchUpload"]).map(|_| ())
}

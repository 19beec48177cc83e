//! Objects: read.

use super::super::service::{Refusal, Reply, Store};
use super::super::stamps;
use super::error::error;
use super::model::{self, Version};
use super::object::{pick, same_etag};
use super::{Call, reply, set};
use bytes::Bytes;

pub(super) fn head(call: Call<'_>) -> Result<Reply, Refusal> {
    let (mut reply, _) = read(&call)?;
    reply.body.clear();
    Ok(reply)
}

pub(super) fn get(call: Call<'_>) -> Result<Reply, Refusal> {
    let (reply, _) = read(&call)?;
    Ok(reply)
}

fn read(call: &Call<'_>) -> Result<(Reply, Version), Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let mut versions = model::versions(call.store, &call.bucket, &call.key)?;
    let at = pick(&versions, call.query("versionId"))?;
    let version = versions.swap_remove(at);
    check_conditions(call, &version)?;
    let bytes = bytes(call.store, &version)?;
    let mut reply = reply(200);
    reply.body = match call
        .header("range")
        .map(|range| parse_range(range, bytes.len()))
    {
        None => bytes,
        Some(None) => return Err(error("InvalidRange", "")),
        Some(Some((from, to))) => {
            reply.status = 206;
            let range = format!("bytes {from}-{}/{}", to - 1, bytes.len());
            set(&mut reply, "content-range", range);
            bytes.slice(from..to)
        }
    };
    let length = reply.body.len().to_string();
    set(&mut reply, "content-length", length);
    set(&mut reply, "accept-ranges", "bytes");
    set(&mut reply, "etag", &version.etag);
    set(
        &mut reply,
        "last-modified",
        stamps::http_date(version.modified),
    );
    for (name, value) in &version.headers {
        set(&mut reply, name, value);
    }
    if call.header("x-amz-checksum-mode") == Some("ENABLED") {
        for (name, value) in &version.checksums {
            set(&mut reply, name, value);
        }
    }
    if version.storage_class != "STANDARD" {
        set(&mut reply, "x-amz-storage-class", &version.storage_class);
    }
    if !version.tags.is_empty() {
        set(
            &mut reply,
            "x-amz-tagging-count",
            version.tags.len().to_string(),
        );
    }
    if bucket.versioning.is_some() {
        set(&mut reply, "x-amz-version-id", &version.id);
    }
    Ok((reply, version))
}

fn check_conditions(call: &Call<'_>, version: &Version) -> Result<(), Refusal> {
    let etag = &version.etag;
    if call
        .header("if-match")
        .is_some_and(|stated| !same_etag(etag, stated))
    {
        return Err(error("PreconditionFailed", ""));
    }
    if call
        .header("if-none-match")
        .is_some_and(|stated| same_etag(etag, stated))
    {
        return Err(error("NotModified", ""));
    }
    Ok(())
}

fn bytes(store: &dyn Store, version: &Version) -> Result<Bytes, Refusal> {
    store.blob(&version.blob).ok_or_else(|| {
        let message = format!("the local cloud lost the blob {}", version.blob);
        Refusal::new(500, "InternalError", message)
    })
}

/// `bytes=from-to`, both ends included, as a half-open range; none when it cannot be
/// satisfied.
fn parse_range(text: &str, size: usize) -> Option<(usize, usize)> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = if from.is_empty() {
        (size.saturating_sub(to.parse().ok()?), size)
    } else {
        let end = if to.is_empty() {
            size
        } else {
            to.parse::<usize>().ok()?.checked_add(1)?
        };
        (from.parse().ok()?, end.min(size))
    };
    (from < to).then_some((from, to))
}

/// The object that a Lambda function's code is taken from.
pub(in crate::local_cloud) struct CodeObject<'a> {
    pub(in crate::local_cloud) region: &'a str,
    pub(in crate::local_cloud) bucket: &'a str,
    pub(in crate::local_cloud) key: &'a str,
    pub(in crate::local_cloud) version: Option<&'a str>,
}

/// The bytes of an object for another service.
///
/// # Errors
/// As GetObject would return.
pub(in crate::local_cloud) fn code_object(
    store: &dyn Store,
    object: &CodeObject<'_>,
) -> Result<Bytes, Refusal> {
    let bucket = model::bucket(store, object.bucket)?;
    if bucket.region != object.region {
        let message = "The bucket is in this region: ".to_owned() + &bucket.region;
        return Err(Refusal::new(301, "PermanentRedirect", message));
    }
    let versions = model::versions(store, object.bucket, object.key)?;
    let at = pick(&versions, object.version)?;
    bytes(store, &versions[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_object() {
        assert_eq!(parse_range("bytes=0-3", 10), Some((0, 4)));
        assert_eq!(parse_range("bytes=8-", 10), Some((8, 10)));
        assert_eq!(parse_range("bytes=-4", 10), Some((6, 10)));
        assert_eq!(parse_range("bytes=10-", 10), None);
        assert_eq!(parse_range("lines=1-2", 10), None);
    }
}

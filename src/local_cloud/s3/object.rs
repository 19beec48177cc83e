//! Objects: written, and found among their versions.

use super::super::service::{Refusal, Reply};
use super::super::stamps;
use super::acl::{self, Grant};
use super::error::error;
use super::model::{self, Bucket, Version, Versions};
use super::{Call, body, encryption, lock, reply, set, tags};
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// Headers that GET and HEAD give back as they were put.
const KEPT: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
];

const STORAGE_CLASSES: &[&str] = &[
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
];

/// Metadata is refused beyond this many bytes of names and values.
const METADATA_QUOTA: usize = 2048;

pub(super) fn put(call: Call<'_>) -> Result<Reply, Refusal> {
    let bucket = model::bucket(call.store, &call.bucket)?;
    let mut versions = model::versions(call.store, &call.bucket, &call.key)?;
    check_conditions(&call, &versions)?;
    let payload = body::payload(&call)?;
    let mut version = described(&call, &bucket)?;
    body::require_digest(&call, &payload, &version.headers, "Put Object")?;
    version.size = payload.bytes.len() as u64;
    // Only without KMS is the ETag the MD5 of the content.
    if version.etag.is_empty() {
        version.etag = format!("\"{}\"", hex::encode(Md5::digest(&payload.bytes)));
    }
    version.checksums = payload.checksums;
    version.blob = call.store.put_blob(&payload.bytes);
    let reply = stored(&bucket, &version);
    add(&mut versions, version);
    model::put_versions(call.store, &call.bucket, &call.key, &versions);
    Ok(reply)
}

/// A version as the request's headers describe it, without its content. With KMS its ETag
/// is drawn; without, it is left empty.
pub(super) fn described(call: &Call<'_>, bucket: &Bucket) -> Result<Version, Refusal> {
    encryption::check(call, bucket)?;
    let mut headers = kept_headers(call)?;
    headers.extend(lock::from_headers(call, bucket)?);
    let storage_class = call.header("x-amz-storage-class").unwrap_or("STANDARD");
    if !STORAGE_CLASSES.contains(&storage_class) {
        return Err(error("InvalidStorageClass", ""));
    }
    let plain = headers["x-amz-server-side-encryption"] == "AES256";
    let drawn = || format!("\"{}\"", hex::encode(rand::random::<[u8; 16]>()));
    Ok(Version {
        id: new_id(bucket),
        modified: call.request.now,
        etag: if plain { String::new() } else { drawn() },
        headers,
        storage_class: storage_class.to_owned(),
        tags: tags::from_header(call)?,
        grants: grants(call, bucket)?,
        ..Version::default()
    })
}

/// What is returned for a version that was stored.
pub(super) fn stored(bucket: &Bucket, version: &Version) -> Reply {
    let mut reply = reply(200);
    set(&mut reply, "etag", &version.etag);
    let encryption = &version.headers["x-amz-server-side-encryption"];
    set(&mut reply, "x-amz-server-side-encryption", encryption);
    for (name, value) in &version.checksums {
        set(&mut reply, name, value);
    }
    if bucket.keeps_versions() {
        set(&mut reply, "x-amz-version-id", &version.id);
    }
    reply
}

/// The id of a new version: `null` unless the bucket keeps versions.
pub(super) fn new_id(bucket: &Bucket) -> String {
    if bucket.keeps_versions() {
        stamps::id("", 32)
    } else {
        "null".to_owned()
    }
}

/// Puts a version in front; the null version there was gives way to a new one.
pub(super) fn add(versions: &mut Versions, version: Version) {
    if version.id == "null" {
        versions.retain(|old| old.id != "null");
    }
    versions.insert(0, version);
}

/// `If-None-Match: *` creates only; `If-Match` replaces only what has that ETag.
pub(super) fn check_conditions(call: &Call<'_>, versions: &Versions) -> Result<(), Refusal> {
    let current = versions.first().filter(|version| !version.marker);
    match call.header("if-none-match") {
        None => {}
        Some("*") if current.is_none() => {}
        Some("*") => return Err(error("PreconditionFailed", "")),
        Some(_) => {
            let message = "A header you provided implies functionality that is not implemented";
            return Err(Refusal::new(501, "NotImplemented", message));
        }
    }
    let Some(expected) = call.header("if-match") else {
        return Ok(());
    };
    match current {
        None => Err(error("NoSuchKey", "")),
        Some(current) if same_etag(&current.etag, expected) => Ok(()),
        Some(_) => Err(error("PreconditionFailed", "")),
    }
}

/// Whether two ETags are the same, with or without quotes; `*` is any.
pub(super) fn same_etag(etag: &str, stated: &str) -> bool {
    stated == "*" || etag.trim_matches('"') == stated.trim_matches('"')
}

fn kept_headers(call: &Call<'_>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    let mut metadata = 0;
    for (name, value) in &call.request.headers {
        if let Some(user) = name.strip_prefix("x-amz-meta-") {
            metadata += user.len() + value.len();
        } else if !KEPT.contains(&name.as_str()) {
            continue;
        }
        kept.insert(name.clone(), value.clone());
    }
    if metadata > METADATA_QUOTA {
        return Err(error("MetadataTooLarge", ""));
    }
    // aws-chunked is how the body came, not a property of the object.
    let encoding = call.header("content-encoding").unwrap_or_default();
    let encoding: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty() && *part != "aws-chunked")
        .collect();
    if !encoding.is_empty() {
        kept.insert("content-encoding".to_owned(), encoding.join(","));
    }
    let encryption = call
        .header("x-amz-server-side-encryption")
        .unwrap_or("AES256");
    if !["AES256", "aws:kms", "aws:kms:dsse"].contains(&encryption) {
        let message = "The encryption method specified is not supported";
        return Err(error("InvalidEncryptionAlgorithmError", message));
    }
    if encryption == "AES256"
        && call
            .header("x-amz-server-side-encryption-aws-kms-key-id")
            .is_some()
    {
        let message = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
        return Err(error("InvalidArgument", message));
    }
    kept.insert(
        "x-amz-server-side-encryption".to_owned(),
        encryption.to_owned(),
    );
    let content_type = kept.entry("content-type".to_owned());
    content_type.or_insert_with(|| "binary/octet-stream".to_owned());
    Ok(kept)
}

/// With ACLs off, only the ACL that changes nothing is taken.
fn grants(call: &Call<'_>, bucket: &Bucket) -> Result<Vec<Grant>, Refusal> {
    let Some(grants) = acl::from_headers(call)? else {
        return Ok(Grant::private());
    };
    if bucket.enforced() && call.header("x-amz-acl") != Some("bucket-owner-full-control") {
        return Err(error("AccessControlListNotSupported", ""));
    }
    if bucket.blocks_acls() && acl::is_public(&grants) {
        return Err(error("AccessDenied", ""));
    }
    Ok(grants)
}

/// The place of the version that a request names, or of the newest; it must not be a delete
/// marker.
pub(super) fn pick(versions: &Versions, id: Option<&str>) -> Result<usize, Refusal> {
    let at = match id {
        None if versions.is_empty() => return Err(error("NoSuchKey", "")),
        None => 0,
        Some(id) => {
            check_id(id)?;
            let at = versions.iter().position(|version| version.id == id);
            at.ok_or_else(|| error("NoSuchVersion", ""))?
        }
    };
    match (versions[at].marker, id) {
        (false, _) => Ok(at),
        (true, None) => Err(error("NoSuchKey", "")),
        (true, Some(_)) => Err(error("MethodNotAllowed", "")),
    }
}

/// Refuses what cannot be a version's id.
pub(super) fn check_id(id: &str) -> Result<(), Refusal> {
    let drawn = id.len() == 32 && id.chars().all(|c| c.is_ascii_alphanumeric());
    if id == "null" || drawn {
        return Ok(());
    }
    Err(error("InvalidArgument", "Invalid version id specified"))
}

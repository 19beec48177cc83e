//! What S3 keeps: buckets, and per key the versions of an object.

use super::super::service::{Refusal, Store};
use super::acl::Grant;
use super::error::error;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A tag, in the order given.
pub(super) type Tag = (String, String);

/// A bucket, kept under `s3/bucket/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) region: String,
    /// Milliseconds since 1970.
    pub(super) created: u64,
    pub(super) ownership: Option<String>,
    pub(super) block: Option<Block>,
    pub(super) grants: Vec<Grant>,
    pub(super) tags: Vec<Tag>,
    /// The policy document as a string, as written.
    pub(super) policy: Option<String>,
    /// `Enabled` or `Suspended`; none when it was never set.
    pub(super) versioning: Option<String>,
    /// Whether objects can be locked; switches versioning on.
    #[serde(default)]
    pub(super) object_lock: bool,
}

/// What of public access is blocked.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Block {
    pub(super) acls: bool,
    pub(super) ignore_acls: bool,
    pub(super) policy: bool,
    pub(super) restrict: bool,
}

impl Bucket {
    /// Whether ACLs are off.
    pub(super) fn enforced(&self) -> bool {
        self.ownership.as_deref() == Some("BucketOwnerEnforced")
    }

    /// Whether public ACLs are refused.
    pub(super) fn blocks_acls(&self) -> bool {
        self.block.is_some_and(|block| block.acls)
    }

    /// Whether new versions are kept beside old ones.
    pub(super) fn keeps_versions(&self) -> bool {
        self.versioning.as_deref() == Some("Enabled")
    }
}

/// One version of an object, or a delete marker.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Version {
    /// `null` when the bucket keeps no versions.
    pub(super) id: String,
    pub(super) marker: bool,
    /// Milliseconds since 1970.
    pub(super) modified: u64,
    /// The name of the bytes in the store.
    pub(super) blob: String,
    pub(super) size: u64,
    /// With its quotes.
    pub(super) etag: String,
    /// What GET and HEAD return as it is: content type, user metadata, encryption, …
    pub(super) headers: BTreeMap<String, String>,
    /// Returned when asked for.
    pub(super) checksums: BTreeMap<String, String>,
    /// `STANDARD`, …
    pub(super) storage_class: String,
    pub(super) tags: Vec<Tag>,
    pub(super) grants: Vec<Grant>,
}

/// The versions of a key, newest first. Kept under `s3/object/{bucket}/{key}`.
pub(super) type Versions = Vec<Version>;

fn decode<T: serde::de::DeserializeOwned>(key: &str, value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|why| {
        let message = format!("the local cloud's {key} cannot be read: {why}");
        Refusal::new(500, "InternalError", message)
    })
}

/// A bucket by name.
pub(super) fn bucket(store: &dyn Store, name: &str) -> Result<Bucket, Refusal> {
    let key = format!("s3/bucket/{name}");
    let value = store.get(&key).ok_or_else(|| error("NoSuchBucket", ""))?;
    decode(&key, value)
}

/// All buckets, by name.
pub(super) fn buckets(store: &dyn Store) -> Result<Vec<Bucket>, Refusal> {
    let pairs = store.scan("s3/bucket/").into_iter();
    pairs.map(|(key, value)| decode(&key, value)).collect()
}

/// Keeps a bucket.
pub(super) fn put_bucket(store: &mut dyn Store, bucket: &Bucket) {
    let value = serde_json::to_value(bucket).unwrap_or_default();
    store.put(&format!("s3/bucket/{}", bucket.name), value);
}

/// The versions of a key; none when the object does not exist.
pub(super) fn versions(store: &dyn Store, bucket: &str, key: &str) -> Result<Versions, Refusal> {
    let place = format!("s3/object/{bucket}/{key}");
    match store.get(&place) {
        Some(value) => decode(&place, value),
        None => Ok(Vec::new()),
    }
}

/// Keeps a key's versions.
pub(super) fn put_versions(store: &mut dyn Store, bucket: &str, key: &str, versions: &Versions) {
    let place = format!("s3/object/{bucket}/{key}");
    if versions.is_empty() {
        store.remove(&place);
    } else {
        store.put(&place, serde_json::to_value(versions).unwrap_or_default());
    }
}

/// All keys of a bucket that begin so, with their versions, in key order.
pub(super) fn objects(
    store: &dyn Store,
    bucket: &str,
    prefix: &str,
) -> Result<Vec<(String, Versions)>, Refusal> {
    let folder = format!("s3/object/{bucket}/");
    let pairs = store.scan(&format!("{folder}{prefix}")).into_iter();
    pairs
        .map(|(place, value)| Ok((place[folder.len()..].to_owned(), decode(&place, value)?)))
        .collect()
}

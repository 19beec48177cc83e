//! S3: buckets with their settings, objects with their versions.
//!
//! Wire: REST with XML; path style, and virtual-host style where the Host header says so.
//! Laxer than AWS: no copies, locks, lifecycle or replication; CRC
//! checksums are kept but not compared; all access is the owner's, but for puts that the bucket's
//! policy denies because of their encryption.

mod acl;
mod body;
mod bucket;
mod delete;
mod encryption;
mod error;
mod listing;
mod lock;
mod model;
mod object;
mod parts;
mod read;
mod settings;
mod tags;
mod versions;

pub(super) use read::{CodeObject, code_object};

use super::service::{Refusal, Reply, Request, Service, Store};
use super::stamps;
use super::xml::Xml;
use error::error;
use percent_encoding::percent_decode_str;

/// The service.
pub struct S3;

/// One call: the request, what it is about, and the store.
struct Call<'a> {
    request: &'a Request,
    store: &'a mut dyn Store,
    bucket: String,
    key: String,
}

type Operation = fn(Call<'_>) -> Result<Reply, Refusal>;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Account,
    Bucket,
    Object,
}

/// Method, level, sub-resource, name.
type Row = (&'static str, Level, &'static str, &'static str, Operation);

/// The sub-resource is the query parameter that selects the operation, or empty.
const OPERATIONS: &[Row] = &[
    ("GET", Level::Account, "", "ListBuckets", listing::buckets),
    ("PUT", Level::Bucket, "", "CreateBucket", bucket::create),
    ("HEAD", Level::Bucket, "", "HeadBucket", bucket::head),
    ("DELETE", Level::Bucket, "", "DeleteBucket", bucket::delete),
    (
        "GET",
        Level::Bucket,
        "location",
        "GetBucketLocation",
        bucket::location,
    ),
    (
        "PUT",
        Level::Bucket,
        "ownershipControls",
        "PutBucketOwnershipControls",
        settings::put_ownership,
    ),
    (
        "GET",
        Level::Bucket,
        "ownershipControls",
        "GetBucketOwnershipControls",
        settings::get_ownership,
    ),
    (
        "DELETE",
        Level::Bucket,
        "ownershipControls",
        "DeleteBucketOwnershipControls",
        settings::delete_ownership,
    ),
    (
        "PUT",
        Level::Bucket,
        "publicAccessBlock",
        "PutPublicAccessBlock",
        settings::put_block,
    ),
    (
        "GET",
        Level::Bucket,
        "publicAccessBlock",
        "GetPublicAccessBlock",
        settings::get_block,
    ),
    (
        "DELETE",
        Level::Bucket,
        "publicAccessBlock",
        "DeletePublicAccessBlock",
        settings::delete_block,
    ),
    (
        "PUT",
        Level::Bucket,
        "policy",
        "PutBucketPolicy",
        settings::put_policy,
    ),
    (
        "GET",
        Level::Bucket,
        "policy",
        "GetBucketPolicy",
        settings::get_policy,
    ),
    (
        "DELETE",
        Level::Bucket,
        "policy",
        "DeleteBucketPolicy",
        settings::delete_policy,
    ),
    (
        "PUT",
        Level::Bucket,
        "versioning",
        "PutBucketVersioning",
        settings::put_versioning,
    ),
    (
        "GET",
        Level::Bucket,
        "versioning",
        "GetBucketVersioning",
        settings::get_versioning,
    ),
    (
        "GET",
        Level::Bucket,
        "object-lock",
        "GetObjectLockConfiguration",
        settings::get_object_lock,
    ),
    (
        "GET",
        Level::Bucket,
        "encryption",
        "GetBucketEncryption",
        settings::get_encryption,
    ),
    ("PUT", Level::Bucket, "acl", "PutBucketAcl", acl::put_bucket),
    ("GET", Level::Bucket, "acl", "GetBucketAcl", acl::get_bucket),
    (
        "PUT",
        Level::Bucket,
        "tagging",
        "PutBucketTagging",
        tags::put_bucket,
    ),
    (
        "GET",
        Level::Bucket,
        "tagging",
        "GetBucketTagging",
        tags::get_bucket,
    ),
    (
        "DELETE",
        Level::Bucket,
        "tagging",
        "DeleteBucketTagging",
        tags::delete_bucket,
    ),
    (
        "POST",
        Level::Bucket,
        "delete",
        "DeleteObjects",
        delete::many,
    ),
    (
        "GET",
        Level::Bucket,
        "list-type",
        "ListObjectsV2",
        listing::objects,
    ),
    (
        "GET",
        Level::Bucket,
        "versions",
        "ListObjectVersions",
        versions::list,
    ),
    (
        "GET",
        Level::Bucket,
        "uploads",
        "ListMultipartUploads",
        parts::list,
    ),
    (
        "POST",
        Level::Object,
        "uploads",
        "CreateMultipartUpload",
        parts::start,
    ),
    (
        "PUT",
        Level::Object,
        "partNumber",
        "UploadPart",
        parts::part,
    ),
    (
        "POST",
        Level::Object,
        "uploadId",
        "CompleteMultipartUpload",
        parts::finish,
    ),
    (
        "DELETE",
        Level::Object,
        "uploadId",
        "AbortMultipartUpload",
        parts::abort,
    ),
    ("PUT", Level::Object, "", "PutObject", object::put),
    ("GET", Level::Object, "", "GetObject", read::get),
    ("HEAD", Level::Object, "", "HeadObject", read::head),
    ("DELETE", Level::Object, "", "DeleteObject", delete::one),
    (
        "PUT",
        Level::Object,
        "legal-hold",
        "PutObjectLegalHold",
        lock::put_legal_hold,
    ),
    (
        "PUT",
        Level::Object,
        "retention",
        "PutObjectRetention",
        lock::put_retention,
    ),
    ("PUT", Level::Object, "acl", "PutObjectAcl", acl::put_object),
    ("GET", Level::Object, "acl", "GetObjectAcl", acl::get_object),
    (
        "PUT",
        Level::Object,
        "tagging",
        "PutObjectTagging",
        tags::put_object,
    ),
    (
        "GET",
        Level::Object,
        "tagging",
        "GetObjectTagging",
        tags::get_object,
    ),
    (
        "DELETE",
        Level::Object,
        "tagging",
        "DeleteObjectTagging",
        tags::delete_object,
    ),
];

/// Query parameters that turn a request into another operation; those without a row in
/// [`OPERATIONS`] are refused instead of being taken for a plain request.
const SUBRESOURCES: &[&str] = &[
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// Bucket, key and their level.
fn target(request: &Request) -> (String, String, Level) {
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (bucket, key) = match virtual_host(request) {
        Some(bucket) => (bucket.to_owned(), decode(path)),
        None => match path.split_once('/') {
            Some((bucket, key)) => (decode(bucket), decode(key)),
            None => (decode(path), String::new()),
        },
    };
    let level = match (bucket.is_empty(), key.is_empty()) {
        (true, _) => Level::Account,
        (false, true) => Level::Bucket,
        (false, false) => Level::Object,
    };
    (bucket, key, level)
}

/// The bucket and the key that a request names, empty where it names none.
pub(super) fn bucket_and_key(request: &Request) -> (String, String) {
    let (bucket, key, _) = target(request);
    (bucket, key)
}

/// The bucket in `bucket.s3.region.amazonaws.com`, or in `bucket.localhost:4566`.
fn virtual_host(request: &Request) -> Option<&str> {
    let host = request.headers.get("host")?;
    if let Some(at) = host.find(".s3.").or_else(|| host.find(".s3-")) {
        return Some(&host[..at]);
    }
    let name = host.split(':').next().unwrap_or(host);
    let bucket = name.strip_suffix(".localhost")?;
    (bucket != "s3").then_some(bucket)
}

fn find(request: &Request) -> Option<&'static Row> {
    if request.headers.contains_key("x-amz-copy-source") {
        return None;
    }
    let (_, _, level) = target(request);
    let names = request.query.iter().map(|(name, _)| name.as_str());
    let subs: Vec<&str> = names.filter(|name| SUBRESOURCES.contains(name)).collect();
    // A part is named by two of them, in any order.
    let selects = |sub: &str| match subs.is_empty() {
        true => sub.is_empty(),
        false => subs.contains(&sub),
    };
    OPERATIONS
        .iter()
        .find(|row| row.0 == request.method && row.1 == level && selects(row.2))
}

impl Service for S3 {
    fn signing_name(&self) -> &'static str {
        "s3"
    }

    fn operation(&self, request: &Request) -> String {
        find(request).map_or_else(|| "Unknown".to_owned(), |row| row.3.to_owned())
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        let Some(row) = find(request) else {
            return Err(error("NotImplemented", ""));
        };
        let (bucket, key, level) = target(request);
        if key.len() > 1024 {
            return Err(error("KeyTooLongError", ""));
        }
        let owner = request.headers.get("x-amz-expected-bucket-owner");
        if owner.is_some_and(|owner| owner != super::service::ACCOUNT) {
            return Err(error("AccessDenied", ""));
        }
        if level != Level::Account
            && row.3 != "CreateBucket"
            && let Some(elsewhere) = bucket::redirect(request, store, &bucket)?
        {
            return Ok(elsewhere);
        }
        (row.4)(Call {
            request,
            store,
            bucket,
            key,
        })
    }

    fn refuse(&self, request: &Request, refusal: &Refusal) -> Reply {
        let mut reply = reply(refusal.status);
        if request.method == "HEAD" || refusal.status == 304 {
            return reply;
        }
        let id = reply.headers[0].1.clone();
        let mut xml = Xml::default();
        xml.element("Error", |xml| {
            xml.text("Code", &refusal.code);
            xml.text("Message", &refusal.message);
            xml.text("Resource", &request.path);
            xml.text("RequestId", id);
        });
        set_xml(&mut reply, xml);
        reply
    }
}

/// A reply without a body; the request id is its first header.
fn reply(status: u16) -> Reply {
    let id = stamps::id("", 16);
    Reply {
        status,
        headers: vec![
            ("x-amz-request-id".to_owned(), id),
            ("x-amz-id-2".to_owned(), stamps::id("", 52)),
        ],
        body: bytes::Bytes::new(),
    }
}

/// A reply with a document.
fn document(xml: Xml) -> Reply {
    let mut reply = reply(200);
    set_xml(&mut reply, xml);
    reply
}

fn set_xml(reply: &mut Reply, xml: Xml) {
    set(reply, "content-type", "application/xml");
    reply.body = xml.finish().into();
}

/// Adds a header.
fn set(reply: &mut Reply, name: &str, value: impl Into<String>) {
    reply.headers.push((name.to_owned(), value.into()));
}

/// The attribute that S3 gives its root elements.
fn root(name: &str) -> String {
    format!("{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"")
}

impl Call<'_> {
    /// A header.
    fn header(&self, name: &str) -> Option<&str> {
        self.request.headers.get(name).map(String::as_str)
    }

    /// A query parameter.
    fn query(&self, name: &str) -> Option<&str> {
        let found = self.request.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests;

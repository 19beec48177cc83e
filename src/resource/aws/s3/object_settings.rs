//! The properties of an object.

use crate::resource::author::*;

/// An object, uploaded in one piece (5 GiB at most, read into memory). It is never put over an
/// object that somebody else created. `source` stands for the content of the file. In a versioned
/// bucket, deleting it deletes all versions of its key. Changing anything but `tags`, `acl` and the
/// object lock uploads the content again.
///
/// ```yaml
/// object:
///   type: aws:s3:BucketObject
///   properties: {bucket: "${bucket.bucket}", key: greeting.txt, content: hello}
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketObject {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), extend("createOnly" = true))]
    pub bucket: String,
    /// The key. A leading or doubled slash is a character like any other.
    #[schemars(length(min = 1, max = 1024), extend("createOnly" = true))]
    pub key: String,
    /// The file with the content; its path starts from the stack file's folder. From 16 MiB on
    /// it goes up in parts, unless `etag` is given.
    #[schemars(length(min = 1), extend("writeOnly" = true, "localFile" = true))]
    pub source: Option<String>,
    /// The content as a string.
    #[schemars(extend("writeOnly" = true))]
    pub content: Option<String>,
    /// The content as base64, for bytes that are not UTF-8.
    #[schemars(extend("writeOnly" = true))]
    pub content_base64: Option<String>,
    /// Any string that changes when the content does, such as a hash; never sent.
    #[schemars(extend("writeOnly" = true))]
    pub source_hash: Option<String>,
    /// The MD5 of the content in hex (`filemd5`): compared with what S3 has, so that a change
    /// on either side is noticed. Not with KMS encryption, the bucket's default included,
    /// where S3's ETag is no MD5.
    #[schemars(extend("from" = HASHED))]
    pub etag: Option<String>,
    /// The content type; by default by the ending of the key, or `application/octet-stream`.
    pub content_type: Option<String>,
    /// The `Cache-Control` header of downloads.
    pub cache_control: Option<String>,
    /// The `Content-Disposition` header of downloads.
    pub content_disposition: Option<String>,
    /// The `Content-Encoding` header of downloads.
    pub content_encoding: Option<String>,
    /// The `Content-Language` header of downloads.
    pub content_language: Option<String>,
    /// Metadata of your own; keys in lower case, values in ASCII.
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9!#$%&'*+.^_`|~-]+$"}))]
    pub metadata: Option<BTreeMap<String, String>>,
    /// The storage class.
    #[schemars(extend(
        "enum" = [
            "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
            "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE"
        ],
        "default" = "STANDARD"
    ))]
    pub storage_class: Option<String>,
    /// The encryption at rest.
    #[schemars(extend("enum" = ["AES256", "aws:kms", "aws:kms:dsse"], "default" = "AES256"))]
    pub server_side_encryption: Option<String>,
    /// The KMS key: an ARN or an id, not an alias (S3 returns the key behind it).
    #[schemars(regex(pattern = r"^(arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/)?[0-9a-zA-Z-]+$"))]
    pub kms_key_id: Option<String>,
    /// Use the bucket's own key below the KMS key.
    #[schemars(extend("default" = false))]
    pub bucket_key_enabled: Option<bool>,
    /// Where a website's request for this object is sent instead.
    pub website_redirect: Option<String>,
    /// A canned ACL, for a bucket that has ACLs. Not read back: changes outside stackctl are not
    /// noticed.
    #[schemars(extend(
        "writeOnly" = true,
        "enum" = [
            "private", "public-read", "public-read-write", "authenticated-read",
            "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control"
        ],
        "default" = "private"
    ))]
    pub acl: Option<String>,
    /// The checksum that S3 keeps with the object and gives in the outputs.
    #[schemars(extend(
        "writeOnly" = true,
        "enum" = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
    ))]
    pub checksum_algorithm: Option<String>,
    /// Tags, at most 10. stackctl adds none of its own here.
    #[schemars(extend("maxProperties" = 10, "othersKeys" = "kept"))]
    pub tags: Option<BTreeMap<String, String>>,
    /// Lift a legal hold and governance retention when the object is deleted.
    #[schemars(extend("writeOnly" = true, "default" = false))]
    pub force_destroy: Option<bool>,
    /// A legal hold, for a bucket with object lock.
    #[schemars(extend("enum" = ["ON", "OFF"], "default" = "OFF"))]
    pub object_lock_legal_hold_status: Option<String>,
    /// How the object is retained; goes with `objectLockRetainUntilDate`.
    #[schemars(extend("enum" = ["GOVERNANCE", "COMPLIANCE"]))]
    pub object_lock_mode: Option<String>,
    /// Until when it is retained, as RFC 3339 (`2030-01-01T00:00:00Z`).
    pub object_lock_retain_until_date: Option<String>,
}

/// The properties that give the content.
pub const CONTENT: &[&str] = &["source", "content", "contentBase64"];

/// The properties that only a new upload changes.
pub const UPLOADED: &[&str] = &[
    "source",
    "content",
    "contentBase64",
    "sourceHash",
    "etag",
    "contentType",
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "metadata",
    "storageClass",
    "serverSideEncryption",
    "kmsKeyId",
    "bucketKeyEnabled",
    "websiteRedirect",
    "checksumAlgorithm",
];

/// The properties that S3 hashes.
pub const HASHED: &[&str] = &["source", "content", "contentBase64", "sourceHash", "etag"];

impl BucketObject {
    /// Whether KMS encrypts the object, so that its ETag is no MD5.
    pub fn is_kms(&self) -> bool {
        self.kms_key_id.is_some()
            || self
                .server_side_encryption
                .as_deref()
                .is_some_and(|kind| kind.starts_with("aws:kms"))
    }

    /// `bucket/key`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }
}

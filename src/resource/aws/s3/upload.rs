//! The request of an upload: what the properties say beside the content.

use super::object_settings::BucketObject;
use crate::resource::author::*;
use crate::resource::aws::time::time;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ObjectCannedAcl, ObjectLockLegalHoldStatus, ObjectLockMode,
    ServerSideEncryption, StorageClass,
};
use bytes::Bytes;

/// The canned ACL that says nothing; it is not sent, since a bucket without ACLs refuses it.
pub const PRIVATE: &str = "private";

/// The content type to send: the given one, or one by the ending of the key or the source.
pub fn content_type(props: &BucketObject) -> String {
    let guessed = || {
        let names = [Some(props.key.as_str()), props.source.as_deref()];
        names.into_iter().flatten().find_map(by_ending)
    };
    props
        .content_type
        .clone()
        .unwrap_or_else(|| guessed().unwrap_or("application/octet-stream").to_owned())
}

fn by_ending(name: &str) -> Option<&'static str> {
    const TYPES: &[(&str, &str)] = &[
        ("css", "text/css"),
        ("csv", "text/csv"),
        ("gif", "image/gif"),
        ("gz", "application/gzip"),
        ("htm", "text/html"),
        ("html", "text/html"),
        ("ico", "image/vnd.microsoft.icon"),
        ("jpeg", "image/jpeg"),
        ("jpg", "image/jpeg"),
        ("js", "text/javascript"),
        ("json", "application/json"),
        ("md", "text/markdown"),
        ("mjs", "text/javascript"),
        ("mp4", "video/mp4"),
        ("pdf", "application/pdf"),
        ("png", "image/png"),
        ("svg", "image/svg+xml"),
        ("txt", "text/plain"),
        ("wasm", "application/wasm"),
        ("webp", "image/webp"),
        ("woff2", "font/woff2"),
        ("xml", "application/xml"),
        ("zip", "application/zip"),
    ];
    let (_, ending) = name
        .rsplit_once('/')
        .unwrap_or(("", name))
        .1
        .rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    TYPES
        .iter()
        .find(|(known, _)| *known == ending)
        .map(|(_, kind)| *kind)
}

/// Tags as the header of an upload carries them: like a query.
pub fn tag_header(tags: &BTreeMap<String, String>) -> Option<String> {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(tags);
    (!tags.is_empty()).then(|| text.finish())
}

/// The checksum to send. S3 demands one with object lock, also where the client would not
/// send one by itself.
pub(super) fn checksum_algorithm(props: &BucketObject) -> Option<ChecksumAlgorithm> {
    let locked = props.object_lock_mode.is_some() || props.object_lock_legal_hold_status.is_some();
    props
        .checksum_algorithm
        .as_deref()
        .map(ChecksumAlgorithm::from)
        .or(locked.then_some(ChecksumAlgorithm::Crc32))
}

/// Has a call send the checksum that it names also where the client sends none by itself: to
/// stores that are like S3.
pub(super) fn checksums(props: &BucketObject) -> aws_sdk_s3::config::Builder {
    let config = aws_sdk_s3::Config::builder();
    match checksum_algorithm(props) {
        Some(_) => config.request_checksum_calculation(RequestChecksumCalculation::WhenSupported),
        None => config,
    }
}

/// Adds to a request all that the properties say of an object beside its content. The calls
/// that start an upload share these setters, but no trait.
macro_rules! described {
    ($request:expr, $props:expr) => {{
        let props: &BucketObject = $props;
        let text = |property: &Option<String>| property.clone();
        let until = props.object_lock_retain_until_date.as_deref();
        let metadata = props.metadata.clone().unwrap_or_default();
        let acl = props.acl.as_deref().filter(|acl| *acl != PRIVATE);
        // A key names KMS as the kind of encryption, as S3 wants it spelled out.
        let encryption = props
            .server_side_encryption
            .as_deref()
            .or(props.kms_key_id.as_ref().map(|_| "aws:kms"));
        let lock = props.object_lock_legal_hold_status.as_deref();
        $request
            .bucket(&props.bucket)
            .key(&props.key)
            .content_type(content_type(props))
            .set_acl(acl.map(ObjectCannedAcl::from))
            .set_cache_control(text(&props.cache_control))
            .set_content_disposition(text(&props.content_disposition))
            .set_content_encoding(text(&props.content_encoding))
            .set_content_language(text(&props.content_language))
            .set_metadata((!metadata.is_empty()).then(|| metadata.into_iter().collect()))
            .set_storage_class(props.storage_class.as_deref().map(StorageClass::from))
            .set_server_side_encryption(encryption.map(ServerSideEncryption::from))
            .set_ssekms_key_id(text(&props.kms_key_id))
            .set_bucket_key_enabled(props.bucket_key_enabled)
            .set_website_redirect_location(text(&props.website_redirect))
            .set_checksum_algorithm(checksum_algorithm(props))
            .set_tagging(props.tags.as_ref().and_then(tag_header))
            .set_object_lock_mode(props.object_lock_mode.as_deref().map(ObjectLockMode::from))
            .set_object_lock_retain_until_date(until.map(time).transpose()?)
            .set_object_lock_legal_hold_status(lock.map(ObjectLockLegalHoldStatus::from))
    }};
}

/// An upload of these bytes with all that the properties say; it keeps nothing of what an object of
/// that key had before.
///
/// # Errors
/// When `objectLockRetainUntilDate` is not an RFC 3339 time.
pub fn put(
    client: &Client,
    props: &BucketObject,
    bytes: Bytes,
) -> Result<PutObjectFluentBuilder, Error> {
    let request = client.put_object().body(ByteStream::from(bytes));
    Ok(described!(request, props))
}

/// The start of an upload in parts, of an object with all that the properties say.
///
/// # Errors
/// When `objectLockRetainUntilDate` is not an RFC 3339 time.
pub fn start(
    client: &Client,
    props: &BucketObject,
) -> Result<CreateMultipartUploadFluentBuilder, Error> {
    Ok(described!(client.create_multipart_upload(), props))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_follows_the_ending() {
        assert_eq!(by_ending("a/b.HTML"), Some("text/html"));
        assert_eq!(by_ending("v1.zip/readme"), None);
        assert_eq!(by_ending("code.zip"), Some("application/zip"));
        assert_eq!(by_ending("odd."), None);
    }

    #[test]
    fn what_locks_has_a_checksum() {
        let some = |text: &str| Some(text.to_owned());
        let of = |change: fn(&mut BucketObject, Option<String>), value: &str| {
            let mut props = BucketObject::default();
            change(&mut props, some(value));
            checksum_algorithm(&props)
        };
        assert_eq!(checksum_algorithm(&BucketObject::default()), None);
        let mode = of(|it, mode| it.object_lock_mode = mode, "GOVERNANCE");
        assert_eq!(mode, Some(ChecksumAlgorithm::Crc32));
        let hold = of(|it, hold| it.object_lock_legal_hold_status = hold, "ON");
        assert_eq!(hold, Some(ChecksumAlgorithm::Crc32));
        let chosen = of(|it, chosen| it.checksum_algorithm = chosen, "SHA256");
        assert_eq!(chosen, Some(ChecksumAlgorithm::Sha256));
    }

    #[test]
    fn tags_go_as_a_query() {
        let tags = BTreeMap::from([("a b".to_owned(), "1&2".to_owned())]);
        assert_eq!(tag_header(&tags).as_deref(), Some("a+b=1%262"));
        assert_eq!(tag_header(&BTreeMap::new()), None);
    }
}

//! Objects and their versions.

use super::with_bucket;
use crate::local_cloud::chunked;
use crate::local_cloud::s3::S3;
use crate::local_cloud::service::{Request, Service};
use crate::local_cloud::testing::{Cloud, assert_refused, refused};
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumMode, Delete, ObjectCannedAcl, ObjectIdentifier,
    ServerSideEncryption, StorageClass, Tag, Tagging, VersioningConfiguration,
};

fn put(s3: &Client, key: &str, body: &'static [u8]) -> PutObjectFluentBuilder {
    s3.put_object()
        .bucket("bucket")
        .key(key)
        .body(ByteStream::from_static(body))
}

async fn content(s3: &Client, key: &str) -> Vec<u8> {
    let reply = s3
        .get_object()
        .bucket("bucket")
        .key(key)
        .send()
        .await
        .unwrap();
    reply.body.collect().await.unwrap().to_vec()
}

async fn versioned() -> (Cloud, Client) {
    let (cloud, s3) = with_bucket().await;
    set_versioning(&s3, BucketVersioningStatus::Enabled).await;
    (cloud, s3)
}

async fn set_versioning(s3: &Client, status: BucketVersioningStatus) {
    let configuration = VersioningConfiguration::builder().status(status).build();
    s3.put_bucket_versioning()
        .bucket("bucket")
        .versioning_configuration(configuration)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_object_reads_back_with_its_properties() {
    let (cloud, s3) = with_bucket().await;
    let key = "/a//b ü+%?&.txt";
    let made = put(&s3, key, b"hello")
        .content_type("text/plain")
        .cache_control("max-age=5")
        .content_disposition("inline")
        .content_encoding("br")
        .content_language("de")
        .metadata("sha", "abc")
        .storage_class(StorageClass::StandardIa)
        .tagging("a=1&b=x%20y")
        .send()
        .await
        .unwrap();
    assert_eq!(
        made.e_tag.as_deref(),
        Some("\"5d41402abc4b2a76b9719d911017c592\"")
    );
    assert_eq!(made.version_id, None);
    assert_eq!(content(&s3, key).await, b"hello");
    let head = s3
        .head_object()
        .bucket("bucket")
        .key(key)
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_length, Some(5));
    assert_eq!(head.content_type.as_deref(), Some("text/plain"));
    assert_eq!(head.cache_control.as_deref(), Some("max-age=5"));
    assert_eq!(head.content_disposition.as_deref(), Some("inline"));
    assert_eq!(head.content_encoding.as_deref(), Some("br"));
    assert_eq!(head.content_language.as_deref(), Some("de"));
    assert_eq!(head.metadata.unwrap()["sha"], "abc");
    assert_eq!(head.storage_class, Some(StorageClass::StandardIa));
    assert_eq!(
        head.server_side_encryption,
        Some(ServerSideEncryption::Aes256)
    );
    assert_eq!(head.tag_count, Some(2));
    assert_eq!(head.e_tag, made.e_tag);
    assert_eq!(
        head.last_modified.unwrap().secs() as u64,
        cloud.with(|world| world.now / 1000)
    );
    // The SDK names a type where the caller does not.
    put(&s3, "plain", b"").send().await.unwrap();
    let head = s3
        .head_object()
        .bucket("bucket")
        .key("plain")
        .send()
        .await
        .unwrap();
    assert_eq!(
        head.content_type.as_deref(),
        Some("application/octet-stream")
    );
    assert_eq!((head.storage_class, head.tag_count), (None, None));
    let part = s3
        .get_object()
        .bucket("bucket")
        .key(key)
        .range("bytes=1-2")
        .send()
        .await
        .unwrap();
    assert_eq!(part.content_range.as_deref(), Some("bytes 1-2/5"));
    assert_eq!(part.body.collect().await.unwrap().to_vec(), b"el");
}

#[tokio::test]
async fn an_object_is_refused() {
    let (_, s3) = with_bucket().await;
    let get = |key: &str| s3.get_object().bucket("bucket").key(key);
    assert_refused!(get("none"), "NoSuchKey");
    let (code, _) = refused(s3.head_object().bucket("bucket").key("none").send().await);
    assert_eq!(code, "NotFound");
    let elsewhere = s3.put_object().bucket("none").key("k");
    assert_refused!(elsewhere, "NoSuchBucket");
    assert_refused!(put(&s3, &"k".repeat(1025), b""), "KeyTooLongError");
    assert_refused!(
        put(&s3, "k", b"").storage_class("COLD".into()),
        "InvalidStorageClass"
    );
    assert_refused!(put(&s3, "k", b"").content_md5("AAAA"), "InvalidDigest");
    assert_refused!(
        put(&s3, "k", b"x").content_md5("1B2M2Y8AsgTpgAmY7PhCfg=="),
        "BadDigest"
    );
    put(&s3, "k", b"")
        .content_md5("1B2M2Y8AsgTpgAmY7PhCfg==")
        .send()
        .await
        .unwrap();
    assert_refused!(
        put(&s3, "k", b"").metadata("m", "v".repeat(2048)),
        "MetadataTooLarge"
    );
    assert_refused!(
        put(&s3, "k", b"").acl(ObjectCannedAcl::Private),
        "AccessControlListNotSupported"
    );
    put(&s3, "k", b"")
        .acl(ObjectCannedAcl::BucketOwnerFullControl)
        .send()
        .await
        .unwrap();
    assert_refused!(put(&s3, "k", b"").tagging("a=1&a=2"), "InvalidTag");
    let acl = s3
        .put_object_acl()
        .bucket("bucket")
        .key("k")
        .acl(ObjectCannedAcl::Private);
    assert_refused!(acl, "AccessControlListNotSupported");
    let grants = s3
        .get_object_acl()
        .bucket("bucket")
        .key("k")
        .send()
        .await
        .unwrap()
        .grants;
    assert_eq!(grants.unwrap().len(), 1);
}

#[tokio::test]
async fn conditions_guard_a_write() {
    let (_, s3) = with_bucket().await;
    let made = put(&s3, "lock", b"1")
        .if_none_match("*")
        .send()
        .await
        .unwrap();
    let etag = made.e_tag.unwrap();
    assert_refused!(
        put(&s3, "lock", b"2").if_none_match("*"),
        "PreconditionFailed"
    );
    assert_refused!(
        put(&s3, "lock", b"2").if_match("\"0\""),
        "PreconditionFailed"
    );
    assert_refused!(put(&s3, "none", b"2").if_match(&etag), "NoSuchKey");
    put(&s3, "lock", b"2").if_match(&etag).send().await.unwrap();
    assert_eq!(content(&s3, "lock").await, b"2");
    assert_refused!(put(&s3, "lock", b"3").if_match(&etag), "PreconditionFailed");
    let delete = s3.delete_object().bucket("bucket").key("lock");
    assert_refused!(delete.if_match(&etag), "PreconditionFailed");
}

#[tokio::test]
async fn checksums_are_kept_and_streams_decoded() {
    let (cloud, s3) = with_bucket().await;
    let sha = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    put(&s3, "k", b"hello")
        .checksum_sha256(sha)
        .send()
        .await
        .unwrap();
    let head = s3.head_object().bucket("bucket").key("k");
    let head = head
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.checksum_sha256.as_deref(), Some(sha));
    let wrong = sha.replace("LPJ", "LPK");
    assert_refused!(
        put(&s3, "k", b"hello").checksum_sha256(wrong),
        "BadDigest",
        "SHA256"
    );
    // As the SDK sends a stream: in chunks, with the checksum behind them.
    let sent = Request {
        method: "PUT".to_owned(),
        path: "/bucket/c".to_owned(),
        query: Vec::new(),
        headers: [
            ("content-encoding", "gzip,aws-chunked"),
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("x-amz-decoded-content-length", "5"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        body: "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n".into(),
        region: "us-west-2".to_owned(),
        now: 0,
    };
    let mut request = sent.clone();
    assert!(chunked::decode(&mut request));
    cloud
        .with(|world| S3.answer(&request, &mut world.store))
        .unwrap();
    assert_eq!(content(&s3, "c").await, b"hello");
    let head = s3.head_object().bucket("bucket").key("c");
    let head = head
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.checksum_crc32.as_deref(), Some("NhCmhg=="));
    assert_eq!(head.content_encoding.as_deref(), Some("gzip"));
    let mut short = Request {
        body: "6\r\nhello!\r\n0\r\n\r\n".into(),
        ..sent
    };
    assert!(!chunked::decode(&mut short));
}

#[tokio::test]
async fn versions_pile_up_and_are_listed() {
    let (_, s3) = versioned().await;
    let first = put(&s3, "k", b"1")
        .send()
        .await
        .unwrap()
        .version_id
        .unwrap();
    put(&s3, "k", b"2").send().await.unwrap();
    let marker = s3
        .delete_object()
        .bucket("bucket")
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(marker.delete_marker, Some(true));
    assert_refused!(s3.get_object().bucket("bucket").key("k"), "NoSuchKey");
    let old = s3
        .get_object()
        .bucket("bucket")
        .key("k")
        .version_id(&first)
        .send()
        .await
        .unwrap();
    assert_eq!(old.body.collect().await.unwrap().to_vec(), b"1");
    put(&s3, "l", b"3").send().await.unwrap();
    assert_refused!(s3.delete_bucket().bucket("bucket"), "BucketNotEmpty");
    let mut rows = Vec::new();
    let (mut key, mut id) = (None, None);
    loop {
        let list = s3.list_object_versions().bucket("bucket").max_keys(1);
        let page = list
            .set_key_marker(key)
            .set_version_id_marker(id)
            .send()
            .await
            .unwrap();
        rows.extend(
            page.versions()
                .iter()
                .map(|v| (v.key.clone(), v.version_id.clone())),
        );
        rows.extend(
            page.delete_markers()
                .iter()
                .map(|v| (v.key.clone(), v.version_id.clone())),
        );
        if page.is_truncated != Some(true) {
            break;
        }
        (key, id) = (page.next_key_marker, page.next_version_id_marker);
    }
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0].1, marker.version_id);
    assert_eq!(rows[2].1.as_deref(), Some(first.as_str()));
    let objects = rows.into_iter().map(|(key, id)| {
        ObjectIdentifier::builder()
            .key(key.unwrap())
            .set_version_id(id)
            .build()
            .unwrap()
    });
    let delete = Delete::builder()
        .set_objects(Some(objects.collect()))
        .quiet(true)
        .build()
        .unwrap();
    let reply = s3
        .delete_objects()
        .bucket("bucket")
        .delete(delete)
        .send()
        .await
        .unwrap();
    assert!(reply.deleted().is_empty() && reply.errors().is_empty());
    s3.delete_bucket().bucket("bucket").send().await.unwrap();
}

#[tokio::test]
async fn suspended_versioning_overwrites_the_null_version() {
    let (_, s3) = versioned().await;
    put(&s3, "k", b"1").send().await.unwrap();
    set_versioning(&s3, BucketVersioningStatus::Suspended).await;
    put(&s3, "k", b"2").send().await.unwrap();
    put(&s3, "k", b"3").send().await.unwrap();
    let list = s3
        .list_object_versions()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    let versions = list.versions();
    assert_eq!(versions.len(), 2);
    assert_eq!(
        (versions[0].version_id.as_deref(), versions[0].is_latest),
        (Some("null"), Some(true))
    );
}

#[tokio::test]
async fn deletions_report_each_key() {
    let (_, s3) = with_bucket().await;
    put(&s3, "a", b"").send().await.unwrap();
    let identify = |key: &str, id: Option<&str>| {
        ObjectIdentifier::builder()
            .key(key)
            .set_version_id(id.map(str::to_owned))
            .build()
            .unwrap()
    };
    let delete = Delete::builder()
        .objects(identify("a", None))
        .objects(identify("not there", None))
        .objects(identify("b", Some("nonsense")))
        .build()
        .unwrap();
    let reply = s3
        .delete_objects()
        .bucket("bucket")
        .delete(delete)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.deleted().len(), 2);
    assert_eq!(reply.errors()[0].code.as_deref(), Some("NoSuchVersion"));
    assert_eq!(reply.errors()[0].key.as_deref(), Some("b"));
    assert_refused!(s3.get_object().bucket("bucket").key("a"), "NoSuchKey");
    let odd = s3.delete_object().bucket("bucket").key("a").version_id("x");
    assert_refused!(odd, "InvalidArgument", "version id");
}

#[tokio::test]
async fn objects_are_listed_in_pages_and_groups() {
    let (_, s3) = with_bucket().await;
    for key in ["a/1", "a/2", "b", "c/x", "c<&>"] {
        put(&s3, key, b"x").send().await.unwrap();
    }
    let pages = s3
        .list_objects_v2()
        .bucket("bucket")
        .max_keys(2)
        .into_paginator()
        .send();
    let pages: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    let keys: Vec<_> = pages
        .iter()
        .flat_map(|page| page.contents())
        .filter_map(|o| o.key())
        .collect();
    assert_eq!(
        (pages.len(), keys),
        (3, vec!["a/1", "a/2", "b", "c/x", "c<&>"])
    );
    let list = s3.list_objects_v2().bucket("bucket").delimiter("/");
    let grouped = list.clone().send().await.unwrap();
    let groups: Vec<_> = grouped
        .common_prefixes()
        .iter()
        .filter_map(|p| p.prefix())
        .collect();
    assert_eq!(
        (groups, grouped.contents().len(), grouped.key_count),
        (vec!["a/", "c/"], 2, Some(4))
    );
    let pages = list.clone().max_keys(1).into_paginator().send();
    let pages: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    assert_eq!(pages.len(), 4);
    let inside = list.clone().start_after("a/1").send().await.unwrap();
    assert_eq!(inside.common_prefixes()[0].prefix(), Some("a/"));
    let below = list.prefix("a/").start_after("a/1").send().await.unwrap();
    assert_eq!(below.contents()[0].key(), Some("a/2"));
    assert_refused!(s3.list_objects_v2().bucket("none"), "NoSuchBucket");
    assert_refused!(
        s3.list_objects_v2()
            .bucket("bucket")
            .continuation_token("zz"),
        "InvalidArgument"
    );
}

#[tokio::test]
async fn object_tags_are_replaced() {
    let (_, s3) = with_bucket().await;
    put(&s3, "k", b"").tagging("a=1").send().await.unwrap();
    let get = async || {
        s3.get_object_tagging()
            .bucket("bucket")
            .key("k")
            .send()
            .await
            .unwrap()
            .tag_set
    };
    assert_eq!(get().await[0].key(), "a");
    let tags = |n: usize| {
        let tags = (0..n).map(|n| {
            Tag::builder()
                .key(format!("k{n}"))
                .value("v")
                .build()
                .unwrap()
        });
        Tagging::builder()
            .set_tag_set(Some(tags.collect()))
            .build()
            .unwrap()
    };
    let change = |n: usize| {
        s3.put_object_tagging()
            .bucket("bucket")
            .key("k")
            .tagging(tags(n))
    };
    change(2).send().await.unwrap();
    assert_eq!(get().await.len(), 2);
    assert_refused!(change(11), "BadRequest", "greater than 10");
    s3.delete_object_tagging()
        .bucket("bucket")
        .key("k")
        .send()
        .await
        .unwrap();
    assert!(get().await.is_empty());
    assert_refused!(
        s3.get_object_tagging().bucket("bucket").key("none"),
        "NoSuchKey"
    );
}

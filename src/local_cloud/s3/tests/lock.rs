//! Object lock.

use super::{client, located};
use crate::local_cloud::testing::Cloud;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    Delete, ObjectIdentifier, ObjectLockLegalHold, ObjectLockLegalHoldStatus as Hold,
    ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode,
};

const LATER: i64 = 4_000_000_000;
/// Of the content, in base64.
const CRC: &str = "6Le+Qw==";

fn content() -> ByteStream {
    ByteStream::from_static(b"a")
}

async fn locking(cloud: &Cloud) -> aws_sdk_s3::Client {
    let s3 = client(cloud).await;
    s3.create_bucket()
        .bucket("locking")
        .create_bucket_configuration(located("us-west-2"))
        .object_lock_enabled_for_bucket(true)
        .send()
        .await
        .unwrap();
    s3
}

fn hold(status: Hold) -> ObjectLockLegalHold {
    ObjectLockLegalHold::builder().status(status).build()
}

#[tokio::test]
async fn a_legal_hold_keeps_a_version() {
    let cloud = Cloud::new();
    let s3 = locking(&cloud).await;
    let put = || {
        let put = s3.put_object().bucket("locking").key("a");
        put.object_lock_legal_hold_status(Hold::On)
    };
    let refused = put().send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidRequest"));
    assert!(refused.message().unwrap().contains("Content-MD5"));
    let put = put().body(content()).checksum_crc32(CRC).send().await;
    let id = put.unwrap().version_id().unwrap().to_owned();
    let head = s3.head_object().bucket("locking").key("a").send().await;
    let head = head.unwrap();
    assert_eq!(head.object_lock_legal_hold_status(), Some(&Hold::On));
    assert_eq!(head.object_lock_mode(), None);
    let delete = || {
        s3.delete_object()
            .bucket("locking")
            .key("a")
            .version_id(&id)
    };
    let refused = delete().bypass_governance_retention(true).send().await;
    assert_eq!(refused.unwrap_err().code(), Some("AccessDenied"));
    let object = ObjectIdentifier::builder().key("a").version_id(&id);
    let many = Delete::builder().objects(object.build().unwrap()).build();
    let many = s3.delete_objects().bucket("locking").delete(many.unwrap());
    let many = many.send().await.unwrap();
    assert_eq!(many.errors()[0].code(), Some("AccessDenied"));
    assert_eq!(many.errors()[0].version_id(), Some(id.as_str()));
    // Without a version a marker hides it, and it stays.
    s3.delete_object()
        .bucket("locking")
        .key("a")
        .send()
        .await
        .unwrap();
    let off = s3
        .put_object_legal_hold()
        .bucket("locking")
        .key("a")
        .version_id(&id);
    off.legal_hold(hold(Hold::Off)).send().await.unwrap();
    delete().send().await.unwrap();
}

#[tokio::test]
async fn retention_keeps_a_version_until_its_date() {
    let cloud = Cloud::new();
    let s3 = locking(&cloud).await;
    let put = |mode: Option<ObjectLockMode>, until: Option<i64>| {
        let put = s3.put_object().bucket("locking").key("a");
        let put = put.body(content()).checksum_crc32(CRC);
        let put = put.set_object_lock_mode(mode);
        put.set_object_lock_retain_until_date(until.map(DateTime::from_secs))
            .send()
    };
    let half = put(Some(ObjectLockMode::Governance), None).await;
    assert_eq!(half.unwrap_err().code(), Some("InvalidArgument"));
    let past = put(Some(ObjectLockMode::Governance), Some(1)).await;
    assert_eq!(past.unwrap_err().code(), Some("InvalidArgument"));
    for (mode, bypassed) in [
        (ObjectLockMode::Governance, true),
        (ObjectLockMode::Compliance, false),
    ] {
        let id = put(Some(mode.clone()), Some(LATER)).await.unwrap();
        let id = id.version_id().unwrap().to_owned();
        let head = s3
            .head_object()
            .bucket("locking")
            .key("a")
            .send()
            .await
            .unwrap();
        assert_eq!(head.object_lock_mode(), Some(&mode));
        assert_eq!(head.object_lock_retain_until_date().unwrap().secs(), LATER);
        let retain = |until: i64, bypass: bool| {
            let retention = ObjectLockRetention::builder()
                .mode(ObjectLockRetentionMode::from(mode.as_str()))
                .retain_until_date(DateTime::from_secs(until));
            s3.put_object_retention()
                .bucket("locking")
                .key("a")
                .retention(retention.build())
                .bypass_governance_retention(bypass)
                .send()
        };
        retain(LATER + 1, false).await.unwrap();
        let shorter = retain(LATER, false).await;
        assert_eq!(shorter.unwrap_err().code(), Some("AccessDenied"));
        assert_eq!(retain(LATER, true).await.is_ok(), bypassed);
        let delete = || {
            s3.delete_object()
                .bucket("locking")
                .key("a")
                .version_id(&id)
        };
        let refused = delete().send().await;
        assert_eq!(refused.unwrap_err().code(), Some("AccessDenied"));
        let deleted = delete().bypass_governance_retention(true).send().await;
        assert_eq!(deleted.is_ok(), bypassed);
    }
}

#[tokio::test]
async fn a_part_of_what_is_locked_has_a_digest_too() {
    let cloud = Cloud::new();
    let s3 = locking(&cloud).await;
    let start = s3.create_multipart_upload().bucket("locking").key("a");
    let start = start.object_lock_legal_hold_status(Hold::On).send().await;
    let id = start.unwrap().upload_id().unwrap().to_owned();
    let part = || {
        let part = s3.upload_part().bucket("locking").key("a");
        part.upload_id(&id).part_number(1)
    };
    let refused = part().send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidRequest"));
    assert!(refused.message().unwrap().contains("Put Part"));
    let part = part().body(content()).checksum_crc32(CRC);
    part.send().await.unwrap();
}

#[tokio::test]
async fn a_bucket_without_object_lock_locks_nothing() {
    let (_cloud, s3) = super::with_bucket().await;
    let put = s3.put_object().bucket("bucket").key("a");
    let put = put.object_lock_legal_hold_status(Hold::On).send().await;
    assert_eq!(put.unwrap_err().code(), Some("InvalidRequest"));
    s3.put_object()
        .bucket("bucket")
        .key("a")
        .send()
        .await
        .unwrap();
    let put = s3.put_object_legal_hold().bucket("bucket").key("a");
    let put = put.legal_hold(hold(Hold::On)).send().await;
    assert_eq!(put.unwrap_err().code(), Some("InvalidRequest"));
}

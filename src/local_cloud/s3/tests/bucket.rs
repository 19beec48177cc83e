//! Buckets and their settings.

use super::{client, located, with_bucket};
use crate::local_cloud::testing::{Cloud, assert_refused, refused};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketCannedAcl, BucketVersioningStatus, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, Tag, Tagging, VersioningConfiguration,
};
use serde_json::json;

fn owned(ownership: ObjectOwnership) -> OwnershipControls {
    let rule = OwnershipControlsRule::builder()
        .object_ownership(ownership)
        .build()
        .unwrap();
    OwnershipControls::builder().rules(rule).build().unwrap()
}

fn tagging(pairs: &[(&str, &str)]) -> Tagging {
    let tags = pairs
        .iter()
        .map(|(k, v)| Tag::builder().key(*k).value(*v).build().unwrap());
    Tagging::builder()
        .set_tag_set(Some(tags.collect()))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_bucket_is_created_found_and_deleted() {
    let (cloud, s3) = with_bucket().await;
    let head = s3.head_bucket().bucket("bucket").send().await.unwrap();
    assert_eq!(head.bucket_region.as_deref(), Some("us-west-2"));
    let location = s3
        .get_bucket_location()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    assert_eq!(location.location_constraint.unwrap().as_str(), "us-west-2");
    let listed = s3
        .list_buckets()
        .prefix("buc")
        .send()
        .await
        .unwrap()
        .buckets
        .unwrap();
    assert_eq!(listed[0].name.as_deref(), Some("bucket"));
    let (code, _) = refused(s3.head_bucket().bucket("other").send().await);
    assert_eq!(code, "NotFound");
    s3.put_object()
        .bucket("bucket")
        .key("k")
        .body(ByteStream::from_static(b"x"))
        .send()
        .await
        .unwrap();
    assert_refused!(s3.delete_bucket().bucket("bucket"), "BucketNotEmpty");
    s3.delete_object()
        .bucket("bucket")
        .key("k")
        .send()
        .await
        .unwrap();
    s3.delete_bucket().bucket("bucket").send().await.unwrap();
    assert_refused!(s3.delete_bucket().bucket("bucket"), "NoSuchBucket");
    let calls = cloud.with(|world| world.calls.clone());
    assert_eq!(
        calls[..3],
        ["CreateBucket", "HeadBucket", "GetBucketLocation"]
    );
}

#[tokio::test]
async fn the_region_is_the_clients() {
    let (cloud, s3) = with_bucket().await;
    let create = |name: &str| s3.create_bucket().bucket(name);
    assert_refused!(
        create("other"),
        "IllegalLocationConstraintException",
        "unspecified"
    );
    assert_refused!(
        create("other").create_bucket_configuration(located("eu-west-1")),
        "IllegalLocationConstraintException",
        "eu-west-1"
    );
    assert_refused!(
        create("bucket").create_bucket_configuration(located("us-west-2")),
        "BucketAlreadyOwnedByYou"
    );
    let east = cloud.clients("us-east-1").await.s3().clone();
    east.create_bucket().bucket("east").send().await.unwrap();
    east.create_bucket().bucket("east").send().await.unwrap();
    let location = east
        .get_bucket_location()
        .bucket("east")
        .send()
        .await
        .unwrap();
    assert!(
        location
            .location_constraint
            .is_none_or(|region| region.as_str().is_empty())
    );
    assert_refused!(
        east.create_bucket()
            .bucket("e2x")
            .create_bucket_configuration(located("us-east-1")),
        "InvalidLocationConstraint"
    );
    // The reply to a call to the wrong region says where the bucket is.
    let error = east
        .head_bucket()
        .bucket("bucket")
        .send()
        .await
        .unwrap_err();
    let raw = error.raw_response().unwrap();
    assert_eq!(raw.status().as_u16(), 301);
    assert_eq!(raw.headers().get("x-amz-bucket-region"), Some("us-west-2"));
}

#[tokio::test]
async fn names_follow_the_rules() {
    let cloud = Cloud::new();
    let s3 = client(&cloud).await;
    for name in [
        "ab",
        "Upper",
        "under_score",
        "a..b",
        "192.168.5.4",
        "xn--a",
        "a-s3alias",
        "-ab",
        "ab-",
    ] {
        let configuration = located("us-west-2");
        assert_refused!(
            s3.create_bucket()
                .bucket(name)
                .create_bucket_configuration(configuration),
            "InvalidBucketName"
        );
    }
}

#[tokio::test]
async fn ownership_decides_whether_acls_work() {
    let (_, s3) = with_bucket().await;
    let get = || s3.get_bucket_ownership_controls().bucket("bucket");
    let rules = get()
        .send()
        .await
        .unwrap()
        .ownership_controls
        .unwrap()
        .rules;
    assert_eq!(
        rules[0].object_ownership,
        ObjectOwnership::BucketOwnerEnforced
    );
    let acl = |acl: BucketCannedAcl| s3.put_bucket_acl().bucket("bucket").acl(acl);
    assert_refused!(
        acl(BucketCannedAcl::Private),
        "AccessControlListNotSupported"
    );
    let put = |ownership| {
        s3.put_bucket_ownership_controls()
            .bucket("bucket")
            .ownership_controls(owned(ownership))
    };
    put(ObjectOwnership::BucketOwnerPreferred)
        .send()
        .await
        .unwrap();
    acl(BucketCannedAcl::Private).send().await.unwrap();
    assert_refused!(acl(BucketCannedAcl::PublicRead), "AccessDenied");
    s3.delete_public_access_block()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    acl(BucketCannedAcl::PublicRead).send().await.unwrap();
    let read = s3.get_bucket_acl().bucket("bucket").send().await.unwrap();
    let grants: Vec<_> = read
        .grants
        .unwrap()
        .into_iter()
        .map(|grant| {
            let grantee = grant.grantee.unwrap();
            (
                grantee.r#type.as_str().to_owned(),
                grantee.uri,
                grant.permission.unwrap(),
            )
        })
        .collect();
    assert_eq!(grants.len(), 2);
    assert_eq!(grants[0].0, "CanonicalUser");
    assert_eq!(grants[0].2.as_str(), "FULL_CONTROL");
    assert!(grants[1].1.as_ref().unwrap().ends_with("/AllUsers"));
    assert!(read.owner.unwrap().id.is_some());
    assert_refused!(
        put(ObjectOwnership::BucketOwnerEnforced),
        "InvalidBucketAclWithObjectOwnership"
    );
    assert_refused!(
        s3.put_bucket_acl()
            .bucket("bucket")
            .grant_read("emailAddress=a@b.c"),
        "MethodNotAllowed"
    );
    assert_refused!(
        s3.put_bucket_acl().bucket("bucket"),
        "MissingSecurityHeader"
    );
    s3.delete_bucket_ownership_controls()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    assert_refused!(get(), "OwnershipControlsNotFoundError");
}

#[tokio::test]
async fn a_full_acl_reads_back() {
    let (_, s3) = with_bucket().await;
    let controls = owned(ObjectOwnership::ObjectWriter);
    s3.put_bucket_ownership_controls()
        .bucket("bucket")
        .ownership_controls(controls)
        .send()
        .await
        .unwrap();
    let read = s3.get_bucket_acl().bucket("bucket").send().await.unwrap();
    let policy = aws_sdk_s3::types::AccessControlPolicy::builder()
        .set_grants(read.grants.clone())
        .set_owner(read.owner.clone())
        .build();
    s3.put_bucket_acl()
        .bucket("bucket")
        .access_control_policy(policy)
        .send()
        .await
        .unwrap();
    let again = s3.get_bucket_acl().bucket("bucket").send().await.unwrap();
    assert_eq!(again.grants, read.grants);
    let refused = s3
        .create_bucket()
        .bucket("public")
        .acl(BucketCannedAcl::PublicRead);
    let refused = refused.create_bucket_configuration(located("us-west-2"));
    assert_refused!(refused.clone(), "InvalidBucketAclWithObjectOwnership");
    assert_refused!(
        refused.object_ownership(ObjectOwnership::ObjectWriter),
        "AccessDenied"
    );
}

#[tokio::test]
async fn tags_are_a_set_that_is_replaced() {
    let (_, s3) = with_bucket().await;
    let get = || s3.get_bucket_tagging().bucket("bucket");
    let put = |pairs: &[(&str, &str)]| {
        s3.put_bucket_tagging()
            .bucket("bucket")
            .tagging(tagging(pairs))
    };
    assert_refused!(get(), "NoSuchTagSet");
    put(&[("a", "1"), ("b", "")]).send().await.unwrap();
    assert_eq!(get().send().await.unwrap().tag_set.len(), 2);
    put(&[("c", "é +=")]).send().await.unwrap();
    let tags = get().send().await.unwrap().tag_set;
    assert_eq!(
        (tags[0].key(), tags[0].value(), tags.len()),
        ("c", "é +=", 1)
    );
    assert_refused!(put(&[("a", "1"), ("a", "2")]), "InvalidTag", "same key");
    assert_refused!(put(&[("aws:a", "1")]), "InvalidTag", "System tags");
    assert_refused!(put(&[("", "1")]), "InvalidTag");
    s3.delete_bucket_tagging()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    assert_refused!(get(), "NoSuchTagSet");
}

#[tokio::test]
async fn a_policy_is_checked_and_kept_as_a_string() {
    let (_, s3) = with_bucket().await;
    let get = || s3.get_bucket_policy().bucket("bucket");
    let put = |policy: &str| s3.put_bucket_policy().bucket("bucket").policy(policy);
    let policy = |principal: serde_json::Value, resource: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject",
            "Principal": principal, "Resource": resource}]})
        .to_string()
    };
    assert_refused!(get(), "NoSuchBucketPolicy");
    let own = "arn:aws:s3:::bucket/*";
    let private = policy(json!({"AWS": "000000000000"}), own);
    put(&private).send().await.unwrap();
    assert_eq!(get().send().await.unwrap().policy.unwrap(), private);
    assert_refused!(put("nope"), "MalformedPolicy", "valid JSON");
    assert_refused!(put("{}"), "MalformedPolicy", "Statement");
    assert_refused!(
        put(&policy(json!("*"), "arn:aws:s3:::bucket2/*")),
        "MalformedPolicy",
        "invalid resource"
    );
    assert_refused!(
        put(&private.replace("s3:GetObject", "sqs:A")),
        "MalformedPolicy",
        "invalid action"
    );
    let stranger = policy(json!({"AWS": "arn:aws:iam::000000000000:role/none"}), own);
    assert_refused!(put(&stranger), "MalformedPolicy", "Invalid principal");
    let public = policy(json!("*"), own);
    assert_refused!(put(&public), "AccessDenied", "BlockPublicPolicy");
    s3.delete_public_access_block()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    put(&public).send().await.unwrap();
    s3.delete_bucket_policy()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    assert_refused!(get(), "NoSuchBucketPolicy");
}

#[tokio::test]
async fn public_access_is_blocked_by_default() {
    let (_, s3) = with_bucket().await;
    let get = async || {
        let reply = s3
            .get_public_access_block()
            .bucket("bucket")
            .send()
            .await
            .unwrap();
        let block = reply.public_access_block_configuration.unwrap();
        [
            block.block_public_acls,
            block.ignore_public_acls,
            block.block_public_policy,
            block.restrict_public_buckets,
        ]
        .map(|flag| flag == Some(true))
    };
    assert_eq!(get().await, [true; 4]);
    let one = PublicAccessBlockConfiguration::builder()
        .block_public_policy(true)
        .build();
    s3.put_public_access_block()
        .bucket("bucket")
        .public_access_block_configuration(one)
        .send()
        .await
        .unwrap();
    assert_eq!(get().await, [false, false, true, false]);
    s3.delete_public_access_block()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    assert_refused!(
        s3.get_public_access_block().bucket("bucket"),
        "NoSuchPublicAccessBlockConfiguration"
    );
}

#[tokio::test]
async fn versioning_starts_unset() {
    let (_, s3) = with_bucket().await;
    let get = async || {
        s3.get_bucket_versioning()
            .bucket("bucket")
            .send()
            .await
            .unwrap()
            .status
    };
    assert_eq!(get().await, None);
    let put = |status: &str| {
        let status = BucketVersioningStatus::from(status);
        let configuration = VersioningConfiguration::builder().status(status).build();
        s3.put_bucket_versioning()
            .bucket("bucket")
            .versioning_configuration(configuration)
    };
    put("Suspended").send().await.unwrap();
    assert_eq!(get().await, Some(BucketVersioningStatus::Suspended));
    assert_refused!(put("On"), "MalformedXML");
    // What is not built says so.
    let (status, code) = {
        let error = s3
            .get_bucket_cors()
            .bucket("bucket")
            .customize()
            .config_override(
                aws_sdk_s3::config::Builder::new()
                    .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()),
            )
            .send()
            .await
            .unwrap_err();
        use aws_smithy_types::error::metadata::ProvideErrorMetadata;
        (
            error.raw_response().unwrap().status().as_u16(),
            error.code().unwrap().to_owned(),
        )
    };
    assert_eq!((status, code.as_str()), (501, "NotImplemented"));
}

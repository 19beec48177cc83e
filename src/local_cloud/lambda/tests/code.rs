//! A function's code: where it comes from, and its versions.

use super::function::read;
use super::{ZIP, creation, with_function, with_role};
use crate::local_cloud::testing::assert_refused;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, PackageType};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

#[tokio::test]
async fn code_comes_from_the_bucket() {
    let (cloud, aws) = with_role().await;
    let from = |bucket: &str, key: &str| {
        let code = FunctionCode::builder()
            .s3_bucket(bucket)
            .s3_key(key)
            .build();
        creation(&aws).code(code)
    };
    let refusal = "InvalidParameterValueException";
    assert_refused!(from("bucket", "k"), refusal, "S3 Error Code: NoSuchBucket");
    let region = BucketLocationConstraint::UsWest2;
    let configuration = CreateBucketConfiguration::builder()
        .location_constraint(region)
        .build();
    let bucket = aws.s3().create_bucket().bucket("bucket");
    bucket
        .create_bucket_configuration(configuration)
        .send()
        .await
        .unwrap();
    assert_refused!(from("bucket", "k"), refusal, "S3 Error Code: NoSuchKey");
    let put = async |bytes: &'static [u8]| {
        let body = ByteStream::from_static(bytes);
        aws.s3()
            .put_object()
            .bucket("bucket")
            .key("k")
            .body(body)
            .send()
            .await
            .unwrap();
    };
    put(b"text").await;
    assert_refused!(from("bucket", "k"), refusal, "Could not unzip");
    put(ZIP).await;
    let made = from("bucket", "k").send().await.unwrap();
    assert_eq!(
        made.code_sha256.unwrap(),
        BASE64_STANDARD.encode(Sha256::digest(ZIP))
    );
    // The function has its own copy.
    put(b"PK\x03\x04 newer").await;
    cloud.pass(300);
    let before = read(&aws).await.code_sha256;
    let update = aws
        .lambda()
        .update_function_code()
        .function_name("f")
        .s3_bucket("bucket")
        .s3_key("k");
    let updated = update.send().await.unwrap();
    assert_ne!(updated.code_sha256, before);
    let east = cloud.clients("us-east-1").await;
    let code = FunctionCode::builder()
        .s3_bucket("bucket")
        .s3_key("k")
        .build();
    assert_refused!(creation(&east).code(code), refusal, "PermanentRedirect");
}

#[tokio::test]
async fn versions_are_published_when_something_changed() {
    let (cloud, aws) = with_function().await;
    let lambda = aws.lambda();
    let publish = async || {
        lambda
            .publish_version()
            .function_name("f")
            .send()
            .await
            .unwrap()
            .version
            .unwrap()
    };
    assert_eq!(publish().await, "1");
    assert_eq!(publish().await, "1");
    let code = lambda.update_function_code().function_name("f");
    let code = code
        .zip_file(Blob::new(b"PK\x03\x04 2".as_slice()))
        .publish(true);
    assert_eq!(code.send().await.unwrap().version.as_deref(), Some("2"));
    cloud.pass(200);
    let old = lambda
        .get_function()
        .function_name("f")
        .qualifier("1")
        .send()
        .await
        .unwrap();
    let old = old.configuration.unwrap();
    assert_eq!(
        old.code_sha256.unwrap(),
        BASE64_STANDARD.encode(Sha256::digest(ZIP))
    );
    assert!(old.function_arn.unwrap().ends_with(":f:1"));
    let listed = lambda
        .list_versions_by_function()
        .function_name("f")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.versions.unwrap().len(), 3);
    let missing = lambda.get_function().function_name("f:9");
    assert_refused!(missing, "ResourceNotFoundException");
}

#[tokio::test]
async fn an_image_is_another_kind_of_package() {
    let (_, aws) = with_role().await;
    let uri = "000000000000.dkr.ecr.us-west-2.amazonaws.com/app:1";
    let image = creation(&aws)
        .set_runtime(None)
        .set_handler(None)
        .package_type(PackageType::Image)
        .code(FunctionCode::builder().image_uri(uri).build());
    image.send().await.unwrap();
    let reply = aws
        .lambda()
        .get_function()
        .function_name("f")
        .send()
        .await
        .unwrap();
    let code = reply.code.unwrap();
    assert_eq!(code.image_uri.as_deref(), Some(uri));
    assert!(code.resolved_image_uri.unwrap().contains("@sha256:"));
}

//! The service behind the SDK's client.

mod bucket;
mod lock;
mod object;

use crate::local_cloud::testing::Cloud;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

fn located(region: &str) -> CreateBucketConfiguration {
    CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(region))
        .build()
}

async fn client(cloud: &Cloud) -> aws_sdk_s3::Client {
    cloud.clients("us-west-2").await.s3().clone()
}

async fn with_bucket() -> (Cloud, aws_sdk_s3::Client) {
    let cloud = Cloud::new();
    let s3 = client(&cloud).await;
    s3.create_bucket()
        .bucket("bucket")
        .create_bucket_configuration(located("us-west-2"))
        .send()
        .await
        .unwrap();
    (cloud, s3)
}

#[tokio::test]
async fn the_bucket_may_be_in_the_host() {
    use crate::local_cloud::service::{Request, Service};
    let (cloud, _) = with_bucket().await;
    let request = Request {
        method: "HEAD".to_owned(),
        path: "/".to_owned(),
        query: Vec::new(),
        headers: [(
            "host".to_owned(),
            "bucket.s3.us-west-2.amazonaws.com".to_owned(),
        )]
        .into(),
        body: bytes::Bytes::new(),
        region: "us-west-2".to_owned(),
        now: 0,
    };
    assert_eq!(super::S3.operation(&request), "HeadBucket");
    let reply = cloud.with(|world| super::S3.answer(&request, &mut world.store));
    assert_eq!(reply.unwrap().status, 200);
}

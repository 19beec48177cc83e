//! The service behind the SDK's client.

mod policy;
mod role;

use crate::local_cloud::testing::{Cloud, assert_refused};
use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

const POLICY_ARN: &str = "arn:aws:iam::000000000000:policy/p";

fn trust() -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]})
    .to_string()
}

fn allow(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": "*"}]})
    .to_string()
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

async fn client(cloud: &Cloud) -> aws_sdk_iam::Client {
    cloud.clients("us-west-2").await.iam().clone()
}

async fn with_role() -> (Cloud, aws_sdk_iam::Client) {
    let cloud = Cloud::new();
    let iam = client(&cloud).await;
    iam.create_role()
        .role_name("R")
        .assume_role_policy_document(trust())
        .send()
        .await
        .unwrap();
    (cloud, iam)
}

async fn with_policy() -> (Cloud, aws_sdk_iam::Client) {
    let (cloud, iam) = with_role().await;
    iam.create_policy()
        .policy_name("p")
        .policy_document(allow("sqs:*"))
        .send()
        .await
        .unwrap();
    (cloud, iam)
}

fn decoded(text: &str) -> Value {
    assert!(
        !text.contains(['{', '"', ' ', ':']),
        "{text} is not percent-encoded"
    );
    serde_json::from_str(&percent_decode_str(text).decode_utf8().unwrap()).unwrap()
}

//! The service behind the SDK's client.

mod code;
mod function;
mod mapping;
mod permission;

use crate::local_cloud::service::Store;
use crate::local_cloud::testing::Cloud;
use crate::resource::aws::Aws;
use aws_sdk_lambda::operation::create_function::builders::CreateFunctionFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use serde_json::json;

const ROLE: &str = "arn:aws:iam::000000000000:role/R";
const QUEUE: &str = "arn:aws:sqs:us-west-2:000000000000:q.fifo";
const ZIP: &[u8] = b"PK\x03\x04 as good as a zip";

fn trust(service: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": service}}]})
    .to_string()
}

fn zip(bytes: &[u8]) -> FunctionCode {
    FunctionCode::builder().zip_file(Blob::new(bytes)).build()
}

/// A call that creates the function `f`.
fn creation(aws: &Aws) -> CreateFunctionFluentBuilder {
    aws.lambda()
        .create_function()
        .function_name("f")
        .role(ROLE)
        .runtime(Runtime::Python312)
        .handler("app.handler")
        .code(zip(ZIP))
}

/// A role that Lambda can assume.
async fn with_role() -> (Cloud, Aws) {
    let cloud = Cloud::new();
    let aws = cloud.clients("us-west-2").await;
    let role = aws.iam().create_role().role_name("R");
    role.assume_role_policy_document(trust("lambda.amazonaws.com"))
        .send()
        .await
        .unwrap();
    cloud.pass(200);
    (cloud, aws)
}

/// That role and an active function.
async fn with_function() -> (Cloud, Aws) {
    let (cloud, aws) = with_role().await;
    creation(&aws).send().await.unwrap();
    cloud.pass(300);
    (cloud, aws)
}

/// A queue as the SQS service keeps it.
fn put_queue(cloud: &Cloud, name: &str, visibility: &str) {
    let queue = json!({"name": name, "attributes": {"VisibilityTimeout": visibility}});
    cloud.with(|world| {
        world
            .store
            .put(&format!("sqs/us-west-2/queue/{name}"), queue);
    });
}

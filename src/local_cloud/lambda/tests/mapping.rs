//! Event source mappings.

use super::{QUEUE, put_queue, with_function};
use crate::local_cloud::testing::{Cloud, assert_refused};
use crate::resource::aws::Aws;
use aws_sdk_lambda::operation::create_event_source_mapping::builders::CreateEventSourceMappingFluentBuilder;
use aws_sdk_lambda::types::{Filter, FilterCriteria, FunctionResponseType, ScalingConfig};
use serde_json::json;

const STANDARD: &str = "arn:aws:sqs:us-west-2:000000000000:q";
const VALUE: &str = "InvalidParameterValueException";

fn rights(action: &str, resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": resource}]})
    .to_string()
}

async fn put_rights(aws: &Aws, document: String) {
    let put = aws.iam().put_role_policy().role_name("R").policy_name("p");
    put.policy_document(document).send().await.unwrap();
}

/// A function whose role may read every queue, a FIFO queue and a standard one.
async fn ready() -> (Cloud, Aws) {
    let (cloud, aws) = with_function().await;
    put_rights(&aws, rights("sqs:*", "*")).await;
    cloud.pass(100);
    put_queue(&cloud, "q.fifo", "30");
    put_queue(&cloud, "q", "30");
    (cloud, aws)
}

fn creation(aws: &Aws, queue: &str) -> CreateEventSourceMappingFluentBuilder {
    aws.lambda()
        .create_event_source_mapping()
        .event_source_arn(queue)
        .function_name("f")
}

async fn state(aws: &Aws, uuid: &str) -> String {
    let reply = aws
        .lambda()
        .get_event_source_mapping()
        .uuid(uuid)
        .send()
        .await
        .unwrap();
    reply.state.unwrap()
}

#[tokio::test]
async fn a_mapping_moves_through_its_states() {
    let (cloud, aws) = ready().await;
    let lambda = aws.lambda();
    let made = creation(&aws, QUEUE).tags("a", "b").send().await.unwrap();
    let uuid = made.uuid.unwrap();
    assert_eq!(made.state.as_deref(), Some("Creating"));
    assert_eq!(
        (made.batch_size, made.maximum_batching_window_in_seconds),
        (Some(10), Some(0))
    );
    assert_eq!(
        made.function_arn.as_deref(),
        Some("arn:aws:lambda:us-west-2:000000000000:function:f")
    );
    assert_eq!(
        made.last_modified.unwrap().to_millis().unwrap() as u64,
        cloud.with(|w| w.now)
    );
    let update = || lambda.update_event_source_mapping().uuid(&uuid);
    let delete = || lambda.delete_event_source_mapping().uuid(&uuid);
    assert_refused!(update().batch_size(5), "ResourceInUseException");
    assert_refused!(delete(), "ResourceInUseException");
    cloud.pass(300);
    assert_eq!(state(&aws, &uuid).await, "Enabled");
    let arn = made.event_source_mapping_arn.unwrap();
    let tags = lambda
        .list_tags()
        .resource(&arn)
        .send()
        .await
        .unwrap()
        .tags
        .unwrap();
    assert_eq!(tags["a"], "b");
    lambda
        .untag_resource()
        .resource(&arn)
        .tag_keys("a")
        .send()
        .await
        .unwrap();
    let updated = update().batch_size(5).enabled(false).send().await.unwrap();
    assert_eq!(updated.state.as_deref(), Some("Updating"));
    assert_refused!(delete(), "ResourceInUseException");
    cloud.pass(200);
    assert_eq!(state(&aws, &uuid).await, "Disabled");
    assert_eq!(
        delete().send().await.unwrap().state.as_deref(),
        Some("Deleting")
    );
    assert_eq!(state(&aws, &uuid).await, "Deleting");
    cloud.pass(300);
    assert_refused!(
        lambda.get_event_source_mapping().uuid(&uuid),
        "ResourceNotFoundException"
    );
    assert_refused!(delete(), "ResourceNotFoundException");
    let again = creation(&aws, QUEUE)
        .enabled(false)
        .send()
        .await
        .unwrap()
        .uuid
        .unwrap();
    cloud.pass(300);
    assert_eq!(state(&aws, &again).await, "Disabled");
}

#[tokio::test]
async fn a_mapping_is_refused() {
    let (cloud, aws) = ready().await;
    let fifo = || creation(&aws, QUEUE);
    let standard = || creation(&aws, STANDARD);
    assert_refused!(fifo().batch_size(11), VALUE, "FIFO");
    assert_refused!(fifo().maximum_batching_window_in_seconds(1), VALUE, "FIFO");
    assert_refused!(standard().batch_size(11), VALUE, "batch window");
    assert_refused!(
        standard().batch_size(10_001),
        "ValidationException",
        "'batchSize'"
    );
    assert_refused!(
        standard().maximum_batching_window_in_seconds(301),
        "ValidationException"
    );
    let scaling = ScalingConfig::builder().maximum_concurrency(1).build();
    assert_refused!(standard().scaling_config(scaling), "ValidationException");
    let filter = FilterCriteria::builder()
        .filters(Filter::builder().pattern("{").build())
        .build();
    assert_refused!(standard().filter_criteria(filter), VALUE, "filter pattern");
    assert_refused!(
        standard().starting_position("LATEST".into()),
        VALUE,
        "StartingPosition"
    );
    assert_refused!(
        creation(&aws, &QUEUE.replace("q.", "none.")),
        VALUE,
        "NonExistentQueue"
    );
    assert_refused!(
        creation(&aws, &QUEUE.replace("west-2", "east-1")),
        VALUE,
        "region"
    );
    assert_refused!(
        creation(&aws, &QUEUE.replace("sqs", "kinesis")),
        VALUE,
        "Unrecognized"
    );
    assert_refused!(fifo().function_name("none"), "ResourceNotFoundException");
    put_queue(&cloud, "q.fifo", "2");
    let text = "Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds";
    assert_refused!(fifo(), VALUE, text);
    put_queue(&cloud, "q.fifo", "3");
    let uuid = fifo().send().await.unwrap().uuid.unwrap();
    assert_refused!(fifo(), "ResourceConflictException", &uuid);
    let update = aws.lambda().update_event_source_mapping().uuid(&uuid);
    cloud.pass(300);
    assert_refused!(update.clone().batch_size(11), VALUE, "FIFO");
    assert_refused!(update.function_name("none"), "ResourceNotFoundException");
}

#[tokio::test]
async fn the_role_must_be_allowed_to_read() {
    let (cloud, aws) = ready().await;
    let text = "The provided execution role does not have permissions to call ";
    let create = || creation(&aws, QUEUE);
    let set = async |document: String| {
        put_rights(&aws, document).await;
        cloud.pass(100);
    };
    set(rights("sns:*", "*")).await;
    assert_refused!(create(), VALUE, &format!("{text}ReceiveMessage on SQS"));
    set(rights("sqs:*", STANDARD)).await;
    assert_refused!(create(), VALUE, text);
    set(rights("sqs:ReceiveMessage", QUEUE)).await;
    assert_refused!(create(), VALUE, &format!("{text}DeleteMessage on SQS"));
    aws.iam()
        .delete_role_policy()
        .role_name("R")
        .policy_name("p")
        .send()
        .await
        .unwrap();
    // A managed policy takes a moment to count.
    let policy = aws
        .iam()
        .create_policy()
        .policy_name("m")
        .policy_document(rights("sqs:*", QUEUE));
    let arn = policy.send().await.unwrap().policy.unwrap().arn.unwrap();
    aws.iam()
        .attach_role_policy()
        .role_name("R")
        .policy_arn(arn)
        .send()
        .await
        .unwrap();
    cloud.pass(99);
    assert_refused!(create(), VALUE, text);
    cloud.pass(1);
    // A boundary takes rights away.
    let boundary = |arn: &str| {
        aws.iam()
            .put_role_permissions_boundary()
            .role_name("R")
            .permissions_boundary(arn)
    };
    boundary("arn:aws:iam::aws:policy/AmazonS3FullAccess")
        .send()
        .await
        .unwrap();
    assert_refused!(create(), VALUE, text);
    boundary("arn:aws:iam::aws:policy/AdministratorAccess")
        .send()
        .await
        .unwrap();
    create().send().await.unwrap();
}

#[tokio::test]
async fn settings_read_back_and_clear() {
    let (cloud, aws) = ready().await;
    let lambda = aws.lambda();
    let filter = Filter::builder().pattern("{\"body\":{\"a\":[1]}}").build();
    let made = creation(&aws, STANDARD)
        .batch_size(100)
        .maximum_batching_window_in_seconds(5)
        .function_response_types(FunctionResponseType::ReportBatchItemFailures)
        .scaling_config(ScalingConfig::builder().maximum_concurrency(2).build())
        .filter_criteria(FilterCriteria::builder().filters(filter.clone()).build())
        .send()
        .await
        .unwrap();
    let uuid = made.uuid.unwrap();
    cloud.pass(300);
    let get = async || {
        lambda
            .get_event_source_mapping()
            .uuid(&uuid)
            .send()
            .await
            .unwrap()
    };
    let read = get().await;
    assert_eq!(
        (read.batch_size, read.maximum_batching_window_in_seconds),
        (Some(100), Some(5))
    );
    assert_eq!(
        read.function_response_types.unwrap(),
        [FunctionResponseType::ReportBatchItemFailures]
    );
    assert_eq!(read.scaling_config.unwrap().maximum_concurrency, Some(2));
    assert_eq!(read.filter_criteria.unwrap().filters.unwrap(), [filter]);
    let update = lambda.update_event_source_mapping().uuid(&uuid);
    update
        .scaling_config(ScalingConfig::builder().build())
        .filter_criteria(FilterCriteria::builder().build())
        .set_function_response_types(Some(Vec::new()))
        .send()
        .await
        .unwrap();
    let read = get().await;
    assert!(read.scaling_config.is_none() && read.filter_criteria.is_none());
    assert!(read.function_response_types.unwrap().is_empty());
    assert_eq!(read.batch_size, Some(100));
}

#[tokio::test]
async fn mappings_are_listed_and_outlive_the_function() {
    let (_, aws) = ready().await;
    let lambda = aws.lambda();
    creation(&aws, QUEUE).send().await.unwrap();
    creation(&aws, STANDARD).send().await.unwrap();
    lambda
        .delete_function()
        .function_name("f")
        .send()
        .await
        .unwrap();
    let list = || lambda.list_event_source_mappings();
    let count = async |list: aws_sdk_lambda::operation::list_event_source_mappings::builders::ListEventSourceMappingsFluentBuilder| {
        list.send().await.unwrap().event_source_mappings.unwrap().len()
    };
    assert_eq!(count(list()).await, 2);
    assert_eq!(count(list().event_source_arn(QUEUE)).await, 1);
    assert_eq!(count(list().function_name("f")).await, 2);
    assert_eq!(count(list().function_name("g")).await, 0);
    let paged = list().max_items(1).into_paginator().items().send();
    assert_eq!(paged.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 2);
}

//! What the local cloud refuses and does on the wire, whoever calls it.

use super::cloud::{clients, refused};
use aws_sdk_apigatewayv2::types::{AccessLogSettings, IntegrationType, ProtocolType};
use aws_sdk_s3::primitives::ByteStream;

#[tokio::test]
async fn log_formats_and_parameters_of_actions() {
    let dir = tempfile::tempdir().unwrap();
    let aws = clients(&dir, 1.0).await;
    let client = aws.apigateway();
    let api = client
        .create_api()
        .name("a")
        .protocol_type(ProtocolType::Http);
    let api = api.send().await.unwrap().api_id.unwrap();
    let stage = |format: &str| {
        let logs = AccessLogSettings::builder()
            .destination_arn("arn:aws:logs:us-west-2:000000000000:log-group:g")
            .format(format);
        let call = client.create_stage().api_id(&api).stage_name("s");
        call.access_log_settings(logs.build()).send()
    };
    let bad = "BadRequestException";
    refused(
        stage("$context.requestId\n$context.path").await,
        bad,
        "single line",
    );
    refused(
        stage("$context.requestIdentity").await,
        bad,
        "$context.requestId",
    );
    stage("$context.extendedRequestId\n").await.unwrap();

    let create = client.create_integration().api_id(&api);
    let create = create.integration_type(IntegrationType::AwsProxy);
    let create = create.integration_subtype("SQS-SendMessage");
    let create = create.credentials_arn("arn:aws:iam::000000000000:role/r");
    let create = create.payload_format_version("1.0");
    let create = create.request_parameters("QueueUrl", "u");
    let create = create.request_parameters("DelaySeconds", "5");
    let id = create.send().await.unwrap().integration_id.unwrap();
    let update = |delay: Option<&str>| {
        let call = client.update_integration().api_id(&api).integration_id(&id);
        let call = call.request_parameters("QueueUrl", "u");
        match delay {
            Some(delay) => call.request_parameters("DelaySeconds", delay).send(),
            None => call.send(),
        }
    };
    refused(update(Some("")).await, bad, "missing source or destination");
    let parameters = update(None).await.unwrap().request_parameters.unwrap();
    assert_eq!(parameters.len(), 1, "{parameters:?}");
}

#[tokio::test]
async fn header_values_lose_white_space_around_them() {
    let dir = tempfile::tempdir().unwrap();
    let aws = clients(&dir, 1.0).await;
    let s3 = aws.s3();
    let made = s3.create_bucket().bucket("trimmed");
    let region = aws_sdk_s3::types::CreateBucketConfiguration::builder();
    let region = region.location_constraint("us-west-2".into()).build();
    made.create_bucket_configuration(region)
        .send()
        .await
        .unwrap();
    let put = s3.put_object().bucket("trimmed").key("k");
    let put = put
        .cache_control("max-age=60 ")
        .metadata("note", " padded ");
    put.body(ByteStream::from_static(b"x"))
        .send()
        .await
        .unwrap();
    let head = s3.head_object().bucket("trimmed").key("k").send();
    let head = head.await.unwrap();
    assert_eq!(head.cache_control(), Some("max-age=60"));
    assert_eq!(head.metadata().unwrap()["note"], "padded");
}

#[tokio::test]
async fn a_queue_with_other_tags_is_another_queue() {
    let dir = tempfile::tempdir().unwrap();
    let aws = clients(&dir, 1.0).await;
    let create = |tag: &str| {
        aws.sqs()
            .create_queue()
            .queue_name("q")
            .tags("t", tag)
            .send()
    };
    let url = create("1").await.unwrap().queue_url;
    assert_eq!(create("1").await.unwrap().queue_url, url);
    refused(create("2").await, "QueueAlreadyExists", "different tags");
}

//! The cloud as a whole: what faults look like to the SDK, and what is left after them.

use super::fault::{Fault, What};
use super::fixture::Fixture;
use super::{Cloud, Options};
use crate::resource::error::{CallResult, Effect};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::time::{Duration, Instant};

const CREATE: &str = "sqs:CreateQueue";

/// A cloud with one fault at the first CreateQueue, asked to create a queue once.
macro_rules! suffer {
    ($what:expr) => {{
        let here = Fixture::faulty(vec![Fault::at(CREATE, 1, $what)]).await;
        let call = here.aws.sqs_once().create_queue().queue_name("q");
        let result = call.send().await;
        (here, result)
    }};
}

#[tokio::test]
async fn a_lost_reply_has_its_effect() {
    let (here, result) = suffer!(What::LostReply);
    let SdkError::DispatchFailure(error) = result.unwrap_err() else {
        panic!("not a failed connection")
    };
    assert!(error.is_io());
    assert_eq!(here.keys(), ["sqs/us-west-2/queue/q"]);
    assert_eq!(here.cloud.calls()[0].status, None);
}

#[tokio::test]
async fn a_reset_has_none() {
    let (here, result) = suffer!(What::Reset);
    assert!(matches!(result.unwrap_err(), SdkError::DispatchFailure(error) if error.is_io()));
    assert!(here.keys().is_empty());
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let started = Instant::now();
    let (here, result) = suffer!(What::Silence(30));
    let SdkError::DispatchFailure(error) = result.unwrap_err() else {
        panic!("not a failed connection")
    };
    assert!(error.is_timeout() && started.elapsed() >= Duration::from_millis(30));
    assert!(here.keys().is_empty());
}

#[tokio::test]
async fn a_malformed_reply_has_its_effect() {
    let (here, result) = suffer!(What::Malformed);
    let error = result.call(CREATE).unwrap_err();
    assert_eq!(error.code(), "unreadable reply");
    assert_eq!(error.effect(), Effect::Unknown);
    assert_eq!(here.keys(), ["sqs/us-west-2/queue/q"]);
}

#[tokio::test]
async fn errors_come_with_their_status() {
    for status in [500, 503] {
        let (here, result) = suffer!(What::Error(status));
        let error = result.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert!(here.keys().is_empty());
        assert_eq!(here.cloud.calls()[0].status, Some(status));
    }
}

#[tokio::test]
async fn the_sdk_repeats_what_was_throttled() {
    let (here, result) = suffer!(What::Throttle);
    let error = result.unwrap_err();
    assert!(error.as_service_error().unwrap().is_request_throttled());
    drop(here);
    let faults = ["sqs:*", "logs:*", "apigateway:*", "sts:*"];
    let faults = faults
        .map(|call| Fault::at(call, 1, What::Throttle))
        .to_vec();
    let here = Fixture::faulty(faults).await;
    here.aws.sqs().list_queues().send().await.unwrap();
    here.aws.logs().describe_log_groups().send().await.unwrap();
    here.aws.apigateway().get_apis().send().await.unwrap();
    here.aws.sts().get_caller_identity().send().await.unwrap();
    let calls = here.cloud.calls();
    let statuses: Vec<u16> = calls.iter().filter_map(|call| call.status).collect();
    assert_eq!(statuses, [403, 200, 400, 200, 429, 200, 400, 200]);
}

#[tokio::test]
async fn every_call_takes_the_latency() {
    let here = Fixture::with(|options| options.latency = Duration::from_millis(20)).await;
    here.aws.sqs().list_queues().send().await.unwrap();
    let call = here.cloud.calls().remove(0);
    assert_eq!(call.operation, "sqs:ListQueues");
    assert!(call.ended - call.started >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_service_that_does_not_exist_says_so() {
    use aws_sdk_sqs::config::{BehaviorVersion, Builder, Credentials, Region};
    let here = Fixture::new().await;
    let config = Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-west-2"))
        .http_client(here.cloud.http_client())
        .allow_no_auth()
        .credentials_provider(Credentials::for_tests())
        .build();
    // Signed as it should be, and found.
    let client = aws_sdk_sqs::Client::from_conf(config);
    client.list_queues().send().await.unwrap();
    let unknown = client
        .start_message_move_task()
        .source_arn("arn:aws:sqs:us-west-2:000000000000:q");
    let error = unknown.send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnknownOperationException"));
    assert!(
        error
            .message()
            .unwrap()
            .contains("sqs:StartMessageMoveTask")
    );
}

#[tokio::test]
async fn clouds_on_one_folder_share_everything() {
    let here = Fixture::new().await;
    let other = Cloud::open(Options {
        dir: here.dir.path().to_owned(),
        ..Options::default()
    })
    .unwrap();
    here.aws
        .sqs()
        .create_queue()
        .queue_name("q")
        .send()
        .await
        .unwrap();
    assert_eq!(other.resources().unwrap(), here.cloud.resources().unwrap());
    assert_eq!(other.resources().unwrap()[0].kind, "queue");
}

#[test]
fn options_are_read_from_strings() {
    let dir = std::path::PathBuf::from("d");
    let faults = r#"[{"call": "*", "what": "reset"}]"#;
    let options = Options::from_strings(dir.clone(), Some(faults), Some("60"), Some("5")).unwrap();
    assert_eq!((options.faults.len(), options.latency.as_millis()), (1, 5));
    for (speed, latency) in [("fast", "5"), ("0", "5"), ("NaN", "5"), ("1", "-1")] {
        assert!(Options::from_strings(dir.clone(), None, Some(speed), Some(latency)).is_err());
    }
}

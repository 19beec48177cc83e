//! What SQS refuses of messages.

use super::Here;
use crate::local_cloud::testing::assert_refused;
use aws_sdk_sqs::types::MessageSystemAttributeName;

#[tokio::test]
async fn parameters_fit_the_kind_of_queue() {
    let here = Here::new().await;
    let fifo = here.queue("q.fifo", &[("FifoQueue", "true")]).await;
    let send = || {
        let call = here.aws.sqs_once().send_message().queue_url(&fifo);
        call.message_body("x")
    };
    assert_refused!(send(), "MissingParameter", "MessageGroupId");
    assert_refused!(
        send().message_group_id("a"),
        "InvalidParameterValue",
        "ContentBasedDeduplication"
    );
    let whole = || send().message_group_id("a").message_deduplication_id("b");
    assert_refused!(
        whole().delay_seconds(1),
        "InvalidParameterValue",
        "DelaySeconds"
    );
    for id in ["", "a b", "é", &"x".repeat(129)] {
        assert_refused!(whole().message_group_id(id), "InvalidParameterValue");
        assert_refused!(
            whole().message_deduplication_id(id),
            "InvalidParameterValue"
        );
    }
    whole().send().await.unwrap();

    let url = here.queue("q", &[]).await;
    let send = || {
        let call = here.aws.sqs_once().send_message().queue_url(&url);
        call.message_body("x")
    };
    assert_refused!(
        send().message_deduplication_id("a"),
        "InvalidParameterValue",
        "MessageDeduplicationId"
    );
    assert_refused!(send().delay_seconds(901), "InvalidParameterValue", "900");
    // Groups make a standard queue fair.
    send().message_group_id("a").send().await.unwrap();
    let message = here.receive(&url, 1).await.remove(0);
    assert_eq!(super::attribute(&message, "MessageGroupId"), Some("a"));
}

#[tokio::test]
async fn what_is_asked_for_has_its_limits() {
    let here = Here::new().await;
    let url = here.queue("q", &[]).await;
    let receive = || here.aws.sqs_once().receive_message().queue_url(&url);
    for most in [0, 11] {
        assert_refused!(
            receive().max_number_of_messages(most),
            "InvalidParameterValue",
            "Must be between 1 and 10"
        );
    }
    assert_refused!(receive().wait_time_seconds(21), "InvalidParameterValue");
    assert_refused!(receive().visibility_timeout(-1), "InvalidParameterValue");
    assert_refused!(
        receive().message_system_attribute_names(MessageSystemAttributeName::from("Nothing")),
        "InvalidAttributeName"
    );
    assert_refused!(
        receive().receive_request_attempt_id("x"),
        "InvalidParameterValue"
    );
}

#[tokio::test]
async fn handles_are_those_of_the_queue() {
    let here = Here::new().await;
    let (url, other) = (here.queue("q", &[]).await, here.queue("r", &[]).await);
    here.send(&other, "x").await;
    let message = here.receive(&other, 1).await.remove(0);
    let delete = || here.aws.sqs_once().delete_message().queue_url(&url);
    let handle = message.receipt_handle().unwrap();
    for handle in ["nonsense", "cQ==", "cS9hL2IvYw==", handle] {
        assert_refused!(delete().receipt_handle(handle), "ReceiptHandleIsInvalid");
    }
    assert_refused!(delete().receipt_handle(""), "MissingParameter");
}

#[tokio::test]
async fn a_queue_that_does_not_exist_holds_nothing() {
    let here = Here::new().await;
    let url = here.queue("q", &[]).await.replace("/q", "/other");
    const MISSING: &str = "AWS.SimpleQueueService.NonExistentQueue";
    let sqs = here.aws.sqs_once();
    assert_refused!(sqs.receive_message().queue_url(&url), MISSING);
    let send = sqs.send_message().queue_url(&url).message_body("x");
    assert_refused!(send, MISSING);
    assert_refused!(sqs.purge_queue().queue_url(&url), MISSING);
}

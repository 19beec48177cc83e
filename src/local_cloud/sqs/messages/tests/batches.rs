//! Batches: each entry succeeds or fails by itself.

use super::Here;
use crate::local_cloud::testing::assert_refused;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry as Change, DeleteMessageBatchRequestEntry as Delete,
    SendMessageBatchRequestEntry as Entry,
};

fn entry(id: &str, body: &str) -> Entry {
    let entry = Entry::builder().id(id).message_body(body);
    entry.message_group_id("g").build().unwrap()
}

#[tokio::test]
async fn entries_succeed_and_fail_by_themselves() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    let call = here.aws.sqs_once().send_message_batch().queue_url(&url);
    let sent = call
        .entries(entry("a", "one"))
        .entries(entry("b", "\u{1}"))
        .entries(Entry::builder().id("c").message_body("x").build().unwrap())
        .entries(entry("d", "two"))
        .send()
        .await
        .unwrap();
    let done: Vec<&str> = sent.successful().iter().map(|it| it.id()).collect();
    assert_eq!(done, ["a", "d"]);
    let failed = |it: &aws_sdk_sqs::types::BatchResultErrorEntry| {
        assert!(it.sender_fault());
        format!("{} {}", it.id(), it.code())
    };
    let failed: Vec<String> = sent.failed().iter().map(failed).collect();
    assert_eq!(failed, ["b InvalidMessageContents", "c MissingParameter"]);
    let received = here.receive(&url, 10).await;
    assert_eq!(
        [received[0].body(), received[1].body()],
        [Some("one"), Some("two")]
    );

    let handle = |at: usize| received[at].receipt_handle().unwrap();
    let change = |id: &str, handle: &str| {
        let change = Change::builder().id(id).receipt_handle(handle);
        change.visibility_timeout(0).build().unwrap()
    };
    let call = here.aws.sqs_once().change_message_visibility_batch();
    let changed = call
        .queue_url(&url)
        .entries(change("a", handle(1)))
        .entries(change("b", "nonsense"))
        .send()
        .await
        .unwrap();
    assert_eq!(changed.successful()[0].id(), "a");
    assert_eq!(changed.failed()[0].code(), "ReceiptHandleIsInvalid");

    let delete = |id: &str, handle: &str| {
        let delete = Delete::builder().id(id).receipt_handle(handle);
        delete.build().unwrap()
    };
    let call = here.aws.sqs_once().delete_message_batch().queue_url(&url);
    let deleted = call
        .entries(delete("a", handle(0)))
        .entries(delete("b", handle(1)))
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.successful()[0].id(), "a");
    assert_eq!(deleted.failed()[0].code(), "InvalidParameterValue");
    assert_eq!(here.bodies(&url, 10).await, ["two"]);
}

#[tokio::test]
async fn what_is_no_batch_is_refused() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    let batch = |entries: Vec<Entry>| {
        let call = here.aws.sqs_once().send_message_batch().queue_url(&url);
        call.set_entries(Some(entries))
    };
    for (code, entries) in [
        ("EmptyBatchRequest", vec![]),
        (
            "TooManyEntriesInBatchRequest",
            (0..11).map(|n| entry(&n.to_string(), "x")).collect(),
        ),
        (
            "BatchEntryIdsNotDistinct",
            vec![entry("a", "x"), entry("a", "y")],
        ),
        ("InvalidBatchEntryId", vec![entry("a b", "x")]),
        (
            "BatchRequestTooLong",
            vec![
                entry("a", &"x".repeat(600_000)),
                entry("b", &"y".repeat(600_000)),
            ],
        ),
    ] {
        let code = format!("AWS.SimpleQueueService.{code}");
        assert_refused!(batch(entries), code);
    }
    assert!(here.receive(&url, 10).await.is_empty());
}

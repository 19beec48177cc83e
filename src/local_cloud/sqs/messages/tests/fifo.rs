//! The order of a FIFO queue, and what is sent once.

use super::{Here, attribute};
use crate::local_cloud::service::Store;
use crate::local_cloud::testing::assert_refused;

#[tokio::test]
async fn a_group_with_a_message_in_flight_is_closed() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2")] {
        here.send_to(&url, group, body).await;
    }
    let a1 = here.receive(&url, 1).await.remove(0);
    assert_eq!(a1.body(), Some("a1"));
    assert_eq!(attribute(&a1, "MessageGroupId"), Some("a"));
    let b = here.receive(&url, 10).await;
    assert_eq!([b[0].body(), b[1].body()], [Some("b1"), Some("b2")]);
    assert!(here.receive(&url, 10).await.is_empty());
    assert_eq!(here.counts(&url).await, ["1", "3", "0"]);
    here.delete(&url, &a1).await;
    assert_eq!(here.bodies(&url, 10).await, ["a2"]);
    // One of two is not enough.
    here.delete(&url, &b[0]).await;
    here.send_to(&url, "b", "b3").await;
    assert!(here.receive(&url, 10).await.is_empty());
    here.hide(&url, &b[1], 0).await;
    assert_eq!(here.bodies(&url, 10).await, ["b2", "b3"]);
}

#[tokio::test]
async fn what_was_not_deleted_comes_again_in_its_place() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    for n in 1..=4 {
        here.send_to(&url, "a", &n.to_string()).await;
    }
    let received = here.receive(&url, 3).await;
    here.delete(&url, &received[1]).await;
    here.pass(30);
    assert_eq!(here.bodies(&url, 10).await, ["1", "3", "4"]);
}

#[tokio::test]
async fn sequence_numbers_grow() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    let mut numbers = Vec::new();
    for (group, body) in [("a", "1"), ("b", "2"), ("a", "3")] {
        let call = here.aws.sqs_once().send_message().queue_url(&url);
        let call = call.message_group_id(group).message_body(body);
        numbers.push(call.send().await.unwrap().sequence_number.unwrap());
    }
    assert!(numbers.is_sorted() && numbers.iter().all(|number| number.len() == 20));
    let received = here.receive(&url, 10).await;
    let shown = attribute(&received[0], "SequenceNumber");
    assert_eq!(shown, Some(numbers[0].as_str()));
}

#[tokio::test]
async fn the_same_message_is_sent_once_in_five_minutes() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    let send = async |body: &str, id: Option<&str>| {
        let call = here.aws.sqs_once().send_message().queue_url(&url);
        let call = call.message_group_id("a").message_body(body);
        let call = call.set_message_deduplication_id(id.map(str::to_owned));
        call.send().await.unwrap().message_id.unwrap()
    };
    let first = send("one", None).await;
    assert_eq!(send("one", None).await, first);
    let by_id = send("two", Some("id")).await;
    assert_eq!(send("three", Some("id")).await, by_id);
    let received = here.receive(&url, 10).await;
    assert_eq!(received.len(), 2);
    assert_eq!(
        attribute(&received[1], "MessageDeduplicationId"),
        Some("id")
    );
    for message in &received {
        here.delete(&url, message).await;
    }
    here.pass(299);
    assert_eq!(send("one", None).await, first);
    assert!(here.receive(&url, 10).await.is_empty());
    here.pass(1);
    assert_ne!(send("one", None).await, first);
    assert_eq!(here.bodies(&url, 10).await, ["one"]);
    // What is outdated is not kept.
    here.pass(600);
    for n in 0..10 {
        send(&n.to_string(), None).await;
    }
    let kept = here.cloud.with(|world| {
        let start = ".sqs/us-west-2/queue/q.fifo";
        let count = |kind: &str| world.store.scan(&format!("{start}/{kind}/")).len();
        (count("once"), count("forget"))
    });
    assert_eq!(kept, (10, 10));
}

#[tokio::test]
async fn groups_may_deduplicate_by_themselves() {
    for (scope, expected) in [("queue", 1), ("messageGroup", 2)] {
        let here = Here::new().await;
        let url = here.fifo(&[("DeduplicationScope", scope)]).await;
        here.send_to(&url, "a", "same").await;
        here.send_to(&url, "b", "same").await;
        assert_eq!(here.receive(&url, 10).await.len(), expected, "{scope}");
    }
}

#[tokio::test]
async fn an_attempt_can_be_repeated() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    for n in 1..=3 {
        here.send_to(&url, "a", &n.to_string()).await;
    }
    let attempt = async |id: &str| {
        let call = here.aws.sqs_once().receive_message().queue_url(&url);
        let call = call
            .max_number_of_messages(2)
            .receive_request_attempt_id(id);
        let messages = call.send().await.unwrap().messages.unwrap_or_default();
        let handle = |it: aws_sdk_sqs::types::Message| it.receipt_handle.unwrap();
        messages.into_iter().map(handle).collect::<Vec<_>>()
    };
    let first = attempt("x").await;
    assert_eq!(first.len(), 2);
    here.pass(20);
    assert_eq!(attempt("x").await, first);
    assert!(attempt("y").await.is_empty());
    // Their visibility began anew.
    here.pass(20);
    assert!(here.receive(&url, 10).await.is_empty());
    here.pass(10);
    let second = attempt("x").await;
    assert_eq!(second.len(), 2);
    assert_ne!(second, first);
}

#[tokio::test]
async fn a_handle_expires_with_the_visibility() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    here.send_to(&url, "a", "one").await;
    let message = here.receive(&url, 1).await.remove(0);
    here.pass(30);
    let call = here.aws.sqs_once().delete_message().queue_url(&url);
    let call = call.receipt_handle(message.receipt_handle().unwrap());
    assert_refused!(call, "InvalidParameterValue", "has expired");
    assert_eq!(here.bodies(&url, 1).await, ["one"]);
}

#[tokio::test]
async fn dead_letters_let_their_group_go_on() {
    let here = Here::new().await;
    let dead = here.queue("dead.fifo", &[("FifoQueue", "true")]).await;
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:000000000000:dead.fifo","maxReceiveCount":1}"#;
    let url = here.fifo(&[("RedrivePolicy", policy)]).await;
    for body in ["bad", "good"] {
        here.send_to(&url, "a", body).await;
    }
    assert_eq!(here.bodies(&url, 1).await, ["bad"]);
    here.pass(30);
    assert_eq!(here.bodies(&url, 1).await, ["good"]);
    assert_eq!(here.bodies(&dead, 10).await, ["bad"]);
}

#[tokio::test]
async fn a_delay_keeps_the_order() {
    let here = Here::new().await;
    let url = here.fifo(&[("DelaySeconds", "5")]).await;
    here.send_to(&url, "a", "one").await;
    let call = here.aws.sqs_once().set_queue_attributes().queue_url(&url);
    let call = call.attributes("DelaySeconds".into(), "0");
    call.send().await.unwrap();
    here.send_to(&url, "a", "two").await;
    assert!(here.receive(&url, 10).await.is_empty());
    here.pass(5);
    assert_eq!(here.bodies(&url, 10).await, ["one", "two"]);
}

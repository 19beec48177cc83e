//! What becomes of the messages of a standard queue.

use super::{Here, attribute};
use crate::local_cloud::service::Store;
use crate::local_cloud::testing::assert_refused;

#[tokio::test]
async fn a_message_is_invisible_until_it_is_deleted_or_its_time_is_over() {
    let here = Here::new().await;
    let url = here.queue("q", &[]).await;
    here.send(&url, "one").await;
    assert_eq!(here.counts(&url).await, ["1", "0", "0"]);
    let first = here.receive(&url, 10).await;
    assert_eq!(first[0].body(), Some("one"));
    assert_eq!(attribute(&first[0], "SenderId"), Some("000000000000"));
    assert_eq!(attribute(&first[0], "ApproximateReceiveCount"), Some("1"));
    assert_eq!(attribute(&first[0], "SequenceNumber"), None);
    assert_eq!(here.counts(&url).await, ["0", "1", "0"]);
    here.pass(29);
    assert!(here.receive(&url, 10).await.is_empty());
    here.pass(1);
    let second = here.receive(&url, 10).await;
    assert_eq!(attribute(&second[0], "ApproximateReceiveCount"), Some("2"));
    let times = |name| [&first, &second].map(|it| attribute(&it[0], name).map(str::to_owned));
    let [before, after] = times("ApproximateFirstReceiveTimestamp");
    assert_eq!(before, after);
    assert_ne!(first[0].receipt_handle(), second[0].receipt_handle());
    // The handle of the first time is not the last one.
    here.delete(&url, &first[0]).await;
    assert_eq!(here.counts(&url).await, ["0", "1", "0"]);
    here.delete(&url, &second[0]).await;
    assert_eq!(here.counts(&url).await, ["0", "0", "0"]);
    here.delete(&url, &second[0]).await;
    here.pass(60);
    assert!(here.receive(&url, 10).await.is_empty());
    let held = here
        .cloud
        .with(|world| world.store.next_key(".sqs/us-west-2/queue/q/", ""));
    assert_eq!(held.as_deref(), Some(".sqs/us-west-2/queue/q/next"));
}

#[tokio::test]
async fn messages_come_in_the_order_in_which_they_were_sent() {
    let here = Here::new().await;
    let url = here.queue("q", &[]).await;
    for n in 0..15 {
        here.send(&url, &n.to_string()).await;
        here.cloud.pass(1);
    }
    let expected: Vec<String> = (0..15).map(|n| n.to_string()).collect();
    assert_eq!(here.bodies(&url, 10).await, expected[..10]);
    assert_eq!(here.bodies(&url, 10).await, expected[10..]);
}

#[tokio::test]
async fn visibility_can_be_longer_shorter_and_over() {
    let here = Here::new().await;
    let url = here.queue("q", &[("VisibilityTimeout", "10")]).await;
    here.send(&url, "one").await;
    let message = here.receive(&url, 1).await.remove(0);
    here.hide(&url, &message, 100).await;
    here.pass(99);
    assert!(here.receive(&url, 1).await.is_empty());
    here.hide(&url, &message, 0).await;
    let message = here.receive(&url, 1).await.remove(0);
    here.pass(10);
    let call = || {
        let call = here.aws.sqs_once().change_message_visibility();
        call.queue_url(&url)
            .receipt_handle(message.receipt_handle().unwrap())
    };
    assert_refused!(
        call().visibility_timeout(1),
        "AWS.SimpleQueueService.MessageNotInflight"
    );
    assert_refused!(call().visibility_timeout(43_201), "InvalidParameterValue");
    here.delete(&url, &message).await;
    assert_refused!(
        call().visibility_timeout(1),
        "InvalidParameterValue",
        "Message does not exist"
    );
}

#[tokio::test]
async fn a_message_is_invisible_for_twelve_hours_at_most() {
    let here = Here::new().await;
    let url = here.queue("q", &[("VisibilityTimeout", "43200")]).await;
    here.send(&url, "one").await;
    let message = here.receive(&url, 1).await.remove(0);
    here.pass(60);
    let call = here.aws.sqs_once().change_message_visibility();
    let call = call
        .queue_url(&url)
        .receipt_handle(message.receipt_handle().unwrap());
    assert_refused!(
        call.visibility_timeout(43_200),
        "InvalidParameterValue",
        "Total VisibilityTimeout"
    );
    here.hide(&url, &message, 43_140).await;
}

#[tokio::test]
async fn a_delayed_message_waits() {
    let here = Here::new().await;
    let url = here.queue("q", &[("DelaySeconds", "5")]).await;
    here.send(&url, "by queue").await;
    let call = here.aws.sqs_once().send_message().queue_url(&url);
    let call = call.message_body("by itself").delay_seconds(2);
    call.send().await.unwrap();
    assert_eq!(here.counts(&url).await, ["0", "0", "2"]);
    here.pass(2);
    assert_eq!(here.bodies(&url, 10).await, ["by itself"]);
    assert_eq!(here.counts(&url).await, ["0", "1", "1"]);
    here.pass(3);
    assert_eq!(here.bodies(&url, 10).await, ["by queue"]);
}

#[tokio::test]
async fn a_message_is_kept_as_long_as_its_queue_keeps_any() {
    let here = Here::new().await;
    let url = here.queue("q", &[("MessageRetentionPeriod", "60")]).await;
    here.send(&url, "old").await;
    here.pass(59);
    here.send(&url, "new").await;
    assert_eq!(here.counts(&url).await, ["2", "0", "0"]);
    here.pass(1);
    assert_eq!(here.counts(&url).await, ["1", "0", "0"]);
    assert_eq!(here.bodies(&url, 10).await, ["new"]);
}

#[tokio::test]
async fn what_is_received_too_often_goes_to_the_dead_letter_queue() {
    let here = Here::new().await;
    let dead = here.queue("dead", &[]).await;
    let source = "arn:aws:sqs:us-west-2:000000000000:q";
    let policy =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:000000000000:dead","maxReceiveCount":2}"#;
    let url = here
        .queue(
            "q",
            &[("RedrivePolicy", policy), ("VisibilityTimeout", "1")],
        )
        .await;
    here.send(&url, "one").await;
    let first = here.receive(&url, 1).await.remove(0);
    here.pass(1);
    assert_eq!(here.bodies(&url, 1).await, ["one"]);
    here.pass(1);
    assert!(here.receive(&url, 1).await.is_empty());
    assert_eq!(here.counts(&url).await, ["0", "0", "0"]);
    let moved = here.receive(&dead, 1).await.remove(0);
    assert_eq!(moved.message_id(), first.message_id());
    assert_eq!(attribute(&moved, "DeadLetterQueueSourceArn"), Some(source));
    assert_eq!(attribute(&moved, "ApproximateReceiveCount"), Some("3"));
    assert_eq!(
        attribute(&moved, "SentTimestamp"),
        attribute(&first, "SentTimestamp")
    );
}

#[tokio::test]
async fn without_a_dead_letter_queue_that_takes_them_messages_stay() {
    let here = Here::new().await;
    let dead = here.queue("dead", &[]).await;
    let policy =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:000000000000:dead","maxReceiveCount":1}"#;
    let url = here
        .queue(
            "q",
            &[("RedrivePolicy", policy), ("VisibilityTimeout", "0")],
        )
        .await;
    here.send(&url, "one").await;
    assert_eq!(here.bodies(&url, 1).await, ["one"]);
    let call = here.aws.sqs_once().set_queue_attributes().queue_url(&dead);
    let call = call.attributes(
        "RedriveAllowPolicy".into(),
        r#"{"redrivePermission":"denyAll"}"#,
    );
    call.send().await.unwrap();
    assert_eq!(here.bodies(&url, 1).await, ["one"]);
    let call = here.aws.sqs_once().delete_queue().queue_url(&dead);
    call.send().await.unwrap();
    assert_eq!(here.bodies(&url, 1).await, ["one"]);
}

#[tokio::test]
async fn a_purge_deletes_all_messages_once_a_minute() {
    let here = Here::new().await;
    let url = here.queue("q", &[]).await;
    for body in ["one", "two"] {
        here.send(&url, body).await;
    }
    here.receive(&url, 1).await;
    let purge = || here.aws.sqs_once().purge_queue().queue_url(&url);
    purge().send().await.unwrap();
    assert_eq!(here.counts(&url).await, ["0", "0", "0"]);
    assert_refused!(purge(), "AWS.SimpleQueueService.PurgeQueueInProgress");
    here.pass(60);
    assert!(here.receive(&url, 1).await.is_empty());
    purge().send().await.unwrap();
}

#[tokio::test]
async fn a_queue_takes_its_messages_with_it() {
    let here = Here::new().await;
    let url = here.fifo(&[]).await;
    here.send_to(&url, "a", "one").await;
    here.receive(&url, 1).await;
    let call = here.aws.sqs_once().delete_queue().queue_url(&url);
    call.send().await.unwrap();
    let left = here
        .cloud
        .with(|world| world.store.next_key(".sqs/us-west-2/queue/", ""));
    assert_eq!(left, None);
    here.pass(60);
    let again = here.fifo(&[]).await;
    here.send_to(&again, "a", "one").await;
    assert_eq!(here.bodies(&again, 1).await, ["one"]);
}

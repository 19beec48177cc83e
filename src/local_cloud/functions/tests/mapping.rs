//! Event source mappings.

use super::*;
use aws_sdk_lambda::operation::create_event_source_mapping::builders::CreateEventSourceMappingFluentBuilder;
use aws_sdk_lambda::types::{Filter, FilterCriteria, FunctionResponseType};
use aws_sdk_sqs::types::QueueAttributeName;

const PRINTS: &str = r#"
import json
def handler(event, context):
    print("batch", json.dumps([record["body"] for record in event["Records"]]))
"#;

impl Served {
    async fn queue(&self, name: &str, visibility: &str) -> String {
        let create = self.here.aws.sqs().create_queue().queue_name(name);
        let create = create.attributes(QueueAttributeName::VisibilityTimeout, visibility);
        let create = match name.ends_with(".fifo") {
            true => create.attributes(QueueAttributeName::FifoQueue, "true"),
            false => create,
        };
        create.send().await.unwrap().queue_url.unwrap()
    }

    fn mapping(&self, queue: &str, function: &str) -> CreateEventSourceMappingFluentBuilder {
        let create = self.here.aws.lambda().create_event_source_mapping();
        let arn = format!("arn:aws:sqs:us-west-2:000000000000:{queue}");
        create.event_source_arn(arn).function_name(function)
    }

    async fn send(&self, url: &str, body: &str) {
        let send = self
            .here
            .aws
            .sqs()
            .send_message()
            .queue_url(url)
            .message_body(body);
        send.send().await.unwrap();
    }

    async fn send_in_order(&self, url: &str, group: &str, body: &str) {
        let send = self
            .here
            .aws
            .sqs()
            .send_message()
            .queue_url(url)
            .message_body(body);
        let send = send
            .message_group_id(group)
            .message_deduplication_id(format!("{group}{body}"));
        send.send().await.unwrap();
    }

    /// How many messages a queue has, visible and not.
    async fn left(&self, url: &str) -> u64 {
        let get = self.here.aws.sqs().get_queue_attributes().queue_url(url);
        let get = get
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .unwrap();
        let all = get.attributes.unwrap();
        let number = |name| all[&name].parse::<u64>().unwrap();
        number(QueueAttributeName::ApproximateNumberOfMessages)
            + number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
    }

    async fn emptied(&self, url: &str) {
        until("the queue is empty", || async { self.left(url).await == 0 }).await;
    }

    /// The lines of a function's log that begin so, without it.
    async fn lines(&self, name: &str, start: &str) -> Vec<String> {
        let log = self.log(name).await;
        let lines = log.iter().filter_map(|line| line.strip_prefix(start));
        lines.map(|line| line.trim().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_message_reaches_the_function_and_is_deleted() {
    let served = Served::new().await;
    let source =
        "import json\ndef handler(event, context):\n    print('event', json.dumps(event))\n";
    served.python("f", source).await;
    let url = served.queue("q", "30").await;
    served.mapping("q", "f").send().await.unwrap();
    let send = served
        .here
        .aws
        .sqs()
        .send_message()
        .queue_url(&url)
        .message_body("hello");
    let text = aws_sdk_sqs::types::MessageAttributeValue::builder();
    let text = text.data_type("String").string_value("x").build().unwrap();
    send.message_attributes("a", text).send().await.unwrap();
    served.emptied(&url).await;
    let lines = served.lines("f", "event").await;
    assert_eq!(lines.len(), 1);
    let event: Value = serde_json::from_str(&lines[0]).unwrap();
    let record = &event["Records"][0];
    assert_eq!(record["body"], "hello");
    assert_eq!(record["md5OfBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(record["messageAttributes"]["a"]["stringValue"], "x");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(
        record["eventSourceARN"],
        "arn:aws:sqs:us-west-2:000000000000:q"
    );
    assert_eq!(record["awsRegion"], REGION);
}

#[tokio::test]
async fn what_failed_comes_again_alone() {
    let served = Served::new().await;
    let source = r#"
def handler(event, context):
    failed = []
    for record in event["Records"]:
        count = record["attributes"]["ApproximateReceiveCount"]
        print("saw", record["body"], count)
        if record["body"] == "bad" and count == "1":
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"#;
    let create = served.creation("f", &[("app.py", source)]).timeout(1);
    create.send().await.unwrap();
    served.active().await;
    let url = served.queue("q", "1").await;
    for body in ["good", "bad", "fine"] {
        served.send(&url, body).await;
    }
    let mapping = served.mapping("q", "f");
    let reports = FunctionResponseType::ReportBatchItemFailures;
    mapping
        .function_response_types(reports)
        .send()
        .await
        .unwrap();
    served.emptied(&url).await;
    let mut lines = served.lines("f", "saw").await;
    lines.sort();
    assert_eq!(lines, ["bad 1", "bad 2", "fine 1", "good 1"]);
}

#[tokio::test]
async fn a_batch_that_raises_goes_to_the_dead_letter_queue() {
    let served = Served::new().await;
    let source = "def handler(event, context):\n    print('saw', event['Records'][0]['body'])\n    raise ValueError\n";
    let create = served.creation("f", &[("app.py", source)]).timeout(1);
    create.send().await.unwrap();
    served.active().await;
    let dead = served.queue("dead", "1").await;
    let url = served.queue("q", "1").await;
    let redrive = json!({
        "deadLetterTargetArn": "arn:aws:sqs:us-west-2:000000000000:dead", "maxReceiveCount": 2,
    });
    let set = served.here.aws.sqs().set_queue_attributes().queue_url(&url);
    let set = set.attributes(QueueAttributeName::RedrivePolicy, redrive.to_string());
    set.send().await.unwrap();
    served.mapping("q", "f").send().await.unwrap();
    served.send(&url, "bad").await;
    until("the message is buried", || async {
        served.left(&dead).await == 1
    })
    .await;
    assert_eq!(served.lines("f", "saw").await, ["bad", "bad"]);
}

#[tokio::test]
async fn groups_keep_their_order() {
    let served = Served::new().await;
    let source = r#"
def handler(event, context):
    for record in event["Records"]:
        print("saw", record["attributes"]["MessageGroupId"], record["body"])
"#;
    served.python("f", source).await;
    let url = served.queue("q.fifo", "30").await;
    served
        .mapping("q.fifo", "f")
        .batch_size(3)
        .send()
        .await
        .unwrap();
    for n in 0..20 {
        for group in ["a", "b"] {
            served.send_in_order(&url, group, &format!("{n:02}")).await;
        }
    }
    served.emptied(&url).await;
    let lines = served.lines("f", "saw").await;
    for group in ["a", "b"] {
        let seen: Vec<&String> = lines
            .iter()
            .filter(|line| line.starts_with(group))
            .collect();
        assert_eq!(seen.len(), 20);
        assert!(seen.is_sorted(), "{seen:?}");
    }
}

#[tokio::test]
async fn filters_windows_and_sizes_decide_what_is_sent() {
    let served = Served::new().await;
    served.python("f", PRINTS).await;
    let url = served.queue("q", "30").await;
    let filter = Filter::builder()
        .pattern(r#"{"body": {"kind": ["a"]}}"#)
        .build();
    let criteria = FilterCriteria::builder().filters(filter).build();
    let mapping = served.mapping("q", "f").filter_criteria(criteria);
    let mapping = mapping.batch_size(20).maximum_batching_window_in_seconds(1);
    mapping.send().await.unwrap();
    for n in 0..12 {
        served
            .send(&url, &json!({"kind": "a", "n": n}).to_string())
            .await;
        served
            .send(&url, &json!({"kind": "b", "n": n}).to_string())
            .await;
    }
    served.emptied(&url).await;
    let batches = served.lines("f", "batch").await;
    let sizes: Vec<usize> = batches
        .iter()
        .map(|line| serde_json::from_str::<Vec<String>>(line).unwrap().len())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 12);
    assert!(sizes.len() <= 4, "{sizes:?}");
    assert!(
        batches.iter().all(|line| !line.contains("\\\"b\\\"")),
        "{batches:?}"
    );
}

#[tokio::test]
async fn a_disabled_mapping_takes_nothing() {
    let served = Served::new().await;
    served.python("f", PRINTS).await;
    let url = served.queue("q", "30").await;
    let made = served
        .mapping("q", "f")
        .enabled(false)
        .send()
        .await
        .unwrap();
    served.send(&url, "one").await;
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(served.left(&url).await, 1);
    let update = |on: bool| {
        let update = served.here.aws.lambda().update_event_source_mapping();
        update.uuid(made.uuid().unwrap()).enabled(on).send()
    };
    update(true).await.unwrap();
    served.emptied(&url).await;
    update(false).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    served.send(&url, "two").await;
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(served.left(&url).await, 1);
    assert_eq!(served.lines("f", "batch").await, ["[\"one\"]"]);
}

#[tokio::test]
async fn a_role_without_rights_takes_nothing() {
    let served = Served::new().await;
    served.python("f", PRINTS).await;
    let url = served.queue("q", "30").await;
    served.mapping("q", "f").send().await.unwrap();
    let delete = served.here.aws.iam().delete_role_policy().role_name("R");
    delete.policy_name("p").send().await.unwrap();
    let mut notes = served.live.notes().unwrap();
    served.send(&url, "one").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(served.left(&url).await, 1);
    let note = notes.recv().await.unwrap();
    assert!(
        note.ends_with("its role may not sqs:ReceiveMessage."),
        "{note}"
    );
}

#[tokio::test]
async fn messages_in_flight_come_again_when_the_cloud_is_served_again() {
    let served = Served::new().await;
    // The first time it takes longer than what is under way may take when the cloud stops.
    let source = r#"
import time
def handler(event, context):
    record = event["Records"][0]
    print("saw", record["body"], flush=True)
    if record["attributes"]["ApproximateReceiveCount"] == "1":
        time.sleep(4)
"#;
    let create = served.creation("f", &[("app.py", source)]).timeout(5);
    create.send().await.unwrap();
    served.active().await;
    let url = served.queue("q", "5").await;
    served.mapping("q", "f").send().await.unwrap();
    served.send(&url, "one").await;
    // It is taken, and the process ends before the function returns.
    tokio::time::sleep(Duration::from_millis(700)).await;
    served.live.stop().await;
    assert_eq!(served.left(&url).await, 1);
    let live = Live::start(served.here.cloud.clone(), 0).await.unwrap();
    let again = Served {
        here: served.here,
        live,
    };
    again.emptied(&url).await;
    let seen = again.lines("f", "saw").await;
    assert!(seen.iter().all(|body| body == "one"), "{seen:?}");
    assert!(!seen.is_empty());
}

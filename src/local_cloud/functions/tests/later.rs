//! Asynchronous invocations.

use super::*;

const EVENT: [(&str, &str); 1] = [("x-amz-invocation-type", "Event")];

#[tokio::test]
async fn an_event_runs_later_and_only_once() {
    let served = Served::new().await;
    served
        .python("f", "def handler(e, c): print('got', e['n'])\n")
        .await;
    for n in 0..3 {
        let reply = served.call("f", &EVENT, &json!({"n": n}).to_string()).await;
        assert_eq!((reply.status, reply.body.len()), (202, 0));
    }
    let count = async || {
        let log = served.log("f").await;
        log.iter().filter(|line| line.starts_with("got")).count()
    };
    until("the log group exists", || async {
        let groups = served
            .here
            .aws
            .logs()
            .describe_log_groups()
            .send()
            .await
            .unwrap();
        !groups.log_groups().is_empty()
    })
    .await;
    until("three events ran", || async { count().await == 3 }).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(count().await, 3);
    let left = served
        .here
        .cloud
        .look(|_, store| store.scan(".lambda/later/").len());
    assert_eq!(left.unwrap(), 0);
}

#[tokio::test]
async fn an_event_that_fails_is_tried_three_times_and_then_buried() {
    // Three minutes pass in 1.8 seconds.
    let served = Served::with(json!("*"), 100.0).await;
    let sqs = served.here.aws.sqs();
    let queue = sqs.create_queue().queue_name("dead").send().await.unwrap();
    let url = queue.queue_url().unwrap().to_owned();
    let target = aws_sdk_lambda::types::DeadLetterConfig::builder();
    let target = target
        .target_arn("arn:aws:sqs:us-west-2:000000000000:dead")
        .build();
    let source =
        "def handler(e, c):\n    print('try', c.aws_request_id)\n    raise KeyError('no')\n";
    let create = served
        .creation("f", &[("app.py", source)])
        .dead_letter_config(target);
    create.send().await.unwrap();
    served.active().await;
    let reply = served.call("f", &EVENT, r#"{"a": 1}"#).await;
    let id = header(&reply, "x-amzn-requestid").unwrap().to_owned();
    let mut found = Vec::new();
    for _ in 0..100 {
        let receive = sqs
            .receive_message()
            .queue_url(&url)
            .message_attribute_names("All");
        found = receive.send().await.unwrap().messages.unwrap_or_default();
        if !found.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].body(), Some(r#"{"a": 1}"#));
    let attributes = found[0].message_attributes().unwrap();
    assert_eq!(attributes["RequestID"].string_value(), Some(id.as_str()));
    assert_eq!(attributes["ErrorCode"].string_value(), Some("200"));
    let message = attributes["ErrorMessage"].string_value().unwrap();
    assert!(message.contains("KeyError"), "{message}");
    let log = served.log("f").await;
    let tries = log
        .iter()
        .filter(|line| **line == format!("try {id}"))
        .count();
    assert_eq!(tries, 3);
}

#[tokio::test]
async fn an_event_of_a_killed_process_runs_in_the_next() {
    let served = Served::new().await;
    served
        .python("f", "def handler(e, c): print('got it')\n")
        .await;
    served.live.stop().await;
    let function = crate::local_cloud::functions::find(&served.live, REGION, ("f", None)).unwrap();
    let invocation = crate::local_cloud::functions::instance::Invocation {
        id: "1".to_owned(),
        payload: "{}".into(),
        arn: function.arn.clone(),
        client_context: None,
    };
    super::super::later::put(&served.live, &function, &invocation).unwrap();
    let live = Live::start(served.here.cloud.clone(), 0).await.unwrap();
    let again = Served {
        here: served.here,
        live,
    };
    until("the event runs", || async {
        let left = again
            .here
            .cloud
            .look(|_, store| store.scan(".lambda/later/").len());
        left.unwrap() == 0
    })
    .await;
    assert!(again.log("f").await.contains(&"got it".to_owned()));
}

//! How fast messages are, and how long the log becomes.

use super::{ORDERED, PLAIN, queues};
use crate::support::Project;
use crate::support::served::Served;
use serde_json::json;
use stackctl::local_cloud::{Cloud, Options};

/// The CPU time that a process took, in seconds: its own clock, whatever else the machine does.
fn cpu(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn cloud(project: &Project) -> Cloud {
    let dir = project.dir().join(".stackctl/local");
    let speed = Some(crate::support::SPEED);
    Cloud::open(Options::from_strings(dir, None, speed, None).unwrap()).unwrap()
}

/// A thousand messages in ten groups, beside twenty thousand other keys and a long queue: each
/// call takes its own time and not that of what is held.
#[tokio::test]
async fn a_call_costs_no_more_where_much_is_held() {
    let project = queues();
    let held = cloud(&project);
    for n in 0..20_000 {
        let key = format!("ssm/us-west-2/parameter/{n}");
        held.meddle(&key, Some(json!({"value": n}))).unwrap();
    }
    drop(held);
    let served = Served::start(&project);
    let aws = served.clients().await;
    for n in 0..1000 {
        let call = aws.sqs_once().send_message().queue_url(PLAIN);
        call.message_body(n.to_string()).send().await.unwrap();
    }
    let before = cpu(served.id());
    let mut calls = 0;
    for n in 0..1000 {
        let call = aws.sqs_once().send_message().queue_url(ORDERED);
        let call = call.message_group_id((n % 10).to_string());
        call.message_body(n.to_string()).send().await.unwrap();
        calls += 1;
    }
    let mut received = Vec::new();
    while received.len() < 1000 {
        let call = aws.sqs_once().receive_message().queue_url(ORDERED);
        let reply = call.max_number_of_messages(10).send().await.unwrap();
        calls += 1;
        for message in reply.messages() {
            received.push(message.body().unwrap().parse::<usize>().unwrap());
            let call = aws.sqs_once().delete_message().queue_url(ORDERED);
            let call = call.receipt_handle(message.receipt_handle().unwrap());
            call.send().await.unwrap();
            calls += 1;
        }
    }
    let each = (cpu(served.id()) - before) / f64::from(calls);
    println!("a call on messages: {:.2} ms of CPU", each * 1000.0);
    assert!(each < 1.0 / 300.0, "{:.2} ms a call", each * 1000.0);
    for group in 0..10 {
        let of_group = received.iter().filter(|n| *n % 10 == group);
        assert!(of_group.is_sorted(), "{received:?}");
    }
}

/// Messages that come and go leave nothing behind for good.
#[tokio::test]
async fn the_log_stays_short() {
    let project = queues();
    let served = Served::start(&project);
    let aws = served.clients().await;
    let body = "x".repeat(1 << 20);
    for _ in 0..60 {
        let call = aws.sqs_once().send_message().queue_url(PLAIN);
        call.message_body(&body).send().await.unwrap();
        let call = aws.sqs_once().receive_message().queue_url(PLAIN);
        let message = call.send().await.unwrap().messages.unwrap().remove(0);
        let call = aws.sqs_once().delete_message().queue_url(PLAIN);
        let call = call.receipt_handle(message.receipt_handle().unwrap());
        call.send().await.unwrap();
    }
    let log = project.dir().join(".stackctl/local/log");
    let length = std::fs::metadata(log).unwrap().len();
    assert!(length < 24 << 20, "{length} bytes");
    // Another process reads on, past the log that was written again.
    project.expect_no_changes();
}

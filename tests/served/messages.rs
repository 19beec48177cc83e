//! Messages: waited for, and kept when the process that serves them is killed.

use super::{ORDERED, PLAIN, queues};
use crate::support::all;
use crate::support::served::Served;
use aws_sdk_sqs::types::Message;
use futures_util::future::join_all;
use stackctl::resource::aws::Aws;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

async fn receive(aws: &Aws, url: &str, wait: i32) -> Vec<Message> {
    let call = aws.sqs_once().receive_message().queue_url(url);
    let call = call.max_number_of_messages(10).wait_time_seconds(wait);
    let reply = call.send().await.unwrap();
    reply.messages.unwrap_or_default()
}

async fn delete(aws: &Aws, url: &str, message: &Message) -> bool {
    let call = aws.sqs_once().delete_message().queue_url(url);
    let call = call.receipt_handle(message.receipt_handle().unwrap());
    call.send().await.is_ok()
}

/// Time runs a hundred times faster here.
#[tokio::test]
async fn a_call_waits_for_messages() {
    let project = queues();
    let served = Served::start(&project);
    let aws = served.clients().await;
    let started = Instant::now();
    assert!(receive(&aws, PLAIN, 20).await.is_empty());
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(200), "{waited:?}");

    // What other clients send, and other processes.
    let outside = project.outside().await;
    for sender in [&aws, &outside] {
        let send = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            let call = sender.sqs_once().send_message().queue_url(PLAIN);
            call.message_body("x").send().await.unwrap();
        };
        let (received, ()) = tokio::join!(receive(&aws, PLAIN, 20), send);
        assert_eq!(received.len(), 1);
        assert!(delete(&aws, PLAIN, &received[0]).await);
    }

    // What was delayed comes when its time has come.
    let call = aws.sqs_once().send_message().queue_url(PLAIN);
    call.message_body("late")
        .delay_seconds(5)
        .send()
        .await
        .unwrap();
    assert_eq!(receive(&aws, PLAIN, 20).await.len(), 1);
}

#[tokio::test]
async fn a_call_that_waits_ends_with_the_server() {
    let project = queues();
    let served = Served::start(&project);
    let aws = served.clients().await;
    let id = served.id().to_string();
    let end = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        std::process::Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
    };
    let started = Instant::now();
    let (_, ended) = tokio::join!(receive(&aws, PLAIN, 20), end);
    assert!(ended.success());
    assert!(started.elapsed() < Duration::from_secs(2));
}

/// Nobody would delete what it receives.
#[tokio::test]
async fn a_client_that_hung_up_receives_nothing() {
    let project = queues();
    let served = Served::start(&project);
    let aws = served.clients().await;
    let waiting = receive(&aws, PLAIN, 20);
    tokio::time::timeout(Duration::from_millis(50), waiting)
        .await
        .unwrap_err();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let call = aws.sqs_once().send_message().queue_url(PLAIN);
    call.message_body("x").send().await.unwrap();
    assert_eq!(receive(&aws, PLAIN, 0).await.len(), 1);
}

#[tokio::test]
async fn messages_are_no_drift() {
    let project = queues();
    let served = Served::start(&project);
    let aws = served.clients().await;
    for n in 0..3 {
        let call = aws.sqs_once().send_message().queue_url(PLAIN);
        call.message_body(n.to_string())
            .delay_seconds(n)
            .send()
            .await
            .unwrap();
    }
    let call = aws.sqs_once().receive_message().queue_url(PLAIN);
    call.visibility_timeout(40_000).send().await.unwrap();
    project.expect_no_changes();
    project.run(&["drift"]).expect(0);
    project.run(&["destroy", "--yes"]).expect(0);
    assert!(project.cloud().is_empty());
}

/// Numbers in groups are sent and worked off, until the process is killed in the middle; it starts
/// again with all that was acknowledged, in order.
#[tokio::test]
async fn no_message_is_lost_when_the_process_is_killed() {
    let rounds = if all() { 12 } else { 3 };
    let mut sent = 0;
    for round in 0..rounds {
        sent += killed(Duration::from_millis(80 + 70 * round)).await;
    }
    assert!(sent > 0);
    println!("reliability: kills of the served local cloud {rounds} tried {rounds} converged");
}

/// Kills it so long after the first message; how many messages were acknowledged.
async fn killed(after: Duration) -> usize {
    const GROUPS: usize = 4;
    let project = queues();
    let served = Served::start(&project);
    let aws = served.clients().await;
    let sent: Mutex<BTreeMap<usize, usize>> = Mutex::default();
    let done: Mutex<BTreeSet<String>> = Mutex::default();
    // Its deletion was cut off, and may have taken effect.
    let unknown: Mutex<BTreeSet<String>> = Mutex::default();
    let send = join_all((0..GROUPS).map(|group| {
        let (aws, sent) = (&aws, &sent);
        async move {
            for n in 0.. {
                let call = aws.sqs_once().send_message().queue_url(ORDERED);
                let call = call.message_group_id(group.to_string());
                let call = call.message_body(format!("{group} {n}"));
                if call.send().await.is_err() {
                    return;
                }
                sent.lock().unwrap().insert(group, n);
            }
        }
    }));
    let work = async {
        loop {
            let call = aws.sqs_once().receive_message().queue_url(ORDERED);
            let Ok(reply) = call.send().await else { return };
            for message in reply.messages() {
                let body = message.body().unwrap().to_owned();
                let outcome = match delete(&aws, ORDERED, message).await {
                    true => &done,
                    false => &unknown,
                };
                outcome.lock().unwrap().insert(body);
            }
        }
    };
    let kill = async {
        tokio::time::sleep(after).await;
        served.end("KILL")
    };
    let (_, (), code) = tokio::join!(send, work, kill);
    assert_eq!(code, None);

    let served = Served::start(&project);
    let aws = served.clients().await;
    let mut left: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut done = done.into_inner().unwrap();
    let unknown = unknown.into_inner().unwrap();
    assert!(unknown.len() <= 1);
    let started = Instant::now();
    // What was in flight is invisible for three seconds.
    while started.elapsed() < Duration::from_secs(4) {
        for message in receive(&aws, ORDERED, 20).await {
            let body = message.body().unwrap();
            assert!(done.insert(body.to_owned()), "{body} came again");
            let (group, n) = body.split_once(' ').unwrap();
            let group = left.entry(group.parse().unwrap()).or_default();
            group.push(n.parse().unwrap());
            assert!(delete(&aws, ORDERED, &message).await);
        }
    }
    let sent = sent.into_inner().unwrap();
    for (group, last) in &sent {
        for n in 0..=*last {
            let body = format!("{group} {n}");
            assert!(
                done.contains(&body) || unknown.contains(&body),
                "{group} {n} is lost"
            );
        }
        assert!(
            left.get(group).is_none_or(|left| left.is_sorted()),
            "{left:?}"
        );
    }
    sent.values().map(|last| last + 1).sum()
}

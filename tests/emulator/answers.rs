//! The repository's stack on the local cloud: a message in, the reply out. Its function is Python, and
//! uses boto3.

use crate::support::Project;
use crate::support::moto::python;
use crate::support::served::Served;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

/// How many messages, and in how many groups.
const MESSAGES: usize = 1000;
const GROUPS: usize = 10;
/// How long a reply is waited for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn applied() -> Project {
    let mut project = Project::websocket();
    project.env("STACKCTL_PYTHON", &python());
    // Python takes real time, and a visibility timeout is the local clock's.
    project.env("STACKCTL_LOCAL_SPEED", "1");
    project.apply();
    project
}

#[test]
#[ignore = "needs boto3; see CONTRIBUTING.md"]
fn a_message_comes_back_with_its_connection_and_request() {
    let project = applied();
    let sent = r#"{"MessageGroupId":"test","data":"hello world"}"#;
    let ended = project.run(&["connect", "--send", sent]).expect(0);
    let reply: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(reply["message"], sent);
    for name in ["connectionId", "requestId"] {
        assert!(
            reply[name].as_str().is_some_and(|id| id.len() > 8),
            "{reply}"
        );
    }
    assert_eq!(reply.as_object().unwrap().len(), 3, "{reply}");
    let log = project.run(&["logs", "--filter", "REPORT"]).expect(0);
    assert_eq!(log.stdout.lines().count(), 1, "{}", log.stdout);
}

#[tokio::test]
#[ignore = "needs boto3; see CONTRIBUTING.md"]
async fn a_thousand_messages_come_back_once_and_in_the_order_of_their_groups() {
    let project = applied();
    let served = Served::start(&project);
    let state = project.state();
    let api = state["resources"]["api"]["id"].as_str().unwrap();
    let url = format!("ws://{}/_api/{api}/production", served.address());
    let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let (mut out, mut replies) = socket.split();
    let started = Instant::now();
    let sending = tokio::spawn(async move {
        for number in 0..MESSAGES {
            let group = format!("g{}", number % GROUPS);
            let message = json!({"MessageGroupId": group, "data": number}).to_string();
            out.send(Message::text(message)).await.unwrap();
        }
        out
    });
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for _ in 0..MESSAGES {
        let reply = tokio::time::timeout(PATIENCE, replies.next()).await;
        let reply = reply
            .expect("a reply")
            .unwrap()
            .unwrap()
            .into_text()
            .unwrap();
        let reply: Value = serde_json::from_str(&reply).unwrap();
        let message: Value = serde_json::from_str(reply["message"].as_str().unwrap()).unwrap();
        let group = message["MessageGroupId"].as_str().unwrap().to_owned();
        seen.entry(group)
            .or_default()
            .push(message["data"].as_u64().unwrap());
    }
    println!(
        "{MESSAGES} messages in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    let of_group = |group: usize| {
        (0..MESSAGES)
            .skip(group)
            .step_by(GROUPS)
            .map(|it| it as u64)
    };
    for group in 0..GROUPS {
        let expected: Vec<u64> = of_group(group).collect();
        assert_eq!(seen[&format!("g{group}")], expected);
    }
    let more = tokio::time::timeout(Duration::from_secs(1), replies.next()).await;
    assert!(more.is_err(), "{more:?}");
    drop(sending.await.unwrap());
}

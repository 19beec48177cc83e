//! A message over the stack's WebSocket, and its reply.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// A new API's host name takes a while until it can be found and answers.
const CONNECTS: Duration = Duration::from_secs(120);
/// The function is cold, and the mapping polls.
const ANSWERS: Duration = Duration::from_secs(60);

/// Fails the test unless the messages come back: byte for byte, each to its own connection.
pub(super) async fn replies(uri: &str) {
    let started = std::time::Instant::now();
    let mut socket = loop {
        match connect_async(uri).await {
            Ok((socket, _)) => break socket,
            Err(error) => assert!(started.elapsed() < CONNECTS, "{uri}: {error}"),
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    for text in [
        r#"{"MessageGroupId":"test","data":"hello world"}"#,
        r#"{"data": "a&b+c%d=e", "more": "ü"}"#,
    ] {
        socket.send(Message::text(text)).await.unwrap();
        let reply = tokio::time::timeout(ANSWERS, socket.next()).await;
        let reply = reply.expect("a reply in time").unwrap().unwrap();
        let reply: Value = serde_json::from_str(reply.to_text().unwrap()).unwrap();
        assert_eq!(reply["message"], text, "{reply}");
        assert!(reply["connectionId"].is_string(), "{reply}");
    }
    socket.close(None).await.unwrap();
}

//! What a connection bears: sizes, kinds, time, and clients that break off.

use super::{INBOX, chat, closed, connect, send};
use crate::support::served::Served;
use futures_util::SinkExt;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

#[tokio::test]
async fn a_message_that_is_too_large_closes_the_connection() {
    let (project, api) = chat();
    let served = Served::start(&project);
    for size in [33 * 1024, 200 * 1024] {
        let mut socket = connect(&served, &api).await;
        // It may be closed before all is sent.
        let _ = socket.send(Message::text("x".repeat(size))).await;
        assert_eq!(closed(&mut socket).await, 1009, "{size}");
    }
}

/// Sends a message in frames of 32 KB.
async fn in_frames(socket: &mut super::Socket, text: &str) {
    let parts: Vec<&[u8]> = text.as_bytes().chunks(32 * 1024).collect();
    for (place, part) in parts.iter().enumerate() {
        let kind = if place == 0 {
            Data::Text
        } else {
            Data::Continue
        };
        let last = place + 1 == parts.len();
        let frame = Frame::message(part.to_vec(), OpCode::Data(kind), last);
        let _ = socket.send(Message::Frame(frame)).await;
    }
}

#[tokio::test]
async fn a_message_of_128_kb_comes_in_frames() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    let most = "y".repeat(128 * 1024);
    in_frames(&mut socket, &most).await;
    let aws = served.clients().await;
    let call = aws
        .sqs_once()
        .receive_message()
        .queue_url(INBOX)
        .wait_time_seconds(20);
    let messages = call.send().await.unwrap().messages.unwrap_or_default();
    assert_eq!(messages[0].body(), Some(most.as_str()));
    in_frames(&mut socket, &format!("{most}y")).await;
    assert_eq!(closed(&mut socket).await, 1009);
}

#[tokio::test]
async fn binary_is_not_taken() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(closed(&mut socket).await, 1003);
}

/// Time runs a hundred times faster here: ten minutes are six seconds.
#[tokio::test]
async fn an_idle_connection_is_closed() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    send(&mut socket, "not idle").await;
    let started = Instant::now();
    assert_eq!(closed(&mut socket).await, 1001);
    let idle = started.elapsed();
    assert!(idle >= Duration::from_millis(5_900), "{idle:?}");
}

#[tokio::test]
async fn what_was_sent_before_a_client_broke_off_is_not_lost() {
    let (project, api) = chat();
    let served = Served::start(&project);
    for _ in 0..5 {
        let mut socket = connect(&served, &api).await;
        send(&mut socket, "last words").await;
        // Without a close.
        drop(socket);
    }
    let aws = served.clients().await;
    let mut count = 0;
    while count < 5 {
        let call = aws.sqs_once().receive_message().queue_url(INBOX);
        let call = call.wait_time_seconds(20).max_number_of_messages(10);
        let messages = call.send().await.unwrap().messages.unwrap_or_default();
        assert!(!messages.is_empty(), "{count}");
        count += messages.len();
    }
    assert_eq!(count, 5);
}

#[tokio::test]
async fn the_server_says_goodbye() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    let end = tokio::task::spawn_blocking(|| served.end("INT"));
    assert_eq!(closed(&mut socket).await, 1001);
    drop(socket);
    assert_eq!(end.await.unwrap(), Some(0));
}

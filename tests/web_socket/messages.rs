//! What becomes of messages: by their route, what it calls, and who may.

use super::{INBOX, api, chat, connect, json, send, text};
use crate::support::Project;
use crate::support::served::Served;
use aws_sdk_sqs::types::Message;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The next message of the queue.
async fn received(served: &Served) -> Message {
    let call = served
        .clients()
        .await
        .sqs_once()
        .receive_message()
        .queue_url(INBOX);
    let call = call.message_attribute_names("All").wait_time_seconds(20);
    let reply = call.send().await.unwrap();
    let message = reply.messages.unwrap_or_default().pop().expect("a message");
    let delete = served
        .clients()
        .await
        .sqs_once()
        .delete_message()
        .queue_url(INBOX);
    let handle = message.receipt_handle().unwrap();
    delete.receipt_handle(handle).send().await.unwrap();
    message
}

#[tokio::test]
async fn a_message_goes_into_the_queue_byte_for_byte() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    let long = "x".repeat(31 * 1024);
    for body in [
        r#"{"action": "unknown", "text": "a&b=c%20+ü"}"#,
        r#"{"no": "action"}"#,
        "no JSON at all",
        &long,
    ] {
        send(&mut socket, body).await;
        let message = received(&served).await;
        assert_eq!(message.body(), Some(body));
        let attributes = message.message_attributes.unwrap();
        let id = attributes["connection"].string_value().unwrap();
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
    }
    assert_eq!(served.end("INT"), Some(0));
}

#[tokio::test]
async fn what_fails_is_told_as_api_gateway_tells_it() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    for (action, expected) in [
        ("denied", "Internal server error"),
        ("broken", "Internal server error"),
        ("other", "Internal server error"),
        ("strict", "Unsupported Media Type"),
    ] {
        send(&mut socket, &json!({"action": action}).to_string()).await;
        let reply = json(&mut socket).await;
        assert_eq!(reply["message"], expected, "{action}");
        assert_eq!(reply["connectionId"].as_str().map(str::len), Some(16));
        assert_eq!(reply["requestId"].as_str().map(str::len), Some(16));
    }
    let aws = served.clients().await;
    let call = aws.sqs_once().receive_message().queue_url(INBOX);
    assert!(
        call.send().await.unwrap().messages.is_none(),
        "nothing was sent"
    );
}

#[tokio::test]
async fn a_route_with_a_response_answers_its_caller() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    send(&mut socket, r#"{"action": "ping"}"#).await;
    assert_eq!(
        json(&mut socket).await,
        json!({"pong": true, "route": "ping"})
    );

    let mut other = super::connect_to(&format!(
        "ws://{api}.execute-api.localhost:{}/live",
        served.address().port()
    ))
    .await;
    if let Ok(other) = &mut other {
        send(other, r#"{"action": "ping"}"#).await;
        assert_eq!(json(other).await["pong"], true);
    }
}

#[tokio::test]
async fn an_http_endpoint_is_called_with_what_is_mapped() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"sent: hello") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        let reply = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback";
        stream.write_all(reply.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let url = format!("http://127.0.0.1:{port}/hook");
    let (project, api) = super::with(&super::CHAT.replace("http://127.0.0.1:1/hook", &url));
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    send(&mut socket, r#"{"action": "hook", "text": "hello"}"#).await;
    assert_eq!(text(&mut socket).await, "back");
    let request = endpoint.await.unwrap();
    assert!(
        request.starts_with("POST /hook?action=hook HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("x-connection: "), "{request}");

    // Nobody listens any more.
    send(&mut socket, r#"{"action": "hook"}"#).await;
    assert_eq!(json(&mut socket).await["message"], "Internal server error");
}

#[tokio::test]
async fn the_stack_answers_a_message() {
    let mut project = Project::websocket();
    project.env("STACKCTL_LOCAL_SPEED", "1");
    project.apply();
    let served = Served::start(&project);
    let url = format!(
        "ws://{}/_api/{}/production",
        served.address(),
        api(&project)
    );
    let mut socket = super::connect_to(&url).await.unwrap();
    let sent = r#"{"MessageGroupId":"test","data":"hello world"}"#;
    send(&mut socket, sent).await;
    let reply = json(&mut socket).await;
    assert_eq!(reply["message"], sent);
    assert_eq!(reply["connectionId"].as_str().map(str::len), Some(16));
    assert_eq!(served.end("INT"), Some(0));
}

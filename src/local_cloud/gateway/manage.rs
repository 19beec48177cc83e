//! The `@connections` API: sends to a connection, says when it was last used, closes it (API
//! Gateway Management API reference). Whether the caller may is checked before (`access`).

use super::connections::{Connection, Outgoing};
use super::{context, json_reply};
use crate::local_cloud::apigateway::Served;
use crate::local_cloud::live::Live;
use crate::local_cloud::service::Reply;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::json;
use std::sync::Arc;

/// The most bytes of a message (API Gateway quotas, "WebSocket message payload size").
pub(super) const MOST_BYTES: usize = 128 * 1024;

/// The reply to a call about a connection, by its id as the path has it.
pub(super) async fn answer(
    live: &Live,
    served: &Served,
    id: &str,
    request: http::Request<Incoming>,
) -> Result<Reply, Reply> {
    let id = percent_decode_str(id).decode_utf8_lossy();
    let connection = find(live, served, &id);
    match *request.method() {
        http::Method::POST => {
            let body = Limited::new(request.into_body(), MOST_BYTES)
                .collect()
                .await;
            let body = body.map_err(|_| too_large())?.to_bytes();
            let connection = connection?;
            let sent = connection.send(frame(body)).await;
            connection.touch(live.cloud().now());
            match sent {
                true => Ok(empty(200)),
                false => Err(gone()),
            }
        }
        http::Method::GET => Ok(json_reply(200, &context::info(&*connection?))),
        http::Method::DELETE => {
            connection?.send(Outgoing::Close).await;
            Ok(empty(204))
        }
        _ => Err(refusal(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )),
    }
}

fn find(live: &Live, served: &Served, id: &str) -> Result<Arc<Connection>, Reply> {
    let connection = live.gateway().get(id);
    let here = |it: &Arc<Connection>| it.api == served.api && it.stage == served.stage;
    connection.filter(here).ok_or_else(gone)
}

/// What is text goes out as text.
fn frame(body: Bytes) -> Outgoing {
    match String::from_utf8(body.to_vec()) {
        Ok(text) => Outgoing::Text(text),
        Err(_) => Outgoing::Binary(body),
    }
}

fn empty(status: u16) -> Reply {
    Reply {
        status,
        ..Reply::default()
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let mut reply = json_reply(status, &json!({"message": message}));
    reply
        .headers
        .push(("x-amzn-errortype".to_owned(), code.to_owned()));
    reply
}

fn gone() -> Reply {
    refusal(410, "GoneException", "The connection is gone.")
}

fn too_large() -> Reply {
    refusal(413, "PayloadTooLargeException", "Message is too large")
}

//! `$context`, and the events that functions get (API Gateway developer guide, "WebSocket API
//! mapping template reference" and "Set up Lambda proxy integrations for WebSocket APIs").

use super::clock::request_time;
use super::connections::{Connection, id};
use crate::local_cloud::stamps;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What happens on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventType {
    Connect,
    Message,
    Disconnect,
}

impl EventType {
    fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Message => "MESSAGE",
            Self::Disconnect => "DISCONNECT",
        }
    }
}

/// A request: a message of a client, or its connect or disconnect.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) event: EventType,
    pub(super) body: String,
    /// Of the request that opens a connection; empty otherwise.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) querystring: BTreeMap<String, String>,
    /// `$context`.
    pub(super) context: Value,
}

impl Incoming {
    /// A request at a time of the local clock. The route is set once it is known.
    pub(super) fn new(connection: &Connection, event: EventType, body: String, now: u64) -> Self {
        let request_id = id();
        let mut context = json!({
            "apiId": connection.api,
            "connectedAt": connection.connected,
            "connectionId": connection.id,
            "domainName": connection.domain,
            "eventType": event.name(),
            "extendedRequestId": request_id,
            "identity": {"sourceIp": connection.source_ip},
            "messageDirection": "IN",
            "requestId": request_id,
            "requestTime": request_time(now),
            "requestTimeEpoch": now,
            "stage": connection.stage,
        });
        if event == EventType::Message {
            context["messageId"] = json!(id());
        }
        if let Some(agent) = &connection.user_agent {
            context["identity"]["userAgent"] = json!(agent);
        }
        Self {
            event,
            body,
            headers: BTreeMap::new(),
            querystring: BTreeMap::new(),
            context,
        }
    }

    /// The event of a proxy integration.
    pub(super) fn event(&self, variables: &BTreeMap<String, String>) -> Value {
        let mut event = json!({"requestContext": self.context, "isBase64Encoded": false});
        if self.event == EventType::Message {
            event["body"] = json!(self.body);
        } else {
            let many = |pairs: &BTreeMap<String, String>| {
                let pairs = pairs.iter();
                pairs
                    .map(|(name, value)| (name.clone(), json!([value])))
                    .collect()
            };
            event["headers"] = json!(self.headers);
            event["multiValueHeaders"] = Value::Object(many(&self.headers));
            if !self.querystring.is_empty() {
                event["queryStringParameters"] = json!(self.querystring);
                event["multiValueQueryStringParameters"] = Value::Object(many(&self.querystring));
            }
        }
        if !variables.is_empty() {
            event["stageVariables"] = json!(variables);
        }
        event
    }

    /// An error as API Gateway sends it to a client.
    pub(super) fn error(&self, message: &str) -> String {
        json!({
            "message": message,
            "connectionId": self.context["connectionId"],
            "requestId": self.context["requestId"],
        })
        .to_string()
    }
}

/// What `GET @connections/{id}` returns.
pub(super) fn info(connection: &Connection) -> Value {
    let active = connection.active.load(std::sync::atomic::Ordering::Relaxed);
    json!({
        "connectedAt": stamps::iso_millis(connection.connected),
        "identity": {
            "sourceIp": connection.source_ip,
            "userAgent": connection.user_agent,
        },
        "lastActiveAt": stamps::iso_millis(active),
    })
}

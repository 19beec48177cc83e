//! A request of an HTTP API.

use super::super::clock::request_time;
use super::super::connections::id;
use super::super::context::{EventType, Incoming};
use super::super::message;
use crate::local_cloud::apigateway::Served;
use crate::local_cloud::service::{ACCOUNT, Reply};
use crate::resource::aws::partition_of;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming as Body;
use serde_json::json;
use std::collections::BTreeMap;

/// The most bytes of a request (API Gateway quotas, "Payload size").
const MOST_BYTES: usize = 10 << 20;

/// A request, read to its end.
pub(super) struct Request {
    pub(super) method: String,
    /// With the stage, unless it is `$default`; still percent-encoded.
    pub(super) full_path: String,
    /// Below the stage.
    pub(super) path: String,
    /// The path of the integration, where a mapping changes it.
    pub(super) mapped_path: Option<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) raw_query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) body: Bytes,
    /// The same for selections, and with the context.
    pub(super) incoming: Incoming,
}

impl Request {
    pub(super) async fn read(
        served: &Served,
        path: &str,
        (route, parameters): (&str, BTreeMap<String, String>),
        request: http::Request<Body>,
        now: u64,
    ) -> Result<Self, Reply> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body
            .map_err(|_| message(413, "Request Entity Too Large"))?
            .to_bytes();
        let headers: Vec<(String, String)> = head
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.to_string(), value)
            })
            .collect();
        let raw_query = head.uri.query().unwrap_or_default().to_owned();
        let query = form_urlencoded::parse(raw_query.as_bytes()).into_owned();
        let query: Vec<(String, String)> = query.collect();
        let full_path = match served.stage.as_str() {
            "$default" => path.to_owned(),
            stage => format!("/{stage}{path}"),
        };
        let (_, suffix) = partition_of(&served.region);
        let request_id = id();
        let joined_headers = joined(&headers);
        let method = head.method.to_string();
        let context = json!({
            "accountId": ACCOUNT,
            "apiId": served.api,
            "domainName": format!("{}.execute-api.{}.{suffix}", served.api, served.region),
            "domainPrefix": served.api,
            "extendedRequestId": request_id,
            "httpMethod": method,
            "identity": {
                "sourceIp": "127.0.0.1",
                "userAgent": joined_headers.get("user-agent"),
            },
            "path": full_path,
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTime": request_time(now),
            "requestTimeEpoch": now,
            "routeKey": route,
            "stage": served.stage,
        });
        let incoming = Incoming {
            event: EventType::Message,
            body: String::from_utf8_lossy(&body).into_owned(),
            headers: joined_headers,
            querystring: joined(&query),
            context,
        };
        Ok(Self {
            method,
            full_path,
            path: path.to_owned(),
            mapped_path: None,
            query,
            raw_query,
            headers,
            parameters,
            body,
            incoming,
        })
    }
}

/// Values of one name are joined with commas.
pub(super) fn joined(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name.clone())
            .and_modify(|known| {
                known.push(',');
                known.push_str(value);
            })
            .or_insert_with(|| value.clone());
    }
    all
}

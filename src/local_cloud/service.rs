//! What a service of the local cloud sees of a request, and what it may do.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// The account that everything in the local cloud belongs to.
pub const ACCOUNT: &str = "000000000000";

/// A request as a service sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, still percent-encoded, with its leading slash.
    pub path: String,
    /// The query's pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(serialize_with = "write_bytes", deserialize_with = "read_bytes")]
    pub body: Bytes,
    /// The region the request was signed for.
    pub region: String,
    /// The local cloud's own time, in milliseconds since 1970; it may run faster than the
    /// wall clock.
    pub now: u64,
}

impl Request {
    /// A call of a service that speaks JSON, which the local cloud itself makes. `target` names the
    /// operation with its prefix: `AmazonSQS.SendMessage`.
    #[allow(
        dead_code,
        reason = "what runs while the cloud is served calls services"
    )]
    pub(super) fn json(region: &str, target: &str, body: &Value) -> Self {
        Self {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: BTreeMap::from([("x-amz-target".to_owned(), target.to_owned())]),
            body: body.to_string().into(),
            region: region.to_owned(),
            now: 0,
        }
    }
}

fn write_bytes<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::encode(bytes))
}

fn read_bytes<'d, D: Deserializer<'d>>(from: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(from)?;
    hex::decode(text)
        .map(Bytes::from)
        .map_err(serde::de::Error::custom)
}

/// A reply.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// A refusal, put into the service's own wire format by the service.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The error code as on the wire.
    pub code: String,
    /// The message.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }
}

/// The store as one request sees it: a map from keys (`sqs/us-west-2/queue/name`) to JSON, and
/// blobs by name. What a refused request wrote is dropped; what a successful one wrote is on disk
/// before the reply goes out.
pub trait Store {
    /// The value of a key.
    fn get(&self, key: &str) -> Option<Value>;
    /// All pairs whose key begins so, in key order.
    fn scan(&self, prefix: &str) -> Vec<(String, Value)>;
    /// The first key that begins so and comes after another one, for those who do not need all.
    fn next_key(&self, prefix: &str, after: &str) -> Option<String>;
    /// Sets a key.
    fn put(&mut self, key: &str, value: Value);
    /// Removes a key.
    fn remove(&mut self, key: &str);
    /// A blob's bytes.
    fn blob(&self, name: &str) -> Option<Bytes>;
    /// Keeps bytes and returns the name to find them by (their SHA-256).
    fn put_blob(&mut self, bytes: &Bytes) -> String;
}

/// One service.
pub trait Service: Send + Sync {
    /// The signing name that its requests carry: `sqs`, `apigateway`, …
    fn signing_name(&self) -> &'static str;
    /// The operation's name in the service's API: `CreateRole`. Faults and logs go by it.
    fn operation(&self, request: &Request) -> String;
    /// Handles a request. A [`Refusal`] is written with [`Service::refuse`].
    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal>;
    /// A refusal in the service's wire format.
    fn refuse(&self, request: &Request, refusal: &Refusal) -> Reply;
}

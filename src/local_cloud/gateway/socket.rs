//! A WebSocket connection of an API: how it opens, what goes over it, how it ends (API Gateway
//! developer guide, "About WebSocket APIs", and quotas).

use super::connections::{Client, Connection, Outgoing};
use super::context::{EventType, Incoming};
use super::manage::MOST_BYTES;
use super::{json_reply, message};
use crate::local_cloud::apigateway::Served;
use crate::local_cloud::live::Live;
use crate::local_cloud::serve::{self, Body};
use crate::local_cloud::service::Reply;
use crate::resource::aws::partition_of;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming as RequestBody;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// The most bytes of a frame (API Gateway quotas, "WebSocket frame size").
const MOST_FRAME: usize = 32 * 1024;
/// How long a connection may be idle, by the local clock (quotas, "Idle Connection Timeout").
const IDLE: Duration = Duration::from_secs(10 * 60);
/// How long a connection may last, by the local clock (quotas, "Connection duration").
const WHOLE: Duration = Duration::from_secs(2 * 60 * 60);
/// How many messages of one connection may wait for their turn.
const WAITING: usize = 64;
/// How long a client may take to read what is sent to it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a client may take to answer a close.
const GOODBYE: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Opens a connection, if its `$connect` route lets it.
pub(super) async fn open(
    live: &Live,
    served: Served,
    mut request: http::Request<RequestBody>,
) -> Result<http::Response<Body>, Reply> {
    let key = accept_key(&request)?;
    let now = live.cloud().now();
    let headers = headers(request.headers());
    let client = Client {
        source_ip: "127.0.0.1".to_owned(),
        user_agent: header(&headers, "user-agent").map(str::to_owned),
        domain: domain(&served),
    };
    let place = (served.api.as_str(), served.stage.as_str());
    let (connection, outgoing) = Connection::new(&served.region, place, now, client);
    let mut incoming = Incoming::new(&connection, EventType::Connect, String::new(), now);
    incoming.querystring = query(request.uri());
    incoming.headers = headers;
    let protocol = message::connect(live, &served, &mut incoming).await?;
    let upgrade = hyper::upgrade::on(&mut request);
    live.spawn(run(live.clone(), Arc::new(connection), upgrade, outgoing));
    let mut reply = Reply {
        status: 101,
        headers: vec![
            ("connection".to_owned(), "Upgrade".to_owned()),
            ("upgrade".to_owned(), "websocket".to_owned()),
            ("sec-websocket-accept".to_owned(), key),
        ],
        ..Reply::default()
    };
    if let Some(protocol) = protocol {
        reply
            .headers
            .push(("sec-websocket-protocol".to_owned(), protocol));
    }
    let mut response = serve::respond(reply);
    response.headers_mut().remove("content-length");
    Ok(response)
}

/// The value that accepts the handshake; the refusal of what is none (RFC 6455, section 4.2).
fn accept_key(request: &http::Request<RequestBody>) -> Result<String, Reply> {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|it| it.to_str().ok());
        value.unwrap_or_default()
    };
    let has = |name: &str, wanted: &str| {
        let mut parts = header(name).split(',');
        parts.any(|part| part.trim().eq_ignore_ascii_case(wanted))
    };
    let key = header("sec-websocket-key");
    let upgrades = request.method() == http::Method::GET
        && has("upgrade", "websocket")
        && has("connection", "upgrade");
    if !upgrades || key.is_empty() {
        let mut reply = json_reply(426, &json!({"message": "Upgrade Required"}));
        reply
            .headers
            .push(("upgrade".to_owned(), "websocket".to_owned()));
        return Err(reply);
    }
    if header("sec-websocket-version") != "13" {
        let mut reply = json_reply(400, &json!({"message": "Bad Request"}));
        let version = ("sec-websocket-version".to_owned(), "13".to_owned());
        reply.headers.push(version);
        return Err(reply);
    }
    Ok(derive_accept_key(key.as_bytes()))
}

/// The API's host name at AWS, which `$context.domainName` has.
fn domain(served: &Served) -> String {
    let (_, suffix) = partition_of(&served.region);
    format!("{}.execute-api.{}.{suffix}", served.api, served.region)
}

fn headers(headers: &http::HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let pairs = headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)));
    pairs.collect()
}

fn header<'h>(headers: &'h BTreeMap<String, String>, name: &str) -> Option<&'h str> {
    headers.get(name).map(String::as_str)
}

fn query(uri: &http::Uri) -> BTreeMap<String, String> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// A message on its way through its route.
type Work = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// Why a connection ends.
enum End {
    /// The client closed it, or broke off.
    Client,
    /// API Gateway closes it.
    Close(CloseCode, &'static str),
}

async fn run(
    live: Live,
    connection: Arc<Connection>,
    upgrade: hyper::upgrade::OnUpgrade,
    outgoing: mpsc::Receiver<Outgoing>,
) {
    // The client is gone before it began.
    let Ok(upgraded) = upgrade.await else {
        return;
    };
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(MOST_BYTES);
    config.max_frame_size = Some(MOST_FRAME);
    config.read_buffer_size = 4096;
    config.write_buffer_size = 4096;
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    live.gateway().insert(&connection);
    note(&live, &connection, true);
    let mut session = Session {
        live: &live,
        connection: &connection,
        outgoing,
        waiting: VecDeque::new(),
        work: None,
        idle_end: Instant::now(),
    };
    let end = session.run(&mut socket).await;
    if let End::Close(code, reason) = end {
        close(&mut socket, code, reason).await;
    }
    // What was received is worked off, as at AWS, where nobody waits for it.
    while session.work.is_some() || session.next_work() {
        working(&mut session.work).await;
        session.work = None;
    }
    live.gateway().remove(&connection.id);
    note(&live, &connection, false);
    message::disconnect(&live, &connection).await;
}

/// Notes in the store that a connection is open, or no longer.
fn note(live: &Live, connection: &Connection, open: bool) {
    let about = json!({
        "api": connection.api, "stage": connection.stage, "connected": connection.connected,
    });
    if let Err(error) = live.cloud().note(&connection.key(), open.then_some(about)) {
        live.note(&format!("The connection could not be noted: {error}"));
    }
}

async fn close(socket: &mut Socket, code: CloseCode, reason: &'static str) {
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    let goodbye = async {
        if socket.close(Some(frame)).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    // Who does not answer is cut off.
    let _ = timeout(GOODBYE, goodbye).await;
}

/// An open connection at work.
struct Session<'s> {
    live: &'s Live,
    connection: &'s Arc<Connection>,
    outgoing: mpsc::Receiver<Outgoing>,
    /// Messages that wait for their turn: those of one connection go one after the other.
    waiting: VecDeque<String>,
    work: Option<Work>,
    idle_end: Instant,
}

impl Session<'_> {
    fn real(&self, local: Duration) -> Duration {
        local.div_f64(self.live.cloud().speed())
    }

    fn touch(&mut self) {
        self.connection.touch(self.live.cloud().now());
        self.idle_end = Instant::now() + self.real(IDLE);
    }

    /// Starts with the next message, if one waits.
    fn next_work(&mut self) -> bool {
        let Some(text) = self.waiting.pop_front() else {
            return false;
        };
        let (live, connection) = (self.live.clone(), Arc::clone(self.connection));
        self.work = Some(Box::pin(async move {
            message::receive(&live, &connection, text).await
        }));
        true
    }

    async fn run(&mut self, socket: &mut Socket) -> End {
        self.touch();
        let whole = Instant::now() + self.real(WHOLE);
        loop {
            if self.work.is_none() {
                self.next_work();
            }
            let end = tokio::select! {
                read = socket.next(), if self.waiting.len() < WAITING => self.read(read),
                Some(outgoing) = self.outgoing.recv() => self.send(socket, outgoing).await,
                reply = working(&mut self.work) => {
                    self.work = None;
                    match reply {
                        Some(text) => self.send(socket, Outgoing::Text(text)).await,
                        None => None,
                    }
                }
                () = sleep_until(self.idle_end.min(whole)) => {
                    Some(End::Close(CloseCode::Away, "Going away"))
                }
                () = self.live.stopping() => Some(End::Close(CloseCode::Away, "Going away")),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// What was read; the end that it is.
    fn read(&mut self, read: Option<Result<Message, Error>>) -> Option<End> {
        match read {
            Some(Ok(Message::Text(text))) => {
                self.touch();
                self.waiting.push_back(text.to_string());
                None
            }
            Some(Ok(Message::Binary(_))) => {
                self.live
                    .note("A client sent a binary message: API Gateway takes text messages only.");
                Some(End::Close(
                    CloseCode::Unsupported,
                    "Binary is not supported",
                ))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                self.touch();
                None
            }
            Some(Ok(_)) => None,
            Some(Err(Error::Capacity(_))) => {
                self.live.note(
                    "A client sent a message of more than 128 KB, or a frame of more than 32 KB.",
                );
                Some(End::Close(CloseCode::Size, "Message too long"))
            }
            Some(Err(Error::Utf8(_))) => Some(End::Close(CloseCode::Invalid, "Invalid UTF-8")),
            Some(Err(Error::Protocol(_))) => {
                Some(End::Close(CloseCode::Protocol, "Protocol error"))
            }
            Some(Err(_)) | None => Some(End::Client),
        }
    }

    async fn send(&mut self, socket: &mut Socket, outgoing: Outgoing) -> Option<End> {
        let message = match outgoing {
            Outgoing::Text(text) => Message::text(text),
            Outgoing::Binary(bytes) => Message::binary(bytes),
            Outgoing::Close => return Some(End::Close(CloseCode::Normal, "Connection Closed")),
        };
        self.touch();
        match timeout(PATIENCE, socket.send(message)).await {
            Ok(Ok(())) => None,
            _ => Some(End::Client),
        }
    }
}

/// What the message in its route gives; never, where there is none.
async fn working(work: &mut Option<Work>) -> Option<String> {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

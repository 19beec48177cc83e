//! The Lambda Runtime API (Lambda developer guide, "Using the Lambda runtime API"), served to one
//! process: it asks for events, and returns their results.

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

/// The largest response, in bytes.
pub(super) const RESPONSE: usize = 6_291_556;

type Response = http::Response<Full<Bytes>>;

/// An event for the process.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) payload: Bytes,
    /// The function's ARN as it was invoked.
    pub(super) arn: String,
    /// JSON.
    pub(super) client_context: Option<String>,
    /// By this machine's clock, in milliseconds since 1970.
    pub(super) deadline: u64,
}

/// What the process says.
#[derive(Debug)]
pub(super) enum Said {
    /// What the handler returned.
    Response(String, Bytes),
    /// A response beyond [`RESPONSE`].
    TooLarge(String),
    /// An error, with its type.
    Error(String, String, Bytes),
    /// It could not start, with the error's type.
    InitError(String, Bytes),
}

/// The runtime API of one process. Dropped, it is no longer served.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) address: SocketAddr,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) said: mpsc::UnboundedReceiver<Said>,
    /// How many times the process asked for an event.
    pub(super) asked: watch::Receiver<u64>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    events: Mutex<mpsc::Receiver<Event>>,
    said: mpsc::UnboundedSender<Said>,
    asked: watch::Sender<u64>,
}

impl Api {
    pub(super) async fn serve() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, receiver) = mpsc::channel(1);
        let (sender, said) = mpsc::unbounded_channel();
        let (asked, asks) = watch::channel(0);
        let shared = Arc::new(Shared {
            events: Mutex::new(receiver),
            said: sender,
            asked,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, shared));
        Ok(Self {
            address,
            events,
            said,
            asked: asks,
            _tasks: tasks,
        })
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(handle(&shared, request).await) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A process that breaks off has ended, or is about to.
            let _ = connection.await;
        });
    }
}

async fn handle(shared: &Shared, request: http::Request<Incoming>) -> Response {
    let path = request.uri().path().to_owned();
    let Some(rest) = path.strip_prefix("/2018-06-01/runtime/") else {
        return refusal(404, "NotFound", "This is the Lambda Runtime API.");
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let kind = request.headers().get("lambda-runtime-function-error-type");
    let kind = kind.and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("Unhandled").to_owned();
    match (request.method().as_str(), parts.as_slice()) {
        ("GET", ["invocation", "next"]) => next(shared).await,
        ("POST", ["invocation", id, "response"]) => {
            let id = (*id).to_owned();
            match read(request.into_body()).await {
                Some(body) => say(shared, Said::Response(id, body)),
                None => {
                    say(shared, Said::TooLarge(id));
                    refusal(
                        413,
                        "RequestEntityTooLarge",
                        &format!("Exceeded maximum allowed payload size ({RESPONSE} bytes)."),
                    )
                }
            }
        }
        ("POST", ["invocation", id, "error"]) => {
            let id = (*id).to_owned();
            match read(request.into_body()).await {
                Some(body) => say(shared, Said::Error(id, kind, body)),
                None => say(shared, Said::TooLarge(id)),
            }
        }
        ("POST", ["init", "error"]) => {
            let body = read(request.into_body()).await;
            say(shared, Said::InitError(kind, body.unwrap_or_default()))
        }
        _ => refusal(404, "NotFound", "The Runtime API has no such path."),
    }
}

/// A body to its end, so that the process can read the reply; none where it is too large.
async fn read(mut body: Incoming) -> Option<Bytes> {
    let mut all = BytesMut::new();
    let mut fits = true;
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        fits &= all.len() + data.len() <= RESPONSE;
        if fits {
            all.extend_from_slice(&data);
        }
    }
    fits.then(|| all.freeze())
}

async fn next(shared: &Shared) -> Response {
    shared.asked.send_modify(|asked| *asked += 1);
    let event = shared.events.lock().await.recv().await;
    let Some(event) = event else {
        return refusal(410, "Gone", "The function's process is to end.");
    };
    let mut response = http::Response::builder()
        .status(200)
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &event.id)
        .header("lambda-runtime-deadline-ms", event.deadline.to_string())
        .header("lambda-runtime-invoked-function-arn", &event.arn);
    if let Some(context) = &event.client_context {
        response = response.header("lambda-runtime-client-context", context.as_bytes());
    }
    response
        .body(Full::new(event.payload))
        .unwrap_or_else(|_| refusal(500, "InvalidEvent", "The event cannot be written."))
}

fn say(shared: &Shared, said: Said) -> Response {
    // Nobody listens once the process is to end.
    let _ = shared.said.send(said);
    answer(202, &json!({"status": "OK"}))
}

fn refusal(status: u16, kind: &str, message: &str) -> Response {
    answer(status, &json!({"errorMessage": message, "errorType": kind}))
}

fn answer(status: u16, body: &serde_json::Value) -> Response {
    let mut response = http::Response::new(Full::new(Bytes::from(body.to_string())));
    if let Ok(status) = http::StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response
}

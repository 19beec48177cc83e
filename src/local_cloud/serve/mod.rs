//! The local cloud on the wire: HTTP/1.1 on 127.0.0.1, for clients that are not in this process.
//!
//! Every request first passes `guard`, which keeps the web's pages out. What is for an API of the
//! stack goes to `gateway`, everything else is the AWS API, by the service of its signature.

mod guard;

use super::gateway;
use super::live::{self, Live};
use super::service::{Reply, Request};
use super::struck::{Broken, Struck};
use super::wire::{self, Scope};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// The body of a reply.
pub(super) type Body = Full<Bytes>;

/// Takes connections until the cloud is to stop.
pub(super) async fn accept(live: Live, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = live.stopping() => return,
        };
        match accepted {
            Ok((stream, _)) => live.spawn(connection(live.clone(), stream)),
            // Too many open files, for example: others may be closed soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(live: Live, stream: TcpStream) {
    // Replies are small, and a client waits for each.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let live = live.clone();
        async move { handle(&live, request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // A client that breaks off is nobody's trouble but its own.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = live.stopping() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// The reply to a request. A fault may break the connection instead.
async fn handle(live: &Live, request: http::Request<Incoming>) -> io::Result<http::Response<Body>> {
    match guard::admit(&request) {
        Err(why) => Ok(respond(wire::refusal(403, "AccessDeniedException", &why))),
        Ok(guard::For::Api) => Ok(api(live, request).await),
        Ok(guard::For::Aws) => match aws(live, request).await {
            Ok(reply) => Ok(respond(reply)),
            Err(_) => Err(io::ErrorKind::ConnectionReset.into()),
        },
    }
}

/// A request of an API of the stack. Those to its connections are AWS's own, and signed.
async fn api(live: &Live, request: http::Request<Incoming>) -> http::Response<Body> {
    if request.uri().path().contains("/@connections/") {
        let call = call_of(request.method(), request.uri(), request.headers());
        if let Some(denial) = live.cloud().denial("execute-api", &call) {
            return respond(denial);
        }
    }
    gateway::handle(live, request).await
}

/// A call of the AWS API. The client's patience is its own.
async fn aws(live: &Live, request: http::Request<Incoming>) -> Result<Reply, Broken> {
    let (head, body) = request.into_parts();
    let mut call = call_of(&head.method, &head.uri, &head.headers);
    let name = Scope::of(&call).service;
    let inner = live.cloud().inner();
    let Some(service) = inner.service(&name) else {
        return Ok(wire::no_service(&name));
    };
    call.body = match read(body, most(&name)).await {
        Ok(bytes) => bytes,
        Err(reply) => return Ok(reply),
    };
    if let Some(denial) = live.cloud().denial(&name, &call) {
        return Ok(denial);
    }
    let struck = Struck::draw(inner, service, &call);
    let before = struck.before(inner, service, &mut call, Duration::MAX);
    if let Some(reply) = before.await? {
        return Ok(reply);
    }
    let reply = live::answer(live, &name, call).await;
    struck.after(inner, reply).await
}

/// A request as the services see it, without its body.
fn call_of(method: &http::Method, uri: &http::Uri, headers: &http::HeaderMap) -> Request {
    let headers = headers.iter().filter_map(|(name, value)| {
        Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))
    });
    wire::request(method.as_str(), uri, headers)
}

/// The most bytes that the body of a request may have. S3: the largest PutObject (S3 user guide,
/// "Uploading objects"). Lambda: what CreateFunction takes in its error message. Others: the
/// largest payload of any, and twice what fits into a batch of SQS.
fn most(service: &str) -> u64 {
    match service {
        "s3" => 5 << 30,
        "lambda" => 70_167_211,
        _ => 10 << 20,
    }
}

/// Reads a body to its end, or to its limit.
async fn read(body: Incoming, most: u64) -> Result<Bytes, Reply> {
    let large = || {
        let message = format!("Request must be smaller than {most} bytes.");
        wire::refusal(413, "RequestEntityTooLargeException", &message)
    };
    // Refused unread where the client says how much it is.
    if body.size_hint().lower() > most {
        return Err(large());
    }
    let limit = usize::try_from(most).unwrap_or(usize::MAX);
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(large()),
        Err(error) => Err(wire::refusal(
            400,
            "IncompleteBody",
            &format!("The body could not be read: {error}"),
        )),
    }
}

/// A reply in the form of the HTTP library, complete.
pub(super) fn respond(mut reply: Reply) -> http::Response<Body> {
    wire::complete(&mut reply);
    let mut response = http::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value.as_bytes());
    }
    response
        .body(Full::new(reply.body))
        .unwrap_or_else(|error| {
            let message = format!("The reply cannot be written: {error}");
            let mut response = http::Response::new(Full::new(Bytes::from(message)));
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
}

//! The seam to the SDK: an HTTP client whose replies come from the local cloud.

use super::cloud::{Call, Inner};
use super::fault::{self, Lot, What};
use super::late;
use super::service::{Refusal, Reply, Request, Service};
use super::wire::{self, Scope};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The HTTP client handed to the SDK.
#[derive(Debug)]
pub(super) struct Client(pub(super) Arc<Inner>);

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            inner: Arc::clone(&self.0),
            read_timeout: settings.read_timeout(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: Arc<Inner>,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = Arc::clone(&self.inner);
        let patience = self.read_timeout.unwrap_or(Duration::MAX);
        HttpConnectorFuture::new(async move {
            let started = Instant::now();
            inner.end_if_dead().await;
            let (service, mut request) = receive(request).await?;
            let Some(service) = inner.service(&service) else {
                return respond(wire::no_service(&service));
            };
            let operation = format!("{}:{}", service.signing_name(), service.operation(&request));
            let mut lot = inner.draw(&operation);
            let further = fault::further_action(&operation, &request);
            let beside = further.and_then(|action| inner.draw_action(action).what);
            let refused = |what: &What| matches!(what, What::Deny | What::NoTags);
            let denied = further.filter(|_| beside.as_ref().is_some_and(refused));
            if denied.is_some() && lot.what.is_none() {
                lot.what = beside;
            }
            let called = Called {
                operation: &operation,
                denied,
            };
            let result = serve(&inner, service, (&mut request, &called), lot, patience).await;
            inner.record(Call {
                operation,
                started,
                ended: Instant::now(),
                status: result.as_ref().ok().map(|reply| reply.status().as_u16()),
            });
            result
        })
    }
}

/// What was called.
struct Called<'c> {
    operation: &'c str,
    /// An action beside its own that the call needs and the caller may not do.
    denied: Option<&'static str>,
}

/// Returns the reply to a request, as the faults change it.
async fn serve(
    inner: &Inner,
    service: &dyn Service,
    (request, called): (&mut Request, &Called<'_>),
    lot: Lot,
    patience: Duration,
) -> Result<HttpResponse, ConnectorError> {
    let latency = inner.latency + lot.latency;
    if latency > patience {
        tokio::time::sleep(patience).await;
        return Err(timeout());
    }
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let name = service.signing_name();
    match lot.what {
        Some(What::KillBefore) => inner.die().await,
        Some(What::KillInFlight(millis)) => {
            late::keep(inner, name, request, millis);
            inner.die().await;
        }
        Some(What::Reset) => return Err(reset()),
        Some(What::Silence(millis)) => {
            let silence = Duration::from_millis(millis).min(patience);
            tokio::time::sleep(silence.div_f64(inner.speed)).await;
            return Err(timeout());
        }
        Some(What::Throttle) => {
            return respond(service.refuse(request, &fault::throttle(name)));
        }
        // What the caller may not read is omitted from the reply, and the call goes through.
        Some(What::Deny) if called.denied == Some("lambda:ListTags") => {}
        Some(What::Deny) => {
            let action = called.denied.unwrap_or(called.operation);
            return respond(service.refuse(request, &fault::denial(name, action)));
        }
        Some(What::NoTags) => {
            let message = "The tags in this request are not supported in this partition.";
            let refusal = Refusal::new(400, "UnsupportedArgument", message);
            return respond(service.refuse(request, &refusal));
        }
        Some(What::Lag) => match fault::lagging(called.operation) {
            Some(Ok(body)) => {
                return respond(Reply {
                    status: 200,
                    headers: Vec::new(),
                    body: body.into(),
                });
            }
            Some(Err(refusal)) => return respond(service.refuse(request, &refusal)),
            None => {}
        },
        Some(What::Refused) => return respond(service.refuse(request, &fault::refusal())),
        Some(What::Answer(answer)) => {
            let refusal = Refusal::new(answer.status, &answer.code, &answer.message);
            return respond(service.refuse(request, &refusal));
        }
        Some(What::Expired) => return respond(service.refuse(request, &fault::expired(name))),
        Some(What::MissingMd5) => {
            return respond(service.refuse(request, &fault::missing_md5()));
        }
        Some(What::Conflict) => return respond(service.refuse(request, &fault::conflict())),
        Some(What::Precondition) => {
            return respond(service.refuse(request, &fault::precondition()));
        }
        Some(What::Echo) => return respond(service.refuse(request, &fault::echo(request))),
        Some(What::Handler(handler)) => handler.carry(request),
        Some(What::Panic) => {
            panic!("{}", String::from_utf8_lossy(&request.body));
        }
        Some(What::Error(status)) => {
            return respond(service.refuse(request, &fault::failure(name, status)));
        }
        _ => {}
    }
    let mut reply = inner.answer(service, request);
    match lot.what {
        Some(What::Deny | What::HalfLag) => {
            if let Some(body) = fault::without(&reply.body, called.operation) {
                reply.body = body.into();
            }
        }
        Some(What::Hollow) if reply.status < 300 => {
            reply.body = fault::hollow(&reply.body, called.operation).into();
            reply
                .headers
                .retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        }
        Some(What::KillAfter) => inner.die().await,
        Some(What::LostReply) => return Err(reset()),
        // A refusal stays one: cut off, it would read as a success of a call without a body.
        Some(What::Malformed) if reply.status < 300 => {
            reply.status = 200;
            reply.body = Bytes::from_static(b"{\"cut\": \"of");
            reply
                .headers
                .retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        }
        _ => {}
    }
    respond(reply)
}

/// Reads a request, and which service it was signed for.
async fn receive(request: HttpRequest) -> Result<(String, Request), ConnectorError> {
    let uri: http::Uri = request
        .uri()
        .parse()
        .map_err(|error: http::uri::InvalidUri| ConnectorError::user(error.into()))?;
    let mut received = wire::request(request.method(), &uri, request.headers().iter());
    let service = Scope::of(&received).service;
    let body = request.into_body();
    received.body = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => ByteStream::new(body)
            .collect()
            .await
            .map_err(|error| ConnectorError::user(error.into()))?
            .into_bytes(),
    };
    Ok((service, received))
}

/// Puts a reply into the SDK's form, complete.
fn respond(mut reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let invalid =
        |error: aws_smithy_runtime_api::http::HttpError| ConnectorError::other(error.into(), None);
    wire::complete(&mut reply);
    let status = reply.status.try_into().map_err(invalid)?;
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body));
    for (name, value) in reply.headers {
        response.headers_mut().try_append(name, value).map_err(invalid)?;
    }
    Ok(response)
}

fn reset() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

fn timeout() -> ConnectorError {
    ConnectorError::timeout(io::Error::from(io::ErrorKind::TimedOut).into())
}

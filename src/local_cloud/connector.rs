//! The seam to the SDK: an HTTP client whose replies come from the local cloud.

use super::chunked;
use super::cloud::{Call, Inner};
use super::fault::{self, Lot, What};
use super::late;
use super::service::{Refusal, Reply, Request, Service};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, PoisonError};
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
                return respond(nobody(&service));
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
    let mut reply = answer(inner, service, request);
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

fn answer(inner: &Inner, service: &dyn Service, request: &mut Request) -> Reply {
    if !chunked::decode(request) {
        let refusal = Refusal::new(400, "IncompleteBody", "The chunked body is malformed.");
        return service.refuse(request, &refusal);
    }
    let result = loop {
        let mut disk = inner.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let result = disk.transact(|now, store| {
            if late::is_due(now, store) {
                return Ok(None);
            }
            request.now = now;
            service.answer(request, store).map(Some)
        });
        drop(disk);
        match result {
            Ok(Ok(None)) => late::land(inner),
            Ok(Ok(Some(reply))) => break Ok(Ok(reply)),
            Ok(Err(refusal)) => break Ok(Err(refusal)),
            Err(error) => break Err(error),
        }
    };
    match result {
        Ok(Ok(reply)) => reply,
        Ok(Err(refusal)) => service.refuse(request, &refusal),
        Err(error) => {
            let message = format!("The local cloud's folder cannot be used: {error}");
            service.refuse(request, &Refusal::new(500, "InternalFailure", message))
        }
    }
}

/// Reads a request, and which service it was signed for.
async fn receive(request: HttpRequest) -> Result<(String, Request), ConnectorError> {
    let uri: http::Uri = request
        .uri()
        .parse()
        .map_err(|error: http::uri::InvalidUri| ConnectorError::user(error.into()))?;
    let method = request.method().to_owned();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in request.headers() {
        // As the HTTP that there would be on a wire: RFC 9110, section 5.5.
        let value = value.trim_matches([' ', '\t']);
        headers
            .entry(name.to_ascii_lowercase())
            .and_modify(|all| {
                all.push(',');
                all.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    if let Some(authority) = uri.authority() {
        headers
            .entry("host".to_owned())
            .or_insert_with(|| authority.to_string());
    }
    let (region, service) = headers
        .get("authorization")
        .and_then(|text| scope(text))
        .unwrap_or_default();
    let body = request.into_body();
    let body = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => ByteStream::new(body)
            .collect()
            .await
            .map_err(|error| ConnectorError::user(error.into()))?
            .into_bytes(),
    };
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let request = Request {
        method,
        path: uri.path().to_owned(),
        query,
        headers,
        body,
        region,
        now: 0,
    };
    Ok((service, request))
}

/// Region and signing name out of a Signature Version 4 header:
/// `… Credential=<key>/<date>/<region>/<service>/aws4_request, …`.
fn scope(authorization: &str) -> Option<(String, String)> {
    let credential = authorization.split_once("Credential=")?.1;
    let mut parts = credential.split(',').next()?.split('/').skip(2);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn nobody(service: &str) -> Reply {
    let message = if service.is_empty() {
        "The request is not signed, so the local cloud cannot determine the service.".to_owned()
    } else {
        format!("The local cloud has no service with the signing name {service}.")
    };
    let code = "UnknownOperationException";
    Reply {
        status: 404,
        headers: vec![("x-amzn-errortype".to_owned(), code.to_owned())],
        body: serde_json::json!({"__type": code, "message": message})
            .to_string()
            .into(),
    }
}

/// Puts a reply into the SDK's form, with a request id and the body's length.
fn respond(reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let invalid =
        |error: aws_smithy_runtime_api::http::HttpError| ConnectorError::other(error.into(), None);
    let status = reply.status.try_into().map_err(invalid)?;
    let length = reply.body.len();
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body));
    let headers = response.headers_mut();
    for (name, value) in reply.headers {
        headers.try_append(name, value).map_err(invalid)?;
    }
    if !headers.contains_key("x-amzn-requestid") && !headers.contains_key("x-amz-request-id") {
        headers.insert("x-amzn-requestid", request_id());
    }
    if !headers.contains_key("content-length") {
        headers.insert("content-length", length.to_string());
    }
    Ok(response)
}

fn request_id() -> String {
    let id = hex::encode(rand::random::<[u8; 16]>());
    let (a, b) = id.split_at(8);
    format!("{a}-{}-{}-{}-{}", &b[..4], &b[4..8], &b[8..12], &b[12..])
}

fn reset() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

fn timeout() -> ConnectorError {
    ConnectorError::timeout(io::Error::from(io::ErrorKind::TimedOut).into())
}

//! The seam to the SDK: an HTTP client whose replies come from the local cloud.

use super::cloud::{Call, Inner};
use super::service::{Reply, Request, Service};
use super::struck::{Broken, Struck};
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
            let call = Struck::draw(&inner, service, &request);
            let result = serve(&inner, service, &mut request, &call, patience).await;
            inner.record(Call {
                operation: call.operation,
                started,
                ended: Instant::now(),
                status: result.as_ref().ok().map(|reply| reply.status().as_u16()),
            });
            result
        })
    }
}

/// Returns the reply to a request, as the faults change it.
async fn serve(
    inner: &Inner,
    service: &dyn Service,
    request: &mut Request,
    call: &Struck,
    patience: Duration,
) -> Result<HttpResponse, ConnectorError> {
    let broken = |broken: Broken| match broken {
        Broken::Reset => ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into()),
        Broken::Timeout => ConnectorError::timeout(io::Error::from(io::ErrorKind::TimedOut).into()),
    };
    let before = call.before(inner, service, request, patience).await;
    let reply = match before.map_err(broken)? {
        Some(reply) => reply,
        None => {
            let reply = inner.answer(service, request);
            call.after(inner, reply).await.map_err(broken)?
        }
    };
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
        response
            .headers_mut()
            .try_append(name, value)
            .map_err(invalid)?;
    }
    Ok(response)
}

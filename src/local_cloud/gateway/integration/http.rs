//! Integrations with HTTP endpoints.

use super::{Call, Failure, Response, request};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The most bytes that a response may have (API Gateway quotas, "Payload size").
const MOST_BYTES: usize = 10 << 20;

/// Headers in their order; a name may come more than once.
pub(in crate::local_cloud::gateway) type Headers = Vec<(String, String)>;

/// What an endpoint returned.
#[derive(Debug)]
pub(in crate::local_cloud::gateway) struct Returned {
    pub(in crate::local_cloud::gateway) status: u16,
    pub(in crate::local_cloud::gateway) headers: Headers,
    pub(in crate::local_cloud::gateway) body: Bytes,
}

/// Sends a body to an endpoint, with the parameters of the integration.
pub(super) async fn call(call: &Call<'_>, uri: &str, body: String) -> Result<Response, Failure> {
    let parameters = request::parameters(call);
    let uri = full(uri, &parameters.path, &parameters.querystring);
    let method = match call.text("integrationMethod") {
        "ANY" => "POST",
        method => method,
    };
    let mut headers: Headers = parameters.header.into_iter().collect();
    headers.push((
        "user-agent".to_owned(),
        format!("AmazonAPIGateway_{}", call.served.api),
    ));
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        headers.push(kind);
    }
    let returned = send(method, &uri, &headers, Bytes::from(body)).await;
    let returned = returned.map_err(Failure::Internal)?;
    Ok(Response {
        status: returned.status,
        headers: returned.headers.into_iter().collect(),
        body: String::from_utf8_lossy(&returned.body).into_owned(),
    })
}

/// Sends a request to an endpoint.
///
/// # Errors
/// The end of a sentence that says why there is no response.
pub(in crate::local_cloud::gateway) async fn send(
    method: &str,
    url: &str,
    headers: &Headers,
    body: Bytes,
) -> Result<Returned, String> {
    let failed = |error: &dyn Display| format!("{url} gave no response: {error}");
    let uri: http::Uri = url.parse().map_err(|error| failed(&error))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let authority = uri.authority().map_or("", |it| it.as_str());
    let target = uri.path_and_query().map_or("/", |it| it.as_str());
    let mut head = http::Request::builder()
        .method(method)
        .uri(target)
        .header("host", authority);
    for (name, value) in headers {
        head = head.header(name, value);
    }
    let sent = head.body(Full::new(body)).map_err(|error| failed(&error))?;
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(|error| failed(&error))?;
    let returned = match tls {
        false => exchange(stream, sent).await,
        true => {
            let config = config().map_err(|error| failed(&error))?;
            let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(&error))?;
            let stream = TlsConnector::from(config).connect(name, stream).await;
            exchange(stream.map_err(|error| failed(&error))?, sent).await
        }
    };
    returned.map_err(|error| failed(&error))
}

/// A value as one segment of a path (RFC 3986, section 2.3).
pub(in crate::local_cloud::gateway) fn encoded(value: &str) -> String {
    const SET: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(value, SET).to_string()
}

/// The URI with its parameters: `{name}` in the path, and the query.
fn full(uri: &str, path: &BTreeMap<String, String>, query: &BTreeMap<String, String>) -> String {
    let uri = path.iter().fold(uri.to_owned(), |uri, (name, value)| {
        uri.replace(&format!("{{{name}}}"), &encoded(value))
    });
    if query.is_empty() {
        return uri;
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let mark = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{mark}{query}")
}

async fn exchange<S>(
    stream: S,
    request: http::Request<Full<Bytes>>,
) -> Result<Returned, Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await?.to_bytes();
        let headers = head.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        });
        Ok(Returned {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body,
        })
    };
    tokio::pin!(connection);
    tokio::pin!(exchange);
    tokio::select! {
        response = &mut exchange => response,
        ended = &mut connection => match ended {
            // The response may be complete although the connection has ended.
            Ok(()) => exchange.await,
            Err(error) => Err(error.into()),
        },
    }
}

/// TLS with the certificates of this machine, read once.
fn config() -> Result<Arc<ClientConfig>, String> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("this machine has no root certificates".to_owned());
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_go_into_path_and_query() {
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let none = BTreeMap::new();
        assert_eq!(
            full("http://x/{id}", &one("id", "a/b"), &none),
            "http://x/a%2Fb"
        );
        assert_eq!(full("http://x", &none, &one("q", "a b")), "http://x?q=a+b");
        assert_eq!(
            full("http://x?y=1", &none, &one("q", "1")),
            "http://x?y=1&q=1"
        );
    }
}

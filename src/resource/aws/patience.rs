//! How long a call waits for the service. The SDK's read timeout starts with the request, so
//! that an upload that takes longer than it fails, however well it goes. Here the clock of a
//! large request starts again with each piece that the connection takes.
//!
//! No limit covers all attempts of a call: each ends when nothing moves, and their number is
//! limited.

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// A request of at most so many bytes is sent at once; the SDK's own timeout does for it.
const SMALL: u64 = 64 << 10;

/// How many bytes are handed to the connection at a time.
const PIECE: usize = 64 << 10;

/// The most that is still on its way, in buffers of the connection and the system, when the last
/// piece was taken: 4 MiB. It gets twice the read timeout on top, which with 60 s is a line of
/// 32 KiB a second.
const ON_ITS_WAY: u64 = 4 << 20;

/// An HTTP client whose read timeout does not count the time of an upload.
#[derive(Debug)]
pub(super) struct Patient(SharedHttpClient);

impl Patient {
    /// Puts itself in front of a client.
    pub(super) fn new(inner: impl HttpClient + 'static) -> Self {
        Self(SharedHttpClient::new(inner))
    }
}

impl HttpClient for Patient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let mut untimed = HttpConnectorSettings::builder();
        if let Some(connect) = settings.connect_timeout() {
            untimed = untimed.connect_timeout(connect);
        }
        SharedHttpConnector::new(Waiting {
            inner: self.0.http_connector(settings, components),
            untimed: self.0.http_connector(&untimed.build(), components),
            timeout: settings.read_timeout(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct Waiting {
    inner: SharedHttpConnector,
    untimed: SharedHttpConnector,
    timeout: Option<Duration>,
}

impl HttpConnector for Waiting {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let size = request.body().content_length();
        let (Some(timeout), true) = (self.timeout, size.is_none_or(|size| size > SMALL)) else {
            return self.inner.call(request);
        };
        let on_its_way = size.unwrap_or(ON_ITS_WAY).min(ON_ITS_WAY);
        let patience = timeout + (timeout * 2).mul_f64(on_its_way as f64 / ON_ITS_WAY as f64);
        let progress = Progress::default();
        let body = std::mem::replace(request.body_mut(), SdkBody::taken());
        *request.body_mut() = SdkBody::from_body_1_x(Pieces {
            body,
            rest: Bytes::new(),
            progress: progress.clone(),
        });
        let call = self.untimed.call(request);
        HttpConnectorFuture::new(async move {
            let mut call = pin!(call);
            loop {
                let until = progress.last() + patience;
                tokio::select! {
                    reply = &mut call => return reply,
                    () = tokio::time::sleep_until(until) => {}
                }
                if progress.last() + patience <= Instant::now() {
                    return Err(ConnectorError::timeout(
                        format!(
                            "no byte was sent and no reply came for {} s",
                            patience.as_secs()
                        )
                        .into(),
                    ));
                }
            }
        })
    }
}

/// When the connection took the last piece.
#[derive(Debug, Clone)]
struct Progress(Arc<Mutex<Instant>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Progress {
    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// A body in pieces, each of which is noted when it is taken.
struct Pieces {
    body: SdkBody,
    /// What is left of the current frame.
    rest: Bytes,
    progress: Progress,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.progress.note();
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                // Trailers.
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(inner.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::aws::Aws;
    use crate::resource::aws::connect::{Settings, http_client, timeouts};
    use crate::resource::error::{CallResult, Effect, Error};
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    /// What the server does with a request.
    #[derive(Clone, Copy)]
    enum Server {
        /// Takes 1 MiB every so many milliseconds, then replies.
        Slow(u64),
        /// Takes this many bytes, then nothing more.
        Stops(usize),
        /// Takes all and never replies.
        Silent,
    }

    /// Serves one connection; its address.
    fn serve(server: Server) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                thread::spawn(move || take(stream, server));
            }
        });
        url
    }

    fn take(mut stream: TcpStream, server: Server) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let (_, length) = head.split_once("content-length: ").unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        if head.contains("expect: 100-continue") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        }
        let mut taken = 0;
        let mut buffer = vec![0; 1 << 20];
        while taken < length {
            if matches!(server, Server::Stops(at) if taken >= at) {
                thread::sleep(Duration::from_secs(60));
            }
            let want = buffer.len().min(length - taken);
            stream.read_exact(&mut buffer[..want]).unwrap();
            taken += want;
            if let Server::Slow(millis) = server {
                thread::sleep(Duration::from_millis(millis));
            }
        }
        if matches!(server, Server::Silent) {
            thread::sleep(Duration::from_secs(60));
        }
        let reply = "HTTP/1.1 200 OK\r\netag: \"a\"\r\ncontent-length: 0\r\n\r\n";
        let _ = stream.write_all(reply.as_bytes());
    }

    /// Puts an object of so many KiB with a read timeout of `timeout` milliseconds.
    async fn put(server: Server, size: usize, timeout: u64) -> (Result<(), Error>, Duration) {
        let settings = Settings {
            endpoint_url: Some(serve(server)),
            unpaced: true,
            ..Settings::default()
        };
        let timeouts = timeouts(Duration::from_millis(timeout));
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-west-2"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(
                "k", "s", None,
            )))
            .endpoint_url(settings.endpoint_url.clone().unwrap_or_default())
            .http_client(http_client(&settings, None).unwrap())
            .timeout_config(timeouts)
            .build();
        let aws = Aws::new(config, true);
        let started = Instant::now();
        let call = aws.s3_once().put_object().bucket("b").key("k");
        let reply = call.body(vec![7; size << 10].into()).send().await;
        (reply.call("s3:PutObject").map(drop), started.elapsed())
    }

    #[tokio::test]
    async fn an_upload_may_take_longer_than_the_read_timeout() {
        let (result, took) = put(Server::Slow(100), 24 << 10, 400).await;
        result.unwrap();
        assert!(took > Duration::from_millis(1500), "{took:?}");
    }

    #[tokio::test]
    async fn a_reply_that_does_not_come_is_a_timeout() {
        for size in [1, 100, 1 << 10] {
            let (result, took) = put(Server::Silent, size, 300).await;
            let error = result.unwrap_err();
            assert_eq!(error.effect(), Effect::Unknown, "{error}");
            assert!(took > Duration::from_millis(290), "{took:?}");
            assert!(took < Duration::from_secs(3), "{took:?}");
        }
    }

    #[tokio::test]
    async fn an_upload_that_stops_is_a_timeout() {
        let (result, took) = put(Server::Stops(1 << 20), 24 << 10, 300).await;
        assert_eq!(result.unwrap_err().effect(), Effect::Unknown);
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}

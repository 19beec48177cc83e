//! How large a reply may be, and which failures of a connection are final. Every call of every
//! client goes through this file: an endpoint that never stops sending costs a bounded amount of
//! memory, and one whose certificate is not trusted is asked once.

use crate::files::LARGEST_STATE;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The most bytes of a reply: the largest replies of the services have a few megabytes.
pub(crate) const LARGEST_REPLY: u64 = 64 << 20;

/// The most bytes of an object that is read from S3: a little more than of the largest state, whose
/// reader says what is too large.
pub(crate) const LARGEST_OBJECT: u64 = LARGEST_STATE + (1 << 20);

/// A reply is larger than it may be.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the reply is larger than {} MiB, the most that is read of one", limit >> 20)]
pub(crate) struct TooLarge {
    limit: u64,
}

/// An HTTP client that reads so much of a reply and no more.
#[derive(Debug)]
pub(super) struct Bounded(SharedHttpClient);

impl Bounded {
    /// Puts itself in front of a client.
    pub(super) fn new(inner: impl HttpClient + 'static) -> Self {
        Self(SharedHttpClient::new(inner))
    }
}

impl HttpClient for Bounded {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Counting(self.0.http_connector(settings, components)))
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct Counting(SharedHttpConnector);

impl HttpConnector for Counting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let limit = limit_of(request.uri());
        let call = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let reply = call.await?;
            Ok(reply.map(|body| {
                SdkBody::from_body_1_x(Counted {
                    body,
                    limit,
                    left: limit,
                })
            }))
        })
    }
}

/// The S3 client names the one call whose replies are objects in the query.
fn limit_of(uri: &str) -> u64 {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    if query.split('&').any(|part| part == "x-id=GetObject") {
        LARGEST_OBJECT
    } else {
        LARGEST_REPLY
    }
}

/// A body that fails where it goes on beyond its limit.
struct Counted {
    body: SdkBody,
    limit: u64,
    left: u64,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => {
                    // What was not read yet is not waited for.
                    self.body = SdkBody::taken();
                    let limit = self.limit;
                    return Poll::Ready(Some(Err(TooLarge { limit }.into())));
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}

/// Whether the call would fail in the same way again: the reply is too large, or the other side
/// cannot be trusted or spoken with.
pub(super) fn is_final(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<TooLarge>()) || is_untrusted(error)
}

/// Whether TLS ended the connection before anything was sent: the certificate is not trusted, not
/// valid now, or not for this name, or the other side does not speak TLS as we do.
pub(crate) fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        matches!(
            cause.downcast_ref::<rustls::Error>(),
            Some(
                rustls::Error::InvalidCertificate(_)
                    | rustls::Error::NoCertificatesPresented
                    | rustls::Error::UnsupportedNameType
                    | rustls::Error::PeerIncompatible(_)
                    | rustls::Error::InvalidMessage(_)
            )
        )
    })
}

/// An error and all behind it. An [`std::io::Error`] holds another one that is not its source.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn Error + 'static) = *error;
        let held = error.downcast_ref::<std::io::Error>();
        let held = held.and_then(std::io::Error::get_ref);
        match held {
            Some(held) => Some(held as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn read(mut body: Counted) -> Result<usize, Box<dyn Error + Send + Sync>> {
        let mut size = 0;
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            size += frame?.data_ref().map_or(0, Bytes::len);
        }
        Ok(size)
    }

    fn counted(bytes: usize, limit: u64) -> Counted {
        Counted {
            body: SdkBody::from(vec![b'x'; bytes]),
            limit,
            left: limit,
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        assert_eq!(read(counted(100, 100)).await.unwrap(), 100);
        let error = read(counted(101, 100)).await.unwrap_err();
        assert!(error.is::<TooLarge>() && is_final(error.as_ref()));
    }

    #[test]
    fn objects_may_be_larger_than_replies() {
        assert_eq!(
            limit_of("https://b.s3.amazonaws.com/k?x-id=GetObject"),
            LARGEST_OBJECT
        );
        assert_eq!(
            limit_of("https://b.s3.amazonaws.com/k?list-type=2"),
            LARGEST_REPLY
        );
        assert_eq!(
            limit_of("https://sqs.us-west-2.amazonaws.com/"),
            LARGEST_REPLY
        );
    }

    #[test]
    fn a_certificate_is_final_and_a_broken_connection_is_not() {
        use std::io::{Error, ErrorKind};
        let unknown = rustls::CertificateError::UnknownIssuer;
        let tls = Error::new(
            ErrorKind::InvalidData,
            rustls::Error::InvalidCertificate(unknown),
        );
        assert!(is_untrusted(&Error::other(tls)));
        assert!(!is_final(&Error::from(ErrorKind::ConnectionReset)));
        assert!(!is_final(&Error::new(
            ErrorKind::InvalidData,
            rustls::Error::DecryptError
        )));
    }
}

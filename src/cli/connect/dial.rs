//! Opening the connection.

use super::super::args::connect::ConnectArgs;
use super::super::error::CliError;
use super::super::reads;
use super::explain;
use super::target::Target;
use crate::report::terminal::escape;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// An open connection.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
/// What comes from it.
pub(super) type Read = Option<Result<Message, Error>>;

/// A connection to be opened.
pub(super) struct Dial<'d> {
    pub(super) url: &'d str,
    pub(super) target: &'d Target,
    pub(super) args: &'d ConnectArgs,
}

impl Dial<'_> {
    /// Opens it: signed if the other side asks for that, and the stack is known.
    pub(super) async fn open(&self) -> Result<Socket, CliError> {
        let request = self.request()?;
        match self.send(request).await? {
            Ok(socket) => Ok(socket),
            Err((status, body))
                if explain::asks_for_signature(status, &body) && self.target.stack.is_some() =>
            {
                let signed = self.send(self.signed().await?).await?;
                signed.map_err(|(status, body)| explain::refusal(self.url, status, &body, true))
            }
            Err((status, body)) => Err(explain::refusal(self.url, status, &body, false)),
        }
    }

    fn request(&self) -> Result<Request, CliError> {
        self.url.into_client_request().map_err(|error| {
            CliError::new(format!("{} is no WebSocket address.", escape(self.url)))
                .caused_by(&error)
                .hint("An address begins with wss:// or ws://.")
        })
    }

    /// The socket, or the status and the body of the refusal.
    async fn send(&self, request: Request) -> Result<Result<Socket, (u16, String)>, CliError> {
        let place = escape(self.url);
        let opened = tokio::time::timeout(self.args.timeout, connect_async(request)).await;
        let opened = opened.map_err(|_| {
            CliError::new(format!(
                "{place} did not open a connection within {} s.",
                self.args.timeout.as_secs()
            ))
            .now("Nothing was sent.")
            .hint("Try again, or give it more time: --timeout 1m.")
        })?;
        match opened {
            Ok((socket, _)) => Ok(Ok(socket)),
            Err(Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                let body = String::from_utf8_lossy(body).into_owned();
                Ok(Err((response.status().as_u16(), body)))
            }
            Err(error) => Err(CliError::new(format!("{place} cannot be reached."))
                .caused_by(&error)
                .now("Nothing was sent.")
                .hint(
                    "The host name of a new API takes a minute until it is known everywhere; that \
                     of a deleted one is gone.",
                )),
        }
    }

    /// The request with a signature of the stack's credentials.
    async fn signed(&self) -> Result<Request, CliError> {
        let mut request = self.request()?;
        let Some(stack) = &self.target.stack else {
            return Ok(request);
        };
        let aws = stack.clients(&self.args.cloud).await?;
        aws.sign_connection(&self.target.url, &mut request)
            .await
            .map_err(|error| reads::resource_error(&error))?;
        Ok(request)
    }
}

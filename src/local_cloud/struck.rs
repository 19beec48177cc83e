//! A call as the faults have it: what happens before the service sees it, and after.

use super::cloud::Inner;
use super::fault::{self, Lot, What};
use super::late;
use super::service::{Refusal, Reply, Request, Service};
use bytes::Bytes;
use std::time::Duration;

/// How a connection ends without a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is reset.
    Reset,
    /// The client's patience ends.
    Timeout,
}

/// A call, and what it is to suffer.
#[derive(Debug)]
pub(super) struct Struck {
    /// The service's signing name and the operation: `sqs:CreateQueue`.
    pub(super) operation: String,
    /// An action beside its own that the call needs and the caller may not do.
    denied: Option<&'static str>,
    lot: Lot,
}

impl Struck {
    /// Draws what happens to a call.
    pub(super) fn draw(inner: &Inner, service: &dyn Service, request: &Request) -> Self {
        let operation = format!("{}:{}", service.signing_name(), service.operation(request));
        let mut lot = inner.draw(&operation);
        let further = fault::further_action(&operation, request);
        let beside = further.and_then(|action| inner.draw_action(action).what);
        let refused = |what: &What| matches!(what, What::Deny | What::NoTags);
        let denied = further.filter(|_| beside.as_ref().is_some_and(refused));
        if denied.is_some() && lot.what.is_none() {
            lot.what = beside;
        }
        Self {
            operation,
            denied,
            lot,
        }
    }

    /// What happens before the service sees the request; the reply where it never does.
    pub(super) async fn before(
        &self,
        inner: &Inner,
        service: &dyn Service,
        request: &mut Request,
        patience: Duration,
    ) -> Result<Option<Reply>, Broken> {
        let latency = inner.latency + self.lot.latency;
        if latency > patience {
            tokio::time::sleep(patience).await;
            return Err(Broken::Timeout);
        }
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match self.lot.what {
            Some(What::KillBefore) => inner.die().await,
            Some(What::KillInFlight(millis)) => {
                late::keep(inner, service.signing_name(), request, millis);
                inner.die().await;
            }
            Some(What::Reset) => return Err(Broken::Reset),
            Some(What::Silence(millis)) => {
                let silence = Duration::from_millis(millis).min(patience);
                tokio::time::sleep(silence.div_f64(inner.speed)).await;
                return Err(Broken::Timeout);
            }
            Some(What::Handler(handler)) => handler.carry(request),
            Some(What::Panic) => {
                panic!("{}", String::from_utf8_lossy(&request.body));
            }
            _ => {}
        }
        if let Some(What::Lag) = self.lot.what
            && let Some(Ok(body)) = fault::lagging(&self.operation)
        {
            return Ok(Some(Reply {
                status: 200,
                headers: Vec::new(),
                body: body.into(),
            }));
        }
        let refusal = self.refusal(service.signing_name(), request);
        Ok(refusal.map(|refusal| service.refuse(request, &refusal)))
    }

    /// The refusal that takes the place of the service's reply.
    fn refusal(&self, service: &str, request: &Request) -> Option<Refusal> {
        Some(match self.lot.what.as_ref()? {
            What::Throttle => fault::throttle(service),
            // What the caller may not read is omitted from the reply, and the call goes through.
            What::Deny if self.denied == Some("lambda:ListTags") => return None,
            What::Deny => fault::denial(service, self.denied.unwrap_or(&self.operation)),
            What::NoTags => {
                let message = "The tags in this request are not supported in this partition.";
                Refusal::new(400, "UnsupportedArgument", message)
            }
            What::Lag => return fault::lagging(&self.operation)?.err(),
            What::Refused => fault::refusal(),
            What::Answer(answer) => Refusal::new(answer.status, &answer.code, &answer.message),
            What::Expired => fault::expired(service),
            What::MissingMd5 => fault::missing_md5(),
            What::Conflict => fault::conflict(),
            What::Precondition => fault::precondition(),
            What::Echo => fault::echo(request),
            What::Error(status) => fault::failure(service, *status),
            _ => return None,
        })
    }

    /// What happens to the service's reply.
    pub(super) async fn after(&self, inner: &Inner, mut reply: Reply) -> Result<Reply, Broken> {
        match self.lot.what {
            Some(What::Deny | What::HalfLag) => {
                if let Some(body) = fault::without(&reply.body, &self.operation) {
                    reply.body = body.into();
                }
            }
            Some(What::Hollow) if reply.status < 300 => {
                reply.body = fault::hollow(&reply.body, &self.operation).into();
                reply
                    .headers
                    .retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
            }
            Some(What::KillAfter) => inner.die().await,
            Some(What::LostReply) => return Err(Broken::Reset),
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
        Ok(reply)
    }
}

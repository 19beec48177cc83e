//! Requests of Cloud Control: each is followed to its end.

use crate::resource::aws::send::send;
use crate::resource::context::Cx;
use crate::resource::error::{CallError, Effect, Error};
use aws_sdk_cloudcontrol::types::{OperationStatus, ProgressEvent};
use std::time::Duration;
use tokio::time::Instant;

/// The pause before a request's status is asked again, where the service names none: the first,
/// and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(20));

/// How a request ended.
pub(super) enum Followed {
    /// It was done.
    Succeeded(Box<ProgressEvent>),
    /// The type's handler failed.
    Failed(Error, Box<ProgressEvent>),
}

impl Followed {
    /// Whether it was done.
    ///
    /// # Errors
    /// The handler's.
    pub(super) fn succeeded(self) -> Result<(), Error> {
        match self {
            Self::Succeeded(_) => Ok(()),
            Self::Failed(error, _) => Err(error),
        }
    }

    /// The identifier of the resource that it named, however it ended.
    pub(super) fn into_identifier(self) -> Option<String> {
        match self {
            Self::Succeeded(event) | Self::Failed(_, event) => event.identifier,
        }
    }
}

/// The client token of a step's request: the operation of a create, so that the same request sent
/// again is the same, and a new one for each that was refused; drawn for what may be done twice.
pub(super) fn token(operation: &str, number: u32) -> String {
    match operation {
        "" => hex::encode(rand::random::<[u8; 16]>()),
        _ => format!("{operation}-{number}"),
    }
}

/// The event in a reply.
pub(super) fn event(
    call: &'static str,
    event: Option<ProgressEvent>,
) -> Result<ProgressEvent, Error> {
    event.ok_or_else(|| Error::incomplete(call, "ProgressEvent"))
}

/// The failure of a handler: it did nothing, or what it did is looked at by itself.
pub(super) fn failure(call: &'static str, code: &str, message: &str) -> Error {
    Error::Call(Box::new(CallError {
        call,
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: None,
        bucket_region: None,
        status: None,
        effect: Effect::None,
    }))
}

fn failed(call: &'static str, event: &ProgressEvent) -> Error {
    let code = match (&event.error_code, &event.operation_status) {
        (Some(code), _) => code.as_str(),
        (None, Some(OperationStatus::CancelComplete)) => "cancelled",
        (None, _) => "GeneralServiceException",
    };
    let message = event.status_message.as_deref();
    let message = message.unwrap_or("the service says no more");
    let mut error = failure(call, code, message);
    if let Error::Call(call) = &mut error {
        call.request_id.clone_from(&event.request_token);
    }
    error
}

/// Follows a request to its end, for at most `limit` (or `options.timeouts`). `named` gets the
/// resource's identifier as soon as the service has it.
pub(super) async fn follow(
    cx: &Cx,
    call: &'static str,
    mut event: ProgressEvent,
    limit: Duration,
    mut named: impl FnMut(&str),
) -> Result<Followed, Error> {
    let (started, limit) = (Instant::now(), cx.limit(limit));
    let mut pause = PAUSES.0;
    loop {
        match &event.operation_status {
            Some(OperationStatus::Success) => return Ok(Followed::Succeeded(Box::new(event))),
            Some(OperationStatus::Failed | OperationStatus::CancelComplete) => {
                return Ok(Followed::Failed(failed(call, &event), Box::new(event)));
            }
            _ => {}
        }
        if let Some(identifier) = &event.identifier {
            named(identifier);
        }
        let Some(token) = event.request_token.clone() else {
            return Err(Error::incomplete(call, "RequestToken"));
        };
        let wait = cx
            .aws
            .real(asked_for(&event, started.elapsed()).unwrap_or(pause));
        pause = (pause * 3 / 2).min(PAUSES.1);
        let now = seen(&event);
        let left = limit.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(Error::Timeout {
                waited_for: format!("the request {token}"),
                seconds: limit.as_secs(),
                last: now,
            });
        }
        cx.waiting(&format!("waiting for Cloud Control (now {now})"));
        // At the limit it is asked once more.
        tokio::time::sleep(wait.min(left)).await;
        event = status(cx, call, &token).await?;
    }
}

/// A request's status, in the service's words.
fn seen(event: &ProgressEvent) -> String {
    let status = event.operation_status.as_ref();
    let status = status.map_or("unknown", OperationStatus::as_str);
    match event.status_message.as_deref() {
        Some(message) if !message.is_empty() => format!("{status}: {message}"),
        _ => status.to_owned(),
    }
}

/// The pause that the service asks for; none where it would be longer than any: the request was
/// begun long ago. The event has the time of its beginning, by the service's clock.
fn asked_for(event: &ProgressEvent, since: Duration) -> Option<Duration> {
    let (begun, until) = (event.event_time.as_ref()?, event.retry_after.as_ref()?);
    let seconds = until.as_secs_f64() - begun.as_secs_f64();
    let pause = Duration::try_from_secs_f64(seconds)
        .ok()?
        .checked_sub(since)?;
    (pause <= PAUSES.1).then_some(pause)
}

/// How a request stands. The request itself goes on, whatever becomes of this call.
pub(super) async fn status(
    cx: &Cx,
    call: &'static str,
    token: &str,
) -> Result<ProgressEvent, Error> {
    let ask = cx.aws.cloud_control().get_resource_request_status();
    let reply = send!(
        ask.request_token(token),
        "cloudformation:GetResourceRequestStatus"
    );
    let reply = reply.map_err(|error| Error::Unsure {
        error: Box::new(error),
        lookup_error: None,
    })?;
    event(call, reply.progress_event)
}

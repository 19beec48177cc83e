//! A request that was accepted, and how far it is.

use super::call::{Write, unreadable};
use crate::local_cloud::fault::Handler;
use crate::local_cloud::service::Refusal;
use crate::local_cloud::stamps;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long a request waits before it starts, in milliseconds of local time.
const PENDING_MS: u64 = 20;
/// How long its handler then takes, where no fault says otherwise. AWS takes seconds to minutes.
const RUNNING_MS: u64 = 40;
/// How long requests are kept: 7 days (ListResourceRequests, API reference).
pub(super) const KEPT_MS: u64 = 7 * 24 * 3_600_000;

/// How far a request is (`OperationStatus`, API reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    InProgress,
    Success,
    Failed,
    CancelInProgress,
    CancelComplete,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::CancelInProgress => "CANCEL_IN_PROGRESS",
            Self::CancelComplete => "CANCEL_COMPLETE",
        }
    }
}

/// How a request fails.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Failure {
    /// The handler's error code: `NotStabilized`, …
    code: String,
    message: String,
}

impl Failure {
    pub(super) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }

    /// The failure that a fault demands.
    pub(super) fn of(handler: &Handler, type_name: &str) -> Option<Self> {
        let code = handler.code.as_deref()?;
        let message = match handler.message.as_str() {
            "" => format!("{type_name} Handler returned status FAILED."),
            message => message.to_owned(),
        };
        Some(Self::new(code, message))
    }
}

/// What is kept of a request. Times are in milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) token: String,
    pub(super) operation: String,
    type_name: String,
    identifier: String,
    /// The resource's key in the store.
    pub(super) resource_key: String,
    /// Whether the identifier is returned from the start, whatever becomes of the request: AWS
    /// does so where the caller could tell it, even for one that fails since the resource exists
    /// (AWS in pulumi/pulumi-aws-native#1138).
    foreseen: bool,
    /// Whether it has its effect, though it may fail.
    pub(super) effect: bool,
    started: u64,
    /// When it leaves PENDING.
    pub(super) runs: u64,
    /// When it is at its end.
    pub(super) ends: u64,
    failure: Option<Failure>,
    /// What its handler says as long as it runs; may be empty.
    #[serde(default)]
    says: String,
    /// When it was cancelled.
    pub(super) cancelled: Option<u64>,
}

impl Ticket {
    pub(super) fn new(now: u64, write: &Write, handler: &Handler, resource_key: String) -> Self {
        let runs = now + PENDING_MS;
        Self {
            token: stamps::uuid(),
            operation: write.operation.to_owned(),
            type_name: write.kind.name().to_owned(),
            identifier: write.identifier.clone(),
            resource_key,
            foreseen: write.foreseen,
            effect: write.effect,
            started: now,
            runs,
            ends: runs + handler.millis.unwrap_or(RUNNING_MS),
            failure: write.failure.clone(),
            says: handler.message.clone(),
            cancelled: None,
        }
    }

    pub(super) fn read(value: Value) -> Result<Self, Refusal> {
        serde_json::from_value(value).map_err(|error| unreadable(&error))
    }

    pub(super) fn is_expired(&self, now: u64) -> bool {
        self.started + KEPT_MS <= now
    }

    /// Where it stands among all: the newest first.
    pub(super) fn place(&self) -> String {
        format!("{:020}/{}", u64::MAX - self.started, self.token)
    }

    pub(super) fn status(&self, now: u64) -> Status {
        match self.cancelled {
            Some(at) if at < self.runs || self.ends <= now => Status::CancelComplete,
            Some(_) => Status::CancelInProgress,
            None if now < self.runs => Status::Pending,
            None if now < self.ends => Status::InProgress,
            None if self.failure.is_some() => Status::Failed,
            None => Status::Success,
        }
    }

    /// The `ProgressEvent` (API reference); times in seconds since 1970. `EventTime` is when the
    /// request came in, `RetryAfter` when it will be at its end.
    pub(super) fn event(&self, now: u64) -> Value {
        let status = self.status(now);
        let mut event = json!({
            "TypeName": self.type_name,
            "RequestToken": self.token,
            "Operation": self.operation,
            "OperationStatus": status.name(),
            "EventTime": seconds(self.started),
        });
        if self.foreseen || self.effect && self.runs <= now && status != Status::CancelComplete {
            event["Identifier"] = json!(self.identifier);
        }
        if matches!(status, Status::Pending | Status::InProgress) {
            event["RetryAfter"] = json!(seconds(self.ends));
        }
        if status == Status::InProgress && !self.says.is_empty() {
            event["StatusMessage"] = json!(self.says);
        }
        if let Some(failure) = self.failure.as_ref().filter(|_| status == Status::Failed) {
            event["ErrorCode"] = json!(failure.code);
            event["StatusMessage"] = json!(failure.message);
        }
        event
    }
}

fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}

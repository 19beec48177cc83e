//! The Invoke call (Lambda API reference): now, later, or only checked.

use super::instance::{Invocation, Outcome};
use super::later;
use super::pool::Throttled;
use super::{find, request_id};
use crate::local_cloud::lambda::{self, Runnable};
use crate::local_cloud::live::Live;
use crate::local_cloud::service::{Refusal, Reply, Request};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::Value;

/// The largest event, in bytes.
const SYNCHRONOUS: usize = 6_291_456;
/// The largest event of an asynchronous invocation, in bytes.
const ASYNCHRONOUS: usize = 1_048_576;
/// The longest client context in base64, in bytes.
const CONTEXT: usize = 3583;

/// Whether a request to Lambda is an Invoke.
pub(in crate::local_cloud) fn is_invoke(request: &Request) -> bool {
    lambda::invoked(request)
}

/// The reply to an Invoke.
pub(in crate::local_cloud) async fn call(live: &Live, request: Request) -> Reply {
    match invoke(live, &request).await {
        Ok(reply) => reply,
        Err(refusal) => lambda::refuse_call(&request, &refusal),
    }
}

/// What a refused invocation says.
pub(super) fn throttled(why: Throttled) -> Refusal {
    let reason = match why {
        Throttled::Reserved => "ReservedFunctionConcurrentInvocationLimitExceeded",
        Throttled::Machine => "ConcurrentInvocationLimitExceeded",
    };
    Refusal::new(
        429,
        "TooManyRequestsException",
        format!("Rate Exceeded. Reason: {reason}"),
    )
}

async fn invoke(live: &Live, request: &Request) -> Result<Reply, Refusal> {
    let name = lambda::invoke_target(request).unwrap_or_default();
    let qualifier = request.query.iter().find(|(name, _)| name == "Qualifier");
    let qualifier = qualifier.map(|(_, value)| value.as_str());
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    let kind = header("x-amz-invocation-type").unwrap_or("RequestResponse");
    let tail = match header("x-amz-log-type") {
        None | Some("None") => false,
        Some("Tail") => true,
        Some(other) => return Err(wrong("logType", other, "None, Tail")),
    };
    let most = match kind {
        "RequestResponse" | "DryRun" => SYNCHRONOUS,
        "Event" => ASYNCHRONOUS,
        other => {
            return Err(wrong(
                "invocationType",
                other,
                "Event, RequestResponse, DryRun",
            ));
        }
    };
    let function = find(live, &request.region, (&name, qualifier))?;
    let size = request.body.len();
    if size > most {
        return Err(Refusal::new(
            413,
            "RequestTooLargeException",
            format!(
                "{size} byte payload is too large for the {kind} invocation type (limit {most} bytes)"
            ),
        ));
    }
    let payload = payload(&request.body)?;
    if kind == "DryRun" {
        return Ok(reply(204, &function.version, Bytes::new()));
    }
    let client_context = header("x-amz-client-context").map(context).transpose()?;
    let arn = match qualifier {
        None => function.arn.clone(),
        Some(qualifier) => format!("{}:{qualifier}", function.arn),
    };
    let invocation = Invocation {
        id: request_id(),
        payload,
        arn,
        client_context,
    };
    if kind == "Event" {
        later::put(live, &function, &invocation)?;
        let mut accepted = reply(202, &function.version, Bytes::new());
        let id = ("x-amzn-requestid".to_owned(), invocation.id);
        accepted.headers.push(id);
        return Ok(accepted);
    }
    let id = invocation.id.clone();
    let running = live.functions().pool.run(live, &function, invocation);
    let outcome = running.await.map_err(throttled)?;
    Ok(answer(&function, id, outcome, tail))
}

fn wrong(member: &str, value: &str, set: &str) -> Refusal {
    Refusal::new(
        400,
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{set}]"
        ),
    )
}

/// The event: JSON, and an empty map where nothing is sent.
fn payload(body: &Bytes) -> Result<Bytes, Refusal> {
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) => Ok(body.clone()),
        Err(why) => Err(Refusal::new(
            400,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {why}"),
        )),
    }
}

fn context(text: &str) -> Result<String, Refusal> {
    let decoded = BASE64_STANDARD.decode(text).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let fits = |text: &String| serde_json::from_str::<Value>(text).is_ok_and(|it| it.is_object());
    decoded
        .filter(|decoded| text.len() <= CONTEXT && fits(decoded) && !decoded.contains(['\n', '\r']))
        .ok_or_else(|| {
            Refusal::new(
                400,
                "InvalidRequestContentException",
                "Client context must be a valid Base64-encoded JSON object.",
            )
        })
}

fn reply(status: u16, version: &str, body: Bytes) -> Reply {
    Reply {
        status,
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-amz-executed-version".to_owned(), version.to_owned()),
        ],
        body,
    }
}

fn answer(function: &Runnable, id: String, outcome: Outcome, tail: bool) -> Reply {
    let mut reply = reply(200, &function.version, outcome.payload);
    let mut add = |name: &str, value: String| reply.headers.push((name.to_owned(), value));
    add("x-amzn-requestid", id);
    if outcome.failed {
        add("x-amz-function-error", "Unhandled".to_owned());
    }
    if tail {
        add("x-amz-log-result", BASE64_STANDARD.encode(outcome.tail));
    }
    reply
}

//! Lambda: functions, their permissions, event source mappings on queues.
//!
//! Wire: REST with JSON.
//! What runs is run by `functions`, while the cloud is served.
//! Laxer than AWS: layers, subnets, images and keys are not looked up; no
//! aliases, code signing or function URLs. Event sources are SQS queues only.

mod code;
mod concurrency;
mod function;
mod mapping;
mod mapping_settings;
mod members;
mod model;
mod name;
mod permission;
mod role;
mod runnable;
mod settings;
mod structures;
mod tags;
mod update;
mod version;

pub(super) use permission::permits;
pub(super) use runnable::{
    Polled, Runnable, exists, invoke_target, invoked, polled, refuse as refuse_call, runnable,
};

use super::service::{Refusal, Reply, Request, Service, Store};
use super::stamps;
use members::Members;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// The service.
pub struct Lambda;

/// One call: the request, its path's variables, its members, the store.
struct Call<'a> {
    request: &'a Request,
    store: &'a mut dyn Store,
    /// The path's variable parts, decoded.
    path: Vec<String>,
    body: Members,
}

/// A status and the document that goes with it; null is an empty body.
type Answer = Result<(u16, Value), Refusal>;

type Operation = fn(Call<'_>) -> Answer;

/// Method, path with `*` for variable parts, name.
type Row = (&'static str, &'static str, &'static str, Operation);

const OPERATIONS: &[Row] = &[
    (
        "POST",
        "2015-03-31/functions",
        "CreateFunction",
        function::create,
    ),
    (
        "GET",
        "2015-03-31/functions",
        "ListFunctions",
        function::list,
    ),
    (
        "GET",
        "2015-03-31/functions/*",
        "GetFunction",
        function::get,
    ),
    (
        "DELETE",
        "2015-03-31/functions/*",
        "DeleteFunction",
        function::delete,
    ),
    (
        "GET",
        "2015-03-31/functions/*/configuration",
        "GetFunctionConfiguration",
        function::get_configuration,
    ),
    (
        "PUT",
        "2015-03-31/functions/*/configuration",
        "UpdateFunctionConfiguration",
        update::configuration,
    ),
    (
        "PUT",
        "2015-03-31/functions/*/code",
        "UpdateFunctionCode",
        update::code,
    ),
    (
        "POST",
        "2015-03-31/functions/*/versions",
        "PublishVersion",
        version::publish_version,
    ),
    (
        "GET",
        "2015-03-31/functions/*/versions",
        "ListVersionsByFunction",
        version::list,
    ),
    (
        "POST",
        "2015-03-31/functions/*/invocations",
        "Invoke",
        runnable::invoke_unserved,
    ),
    (
        "PUT",
        "2017-10-31/functions/*/concurrency",
        "PutFunctionConcurrency",
        concurrency::put,
    ),
    (
        "DELETE",
        "2017-10-31/functions/*/concurrency",
        "DeleteFunctionConcurrency",
        concurrency::delete,
    ),
    (
        "GET",
        "2019-09-30/functions/*/concurrency",
        "GetFunctionConcurrency",
        concurrency::get,
    ),
    (
        "POST",
        "2015-03-31/functions/*/policy",
        "AddPermission",
        permission::add,
    ),
    (
        "GET",
        "2015-03-31/functions/*/policy",
        "GetPolicy",
        permission::get,
    ),
    (
        "DELETE",
        "2015-03-31/functions/*/policy/*",
        "RemovePermission",
        permission::remove,
    ),
    ("GET", "2017-03-31/tags/*", "ListTags", tags::list),
    ("POST", "2017-03-31/tags/*", "TagResource", tags::add),
    ("DELETE", "2017-03-31/tags/*", "UntagResource", tags::remove),
    (
        "POST",
        "2015-03-31/event-source-mappings",
        "CreateEventSourceMapping",
        mapping::create,
    ),
    (
        "GET",
        "2015-03-31/event-source-mappings",
        "ListEventSourceMappings",
        mapping::list,
    ),
    (
        "GET",
        "2015-03-31/event-source-mappings/*",
        "GetEventSourceMapping",
        mapping::get,
    ),
    (
        "PUT",
        "2015-03-31/event-source-mappings/*",
        "UpdateEventSourceMapping",
        mapping::update,
    ),
    (
        "DELETE",
        "2015-03-31/event-source-mappings/*",
        "DeleteEventSourceMapping",
        mapping::delete,
    ),
];

/// The row for a request and the variable parts of its path.
fn find(request: &Request) -> Option<(&'static Row, Vec<String>)> {
    let parts: Vec<&str> = request
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    OPERATIONS.iter().find_map(|row| {
        let pattern: Vec<&str> = row.1.split('/').collect();
        let fits = row.0 == request.method
            && pattern.len() == parts.len()
            && pattern
                .iter()
                .zip(&parts)
                .all(|(pattern, part)| *pattern == "*" || pattern == part);
        if !fits {
            return None;
        }
        let variables = pattern
            .iter()
            .zip(&parts)
            .filter(|(pattern, _)| **pattern == "*");
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Some((row, variables.map(|(_, part)| decode(part)).collect()))
    })
}

impl Service for Lambda {
    fn signing_name(&self) -> &'static str {
        "lambda"
    }

    fn operation(&self, request: &Request) -> String {
        find(request).map_or_else(|| "Unknown".to_owned(), |(row, _)| row.2.to_owned())
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        let Some((row, path)) = find(request) else {
            let message = "The local cloud does not have this operation of Lambda.";
            return Err(Refusal::new(404, "UnknownOperationException", message));
        };
        // The body of an Invoke is the function's event.
        let body = match row.2 {
            "Invoke" => Members::default(),
            _ => Members::parse(&request.body)?,
        };
        let (status, document) = (row.3)(Call {
            request,
            store,
            path,
            body,
        })?;
        Ok(reply(status, &document))
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        let side = if refusal.status < 500 {
            "User"
        } else {
            "Service"
        };
        let mut document = json!({"Type": side, "Message": refusal.message});
        // Validation and routing reply before the service does, with `message` in lower case.
        if refusal.code == "ValidationException" {
            document = json!({"message": refusal.message});
        }
        let mut reply = reply(refusal.status, &document);
        reply
            .headers
            .push(("x-amzn-errortype".to_owned(), refusal.code.clone()));
        reply
    }
}

fn reply(status: u16, document: &Value) -> Reply {
    let body = if document.is_null() {
        String::new()
    } else {
        document.to_string()
    };
    Reply {
        status,
        headers: vec![
            ("x-amzn-requestid".to_owned(), stamps::uuid()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ],
        body: body.into(),
    }
}

/// `InvalidParameterValueException`.
fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterValueException", message)
}

/// `ResourceNotFoundException`.
fn missing(message: impl Into<String>) -> Refusal {
    Refusal::new(404, "ResourceNotFoundException", message)
}

/// `ResourceConflictException`.
fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::new(409, "ResourceConflictException", message)
}

impl Call<'_> {
    /// A query parameter.
    fn query(&self, name: &str) -> Option<&str> {
        let found = self.request.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A page of a list under `name`, with `NextMarker` when more follows.
    fn page(&self, name: &str, items: Vec<Value>, default: usize) -> Answer {
        let size = match self.query("MaxItems").map(str::parse::<usize>) {
            None => default,
            Some(Ok(size @ 1..=10_000)) => size.min(default),
            Some(_) => return Err(invalid("MaxItems must be between 1 and 10000")),
        };
        let start = match self.query("Marker").map(str::parse::<usize>) {
            None => 0,
            Some(Ok(start)) => start,
            Some(Err(_)) => return Err(invalid("Invalid marker")),
        };
        let end = items.len().min(start.saturating_add(size));
        let more = end < items.len();
        let page: Vec<Value> = items.into_iter().skip(start).take(size).collect();
        let mut document = json!({});
        document[name] = page.into();
        if more {
            document["NextMarker"] = end.to_string().into();
        }
        Ok((200, document))
    }
}

#[cfg(test)]
mod tests;

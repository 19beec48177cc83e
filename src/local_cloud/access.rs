//! What a role's session may do: its policies, evaluated for each call of a client on the wire.
//!
//! The owner may do everything. Of the calls that functions make in the first place the action and
//! the resource are known exactly; of all others the action is the operation's name, and the
//! resource `*`, so that only a statement for all resources allows them.

use super::callers::Caller;
use super::iam::Role;
use super::query::Form;
use super::service::{ACCOUNT, Refusal, Request, Store};
use crate::resource::aws::partition_of;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What a call does, in the words of policies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) action: String,
    /// The ARN of what it is done to, or `*`.
    pub(super) resource: String,
}

/// The refusal of a request that its caller may not make; none where it may.
pub(super) fn refusal(
    service: &str,
    act: &Act,
    request: &Request,
    now: u64,
    store: &dyn Store,
) -> Option<Refusal> {
    let caller = Caller::of(request, store);
    let session = caller.session?;
    let Act { action, resource } = act;
    // Everybody may ask who they are (STS API reference, GetCallerIdentity).
    let is_free = action == "sts:GetCallerIdentity";
    let may = |role: &Role| role.allows(store, action, resource, now);
    if is_free || session.role.as_ref().is_some_and(may) {
        return None;
    }
    let message = format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} because no \
         identity-based policy allows the {action} action",
        caller.arn
    );
    Some(denied(service, message))
}

/// How a service refuses what the caller may not do.
pub(super) fn denied(service: &str, message: String) -> Refusal {
    let (status, code) = match service {
        "s3" | "iam" | "sts" | "sqs" => (403, "AccessDenied"),
        "apigateway" | "lambda" => (403, "AccessDeniedException"),
        "execute-api" => (403, "ForbiddenException"),
        "sns" => (403, "AuthorizationError"),
        _ => (400, "AccessDeniedException"),
    };
    Refusal::new(status, code, message)
}

/// The service's name in actions. Cloud Control's actions are CloudFormation's
/// (aws/aws-sdk#140).
pub(super) fn prefix(service: &str) -> &str {
    match service {
        "cloudcontrolapi" => "cloudformation",
        service => service,
    }
}

/// What a call does.
pub(super) fn act(service: &str, operation: &str, request: &Request) -> Act {
    let known = match service {
        "sqs" => sqs(operation, request),
        "sns" => sns(operation, request),
        "s3" => s3(operation, request),
        "lambda" => lambda(request),
        "logs" => logs(operation, request),
        "execute-api" => connections(request),
        _ => None,
    };
    known.unwrap_or_else(|| Act {
        // The actions of API Gateway are the methods (service authorization reference).
        action: match service {
            "apigateway" => format!("apigateway:{}", request.method),
            _ => format!("{}:{operation}", prefix(service)),
        },
        resource: "*".to_owned(),
    })
}

/// The ARN of something in the request's region.
fn arn(request: &Request, service: &str, rest: &str) -> String {
    let (partition, _) = partition_of(&request.region);
    format!(
        "arn:{partition}:{service}:{}:{ACCOUNT}:{rest}",
        request.region
    )
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

/// Service authorization reference, "Actions, resources, and condition keys for Amazon SQS": a
/// batch needs what the single call needs.
fn sqs(operation: &str, request: &Request) -> Option<Act> {
    let body = body(request);
    let name = match body["QueueUrl"].as_str() {
        Some(url) => url.rsplit('/').next()?,
        None => body["QueueName"].as_str()?,
    };
    Some(Act {
        action: format!("sqs:{}", operation.trim_end_matches("Batch")),
        resource: arn(request, "sqs", name),
    })
}

fn sns(operation: &str, request: &Request) -> Option<Act> {
    if !matches!(operation, "Publish" | "PublishBatch") {
        return None;
    }
    let form = Form::parse(request);
    let target = form.get("TopicArn").or_else(|| form.get("TargetArn"))?;
    Some(Act {
        action: "sns:Publish".to_owned(),
        resource: target.to_owned(),
    })
}

/// Amazon S3 user guide, "Required permissions for Amazon S3 API operations".
fn s3(operation: &str, request: &Request) -> Option<Act> {
    let action = match operation {
        "GetObject" | "HeadObject" => "GetObject",
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            "PutObject"
        }
        "AbortMultipartUpload" => "AbortMultipartUpload",
        "DeleteObject" => "DeleteObject",
        "ListObjects" | "ListObjectsV2" | "HeadBucket" => "ListBucket",
        "ListBuckets" => "ListAllMyBuckets",
        _ => return None,
    };
    let (bucket, key) = super::s3::bucket_and_key(request);
    let (partition, _) = partition_of(&request.region);
    let resource = match (bucket.as_str(), action) {
        ("", _) => "*".to_owned(),
        (bucket, "ListBucket") => format!("arn:{partition}:s3:::{bucket}"),
        (bucket, _) => format!("arn:{partition}:s3:::{bucket}/{key}"),
    };
    Some(Act {
        action: format!("s3:{action}"),
        resource,
    })
}

/// `POST /2015-03-31/functions/{name}/invocations`; the name may be an ARN.
fn lambda(request: &Request) -> Option<Act> {
    let mut parts = request.path.trim_matches('/').split('/');
    let (_, "functions", name, "invocations", None) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next(),
    ) else {
        return None;
    };
    let name = percent_decode_str(name).decode_utf8_lossy();
    let name = name.rsplit("function:").next()?;
    Some(Act {
        action: "lambda:InvokeFunction".to_owned(),
        resource: arn(request, "lambda", &format!("function:{name}")),
    })
}

/// `/@connections/{id}` of a stage, by path or by host (API Gateway developer guide, "Use IAM
/// authorization" of WebSocket APIs).
fn connections(request: &Request) -> Option<Act> {
    let (before, id) = request.path.split_once("/@connections")?;
    let place = match before.strip_prefix("/_api/") {
        Some(place) => place.to_owned(),
        None => {
            let api = request.headers.get("host")?.split('.').next()?;
            format!("{api}{before}")
        }
    };
    let place = format!("{place}/{}/@connections{id}", request.method);
    Some(Act {
        action: "execute-api:ManageConnections".to_owned(),
        resource: arn(
            request,
            "execute-api",
            &percent_decode_str(&place).decode_utf8_lossy(),
        ),
    })
}

fn logs(operation: &str, request: &Request) -> Option<Act> {
    let body = body(request);
    let group = body["logGroupName"].as_str()?;
    let rest = match (operation, body["logStreamName"].as_str()) {
        ("CreateLogGroup", _) => format!("log-group:{group}"),
        ("PutLogEvents", Some(stream)) => format!("log-group:{group}:log-stream:{stream}"),
        ("CreateLogStream" | "PutLogEvents", _) => format!("log-group:{group}:*"),
        _ => return None,
    };
    Some(Act {
        action: format!("logs:{operation}"),
        resource: arn(request, "logs", &rest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, body: &str) -> Request {
        let uri = uri.parse().unwrap();
        let mut request = super::super::wire::request(method, &uri, std::iter::empty());
        request.region = "eu-west-1".to_owned();
        request.body = body.to_owned().into();
        request
    }

    #[test]
    fn a_call_is_an_action_on_a_resource() {
        let queue = r#"{"QueueUrl": "http://localhost:1/000000000000/q"}"#;
        let stream = r#"{"logGroupName": "/a", "logStreamName": "b"}"#;
        let invoke = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax%3A0%3Afunction%3Af/invocations";
        for (service, operation, sent, expected) in [
            (
                "sqs",
                "SendMessageBatch",
                request("POST", "/", queue),
                "sqs:SendMessage arn:aws:sqs:eu-west-1:000000000000:q",
            ),
            (
                "sqs",
                "ListQueues",
                request("POST", "/", "{}"),
                "sqs:ListQueues *",
            ),
            (
                "sns",
                "Publish",
                request("POST", "/", "Action=Publish&TopicArn=arn:t"),
                "sns:Publish arn:t",
            ),
            (
                "s3",
                "HeadObject",
                request("HEAD", "/b/k%20l/m", ""),
                "s3:GetObject arn:aws:s3:::b/k l/m",
            ),
            (
                "s3",
                "ListObjectsV2",
                request("GET", "/b?list-type=2", ""),
                "s3:ListBucket arn:aws:s3:::b",
            ),
            (
                "lambda",
                "Invoke",
                request("POST", invoke, ""),
                "lambda:InvokeFunction arn:aws:lambda:eu-west-1:000000000000:function:f",
            ),
            (
                "logs",
                "PutLogEvents",
                request("POST", "/", stream),
                "logs:PutLogEvents arn:aws:logs:eu-west-1:000000000000:log-group:/a:log-stream:b",
            ),
            (
                "execute-api",
                "",
                request("POST", "/_api/a1/live/@connections/x%3D", ""),
                "execute-api:ManageConnections \
                 arn:aws:execute-api:eu-west-1:000000000000:a1/live/POST/@connections/x=",
            ),
            (
                "execute-api",
                "",
                request(
                    "GET",
                    "http://a1.execute-api.localhost/live/@connections/x",
                    "",
                ),
                "execute-api:ManageConnections \
                 arn:aws:execute-api:eu-west-1:000000000000:a1/live/GET/@connections/x",
            ),
            (
                "apigateway",
                "GetApis",
                request("GET", "/v2/apis", ""),
                "apigateway:GET *",
            ),
            (
                "cloudcontrolapi",
                "GetResource",
                request("POST", "/", ""),
                "cloudformation:GetResource *",
            ),
        ] {
            let act = act(service, operation, &sent);
            assert_eq!(format!("{} {}", act.action, act.resource), expected);
        }
    }
}

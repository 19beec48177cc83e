//! Integrations: what an API calls.

use super::members::{Doc, Member, Protocol, Shape, fill, text};
use super::{Cx, Kind, bad, conflict};
use crate::local_cloud::service::Refusal;
use serde_json::{Value, json};

const TLS: &[Member] = &[Member::new("serverNameToVerify", Shape::Text(1, 512))];

pub(super) const MEMBERS: &[Member] = &[
    Member::new(
        "integrationType",
        Shape::OneOf(&["AWS", "HTTP", "MOCK", "HTTP_PROXY", "AWS_PROXY"]),
    )
    .needed(),
    Member::new("connectionId", Shape::Text(1, 1024)),
    Member::new("connectionType", Shape::OneOf(&["INTERNET", "VPC_LINK"])),
    Member::new(
        "contentHandlingStrategy",
        Shape::OneOf(&["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]),
    )
    .only(Protocol::WebSocket),
    Member::new("credentialsArn", Shape::Text(1, 2048)),
    Member::new("description", Shape::Text(0, 1024)),
    Member::new("integrationMethod", Shape::Text(1, 64)),
    Member::new("integrationSubtype", Shape::Text(1, 128)).only(Protocol::Http),
    Member::new("integrationUri", Shape::Text(1, 2048)),
    Member::new(
        "passthroughBehavior",
        Shape::OneOf(&["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"]),
    )
    .only(Protocol::WebSocket),
    Member::new("payloadFormatVersion", Shape::OneOf(&["1.0", "2.0"])),
    Member::new("requestParameters", Shape::Texts(1, 512)).merged(),
    Member::new("requestTemplates", Shape::Texts(0, 32_768)).only(Protocol::WebSocket),
    Member::new("responseParameters", Shape::Maps)
        .merged()
        .only(Protocol::Http),
    Member::new("templateSelectionExpression", Shape::Text(1, 1024)).only(Protocol::WebSocket),
    Member::new("timeoutInMillis", Shape::Number(50, 30_000)),
    Member::new("tlsConfig", Shape::Object(TLS)).only(Protocol::Http),
];

const METHODS: &[&str] = &[
    "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

/// Fills in what AWS fills in, and checks what a table cannot say. `given` is what the
/// request sent.
pub(super) fn complete(doc: &mut Doc, given: &Doc, protocol: Protocol) -> Result<(), Refusal> {
    action_parameters(doc, given)?;
    match protocol {
        Protocol::WebSocket => web_socket(doc)?,
        Protocol::Http => http(doc)?,
    }
    let kind = text(doc, "integrationType").to_owned();
    if kind.starts_with("AWS") && text(doc, "integrationSubtype").is_empty() {
        fill(doc, &[("integrationMethod", json!("POST"))]);
    }
    let method = text(doc, "integrationMethod");
    if method.is_empty() && kind.starts_with("HTTP") {
        return Err(bad(
            "integrationMethod must be given for this integrationType.",
        ));
    }
    if !method.is_empty() && !METHODS.contains(&method) {
        return Err(bad(format!("Invalid HTTP method specified: {method}")));
    }
    fill(
        doc,
        &[
            ("connectionType", json!("INTERNET")),
            ("payloadFormatVersion", json!("1.0")),
        ],
    );
    connection(doc)?;
    credentials(text(doc, "credentialsArn"))
}

/// With a subtype the parameters are those of the service's action: each request brings all of
/// them, and none is empty (hashicorp/terraform-provider-aws#50061).
fn action_parameters(doc: &mut Doc, given: &Doc) -> Result<(), Refusal> {
    if text(doc, "integrationSubtype").is_empty() {
        return Ok(());
    }
    let Some(sent) = given.get("requestParameters") else {
        return Ok(());
    };
    if maps(given, "requestParameters").any(|(key, value)| key.is_empty() || value.is_empty()) {
        return Err(bad("Mapping expression missing source or destination"));
    }
    doc.insert("requestParameters".to_owned(), sent.clone());
    Ok(())
}

fn web_socket(doc: &mut Doc) -> Result<(), Refusal> {
    let kind = text(doc, "integrationType");
    let uri = text(doc, "integrationUri");
    let bad_uri = || bad(format!("Invalid integration URI specified: {uri}"));
    match kind {
        "AWS" if service_of(uri).is_none() => return Err(bad_uri()),
        "AWS_PROXY" if service_of(uri) != Some("lambda") => return Err(bad_uri()),
        "HTTP" | "HTTP_PROXY" if !is_url(uri) => return Err(bad_uri()),
        _ => {}
    }
    let lambda = service_of(uri) == Some("lambda");
    if text(doc, "payloadFormatVersion") == "2.0" {
        return Err(bad("payloadFormatVersion must be 1.0 for a WebSocket API."));
    }
    let timeout = doc.get("timeoutInMillis").and_then(Value::as_i64);
    if timeout.is_some_and(|millis| millis > 29_000) {
        return Err(bad("Timeout should be between 50 ms and 29000 ms."));
    }
    mappings(doc)?;
    let selection = if lambda {
        "${integration.response.body.errorMessage}"
    } else {
        "${integration.response.statuscode}"
    };
    doc.insert(
        "integrationResponseSelectionExpression".to_owned(),
        json!(selection),
    );
    fill(
        doc,
        &[
            ("passthroughBehavior", json!("WHEN_NO_MATCH")),
            ("requestTemplates", json!({})),
            ("requestParameters", json!({})),
            ("timeoutInMillis", json!(29_000)),
        ],
    );
    Ok(())
}

/// How a WebSocket API transforms a message: request parameters and templates.
fn mappings(doc: &Doc) -> Result<(), Refusal> {
    for (key, value) in maps(doc, "requestParameters") {
        if ![
            "header",
            "querystring",
            "path",
            "multivalueheader",
            "multivaluequerystring",
        ]
        .iter()
        .any(|place| key.starts_with(&format!("integration.request.{place}.")))
            || !is_mapping(value)
        {
            return Err(bad(format!(
                "Invalid mapping expression specified: {key}: {value}. A constant stands \
                 between single quotes."
            )));
        }
    }
    if maps(doc, "requestTemplates")
        .map(|(_, text)| text.len())
        .sum::<usize>()
        > 300 * 1024
    {
        return Err(bad(
            "The request templates are larger than 300 KB together.",
        ));
    }
    Ok(())
}

/// What an HTTP API may call.
fn http_target(doc: &Doc) -> Result<(), Refusal> {
    let kind = text(doc, "integrationType");
    let uri = text(doc, "integrationUri");
    let subtype = text(doc, "integrationSubtype");
    let version = text(doc, "payloadFormatVersion");
    let private = text(doc, "connectionType") == "VPC_LINK";
    let bad_uri = || bad(format!("Invalid integration URI specified: {uri}"));
    match kind {
        "AWS_PROXY" if !subtype.is_empty() => {
            if !uri.is_empty() {
                return Err(bad(
                    "integrationUri and integrationSubtype exclude each other.",
                ));
            }
            if text(doc, "credentialsArn").is_empty() {
                return Err(bad(
                    "credentialsArn must be given with an integrationSubtype.",
                ));
            }
        }
        _ if !subtype.is_empty() => {
            return Err(bad(
                "integrationSubtype needs the integrationType AWS_PROXY.",
            ));
        }
        "AWS_PROXY" => {
            if version.is_empty() {
                return Err(bad(
                    "payloadFormatVersion must be given for this integration.",
                ));
            }
            let function = uri.starts_with("arn:") && uri.contains(":lambda:");
            if !function && service_of(uri) != Some("lambda") {
                return Err(bad_uri());
            }
        }
        "HTTP_PROXY" => {
            if version == "2.0" {
                return Err(bad(
                    "payloadFormatVersion must be 1.0 for this integration.",
                ));
            }
            let listener = private && uri.starts_with("arn:");
            if !is_url(uri) && !listener {
                return Err(bad_uri());
            }
        }
        other => {
            return Err(bad(format!(
                "integrationType {other} is not supported on protocolType HTTP."
            )));
        }
    }
    Ok(())
}

fn http(doc: &mut Doc) -> Result<(), Refusal> {
    http_target(doc)?;
    let private = text(doc, "connectionType") == "VPC_LINK";
    if doc.contains_key("tlsConfig") && !private {
        return Err(bad("tlsConfig needs the connectionType VPC_LINK."));
    }
    for (status, _) in doc
        .get("responseParameters")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let code = status.parse::<u16>();
        if !matches!(code, Ok(200..=599)) {
            return Err(bad(format!(
                "Invalid status code in responseParameters: {status}"
            )));
        }
    }
    fill(doc, &[("timeoutInMillis", json!(30_000))]);
    Ok(())
}

fn connection(doc: &Doc) -> Result<(), Refusal> {
    let private = text(doc, "connectionType") == "VPC_LINK";
    match (private, text(doc, "connectionId").is_empty()) {
        (true, true) => Err(bad(
            "connectionId must be given with the connectionType VPC_LINK.",
        )),
        (false, false) => Err(bad("connectionId needs the connectionType VPC_LINK.")),
        _ => Ok(()),
    }
}

/// A role's ARN, or the one that represents the caller.
fn credentials(arn: &str) -> Result<(), Refusal> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let good = match parts[..] {
        ["arn", _, "iam", "", account, name] => {
            name.len() > "role/".len() && name.starts_with("role/") && account.len() == 12
                || (account, name) == ("*", "user/*")
        }
        _ => arn.is_empty(),
    };
    if good {
        Ok(())
    } else {
        Err(bad(format!("Invalid ARN specified in the request: {arn}")))
    }
}

/// The service in `arn:{partition}:apigateway:{region}:{service}:path/…` or `…:action/…`.
fn service_of(uri: &str) -> Option<&str> {
    let parts: Vec<&str> = uri.splitn(6, ':').collect();
    match parts[..] {
        ["arn", partition, "apigateway", region, service, action]
            if !partition.is_empty() && !region.is_empty() && !service.is_empty() =>
        {
            let rest = action
                .strip_prefix("path/")
                .or_else(|| action.strip_prefix("action/"))?;
            (!rest.is_empty()).then_some(service)
        }
        _ => None,
    }
}

fn is_url(uri: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        uri.strip_prefix(scheme)
            .is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
    })
}

/// A constant between single quotes, or a part of the request, the context or the stage.
fn is_mapping(value: &str) -> bool {
    let quoted = value.len() >= 2 && value.starts_with('\'') && value.ends_with('\'');
    let value = value.strip_prefix('$').unwrap_or(value);
    quoted
        || ["route.request.", "request.", "context.", "stageVariables."]
            .iter()
            .any(|root| value.starts_with(root))
}

fn maps<'d>(doc: &'d Doc, name: &str) -> impl Iterator<Item = (&'d str, &'d str)> {
    doc.get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
}

/// An integration that a route targets cannot be deleted.
pub(super) fn check_delete(cx: &Cx<'_>, id: &str) -> Result<(), Refusal> {
    let target = format!("integrations/{id}");
    let users: Vec<String> = cx
        .list(Kind::Route, "")
        .into_iter()
        .filter(|(_, route)| text(route, "target") == target)
        .map(|(_, route)| text(&route, "routeKey").to_owned())
        .collect();
    if users.is_empty() {
        return Ok(());
    }
    Err(conflict(format!(
        "Cannot delete Integration because it is referenced by the following Routes: {}.",
        users.join(", ")
    )))
}

//! Routes and route responses.

use super::members::{Doc, Member, Protocol, Shape, fill, text};
use super::{Cx, Kind, bad, conflict};
use crate::local_cloud::service::Refusal;
use serde_json::{Value, json};

const CONSTRAINTS: &[Member] = &[Member::new("required", Shape::Flag)];

pub(super) const MEMBERS: &[Member] = &[
    Member::new("routeKey", Shape::Text(1, 1024)).needed(),
    Member::new("apiKeyRequired", Shape::Flag).only(Protocol::WebSocket),
    Member::new("authorizationScopes", Shape::List(10, (1, 64))),
    Member::new(
        "authorizationType",
        Shape::OneOf(&["NONE", "AWS_IAM", "CUSTOM", "JWT"]),
    ),
    Member::new("authorizerId", Shape::Text(1, 64)),
    Member::new("modelSelectionExpression", Shape::Text(1, 1024)).only(Protocol::WebSocket),
    Member::new("operationName", Shape::Text(1, 64)),
    Member::new("requestModels", Shape::Texts(1, 128)).only(Protocol::WebSocket),
    Member::new("requestParameters", Shape::Objects(CONSTRAINTS))
        .merged()
        .only(Protocol::WebSocket),
    Member::new(
        "routeResponseSelectionExpression",
        Shape::OneOf(&["$default", ""]),
    )
    .only(Protocol::WebSocket),
    Member::new("target", Shape::Text(1, 128)),
];

pub(super) const RESPONSE_MEMBERS: &[Member] = &[
    Member::new("routeResponseKey", Shape::OneOf(&["$default"])).needed(),
    Member::new("modelSelectionExpression", Shape::Text(1, 1024)),
    Member::new("responseModels", Shape::Texts(1, 128)),
    Member::new("responseParameters", Shape::Objects(CONSTRAINTS)).merged(),
];

const METHODS: &[&str] = &[
    "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

/// Fills in what AWS fills in, and checks the route against the rest of its API. `id` is
/// that of the route itself; a new one has none.
pub(super) fn complete(cx: &Cx<'_>, doc: &mut Doc, id: Option<&str>) -> Result<(), Refusal> {
    let key = text(doc, "routeKey");
    let good = match cx.protocol {
        Protocol::WebSocket => {
            matches!(key, "$connect" | "$disconnect" | "$default")
                || !key.starts_with('$') && !key.trim().is_empty() && key.len() <= 128
        }
        Protocol::Http => {
            key == "$default"
                || key.split_once(' ').is_some_and(|(method, path)| {
                    METHODS.contains(&method) && path.starts_with('/') && !path.contains(' ')
                })
        }
    };
    if !good {
        return Err(bad(format!(
            "The provided route key is not formatted properly: {key}"
        )));
    }
    if cx
        .list(Kind::Route, "")
        .iter()
        .any(|(other, route)| Some(other.as_str()) != id && text(route, "routeKey") == key)
    {
        return Err(conflict(format!(
            "Route with key {key} already exists for this API"
        )));
    }
    let target = text(doc, "target");
    let integration = target.strip_prefix("integrations/");
    if !target.is_empty() && integration.is_none_or(|id| cx.get(Kind::Integration, "", id).is_err())
    {
        return Err(bad(format!("Invalid target specified: {target}")));
    }
    for name in doc
        .get("requestParameters")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Doc::keys)
    {
        if !["route.request.header.", "route.request.querystring."]
            .iter()
            .any(|start| name.len() > start.len() && name.starts_with(start))
        {
            return Err(bad(format!("Invalid request parameter specified: {name}")));
        }
    }
    authorization(cx.protocol, doc)?;
    fill(
        doc,
        &[
            ("apiKeyRequired", json!(false)),
            ("authorizationType", json!("NONE")),
        ],
    );
    Ok(())
}

fn authorization(protocol: Protocol, doc: &Doc) -> Result<(), Refusal> {
    let kind = text(doc, "authorizationType");
    if kind == "JWT" && protocol == Protocol::WebSocket {
        return Err(bad(
            "authorizationType JWT is not supported on protocolType WEBSOCKET.",
        ));
    }
    let authorizer = text(doc, "authorizerId");
    if matches!(kind, "JWT" | "CUSTOM") && authorizer.is_empty() {
        return Err(bad(format!(
            "authorizerId must be given with authorizationType {kind}."
        )));
    }
    if !authorizer.is_empty() {
        return Err(bad(format!(
            "Invalid authorizer ID specified: {authorizer}. The local cloud has no authorizers."
        )));
    }
    let scopes = doc.get("authorizationScopes").and_then(Value::as_array);
    if kind != "JWT" && scopes.is_some_and(|scopes| !scopes.is_empty()) {
        return Err(bad("authorizationScopes need authorizationType JWT."));
    }
    Ok(())
}

/// Checks a route response against the others of its route.
pub(super) fn check_response(
    cx: &Cx<'_>,
    doc: &Doc,
    route: &str,
    id: Option<&str>,
) -> Result<(), Refusal> {
    if cx.protocol == Protocol::Http {
        return Err(bad("RouteResponse is not supported on protocolType HTTP."));
    }
    let key = text(doc, "routeResponseKey");
    if cx
        .list(Kind::RouteResponse, route)
        .iter()
        .any(|(other, doc)| Some(other.as_str()) != id && text(doc, "routeResponseKey") == key)
    {
        return Err(conflict(format!(
            "RouteResponse with key {key} already exists for this Route"
        )));
    }
    Ok(())
}

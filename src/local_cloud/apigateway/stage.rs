//! Stages and deployments.

use super::members::{Doc, Member, Protocol, Shape, fill, is_on, text};
use super::{Cx, Kind, account, bad, check_tags, conflict, snapshot};
use crate::local_cloud::service::Refusal;
use crate::resource::aws::apigatewayv2::log_format;
use serde_json::{Value, json};

/// How long a deployment is PENDING.
const DEPLOYING_MS: u64 = 100;

const ACCESS_LOG: &[Member] = &[
    Member::new("destinationArn", Shape::Text(1, 2048)),
    Member::new("format", Shape::Text(1, 3072)),
];

const SETTINGS: &[Member] = &[
    Member::new("dataTraceEnabled", Shape::Flag).only(Protocol::WebSocket),
    Member::new("detailedMetricsEnabled", Shape::Flag),
    Member::new("loggingLevel", Shape::OneOf(&["ERROR", "INFO", "OFF"])).only(Protocol::WebSocket),
    Member::new("throttlingBurstLimit", Shape::Number(0, 1_000_000)),
    Member::new("throttlingRateLimit", Shape::Rate),
];

pub(super) const MEMBERS: &[Member] = &[
    Member::new("stageName", Shape::Text(1, 128))
        .needed()
        .once(),
    Member::new("accessLogSettings", Shape::Object(ACCESS_LOG)).merged(),
    Member::new("autoDeploy", Shape::Flag),
    Member::new("clientCertificateId", Shape::Text(1, 1024)).only(Protocol::WebSocket),
    Member::new("defaultRouteSettings", Shape::Object(SETTINGS)).merged(),
    Member::new("deploymentId", Shape::Text(1, 64)),
    Member::new("description", Shape::Text(0, 1024)),
    Member::new("routeSettings", Shape::Objects(SETTINGS)).merged(),
    Member::new("stageVariables", Shape::Texts(0, 2048)).merged(),
    Member::new("tags", Shape::Texts(1, 1600)).once(),
];

pub(super) const DEPLOYMENT_MEMBERS: &[Member] = &[
    Member::new("description", Shape::Text(0, 1024)),
    Member::new("stageName", Shape::Text(1, 128)).once(),
];

/// Fills in what AWS fills in, and checks what a table cannot say. `given` is what the
/// request sent.
pub(super) fn complete(cx: &Cx<'_>, doc: &mut Doc, given: &Doc, new: bool) -> Result<(), Refusal> {
    let name = text(doc, "stageName");
    check_name(name, cx.protocol)?;
    if new && cx.get(Kind::Stage, "", name).is_ok() {
        return Err(conflict(format!("Stage already exists: {name}")));
    }
    check_tags(doc.get("tags"))?;
    let deployment = text(given, "deploymentId");
    if given.contains_key("deploymentId") && is_on(doc, "autoDeploy") {
        return Err(bad(
            "Deployment ID cannot be set on stage because AutoDeploy is enabled.",
        ));
    }
    if !deployment.is_empty() {
        cx.get(Kind::Deployment, "", deployment)?;
    }
    access_log(doc)?;
    logs(cx, given)?;
    variables(doc)?;
    if given.contains_key("routeSettings") {
        route_settings(cx, doc)?;
    }
    fill(
        doc,
        &[
            ("autoDeploy", json!(false)),
            ("defaultRouteSettings", json!({})),
            ("routeSettings", json!({})),
            ("stageVariables", json!({})),
            ("tags", json!({})),
            ("createdDate", json!(cx.date())),
        ],
    );
    doc.insert("lastUpdatedDate".to_owned(), json!(cx.date()));
    if let Some(Value::Object(settings)) = doc.get_mut("defaultRouteSettings") {
        fill(settings, &[("detailedMetricsEnabled", json!(false))]);
        if cx.protocol == Protocol::WebSocket {
            let off = [
                ("dataTraceEnabled", json!(false)),
                ("loggingLevel", json!("OFF")),
            ];
            fill(settings, &off);
        }
    }
    Ok(())
}

fn check_name(name: &str, protocol: Protocol) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.chars().all(plain) || name == "$default" && protocol == Protocol::Http {
        return Ok(());
    }
    Err(bad(format!(
        "Stage name only allows a-zA-Z0-9_- characters: {name}"
    )))
}

fn access_log(doc: &mut Doc) -> Result<(), Refusal> {
    let Some(Value::Object(settings)) = doc.get("accessLogSettings") else {
        return Ok(());
    };
    if settings.is_empty() {
        doc.remove("accessLogSettings");
        return Ok(());
    }
    let format = text(settings, "format");
    if log_format::has_lines(format) {
        return Err(bad(
            "Access Log format must be single line, new line character is allowed only at end \
             of the format",
        ));
    }
    if !log_format::logs_request_id(format) {
        return Err(bad(
            "Access Log format must contain at least one of: $context.requestId, \
             $context.extendedRequestId",
        ));
    }
    let arn = text(settings, "destinationArn");
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let good = match parts[..] {
        ["arn", _, "logs", region, account, rest] => {
            let name = rest.strip_prefix("log-group:").unwrap_or_default();
            !region.is_empty() && !account.is_empty() && !name.is_empty() && !name.contains(':')
        }
        ["arn", _, "firehose", region, account, rest] => {
            !region.is_empty() && !account.is_empty() && rest.starts_with("deliverystream/")
        }
        _ => false,
    };
    if !good {
        return Err(bad(format!(
            "Invalid ARN specified in the request: {arn}. The destination of access logs is a \
             log group's ARN without :*, or a Firehose stream's."
        )));
    }
    if text(settings, "format").is_empty() {
        return Err(bad("accessLogSettings must have a format."));
    }
    Ok(())
}

/// Logs of a WebSocket API, of both kinds, are written with the account's role; those of an HTTP
/// API are not. Looked at in what a request sends.
fn logs(cx: &Cx<'_>, given: &Doc) -> Result<(), Refusal> {
    if cx.protocol != Protocol::WebSocket || account::has_role(cx) {
        return Ok(());
    }
    let object = |name: &str| given.get(name).and_then(Value::as_object);
    let traced = |settings: &Doc| {
        is_on(settings, "dataTraceEnabled")
            || matches!(text(settings, "loggingLevel"), "ERROR" | "INFO")
    };
    let routes = object("routeSettings").into_iter().flat_map(Doc::values);
    let wanted = object("accessLogSettings").is_some_and(|settings| !settings.is_empty())
        || object("defaultRouteSettings").is_some_and(traced)
        || routes.filter_map(Value::as_object).any(traced);
    if wanted {
        return Err(bad(
            "CloudWatch Logs role ARN must be set in account settings to enable logging",
        ));
    }
    Ok(())
}

fn variables(doc: &Doc) -> Result<(), Refusal> {
    let Some(Value::Object(variables)) = doc.get("stageVariables") else {
        return Ok(());
    };
    if variables.len() > 100 {
        return Err(bad("A stage can have no more than 100 variables."));
    }
    for (name, value) in variables {
        let value = value.as_str().unwrap_or_default();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(word) {
            return Err(bad(format!("Invalid stage variable name: {name}")));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=,".contains(c);
        if !value.chars().all(plain) {
            return Err(bad(format!(
                "Invalid stage variable value for {name}: only A-Za-z0-9-._~:/?#&=, can be used."
            )));
        }
    }
    Ok(())
}

/// Settings can be given only to routes that exist.
fn route_settings(cx: &Cx<'_>, doc: &Doc) -> Result<(), Refusal> {
    let routes = cx.list(Kind::Route, "");
    for key in doc
        .get("routeSettings")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Doc::keys)
    {
        if !routes
            .iter()
            .any(|(_, route)| text(route, "routeKey") == key)
        {
            return Err(Refusal::new(
                404,
                "NotFoundException",
                format!("Unable to find Route by key {key} within the provided RouteSettings"),
            ));
        }
    }
    Ok(())
}

/// Why the API cannot be deployed as it is.
fn undeployable(cx: &Cx<'_>) -> Option<&'static str> {
    (cx.protocol == Protocol::WebSocket && cx.list(Kind::Route, "").is_empty())
        .then_some("At least one route is required before deploying the Api.")
}

/// Creates a deployment from a checked document, and points the stage it names to it.
pub(super) fn deploy(cx: &mut Cx<'_>, doc: &mut Doc) -> Result<(), Refusal> {
    if let Some(reason) = undeployable(cx) {
        return Err(bad(reason));
    }
    let id = text(doc, "deploymentId").to_owned();
    doc.insert("_readyAt".to_owned(), json!(cx.now + DEPLOYING_MS));
    doc.insert("createdDate".to_owned(), json!(cx.date()));
    doc.insert("_holds".to_owned(), held(cx));
    snapshot::take(cx, doc);
    fill(doc, &[("autoDeployed", json!(false))]);
    let Some(Value::String(stage)) = doc.remove("stageName") else {
        return Ok(());
    };
    check_name(&stage, cx.protocol)?;
    match cx.get(Kind::Stage, "", &stage) {
        Ok(found) if is_on(&found, "autoDeploy") => {
            return Err(bad(
                "A deployment cannot be given to a stage with AutoDeploy enabled.",
            ));
        }
        Ok(mut found) => {
            found.insert("deploymentId".to_owned(), json!(id));
            found.insert("lastUpdatedDate".to_owned(), json!(cx.date()));
            cx.put(Kind::Stage, "", &stage, found);
        }
        Err(_) => {
            let given = Doc::from_iter([("stageName".to_owned(), json!(stage))]);
            let mut made = given.clone();
            complete(cx, &mut made, &given, true)?;
            made.insert("deploymentId".to_owned(), json!(id));
            cx.put(Kind::Stage, "", &stage, made);
        }
    }
    Ok(())
}

/// What the API is at this moment: the keys of its routes, and the ids of its integrations. What
/// changes afterwards is not in the deployment.
fn held(cx: &Cx<'_>) -> Value {
    let routes = cx.list(Kind::Route, "");
    let mut keys: Vec<&str> = routes.iter().map(|(_, it)| text(it, "routeKey")).collect();
    keys.sort_unstable();
    let integrations = cx.list(Kind::Integration, "").into_iter();
    let integrations: Vec<String> = integrations.map(|(id, _)| id).collect();
    json!({"routes": keys, "integrations": integrations})
}

/// Creates a deployment for the stages with `autoDeploy`: all of them, or those without a
/// deployment.
pub(super) fn auto_deploy(cx: &mut Cx<'_>, all: bool) -> Result<(), Refusal> {
    let stages: Vec<(String, Doc)> = cx
        .list(Kind::Stage, "")
        .into_iter()
        .filter(|(_, stage)| {
            is_on(stage, "autoDeploy") && (all || !stage.contains_key("deploymentId"))
        })
        .collect();
    if stages.is_empty() {
        return Ok(());
    }
    let reason = undeployable(cx);
    let id = cx.fresh_id();
    if reason.is_none() {
        let mut doc = Doc::from_iter([
            ("deploymentId".to_owned(), json!(id)),
            ("autoDeployed".to_owned(), json!(true)),
            (
                "description".to_owned(),
                json!("Automatic deployment triggered by changes to the Api configuration"),
            ),
        ]);
        deploy(cx, &mut doc)?;
        cx.put(Kind::Deployment, "", &id, doc);
    }
    for (name, mut stage) in stages {
        let message = match reason {
            Some(reason) => format!("Deployment attempt failed: {reason}"),
            None => {
                stage.insert("deploymentId".to_owned(), json!(id));
                format!("Successfully deployed stage with deployment ID '{id}'")
            }
        };
        stage.insert("lastDeploymentStatusMessage".to_owned(), json!(message));
        cx.put(Kind::Stage, "", &name, stage);
    }
    Ok(())
}

/// A deployment that a stage points to cannot be deleted.
pub(super) fn check_delete(cx: &Cx<'_>, id: &str) -> Result<(), Refusal> {
    if cx
        .list(Kind::Stage, "")
        .iter()
        .any(|(_, stage)| text(stage, "deploymentId") == id)
    {
        return Err(bad(
            "Active stages pointing to this deployment must be moved or deleted",
        ));
    }
    Ok(())
}

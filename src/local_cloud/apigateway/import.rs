//! ReimportApi: an OpenAPI document in place of an HTTP API's routes and integrations.

use super::members::{Doc, Protocol, text};
use super::{Cx, Kind, api, bad};
use crate::lang::source;
use crate::local_cloud::service::{Refusal, Request};
use serde_json::{Value, json};

/// Puts the document that the request carries in place of all that the API has.
pub(super) fn reimport(
    cx: &mut Cx<'_>,
    api: Doc,
    request: &Request,
    sent: &Doc,
) -> Result<Doc, Refusal> {
    if cx.protocol != Protocol::Http {
        return Err(bad("Only an HTTP API can be imported."));
    }
    let body = text(sent, "body");
    // JSON first: YAML would not keep the form of its numbers.
    let document: Value = serde_json::from_str(body).or_else(|_| {
        source::parse(body.as_bytes()).map_err(|faults| {
            let why = faults.first().map_or("", |fault| fault.message.as_str());
            bad(format!("Unable to parse the API definition: {why}"))
        })
    })?;
    let version = scalar(&document["openapi"]);
    let version = version.as_str().unwrap_or_default();
    if !version.starts_with("3.") {
        return Err(bad("The API definition must be an OpenAPI 3 document."));
    }
    let query = |name: &str| {
        let mut pairs = request.query.iter();
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let base = match query("basepath") {
        None | Some("ignore") => String::new(),
        Some("prepend") => base_path(&document),
        Some("split") => {
            let whole = base_path(&document);
            let rest = whole.get(1..).and_then(|parts| parts.split_once('/'));
            rest.map_or(String::new(), |(_, rest)| format!("/{rest}"))
        }
        Some(other) => return Err(bad(format!("Invalid basepath: {other}."))),
    };
    let routes = routes(&document, &base)?;
    let without = routes.iter().find(|route| route.integration.is_none());
    let strict = query("failOnWarnings") == Some("true");
    if let Some(route) = without.filter(|_| strict) {
        return Err(bad(format!(
            "Warnings found during import: no integration defined for {}.",
            route.key
        )));
    }
    for kind in [Kind::Route, Kind::Integration] {
        for (id, _) in cx.list(kind, "") {
            cx.delete(kind, "", &id)?;
        }
    }
    for route in &routes {
        make(cx, route)?;
    }
    api::update(cx, api, &described(&document))
}

/// One operation of the document.
struct Route {
    key: String,
    integration: Option<Doc>,
}

/// The first server's `basePath` variable, or what its URL has beyond `/`; without a slash at
/// its end.
fn base_path(document: &Value) -> String {
    let server = &document["servers"][0];
    let variable = server["variables"]["basePath"]["default"].as_str();
    let url = server["url"].as_str().unwrap_or_default();
    let path = || {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..])
    };
    let path = variable.unwrap_or_else(path).trim_matches('/');
    if path.is_empty() {
        String::new()
    } else {
        format!("/{path}")
    }
}

fn routes(document: &Value, base: &str) -> Result<Vec<Route>, Refusal> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let key = match (path.as_str(), method.as_str()) {
                ("/$default", "x-amazon-apigateway-any-method") => "$default".to_owned(),
                (path, "x-amazon-apigateway-any-method") => format!("ANY {base}{path}"),
                (path, "get" | "put" | "post" | "delete" | "options" | "head" | "patch") => {
                    format!("{} {base}{path}", method.to_ascii_uppercase())
                }
                _ => continue,
            };
            let given = operation["x-amazon-apigateway-integration"].as_object();
            let integration = given.map(integration);
            routes.push(Route { key, integration });
        }
    }
    if routes.is_empty() {
        return Err(bad("The API definition has no paths."));
    }
    Ok(routes)
}

/// The extension's members under the names of the API.
fn integration(given: &Doc) -> Doc {
    let names = [
        ("uri", "integrationUri"),
        ("httpMethod", "integrationMethod"),
        ("credentials", "credentialsArn"),
        ("payloadFormatVersion", "payloadFormatVersion"),
        ("connectionId", "connectionId"),
        ("connectionType", "connectionType"),
        ("timeoutInMillis", "timeoutInMillis"),
        ("description", "description"),
    ];
    let mut doc = Doc::new();
    for (from, to) in names {
        if let Some(value) = given.get(from) {
            let value = if to == "payloadFormatVersion" {
                scalar(value)
            } else {
                value.clone()
            };
            doc.insert(to.to_owned(), value);
        }
    }
    let kind = text(given, "type").to_ascii_uppercase();
    doc.insert("integrationType".to_owned(), json!(kind));
    doc
}

/// A number where a string is meant, as a string: documents have versions without quotes.
fn scalar(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    }
}

fn make(cx: &mut Cx<'_>, route: &Route) -> Result<(), Refusal> {
    let mut body = Doc::new();
    body.insert("routeKey".to_owned(), json!(route.key));
    if let Some(integration) = &route.integration {
        let made = cx.make(Kind::Integration, "", integration)?;
        let target = format!("integrations/{}", text(&made, "integrationId"));
        body.insert("target".to_owned(), json!(target));
    }
    cx.make(Kind::Route, "", &body)?;
    Ok(())
}

/// What the document says of the API itself.
fn described(document: &Value) -> Doc {
    let info = &document["info"];
    let cors = &document["x-amazon-apigateway-cors"];
    let members = [
        ("name", &info["title"]),
        ("description", &info["description"]),
        ("version", &info["version"]),
        ("corsConfiguration", cors),
    ];
    let given = members.into_iter().filter(|(_, value)| !value.is_null());
    given
        .map(|(name, value)| {
            let value = if name == "version" {
                scalar(value)
            } else {
                value.clone()
            };
            (name.to_owned(), value)
        })
        .collect()
}

//! What a function gets (API Gateway developer guide, "Create AWS Lambda proxy integrations for
//! HTTP APIs").

use super::super::integration::Call;
use super::request::{Request, joined};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Payload format 2.0.
pub(super) fn second(request: &Request, call: &Call<'_>) -> Value {
    let context = &request.incoming.context;
    let mut event = json!({
        "version": "2.0",
        "routeKey": context["routeKey"],
        "rawPath": request.full_path,
        "rawQueryString": request.raw_query,
        "headers": headers(request),
        "requestContext": {
            "accountId": context["accountId"],
            "apiId": context["apiId"],
            "domainName": context["domainName"],
            "domainPrefix": context["domainPrefix"],
            "http": {
                "method": request.method,
                "path": request.full_path,
                "protocol": context["protocol"],
                "sourceIp": context["identity"]["sourceIp"],
                "userAgent": context["identity"]["userAgent"],
            },
            "requestId": context["requestId"],
            "routeKey": context["routeKey"],
            "stage": context["stage"],
            "time": context["requestTime"],
            "timeEpoch": context["requestTimeEpoch"],
        },
    });
    let cookies: Vec<&str> = request
        .headers
        .iter()
        .filter(|(name, _)| name == "cookie")
        .flat_map(|(_, value)| value.split("; "))
        .collect();
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !request.query.is_empty() {
        event["queryStringParameters"] = json!(joined(&request.query));
    }
    if !request.parameters.is_empty() {
        event["pathParameters"] = json!(request.parameters);
    }
    if !call.variables.is_empty() {
        event["stageVariables"] = json!(call.variables);
    }
    let (body, encoded) = body(request);
    if let Some(body) = body {
        event["body"] = json!(body);
    }
    event["isBase64Encoded"] = json!(encoded);
    event
}

/// Payload format 1.0.
pub(super) fn first(request: &Request, call: &Call<'_>) -> Value {
    let context = &request.incoming.context;
    let key = context["routeKey"].as_str().unwrap_or_default();
    let resource = key.split_once(' ').map_or(key, |(_, path)| path);
    let some = |all: Value| match all.as_object().is_some_and(|all| all.is_empty()) {
        true => Value::Null,
        false => all,
    };
    let mut about = context.clone();
    about["resourceId"] = Value::Null;
    about["resourcePath"] = json!(resource);
    if let Some(about) = about.as_object_mut() {
        about.remove("routeKey");
    }
    let (body, encoded) = body(request);
    json!({
        "version": "1.0",
        "resource": resource,
        "path": request.full_path,
        "httpMethod": request.method,
        "headers": last(&request.headers),
        "multiValueHeaders": many(&request.headers),
        "queryStringParameters": some(last(&request.query)),
        "multiValueQueryStringParameters": some(many(&request.query)),
        "requestContext": about,
        "pathParameters": some(json!(request.parameters)),
        "stageVariables": some(json!(call.variables)),
        "body": body,
        "isBase64Encoded": encoded,
    })
}

/// The headers, several of one name joined; cookies stand for themselves.
fn headers(request: &Request) -> Value {
    let mut all = joined(&request.headers);
    all.remove("cookie");
    json!(all)
}

/// The last value of each name.
fn last(pairs: &[(String, String)]) -> Value {
    let pairs = pairs.iter();
    let pairs: Map<String, Value> = pairs
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    Value::Object(pairs)
}

/// All values of each name.
fn many(pairs: &[(String, String)]) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let values = all.entry(name.clone()).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(json!(value));
        }
    }
    Value::Object(all)
}

/// The body, and whether it is in base64: all is that is no text by its type.
fn body(request: &Request) -> (Option<String>, bool) {
    if request.body.is_empty() {
        return (None, false);
    }
    let kind = request.incoming.headers.get("content-type");
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let is_text = match kind {
        None => std::str::from_utf8(&request.body).is_ok(),
        Some(kind) => {
            kind.starts_with("text/")
                || kind.ends_with("+json")
                || kind.ends_with("+xml")
                || [
                    "application/json",
                    "application/javascript",
                    "application/xml",
                ]
                .contains(&kind)
        }
    };
    match is_text {
        true => (Some(request.incoming.body.clone()), false),
        false => (Some(STANDARD.encode(&request.body)), true),
    }
}

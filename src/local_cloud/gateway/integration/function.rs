//! Integrations with functions (API Gateway developer guide, "Set up Lambda proxy integrations for
//! WebSocket APIs").

use super::{Call, Failure, Place, Response, role};
use crate::local_cloud::service::{ACCOUNT, Request};
use crate::local_cloud::{lambda, live};
use crate::resource::aws::partition_of;
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a function returned.
pub(in crate::local_cloud::gateway) struct Returned {
    pub(in crate::local_cloud::gateway) body: String,
    /// The handler failed, and the body says how.
    pub(in crate::local_cloud::gateway) is_error: bool,
}

/// Invokes the function that an integration's URI names.
pub(in crate::local_cloud::gateway) async fn invoke(
    call: &Call<'_>,
    uri: &str,
    payload: String,
) -> Result<Returned, Failure> {
    let Some((region, arn)) = named(uri) else {
        return Err(Failure::Internal(format!("{uri} names no function")));
    };
    allow(call, region, arn)?;
    let name = utf8_percent_encode(arn, NON_ALPHANUMERIC);
    let invocation = (
        "x-amz-invocation-type".to_owned(),
        "RequestResponse".to_owned(),
    );
    let request = Request {
        method: "POST".to_owned(),
        path: format!("/2015-03-31/functions/{name}/invocations"),
        query: Vec::new(),
        headers: BTreeMap::from([invocation]),
        body: Bytes::from(payload),
        region: region.to_owned(),
        now: 0,
    };
    let reply = live::answer(call.live, "lambda", request).await;
    let body = String::from_utf8_lossy(&reply.body).into_owned();
    if reply.status >= 300 {
        let why = format!("Lambda returned the status {}: {body}", reply.status);
        return Err(Failure::Internal(why));
    }
    let mut headers = reply.headers.iter();
    let is_error = headers.any(|(name, _)| name.eq_ignore_ascii_case("x-amz-function-error"));
    Ok(Returned { body, is_error })
}

/// The region and the ARN of the function that a URI names: the path of its invocations, or the ARN
/// itself.
fn named(uri: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = uri.splitn(6, ':').collect();
    if let ["arn", _, "lambda", region, ..] = parts[..] {
        return Some((region, uri));
    }
    let place = Place::of(uri)?;
    let (_, rest) = place.action.split_once("functions/")?;
    Some((place.region, rest.strip_suffix("/invocations")?))
}

/// With a role its policies decide, without one the function's own.
fn allow(call: &Call<'_>, region: &str, arn: &str) -> Result<(), Failure> {
    if !call.text("credentialsArn").is_empty() {
        return role::check(call, "lambda:InvokeFunction", arn);
    }
    let served = call.served;
    let (partition, _) = partition_of(&served.region);
    // `GET /pets` is GET/pets in an ARN.
    let route = call.incoming.context["routeKey"]
        .as_str()
        .unwrap_or_default();
    let route = route.replacen(' ', "", 1);
    let source = format!(
        "arn:{partition}:execute-api:{}:{ACCOUNT}:{}/{}/{route}",
        served.region, served.api, served.stage
    );
    let service = "apigateway.amazonaws.com";
    let permitted = call
        .live
        .cloud()
        .look(|_, store| lambda::permits(store, region, arn, service, &source));
    match permitted {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Internal(format!(
            "no permission of the function {arn} lets apigateway.amazonaws.com invoke it for {source}"
        ))),
        Err(error) => Err(Failure::Internal(format!("of the folder: {error}"))),
    }
}

/// The response that a function returned for a proxy integration.
pub(super) fn proxied(returned: &Returned) -> Result<Response, Failure> {
    if returned.is_error {
        return Err(Failure::Internal(format!(
            "the function failed: {}",
            returned.body
        )));
    }
    let made: Value = serde_json::from_str(&returned.body).unwrap_or_default();
    let status = match &made["statusCode"] {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|it| u16::try_from(it).ok()),
    };
    let status = status
        .filter(|status| (100..=599).contains(status))
        .ok_or_else(|| {
            Failure::Internal(format!(
                "the function's response is no JSON with a statusCode: {}",
                returned.body
            ))
        })?;
    let body = match &made["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let headers = made["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        (name.clone(), text)
    });
    Ok(Response {
        status,
        headers: headers.collect(),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_response_has_a_status() {
        let proxied = |body: &str| {
            proxied(&Returned {
                body: body.to_owned(),
                is_error: false,
            })
        };
        let response = proxied(r#"{"statusCode": 200, "body": "x", "headers": {"a": 1}}"#);
        let expected = Response {
            status: 200,
            headers: BTreeMap::from([("a".to_owned(), "1".to_owned())]),
            body: "x".to_owned(),
        };
        assert_eq!(response, Ok(expected));
        assert_eq!(proxied(r#"{"statusCode": "403"}"#).unwrap().status, 403);
        for wrong in ["", "null", "{}", r#"{"statusCode": 9}"#, "[200]"] {
            assert!(proxied(wrong).is_err(), "{wrong}");
        }
    }
}

//! Integrations: what a route calls, with which request, and what it makes of the response.

pub(super) mod function;
pub(super) mod http;
mod request;
mod response;
mod role;
pub(super) mod sqs;

use super::context::Incoming;
use crate::local_cloud::apigateway::Served;
use crate::local_cloud::live::Live;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What an integration returned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// Why there is no response, each with the end of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Internal(String),
    Timeout(String),
    /// The integration has no template for the request, and lets none through without.
    MediaType(String),
}

/// Where an AWS integration goes: `arn:{partition}:apigateway:{region}:{service}:{action}`.
struct Place<'p> {
    region: &'p str,
    service: &'p str,
    /// `path/…` or `action/…`.
    action: &'p str,
}

impl<'p> Place<'p> {
    fn of(uri: &'p str) -> Option<Self> {
        let parts: Vec<&str> = uri.splitn(6, ':').collect();
        match parts[..] {
            ["arn", _, "apigateway", region, service, action] => Some(Self {
                region,
                service,
                action,
            }),
            _ => None,
        }
    }
}

/// One call.
pub(super) struct Call<'c> {
    pub(super) live: &'c Live,
    pub(super) served: &'c Served,
    pub(super) integration: &'c Value,
    pub(super) incoming: &'c Incoming,
    pub(super) variables: BTreeMap<String, String>,
}

impl Call<'_> {
    pub(super) fn text(&self, name: &str) -> &str {
        self.integration[name].as_str().unwrap_or_default()
    }
}

/// Calls an integration with a request, and transforms what it returns.
pub(super) async fn call(
    live: &Live,
    served: &Served,
    integration: &Value,
    incoming: &Incoming,
) -> Result<Response, Failure> {
    let call = Call {
        live,
        served,
        integration,
        incoming,
        variables: served.variables(),
    };
    let millis = integration["timeoutInMillis"].as_u64().unwrap_or(29_000);
    // What is called takes real time, however fast the local clock runs.
    let called = tokio::time::timeout(Duration::from_millis(millis), called(&call));
    let response = called.await.map_err(|_| {
        Failure::Timeout(format!(
            "the integration did not respond within {millis} ms"
        ))
    })??;
    match call.text("integrationType") {
        "AWS_PROXY" | "HTTP_PROXY" => Ok(response),
        _ => response::transformed(&call, response),
    }
}

async fn called(call: &Call<'_>) -> Result<Response, Failure> {
    let uri = replaced(call.text("integrationUri"), &call.variables);
    if call.text("connectionType") == "VPC_LINK" {
        let why = "the local cloud does not simulate VPC links".to_owned();
        return Err(Failure::Internal(why));
    }
    match call.text("integrationType") {
        "MOCK" => mock(&request::body(call)?),
        "AWS_PROXY" => {
            let event = call.incoming.event(&call.variables);
            let response = function::invoke(call, &uri, event.to_string()).await?;
            function::proxied(&response)
        }
        "AWS" => {
            let place = Place::of(&uri);
            match place.as_ref().map(|place| place.service) {
                Some("lambda") => {
                    let body = request::body(call)?;
                    let returned = function::invoke(call, &uri, body).await?;
                    Ok(Response {
                        status: if returned.is_error { 500 } else { 200 },
                        headers: BTreeMap::new(),
                        body: returned.body,
                    })
                }
                Some("sqs") => {
                    sqs::call(call, place.as_ref().map(|it| (it.region, it.action))).await
                }
                other => Err(Failure::Internal(format!(
                    "the local cloud does not simulate integrations with {}",
                    other.unwrap_or("this service")
                ))),
            }
        }
        "HTTP_PROXY" => http::call(call, &uri, call.incoming.body.clone()).await,
        _ => http::call(call, &uri, request::body(call)?).await,
    }
}

/// `${stageVariables.name}` in a URI stands for the variable.
pub(super) fn replaced(uri: &str, variables: &BTreeMap<String, String>) -> String {
    variables.iter().fold(uri.to_owned(), |uri, (name, value)| {
        uri.replace(&format!("${{stageVariables.{name}}}"), value)
    })
}

/// A mock returns the status that its request template makes.
fn mock(body: &str) -> Result<Response, Failure> {
    let made: Value = serde_json::from_str(body).unwrap_or_default();
    let status = made["statusCode"]
        .as_u64()
        .and_then(|it| u16::try_from(it).ok());
    let status = status.ok_or_else(|| {
        Failure::Internal("the template of the mock makes no JSON with a statusCode".to_owned())
    })?;
    Ok(Response {
        status,
        ..Response::default()
    })
}

//! HTTP APIs: the route of a request, its integration, and CORS (API Gateway developer guide, "API
//! Gateway HTTP APIs").

mod cors;
mod event;
mod mapping;
mod proxy;
mod request;
mod returned;
mod routes;

use super::integration::function;
use super::integration::{Call, Failure, replaced};
use super::message;
use super::signed::{self, Signed};
use crate::local_cloud::apigateway::Served;
use crate::local_cloud::live::Live;
use crate::local_cloud::service::{ACCOUNT, Reply};
use crate::resource::aws::partition_of;
use hyper::body::Incoming as Body;
use request::Request;
use routes::Route;
use serde_json::Value;
use std::time::Duration;

/// The reply to a request below a stage; `path` is empty or has its slash.
pub(super) async fn answer(
    live: &Live,
    served: &Served,
    path: &str,
    request: http::Request<Body>,
) -> Reply {
    let origin = request
        .headers()
        .get("origin")
        .and_then(|it| it.to_str().ok());
    let cors = cors::Cors::of(&served.settings, origin);
    if let Some(reply) = cors.preflight(&request) {
        return reply;
    }
    let mut reply = match through(live, served, path, request).await {
        Ok(reply) => reply,
        Err(reply) => reply,
    };
    cors.add(&mut reply);
    reply
}

async fn through(
    live: &Live,
    served: &Served,
    path: &str,
    request: http::Request<Body>,
) -> Result<Reply, Reply> {
    let path = if path.is_empty() { "/" } else { path };
    let found = routes::find(served.routes(), request.method().as_str(), path);
    let Some(Route { route, parameters }) = found else {
        live.note(&format!(
            "No route of {} takes {} {path}.",
            served.api,
            request.method()
        ));
        return Err(message(404, "Not Found"));
    };
    let key = route["routeKey"].as_str().unwrap_or_default();
    let now = live.cloud().now();
    let mut request = Request::read(served, path, (key, parameters), request, now).await?;
    if route["authorizationType"] == "AWS_IAM" {
        let (partition, _) = partition_of(&served.region);
        let arn = format!(
            "arn:{partition}:execute-api:{}:{ACCOUNT}:{}/{}/{}{path}",
            served.region, served.api, served.stage, request.method
        );
        if signed::check(live, &request.incoming, &arn) != Signed::Allowed {
            return Err(message(403, "Forbidden"));
        }
    }
    let told = |(status, said, why): (u16, &str, String)| {
        live.note(&format!("Route {key}: {said}, because {why}."));
        message(status, said)
    };
    let missing = || {
        (
            500,
            "Internal Server Error",
            "the route has no integration".to_owned(),
        )
    };
    let integration = served.integration(route).ok_or_else(|| told(missing()))?;
    let variables = served.variables();
    mapping::request(&mut request, &integration["requestParameters"], &variables);
    let call = Call {
        live,
        served,
        integration,
        incoming: &request.incoming,
        variables,
    };
    let millis = integration["timeoutInMillis"].as_u64().unwrap_or(30_000);
    // What is called takes real time, however fast the local clock runs.
    let reply = tokio::time::timeout(Duration::from_millis(millis), called(&call, &request)).await;
    let mut reply = match reply {
        Ok(reply) => reply.map_err(told)?,
        Err(_) => {
            let why = format!("the integration did not respond within {millis} ms");
            return Err(told((503, "Service Unavailable", why)));
        }
    };
    mapping::response(&mut reply, &call);
    Ok(reply)
}

/// A failure: the status, what the client gets, and why.
type Failed = (u16, &'static str, String);

async fn called(call: &Call<'_>, request: &Request) -> Result<Reply, Failed> {
    let not = |what: &str| {
        let why = format!("the local cloud does not simulate {what}");
        (500, "Internal Server Error", why)
    };
    if call.text("connectionType") == "VPC_LINK" {
        return Err(not("VPC links"));
    }
    let uri = replaced(call.text("integrationUri"), &call.variables);
    if call.text("integrationType") == "HTTP_PROXY" {
        let reply = proxy::call(call, &uri, request).await;
        return reply.map_err(|why| (503, "Service Unavailable", why));
    }
    let subtype = call.text("integrationSubtype");
    if !subtype.is_empty() {
        return Err(not(&format!("integrations with the subtype {subtype}")));
    }
    let version = call.text("payloadFormatVersion");
    let event: Value = match version {
        "2.0" => event::second(request, call),
        _ => event::first(request, call),
    };
    let failed = |failure: Failure| match failure {
        Failure::Internal(why) | Failure::Timeout(why) | Failure::MediaType(why) => {
            (500, "Internal Server Error", why)
        }
    };
    let returned = function::invoke(call, &uri, event.to_string()).await;
    let returned = returned.map_err(failed)?;
    returned::reply(&returned, version).map_err(|why| (500, "Internal Server Error", why))
}

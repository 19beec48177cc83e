//! A message, a connect or a disconnect on its way: which route it takes, what that calls, and
//! what the client gets back.

use super::connections::Connection;
use super::context::{EventType, Incoming};
use super::integration::{self, Failure, Response};
use super::json_reply;
use super::signed::{self, Signed};
use crate::local_cloud::apigateway::selection::{Scope, select};
use crate::local_cloud::apigateway::{Served, served};
use crate::local_cloud::live::Live;
use crate::local_cloud::service::{ACCOUNT, Reply};
use crate::resource::aws::partition_of;
use serde_json::{Value, json};

/// What a client gets for which nothing better is known.
const INTERNAL: &str = "Internal server error";

/// A message of a client; the text that it gets back, if it gets one.
pub(super) async fn receive(live: &Live, connection: &Connection, text: String) -> Option<String> {
    let now = live.cloud().now();
    let mut incoming = Incoming::new(connection, EventType::Message, text, now);
    let place = (&connection.api, &connection.stage);
    let Ok(Ok(served)) = live
        .cloud()
        .look(|_, store| served(store, place.0, place.1))
    else {
        return Some(incoming.error("Forbidden"));
    };
    let Some(route) = route(&served, &incoming) else {
        live.note(&format!(
            "No route of {} takes the message, and a $default route does not exist.",
            connection.api
        ));
        return Some(incoming.error("Forbidden"));
    };
    incoming.context["routeKey"] = route["routeKey"].clone();
    match through(live, &served, route, &incoming).await {
        Ok(response) => {
            let answers = route["responses"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
                && !text_of(route, "routeResponseSelectionExpression").is_empty();
            answers.then_some(response.body)
        }
        Err(failure) => Some(incoming.error(told(live, route, &failure))),
    }
}

/// The route of a message: by the API's selection expression, else `$default`.
fn route<'s>(served: &'s Served, incoming: &Incoming) -> Option<&'s Value> {
    let variables = served.variables();
    let scope = Scope {
        body: &incoming.body,
        context: Some(&incoming.context),
        stage_variables: Some(&variables),
        ..Scope::default()
    };
    let expression = text_of(&served.settings, "routeSelectionExpression");
    let key = select(expression, &scope).filter(|key| !key.starts_with('$'));
    key.and_then(|key| served.route(&key))
        .or_else(|| served.route("$default"))
}

/// A client that connects: refused, or let in with the protocol that the route chose.
pub(super) async fn connect(
    live: &Live,
    served: &Served,
    incoming: &mut Incoming,
) -> Result<Option<String>, Reply> {
    let Some(route) = served.route("$connect") else {
        return Ok(None);
    };
    incoming.context["routeKey"] = json!("$connect");
    authorize(live, served, route, incoming)?;
    if text_of(route, "target").is_empty() {
        return Ok(None);
    }
    let refuse = |status: u16, message: &str| {
        let body = incoming.error(message);
        let mut reply = json_reply(status, &Value::Null);
        reply.body = body.into();
        reply
    };
    match through(live, served, route, incoming).await {
        Ok(Response {
            status, headers, ..
        }) if status < 300 => {
            let mut headers = headers.into_iter();
            let protocol =
                headers.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
            Ok(protocol.map(|(_, value)| value))
        }
        Ok(response) => {
            live.note(&format!(
                "The $connect route returned the status {}: the client was refused.",
                response.status
            ));
            let status = if response.status >= 400 {
                response.status
            } else {
                502
            };
            let message = if status == 403 { "Forbidden" } else { INTERNAL };
            Err(refuse(status, message))
        }
        Err(failure) => Err(refuse(500, told(live, route, &failure))),
    }
}

/// Whether a client may connect.
fn authorize(
    live: &Live,
    served: &Served,
    route: &Value,
    incoming: &Incoming,
) -> Result<(), Reply> {
    let refuse = |status: u16, message: &str| {
        let mut reply = json_reply(status, &json!({"message": message}));
        let kind = (
            "x-amzn-errortype".to_owned(),
            "ForbiddenException".to_owned(),
        );
        reply.headers.push(kind);
        Err(reply)
    };
    if route["apiKeyRequired"] == true {
        let message =
            "The local cloud does not simulate API keys: the route $connect requires one.";
        live.note(message);
        return refuse(501, message);
    }
    if text_of(route, "authorizationType") != "AWS_IAM" {
        return Ok(());
    }
    let (partition, _) = partition_of(&served.region);
    let arn = format!(
        "arn:{partition}:execute-api:{}:{ACCOUNT}:{}/{}/$connect",
        served.region, served.api, served.stage
    );
    match signed::check(live, incoming, &arn) {
        Signed::Allowed => Ok(()),
        Signed::Missing => refuse(403, "Missing Authentication Token"),
        Signed::Denied => refuse(403, "Forbidden"),
    }
}

/// A connection that has ended.
pub(super) async fn disconnect(live: &Live, connection: &Connection) {
    let now = live.cloud().now();
    let mut incoming = Incoming::new(connection, EventType::Disconnect, String::new(), now);
    let place = (&connection.api, &connection.stage);
    let Ok(Ok(served)) = live
        .cloud()
        .look(|_, store| served(store, place.0, place.1))
    else {
        return;
    };
    let Some(route) = served.route("$disconnect") else {
        return;
    };
    incoming.context["routeKey"] = json!("$disconnect");
    if text_of(route, "target").is_empty() {
        return;
    }
    if let Err(failure) = through(live, &served, route, &incoming).await {
        told(live, route, &failure);
    }
}

/// What the integration of a route returns, transformed.
async fn through(
    live: &Live,
    served: &Served,
    route: &Value,
    incoming: &Incoming,
) -> Result<Response, Failure> {
    let integration = served
        .integration(route)
        .ok_or_else(|| Failure::Internal("the route has no integration".to_owned()))?;
    integration::call(live, served, integration, incoming).await
}

/// What a client gets of a failure; the reason goes to who runs the cloud.
fn told(live: &Live, route: &Value, failure: &Failure) -> &'static str {
    let (message, why) = match failure {
        Failure::Internal(why) => (INTERNAL, why),
        Failure::Timeout(why) => ("Endpoint request timed out", why),
        Failure::MediaType(why) => ("Unsupported Media Type", why),
    };
    let key = text_of(route, "routeKey");
    live.note(&format!("Route {key}: {message}, because {why}."));
    message
}

fn text_of<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

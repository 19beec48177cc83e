//! The data plane of API Gateway: what clients of an API send, and what they get back.
//!
//! A request comes by `Host`, `<apiId>.execute-api.…`, or by path, `/_api/<apiId>/<stage>…`. What is
//! served is what the stage's deployment holds (`apigateway::served`), looked up for each request
//! and each message. `target` says which stage a request is for, `socket` has a WebSocket
//! connection, `message` takes a message through its route, `integration` calls what the route
//! targets, and `manage` is the `@connections` API. `web` has HTTP APIs.
//!
//! A client gets what API Gateway would send it, which is often no more than `Internal server
//! error`. The reason goes to who runs the cloud: [`Live::note`].

mod clock;
mod connections;
mod context;
mod integration;
mod manage;
mod message;
mod signed;
mod socket;
mod target;
mod web;

pub(super) use connections::Gateway;

use super::apigateway::{Served, Unserved, served};
use super::live::Live;
use super::serve::{self, Body};
use super::service::{Reply, Store};
use hyper::body::Incoming;
use serde_json::{Value, json};
use target::Target;

/// Removes the notes of connections that ended with the process that served them.
pub(super) fn forget(live: &Live) -> std::io::Result<()> {
    let cloud = live.cloud();
    let notes = cloud.look(|_, store| store.scan(".apigateway/"))?;
    for (key, _) in notes {
        cloud.note(&key, None)?;
    }
    Ok(())
}

/// The reply to a request of an API.
pub(super) async fn handle(live: &Live, request: http::Request<Incoming>) -> http::Response<Body> {
    match answer(live, request).await {
        Ok(response) => response,
        Err(reply) => serve::respond(reply),
    }
}

async fn answer(
    live: &Live,
    request: http::Request<Incoming>,
) -> Result<http::Response<Body>, Reply> {
    let target = Target::of(&request).ok_or_else(forbidden)?;
    let found = live.cloud().look(|_, store| find(store, &target));
    let found = found.map_err(|error| failure(live, &format!("The folder: {error}")))?;
    let (served, rest) = found.map_err(|why| unserved(live, why, &target))?;
    if !served.is_web_socket {
        return Ok(serve::respond(
            web::answer(live, &served, &rest, request).await,
        ));
    }
    if let Some(id) = rest.strip_prefix("/@connections/") {
        return manage::answer(live, &served, id, request)
            .await
            .map(serve::respond);
    }
    if !rest.is_empty() && rest != "/" {
        return Err(forbidden());
    }
    socket::open(live, served, request).await
}

/// What a stage serves, and the path below it: the stage that the path begins with, else `$default`.
fn find(store: &mut dyn Store, target: &Target) -> Result<(Served, String), Unserved> {
    if let Some((stage, rest)) = target.stage() {
        match served(store, &target.api, &stage) {
            Ok(served) => return Ok((served, rest.to_owned())),
            Err(Unserved::NoStage { http: true }) => {}
            Err(why) => return Err(why),
        }
    }
    served(store, &target.api, "$default").map(|served| (served, target.path.clone()))
}

/// A reply with a message, as API Gateway writes it.
fn message(status: u16, message: &str) -> Reply {
    json_reply(status, &json!({"message": message}))
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into(),
    }
}

fn forbidden() -> Reply {
    let mut reply = message(403, "Forbidden");
    let kind = (
        "x-amzn-errortype".to_owned(),
        "ForbiddenException".to_owned(),
    );
    reply.headers.push(kind);
    reply
}

fn failure(live: &Live, why: &str) -> Reply {
    live.note(why);
    message(500, "Internal server error")
}

/// API Gateway does not say whether an API or a stage exists.
fn unserved(live: &Live, why: Unserved, target: &Target) -> Reply {
    let api = &target.api;
    live.note(&match why {
        Unserved::NoApi => format!("The API {api} does not exist in this local cloud."),
        Unserved::NoStage { .. } => format!(
            "The API {api} has no stage with a deployment for the path {}.",
            target.path
        ),
        Unserved::Disabled => format!("The API {api} has disableExecuteApiEndpoint."),
    });
    match why {
        Unserved::NoStage { http: true } => message(404, "Not Found"),
        _ => forbidden(),
    }
}

//! API Gateway v2, and the account's settings that it shares with its first version: APIs with
//! their integrations, routes, the responses of both, stages and deployments. No authorizers, models
//! or domain names. What a deployment serves is kept with it (`snapshot`); `gateway` serves it.
//!
//! An API is kept under `apigateway/{region}/api/{id}`, and what belongs to it under
//! `…/api/{id}/{integration|route|stage|deployment}/{id}` and
//! `…/api/{id}/route/{id}/routeresponse/{id}` (and the same of integrations), as GET returns it. Members that start with
//! an underscore are the service's own notes.

mod account;
mod api;
mod context;
mod import;
mod integration;
mod integration_response;
mod members;
mod path;
mod route;
pub mod selection;
mod snapshot;
mod stage;
pub mod template;
#[cfg(test)]
mod tests;

use super::json::{tags_fault, text_map};
use super::service::{Refusal, Reply, Request, Service, Store};
pub(super) use snapshot::{Served, Unserved, served};

use context::Cx;
use members::{Doc, Protocol};
use path::{Kind, Target};
use serde_json::{Value, json};

/// The service.
#[derive(Debug)]
pub struct ApiGateway;

/// How many resources a list returns when the request does not say.
const PAGE: usize = 100;

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "BadRequestException", message)
}

fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::new(409, "ConflictException", message)
}

fn not_found(what: &str, id: &str) -> Refusal {
    let message = format!("Invalid {what} identifier specified {id}");
    Refusal::new(404, "NotFoundException", message)
}

fn check_tags(tags: Option<&Value>) -> Result<(), Refusal> {
    let tags = tags.and_then(text_map).unwrap_or_default();
    tags_fault(&tags, 1).map_or(Ok(()), |fault| Err(bad(fault)))
}

impl Service for ApiGateway {
    fn signing_name(&self) -> &'static str {
        "apigateway"
    }

    fn operation(&self, request: &Request) -> String {
        path::target(&request.path)
            .and_then(|target| path::operation(&request.method, &target))
            .unwrap_or_else(|| format!("{} {}", request.method, request.path))
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        let target = path::target(&request.path)
            .filter(|target| path::operation(&request.method, target).is_some())
            .ok_or_else(|| {
                let operation = self.operation(request);
                let message = format!("The local cloud does not have apigateway:{operation}.");
                Refusal::new(404, "UnknownOperationException", message)
            })?;
        let cx = Cx {
            region: &request.region,
            now: request.now,
            api: String::new(),
            protocol: Protocol::Http,
            store,
        };
        answer(cx, request, target)
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        let mut reply = reply(refusal.status, &json!({"message": refusal.message}));
        reply
            .headers
            .push(("x-amzn-errortype".to_owned(), refusal.code.clone()));
        reply
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into(),
    }
}

fn done() -> Reply {
    Reply {
        status: 204,
        ..Reply::default()
    }
}

fn answer(mut cx: Cx<'_>, request: &Request, target: Target) -> Result<Reply, Refusal> {
    let body = body(request)?;
    match target {
        Target::Account => account::answer(&mut cx, request),
        Target::Apis => apis(cx, request, &body),
        Target::Api(id) => one_api(cx, request, &id, &body),
        Target::All(id, kind, parent) => {
            cx.enter(&id)?;
            cx.check_parent(kind, &parent)?;
            all(cx, request, kind, &parent, body)
        }
        Target::One(id, kind, parent, child) => {
            cx.enter(&id)?;
            cx.check_parent(kind, &parent)?;
            let doc = match request.method.as_str() {
                "PATCH" => cx.change(kind, &parent, &child, &body)?,
                "DELETE" => {
                    cx.delete(kind, &parent, &child)?;
                    return Ok(done());
                }
                _ => cx.get(kind, &parent, &child)?,
            };
            Ok(reply(200, &cx.as_returned(doc)))
        }
        Target::Cors(id) => {
            let mut doc = cx.enter(&id)?;
            doc.remove("corsConfiguration");
            cx.store.put(&cx.api_key(), Value::Object(doc));
            cx.auto_deploy()?;
            Ok(done())
        }
        Target::RouteRequestParameter(id, route, key) => {
            cx.enter(&id)?;
            cx.drop_member(Kind::Route, &route, "requestParameters", Some(&key))?;
            cx.auto_deploy()?;
            Ok(done())
        }
        Target::AccessLogSettings(id, stage) => {
            cx.enter(&id)?;
            cx.drop_member(Kind::Stage, &stage, "accessLogSettings", None)?;
            Ok(done())
        }
        Target::RouteSettings(id, stage, key) => {
            cx.enter(&id)?;
            cx.drop_member(Kind::Stage, &stage, "routeSettings", Some(&key))?;
            Ok(done())
        }
        Target::Tags(arn) => tags(&mut cx, request, &arn, &body),
    }
}

/// Creates an API, or lists them.
fn apis(mut cx: Cx<'_>, request: &Request, body: &Doc) -> Result<Reply, Refusal> {
    if request.method == "GET" {
        let start = format!("apigateway/{}/api/", cx.region);
        return page(request, &cx, cx.below(&start));
    }
    cx.api = cx.fresh_id();
    let made = api::create(&mut cx, body)?;
    Ok(reply(201, &cx.as_returned(made)))
}

/// Reads, changes or deletes an API.
fn one_api(mut cx: Cx<'_>, request: &Request, id: &str, body: &Doc) -> Result<Reply, Refusal> {
    let mut doc = cx.enter(id)?;
    match request.method.as_str() {
        "PATCH" => doc = api::update(&mut cx, doc, body)?,
        "PUT" => {
            doc = import::reimport(&mut cx, doc, request, body)?;
            return Ok(reply(201, &cx.as_returned(doc)));
        }
        "DELETE" => {
            for (key, _) in cx.store.scan(&format!("{}/", cx.api_key())) {
                cx.store.remove(&key);
            }
            cx.store.remove(&cx.api_key());
            return Ok(done());
        }
        _ => {}
    }
    Ok(reply(200, &cx.as_returned(doc)))
}

/// Creates a resource below an API, or lists those of its kind.
fn all(
    mut cx: Cx<'_>,
    request: &Request,
    kind: Kind,
    parent: &str,
    mut body: Doc,
) -> Result<Reply, Refusal> {
    if request.method == "GET" {
        return page(request, &cx, cx.list(kind, parent));
    }
    // What quick create marks as its own cannot be marked from outside.
    body.remove("apiGatewayManaged");
    let made = cx.make(kind, parent, &body)?;
    Ok(reply(201, &cx.as_returned(made)))
}

fn body(request: &Request) -> Result<Doc, Refusal> {
    if request.body.is_empty() {
        return Ok(Doc::new());
    }
    serde_json::from_slice(&request.body).map_err(|_| bad("The body is not a JSON object."))
}

/// One page of a list.
fn page(request: &Request, cx: &Cx<'_>, all: Vec<(String, Doc)>) -> Result<Reply, Refusal> {
    let of = |name: &str| {
        let mut pairs = request.query.iter();
        pairs.find(|pair| pair.0 == name).map(|pair| &pair.1)
    };
    let size = match of("maxResults") {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=500).contains(size))
            .ok_or_else(|| bad(format!("Invalid maxResults specified: {text}")))?,
    };
    let after = of("nextToken");
    let mut rest = all
        .into_iter()
        .filter(|(id, _)| after.is_none_or(|after| id > after))
        .peekable();
    let mut last = String::new();
    let mut items = Vec::new();
    while items.len() < size
        && let Some((id, doc)) = rest.next()
    {
        items.push(cx.as_returned(doc));
        last = id;
    }
    let mut body = json!({"items": items});
    if rest.peek().is_some() {
        body["nextToken"] = json!(last);
    }
    Ok(reply(200, &body))
}

/// The three tag calls, on an API's or a stage's ARN.
fn tags(cx: &mut Cx<'_>, request: &Request, arn: &str, body: &Doc) -> Result<Reply, Refusal> {
    let method = request.method.as_str();
    let (partition, _) = crate::resource::aws::partition_of(cx.region);
    let start = format!("arn:{partition}:apigateway:{}::/apis/", cx.region);
    let wrong = || bad(format!("Invalid ARN specified in the request: {arn}"));
    let rest = arn.strip_prefix(&start).ok_or_else(wrong)?;
    let parts: Vec<&str> = rest.split('/').collect();
    let (key, mut doc) = match parts[..] {
        [api] => {
            let doc = cx.enter(api)?;
            (cx.api_key(), doc)
        }
        [api, "stages", stage] => {
            cx.enter(api)?;
            let doc = cx.get(Kind::Stage, "", stage)?;
            (cx.key(Kind::Stage, "", stage), doc)
        }
        _ => return Err(wrong()),
    };
    let mut all = doc.get("tags").and_then(text_map).unwrap_or_default();
    match method {
        "GET" => return Ok(reply(200, &json!({"tags": all}))),
        "POST" => {
            let sent = body.get("tags").and_then(text_map);
            all.extend(sent.ok_or_else(|| bad("tags must be given."))?);
        }
        _ => {
            let gone = |key: &String| {
                let mut pairs = request.query.iter();
                pairs.any(|(name, value)| name == "tagKeys" && value == key)
            };
            all.retain(|key, _| !gone(key));
        }
    }
    let all = json!(all);
    check_tags(Some(&all))?;
    doc.insert("tags".to_owned(), all);
    cx.store.put(&key, Value::Object(doc));
    Ok(if method == "POST" {
        reply(201, &json!({}))
    } else {
        done()
    })
}

//! Parameter mappings of HTTP APIs (API Gateway developer guide, "Transform API requests and
//! responses for HTTP APIs").

use super::super::integration::Call;
use super::request::{Request, joined};
use crate::local_cloud::apigateway::selection::{Scope, mapped, select};
use crate::local_cloud::service::Reply;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a mapping does.
struct Mapping<'m> {
    /// `append`, `overwrite` or `remove`.
    action: &'m str,
    /// `header`, `querystring`, `path` or `statuscode`.
    place: &'m str,
    name: &'m str,
    value: &'m str,
}

fn mappings(all: &Value) -> impl Iterator<Item = Mapping<'_>> {
    all.as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| {
            let (action, target) = key.split_once(':')?;
            let (place, name) = target.split_once('.').unwrap_or((target, ""));
            Some(Mapping {
                action,
                place,
                name,
                value: value.as_str().unwrap_or_default(),
            })
        })
}

/// The value of a mapping: a text in which parts of the request stand for themselves.
fn value(text: &str, scope: &Scope<'_>) -> Option<String> {
    match text.starts_with('\'') {
        true => mapped(text, scope),
        false => select(text, scope),
    }
}

/// Changes a request as the mappings say.
pub(super) fn request(request: &mut Request, all: &Value, variables: &BTreeMap<String, String>) {
    let mut path = request.parameters.clone();
    path.insert(String::new(), request.path.clone());
    let incoming = &request.incoming;
    let scope = Scope {
        body: &incoming.body,
        headers: Some(&incoming.headers),
        querystring: Some(&incoming.querystring),
        path: Some(&path),
        status: None,
        context: Some(&incoming.context),
        stage_variables: Some(variables),
    };
    let (mut headers, mut query) = (request.headers.clone(), request.query.clone());
    for mapping in mappings(all) {
        let value = value(mapping.value, &scope);
        match mapping.place {
            "header" => change(&mut headers, &mapping, value),
            "querystring" => change(&mut query, &mapping, value),
            "path" => request.mapped_path = value.or(request.mapped_path.take()),
            _ => {}
        }
    }
    let headers_joined = joined(&headers);
    if query != request.query {
        request.raw_query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&query)
            .finish();
    }
    request.incoming.querystring = joined(&query);
    request.incoming.headers = headers_joined;
    request.headers = headers;
    request.query = query;
}

/// Changes a response as the mappings for its status say.
pub(super) fn response(reply: &mut Reply, call: &Call<'_>) {
    let all = &call.integration["responseParameters"][reply.status.to_string()];
    let body = String::from_utf8_lossy(&reply.body).into_owned();
    let headers = joined(&reply.headers);
    let scope = Scope {
        body: &body,
        headers: Some(&headers),
        status: Some(reply.status),
        context: Some(&call.incoming.context),
        stage_variables: Some(&call.variables),
        ..Scope::default()
    };
    for mapping in mappings(all) {
        let value = value(mapping.value, &scope);
        match mapping.place {
            "header" => change(&mut reply.headers, &mapping, value),
            "statuscode" => {
                let status = value.and_then(|value| value.parse().ok());
                reply.status = status.unwrap_or(reply.status);
            }
            _ => {}
        }
    }
}

fn change(pairs: &mut Vec<(String, String)>, mapping: &Mapping<'_>, value: Option<String>) {
    let same = |name: &str| name.eq_ignore_ascii_case(mapping.name);
    if mapping.action == "remove" {
        pairs.retain(|(name, _)| !same(name));
        return;
    }
    // What is not there changes nothing.
    let Some(value) = value else {
        return;
    };
    if mapping.action == "overwrite" {
        pairs.retain(|(name, _)| !same(name));
    }
    let name = match mapping.place {
        "header" => mapping.name.to_ascii_lowercase(),
        _ => mapping.name.to_owned(),
    };
    pairs.push((name, value));
}

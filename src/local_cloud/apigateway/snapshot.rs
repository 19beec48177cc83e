//! What a deployment keeps of an API, and what a stage serves by it. Changes of the API after the
//! deployment are not served until there is another one.

use super::api;
use super::context::Cx;
use super::members::{Doc, Protocol, is_on, text};
use super::path::Kind;
use crate::local_cloud::service::Store;
use serde_json::{Value, json};

/// The member of a deployment that keeps what it serves; API Gateway returns none like it.
const MEMBER: &str = "_serves";

/// An API as one of its stages serves it.
#[derive(Debug, Clone)]
pub(in crate::local_cloud) struct Served {
    pub(in crate::local_cloud) region: String,
    pub(in crate::local_cloud) api: String,
    pub(in crate::local_cloud) stage: String,
    pub(in crate::local_cloud) is_web_socket: bool,
    /// The API itself, as GetApi returns it.
    pub(in crate::local_cloud) settings: Value,
    /// The stage, as GetStage returns it.
    pub(in crate::local_cloud) stage_settings: Value,
    routes: Vec<Value>,
    integrations: Value,
}

/// Why nothing is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local_cloud) enum Unserved {
    NoApi,
    /// The API has no such stage, or the stage no deployment.
    NoStage {
        /// It is an HTTP API.
        http: bool,
    },
    /// `disableExecuteApiEndpoint`.
    Disabled,
}

/// What the API is at this moment.
pub(super) fn take(cx: &Cx<'_>, deployment: &mut Doc) {
    let with = |kind: Kind, below: Kind| {
        let all = cx.list(kind, "").into_iter();
        all.map(|(id, mut doc)| {
            let responses = cx.list(below, &id).into_iter();
            let responses: Vec<Doc> = responses.map(|(_, doc)| doc).collect();
            doc.insert("responses".to_owned(), json!(responses));
            (id, Value::Object(doc))
        })
        .collect::<Vec<_>>()
    };
    let routes = with(Kind::Route, Kind::RouteResponse).into_iter();
    let routes: Vec<Value> = routes.map(|(_, route)| route).collect();
    let integrations = with(Kind::Integration, Kind::IntegrationResponse);
    let serves = json!({
        "settings": cx.store.get(&cx.api_key()),
        "routes": routes,
        "integrations": integrations.into_iter().collect::<Doc>(),
    });
    deployment.insert(MEMBER.to_owned(), serves);
}

/// The region that an API is in.
fn region_of(store: &dyn Store, api: &str) -> Option<String> {
    let start = "apigateway/";
    let mut after = start.to_owned();
    loop {
        let key = store.next_key(start, &after)?;
        let region = key[start.len()..].split('/').next()?;
        if store.get(&format!("{start}{region}/api/{api}")).is_some() {
            return Some(region.to_owned());
        }
        // Past all keys of this region.
        after = format!("{start}{region}/\u{10ffff}");
    }
}

/// What a stage serves.
pub(in crate::local_cloud) fn served(
    store: &mut dyn Store,
    api: &str,
    stage: &str,
) -> Result<Served, Unserved> {
    let region = match api.contains('/') {
        true => None,
        false => region_of(store, api),
    };
    let region = region.ok_or(Unserved::NoApi)?;
    let mut cx = Cx {
        region: &region,
        now: 0,
        api: String::new(),
        protocol: Protocol::Http,
        store,
    };
    let current = cx.enter(api).map_err(|_| Unserved::NoApi)?;
    if is_on(&current, "disableExecuteApiEndpoint") {
        return Err(Unserved::Disabled);
    }
    let is_web_socket = api::protocol(&current) == Protocol::WebSocket;
    let none = Unserved::NoStage {
        http: !is_web_socket,
    };
    let stage_settings = cx.get(Kind::Stage, "", stage).map_err(|_| none)?;
    let deployment = text(&stage_settings, "deploymentId");
    let deployment = cx.get(Kind::Deployment, "", deployment);
    let mut deployment = deployment.map_err(|_| none)?;
    let mut serves = deployment.remove(MEMBER).ok_or(none)?;
    let routes = match serves["routes"].take() {
        Value::Array(routes) => routes,
        _ => Vec::new(),
    };
    Ok(Served {
        is_web_socket,
        api: api.to_owned(),
        stage: stage.to_owned(),
        settings: serves["settings"].take(),
        stage_settings: Value::Object(stage_settings),
        routes,
        integrations: serves["integrations"].take(),
        region,
    })
}

impl Served {
    /// The routes.
    pub(in crate::local_cloud) fn routes(&self) -> &[Value] {
        &self.routes
    }

    /// The route of a key.
    pub(in crate::local_cloud) fn route(&self, key: &str) -> Option<&Value> {
        self.routes.iter().find(|route| route["routeKey"] == key)
    }

    /// The integration that a route targets.
    pub(in crate::local_cloud) fn integration(&self, route: &Value) -> Option<&Value> {
        let id = route["target"].as_str()?.strip_prefix("integrations/")?;
        self.integrations.get(id)
    }

    /// A stage variable by name.
    pub(in crate::local_cloud) fn variables(&self) -> std::collections::BTreeMap<String, String> {
        let variables = self.stage_settings["stageVariables"].as_object();
        let variables = variables.into_iter().flatten();
        variables
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect()
    }
}

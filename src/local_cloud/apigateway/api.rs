//! The API itself, and the "quick create" of an HTTP API with one route.

use super::members::{Doc, Member, Protocol, Shape, fill, is_on, merge, read, text};
use super::{Cx, Kind, bad, check_tags};
use crate::local_cloud::service::Refusal;
use serde_json::{Value, json};

const NAMES: (usize, usize) = (1, 256);

const CORS: &[Member] = &[
    Member::new("allowCredentials", Shape::Flag),
    Member::new("allowHeaders", Shape::List(1000, NAMES)),
    Member::new("allowMethods", Shape::List(1000, (1, 64))),
    Member::new("allowOrigins", Shape::List(1000, NAMES)),
    Member::new("exposeHeaders", Shape::List(1000, NAMES)),
    Member::new("maxAge", Shape::Number(-1, 86_400)),
];

const MEMBERS: &[Member] = &[
    Member::new("name", Shape::Text(1, 128)).needed(),
    Member::new("protocolType", Shape::OneOf(&["WEBSOCKET", "HTTP"]))
        .needed()
        .once(),
    Member::new("apiKeySelectionExpression", Shape::OneOf(KEY_SELECTIONS)),
    Member::new("corsConfiguration", Shape::Object(CORS)).only(Protocol::Http),
    Member::new("description", Shape::Text(0, 1024)),
    Member::new("disableExecuteApiEndpoint", Shape::Flag),
    Member::new("disableSchemaValidation", Shape::Flag).only(Protocol::WebSocket),
    Member::new("ipAddressType", Shape::OneOf(&["ipv4", "dualstack"])),
    Member::new("routeSelectionExpression", Shape::Text(1, 1024)),
    Member::new("tags", Shape::Texts(1, 1600)).once(),
    Member::new("version", Shape::Text(1, 64)),
];

/// The members of a quick create; they are never returned.
const QUICK: &[Member] = &[
    Member::new("target", Shape::Text(1, 2048)).only(Protocol::Http),
    Member::new("routeKey", Shape::Text(1, 1024)).only(Protocol::Http),
    Member::new("credentialsArn", Shape::Text(1, 2048)).only(Protocol::Http),
];

const KEY_SELECTIONS: &[&str] = &[
    "$request.header.x-api-key",
    "$context.authorizer.usageIdentifierKey",
];

/// The route selection of every HTTP API.
const HTTP_SELECTION: &str = "$request.method $request.path";

/// The protocol of an API as kept.
pub(super) fn protocol(api: &Doc) -> Protocol {
    if text(api, "protocolType") == "HTTP" {
        Protocol::Http
    } else {
        Protocol::WebSocket
    }
}

/// Creates an API; `cx` has its new id already.
pub(super) fn create(cx: &mut Cx<'_>, body: &Doc) -> Result<Doc, Refusal> {
    cx.protocol = protocol(body);
    let given = read(body, MEMBERS, cx.protocol, false)?;
    let quick = read(body, QUICK, cx.protocol, false)?;
    if !quick.is_empty() && !quick.contains_key("target") {
        return Err(bad("routeKey and credentialsArn need a target."));
    }
    check_tags(given.get("tags"))?;
    let mut api = Doc::new();
    merge(&mut api, given, MEMBERS);
    let scheme = match cx.protocol {
        Protocol::WebSocket => "wss",
        Protocol::Http => "https",
    };
    let (_, suffix) = crate::resource::aws::partition_of(cx.region);
    let endpoint = format!("{scheme}://{}.execute-api.{}.{suffix}", cx.api, cx.region);
    api.insert("apiId".to_owned(), json!(cx.api));
    api.insert("apiEndpoint".to_owned(), json!(endpoint));
    api.insert("createdDate".to_owned(), json!(cx.date()));
    complete(&mut api, cx.protocol)?;
    cx.store.put(&cx.api_key(), Value::Object(api.clone()));
    if !quick.is_empty() {
        quick_create(cx, &quick)?;
    }
    Ok(api)
}

/// Changes an API.
pub(super) fn update(cx: &mut Cx<'_>, mut api: Doc, body: &Doc) -> Result<Doc, Refusal> {
    let given = read(body, MEMBERS, cx.protocol, true)?;
    let quick = read(body, QUICK, cx.protocol, true)?;
    merge(&mut api, given, MEMBERS);
    complete(&mut api, cx.protocol)?;
    cx.store.put(&cx.api_key(), Value::Object(api.clone()));
    if !quick.is_empty() {
        quick_update(cx, &quick)?;
    }
    cx.auto_deploy()?;
    Ok(api)
}

/// Fills in what AWS fills in, and checks what a table cannot say.
fn complete(api: &mut Doc, protocol: Protocol) -> Result<(), Refusal> {
    let selection = text(api, "routeSelectionExpression").to_owned();
    match protocol {
        Protocol::WebSocket if selection.is_empty() => {
            return Err(bad(
                "routeSelectionExpression must be given for an API with protocolType WEBSOCKET.",
            ));
        }
        Protocol::WebSocket => {
            if !["$request.", "${request.", "$context.", "${context."]
                .iter()
                .any(|root| selection.contains(root))
            {
                return Err(bad(format!(
                    "Invalid route selection expression specified: {selection}"
                )));
            }
        }
        Protocol::Http => {
            if !["", HTTP_SELECTION, "${request.method} ${request.path}"]
                .contains(&selection.as_str())
            {
                return Err(bad(format!(
                    "The route selection expression of an HTTP API must be {HTTP_SELECTION}."
                )));
            }
        }
    }
    if let Some(Value::Object(cors)) = api.get_mut("corsConfiguration") {
        lowercase_cors_headers(cors)?;
    }
    fill(
        api,
        &[
            ("apiKeySelectionExpression", json!(KEY_SELECTIONS[0])),
            ("disableExecuteApiEndpoint", json!(false)),
            ("ipAddressType", json!("ipv4")),
            ("tags", json!({})),
        ],
    );
    if protocol == Protocol::Http {
        fill(api, &[("routeSelectionExpression", json!(HTTP_SELECTION))]);
    }
    Ok(())
}

/// API Gateway keeps header names in lower case.
fn lowercase_cors_headers(cors: &mut Doc) -> Result<(), Refusal> {
    for name in ["allowHeaders", "exposeHeaders"] {
        for header in cors
            .get_mut(name)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            *header = json!(header.as_str().unwrap_or_default().to_ascii_lowercase());
        }
    }
    let any = cors
        .get("allowOrigins")
        .and_then(Value::as_array)
        .is_some_and(|origins| origins.iter().any(|origin| origin == "*"));
    if any && is_on(cors, "allowCredentials") {
        return Err(bad(
            "allowCredentials cannot be true when allowOrigins holds *.",
        ));
    }
    Ok(())
}

/// The integration, route and stage that a quick create creates.
fn quick_create(cx: &mut Cx<'_>, quick: &Doc) -> Result<(), Refusal> {
    let mut integration = integration_of(quick);
    for name in ["integrationUri", "integrationType"] {
        if text(&integration, name).is_empty() {
            return Err(bad("Invalid target specified."));
        }
    }
    integration.insert("apiGatewayManaged".to_owned(), json!(true));
    let made = cx.make(Kind::Integration, "", &integration)?;
    let key = text(quick, "routeKey");
    let route = json!({
        "routeKey": if key.is_empty() { "$default" } else { key },
        "target": format!("integrations/{}", text(&made, "integrationId")),
        "apiGatewayManaged": true,
    });
    let stage = json!({
        "stageName": "$default", "autoDeploy": true, "apiGatewayManaged": true,
    });
    for (kind, body) in [(Kind::Route, route), (Kind::Stage, stage)] {
        if let Value::Object(body) = body {
            cx.make(kind, "", &body)?;
        }
    }
    Ok(())
}

/// What a quick create's members say about its integration.
fn integration_of(quick: &Doc) -> Doc {
    let mut doc = Doc::new();
    let target = text(quick, "target");
    if !target.is_empty() {
        let function = target.starts_with("arn:");
        let (kind, version) = if function {
            ("AWS_PROXY", "2.0")
        } else {
            ("HTTP_PROXY", "1.0")
        };
        doc.insert("integrationType".to_owned(), json!(kind));
        doc.insert("integrationUri".to_owned(), json!(target));
        doc.insert("payloadFormatVersion".to_owned(), json!(version));
        if !function {
            doc.insert("integrationMethod".to_owned(), json!("ANY"));
        }
    }
    if let Some(credentials) = quick.get("credentialsArn") {
        doc.insert("credentialsArn".to_owned(), credentials.clone());
    }
    doc
}

fn quick_update(cx: &mut Cx<'_>, quick: &Doc) -> Result<(), Refusal> {
    let changes = [
        (Kind::Integration, integration_of(quick)),
        (
            Kind::Route,
            quick
                .get("routeKey")
                .map(|key| Doc::from_iter([("routeKey".to_owned(), key.clone())]))
                .unwrap_or_default(),
        ),
    ];
    for (kind, body) in changes {
        if body.is_empty() {
            continue;
        }
        let managed = cx
            .list(kind, "")
            .into_iter()
            .find(|(_, doc)| is_on(doc, "apiGatewayManaged"));
        let Some((id, _)) = managed else {
            return Err(bad(
                "target, routeKey and credentialsArn can be changed only on an API made by \
                 quick create.",
            ));
        };
        cx.change(kind, "", &id, &body)?;
    }
    Ok(())
}

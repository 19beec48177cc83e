//! `aws:apigatewayv2:Route`: which messages or requests go where.

use crate::resource::author::*;
use crate::resource::aws::apigatewayv2::protocol::Protocol;
use crate::resource::aws::apigatewayv2::{
    BUSY, EXISTS, LANE, NOT_FOUND, Tags, created_id, json, only_for, pages, parts, peer_protocol,
    said_by_body,
};
use aws_sdk_apigatewayv2::operation::update_route::builders::UpdateRouteFluentBuilder;
use aws_sdk_apigatewayv2::types::ParameterConstraints;

/// A route of an API: its key selects messages or requests, its target is an integration.
/// Id: `apiId/routeId`.
///
/// ```yaml
/// route:
///   type: aws:apigatewayv2:Route
///   properties:
///     apiId: ${api.id}
///     routeKey: $default
///     target: integrations/${integration.id}
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The API it belongs to.
    #[schemars(extend("createOnly" = true))]
    pub api_id: String,
    /// What selects the route; unique in the API. WebSocket: `$connect`, `$disconnect`,
    /// `$default` or a key of your own; HTTP: `GET /path`, or `$default`.
    #[schemars(length(min = 1))]
    pub route_key: String,
    /// Where it goes: `integrations/` and the integration's id.
    #[schemars(length(max = 128), regex(pattern = "^integrations/.+$"))]
    pub target: Option<String>,
    /// Whether an API key is needed. WebSocket only.
    #[schemars(extend("default" = false))]
    pub api_key_required: Option<bool>,
    /// Who may use it: `NONE`, `AWS_IAM`, `CUSTOM`, or for HTTP `JWT`. A WebSocket API
    /// asks an authorizer on `$connect` only.
    #[schemars(extend("default" = "NONE", "enum" = ["NONE", "AWS_IAM", "CUSTOM", "JWT"]))]
    pub authorization_type: Option<String>,
    /// The authorizer, for `CUSTOM` and `JWT`.
    pub authorizer_id: Option<String>,
    /// The scopes that a token must have, for `JWT`.
    #[schemars(length(max = 10), inner(length(min = 1, max = 64)), extend("set" = true))]
    pub authorization_scopes: Option<Vec<String>>,
    /// What selects the model of a message. WebSocket only.
    pub model_selection_expression: Option<String>,
    /// The models, by what the expression gives. WebSocket only.
    pub request_models: Option<Tags>,
    /// A name for the operation, for documents.
    #[schemars(length(min = 1, max = 64))]
    pub operation_name: Option<String>,
    /// The request parameters and whether they are required. WebSocket only.
    #[schemars(extend("set" = true))]
    pub request_parameters: Option<Vec<RequestParameter>>,
    /// `$default` for a route that returns a response. WebSocket only.
    pub route_response_selection_expression: Option<String>,
}

/// A request parameter of a route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestParameter {
    /// Its name, such as `route.request.querystring.id`.
    pub request_parameter_key: String,
    /// Whether a request must have it.
    pub required: bool,
}

/// The outputs of `aws:apigatewayv2:Route`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The route's id.
    #[schemars(extend("from" = ["apiId"]))]
    pub id: String,
}

fn constraints(list: &[RequestParameter]) -> HashMap<String, ParameterConstraints> {
    list.iter()
        .map(|item| {
            let constraints = ParameterConstraints::builder().required(item.required);
            (item.request_parameter_key.clone(), constraints.build())
        })
        .collect()
}

fn parameters(live: HashMap<String, ParameterConstraints>) -> Vec<RequestParameter> {
    let mut list: Vec<RequestParameter> = live
        .into_iter()
        .map(|(request_parameter_key, constraints)| RequestParameter {
            request_parameter_key,
            required: constraints.required.unwrap_or(false),
        })
        .collect();
    list.sort_by(|a, b| a.request_parameter_key.cmp(&b.request_parameter_key));
    list
}

/// What an update sends; what was removed from the file goes back to the default.
fn patch(call: UpdateRouteFluentBuilder, change: &Change<Route>) -> UpdateRouteFluentBuilder {
    let new = &change.new;
    // An authorizer is only taken together with its type.
    let authorization = change
        .has(&["authorizationType", "authorizerId"])
        .then(|| new.authorization_type.as_deref().unwrap_or("NONE").into());
    let parameters = new.request_parameters.as_deref().unwrap_or_default();
    let models = new.request_models.clone().unwrap_or_default();
    call.set_route_key(change.text("routeKey", Some(&new.route_key), ""))
        .set_target(change.text("target", new.target.as_ref(), ""))
        .set_api_key_required(change.sent("apiKeyRequired", new.api_key_required.as_ref(), false))
        .set_authorization_type(authorization)
        .set_authorizer_id(change.text("authorizerId", new.authorizer_id.as_ref(), ""))
        .set_authorization_scopes(change.sent(
            "authorizationScopes",
            new.authorization_scopes.as_ref(),
            Vec::new(),
        ))
        .set_model_selection_expression(change.text(
            "modelSelectionExpression",
            new.model_selection_expression.as_ref(),
            "",
        ))
        .set_request_models(
            change
                .has(&["requestModels"])
                .then(|| models.into_iter().collect()),
        )
        .set_operation_name(change.text("operationName", new.operation_name.as_ref(), ""))
        .set_request_parameters(
            (change.has(&["requestParameters"]) && !parameters.is_empty())
                .then(|| constraints(parameters)),
        )
        .set_route_response_selection_expression(change.text(
            "routeResponseSelectionExpression",
            new.route_response_selection_expression.as_ref(),
            "",
        ))
}

/// The request parameters that go; each takes a call of its own.
fn dropped(change: &Change<Route>) -> Vec<String> {
    if !change.has(&["requestParameters"]) {
        return Vec::new();
    }
    let new = change.new.request_parameters.as_deref().unwrap_or_default();
    let old = change.old.request_parameters.as_deref().unwrap_or_default();
    old.iter()
        .map(|item| &item.request_parameter_key)
        .filter(|key| !new.iter().any(|item| item.request_parameter_key == **key))
        .cloned()
        .collect()
}

const WEBSOCKET_ONLY: &[&str] = &[
    "apiKeyRequired",
    "modelSelectionExpression",
    "requestModels",
    "requestParameters",
    "routeResponseSelectionExpression",
];

fn checks(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let protocol = peer_protocol(rules);
    let text = |name: &str| rules.known(name).and_then(Value::as_str);
    only_for(
        rules,
        protocol,
        Protocol::WebSocket,
        WEBSOCKET_ONLY,
        &mut broken,
    );
    only_for(
        rules,
        protocol,
        Protocol::Http,
        &["authorizationScopes"],
        &mut broken,
    );
    let kind = text("authorizationType").unwrap_or("NONE");
    if protocol == Some(Protocol::WebSocket) && kind == "JWT" {
        broken.push(
            Broken::at(
                "authorizationType",
                "JWT is for HTTP APIs; a WebSocket API takes NONE, AWS_IAM or CUSTOM.",
            )
            .code("SK0803"),
        );
    }
    if matches!(kind, "CUSTOM" | "JWT") && !rules.given("authorizerId") {
        broken.push(
            Broken::at(
                "authorizerId",
                format!("An authorizationType of {kind} needs authorizerId."),
            )
            .code("SK0804"),
        );
    }
    if let Some(key) = text("routeKey")
        && protocol == Some(Protocol::Http)
        && !is_http_key(key)
    {
        broken.push(Broken::at(
            "routeKey",
            "The route key of an HTTP API is a method and a path, such as GET /items, or $default.",
        ).code("SK0802"));
    }
    broken.extend(target_check(rules));
    broken
}

/// A target is `integrations/{id}`, of an integration of the same API.
fn target_check(rules: &Rules<'_>) -> Option<Broken> {
    let path = Path::root().join("target");
    // The schema's pattern checks a known value.
    let text = rules.props.unknown_at(&path)?;
    let (kind, integration) = (rules.peer)(&path).unzip();
    let integration = integration.filter(|_| kind == Some("aws:apigatewayv2:Integration"));
    let computed = text.starts_with("${") && integration.is_none();
    if !computed && !text.starts_with("integrations/") {
        let message = "A target is \"integrations/\" and the id of an integration: \
                       \"integrations/${integration.id}\".";
        return Some(Broken::at("target", message).code("SK0805"));
    }
    // Where an expression takes another way than the plain one, nothing can be said.
    let api = Path::root().join("apiId");
    let of = |props: &Data| -> Option<String> {
        match props.unknown_at(&api) {
            Some(text) => Some(text.to_owned()),
            None => api.get(&props.value)?.as_str().map(str::to_owned),
        }
    };
    let plain = |text: &String| {
        !["local.", "each.", "[", "("]
            .iter()
            .any(|odd| text.contains(odd))
    };
    let (own, other) = (of(rules.props)?, of(integration?)?);
    (plain(&own) && plain(&other) && own != other && own.contains("${") == other.contains("${"))
        .then(|| {
            let message = "The integration belongs to another API than the route.";
            Broken::at("target", message).code("SK0805")
        })
}

fn is_http_key(key: &str) -> bool {
    const METHODS: &[&str] = &[
        "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
    ];
    key == "$default"
        || key
            .split_once(' ')
            .is_some_and(|(method, path)| METHODS.contains(&method) && path.starts_with('/'))
}

/// The integration's id in a target.
fn integration_id(target: &str) -> String {
    let id = target.strip_prefix("integrations/");
    id.unwrap_or(target).to_owned()
}

/// Why a route cannot be declared beside its API: the API's `body` or quick create creates it.
fn created_by_api(route: &Rules<'_>, api: &Rules<'_>) -> Option<Broken> {
    if let Some(broken) = said_by_body(route, api) {
        return Some(broken);
    }
    let quick = match api.known("routeKey") {
        Some(key) => key.as_str()?,
        None if api.given("routeKey") => return None,
        None => "$default",
    };
    (api.given("target") && route.known("routeKey")?.as_str() == Some(quick)).then(|| {
        let message = format!("The API's target makes the route {quick} by itself: take this resource out of the stack, or target out of the API.");
        Broken::at("routeKey", message)
    })
}

impl Resource for Route {
    const TYPE: &'static str = "aws:apigatewayv2:Route";
    const CALLS: &'static [&'static str] = &[
        "apigateway:CreateRoute",
        "apigateway:DeleteRoute",
        "apigateway:DeleteRouteRequestParameter",
        "apigateway:GetRoute",
        "apigateway:GetRoutes",
        "apigateway:UpdateRoute",
    ];
    const IMPORT: Import = Import::Parts("`apiId/routeId`", '/');
    const IDENTITY: &'static [&'static str] = &["apiId", "routeKey"];
    const PARENTS: &'static [Parent] = &[
        Parent::dies_with("aws:apigatewayv2:Api", "apiId", &["id"]).unless(created_by_api),
        Parent::stops("aws:apigatewayv2:Integration", "target", &["id"]).keyed(integration_id),
    ];
    const LANE: Option<Lane> = Some(LANE);
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        checks(rules)
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let call = cx
            .aws
            .apigateway_once()
            .create_route()
            .api_id(&props.api_id)
            .route_key(&props.route_key)
            .set_target(props.target.clone())
            .set_api_key_required(props.api_key_required)
            .set_authorization_type(props.authorization_type.as_deref().map(Into::into))
            .set_authorizer_id(props.authorizer_id.clone())
            .set_authorization_scopes(props.authorization_scopes.clone())
            .set_model_selection_expression(props.model_selection_expression.clone())
            .set_request_models(
                props
                    .request_models
                    .clone()
                    .map(|map| map.into_iter().collect()),
            )
            .set_operation_name(props.operation_name.clone())
            .set_request_parameters(props.request_parameters.as_deref().map(constraints))
            .set_route_response_selection_expression(
                props.route_response_selection_expression.clone(),
            );
        let reply = match send!(cx, call, "apigateway:POST (CreateRoute)", wait: BUSY) {
            Err(error) if error.is(EXISTS) => return Err(in_the_way(cx, props, error).await),
            other => other?,
        };
        let id = created_id(reply.route_id, "apigateway:POST (CreateRoute)", "RouteId")?;
        Ok(Made {
            id: format!("{}/{id}", props.api_id),
            outputs: Outputs { id },
        })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let [api_id, route_id] = parts(&read.id)?;
        let call = cx.aws.apigateway().get_route().api_id(api_id);
        let call = call.route_id(route_id);
        let Some(reply) = send!(call, "apigateway:GET (GetRoute)", none: NOT_FOUND)? else {
            return Ok(None);
        };
        let props = Self {
            api_id: api_id.to_owned(),
            route_key: reply.route_key.unwrap_or_default(),
            target: reply.target,
            api_key_required: reply.api_key_required,
            authorization_type: reply
                .authorization_type
                .map(|kind| kind.as_str().to_owned()),
            authorizer_id: reply.authorizer_id,
            authorization_scopes: reply.authorization_scopes,
            model_selection_expression: reply.model_selection_expression,
            request_models: reply.request_models.map(|map| map.into_iter().collect()),
            operation_name: reply.operation_name,
            request_parameters: reply.request_parameters.map(parameters),
            route_response_selection_expression: reply.route_response_selection_expression,
        };
        let id = route_id.to_owned();
        Ok(Some(Live::new(props, Outputs { id })))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let [api_id, route_id] = parts(&change.id)?;
        let client = cx.aws.apigateway();
        for key in dropped(&change) {
            let call = client.delete_route_request_parameter();
            let call = call.api_id(api_id).route_id(route_id);
            let call = call.request_parameter_key(key);
            send!(
                cx, call, "apigateway:DELETE (DeleteRouteRequestParameter)",
                wait: BUSY, gone: NOT_FOUND
            )?;
        }
        let call = patch(client.update_route(), &change)
            .api_id(api_id)
            .route_id(route_id);
        send!(cx, call, "apigateway:PATCH (UpdateRoute)", wait: BUSY)?;
        let id = route_id.to_owned();
        Ok(Made::new(change.id, Outputs { id }))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let [api_id, route_id] = parts(id)?;
        let call = cx.aws.apigateway().delete_route().api_id(api_id);
        let call = call.route_id(route_id);
        send!(cx, call, "apigateway:DELETE (DeleteRoute)", wait: BUSY, gone: NOT_FOUND)
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        // A route of the same key that says something else is somebody else's.
        let (Some(api_id), Some(key)) = (known.text("apiId"), known.text("routeKey")) else {
            return Ok(None);
        };
        let Some(id) = with_key(cx, api_id, key).await? else {
            return Ok(None);
        };
        let live = Self::read(cx, &Read::new(&id, Attributes::default())).await?;
        let live = live.map(|live| Attributes::new(json(&live.props)));
        let ours = live.is_some_and(|live| known.fits(&live, &["apiId"]));
        Ok(ours.then_some(id))
    }
}

/// The id of the route that has this key, and that the state does not know.
async fn with_key(cx: &Cx, api_id: &str, key: &str) -> Result<Option<String>, Error> {
    pages("apigateway:GET (GetRoutes)", |token| async move {
        let call = cx.aws.apigateway().get_routes().api_id(api_id);
        let call = call.max_results("500").set_next_token(token);
        let reply = send!(call, "apigateway:GET (GetRoutes)")?;
        let found = reply
            .items
            .unwrap_or_default()
            .into_iter()
            .find_map(|item| {
                let id = format!("{api_id}/{}", item.route_id.as_deref()?);
                (item.route_key.as_deref() == Some(key) && !cx.known_ids.contains(&id))
                    .then_some(id)
            });
        Ok((found, reply.next_token))
    })
    .await
}

/// What was refused, with the way to import the route that has the key already.
async fn in_the_way(cx: &Cx, props: &Route, error: Error) -> Error {
    let key = &props.route_key;
    match with_key(cx, &props.api_id, key).await {
        Ok(Some(id)) => import_id::exists(cx, &format!("a route with the key {key}"), &id),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Data, Path};
    use serde_json::json;

    fn broken(props: Value, protocol: &str) -> Vec<String> {
        let api = Data::from(json!({"protocolType": protocol}));
        let props = Data::from(props);
        let peer =
            |path: &Path| (path.to_string() == "apiId").then_some(("aws:apigatewayv2:Api", &api));
        let rules = Rules {
            props: &props,
            peer: &peer,
        };
        checks(&rules)
            .iter()
            .map(|rule| rule.path.to_string())
            .collect()
    }

    #[test]
    fn route_keys_follow_the_protocol() {
        assert_eq!(
            broken(json!({"routeKey": "sendMessage"}), "WEBSOCKET"),
            [""; 0]
        );
        assert_eq!(
            broken(json!({"routeKey": "sendMessage"}), "HTTP"),
            ["routeKey"]
        );
        assert_eq!(broken(json!({"routeKey": "get /a"}), "HTTP"), ["routeKey"]);
        assert_eq!(broken(json!({"routeKey": "GET /a"}), "HTTP"), [""; 0]);
        assert_eq!(broken(json!({"routeKey": "$default"}), "HTTP"), [""; 0]);
    }

    #[test]
    fn an_authorizer_goes_with_its_type() {
        let props = json!({"routeKey": "$connect", "authorizationType": "CUSTOM"});
        assert_eq!(broken(props, "WEBSOCKET"), ["authorizerId"]);
        let props = json!({"routeKey": "a", "authorizationType": "JWT", "authorizerId": "x"});
        assert_eq!(broken(props, "WEBSOCKET"), ["authorizationType"]);
    }
}

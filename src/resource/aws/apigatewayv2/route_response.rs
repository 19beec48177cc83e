//! `aws:apigatewayv2:RouteResponse`: lets a WebSocket route return a response to its caller.

use crate::resource::author::*;
use crate::resource::aws::apigatewayv2::{
    BUSY, EXISTS, LANE, NOT_FOUND, Tags, created_id, json, pages, parts,
};

/// A response of a WebSocket route: the caller gets what the integration returns.
/// Id: `apiId/routeId/routeResponseId`.
///
/// ```yaml
/// route_response:
///   type: aws:apigatewayv2:RouteResponse
///   properties:
///     apiId: ${api.id}
///     routeId: ${route.id}
///     routeResponseKey: $default
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteResponse {
    /// The API it belongs to.
    #[schemars(extend("createOnly" = true))]
    pub api_id: String,
    /// The route it belongs to.
    #[schemars(extend("createOnly" = true))]
    pub route_id: String,
    /// What selects the response: `$default`.
    #[schemars(length(min = 1))]
    pub route_response_key: String,
    /// What selects the model of the response.
    pub model_selection_expression: Option<String>,
    /// The models, by what the expression gives.
    pub response_models: Option<Tags>,
}

/// The outputs of `aws:apigatewayv2:RouteResponse`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The route response's id.
    #[schemars(extend("from" = ["apiId", "routeId"]))]
    pub id: String,
}

/// The properties in a reply about a route response; Get and the list have the same members.
macro_rules! props_of {
    ($api_id:expr, $route_id:expr, $reply:expr) => {{
        let reply = $reply;
        RouteResponse {
            api_id: $api_id.to_owned(),
            route_id: $route_id.to_owned(),
            route_response_key: reply.route_response_key.unwrap_or_default(),
            model_selection_expression: reply.model_selection_expression,
            response_models: reply.response_models.map(|map| map.into_iter().collect()),
        }
    }};
}

impl Resource for RouteResponse {
    const TYPE: &'static str = "aws:apigatewayv2:RouteResponse";
    const CALLS: &'static [&'static str] = &[
        "apigateway:CreateRouteResponse",
        "apigateway:DeleteRouteResponse",
        "apigateway:GetRouteResponse",
        "apigateway:GetRouteResponses",
        "apigateway:UpdateRouteResponse",
    ];
    const IMPORT: Import = Import::Parts("`apiId/routeId/routeResponseId`", '/');
    const IDENTITY: &'static [&'static str] = &["apiId", "routeId", "routeResponseKey"];
    const PARENTS: &'static [Parent] = &[
        Parent::dies_with("aws:apigatewayv2:Api", "apiId", &["id"]),
        Parent::dies_with("aws:apigatewayv2:Route", "routeId", &["id"]),
    ];
    const LANE: Option<Lane> = Some(LANE);
    type Outputs = Outputs;

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let models = props.response_models.clone();
        let call = cx
            .aws
            .apigateway_once()
            .create_route_response()
            .api_id(&props.api_id)
            .route_id(&props.route_id)
            .route_response_key(&props.route_response_key)
            .set_model_selection_expression(props.model_selection_expression.clone())
            .set_response_models(models.map(|map| map.into_iter().collect()));
        let reply = match send!(cx, call, "apigateway:POST (CreateRouteResponse)", wait: BUSY) {
            Err(error) if error.is(EXISTS) => return Err(in_the_way(cx, props, error).await),
            other => other?,
        };
        let id = created_id(
            reply.route_response_id,
            "apigateway:POST (CreateRouteResponse)",
            "RouteResponseId",
        )?;
        Ok(Made {
            id: format!("{}/{}/{id}", props.api_id, props.route_id),
            outputs: Outputs { id },
        })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let [api_id, route_id, response_id] = parts(&read.id)?;
        let call = cx.aws.apigateway().get_route_response();
        let call = call.api_id(api_id).route_id(route_id);
        let call = call.route_response_id(response_id);
        let Some(reply) = send!(call, "apigateway:GET (GetRouteResponse)", none: NOT_FOUND)? else {
            return Ok(None);
        };
        let props = props_of!(api_id, route_id, reply);
        let id = response_id.to_owned();
        Ok(Some(Live::new(props, Outputs { id })))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let [api_id, route_id, response_id] = parts(&change.id)?;
        let new = &change.new;
        let models = new.response_models.clone().unwrap_or_default();
        let call = cx
            .aws
            .apigateway()
            .update_route_response()
            .api_id(api_id)
            .route_id(route_id)
            .route_response_id(response_id)
            .set_route_response_key(change.text(
                "routeResponseKey",
                Some(&new.route_response_key),
                "",
            ))
            .set_model_selection_expression(change.text(
                "modelSelectionExpression",
                new.model_selection_expression.as_ref(),
                "",
            ))
            .set_response_models(
                change
                    .has(&["responseModels"])
                    .then(|| models.into_iter().collect()),
            );
        send!(cx, call, "apigateway:PATCH (UpdateRouteResponse)", wait: BUSY)?;
        let id = response_id.to_owned();
        Ok(Made::new(change.id, Outputs { id }))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let [api_id, route_id, response_id] = parts(id)?;
        let call = cx.aws.apigateway().delete_route_response();
        let call = call.api_id(api_id).route_id(route_id);
        let call = call.route_response_id(response_id);
        send!(cx, call, "apigateway:DELETE (DeleteRouteResponse)", wait: BUSY, gone: NOT_FOUND)
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let (Some(api_id), Some(route_id)) = (known.text("apiId"), known.text("routeId")) else {
            return Ok(None);
        };
        let parents = &["apiId", "routeId"];
        search(cx, (api_id, route_id), |live| {
            known.text("routeResponseKey") == Some(&live.route_response_key)
                && known.fits(&Attributes::new(json(live)), parents)
        })
        .await
    }
}

/// The id of the first response of the route that is `meant`, and that the state does not know.
async fn search(
    cx: &Cx,
    (api_id, route_id): (&str, &str),
    meant: impl Fn(&RouteResponse) -> bool + Sync,
) -> Result<Option<String>, Error> {
    let meant = &meant;
    pages("apigateway:GET (GetRouteResponses)", |token| async move {
        let call = cx.aws.apigateway().get_route_responses();
        let call = call.api_id(api_id).route_id(route_id);
        let call = call.max_results("500").set_next_token(token);
        let reply = send!(call, "apigateway:GET (GetRouteResponses)")?;
        let mut items = reply.items.unwrap_or_default().into_iter();
        let found = items.find_map(|item| {
            let id = item.route_response_id.as_deref()?;
            let id = format!("{api_id}/{route_id}/{id}");
            let live = props_of!(api_id, route_id, item);
            (!cx.known_ids.contains(&id) && meant(&live)).then_some(id)
        });
        Ok((found, reply.next_token))
    })
    .await
}

/// What was refused, with the way to import the response that has the key already.
async fn in_the_way(cx: &Cx, props: &RouteResponse, error: Error) -> Error {
    let key = &props.route_response_key;
    let route = (props.api_id.as_str(), props.route_id.as_str());
    match search(cx, route, |live| live.route_response_key == *key).await {
        Ok(Some(id)) => import_id::exists(
            cx,
            &format!("a response of the route with the key {key}"),
            &id,
        ),
        _ => error,
    }
}

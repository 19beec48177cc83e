//! `aws:apigatewayv2:IntegrationResponse`: how a WebSocket integration's result is transformed.

use crate::resource::author::*;
use crate::resource::aws::apigatewayv2::protocol::Protocol;
use crate::resource::aws::apigatewayv2::{
    BUSY, EXISTS, LANE, NOT_FOUND, Tags, created_id, json, pages, parts, peer_protocol,
};

/// How the result of an integration is transformed on its way to the caller, for the integrations
/// of a WebSocket API that are not proxies (`MOCK`, `HTTP`, `AWS`). The caller gets it where the
/// route has a route response. Id: `apiId/integrationId/integrationResponseId`.
///
/// ```yaml
/// integration_response:
///   type: aws:apigatewayv2:IntegrationResponse
///   properties:
///     apiId: ${api.id}
///     integrationId: ${integration.id}
///     integrationResponseKey: $default
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IntegrationResponse {
    /// The API it belongs to.
    #[schemars(extend("createOnly" = true))]
    pub api_id: String,
    /// The integration it belongs to.
    #[schemars(extend("createOnly" = true))]
    pub integration_id: String,
    /// Which results it is for; unique in the integration. `$default` for all that nothing
    /// else fits, or a regular expression between slashes, such as `/4\d\d/`: for the status of
    /// an HTTP endpoint, or the error message of a function.
    #[schemars(regex(pattern = r"^(\$default|/.+/)$"))]
    pub integration_response_key: String,
    /// How payloads are converted; none: they pass as they are.
    #[schemars(extend("enum" = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]))]
    pub content_handling_strategy: Option<String>,
    /// The templates of the payload, by what the selection expression gives.
    pub response_templates: Option<Tags>,
    /// What selects the template. A constant has a backslash: `'\$default'`.
    #[schemars(length(min = 1))]
    pub template_selection_expression: Option<String>,
}

/// The outputs of `aws:apigatewayv2:IntegrationResponse`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The integration response's id.
    #[schemars(extend("from" = ["apiId", "integrationId"]))]
    pub id: String,
}

/// The properties in a reply about an integration response; Get and the list have the same
/// members.
macro_rules! props_of {
    ($api_id:expr, $integration_id:expr, $reply:expr) => {{
        let reply = $reply;
        IntegrationResponse {
            api_id: $api_id.to_owned(),
            integration_id: $integration_id.to_owned(),
            integration_response_key: reply.integration_response_key.unwrap_or_default(),
            content_handling_strategy: reply
                .content_handling_strategy
                .map(|kind| kind.as_str().to_owned()),
            response_templates: reply
                .response_templates
                .map(|map| map.into_iter().collect()),
            template_selection_expression: reply.template_selection_expression,
        }
    }};
}

/// HTTP APIs have none (API Gateway developer guide, "WebSocket API integration responses").
fn checks(rules: &Rules<'_>) -> Vec<Broken> {
    match peer_protocol(rules) {
        Some(Protocol::Http) => vec![Broken::at(
            "apiId",
            "An integration response is for WebSocket APIs only; an HTTP API has responseParameters on its integration.",
        )],
        _ => Vec::new(),
    }
}

impl Resource for IntegrationResponse {
    const TYPE: &'static str = "aws:apigatewayv2:IntegrationResponse";
    const CALLS: &'static [&'static str] = &[
        "apigateway:CreateIntegrationResponse",
        "apigateway:DeleteIntegrationResponse",
        "apigateway:GetIntegrationResponse",
        "apigateway:GetIntegrationResponses",
        "apigateway:UpdateIntegrationResponse",
    ];
    const IMPORT: Import = Import::Parts("`apiId/integrationId/integrationResponseId`", '/');
    const IDENTITY: &'static [&'static str] = &["apiId", "integrationId", "integrationResponseKey"];
    const PARENTS: &'static [Parent] = &[
        Parent::dies_with("aws:apigatewayv2:Api", "apiId", &["id"]),
        Parent::dies_with("aws:apigatewayv2:Integration", "integrationId", &["id"]),
    ];
    const LANE: Option<Lane> = Some(LANE);
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        checks(rules)
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let templates = props.response_templates.clone();
        let call = cx
            .aws
            .apigateway_once()
            .create_integration_response()
            .api_id(&props.api_id)
            .integration_id(&props.integration_id)
            .integration_response_key(&props.integration_response_key)
            .set_content_handling_strategy(
                props.content_handling_strategy.as_deref().map(Into::into),
            )
            .set_response_templates(templates.map(|map| map.into_iter().collect()))
            .set_template_selection_expression(props.template_selection_expression.clone());
        let reply = match send!(
            cx, call, "apigateway:POST (CreateIntegrationResponse)", wait: BUSY
        ) {
            Err(error) if error.is(EXISTS) => return Err(in_the_way(cx, props, error).await),
            other => other?,
        };
        let id = created_id(
            reply.integration_response_id,
            "apigateway:POST (CreateIntegrationResponse)",
            "IntegrationResponseId",
        )?;
        Ok(Made {
            id: format!("{}/{}/{id}", props.api_id, props.integration_id),
            outputs: Outputs { id },
        })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let [api_id, integration_id, response_id] = parts(&read.id)?;
        let call = cx.aws.apigateway().get_integration_response();
        let call = call.api_id(api_id).integration_id(integration_id);
        let call = call.integration_response_id(response_id);
        let reply = send!(call, "apigateway:GET (GetIntegrationResponse)", none: NOT_FOUND)?;
        let Some(reply) = reply else {
            return Ok(None);
        };
        let props = props_of!(api_id, integration_id, reply);
        let id = response_id.to_owned();
        Ok(Some(Live::new(props, Outputs { id })))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let [api_id, integration_id, response_id] = parts(&change.id)?;
        let new = &change.new;
        let templates = new.response_templates.clone().unwrap_or_default();
        let call = cx
            .aws
            .apigateway()
            .update_integration_response()
            .api_id(api_id)
            .integration_id(integration_id)
            .integration_response_id(response_id)
            .set_integration_response_key(change.text(
                "integrationResponseKey",
                Some(&new.integration_response_key),
                "",
            ))
            .set_content_handling_strategy(
                change
                    .text(
                        "contentHandlingStrategy",
                        new.content_handling_strategy.as_ref(),
                        "",
                    )
                    .map(|kind| kind.as_str().into()),
            )
            .set_response_templates(
                change
                    .has(&["responseTemplates"])
                    .then(|| templates.into_iter().collect()),
            )
            .set_template_selection_expression(change.text(
                "templateSelectionExpression",
                new.template_selection_expression.as_ref(),
                "",
            ));
        send!(cx, call, "apigateway:PATCH (UpdateIntegrationResponse)", wait: BUSY)?;
        let id = response_id.to_owned();
        Ok(Made::new(change.id, Outputs { id }))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let [api_id, integration_id, response_id] = parts(id)?;
        let call = cx.aws.apigateway().delete_integration_response();
        let call = call.api_id(api_id).integration_id(integration_id);
        let call = call.integration_response_id(response_id);
        send!(
            cx, call, "apigateway:DELETE (DeleteIntegrationResponse)", wait: BUSY, gone: NOT_FOUND
        )
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let (Some(api_id), Some(integration_id)) =
            (known.text("apiId"), known.text("integrationId"))
        else {
            return Ok(None);
        };
        let parents = &["apiId", "integrationId"];
        search(cx, (api_id, integration_id), |live| {
            known.text("integrationResponseKey") == Some(&live.integration_response_key)
                && known.fits(&Attributes::new(json(live)), parents)
        })
        .await
    }
}

/// The id of the first response of the integration that is `meant`, and that the state does
/// not know.
async fn search(
    cx: &Cx,
    (api_id, integration_id): (&str, &str),
    meant: impl Fn(&IntegrationResponse) -> bool + Sync,
) -> Result<Option<String>, Error> {
    let meant = &meant;
    pages(
        "apigateway:GET (GetIntegrationResponses)",
        |token| async move {
            let call = cx.aws.apigateway().get_integration_responses();
            let call = call.api_id(api_id).integration_id(integration_id);
            let call = call.max_results("500").set_next_token(token);
            let reply = send!(call, "apigateway:GET (GetIntegrationResponses)")?;
            let mut items = reply.items.unwrap_or_default().into_iter();
            let found = items.find_map(|item| {
                let id = item.integration_response_id.as_deref()?;
                let id = format!("{api_id}/{integration_id}/{id}");
                let live = props_of!(api_id, integration_id, item);
                (!cx.known_ids.contains(&id) && meant(&live)).then_some(id)
            });
            Ok((found, reply.next_token))
        },
    )
    .await
}

/// What was refused, with the way to import the response that has the key already.
async fn in_the_way(cx: &Cx, props: &IntegrationResponse, error: Error) -> Error {
    let key = &props.integration_response_key;
    let integration = (props.api_id.as_str(), props.integration_id.as_str());
    match search(cx, integration, |live| {
        live.integration_response_key == *key
    })
    .await
    {
        Ok(Some(id)) => import_id::exists(
            cx,
            &format!("a response of the integration with the key {key}"),
            &id,
        ),
        _ => error,
    }
}

//! `aws:apigatewayv2:Integration`: what an API calls for a route.

use crate::resource::author::*;
use crate::resource::aws::apigatewayv2::integration_parts::{
    ResponseParameters, TlsConfig, checks, emptied_statuses, merged, merged_statuses, statuses,
};
use crate::resource::aws::apigatewayv2::{
    BUSY, LANE, NOT_FOUND, Tags, all_pages, created_id, json, parts, protocol_of, said_by_body,
};
use aws_sdk_apigatewayv2::operation::update_integration::builders::UpdateIntegrationFluentBuilder;

/// What an API calls when a route is taken: an AWS service, a Lambda function, an HTTP
/// endpoint, or nothing (`MOCK`). Id: `apiId/integrationId`.
///
/// ```yaml
/// integration:
///   type: aws:apigatewayv2:Integration
///   properties: {apiId: "${api.id}", integrationType: MOCK}
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Integration {
    /// The API it belongs to.
    #[schemars(extend("createOnly" = true))]
    pub api_id: String,
    /// The kind: `AWS`, `HTTP` and `MOCK` (WebSocket only), `AWS_PROXY`, `HTTP_PROXY`.
    #[schemars(extend("enum" = ["AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"]))]
    pub integration_type: String,
    /// The HTTP method of the call, or `ANY`. AWS integrations use `POST` when it is omitted.
    #[schemars(extend("enum" = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]))]
    pub integration_method: Option<String>,
    /// What is called. An AWS service: `arn:aws:apigateway:{region}:{service}:path/{path}`;
    /// a function: its `invokeArn`; an HTTP endpoint: its URL.
    #[schemars(length(min = 1, max = 2048))]
    pub integration_uri: Option<String>,
    /// The AWS action of an HTTP API's `AWS_PROXY` integration, such as `SQS-SendMessage`.
    #[schemars(length(min = 1, max = 128), extend("createOnly" = true))]
    pub integration_subtype: Option<String>,
    /// `INTERNET`, or `VPC_LINK` for a private endpoint.
    #[schemars(extend("default" = "INTERNET", "enum" = ["INTERNET", "VPC_LINK"]))]
    pub connection_type: Option<String>,
    /// The id of the VPC link.
    #[schemars(length(min = 1, max = 1024))]
    pub connection_id: Option<String>,
    /// How payloads are converted. WebSocket only.
    #[schemars(extend("enum" = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]))]
    pub content_handling_strategy: Option<String>,
    /// The role that API Gateway assumes for the call, or `arn:aws:iam::*:user/*` for the
    /// caller's identity. None: the target's own policy decides.
    pub credentials_arn: Option<String>,
    /// A description.
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// What happens to a payload that no request template fits. WebSocket only.
    #[schemars(extend("default" = "WHEN_NO_MATCH", "enum" = [
        "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"
    ]))]
    pub passthrough_behavior: Option<String>,
    /// The form of the payload: `1.0`, or `2.0` for a function behind an HTTP API.
    #[schemars(extend("default" = "1.0", "enum" = ["1.0", "2.0"]))]
    pub payload_format_version: Option<String>,
    /// Request parameters by name. A static value keeps its inner quotes: `"'text/plain'"`.
    pub request_parameters: Option<Tags>,
    /// Request templates by name (a content type or a selected key). WebSocket only.
    pub request_templates: Option<Tags>,
    /// How the response's parameters are changed, by status. HTTP only.
    #[schemars(extend("set" = true))]
    pub response_parameters: Option<Vec<ResponseParameters>>,
    /// What selects the request template. A constant has a backslash: `'\$default'`.
    pub template_selection_expression: Option<String>,
    /// How long the call may take: 50 to 29000 ms for WebSocket, to 30000 ms for HTTP. If omitted,
    /// it is the largest.
    #[schemars(range(min = 50, max = 30000))]
    pub timeout_milliseconds: Option<i32>,
    /// TLS towards a private endpoint. HTTP only.
    pub tls_config: Option<TlsConfig>,
}

/// The outputs of `aws:apigatewayv2:Integration`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The integration's id; a route's target is `integrations/` and this.
    #[schemars(extend("from" = ["apiId"]))]
    pub id: String,
    /// What selects the integration response. WebSocket only.
    #[schemars(extend("volatile" = ["integrationType"], "from" = ["integrationType"]))]
    pub integration_response_selection_expression: Option<String>,
}

/// The properties in a reply about an integration; Get and the list have the same members.
macro_rules! props_of {
    ($api_id:expr, $reply:expr) => {{
        let reply = $reply;
        Integration {
            api_id: $api_id.to_owned(),
            integration_type: reply
                .integration_type
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
            integration_method: reply.integration_method,
            integration_uri: reply.integration_uri,
            integration_subtype: reply.integration_subtype,
            connection_type: reply.connection_type.map(|kind| kind.as_str().to_owned()),
            connection_id: reply.connection_id,
            content_handling_strategy: reply
                .content_handling_strategy
                .map(|kind| kind.as_str().to_owned()),
            credentials_arn: reply.credentials_arn,
            description: reply.description,
            passthrough_behavior: reply
                .passthrough_behavior
                .map(|kind| kind.as_str().to_owned()),
            payload_format_version: reply.payload_format_version,
            request_parameters: reply
                .request_parameters
                .map(|map| map.into_iter().collect()),
            request_templates: reply.request_templates.map(|map| map.into_iter().collect()),
            response_parameters: reply.response_parameters.map(ResponseParameters::from_sdk),
            template_selection_expression: reply.template_selection_expression,
            timeout_milliseconds: reply.timeout_in_millis,
            tls_config: reply.tls_config.map(|tls| TlsConfig {
                server_name_to_verify: tls.server_name_to_verify,
            }),
        }
    }};
}

/// What an update sends; what was removed from the file goes back to the default. The type and the
/// subtype are sent each time, as API Gateway wants it.
fn patch(
    call: UpdateIntegrationFluentBuilder,
    change: &Change<Integration>,
    default_timeout: i32,
) -> UpdateIntegrationFluentBuilder {
    let (old, new) = (&change.old, &change.new);
    let method = if new.integration_type.starts_with("AWS") {
        "POST"
    } else {
        ""
    };
    let subtype = new.integration_subtype.is_some();
    // With a subtype these are the parameters of the service's action: all that stay are sent,
    // and an empty one is refused.
    let before = old.request_parameters.as_ref().filter(|_| !subtype);
    let parameters = (subtype || change.has(&["requestParameters"]))
        .then(|| merged(before, new.request_parameters.as_ref()));
    let templates = change.has(&["requestTemplates"]).then(|| {
        let new = new.request_templates.iter().flatten();
        new.map(|(key, text)| (key.clone(), text.clone())).collect()
    });
    let responses = change.has(&["responseParameters"]).then(|| {
        merged_statuses(
            old.response_parameters.as_deref(),
            new.response_parameters.as_deref(),
        )
    });
    let tls = new.tls_config.as_ref().map_or("", |tls| {
        tls.server_name_to_verify.as_deref().unwrap_or_default()
    });
    let tls = change.has(&["tlsConfig"]).then(|| TlsConfig::to_sdk(tls));
    call.integration_type(new.integration_type.as_str().into())
        .set_integration_subtype(new.integration_subtype.clone())
        .set_integration_method(change.text(
            "integrationMethod",
            new.integration_method.as_ref(),
            method,
        ))
        .set_integration_uri(change.text("integrationUri", new.integration_uri.as_ref(), ""))
        .set_connection_type(
            change
                .text("connectionType", new.connection_type.as_ref(), "INTERNET")
                .map(|kind| kind.as_str().into()),
        )
        .set_connection_id(change.text("connectionId", new.connection_id.as_ref(), ""))
        .set_content_handling_strategy(
            change
                .text(
                    "contentHandlingStrategy",
                    new.content_handling_strategy.as_ref(),
                    "",
                )
                .map(|kind| kind.as_str().into()),
        )
        .set_credentials_arn(change.text("credentialsArn", new.credentials_arn.as_ref(), ""))
        .set_description(change.text("description", new.description.as_ref(), ""))
        .set_passthrough_behavior(
            change
                .text(
                    "passthroughBehavior",
                    new.passthrough_behavior.as_ref(),
                    "WHEN_NO_MATCH",
                )
                .map(|kind| kind.as_str().into()),
        )
        .set_payload_format_version(change.text(
            "payloadFormatVersion",
            new.payload_format_version.as_ref(),
            "1.0",
        ))
        .set_request_parameters(parameters)
        .set_request_templates(templates)
        .set_response_parameters(responses)
        .set_template_selection_expression(change.text(
            "templateSelectionExpression",
            new.template_selection_expression.as_ref(),
            "",
        ))
        .set_timeout_in_millis(change.sent(
            "timeoutMilliseconds",
            new.timeout_milliseconds.as_ref(),
            default_timeout,
        ))
        .set_tls_config(tls)
}

impl Resource for Integration {
    const TYPE: &'static str = "aws:apigatewayv2:Integration";
    const CALLS: &'static [&'static str] = &[
        "apigateway:CreateIntegration",
        "apigateway:DeleteIntegration",
        "apigateway:GetIntegration",
        "apigateway:GetIntegrations",
        "apigateway:UpdateIntegration",
    ];
    const IMPORT: Import = Import::Parts("`apiId/integrationId`", '/');
    const PARENTS: &'static [Parent] = &[
        Parent::dies_with("aws:apigatewayv2:Api", "apiId", &["id"]).unless(said_by_body),
        Parent::survives("aws:iam:Role", "credentialsArn", &["arn"]),
        Parent::survives(
            "aws:lambda:Function",
            "integrationUri",
            &["arn", "invokeArn"],
        ),
    ];
    const LANE: Option<Lane> = Some(LANE);
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        checks(rules)
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let method = props.integration_method.clone();
        let is_aws = props.integration_type.starts_with("AWS");
        let call = cx
            .aws
            .apigateway_once()
            .create_integration()
            .api_id(&props.api_id)
            .integration_type(props.integration_type.as_str().into())
            .set_integration_method(method.or_else(|| is_aws.then(|| "POST".to_owned())))
            .set_integration_uri(props.integration_uri.clone())
            .set_integration_subtype(props.integration_subtype.clone())
            .set_connection_type(props.connection_type.as_deref().map(Into::into))
            .set_connection_id(props.connection_id.clone())
            .set_content_handling_strategy(
                props.content_handling_strategy.as_deref().map(Into::into),
            )
            .set_credentials_arn(props.credentials_arn.clone())
            .set_description(props.description.clone())
            .set_passthrough_behavior(props.passthrough_behavior.as_deref().map(Into::into))
            // An HTTP API refuses to go without one, a WebSocket API stores the same.
            .payload_format_version(props.payload_format_version.as_deref().unwrap_or("1.0"))
            .set_request_parameters(
                props
                    .request_parameters
                    .clone()
                    .map(|map| map.into_iter().collect()),
            )
            .set_request_templates(
                props
                    .request_templates
                    .clone()
                    .map(|map| map.into_iter().collect()),
            )
            .set_response_parameters(props.response_parameters.as_deref().map(statuses))
            .set_template_selection_expression(props.template_selection_expression.clone())
            .set_timeout_in_millis(props.timeout_milliseconds)
            .set_tls_config(props.tls_config.as_ref().map(|tls| {
                TlsConfig::to_sdk(tls.server_name_to_verify.as_deref().unwrap_or_default())
            }));
        let reply = send!(cx, call, "apigateway:POST (CreateIntegration)", wait: BUSY)?;
        let id = created_id(
            reply.integration_id,
            "apigateway:POST (CreateIntegration)",
            "IntegrationId",
        )?;
        Ok(Made {
            id: format!("{}/{id}", props.api_id),
            outputs: Outputs {
                id,
                integration_response_selection_expression: reply
                    .integration_response_selection_expression,
            },
        })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let [api_id, integration_id] = parts(&read.id)?;
        let call = cx.aws.apigateway().get_integration().api_id(api_id);
        let call = call.integration_id(integration_id);
        let reply = send!(call, "apigateway:GET (GetIntegration)", none: NOT_FOUND)?;
        let Some(mut reply) = reply else {
            return Ok(None);
        };
        let outputs = Outputs {
            id: integration_id.to_owned(),
            integration_response_selection_expression: reply
                .integration_response_selection_expression
                .take(),
        };
        let props = props_of!(api_id, reply);
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let [api_id, integration_id] = parts(&change.id)?;
        let reset =
            change.has(&["timeoutMilliseconds"]) && change.new.timeout_milliseconds.is_none();
        let timeout = if reset {
            protocol_of(cx, api_id).await?.default_timeout()
        } else {
            0
        };
        let call = cx.aws.apigateway().update_integration();
        let emptied = emptied_statuses(
            change.old.response_parameters.as_deref(),
            change.new.response_parameters.as_deref(),
        );
        if change.has(&["responseParameters"]) && !emptied.is_empty() {
            let call = call.clone().api_id(api_id).integration_id(integration_id);
            let call = call.set_response_parameters(Some(emptied));
            send!(cx, call, "apigateway:PATCH (UpdateIntegration)", wait: BUSY)?;
        }
        let call = patch(call, &change, timeout)
            .api_id(api_id)
            .integration_id(integration_id);
        let reply = send!(cx, call, "apigateway:PATCH (UpdateIntegration)", wait: BUSY)?;
        Ok(Made {
            outputs: Outputs {
                id: integration_id.to_owned(),
                integration_response_selection_expression: reply
                    .integration_response_selection_expression,
            },
            id: change.id,
        })
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let [api_id, integration_id] = parts(id)?;
        let call = cx.aws.apigateway().delete_integration();
        let call = call.api_id(api_id).integration_id(integration_id);
        send!(cx, call, "apigateway:DELETE (DeleteIntegration)", wait: BUSY, gone: NOT_FOUND)
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(api_id) = known.text("apiId") else {
            return Ok(None);
        };
        let fitting = all_pages("apigateway:GET (GetIntegrations)", |token| async move {
            let call = cx.aws.apigateway().get_integrations().api_id(api_id);
            let call = call.max_results("500").set_next_token(token);
            let reply = send!(call, "apigateway:GET (GetIntegrations)")?;
            let items = reply.items.unwrap_or_default().into_iter();
            let fitting = items.filter_map(|item| {
                let id = format!("{api_id}/{}", item.integration_id.as_deref()?);
                let live = Attributes::new(json(&props_of!(api_id, item)));
                (!cx.known_ids.contains(&id) && known.fits(&live, &["apiId"])).then_some(id)
            });
            Ok((fitting.collect(), reply.next_token))
        })
        .await?;
        // Two that differ only in what is withheld cannot be distinguished.
        if known.withholds() && fitting.len() > 1 {
            return Ok(None);
        }
        Ok(fitting.into_iter().next())
    }
}

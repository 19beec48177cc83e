//! `aws:apigatewayv2:Api`: a WebSocket or HTTP API.

use crate::resource::author::*;
use crate::resource::aws::apigatewayv2::protocol::Protocol;
use crate::resource::aws::apigatewayv2::{
    BUSY, NOT_FOUND, Tags, api_arn, created_id, execution_arn, only_for, pages, retag, tag,
    tag_rules,
};
use aws_sdk_apigatewayv2::operation::update_api::builders::UpdateApiFluentBuilder;
use aws_sdk_apigatewayv2::types;

/// A WebSocket or HTTP API of API Gateway. Its name is not unique. Id: the API's id.
///
/// Quick create (`target`) and an OpenAPI `body` create routes and integrations that belong to the
/// API: they are deleted with it, and must not be declared as resources too.
///
/// ```yaml
/// api:
///   type: aws:apigatewayv2:Api
///   properties:
///     name: orders
///     protocolType: WEBSOCKET
///     routeSelectionExpression: $request.body.action
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Api {
    /// The API's name.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// What the API speaks: `WEBSOCKET` or `HTTP`.
    #[schemars(extend("createOnly" = true, "enum" = ["WEBSOCKET", "HTTP"]))]
    pub protocol_type: String,
    /// How a message finds its route, such as `$request.body.action`. A WebSocket API
    /// needs it; an HTTP API has only `${request.method} ${request.path}`.
    pub route_selection_expression: Option<String>,
    /// Where the API key comes from. WebSocket only.
    #[schemars(extend("default" = "$request.header.x-api-key", "enum" = [
        "$request.header.x-api-key", "$context.authorizer.usageIdentifierKey"
    ]))]
    pub api_key_selection_expression: Option<String>,
    /// A description.
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// A version identifier of your own.
    #[schemars(length(min = 1, max = 64))]
    pub version: Option<String>,
    /// Whether clients can reach the API only through a custom domain name.
    #[schemars(extend("default" = false))]
    pub disable_execute_api_endpoint: Option<bool>,
    /// The addresses that can invoke the API: `ipv4` or `dualstack`.
    #[schemars(extend("default" = "ipv4", "enum" = ["ipv4", "dualstack"]))]
    pub ip_address_type: Option<String>,
    /// Whether requests are taken without validation against models. WebSocket only.
    #[schemars(extend("default" = false, "writeOnly" = true))]
    pub disable_schema_validation: Option<bool>,
    /// Cross-origin resource sharing. HTTP only.
    pub cors_configuration: Option<Cors>,
    /// Quick create: where all requests go, a URL or a function's ARN. The service creates the
    /// integration, a route and the stage `$default`. HTTP only.
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub target: Option<String>,
    /// Quick create: the route's key; `$default` when omitted. HTTP only.
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub route_key: Option<String>,
    /// Quick create: the role that the integration uses. HTTP only.
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub credentials_arn: Option<String>,
    /// An OpenAPI document, given in the stack file or read by `file()` (not from S3, as
    /// CloudFormation can), whose paths define the API's routes and integrations, in place of all
    /// others. Compared with what was last applied: changes from outside are not seen, and removing
    /// it keeps what it created. HTTP only.
    #[schemars(extend("later" = true, "writeOnly" = true))]
    pub body: Option<Document>,
    /// What happens to the base path that `body` names (its `basePath` server variable, or the path
    /// of its server's URL): it counts for nothing, stands before every path, or does so without
    /// its first part.
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html
    #[schemars(extend(
        "default" = "ignore", "enum" = ["ignore", "prepend", "split"],
        "later" = true, "writeOnly" = true
    ))]
    pub base_path: Option<String>,
    /// Whether a warning about `body` is an error.
    #[schemars(extend("default" = false, "later" = true, "writeOnly" = true))]
    pub fail_on_warnings: Option<bool>,
    /// Tags; values must not be empty.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<Tags>,
}

/// Cross-origin resource sharing of an HTTP API. Order and case do not matter in its lists.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cors {
    /// Whether requests may carry credentials.
    #[schemars(extend("default" = false))]
    pub allow_credentials: Option<bool>,
    /// The headers that requests may have.
    #[schemars(extend("set" = true, "ignoreCase" = true))]
    pub allow_headers: Option<Vec<String>>,
    /// The methods that requests may use.
    #[schemars(extend("set" = true, "ignoreCase" = true))]
    pub allow_methods: Option<Vec<String>>,
    /// The origins that requests may come from.
    #[schemars(extend("set" = true, "ignoreCase" = true))]
    pub allow_origins: Option<Vec<String>>,
    /// The headers that browsers may show.
    #[schemars(extend("set" = true, "ignoreCase" = true))]
    pub expose_headers: Option<Vec<String>>,
    /// How many seconds browsers may cache the response to a preflight request.
    #[schemars(range(min = -1, max = 86400), extend("default" = 0))]
    pub max_age: Option<i32>,
}

/// The outputs of `aws:apigatewayv2:Api`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The API's id.
    #[schemars(extend("from" = []))]
    pub id: String,
    /// Its ARN.
    #[schemars(extend("from" = []))]
    pub arn: String,
    /// Its URL without a stage: `wss://…` for a WebSocket API, `https://…` for an HTTP one.
    #[schemars(extend("from" = []))]
    pub api_endpoint: String,
    /// The ARN prefix that policies and permissions name it by.
    #[schemars(extend("from" = []))]
    pub execution_arn: String,
}

impl Cors {
    /// The settings as the SDK takes them.
    pub(crate) fn to_sdk(&self) -> types::Cors {
        types::Cors::builder()
            .set_allow_credentials(self.allow_credentials)
            .set_allow_headers(self.allow_headers.clone())
            .set_allow_methods(self.allow_methods.clone())
            .set_allow_origins(self.allow_origins.clone())
            .set_expose_headers(self.expose_headers.clone())
            .set_max_age(self.max_age)
            .build()
    }

    fn from_sdk(live: types::Cors) -> Self {
        Self {
            allow_credentials: live.allow_credentials,
            allow_headers: live.allow_headers,
            allow_methods: live.allow_methods,
            allow_origins: live.allow_origins,
            expose_headers: live.expose_headers,
            max_age: live.max_age,
        }
    }
}

async fn outputs(
    cx: &Cx,
    id: &str,
    endpoint: Option<String>,
    kind: &str,
) -> Result<Outputs, Error> {
    cx.aws.api_protocols.note(id, kind);
    let scheme = Protocol::parse(kind).map_or("https", Protocol::scheme);
    let (region, suffix) = (cx.aws.region(), cx.aws.dns_suffix());
    let endpoint =
        endpoint.unwrap_or_else(|| format!("{scheme}://{id}.execute-api.{region}.{suffix}"));
    Ok(Outputs {
        id: id.to_owned(),
        arn: api_arn(cx, id),
        api_endpoint: endpoint,
        execution_arn: execution_arn(cx, id).await?,
    })
}

/// What an update sends; what was removed from the file goes back to the service's default.
fn patch(call: UpdateApiFluentBuilder, change: &Change<Api>) -> UpdateApiFluentBuilder {
    let new = &change.new;
    let selection = if new.protocol_type == "HTTP" {
        "${request.method} ${request.path}"
    } else {
        "$request.body.action"
    };
    call.api_id(&change.id)
        .set_name(change.text("name", Some(&new.name), ""))
        .set_route_selection_expression(change.text(
            "routeSelectionExpression",
            new.route_selection_expression.as_ref(),
            selection,
        ))
        .set_api_key_selection_expression(change.text(
            "apiKeySelectionExpression",
            new.api_key_selection_expression.as_ref(),
            "$request.header.x-api-key",
        ))
        .set_description(change.text("description", new.description.as_ref(), ""))
        .set_version(change.text("version", new.version.as_ref(), ""))
        .set_disable_execute_api_endpoint(change.sent(
            "disableExecuteApiEndpoint",
            new.disable_execute_api_endpoint.as_ref(),
            false,
        ))
        .set_ip_address_type(
            change
                .text("ipAddressType", new.ip_address_type.as_ref(), "ipv4")
                .map(|name| name.as_str().into()),
        )
        .set_disable_schema_validation(change.sent(
            "disableSchemaValidation",
            new.disable_schema_validation.as_ref(),
            false,
        ))
        .set_cors_configuration(
            new.cors_configuration
                .as_ref()
                .filter(|_| change.has(&["corsConfiguration"]))
                .map(Cors::to_sdk),
        )
}

/// Puts the document in place of the API's routes and integrations. The service takes name,
/// description, version, CORS settings and tags from the document too (Terraform's provider
/// sets them again for that reason), so what the stack file says of them follows.
async fn import(cx: &Cx, id: &str, props: &Api) -> Result<(), Error> {
    let Some(body) = &props.body else {
        return Ok(());
    };
    let client = cx.aws.apigateway();
    let call = client.reimport_api().api_id(id).body(body.text());
    let call = call
        .set_fail_on_warnings(props.fail_on_warnings)
        .set_basepath(props.base_path.clone());
    send!(cx, call, "apigateway:PUT (ReimportApi)", wait: BUSY)?;
    let call = client.update_api().api_id(id).name(&props.name);
    let call = call
        .set_description(props.description.clone())
        .set_version(props.version.clone())
        .set_cors_configuration(props.cors_configuration.as_ref().map(Cors::to_sdk));
    send!(cx, call, "apigateway:PATCH (UpdateApi)", wait: BUSY)?;
    let mut tags = cx.owner.tagged(props.tags.as_ref());
    // An update creates nothing, so it has no operation to name.
    tags.retain(|_, value| !value.is_empty());
    tag(cx, &api_arn(cx, id), tags).await
}

impl Resource for Api {
    const TYPE: &'static str = "aws:apigatewayv2:Api";
    const CALLS: &'static [&'static str] = &[
        "apigateway:CreateApi",
        "apigateway:DeleteApi",
        "apigateway:DeleteCorsConfiguration",
        "apigateway:GetApi",
        "apigateway:GetApis",
        "apigateway:ReimportApi",
        "apigateway:TagResource",
        "apigateway:UntagResource",
        "apigateway:UpdateApi",
    ];
    const IMPORT: Import = Import::Name(
        "the API's id, such as `a1b2c3d4e5`",
        &['/', ':'],
        "apiId, such as a1b2c3d4e5",
    );
    const PARENTS: &'static [Parent] = &[
        Parent::survives("aws:iam:Role", "credentialsArn", &["arn"]),
        Parent::survives("aws:lambda:Function", "target", &["arn"]),
    ];
    const LANE: Option<Lane> = Some(Lane("apigateway", "id"));
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let mut broken = Vec::new();
        let protocol = rules
            .known("protocolType")
            .and_then(|kind| Protocol::parse(kind.as_str()?));
        if protocol == Some(Protocol::WebSocket) && !rules.given("routeSelectionExpression") {
            broken.push(
                Broken::at(
                    "routeSelectionExpression",
                    "A WebSocket API needs routeSelectionExpression, such as $request.body.action.",
                )
                .code("SK0801"),
            );
        }
        let websocket = ["apiKeySelectionExpression", "disableSchemaValidation"];
        only_for(
            rules,
            protocol,
            Protocol::WebSocket,
            &websocket,
            &mut broken,
        );
        let quick = ["target", "routeKey", "credentialsArn"];
        let http = ["corsConfiguration", "body", "basePath", "failOnWarnings"];
        let http = [&quick[..], &http[..]].concat();
        only_for(rules, protocol, Protocol::Http, &http, &mut broken);
        for name in quick.iter().filter(|name| rules.given(name)) {
            if !rules.given("target") {
                broken.push(Broken::at(name, format!("{name} needs target beside it.")));
            } else if rules.given("body") {
                let message = format!("{name} and body exclude each other: body says all routes.");
                broken.push(Broken::at(name, message));
            }
        }
        for name in ["basePath", "failOnWarnings"] {
            if rules.given(name) && !rules.given("body") {
                broken.push(Broken::at(name, format!("{name} needs body beside it.")));
            }
        }
        tag_rules(rules, &mut broken);
        broken
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let tags = cx.owner.tagged(props.tags.as_ref());
        let call = cx
            .aws
            .apigateway_once()
            .create_api()
            .name(&props.name)
            .protocol_type(props.protocol_type.as_str().into())
            .set_route_selection_expression(props.route_selection_expression.clone())
            .set_api_key_selection_expression(props.api_key_selection_expression.clone())
            .set_description(props.description.clone())
            .set_version(props.version.clone())
            .set_disable_execute_api_endpoint(props.disable_execute_api_endpoint)
            .set_ip_address_type(props.ip_address_type.as_deref().map(Into::into))
            .set_disable_schema_validation(props.disable_schema_validation)
            .set_cors_configuration(props.cors_configuration.as_ref().map(Cors::to_sdk))
            .set_target(props.target.clone())
            .set_route_key(props.route_key.clone())
            .set_credentials_arn(props.credentials_arn.clone())
            .set_tags(Some(tags.into_iter().collect()));
        let reply = send!(cx, call, "apigateway:POST (CreateApi)", wait: BUSY)?;
        let id = created_id(reply.api_id, "apigateway:POST (CreateApi)", "ApiId")?;
        cx.made(&id, Attributes::new(serde_json::json!({"id": id})));
        import(cx, &id, props).await?;
        let outputs = outputs(cx, &id, reply.api_endpoint, &props.protocol_type).await?;
        Ok(Made { id, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let call = cx.aws.apigateway().get_api().api_id(&read.id);
        let Some(reply) = send!(call, "apigateway:GET (GetApi)", none: NOT_FOUND)? else {
            return Ok(None);
        };
        let protocol = reply.protocol_type.map(|kind| kind.as_str().to_owned());
        let protocol_type = protocol.unwrap_or_default();
        let outputs = outputs(cx, &read.id, reply.api_endpoint, &protocol_type).await?;
        let props = Self {
            name: reply.name.unwrap_or_default(),
            protocol_type,
            route_selection_expression: reply.route_selection_expression,
            api_key_selection_expression: reply.api_key_selection_expression,
            description: reply.description,
            version: reply.version,
            disable_execute_api_endpoint: reply.disable_execute_api_endpoint,
            ip_address_type: reply.ip_address_type.map(|kind| kind.as_str().to_owned()),
            disable_schema_validation: None,
            cors_configuration: reply.cors_configuration.map(Cors::from_sdk),
            target: None,
            route_key: None,
            credentials_arn: None,
            body: None,
            base_path: None,
            fail_on_warnings: None,
            tags: user_tags(reply.tags.unwrap_or_default()),
        };
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let client = cx.aws.apigateway();
        let no_cors = change.has(&["corsConfiguration"]) && change.new.cors_configuration.is_none();
        if no_cors {
            let call = client.delete_cors_configuration().api_id(&change.id);
            send!(
                cx, call, "apigateway:DELETE (DeleteCorsConfiguration)", wait: BUSY, gone: NOT_FOUND
            )?;
        }
        let imported = ["body", "basePath", "failOnWarnings"];
        if change.has(&imported) {
            import(cx, &change.id, &change.new).await?;
        }
        let apart = |name: &str| name == "tags" || imported.contains(&name);
        let patched = |name: &str| !apart(name) && (name != "corsConfiguration" || !no_cors);
        if change.changed.iter().any(|name| patched(name)) {
            let call = patch(client.update_api(), &change);
            send!(cx, call, "apigateway:PATCH (UpdateApi)", wait: BUSY)?;
        }
        if change.has(&["tags"]) {
            let arn = api_arn(cx, &change.id);
            retag(cx, &arn, change.old.tags.as_ref(), change.new.tags.as_ref()).await?;
        }
        let endpoint = change.live["apiEndpoint"].as_str().map(str::to_owned);
        let outputs = outputs(cx, &change.id, endpoint, &change.new.protocol_type).await?;
        Ok(Made::new(change.id, outputs))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let call = cx.aws.apigateway().delete_api().api_id(id);
        send!(cx, call, "apigateway:DELETE (DeleteApi)", wait: BUSY, gone: NOT_FOUND)
    }

    async fn find(cx: &Cx, _known: &Known) -> Result<Option<String>, Error> {
        pages("apigateway:GET (GetApis)", |token| async move {
            let call = cx.aws.apigateway().get_apis().max_results("500");
            let reply = send!(call.set_next_token(token), "apigateway:GET (GetApis)")?;
            let found = reply
                .items
                .unwrap_or_default()
                .into_iter()
                .find(|api| cx.owner.made(api.tags.iter().flatten()));
            Ok((found.and_then(|api| api.api_id), reply.next_token))
        })
        .await
    }
}

//! `aws:apigatewayv2:Stage`: a deployed API under a name.

use crate::resource::author::*;
use crate::resource::aws::apigatewayv2::integration_parts::merged;
use crate::resource::aws::apigatewayv2::protocol::Protocol;
use crate::resource::aws::apigatewayv2::stage_settings::{
    DefaultRouteSettings, RouteSettings, drop_defaults, explained,
};
use crate::resource::aws::apigatewayv2::{
    BUSY, EXISTS, LANE, NOT_FOUND, Tags, api_arn, execution_arn, log_format, only_for, parts,
    peer_protocol, protocol_of, retag, tag_rules,
};
use aws_sdk_apigatewayv2::operation::update_stage::builders::UpdateStageFluentBuilder;
use aws_sdk_apigatewayv2::types;

/// A stage: what clients of an API reach under a name. Id: `apiId/stageName`.
///
/// With `autoDeploy` every change of the API is deployed at once, and `deploymentId` is
/// API Gateway's; without it, set `deploymentId` to a deployment's id.
///
/// ```yaml
/// stage:
///   type: aws:apigatewayv2:Stage
///   properties: {apiId: "${api.id}", name: production, deploymentId: "${deployment.id}"}
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// The API it belongs to.
    #[schemars(extend("createOnly" = true))]
    pub api_id: String,
    /// Its name, the last part of the URL; `$default` (HTTP only) has no such part.
    #[schemars(length(min = 1, max = 128))]
    #[schemars(regex(pattern = r"^([A-Za-z0-9_-]+|\$default)$"))]
    #[schemars(extend("createOnly" = true))]
    pub name: String,
    /// Whether changes of the API are deployed at once.
    #[schemars(extend("default" = false))]
    pub auto_deploy: Option<bool>,
    /// The deployment it shows. Not together with `autoDeploy`. API Gateway changes it and never
    /// unsets it: without it and without `autoDeploy` the stage is recreated.
    #[schemars(extend("staysUnless" = "autoDeploy"))]
    pub deployment_id: Option<String>,
    /// A description.
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Where each access is logged.
    pub access_log_settings: Option<AccessLogSettings>,
    /// The client certificate for calls to integrations. WebSocket only.
    pub client_certificate_id: Option<String>,
    /// The settings of routes that have none of their own. Limits removed from the file go back to
    /// 5000 at once and 10000 a second, the account's own.
    pub default_route_settings: Option<DefaultRouteSettings>,
    /// The settings of single routes.
    #[schemars(extend("set" = true))]
    pub route_settings: Option<Vec<RouteSettings>>,
    /// Variables that integrations can use.
    pub stage_variables: Option<Tags>,
    /// Tags; values must not be empty.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<Tags>,
}

/// Where each access is logged.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessLogSettings {
    /// The ARN of a log group (without a trailing `:*`) or a Firehose stream.
    pub destination_arn: String,
    /// The format of a line, with `$context` variables: one line, with `$context.requestId` or
    /// `$context.extendedRequestId` in it.
    #[schemars(length(min = 1, max = 3072))]
    pub format: String,
}

/// The outputs of `aws:apigatewayv2:Stage`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The stage's name.
    #[schemars(extend("from" = ["apiId", "name"]))]
    pub id: String,
    /// Its ARN.
    #[schemars(extend("from" = ["apiId", "name"]))]
    pub arn: String,
    /// The ARN prefix that policies and permissions name it by. To allow posting to
    /// WebSocket connections append `/POST/@connections/*`.
    #[schemars(extend("from" = ["apiId", "name"]))]
    pub execution_arn: String,
    /// Where clients connect: `wss://…/{stage}` for a WebSocket API, `https://…` for HTTP.
    #[schemars(extend("from" = ["apiId", "name"]))]
    pub invoke_url: String,
    /// The deployment it shows; with `autoDeploy` each change of the API creates a new one.
    #[schemars(extend("volatile" = ["autoDeploy", "deploymentId"], "from" = ["deploymentId"]))]
    pub deployment_id: Option<String>,
}

fn log_arn(arn: &str) -> &str {
    arn.strip_suffix(":*").unwrap_or(arn)
}

/// Why a stage cannot be declared beside its API: quick create creates the stage `$default`.
fn created_by_api(stage: &Rules<'_>, api: &Rules<'_>) -> Option<Broken> {
    (api.given("target") && stage.known("name")? == "$default").then(|| {
        Broken::at("name", "The API's target makes the stage $default by itself: take this resource out of the stack, or target out of the API.")
    })
}

/// Whether a stage logs.
fn logs(stage: &Value) -> bool {
    let level = |settings: &Value| {
        settings.get("loggingLevel").is_some() || settings["dataTraceEnabled"] == true
    };
    let routes = stage["routeSettings"].as_array();
    stage.get("accessLogSettings").is_some()
        || level(&stage["defaultRouteSettings"])
        || routes.into_iter().flatten().any(level)
}

/// Whether a stage has settings for a route.
fn names_route(stage: &Value, route: &Value) -> bool {
    let settings = stage["routeSettings"].as_array();
    let mut keys = settings.into_iter().flatten().map(|item| &item["routeKey"]);
    keys.any(|key| *key == route["routeKey"] || key.is_null())
}

impl AccessLogSettings {
    fn to_sdk(&self) -> types::AccessLogSettings {
        types::AccessLogSettings::builder()
            .destination_arn(log_arn(&self.destination_arn))
            .format(&self.format)
            .build()
    }
}

/// The outputs by formula. The URL's scheme is that of the API's protocol, which no reply about a
/// stage returns: it comes from the state, or from the API as read or created in this run, and only
/// for a stage whose API this run has not seen from a `GetApi`.
async fn outputs(
    cx: &Cx,
    ids: [&str; 2],
    deployment_id: Option<String>,
    known_url: Option<&str>,
) -> Result<Outputs, Error> {
    let [api_id, name] = ids;
    let protocol = match known_url {
        Some(url) if url.starts_with("wss:") => Protocol::WebSocket,
        Some(url) if url.starts_with("https:") => Protocol::Http,
        _ if name == "$default" => Protocol::Http,
        _ => protocol_of(cx, api_id).await?,
    };
    let (scheme, region, suffix) = (protocol.scheme(), cx.aws.region(), cx.aws.dns_suffix());
    let path = if name == "$default" { "" } else { name };
    Ok(Outputs {
        id: name.to_owned(),
        arn: stage_arn(cx, api_id, name),
        execution_arn: format!("{}/{name}", execution_arn(cx, api_id).await?),
        invoke_url: format!("{scheme}://{api_id}.execute-api.{region}.{suffix}/{path}"),
        deployment_id,
    })
}

fn stage_arn(cx: &Cx, api_id: &str, name: &str) -> String {
    format!("{}/stages/{name}", api_arn(cx, api_id))
}

/// What an update sends; what was removed from the file goes back to the default. A deployment is
/// never sent together with `autoDeploy`, which API Gateway refuses.
fn patch(call: UpdateStageFluentBuilder, change: &Change<Stage>) -> UpdateStageFluentBuilder {
    let (old, new) = (&change.old, &change.new);
    let manual = new.auto_deploy != Some(true) && new.deployment_id.is_some();
    let settings = change.has(&["defaultRouteSettings"]).then(|| {
        let wanted = new.default_route_settings.clone().unwrap_or_default();
        let live = old.default_route_settings.clone().unwrap_or_default();
        wanted.reset_from(&live).to_sdk()
    });
    let routes = new.route_settings.as_deref().unwrap_or_default();
    let routes = (change.has(&["routeSettings"]) && !routes.is_empty())
        .then(|| RouteSettings::to_sdk(routes, old.route_settings.as_deref().unwrap_or_default()));
    let variables = change
        .has(&["stageVariables"])
        .then(|| merged(old.stage_variables.as_ref(), new.stage_variables.as_ref()));
    let logs = new.access_log_settings.as_ref();
    call.set_auto_deploy(change.sent("autoDeploy", new.auto_deploy.as_ref(), false))
        .set_deployment_id(
            new.deployment_id
                .clone()
                .filter(|_| manual && change.has(&["deploymentId", "autoDeploy"])),
        )
        .set_description(change.text("description", new.description.as_ref(), ""))
        .set_access_log_settings(
            logs.filter(|_| change.has(&["accessLogSettings"]))
                .map(AccessLogSettings::to_sdk),
        )
        .set_client_certificate_id(change.text(
            "clientCertificateId",
            new.client_certificate_id.as_ref(),
            "",
        ))
        .set_default_route_settings(settings)
        .set_route_settings(routes)
        .set_stage_variables(variables)
}

/// The calls that take something away, which no PATCH can.
async fn take_away(cx: &Cx, ids: [&str; 2], change: &Change<Stage>) -> Result<(), Error> {
    let client = cx.aws.apigateway();
    let [api_id, name] = ids;
    if change.has(&["accessLogSettings"]) && change.new.access_log_settings.is_none() {
        let call = client.delete_access_log_settings().api_id(api_id);
        let call = call.stage_name(name);
        send!(
            cx, call, "apigateway:DELETE (DeleteAccessLogSettings)", wait: BUSY, gone: NOT_FOUND
        )?;
    }
    if change.has(&["routeSettings"]) {
        let new = change.new.route_settings.as_deref().unwrap_or_default();
        let old = change.old.route_settings.as_deref().unwrap_or_default();
        let goes = |key: &str| !new.iter().any(|item| item.route_key == key);
        for item in old.iter().filter(|item| goes(&item.route_key)) {
            let call = client.delete_route_settings().api_id(api_id);
            let call = call.stage_name(name);
            let call = call.route_key(&item.route_key);
            send!(
                cx, call, "apigateway:DELETE (DeleteRouteSettings)", wait: BUSY, gone: NOT_FOUND
            )?;
        }
    }
    Ok(())
}

/// Whether the PATCH has anything to say beside what other calls do.
fn patches(change: &Change<Stage>) -> bool {
    let new = &change.new;
    change.changed.iter().any(|name| match name.as_str() {
        "tags" => false,
        "accessLogSettings" => new.access_log_settings.is_some(),
        "routeSettings" => new
            .route_settings
            .as_ref()
            .is_some_and(|list| !list.is_empty()),
        "deploymentId" => new.deployment_id.is_some(),
        _ => true,
    })
}

fn checks(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let protocol = peer_protocol(rules);
    if rules.known("autoDeploy") == Some(&Value::Bool(true)) && rules.given("deploymentId") {
        broken.push(
            Broken::at(
                "deploymentId",
                "A stage with autoDeploy takes no deploymentId; leave one of them out.",
            )
            .code("SK0806"),
        );
    }
    if rules.known("name").and_then(Value::as_str) == Some("$default")
        && protocol == Some(Protocol::WebSocket)
    {
        broken.push(
            Broken::at("name", "Only an HTTP API has a stage named $default.").code("SK0807"),
        );
    }
    let certificate = ["clientCertificateId"];
    only_for(
        rules,
        protocol,
        Protocol::WebSocket,
        &certificate,
        &mut broken,
    );
    if protocol == Some(Protocol::Http)
        && let Some(Value::Object(settings)) = rules.known("defaultRouteSettings")
    {
        for name in ["dataTraceEnabled", "loggingLevel"] {
            if settings.get(name).is_some_and(|value| !value.is_null()) {
                broken.push(
                    Broken::new(
                        Path::root().join("defaultRouteSettings").join(name),
                        format!("{name} is for stages of WebSocket APIs only."),
                    )
                    .on_key(),
                );
            }
        }
    }
    log_format_check(rules, &mut broken);
    variable_checks(rules, &mut broken);
    tag_rules(rules, &mut broken);
    broken
}

/// An access log has one line a request, and each line contains the request's id: API Gateway
/// refuses other formats (service model, `AccessLogSettings.format`; it takes the extended id in
/// place of the id). One line end at the end is fine.
fn log_format_check(rules: &Rules<'_>, broken: &mut Vec<Broken>) {
    let path = Path::dotted("accessLogSettings.format");
    let known = rules.props.unknown_at(&path).is_none();
    let format = path.get(&rules.props.value).and_then(Value::as_str);
    let Some(format) = format.filter(|_| known) else {
        return;
    };
    if log_format::has_lines(format) {
        let message =
            "The format of an access log is one line: a line end is allowed at its end only.";
        let help = "in YAML, >- joins the lines of a block".to_owned();
        broken.push(Broken::new(path.clone(), message).help(Some(help)));
    }
    if !log_format::logs_request_id(format) {
        broken.push(Broken::new(
            path,
            "The format of an access log must hold $context.requestId or \
             $context.extendedRequestId.",
        ));
    }
}

/// Names `[A-Za-z0-9_]+`, values of at most 2048 of `A-Za-z0-9-._~:/?#&=,`, 100 a stage.
fn variable_checks(rules: &Rules<'_>, broken: &mut Vec<Broken>) {
    let Some(Value::Object(variables)) = rules.known("stageVariables") else {
        return;
    };
    if variables.len() > 100 {
        broken.push(
            Broken::at("stageVariables", "A stage has at most 100 variables.").code("SK0808"),
        );
    }
    for (name, value) in variables {
        let path = Path::root().join("stageVariables").join(name);
        let known = rules.props.unknown_at(&path).is_none();
        let value = value.as_str().filter(|_| known).unwrap_or_default();
        let good_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let good = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=,".contains(c);
        if name.is_empty() || !good_name {
            let message = "The name of a stage variable has letters, digits and _ only.";
            broken.push(Broken::new(path, message).code("SK0808").on_key());
        } else if value.len() > 2048 || !value.chars().all(good) {
            let message = "The value of a stage variable has at most 2048 letters, digits and -._~:/?#&=, only.";
            broken.push(Broken::new(path, message).code("SK0808"));
        }
    }
}

/// Has API Gateway deploy the stages with `autoDeploy`: any write to the API does that. A stage on
/// which `autoDeploy` was only switched on shows what was deployed by hand until then, which could
/// not be deleted (unverified against AWS: it may deploy at once, and nothing is written then).
async fn deploy(cx: &Cx, api_id: &str) -> Result<(), Error> {
    let client = cx.aws.apigateway();
    let name = send!(client.get_api().api_id(api_id), "apigateway:GET (GetApi)")?.name;
    let call = client.update_api().api_id(api_id).set_name(name);
    send!(cx, call, "apigateway:PATCH (UpdateApi)", wait: BUSY).map(|_| ())
}

/// Whether a `lastDeploymentStatusMessage` reports a failure: `Deployment attempt failed: …`, and
/// else `Successfully deployed stage with deployment ID …`.
fn has_failed(message: &str) -> bool {
    message.to_ascii_lowercase().contains("fail")
}

impl Resource for Stage {
    const TYPE: &'static str = "aws:apigatewayv2:Stage";
    const CALLS: &'static [&'static str] = &[
        "apigateway:CreateStage",
        "apigateway:DeleteAccessLogSettings",
        "apigateway:DeleteRouteSettings",
        "apigateway:DeleteStage",
        "apigateway:GetApi",
        "apigateway:GetStage",
        "apigateway:TagResource",
        "apigateway:UntagResource",
        "apigateway:UpdateApi",
        "apigateway:UpdateStage",
    ];
    const IMPORT: Import = Import::Parts("`apiId/stageName`", '/');
    const IDENTITY: &'static [&'static str] = &["apiId", "name"];
    const PARENTS: &'static [Parent] = &[
        Parent::dies_with("aws:apigatewayv2:Api", "apiId", &["id"]).unless(created_by_api),
        Parent::stops("aws:apigatewayv2:Deployment", "deploymentId", &["id"]),
        Parent::survives(
            "aws:cloudwatch:LogGroup",
            "accessLogSettings.destinationArn",
            &["arn"],
        )
        .keyed(|arn| log_arn(arn).to_owned()),
    ];
    const AFTER: &'static [After] = &[
        // API Gateway takes settings for a route that exists, and for no other.
        After {
            after_deletion: false,
            applies: names_route,
            ..After::siblings("aws:apigatewayv2:Route", "apiId")
        },
        // "CloudWatch Logs role ARN must be set in account settings to enable logging".
        After {
            after_deletion: false,
            applies: |stage, _| logs(stage),
            ..After::siblings("aws:apigateway:Account", "")
        },
    ];
    const LANE: Option<Lane> = Some(LANE);
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        checks(rules)
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        let props = props.to_mut();
        if let Some(settings) = props.get_mut("routeSettings") {
            drop_defaults(settings);
        }
        if let Some(arn) = props.pointer_mut("/accessLogSettings/destinationArn")
            && let Some(text) = arn.as_str()
        {
            *arn = Value::String(log_arn(text).to_owned());
        }
        if let Some(format) = props.pointer_mut("/accessLogSettings/format")
            && let Some(text) = format.as_str()
        {
            *format = Value::String(log_format::line(text).to_owned());
        }
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let routes = props.route_settings.as_deref();
        let variables = props.stage_variables.clone();
        let call = cx
            .aws
            .apigateway_once()
            .create_stage()
            .api_id(&props.api_id)
            .stage_name(&props.name)
            .set_auto_deploy(props.auto_deploy)
            .set_deployment_id(props.deployment_id.clone())
            .set_description(props.description.clone())
            .set_access_log_settings(
                props
                    .access_log_settings
                    .as_ref()
                    .map(AccessLogSettings::to_sdk),
            )
            .set_client_certificate_id(props.client_certificate_id.clone())
            .set_default_route_settings(
                props
                    .default_route_settings
                    .as_ref()
                    .map(DefaultRouteSettings::to_sdk),
            )
            .set_route_settings(routes.map(|list| RouteSettings::to_sdk(list, &[])))
            .set_stage_variables(variables.map(|map| map.into_iter().collect()))
            .set_tags(Some(
                cx.owner.tagged(props.tags.as_ref()).into_iter().collect(),
            ));
        let id = format!("{}/{}", props.api_id, props.name);
        let reply = match send!(cx, call, "apigateway:POST (CreateStage)", wait: BUSY) {
            Err(error) if error.is(EXISTS) && error.message().contains("already exists") => {
                let what = format!("a stage named {}", props.name);
                return Err(import_id::exists(cx, &what, &id));
            }
            other => other.map_err(explained)?,
        };
        cx.made(&id, Attributes::new(serde_json::json!({"id": props.name})));
        let ids = [props.api_id.as_str(), props.name.as_str()];
        let outputs = outputs(cx, ids, reply.deployment_id, None).await?;
        Ok(Made { id, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let [api_id, name] = parts(&read.id)?;
        let call = cx.aws.apigateway().get_stage().api_id(api_id);
        let call = call.stage_name(name);
        let Some(reply) = send!(call, "apigateway:GET (GetStage)", none: NOT_FOUND)? else {
            return Ok(None);
        };
        let url = read.attributes["invokeUrl"].as_str();
        let outputs = outputs(cx, [api_id, name], reply.deployment_id.clone(), url).await?;
        let props = Self {
            api_id: api_id.to_owned(),
            name: name.to_owned(),
            auto_deploy: reply.auto_deploy,
            deployment_id: reply.deployment_id,
            description: reply.description,
            access_log_settings: reply.access_log_settings.map(|logs| AccessLogSettings {
                destination_arn: logs.destination_arn.unwrap_or_default(),
                format: logs.format.unwrap_or_default(),
            }),
            client_certificate_id: reply.client_certificate_id,
            default_route_settings: reply
                .default_route_settings
                .map(DefaultRouteSettings::from_sdk),
            route_settings: reply.route_settings.map(RouteSettings::from_sdk),
            stage_variables: reply.stage_variables.map(|map| map.into_iter().collect()),
            tags: user_tags(reply.tags.unwrap_or_default()),
        };
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let ids @ [api_id, name] = parts(&change.id)?;
        take_away(cx, ids, &change).await?;
        let mut deployment = change.live["deploymentId"].as_str().map(str::to_owned);
        if patches(&change) {
            let call = patch(cx.aws.apigateway().update_stage(), &change);
            let call = call.api_id(api_id).stage_name(name);
            let shown = std::mem::take(&mut deployment);
            let patched = send!(cx, call, "apigateway:PATCH (UpdateStage)", wait: BUSY);
            deployment = patched.map_err(explained)?.deployment_id;
            let switched = change.has(&["autoDeploy"]) && change.new.auto_deploy == Some(true);
            if switched && shown.is_some() && deployment == shown {
                deploy(cx, api_id).await?;
                let read = Read::new(&change.id, change.live.clone());
                let live = Self::read(cx, &read).await?;
                deployment = live.and_then(|live| live.outputs.deployment_id);
            }
        }
        if change.has(&["tags"]) {
            let arn = stage_arn(cx, api_id, name);
            retag(cx, &arn, change.old.tags.as_ref(), change.new.tags.as_ref()).await?;
        }
        let url = change.live["invokeUrl"].as_str();
        let outputs = outputs(cx, ids, deployment, url).await?;
        Ok(Made::new(change.id, outputs))
    }

    const REPORTS_AFTERMATH: bool = true;

    /// API Gateway deploys a stage with `autoDeploy` by itself after each write to its API, and
    /// reports a failure only here. The first reads may still report the deployment before.
    async fn aftermath(
        cx: &Cx,
        id: &str,
        attributes: &Attributes,
    ) -> Result<Option<String>, Error> {
        if attributes["autoDeploy"] != Value::Bool(true) {
            return Ok(None);
        }
        let [api_id, name] = parts(id)?;
        let client = cx.aws.apigateway();
        let call = client.get_stage().api_id(api_id).stage_name(name);
        let mut told = None;
        for share in [0.0, 0.1, 0.3, 0.6] {
            tokio::time::sleep(cx.aws.late().mul_f64(share)).await;
            let reply = send!(call.clone(), "apigateway:GET (GetStage)", none: NOT_FOUND)?;
            let message = reply.and_then(|reply| reply.last_deployment_status_message);
            let Some(message) = message.filter(|message| has_failed(message)) else {
                return Ok(None);
            };
            told = Some(message);
        }
        Ok(told.map(|message| {
            format!(
                "API Gateway could not deploy the API to the stage, which shows what was deployed \
                 before: {message}"
            )
        }))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let [api_id, name] = parts(id)?;
        let call = cx.aws.apigateway().delete_stage().api_id(api_id);
        let call = call.stage_name(name);
        send!(cx, call, "apigateway:DELETE (DeleteStage)", wait: BUSY, gone: NOT_FOUND)
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let (Some(api_id), Some(name)) = (known.text("apiId"), known.text("name")) else {
            return Ok(None);
        };
        let call = cx.aws.apigateway().get_stage().api_id(api_id);
        let call = call.stage_name(name);
        let reply = send!(call, "apigateway:GET (GetStage)", none: NOT_FOUND)?;
        let tags = reply.and_then(|stage| stage.tags).unwrap_or_default();
        let ours = cx.owner.made(&tags);
        Ok(ours.then(|| format!("{api_id}/{name}")))
    }
}

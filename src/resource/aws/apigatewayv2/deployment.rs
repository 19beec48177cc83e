//! `aws:apigatewayv2:Deployment`: a snapshot of an API that stages can point at.

use crate::resource::author::*;
use crate::resource::aws::apigatewayv2::{
    BUSY, LANE, NOT_FOUND, Tags, created_id, json, pages, parts,
};
use aws_sdk_apigatewayv2::types::DeploymentStatus;

/// A snapshot of an API's routes and integrations, for stages without `autoDeploy`: set a
/// stage's `deploymentId` to its id. The API needs at least one route; the routes,
/// integrations and responses of the same stack come first. Id: `apiId/deploymentId`.
///
/// The service's `stageName` argument is not offered: it creates or moves a stage that no stack
/// file names.
///
/// ```yaml
/// deployment:
///   type: aws:apigatewayv2:Deployment
///   properties: {apiId: "${api.id}", triggers: {route: "${route.target}"}}
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deployment {
    /// The API that is deployed.
    #[schemars(extend("createOnly" = true))]
    pub api_id: String,
    /// A description.
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Values that force a new deployment when one of them changes. Never sent.
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub triggers: Option<Tags>,
}

/// The outputs of `aws:apigatewayv2:Deployment`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The deployment's id.
    #[schemars(extend("from" = ["apiId"]))]
    pub id: String,
    /// Whether API Gateway created it by itself.
    #[schemars(extend("from" = []))]
    pub auto_deployed: bool,
}

const LIMIT: Duration = Duration::from_secs(300);

/// Whether a deployment is done; `FAILED` is an error.
fn done(status: Option<&DeploymentStatus>, message: Option<&str>) -> Result<bool, Error> {
    match status {
        Some(DeploymentStatus::Failed) => Err(Error::with_hint(
            format!(
                "API Gateway could not deploy the API: {}",
                message.unwrap_or("it gave no reason")
            ),
            "Mend the routes and integrations it names, then run apply again.",
        )),
        Some(DeploymentStatus::Pending) => Ok(false),
        _ => Ok(true),
    }
}

/// Waits until the deployment is done.
async fn deployed(cx: &Cx, api_id: &str, id: &str) -> Result<(), Error> {
    cx.until("the deployment to be done", LIMIT, || async move {
        let call = cx.aws.apigateway().get_deployment();
        let call = call.api_id(api_id).deployment_id(id);
        let reply = send!(call, "apigateway:GET (GetDeployment)")?;
        let message = reply.deployment_status_message.as_deref();
        if done(reply.deployment_status.as_ref(), message)? {
            return Ok(());
        }
        Err(Wait::NotYet("PENDING".to_owned()))
    })
    .await
}

/// How long a stage that has just moved on may still count as showing its old deployment.
const STILL_ACTIVE_LIMIT: Duration = Duration::from_secs(20);

fn still_active(error: &Error) -> Option<&'static str> {
    (error.effect() == Effect::None && error.message().contains("Active stages"))
        .then_some("a stage still shows the deployment")
}

/// A type of what a deployment holds. It holds no other types of the API, and API Gateway lets go
/// of either in any order.
const fn held(type_name: &'static str) -> After {
    After {
        deleted_before: false,
        ..After::siblings(type_name, "apiId")
    }
}

impl Resource for Deployment {
    const TYPE: &'static str = "aws:apigatewayv2:Deployment";
    const CALLS: &'static [&'static str] = &[
        "apigateway:CreateDeployment",
        "apigateway:DeleteDeployment",
        "apigateway:GetDeployment",
        "apigateway:GetDeployments",
        "apigateway:UpdateDeployment",
    ];
    const IMPORT: Import = Import::Parts("`apiId/deploymentId`", '/');
    const PARENTS: &'static [Parent] =
        &[Parent::dies_with("aws:apigatewayv2:Api", "apiId", &["id"])];
    // A deployment holds what the API is at that moment, and needs a route at least.
    const AFTER: &'static [After] = &[
        held("aws:apigatewayv2:Integration"),
        held("aws:apigatewayv2:IntegrationResponse"),
        held("aws:apigatewayv2:Route"),
        held("aws:apigatewayv2:RouteResponse"),
    ];
    const LANE: Option<Lane> = Some(LANE);
    type Outputs = Outputs;

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let api_id = &new.props.api_id;
        let call = cx.aws.apigateway_once().create_deployment().api_id(api_id);
        let call = call.set_description(new.props.description.clone());
        let reply = send!(cx, call, "apigateway:POST (CreateDeployment)", wait: BUSY)?;
        let id = &created_id(
            reply.deployment_id,
            "apigateway:POST (CreateDeployment)",
            "DeploymentId",
        )?;
        let outputs = Outputs {
            id: id.clone(),
            auto_deployed: false,
        };
        let made = Made {
            id: format!("{api_id}/{id}"),
            outputs,
        };
        cx.made(
            &made.id,
            Attributes::new(serde_json::json!({"id": id, "autoDeployed": false})),
        );
        let message = reply.deployment_status_message.as_deref();
        if !done(reply.deployment_status.as_ref(), message)? {
            deployed(cx, api_id, id).await?;
        }
        Ok(made)
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let [api_id, deployment_id] = parts(&read.id)?;
        let call = cx.aws.apigateway().get_deployment();
        let call = call.api_id(api_id).deployment_id(deployment_id);
        let reply = send!(call, "apigateway:GET (GetDeployment)", none: NOT_FOUND)?;
        Ok(reply.map(|reply| {
            let outputs = Outputs {
                id: deployment_id.to_owned(),
                auto_deployed: reply.auto_deployed.unwrap_or(false),
            };
            let props = Self {
                api_id: api_id.to_owned(),
                description: reply.description,
                triggers: None,
            };
            Live::new(props, outputs)
        }))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let [api_id, deployment_id] = parts(&change.id)?;
        let call = cx
            .aws
            .apigateway()
            .update_deployment()
            .api_id(api_id)
            .deployment_id(deployment_id)
            .set_description(change.text("description", change.new.description.as_ref(), ""));
        send!(cx, call, "apigateway:PATCH (UpdateDeployment)", wait: BUSY)?;
        let outputs = Outputs {
            id: deployment_id.to_owned(),
            auto_deployed: change.live["autoDeployed"].as_bool().unwrap_or(false),
        };
        Ok(Made::new(change.id, outputs))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let [api_id, deployment_id] = parts(id)?;
        let call = cx.aws.apigateway().delete_deployment();
        let call = call.api_id(api_id).deployment_id(deployment_id);
        cx.retry(STILL_ACTIVE_LIMIT, still_active, || async {
            let call = call.clone();
            send!(cx, call, "apigateway:DELETE (DeleteDeployment)", wait: BUSY, gone: NOT_FOUND)
        })
        .await
    }

    async fn ready(cx: &Cx, id: &str) -> Result<(), Error> {
        let [api_id, deployment_id] = parts(id)?;
        deployed(cx, api_id, deployment_id).await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(api_id) = known.text("apiId") else {
            return Ok(None);
        };
        pages("apigateway:GET (GetDeployments)", |token| async move {
            let call = cx.aws.apigateway().get_deployments().api_id(api_id);
            let call = call.max_results("500").set_next_token(token);
            let reply = send!(call, "apigateway:GET (GetDeployments)")?;
            let found = reply
                .items
                .unwrap_or_default()
                .into_iter()
                .find_map(|item| {
                    let id = format!("{api_id}/{}", item.deployment_id.as_deref()?);
                    let description = json(&item.description);
                    let fits = item.auto_deployed != Some(true)
                        && known.compare("description", &description) == Match::Same
                        && !cx.known_ids.contains(&id);
                    fits.then_some(id)
                });
            Ok((found, reply.next_token))
        })
        .await
    }
}

//! `aws:apigateway:Account`: the role with which API Gateway writes logs.
//!
//! One exists in each account and region. Its identity is not a property: two of them in a file are
//! refused, and it is read without a name. The state keeps the role that this stack has set, since
//! a read overlays what it knows with the live one: a create does not replace a role that somebody
//! else has set, and a deletion removes only its own.

use crate::resource::author::*;
use crate::resource::context;
use aws_sdk_apigateway::types::{Op, PatchOperation};

/// API Gateway's settings for the account, one set in each region. A stage of a WebSocket API can
/// log only while they name a role. The deletion removes the role from the settings, unless
/// somebody else has set another one since.
///
/// ```yaml
/// logger:
///   type: aws:iam:Role
///   properties:
///     assumeRolePolicy:
///       Version: "2012-10-17"
///       Statement:
///         - Effect: Allow
///           Principal: {Service: apigateway.amazonaws.com}
///           Action: sts:AssumeRole
///     inlinePolicies:
///       - name: logs
///         policy:
///           Version: "2012-10-17"
///           Statement: [{Effect: Allow, Action: "logs:*", Resource: "*"}]
/// account:
///   type: aws:apigateway:Account
///   properties: {cloudwatchRoleArn: "${logger.arn}"}
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// The ARN of the role with which API Gateway writes logs. `apigateway.amazonaws.com` must
    /// be allowed to assume it, and it needs the permissions of the managed policy
    /// `service-role/AmazonAPIGatewayPushToCloudWatchLogs`.
    #[schemars(regex(pattern = "^arn:[^:]+:iam::[0-9]{12}:role/.+$"))]
    pub cloudwatch_role_arn: String,
}

/// The outputs of `aws:apigateway:Account`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// `api-gateway-account`: one exists in each account and region.
    #[schemars(extend("from" = []))]
    pub id: String,
    /// The role that this stack has set. A deletion leaves the settings alone while they name
    /// another one.
    #[schemars(extend("volatile" = ["cloudwatchRoleArn"], "from" = ["cloudwatchRoleArn"]))]
    pub role_set: String,
    /// The version of API keys.
    #[schemars(extend("from" = []))]
    pub api_key_version: Option<String>,
    /// What the account can do, such as `UsagePlans`.
    #[schemars(extend("from" = []))]
    pub features: Option<Vec<String>>,
}

/// What the account's settings are called, as in Pulumi and Terraform.
const ID: &str = "api-gateway-account";

/// How long a new role may take until API Gateway can use it.
const ROLE_LIMIT: Duration = Duration::from_secs(120);

/// Why a refused update is worth a retry. A role or a policy that was created a moment ago is not
/// seen at once, and the messages are the same for one that will never do.
fn transient(error: &Error) -> Option<&'static str> {
    const UNUSABLE: &[&str] = &[
        "does not have required permissions",
        "could not successfully write to CloudWatch Logs",
    ];
    let text = error.message();
    if error.effect() == Effect::None && UNUSABLE.iter().any(|part| text.contains(part)) {
        return Some("API Gateway cannot write logs with the role yet");
    }
    if error.effect() == Effect::None && error.is(&["ConflictException"]) {
        return Some("another change of the account's settings is going on");
    }
    context::throttled(error)
}

struct Settings {
    role: Option<String>,
    api_key_version: Option<String>,
    features: Option<Vec<String>>,
}

impl Settings {
    fn outputs(self, role_set: String) -> Outputs {
        Outputs {
            id: ID.to_owned(),
            role_set,
            api_key_version: self.api_key_version,
            features: self.features,
        }
    }
}

async fn get(cx: &Cx) -> Result<Settings, Error> {
    let call = cx.aws.apigateway_v1().get_account();
    let reply = send!(call, "apigateway:GET (GetAccount)")?;
    Ok(Settings {
        role: reply.cloudwatch_role_arn.filter(|role| !role.is_empty()),
        api_key_version: reply.api_key_version,
        features: reply.features,
    })
}

/// Sets the role; the empty string removes it.
async fn set(cx: &Cx, client: &aws_sdk_apigateway::Client, role: &str) -> Result<Settings, Error> {
    let patch = PatchOperation::builder()
        .op(Op::Replace)
        .path("/cloudwatchRoleArn")
        .value(role)
        .build();
    let call = client.update_account().patch_operations(patch);
    let reply = send!(cx, call, "apigateway:PATCH (UpdateAccount)", wait: (ROLE_LIMIT, transient))?;
    Ok(Settings {
        role: reply.cloudwatch_role_arn,
        api_key_version: reply.api_key_version,
        features: reply.features,
    })
}

/// What a user names it by, taken apart.
fn imported(text: &str) -> Result<Imported, String> {
    if text == ID {
        return Imported::named(text);
    }
    Err(format!(
        "{text:?} is not {ID}, of which there is one in an account and region"
    ))
}

impl Resource for Account {
    const TYPE: &'static str = "aws:apigateway:Account";
    const CALLS: &'static [&'static str] = &["apigateway:GetAccount", "apigateway:UpdateAccount"];
    const IMPORT: Import = Import::Other("`api-gateway-account`", imported);
    const IDENTITY: &'static [&'static str] = &["id"];
    const PARENTS: &'static [Parent] = &[Parent::survives(
        "aws:iam:Role",
        "cloudwatchRoleArn",
        &["arn"],
    )];
    type Outputs = Outputs;

    fn decide(_props: &Value, _draw: &mut Draw) -> Map<String, Value> {
        Map::from_iter([("id".to_owned(), json!(ID))])
    }

    fn lane(_attributes: &Attributes) -> Option<String> {
        Some("apigateway/account".to_owned())
    }

    /// Does not replace a role that somebody else has set: their stages would log with ours, and
    /// not at all after its deletion.
    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let role = new.props.cloudwatch_role_arn;
        if let Some(other) = get(cx)
            .await
            .map_err(Error::before_write)?
            .role
            .filter(|other| *other != role)
        {
            let what =
                format!("the setting of API Gateway's logging role in this region ({other})");
            return Err(import_id::exists(cx, &what, ID));
        }
        let settings = set(cx, cx.aws.apigateway_v1_once(), &role).await?;
        Ok(Made::new(ID.to_owned(), settings.outputs(role)))
    }

    /// The settings always exist. Without a role they are not a resource; with another role than
    /// the one of the stack they are drift.
    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let settings = get(cx).await?;
        let Some(role) = settings.role.clone() else {
            return Ok(None);
        };
        let set = read.attributes["roleSet"].as_str().unwrap_or(&role);
        let outputs = settings.outputs(set.to_owned());
        let props = Self {
            cloudwatch_role_arn: role,
        };
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let role = change.new.cloudwatch_role_arn;
        let settings = set(cx, cx.aws.apigateway_v1(), &role).await?;
        Ok(Made::new(change.id, settings.outputs(role)))
    }

    async fn delete(cx: &Cx, _id: &str, attributes: &Attributes) -> Result<(), Error> {
        let live = get(cx).await?.role;
        if live.is_none() || live.as_deref() != attributes["roleSet"].as_str() {
            return Ok(());
        }
        set(cx, cx.aws.apigateway_v1(), "").await.map(|_| ())
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(role) = known.text("cloudwatchRoleArn") else {
            return Ok(None);
        };
        let live = get(cx).await?.role;
        Ok((live.as_deref() == Some(role)).then(|| ID.to_owned()))
    }
}

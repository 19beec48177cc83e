//! The account's settings, which belong to the first version of API Gateway: the role that
//! logs are written with. Kept under `apigateway/{region}/account/settings` while there is one.

use super::{Cx, bad, body, reply};
use crate::local_cloud::iam::role_of_arn;
use crate::local_cloud::policy::trusts;
use crate::local_cloud::service::{ACCOUNT, Refusal, Reply, Request};
use serde_json::{Value, json};

/// How old a role, and a policy on it, must be before API Gateway can use it, in milliseconds.
const SETTLES: u64 = 200;

/// What the role must allow (AWS managed policy `AmazonAPIGatewayPushToCloudWatchLogs`, the
/// actions that writing takes).
const ACTIONS: [&str; 3] = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
];

fn key(region: &str) -> String {
    format!("apigateway/{region}/account/settings")
}

/// Whether logs can be written.
pub(super) fn has_role(cx: &Cx<'_>) -> bool {
    cx.store.get(&key(cx.region)).is_some()
}

/// Handles GetAccount and UpdateAccount.
pub(super) fn answer(cx: &mut Cx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let key = key(cx.region);
    if request.method == "PATCH" {
        let body = body(request)?;
        let patches = body.get("patchOperations").and_then(Value::as_array);
        for patch in patches.into_iter().flatten() {
            let role = match (&patch["op"], &patch["path"], &patch["value"]) {
                (Value::String(op), Value::String(path), Value::String(role))
                    if op == "replace" && path == "/cloudwatchRoleArn" =>
                {
                    role
                }
                _ => return Err(bad(format!("Invalid patch operation specified: {patch}"))),
            };
            if role.is_empty() {
                cx.store.remove(&key);
            } else {
                check(cx, role)?;
                cx.store.put(&key, json!({"cloudwatchRoleArn": role}));
            }
        }
    }
    let mut settings = json!({
        "apiKeyVersion": "4",
        "features": ["UsagePlans"],
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
    });
    if let Some(kept) = cx.store.get(&key) {
        settings["cloudwatchRoleArn"] = kept["cloudwatchRoleArn"].clone();
    }
    Ok(reply(200, &settings))
}

fn check(cx: &Cx<'_>, arn: &str) -> Result<(), Refusal> {
    let refuse = || {
        bad(
            "The role ARN does not have required permissions configured. Please grant trust \
             permission for API Gateway and add the required role policy.",
        )
    };
    let role = role_of_arn(cx.store, arn).ok_or_else(refuse)?;
    let trust: Value = serde_json::from_str(&role.trust).map_err(|_| refuse())?;
    if !trusts(&trust, "apigateway.amazonaws.com") || cx.now < role.created + SETTLES {
        return Err(refuse());
    }
    let (partition, _) = crate::resource::aws::partition_of(cx.region);
    let log = format!(
        "arn:{partition}:logs:{}:{ACCOUNT}:log-group:API-Gateway-Execution-Logs/x:log-stream:x",
        cx.region
    );
    let until = cx.now.saturating_sub(SETTLES);
    let allowed = |action: &&str| role.allows(cx.store, action, &log, until);
    if ACTIONS.iter().all(allowed) {
        return Ok(());
    }
    Err(refuse())
}

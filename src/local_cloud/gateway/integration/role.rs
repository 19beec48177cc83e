//! Whether an integration's credentials may do what it does (API Gateway developer guide, "Set up
//! a WebSocket API integration request", `credentialsArn`).

use super::{Call, Failure};
use crate::local_cloud::iam;
use crate::local_cloud::policy::trusts;

/// Refuses an action on a resource that the integration's role does not allow.
pub(super) fn check(call: &Call<'_>, action: &str, resource: &str) -> Result<(), Failure> {
    let arn = call.text("credentialsArn");
    if arn.is_empty() {
        return Err(Failure::Internal(format!(
            "the integration has no credentialsArn, and API Gateway may not {action} on {resource} \
             without"
        )));
    }
    // The caller's own rights: of the local cloud's owner, who may do everything.
    if arn.ends_with(":user/*") {
        return Ok(());
    }
    let refused = call.live.cloud().look(|now, store| {
        let Some(role) = iam::role_of_arn(store, arn) else {
            return Some(format!("the role {arn} does not exist"));
        };
        let trust = serde_json::from_str(&role.trust).unwrap_or_default();
        if !trusts(&trust, "apigateway.amazonaws.com") {
            return Some(format!(
                "the role {arn} does not trust apigateway.amazonaws.com"
            ));
        }
        match role.allows(store, action, resource, now) {
            true => None,
            false => Some(format!(
                "the role {arn} does not allow {action} on {resource}"
            )),
        }
    });
    match refused {
        Ok(None) => Ok(()),
        Ok(Some(why)) => Err(Failure::Internal(why)),
        Err(error) => Err(Failure::Internal(format!("of the folder: {error}"))),
    }
}

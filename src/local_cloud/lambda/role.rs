//! The role of a function: whether Lambda can assume it, and what it allows.

use super::super::iam::role_of_arn;
use super::super::policy::trusts;
use super::super::service::{Refusal, Store};
use super::invalid;

/// How old a role must be before Lambda can assume it, in milliseconds. AWS takes seconds.
const ROLE_SETTLES: u64 = 200;
/// How old a policy on a role must be before it counts, in milliseconds.
const POLICY_SETTLES: u64 = 100;

/// Refuses a role that does not exist, is too young, or does not trust Lambda.
pub(super) fn require_assumable(store: &dyn Store, arn: &str, now: u64) -> Result<(), Refusal> {
    let refuse = || invalid("The role defined for the function cannot be assumed by Lambda.");
    let role = role_of_arn(store, arn).ok_or_else(refuse)?;
    let trust: serde_json::Value = serde_json::from_str(&role.trust).map_err(|_| refuse())?;
    let trusted = trusts(&trust, "lambda.amazonaws.com");
    if !trusted || now < role.created + ROLE_SETTLES {
        return Err(refuse());
    }
    Ok(())
}

/// Refuses a role that does not allow an action of `service` on a resource.
pub(super) fn require_allowed(
    store: &dyn Store,
    role_arn: &str,
    action: (&str, &str),
    resource: &str,
    now: u64,
) -> Result<(), Refusal> {
    let (service, call) = action;
    let full = format!("{}:{call}", service.to_ascii_lowercase());
    let until = now.saturating_sub(POLICY_SETTLES);
    let allowed =
        role_of_arn(store, role_arn).is_some_and(|role| role.allows(store, &full, resource, until));
    if allowed {
        return Ok(());
    }
    Err(invalid(format!(
        "The provided execution role does not have permissions to call {call} on {service}"
    )))
}

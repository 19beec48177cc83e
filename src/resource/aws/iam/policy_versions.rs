//! The versions of a managed policy: creating one, and which of them block a delete.

use super::{BUSY, LAG, NOT_FOUND, busy};
use crate::resource::author::*;
use crate::resource::aws::listing;
use aws_sdk_iam::types::PolicyVersion;

/// How many versions of a policy IAM keeps.
const VERSIONS: usize = 5;

/// Deletes the policy; one that does not exist is success. Versions that are not in force are
/// deleted only when IAM says that something is in the way. After that refusal the call is retried
/// for two minutes, since IAM sees a detach late.
pub async fn delete_policy(cx: &Cx, arn: &str) -> Result<(), Error> {
    if try_delete(cx, arn).await?.is_none() {
        return Ok(());
    }
    for version in versions(cx, arn).await? {
        if !version.is_default_version {
            delete_version(cx, arn, &version).await?;
        }
    }
    let waited = cx
        .until("the policy to be attached to nothing", LAG, || async {
            match try_delete(cx, arn).await? {
                None => Ok(()),
                Some(refusal) => Err(Wait::NotYet(refusal)),
            }
        })
        .await;
    match waited {
        Err(Error::Timeout { last, .. }) => Err(held(cx, arn, last).await),
        other => other,
    }
}

/// Creates a new default version and returns its id. Where IAM keeps no more versions, the oldest
/// one that is not in force is deleted.
pub async fn new_version(cx: &Cx, arn: &str, document: &str) -> Result<String, Error> {
    let call = cx.aws.iam_once().create_policy_version().policy_arn(arn);
    let call = call.policy_document(document).set_as_default(true);
    let made = match send!(cx, call.clone(), "iam:CreatePolicyVersion", wait: BUSY) {
        Err(error) if error.is(&["LimitExceeded"]) => {
            let mut kept = versions(cx, arn).await?;
            kept.sort_by_key(number);
            let full = kept.len() >= VERSIONS;
            let oldest = kept.iter().find(|version| !version.is_default_version);
            let Some(oldest) = oldest.filter(|_| full) else {
                return Err(error);
            };
            delete_version(cx, arn, oldest).await?;
            let gone = |error: &Error| {
                error
                    .is(&["LimitExceeded"])
                    .then_some("IAM still counts the version that was deleted")
                    .or_else(|| busy(error))
            };
            send!(cx, call, "iam:CreatePolicyVersion", wait: (LAG, gone))?
        }
        other => other?,
    };
    made.policy_version
        .and_then(|version| version.version_id)
        .ok_or_else(|| Error::incomplete("iam:CreatePolicyVersion", "VersionId"))
}

/// Versions count up and are never used twice: the smallest number is the oldest.
fn number(version: &PolicyVersion) -> u64 {
    version
        .version_id()
        .and_then(|id| id.strip_prefix('v')?.parse().ok())
        .unwrap_or(u64::MAX)
}

async fn versions(cx: &Cx, arn: &str) -> Result<Vec<PolicyVersion>, Error> {
    let all = listing::all("iam:ListPolicyVersions", |marker| async move {
        let call = cx.aws.iam().list_policy_versions().policy_arn(arn);
        let reply = send!(call.set_marker(marker), "iam:ListPolicyVersions")?;
        Ok((reply.versions.unwrap_or_default(), reply.marker))
    });
    Ok(listing::unless(all.await, NOT_FOUND)?.unwrap_or_default())
}

async fn delete_version(cx: &Cx, arn: &str, version: &PolicyVersion) -> Result<(), Error> {
    let call = cx.aws.iam().delete_policy_version().policy_arn(arn);
    let call = call.version_id(version.version_id().unwrap_or_default());
    send!(cx, call, "iam:DeletePolicyVersion", wait: BUSY, gone: NOT_FOUND)
}

/// None when the policy no longer exists; the refusal's message when something holds it.
async fn try_delete(cx: &Cx, arn: &str) -> Result<Option<String>, Error> {
    let call = cx.aws.iam().delete_policy().policy_arn(arn);
    let deleted = send!(cx, call, "iam:DeletePolicy", wait: BUSY, gone: NOT_FOUND);
    match deleted {
        Ok(_) => Ok(None),
        Err(error) if error.is(&["DeleteConflict"]) => Ok(Some(error.message().to_owned())),
        Err(error) => Err(error),
    }
}

/// Names what the policy is still attached to; where that cannot be listed, IAM's own message
/// stands.
async fn held(cx: &Cx, arn: &str, refusal: String) -> Error {
    let call = cx.aws.iam().list_entities_for_policy().policy_arn(arn);
    let listed = send!(call, "iam:ListEntitiesForPolicy");
    let mut holders: Vec<String> = Vec::new();
    if let Ok(reply) = listed {
        let named = |kind: &str, name: Option<&str>| format!("{kind} {}", name.unwrap_or("?"));
        holders.extend(
            reply
                .policy_roles()
                .iter()
                .map(|x| named("role", x.role_name())),
        );
        holders.extend(
            reply
                .policy_users()
                .iter()
                .map(|x| named("user", x.user_name())),
        );
        holders.extend(
            reply
                .policy_groups()
                .iter()
                .map(|x| named("group", x.group_name())),
        );
    }
    let by = if holders.is_empty() {
        refusal
    } else {
        format!("it is in use by {}", holders.join(", "))
    };
    Error::with_hint(
        format!("iam:DeletePolicy: {arn} cannot be deleted: {by}"),
        "Detach it there (it may also be a permissions boundary), then run the command again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_number_is_the_oldest() {
        let version = |id: &str| PolicyVersion::builder().version_id(id).build();
        let mut versions = ["v10", "v9", "v11", "odd", "v2"].map(version);
        versions.sort_by_key(number);
        let ids = versions.iter().filter_map(PolicyVersion::version_id);
        assert!(ids.eq(["v2", "v9", "v10", "v11", "odd"]));
    }
}

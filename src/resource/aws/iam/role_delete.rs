//! Deleting a role: one call where nothing holds it, and taking off what does where
//! something does.

use super::{BUSY, LAG, NOT_FOUND, attached, delete_inline, detach, inline_names};
use crate::resource::author::*;
use crate::resource::aws::listing;

/// What may be removed from a role so that it can be deleted. Instance profiles always are.
#[derive(Debug, Clone, Default)]
pub struct Ours {
    /// All attached managed policies (`forceDetachPolicies`, or they are managed by the role).
    pub attached: bool,
    /// The names of the inline policies that the role's own properties created.
    pub inline: BTreeSet<String>,
    /// All inline policies (`forceDetachPolicies`).
    pub all_inline: bool,
}

/// Deletes the role; one that does not exist is success. What is ours is removed first where it is
/// known to exist, else only when IAM says that something holds the role. After that refusal the
/// call is retried for two minutes, since IAM sees a detach late.
pub async fn delete_role(cx: &Cx, role: &str, ours: &Ours) -> Result<(), Error> {
    if ours.attached || !ours.inline.is_empty() {
        take_off(cx, role, ours).await?;
    } else {
        match try_delete(cx, role).await? {
            None => return Ok(()),
            Some(_) => take_off(cx, role, ours).await?,
        }
    }
    let waited = cx
        .until("the role to hold no policies", LAG, || async {
            match try_delete(cx, role).await? {
                None => Ok(()),
                Some(refusal) => Err(Wait::NotYet(refusal)),
            }
        })
        .await;
    match waited {
        Err(Error::Timeout { last, .. }) => Err(held(cx, role, &last).await),
        other => other,
    }
}

/// None when the role no longer exists; the refusal's message when something holds it.
async fn try_delete(cx: &Cx, role: &str) -> Result<Option<String>, Error> {
    let call = cx.aws.iam().delete_role().role_name(role);
    let deleted = send!(cx, call, "iam:DeleteRole", wait: BUSY, gone: NOT_FOUND);
    match deleted {
        Ok(_) => Ok(None),
        Err(error) if error.is(&["DeleteConflict"]) => Ok(Some(error.message().to_owned())),
        Err(error) => Err(error),
    }
}

async fn take_off(cx: &Cx, role: &str, ours: &Ours) -> Result<(), Error> {
    cx.waiting("detaching policies");
    for profile in instance_profiles(cx, role).await? {
        let call = cx.aws.iam().remove_role_from_instance_profile();
        let call = call.instance_profile_name(&profile).role_name(role);
        send!(cx, call, "iam:RemoveRoleFromInstanceProfile", wait: BUSY, gone: NOT_FOUND)?;
    }
    if ours.attached {
        for arn in attached(cx, role).await?.unwrap_or_default() {
            detach(cx, role, &arn).await?;
        }
    }
    if ours.all_inline || !ours.inline.is_empty() {
        for name in inline_names(cx, role).await?.unwrap_or_default() {
            if ours.all_inline || ours.inline.contains(&name) {
                delete_inline(cx, role, &name).await?;
            }
        }
    }
    Ok(())
}

async fn instance_profiles(cx: &Cx, role: &str) -> Result<Vec<String>, Error> {
    let all = listing::all("iam:ListInstanceProfilesForRole", |marker| async move {
        let call = cx.aws.iam().list_instance_profiles_for_role();
        let call = call.role_name(role).set_marker(marker);
        let reply = send!(call, "iam:ListInstanceProfilesForRole")?;
        let profiles = reply.instance_profiles.into_iter();
        let names = profiles.map(|profile| profile.instance_profile_name);
        Ok((names.collect(), reply.marker))
    });
    Ok(listing::unless(all.await, NOT_FOUND)?.unwrap_or_default())
}

/// Names what still holds the role; where that cannot be listed, IAM's own message stands.
async fn held(cx: &Cx, role: &str, refusal: &str) -> Error {
    let (managed, inline) = tokio::join!(attached(cx, role), inline_names(cx, role));
    let mut holders: Vec<String> = Vec::new();
    holders.extend(managed.ok().flatten().unwrap_or_default());
    holders.extend(
        inline
            .ok()
            .flatten()
            .unwrap_or_default()
            .into_iter()
            .map(|name| format!("the inline policy {name}")),
    );
    let by = if holders.is_empty() {
        refusal.to_owned()
    } else {
        format!("it still has {}", holders.join(", "))
    };
    Error::with_hint(
        format!("iam:DeleteRole: the role {role} cannot be deleted: {by}"),
        "Take these off the role, or set forceDetachPolicies: true and apply, then delete it.",
    )
}

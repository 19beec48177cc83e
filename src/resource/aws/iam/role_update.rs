//! Changing a role in place: one call for each part that differs.

use super::{LAG, NOT_FOUND, attach, busy, delete_inline, detach, principal_unseen, put_inline};
use super::{tag_list, unseen};
use crate::resource::Change;
use crate::resource::aws::policy::canonical;
use crate::resource::aws::tags::tag_diff;
use crate::resource::aws_iam_role::Role;
use crate::resource::context::Cx;
use crate::resource::error::{CallResult, Error};

/// Makes the role what the file wants, as far as the two differ.
pub async fn update(cx: &Cx, change: &Change<Role>) -> Result<(), Error> {
    let iam = cx.aws.iam();
    if change.has(&["assumeRolePolicy"]) {
        let call = iam
            .update_assume_role_policy()
            .role_name(&change.id)
            .policy_document(change.new.assume_role_policy.text());
        cx.retry(LAG, principal_unseen, || async {
            call.clone().send().await.call("iam:UpdateAssumeRolePolicy")
        })
        .await?;
    }
    if change.has(&["description", "maxSessionDuration"]) {
        update_role(cx, change).await?;
    }
    if change.has(&["permissionsBoundary"]) {
        update_boundary(cx, change).await?;
    }
    if change.has(&["inlinePolicies"]) {
        update_inline(cx, change).await?;
    }
    if change.has(&["managedPolicyArns"]) {
        update_managed(cx, change).await?;
    }
    if change.has(&["tags"]) {
        update_tags(cx, change).await?;
    }
    Ok(())
}

/// `UpdateRole` puts the default back for a session duration that is left out, so both
/// fields are always sent: the new one where it changes, the live one where it does not.
async fn update_role(cx: &Cx, change: &Change<Role>) -> Result<(), Error> {
    let description = if change.has(&["description"]) {
        &change.new.description
    } else {
        &change.old.description
    };
    let duration = if change.has(&["maxSessionDuration"]) {
        change.new.max_session_duration
    } else {
        change.old.max_session_duration
    };
    let call = cx
        .aws
        .iam()
        .update_role()
        .role_name(&change.id)
        .description(description.clone().unwrap_or_default())
        .max_session_duration(duration.unwrap_or(3600));
    cx.retry(LAG, busy, || async {
        call.clone().send().await.call("iam:UpdateRole")
    })
    .await?;
    Ok(())
}

async fn update_boundary(cx: &Cx, change: &Change<Role>) -> Result<(), Error> {
    let iam = cx.aws.iam();
    if let Some(arn) = &change.new.permissions_boundary {
        let call = iam
            .put_role_permissions_boundary()
            .role_name(&change.id)
            .permissions_boundary(arn);
        cx.retry(LAG, unseen, || async {
            call.clone()
                .send()
                .await
                .call("iam:PutRolePermissionsBoundary")
        })
        .await?;
    } else {
        let call = iam.delete_role_permissions_boundary().role_name(&change.id);
        cx.retry(LAG, busy, || async {
            call.clone()
                .send()
                .await
                .call_unless("iam:DeleteRolePermissionsBoundary", &[NOT_FOUND])
        })
        .await?;
    }
    Ok(())
}

async fn update_inline(cx: &Cx, change: &Change<Role>) -> Result<(), Error> {
    let (old, new) = (change.old.inline(), change.new.inline());
    for policy in new {
        let same = old.iter().any(|live| {
            live.name == policy.name && canonical(&live.policy.0) == canonical(&policy.policy.0)
        });
        if !same {
            put_inline(cx, &change.id, &policy.name, &policy.policy).await?;
        }
    }
    for policy in old {
        if !new.iter().any(|wanted| wanted.name == policy.name) {
            delete_inline(cx, &change.id, &policy.name).await?;
        }
    }
    Ok(())
}

async fn update_managed(cx: &Cx, change: &Change<Role>) -> Result<(), Error> {
    let (old, new) = (change.old.managed(), change.new.managed());
    // Detached first: a role may hold only so many.
    for arn in old.iter().filter(|arn| !new.contains(arn)) {
        detach(cx, &change.id, arn).await?;
    }
    for arn in new.iter().filter(|arn| !old.contains(arn)) {
        attach(cx, &change.id, arn).await?;
    }
    Ok(())
}

async fn update_tags(cx: &Cx, change: &Change<Role>) -> Result<(), Error> {
    let (set, remove) = tag_diff(change.old.tags.as_ref(), change.new.tags.as_ref());
    if !remove.is_empty() {
        let call = cx
            .aws
            .iam()
            .untag_role()
            .role_name(&change.id)
            .set_tag_keys(Some(remove));
        cx.retry(LAG, busy, || async {
            call.clone().send().await.call("iam:UntagRole")
        })
        .await?;
    }
    if !set.is_empty() {
        let call = cx
            .aws
            .iam()
            .tag_role()
            .role_name(&change.id)
            .set_tags(Some(tag_list(&set)?));
        cx.retry(LAG, busy, || async {
            call.clone().send().await.call("iam:TagRole")
        })
        .await?;
    }
    Ok(())
}

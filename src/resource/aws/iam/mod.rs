//! What the IAM types share: calls on a role's policies, and the refusals worth a retry.
//!
//! IAM is eventually consistent: what one call created, the next may not see yet. Wire codes carry
//! no `Exception` suffix (`NoSuchEntity`).

pub(crate) mod aws_managed;
pub mod policy;
pub mod policy_versions;
pub mod role;
pub mod role_delete;
pub mod role_policy;
pub mod role_policy_attachment;

use super::physical_name::Naming;
use crate::resource::author::*;
use crate::resource::aws::listing;
use aws_sdk_iam::types::Tag;

/// How long IAM may take to show a change everywhere.
pub const LAG: Duration = Duration::from_secs(120);

/// The wire code for something that does not exist.
pub const NOT_FOUND: &[&str] = &["NoSuchEntity"];

/// The most characters of an inline policy, white space not counted (IAM quotas).
pub const INLINE_LIMIT: usize = 10_240;

/// How role names may look (IAM API, `RoleName`).
pub const ROLE_NAMING: Naming = Naming {
    longest: 64,
    allowed: is_name_character,
    ending: None,
};

/// How policy names may look (IAM API, `PolicyName`).
pub const POLICY_NAMING: Naming = Naming {
    longest: 128,
    allowed: is_name_character,
    ending: None,
};

/// Whether names of roles and policies may hold the character.
pub fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

/// A refusal after which any write is retried: throttling, or another write to the same resource.
pub fn busy(error: &Error) -> Option<&'static str> {
    (error.effect() == Effect::None && error.is(&["ConcurrentModification"]))
        .then_some("IAM is busy with another change to it")
        .or_else(|| throttled(error))
}

/// [`busy`], or something just created that IAM does not see yet.
pub fn unseen(error: &Error) -> Option<Reason> {
    (error.effect() == Effect::None && error.is(NOT_FOUND))
        .then_some(Reason::created("a new role or policy takes up to a minute"))
        .or_else(|| busy(error).map(Reason::from))
}

/// [`unseen`], or a trust policy that names a principal IAM does not see yet.
pub fn principal_unseen(error: &Error) -> Option<Reason> {
    (error.effect() == Effect::None
        && error.is(&["MalformedPolicyDocument"])
        && error.message().contains("Invalid principal"))
    .then_some(Reason::created("a new principal takes up to a minute"))
    .or_else(|| busy(error).map(Reason::from))
}

/// What waits out [`busy`].
pub(crate) const BUSY: Waits = (LAG, busy);

/// What waits out [`unseen`].
pub(crate) const UNSEEN: Waits<Reason> = (LAG, unseen);

/// What waits out [`principal_unseen`].
pub(crate) const PRINCIPAL_UNSEEN: Waits<Reason> = (LAG, principal_unseen);

/// What a role gives.
pub(crate) const OF_A_ROLE: Option<Rights> = Some(Rights {
    is_role: true,
    grants,
});

/// What policies and attachments give to roles.
pub(crate) const OF_A_POLICY: Option<Rights> = Some(Rights {
    is_role: false,
    grants,
});

fn grants(declared: &Data) -> bool {
    let given = |name: &str| declared.get(&Path::root().join(name)).is_some();
    let own = ["inlinePolicies", "managedPolicyArns", "permissionsBoundary"];
    let role = declared.value.get("role");
    own.into_iter().any(given) || role.is_some_and(Value::is_string)
}

/// Tags in IAM's shape.
pub fn tag_list(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|error| Error::failed(error.to_string()))
        })
        .collect()
}

/// A user's tags out of IAM's list.
pub fn own_tags(tags: &[Tag]) -> Option<BTreeMap<String, String>> {
    user_tags(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Whether IAM's tags say that this create step created the resource.
pub fn created_by(cx: &Cx, tags: &[Tag]) -> bool {
    cx.owner
        .made(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// The account-wide ARN of a role or policy.
pub async fn arn(cx: &Cx, kind: &str, path: Option<&str>, name: &str) -> Result<String, Error> {
    let partition = cx.aws.partition();
    let account = cx.aws.account().await?;
    let path = path.filter(|path| !path.is_empty()).unwrap_or("/");
    Ok(format!("arn:{partition}:iam::{account}:{kind}{path}{name}"))
}

/// The ARNs of the managed policies attached to a role; none when the role does not exist.
pub async fn attached(cx: &Cx, role: &str) -> Result<Option<Vec<String>>, Error> {
    let all = listing::all("iam:ListAttachedRolePolicies", |marker| async move {
        let call = cx.aws.iam().list_attached_role_policies().role_name(role);
        let reply = send!(call.set_marker(marker), "iam:ListAttachedRolePolicies")?;
        let policies = reply.attached_policies.unwrap_or_default().into_iter();
        let arns = policies.filter_map(|policy| policy.policy_arn).collect();
        Ok((arns, reply.marker))
    });
    listing::unless(all.await, NOT_FOUND)
}

/// A warning for each of these values that names a policy which AWS does not have.
pub(crate) fn managed_cautions<'p>(
    rules: &Rules<'_>,
    paths: impl IntoIterator<Item = &'p Path>,
) -> Vec<Caution> {
    let caution = |path: &Path| {
        if rules.props.unknown_at(path).is_some() {
            return None;
        }
        let arn = path.get(&rules.props.value)?.as_str()?;
        let help = aws_managed::unknown(arn)?.help();
        let message = format!("AWS manages no policy {arn:?} that stackctl knows of.");
        Some(Caution {
            broken: Broken::new(path.clone(), message).code("SK0514").help(help),
            refused: Refused::Perhaps,
        })
    };
    paths.into_iter().filter_map(caution).collect()
}

/// The error for a policy that AWS manages and does not have: with the one that was likely
/// meant.
fn with_nearest(error: Error, policy_arn: &str) -> Error {
    let unknown = aws_managed::unknown(policy_arn).filter(|_| error.is(NOT_FOUND));
    match unknown.and_then(|unknown| unknown.help()) {
        Some(help) => Error::with_hint(
            error.to_string(),
            format!("Correct the policy's ARN ({help}), then run apply again."),
        ),
        None => error,
    }
}

/// [`unseen`] for a call that names a managed policy: those of AWS exist or do not.
pub(crate) fn policy_unseen(error: &Error, policy_arn: &str) -> Option<Reason> {
    let of_aws = aws_managed::name_in(policy_arn).is_some();
    if of_aws && error.is(NOT_FOUND) && error.message().contains(policy_arn) {
        return None;
    }
    unseen(error)
}

/// Attaches a managed policy to a role; one that is attached stays so.
pub async fn attach(cx: &Cx, role: &str, policy_arn: &str) -> Result<(), Error> {
    let call = cx.aws.iam().attach_role_policy().role_name(role);
    let call = call.policy_arn(policy_arn);
    let passing = |error: &Error| policy_unseen(error, policy_arn);
    send!(cx, call, "iam:AttachRolePolicy", wait: (LAG, passing))
        .map_err(|error| with_nearest(error, policy_arn))?;
    Ok(())
}

/// Detaches a managed policy from a role; one that is not attached is fine.
pub async fn detach(cx: &Cx, role: &str, policy_arn: &str) -> Result<(), Error> {
    let call = cx.aws.iam().detach_role_policy().role_name(role);
    let call = call.policy_arn(policy_arn);
    send!(cx, call, "iam:DetachRolePolicy", wait: BUSY, gone: NOT_FOUND)
}

/// The names of a role's inline policies; none when the role does not exist.
pub async fn inline_names(cx: &Cx, role: &str) -> Result<Option<Vec<String>>, Error> {
    let all = listing::all("iam:ListRolePolicies", |marker| async move {
        let call = cx.aws.iam().list_role_policies().role_name(role);
        let reply = send!(call.set_marker(marker), "iam:ListRolePolicies")?;
        Ok((reply.policy_names, reply.marker))
    });
    listing::unless(all.await, NOT_FOUND)
}

/// One inline policy of a role; none when it, or the role, does not exist.
pub async fn inline(cx: &Cx, role: &str, name: &str) -> Result<Option<Policy>, Error> {
    let call = cx.aws.iam().get_role_policy().role_name(role);
    let call = call.policy_name(name);
    let reply = send!(call, "iam:GetRolePolicy", none: NOT_FOUND)?;
    Ok(reply.map(|reply| Policy::parse_encoded(&reply.policy_document)))
}

/// Writes an inline policy, over one of the same name.
pub async fn put_inline(cx: &Cx, role: &str, name: &str, policy: &Policy) -> Result<(), Error> {
    let call = cx.aws.iam().put_role_policy().role_name(role);
    let call = call.policy_name(name).policy_document(policy.text());
    send!(cx, call, "iam:PutRolePolicy", wait: UNSEEN)?;
    Ok(())
}

/// Deletes an inline policy; one that does not exist is success.
pub async fn delete_inline(cx: &Cx, role: &str, name: &str) -> Result<(), Error> {
    let call = cx.aws.iam().delete_role_policy().role_name(role);
    let call = call.policy_name(name);
    send!(cx, call, "iam:DeleteRolePolicy", wait: BUSY, gone: NOT_FOUND)
}

/// The lane of writes to one role, of what belongs to it.
pub(crate) const ROLE_LANE: Lane = Lane("iam/role", "role");

/// Rules on `role`: it is a name.
pub fn role_rules(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    if let Some(Value::String(role)) = rules.known("role")
        && !role.chars().all(is_name_character)
    {
        broken.push(
            Broken::at(
                "role",
                format!(
                    "\"{role}\" is not a role's name: role takes the name, not the ARN or path."
                ),
            )
            .code("SK0513"),
        );
    }
    broken
}

/// Why a resource that is about a role's policies cannot stand beside the role: the role manages
/// them by itself, in its property `managed`.
pub fn role_conflict(role: &Rules<'_>, managed: &str, why: &str) -> Option<Broken> {
    role.given(managed)
        .then(|| Broken::at("role", format!("These two exclude each other: {why}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::error::CallError;

    fn refused(code: &str, message: &str, effect: Effect) -> Error {
        Error::Call(Box::new(CallError {
            call: "iam:CreateRole",
            code: code.to_owned(),
            message: message.to_owned(),
            bucket_region: None,
            request_id: None,
            status: Some(400),
            effect,
        }))
    }

    #[test]
    fn only_definite_refusals_that_pass_are_repeated() {
        let principal = "Invalid principal in policy: \"AWS\":\"arn:aws:iam::1:role/x\"";
        let lag = refused("MalformedPolicyDocument", principal, Effect::None);
        assert!(principal_unseen(&lag).is_some());
        let unsure = refused("MalformedPolicyDocument", principal, Effect::Unknown);
        assert!(principal_unseen(&unsure).is_none());
        let wrong = refused("MalformedPolicyDocument", "Syntax errors", Effect::None);
        assert!(principal_unseen(&wrong).is_none());
        assert!(unseen(&refused(NOT_FOUND[0], "", Effect::None)).is_some());
        assert!(busy(&refused(NOT_FOUND[0], "", Effect::None)).is_none());
        assert!(busy(&refused("ConcurrentModification", "", Effect::None)).is_some());
        assert!(busy(&refused("Throttling", "", Effect::None)).is_some());
        assert!(busy(&refused("Throttling", "", Effect::Unknown)).is_none());
    }
}

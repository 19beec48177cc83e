//! `aws:iam:Role`.

use crate::resource::author::*;
use crate::resource::aws::iam::role_delete::{Ours, delete_role};
use crate::resource::aws::iam::{
    self, BUSY, INLINE_LIMIT, LAG, NOT_FOUND, PRINCIPAL_UNSEEN, ROLE_NAMING, UNSEEN, attach,
    delete_inline, detach, principal_unseen, put_inline, tag_list,
};
use crate::resource::aws::listing;
use crate::resource::aws::policy::canonical;
use crate::resource::aws::policy_check::{self, Kind};
use aws_smithy_types::date_time::Format;
use futures_util::future::try_join_all;

/// The quota on a trust policy, raised as far as it goes (IAM quotas).
const TRUST_LIMIT: usize = 8_192;

/// An IAM role. Roles are account-wide: the same name in two regions is the same role.
///
/// ```yaml
/// role:
///   type: aws:iam:Role
///   properties:
///     assumeRolePolicy:
///       Version: "2012-10-17"
///       Statement:
///         - Effect: Allow
///           Principal: {Service: lambda.amazonaws.com}
///           Action: sts:AssumeRole
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// The role's name, unique in the account whatever its case. If omitted, it is generated from
    /// the address.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_+=,.@-]+$"))]
    #[schemars(extend("createOnly" = true))]
    pub name: Option<String>,
    /// The beginning of a generated name; excludes `name`.
    #[schemars(length(min = 1, max = 57), regex(pattern = r"^[A-Za-z0-9_+=,.@-]+$"))]
    #[schemars(extend("createOnly" = true, "prefixOf" = "name", "writeOnly" = true))]
    pub name_prefix: Option<String>,
    /// The path in front of the name in the ARN; begins and ends with `/`.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^(/|/[!-~]+/)$"))]
    #[schemars(extend("createOnly" = true, "default" = "/"))]
    pub path: Option<String>,
    /// Who may assume the role: the trust policy. Every statement names a principal.
    #[schemars(extend("weak" = true))]
    pub assume_role_policy: Policy,
    /// A description.
    #[schemars(length(max = 1000))]
    #[schemars(regex(pattern = r"^[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*$"))]
    pub description: Option<String>,
    /// The longest session, in seconds.
    #[schemars(range(min = 3600, max = 43200), extend("default" = 3600))]
    pub max_session_duration: Option<i32>,
    /// The ARN of the policy that bounds what the role may be allowed.
    #[schemars(length(min = 20, max = 2048))]
    pub permissions_boundary: Option<String>,
    /// The ARNs of all managed policies of the role: others are detached. Excludes
    /// `aws:iam:RolePolicyAttachment` on the same role.
    #[schemars(length(max = 25), extend("set" = true))]
    pub managed_policy_arns: Option<Vec<String>>,
    /// All inline policies of the role: others are deleted. Excludes `aws:iam:RolePolicy`
    /// on the same role.
    #[schemars(extend("set" = true, "weak" = true))]
    pub inline_policies: Option<Vec<InlinePolicy>>,
    /// Whether a delete first takes off policies that others have put on the role.
    #[schemars(extend("writeOnly" = true, "default" = false))]
    pub force_detach_policies: Option<bool>,
    /// Tags; three more (`stackctl:…`) mark the owner.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<BTreeMap<String, String>>,
}

/// An inline policy of a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InlinePolicy {
    /// Its name, unique in the role.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_+=,.@-]+$"))]
    pub name: String,
    /// What the role may do.
    pub policy: Policy,
}

/// The outputs of `aws:iam:Role`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The role's name.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub id: String,
    /// The role's name.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub name: String,
    /// The role's ARN.
    #[schemars(extend("from" = ["name", "namePrefix", "path"]))]
    pub arn: String,
    /// The role's unique id (`AROA…`); a role recreated under the same name has another.
    #[schemars(extend("from" = []))]
    pub unique_id: String,
    /// When it was created, as RFC 3339.
    #[schemars(extend("from" = []))]
    pub create_date: String,
}

impl Resource for Role {
    const TYPE: &'static str = "aws:iam:Role";
    const CALLS: &'static [&'static str] = &[
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePermissionsBoundary",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:ListRoles",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
        "iam:RemoveRoleFromInstanceProfile",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
    ];
    const RIGHTS: Option<Rights> = super::OF_A_ROLE;
    const IMPORT: Import = Import::Name(
        "the role's name",
        &['/', ':'],
        "a role's name without its path",
    );
    const IDENTITY: &'static [&'static str] = &["name"];
    const PARENTS: &'static [Parent] = &[
        Parent::stops("aws:iam:Policy", "managedPolicyArns", &["arn"]),
        Parent::stops("aws:iam:Policy", "permissionsBoundary", &["arn"]),
    ];
    const NAMING: Option<Naming> = Some(ROLE_NAMING);
    const TAGGING: Option<Tagging> = Some(Tagging::IgnoresCase);
    const LANE: Option<Lane> = Some(Lane("iam/role", "name"));
    type Outputs = Outputs;

    fn assumed_on_import(_props: &Value, _live: &Attributes) -> &'static [&'static str] {
        &["forceDetachPolicies"]
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let mut broken = Vec::new();
        let trust = Path::root().join("assumeRolePolicy");
        broken.extend(policy_check::rules(rules, &trust, Kind::Trust, TRUST_LIMIT));
        let inline = Path::root().join("inlinePolicies");
        if let Some(Value::Array(list)) = rules.known("inlinePolicies") {
            let mut names = BTreeSet::new();
            for (index, item) in list.iter().enumerate() {
                let at = inline.join(index);
                let policy = at.join("policy");
                broken.extend(policy_check::rules(
                    rules,
                    &policy,
                    Kind::Identity,
                    INLINE_LIMIT,
                ));
                if let Some(name) = item["name"].as_str()
                    && !names.insert(name)
                {
                    broken.push(
                        Broken::new(
                            at.join("name"),
                            format!("The role has two inline policies named {name}."),
                        )
                        .code("SK0512"),
                    );
                }
            }
        }
        broken
    }

    fn cautions(rules: &Rules<'_>) -> Vec<Caution> {
        let list = Path::root().join("managedPolicyArns");
        let count = rules.known("managedPolicyArns").and_then(Value::as_array);
        let mut paths: Vec<Path> = (0..count.map_or(0, Vec::len))
            .map(|at| list.join(at))
            .collect();
        paths.push(Path::root().join("permissionsBoundary"));
        iam::managed_cautions(rules, &paths)
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let name = ROLE_NAMING.name_of(cx, &new.props, &new.decided)?;
        let outputs = create_role(cx, &new.props, &name).await?;
        let props = &new.props;
        let (managed, inline) = (props.managed(), props.inline());
        if !managed.is_empty() || !inline.is_empty() {
            cx.made(&name, Attributes::new(json!(outputs)));
        }
        for policy in inline {
            iam::put_inline(cx, &name, &policy.name, &policy.policy).await?;
        }
        for arn in managed {
            iam::attach(cx, &name, arn).await?;
        }
        Ok(Made { id: name, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let get = async {
            send!(cx.aws.iam().get_role().role_name(&read.id), "iam:GetRole", none: NOT_FOUND)
        };
        let (role, managed, inline) =
            tokio::join!(get, read_managed(cx, read), read_inline(cx, read));
        let Some(role) = role?.and_then(|reply| reply.role) else {
            return Ok(None);
        };
        let outputs = outputs(cx, &role).await?;
        let trust = role.assume_role_policy_document.unwrap_or_default();
        let props = Self {
            name: Some(role.role_name),
            name_prefix: None,
            path: Some(role.path),
            assume_role_policy: Policy::parse_encoded(&trust),
            description: role.description,
            max_session_duration: role.max_session_duration,
            permissions_boundary: role
                .permissions_boundary
                .and_then(|boundary| boundary.permissions_boundary_arn),
            managed_policy_arns: managed?,
            inline_policies: inline?,
            force_detach_policies: None,
            tags: iam::own_tags(&role.tags.unwrap_or_default()),
        };
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        update(cx, &change).await?;
        Ok(Made::new(change.id, outputs_of(&change.live)?))
    }

    async fn delete(cx: &Cx, id: &str, attributes: &Attributes) -> Result<(), Error> {
        let force = attributes["forceDetachPolicies"] == json!(true);
        let manages = |name: &str| attributes[name].as_array().is_some_and(|it| !it.is_empty());
        let ours = Ours {
            attached: force || manages("managedPolicyArns"),
            inline: inline_of(attributes).into_iter().collect(),
            all_inline: force,
        };
        delete_role(cx, id, &ours).await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(name) = ROLE_NAMING.known(cx, known) else {
            return Ok(None);
        };
        let call = cx.aws.iam().get_role().role_name(&name);
        let reply = send!(call, "iam:GetRole", none: NOT_FOUND)?;
        let tags = reply
            .and_then(|reply| reply.role)
            .and_then(|role| role.tags)
            .unwrap_or_default();
        Ok(iam::created_by(cx, &tags).then_some(name))
    }

    async fn names(cx: &Cx, _known: &Known, start: &str) -> Result<Vec<String>, Error> {
        listing::all("iam:ListRoles", |marker| async move {
            let call = cx.aws.iam().list_roles().set_marker(marker);
            let reply = send!(call, "iam:ListRoles")?;
            let names = reply.roles.into_iter().map(|role| role.role_name);
            let names = names.filter(|name| name.starts_with(start)).collect();
            Ok((names, reply.marker))
        })
        .await
    }
}

impl Role {
    /// `managedPolicyArns`, empty where it is omitted.
    pub fn managed(&self) -> &[String] {
        self.managed_policy_arns.as_deref().unwrap_or_default()
    }

    /// `inlinePolicies`, empty where it is omitted.
    pub fn inline(&self) -> &[InlinePolicy] {
        self.inline_policies.as_deref().unwrap_or_default()
    }
}

/// The one create call. A failure says how to go on where the name is taken.
async fn create_role(cx: &Cx, props: &Role, name: &str) -> Result<Outputs, Error> {
    let call = cx
        .aws
        .iam_once()
        .create_role()
        .role_name(name)
        .set_path(props.path.clone())
        .assume_role_policy_document(props.assume_role_policy.text())
        .set_description(props.description.clone())
        .set_max_session_duration(props.max_session_duration)
        .set_permissions_boundary(props.permissions_boundary.clone())
        .set_tags(Some(iam::tag_list(&cx.owner.tagged(props.tags.as_ref()))?));
    let boundary = props.permissions_boundary.as_deref();
    let passing = |error: &Error| {
        // A boundary that this run has created; no other part of the call can be missing.
        let fresh = boundary.is_some_and(|arn| cx.aws.fresh.has(arn));
        let unseen = fresh.then(|| iam::unseen(error)).flatten();
        unseen.or_else(|| principal_unseen(error))
    };
    let reply = send!(cx, call, "iam:CreateRole", wait: (LAG, passing)).map_err(|error| {
        if error.is(&["EntityAlreadyExists"]) {
            import_id::exists(cx, &format!("a role named {name}"), name)
        } else {
            error
        }
    })?;
    let role = reply
        .role
        // The SDK fills in a role without values where the reply has none.
        .filter(|role| !role.role_id.is_empty())
        .ok_or_else(|| Error::incomplete("iam:CreateRole", "Role"))?;
    outputs(cx, &role).await
}

/// Right after a create IAM may give the unique id for the ARN; the ARN is then built from its
/// parts.
async fn outputs(cx: &Cx, role: &aws_sdk_iam::types::Role) -> Result<Outputs, Error> {
    let arn = if role.arn.starts_with("arn:") {
        role.arn.clone()
    } else {
        iam::arn(cx, "role", Some(&role.path), &role.role_name).await?
    };
    Ok(Outputs {
        id: role.role_name.clone(),
        name: role.role_name.clone(),
        arn,
        unique_id: role.role_id.clone(),
        create_date: role
            .create_date
            .fmt(Format::DateTime)
            .map_err(|error| Error::failed(error.to_string()))?,
    })
}

async fn read_managed(cx: &Cx, read: &Read) -> Result<Option<Vec<String>>, Error> {
    if !read.wants("managedPolicyArns") {
        return Ok(None);
    }
    iam::attached(cx, &read.id).await
}

/// The names in the inline policies that `attributes` holds.
fn inline_of(attributes: &Attributes) -> Vec<String> {
    attributes["inlinePolicies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|policy| Some(policy["name"].as_str()?.to_owned()))
        .collect()
}

/// Lists and gets at the same time: the policies known of are asked for before the list is
/// there, the rest after it.
async fn read_inline(cx: &Cx, read: &Read) -> Result<Option<Vec<InlinePolicy>>, Error> {
    if !read.wants("inlinePolicies") {
        return Ok(None);
    }
    let get = async |name: String| -> Result<(String, Option<Policy>), Error> {
        let policy = iam::inline(cx, &read.id, &name).await?;
        Ok((name, policy))
    };
    let expected = inline_of(&read.attributes);
    let (names, known) = tokio::join!(
        iam::inline_names(cx, &read.id),
        try_join_all(expected.iter().cloned().map(get))
    );
    let names = names?.unwrap_or_default();
    let more = names
        .iter()
        .filter(|name| !expected.contains(name))
        .cloned();
    let mut policies: Vec<InlinePolicy> = known?
        .into_iter()
        .chain(try_join_all(more.map(get)).await?)
        .filter_map(|(name, policy)| {
            Some(InlinePolicy {
                name,
                policy: policy?,
            })
        })
        .collect();
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(policies))
}

/// Updates the role to what the file declares, as far as the two differ.
async fn update(cx: &Cx, change: &Change<Role>) -> Result<(), Error> {
    let iam = cx.aws.iam();
    if change.has(&["assumeRolePolicy"]) {
        let call = iam.update_assume_role_policy().role_name(&change.id);
        let call = call.policy_document(change.new.assume_role_policy.text());
        send!(cx, call, "iam:UpdateAssumeRolePolicy", wait: PRINCIPAL_UNSEEN)?;
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

/// `UpdateRole` puts the default back for a session duration that is not given, so both
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
    let call = cx.aws.iam().update_role().role_name(&change.id);
    let call = call.description(description.clone().unwrap_or_default());
    let call = call.max_session_duration(duration.unwrap_or(3600));
    send!(cx, call, "iam:UpdateRole", wait: BUSY)?;
    Ok(())
}

async fn update_boundary(cx: &Cx, change: &Change<Role>) -> Result<(), Error> {
    let iam = cx.aws.iam();
    if let Some(arn) = &change.new.permissions_boundary {
        let call = iam.put_role_permissions_boundary().role_name(&change.id);
        let call = call.permissions_boundary(arn);
        send!(cx, call, "iam:PutRolePermissionsBoundary", wait: UNSEEN)?;
    } else {
        let call = iam.delete_role_permissions_boundary().role_name(&change.id);
        send!(cx, call, "iam:DeleteRolePermissionsBoundary", wait: BUSY, gone: NOT_FOUND)?;
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
        let call = cx.aws.iam().untag_role().role_name(&change.id);
        let call = call.set_tag_keys(Some(remove));
        send!(cx, call, "iam:UntagRole", wait: BUSY)?;
    }
    if !set.is_empty() {
        let call = cx.aws.iam().tag_role().role_name(&change.id);
        let call = call.set_tags(Some(tag_list(&set)?));
        send!(cx, call, "iam:TagRole", wait: BUSY)?;
    }
    Ok(())
}

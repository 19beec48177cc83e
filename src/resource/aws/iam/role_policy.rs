//! `aws:iam:RolePolicy`: an inline policy of a role.

use crate::resource::author::*;
use crate::resource::aws::iam::{self, INLINE_LIMIT, POLICY_NAMING};
use crate::resource::aws::policy::canonical;
use crate::resource::aws::policy_check::{self, Kind};

/// A policy written inside a role. Its id is `role:name`. IAM has one call to create and to update
/// it, so one of the same name that others wrote is overwritten.
///
/// ```yaml
/// rights:
///   type: aws:iam:RolePolicy
///   properties:
///     role: ${role.name}
///     policy:
///       Version: "2012-10-17"
///       Statement:
///         - Effect: Allow
///           Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
///           Resource: ${queue.arn}
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolePolicy {
    /// The policy's name, unique in the role. If omitted, it is generated from the address.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_+=,.@-]+$"))]
    #[schemars(extend("createOnly" = true))]
    pub name: Option<String>,
    /// The beginning of a generated name; excludes `name`.
    #[schemars(length(min = 1, max = 121), regex(pattern = r"^[A-Za-z0-9_+=,.@-]+$"))]
    #[schemars(extend("createOnly" = true, "prefixOf" = "name", "writeOnly" = true))]
    pub name_prefix: Option<String>,
    /// The role's name (not its ARN).
    #[schemars(length(min = 1, max = 64), extend("createOnly" = true))]
    pub role: String,
    /// What the role may do.
    #[schemars(extend("weak" = true))]
    pub policy: Policy,
}

/// The outputs of `aws:iam:RolePolicy`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// `role:name`.
    #[schemars(extend("from" = ["name", "namePrefix", "role"]))]
    pub id: String,
    /// The policy's name.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub name: String,
}

impl Resource for RolePolicy {
    const TYPE: &'static str = "aws:iam:RolePolicy";
    const CALLS: &'static [&'static str] = &[
        "iam:DeleteRolePolicy",
        "iam:GetRolePolicy",
        "iam:ListRolePolicies",
        "iam:PutRolePolicy",
    ];
    const RIGHTS: Option<Rights> = iam::OF_A_POLICY;
    const IMPORT: Import = Import::Parts("`roleName:policyName`", ':');
    const IDENTITY: &'static [&'static str] = &["role", "name"];
    const PARENTS: &'static [Parent] = &[Parent::stops("aws:iam:Role", "role", &["name"])
        .unless(|_, role| {
            iam::role_conflict(
                role,
                "inlinePolicies",
                "the role deletes every inline policy that is not in its inlinePolicies: put this one there, or take inlinePolicies out of the role",
            )
        })];
    const NAMING: Option<Naming> = Some(POLICY_NAMING);
    const LANE: Option<Lane> = Some(iam::ROLE_LANE);
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let mut broken = Vec::new();
        broken.extend(iam::role_rules(rules));
        let at = Path::root().join("policy");
        broken.extend(policy_check::rules(
            rules,
            &at,
            Kind::Identity,
            INLINE_LIMIT,
        ));
        broken
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let name = POLICY_NAMING.name_of(cx, &new.props, &new.decided)?;
        let role = &new.props.role;
        // The write would overwrite somebody else's policy; a generated name has no such conflict.
        if new.props.name.is_some()
            && let Some(live) = iam::inline(cx, role, &name)
                .await
                .map_err(Error::before_write)?
            && canonical(&live.0) != canonical(&new.props.policy.0)
        {
            let what = format!("a policy named {name} in the role {role}");
            return Err(import_id::exists(cx, &what, &created(role, &name).id));
        }
        iam::put_inline(cx, &new.props.role, &name, &new.props.policy).await?;
        Ok(created(&new.props.role, &name))
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let (role, name) = parts(&read.id)?;
        let Some(policy) = iam::inline(cx, role, name).await? else {
            return Ok(None);
        };
        let props = Self {
            name: Some(name.to_owned()),
            name_prefix: None,
            role: role.to_owned(),
            policy,
        };
        Ok(Some(Live::new(props, created(role, name).outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let (role, name) = parts(&change.id)?;
        iam::put_inline(cx, role, name, &change.new.policy).await?;
        Ok(created(role, name))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let (role, name) = parts(id)?;
        iam::delete_inline(cx, role, name).await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(name) = POLICY_NAMING.known(cx, known) else {
            return Ok(None);
        };
        let (Some(role), Some(policy)) = (known.text("role"), known.get::<Policy>("policy")?)
        else {
            return Ok(None);
        };
        let id = created(role, &name).id;
        let live = iam::inline(cx, role, &name).await?;
        Ok(live
            .filter(|live| canonical(&live.0) == canonical(&policy.0))
            .map(|_| id))
    }

    async fn names(cx: &Cx, known: &Known, start: &str) -> Result<Vec<String>, Error> {
        let Some(role) = known.text("role") else {
            return Ok(Vec::new());
        };
        let names = iam::inline_names(cx, role).await?.unwrap_or_default();
        let names = names.into_iter();
        Ok(names.filter(|name| name.starts_with(start)).collect())
    }
}

fn created(role: &str, name: &str) -> Made<Outputs> {
    let id = format!("{role}:{name}");
    Made {
        id: id.clone(),
        outputs: Outputs {
            id,
            name: name.to_owned(),
        },
    }
}

fn parts(id: &str) -> Result<(&str, &str), Error> {
    id.split_once(':').ok_or_else(|| {
        Error::with_hint(
            format!("\"{id}\" is not the id of an inline policy"),
            "Write it as role:name.",
        )
    })
}

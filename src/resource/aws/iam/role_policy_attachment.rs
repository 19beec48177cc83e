//! `aws:iam:RolePolicyAttachment`.

use crate::resource::author::*;
use crate::resource::aws::iam;

/// A managed policy attached to a role. Its id is `role/policyArn`. One that was attached by others
/// before is imported without a warning: IAM does not show the difference.
///
/// ```yaml
/// attachment:
///   type: aws:iam:RolePolicyAttachment
///   properties: {role: "${role.name}", policyArn: "${policy.arn}"}
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolePolicyAttachment {
    /// The role's name (not its ARN).
    #[schemars(length(min = 1, max = 64), extend("createOnly" = true))]
    pub role: String,
    /// The policy's ARN.
    #[schemars(length(min = 20, max = 2048), regex(pattern = "^arn:"))]
    #[schemars(extend("createOnly" = true))]
    pub policy_arn: String,
}

/// The outputs of `aws:iam:RolePolicyAttachment`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// `role/policyArn`.
    #[schemars(extend("from" = ["policyArn", "role"]))]
    pub id: String,
}

impl Resource for RolePolicyAttachment {
    const TYPE: &'static str = "aws:iam:RolePolicyAttachment";
    const CALLS: &'static [&'static str] = &[
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:ListAttachedRolePolicies",
    ];
    const RIGHTS: Option<Rights> = iam::OF_A_POLICY;
    const IMPORT: Import = Import::Parts("`roleName/policyArn`", '/');
    const IDENTITY: &'static [&'static str] = &["role", "policyArn"];
    const PARENTS: &'static [Parent] = &[
        Parent::stops("aws:iam:Role", "role", &["name"]).unless(|_, role| {
            iam::role_conflict(
                role,
                "managedPolicyArns",
                "the role detaches every policy that is not in its managedPolicyArns: put this one there, or take managedPolicyArns out of the role",
            )
        }),
        Parent::stops("aws:iam:Policy", "policyArn", &["arn"]),
    ];
    const LANE: Option<Lane> = Some(iam::ROLE_LANE);
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        iam::role_rules(rules)
    }

    fn cautions(rules: &Rules<'_>) -> Vec<Caution> {
        iam::managed_cautions(rules, [&Path::root().join("policyArn")])
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let Self { role, policy_arn } = &new.props;
        iam::attach(cx, role, policy_arn).await?;
        let id = new.props.id();
        Ok(Made::new(id.clone(), Outputs { id }))
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let props = Self::from_id(&read.id)?;
        let attached = iam::attached(cx, &props.role).await?.unwrap_or_default();
        let id = read.id.clone();
        Ok(attached
            .contains(&props.policy_arn)
            .then(|| Live::new(props, Outputs { id })))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let Self { role, policy_arn } = Self::from_id(id)?;
        iam::detach(cx, &role, &policy_arn).await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let (Some(role), Some(policy)) = (known.text("role"), known.text("policyArn")) else {
            return Ok(None);
        };
        let id = format!("{role}/{policy}");
        let attached = iam::attached(cx, role).await?;
        Ok(attached
            .unwrap_or_default()
            .iter()
            .any(|attached| attached == policy)
            .then_some(id))
    }
}

impl RolePolicyAttachment {
    fn id(&self) -> String {
        format!("{}/{}", self.role, self.policy_arn)
    }

    fn from_id(id: &str) -> Result<Self, Error> {
        let (role, policy_arn) = id.split_once('/').ok_or_else(|| {
            Error::with_hint(
                format!("\"{id}\" is not the id of a role policy attachment"),
                "Write it as role/policyArn.",
            )
        })?;
        Ok(Self {
            role: role.to_owned(),
            policy_arn: policy_arn.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use serde_json::json;

    #[test]
    fn the_id_is_split_at_the_first_slash() {
        let arn = "arn:aws:iam::123456789012:policy/path/name";
        let parsed = RolePolicyAttachment::from_id(&format!("role/{arn}"));
        let parsed = parsed.map(|props| (props.role, props.policy_arn));
        assert_eq!(parsed.ok(), Some(("role".to_owned(), arn.to_owned())));
        assert!(RolePolicyAttachment::from_id("role").is_err());
    }

    #[test]
    fn an_arn_is_no_role_and_a_role_with_its_own_list_excludes_it() {
        let props = Data::from(json!({"role": "arn:aws:iam::1:role/x", "policyArn": "arn:x"}));
        let none = |_: &Path| None;
        let broken = RolePolicyAttachment::rules(&Rules {
            props: &props,
            peer: &none,
        });
        assert_eq!(broken.len(), 1);
        let props = Data::from(json!({"role": "x", "policyArn": "arn:x"}));
        let role = Data::from(json!({"managedPolicyArns": ["arn:y"]}));
        let alone = |props| Rules { props, peer: &none };
        let conflict = RolePolicyAttachment::PARENTS[0].conflict.unwrap();
        let broken = conflict(&alone(&props), &alone(&role)).unwrap();
        assert!(broken.message.contains("managedPolicyArns"));
    }
}

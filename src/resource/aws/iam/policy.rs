//! `aws:iam:Policy`: a customer managed policy.

use crate::resource::author::*;
use crate::resource::aws::iam::{self, BUSY, NOT_FOUND, POLICY_NAMING, policy_versions};
use crate::resource::aws::listing;
use crate::resource::aws::policy_check::{self, Kind};
use aws_sdk_iam::types::PolicyScopeType;

/// The quota on a managed policy, white space not counted (IAM quotas).
const LIMIT: usize = 6_144;

/// A managed IAM policy of the account's own. To write one inside a role, see
/// `aws:iam:RolePolicy`.
///
/// ```yaml
/// policy:
///   type: aws:iam:Policy
///   properties:
///     policy:
///       Version: "2012-10-17"
///       Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "${queue.arn}"}]
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedPolicy {
    /// The policy's name, unique in the account. If omitted, it is generated from the address.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_+=,.@-]+$"))]
    #[schemars(extend("createOnly" = true))]
    pub name: Option<String>,
    /// The beginning of a generated name; excludes `name`.
    #[schemars(length(min = 1, max = 121), regex(pattern = r"^[A-Za-z0-9_+=,.@-]+$"))]
    #[schemars(extend("createOnly" = true, "prefixOf" = "name", "writeOnly" = true))]
    pub name_prefix: Option<String>,
    /// The path in front of the name in the ARN; begins and ends with `/`.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^(/|/[!-~]+/)$"))]
    #[schemars(extend("createOnly" = true, "default" = "/"))]
    pub path: Option<String>,
    /// A description. IAM has no call to change it.
    #[schemars(length(max = 1000), extend("createOnly" = true))]
    pub description: Option<String>,
    /// What the policy allows and denies. A change creates a new default version.
    #[schemars(extend("weak" = true))]
    pub policy: Policy,
    /// Tags; three more (`stackctl:…`) mark the owner.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<BTreeMap<String, String>>,
}

/// The outputs of `aws:iam:Policy`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The policy's ARN.
    #[schemars(extend("from" = ["name", "namePrefix", "path"]))]
    pub id: String,
    /// The policy's ARN.
    #[schemars(extend("from" = ["name", "namePrefix", "path"]))]
    pub arn: String,
    /// The policy's name.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub name: String,
    /// The policy's unique id (`ANPA…`).
    #[schemars(extend("from" = []))]
    pub policy_id: String,
    /// How many users, groups and roles had it attached when it was last read.
    #[schemars(extend("volatile" = true, "from" = []))]
    pub attachment_count: i32,
    /// The version in force, such as `v1`.
    #[schemars(extend("volatile" = ["policy"], "from" = []))]
    pub default_version_id: String,
}

impl Resource for ManagedPolicy {
    const TYPE: &'static str = "aws:iam:Policy";
    const CALLS: &'static [&'static str] = &[
        "iam:CreatePolicy",
        "iam:CreatePolicyVersion",
        "iam:DeletePolicy",
        "iam:DeletePolicyVersion",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:ListEntitiesForPolicy",
        "iam:ListPolicies",
        "iam:ListPolicyVersions",
        "iam:TagPolicy",
        "iam:UntagPolicy",
    ];
    const RIGHTS: Option<Rights> = iam::OF_A_POLICY;
    const IMPORT: Import = Import::Other(
        "the policy's ARN, such as `arn:aws:iam::123456789012:policy/send`",
        |text| import_id::arn(text, "policy/", "arn:aws:iam::ACCOUNT:policy/NAME"),
    );
    const IDENTITY: &'static [&'static str] = &["name"];
    const NAMING: Option<Naming> = Some(POLICY_NAMING);
    const TAGGING: Option<Tagging> = Some(Tagging::IgnoresCase);
    const LANE: Option<Lane> = Some(Lane("iam/policy", "arn"));
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let mut broken = Vec::new();
        let at = Path::root().join("policy");
        broken.extend(policy_check::rules(rules, &at, Kind::Identity, LIMIT));
        broken
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let name = POLICY_NAMING.name_of(cx, &new.props, &new.decided)?;
        let call = cx
            .aws
            .iam_once()
            .create_policy()
            .policy_name(&name)
            .set_path(props.path.clone())
            .set_description(props.description.clone())
            .policy_document(props.policy.text())
            .set_tags(Some(iam::tag_list(&cx.owner.tagged(props.tags.as_ref()))?));
        let sent = send!(cx, call, "iam:CreatePolicy", wait: BUSY);
        let made = match sent {
            Ok(reply) => reply.policy,
            Err(error) if error.is(&["EntityAlreadyExists"]) => {
                let arn = match arn_of(cx, &name).await {
                    Ok(Some(arn)) => arn,
                    _ => props.arn(cx, &name).await?,
                };
                let what = format!("a policy named {name}");
                return Err(import_id::exists(cx, &what, &arn));
            }
            Err(error) => return Err(error),
        };
        let made = made.ok_or_else(|| Error::incomplete("iam:CreatePolicy", "Policy"))?;
        let outputs = outputs(&made)?;
        cx.aws.fresh.note(&outputs.arn);
        Ok(Made::new(outputs.arn.clone(), outputs))
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let id = &read.id;
        // The known version is read at the same time; a version created outside stackctl costs one
        // more call.
        let expected = read.attributes["defaultVersionId"].as_str();
        let expected = expected.unwrap_or("v1");
        let get = async {
            send!(cx.aws.iam().get_policy().policy_arn(id), "iam:GetPolicy", none: NOT_FOUND)
        };
        let (policy, document) = tokio::join!(get, read_version(cx, id, expected));
        let Some(policy) = policy?.and_then(|reply| reply.policy) else {
            return Ok(None);
        };
        let outputs = outputs(&policy)?;
        let document = if outputs.default_version_id == expected {
            document?
        } else {
            read_version(cx, id, &outputs.default_version_id).await?
        };
        let document = document.ok_or_else(|| {
            Error::failed(format!(
                "iam:GetPolicyVersion did not find {} of {id}, which is in force",
                outputs.default_version_id
            ))
        })?;
        let props = Self {
            name: policy.policy_name,
            name_prefix: None,
            path: policy.path,
            description: policy.description,
            policy: document,
            tags: iam::own_tags(&policy.tags.unwrap_or_default()),
        };
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let mut outputs: Outputs = outputs_of(&change.live)?;
        if change.has(&["policy"]) {
            outputs.default_version_id =
                policy_versions::new_version(cx, &change.id, &change.new.policy.text()).await?;
        }
        if change.has(&["tags"]) {
            update_tags(cx, &change).await?;
        }
        Ok(Made::new(change.id, outputs))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        policy_versions::delete_policy(cx, id).await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(name) = POLICY_NAMING.known(cx, known) else {
            return Ok(None);
        };
        let arn = match known.is_withheld("path") {
            true => arn_of(cx, &name).await?,
            false => Some(iam::arn(cx, "policy", known.text("path"), &name).await?),
        };
        let Some(arn) = arn else {
            return Ok(None);
        };
        let call = cx.aws.iam().get_policy().policy_arn(&arn);
        let reply = send!(call, "iam:GetPolicy", none: NOT_FOUND)?;
        let tags = reply
            .and_then(|reply| reply.policy)
            .and_then(|policy| policy.tags)
            .unwrap_or_default();
        Ok(iam::created_by(cx, &tags).then_some(arn))
    }

    async fn names(cx: &Cx, _known: &Known, start: &str) -> Result<Vec<String>, Error> {
        listing::all("iam:ListPolicies", |marker| async move {
            let call = cx.aws.iam().list_policies().scope(PolicyScopeType::Local);
            let reply = send!(call.set_marker(marker), "iam:ListPolicies")?;
            let policies = reply.policies.unwrap_or_default().into_iter();
            let names = policies.filter_map(|policy| policy.policy_name);
            let names = names.filter(|name| name.starts_with(start)).collect();
            Ok((names, reply.marker))
        })
        .await
    }
}

impl ManagedPolicy {
    async fn arn(&self, cx: &Cx, name: &str) -> Result<String, Error> {
        iam::arn(cx, "policy", self.path.as_deref(), name).await
    }
}

/// The ARN of the policy of that name, whatever its path.
async fn arn_of(cx: &Cx, name: &str) -> Result<Option<String>, Error> {
    let found = listing::first("iam:ListPolicies", |marker| async move {
        let call = cx.aws.iam().list_policies().scope(PolicyScopeType::Local);
        let reply = send!(call.set_marker(marker), "iam:ListPolicies")?;
        let mut policies = reply.policies.unwrap_or_default().into_iter();
        let found = policies.find(|policy| policy.policy_name() == Some(name));
        Ok((found, reply.marker))
    });
    Ok(found.await?.and_then(|policy| policy.arn))
}

fn outputs(policy: &aws_sdk_iam::types::Policy) -> Result<Outputs, Error> {
    let arn = policy
        .arn
        .clone()
        .ok_or_else(|| Error::failed("IAM returned a policy without its ARN"))?;
    Ok(Outputs {
        id: arn.clone(),
        arn,
        name: policy.policy_name.clone().unwrap_or_default(),
        policy_id: policy.policy_id.clone().unwrap_or_default(),
        attachment_count: policy.attachment_count.unwrap_or(0),
        default_version_id: policy
            .default_version_id
            .clone()
            .unwrap_or_else(|| "v1".to_owned()),
    })
}

async fn read_version(cx: &Cx, arn: &str, version: &str) -> Result<Option<Policy>, Error> {
    let call = cx.aws.iam().get_policy_version().policy_arn(arn);
    let call = call.version_id(version);
    let reply = send!(call, "iam:GetPolicyVersion", none: NOT_FOUND)?;
    Ok(reply
        .and_then(|reply| reply.policy_version?.document)
        .map(|document| Policy::parse_encoded(&document)))
}

async fn update_tags(cx: &Cx, change: &Change<ManagedPolicy>) -> Result<(), Error> {
    let (set, remove) = tag_diff(change.old.tags.as_ref(), change.new.tags.as_ref());
    if !remove.is_empty() {
        let call = cx.aws.iam().untag_policy().policy_arn(&change.id);
        let call = call.set_tag_keys(Some(remove));
        send!(cx, call, "iam:UntagPolicy", wait: BUSY)?;
    }
    if !set.is_empty() {
        let call = cx.aws.iam().tag_policy().policy_arn(&change.id);
        let call = call.set_tags(Some(iam::tag_list(&set)?));
        send!(cx, call, "iam:TagPolicy", wait: BUSY)?;
    }
    Ok(())
}

//! Versions of customer managed policies.

use super::super::service::Refusal;
use super::super::stamps;
use super::super::xml::Xml;
use super::managed;
use super::model::{self, Policy, Version};
use super::policy::{customer_managed, document};
use super::reply::{encode, missing, write_page};
use super::{Answer, Call};

/// Versions that a policy keeps at most.
const QUOTA: usize = 5;

pub(super) fn create(call: Call<'_>) -> Answer {
    let mut policy = customer_managed(&call)?;
    let document = document(call.form)?;
    if policy.versions.len() >= QUOTA {
        let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
        return Err(Refusal::new(409, "LimitExceeded", message));
    }
    let version = Version {
        number: policy.next,
        document,
        created: call.now,
    };
    policy.next += 1;
    policy.updated = call.now;
    if call.form.get("SetAsDefault") == Some("true") {
        policy.default = version.number;
    }
    policy.versions.push(version.clone());
    model::put_policy(call.store, &policy);
    let mut xml = Xml::default();
    xml.element("PolicyVersion", |xml| write(xml, &policy, &version, false));
    Ok(xml)
}

fn write(xml: &mut Xml, policy: &Policy, version: &Version, document: bool) {
    if document {
        xml.text("Document", encode(&version.document));
    }
    xml.text("VersionId", format!("v{}", version.number));
    xml.text("IsDefaultVersion", version.number == policy.default);
    xml.text("CreateDate", stamps::iso_seconds(version.created));
}

/// The number of the version that `VersionId` names, which must exist.
fn number(call: &Call<'_>, policy: &Policy) -> Result<u64, Refusal> {
    let id = call.form.required("VersionId")?;
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    let Some(number) = number else {
        let message = format!(
            "1 validation error detected: Value '{id}' at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"
        );
        return Err(Refusal::new(400, "ValidationError", message));
    };
    if policy
        .versions
        .iter()
        .all(|version| version.number != number)
    {
        return Err(missing(format!(
            "Policy {} version {id} does not exist or is not attachable.",
            policy.arn
        )));
    }
    Ok(number)
}

pub(super) fn get(call: Call<'_>) -> Answer {
    let arn = call.form.arn("PolicyArn")?;
    let policy = match managed::policy(arn) {
        Some(policy) => policy,
        None => model::policy(call.store, arn)?,
    };
    let number = number(&call, &policy)?;
    let mut xml = Xml::default();
    for version in policy
        .versions
        .iter()
        .filter(|version| version.number == number)
    {
        xml.element("PolicyVersion", |xml| write(xml, &policy, version, true));
    }
    Ok(xml)
}

pub(super) fn delete(call: Call<'_>) -> Answer {
    let mut policy = customer_managed(&call)?;
    let number = number(&call, &policy)?;
    if number == policy.default {
        let message = "Cannot delete the default version of a policy.";
        return Err(Refusal::new(409, "DeleteConflict", message));
    }
    policy.versions.retain(|version| version.number != number);
    policy.updated = call.now;
    model::put_policy(call.store, &policy);
    Ok(Xml::default())
}

/// Newest first.
pub(super) fn list(call: Call<'_>) -> Answer {
    let policy = customer_managed(&call)?;
    let versions: Vec<&Version> = policy.versions.iter().rev().collect();
    write_page(call.form, "Versions", &versions, |xml, version| {
        xml.element("member", |xml| write(xml, &policy, version, false));
    })
}

pub(super) fn set_default(call: Call<'_>) -> Answer {
    let mut policy = customer_managed(&call)?;
    policy.default = number(&call, &policy)?;
    policy.updated = call.now;
    model::put_policy(call.store, &policy);
    Ok(Xml::default())
}

//! Customer managed policies.

use super::super::policy::Kind;
use super::super::query::write_tags;
use super::super::service::{Refusal, Store};
use super::super::stamps;
use super::super::xml::Xml;
use super::managed;
use super::model::{self, Policy, Version};
use super::reply::{check_document, merge_tags, remove_tags, write_page};
use super::{Answer, Call};

/// The longest document of a managed policy, in characters without white space.
const QUOTA: usize = 6144;

pub(super) fn create(call: Call<'_>) -> Answer {
    let Call { form, store, now } = call;
    let name = form.name("PolicyName", 128)?;
    let path = form.path()?;
    let description = form.description()?;
    let document = document(form)?;
    let mut tags = Vec::new();
    merge_tags(&mut tags, form.tags()?)?;
    let policies = model::policies(store)?;
    if policies
        .iter()
        .any(|policy| policy.name.eq_ignore_ascii_case(name))
    {
        let message =
            format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(Refusal::new(409, "EntityAlreadyExists", message));
    }
    let policy = Policy {
        name: name.to_owned(),
        arn: model::arn("policy", path, name),
        path: path.to_owned(),
        id: stamps::id("ANPA", 17),
        description: description.map(str::to_owned),
        tags,
        created: now,
        updated: now,
        versions: vec![Version {
            number: 1,
            document,
            created: now,
        }],
        default: 1,
        next: 2,
    };
    model::put_policy(store, &policy);
    let mut xml = Xml::default();
    // CreatePolicy does not return the description.
    xml.element("Policy", |xml| {
        write(xml, &policy, (0, 0));
        write_some_tags(xml, &policy);
    });
    Ok(xml)
}

/// `PolicyDocument`, checked.
pub(super) fn document(form: &super::Form) -> Result<String, Refusal> {
    let text = form.document("PolicyDocument")?;
    check_document(text, Kind::Identity)?;
    if text.chars().filter(|c| !c.is_whitespace()).count() > QUOTA {
        let message = format!("Cannot exceed quota for PolicySize: {QUOTA}");
        return Err(Refusal::new(409, "LimitExceeded", message));
    }
    Ok(text.to_owned())
}

/// How many roles have it attached, and how many as their boundary.
fn usage(store: &dyn Store, arn: &str) -> Result<(usize, usize), Refusal> {
    let roles = model::roles(store)?;
    let attached = roles.iter().filter(|role| role.attached.contains_key(arn));
    let bound = roles
        .iter()
        .filter(|role| role.boundary.as_deref() == Some(arn));
    Ok((attached.count(), bound.count()))
}

fn write(xml: &mut Xml, policy: &Policy, usage: (usize, usize)) {
    xml.text("PolicyName", &policy.name);
    xml.text("PolicyId", &policy.id);
    xml.text("Arn", &policy.arn);
    xml.text("Path", &policy.path);
    xml.text("DefaultVersionId", format!("v{}", policy.default));
    xml.text("AttachmentCount", usage.0);
    xml.text("PermissionsBoundaryUsageCount", usage.1);
    xml.text("IsAttachable", true);
    xml.text("CreateDate", stamps::iso_seconds(policy.created));
    xml.text("UpdateDate", stamps::iso_seconds(policy.updated));
}

fn write_some_tags(xml: &mut Xml, policy: &Policy) {
    if !policy.tags.is_empty() {
        write_tags(xml, &policy.tags);
    }
}

pub(super) fn get(call: Call<'_>) -> Answer {
    let arn = call.form.arn("PolicyArn")?;
    let usage = usage(call.store, arn)?;
    let policy = match managed::policy(arn) {
        Some(policy) => policy,
        None => model::policy(call.store, arn)?,
    };
    let mut xml = Xml::default();
    xml.element("Policy", |xml| {
        write(xml, &policy, usage);
        xml.maybe("Description", policy.description.as_ref());
        write_some_tags(xml, &policy);
    });
    Ok(xml)
}

pub(super) fn delete(call: Call<'_>) -> Answer {
    let policy = customer_managed(&call)?;
    let (attached, bound) = usage(call.store, &policy.arn)?;
    let conflict = |message: &str| Err(Refusal::new(409, "DeleteConflict", message));
    if attached + bound > 0 {
        return conflict("Cannot delete a policy attached to entities.");
    }
    if policy.versions.len() > 1 {
        return conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
    }
    model::remove_policy(call.store, &policy.arn);
    Ok(Xml::default())
}

/// The customer managed policy that `PolicyArn` names; those of AWS cannot be changed.
pub(super) fn customer_managed(call: &Call<'_>) -> Result<Policy, Refusal> {
    let arn = call.form.arn("PolicyArn")?;
    if managed::is_aws(arn) {
        let message = format!("Policy {arn} is managed by AWS and cannot be changed.");
        return Err(Refusal::new(403, "AccessDenied", message));
    }
    model::policy(call.store, arn)
}

/// Customer managed policies only, whatever the scope; those of AWS are not listed.
pub(super) fn list(call: Call<'_>) -> Answer {
    let form = call.form;
    let scope = form.get("Scope").unwrap_or("All");
    if !["All", "AWS", "Local"].contains(&scope) {
        let message = format!(
            "1 validation error detected: Value '{scope}' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [AWS, Local, All]"
        );
        return Err(Refusal::new(400, "ValidationError", message));
    }
    let prefix = form.get("PathPrefix").unwrap_or("/");
    let attached_only = form.get("OnlyAttached") == Some("true");
    let mut rows = Vec::new();
    for policy in model::policies(call.store)? {
        let usage = usage(call.store, &policy.arn)?;
        let shown = policy.path.starts_with(prefix) && (usage.0 > 0 || !attached_only);
        if shown && scope != "AWS" {
            rows.push((policy, usage));
        }
    }
    write_page(form, "Policies", &rows, |xml, (policy, usage)| {
        xml.element("member", |xml| write(xml, policy, *usage));
    })
}

pub(super) fn tag(call: Call<'_>) -> Answer {
    let mut policy = customer_managed(&call)?;
    merge_tags(&mut policy.tags, call.form.tags()?)?;
    model::put_policy(call.store, &policy);
    Ok(Xml::default())
}

pub(super) fn untag(call: Call<'_>) -> Answer {
    let mut policy = customer_managed(&call)?;
    remove_tags(&mut policy.tags, call.form);
    model::put_policy(call.store, &policy);
    Ok(Xml::default())
}

pub(super) fn list_tags(call: Call<'_>) -> Answer {
    let policy = customer_managed(&call)?;
    write_page(call.form, "Tags", &policy.tags, |xml, (key, value)| {
        xml.element("member", |xml| {
            xml.text("Key", key);
            xml.text("Value", value);
        });
    })
}

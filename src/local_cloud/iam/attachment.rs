//! Managed policies on roles.

use super::super::service::Refusal;
use super::super::xml::Xml;
use super::model;
use super::reply::{missing, write_page};
use super::{Answer, Call};

/// Managed policies per role, by default.
const QUOTA: usize = 10;

/// Attaching what is attached does nothing.
pub(super) fn attach(call: Call<'_>) -> Answer {
    let arn = call.form.arn("PolicyArn")?;
    let mut role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    model::require_policy(call.store, arn)?;
    if !role.attached.contains_key(arn) {
        if role.attached.len() >= QUOTA {
            let message = format!("Cannot exceed quota for PoliciesPerRole: {QUOTA}");
            return Err(Refusal::new(409, "LimitExceeded", message));
        }
        role.attached.insert(arn.to_owned(), call.now);
        model::put_role(call.store, &role);
    }
    Ok(Xml::default())
}

pub(super) fn detach(call: Call<'_>) -> Answer {
    let arn = call.form.arn("PolicyArn")?;
    let mut role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    if role.attached.remove(arn).is_none() {
        return Err(missing(format!("Policy {arn} was not found.")));
    }
    model::put_role(call.store, &role);
    Ok(Xml::default())
}

pub(super) fn list(call: Call<'_>) -> Answer {
    let role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    let arns: Vec<&String> = role.attached.keys().collect();
    write_page(call.form, "AttachedPolicies", &arns, |xml, arn| {
        xml.element("member", |xml| {
            xml.text("PolicyName", arn.rsplit('/').next().unwrap_or(arn));
            xml.text("PolicyArn", arn);
        });
    })
}

/// The roles that a policy is attached to, or the boundary of; users and groups do not exist.
pub(super) fn list_entities(call: Call<'_>) -> Answer {
    let arn = call.form.arn("PolicyArn")?;
    model::require_policy(call.store, arn)
        .map_err(|_| missing(format!("Policy {arn} was not found.")))?;
    let usage = call.form.get("PolicyUsageFilter");
    let filter = call.form.get("EntityFilter").unwrap_or("Role");
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    let mut roles = model::roles(call.store)?;
    roles.retain(|role| {
        let attached = role.attached.contains_key(arn) && usage != Some("PermissionsBoundary");
        let bound = role.boundary.as_deref() == Some(arn) && usage != Some("PermissionsPolicy");
        (attached || bound) && filter == "Role" && role.path.starts_with(prefix)
    });
    let mut xml = Xml::default();
    xml.element("PolicyGroups", |_| ());
    xml.element("PolicyUsers", |_| ());
    let page = write_page(call.form, "PolicyRoles", &roles, |xml, role| {
        xml.element("member", |xml| {
            xml.text("RoleName", &role.name);
            xml.text("RoleId", &role.id);
        });
    })?;
    xml.raw(&page.into_fragment());
    Ok(xml)
}

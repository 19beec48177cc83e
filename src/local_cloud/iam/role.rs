//! Roles: created, read, listed, deleted.

use super::super::policy::Kind;
use super::super::query::{Form, write_tags};
use super::super::service::{Refusal, Store};
use super::super::stamps;
use super::super::xml::Xml;
use super::model::{self, Role};
use super::reply::{check_document, encode, merge_tags, write_page};
use super::{Answer, Call};
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest assume-role document by default, in characters without white space.
const TRUST_QUOTA: usize = 2048;

pub(super) fn create(call: Call<'_>) -> Answer {
    let Call { form, store, now } = call;
    let name = form.name("RoleName", 64)?;
    let path = form.path()?;
    let trust = trust_document(form, store, "AssumeRolePolicyDocument")?;
    let description = form.description()?;
    let max_session = form.number("MaxSessionDuration", 3600, 43_200)?;
    let boundary = boundary(form, store)?;
    let mut tags = Vec::new();
    merge_tags(&mut tags, form.tags()?)?;
    if path.starts_with("/aws-service-role/") {
        return Err(Refusal::new(
            400,
            "InvalidInput",
            "The path /aws-service-role/ is reserved.",
        ));
    }
    if model::role_exists(store, name) {
        return Err(Refusal::new(
            409,
            "EntityAlreadyExists",
            format!("Role with name {name} already exists."),
        ));
    }
    let role = Role {
        name: name.to_owned(),
        arn: model::arn("role", path, name),
        path: path.to_owned(),
        id: stamps::id("AROA", 17),
        trust,
        description: description.map(str::to_owned),
        max_session: max_session.unwrap_or(3600),
        boundary,
        tags,
        created: now,
        attached: BTreeMap::new(),
        inline: BTreeMap::new(),
    };
    model::put_role(store, &role);
    Ok(one(&role))
}

/// The role element of a reply.
pub(super) fn one(role: &Role) -> Xml {
    let mut xml = Xml::default();
    xml.element("Role", |xml| write(xml, role, true));
    xml
}

/// `full`: as GetRole returns it; lists omit tags, boundary and the last use.
fn write(xml: &mut Xml, role: &Role, full: bool) {
    xml.text("Path", &role.path);
    xml.text("RoleName", &role.name);
    xml.text("RoleId", &role.id);
    xml.text("Arn", &role.arn);
    xml.text("CreateDate", stamps::iso_seconds(role.created));
    xml.text("AssumeRolePolicyDocument", encode(&role.trust));
    xml.maybe("Description", role.description.as_ref());
    xml.text("MaxSessionDuration", role.max_session);
    if !full {
        return;
    }
    if let Some(arn) = &role.boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy");
            xml.text("PermissionsBoundaryArn", arn);
        });
    }
    if !role.tags.is_empty() {
        write_tags(xml, &role.tags);
    }
    xml.element("RoleLastUsed", |_| ());
}

/// A checked assume-role document. The roles of this account that it names must exist.
pub(super) fn trust_document(
    form: &Form,
    store: &dyn Store,
    member: &str,
) -> Result<String, Refusal> {
    let text = form.document(member)?;
    let document = check_document(text, Kind::Trust)?;
    if text.chars().filter(|c| !c.is_whitespace()).count() > TRUST_QUOTA {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for ACLSizePerRole: {TRUST_QUOTA}"),
        ));
    }
    let own_roles = model::arn("role", "/", "");
    let mut unknown = Vec::new();
    visit_principals(&document, &mut |arn| {
        let own = arn.starts_with(&own_roles);
        if own && model::role_of_arn(store, arn).is_none() {
            unknown.push(arn.to_owned());
        }
    });
    match unknown.first() {
        None => Ok(text.to_owned()),
        Some(arn) => Err(Refusal::new(
            400,
            "MalformedPolicyDocument",
            format!("Invalid principal in policy: \"AWS\":\"{arn}\""),
        )),
    }
}

fn visit_principals(document: &Value, visit: &mut dyn FnMut(&str)) {
    let one_or_many = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    for statement in one_or_many(&document["Statement"]) {
        for principal in one_or_many(&statement["Principal"]["AWS"]) {
            principal.as_str().into_iter().for_each(&mut *visit);
        }
    }
}

/// `PermissionsBoundary`: a managed policy that exists.
pub(super) fn boundary(form: &Form, store: &dyn Store) -> Result<Option<String>, Refusal> {
    if form.get("PermissionsBoundary").is_none() {
        return Ok(None);
    }
    let arn = form.arn("PermissionsBoundary")?;
    model::require_policy(store, arn).map_err(|_| {
        super::reply::missing(format!(
            "Scope ARN: {arn} does not exist or is not attachable."
        ))
    })?;
    Ok(Some(arn.to_owned()))
}

pub(super) fn get(call: Call<'_>) -> Answer {
    let role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    Ok(one(&role))
}

pub(super) fn delete(call: Call<'_>) -> Answer {
    let role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    let conflict = |message: &str| Err(Refusal::new(409, "DeleteConflict", message));
    if !role.attached.is_empty() {
        return conflict("Cannot delete entity, must detach all policies first.");
    }
    if !role.inline.is_empty() {
        return conflict("Cannot delete entity, must delete policies first.");
    }
    model::remove_role(call.store, &role.name);
    Ok(Xml::default())
}

pub(super) fn list(call: Call<'_>) -> Answer {
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    let mut roles = model::roles(call.store)?;
    roles.retain(|role| role.path.starts_with(prefix));
    write_page(call.form, "Roles", &roles, |xml, role| {
        xml.element("member", |xml| write(xml, role, false));
    })
}

pub(super) fn list_instance_profiles(call: Call<'_>) -> Answer {
    model::role(call.store, call.form.name("RoleName", 64)?)?;
    write_page(call.form, "InstanceProfiles", &[], |_, (): &()| ())
}

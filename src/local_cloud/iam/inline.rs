//! Inline policies of roles.

use super::super::policy::Kind;
use super::super::service::Refusal;
use super::super::xml::Xml;
use super::model::{self, Inline};
use super::reply::{check_document, encode, missing, write_page};
use super::{Answer, Call};

/// All inline policies of a role together, in characters without white space.
const QUOTA: usize = 10_240;

/// Creates or overwrites a policy.
pub(super) fn put(call: Call<'_>) -> Answer {
    let name = call.form.name("PolicyName", 128)?;
    let document = call.form.document("PolicyDocument")?;
    let mut role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    check_document(document, Kind::Identity)?;
    let same = role
        .inline
        .get(name)
        .is_some_and(|old| old.document == document);
    if !same {
        let inline = Inline {
            document: document.to_owned(),
            put: call.now,
        };
        role.inline.insert(name.to_owned(), inline);
    }
    let texts = role
        .inline
        .values()
        .flat_map(|inline| inline.document.chars());
    if texts.filter(|c| !c.is_whitespace()).count() > QUOTA {
        let message = format!(
            "Maximum policy size of {QUOTA} bytes exceeded for role {}",
            role.name
        );
        return Err(Refusal::new(409, "LimitExceeded", message));
    }
    model::put_role(call.store, &role);
    Ok(Xml::default())
}

fn policy_not_found(name: &str) -> Refusal {
    missing(format!("The role policy with name {name} cannot be found."))
}

pub(super) fn get(call: Call<'_>) -> Answer {
    let name = call.form.name("PolicyName", 128)?;
    let role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    let inline = role
        .inline
        .get(name)
        .ok_or_else(|| policy_not_found(name))?;
    let mut xml = Xml::default();
    xml.text("RoleName", &role.name);
    xml.text("PolicyName", name);
    xml.text("PolicyDocument", encode(&inline.document));
    Ok(xml)
}

pub(super) fn delete(call: Call<'_>) -> Answer {
    let name = call.form.name("PolicyName", 128)?;
    let mut role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    role.inline
        .remove(name)
        .ok_or_else(|| policy_not_found(name))?;
    model::put_role(call.store, &role);
    Ok(Xml::default())
}

pub(super) fn list(call: Call<'_>) -> Answer {
    let role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    let names: Vec<&String> = role.inline.keys().collect();
    write_page(call.form, "PolicyNames", &names, |xml, name| {
        xml.text("member", name);
    })
}

//! Changes to a role.

use super::super::query::Form;
use super::super::service::Refusal;
use super::super::xml::Xml;
use super::model::{self, Role};
use super::reply::{merge_tags, missing, remove_tags, write_page};
use super::role::{boundary, one, trust_document};
use super::{Answer, Call};

/// Changes a role; the result is empty.
fn change(call: Call<'_>, edit: impl FnOnce(&mut Role, &Form) -> Result<(), Refusal>) -> Answer {
    let mut role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    edit(&mut role, call.form)?;
    model::put_role(call.store, &role);
    Ok(Xml::default())
}

/// An omitted member goes back to its default, as the API reference says of `MaxSessionDuration`;
/// an omitted description stays.
pub(super) fn update(call: Call<'_>) -> Answer {
    change(call, |role, form| {
        if let Some(description) = form.description()? {
            role.description = Some(description.to_owned());
        }
        role.max_session = form
            .number("MaxSessionDuration", 3600, 43_200)?
            .unwrap_or(3600);
        Ok(())
    })
}

pub(super) fn update_description(call: Call<'_>) -> Answer {
    let mut role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    call.form.required("Description")?;
    role.description = call.form.description()?.map(str::to_owned);
    model::put_role(call.store, &role);
    Ok(one(&role))
}

pub(super) fn update_trust(call: Call<'_>) -> Answer {
    let trust = trust_document(call.form, call.store, "PolicyDocument")?;
    change(call, |role, _| {
        role.trust = trust;
        Ok(())
    })
}

pub(super) fn put_boundary(call: Call<'_>) -> Answer {
    call.form.required("PermissionsBoundary")?;
    let arn = boundary(call.form, call.store)?;
    change(call, |role, _| {
        role.boundary = arn;
        Ok(())
    })
}

pub(super) fn delete_boundary(call: Call<'_>) -> Answer {
    change(call, |role, _| match role.boundary.take() {
        Some(_) => Ok(()),
        None => Err(missing(format!(
            "Role {} does not have a permission boundary",
            role.name
        ))),
    })
}

pub(super) fn tag(call: Call<'_>) -> Answer {
    change(call, |role, form| merge_tags(&mut role.tags, form.tags()?))
}

pub(super) fn untag(call: Call<'_>) -> Answer {
    change(call, |role, form| {
        remove_tags(&mut role.tags, form);
        Ok(())
    })
}

pub(super) fn list_tags(call: Call<'_>) -> Answer {
    let role = model::role(call.store, call.form.name("RoleName", 64)?)?;
    write_page(call.form, "Tags", &role.tags, |xml, (key, value)| {
        xml.element("member", |xml| {
            xml.text("Key", key);
            xml.text("Value", value);
        });
    })
}

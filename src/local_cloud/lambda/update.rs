//! Changes to a function's configuration and code.

use super::super::service::Refusal;
use super::code;
use super::function::{apply_architectures, require_role, stamp};
use super::model::{self, Function};
use super::{Answer, Call, invalid, settings, version};

/// The function to change; it must not be changing already, and be the revision stated.
fn target(call: &Call<'_>) -> Result<Function, Refusal> {
    let (function, qualifier) = call.function()?;
    if qualifier.is_some_and(|qualifier| qualifier != "$LATEST") {
        return Err(invalid("Only $LATEST can be updated."));
    }
    function.require_no_update(call.request.now)?;
    require_revision(&call.body, function.text("RevisionId"))?;
    Ok(function)
}

/// Refuses a `RevisionId` that is not the latest.
pub(super) fn require_revision(body: &super::Members, latest: &str) -> Result<(), Refusal> {
    match body.text("RevisionId")? {
        Some(stated) if stated != latest => Err(Refusal::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
        )),
        _ => Ok(()),
    }
}

pub(super) fn configuration(call: Call<'_>) -> Answer {
    let now = call.request.now;
    let mut function = target(&call)?;
    if call.body.has("TenancyConfig") {
        return Err(invalid("TenancyConfig cannot be changed."));
    }
    settings::apply(&mut function.config, &call.body)?;
    require_role(&call, &function)?;
    stamp(&mut function, now);
    function.updated = Some(now);
    model::put_function(call.store, &function);
    Ok((200, function.to_reply(now)))
}

/// Code has to come along even when only the architecture changes.
pub(super) fn code(call: Call<'_>) -> Answer {
    let now = call.request.now;
    let mut function = target(&call)?;
    apply_architectures(&mut function.config, &call.body)?;
    let code = code::load(call.store, &call.request.region, &call.body)?;
    code::put(&mut function, call.store, code)?;
    if call.body.flag("DryRun")? == Some(true) {
        return Ok((200, function.to_reply(now)));
    }
    stamp(&mut function, now);
    function.updated = Some(now);
    let publish = call.body.flag("Publish")? == Some(true);
    if publish {
        version::publish(&mut function, None, now);
    }
    model::put_function(call.store, &function);
    let mut told = function.to_reply(now);
    if publish && let Some(version) = function.versions.last() {
        told["Version"] = version["Version"].clone();
    }
    Ok((200, told))
}

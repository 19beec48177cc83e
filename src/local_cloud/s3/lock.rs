//! Object lock: legal holds and retention of single versions.
//!
//! A version under a legal hold or within its retention cannot be deleted; governance retention
//! gives way to `x-amz-bypass-governance-retention`, compliance retention to nobody (S3 user guide,
//! "Locking objects with Object Lock").

use super::super::service::{Refusal, Reply};
use super::super::xml::child_text;
use super::acl::edit_version;
use super::error::error;
use super::model::{self, Bucket, Version};
use super::{Call, body};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::collections::BTreeMap;

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const HOLD: &str = "x-amz-object-lock-legal-hold";

/// The lock that a new version's headers ask for; HEAD and GET give it back as it is.
pub(super) fn from_headers(
    call: &Call<'_>,
    bucket: &Bucket,
) -> Result<BTreeMap<String, String>, Refusal> {
    let given = |name: &str| {
        call.header(name)
            .map(|value| (name.to_owned(), value.to_owned()))
    };
    let headers: BTreeMap<_, _> = [MODE, UNTIL, HOLD].into_iter().filter_map(given).collect();
    if headers.is_empty() {
        return Ok(headers);
    }
    if !bucket.object_lock {
        let message = "Bucket is missing Object Lock Configuration";
        return Err(error("InvalidRequest", message));
    }
    if let Some(hold) = headers.get(HOLD) {
        check_hold(hold)?;
    }
    match (headers.get(MODE), headers.get(UNTIL)) {
        (None, None) => {}
        (Some(mode), Some(until)) => check_retention(call, mode, until)?,
        _ => {
            let message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
            return Err(error("InvalidArgument", message));
        }
    }
    Ok(headers)
}

fn check_hold(status: &str) -> Result<(), Refusal> {
    match status {
        "ON" | "OFF" => Ok(()),
        _ => Err(error("MalformedXML", "")),
    }
}

/// Milliseconds since 1970.
fn millis(until: &str) -> Option<u64> {
    let until = DateTime::from_str(until, Format::DateTimeWithOffset).ok()?;
    u64::try_from(until.to_millis().ok()?).ok()
}

fn check_retention(call: &Call<'_>, mode: &str, until: &str) -> Result<(), Refusal> {
    if !["GOVERNANCE", "COMPLIANCE"].contains(&mode) {
        return Err(error("InvalidArgument", "Unknown wormMode directive."));
    }
    match millis(until) {
        Some(until) if until > call.request.now => Ok(()),
        Some(_) => {
            let message = "The retain until date must be in the future!";
            Err(error("InvalidArgument", message))
        }
        None => Err(error(
            "InvalidArgument",
            "The retain until date must be a date.",
        )),
    }
}

/// Whether the retention of a version holds at this moment against who asks.
fn is_retained(call: &Call<'_>, version: &Version) -> bool {
    let mode = version.headers.get(MODE).map(String::as_str);
    let until = version.headers.get(UNTIL).and_then(|until| millis(until));
    let bypass = call.header("x-amz-bypass-governance-retention") == Some("true");
    until.is_some_and(|until| until > call.request.now) && !(mode == Some("GOVERNANCE") && bypass)
}

/// Refuses to delete a version that is locked.
pub(super) fn check_deletion(call: &Call<'_>, version: &Version) -> Result<(), Refusal> {
    let held = version.headers.get(HOLD).is_some_and(|hold| hold == "ON");
    match held || is_retained(call, version) {
        true => {
            let message = "Access Denied because object protected by object lock.";
            Err(error("AccessDenied", message))
        }
        false => Ok(()),
    }
}

fn check_bucket(call: &Call<'_>) -> Result<(), Refusal> {
    match model::bucket(call.store, &call.bucket)?.object_lock {
        true => Ok(()),
        false => {
            let message = "Bucket is missing Object Lock Configuration";
            Err(error("InvalidRequest", message))
        }
    }
}

pub(super) fn put_legal_hold(call: Call<'_>) -> Result<Reply, Refusal> {
    check_bucket(&call)?;
    let payload = body::payload(&call)?;
    let document = body::require(&payload.bytes)?;
    let status = child_text(document.root_element(), "Status")
        .unwrap_or_default()
        .to_owned();
    check_hold(&status)?;
    edit_version(call, |version| {
        version.headers.insert(HOLD.to_owned(), status);
    })
}

/// An empty retention removes it; one is shortened only with a permission.
pub(super) fn put_retention(call: Call<'_>) -> Result<Reply, Refusal> {
    check_bucket(&call)?;
    let payload = body::payload(&call)?;
    let document = body::require(&payload.bytes)?;
    let text = |name: &str| child_text(document.root_element(), name).map(str::to_owned);
    let (mode, until) = (text("Mode"), text("RetainUntilDate"));
    match (&mode, &until) {
        (None, None) => {}
        (Some(mode), Some(until)) => check_retention(&call, mode, until)?,
        _ => return Err(error("MalformedXML", "")),
    }
    let versions = model::versions(call.store, &call.bucket, &call.key)?;
    let at = super::object::pick(&versions, call.query("versionId"))?;
    let old = versions[at]
        .headers
        .get(UNTIL)
        .and_then(|until| millis(until));
    let stays = mode.is_some() && mode.as_ref() == versions[at].headers.get(MODE);
    let longer = stays && until.as_deref().and_then(millis) >= old;
    if is_retained(&call, &versions[at]) && !longer {
        let message = "Access Denied because object protected by object lock.";
        return Err(error("AccessDenied", message));
    }
    edit_version(call, |version| {
        for (name, value) in [(MODE, mode), (UNTIL, until)] {
            match value {
                Some(value) => version.headers.insert(name.to_owned(), value),
                None => version.headers.remove(name),
            };
        }
    })
}

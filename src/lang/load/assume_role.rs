//! `providers.aws.assumeRole`: a role and how it is assumed.

use super::duration;
use super::keys;
use super::reader::Reader;
use crate::data::Path;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What AWS takes (STS API Reference, `AssumeRole`).
const DURATIONS: RangeInclusive<u64> = 900..=43_200;

/// Checks the map; `other` is whether `assumeRoleArn` names a role as well.
pub(super) fn check(reader: &mut Reader, value: &Value, path: &Path, other: bool) {
    let Some(role) = reader.map(Some(value), path) else {
        return;
    };
    reader.check_keys(role, path, keys::ASSUME_ROLE, |_| None);
    if other {
        reader
            .key(path, "assumeRole and assumeRoleArn both name a role")
            .help = Some("move the ARN into assumeRole as roleArn".to_owned());
    } else if role.get("roleArn").is_none_or(Value::is_null) {
        reader
            .key(path, "missing required property \"roleArn\" of assumeRole")
            .help = Some("add the ARN of the role to assume".to_owned());
    }
    for (key, value) in role.iter().filter(|(_, value)| !value.is_null()) {
        let path = path.join(key);
        let Some(text) = reader.text(value, &path) else {
            continue;
        };
        if text.contains("${") {
            continue;
        }
        if let Some(why) = fault(key, &text) {
            reader.value(&path, format!("{text:?} is no {key}: {why}"));
        }
    }
}

/// What is wrong with a value of the map, as a clause.
pub fn fault(key: &str, text: &str) -> Option<&'static str> {
    let word = |extra: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || extra.contains(c))
    };
    match key {
        "duration" if seconds(text).is_none() => {
            Some("it must be a time from 15m to 12h, such as 1h30m")
        }
        "sessionName" if !(2..=64).contains(&text.len()) || !word("+=,.@-") => {
            Some("it must be 2 to 64 letters, digits and characters of _+=,.@-")
        }
        "externalId" if !(2..=1224).contains(&text.len()) || !word("+=,.@:/-") => {
            Some("it must be 2 to 1224 letters, digits and characters of _+=,.@:/-")
        }
        _ => None,
    }
}

/// A session's length that AWS takes.
pub fn seconds(text: &str) -> Option<Duration> {
    duration(text).filter(|time| DURATIONS.contains(&time.as_secs()))
}

/// Whether the map of `providers.aws` names a role the short way.
pub(super) fn has_short(aws: &Map<String, Value>) -> bool {
    aws.get("assumeRoleArn").is_some_and(|it| !it.is_null())
}

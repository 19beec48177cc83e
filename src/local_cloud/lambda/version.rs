//! Published versions of a function.

use super::super::stamps;
use super::model::{self, Function};
use super::update::require_revision;
use super::{Answer, Call};
use serde_json::{Map, Value};

/// What differs between two versions that are otherwise the same.
const OWN: &[&str] = &[
    "Version",
    "FunctionArn",
    "LastModified",
    "RevisionId",
    "Description",
];

/// Publishes what `$LATEST` is, unless the last version is the same.
pub(super) fn publish(function: &mut Function, description: Option<&str>, now: u64) {
    let bare = |config: &Map<String, Value>| {
        let mut config = config.clone();
        config.retain(|name, _| !OWN.contains(&name.as_str()));
        config
    };
    if function
        .versions
        .last()
        .is_some_and(|last| bare(last) == bare(&function.config))
    {
        return;
    }
    function.published += 1;
    let mut config = function.config.clone();
    let number = function.published.to_string();
    if !function.blob.is_empty() {
        let blob = function.blob.clone();
        function.version_blobs.insert(number.clone(), blob);
    }
    let mut put = |name: &str, value: String| config.insert(name.to_owned(), value.into());
    put("FunctionArn", format!("{}:{number}", function.arn));
    put("Version", number);
    put("RevisionId", stamps::uuid());
    put(
        "LastModified",
        stamps::iso_millis(now).replace('Z', "+0000"),
    );
    if let Some(description) = description {
        put("Description", description.to_owned());
    }
    function.versions.push(config);
}

/// A published version, as replies return it.
pub(super) fn find(function: &Function, number: &str) -> Option<Value> {
    let version = function
        .versions
        .iter()
        .find(|version| version["Version"] == number)?;
    let mut told = Value::from(version.clone());
    told["State"] = "Active".into();
    told["LastUpdateStatus"] = "Successful".into();
    Some(told)
}

pub(super) fn publish_version(call: Call<'_>) -> Answer {
    let (mut function, _) = call.function()?;
    function.require_no_update(call.request.now)?;
    require_revision(&call.body, function.text("RevisionId"))?;
    let sha = call.body.text("CodeSha256")?;
    if sha.is_some_and(|sha| sha != function.text("CodeSha256")) {
        let message = format!(
            "CodeSHA256 ({}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the CodeSHA256 in $LATEST.",
            sha.unwrap_or_default(),
            function.text("CodeSha256")
        );
        return Err(super::invalid(message));
    }
    let description = call.body.short("Description", 256)?;
    publish(&mut function, description, call.request.now);
    model::put_function(call.store, &function);
    let last = function
        .versions
        .last()
        .and_then(|version| version["Version"].as_str());
    let told = last.and_then(|number| find(&function, number));
    Ok((201, told.unwrap_or_default()))
}

pub(super) fn list(call: Call<'_>) -> Answer {
    let (function, _) = call.function()?;
    let mut items = vec![function.to_reply(call.request.now)];
    items.extend(function.versions.iter().cloned().map(Value::from));
    call.page("Versions", items, 50)
}

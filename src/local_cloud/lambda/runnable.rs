//! What runs functions needs to know of them, and of the mappings that call them.

use super::super::service::{Refusal, Reply, Request, Service, Store};
use super::model::{self, Mapping};
use super::name::FunctionName;
use super::{Answer, Call, Lambda, find, missing};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A function as it is run: one version of it.
#[derive(Debug, Clone)]
pub(in crate::local_cloud) struct Runnable {
    pub(in crate::local_cloud) name: String,
    pub(in crate::local_cloud) region: String,
    /// The function's ARN, without a qualifier.
    pub(in crate::local_cloud) arn: String,
    /// `$LATEST` or a number.
    pub(in crate::local_cloud) version: String,
    /// The configuration of that version.
    pub(in crate::local_cloud) config: Map<String, Value>,
    /// The code's bytes in the store; empty for an image.
    pub(in crate::local_cloud) blob: String,
    /// Reserved concurrent executions.
    pub(in crate::local_cloud) reserved: Option<u64>,
}

impl Runnable {
    /// A string of the configuration; empty where it has none.
    pub(in crate::local_cloud) fn text(&self, name: &str) -> &str {
        let value = self.config.get(name).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// A number of the configuration.
    pub(in crate::local_cloud) fn number(&self, name: &str, default: u64) -> u64 {
        let value = self.config.get(name).and_then(Value::as_u64);
        value.unwrap_or(default)
    }

    /// Changes with everything that a process of the function depends on.
    pub(in crate::local_cloud) fn revision(&self) -> String {
        format!("{} {}", self.version, self.text("RevisionId"))
    }
}

/// The function that is named in any form, as a qualifier or the name itself says.
pub(in crate::local_cloud) fn runnable(
    store: &dyn Store,
    region: &str,
    (name, qualifier): (&str, Option<&str>),
    now: u64,
) -> Result<Runnable, Refusal> {
    let named = FunctionName::parse(name, region)?;
    let function = model::function(store, region, &named.name)?;
    let qualifier = qualifier.or(named.qualifier.as_deref());
    let unqualified = || Runnable {
        name: function.name.clone(),
        region: function.region.clone(),
        arn: function.arn.clone(),
        version: "$LATEST".to_owned(),
        config: function.config.clone(),
        blob: function.blob.clone(),
        reserved: function.concurrency.and_then(|it| u64::try_from(it).ok()),
    };
    let found = match qualifier {
        None | Some("$LATEST") => unqualified(),
        Some(number) => {
            let mut versions = function.versions.iter();
            let config = versions.find(|version| version["Version"] == number);
            let Some(config) = config else {
                return Err(missing(format!(
                    "Function not found: {}:{number}",
                    function.arn
                )));
            };
            let blob = function.version_blobs.get(number);
            Runnable {
                version: number.to_owned(),
                config: config.clone(),
                blob: blob.unwrap_or(&function.blob).clone(),
                ..unqualified()
            }
        }
    };
    function.require_active(now)?;
    Ok(found)
}

/// Whether a process of this revision would be started again today.
pub(in crate::local_cloud) fn exists(store: &dyn Store, of: &Runnable) -> bool {
    let name = (of.name.as_str(), Some(of.version.as_str()));
    runnable(store, &of.region, name, u64::MAX).is_ok_and(|now| now.revision() == of.revision())
}

/// `Invoke` where nothing runs: in the calls of a command, which end with it.
pub(super) fn invoke_unserved(call: Call<'_>) -> Answer {
    call.function()?;
    Err(Refusal::new(
        500,
        "ServiceException",
        "The local cloud runs functions only while it is served (stackctl local).",
    ))
}

/// Whether a request is an Invoke.
pub(in crate::local_cloud) fn invoked(request: &Request) -> bool {
    find(request).is_some_and(|(row, _)| row.2 == "Invoke")
}

/// The function's name in the path of an Invoke.
pub(in crate::local_cloud) fn invoke_target(request: &Request) -> Option<String> {
    find(request).and_then(|(_, path)| path.into_iter().next())
}

/// A refusal as Lambda writes it.
pub(in crate::local_cloud) fn refuse(request: &Request, refusal: &Refusal) -> Reply {
    Lambda.refuse(request, refusal)
}

/// A mapping that polls at this moment.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::local_cloud) struct Polled {
    pub(in crate::local_cloud) uuid: String,
    pub(in crate::local_cloud) region: String,
    pub(in crate::local_cloud) queue_arn: String,
    /// The function's ARN, which may have a qualifier.
    pub(in crate::local_cloud) function_arn: String,
    /// The mapping's settings, as its replies return them.
    pub(in crate::local_cloud) config: Map<String, Value>,
}

/// The mappings of all regions that poll at this moment.
pub(in crate::local_cloud) fn polled(store: &dyn Store, now: u64) -> Vec<Polled> {
    let mut regions = BTreeSet::new();
    let mut key = store.next_key("lambda/", "");
    while let Some(found) = key {
        let region = found.split('/').nth(1).unwrap_or_default().to_owned();
        // Past all keys of the region: `0` comes after `/`.
        key = store.next_key("lambda/", &format!("lambda/{region}0"));
        regions.insert(region);
    }
    let mappings = regions.iter().flat_map(|region| {
        // One that cannot be read is refused where it is asked for by name.
        model::mappings(store, region, now).unwrap_or_default()
    });
    let polling = mappings.filter(|mapping: &Mapping| mapping.polls(now));
    polling
        .map(|mapping| Polled {
            function_arn: mapping.config["FunctionArn"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            uuid: mapping.uuid,
            region: mapping.region,
            queue_arn: mapping.queue_arn,
            config: mapping.config,
        })
        .collect()
}

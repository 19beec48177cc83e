//! A queue as its calls name it.

use super::attributes::Attributes;
use super::{key, missing, no_queue};
use crate::local_cloud::json::{self, Input};
use crate::local_cloud::service::{ACCOUNT, Refusal, Store};
use serde_json::Value;

/// The queue that `QueueUrl` names, and its name.
pub(super) fn named(
    input: &Input,
    region: &str,
    store: &dyn Store,
) -> Result<(String, Value), Refusal> {
    let url = input.text("QueueUrl")?.ok_or_else(|| missing("QueueUrl"))?;
    let address = || {
        Refusal::new(
            404,
            "InvalidAddress",
            format!("The address {url} is not valid for this endpoint."),
        )
    };
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let parts: Vec<&str> = rest.split('/').collect();
    let [host, account, name] = parts[..] else {
        return Err(address());
    };
    if host
        .strip_prefix("sqs.")
        .and_then(|host| host.split_once('.'))
        .is_some_and(|(of, _)| of != region)
    {
        return Err(address());
    }
    if account != ACCOUNT {
        return Err(no_queue());
    }
    let queue = store.get(&key(region, name)).ok_or_else(no_queue)?;
    Ok((name.to_owned(), queue))
}

/// A queue, as its messages need it.
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) fifo: bool,
    attributes: Attributes,
}

impl Queue {
    pub(super) fn of(queue: &Value) -> Self {
        let text = |name: &str| queue[name].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        Self {
            fifo: name.ends_with(".fifo"),
            name,
            arn: text("arn"),
            attributes: attributes_of(queue),
        }
    }

    /// An attribute; empty where the queue does not have it.
    pub(super) fn text(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// An attribute that is a number.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_default()
    }
}

pub(super) fn attributes_of(queue: &Value) -> Attributes {
    json::text_map(&queue["attributes"]).unwrap_or_default()
}

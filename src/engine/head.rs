//! What stands above a plan beside its account and region: the stack file, the place of the state,
//! and where calls go that do not go to AWS's own hosts.
//!
//! The endpoints are those that the clients really take, read off the SDK's configuration once it
//! is loaded, and are printed before the first call (`cli/provider.rs`).

use crate::resource::endpoint::Endpoint;
use serde::{Deserialize, Serialize};

/// What a plan was computed from and where its calls go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Head {
    /// The stack file, as it was named.
    pub file: String,
    /// Where the state is: a path, or `s3://bucket/key`.
    pub state: String,
    /// `--local`.
    pub local: bool,
    /// Where calls go; empty: to AWS's own hosts, or nowhere.
    pub endpoints: Vec<Endpoint>,
}

impl Head {
    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The parts that differ from another head, by name: this value, and the other value.
    pub fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let local = |head: &Self| match head.local {
            true => "the local cloud",
            false => "AWS",
        };
        let rows = [
            ("the stack file", self.file.clone(), other.file.clone()),
            (
                "the place of the state",
                self.state.clone(),
                other.state.clone(),
            ),
            ("the cloud", local(self).into(), local(other).into()),
            ("the endpoint", self.address(), other.address()),
        ];
        let differing = rows.into_iter().filter(|(_, was, is)| was != is);
        differing.collect()
    }

    /// Where calls go, on one line.
    pub fn address(&self) -> String {
        if self.endpoints.is_empty() {
            return "AWS's own".to_owned();
        }
        let endpoints = self.endpoints.iter().map(|one| match &one.service {
            Some(service) => format!("{} for {service}", one.url),
            None => one.url.clone(),
        });
        endpoints.collect::<Vec<_>>().join(", ")
    }
}

//! The state: what stackctl knows of the resources it created. One function changes it,
//! [`State::change`]; a run is a sequence of such changes.
//!
//! The state holds which generation each resource depends on: when a resource is deposed, the
//! resources that depend on its address depend on `address (deposed key)` until they are updated.

use crate::data::Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub use super::resource_state::{ResourceState, SavedOptions};

/// The format that this version writes. Older ones are brought up when they are opened.
pub const VERSION: u32 = 3;

/// The largest serial that is read or written: JSON keeps integers up to 2^53 exact everywhere.
pub const MOST_SERIAL: u64 = 1 << 53;

/// Of lower case, as stackctl writes them.
pub(super) fn is_hex_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Whether a string is a lineage as stackctl draws it: 32 hex digits.
pub fn is_lineage(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(crate::store::state::is_hex_digit)
}

/// Why a lineage and a serial cannot be those of a state, as a clause about "it".
pub(super) fn origin_fault(lineage: &str, serial: u64) -> Option<String> {
    if serial > MOST_SERIAL {
        return Some(format!("its serial {serial} is larger than any state has"));
    }
    (!is_lineage(lineage)).then(|| format!("its lineage {lineage:?} is not 32 hex digits"))
}

/// The state of one stack (in one environment).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The format's version.
    pub version: u32,
    /// Counts the saves.
    pub serial: u64,
    /// Distinguishes states of the same name; drawn when the state is created.
    pub lineage: String,
    /// The stack's name.
    pub stack: String,
    /// `--env`.
    #[serde(default)]
    pub env: Option<String>,
    /// The account of the resources, once AWS returned it.
    #[serde(default)]
    pub account: Option<String>,
    /// The region of the resources.
    #[serde(default)]
    pub region: Option<String>,
    /// The key to its secrets; none while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The current generation of each resource, by address.
    #[serde(default)]
    pub resources: BTreeMap<String, ResourceState>,
    /// Generations that wait for their deletion, by address, then by key.
    #[serde(default)]
    pub deposed: BTreeMap<String, BTreeMap<String, ResourceState>>,
    /// The stack's outputs as of the last run.
    #[serde(default)]
    pub outputs: BTreeMap<String, OutputState>,
    /// Creates whose outcome the last run could not find out; the next run does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<crate::store::intent::Intent>,
}

/// With which key a state's secrets are encrypted; see [`super::key`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// The age recipient (`age1…`) of the state's identity.
    pub recipient: String,
    /// The identity, encrypted with a passphrase or to the recipients (age, in base64). None, in
    /// an older state: it is in a key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Who can open the identity, and where each one's own was created; empty with a passphrase.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recipients: BTreeMap<String, String>,
    /// Vouches with the identity for all this; none with a passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

/// One output of the stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputState {
    /// The value; sealed where sensitive.
    pub value: Value,
    /// Whether it is (computed from something) sensitive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// `description:` of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// One change of a state: what a finished step leaves behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateChange {
    /// The current generation of a resource is now this.
    Put {
        /// The address.
        address: String,
        /// The resource.
        resource: Box<ResourceState>,
    },
    /// The current generation becomes a deposed one.
    Depose {
        /// The address.
        address: String,
        /// The key it is then found by.
        key: String,
    },
    /// All generations of a resource are found at another address from now on, which nothing
    /// has so far.
    Move {
        /// The address until now.
        from: String,
        /// The new address.
        to: String,
    },
    /// A step on the current generation did not finish: it may have set these properties.
    Unfinished {
        /// The address.
        address: String,
        /// The properties.
        paths: BTreeSet<Path>,
    },
    /// The current generation, or a deposed one, was deleted or forgotten.
    Drop {
        /// The address.
        address: String,
        /// The deposed generation's key.
        deposed: Option<String>,
    },
    /// Secrets are from now on encrypted with this key.
    Encrypt {
        /// The key.
        encryption: Option<Encryption>,
    },
    /// Every secret was sealed again, with another key.
    Reseal(Box<Resealed>),
    /// The outputs of the stack, and where its resources are.
    Finish {
        /// The outputs.
        outputs: BTreeMap<String, OutputState>,
        /// The account.
        account: Option<String>,
        /// The region.
        region: Option<String>,
    },
}

/// All of a state that may hold secrets, sealed again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resealed {
    /// [`State::encryption`].
    pub encryption: Option<Encryption>,
    /// [`State::resources`].
    pub resources: BTreeMap<String, ResourceState>,
    /// [`State::deposed`].
    pub deposed: BTreeMap<String, BTreeMap<String, ResourceState>>,
    /// [`State::outputs`].
    pub outputs: BTreeMap<String, OutputState>,
    /// [`State::pending`].
    pub pending: Vec<crate::store::intent::Intent>,
}

impl State {
    /// A state with nothing in it.
    pub fn empty(stack: &str, env: Option<&str>, lineage: String) -> Self {
        Self {
            version: VERSION,
            serial: 0,
            lineage,
            stack: stack.to_owned(),
            env: env.map(str::to_owned),
            account: None,
            region: None,
            encryption: None,
            resources: BTreeMap::new(),
            deposed: BTreeMap::new(),
            outputs: BTreeMap::new(),
            pending: Vec::new(),
        }
    }

    /// The one function that changes a state.
    pub fn change(&mut self, change: StateChange) {
        match change {
            StateChange::Put { address, resource } => {
                self.resources.insert(address, *resource);
            }
            StateChange::Unfinished { address, paths } => {
                if let Some(resource) = self.resources.get_mut(&address) {
                    resource.unfinished.extend(paths);
                }
            }
            StateChange::Depose { address, key } => {
                if let Some(resource) = self.resources.remove(&address) {
                    self.rename_dependency(&address, &deposed_address(&address, &key));
                    self.deposed
                        .entry(address)
                        .or_default()
                        .insert(key, resource);
                }
            }
            StateChange::Move { from, to } => self.relocate(&from, to),
            StateChange::Drop {
                address,
                deposed: None,
            } => {
                self.resources.remove(&address);
            }
            StateChange::Drop {
                address,
                deposed: Some(key),
            } => {
                if let Some(generations) = self.deposed.get_mut(&address) {
                    generations.remove(&key);
                    if generations.is_empty() {
                        self.deposed.remove(&address);
                    }
                    self.rename_dependency(&deposed_address(&address, &key), &address);
                }
            }
            StateChange::Reseal(new) => {
                self.encryption = new.encryption;
                self.resources = new.resources;
                self.deposed = new.deposed;
                self.outputs = new.outputs;
                self.pending = new.pending;
            }
            StateChange::Encrypt { encryption } => self.encryption = encryption,
            StateChange::Finish {
                outputs,
                account,
                region,
            } => {
                self.outputs = outputs;
                self.account = account.or(self.account.take());
                self.region = region.or(self.region.take());
            }
        }
    }

    /// Gives all generations at `from` the address `to`. An address that is taken keeps what
    /// it has.
    fn relocate(&mut self, from: &str, to: String) {
        if self.resources.contains_key(&to) || self.deposed.contains_key(&to) {
            return;
        }
        if let Some(resource) = self.resources.remove(from) {
            self.resources.insert(to.clone(), resource);
        }
        if let Some(generations) = self.deposed.remove(from) {
            for key in generations.keys() {
                self.rename_dependency(&deposed_address(from, key), &deposed_address(&to, key));
            }
            self.deposed.insert(to.clone(), generations);
        }
        for intent in self
            .pending
            .iter_mut()
            .filter(|intent| intent.address == from)
        {
            intent.address.clone_from(&to);
        }
        self.rename_dependency(from, &to);
    }

    /// Rewrites dependencies on `from` to `to`.
    fn rename_dependency(&mut self, from: &str, to: &str) {
        let deposed = self.deposed.values_mut().flat_map(BTreeMap::values_mut);
        let pending = self.pending.iter_mut();
        let pending = pending.filter_map(|intent| intent.resource.as_deref_mut());
        let known = self.resources.values_mut().chain(deposed).chain(pending);
        for known in known {
            if known.dependencies.remove(from) {
                known.dependencies.insert(to.to_owned());
            }
        }
    }

    /// Whether the state has no resource.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.deposed.is_empty()
    }

    /// The ids of all resources of a type, deposed ones included.
    pub fn ids(&self, type_name: &str) -> BTreeSet<String> {
        let deposed = self.deposed.values().flat_map(BTreeMap::values);
        let known = self.resources.values().chain(deposed);
        known
            .filter(|resource| resource.type_name == type_name)
            .map(|resource| resource.id.clone())
            .collect()
    }

    /// The record of the current generation, or of a deposed one.
    pub fn resource(&self, address: &str, deposed: Option<&str>) -> Option<&ResourceState> {
        match deposed {
            None => self.resources.get(address),
            Some(key) => self.deposed.get(address)?.get(key),
        }
    }
}

const DEPOSED: &str = " (deposed ";

/// How a deposed generation is called beside the addresses.
pub fn deposed_address(address: &str, key: &str) -> String {
    format!("{address}{DEPOSED}{key})")
}

/// The address and, for a deposed generation, its key.
pub fn split_deposed(text: &str) -> (&str, Option<&str>) {
    let inner = text.strip_suffix(')');
    match inner.and_then(|inner| inner.split_once(DEPOSED)) {
        Some((address, key)) => (address, Some(key)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::intent::Intent;

    #[test]
    fn a_deposed_generation_is_kept_until_it_is_dropped() {
        let mut state = State::empty("s", None, "l".into());
        let resource = ResourceState {
            id: "1".into(),
            ..ResourceState::default()
        };
        let address = || "q".to_owned();
        state.change(StateChange::Put {
            address: address(),
            resource: Box::new(resource),
        });
        let user = ResourceState {
            dependencies: BTreeSet::from([address()]),
            ..ResourceState::default()
        };
        state.change(StateChange::Put {
            address: "user".into(),
            resource: Box::new(user),
        });
        let uses = |state: &State, what: &str| {
            let dependencies = &state.resources["user"].dependencies;
            *dependencies == BTreeSet::from([what.to_owned()])
        };
        state.change(StateChange::Depose {
            address: address(),
            key: "k".into(),
        });
        assert!(!state.resources.contains_key("q") && state.ids("").contains("1"));
        assert!(uses(&state, "q (deposed k)"));
        state.change(StateChange::Drop {
            address: address(),
            deposed: Some("k".into()),
        });
        assert!(state.deposed.is_empty() && uses(&state, "q"));
    }

    #[test]
    fn a_move_takes_all_generations_and_their_users_along() {
        let mut state = State::empty("s", None, "l".into());
        let put = |id: &str, dependencies: &[&str]| ResourceState {
            id: id.into(),
            dependencies: dependencies.iter().map(ToString::to_string).collect(),
            ..ResourceState::default()
        };
        state.resources.insert("old".into(), put("1", &[]));
        state
            .resources
            .insert("user".into(), put("2", &["old", "old (deposed k)"]));
        let deposed = BTreeMap::from([("k".to_owned(), put("0", &["old"]))]);
        state.deposed.insert("old".into(), deposed);
        state.resources.insert("taken".into(), put("3", &[]));
        let open = |address: &str, resource: ResourceState| Intent {
            step: 0,
            op: "create".into(),
            address: address.into(),
            type_name: "t".into(),
            inputs: Default::default(),
            decided: serde_json::Map::new(),
            operation: String::new(),
            request: None,
            unfinished: BTreeSet::new(),
            resource: Some(Box::new(resource)),
        };
        let pending = [
            open("old", put("", &[])),
            open("other", put("", &["old", "old (deposed k)"])),
        ];
        state.pending.extend(pending);
        let moved = |to: &str| StateChange::Move {
            from: "old".into(),
            to: to.into(),
        };
        let before = state.clone();
        state.change(moved("taken"));
        assert_eq!(state, before, "nothing is overwritten");
        state.change(moved("new[\"a\"]"));
        assert!(!state.resources.contains_key("old") && !state.deposed.contains_key("old"));
        assert_eq!(state.resources["new[\"a\"]"].id, "1");
        let dependencies = &state.resources["user"].dependencies;
        let expected = ["new[\"a\"]", "new[\"a\"] (deposed k)"];
        assert!(dependencies.iter().eq(expected));
        let deposed = &state.deposed["new[\"a\"]"]["k"];
        assert!(deposed.dependencies.iter().eq(["new[\"a\"]"]));
        let [open, other] = &state.pending[..] else {
            panic!("{:?}", state.pending);
        };
        assert_eq!((&*open.address, &*other.address), ("new[\"a\"]", "other"));
        let dependencies = &other.resource.as_ref().unwrap().dependencies;
        assert!(dependencies.iter().eq(expected));
        let after = state.clone();
        state.change(moved("elsewhere"));
        assert_eq!(state, after, "a second time it does nothing");
    }
}

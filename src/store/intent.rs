//! What a run says before it calls.

use super::resource_state::ResourceState;
use crate::data::{Inputs, Path};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a step is about to do; written before the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The step's number in this run.
    pub step: usize,
    /// `create`, `update`, `delete`.
    pub op: String,
    /// The address.
    pub address: String,
    /// The type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// For a create: its properties (secrets sealed).
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub inputs: Inputs,
    /// For a create: what the plan decided.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub decided: Map<String, Value>,
    /// For a create: the owner tag's value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// For an update or a deletion: the properties that it may set before it is done.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unfinished: BTreeSet<Path>,
    /// For a create: the rest of what the state then keeps (id and outputs not known yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Box<ResourceState>>,
}

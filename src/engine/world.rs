//! The world as a plan sees it: everything from outside that it is decided on. With the
//! same stack and the same world, the same plan comes out.

use crate::content::Content;
use crate::data::{Attributes, Inputs};
use crate::engine::head::Head;
use crate::resource::aws::Identity;
use crate::resource::contents::Contents;
use crate::resource::error::Error;
use crate::store::key::StateKey;
use crate::store::seal::Seal;
use crate::store::state::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A read that failed: of which address, and why.
pub type ReadFailure = (String, Error);

/// What was seen of a resource that the state knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observed {
    /// It exists, with these attributes (properties and outputs).
    Present(Attributes),
    /// It does not exist any more.
    #[serde(rename = "gone")]
    NotFound,
}

/// A data source that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataRead {
    /// The arguments it was read with.
    pub args: Inputs,
    /// Whether there is a secret among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_secret: bool,
    /// The outputs it returned.
    pub outputs: Attributes,
}

/// A resource to import, as it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRead {
    /// The id it was read by.
    pub id: String,
    /// Its attributes; none where it does not exist.
    #[serde(rename = "found")]
    pub attributes: Option<Attributes>,
}

/// Everything a plan is decided on, beside the stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Where all randomness of the plan comes from.
    pub seed: u64,
    /// The time of the plan, in seconds since 1970.
    pub unix_time: u64,
    /// Who the credentials belong to, where AWS was asked.
    pub identity: Option<Identity>,
    /// Whether nobody looked what exists: a stack file is checked by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_blind: bool,
    /// The region, where the stack has AWS resources.
    pub region: Option<String>,
    /// The stack file, the place of the state, and where calls go.
    #[serde(default, skip_serializing_if = "Head::is_empty")]
    pub head: Head,
    /// The state.
    pub state: State,
    /// What was seen, by address; one that is missing counts as the state knows it.
    pub live: BTreeMap<String, Observed>,
    /// The data sources read so far, by name.
    pub data: BTreeMap<String, DataRead>,
    /// The content of local files, by their paths in the stack file, where it is known already;
    /// that of others is asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Content>,
    /// The key to the state's secrets; never saved.
    #[serde(skip)]
    pub key: StateKey,
    /// The resources to import that were read so far, by the address they get.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imports: BTreeMap<String, ImportRead>,
    /// What was read of the contents of the resources, by address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contents: BTreeMap<String, Contents>,
}

impl World {
    /// A world in which only the state is known.
    pub fn new(state: State) -> Self {
        Self {
            seed: 0,
            unix_time: 0,
            identity: None,
            is_blind: false,
            region: None,
            head: Head::default(),
            state,
            live: BTreeMap::new(),
            data: BTreeMap::new(),
            files: BTreeMap::new(),
            key: StateKey::default(),
            imports: BTreeMap::new(),
            contents: BTreeMap::new(),
        }
    }

    /// The seal of the state's secrets.
    pub fn seal(&self) -> Seal {
        Seal::new(self.key.clone())
    }
}

//! What the state knows of one resource.

use super::sealed::holds_kept;
use crate::content::Content;
use crate::data::{Attributes, Data, Inputs, Path};
use crate::schema::Schema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceState {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What the service calls it.
    pub id: String,
    /// What was last applied, verbatim (secrets sealed).
    pub inputs: Inputs,
    /// The inputs and what the service said.
    pub outputs: Attributes,
    /// The addresses of the resources that must outlive this one; `address (deposed key)` for a
    /// generation that was replaced since.
    #[serde(default)]
    pub dependencies: BTreeSet<String>,
    /// The sealed paths of `inputs` and `outputs`.
    #[serde(default)]
    pub sensitive: BTreeSet<Path>,
    /// Of older versions; read and not written.
    #[serde(default, skip_serializing)]
    pub origins: IgnoredAny,
    /// The content of what a property stands for (a local file), as it was last applied.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<Path, Content>,
    /// The same for content that is derived from a secret, sealed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed_files: BTreeMap<Path, Value>,
    /// The options that matter once it is out of the file.
    #[serde(default)]
    pub options: SavedOptions,
    /// The properties that the last apply was to set when it failed or was cut off: whether they
    /// went through is not known before the next read, and `inputs` has what was applied before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unfinished: BTreeSet<Path>,
}

impl ResourceState {
    /// The outputs, but for properties that were given and that `inputs` gives no more: their old
    /// values hold no longer.
    pub fn lasting_outputs(&self, inputs: &Data) -> Attributes {
        let mut outputs = self.outputs.clone();
        if let Some(map) = outputs.as_object_mut() {
            map.retain(|name, _| {
                self.inputs.get(name).is_none() || inputs.value.get(name).is_some()
            });
        }
        outputs
    }

    /// Whether it has secrets that the state's key opens.
    pub fn has_secrets(&self) -> bool {
        let files = self.sealed_files.values();
        let mut all = [&*self.inputs, &*self.outputs].into_iter().chain(files);
        all.any(holds_kept)
    }

    /// The secret paths, with all that the type makes of what stands there: a state of an older
    /// version may have such values in clear.
    pub fn secrets(&self, schema: Option<&Schema>) -> BTreeSet<Path> {
        let mut secret = self.sensitive.clone();
        if let Some(schema) = schema {
            let mut made = schema.made_of(&self.sensitive);
            made.extend(schema.made_of(self.sealed_files.keys()));
            secret.extend(made.into_iter().map(|name| Path::root().join(name)));
        }
        secret
    }

    /// The id for people; none where it is derived from a secret.
    pub fn visible_id(&self, schema: Option<&Schema>) -> Option<&str> {
        let is_secret = self.secrets(schema).contains(&Path::pointer("/id"));
        (!is_secret).then_some(&self.id)
    }

    /// For a resource whose create is not known to be finished: what only a later call sets does
    /// not count as applied, so that the next plan has it.
    pub fn forget_later(&mut self, schema: Option<&Schema>) {
        if let Some(inputs) = self.inputs.as_object_mut() {
            for name in schema.into_iter().flat_map(|schema| schema.later()) {
                inputs.remove(name);
            }
        }
    }
}

/// The options of a resource that the state keeps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedOptions {
    /// Not to be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protect: bool,
    /// Forgotten instead of deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retain_on_delete: bool,
    /// Seconds that a delete may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_timeout: Option<u64>,
}

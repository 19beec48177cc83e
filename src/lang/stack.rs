//! A stack as parsed: names, types and templates; nothing evaluated but its variables.

use super::references::Index;
use crate::data::{Data, Path};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// The source files of a stack, for showing mistakes.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Display name and content of each file: the stack file, then the `--env` file (if one
    /// exists), then the `--var-file`s.
    pub files: Vec<(String, String)>,
    /// Where sensitive variables have their values, by file; these are not to be shown.
    pub secret: Vec<(usize, Path)>,
    /// The files that could not be read as YAML.
    pub unread: Vec<usize>,
    /// Where each variable has its value from.
    pub origins: BTreeMap<String, Origin>,
}

/// Where a variable's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// `--var`.
    Flag,
    /// `STACKCTL_VAR_<name>`.
    Environment,
    /// A file of [`Sources::files`].
    File(usize),
    /// The stack file's default.
    Default,
}

impl Sources {
    /// Where a variable has its value from, as people write it: `--var size`.
    pub fn origin(&self, variable: &str) -> String {
        match self.origins.get(variable) {
            Some(Origin::Flag) => format!("--var {variable}"),
            Some(Origin::Environment) => format!("STACKCTL_VAR_{variable}"),
            Some(Origin::File(index)) => match self.files.get(*index) {
                Some((name, _)) => name.clone(),
                None => "a file".to_owned(),
            },
            Some(Origin::Default) | None => "its default".to_owned(),
        }
    }
}

/// A parsed and statically checked stack.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// `name:`.
    pub name: String,
    /// `description:`.
    pub description: Option<String>,
    /// The folder of the stack file; relative paths start here.
    pub dir: PathBuf,
    /// The stack file, as people name it.
    pub file: String,
    /// `--env`.
    pub env: Option<String>,
    /// `variables:` with their values resolved and checked; sensitive ones are secret.
    pub variables: BTreeMap<String, Data>,
    /// `state:`, where the state is kept: a template, or null.
    pub state: Value,
    /// `providers.aws`, a template.
    pub aws: Value,
    /// `lint:`, how bad the findings of rules are, by code.
    pub lint: BTreeMap<String, Value>,
    /// `locals:`, templates.
    pub locals: BTreeMap<String, Value>,
    /// `data:`.
    pub data: BTreeMap<String, DataBlock>,
    /// `resources:`.
    pub resources: BTreeMap<String, ResourceBlock>,
    /// `outputs:`.
    pub outputs: BTreeMap<String, OutputBlock>,
    /// See [`Stack::references`].
    pub(crate) index: OnceLock<Index>,
}

impl Stack {
    /// The stack's name with its environment: `name` or `name.env`. The state file's name.
    pub fn full_name(&self) -> String {
        match &self.env {
            Some(env) => format!("{}.{env}", self.name),
            None => self.name.clone(),
        }
    }
}

/// An entry of `data:`.
#[derive(Debug, Clone)]
pub struct DataBlock {
    /// The data source, such as `aws:getCallerIdentity`.
    pub type_name: String,
    /// Its arguments, a template (an object).
    pub properties: Value,
}

/// An entry of `resources:`.
#[derive(Debug, Clone)]
pub struct ResourceBlock {
    /// The type, such as `aws:sqs:Queue`.
    pub type_name: String,
    /// Its properties, a template (an object).
    pub properties: Value,
    /// `options:`.
    pub options: Options,
}

/// `options:` of a resource.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Names of resources that must be there first.
    pub depends_on: Vec<String>,
    /// A template that gives a bool: refuse to delete or replace.
    pub protect: Option<Value>,
    /// A template that gives a bool: forget instead of deleting.
    pub retain_on_delete: Option<Value>,
    /// Properties (dotted paths) whose difference is left alone.
    pub ignore_changes: Vec<String>,
    /// Properties (dotted paths) whose change replaces.
    pub replace_on_changes: Vec<String>,
    /// Whether a replacement deletes the old one first.
    pub delete_before_replace: bool,
    /// A template that gives a map, or a list of distinct strings: one instance each.
    pub for_each: Option<Value>,
    /// A template that gives a bool: no instance when false.
    pub when: Option<Value>,
    /// A template that gives the id of a resource to import.
    pub import: Option<Value>,
    /// A template that gives the addresses it had before: one, a list, or with `forEach` a map
    /// of one or a list by key.
    pub moved_from: Option<Value>,
    /// `timeouts:`.
    pub timeouts: Timeouts,
}

impl Options {
    /// The templates among them, by name: whatever they refer to is evaluated before.
    pub fn templates(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let all = [
            ("forEach", &self.for_each),
            ("when", &self.when),
            ("protect", &self.protect),
            ("retainOnDelete", &self.retain_on_delete),
            ("import", &self.import),
            ("movedFrom", &self.moved_from),
        ];
        all.into_iter()
            .filter_map(|(name, template)| Some((name, template.as_ref()?)))
    }
}

/// `timeouts:` of a resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timeouts {
    /// For a create.
    pub create: Option<Duration>,
    /// For an update.
    pub update: Option<Duration>,
    /// For a delete.
    pub delete: Option<Duration>,
}

/// An entry of `outputs:`.
#[derive(Debug, Clone)]
pub struct OutputBlock {
    /// A template.
    pub value: Value,
    /// `description:`.
    pub description: Option<String>,
    /// `sensitive:`.
    pub sensitive: bool,
}

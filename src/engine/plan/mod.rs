//! A plan: an immutable value that says what apply will do, and leaves it nothing to decide.

mod along;
pub mod contents;
mod decide;
pub mod diff;
mod files;
pub mod graph;
mod guards;
pub(crate) mod hashes;
mod holder;
pub(crate) mod identity;
mod imports;
pub mod instance;
mod leading_out;
mod lint;
pub(crate) mod marks;
mod mistakes;
mod moved;
mod narrow;
mod order;
mod orphans;
pub(crate) mod others;
mod outputs;
pub mod planned;
pub mod planner;
pub mod relations;
pub mod rewrite;
pub mod rewrites;
pub mod rounds;
mod rules;
mod siblings;
mod soft;
mod steps;
pub mod unfinished;
mod unkept;
pub mod values;
pub mod verify;

use crate::data::{Attributes, Data, Path};
use crate::engine::head::Head;
use crate::resource::contents::Contents;
use crate::schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What a plan does with one resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    #[default]
    NoOp,
    /// Create it.
    Create,
    /// Change it in place.
    Update,
    /// Delete it, then recreate it (`-/+`).
    DeleteThenCreate,
    /// Create the new one, then delete the old one (`+/-`).
    CreateThenDelete,
    /// Delete it.
    Delete,
    /// Read a data source while applying, since it depends on what is created.
    Read,
    /// Leave it alone and forget it in the state (`retainOnDelete`, or deleted outside stackctl).
    Forget,
}

impl Action {
    /// The sign in front of the resource.
    pub fn sign(self) -> &'static str {
        match self {
            Self::NoOp => " ",
            Self::Create => "+",
            Self::Update => "~",
            Self::DeleteThenCreate => "-/+",
            Self::CreateThenDelete => "+/-",
            Self::Delete => "-",
            Self::Read => "<=",
            Self::Forget => ".",
        }
    }

    /// Whether it replaces the resource.
    pub fn is_replace(self) -> bool {
        matches!(self, Self::DeleteThenCreate | Self::CreateThenDelete)
    }

    /// The words of `actions` in the plan's JSON, as Terraform's.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::NoOp => &["no-op"],
            Self::Create => &["create"],
            Self::Update => &["update"],
            Self::DeleteThenCreate => &["delete", "create"],
            Self::CreateThenDelete => &["create", "delete"],
            Self::Delete => &["delete"],
            Self::Read => &["read"],
            Self::Forget => &["forget"],
        }
    }
}

/// Who changed a property since it was last applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangedBy {
    /// The stack file (or what it refers to).
    File,
    /// Someone outside: the live value is not the one last applied.
    Outside,
    /// Both.
    Both,
}

/// One property that differs: the three values and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The property, as deep as the difference goes.
    pub path: Path,
    /// What was last applied.
    pub applied: Option<Value>,
    /// What is live; for a property that no read returns, what was last applied.
    pub live: Option<Value>,
    /// What the file wants; none: taken out of the file.
    pub desired: Option<Data>,
    /// Who changed it.
    pub by: ChangedBy,
    /// Whether it forces the replacement.
    pub replaces: bool,
    /// Whether it must not be shown.
    pub secret: bool,
    /// Where the content differs that the property stands for: what to call it. The values are
    /// the paths then, which may be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// The reason of a plain create, which is not printed.
pub const NEW: &str = "not in the state";

/// The reason of each deletion where the user asked for them all.
pub const DESTROY: &str = "destroy";

/// What a type declares, where it is known: so that a report need not ask for the type.
#[derive(Clone, Copy, Default)]
pub struct Declared(pub Option<&'static Schema>);

impl std::fmt::Debug for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Declared")
            .field(&self.0.map(|schema| schema.name))
            .finish()
    }
}

impl PartialEq for Declared {
    /// A row names its type; what that declares is no part of what two plans are compared by.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What a plan does with one resource (or data source), and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The address: `queue`, `queue["a"]`.
    pub address: String,
    /// The type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What the type declares.
    #[serde(skip)]
    pub schema: Declared,
    /// The id of what exists.
    pub id: Option<String>,
    /// What is done.
    pub action: Action,
    /// Why, as a clause: `not in the state`, `no longer in the file`, `apiId changed`.
    pub reason: String,
    /// The properties as they are live (those the file or the state names).
    pub before: Option<Data>,
    /// The properties as the file wants them.
    pub after: Option<Data>,
    /// The properties that differ; for a create or delete it is empty (`after` and `before` have
    /// the values).
    pub differences: Vec<Difference>,
    /// How many properties do not differ.
    pub unchanged: usize,
    /// What the plan decided: generated names and random values.
    pub decided: Map<String, Value>,
    /// Where the resource is imported first, the id it is imported by (as given; none where that is
    /// a secret). What [`Change::action`] says follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importing: Option<Importing>,
    /// What the resource contains, where it is deleted or replaced and is not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<Contents>,
    /// The address that the state had it under until now. What [`Change::action`] says follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

/// How a resource is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Importing {
    /// The import id, as given; none where it is a secret.
    pub id: Option<String>,
}

impl Change {
    /// Whether apply changes nothing for it, neither at the service nor where it stands in
    /// the state.
    pub fn is_nothing(&self) -> bool {
        self.action == Action::NoOp && self.importing.is_none() && self.moved_from.is_none()
    }

    /// The words of `actions` in the plan's JSON: Terraform's, with `import` and `move` in front
    /// where the resource is imported or moved first.
    pub fn words(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        words.extend(self.moved_from.is_some().then_some("move"));
        words.extend(self.importing.is_some().then_some("import"));
        if self.action != Action::NoOp || words.is_empty() {
            words.extend(self.action.words());
        }
        words
    }
}

/// What `--target`, `--exclude` and `--replace` change in a plan beyond what they name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The flags, as typed: `--target middle`.
    pub asked: String,
    /// The resources that are included too, each with the reason as a clause: `middle needs it`.
    #[serde(rename = "along")]
    pub included: BTreeMap<String, String>,
    /// The excluded resources that would change, each with the reason, unless the reason is only
    /// that it was not named.
    #[serde(rename = "left_out")]
    pub excluded: BTreeMap<String, Option<String>>,
}

/// Something worth knowing before a plan is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The resource it is about.
    pub address: Option<String>,
    /// A sentence without a full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// The change of one output of the stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputChange {
    /// The value in the state; none where it is new. A secret one is not kept: null.
    pub before: Option<Value>,
    /// The value after; none where the output goes.
    pub after: Option<Data>,
    /// Whether it is declared (or computed from) sensitive.
    pub sensitive: bool,
}

/// The number of a step in its plan.
pub type StepId = usize;

/// A primitive step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub op: Op,
    /// The address it is done for.
    pub address: String,
    /// The type.
    pub type_name: String,
    /// The steps that must have succeeded before.
    pub after: BTreeSet<StepId>,
}

/// What a primitive step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Creates the resource.
    Create {
        /// Its properties; unknown ones are evaluated when the step is due.
        inputs: Data,
        /// See [`Change::decided`].
        decided: Map<String, Value>,
        /// The owner tag's value; unique over all runs.
        operation: String,
    },
    /// Changes the resource in place.
    Update {
        /// The properties it shall have.
        inputs: Data,
        /// The attributes as read.
        live: Attributes,
        /// The paths that differ, as deep as the differences go.
        changed: BTreeSet<Path>,
    },
    /// Takes the resource's current generation out of the way: it is deleted by a later step.
    Depose {
        /// The key under `deposed` in the state.
        key: String,
    },
    /// Deletes the current generation, or a deposed one.
    Delete {
        /// The deposed generation's key; none: the current one.
        deposed: Option<String>,
    },
    /// Reads a data source whose arguments were not known before.
    Read {
        /// Its arguments.
        args: Data,
    },
    /// Drops the resource from the state and leaves it alone.
    Forget {
        /// The deposed generation's key; none: the current one.
        deposed: Option<String>,
    },
    /// Stores the live values and the file's inputs in the state; no call.
    #[serde(rename = "Adopt")]
    UpdateState {
        /// The id.
        id: String,
        /// The properties of the file.
        inputs: Data,
        /// The attributes as read.
        outputs: Attributes,
    },
    /// Imports an existing resource into the state, as the user asked; no call.
    Import {
        /// The id.
        id: String,
        /// The properties that the file names, with their live values.
        inputs: Data,
        /// The attributes as read.
        outputs: Attributes,
    },
    /// Moves the resource at another address of the state to the step's address; no call.
    Move {
        /// The address until now.
        from: String,
    },
}

/// How many resources get which treatment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the words of the summary line")]
pub struct Summary {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub import: usize,
    #[serde(default, rename = "move", skip_serializing_if = "is_zero")]
    pub moved: usize,
    pub create: usize,
    pub update: usize,
    pub replace: usize,
    pub delete: usize,
    pub read: usize,
    pub unchanged: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The whole plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The stack's name.
    pub stack: String,
    /// `--env`.
    pub env: Option<String>,
    /// The serial of the state it was computed from.
    pub serial: u64,
    /// The lineage of that state.
    pub lineage: String,
    /// The account, where AWS was asked.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// What it was computed from, and where its calls go.
    #[serde(default, skip_serializing_if = "Head::is_empty")]
    pub head: Head,
    /// One entry a resource, unchanged ones included, by address.
    pub changes: Vec<Change>,
    /// The outputs that change.
    pub outputs: BTreeMap<String, OutputChange>,
    /// What apply runs.
    pub steps: Vec<Step>,
    /// What `--target`, `--exclude` or `--replace` include and exclude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What is worth knowing before it is applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// The local files that apply writes, by the data source that each one is for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

impl Plan {
    /// The plan as a command shows it that writes no local file.
    pub fn without_files(&self) -> Self {
        Self {
            files: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// The changes by their addresses.
    pub fn by_address(&self) -> BTreeMap<&str, &Change> {
        let changes = self.changes.iter();
        changes.map(|one| (one.address.as_str(), one)).collect()
    }

    /// Counts the changes.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for change in &self.changes {
            summary.import += usize::from(change.importing.is_some());
            summary.moved += usize::from(change.moved_from.is_some());
            match change.action {
                Action::NoOp if !change.is_nothing() => {}
                Action::NoOp | Action::Forget => summary.unchanged += 1,
                Action::Create => summary.create += 1,
                Action::Update => summary.update += 1,
                Action::DeleteThenCreate | Action::CreateThenDelete => summary.replace += 1,
                Action::Delete => summary.delete += 1,
                Action::Read => summary.read += 1,
            }
        }
        summary
    }

    /// Whether apply changes nothing: no resource, no output. There may still be steps that
    /// only bring the state up to date with the file.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty() && self.changes.iter().all(Change::is_nothing)
    }
}

//! The inputs of a plan, and its result.

use super::graph::Uses;
use super::instance::Instance;
use super::relations::{Forced, Link};
use super::rewrites::{FoundRewrites, Move};
use super::rewrites::{ImportNeed, Sought};
use super::rounds::Rounds;
use super::values::ReadFile;
use super::{Action, Change, Plan};
use crate::content::Content;
use crate::data::{Data, Inputs};
use crate::engine::world::World;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::stack::Stack;
use crate::resource::types::Types;
use crate::schema::Schema;
use crate::store::state::{ResourceState, State, split_deposed};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(super) use crate::lang::eval::FAULTY;

/// What the command line narrows or widens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Plan the deletion of everything.
    pub destroy: bool,
    /// Only these addresses (or names), and what they need.
    pub target: Vec<String>,
    /// Not these addresses (or names), nor what needs them.
    pub exclude: Vec<String>,
    /// Replace these addresses.
    pub replace: Vec<String>,
    /// Do nothing but import these resources: the import id by address.
    pub imports: Option<BTreeMap<String, String>>,
}

/// What a plan is asked for: everything that it is computed from.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// The types.
    pub types: &'a Types,
    /// The world.
    pub world: &'a World,
    /// The options.
    pub options: &'a Options,
    /// Reads files for `file()`.
    pub read_file: ReadFile<'a>,
}

/// A data source that must be read before the plan can be finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Its name under `data:`.
    pub name: String,
    /// Its type.
    pub type_name: String,
    /// Its arguments.
    pub args: Inputs,
    /// Whether there is a secret among them.
    pub is_secret: bool,
}

/// A plan, and what it was computed with.
#[derive(Debug, Default)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Data sources to read; the plan is not final while there are any.
    pub needs: Vec<Need>,
    /// Resources to read, since they will be imported; the same holds.
    pub imports: Vec<ImportNeed>,
    /// The moves and imports to do.
    pub rewrites: FoundRewrites,
    /// The moves that the plan was computed with.
    pub moves: Vec<Move>,
    /// Mistakes; with an error among them the plan must not be applied.
    pub diagnostics: Vec<Diagnostic>,
    /// The resources of the file, in an order in which each comes after what it needs.
    pub instances: Vec<Instance>,
    /// Which of them name which.
    pub(super) links: Vec<Link>,
    /// What is to be replaced along, and was not yet.
    pub(super) forced: BTreeMap<String, Forced>,
    /// What expressions could see in the end.
    pub locals: BTreeMap<String, Data>,
    /// The data sources' values.
    pub data: BTreeMap<String, Data>,
    /// The resources' values, by name.
    pub resources: BTreeMap<String, Data>,
    /// Whether everything is to go.
    pub destroy: bool,
    /// Whether the plan only imports; the outputs stay as they are.
    pub only_imports: bool,
    /// With [`Options::imports`]: the resources that the state does not have.
    pub sought: Vec<Sought>,
    /// Every address of the file or the state, before `--target` and `--exclude` narrow.
    pub addresses: BTreeSet<String>,
    /// The outputs that stay as the state has them: what they come from is excluded.
    pub kept_outputs: BTreeSet<String>,
    /// How often it was computed again.
    pub rounds: Rounds,
    /// What each block needs; see [`super::graph::uses`].
    pub uses: BTreeMap<String, Uses>,
}

impl Planned {
    /// The resources and outputs with secrets that the plan includes: computing it or carrying it
    /// out compares, opens, sends or stores them, which requires the key. What `--target` and
    /// `--exclude` exclude is not among them.
    pub fn with_secrets(&self, types: &Types, state: &State) -> Vec<String> {
        // What is left alone says why.
        let is_included = |row: &&Change| {
            row.action != Action::NoOp || row.importing.is_some() || row.reason.is_empty()
        };
        let has_secrets = |row: &&Change| {
            let (address, deposed) = split_deposed(&row.address);
            let known = state.resource(address, deposed);
            let creates = row.action == Action::Create || row.action.is_replace();
            let kind = types.schema(&row.type_name).filter(|_| creates);
            known.is_some_and(ResourceState::has_secrets)
                || row.after.iter().any(|after| !after.secret.is_empty())
                || kind.is_some_and(Schema::has_secret_outputs)
        };
        let rows = self.plan.changes.iter();
        let resources = rows.filter(is_included).filter(has_secrets);
        let outputs = self.plan.outputs.iter();
        let outputs = outputs.filter(|(_, output)| output.sensitive && output.after.is_some());
        resources
            .map(|row| row.address.clone())
            .chain(outputs.map(|(name, _)| format!("the output {name}")))
            .collect()
    }

    /// The content of the local files that the plan was decided on, by their paths in the stack
    /// file.
    pub fn files(&self) -> BTreeMap<String, Content> {
        let all = self.instances.iter().flat_map(|found| {
            let after = found.change.after.as_ref();
            found
                .contents()
                .into_iter()
                .filter_map(move |(path, content)| {
                    let is_file = found.kind.schema().flag(&path, "localFile");
                    let text = path.get(&after?.value)?.as_str()?;
                    is_file.then(|| (text.to_owned(), content))
                })
        });
        all.collect()
    }
}

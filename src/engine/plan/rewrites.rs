//! What is done to the state before the rest of a plan is decided: resources that get another
//! address, resources that are imported, and what that takes.

use crate::data::{Attributes, Data};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::resource::ResourceType;
use crate::store::state::ResourceState;
use std::collections::BTreeMap;

/// A resource to read before the plan can be finished, since it will be imported.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportNeed {
    /// The address it gets.
    pub address: String,
    /// The type.
    pub type_name: String,
    /// The id that reads use.
    pub id: String,
    /// What a read is to know of it.
    pub attributes: Attributes,
}

/// An existing resource, as the state will have it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ImportedResource {
    /// For the state; its inputs are the live values of what the file names.
    pub(super) resource: ResourceState,
    /// The attributes as read.
    pub(super) live: Attributes,
}

/// A resource of the file that the state does not have, in a plan that only imports.
#[derive(Clone)]
pub struct Sought {
    /// The address.
    pub address: String,
    /// The type.
    pub kind: &'static dyn ResourceType,
    /// The properties of the file.
    pub desired: Data,
    /// Whether the plan imports it.
    pub imported: bool,
}

impl std::fmt::Debug for Sought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sought")
            .field("address", &self.address)
            .field("imported", &self.imported)
            .finish_non_exhaustive()
    }
}

/// Why a resource cannot be imported.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportFault {
    /// The address it was to get.
    pub address: String,
    /// The option in the file; nowhere for `stackctl import`.
    pub place: Place,
    /// A sentence without a full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl ImportFault {
    /// On one line, with the address and what to do.
    pub fn line(&self) -> String {
        let help = self.help.as_ref();
        let help = help.map_or_else(String::new, |help| format!(" ({help})"));
        format!("{}: {}{help}", self.address, self.message)
    }

    /// The mistake in the file.
    pub(super) fn diagnostic(self) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.place, self.message);
        diagnostic.help = self.help;
        diagnostic
    }
}

/// A resource that gets another address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The address until now.
    pub from: String,
    /// The new address.
    pub to: String,
    /// The type.
    pub type_name: String,
}

/// All moves and imports of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rewrites {
    /// The renames, in order.
    pub(super) moves: Vec<Move>,
    /// The imported resources, by address.
    pub(super) imported: BTreeMap<String, ImportedResource>,
}

impl Rewrites {
    /// The address that the one given had until now.
    pub(super) fn moved_from(&self, address: &str) -> Option<String> {
        let mut moves = self.moves.iter();
        let found = moves.find(|moved| moved.to == address)?;
        Some(found.from.clone())
    }
}

/// The moves and imports that a plan found.
#[derive(Debug, Default)]
pub struct FoundRewrites {
    /// Renames that were not known before.
    pub(super) moves: Vec<Move>,
    /// All resources to import.
    pub(super) imported: BTreeMap<String, ImportedResource>,
    /// What cannot be imported; with `stackctl import` these are not mistakes of the file.
    pub faults: Vec<ImportFault>,
}

//! What already has the resource that an import names: one resource has one address.

use super::imports::ImportTarget;
use super::planner::Planner;
use crate::engine::address::quoted;
use crate::resource::home::Home;
use crate::store::state::{ResourceState, deposed_address};

/// What already has the resource that an import names, by its address.
pub(super) enum Holder {
    /// A resource of the state.
    InState(String),
    /// One that this plan imports.
    Imported(String),
    /// What a replacement left.
    Deposed(String),
}

impl Holder {
    /// Why `address` cannot have the resource of this id, and what to do.
    pub(super) fn refusal(&self, id: &str, address: &str) -> (String, String) {
        match self {
            Self::InState(holder) => (
                format!("{id} is in the state already, as {holder}"),
                format!(
                    "if {address} is its new name, say so in its options instead of import: \
                     movedFrom: {}",
                    quoted(holder)
                ),
            ),
            Self::Imported(holder) => (
                format!("{id} is imported as {holder} already, and has one address"),
                format!("take options.import away from {holder} or {address}"),
            ),
            Self::Deposed(holder) => (
                format!("{id} is in the state already, as {holder}, which the next apply deletes"),
                format!(
                    "to keep it, first run `stackctl state rm {}`, which leaves it alone",
                    quoted(holder)
                ),
            ),
        }
    }
}

impl Planner<'_> {
    /// What already has the resource. One that exists only in the state (`random:…`) may exist many
    /// times.
    pub(super) fn holder(&self, target: &ImportTarget<'_>, id: &str) -> Option<Holder> {
        let type_name = target.kind.name();
        if target.kind.home() == Home::State {
            return None;
        }
        let is_it = |known: &ResourceState| known.type_name == type_name && known.id == id;
        let mut imported = self.out.rewrites.imported.iter();
        if let Some((address, _)) = imported.find(|(_, found)| is_it(&found.resource)) {
            return Some(Holder::Imported(address.clone()));
        }
        let state = &self.request.world.state;
        let current = state.resources.iter();
        let mut current = current.filter(|(address, _)| *address != target.address);
        if let Some((address, _)) = current.find(|(_, known)| is_it(known)) {
            let is_imported = self.rewrites.imported.contains_key(address);
            return Some(match is_imported {
                true => Holder::Imported(address.clone()),
                false => Holder::InState(address.clone()),
            });
        }
        state.deposed.iter().find_map(|(address, generations)| {
            let mut generations = generations.iter();
            let (key, _) = generations.find(|(_, known)| is_it(known))?;
            Some(Holder::Deposed(deposed_address(address, key)))
        })
    }
}

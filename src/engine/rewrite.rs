//! What is done to the state before the rest of a plan is decided: objects get another
//! address (`movedFrom`), objects that exist are taken in (`import`). The plan is made against
//! the state as it is then, so that updates, replacements and users follow by themselves.

use super::adopt::{Adoption, ImportFault};
use super::planner::{self, Inputs, Planned};
use super::world::{Observed, World};
use crate::store::state::StateChange;
use std::collections::BTreeMap;

/// An object that gets another address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The address until now.
    pub from: String,
    /// The new address.
    pub to: String,
    /// The type.
    pub type_name: String,
}

/// How often a plan is made again since the last one found more to rename or adopt. Each
/// round finds what only the values of the round before could tell.
const ROUNDS: usize = 16;

/// All renames and adoptions of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rewrites {
    /// The renames, in order.
    pub(super) moves: Vec<Move>,
    /// The objects taken in, by address.
    pub(super) adopted: BTreeMap<String, Adoption>,
}

/// Makes the plan.
pub(super) fn plan(inputs: &Inputs<'_>) -> Planned {
    let mut rewrites = Rewrites::default();
    let mut planned = planner::plan_in(inputs, &rewrites);
    for _ in 0..ROUNDS {
        let next = rewrites.with(&mut planned);
        if next == rewrites {
            break;
        }
        rewrites = next;
        let world = rewrites.applied(inputs.world);
        planned = planner::plan_in(
            &Inputs {
                world: &world,
                ..*inputs
            },
            &rewrites,
        );
    }
    planned
}

impl Rewrites {
    /// These, and what a plan made with them found. What a resource moves to is not known yet to
    /// have one: whether something is to be imported there is for the next plan to find.
    fn with(&self, planned: &mut Planned) -> Self {
        let new = std::mem::take(&mut planned.found.moves);
        let mut adopted = std::mem::take(&mut planned.found.adopted);
        adopted.retain(|address, _| !new.iter().any(|moved| moved.to == *address));
        let moves = self.moves.iter().cloned().chain(new).collect();
        Self { moves, adopted }
    }

    /// The world once they are done.
    fn applied(&self, world: &World) -> World {
        let mut world = world.clone();
        for Move { from, to, .. } in &self.moves {
            world.state.change(StateChange::Move {
                from: from.clone(),
                to: to.clone(),
            });
            if let Some(seen) = world.contents.remove(from) {
                world.contents.insert(to.clone(), seen);
            }
            if let Some(seen) = world.live.remove(from) {
                world.live.insert(to.clone(), seen);
            }
        }
        for (address, adoption) in &self.adopted {
            let resource = Box::new(adoption.resource.clone());
            world.state.change(StateChange::Put {
                address: address.clone(),
                resource,
            });
            let seen = Observed::Present(adoption.live.clone());
            world.live.insert(address.clone(), seen);
        }
        world
    }

    /// The address that the one given had until now.
    pub(super) fn moved_from(&self, address: &str) -> Option<String> {
        let mut moves = self.moves.iter();
        let found = moves.find(|moved| moved.to == address)?;
        Some(found.from.clone())
    }
}

/// What a plan found to rename and to adopt.
#[derive(Debug, Default)]
pub struct Found {
    /// Renames that were not known before.
    pub(super) moves: Vec<Move>,
    /// All objects to take in.
    pub(super) adopted: BTreeMap<String, Adoption>,
    /// What cannot be adopted; with `stackctl import` these are no mistakes of the file.
    pub faults: Vec<ImportFault>,
}

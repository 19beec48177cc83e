//! What is done to the state before the rest of a plan is decided: objects get another
//! address (`movedFrom`), objects that exist are taken in (`import`). The plan is made against
//! the state as it is then, so that updates, replacements and users follow by themselves.
//!
//! The steps `move` and `import` do the same to the state, through `State::change`, before all
//! steps of that address.

use super::planned::{Inputs, Planned};
use super::planner;
use super::rewrites::{Move, Rewrites};
use crate::engine::world::{Observed, World};
use crate::store::state::StateChange;

/// How often a plan is made again since the last one found more to rename or adopt. Each
/// round finds what only the values of the round before could tell.
const ROUNDS: usize = 16;

/// Makes the plan.
pub fn plan(inputs: &Inputs<'_>) -> Planned {
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
}

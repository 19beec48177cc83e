//! What steps wait for beyond what they refer to: deletions for the dependents of the resource,
//! creates for a name that is still in use, reads for their arguments.
//!
//! A replacement creates the new resource first, unless `deleteBeforeReplace` is set, the type's
//! `IDENTITY` properties stay the same (old and new would have one name), or the steps would wait
//! in a circle: then the deletions on the circle come first and the plan is ordered again.

use super::graph::Uses;
use super::identity;
use super::planned::Planned;
use super::relations::{self, Named};
use super::{Op, Step, StepId};
use crate::engine::address;
use crate::engine::address::{ResourceKey, block};
use crate::engine::world::World;
use crate::resource::relation::Fate;
use crate::resource::types::Types;
use crate::store::state::ResourceState;
use std::collections::{BTreeMap, BTreeSet};

/// A step, and one that comes before it.
pub(super) type Edge = (StepId, StepId);

/// The step that deletes (or forgets) a resource.
pub(super) struct Deletion {
    /// The resource.
    pub(super) key: ResourceKey,
    /// The step.
    pub(super) step: StepId,
}

/// The steps, and what their order depends on.
pub(super) struct Order<'a> {
    pub(super) types: &'a Types,
    pub(super) world: &'a World,
    pub(super) steps: Vec<Step>,
    /// The step after which the new generation of an address exists.
    pub(super) makes: BTreeMap<String, StepId>,
    pub(super) deletions: Vec<Deletion>,
    /// By the state: what names the deleted resources.
    pub(super) named: Vec<Named>,
    /// Resources that are deleted before their dependents change.
    pub(super) first: &'a BTreeSet<ResourceKey>,
}

impl Order<'_> {
    fn resource_of(&self, object: &ResourceKey) -> Option<&ResourceState> {
        relations::resource_of(&self.world.state, object)
    }

    /// By the state: the dependents of each resource.
    fn users(&self) -> BTreeMap<ResourceKey, BTreeSet<ResourceKey>> {
        let mut users: BTreeMap<ResourceKey, BTreeSet<ResourceKey>> = BTreeMap::new();
        for (object, known) in relations::resources(&self.world.state) {
            for needed in &known.dependencies {
                let needed = address::resource_key(needed);
                users.entry(needed).or_default().insert(object.clone());
            }
        }
        users
    }

    /// By the state: the resources that would be deleted with a resource or block its deletion.
    fn holders(&self) -> BTreeMap<&ResourceKey, BTreeSet<&ResourceKey>> {
        let mut holders: BTreeMap<&ResourceKey, BTreeSet<&ResourceKey>> = BTreeMap::new();
        for named in &self.named {
            if named.row.fate != Fate::Survives {
                holders
                    .entry(&named.parent)
                    .or_default()
                    .insert(&named.child);
            }
        }
        holders
    }

    /// Whether the deletion comes before the resource's next generation.
    fn comes_first(&self, deletion: &Deletion) -> bool {
        let replaced_first = deletion.key.1.is_none()
            && matches!(
                self.steps[deletion.step].op,
                Op::Delete { deposed: None } | Op::Forget { deposed: None }
            )
            && self.makes.contains_key(&deletion.key.0);
        replaced_first || self.first.contains(&deletion.key)
    }

    /// A deletion comes after every step by which a dependent stops using the resource: deletions
    /// and changes of dependents. One that must come before the new generation cannot wait for
    /// changes, which themselves wait for that generation.
    pub(super) fn deletes(&mut self) {
        if self.deletions.is_empty() {
            return;
        }
        let mut edges: Vec<(StepId, BTreeSet<StepId>)> = Vec::new();
        let (users, holders) = (self.users(), self.holders());
        let steps: BTreeMap<&ResourceKey, StepId> = self
            .deletions
            .iter()
            .map(|deletion| (&deletion.key, deletion.step))
            .collect();
        for deletion in &self.deletions {
            let (address, key) = &deletion.key;
            let first = self.comes_first(deletion);
            let mut after = BTreeSet::new();
            for user in users.get(&deletion.key).into_iter().flatten() {
                after.extend(steps.get(user).copied());
                if !first && user.1.is_none() {
                    after.extend(self.makes.get(&user.0).copied());
                }
            }
            // A deleted one need not exist again first, which may wait until the name is free.
            for holder in holders.get(&deletion.key).into_iter().flatten() {
                let change = self
                    .makes
                    .get(&holder.0)
                    .filter(|_| !first && holder.1.is_none());
                after.extend(steps.get(holder).or(change).copied());
            }
            if !first && key.is_none() {
                after.extend(self.makes.get(address).copied());
            }
            after.remove(&deletion.step);
            edges.push((deletion.step, after));
        }
        for (step, after) in edges {
            self.steps[step].after.extend(after);
        }
    }

    /// A create whose name at the service is that of a resource about to be deleted waits for that
    /// deletion.
    pub(super) fn names(&mut self) {
        let mut freed: BTreeMap<(&str, String), StepId> = BTreeMap::new();
        for deletion in &self.deletions {
            if let Op::Delete { .. } = self.steps[deletion.step].op
                && let Some(known) = self.resource_of(&deletion.key)
                && let Some(name) = identity::of_existing(self.types, known)
            {
                freed.insert((known.type_name.as_str(), name), deletion.step);
            }
        }
        let mut edges = Vec::new();
        for (id, step) in self.steps.iter().enumerate() {
            let Op::Create {
                inputs, decided, ..
            } = &step.op
            else {
                continue;
            };
            if freed.is_empty() {
                break;
            }
            let kind = self.types.resource(&step.type_name);
            let name = kind.and_then(|kind| identity::of_new(kind, inputs, decided));
            let taken = name.and_then(|name| freed.get(&(step.type_name.as_str(), name)));
            edges.extend(taken.map(|delete| (id, *delete)));
        }
        for (create, delete) in edges {
            self.steps[create].after.insert(delete);
        }
    }

    /// Reads while applying come after what their arguments need, and before what needs their
    /// result.
    pub(super) fn reads(&mut self, planned: &Planned) {
        let reads: BTreeMap<&str, StepId> = self
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| matches!(step.op, Op::Read { .. }))
            .map(|(id, step)| (step.address.as_str(), id))
            .collect();
        if reads.is_empty() {
            return;
        }
        let nothing = Uses::default();
        let mut edges: Vec<(StepId, BTreeSet<StepId>)> = Vec::new();
        for (id, step) in self.steps.iter().enumerate() {
            let uses = match step.op {
                Op::Read { .. } => planned.uses.get(&step.address),
                Op::Create { .. } | Op::Update { .. } => planned.uses.get(block(&step.address)),
                _ => None,
            };
            let uses = uses.unwrap_or(&nothing);
            let needed = uses.data.iter().filter_map(|name| {
                let address = format!("data.{name}");
                reads.get(address.as_str()).copied()
            });
            let mut after: BTreeSet<StepId> = needed.collect();
            if let Op::Read { .. } = step.op {
                let made = self.makes.iter();
                let made = made.filter(|(address, _)| uses.all.contains(block(address)));
                after.extend(made.map(|(_, step)| *step));
            }
            edges.push((id, after));
        }
        for (step, after) in edges {
            self.steps[step].after.extend(after);
        }
    }

    /// The resources whose deletions wait in a circle and do not come first yet.
    pub(super) fn stuck(&self) -> BTreeSet<ResourceKey> {
        let circle = circle(&self.steps);
        self.deletions
            .iter()
            .filter(|deletion| circle.contains(&deletion.step) && !self.comes_first(deletion))
            .map(|deletion| deletion.key.clone())
            .collect()
    }
}

/// The steps that wait for each other in a circle, and those between two circles.
pub(super) fn circle(steps: &[Step]) -> BTreeSet<StepId> {
    let before: Vec<Vec<StepId>> = steps
        .iter()
        .map(|step| step.after.iter().copied().collect())
        .collect();
    let mut after = vec![Vec::new(); steps.len()];
    for (id, step) in steps.iter().enumerate() {
        for &needed in &step.after {
            after[needed].push(id);
        }
    }
    let mut left: BTreeSet<StepId> = (0..steps.len()).collect();
    for (ends, inward) in [(&before, &after), (&after, &before)] {
        let mut count: Vec<usize> = ends
            .iter()
            .map(|ids| ids.iter().filter(|id| left.contains(id)).count())
            .collect();
        let mut free: Vec<StepId> = left.iter().copied().filter(|id| count[*id] == 0).collect();
        while let Some(id) = free.pop() {
            left.remove(&id);
            for &next in &inward[id] {
                count[next] = count[next].saturating_sub(1);
                if count[next] == 0 && left.contains(&next) {
                    free.push(next);
                }
            }
        }
        if left.is_empty() {
            break;
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_without_what_only_waits_for_it() {
        let step = |after: &[StepId]| Step {
            op: Op::Delete { deposed: None },
            address: String::new(),
            type_name: String::new(),
            after: after.iter().copied().collect(),
        };
        // 1 and 2 wait for each other; 0 comes before them, 3 and 4 after.
        let steps = [
            step(&[]),
            step(&[0, 2]),
            step(&[1]),
            step(&[2]),
            step(&[3, 0]),
        ];
        assert_eq!(circle(&steps), BTreeSet::from([1, 2]));
        assert_eq!(circle(&steps[..1]), BTreeSet::new());
        // What lies between two circles may have to give way too.
        let steps = [
            step(&[1]),
            step(&[0]),
            step(&[1]),
            step(&[2, 4]),
            step(&[3]),
        ];
        assert_eq!(circle(&steps), BTreeSet::from([0, 1, 2, 3, 4]));
    }
}

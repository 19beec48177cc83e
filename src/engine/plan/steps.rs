//! From what is decided to primitive steps and what each of them waits for.

use super::contents;
use super::hashes;
use super::instance::Instance;
use super::order::{Deletion, Order};
use super::planned::Planned;
use super::planned::Request;
use super::relations;
use super::rewrites::Rewrites;
use super::{Action, Change, Op, Step, StepId};
use crate::data::Data;
use crate::engine::address::ResourceKey;
use crate::engine::address::resource_key;
use crate::engine::world::World;
use crate::store::seal::Seal;
use crate::store::state::{ResourceState, deposed_address};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Fills in the plan's steps. The deletions of the resources in `first` do not wait for what stops
/// using them. Returns the deletions that wait in a circle and would not if they were in `first`.
pub(super) fn build(
    planned: &mut Planned,
    &Request { world, types, .. }: &Request<'_>,
    rewrites: &Rewrites,
    first: &BTreeSet<ResourceKey>,
) -> BTreeSet<ResourceKey> {
    let mut builder = Builder {
        world,
        seal: world.seal(),
        rewrites,
        steps: Vec::new(),
        makes: BTreeMap::new(),
        deletions: Vec::new(),
    };
    for change in planned
        .plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Read)
    {
        let args = change.after.clone().unwrap_or_default();
        builder.push(
            &change.address,
            &change.type_name,
            Op::Read { args },
            BTreeSet::new(),
        );
    }
    builder.moves();
    for found in &planned.instances {
        builder.make(found);
    }
    let changes = planned.plan.changes.iter();
    for change in changes.filter(|change| change.after.is_none()) {
        let retain = change.action == Action::Forget;
        if change.action == Action::Delete || retain {
            let (address, key) = resource_key(&change.address);
            builder.remove(&address, key.clone(), (address.clone(), key), retain);
        }
    }
    builder.after_moves();
    let deleted = builder.deletions.iter();
    let deleted = deleted.map(|deletion| deletion.key.clone()).collect();
    let mut order = Order {
        world,
        named: relations::named_by(types, &world.state, &deleted),
        types,
        steps: builder.steps,
        makes: builder.makes,
        deletions: builder.deletions,
        first,
    };
    order.reads(planned);
    order.named(planned);
    order.deletes();
    order.names();
    let stuck = order.stuck();
    if stuck.is_empty() {
        order.soft(planned);
    }
    planned.plan.steps = order.steps;
    stuck
}

struct Builder<'a> {
    world: &'a World,
    rewrites: &'a Rewrites,
    seal: Seal,
    steps: Vec<Step>,
    /// The step after which the new generation of an address exists.
    makes: BTreeMap<String, StepId>,
    deletions: Vec<Deletion>,
}

/// Rows for the generations that earlier runs left to delete.
pub(super) fn leftovers(world: &World) -> impl Iterator<Item = Change> {
    world
        .state
        .deposed
        .iter()
        .flat_map(|(address, generations)| {
            generations.iter().map(move |(key, known)| {
                let retain = known.options.retain_on_delete;
                Change {
                    address: deposed_address(address, key),
                    type_name: known.type_name.clone(),
                    id: Some(known.id.clone()),
                    action: if retain {
                        Action::Forget
                    } else {
                        Action::Delete
                    },
                    reason: "a replacement that was not finished left it".to_owned(),
                    before: None,
                    after: None,
                    differences: Vec::new(),
                    ..Change::default()
                }
            })
        })
}

/// The properties that the file wants.
fn wanted(found: &Instance) -> Data {
    found.change.after.clone().unwrap_or_default()
}

impl Builder<'_> {
    fn push(&mut self, address: &str, type_name: &str, op: Op, after: BTreeSet<StepId>) -> StepId {
        self.steps.push(Step {
            op,
            address: address.to_owned(),
            type_name: type_name.to_owned(),
            after,
        });
        self.steps.len() - 1
    }

    fn key(&self, address: &str, purpose: &str) -> String {
        let mut hash = Sha256::new();
        for part in [
            &self.world.seed.to_string(),
            &self.world.state.lineage,
            address,
            purpose,
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hex::encode(&hash.finalize()[..8])
    }

    /// Renames come before all that is done under the new address.
    fn moves(&mut self) {
        for moved in &self.rewrites.moves {
            let from = moved.from.clone();
            self.push(
                &moved.to,
                &moved.type_name,
                Op::Move { from },
                BTreeSet::new(),
            );
        }
    }

    fn after_moves(&mut self) {
        let moves = self.steps.iter().enumerate();
        let moves: BTreeMap<String, StepId> = moves
            .filter(|(_, step)| matches!(step.op, Op::Move { .. }))
            .map(|(id, step)| (step.address.clone(), id))
            .collect();
        for (id, step) in self.steps.iter_mut().enumerate() {
            let moved = moves.get(&step.address);
            step.after.extend(moved.filter(|moved| **moved != id));
        }
    }

    /// The step that imports an instance's resource. Where it is as the file says, the state keeps
    /// the file's own values.
    fn import(&mut self, found: &Instance) -> Option<StepId> {
        found.change.importing.as_ref()?;
        let inputs = wanted(found);
        let address = &found.change.address;
        let imported = &self.rewrites.imported.get(address)?.resource;
        let as_it_is = found.change.action == Action::NoOp
            && found.change.differences.is_empty()
            && inputs.is_known();
        let inputs = if as_it_is {
            inputs
        } else {
            Data {
                value: imported.inputs.clone().into_value(),
                secret: imported.sensitive.clone(),
                ..Data::default()
            }
        };
        let op = Op::Import {
            id: imported.id.clone(),
            inputs,
            outputs: imported.outputs.clone(),
        };
        Some(self.push(address, &found.change.type_name, op, BTreeSet::new()))
    }

    fn create(&self, found: &Instance) -> Op {
        Op::Create {
            inputs: wanted(found),
            decided: found.change.decided.clone(),
            operation: self.key(&found.change.address, "operation"),
        }
    }

    /// The steps that give an instance its new generation.
    fn make(&mut self, found: &Instance) {
        let address = &found.change.address;
        let after: BTreeSet<StepId> = found
            .uses
            .iter()
            .filter_map(|needed| self.makes.get(needed).copied())
            .collect();
        let import = self.import(found);
        let after: BTreeSet<StepId> = after.into_iter().chain(import).collect();
        let type_name = &found.change.type_name;
        let step = match found.change.action {
            Action::Create => self.push(address, type_name, self.create(found), after),
            Action::Update => {
                let changed = found.change.differences.iter();
                let op = Op::Update {
                    inputs: wanted(found),
                    live: found.live.clone().unwrap_or_default(),
                    changed: changed.map(|row| row.path.clone()).collect(),
                };
                self.push(address, type_name, op, after)
            }
            Action::CreateThenDelete => {
                let key = self.key(address, "deposed");
                let depose = self.push(address, type_name, Op::Depose { key: key.clone() }, after);
                let create = self.create(found);
                let create = self.push(address, type_name, create, BTreeSet::from([depose]));
                let old = (address.clone(), None);
                self.remove(address, Some(key), old, found.options.retain_on_delete);
                create
            }
            Action::DeleteThenCreate => {
                let old = (address.clone(), None);
                let delete = self.remove(address, None, old, found.options.retain_on_delete);
                self.push(
                    address,
                    type_name,
                    self.create(found),
                    after.into_iter().chain([delete]).collect(),
                )
            }
            _ if import.is_some() => match import {
                Some(step) => step,
                None => return,
            },
            _ => {
                self.update_state(found);
                return;
            }
        };
        self.makes.insert(address.clone(), step);
    }

    /// Whether the state has the contents that the file's properties stand for.
    fn same_files(&self, known: &ResourceState, found: &Instance) -> bool {
        if found.files.is_empty() {
            return known.files.is_empty() && known.sealed_files.is_empty();
        }
        let opened = self.seal.opened_resource(known);
        let sealed = known.sealed_files.keys();
        opened.files == found.contents() && sealed.eq(contents::secret(&found.files))
    }

    /// Nothing to do at the service; but the state may need the values that the file declares now.
    fn update_state(&mut self, found: &Instance) {
        let Some(known) = self.world.state.resources.get(&found.change.address) else {
            return;
        };
        let left_alone = !found.change.reason.is_empty();
        let inputs = found.change.after.as_ref();
        let inputs = inputs.filter(|inputs| inputs.is_known());
        let inputs = match inputs {
            Some(inputs) if !found.unkept.is_empty() => {
                Cow::Owned(hashes::as_applied(inputs, &found.unkept, known))
            }
            inputs => inputs.map_or_else(Cow::default, Cow::Borrowed),
        };
        let same_inputs = *self.seal.seal_all(&inputs) == *known.inputs;
        let same = same_inputs
            && known.unfinished.is_empty()
            && known.dependencies == *found.dependencies
            && self.same_files(known, found)
            && known.options == found.options;
        if same || left_alone {
            return;
        }
        let outputs = known.lasting_outputs(&inputs);
        let op = Op::UpdateState {
            id: known.id.clone(),
            inputs: inputs.into_owned(),
            outputs,
        };
        self.push(
            &found.change.address,
            &found.change.type_name,
            op,
            BTreeSet::new(),
        );
    }

    fn remove(
        &mut self,
        address: &str,
        deposed: Option<String>,
        key: ResourceKey,
        retain: bool,
    ) -> StepId {
        let type_name = self.type_of(address, deposed.as_deref());
        let op = if retain {
            Op::Forget { deposed }
        } else {
            Op::Delete { deposed }
        };
        let step = self.push(address, &type_name, op, BTreeSet::new());
        self.deletions.push(Deletion { key, step });
        step
    }

    fn type_of(&self, address: &str, deposed: Option<&str>) -> String {
        let state = &self.world.state;
        let known = deposed.and_then(|key| state.deposed.get(address)?.get(key));
        let known = known.or_else(|| state.resources.get(address));
        known
            .map(|known| known.type_name.clone())
            .unwrap_or_default()
    }
}

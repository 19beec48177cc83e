//! From what is decided to primitive steps and what each of them waits for.

use super::instance::Instance;
use super::plan::{Action, Change, Op, Step, StepId};
use super::planner::Planned;
use super::world::World;
use crate::data::{Data, Path};
use crate::resource::resource_type;
use crate::store::state::{ResourceState, Seal};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Fills in the plan's steps.
pub(super) fn build(planned: &mut Planned, world: &World) {
    let mut builder = Builder {
        world,
        seal: Seal::new(&world.state.lineage),
        steps: Vec::new(),
        makes: BTreeMap::new(),
        deletes: BTreeMap::new(),
        users: users(world),
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
    for found in &planned.instances {
        builder.make(found);
    }
    let removed: Vec<(String, Action)> = planned
        .plan
        .changes
        .iter()
        .filter(|change| matches!(change.action, Action::Delete | Action::Forget))
        .map(|change| (change.address.clone(), change.action))
        .collect();
    builder.removals(&removed);
    builder.order_deletes();
    builder.order_reads(planned);
    planned.plan.steps = builder.steps;
}

struct Builder<'a> {
    world: &'a World,
    seal: Seal,
    steps: Vec<Step>,
    /// The step after which the new generation of an address is there.
    makes: BTreeMap<String, StepId>,
    /// The steps that delete generations of an address: (step, deletes first).
    deletes: BTreeMap<String, Vec<(StepId, bool)>>,
    /// By the state: who uses an address.
    users: BTreeMap<&'a str, BTreeSet<&'a str>>,
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
                    address: format!("{address} (deposed {key})"),
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
                    unchanged: 0,
                    decided: serde_json::Map::new(),
                }
            })
        })
}

fn users(world: &World) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let state = &world.state;
    let deposed = state.deposed.iter().flat_map(|(address, generations)| {
        generations
            .values()
            .map(move |resource| (address, resource))
    });
    for (address, resource) in state.resources.iter().chain(deposed) {
        for needed in &resource.dependencies {
            users.entry(needed).or_default().insert(address);
        }
    }
    users
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

    /// The steps that give an instance its new generation.
    fn make(&mut self, found: &Instance) {
        let address = &found.change.address;
        let inputs = found.change.after.clone().unwrap_or_default();
        let after: BTreeSet<StepId> = found
            .uses
            .iter()
            .filter_map(|needed| self.makes.get(needed).copied())
            .collect();
        let type_name = &found.change.type_name;
        let create = Op::Create {
            inputs: inputs.clone(),
            decided: found.change.decided.clone(),
            operation: self.key(address, "operation"),
        };
        let step = match found.change.action {
            Action::Create => self.push(address, type_name, create, after),
            Action::Update => {
                let changed = found.change.differences.iter();
                let op = Op::Update {
                    inputs,
                    live: found.live.clone().unwrap_or_default(),
                    changed: changed
                        .filter_map(|row| row.path.first().map(std::borrow::Cow::into_owned))
                        .collect(),
                };
                self.push(address, type_name, op, after)
            }
            Action::CreateThenDelete => {
                let key = self.key(address, "deposed");
                let depose = self.push(address, type_name, Op::Depose { key: key.clone() }, after);
                let create = self.push(address, type_name, create, BTreeSet::from([depose]));
                self.remove(address, Some(key), found.options.retain_on_delete, false);
                create
            }
            Action::DeleteThenCreate => {
                let delete = self.remove(address, None, found.options.retain_on_delete, true);
                self.push(
                    address,
                    type_name,
                    create,
                    after.into_iter().chain([delete]).collect(),
                )
            }
            _ => {
                self.adopt(found, inputs);
                return;
            }
        };
        self.makes.insert(address.clone(), step);
    }

    /// Nothing to do at the service; but the state may have to take in what the file says now.
    fn adopt(&mut self, found: &Instance, inputs: Data) {
        let Some(known) = self.world.state.resources.get(&found.change.address) else {
            return;
        };
        let left_alone = !found.change.reason.is_empty();
        let same_inputs = if inputs.is_known() {
            self.seal.seal_all(&inputs) == known.inputs
        } else {
            // What is unknown here is a sealed value that does not change.
            true
        };
        let same = same_inputs
            && known.dependencies == found.dependencies
            && known.options == found.options;
        if same || left_alone {
            return;
        }
        let inputs = if inputs.is_known() {
            inputs
        } else {
            Data::from(known.inputs.clone())
        };
        let outputs = known.outputs.clone();
        let op = Op::Adopt {
            id: known.id.clone(),
            inputs,
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
        retain: bool,
        first: bool,
    ) -> StepId {
        let type_name = self.type_of(address, deposed.as_deref());
        let op = if retain {
            Op::Forget { deposed }
        } else {
            Op::Delete { deposed }
        };
        let step = self.push(address, &type_name, op, BTreeSet::new());
        self.deletes
            .entry(address.to_owned())
            .or_default()
            .push((step, first));
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

    /// What the file no longer has, and the generations that earlier runs left behind.
    fn removals(&mut self, removed: &[(String, Action)]) {
        for (address, action) in removed {
            self.remove(address, None, *action == Action::Forget, false);
        }
        for (address, generations) in &self.world.state.deposed {
            for (key, known) in generations {
                self.remove(
                    address,
                    Some(key.clone()),
                    known.options.retain_on_delete,
                    false,
                );
            }
        }
    }

    /// A deletion comes after whatever stops using the object: deletions and changes of its
    /// users. One that must come before the new generation cannot wait for changes, which
    /// themselves wait for that generation.
    fn order_deletes(&mut self) {
        let deletes = self.deletes.clone();
        for (address, steps) in &deletes {
            for &(step, first) in steps {
                let mut after = BTreeSet::new();
                for user in self.users.get(address.as_str()).into_iter().flatten() {
                    let gone = deletes
                        .get(*user)
                        .into_iter()
                        .flatten()
                        .map(|(step, _)| *step);
                    after.extend(gone);
                    if !first {
                        after.extend(self.makes.get(*user).copied());
                    }
                }
                if !first {
                    after.extend(self.makes.get(address).copied());
                }
                after.remove(&step);
                self.steps[step].after.extend(after);
            }
        }
        self.order_names();
    }

    /// A create whose name at the service is that of an object about to be deleted under
    /// another address waits for that deletion.
    fn order_names(&mut self) {
        let mut freed: BTreeMap<(String, Vec<String>), StepId> = BTreeMap::new();
        for (step, found) in self.steps.iter().enumerate() {
            if let Op::Delete { deposed: None } = &found.op
                && let Some(known) = self.world.state.resources.get(&found.address)
                && let Some(name) = identity(known)
            {
                freed.insert((found.type_name.clone(), name), step);
            }
        }
        for index in 0..self.steps.len() {
            let Op::Create { inputs, .. } = &self.steps[index].op else {
                continue;
            };
            if !inputs.is_known() {
                continue;
            }
            let known = ResourceState {
                type_name: self.steps[index].type_name.clone(),
                inputs: inputs.value.clone(),
                ..ResourceState::default()
            };
            let name = identity(&known).map(|name| (known.type_name, name));
            if let Some(&delete) = name.and_then(|name| freed.get(&name))
                && !self.waits_for(delete, index)
            {
                self.steps[index].after.insert(delete);
            }
        }
    }

    /// Whether `step` comes, directly or not, after `before`.
    fn waits_for(&self, step: StepId, before: StepId) -> bool {
        let mut seen = BTreeSet::new();
        let mut todo = vec![step];
        while let Some(at) = todo.pop() {
            if at == before {
                return true;
            }
            if seen.insert(at) {
                todo.extend(self.steps[at].after.iter().copied());
            }
        }
        false
    }

    /// Reads while applying come after what their arguments need, and before what needs
    /// their answer.
    fn order_reads(&mut self, planned: &Planned) {
        for step in 0..self.steps.len() {
            let Op::Read { args } = &self.steps[step].op else {
                continue;
            };
            let texts: Vec<String> = args.unknown.values().cloned().collect();
            let mut after = BTreeSet::new();
            for address in planned.instances.iter().map(|found| &found.change.address) {
                let block = address.split('[').next().unwrap_or(address);
                let named = texts.iter().any(|text| mentions(text, block, planned));
                if named {
                    after.extend(self.makes.get(address).copied());
                }
            }
            let name = self.steps[step].address.clone();
            self.steps[step].after.extend(after);
            for other in 0..self.steps.len() {
                let uses = match &self.steps[other].op {
                    Op::Create { inputs, .. } | Op::Update { inputs, .. } => inputs
                        .unknown
                        .values()
                        .any(|text| mentions(text, &name, planned)),
                    _ => false,
                };
                if uses {
                    self.steps[other].after.insert(step);
                }
            }
        }
    }
}

/// Whether an expression refers to a block, directly or through locals that are unknown.
fn mentions(text: &str, name: &str, planned: &Planned) -> bool {
    use crate::lang::eval::{Root, references};
    references(&Value::from(text))
        .unwrap_or_default()
        .iter()
        .any(|reference| match reference.root {
            Root::Resource => reference.name == name,
            Root::Data => name.strip_prefix("data.") == Some(&reference.name),
            Root::Local => planned.locals.get(&reference.name).is_some_and(|local| {
                local
                    .unknown
                    .values()
                    .any(|inner| inner != text && mentions(inner, name, planned))
            }),
            _ => false,
        })
}

/// The values of the properties that name an object at its service.
fn identity(known: &ResourceState) -> Option<Vec<String>> {
    let identity = resource_type(&known.type_name)?.identity();
    if identity.is_empty() {
        return None;
    }
    identity
        .iter()
        .map(|name| {
            Path::root()
                .join(name)
                .get(&known.inputs)
                .map(Value::to_string)
        })
        .collect()
}

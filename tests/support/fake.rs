//! A strict cloud in memory, for plans: it refuses to delete what is in use and to give one
//! name twice. It runs a plan's steps in any order that the plan allows.

use serde_json::{Map, Value, json};
use stackctl::data::{Attributes, Inputs, Path};
use stackctl::engine::apply::results::{Applying, Resolved};
use stackctl::engine::apply::work::{Call, Outcome};
use stackctl::engine::plan::planned::Planned;
use stackctl::engine::plan::{Op, Step, StepId};
use stackctl::engine::world::{Observed, World};
use stackctl::lang::stack::Stack;
use stackctl::resource::ResourceType;
use stackctl::resource::relation::{Fate, Parent};
use stackctl::resource::table::native;
use stackctl::store::state::State;
use std::collections::{BTreeMap, BTreeSet};

struct Object {
    kind: &'static dyn ResourceType,
    live: Attributes,
}

/// The cloud.
#[derive(Default)]
pub struct Fake {
    objects: BTreeMap<String, Object>,
    made: usize,
}

impl Fake {
    /// What a read of every object of the state would see.
    pub fn live(&self, state: &State) -> BTreeMap<String, Observed> {
        let known = state.resources.iter();
        known
            .map(|(address, known)| {
                let found = self.objects.get(&known.id);
                let seen = found.map_or(Observed::NotFound, |object| {
                    Observed::Present(object.live.clone())
                });
                (address.clone(), seen)
            })
            .collect()
    }

    /// The ids of all objects.
    pub fn ids(&self) -> BTreeSet<String> {
        self.objects.keys().cloned().collect()
    }

    /// Someone outside deletes an object, if nothing uses it.
    pub fn lose(&mut self, id: &str) {
        if self.user(id, false).is_none() {
            // What stops it stays, and so does the object then.
            let _ = self.remove(id);
        }
    }

    /// The objects that name this one, by what their types say.
    fn named_by(&self, id: &str) -> Vec<(String, Fate)> {
        let Some(parent) = self.objects.get(id) else {
            return Vec::new();
        };
        let others = self.objects.iter().filter(|(other, _)| *other != id);
        others
            .filter_map(|(other, object)| {
                let mut rows = object.kind.parents().iter();
                let row = rows.find(|row| names(object, row, parent))?;
                Some((other.clone(), row.fate))
            })
            .collect()
    }

    /// Deletes an object, with what dies with it; refused where something stops it.
    fn remove(&mut self, id: &str) -> Result<(), String> {
        let named = self.named_by(id);
        if let Some((other, _)) = named.iter().find(|(_, fate)| *fate == Fate::Stops) {
            return Err(format!("{id} cannot be deleted before {other}"));
        }
        for (other, _) in named.iter().filter(|(_, fate)| *fate == Fate::DiesWith) {
            self.objects.remove(other);
        }
        self.objects.remove(id);
        Ok(())
    }

    /// Someone outside changes the tags of an object.
    pub fn drift(&mut self, id: &str) {
        if let Some(object) = self.objects.get_mut(id)
            && object.live.get("tags").is_some()
        {
            object.live["tags"]["plain"] = json!("by someone");
        }
    }

    /// Runs the steps of a plan, `pick` choosing among those that are due; at most `limit`.
    /// Gives the state then, or what the cloud refused.
    pub fn apply(
        &mut self,
        (stack, planned, world): (&Stack, &Planned, &World),
        limit: usize,
        mut pick: impl FnMut(usize) -> usize,
    ) -> Result<State, String> {
        let nothing = |path: &str| Err(format!("{path}: no file here"));
        let mut applying = Applying::new(stack, native(), (planned, world), &nothing);
        let steps = &planned.plan.steps;
        let mut done: BTreeSet<StepId> = BTreeSet::new();
        while done.len() < steps.len().min(limit) {
            let due: Vec<StepId> = (0..steps.len())
                .filter(|id| !done.contains(id) && steps[*id].after.is_subset(&done))
                .collect();
            let id = due[pick(due.len()) % due.len()];
            let resolved = applying
                .resolve(id)
                .map_err(|error| format!("{}: {error}", steps[id].address))?;
            if let Resolved::Call { work, .. } = resolved {
                let early = comes_before_a_create(steps, id);
                let outcome = self
                    .call(work.call, early)
                    .map_err(|refused| format!("{}: {refused}", steps[id].address))?;
                applying.record(id, outcome);
            }
            done.insert(id);
        }
        if done.len() < steps.len() {
            return Ok(applying.state().clone());
        }
        applying.finish().map_err(|error| error.to_string())
    }

    fn call(&mut self, call: Call, early: bool) -> Result<Outcome, String> {
        let (id, outputs) = match call {
            Call::Create {
                kind,
                inputs,
                decided,
            } => self.create(kind, &inputs, &decided)?,
            Call::Update { id, inputs, .. } => {
                let object = self.objects.get_mut(&id).ok_or("there is no such object")?;
                let outputs = outputs_of(object.kind, &object.live);
                object.live = Attributes::of(&inputs, &outputs);
                (id, outputs)
            }
            Call::Delete { id, .. } => {
                if let Some(user) = self.user(&id, early) {
                    return Err(format!("{id} is in use by {user}"));
                }
                self.remove(&id)?;
                (id, Attributes::default())
            }
            Call::Read { .. } => return Err("nothing to read here".to_owned()),
        };
        Ok(Outcome {
            id,
            outputs,
            error: None,
        })
    }

    fn create(
        &mut self,
        kind: &'static dyn ResourceType,
        inputs: &Inputs,
        decided: &Map<String, Value>,
    ) -> Result<(String, Attributes), String> {
        self.made += 1;
        let id = format!("={}=", self.made);
        let mut outputs = Map::new();
        for name in kind.schema().output_names() {
            let value = inputs.get(name).or_else(|| decided.get(name));
            let value = value.cloned().unwrap_or_else(|| match name {
                "attachmentCount" => json!(0),
                name => json!(format!("{name}{id}")),
            });
            outputs.insert(name.to_owned(), value);
        }
        let outputs = Attributes::new(outputs);
        let live = Attributes::of(inputs, &outputs);
        let name = name_of(kind, &live);
        let taken = self.objects.iter().find(|(_, other)| {
            name.is_some()
                && other.kind.name() == kind.name()
                && name_of(other.kind, &other.live) == name
        });
        if let Some((other, _)) = taken {
            return Err(format!("the name of {} is taken by {other}", *live));
        }
        let object = Object { kind, live };
        for row in kind.parents() {
            let mut parents = self.objects.values();
            let is_given = Path::dotted(row.property).get(&object.live).is_some();
            if is_given && row.fate != Fate::Survives && !parents.any(|it| names(&object, row, it))
            {
                return Err(format!("{} names no {}", *object.live, row.type_name));
            }
        }
        self.objects.insert(id.clone(), object);
        Ok((id, outputs))
    }

    /// Who uses the object: refers to one of its outputs, beyond just naming it in a text.
    /// For a deletion that must be early only those count that cannot be changed.
    fn user(&self, id: &str, early: bool) -> Option<&str> {
        let object = self.objects.get(id)?;
        let outputs = outputs_of(object.kind, &object.live);
        let inputs = outputs.as_object()?.values().filter_map(Value::as_str);
        // A name that the file gives says nothing of who uses whom.
        let drawn = object.kind.name().starts_with("random:");
        let marks: Vec<&str> = inputs.filter(|text| drawn || text.contains(id)).collect();
        let uses = |other: &Object| {
            let schema = other.kind.schema();
            let live = other.live.as_object().into_iter().flatten();
            live.filter(|(name, _)| {
                let path = Path::root().join(name);
                schema.has_property(name)
                    && !schema.flag(&path, "weak")
                    && (!early || schema.flag(&path, "createOnly"))
            })
            .any(|(_, value)| {
                let text = value.to_string();
                marks.iter().any(|mark| text.contains(mark))
            })
        };
        let mut others = self.objects.iter().filter(|(other, _)| *other != id);
        others
            .find(|(_, other)| uses(other))
            .map(|(other, _)| other.as_str())
    }
}

/// Whether the row's property of an object names another one.
fn names(object: &Object, row: &Parent, parent: &Object) -> bool {
    let value = Path::dotted(row.property).get(&object.live);
    let Some(key) = value.and_then(Value::as_str).map(row.key) else {
        return false;
    };
    let mut outputs = row
        .by
        .iter()
        .filter_map(|name| parent.live.get(*name)?.as_str());
    parent.kind.name() == row.type_name && outputs.any(|value| (row.key)(value) == key)
}

/// Whether a create waits for the step: then it cannot wait for its users' changes, which
/// may need what is created.
fn comes_before_a_create(steps: &[Step], id: StepId) -> bool {
    let mut before = BTreeSet::from([id]);
    loop {
        let more: Vec<StepId> = (0..steps.len())
            .filter(|at| !before.contains(at) && !steps[*at].after.is_disjoint(&before))
            .collect();
        if more.is_empty() {
            break;
        }
        before.extend(more);
    }
    before
        .iter()
        .any(|at| matches!(steps[*at].op, Op::Create { .. }))
}

fn outputs_of(kind: &dyn ResourceType, live: &Attributes) -> Attributes {
    let names: BTreeSet<&str> = kind.schema().output_names().collect();
    let live = live.as_object().into_iter().flatten();
    let outputs = live
        .filter(|(name, _)| names.contains(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()));
    Attributes::new(outputs.collect::<Map<_, _>>())
}

fn name_of(kind: &dyn ResourceType, live: &Attributes) -> Option<Vec<Value>> {
    let identity = kind.identity();
    let parts: Option<Vec<Value>> = identity
        .iter()
        .map(|name| live.get(*name).cloned())
        .collect();
    parts.filter(|parts| !parts.is_empty())
}

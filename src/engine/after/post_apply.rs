//! The promise that a plan right after an apply is empty, checked by the apply itself.

use crate::data::Path;
use crate::engine::address::block;
use crate::engine::plan::graph::{self, Uses};
use crate::engine::plan::planned::{Options, Planned, Request};
use crate::engine::plan::rewrite;
use crate::engine::plan::values::ReadFile;
use crate::engine::plan::{Action, Change};
use crate::engine::world::World;
use crate::lang::stack::Stack;
use crate::resource::types::Types;
use crate::store::state::State;
use std::collections::{BTreeMap, BTreeSet};

/// A difference where there should be none.
#[derive(Debug, Clone, PartialEq)]
pub struct Remaining {
    /// The resource.
    pub address: String,
    /// Its type.
    pub type_name: String,
    /// The whole row; its differences name the properties.
    pub change: Change,
}

/// What was applied.
pub struct After<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// The types.
    pub types: &'a Types,
    /// The world that the plan was computed from.
    pub world: &'a World,
    /// The state after the run.
    pub state: &'a State,
    /// The addresses that the run created or updated.
    pub touched: &'a BTreeSet<String>,
    /// Reads files for `file()`.
    pub read_file: ReadFile<'a>,
}

/// Plans again what the run touched, from what the creates, updates and reads of the run returned:
/// it sends no call. Only the blocks that the touched ones need are evaluated, so that a small
/// change of a large stack costs little. What depends on data that was read while applying is
/// unknown here and is skipped.
pub fn remaining(after: &After<'_>) -> Vec<Remaining> {
    if after.touched.is_empty() {
        return Vec::new();
    }
    let uses = graph::uses(after.stack, after.types);
    let needed = needed(&uses, after.touched);
    let narrowed;
    let stack = if after
        .stack
        .resources
        .keys()
        .all(|name| needed.contains(name))
    {
        after.stack
    } else {
        narrowed = Stack {
            resources: part(&after.stack.resources, |name| needed.contains(name)),
            ..without_parts(after.stack)
        };
        &narrowed
    };
    let state = State {
        resources: part(&after.state.resources, |address| {
            needed.contains(block(address))
        }),
        deposed: BTreeMap::new(),
        outputs: BTreeMap::new(),
        pending: Vec::new(),
        ..State::empty(
            &after.state.stack,
            after.state.env.as_deref(),
            after.state.lineage.clone(),
        )
    };
    let world = World {
        seed: after.world.seed,
        unix_time: after.world.unix_time,
        identity: after.world.identity.clone(),
        region: after.world.region.clone(),
        data: after.world.data.clone(),
        files: after.world.files.clone(),
        key: after.world.key.clone(),
        ..World::new(state)
    };
    let planned = rewrite::plan(&Request {
        types: after.types,
        stack,
        world: &world,
        options: &Options::default(),
        read_file: after.read_file,
    });
    let mut remaining = remaining_in(&planned, |address| after.touched.contains(address));
    for found in &mut remaining {
        let known = |row: &crate::engine::plan::Difference| {
            row.desired.as_ref().is_none_or(crate::data::Data::is_known)
        };
        found.change.differences.retain(known);
    }
    remaining.retain(|found| {
        found.change.action != Action::Update || !found.change.differences.is_empty()
    });
    remaining
}

/// What a plan would still do with resources of the file.
pub fn remaining_in(planned: &Planned, wanted: impl Fn(&str) -> bool) -> Vec<Remaining> {
    let rows = planned.plan.changes.iter();
    rows.filter(|row| !matches!(row.action, Action::NoOp | Action::Read))
        .filter(|row| wanted(&row.address))
        .map(|row| Remaining {
            address: row.address.clone(),
            type_name: row.type_name.clone(),
            change: row.clone(),
        })
        .collect()
}

impl Remaining {
    /// The properties that differ; the whole resource where it is not about properties.
    pub fn paths(&self) -> Vec<Path> {
        let rows = self.change.differences.iter();
        rows.map(|row| row.path.clone()).collect()
    }
}

/// The blocks of the addresses, and all that they need.
fn needed(uses: &BTreeMap<String, Uses>, touched: &BTreeSet<String>) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let mut todo: Vec<&str> = touched.iter().map(|address| block(address)).collect();
    while let Some(name) = todo.pop() {
        if needed.insert(name.to_owned())
            && let Some(uses) = uses.get(name)
        {
            todo.extend(uses.all.iter().map(String::as_str));
        }
    }
    needed
}

fn part<T: Clone>(all: &BTreeMap<String, T>, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, T> {
    let entries = all.iter().filter(|(name, _)| wanted(name));
    entries
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The stack without its resources and outputs, which are many in a large one.
fn without_parts(stack: &Stack) -> Stack {
    Stack {
        name: stack.name.clone(),
        description: None,
        dir: stack.dir.clone(),
        env: stack.env.clone(),
        variables: stack.variables.clone(),
        aws: stack.aws.clone(),
        locals: stack.locals.clone(),
        data: stack.data.clone(),
        ..Stack::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Attributes, Inputs};
    use crate::lang::load::{Given, load};
    use crate::store::state::{ResourceState, StateChange};
    use serde_json::{Value, json};

    const STACK: &str = "
name: s
resources:
  queue: {type: 'aws:sqs:Queue', properties: {name: a, delaySeconds: 5}}
  user: {type: 'aws:sqs:Queue', properties: {name: '${queue.name}-b', delaySeconds: 7}}
  other: {type: 'aws:sqs:Queue', properties: {name: c}}
";

    fn remaining_with(inputs: &[(&str, Value)], touched: &[&str]) -> Vec<(String, Vec<String>)> {
        let file = ("s.yaml".to_owned(), STACK.as_bytes().to_vec());
        let loaded = load(file, None, ".".into(), &Given::default());
        assert_eq!(loaded.diagnostics, []);
        let mut state = State::empty("s", None, "l".to_owned());
        for (address, inputs) in inputs {
            state.change(StateChange::Put {
                address: (*address).to_owned(),
                resource: Box::new(ResourceState {
                    type_name: "aws:sqs:Queue".to_owned(),
                    id: "1".to_owned(),
                    inputs: Inputs::new(inputs.clone()),
                    outputs: Attributes::new(inputs.clone()),
                    ..ResourceState::default()
                }),
            });
        }
        let touched = touched.iter().map(|name| (*name).to_owned()).collect();
        let found = remaining(&After {
            types: crate::resource::table::native(),
            stack: &loaded.stack,
            world: &World::new(State::empty("s", None, "l".to_owned())),
            state: &state,
            touched: &touched,
            read_file: &|_: &str| Err("no file".to_owned()),
        });
        let told = |one: &Remaining| one.paths().iter().map(ToString::to_string).collect();
        found
            .iter()
            .map(|one| (one.address.clone(), told(one)))
            .collect()
    }

    #[test]
    fn only_what_was_touched_counts_and_each_property_is_named() {
        let queue = json!({"name": "a", "delaySeconds": 5});
        let user = json!({"name": "a-b", "delaySeconds": 7});
        let good = [("queue", queue.clone()), ("user", user.clone())];
        assert_eq!(remaining_with(&good, &["queue", "user"]), []);
        let wrong = json!({"name": "a-b", "delaySeconds": 8});
        let bad = [("queue", queue.clone()), ("user", wrong)];
        let told = [("user".to_owned(), vec!["delaySeconds".to_owned()])];
        assert_eq!(remaining_with(&bad, &["queue", "user"]), told);
        assert_eq!(remaining_with(&bad, &["user"]), told);
        assert_eq!(remaining_with(&bad, &["queue"]), []);
        // What a create should have left in the state and did not.
        let told = [("user".to_owned(), vec![])];
        assert_eq!(remaining_with(&[("queue", queue)], &["user"]), told);
        assert_eq!(remaining_with(&[], &[]), []);
    }
}

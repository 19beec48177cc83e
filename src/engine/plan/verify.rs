//! A second check of a plan, independent of how it was computed: what must hold for every plan.

use super::relations::named_by;
use super::{Op, Plan, Step, StepId};
use crate::data::Path;
use crate::engine::world::World;
use crate::resource::relation::Fate;
use crate::resource::types::Types;
use crate::store::state::deposed_address;
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a plan; nothing, if it is a good one.
pub fn faults(plan: &Plan, world: &World, types: &Types) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(before) = closure(plan) else {
        return vec!["the steps wait for each other in a circle".to_owned()];
    };
    one_generation(plan, world, &before, &mut faults);
    deletes_after_users(plan, world, &before, &mut faults);
    nothing_lost((plan, world, types), &before, &mut faults);
    accounted_for(plan, &mut faults);
    faults
}

/// For each step all that come before it; none where there is a circle.
fn closure(plan: &Plan) -> Option<Vec<BTreeSet<StepId>>> {
    let count = plan.steps.len();
    let mut before: Vec<Option<BTreeSet<StepId>>> = vec![None; count];
    for _ in 0..=count {
        let mut moved = false;
        for (id, step) in plan.steps.iter().enumerate() {
            if before[id].is_some() || step.after.iter().any(|after| before[*after].is_none()) {
                continue;
            }
            let mut all = step.after.clone();
            for after in &step.after {
                all.extend(before[*after].iter().flatten().copied());
            }
            before[id] = Some(all);
            moved = true;
        }
        if !moved {
            break;
        }
    }
    before.into_iter().collect()
}

/// An address has at most one create, and the previous resource is deleted or deposed by then.
fn one_generation(
    plan: &Plan,
    world: &World,
    before: &[BTreeSet<StepId>],
    faults: &mut Vec<String>,
) {
    let mut creates: BTreeMap<&str, StepId> = BTreeMap::new();
    for (id, step) in plan.steps.iter().enumerate() {
        if let Op::Create { .. } = step.op
            && creates.insert(&step.address, id).is_some()
        {
            faults.push(format!("{} is created twice", step.address));
        }
    }
    for (address, create) in creates {
        let exists = world.state.resources.contains_key(address)
            && !matches!(
                world.live.get(address),
                Some(crate::engine::world::Observed::NotFound)
            );
        let cleared = before[create].iter().any(|id| {
            let step = &plan.steps[*id];
            let clears = matches!(
                step.op,
                Op::Depose { .. } | Op::Delete { deposed: None } | Op::Forget { deposed: None }
            );
            step.address == address && clears
        });
        if exists && !cleared {
            faults.push(format!(
                "{address} is created over a generation that is still there"
            ));
        }
    }
}

/// A resource is deleted only after every resource of the state that depends on its address and is
/// deleted too, deposed ones included.
fn deletes_after_users(
    plan: &Plan,
    world: &World,
    before: &[BTreeSet<StepId>],
    faults: &mut Vec<String>,
) {
    let state = &world.state;
    let is_deposed = |address: &str, key: &str| {
        let generations = state.deposed.get(address);
        generations.is_some_and(|generations| generations.contains_key(key))
    };
    // What each deletion deletes: a resource that was deposed before, or the current one.
    let mut deletes: BTreeMap<(&str, Option<&str>), StepId> = BTreeMap::new();
    for (id, step) in plan.steps.iter().enumerate() {
        if let Op::Delete { deposed } = &step.op {
            let key = deposed.as_deref();
            let key = key.filter(|key| is_deposed(&step.address, key));
            deletes.insert((&step.address, key), id);
        }
    }
    let current = state.resources.iter();
    let current = current.map(|(address, known)| (address.as_str(), None, known));
    let deposed = state.deposed.iter().flat_map(|(address, generations)| {
        let known = generations.iter();
        known.map(|(key, known)| (address.as_str(), Some(key.as_str()), known))
    });
    for (user, key, known) in current.chain(deposed) {
        let Some(gone) = deletes.get(&(user, key)) else {
            continue;
        };
        for ((address, key), id) in &deletes {
            let object = key.map_or((*address).to_owned(), |key| deposed_address(address, key));
            if *address != user
                && known.dependencies.contains(&object)
                && !before[*id].contains(gone)
            {
                faults.push(format!("{address} is deleted before its user {user}"));
            }
        }
    }
}

/// What would be deleted with a resource, or blocks its deletion, is deleted or changed before it;
/// its replacement is created after the resource's replacement.
fn nothing_lost(
    (plan, world, types): (&Plan, &World, &Types),
    before: &[BTreeSet<StepId>],
    faults: &mut Vec<String>,
) {
    let deleted = |step: &Step| match &step.op {
        Op::Delete { deposed: None } => Some((step.address.clone(), None)),
        _ => None,
    };
    let objects = plan.steps.iter().filter_map(deleted).collect();
    let find = |address: &str, which: &dyn Fn(&Op) -> bool| {
        let mut steps = plan.steps.iter();
        steps.position(|step| step.address == address && which(&step.op))
    };
    let creates = |op: &Op| matches!(op, Op::Create { .. });
    for named in named_by(types, &world.state, &objects) {
        let ((child, None), (parent, _)) = (&named.child, &named.parent) else {
            continue;
        };
        let gone = matches!(
            world.live.get(child),
            Some(crate::engine::world::Observed::NotFound)
        );
        if named.row.fate == Fate::Survives || gone {
            continue;
        }
        let leaves = |op: &Op| {
            matches!(
                op,
                Op::Delete { .. } | Op::Forget { .. } | Op::Depose { .. } | Op::Update { .. }
            )
        };
        let Some(goes) = find(parent, &|op| matches!(op, Op::Delete { deposed: None })) else {
            continue;
        };
        match find(child, &leaves) {
            None => faults.push(format!("{child} is lost with {parent}, or in its way")),
            Some(left) if !before[goes].contains(&left) => {
                faults.push(format!(
                    "{parent} is deleted before {child}, which names it"
                ));
            }
            Some(_) => {}
        }
        let known = world.state.resources.get(child);
        let still_names = |id: StepId| match (&plan.steps[id].op, known) {
            (Op::Create { inputs, .. }, Some(known)) => {
                let path = Path::dotted(named.row.property);
                plan.steps[id].type_name == known.type_name
                    && path.get(&inputs.value) == path.get(&known.inputs)
            }
            _ => false,
        };
        let still_named = |id: StepId| match (&plan.steps[id].op, world.state.resources.get(parent))
        {
            (
                Op::Create {
                    inputs, decided, ..
                },
                Some(known),
            ) => {
                let mut names = named.row.by.iter();
                names.any(|name| {
                    let new = inputs.value.get(name).or_else(|| decided.get(*name));
                    new.is_some() && new == known.outputs.get(name)
                })
            }
            _ => false,
        };
        if let (Some(one), Some(other)) = (find(child, &creates), find(parent, &creates))
            && still_names(one)
            && still_named(other)
            && !before[one].contains(&other)
        {
            faults.push(format!(
                "{child} is created before {parent}, which it names"
            ));
        }
    }
}

/// Every step that calls belongs to a row that people can read.
fn accounted_for(plan: &Plan, faults: &mut Vec<String>) {
    for step in &plan.steps {
        let shown = plan
            .changes
            .iter()
            .any(|change| change.address.starts_with(&step.address) && !change.is_nothing());
        let keeps = matches!(step.op, Op::UpdateState { .. });
        if !shown && !keeps {
            faults.push(format!(
                "a step for {} is in no row of the plan",
                step.address
            ));
        }
    }
}

//! The order among resources that set something on the same parent, as their types declare it.
//!
//! The order among siblings, and after what is named by a value, are edges that are omitted where
//! they would close a circle: what the file asks for wins.

use super::order::Edge;
use super::order::Order;
use super::planned::Planned;
use super::relations::{self, Parents};
use super::{Action, StepId};
use crate::data::Path;
use crate::resource::ResourceType;
use crate::resource::relation::After;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A resource with steps.
struct Actor<'a> {
    kind: &'static dyn ResourceType,
    /// The step after which its new generation, or its change, exists.
    makes: Option<StepId>,
    /// The step that deletes what there was.
    deletes: Option<StepId>,
    /// Its properties as they were; null where it is new.
    before: &'a Value,
    /// Its properties as they are going to be; null where it goes.
    after: &'a Value,
    is_update: bool,
    /// What it has for a parent, by property.
    parents: Vec<(&'static str, String)>,
}

/// The edges that the types ask for.
pub(super) fn edges(order: &Order<'_>, planned: &Planned) -> Vec<Edge> {
    let actors = actors(order, planned);
    let mut groups: BTreeMap<(&str, &str, &str), Vec<usize>> = BTreeMap::new();
    for (at, actor) in actors.iter().enumerate() {
        let type_name = actor.kind.name();
        for (property, parent) in &actor.parents {
            let group = groups.entry((property, parent, type_name)).or_default();
            group.push(at);
        }
    }
    let mut edges = Vec::new();
    for own in &actors {
        for row in own.kind.after() {
            let parents = own.parents.iter();
            for (property, parent) in parents.filter(|(property, _)| *property == row.property) {
                let siblings = groups.get(&(*property, parent.as_str(), row.type_name));
                for at in siblings.into_iter().flatten() {
                    edges.extend(between(row, own, &actors[*at]));
                }
            }
        }
    }
    edges
}

/// What the order of two siblings is.
fn between(row: &After, own: &Actor<'_>, sibling: &Actor<'_>) -> Vec<Edge> {
    let props = |actor: &Actor<'_>| match actor.after {
        Value::Null => actor.before.clone(),
        after => after.clone(),
    };
    let closes = sibling.is_update && (row.closes)(sibling.before, sibling.after);
    let mut edges = Vec::new();
    if (row.applies)(&props(own), &props(sibling)) {
        edges.extend(match (own.makes, sibling.makes, sibling.deletes) {
            (Some(own), Some(sibling), _) if closes => Some((sibling, own)),
            (Some(own), Some(sibling), _) => Some((own, sibling)),
            (Some(own), None, Some(gone)) if row.after_deletion => Some((own, gone)),
            (Some(own), None, Some(gone)) => Some((gone, own)),
            _ => None,
        });
    }
    if let (Some(own_gone), Value::Object(_)) = (own.deletes, own.before)
        && (row.applies)(own.before, sibling.before)
    {
        let gone = sibling.deletes.filter(|_| row.deleted_before);
        edges.extend(gone.map(|gone| (gone, own_gone)));
        let closed = sibling.makes.filter(|_| closes);
        edges.extend(closed.map(|closed| (closed, own_gone)));
    }
    edges
}

/// The properties by which types identify siblings, and the types involved.
fn involved(order: &Order<'_>) -> (BTreeSet<&'static str>, HashSet<&'static str>) {
    let (mut properties, mut types) = (BTreeSet::new(), HashSet::new());
    let names: HashSet<&str> = order
        .steps
        .iter()
        .map(|step| step.type_name.as_str())
        .collect();
    for kind in names
        .into_iter()
        .filter_map(|name| order.types.resource(name))
    {
        for row in kind.after() {
            properties.insert(row.property);
            types.extend([kind.name(), row.type_name]);
        }
    }
    (properties, types)
}

/// The resources with steps of types that have to do with it.
fn actors<'a>(order: &Order<'a>, planned: &'a Planned) -> Vec<Actor<'a>> {
    let (properties, types) = involved(order);
    if types.is_empty() {
        return Vec::new();
    }
    let parents = Parents::of(&planned.instances, &planned.links);
    let state = &order.world.state;
    let deletions = order.deletion_steps();
    let deletes = |address: &str, key: Option<&str>| deletions.get(&(address, key)).copied();
    let parent = |kind: &'static dyn ResourceType, property: &str, props: &Value| {
        let path = Path::dotted(property);
        relations::group(relations::row(kind, property), path.get(props))
    };
    let mut actors = Vec::new();
    let mut seen = HashSet::new();
    for (at, found) in planned.instances.iter().enumerate() {
        let change = &found.change;
        seen.insert(change.address.as_str());
        let makes = order.makes.get(&change.address).copied();
        let deletes = deletes(&change.address, None);
        let steps = makes.is_some() || deletes.is_some();
        if !steps || !types.contains(found.kind.name()) {
            continue;
        }
        let (Some(after), known) = (&change.after, state.resources.get(&change.address)) else {
            continue;
        };
        let live = change.before.as_ref().map(|before| &before.value);
        let by = |property: &&'static str| Some((*property, parents.key(at, property)?));
        actors.push(Actor {
            kind: found.kind,
            makes,
            deletes,
            before: live
                .or(known.map(|known| &*known.inputs))
                .unwrap_or(&Value::Null),
            after: &after.value,
            is_update: change.action == Action::Update,
            parents: properties.iter().filter_map(by).collect(),
        });
    }
    for ((address, key), step) in &deletions {
        let object = ((*address).to_owned(), key.map(str::to_owned));
        let Some(known) = relations::resource_of(state, &object) else {
            continue;
        };
        let kind = order.types.resource(&known.type_name);
        let kind = kind.filter(|kind| types.contains(kind.name()));
        let Some(kind) = kind.filter(|_| key.is_some() || !seen.contains(address)) else {
            continue;
        };
        let by =
            |property: &&'static str| Some((*property, parent(kind, property, &known.inputs)?));
        actors.push(Actor {
            kind,
            makes: None,
            deletes: Some(*step),
            before: &known.inputs,
            after: &Value::Null,
            is_update: false,
            parents: properties.iter().filter_map(by).collect(),
        });
    }
    actors
}

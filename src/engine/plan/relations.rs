//! Which resource names which, by a reference or by a value that both know; and what follows:
//! what excludes each other, and what is replaced along with the resource that it names.

use super::instance::Instance;
use crate::data::Path;
use crate::engine::address::ResourceKey;
use crate::resource::ResourceType;
use crate::resource::relation::Parent;
use crate::resource::types::Types;
use crate::store::state::{ResourceState, State};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// A resource of the file, and one that a property of it names.
#[derive(Debug, Clone)]
pub struct Link {
    /// The number of the one that names among the instances.
    pub(super) child: usize,
    /// The number of the one that is named.
    pub(super) parent: usize,
    /// What the type says of the two.
    pub(super) row: &'static Parent,
    /// The property.
    pub(super) path: Path,
}

/// A resource of the state, and one that a property of it names.
pub(super) struct Named {
    pub(super) child: ResourceKey,
    pub(super) parent: ResourceKey,
    pub(super) row: &'static Parent,
}

/// Why a resource is replaced that would stay as it is for itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Forced {
    /// A clause.
    pub(super) reason: String,
    /// The address of what it is replaced along with; it is then deleted before that is.
    pub(super) along: Option<String>,
}

/// The strings that a property holds, each with its place: one, or those of a list.
pub(super) fn texts(path: &str, props: &Value) -> Vec<(Path, Option<String>)> {
    let path = Path::dotted(path);
    match path.get(props) {
        Some(Value::Array(list)) => (0..list.len())
            .map(|at| (path.join(at), list[at].as_str().map(str::to_owned)))
            .collect(),
        Some(Value::String(text)) => vec![(path, Some(text.clone()))],
        _ => vec![(path, None)],
    }
}

/// A resource of the state.
pub(super) fn resource_of<'s>(
    state: &'s State,
    (address, key): &ResourceKey,
) -> Option<&'s ResourceState> {
    state.resource(address, key.as_deref())
}

/// The outputs of a resource by which a row names it, in comparable form.
pub(super) fn outputs<'s>(
    known: &'s ResourceState,
    row: &'static Parent,
) -> impl Iterator<Item = String> + 's {
    let values = row.by.iter().filter_map(|name| {
        let output = known.outputs.get(*name).or_else(|| known.inputs.get(*name));
        output?.as_str()
    });
    values.map(|value| (row.key)(value))
}

/// Every resource of a state.
pub(super) fn resources(state: &State) -> impl Iterator<Item = (ResourceKey, &ResourceState)> {
    let current = state.resources.iter();
    let current = current.map(|(address, known)| ((address.clone(), None), known));
    let deposed = state.deposed.iter().flat_map(|(address, generations)| {
        let known = generations.iter();
        known.map(|(key, known)| ((address.clone(), Some(key.clone())), known))
    });
    current.chain(deposed)
}

/// By the state: what names these resources.
pub(super) fn named_by(
    types: &Types,
    state: &State,
    parents: &BTreeSet<ResourceKey>,
) -> Vec<Named> {
    let mut by_type: HashMap<&str, Vec<(&ResourceKey, &ResourceState)>> = HashMap::new();
    for object in parents {
        if let Some(known) = resource_of(state, object) {
            let them = by_type.entry(known.type_name.as_str()).or_default();
            them.push((object, known));
        }
    }
    let mut found = Vec::new();
    if by_type.is_empty() {
        return found;
    }
    type ByKey<'a> = HashMap<String, Vec<&'a ResourceKey>>;
    let mut index: HashMap<(&str, &str), ByKey<'_>> = HashMap::new();
    for (child, known) in resources(state) {
        let kind = types.resource(&known.type_name);
        let rows = kind.map(ResourceType::parents).unwrap_or_default();
        for row in rows {
            let Some(parents) = by_type.get(row.type_name) else {
                continue;
            };
            let by = index
                .entry((known.type_name.as_str(), row.property))
                .or_insert_with(|| {
                    let mut by = ByKey::new();
                    for (object, parent) in parents {
                        for key in outputs(parent, row) {
                            by.entry(key).or_default().push(object);
                        }
                    }
                    by
                });
            let texts = texts(row.property, &known.inputs).into_iter();
            let keys: BTreeSet<String> = texts
                .filter_map(|(_, text)| text.as_deref().map(row.key))
                .collect();
            let named = keys.iter().filter_map(|key| by.get(key)).flatten();
            let named = named
                .filter(|parent| ***parent != child)
                .map(|parent| Named {
                    child: child.clone(),
                    parent: (*parent).clone(),
                    row,
                });
            found.extend(named.collect::<Vec<_>>());
        }
    }
    found
}

/// The parent of a resource by one of its properties, in a form in which siblings have the same:
/// what is known of its name, else the resource that the property refers to.
pub(super) fn group(row: Option<&Parent>, value: Option<&Value>) -> Option<String> {
    if value.is_some_and(Value::is_object) {
        // The whole of the properties: the parent is the account and region.
        return Some(String::new());
    }
    let text = value?.as_str()?;
    Some(row.map_or_else(|| text.to_owned(), |row| (row.key)(text)))
}

/// What the resources of the file have for parents.
pub(super) struct Parents<'p> {
    instances: &'p [Instance],
    named: HashMap<(usize, &'p Path), usize>,
}

impl<'p> Parents<'p> {
    pub(super) fn of(instances: &'p [Instance], links: &'p [Link]) -> Self {
        let named = links.iter();
        let named = named.map(|link| ((link.child, &link.path), link.parent));
        Self {
            instances,
            named: named.collect(),
        }
    }

    /// The parent of an instance by one of its properties, in a form in which siblings have the
    /// same.
    pub(super) fn key(&self, at: usize, property: &str) -> Option<String> {
        let found = &self.instances[at];
        let after = found.change.after.as_ref()?;
        if property.is_empty() {
            return Some(String::new());
        }
        let path = Path::dotted(property);
        match (after.unknown_at(&path), self.named.get(&(at, &path))) {
            (Some(_), Some(parent)) => Some(format!("@{}", self.instances[*parent].change.address)),
            (Some(expression), None) => Some(expression.to_owned()),
            (None, _) => group(row(found.kind, property), path.get(&after.value)),
        }
    }
}

/// The row of a type for a property.
pub(super) fn row(kind: &dyn ResourceType, property: &str) -> Option<&'static Parent> {
    kind.parents().iter().find(|row| row.property == property)
}

//! What follows from which resource names which: what excludes each other, and what is replaced
//! along with the resource that it names.
//!
//! What would be deleted with a resource that is replaced under its own name, or block its
//! deletion, is forced to be replaced: the plan is computed again with that, until nothing more is
//! found, so that everything that depends on it follows. A create waits until no resource has its
//! name, though the deletion step ends early, and is retried while the service still has the old
//! one (`Error::StillThere`).

use super::Action;
use super::identity::{self, Same};
use super::instance::Instance;
use super::mistakes::violation;
use super::planned::FAULTY;
use super::planner::Planner;
use super::relations::{Forced, Link, Named, Parents, named_by, outputs, resource_of, texts};
use super::rules::properties;
use crate::data::{Attributes, Path};
use crate::engine::address;
use crate::engine::address::ResourceKey;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::resource::Rules;
use crate::resource::relation::{Conflict, Fate, Parent};
use crate::store::state::{ResourceState, State};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the output of a resource is going to be, as far as that is known; of one that stays in
/// place what it is.
fn output(instance: &Instance, name: &str, state: &State) -> Option<String> {
    let change = &instance.change;
    let path = Path::root().join(name);
    let after = change.after.as_ref();
    if after.is_some_and(|after| after.unknown_at(&path).is_some()) {
        return None;
    }
    let written = after.and_then(|after| after.value.get(name));
    let decided = change.decided.get(name);
    let known = state.resources.get(&change.address);
    // What is replaced under its own name has the same ARN or URL again; an id is its own.
    let again = |known: &ResourceState| name != "id" && compared(instance, known) == Same::Yes;
    let known = known.filter(|known| match change.action {
        Action::NoOp | Action::Update => true,
        _ => change.action.is_replace() && again(known),
    });
    let known = known.and_then(|known| known.outputs.get(name));
    let found = written.or(decided).or(known);
    found.and_then(Value::as_str).map(str::to_owned)
}

/// The instances of each type by what a row's outputs of them are.
struct ByOutput<'p, 'a> {
    planner: &'p Planner<'a>,
    by_type: HashMap<&'p str, Vec<usize>>,
    found: HashMap<(&'static str, &'static str), HashMap<String, usize>>,
}

impl ByOutput<'_, '_> {
    fn get(&mut self, child: &'static str, row: &'static Parent, text: &str) -> Option<usize> {
        let Self {
            planner,
            by_type,
            found,
        } = self;
        let by = found.entry((child, row.property)).or_insert_with(|| {
            let state = &planner.request.world.state;
            let mut by = HashMap::new();
            for at in by_type.get(row.type_name).into_iter().flatten() {
                for name in row.by {
                    if let Some(value) = output(&planner.out.instances[*at], name, state) {
                        by.entry((row.key)(&value)).or_insert(*at);
                    }
                }
            }
            by
        });
        by.get(&(row.key)(text)).copied()
    }
}

impl Planner<'_> {
    /// Finds for each resource of the file those that its properties name, and reports those that
    /// exclude each other.
    pub(super) fn link(&mut self) {
        let mut links = Vec::new();
        let mut by_type: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, found) in self.out.instances.iter().enumerate() {
            by_type.entry(found.kind.name()).or_default().push(at);
        }
        let mut index = ByOutput {
            planner: self,
            by_type,
            found: HashMap::new(),
        };
        for (child, found) in self.out.instances.iter().enumerate() {
            let rows = found.kind.parents().iter();
            let Some(props) = found.change.after.as_ref() else {
                continue;
            };
            if props.unknown_at(&Path::root()) == Some(FAULTY) {
                continue;
            }
            for row in rows {
                if !index.by_type.contains_key(row.type_name) {
                    continue;
                }
                for (path, text) in texts(row.property, &props.value) {
                    let parent = match (props.unknown_at(&path), text) {
                        (None, Some(text)) => index.get(found.kind.name(), row, &text),
                        (Some(_), _) => self
                            .peer_at(found, &path)
                            .filter(|at| self.is_of(*at, row.type_name)),
                        (None, None) => None,
                    };
                    if let Some(parent) = parent.filter(|parent| *parent != child) {
                        links.push(Link {
                            child,
                            parent,
                            row,
                            path,
                        });
                    }
                }
            }
        }
        self.out.links = links;
        let found = self.conflicts();
        self.out.diagnostics.extend(found);
    }

    /// The numbers of the instances.
    pub(super) fn numbers(&self) -> Vec<String> {
        let instances = self.out.instances.iter();
        match self.out.links.is_empty() {
            true => Vec::new(),
            false => instances
                .map(|found| found.change.address.clone())
                .collect(),
        }
    }

    /// Gives links the numbers of the instances that are left, of these.
    pub(super) fn renumber(&mut self, all: &[String]) {
        if all.len() == self.out.instances.len() {
            return;
        }
        let left = self.out.instances.iter().enumerate();
        let left: HashMap<&str, usize> = left
            .map(|(at, found)| (found.change.address.as_str(), at))
            .collect();
        let number = |at: usize| left.get(all[at].as_str()).copied();
        let links = self.out.links.iter().filter_map(|link| {
            Some(Link {
                child: number(link.child)?,
                parent: number(link.parent)?,
                ..link.clone()
            })
        });
        self.out.links = links.collect();
    }

    fn is_of(&self, at: usize, type_name: &str) -> bool {
        self.out.instances[at].kind.name() == type_name
    }

    /// Reports what excludes the resource that it names.
    fn conflicts(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for link in &self.out.links {
            let [child, parent] = [link.child, link.parent].map(|at| &self.out.instances[at]);
            let Some(conflict) = link.row.conflict else {
                continue;
            };
            found.extend(self.conflict(conflict, child, parent));
        }
        found.extend(self.sibling_conflicts());
        found
    }

    /// What one resource says against another.
    pub(super) fn conflict(
        &self,
        conflict: Conflict,
        own: &Instance,
        other: &Instance,
    ) -> Option<Diagnostic> {
        let (Some(props), Some(others)) = (&own.change.after, &other.change.after) else {
            return None;
        };
        let alone = |props| Rules {
            props,
            peer: &|_| None,
        };
        let broken = conflict(&alone(props), &alone(others))?;
        Some(violation(&properties(own), broken))
    }

    /// Reports what excludes a sibling.
    fn sibling_conflicts(&self) -> Vec<Diagnostic> {
        let instances = &self.out.instances;
        let rows = |found: &Instance| {
            let rows = found.kind.after().iter();
            rows.filter(|row| row.conflict.is_some())
        };
        let wanted: BTreeSet<(&str, &str)> = instances
            .iter()
            .flat_map(|found| rows(found).map(|row| (row.type_name, row.property)))
            .collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let parents = Parents::of(instances, &self.out.links);
        let mut groups: HashMap<(&str, &str, String), Vec<usize>> = HashMap::new();
        for (at, found) in instances.iter().enumerate() {
            let name = found.kind.name();
            for (_, property) in wanted.iter().filter(|(wanted, _)| *wanted == name) {
                if let Some(parent) = parents.key(at, property) {
                    let group = groups.entry((name, property, parent)).or_default();
                    group.push(at);
                }
            }
        }
        let mut found = Vec::new();
        for (at, own) in instances.iter().enumerate() {
            for row in rows(own) {
                let Some((parent, conflict)) = parents.key(at, row.property).zip(row.conflict)
                else {
                    continue;
                };
                let siblings = groups.get(&(row.type_name, row.property, parent));
                let siblings = siblings.into_iter().flatten();
                found.extend(
                    siblings.filter_map(|at| self.conflict(conflict, own, &instances[*at])),
                );
            }
        }
        found
    }

    /// Finds what stays as it is while what it names is deleted, and would be lost with it or
    /// keep it from being deleted: it is replaced along where one of the same name follows, and
    /// reported where none does.
    pub(super) fn along(&mut self) {
        let going = self.going();
        if going.is_empty() || self.request.options.destroy {
            return;
        }
        let state = &self.request.world.state;
        let numbers: BTreeMap<&str, usize> = self
            .out
            .instances
            .iter()
            .enumerate()
            .map(|(at, found)| (found.change.address.as_str(), at))
            .collect();
        let mut forced = BTreeMap::new();
        let mut lost = Vec::new();
        for named in named_by(self.request.types, state, &going.keys().cloned().collect()) {
            let (address, None) = &named.child else {
                continue;
            };
            let Some(child) = numbers.get(address.as_str()) else {
                continue;
            };
            let found = &self.out.instances[*child];
            let stays = matches!(found.change.action, Action::NoOp | Action::Update);
            if named.row.fate == Fate::Survives || !stays || found.change.id.is_none() {
                continue;
            }
            let parent = &named.parent.0;
            match self.follows(*child, &named, numbers.get(parent.as_str()).copied()) {
                Follows::Same => {
                    let reason = reason(&named, going[&named.parent]);
                    let along = Some(parent.clone());
                    forced
                        .entry(address.clone())
                        .or_insert(Forced { reason, along });
                }
                Follows::None(path) => lost.push(missing(found, path, &named)),
                Follows::Unknown => {}
            }
        }
        forced.retain(|address, _| !self.forced.contains_key(address));
        if forced.is_empty() {
            self.out.diagnostics.extend(lost);
        }
        self.out.forced = forced;
    }

    /// The resources that the plan deletes at their service, and the word for it.
    fn going(&self) -> BTreeMap<ResourceKey, &'static str> {
        let mut going = BTreeMap::new();
        for change in &self.out.plan.changes {
            if change.action == Action::Delete {
                going.insert(address::resource_key(&change.address), "deleted");
            }
        }
        for found in &self.out.instances {
            if found.change.action.is_replace() && !found.options.retain_on_delete {
                going.insert((found.change.address.clone(), None), "replaced");
            }
        }
        going
    }

    /// What the property that named what goes names once the plan is applied. `replaced` is the
    /// instance of what goes, where that is replaced.
    fn follows(&self, child: usize, named: &Named, replaced: Option<usize>) -> Follows {
        let found = &self.out.instances[child];
        let state = &self.request.world.state;
        let (Some(parent), Some(props)) = (resource_of(state, &named.parent), &found.change.after)
        else {
            return Follows::Unknown;
        };
        let before: BTreeSet<String> = outputs(parent, named.row).collect();
        let is_id = named.row.by.contains(&"id");
        let again = replaced.map(|at| match compared(&self.out.instances[at], parent) {
            Same::Yes if is_id => Same::No,
            other => other,
        });
        let links = self.out.links.iter();
        let links = links.filter(|link| link.child == child && std::ptr::eq(link.row, named.row));
        for (path, text) in texts(named.row.property, &props.value) {
            let next = links.clone().find(|link| link.path == path);
            let next = next.map(|link| link.parent);
            let is_unknown = props.unknown_at(&path).is_some();
            let still = text.is_some_and(|text| before.contains(&(named.row.key)(&text)));
            if is_unknown && next.is_some() && next == replaced && again == Some(Same::Yes) {
                return Follows::Same;
            }
            if is_unknown || !still {
                continue;
            }
            return match again {
                // Its outputs are not known before it is created; its name is.
                Some(Same::Yes) => Follows::Same,
                Some(Same::Perhaps) => Follows::Unknown,
                _ if next.is_some_and(|next| Some(next) != replaced) => Follows::Same,
                _ => Follows::None(path),
            };
        }
        Follows::Unknown
    }
}

/// Whether a resource will have the name that this one has.
fn compared(instance: &Instance, known: &ResourceState) -> Same {
    let change = &instance.change;
    let Some(after) = change
        .after
        .as_ref()
        .filter(|_| change.type_name == known.type_name)
    else {
        return Same::No;
    };
    let live = Attributes::of(&known.inputs, &known.outputs);
    identity::compared(instance.kind, (after, &change.decided), &live)
}

/// What follows on what is named and goes.
enum Follows {
    /// One of the same name.
    Same,
    /// Nothing: what this property names will not exist.
    None(Path),
    /// That is not known, or something else.
    Unknown,
}

/// A clause on why a resource is replaced along.
fn reason(named: &Named, how: &str) -> String {
    let parent = &named.parent.0;
    match named.row.fate {
        Fate::Stops => format!("it stops the deletion of {parent}, which is {how}"),
        _ => format!("it dies with {parent}, which is {how}"),
    }
}

fn missing(found: &Instance, path: Path, named: &Named) -> Diagnostic {
    let place = Path::pointer("/resources")
        .join(&found.block)
        .join("properties")
        .concat(&path);
    let parent = &named.parent.0;
    let what = match named.row.fate {
        Fate::Stops => "it stops the deletion of",
        _ => "it dies with",
    };
    let address = &found.change.address;
    let message = format!(
        "{address} names {parent}, which this plan deletes: {what} {parent}, and nothing of that \
         name follows"
    );
    Diagnostic::error(Place::Value(place), message).help(format!(
        "take {address} out of the file too, or name another"
    ))
}

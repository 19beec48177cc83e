//! Warnings and errors before a loss: protected resources, what is deleted with a resource, a
//! rename that looks like a deletion and a creation.

use super::identity;
use super::instance::Instance;
use super::planner::Planner;
use super::relations;
use super::{Action, Change, NEW, Warning};
use crate::data::{Data, Path};
use crate::engine::address;
use crate::engine::address::{Address, block, quoted};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::evaluate;
use crate::resource::ResourceType;
use crate::resource::contents::Contents;
use crate::resource::relation::Fate;
use crate::resource::types::Types;
use crate::store::seal::is_sealed;
use crate::store::state::ResourceState;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    /// A mistake for each protected resource that the plan would delete or replace.
    pub(super) fn protected(&mut self) {
        let mut found = Vec::new();
        for instance in &self.out.instances {
            let change = &instance.change;
            if instance.options.protect && change.action.is_replace() {
                let message = format!(
                    "{} is protected and would be replaced: {}",
                    change.address, change.reason
                );
                found.push(
                    Diagnostic::error(Place::Value(option(&instance.block, "protect")), message)
                        .label("protected here")
                        .help("undo the change, or set options.protect to false"),
                );
            }
        }
        for change in &self.out.plan.changes {
            let (address, deposed) = address::resource_key(&change.address);
            if change.action == Action::Delete && deposed.is_none() {
                found.extend(self.protected_deletion(change, &address));
            }
        }
        self.out.diagnostics.extend(found);
    }

    /// What the file says of a flag now. What a value that is known only later says counts once it
    /// was applied.
    fn in_file(&self, template: Option<&Value>) -> Option<bool> {
        let data = evaluate(template?, &self.values).ok()?;
        data.value.as_bool()
    }

    /// Whether a resource of the state that goes is left alone: as it was last applied, or as the
    /// file says by now.
    pub(super) fn is_retained(&self, address: &str, known: &ResourceState) -> bool {
        let written = self.request.stack.resources.get(block(address));
        let template = written.and_then(|written| written.options.retain_on_delete.as_ref());
        known.options.retain_on_delete || self.in_file(template) == Some(true)
    }

    fn protected_deletion(&self, change: &Change, address: &str) -> Option<Diagnostic> {
        let name = block(address);
        let kept = self.request.world.state.resources.get(address)?;
        let written = self.request.stack.resources.get(name);
        let template = written.and_then(|written| written.options.protect.as_ref());
        let in_file = self.in_file(template);
        if !kept.options.protect && in_file != Some(true) {
            return None;
        }
        let reason = &change.reason;
        let message = format!("{address} is protected and would be deleted: {reason}");
        let diagnostic = match (template, written) {
            (Some(_), _) => {
                let place = Place::Value(option(name, "protect"));
                Diagnostic::error(place, message).label("protected here")
            }
            (None, Some(_)) => {
                let place = Place::Key(Path::pointer("/resources").join(name));
                Diagnostic::error(place, message).label("protected when it was last applied")
            }
            (None, None) => Diagnostic::error(Place::Outside, message),
        };
        Some(diagnostic.help(match (in_file, written) {
            (Some(true), _) => "set options.protect to false and apply that first",
            (_, Some(_)) => "apply the file first: it no longer protects it",
            (_, None) => {
                "put it back with options.protect set to false, apply that, then take it out"
            }
        }))
    }

    /// A mistake for each resource that would be kept by `retainOnDelete` and cannot be: replaced
    /// under its own name, or along with what it lives on; a warning where what it lives on is
    /// deleted.
    pub(super) fn retained(&mut self) {
        let mut found = Vec::new();
        for instance in &self.out.instances {
            let change = &instance.change;
            let state = &self.request.world.state;
            let known = state.resources.get(&change.address);
            let kept_by = instance.kind.kept_by().filter(|property| {
                known.is_some_and(|known| known.inputs.get(property) == Some(&true.into()))
            });
            let retained = instance.options.retain_on_delete;
            if !change.action.is_replace() || !(retained || kept_by.is_some()) {
                continue;
            }
            let forced = self.forced.get(&change.address);
            let why = if forced.is_some_and(|forced| forced.along.is_some()) {
                change.reason.clone()
            } else if instance.keeps_its_name(state) {
                format!("it would be replaced under its own name: {}", change.reason)
            } else {
                continue;
            };
            let block = Path::pointer("/resources").join(&instance.block);
            let written = &self.request.stack.resources[&instance.block].properties;
            let (word, place, help) = match kept_by.filter(|_| !retained) {
                None => (
                    "retainOnDelete",
                    Place::Value(option(&instance.block, "retainOnDelete")),
                    "undo the change, or set options.retainOnDelete to false".to_owned(),
                ),
                Some(name) => (
                    name,
                    match written.get(name) {
                        Some(_) => Place::Value(block.join("properties").join(name)),
                        None => Place::Key(block),
                    },
                    format!("undo the change; or set {name} to false, apply that, and then this"),
                ),
            };
            let message = format!("{} is to be kept ({word}), and {why}", change.address);
            let mistake = Diagnostic::error(place, message);
            found.push(mistake.label("to be kept").help(help));
        }
        self.out.diagnostics.extend(found);
        let deleted = self.out.plan.changes.iter();
        let deleted = deleted.filter(|change| change.action == Action::Delete);
        let deleted = deleted
            .map(|change| address::resource_key(&change.address))
            .collect();
        let state = &self.request.world.state;
        for named in relations::named_by(self.request.types, state, &deleted) {
            let (address, key) = &named.child;
            let mut rows = self.out.plan.changes.iter();
            let kept = rows.any(|row| {
                row.action == Action::Forget && address::resource_key(&row.address) == named.child
            });
            let known = relations::resource_of(state, &named.child);
            let retained = known.is_some_and(|known| self.is_retained(address, known));
            if !kept || !retained || key.is_some() || named.row.fate == Fate::Survives {
                continue;
            }
            let parent = &named.parent.0;
            let what = match named.row.fate {
                Fate::Stops => "stops the deletion of",
                _ => "dies with",
            };
            self.out.plan.warnings.push(Warning {
                address: Some(address.clone()),
                message: format!(
                    "{address} is to be kept (retainOnDelete), but {what} {parent}, which is \
                     deleted"
                ),
                help: Some(format!("keep {parent} too, or let {address} go")),
            });
        }
    }

    /// Reports the contents of resources that are deleted or replaced.
    pub(super) fn holdings(&mut self) {
        let world = self.request.world;
        let mut objects: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let orphans = self.out.plan.changes.iter();
        let instances = self.out.instances.iter();
        let retained = |found: &&Instance| found.options.retain_on_delete;
        let instances = instances.filter(|found| !retained(found));
        for change in orphans.chain(instances.map(|found| &found.change)) {
            let kind = self.request.types.resource(&change.type_name);
            let id = change.id.as_deref().filter(|_| goes(change));
            if let Some((holder, key)) = kind.zip(id).and_then(|(kind, id)| kind.held_at(id)) {
                let keys = objects.entry(holder.to_owned()).or_default();
                keys.insert(key.to_owned());
            }
        }
        let rows = self.out.plan.changes.iter_mut();
        let rows = rows.chain(self.out.instances.iter_mut().map(|found| &mut found.change));
        for change in rows {
            let goes = goes(change);
            let seen = world.contents.get(&change.address);
            let Some(contents) = seen.filter(|seen| goes && !seen.is_empty()) else {
                continue;
            };
            let id = change.id.clone().unwrap_or_default();
            let known = world.state.resources.get(&change.address);
            let kind = self.request.types.resource(&change.type_name);
            let emptied_by = kind
                .and_then(ResourceType::emptied_by)
                .filter(|property| !known.is_some_and(|known| known.inputs[*property] == true));
            let ours = objects.get(&id).into_iter().flatten();
            let rest = !contents.is_all_at(&ours.map(String::as_str).collect());
            let refused = emptied_by.filter(|_| rest && contents.uncounted.is_none());
            change.holds = Some(Contents {
                keeps: refused.is_some(),
                keys: BTreeMap::new(),
                ..contents.clone()
            });
            if let Some(property) = refused {
                self.out.plan.warnings.push(Warning {
                    address: Some(change.address.clone()),
                    message: format!(
                        "the deletion of {} ({id}) will be refused: it holds {}",
                        change.address,
                        contents.text()
                    ),
                    help: Some(format!(
                        "empty it; or set {property}: true, apply that, and run this again"
                    )),
                });
            }
        }
    }

    /// A deletion and a creation of similar resources are most likely a rename: reports it, with
    /// the line that declares the rename.
    pub(super) fn renames(&mut self) {
        if self.request.options.destroy || self.request.options.imports.is_some() {
            return;
        }
        let state = &self.request.world.state;
        let mut pairs: Vec<(usize, &str, &str)> = Vec::new();
        for change in &self.out.plan.changes {
            let known = state.resources.get(&change.address);
            let Some(known) = known.filter(|_| change.action == Action::Delete) else {
                continue;
            };
            for found in &self.out.instances {
                let new = &found.change;
                let is_new = new.action == Action::Create && new.reason == NEW;
                if is_new
                    && new.type_name == change.type_name
                    && let Some(score) = likeness(self.request.types, known, new)
                {
                    pairs.push((score, &change.address, &new.address));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.cmp(&a.0).then(a.cmp(b)));
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        let mut told = Vec::new();
        for (score, old, new) in &pairs {
            let rival = |other: &&(usize, &str, &str)| {
                other.0 == *score && (other.1 == *old) != (other.2 == *new)
            };
            let free = !taken.contains(old) && !taken.contains(new);
            let rivals = pairs.iter().filter(rival);
            let contested = rivals.into_iter().any(|(_, other_old, other_new)| {
                !taken.contains(other_old) && !taken.contains(other_new)
            });
            if free && !contested {
                taken.extend([*old, *new]);
                told.push(rename(old, new));
            }
        }
        self.out.plan.warnings.extend(told);
    }
}

/// Whether the plan deletes what there is.
fn goes(change: &Change) -> bool {
    change.action == Action::Delete || change.action.is_replace()
}

/// The place of an option.
fn option(name: &str, option: &str) -> Path {
    Path::pointer("/resources")
        .join(name)
        .join("options")
        .join(option)
}

fn rename(old: &str, new: &str) -> Warning {
    let from = quoted(old);
    let line = match Address::parse(new).and_then(|new| new.key) {
        Some(key) => format!("options: {{movedFrom: {{{}: {from}}}}}", Value::from(key)),
        None => format!("options: {{movedFrom: {from}}}"),
    };
    Warning {
        address: Some(new.to_owned()),
        message: format!("{old} is deleted and {new}, which is like it, is created"),
        help: Some(format!(
            "if {old} was renamed, add to {}: {line}; it then keeps its resource",
            block(new)
        )),
    }
}

/// How like the new one is to the one in the state, in hundredths; none where they are not.
/// The same name at the service is enough; else all properties but one in four are the same.
fn likeness(types: &Types, known: &ResourceState, new: &Change) -> Option<usize> {
    let after = new.after.as_ref()?;
    let named = types
        .resource(&new.type_name)
        .and_then(|kind| identity::of_new(kind, after, &new.decided));
    if named.is_some() && named == identity::of_existing(types, known) {
        return Some(101);
    }
    let before = known.inputs.as_object()?;
    let names: BTreeSet<&String> = before
        .keys()
        .chain(
            after
                .value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name),
        )
        .collect();
    let same = names
        .iter()
        .filter(|name| same(before.get(**name), after, name));
    let score = (same.count() * 100).checked_div(names.len()).unwrap_or(100);
    (score >= 75).then_some(score)
}

/// Whether a property is the same, as far as that is known: an unknown value counts as the same.
fn same(before: Option<&Value>, after: &Data, name: &str) -> bool {
    let path = Path::root().join(name);
    let unknown = after.unknown.keys().any(|at| at.is_within(&path));
    match (before, path.get(&after.value)) {
        (Some(before), _) if unknown || is_sealed(before) => true,
        (before, after) => before == after,
    }
}

//! Resources that the state has and the file does not; and what `--target` and `--exclude` exclude.

use super::decide::before;
use super::graph::needed_by_output;
use super::instance::{self, Instance};
use super::narrow;
use super::planned::Options;
use super::planner::Planner;
use super::relations::{self, Forced};
use super::steps;
use super::{Action, Change, DESTROY, Scope};
use crate::data::Data;
use crate::engine::address::{self, is_among};
use crate::engine::world::Observed;
use crate::resource::relation::Fate;
use crate::store::state::split_deposed;
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    /// What the state has and the file has not.
    pub(super) fn orphans(&mut self) {
        let in_file: BTreeSet<&str> = self
            .out
            .instances
            .iter()
            .map(|found| found.change.address.as_str())
            .collect();
        let mut changes = Vec::new();
        for (address, known) in &self.request.world.state.resources {
            if in_file.contains(address.as_str()) {
                continue;
            }
            let gone = matches!(
                self.request.world.live.get(address),
                Some(Observed::NotFound)
            );
            let (action, reason) = if gone {
                (Action::Forget, "it is gone already")
            } else if self.is_retained(address, known) {
                (
                    Action::Forget,
                    "retainOnDelete: it is left alone and no longer managed",
                )
            } else if self.request.options.destroy {
                (Action::Delete, DESTROY)
            } else if self
                .request
                .stack
                .resources
                .contains_key(address::block(address))
            {
                (Action::Delete, "when or forEach no longer ask for it")
            } else {
                (Action::Delete, "it is no longer in the file")
            };
            let live = self.live(address, known);
            let schema = self.request.types.schema(&known.type_name);
            let before =
                schema.map(|schema| before(schema, Some(known), Some(live), &Data::default()));
            changes.push(Change {
                address: address.clone(),
                type_name: known.type_name.clone(),
                id: Some(known.id.clone()),
                action,
                reason: reason.to_owned(),
                before: before.and_then(|(value, secret)| {
                    Some(Data {
                        value: value?,
                        secret,
                        ..Data::default()
                    })
                }),
                after: None,
                differences: Vec::new(),
                ..Change::default()
            });
        }
        self.out.plan.changes.extend(changes);
        let leftovers = steps::leftovers(self.request.world);
        self.out.plan.changes.extend(leftovers);
    }

    /// `--target` and `--exclude`: an excluded resource keeps its place in the plan, unchanged.
    pub(super) fn narrow(&mut self) {
        let options = self.request.options;
        if let Some(imports) = &options.imports {
            return self.only_imports(imports);
        }
        if options.target.is_empty() && options.exclude.is_empty() {
            return self.replaced();
        }
        let leaving = self.leaving();
        let mut wider = options.clone();
        wider.target.extend(leaving.keys().cloned());
        let (kept, mut along) = narrow::narrowed(&self.out.instances, &wider, self.forced);
        along.extend(leaving);
        let mut scope = Scope {
            asked: asked(options),
            ..Scope::default()
        };
        let mut excluded = BTreeSet::new();
        let mut changed = BTreeSet::new();
        self.out.instances.retain_mut(|found| {
            let inside = kept.contains(&found.change.address);
            if !inside {
                excluded.insert(found.change.address.clone());
                if !found.change.is_nothing() {
                    let address = found.change.address.clone();
                    let why = exclusion_reason(found, &kept, &options.exclude, self.forced);
                    scope.excluded.insert(address, why);
                }
                if found.change.action != Action::NoOp {
                    changed.insert(found.block.clone());
                }
                found.leave_alone();
            }
            let address = &found.change.address;
            let comes = along.get(address).filter(|_| !found.change.is_nothing());
            if let Some(why) = comes.filter(|_| inside) {
                scope.included.insert(address.clone(), why.clone());
            }
            inside || found.change.id.is_some() || found.change.moved_from.is_some()
        });
        let (target, spared, users) = self.removed(&excluded);
        let known = &self.request.world.state.resources;
        let in_use = |address: &str| {
            let mut users = excluded.iter().filter_map(|user| known.get(user));
            users.any(|user| user.dependencies.contains(address))
        };
        let uses = self.uses;
        let stays = |change: &Change| {
            if change.action == Action::Read {
                let needs = uses.get(&change.address);
                return needs.is_none_or(|needs| needs.all.is_disjoint(&changed));
            }
            let (address, deposed) = address::resource_key(&change.address);
            if deposed.is_some() && (excluded.contains(&address) || in_use(&change.address)) {
                return false;
            }
            let targeted =
                target.is_empty() || is_among(&address, &target) || kept.contains(&address);
            targeted && !is_among(&address, &spared)
        };
        self.out.plan.changes.retain(|change| {
            let stays = stays(change);
            if !stays && !change.is_nothing() {
                scope.excluded.entry(change.address.clone()).or_default();
            }
            if let Some(why) = users.get(&change.address).filter(|_| stays) {
                scope.included.insert(change.address.clone(), why.clone());
            }
            stays
        });
        self.out.plan.scope = Some(scope);
        self.keep_outputs(&changed);
    }

    /// The resources of the file that use, by the state, what `--target` removes, each with why it
    /// is included: nothing is deleted while what stops using it is left as it is.
    fn leaving(&self) -> BTreeMap<String, String> {
        let known = &self.request.world.state.resources;
        let file = instance::by_address(&self.out.instances);
        let is_orphan = |address: &str| known.contains_key(address) && !file.contains_key(address);
        let (removed, _, _) = self.removed(&BTreeSet::new());
        let users = known.iter().filter(|(address, _)| {
            file.contains_key(address.as_str()) && !is_among(address, &self.request.options.target)
        });
        let users = users.filter_map(|(address, user)| {
            let mut needs = user.dependencies.iter();
            let used = needs.find(|to| is_orphan(to) && is_among(to, &removed))?;
            Some((address.clone(), format!("it uses {used}")))
        });
        users.collect()
    }

    /// What is named for removal, and what must stay. What depends on a removed resource is removed
    /// too; what a spared one depends on is spared too.
    fn removed(
        &self,
        excluded: &BTreeSet<String>,
    ) -> (Vec<String>, Vec<String>, BTreeMap<String, String>) {
        let options = self.request.options;
        let mut target = options.target.clone();
        let mut spared = options.exclude.clone();
        let mut users = BTreeMap::new();
        if !spared.is_empty() {
            spared.extend(excluded.iter().cloned());
        }
        let state = &self.request.world.state;
        let known = &state.resources;
        let mut needed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let objects = relations::resources(state)
            .map(|(object, _)| object)
            .collect();
        for named in relations::named_by(self.request.types, state, &objects) {
            if let ((child, None), (parent, _)) = (named.child, named.parent)
                && named.row.fate != Fate::Survives
                && let Some((child, _)) = known.get_key_value(&child)
            {
                needed.entry(child).or_default().insert(parent);
            }
        }
        let none = BTreeSet::new();
        let file = instance::by_address(&self.out.instances);
        for _ in known {
            let before = (target.len(), spared.len());
            for (address, resource) in known {
                let by_value = needed.get(address.as_str()).unwrap_or(&none).iter();
                let needs = resource.dependencies.iter().map(|to| split_deposed(to).0);
                let needs = needs.chain(by_value.map(String::as_str));
                let uses = |list: &[String]| needs.clone().any(|to| is_among(to, list));
                let in_file = file.contains_key(address.as_str()) || excluded.contains(address);
                let goes = !in_file && !target.is_empty();
                if goes && !is_among(address, &target) && uses(&target) {
                    if let Some(to) = needs.clone().find(|to| is_among(to, &target)) {
                        users.insert(address.clone(), format!("it uses {to}"));
                    }
                    target.push(address.clone());
                }
                if is_among(address, &spared) {
                    let more = needs.filter(|to| !is_among(to, &spared));
                    let more: Vec<String> = more.map(str::to_owned).collect();
                    spared.extend(more);
                }
            }
            if before == (target.len(), spared.len()) {
                break;
            }
        }
        (target, spared, users)
    }

    /// `--replace`: what changes since it uses what is recreated.
    fn replaced(&mut self) {
        let options = self.request.options;
        if options.replace.is_empty() {
            return;
        }
        let mut scope = Scope {
            asked: asked(options),
            ..Scope::default()
        };
        let mut touched: BTreeMap<String, String> = BTreeMap::new();
        for found in &self.out.instances {
            let address = &found.change.address;
            if let Some(forced) = self.forced.get(address) {
                touched.insert(address.clone(), forced.reason.clone());
                continue;
            }
            let mut uses = found.uses.iter();
            let reason = uses
                .find(|needed| is_among(needed, &options.replace) || touched.contains_key(*needed));
            if let Some(needed) = reason.filter(|_| !found.change.is_nothing()) {
                touched.insert(address.clone(), format!("it uses {needed}"));
            }
        }
        touched.retain(|address, _| !is_among(address, &options.replace));
        scope.included = touched;
        if !scope.included.is_empty() {
            self.out.plan.scope = Some(scope);
        }
    }

    /// Outputs that come from excluded resources stay as they are.
    fn keep_outputs(&mut self, changed: &BTreeSet<String>) {
        let stack = self.request.stack;
        for name in stack.outputs.keys() {
            let needed = needed_by_output(stack, self.uses, name);
            if !needed.is_disjoint(changed) {
                self.out.kept_outputs.insert(name.clone());
            }
        }
    }
}

/// The flags as typed.
fn asked(options: &Options) -> String {
    let flags = [
        ("--target", &options.target),
        ("--exclude", &options.exclude),
        ("--replace", &options.replace),
    ];
    let all = flags
        .iter()
        .flat_map(|(flag, names)| names.iter().map(move |name| format!("{flag} {name}")));
    all.collect::<Vec<_>>().join(" ")
}

/// Why an instance that would change is excluded, where the reason is a dependency.
fn exclusion_reason(
    found: &Instance,
    kept: &BTreeSet<String>,
    exclude: &[String],
    forced: &BTreeMap<String, Forced>,
) -> Option<String> {
    let address = &found.change.address;
    if exclude.is_empty() || is_among(address, exclude) {
        return None;
    }
    if let Some(needed) = found.uses.iter().find(|needed| !kept.contains(*needed)) {
        return Some(format!("it needs {needed}"));
    }
    let with = forced
        .iter()
        .find(|(_, forced)| forced.along.as_ref() == Some(address));
    with.map(|(child, _)| format!("{child} would be replaced along"))
}

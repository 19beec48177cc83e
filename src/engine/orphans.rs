//! What the state has and the file has not; and what `--target` and `--exclude` leave out.

use super::instance;
use super::judge::before;
use super::plan::{Action, Change, DESTROY};
use super::planner::Planner;
use super::steps;
use super::world::Observed;
use crate::data::Data;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::resource::{ResourceType, resource_type};
use crate::store::state::split_deposed;
use std::collections::BTreeSet;

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
        for (address, known) in &self.inputs.world.state.resources {
            if in_file.contains(address.as_str()) {
                continue;
            }
            let gone = matches!(self.inputs.world.live.get(address), Some(Observed::Gone));
            let (action, reason) = if gone {
                (Action::Forget, "it is gone already")
            } else if known.options.retain_on_delete {
                (
                    Action::Forget,
                    "retainOnDelete: it is left alone and no longer managed",
                )
            } else if self.inputs.options.destroy {
                (Action::Delete, DESTROY)
            } else if self
                .inputs
                .stack
                .resources
                .contains_key(steps::block(address))
            {
                (Action::Delete, "when or forEach no longer ask for it")
            } else {
                (Action::Delete, "it is no longer in the file")
            };
            if known.options.protect && action == Action::Delete {
                let message = format!("{address} is protected and would be deleted: {reason}");
                let mut diagnostic = Diagnostic::error(Place::Outside, message);
                diagnostic.help = Some(
                    "put it back, or set options.protect to false and apply that first".to_owned(),
                );
                self.out.diagnostics.push(diagnostic);
            }
            let live = self.live(address, known);
            let schema = resource_type(&known.type_name).map(ResourceType::schema);
            let before =
                schema.map(|schema| before(schema, Some(known), Some(&live), &Data::default()));
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
        let leftovers = steps::leftovers(self.inputs.world);
        self.out.plan.changes.extend(leftovers);
    }

    /// `--target` and `--exclude`: what is left out keeps its place in the plan, unchanged.
    pub(super) fn narrow(&mut self) {
        let options = self.inputs.options;
        if let Some(adopt) = &options.adopt {
            return self.only_imports(adopt);
        }
        if options.target.is_empty() && options.exclude.is_empty() {
            return;
        }
        let kept = instance::narrowed(&self.out.instances, &options.target, &options.exclude);
        let mut left_out = BTreeSet::new();
        let mut changed = BTreeSet::new();
        self.out.instances.retain_mut(|found| {
            let inside = kept.contains(&found.change.address);
            if !inside {
                left_out.insert(found.change.address.clone());
                if found.change.action != Action::NoOp {
                    changed.insert(found.block.clone());
                }
                found.leave_alone();
            }
            inside || found.change.id.is_some()
        });
        let (target, spared) = self.removed(&left_out);
        let known = &self.inputs.world.state.resources;
        let in_use = |address: &str| {
            let mut users = left_out.iter().filter_map(|user| known.get(user));
            users.any(|user| user.dependencies.contains(address))
        };
        let uses = &self.graph.uses;
        self.out.plan.changes.retain(|change| {
            if change.action == Action::Read {
                let needs = uses.get(&change.address);
                return needs.is_none_or(|needs| needs.all.is_disjoint(&changed));
            }
            let (address, deposed) = steps::object(&change.address);
            if deposed.is_some() && (left_out.contains(&address) || in_use(&change.address)) {
                return false;
            }
            let targeted = target.is_empty() || named(&address, &target) || kept.contains(&address);
            targeted && !named(&address, &spared)
        });
        self.keep_outputs(&changed);
    }

    /// What is named for removal, and what is not to be removed. What uses a removed object
    /// goes with it; what a spared one uses is spared too.
    fn removed(&self, left_out: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
        let options = self.inputs.options;
        let mut target = options.target.clone();
        let mut spared = options.exclude.clone();
        if !spared.is_empty() {
            spared.extend(left_out.iter().cloned());
        }
        let known = &self.inputs.world.state.resources;
        for _ in known {
            let before = (target.len(), spared.len());
            for (address, resource) in known {
                let needs = resource.dependencies.iter().map(|to| split_deposed(to).0);
                let uses = |list: &[String]| needs.clone().any(|to| named(to, list));
                if !named(address, &target) && !target.is_empty() && uses(&target) {
                    target.push(address.clone());
                }
                if named(address, &spared) {
                    let more = needs.filter(|to| !named(to, &spared));
                    let more: Vec<String> = more.map(str::to_owned).collect();
                    spared.extend(more);
                }
            }
            if before == (target.len(), spared.len()) {
                break;
            }
        }
        (target, spared)
    }

    /// Outputs that come from what is left out stay as they are.
    fn keep_outputs(&mut self, changed: &BTreeSet<String>) {
        let stack = self.inputs.stack;
        for (name, block) in &stack.outputs {
            let needed = self.graph.needed_by(stack, &block.value);
            if !needed.is_disjoint(changed) {
                self.out.kept_outputs.insert(name.clone());
            }
        }
    }
}

fn named(address: &str, list: &[String]) -> bool {
    list.iter().any(|name| instance::is_named(address, name))
}

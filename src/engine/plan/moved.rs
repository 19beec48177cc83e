//! `options.movedFrom`: which resources of the state get another address.

use super::Warning;
use super::instance::Each;
use super::planner::Planner;
use super::rewrites::Move;
use crate::data::Path;
use crate::engine::address::{Address, block};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::stack::ResourceBlock;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What an instance says of its old addresses.
struct Claim<'p> {
    place: &'p Path,
    address: &'p str,
    type_name: &'p str,
    /// Whether its block has other instances that say the same.
    shared: bool,
}

impl Planner<'_> {
    /// The old addresses that the file names for an instance.
    pub(super) fn former(
        &mut self,
        name: &str,
        block: &ResourceBlock,
        each: Option<&Each>,
    ) -> Vec<String> {
        let Some(template) = &block.options.moved_from else {
            return Vec::new();
        };
        let place = moved_from(name);
        let data = self.eval(&place, template);
        if let Some(expression) = data.unknown.values().next() {
            if !self.may_come(&data) {
                let message = format!("{expression} must be known when the plan is made");
                self.error(place, message);
            }
            return Vec::new();
        }
        let found = match (&data.value, each) {
            (Value::Object(map), Some(each)) => map.get(&each.key).cloned().unwrap_or_default(),
            (Value::Object(_), None) => {
                self.error(place, "a map of old addresses by key needs forEach");
                return Vec::new();
            }
            (value, _) => value.clone(),
        };
        let list = match found {
            Value::Array(list) => list,
            Value::Null => Vec::new(),
            other => vec![other],
        };
        let mut former = Vec::new();
        for item in list.iter().filter(|item| !item.is_null()) {
            match item.as_str().and_then(Address::parse) {
                Some(address) => former.push(address.to_string()),
                None => self.error(
                    place.clone(),
                    format!("{item} is no address; one has the form name or name[\"key\"]"),
                ),
            }
        }
        former
    }

    /// Decides which resources move; mistakes are reported at the option.
    pub(super) fn moves(&mut self) {
        if self.request.options.imports.is_some() {
            return;
        }
        let claims: Vec<_> = self
            .out
            .instances
            .iter()
            .filter(|found| !found.former.is_empty())
            .map(|found| {
                let key = found.each.as_ref().map(|each| each.key.clone());
                let change = &found.change;
                (
                    found.block.clone(),
                    key,
                    change.address.clone(),
                    change.type_name.clone(),
                    found.former.clone(),
                )
            })
            .collect();
        if claims.is_empty() {
            return;
        }
        let mut sharing: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (block, _, _, _, former) in &claims {
            for old in former {
                *sharing.entry((block.clone(), old.clone())).or_default() += 1;
            }
        }
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for (block, key, address, type_name, former) in &claims {
            for old in former {
                let claim = Claim {
                    place: &moved_from(block),
                    address,
                    type_name,
                    shared: sharing[&(block.clone(), old.clone())] > 1,
                };
                let wanted = self.candidate(&claim, old, key.as_deref());
                let Some(from) = wanted else { continue };
                if !taken.insert(from.clone()) {
                    let message = format!("{from} is said to be the old address of two resources");
                    self.error(claim.place.clone(), message);
                    continue;
                }
                self.out.rewrites.moves.push(Move {
                    from,
                    to: address.clone(),
                    type_name: type_name.clone(),
                });
                break;
            }
        }
    }

    /// The resource at an old address, where one exists that can move.
    fn candidate(&mut self, claim: &Claim<'_>, old: &str, key: Option<&str>) -> Option<String> {
        let mut meant = Vec::new();
        if key.is_some() && block(old) == old {
            meant.push(Address::new(old, key).to_string());
        }
        meant.push(old.to_owned());
        let own = meant.iter().any(|from| from == claim.address);
        meant.retain(|from| from != claim.address);
        if meant.is_empty() || (own && key.is_none()) {
            let message = format!("{} cannot be moved from itself", claim.address);
            self.error(claim.place.clone(), message);
            return None;
        }
        let in_file = |from: &String| {
            let mut instances = self.out.instances.iter();
            instances.any(|found| found.change.address == *from)
        };
        if let Some(from) = meant.iter().find(|from| in_file(from)) {
            let message = format!("{from} is still in the file, so nothing can be moved from it");
            self.out.diagnostics.push(
                Diagnostic::error(Place::Value(claim.place.clone()), message).help(
                    "take it out of the file, or take movedFrom away; two that swap names go by \
                     way of a third name, one apply after the other",
                ),
            );
            return None;
        }
        let mut moves = self.rewrites.moves.iter();
        let other = moves.find(|moved| moved.to != claim.address && meant.contains(&moved.from));
        if let Some(Move { from, .. }) = other {
            let message = format!("{from} is said to be the old address of two resources");
            self.error(claim.place.clone(), message);
            return None;
        }
        let state = &self.request.world.state;
        let known = |address: &str| {
            let deposed = state
                .deposed
                .get(address)
                .and_then(|them| them.values().next());
            state.resources.get(address).or(deposed)
        };
        let from = meant.into_iter().find(|from| known(from).is_some())?;
        let found = known(&from)?;
        if known(claim.address).is_some() {
            self.out.plan.warnings.push(Warning {
                address: Some(claim.address.to_owned()),
                message: format!(
                    "{from} is not moved to {to}: {to} has a resource of its own in the state",
                    to = claim.address
                ),
                help: Some(format!(
                    "to keep the object of {from}, give it a block of its own; else take \
                     movedFrom away"
                )),
            });
            return None;
        }
        if found.type_name != claim.type_name {
            let message = format!(
                "{from} is {} in the state, and {} is {}: only a resource of the same type can move",
                found.type_name, claim.address, claim.type_name
            );
            self.error(claim.place.clone(), message);
            return None;
        }
        if claim.shared && from == old {
            let message = format!("{from} is one resource, and each instance here asks for it");
            self.out.diagnostics.push(
                Diagnostic::error(Place::Value(claim.place.clone()), message).help(format!(
                    "say which instance it becomes, by key: movedFrom: {{{}: {from}}}",
                    key.unwrap_or("key")
                )),
            );
            return None;
        }
        Some(from)
    }
}

/// The option's place in the file.
fn moved_from(block: &str) -> Path {
    Path::pointer("/resources")
        .join(block)
        .join("options")
        .join("movedFrom")
}

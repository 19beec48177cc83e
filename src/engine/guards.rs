//! What a plan says before something is lost: protected resources, what goes with a deleted
//! object, a rename that looks like a deletion and a creation.

use super::identity;
use super::plan::{Action, Change, NEW, Warning};
use super::planner::Planner;
use super::steps::{self, block};
use crate::data::{Data, Path};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::evaluate;
use crate::resource::contents::Contents;
use crate::store::seal::is_sealed;
use crate::store::state::ResourceState;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const BUCKET: &str = "aws:s3:Bucket";

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
                    Diagnostic::error(Place::Value(option(&instance.block)), message)
                        .label("protected here")
                        .help("undo the change, or set options.protect to false"),
                );
            }
        }
        for change in &self.out.plan.changes {
            let (address, deposed) = steps::object(&change.address);
            if change.action == Action::Delete && deposed.is_none() {
                found.extend(self.protected_deletion(change, &address));
            }
        }
        self.out.diagnostics.extend(found);
    }

    fn protected_deletion(&self, change: &Change, address: &str) -> Option<Diagnostic> {
        let name = block(address);
        let kept = self.inputs.world.state.resources.get(address)?;
        let written = self.inputs.stack.resources.get(name);
        let template = written.and_then(|written| written.options.protect.as_ref());
        // What a value that is known only later says counts once it was applied.
        let in_file = template
            .and_then(|template| evaluate(template, &self.values).ok())
            .and_then(|data| data.value.as_bool());
        if !kept.options.protect && in_file != Some(true) {
            return None;
        }
        let reason = &change.reason;
        let message = format!("{address} is protected and would be deleted: {reason}");
        let diagnostic = match (template, written) {
            (Some(_), _) => {
                let place = Place::Value(option(name));
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

    /// Tells what the objects hold that are deleted or replaced.
    pub(super) fn holdings(&mut self) {
        let world = self.inputs.world;
        let mut objects: BTreeMap<String, u64> = BTreeMap::new();
        for change in &self.out.plan.changes {
            let is_object = change.type_name == "aws:s3:BucketObject";
            if is_object && change.action == Action::Delete {
                let bucket = change.id.as_deref().and_then(|id| id.split('/').next());
                *objects
                    .entry(bucket.unwrap_or_default().to_owned())
                    .or_default() += 1;
            }
        }
        let rows = self.out.plan.changes.iter_mut();
        let rows = rows.chain(self.out.instances.iter_mut().map(|found| &mut found.change));
        for change in rows {
            let goes = change.action == Action::Delete || change.action.is_replace();
            let seen = world.contents.get(&change.address);
            let Some(contents) = seen.filter(|seen| goes && !seen.is_empty()) else {
                continue;
            };
            let id = change.id.clone().unwrap_or_default();
            let known = world.state.resources.get(&change.address);
            let forced = known.is_some_and(|known| known.inputs["forceDestroy"] == true);
            let ours = objects.get(&id).copied().unwrap_or(0);
            let rest = contents.more || contents.entries() > ours;
            let keeps =
                change.type_name == BUCKET && !forced && rest && contents.uncounted.is_none();
            change.holds = Some(Contents {
                keeps,
                ..contents.clone()
            });
            if keeps {
                self.out.plan.warnings.push(Warning {
                    address: Some(change.address.clone()),
                    message: format!(
                        "S3 will refuse to delete the bucket {id} of {}: it holds {}",
                        change.address,
                        contents.text()
                    ),
                    help: Some(
                        "empty it; or set forceDestroy: true, apply that, and run this again"
                            .to_owned(),
                    ),
                });
            }
        }
    }

    /// A deletion and a creation of what looks like the same thing is most likely a rename:
    /// says so, with the line that makes it one.
    pub(super) fn renames(&mut self) {
        if self.inputs.options.destroy || self.inputs.options.adopt.is_some() {
            return;
        }
        let state = &self.inputs.world.state;
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
                    && let Some(score) = likeness(known, new)
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

/// The place of the option.
fn option(name: &str) -> Path {
    Path::pointer("/resources")
        .join(name)
        .join("options")
        .join("protect")
}

fn rename(old: &str, new: &str) -> Warning {
    let key = new
        .split_once('[')
        .map(|(_, key)| key.trim_end_matches(']').to_owned());
    let from = if old.contains('[') {
        format!("'{old}'")
    } else {
        old.to_owned()
    };
    let line = match key {
        Some(key) => format!("options: {{movedFrom: {{{key}: {from}}}}}"),
        None => format!("options: {{movedFrom: {from}}}"),
    };
    Warning {
        address: Some(new.to_owned()),
        message: format!("{old} is deleted and {new}, which is like it, is created"),
        help: Some(format!(
            "if {old} was renamed, add to {}: {line}; it then keeps its object",
            block(new)
        )),
    }
}

/// How like the new one is to the one in the state, in hundredths; none where they are not.
/// The same name at the service is enough; else all properties but one in four are the same.
fn likeness(known: &ResourceState, new: &Change) -> Option<usize> {
    let after = new.after.as_ref()?;
    let named = identity::of_new(&new.type_name, after, &new.decided);
    if named.is_some() && named == identity::of_known(known) {
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

/// Whether a property is the same, as far as that can be told: what is not known yet counts.
fn same(before: Option<&Value>, after: &Data, name: &str) -> bool {
    let path = Path::root().join(name);
    let unknown = after.unknown.keys().any(|at| at.is_within(&path));
    match (before, path.get(&after.value)) {
        (Some(before), _) if unknown || is_sealed(before) => true,
        (before, after) => before == after,
    }
}

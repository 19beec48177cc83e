//! What `--target` and `--exclude` leave of a plan.

use super::instance::Instance;
use super::planned::Options;
use super::relations::Forced;
use crate::engine::address::is_among;
use std::collections::{BTreeMap, BTreeSet};

/// The addresses that `--target` and `--exclude` leave in; and for those that nobody named,
/// why: `middle needs it`. What is in `forced` is replaced along with something, and comes and
/// stays with that.
pub(super) fn narrowed(
    instances: &[Instance],
    options: &Options,
    forced: &BTreeMap<String, Forced>,
) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let known: BTreeSet<&String> = instances
        .iter()
        .map(|found| &found.change.address)
        .collect();
    let pairs: Vec<(&String, &String, &String)> = forced
        .iter()
        .filter_map(|(child, forced)| Some((child, forced.along.as_ref()?, &forced.reason)))
        .filter(|(_, parent, _)| known.contains(parent))
        .collect();
    let (mut target, mut exclude) = (options.target.clone(), options.exclude.clone());
    let mut reasons = BTreeMap::new();
    loop {
        let (kept, mut along) = narrowed_by_uses(instances, &target, &exclude);
        let split = pairs.iter().find(|(child, parent, _)| {
            kept.contains(*child) != kept.contains(*parent)
                && !(is_among(child, &exclude) && is_among(parent, &exclude))
        });
        let Some((child, parent, reason)) = split else {
            along.extend(reasons);
            return (kept, along);
        };
        let missing = if kept.contains(*child) { parent } else { child };
        if target.is_empty() || is_among(missing, &target) {
            exclude.extend([(*child).clone(), (*parent).clone()]);
        } else {
            target.push((*missing).clone());
            reasons.insert((*missing).clone(), (*reason).clone());
        }
    }
}

fn narrowed_by_uses(
    instances: &[Instance],
    target: &[String],
    exclude: &[String],
) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let mut kept = BTreeSet::new();
    let mut along = BTreeMap::new();
    // Instances come after what they need: targets pull it in when walked backwards, and
    // exclusions push dependents out when walked forwards.
    for found in instances.iter().rev() {
        let address = &found.change.address;
        if target.is_empty() || is_among(address, target) || kept.contains(address) {
            kept.insert(address.clone());
            for needed in &*found.uses {
                if !target.is_empty() && !is_among(needed, target) && kept.insert(needed.clone()) {
                    along.insert(needed.clone(), format!("{address} needs it"));
                }
            }
        }
    }
    for found in instances {
        let address = &found.change.address;
        let lost = |needed: &String| !kept.contains(needed);
        if is_among(address, exclude) || (!exclude.is_empty() && found.uses.iter().any(lost)) {
            kept.remove(address);
            along.remove(address);
        }
    }
    (kept, along)
}

//! What a run has done, or will do, that must spread in the cloud before a step can succeed:
//! roles and what they allow, above all.

use crate::engine::plan::Op;
use crate::engine::plan::StepId;
use crate::engine::plan::planned::Planned;
use crate::resource::spread::{Awaits, Spreading};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// The changes of a run, by the addresses that they belong to.
#[derive(Debug, Default)]
pub(super) struct Spread {
    resources: BTreeMap<String, Resource>,
    /// When the steps that are over were done; none where they failed.
    ended: Mutex<BTreeMap<StepId, Option<Instant>>>,
}

/// A resource of the file.
#[derive(Debug)]
struct Resource {
    gives: Option<Gives>,
    /// The addresses that it refers to.
    uses: Arc<BTreeSet<String>>,
    /// The steps that create or change it.
    steps: Vec<StepId>,
}

/// The rights that a resource gives.
#[derive(Debug, Clone, Copy)]
struct Gives {
    /// Whether it is the role itself.
    is_role: bool,
    /// Whether a role comes with permissions of its own, or a policy names its role as a string.
    grants: bool,
}

impl Spread {
    /// What a plan creates and changes.
    pub(super) fn of(planned: &Planned) -> Self {
        let mut resources = BTreeMap::new();
        for found in &planned.instances {
            let change = &found.change;
            let after = change.after.as_ref();
            let resource = Resource {
                gives: found.kind.rights().map(|rights| Gives {
                    is_role: rights.is_role,
                    grants: after.is_some_and(rights.grants),
                }),
                uses: Arc::clone(&found.uses),
                steps: Vec::new(),
            };
            resources.insert(change.address.clone(), resource);
        }
        for (id, step) in planned.plan.steps.iter().enumerate() {
            let changes = matches!(step.op, Op::Create { .. } | Op::Update { .. });
            if let Some(found) = resources.get_mut(&step.address).filter(|_| changes) {
                found.steps.push(id);
            }
        }
        Self {
            resources,
            ended: Mutex::default(),
        }
    }

    /// Notes that a step is over.
    pub(super) fn ended(&self, id: StepId, done: bool) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.insert(id, done.then(Instant::now));
    }

    /// What this run has done that a refusal of the step of an address may wait for.
    pub(super) fn spreading(&self, address: &str, awaits: Awaits) -> Spreading {
        let sources = match awaits {
            Awaits::Service => return Spreading::Nothing,
            Awaits::Created => self.created(address),
            Awaits::Permissions => self.permissions(address),
        };
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        let steps = sources.iter().filter_map(|name| self.resources.get(*name));
        for id in steps.flat_map(|found| &found.steps) {
            match ended.get(id) {
                None => return Spreading::ToCome,
                Some(done) => last = last.max(*done),
            }
        }
        last.map_or(Spreading::Nothing, Spreading::Since)
    }

    /// What a step refers to; where that includes no role, a role may be named as a string.
    fn created(&self, address: &str) -> BTreeSet<&str> {
        let mut created = self.used(address);
        if !created.iter().any(|name| self.is_role(name)) {
            let others = self.resources.iter();
            let giving =
                others.filter(|(name, found)| found.gives.is_some() && name.as_str() != address);
            created.extend(giving.map(|(name, _)| name.as_str()));
        }
        created
    }

    /// What changes what the roles allow that a step refers to. Without such a role any change
    /// of rights may be about it.
    fn permissions(&self, address: &str) -> BTreeSet<&str> {
        let used = self.used(address);
        let is_role = |name: &&str| self.is_role(name);
        let roles: BTreeSet<&str> = used.iter().copied().filter(is_role).collect();
        let mut sources = BTreeSet::new();
        for (name, found) in &self.resources {
            let Some(gives) = found.gives.filter(|_| name != address) else {
                continue;
            };
            let is_role = gives.is_role;
            let about = match is_role {
                true => gives.grants && (roles.is_empty() || roles.contains(name.as_str())),
                false => {
                    let uses = found.uses.iter();
                    roles.is_empty()
                        || gives.grants
                        || used.contains(name.as_str())
                        || uses.into_iter().any(|used| roles.contains(used.as_str()))
                }
            };
            if !about {
                continue;
            }
            sources.insert(name.as_str());
            if !is_role {
                // An attachment, and the policy that it attaches.
                let above = self.used(name).into_iter();
                sources.extend(above.filter(|name| self.is_policy(name)));
            }
        }
        sources
    }

    fn is_role(&self, name: &str) -> bool {
        self.gives(name).is_some_and(|gives| gives.is_role)
    }

    fn is_policy(&self, name: &str) -> bool {
        self.gives(name).is_some_and(|gives| !gives.is_role)
    }

    fn gives(&self, name: &str) -> Option<Gives> {
        self.resources.get(name)?.gives
    }

    /// All that an address refers to, directly or not.
    fn used(&self, address: &str) -> BTreeSet<&str> {
        let mut used = BTreeSet::new();
        let mut todo = vec![address];
        while let Some(name) = todo.pop() {
            let uses = self.resources.get(name).into_iter();
            for other in uses.flat_map(|found| &*found.uses) {
                if used.insert(other.as_str()) {
                    todo.push(other);
                }
            }
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(is_role: Option<bool>, uses: &[&str], steps: &[StepId], grants: bool) -> Resource {
        Resource {
            gives: is_role.map(|is_role| Gives { is_role, grants }),
            uses: Arc::new(uses.iter().map(ToString::to_string).collect()),
            steps: steps.to_vec(),
        }
    }

    /// A function with a role that a policy is attached to, beside another role with its own.
    fn spread() -> Spread {
        let mut resources = BTreeMap::new();
        for (name, found) in [
            ("role", resource(Some(true), &[], &[0], false)),
            ("policy", resource(Some(false), &[], &[1], false)),
            (
                "attachment",
                resource(Some(false), &["role", "policy"], &[2], false),
            ),
            ("other", resource(Some(true), &[], &[3], true)),
            ("fn", resource(None, &["role"], &[4], false)),
            ("fn2", resource(None, &["other"], &[5], false)),
            ("bare", resource(Some(true), &[], &[6], false)),
            ("fn3", resource(None, &["bare"], &[7], false)),
            ("mapping", resource(None, &["fn"], &[8], false)),
            ("text", resource(None, &[], &[9], false)),
        ] {
            resources.insert(name.to_owned(), found);
        }
        Spread {
            resources,
            ..Spread::default()
        }
    }

    #[test]
    fn permissions_come_from_the_policies_of_the_role() {
        let spread = spread();
        let of = |name: &str| spread.permissions(name).into_iter().collect::<Vec<_>>();
        assert_eq!(of("fn"), ["attachment", "policy"]);
        assert_eq!(of("mapping"), ["attachment", "policy"]);
        assert_eq!(of("fn2"), ["other"]);
        assert!(of("fn3").is_empty());
        assert_eq!(of("text"), ["attachment", "other", "policy"]);
    }

    #[test]
    fn what_is_done_last_counts_and_what_failed_does_not() {
        let spread = spread();
        let now = |name: &str| spread.spreading(name, Awaits::Permissions);
        assert_eq!(now("fn"), Spreading::ToCome);
        assert_eq!(now("fn3"), Spreading::Nothing);
        spread.ended(1, true);
        assert_eq!(now("fn"), Spreading::ToCome);
        spread.ended(2, false);
        assert!(matches!(now("fn"), Spreading::Since(_)), "{:?}", now("fn"));
        assert_eq!(
            spread.spreading("fn", Awaits::Created),
            Spreading::ToCome,
            "the role is still to be created"
        );
    }
}

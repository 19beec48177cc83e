//! What the end of a step changes: the journal, the queue, what is reported, and which steps
//! cannot start any more.

use super::event::{Before, Doing, Event, doing, now};
use super::work::Outcome;
use super::{Fact, Loop};
use crate::engine::plan::{Op, StepId};
use crate::resource::error::{Effect, Error};
use crate::store::journal::Entry;
use crate::store::state::StateChange;
use std::collections::BTreeSet;
use std::time::Duration;

impl Loop<'_, '_, '_> {
    pub(super) fn ended(&mut self, id: StepId, result: Result<Outcome, Error>) {
        match result {
            Ok(outcome) => match outcome.error.clone() {
                None => {
                    let object = outcome.id.clone();
                    let changes = self.applying.record(id, outcome);
                    self.done(id, changes, object);
                }
                // It exists, though what had to follow failed.
                Some(error) => {
                    self.fact(id, &outcome.id);
                    let changes = self.applying.record(id, outcome);
                    self.failed(id, error, Some(changes));
                }
            },
            Err(error) => self.failed(id, error, None),
        }
    }

    fn done(&mut self, id: StepId, changes: Vec<StateChange>, object: String) {
        self.aftermath.ended(id);
        self.fact(id, &object);
        self.add(&Entry::Done { step: id, changes });
        let (address, doing) = (self.step(id).address.clone(), doing(&self.step(id).op));
        let took = self.started_at[id].map_or(Duration::ZERO, |started| started.elapsed());
        self.finished.done.push((address.clone(), doing));
        self.report_durably(Event::Done {
            address,
            doing,
            id: object,
            took,
        });
        self.spread.ended(id, true);
        self.queue.done(id);
    }

    fn fact(&mut self, id: StepId, object: &str) {
        let step = self.step(id);
        let fact = Fact {
            address: step.address.clone(),
            type_name: step.type_name.clone(),
            doing: doing(&step.op),
            id: object.to_owned(),
        };
        if fact.doing != Doing::Reading {
            self.facts.push(fact);
        }
    }

    pub(super) fn done_without_call(&mut self, id: StepId, changes: Vec<StateChange>) {
        self.aftermath.ended(id);
        let object = changes.iter().find_map(|change| match change {
            StateChange::Put { resource, .. } => Some(resource.id.clone()),
            _ => None,
        });
        if matches!(self.step(id).op, Op::Import { .. } | Op::Move { .. }) {
            return self.done(id, changes, object.unwrap_or_default());
        }
        self.add(&Entry::Done { step: id, changes });
        self.spread.ended(id, true);
        self.queue.done(id);
    }

    pub(super) fn failed(&mut self, id: StepId, error: Error, made: Option<Vec<StateChange>>) {
        self.aftermath.ended(id);
        let step = self.step(id);
        let (address, doing) = (step.address.clone(), doing(&step.op));
        let before = match made {
            Some(_) => Before::Created,
            None => self.before(id),
        };
        let now = now(&address, doing, (&error, self.applying.request(id)), before);
        self.spread.ended(id, false);
        match made {
            Some(changes) => self.add(&Entry::Done { step: id, changes }),
            None if matches!(doing, Doing::Updating | Doing::Deleting) => {
                let left = self.applying.unfinished(id);
                let changes = left.into_iter().collect();
                self.add(&Entry::Done { step: id, changes });
            }
            // With an unknown effect the intent stays open: the next run finds out.
            None if error.effect() == Effect::None => self.add(&Entry::Failed { step: id }),
            None => self.applying.keep_open(id),
        }
        // Nothing went wrong where the user had the step left.
        let stopped = matches!(error, Error::Interrupted { .. });
        let because = (!stopped).then(|| address.clone());
        if stopped {
            self.report_durably(Event::Stopped {
                address,
                doing,
                now,
            });
        } else {
            self.finished
                .failed
                .push((address.clone(), doing, error.clone()));
            self.report_durably(Event::Failed {
                address,
                doing,
                error,
                now,
                created: before == Before::Created,
            });
        }
        let mut skipped: BTreeSet<StepId> = BTreeSet::new();
        self.queue.failed(id, &mut skipped);
        for id in skipped {
            self.skip(id, because.clone());
        }
    }

    /// What the run did to the address of a step before it.
    fn before(&self, id: StepId) -> Before {
        let step = self.step(id);
        let of_leftover = match &step.op {
            Op::Delete { deposed } => deposed.is_some(),
            _ => self.applying.state().deposed.contains_key(&step.address),
        };
        let deleted = (step.address.clone(), Doing::Deleting);
        match of_leftover {
            true => Before::Deposed,
            false if self.finished.done.contains(&deleted) => Before::Deleted,
            false => Before::Nothing,
        }
    }

    pub(super) fn skip(&mut self, id: StepId, because: Option<String>) {
        self.spread.ended(id, false);
        self.aftermath.ended(id);
        let step = self.step(id);
        let (address, doing) = (step.address.clone(), doing(&step.op));
        if doing == Doing::Keeping || because.as_deref() == Some(&address) {
            return;
        }
        self.finished
            .skipped
            .push((address.clone(), because.clone()));
        self.report(Event::Skipped {
            address,
            doing,
            because,
        });
    }
}

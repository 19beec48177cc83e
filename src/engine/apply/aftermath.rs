//! Resources that report the outcome of related writes: each is queried once, when the run's last
//! related write is done, while the rest of the run goes on.
//!
//! A stage that deploys by itself reports a failed deployment nowhere else.

use crate::data::Attributes;
use crate::engine::plan::{Step, StepId};
use crate::resource::ResourceType;
use crate::resource::types::Types;
use crate::store::state::State;
use std::collections::{BTreeMap, BTreeSet};

/// What is still to be written, and what was.
pub(super) struct Aftermath {
    /// The unfinished steps of services with types that report such outcomes, by service.
    unfinished: BTreeMap<String, BTreeSet<StepId>>,
    /// The lanes that the steps wrote in.
    lanes: BTreeSet<String>,
}

/// A resource to query.
pub(super) struct Ask {
    pub(super) address: String,
    pub(super) kind: &'static dyn ResourceType,
    pub(super) id: String,
    pub(super) attributes: Attributes,
}

/// `aws:apigatewayv2` of `aws:apigatewayv2:Stage`.
fn service(type_name: &str) -> &str {
    type_name
        .rsplit_once(':')
        .map_or("", |(service, _)| service)
}

impl Aftermath {
    pub(super) fn of(steps: &[Step], types: &Types) -> Self {
        let telling = types
            .resources()
            .values()
            .filter(|kind| kind.reports_aftermath());
        let services: BTreeSet<&str> = telling.map(|kind| service(kind.name())).collect();
        let mut left: BTreeMap<String, BTreeSet<StepId>> = BTreeMap::new();
        for (id, step) in steps.iter().enumerate() {
            let service = service(&step.type_name);
            if services.contains(service) {
                left.entry(service.to_owned()).or_default().insert(id);
            }
        }
        Self {
            unfinished: left,
            lanes: BTreeSet::new(),
        }
    }

    /// A step is about to write in a lane.
    pub(super) fn entered(&mut self, id: StepId, lane: String) {
        if self.unfinished.values().any(|steps| steps.contains(&id)) {
            self.lanes.insert(lane);
        }
    }

    /// A step will write nothing more.
    pub(super) fn ended(&mut self, id: StepId) {
        for steps in self.unfinished.values_mut() {
            steps.remove(&id);
        }
    }

    /// The resources to query now: those of services that get no more writes.
    pub(super) fn due(&mut self, state: &State, types: &Types) -> Vec<Ask> {
        let over: Vec<String> = self
            .unfinished
            .iter()
            .filter(|(_, steps)| steps.is_empty())
            .map(|(service, _)| service.clone())
            .collect();
        let mut due = Vec::new();
        for over in over {
            self.unfinished.remove(&over);
            for (address, known) in &state.resources {
                let Some(kind) = types.resource(&known.type_name) else {
                    continue;
                };
                if !kind.reports_aftermath() || service(&known.type_name) != over {
                    continue;
                }
                let attributes = known.outputs.with(&known.inputs);
                let lane = kind.lane(&attributes);
                if lane.is_some_and(|lane| self.lanes.contains(&lane)) {
                    due.push(Ask {
                        address: address.clone(),
                        kind,
                        id: known.id.clone(),
                        attributes,
                    });
                }
            }
        }
        due
    }
}

//! Secrets that a step needs and nobody has any more: the state keeps them sealed. A plan
//! that needs one either makes it anew, where nothing lives on the old one, or is refused.

use super::instance::Instance;
use super::plan::Action;
use super::planner::{Inputs, Planned, Planner};
use super::world::World;
use crate::data::{Data, Path};
use crate::engine::observe::is_remote;
use crate::lang::diagnostic::{Diagnostic, Place, Severity};
use crate::lang::eval::{Reference, Root, references};
use crate::store::seal::is_sealed;
use crate::store::state::ResourceState;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A property that needs a lost secret.
pub(super) struct Lost {
    block: String,
    address: String,
    path: Path,
    /// The resource that had it.
    source: String,
}

impl Lost {
    /// The mistake, where it cannot be mended by the plan.
    pub(super) fn diagnostic(&self) -> Diagnostic {
        let Self {
            address, source, ..
        } = self;
        let path = Path::pointer("/resources")
            .join(&self.block)
            .join("properties")
            .concat(&self.path);
        let message = format!(
            "{} of {address} needs a secret of {source}, and the state does not keep secrets",
            self.path
        );
        Diagnostic::error(Place::Value(path), message).help(format!(
            "make it anew for all that use it, with --replace {source}"
        ))
    }
}

/// What the plan's steps need and cannot get.
pub(super) fn secrets(planned: &Planned, inputs: &Inputs<'_>) -> Vec<Lost> {
    let mut lost = Vec::new();
    if !planned.needs.is_empty() {
        return lost;
    }
    for needer in &planned.instances {
        let change = &needer.change;
        let acts = change.action == Action::Create
            || change.action == Action::Update
            || change.action.is_replace();
        // What is live may still have the value, once it is read.
        let world = inputs.world;
        let unread = world.state.resources.contains_key(&change.address)
            && !world.live.contains_key(&change.address);
        let unknown = change.after.iter().flat_map(|after| &after.unknown);
        for (path, expression) in unknown.filter(|_| acts && !unread) {
            let sources = Search::run(planned, inputs, expression);
            lost.extend(sources.into_iter().map(|source| Lost {
                block: needer.block.clone(),
                address: change.address.clone(),
                path: path.clone(),
                source,
            }));
        }
    }
    lost
}

/// Takes new outputs out of the plan that only a lost secret could give a value, and tells
/// so. Nothing rests on an output, so it is no reason to make the secret anew.
pub(super) fn outputs(planned: &mut Planned, inputs: &Inputs<'_>) {
    if !planned.needs.is_empty() {
        return;
    }
    let mut told = Vec::new();
    for (name, change) in &planned.plan.outputs {
        let unknown = change.after.iter().flat_map(|after| after.unknown.values());
        let sources: BTreeSet<String> = unknown
            .flat_map(|expression| Search::run(planned, inputs, expression))
            .collect();
        if let Some(source) = sources.first() {
            let place = Place::Key(Path::pointer("/outputs").join(name));
            let message = format!(
                "the output {name} is left out: it needs a secret of {source}, and the state does \
                 not keep secrets"
            );
            let mut warning = Diagnostic::error(place, message);
            warning.severity = Severity::Warning;
            told.push((name.clone(), warning));
        }
    }
    for (name, warning) in told {
        planned.plan.outputs.remove(&name);
        planned.diagnostics.push(warning);
    }
}

/// The sources that can be made anew: nothing that exists was made with what they had.
pub(super) fn anew(lost: &[Lost], world: &World) -> BTreeSet<String> {
    let used = |source: &String| {
        let mut users = world.state.resources.values();
        users.any(|user| user.dependencies.contains(source))
    };
    let sources = lost.iter().map(|lost| &lost.source);
    sources.filter(|source| !used(source)).cloned().collect()
}

impl Planner<'_> {
    /// Secrets made of what the state does not keep: as last applied where the state has
    /// that, or from the live object where it has the value that was last applied; from the
    /// same expression, and where nothing behind it changes.
    /// The expressions so answered, by path.
    pub(super) fn recall(
        &self,
        known: &ResourceState,
        live: &Value,
        desired: &mut Data,
    ) -> BTreeMap<Path, String> {
        let mut recalled = BTreeMap::new();
        for (path, expression) in desired.unknown.clone() {
            let Some(applied) = path.get(&known.inputs) else {
                continue;
            };
            let had = match path.get(live) {
                Some(live) if self.seal.is_seal_of(applied, live) => live,
                // The state keeps what was made of a value that it does not keep.
                _ if !is_sealed(applied) && is_within_any(&path, &known.sensitive) => applied,
                _ => continue,
            };
            if self.is_settled(&expression) && self.same_origin(known, &path, &expression) {
                let mut value = Data::from(had.clone());
                value.secret.insert(Path::root());
                desired.set(&path, value);
                recalled.insert(path, expression);
            }
        }
        recalled
    }
}

fn is_within_any(path: &Path, holders: &BTreeSet<Path>) -> bool {
    holders.iter().any(|holder| path.is_within(holder))
}

struct Search<'a> {
    planned: &'a Planned,
    inputs: &'a Inputs<'a>,
    locals: BTreeSet<String>,
    sources: BTreeSet<String>,
}

impl Search<'_> {
    fn run(planned: &Planned, inputs: &Inputs<'_>, expression: &str) -> BTreeSet<String> {
        let mut search = Search {
            planned,
            inputs,
            locals: BTreeSet::new(),
            sources: BTreeSet::new(),
        };
        search.template(&Value::from(expression));
        search.sources
    }

    /// Collects the resources whose lost secrets a template needs, through locals too.
    fn template(&mut self, template: &Value) {
        for reference in references(template).unwrap_or_default() {
            match reference.root {
                Root::Resource => {
                    let instances = self.planned.instances.iter();
                    let lost = instances
                        .filter(|found| found.block == reference.name)
                        .filter(|found| is_lost(found, &reference, self.inputs.world));
                    let lost = lost.map(|found| found.change.address.clone());
                    self.sources.extend(lost);
                }
                Root::Local if self.locals.insert(reference.name.clone()) => {
                    if let Some(local) = self.inputs.stack.locals.get(&reference.name) {
                        self.template(local);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether the reference is to a sealed output of this resource, which stays as it is.
fn is_lost(found: &Instance, reference: &Reference, world: &World) -> bool {
    if !matches!(found.change.action, Action::NoOp | Action::Update) {
        return false;
    }
    let address = &found.change.address;
    let Some(known) = world.state.resources.get(address) else {
        return false;
    };
    if is_remote(&found.change.type_name) && !world.live.contains_key(address) {
        // It may still be read.
        return false;
    }
    let seal = world.seal();
    let mut segments = reference.attribute.segments();
    if let Some(each) = &found.each
        && segments.next().is_some_and(|key| *key != each.key)
    {
        return false;
    }
    match segments.next() {
        Some(name) => known
            .outputs
            .get(&*name)
            .is_some_and(|value| seal.is_lost(value)),
        None => {
            let outputs = known.outputs.as_object();
            outputs.is_some_and(|outputs| outputs.values().any(|value| seal.is_lost(value)))
        }
    }
}

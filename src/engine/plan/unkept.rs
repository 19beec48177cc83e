//! Secrets of which the state has no value: an older version kept a hash of them. They count as
//! not known. What the file gives is compared with the live value, or sent once more where no
//! read returns it. What the file does not give (a password that was drawn) stays on the live
//! resources that have it; a step that needs it is refused, and says what to replace.
//!
//! Nothing is replaced by itself: that would change a password that is in use. A property that no
//! read returns is sent again, unless it is one that forces a replacement.

use super::instance::Instance;
use super::planner::Planner;
use super::{Action, Warning};
use crate::data::{Attributes, Data, Path};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::{Reference, Root, references};
use crate::resource::ResourceType;
use crate::resource::home::Home;
use crate::severity::Severity;
use crate::store::seal::{holds_hash, is_kept, is_sealed, sealed_paths};
use crate::store::state::ResourceState;
use serde_json::Value;
use std::collections::BTreeSet;

/// What an expression with an unknown value comes from.
#[derive(Default)]
struct Sources {
    /// The addresses whose secrets are not known.
    unkept: BTreeSet<String>,
    /// Whether it comes from something else that is not known.
    others: bool,
}

/// The hash at this path or around it.
fn hash_at<'v>(path: &Path, value: &'v Value) -> Option<(Path, &'v Value)> {
    let mut above = std::iter::successors(Some(path.clone()), Path::parent);
    above.find_map(|at| {
        let found = at.get(value)?;
        (is_sealed(found) && !is_kept(found)).then_some((at, found))
    })
}

impl Planner<'_> {
    /// What was set from a secret that is not known, and is to be set from one again, stays as it
    /// is live.
    /// The places that stay.
    pub(super) fn keep_unkept(
        &self,
        known: &ResourceState,
        live: &Attributes,
        desired: &mut Data,
    ) -> BTreeSet<Path> {
        let mut stays = BTreeSet::new();
        for (path, expression) in desired.unknown.clone() {
            let sources = self.sources(&expression);
            let Some((at, hash)) = hash_at(&path, &known.inputs) else {
                continue;
            };
            if sources.others || sources.unkept.is_empty() {
                continue;
            }
            // A document that is live as a string stays as a whole.
            let mut above = std::iter::successors(Some(path), Path::parent);
            let live = above.find_map(|at| {
                let value = at.get(live).filter(|value| !value.is_null());
                value
                    .filter(|_| !at.is_root())
                    .map(|value| (at.clone(), value))
            });
            let (at, value) = live.unwrap_or((at, hash));
            let mut kept = Data::from(value.clone());
            kept.secret.insert(Path::root());
            desired.set(&at, kept);
            stays.insert(at);
        }
        stays
    }

    /// The outputs of which the state has no value, of a resource that stays.
    pub(super) fn note_unkept(
        &mut self,
        kind: &dyn ResourceType,
        address: &str,
        live: &Attributes,
    ) {
        for name in kind.schema().output_names() {
            if live.get(name).is_some_and(is_sealed) {
                let expression = format!("${{{address}.{name}}}");
                self.unkept.insert(expression, address.to_owned());
            }
        }
    }

    /// Whether an expression has no value only since the state has none.
    pub(super) fn is_unkept(&self, expression: &str) -> bool {
        let sources = self.sources(expression);
        !sources.others && !sources.unkept.is_empty()
    }

    fn sources(&self, expression: &str) -> Sources {
        let mut sources = Sources::default();
        if !self.unkept.is_empty() {
            self.trace(expression, &mut BTreeSet::new(), &mut sources);
        } else {
            sources.others = true;
        }
        sources
    }

    fn trace(&self, expression: &str, seen: &mut BTreeSet<String>, sources: &mut Sources) {
        if let Some(address) = self.unkept.get(expression) {
            sources.unkept.insert(address.clone());
            return;
        }
        if !seen.insert(expression.to_owned()) {
            return;
        }
        let found = references(&Value::from(expression)).unwrap_or_default();
        let mut unknown = Vec::new();
        for reference in &found {
            let value = self.referred(reference);
            unknown.extend(
                value
                    .into_iter()
                    .flat_map(|data| data.unknown.into_values()),
            );
        }
        // A reference to what is wholly unknown stands for itself.
        sources.others |= unknown.iter().any(|inner| inner == expression);
        for inner in unknown.iter().filter(|inner| *inner != expression) {
            self.trace(inner, seen, sources);
        }
        sources.others |= unknown.is_empty();
    }

    /// The part of a value that a reference sees.
    fn referred(&self, reference: &Reference) -> Option<Data> {
        let values = &self.values;
        let whole = match reference.root {
            Root::Resource => values.resource.get(&reference.name)?,
            Root::Local => values.local.get(&reference.name)?,
            Root::Data => values.data.get(&reference.name)?,
            Root::Each => &values.each.as_ref()?.1,
            _ => return None,
        };
        whole.get(&reference.attribute)
    }

    /// Refuses steps that need what is not known, and says of what the state has hashes.
    pub(super) fn unkept(&mut self) {
        self.warn_of_hashes();
        if self.seal.is_locked()
            || self.unkept.is_empty()
            || !self.out.needs.is_empty()
            || !self.out.imports.is_empty()
        {
            return;
        }
        let instances = std::mem::take(&mut self.out.instances);
        for found in &instances {
            self.refuse_unkept(found);
        }
        self.out.instances = instances;
    }

    fn refuse_unkept(&mut self, found: &Instance) {
        let change = &found.change;
        let acts = matches!(change.action, Action::Create | Action::Update);
        let world = self.request.world;
        // What is live may still have the value, once it is read.
        let unread = found.kind.home() != Home::State
            && world.state.resources.contains_key(&change.address)
            && !world.live.contains_key(&change.address);
        let Some(after) = &change.after else { return };
        if unread || !(acts || change.action.is_replace()) {
            return;
        }
        let each = found.each.as_ref();
        self.values.each =
            each.map(|each| (Value::from(each.key.as_str()).into(), each.value.clone()));
        let mut needed: Vec<(Path, BTreeSet<String>)> = after
            .unknown
            .iter()
            .map(|(path, expression)| (path.clone(), self.sources(expression).unkept))
            .collect();
        self.values.each = None;
        needed.retain(|(_, sources)| !sources.is_empty());
        let sealed = sealed_paths(&after.value);
        let uses = |source: &&String| found.uses.contains(*source);
        let sources: BTreeSet<String> = self.unkept.values().filter(uses).cloned().collect();
        needed.extend(sealed.into_iter().map(|path| (path, sources.clone())));
        for (path, sources) in needed {
            let place = Path::pointer("/resources")
                .join(&found.block)
                .join("properties")
                .concat(&path);
            let names: Vec<String> = sources.into_iter().collect();
            let message = format!(
                "{path} of {} needs a secret of {}, and the state has only a hash of it",
                change.address,
                names.join(" and ")
            );
            let replace = names.iter().map(|name| format!("--replace {name}"));
            let replace: Vec<String> = replace.collect();
            let help = format!(
                "create it again for all that use it, with {}",
                replace.join(" ")
            );
            let diagnostic = Diagnostic::error(Place::Value(place), message).help(help);
            self.out.diagnostics.push(diagnostic);
        }
    }

    /// An output that only such a secret gives a value stays as it is; a new one is not created.
    pub(super) fn output_stays(&mut self, name: &str, after: &Data, exists: bool) -> bool {
        let mut unknown = after.unknown.values();
        if after.is_known() || !unknown.all(|expression| self.is_unkept(expression)) {
            return false;
        }
        if !exists {
            let place = Place::Key(Path::pointer("/outputs").join(name));
            let message = format!(
                "the output {name} is not created: it needs a secret of which the state has only \
                 a hash"
            );
            let mut warning = Diagnostic::error(place, message);
            warning.severity = Severity::Warning;
            self.out.diagnostics.push(warning);
        }
        true
    }

    fn warn_of_hashes(&mut self) {
        if self.request.options.destroy || !self.seal.is_open() {
            return;
        }
        let known = self.request.world.state.resources.iter();
        let of = known.filter(|(_, known)| holds_hash(&known.inputs) || holds_hash(&known.outputs));
        let of: Vec<&str> = of.map(|(address, _)| address.as_str()).collect();
        if of.is_empty() {
            return;
        }
        self.out.plan.warnings.push(Warning {
            address: None,
            message: format!(
                "an older version kept only hashes of the secrets of {}: they count as not known; \
                 the next apply keeps those that the file gives, encrypted, and a generated one \
                 stays on the live resources that have it",
                of.join(", ")
            ),
            help: None,
        });
    }
}

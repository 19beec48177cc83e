//! What apply knows as it goes: the state, and the values that later steps refer to.

mod finish;
mod unknown;

use super::work::{Call, Outcome, Work};
use crate::content::Content;
use crate::data::{Attributes, Data, Inputs, Path};
use crate::engine::plan::contents;
use crate::engine::plan::contents::{Contents, live_content};
use crate::engine::plan::diff::Compare;
use crate::engine::plan::hashes;
use crate::engine::plan::instance::{self, Instance};
use crate::engine::plan::marks::{mark_derived, mark_sensitive};
use crate::engine::plan::others::with_others;
use crate::engine::plan::planned::Planned;
use crate::engine::plan::unfinished;
use crate::engine::plan::values::{ReadFile, Values, Visible};
use crate::engine::plan::{Op, StepId};
use crate::engine::world::{Observed, World};
use crate::lang::stack::Stack;
use crate::resource::ResourceType;
use crate::resource::error::Error;
use crate::resource::home::Home;
use crate::resource::types::Types;
use crate::secrets::Secrets;
use crate::store::StoreError;
use crate::store::journal::Intent;
use crate::store::seal::{Seal, sealed_paths};
use crate::store::state::{ResourceState, State, StateChange};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// In place of an id that contains a secret.
const NO_ID: &str = "none";

/// A step that is due.
pub enum Resolved {
    /// It needs no call.
    Done(Vec<StateChange>),
    /// It calls, after its intent is written.
    Call {
        /// The calls.
        work: Box<Work>,
        /// The intent.
        intent: Box<Intent>,
    },
}

/// What is known so far.
pub struct Applying<'a> {
    stack: &'a Stack,
    types: &'a Types,
    planned: &'a Planned,
    world: &'a World,
    instances: BTreeMap<&'a str, &'a Instance>,
    values: Values<'a>,
    state: State,
    seal: Seal,
    /// The properties that due steps were resolved to.
    inputs: BTreeMap<StepId, Data>,
    intents: BTreeMap<StepId, Intent>,
    /// Collects the secrets that the run learns.
    pub secrets: Secrets,
    /// The addresses under which the world has the moved resources, by their new addresses.
    moved: BTreeMap<String, String>,
}

impl<'a> Applying<'a> {
    /// As the plan left it.
    pub fn new(
        stack: &'a Stack,
        types: &'a Types,
        (planned, world): (&'a Planned, &'a World),
        read_file: ReadFile<'a>,
    ) -> Self {
        let mut values = Values::new(stack, read_file);
        values.local.clone_from(&planned.locals);
        values.data.clone_from(&planned.data);
        values.resource.clone_from(&planned.resources);
        Self {
            stack,
            types,
            planned,
            world,
            instances: instance::by_address(&planned.instances),
            values,
            state: world.state.clone(),
            seal: world.seal(),
            inputs: BTreeMap::new(),
            intents: BTreeMap::new(),
            secrets: Secrets::default(),
            moved: BTreeMap::new(),
        }
    }

    /// The state so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The content that the plan knows of the local files that a resource names, by property.
    pub fn files(&self, address: &str) -> BTreeMap<String, Content> {
        let found = self.instances.get(address);
        let contents = found.map(|found| found.contents()).unwrap_or_default();
        let named = contents.into_iter();
        named
            .filter_map(|(path, content)| Some((path.first()?.into_owned(), content)))
            .collect()
    }

    /// Works out what a due step calls with.
    ///
    /// # Errors
    /// When an expression has no value even now, or one that does not fit.
    pub fn resolve(&mut self, id: StepId) -> Result<Resolved, Error> {
        let step = &self.planned.plan.steps[id];
        let address = step.address.as_str();
        match &step.op {
            Op::Create {
                inputs,
                decided,
                operation,
            } => {
                let inputs = self.evaluate_unknown(address, inputs)?;
                let kind = kind(self.types, &step.type_name)?;
                let call = Call::Create {
                    kind,
                    inputs: Inputs::new(inputs.value.clone()),
                    decided: decided.clone(),
                };
                let mut intent = intent(id, "create", address, &step.type_name);
                intent.inputs = Inputs::new(self.seal.seal_all(&inputs).into_owned());
                intent.operation.clone_from(operation);
                let resource = self.resource(address, "", &inputs, &Attributes::default());
                let decided = Value::Object(decided.clone());
                let decided = self.seal.seal_paths(&decided, &resource.sensitive);
                intent.decided = decided.as_object().cloned().unwrap_or_default();
                intent.resource = Some(Box::new(resource));
                self.inputs.insert(id, inputs);
                Ok(self.call(id, call, intent, operation.clone()))
            }
            Op::Update {
                inputs,
                live,
                changed,
            } => {
                let mut changed = changed.clone();
                let all_known = inputs.is_known();
                let inputs = self.evaluate_unknown(address, inputs)?;
                let kind = kind(self.types, &step.type_name)?;
                if !all_known {
                    changed = self.changed(kind, address, live, &inputs)?;
                    if changed.is_empty() {
                        return self.take_over(address, live, &inputs);
                    }
                }
                let known = self.stored_resource(address, None)?;
                let opened = self.seal.opened_resource(known);
                let applied = unfinished::applied(kind.schema(), &opened, live);
                let own = Inputs::new(inputs.value.clone());
                let mut intent = intent(id, "update", address, &step.type_name);
                intent.unfinished = unfinished::changed(kind, (&known.inputs, &inputs), &changed);
                let call = Call::Update {
                    kind,
                    id: known.id.clone(),
                    live: live.clone(),
                    inputs: with_others(kind.schema(), &applied, live, own),
                    changed,
                };
                self.inputs.insert(id, inputs);
                Ok(self.call(id, call, intent, String::new()))
            }
            Op::Delete { deposed } => {
                let known = self.stored_resource(address, deposed.as_deref())?;
                let kind = kind(self.types, &known.type_name)?;
                let live = self.live(address, known, deposed.is_none(), kind);
                let call = Call::Delete {
                    kind,
                    id: known.id.clone(),
                    live,
                };
                let mut intent = intent(id, "delete", address, &known.type_name);
                if deposed.is_none() {
                    intent.unfinished = unfinished::settable(kind, &known.inputs);
                }
                Ok(self.call(id, call, intent, String::new()))
            }
            Op::Read { args } => {
                let args = self.evaluate_unknown(address, args)?;
                let kind = self.types.data_source(&step.type_name).ok_or_else(|| {
                    Error::failed(format!("{} is no data source", step.type_name))
                })?;
                let call = Call::Read {
                    kind,
                    args: Inputs::new(args.value.clone()),
                    is_secret: !args.secret.is_empty(),
                };
                self.inputs.insert(id, args);
                let intent = intent(id, "read", address, &step.type_name);
                Ok(self.call(id, call, intent, String::new()))
            }
            Op::Depose { key } => Ok(self.no_call(StateChange::Depose {
                address: address.to_owned(),
                key: key.clone(),
            })),
            Op::Forget { deposed } => Ok(self.no_call(StateChange::Drop {
                address: address.to_owned(),
                deposed: deposed.clone(),
            })),
            Op::Move { from } => {
                self.moved.insert(address.to_owned(), from.clone());
                Ok(self.no_call(StateChange::Move {
                    from: from.clone(),
                    to: address.to_owned(),
                }))
            }
            Op::UpdateState {
                id,
                inputs,
                outputs,
            }
            | Op::Import {
                id,
                inputs,
                outputs,
            } => {
                let resource = self.resource(address, id, inputs, outputs);
                let resource = Box::new(resource);
                Ok(self.no_call(StateChange::Put {
                    address: address.to_owned(),
                    resource,
                }))
            }
        }
    }

    /// The paths that differ, now that all properties are known.
    fn changed(
        &self,
        kind: &dyn ResourceType,
        address: &str,
        live: &Attributes,
        inputs: &Data,
    ) -> Result<BTreeSet<Path>, Error> {
        let known = self.stored_resource(address, None)?;
        let opened = self.seal.opened_resource(known);
        let found = self.instances.get(address);
        let ignored = found.map_or(&[][..], |found| &found.ignored);
        let is_live = |content: &Content| live_content(kind, ignored, live, content);
        let applied = (&opened.inputs, &known.sensitive);
        let contents = found.map(|found| Contents {
            applied: &opened.files,
            wanted: &found.files,
            live: &is_live,
        });
        let compare = Compare::new(kind, applied, live, Some(inputs)).with(contents);
        let (rows, _) = compare.differences();
        Ok(rows.into_iter().map(|row| row.path).collect())
    }

    /// What was unknown turned out to be what is live: no call, the state takes it in.
    fn take_over(
        &mut self,
        address: &str,
        live: &Attributes,
        inputs: &Data,
    ) -> Result<Resolved, Error> {
        let known = self.stored_resource(address, None)?;
        let (id, outputs) = (known.id.clone(), known.lasting_outputs(inputs));
        let visible = outputs.with(live).with(&inputs.value);
        self.show(address, inputs, &visible);
        let resource = Box::new(self.resource(address, &id, inputs, &outputs));
        Ok(self.no_call(StateChange::Put {
            address: address.to_owned(),
            resource,
        }))
    }

    fn call(&mut self, id: StepId, call: Call, intent: Intent, operation: String) -> Resolved {
        self.intents.insert(id, intent.clone());
        let work = Box::new(Work {
            call,
            operation,
            cx: None,
        });
        Resolved::Call {
            work,
            intent: Box::new(intent),
        }
    }

    fn no_call(&mut self, change: StateChange) -> Resolved {
        self.state.change(change.clone());
        Resolved::Done(vec![change])
    }

    fn stored_resource(
        &self,
        address: &str,
        deposed: Option<&str>,
    ) -> Result<&ResourceState, Error> {
        let known = self.state.resource(address, deposed);
        known.ok_or_else(|| Error::failed(format!("{address} is not in the state")))
    }

    /// The known values of a resource about to be deleted: the live values, and from the file what
    /// no read returns.
    fn live(
        &self,
        address: &str,
        known: &ResourceState,
        current: bool,
        kind: &dyn ResourceType,
    ) -> Attributes {
        let known = self.seal.opened_resource(known);
        let mut attributes = known.outputs.clone();
        // A state of an older version may still have what was taken out of the file.
        for name in kind.assumed_on_import(&known.inputs, &attributes) {
            if known.inputs.get(*name).is_none() {
                Path::root().join(name).remove(&mut attributes);
            }
        }
        let seen = self.moved.get(address).map_or(address, String::as_str);
        if current && let Some(Observed::Present(live)) = self.world.live.get(seen) {
            attributes = attributes.with(live);
        }
        let written = known.inputs.as_object().into_iter().flatten();
        let hidden: Map<String, Value> = written
            .filter(|(name, _)| kind.schema().flag(&Path::root().join(name), "writeOnly"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        attributes.with(&Value::Object(hidden))
    }

    /// A resource as the state stores it.
    fn resource(
        &self,
        address: &str,
        id: &str,
        inputs: &Data,
        outputs: &Attributes,
    ) -> ResourceState {
        let found = self.instances.get(address);
        let type_name = found
            .map(|found| found.change.type_name.clone())
            .unwrap_or_default();
        let stays = found.filter(|found| !found.unkept.is_empty());
        let inputs = match (stays, self.state.resources.get(address)) {
            (Some(found), Some(known)) => &hashes::as_applied(inputs, &found.unkept, known),
            _ => inputs,
        };
        let outputs = outputs.with(&inputs.value);
        let mut sensitive = inputs.secret.clone();
        sensitive.extend(sealed_paths(&outputs));
        if let Some(found) = found {
            let names = outputs
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name);
            let schema = found.kind.schema();
            let marked = names.filter(|name| schema.is_sensitive(name));
            sensitive.extend(marked.map(|name| Path::root().join(name)));
            mark_derived(schema, &mut sensitive, contents::secret(&found.files));
        }
        let (files, sealed_files) = found.map_or_else(Default::default, |found| {
            contents::kept(&found.files, &self.seal)
        });
        ResourceState {
            id: found
                .map_or(id, |found| stored_id(found.kind, id, &sensitive))
                .to_owned(),
            type_name,
            inputs: Inputs::new(self.seal.seal_paths(&inputs.value, &sensitive)),
            outputs: Attributes::new(self.seal.seal_paths(&outputs, &sensitive)),
            dependencies: found
                .map(|found| (*found.dependencies).clone())
                .unwrap_or_default(),
            origins: IgnoredAny,
            sensitive,
            files,
            sealed_files,
            options: found.map(|found| found.options.clone()).unwrap_or_default(),
            unfinished: BTreeSet::new(),
        }
    }

    /// Records the outcome of a step.
    pub fn record(&mut self, id: StepId, outcome: Outcome) -> Vec<StateChange> {
        let step = &self.planned.plan.steps[id];
        let address = step.address.clone();
        let inputs = self.inputs.remove(&id).unwrap_or_default();
        self.intents.remove(&id);
        let change = match &step.op {
            Op::Delete { deposed } => StateChange::Drop {
                address,
                deposed: deposed.clone(),
            },
            Op::Read { .. } => {
                self.read(&address, &inputs, &outcome.outputs);
                return Vec::new();
            }
            _ => {
                let previous = match (&step.op, self.state.resources.get(&address)) {
                    (Op::Update { .. }, Some(known)) => known.lasting_outputs(&inputs),
                    (Op::Create { decided, .. }, _) => Attributes::new(decided.clone()),
                    _ => Attributes::default(),
                };
                let outputs = previous.with(&outcome.outputs);
                let mut resource = self.resource(&address, &outcome.id, &inputs, &outputs);
                if outcome.error.is_some() {
                    let kind = self.types.resource(&resource.type_name);
                    if let Some(kind) = kind {
                        resource.unfinished = unfinished::settable(kind, &resource.inputs);
                    }
                    resource.forget_later(kind.map(ResourceType::schema));
                }
                self.show(&address, &inputs, &outputs.with(&inputs.value));
                StateChange::Put {
                    address,
                    resource: Box::new(resource),
                }
            }
        };
        self.state.change(change.clone());
        vec![change]
    }

    /// What a step that failed leaves in the state: which properties it may have set.
    pub fn unfinished(&mut self, id: StepId) -> Option<StateChange> {
        let change = self.intents.remove(&id)?.unfinished()?;
        self.state.change(change.clone());
        Some(change)
    }

    /// Makes a resource's values visible to the expressions of later steps.
    fn show(&mut self, address: &str, inputs: &Data, attributes: &Attributes) {
        let Some(found) = self.instances.get(address) else {
            return;
        };
        let secret = contents::secret(&found.files).cloned().collect();
        let schema = found.kind.schema();
        let outputs = &Attributes::new(self.seal.opened(attributes).into_owned());
        let visible = Visible {
            schema,
            address,
            inputs,
            outputs,
            secret: &secret,
            named: self.stack.named(&found.block),
        }
        .data(|_| false);
        // A random value is secret from the start; a value derived from secrets is not.
        match schema.has_keyword("sensitive") {
            true => self.secrets.learn_source(&visible),
            false => self.secrets.learn_secret(&visible),
        }
        match &found.each {
            None => {
                self.values.resource.insert(found.block.clone(), visible);
            }
            Some(each) => {
                let all = self.values.resource.entry(found.block.clone()).or_default();
                all.set(&Path::root().join(&each.key), visible);
            }
        }
    }

    fn read(&mut self, address: &str, args: &Data, outputs: &Attributes) {
        let name = address.strip_prefix("data.").unwrap_or(address);
        let Some(block) = self.stack.data.get(name) else {
            return;
        };
        let Some(kind) = self.types.data_source(&block.type_name) else {
            return;
        };
        let secret = BTreeSet::new();
        let schema = kind.schema();
        let visible = Visible {
            schema,
            address,
            inputs: args,
            outputs,
            secret: &secret,
            named: None,
        };
        self.values
            .data
            .insert(name.to_owned(), visible.data(|_| false));
    }

    /// Keeps the intent of a create whose outcome stays unknown, for the next run.
    pub fn keep_open(&mut self, id: StepId) {
        if let Some(intent) = self.intents.remove(&id)
            && intent.op == "create"
        {
            self.state.pending.push(intent);
        }
    }

    /// The service has named a step's request.
    pub fn requested(&mut self, id: StepId, request: &str) {
        if let Some(intent) = self.intents.get_mut(&id) {
            intent.request = Some(request.to_owned());
        }
    }

    /// The request that the service has named for a step.
    pub fn request(&self, id: StepId) -> Option<&str> {
        self.intents.get(&id)?.request.as_deref()
    }

    /// The key that the state must name before anything sealed so far is stored; the state names it
    /// from here on.
    ///
    /// # Errors
    /// When the key cannot be prepared.
    pub fn key_change(&mut self) -> Result<Option<StateChange>, StoreError> {
        let change = self.seal.key_change(&self.state)?;
        if let Some(change) = &change {
            self.state.change(change.clone());
        }
        Ok(change)
    }
}

fn kind(types: &Types, type_name: &str) -> Result<&'static dyn ResourceType, Error> {
    types
        .resource(type_name)
        .ok_or_else(|| Error::failed(format!("{type_name} is no type that this version knows")))
}

/// The id that the state keeps of a resource. One that lives in the state alone needs none; it is
/// excluded where it contains a secret.
pub(super) fn stored_id<'i>(
    kind: &dyn ResourceType,
    id: &'i str,
    sensitive: &BTreeSet<Path>,
) -> &'i str {
    let secret = sensitive.contains(&Path::root().join("id"));
    match secret && kind.home() == Home::State {
        true => NO_ID,
        false => id,
    }
}

fn intent(step: StepId, op: &str, address: &str, type_name: &str) -> Intent {
    Intent {
        step,
        op: op.to_owned(),
        address: address.to_owned(),
        type_name: type_name.to_owned(),
        inputs: Inputs::default(),
        decided: Map::new(),
        operation: String::new(),
        request: None,
        unfinished: BTreeSet::new(),
        resource: None,
    }
}

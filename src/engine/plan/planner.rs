//! From a stack and a world to a plan: pure, no call, no clock. Everything that apply needs is
//! decided here.

use super::contents::files_written;
use super::graph::Uses;
use super::hashes::Unkept;
use super::instance::{self, Each, Instance};
use super::mistakes::Mistakes;
use super::mistakes::violation;
use super::planned::{FAULTY, Need, Planned, Request};
use super::relations::Forced;
use super::rewrites::ImportFault;
use super::rewrites::Rewrites;
use super::values::{Values, Visible};
use super::{Action, Change};
use crate::data::{Attributes, Data, Inputs, Path};
use crate::engine::address::Address;
use crate::engine::plan::Declared;
use crate::engine::world::World;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::{LocatedError, Size, evaluate, evaluate_rest};
use crate::lang::references::Node;
use crate::lang::stack::ResourceBlock;
use crate::lint::code_in_schema;
use crate::resource::ResourceType;
use crate::resource::home::{AWS, Home};
use crate::resource::types::Types;
use crate::severity::Severity;
use crate::store::seal::Seal;
use crate::store::state::SavedOptions;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of a replacement beside its reason where the old one stays.
const KEPT: &str = "; retainOnDelete: the old one is left alone and no longer managed";

/// The most resources of a stack, the instances of those with `forEach` counted.
const MOST_RESOURCES: usize = 100_000;

/// One round: the plan in a world with these moves and imports done, and with the resources in
/// `forced` replaced. Its steps do not exist yet.
pub(super) fn round(
    request: &Request<'_>,
    uses: &BTreeMap<String, Uses>,
    rewrites: &Rewrites,
    forced: &BTreeMap<String, Forced>,
) -> Planned {
    let world = request.world;
    let mut planner = Planner {
        request,
        uses,
        seal: world.seal(),
        values: Values::new(request.stack, request.read_file),
        unkept: Unkept::new(),
        rewrites,
        forced,
        by_block: BTreeMap::new(),
        faulty: BTreeSet::new(),
        over: false,
        suspect: false,
        out: Planned::default(),
    };
    planner.head();
    if request.options.destroy {
        planner.locals();
    } else {
        planner.blocks();
        planner.moves();
        planner.link();
        planner.rules();
    }
    planner.orphans();
    planner.addresses();
    let all = planner.numbers();
    planner.narrow();
    planner.renumber(&all);
    planner.along();
    planner.protected();
    planner.retained();
    planner.holdings();
    planner.renames();
    planner.unkept();
    planner.outputs();
    planner.finish()
}

pub(super) struct Planner<'a> {
    pub(super) request: &'a Request<'a>,
    /// What each block needs.
    pub(super) uses: &'a BTreeMap<String, Uses>,
    pub(super) seal: Seal,
    pub(super) values: Values<'a>,
    /// The outputs of which the state has no value.
    pub(super) unkept: Unkept,
    /// The moves and imports that the world has.
    pub(super) rewrites: &'a Rewrites,
    /// Addresses to replace whatever their properties say.
    pub(super) forced: &'a BTreeMap<String, Forced>,
    pub(super) by_block: BTreeMap<String, Vec<usize>>,
    /// Blocks with mistakes, and those that refer to them: what follows from a mistake is none.
    pub(super) faulty: BTreeSet<Node>,
    /// Whether a limit of the stack is reached: what comes after it is not evaluated.
    over: bool,
    /// Whether the block at hand refers to one of these.
    suspect: bool,
    pub(super) out: Planned,
}

impl<'a> Planner<'a> {
    fn head(&mut self) {
        let World {
            state,
            identity,
            region,
            head,
            ..
        } = self.request.world;
        let plan = &mut self.out.plan;
        plan.stack.clone_from(&self.request.stack.name);
        plan.env.clone_from(&self.request.stack.env);
        plan.serial = state.serial;
        plan.lineage.clone_from(&state.lineage);
        plan.account = identity.as_ref().map(|identity| identity.account.clone());
        plan.region.clone_from(region);
        plan.head.clone_from(head);
    }

    fn fault(&mut self, base: &Path, fault: LocatedError) {
        let path = base.concat(&fault.path);
        let place = match fault.range {
            Some(range) => Place::Within(path, range),
            None => Place::Value(path),
        };
        let mut diagnostic = Diagnostic::error(place, fault.message);
        diagnostic.help = fault.help;
        self.out.diagnostics.push(diagnostic);
    }

    /// Evaluates a template of the file; faults are reported and leave it unknown.
    pub(super) fn eval(&mut self, base: &Path, template: &Value) -> Data {
        if self.over {
            return Data::unknown(FAULTY);
        }
        let (data, faults) = evaluate_rest(template, &self.values);
        self.leading_out(base, template);
        for fault in faults {
            self.over |= fault.limit;
            self.fault(base, fault);
        }
        match self.keep(base, Size::of_data(&data)) {
            true => data,
            false => Data::unknown(FAULTY),
        }
    }

    /// Counts what a block has. Whether that is within the limits of a stack.
    pub(super) fn keep(&mut self, base: &Path, size: Size) -> bool {
        if let Err(message) = self.values.budget.keep(size)
            && !self.over
        {
            self.over = true;
            self.error(base.clone(), message);
        }
        !self.over
    }

    fn blocks(&mut self) {
        let index = self.request.stack.references();
        for at in index.order() {
            let node = &index.nodes()[*at];
            self.suspect = !self.faulty.is_empty() && self.refers_to_faulty(*at);
            let before = self.out.diagnostics.len();
            match node {
                Node::Local(name) => {
                    let base = Path::pointer("/locals").join(name);
                    let value = self.eval(&base, &self.request.stack.locals[name]);
                    self.values.local.insert(name.clone(), value);
                }
                Node::Data(name) => self.data_block(name.clone()),
                Node::Resource(name) => self.resource_block(name),
            }
            let new = self.out.diagnostics.get(before..).unwrap_or_default();
            let wrong = new.iter().any(|found| found.severity == Severity::Error);
            if self.suspect || wrong {
                let values = match node {
                    Node::Local(_) => &mut self.values.local,
                    Node::Data(_) => &mut self.values.data,
                    Node::Resource(_) => &mut self.values.resource,
                };
                values.insert(node.name().to_owned(), Data::unknown(FAULTY));
                self.faulty.insert(node.clone());
            }
        }
        self.suspect = false;
        // The settings of the clients are evaluated before anything else; their mistakes are
        // reported together with all others.
        let stack = self.request.stack;
        let aws = self.eval(&Path::pointer("/providers/aws"), &stack.aws);
        self.other_endpoint(&aws.value);
        self.eval(&Path::pointer("/state"), &stack.state);
    }

    /// Whether a block refers to one with a mistake.
    fn refers_to_faulty(&self, at: usize) -> bool {
        let index = self.request.stack.references();
        let mut edges = index.edges(at).iter();
        edges.any(|edge| {
            index.reference(edge).is_some() && self.faulty.contains(&index.nodes()[edge.to])
        })
    }

    /// What needs no reading, for a destroy that looks at options only.
    fn locals(&mut self) {
        let stack = self.request.stack;
        for name in stack.references().locals() {
            if let Ok(value) = evaluate(&stack.locals[name], &self.values) {
                self.values.local.insert(name.to_owned(), value);
            }
        }
    }

    fn data_block(&mut self, name: String) {
        let block = &self.request.stack.data[&name];
        let base = Path::pointer("/data").join(&name).join("properties");
        let mut args = self.eval(&base, &block.properties);
        let Some(kind) = self.request.types.data_source(&block.type_name) else {
            self.values.data.insert(name, Data::unknown(FAULTY));
            return;
        };
        let schema = kind.schema();
        schema.conform(&mut args);
        let broken = schema.validate(&args).into_iter();
        let found = broken.map(|broken| violation(&base, broken));
        self.out.diagnostics.extend(found);
        if args.is_known() {
            self.inspect(&base, kind, &args);
        }
        let read = self
            .request
            .world
            .data
            .get(&name)
            .filter(|read| *read.args == args.value);
        let nothing = Attributes::default();
        let visible = Visible {
            schema,
            address: &format!("data.{name}"),
            inputs: &args,
            outputs: read.map_or(&nothing, |read| &read.outputs),
            secret: &BTreeSet::new(),
            named: None,
        };
        let mut value = visible.data(|_| read.is_none() || !args.is_known());
        if read.is_none() && args.is_known() {
            self.hide_files(&name, schema, &mut value);
        }
        if !args.is_known() {
            self.out.plan.changes.push(Change {
                address: format!("data.{name}"),
                type_name: block.type_name.clone(),
                id: None,
                action: Action::Read,
                reason: "its arguments are known only while applying".to_owned(),
                before: None,
                after: Some(args),
                differences: Vec::new(),
                ..Change::default()
            });
        } else if read.is_none() {
            self.out.needs.push(Need {
                name: name.clone(),
                type_name: block.type_name.clone(),
                is_secret: !args.secret.is_empty(),
                args: Inputs::new(args.value),
            });
        } else {
            let files = files_written(schema, &args);
            let address = format!("data.{name}");
            let files = files.map(|path| (address.clone(), path));
            self.out.plan.files.extend(files);
        }
        self.values.data.insert(name, value);
    }

    fn resource_block(&mut self, name: &str) {
        let block = &self.request.stack.resources[name];
        let Some(kind) = self.request.types.resource(&block.type_name) else {
            let faulty = Data::unknown(FAULTY);
            self.values.resource.insert(name.to_owned(), faulty);
            return;
        };
        let base = Path::pointer("/resources").join(name);
        let Some(keys) = self.keys(&base, block) else {
            self.values
                .resource
                .insert(name.to_owned(), Data::unknown(format!("${{{name}}}")));
            return;
        };
        let single = block.options.for_each.is_none();
        let mut all = Data::from(if single {
            Value::Null
        } else {
            Value::Object(Map::new())
        });
        let (count, mut told) = (keys.len(), Mistakes::default());
        if self.out.instances.len().saturating_add(keys.len()) > MOST_RESOURCES && !self.over {
            self.over = true;
            self.error(
                base,
                format!("the stack has more than {MOST_RESOURCES} resources from here on"),
            );
        }
        let room = MOST_RESOURCES.saturating_sub(self.out.instances.len());
        for each in keys.into_iter().take(room) {
            let before = self.out.diagnostics.len();
            let address = Address::new(name, each.as_ref().map(|each| each.key.as_str()));
            self.values.each = each
                .as_ref()
                .map(|each| (Value::from(each.key.as_str()).into(), each.value.clone()));
            let (found, visible) = self.instance(name, address.to_string(), kind, each.clone());
            self.values.each = None;
            match &each {
                None => all = visible,
                Some(each) => all.set(&Path::root().join(&each.key), visible),
            }
            self.by_block
                .entry(name.to_owned())
                .or_default()
                .push(self.out.instances.len());
            if found.each.is_some() {
                let new = self.out.diagnostics.split_off(before);
                told.add(&found.change.address, new);
            }
            self.out.instances.push(found);
        }
        self.out.diagnostics.extend(told.diagnostics(count));
        self.values.resource.insert(name.to_owned(), all);
    }

    /// The instances of a block: one, one per key, or none. Returns none where the keys are
    /// unknown.
    fn keys(&mut self, base: &Path, block: &ResourceBlock) -> Option<Vec<Option<Each>>> {
        let options = base.join("options");
        if let Some(template) = &block.options.when {
            let place = options.join("when");
            match self.flag(&place, template) {
                Some(true) => {}
                Some(false) => return Some(Vec::new()),
                None => return None,
            }
        }
        let Some(template) = &block.options.for_each else {
            return Some(vec![None]);
        };
        let place = options.join("forEach");
        let data = self.eval(&place, template);
        match instance::keys(&data) {
            Ok(keys) => Some(keys.into_iter().map(Some).collect()),
            Err(message) => {
                if !self.may_come(&data) {
                    self.error(place, message);
                }
                None
            }
        }
    }

    /// Whether what is unknown of a value was reported already, or may be known once data is read.
    pub(super) fn may_come(&self, data: &Data) -> bool {
        let mut unknown = data.unknown.values();
        let reads = !self.out.needs.is_empty() || !self.out.imports.is_empty();
        self.suspect
            || (reads && !data.unknown.is_empty())
            || unknown.any(|expression| expression == FAULTY)
    }

    pub(super) fn error(&mut self, place: Path, message: impl Into<String>) {
        self.out
            .diagnostics
            .push(Diagnostic::error(Place::Value(place), message));
    }

    /// A bool option; reported where it is none or not known.
    fn flag(&mut self, place: &Path, template: &Value) -> Option<bool> {
        let data = self.eval(place, template);
        if let Some(expression) = data.unknown_at(&Path::root()) {
            if !self.may_come(&data) {
                let message = format!("{expression} must be known when the plan is made");
                self.error(place.clone(), message);
            }
            return None;
        }
        let flag = data.value.as_bool();
        if flag.is_none() {
            self.error(place.clone(), "expected true or false");
        }
        flag
    }

    pub(super) fn saved_options(&mut self, name: &str, block: &ResourceBlock) -> SavedOptions {
        let base = Path::pointer("/resources").join(name).join("options");
        let mut flag = |key: &str, template: &Option<Value>| {
            template
                .as_ref()
                .and_then(|template| self.flag(&base.join(key), template))
                .unwrap_or(false)
        };
        SavedOptions {
            protect: flag("protect", &block.options.protect),
            retain_on_delete: flag("retainOnDelete", &block.options.retain_on_delete),
            delete_timeout: block.options.timeouts.delete.map(|time| time.as_secs()),
        }
    }

    /// The properties that the file wants, checked, with the provider's default tags.
    pub(super) fn desired(
        &mut self,
        name: &str,
        block: &ResourceBlock,
        kind: &dyn ResourceType,
    ) -> Data {
        let base = Path::pointer("/resources").join(name).join("properties");
        let mut desired = self.eval(&base, &block.properties);
        if desired.value.is_null() && desired.is_known() {
            desired.value = Value::Object(Map::new());
        }
        kind.schema().conform(&mut desired);
        if self.default_tags(&base, kind, &mut desired) {
            kind.schema().conform(&mut desired);
        }
        self.open_names(name, kind, &desired);
        let broken = kind.schema().validate(&desired).into_iter();
        let found = broken.map(|mut broken| {
            broken.code = code_in_schema(kind.name(), &broken);
            violation(&base, broken)
        });
        self.out.diagnostics.extend(found);
        desired
    }

    /// Warns of a name that comes from a secret: it is in the id, which everything shows.
    fn open_names(&mut self, block: &str, kind: &dyn ResourceType, desired: &Data) {
        let schema = kind.schema();
        // What the id consists of: the name, the prefix of a generated one, its parent's id.
        let names: BTreeSet<&str> = match kind.home() != Home::State && schema.has_from("id") {
            true => schema.from("id").collect(),
            false => kind.identity().iter().copied().collect(),
        };
        for name in names {
            let path = Path::root().join(name);
            if !desired.is_secret(&path) {
                continue;
            }
            let place = Path::pointer("/resources").join(block).join("properties");
            let message = format!(
                "{name} of {block} comes from a secret, and becomes part of what the object is \
                 called: AWS shows it, and the state keeps it in clear"
            );
            let mut warning = Diagnostic::error(Place::Value(place.concat(&path)), message);
            warning.severity = Severity::Warning;
            self.out.diagnostics.push(warning);
        }
    }

    /// Adds the provider's tags to those of the resource; whether there are any.
    fn default_tags(&mut self, base: &Path, kind: &dyn ResourceType, desired: &mut Data) -> bool {
        let Some(template) = self
            .request
            .stack
            .aws
            .get("defaultTags")
            .filter(|_| !self.over)
        else {
            return false;
        };
        let Some(tags) = kind.schema().tags().filter(|_| kind.home() == AWS) else {
            return false;
        };
        let tags = Path::root().join(tags);
        let Ok(defaults) = evaluate(template, &self.values) else {
            return false;
        };
        if !self.keep(base, Size::of_data(&defaults)) {
            return false;
        }
        for key in defaults
            .value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
        {
            let at = tags.join(key);
            if desired.get(&at).is_none()
                && let Some(value) = defaults.get(&Path::root().join(key))
            {
                desired.set(&at, value);
            }
        }
        true
    }

    fn addresses(&mut self) {
        let state = &self.request.world.state;
        let instances = self.out.instances.iter();
        let addresses: BTreeSet<&String> = instances
            .map(|found| &found.change.address)
            .chain(self.request.stack.resources.keys())
            .chain(state.resources.keys())
            .chain(state.deposed.keys())
            .collect();
        self.out.addresses = addresses.into_iter().cloned().collect();
    }

    fn finish(mut self) -> Planned {
        self.out.locals = self.values.local;
        self.out.data = self.values.data;
        self.out.resources = self.values.resource;
        self.out.destroy = self.request.options.destroy;
        self.out.only_imports = self.request.options.imports.is_some();
        self.out.moves.clone_from(&self.rewrites.moves);
        if self.request.options.imports.is_none() {
            let faults = std::mem::take(&mut self.out.rewrites.faults).into_iter();
            self.out
                .diagnostics
                .extend(faults.map(ImportFault::diagnostic));
        }
        self.out
    }
}

/// The rows move into the plan; an instance keeps what apply asks it for.
pub(super) fn rows(out: &mut Planned, types: &Types) {
    for found in &mut out.instances {
        if found.options.retain_on_delete && found.change.action.is_replace() {
            found.change.reason.push_str(KEPT);
        }
    }
    let rows = out.instances.iter_mut().map(Instance::take_row);
    out.plan.changes.extend(rows);
    for row in &mut out.plan.changes {
        row.schema = Declared(match row.action {
            Action::Read => types.data_source(&row.type_name).map(|kind| kind.schema()),
            _ => types.schema(&row.type_name),
        });
    }
    out.plan.changes.sort_by(|a, b| a.address.cmp(&b.address));
}

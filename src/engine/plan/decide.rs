//! One resource of the file against the world: decides its action, and what expressions see of it
//! from then on.

use super::contents;
use super::contents::{Contents, Named, live_content};
use super::diff::Compare;
use super::graph::Uses;
use super::hashes;
use super::imports::ImportTarget;
use super::instance::{Each, Instance};
use super::marks::mark_derived;
use super::marks::mark_sensitive;
use super::planner::Planner;
use super::unfinished;
use super::values::Visible;
use super::{Action, Change, Declared, Difference, NEW};
use crate::data::{Attributes, Data, Inputs, Path};
use crate::engine::address::is_among;
use crate::engine::world::Observed;
use crate::lang::eval::Size;
use crate::lang::stack::ResourceBlock;
use crate::resource::aws::partition_of;
use crate::resource::context::Draw;
use crate::resource::{Place, ResourceType};
use crate::schema::Schema;
use crate::severity::Severity;
use crate::store::seal::holds_sealed;
use crate::store::state::ResourceState;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl<'a> Planner<'a> {
    pub(super) fn instance(
        &mut self,
        name: &str,
        address: String,
        kind: &'static dyn ResourceType,
        each: Option<Each>,
    ) -> (Instance, Data) {
        let block = &self.request.stack.resources[name];
        let schema = kind.schema();
        let told = self.out.diagnostics.len();
        let mut desired = self.desired(name, block, kind);
        let new = self.out.diagnostics.get(told..).unwrap_or_default();
        let wrong = new.iter().any(|found| found.severity == Severity::Error);
        let options = self.saved_options(name, block);
        let files = self.files(name, block, kind, &desired);
        let ignored = contents::ignored(block);
        let target = ImportTarget {
            files: &files,
            block: name,
            address: &address,
            kind,
            desired: &desired,
        };
        let importing = self.importing(&target, block);
        let former = self.former(name, block, each.as_ref());
        let known = self.request.world.state.resources.get(&address);
        let known = known.map(|known| self.seal.opened_resource(known));
        let known = known.as_deref();
        let gone = matches!(
            self.request.world.live.get(&address),
            Some(Observed::NotFound)
        );
        let live = known
            .filter(|_| !gone)
            .map(|known| self.live(&address, known));
        let mut unkept = BTreeSet::new();
        if let (Some(known), Some(live)) = (known, live)
            && known.type_name == block.type_name
        {
            ignore(
                &block.options.ignore_changes,
                &known.inputs,
                live,
                &mut desired,
            );
            unkept = self.keep_unkept(known, live, &mut desired);
        }
        let decision = match (known, live) {
            (Some(known), Some(live)) => {
                self.decide_action(block, kind, &address, (known, live, &files), &desired)
            }
            (Some(_), None) => Decision::create("it is gone: deleted outside stackctl"),
            (None, _) => Decision::create(NEW),
        };
        let remakes = decision.action == Action::Create || decision.action.is_replace();
        // Nothing is drawn for what the schema refuses: a length may be anything there.
        let decided = if remakes && !wrong && desired.value.is_object() {
            let world = self.request.world;
            kind.decide(
                &desired.value,
                &mut Draw::new(world.seed, &address, world.unix_time),
            )
        } else {
            Map::new()
        };
        let drawn = decided.iter().fold(Size::default(), |size, (_, value)| {
            size.plus(Size::of(value))
        });
        self.keep(&Path::pointer("/resources").join(name), drawn);
        let contents = contents::secret(&files).cloned().collect();
        let visible = self.visible(
            (kind, name),
            &address,
            &desired,
            &decision,
            (live, contents),
            &decided,
        );
        if let Some(live) = live.filter(|_| !remakes) {
            self.note_unkept(kind, &address, live);
        }
        let (before, secret_before) = before(schema, known, live, &desired);
        let change = Change {
            address: address.clone(),
            type_name: block.type_name.clone(),
            schema: Declared(Some(schema)),
            id: known.filter(|_| !gone).map(|known| known.id.clone()),
            action: decision.action,
            reason: decision.reason,
            before: before.map(|value| Data {
                value,
                secret: secret_before,
                ..Data::default()
            }),
            after: Some(mark_sensitive(schema, desired)),
            differences: decision.differences,
            unchanged: decision.unchanged,
            decided,
            importing,
            holds: None,
            moved_from: self.rewrites.moved_from(&address),
        };
        let forced = self.forced.get(&address);
        let goes_along = forced.is_some_and(|forced| forced.along.is_some());
        let is_compared = matches!(change.action, Action::Update | Action::CreateThenDelete);
        let none = Uses::default();
        let uses = self.uses.get(name).unwrap_or(&none);
        let of_block = |name: &String| {
            let at = self.by_block.get(name).into_iter().flatten();
            at.map(|at| &self.out.instances[*at].change.address)
        };
        // A block without `forEach` is the address of its resource.
        let addresses = |names: &Arc<BTreeSet<String>>| match names
            .iter()
            .all(|name| of_block(name).eq([name]))
        {
            true => Arc::clone(names),
            false => Arc::new(names.iter().flat_map(of_block).cloned().collect()),
        };
        let found = Instance {
            block: name.to_owned(),
            each,
            kind,
            uses: addresses(&uses.all),
            dependencies: addresses(&uses.strong),
            delete_first: block.options.delete_before_replace || goes_along,
            live: live.filter(|_| is_compared).cloned(),
            unkept,
            files,
            ignored,
            options,
            former,
            change,
        };
        self.complete_import(&found);
        (found, visible)
    }

    /// The live attributes, or what the state has where nothing was read.
    pub(super) fn live<'v>(&self, address: &str, known: &'v ResourceState) -> &'v Attributes
    where
        'a: 'v,
    {
        match self.request.world.live.get(address) {
            Some(Observed::Present(live)) => live,
            _ => &known.outputs,
        }
    }

    fn decide_action(
        &self,
        block: &ResourceBlock,
        kind: &dyn ResourceType,
        address: &str,
        (known, live, files): (&ResourceState, &Attributes, &BTreeMap<Path, Named>),
        desired: &Data,
    ) -> Decision {
        if known.type_name != block.type_name {
            return Decision::replace(format!("its type was {}", known.type_name));
        }
        let replace_on: Vec<Path> = block
            .options
            .replace_on_changes
            .iter()
            .map(|text| Path::dotted(text))
            .collect();
        let applied = unfinished::applied(kind.schema(), known, live);
        let applied = (&*applied, &known.sensitive);
        let contents = Contents {
            applied: &known.files,
            wanted: files,
            live: &|content| live_content(kind, &contents::ignored(block), live, content),
        };
        let (differences, unchanged) = Compare::new(kind, applied, live, Some(desired))
            .replacing(&replace_on)
            .with(Some(contents))
            .differences();
        let mut rows = differences.iter();
        let cut_off = rows.any(|row| unfinished::touches(known, &row.path));
        let mut rows = differences.iter().filter(|row| row.desired.is_some());
        let unkept = rows.any(|row| row.applied.as_ref().is_some_and(holds_sealed));
        let mut decision = Decision::from(kind.schema(), differences, unchanged);
        if cut_off {
            decision.reason = format!("{}; {}", decision.reason, unfinished::REASON);
        }
        if unkept && self.seal.is_open() {
            decision.reason = format!("{}; {}", decision.reason, hashes::REASON);
        }
        if is_among(address, &self.request.options.replace) {
            decision.reason = "--replace asks for it".to_owned();
            decision.action = Action::CreateThenDelete;
        }
        if let Some(forced) = self.forced.get(address)
            && !decision.action.is_replace()
        {
            decision.reason.clone_from(&forced.reason);
            decision.action = Action::CreateThenDelete;
        }
        decision
    }

    /// Where the plan creates AWS resources; none where nobody asked for the account.
    fn place(&self) -> Option<Place<'_>> {
        let world = self.request.world;
        let region = world.region.as_deref()?;
        Some(Place {
            partition: partition_of(region).0,
            region,
            account: &world.identity.as_ref()?.account,
        })
    }

    fn visible(
        &self,
        (kind, block): (&dyn ResourceType, &str),
        address: &str,
        desired: &Data,
        decision: &Decision,
        (live, mut secret): (Option<&Attributes>, BTreeSet<Path>),
        decided: &Map<String, Value>,
    ) -> Data {
        let schema = kind.schema();
        let remakes = decision.action == Action::Create || decision.action.is_replace();
        let known = self.request.world.state.resources.get(address);
        let mut known_before = decided.clone();
        if remakes && let Some(place) = self.place() {
            known_before.extend(kind.foreseen(&desired.value, &place));
        }
        let outputs = match live {
            Some(live) if !remakes => Cow::Borrowed(live),
            _ => Cow::Owned(Attributes::new(known_before.clone())),
        };
        if let Some(known) = known.filter(|_| !remakes) {
            secret.extend(known.secrets(Some(kind.schema())));
        }
        let visible = Visible {
            schema,
            address,
            inputs: desired,
            outputs: &outputs,
            secret: &secret,
            named: self.request.stack.named(block),
        };
        let changed: BTreeSet<String> = decision.changed();
        visible.data(|output| {
            if remakes {
                !known_before.contains_key(output)
            } else {
                schema.is_volatile(output, changed.iter().map(String::as_str))
                    && decision.action == Action::Update
            }
        })
    }
}

/// What happens to a resource, and why.
struct Decision {
    action: Action,
    reason: String,
    differences: Vec<Difference>,
    unchanged: usize,
}

impl Decision {
    fn create(reason: &str) -> Self {
        Self {
            action: Action::Create,
            reason: reason.to_owned(),
            differences: Vec::new(),
            unchanged: 0,
        }
    }

    fn replace(reason: String) -> Self {
        Self {
            action: Action::CreateThenDelete,
            reason,
            differences: Vec::new(),
            unchanged: 0,
        }
    }

    fn from(schema: &Schema, differences: Vec<Difference>, unchanged: usize) -> Self {
        let rows = |keep: &dyn Fn(&Difference) -> bool| -> Vec<String> {
            let rows = differences.iter().filter(|row| keep(row));
            rows.map(|row| match &row.content {
                Some(label) => format!("content of {label}"),
                None => row.path.to_string(),
            })
            .collect()
        };
        let fixed = rows(&|row| schema.flag(&row.path, "createOnly"));
        let kept = rows(&|row| {
            row.desired.is_none()
                && row.replaces
                && schema.keyword(&row.path, "staysUnless").is_some()
        });
        let forced = rows(&|row| row.replaces);
        let (action, reason) = if !fixed.is_empty() {
            (
                Action::CreateThenDelete,
                format!("{} cannot be changed in place", fixed.join(", ")),
            )
        } else if !kept.is_empty() {
            (
                Action::CreateThenDelete,
                format!("{} can be changed, but not unset", kept.join(", ")),
            )
        } else if !forced.is_empty() {
            (
                Action::CreateThenDelete,
                format!("replaceOnChanges has {}", forced.join(", ")),
            )
        } else if !differences.is_empty() {
            let rows = rows(&|_| true);
            let verb = if rows.len() == 1 { "differs" } else { "differ" };
            (Action::Update, format!("{} {verb}", rows.join(", ")))
        } else {
            (Action::NoOp, String::new())
        };
        Self {
            action,
            reason,
            differences,
            unchanged,
        }
    }

    /// The names of the properties that differ.
    fn changed(&self) -> BTreeSet<String> {
        Path::firsts(self.differences.iter().map(|row| &row.path))
    }
}

/// `ignoreChanges`: the live value counts as the file's.
fn ignore(paths: &[String], applied: &Inputs, live: &Attributes, desired: &mut Data) {
    for path in paths {
        let path = Path::dotted(path);
        match path.get(live).or_else(|| path.get(applied)) {
            // What is not kept cannot be put back; the file's value stands for it.
            Some(value) if holds_sealed(value) => {}
            Some(value) => desired.set(&path, value.clone().into()),
            None => desired.remove(&path),
        }
    }
}

/// The live values of the properties that the file or the last apply names.
pub(super) fn before(
    schema: &'static Schema,
    known: Option<&ResourceState>,
    live: Option<&Attributes>,
    desired: &Data,
) -> (Option<Value>, BTreeSet<Path>) {
    let (Some(known), Some(live)) = (known, live) else {
        return (None, BTreeSet::new());
    };
    let named = known.inputs.as_object().into_iter().flatten();
    let wanted = desired.value.as_object().into_iter().flatten();
    let mut map = Map::new();
    let names: BTreeSet<&String> = named.chain(wanted).map(|(name, _)| name).collect();
    for name in names {
        let from = if schema.has_flag(name, "writeOnly") {
            &*known.inputs
        } else {
            &**live
        };
        if let Some(value) = from.get(name) {
            map.insert(name.clone(), value.clone());
        }
    }
    let mut secret = known.secrets(Some(schema));
    secret.extend(desired.secret.iter().cloned());
    secret.extend(
        map.keys()
            .filter(|name| schema.is_sensitive(name))
            .map(|name| Path::root().join(name)),
    );
    mark_derived(schema, &mut secret, std::iter::empty());
    (Some(Value::Object(map)), secret)
}

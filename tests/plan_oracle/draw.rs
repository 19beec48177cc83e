//! A case: what the file says, what the state and the world have, and the flags.

use serde_json::{Map, Value, json};
use stackctl::data::Path;
use stackctl::engine::planner::Options;
use stackctl::engine::world::{ImportRead, Observed, World};
use stackctl::lang::stack::Stack;
use stackctl::lang::{check, load};
use stackctl::store::state::{ResourceState, SavedOptions, State, deposed_address};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const BLOCKS: usize = 5;
/// The key of a leftover.
pub const KEY: &str = "k";

/// Properties by their paths.
pub type Props = BTreeMap<&'static str, Value>;

/// The properties that cannot be changed in place.
pub fn is_fixed(path: &str) -> bool {
    matches!(path, "name" | "description")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Queue,
    Policy,
}

impl Kind {
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Queue => "aws:sqs:Queue",
            Self::Policy => "aws:iam:Policy",
        }
    }

    /// A property of the kind that can be changed in place.
    pub fn size(self) -> &'static str {
        match self {
            Self::Queue => "delaySeconds",
            Self::Policy => "tags.size",
        }
    }
}

/// Which part of a block refers to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// A property that can be changed in place.
    Open,
    /// One that cannot, of a policy.
    Fixed,
    /// A policy document, which only names it.
    Weak,
    DependsOn,
}

#[derive(Debug, Clone)]
pub struct Block {
    pub name: String,
    pub kind: Kind,
    /// With `forEach`.
    pub keys: Option<Vec<&'static str>>,
    pub when: bool,
    /// Its properties but for references.
    pub plain: Props,
    pub refers: BTreeSet<(How, usize)>,
    pub protect: bool,
    pub retain: bool,
    pub delete_first: bool,
    pub ignores: Option<&'static str>,
    pub replace_on_size: bool,
    pub moved_from: Option<String>,
    /// The id, and what is there.
    pub import: Option<(String, Option<Known>)>,
}

impl Block {
    pub fn addresses(&self) -> Vec<String> {
        match &self.keys {
            _ if !self.when => Vec::new(),
            None => vec![self.name.clone()],
            Some(keys) => keys
                .iter()
                .map(|key| format!("{}[\"{key}\"]", self.name))
                .collect(),
        }
    }

    /// Whether the file has it, be it switched off.
    fn is_in_file(&self) -> bool {
        self.when || self.protect
    }

    fn is_plain(&self) -> bool {
        self.when && self.keys.is_none()
    }
}

/// A resource of the state.
#[derive(Debug, Clone)]
pub struct Known {
    pub kind: Kind,
    pub id: String,
    pub arn: String,
    pub applied: Props,
    /// None: it does not exist any more.
    pub live: Option<Props>,
    /// Whether a read says so, or nothing was read.
    pub is_read: bool,
    pub needs: BTreeSet<String>,
    pub protect: bool,
    pub retain: bool,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub blocks: Vec<Block>,
    pub known: BTreeMap<String, Known>,
    pub leftovers: BTreeMap<String, Known>,
    pub options: Options,
}

/// Where choices come from: a byte each, and zero, the simplest, at the end.
pub struct Tape<'t>(pub &'t [u8]);

impl Tape<'_> {
    fn pick(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % count
    }

    /// Whether something happens that does in so many of a hundred cases.
    fn often(&mut self, percent: usize) -> bool {
        self.pick(100) >= 100 - percent
    }

    fn size(&mut self) -> Option<usize> {
        match self.pick(5) {
            4 => None,
            size => Some(1 + size % 3),
        }
    }
}

/// The properties as one value.
pub fn nest(props: &Props) -> Value {
    let mut nested = json!({});
    for (path, value) in props {
        let path = Path::dotted(path);
        if let Some(parent) = path.parent().filter(|parent| !parent.is_root())
            && parent.get(&nested).is_none()
        {
            parent.set(&mut nested, json!({}));
        }
        path.set(&mut nested, value.clone());
    }
    nested
}

fn document(resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": format!("arn:aws:sqs:*:*:{resource}"),
    }]})
}

/// The properties that the parts of a resource give: its own, and texts that refer to others.
fn props(kind: Kind, plain: &Props, texts: &BTreeMap<How, String>) -> Props {
    let mut props = plain.clone();
    props.insert("tags.plain", json!("x"));
    if let Some(text) = texts.get(&How::Open) {
        props.insert("tags.open", json!(text));
    }
    if kind == Kind::Policy {
        let text = texts.get(&How::Weak).map_or("", String::as_str);
        props.insert("policy", document(text));
        if let Some(text) = texts.get(&How::Fixed) {
            props.insert("description", json!(text));
        }
    }
    props
}

impl Block {
    /// The properties with each reference as `part` gives it: what it gives none for is not known.
    pub fn props(&self, part: impl Fn(usize) -> Option<String>) -> (Props, BTreeSet<&'static str>) {
        let (mut texts, mut unknown) = (BTreeMap::<How, String>::new(), BTreeSet::new());
        for (how, to) in &self.refers {
            let path = match how {
                How::Open => "tags.open",
                How::Fixed => "description",
                How::Weak => "policy",
                How::DependsOn => continue,
            };
            let found = part(*to);
            if found.is_none() {
                unknown.insert(path);
            }
            let text = texts.entry(*how).or_default();
            *text += &format!("{} ", found.unwrap_or_default());
        }
        (props(self.kind, &self.plain, &texts), unknown)
    }

    fn document(&self, blocks: &[Self]) -> Value {
        let (props, _) = self.props(|to| Some(format!("${{{}.arn}}", blocks[to].name)));
        let named = self.refers.iter().filter(|(how, _)| *how == How::DependsOn);
        let named = named.map(|(_, to)| &blocks[*to]);
        let named = named.filter(|block| block.is_in_file());
        let named: Vec<&str> = named.map(|block| block.name.as_str()).collect();
        let mut options = json!({
            "protect": self.protect, "retainOnDelete": self.retain, "dependsOn": named,
            "deleteBeforeReplace": self.delete_first, "when": self.when,
        });
        if let Some(path) = self.ignores {
            options["ignoreChanges"] = json!([path]);
        }
        if self.replace_on_size {
            options["replaceOnChanges"] = json!([self.kind.size()]);
        }
        if let Some(keys) = &self.keys {
            options["forEach"] = json!(keys);
        }
        if let Some(from) = &self.moved_from {
            options["movedFrom"] = json!(from);
        }
        if let Some((id, _)) = &self.import {
            options["import"] = json!(id);
        }
        json!({"type": self.kind.type_name(), "properties": nest(&props), "options": options})
    }
}

impl Known {
    fn attrs(&self, props: &Props) -> Value {
        let mut attrs = nest(props);
        attrs["id"] = json!(self.id);
        attrs["arn"] = json!(self.arn);
        if self.kind == Kind::Queue {
            attrs["url"] = json!(self.id);
        }
        attrs
    }

    fn resource(&self) -> ResourceState {
        let mut applied = self.applied.clone();
        if let Some(name) = self.live.as_ref().and_then(|live| live.get("name")) {
            applied.insert("name", name.clone());
        }
        ResourceState {
            type_name: self.kind.type_name().to_owned(),
            id: self.id.clone(),
            inputs: nest(&self.applied),
            outputs: self.attrs(&applied),
            dependencies: self.needs.clone(),
            options: SavedOptions {
                protect: self.protect,
                retain_on_delete: self.retain,
                delete_timeout: None,
            },
            ..ResourceState::default()
        }
    }
}

impl Case {
    pub fn draw(tape: &mut Tape<'_>) -> Self {
        let backwards = tape.often(50);
        let names: Vec<String> = (0..BLOCKS)
            .map(|at| format!("b{}", if backwards { BLOCKS - 1 - at } else { at }))
            .collect();
        let spare: Vec<usize> = (0..BLOCKS).map(|_| tape.pick(BLOCKS)).collect();
        let mut blocks: Vec<Block> = Vec::new();
        for at in 0..BLOCKS {
            let block = Block::draw(tape, at, &names, &blocks);
            blocks.push(block);
        }
        let mut case = Self {
            blocks,
            known: BTreeMap::new(),
            leftovers: BTreeMap::new(),
            options: Options::default(),
        };
        case.draw_state(tape, &spare);
        for at in 0..BLOCKS {
            case.draw_change(tape, at, &names);
        }
        case.draw_flags(tape, &names);
        case
    }

    /// What the state has: mostly what the file says, some of it out of the file again, some older.
    fn draw_state(&mut self, tape: &mut Tape<'_>, spare: &[usize]) {
        let mut taken = BTreeSet::new();
        for at in 0..BLOCKS {
            let block = self.blocks[at].clone();
            for address in block.addresses() {
                if tape.often(75) {
                    let known = self.draw_known(tape, &block, &address, &mut taken, spare[at]);
                    self.known.insert(address.clone(), known);
                }
                if tape.often(15) {
                    let mut known = self.draw_known(tape, &block, &address, &mut taken, spare[at]);
                    known.id += "-old";
                    known.arn += "-old";
                    known.live.get_or_insert(known.applied.clone());
                    self.leftovers.insert(address, known);
                }
            }
        }
    }

    fn draw_known(
        &self,
        tape: &mut Tape<'_>,
        block: &Block,
        address: &str,
        taken: &mut BTreeSet<String>,
        spare: usize,
    ) -> Known {
        let mut plain = block.plain.clone();
        if tape.often(20) {
            plain.remove(block.kind.size());
            plain.extend(tape.size().map(|size| size_of(block.kind, size)));
        }
        if tape.often(15) {
            plain.insert("name", json!(format!("n{spare}")));
        }
        // A service has each name once.
        if let Some(name) = plain.get("name")
            && !taken.insert(format!("{} {name}", block.kind.type_name()))
        {
            plain.remove("name");
        }
        let mut needs = BTreeSet::new();
        let (mut texts, mut refers) = (BTreeMap::<How, String>::new(), block.refers.clone());
        if tape.often(20) {
            refers = refers.into_iter().take(1).collect();
        }
        for (how, to) in refers {
            for target in self.blocks[to].addresses() {
                let old = self.leftovers.get(&target).filter(|_| tape.often(30));
                let Some(found) = old.or_else(|| self.known.get(&target)) else {
                    continue;
                };
                if how != How::Weak {
                    needs.insert(match old {
                        Some(_) => deposed_address(&target, KEY),
                        None => target,
                    });
                }
                if how != How::DependsOn {
                    let text = texts.entry(how).or_default();
                    *text += &format!("{} ", found.arn);
                }
            }
        }
        let applied = props(block.kind, &plain, &texts);
        let mut live = applied.clone();
        live.entry("name")
            .or_insert_with(|| json!(format!("drawn-{address}")));
        if tape.often(15) {
            live.remove(block.kind.size());
            live.extend(tape.size().map(|size| size_of(block.kind, size)));
        }
        let others = |props: &Props| -> Props {
            let others = props.iter().filter(|(path, _)| **path != "name");
            others.map(|(path, value)| (*path, value.clone())).collect()
        };
        let is_same = others(&live) == others(&applied);
        let is_gone = tape.often(8);
        Known {
            kind: block.kind,
            id: format!("https://sqs.us-west-2.amazonaws.com/123456789012/{address}"),
            arn: format!("arn:{address}"),
            applied,
            live: (!is_gone).then_some(live),
            is_read: is_gone || !is_same || tape.often(50),
            needs,
            protect: block.protect ^ tape.often(10),
            retain: block.retain ^ tape.often(10),
        }
    }

    /// What the file says by now: blocks go, come under another name, and change.
    fn draw_change(&mut self, tape: &mut Tape<'_>, at: usize, names: &[String]) {
        let used = self.blocks.iter().any(|block| {
            let mut refers = block.refers.iter();
            refers.any(|(how, to)| *to == at && *how != How::DependsOn)
        });
        let block = &mut self.blocks[at];
        if !used && tape.often(15) {
            block.when = false;
        }
        if let Some(keys) = &mut block.keys
            && tape.often(30)
        {
            keys.pop();
        }
        if tape.often(10) {
            block.kind = [Kind::Policy, Kind::Queue][usize::from(block.kind == Kind::Policy)];
            block
                .refers
                .retain(|(how, _)| matches!(how, How::Open | How::DependsOn));
            let size = block
                .plain
                .remove("delaySeconds")
                .or(block.plain.remove("tags.size"));
            block.plain.extend(size.map(|_| size_of(block.kind, 1)));
            block.ignores = None;
        }
        if tape.often(12) {
            block.moved_from = Some(names[tape.pick(BLOCKS)].clone());
        } else if tape.often(12) && block.keys.is_none() && block.kind == Kind::Queue {
            let account = "https://sqs.us-west-2.amazonaws.com/123456789012";
            let id = format!("{account}/{}", names[tape.pick(BLOCKS)]);
            let mut live = block.plain.clone();
            live.entry("name").or_insert_with(|| json!("found"));
            if tape.often(40) {
                live.extend(tape.size().map(|size| size_of(Kind::Queue, size)));
            }
            live.insert("tags.plain", json!("x"));
            let found = Known {
                kind: Kind::Queue,
                id: id.clone(),
                arn: format!("arn:found-{}", block.name),
                applied: Props::new(),
                live: Some(live),
                is_read: true,
                needs: BTreeSet::new(),
                protect: false,
                retain: false,
            };
            block.import = Some((id, (!tape.often(20)).then_some(found)));
        }
    }

    fn draw_flags(&mut self, tape: &mut Tape<'_>, names: &[String]) {
        let name = |tape: &mut Tape<'_>| names[tape.pick(BLOCKS)].clone();
        let options = &mut self.options;
        options.destroy = tape.often(15);
        if tape.often(15) {
            options.target = (0..=tape.pick(2)).map(|_| name(tape)).collect();
        }
        if tape.often(15) {
            options.exclude = vec![name(tape)];
        }
        if tape.often(20) && !options.destroy {
            options.replace = vec![name(tape)];
        }
    }

    pub fn stack(&self) -> Stack {
        let blocks = self.blocks.iter();
        let resources: Map<String, Value> = blocks
            .filter(|block| block.is_in_file())
            .map(|block| (block.name.clone(), block.document(&self.blocks)))
            .collect();
        let text = json!({"name": "s", "resources": resources}).to_string();
        let file = ("s.yaml".to_owned(), text.into_bytes());
        let loaded = load::load(file, None, PathBuf::from("stacks"), &load::Given::default());
        assert_eq!(loaded.diagnostics, Vec::new());
        assert_eq!(check::check(&loaded.stack), Vec::new());
        loaded.stack
    }

    pub fn world(&self) -> World {
        let mut state = State::empty("s", None, "lineage".to_owned());
        let all = |known: &BTreeMap<String, Known>| -> BTreeMap<String, ResourceState> {
            let known = known.iter();
            known
                .map(|(address, known)| (address.clone(), known.resource()))
                .collect()
        };
        state.resources = all(&self.known);
        let leftovers = all(&self.leftovers).into_iter();
        state.deposed = leftovers
            .map(|(address, known)| (address, BTreeMap::from([(KEY.to_owned(), known)])))
            .collect();
        let mut world = World::new(state);
        for (address, known) in self.known.iter().filter(|(_, known)| known.is_read) {
            let seen = match &known.live {
                Some(live) => Observed::Present(known.attrs(live)),
                None => Observed::Gone,
            };
            world.live.insert(address.clone(), seen);
        }
        for block in &self.blocks {
            let Some((id, found)) = &block.import else {
                continue;
            };
            let live = found
                .as_ref()
                .and_then(|known| Some((known, known.live.as_ref()?)));
            let found = live.map(|(known, live)| known.attrs(live));
            let read = ImportRead {
                id: id.clone(),
                found,
            };
            world.imports.insert(block.name.clone(), read);
        }
        world
    }
}

fn size_of(kind: Kind, size: usize) -> (&'static str, Value) {
    match kind {
        Kind::Queue => ("delaySeconds", json!(size)),
        Kind::Policy => ("tags.size", json!(size.to_string())),
    }
}

impl Block {
    fn draw(tape: &mut Tape<'_>, at: usize, names: &[String], before: &[Self]) -> Self {
        let kind = [Kind::Queue, Kind::Policy][tape.pick(2)];
        let keys = tape.often(12).then(|| vec!["x", "y"]);
        let mut plain = Props::new();
        plain.extend(tape.size().map(|size| size_of(kind, size)));
        if keys.is_none() && tape.often(40) {
            plain.insert("name", json!(format!("n{at}")));
        }
        let mut refers = BTreeSet::new();
        for _ in 0..tape.pick(4).min(at) {
            let to = tape.pick(at);
            let how = match (before[to].is_plain(), kind) {
                (false, _) => How::DependsOn,
                (true, Kind::Queue) => [How::Open, How::DependsOn][tape.pick(2)],
                (true, Kind::Policy) => {
                    [How::Open, How::Fixed, How::Weak, How::DependsOn][tape.pick(4)]
                }
            };
            refers.insert((how, to));
        }
        Self {
            name: names[at].clone(),
            kind,
            keys,
            when: true,
            plain,
            refers,
            protect: tape.often(10),
            retain: tape.often(15),
            delete_first: tape.often(15),
            ignores: match tape.pick(10) {
                8 => Some(kind.size()),
                9 => Some("name"),
                _ => None,
            },
            replace_on_size: tape.often(12),
            moved_from: None,
            import: None,
        }
    }
}

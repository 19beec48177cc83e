//! A case: what the file says, what the state and the world have, and the flags; and the stack and
//! the world that the planner is given for it.

use serde_json::{Map, Value, json};
use stackctl::data::{Attributes, Inputs, Path};
use stackctl::engine::plan::planned::Options;
use stackctl::engine::world::{ImportRead, Observed, World};
use stackctl::lang::stack::Stack;
use stackctl::lang::{check, load};
use stackctl::resource::table::native;
use stackctl::store::state::{ResourceState, SavedOptions, State};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

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
    pub fn is_in_file(&self) -> bool {
        self.when || self.protect
    }

    pub fn is_plain(&self) -> bool {
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
pub fn props(kind: Kind, plain: &Props, texts: &BTreeMap<How, String>) -> Props {
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
        let mut options = json!({"dependsOn": named});
        for (name, flag) in [
            ("protect", self.protect),
            ("retainOnDelete", self.retain),
            ("deleteBeforeReplace", self.delete_first),
        ] {
            if flag {
                options[name] = json!(true);
            }
        }
        if !self.when {
            options["when"] = json!(false);
        }
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
    fn attributes(&self, props: &Props) -> Attributes {
        let mut attributes = Attributes::new(nest(props));
        attributes["id"] = json!(self.id);
        attributes["arn"] = json!(self.arn);
        if self.kind == Kind::Queue {
            attributes["url"] = json!(self.id);
        }
        attributes
    }

    /// For people.
    pub fn line(&self) -> String {
        let live = self.live.as_ref().map(nest);
        let flags = (self.protect, self.retain);
        format!(
            "{:?} {} was {} is {live:?} needs {:?} protect, retain {flags:?}",
            self.kind,
            self.id,
            nest(&self.applied),
            self.needs
        )
    }

    fn resource(&self) -> ResourceState {
        let mut applied = self.applied.clone();
        if let Some(name) = self.live.as_ref().and_then(|live| live.get("name")) {
            applied.insert("name", name.clone());
        }
        ResourceState {
            type_name: self.kind.type_name().to_owned(),
            id: self.id.clone(),
            inputs: Inputs::new(nest(&self.applied)),
            outputs: self.attributes(&applied),
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
    /// The resources of the file.
    pub fn document(&self) -> Map<String, Value> {
        let blocks = self.blocks.iter().filter(|block| block.is_in_file());
        let blocks = blocks.map(|block| (block.name.clone(), block.document(&self.blocks)));
        blocks.collect()
    }

    pub fn stack(&self) -> Stack {
        let text = json!({"name": "s", "resources": self.document()}).to_string();
        let file = ("s.yaml".to_owned(), text.into_bytes());
        let loaded = load::load(file, None, PathBuf::from("stacks"), &load::Given::default());
        assert_eq!(loaded.diagnostics, Vec::new());
        assert_eq!(check::check(&loaded.stack, native()), Vec::new());
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
                Some(live) => Observed::Present(known.attributes(live)),
                None => Observed::NotFound,
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
            let found = live.map(|(known, live)| known.attributes(live));
            let read = ImportRead {
                id: id.clone(),
                attributes: found,
            };
            world.imports.insert(block.name.clone(), read);
        }
        world
    }
}

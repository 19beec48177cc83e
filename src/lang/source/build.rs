//! The seed that builds a JSON value from YAML, counting as it goes. The same walk finds the
//! place of a node: it fails there, and the parser's error carries the position.

use super::{DEEPEST, MOST_NODES, MOST_TEXT};
use crate::data::Path;
use crate::lang::yaml;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Map, Number, Value};
use std::cell::{Cell, RefCell};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a walk goes to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// The node of this number, in the order of the walk.
    Node(usize),
}

/// A mistake that leaves the rest readable.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) node: usize,
    pub(super) path: Path,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// The node that it repeats.
    pub(super) first: Option<usize>,
}

/// What a walk counts and notes.
#[derive(Debug, Default)]
pub(super) struct Builder {
    target: Option<Target>,
    nodes: Cell<usize>,
    text: Cell<usize>,
    notes: RefCell<Vec<Note>>,
    /// Scalars to read as strings: those that this walk found, or, once `reads`, that it reads so.
    written: RefCell<BTreeSet<usize>>,
    reads: bool,
    /// Whether integers are among them.
    whole: bool,
}

/// More mistakes than this are not reported.
const MOST_NOTES: usize = 200;

/// Marks the errors that the walk itself returns; the rest of the text says which.
pub(super) const OURS: &str = "stackctl: ";

impl Builder {
    pub(super) fn finding(target: Target) -> Self {
        Self {
            target: Some(target),
            ..Self::default()
        }
    }

    /// Integers may be written in another form than JSON's: they are read again as well.
    pub(super) fn reads_integers_as_written(&mut self) {
        self.whole = true;
    }

    /// Whether there are scalars that another walk must read as strings.
    pub(super) fn reads_again(&self) -> bool {
        !self.written.borrow().is_empty()
    }

    /// The builder of that other walk.
    pub(super) fn into_second(self) -> Self {
        Self {
            written: self.written,
            reads: true,
            ..Self::default()
        }
    }

    fn reads(&self, node: usize) -> bool {
        self.reads && self.written.borrow().contains(&node)
    }

    /// The last node that was read to its end, or one before it.
    pub(super) fn last(&self) -> usize {
        self.nodes.get().saturating_sub(2)
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        self.notes.borrow().clone()
    }

    fn note(&self, node: usize, path: Path, message: String, help: Option<String>) {
        self.repeats(node, path, message, help, None);
    }

    fn repeats(
        &self,
        node: usize,
        path: Path,
        message: String,
        help: Option<String>,
        first: Option<usize>,
    ) {
        let mut notes = self.notes.borrow_mut();
        if notes.len() < MOST_NOTES {
            notes.push(Note {
                node,
                path,
                message,
                help,
                first,
            });
        }
    }

    /// Counts one more node; its number.
    fn enter<E: Error>(&self) -> Result<usize, E> {
        let node = self.nodes.get();
        self.nodes.set(node + 1);
        if node >= MOST_NODES {
            return Err(E::custom(format!(
                "{OURS}the file has more than {MOST_NODES} values, counting each alias as often as it is used"
            )));
        }
        Ok(node)
    }

    fn take<E: Error>(&self, text: &str) -> Result<(), E> {
        let total = self.text.get() + text.len();
        self.text.set(total);
        if total > MOST_TEXT {
            return Err(E::custom(format!(
                "{OURS}the file has more than {} MiB of text, counting each alias as often as it is used",
                MOST_TEXT >> 20
            )));
        }
        Ok(())
    }

    fn is_target(&self, node: usize) -> bool {
        matches!(self.target, Some(Target::Node(wanted)) if wanted == node)
    }
}

/// Walks over the text's one document.
pub(super) fn walk(text: &str, builder: &Builder) -> Result<Value, yaml::Error> {
    let seed = Node {
        builder,
        path: &Trail::Root,
        depth: 0,
        key: false,
    };
    yaml::read(seed, text)
}

/// The way to a node. It becomes a path only where a mistake is noted.
enum Trail<'b> {
    Root,
    Key(&'b Trail<'b>, &'b str),
    Index(&'b Trail<'b>, usize),
}

impl Trail<'_> {
    fn path(&self) -> Path {
        match self {
            Self::Root => Path::root(),
            Self::Key(holder, key) => holder.path().join(*key),
            Self::Index(holder, index) => holder.path().join(*index),
        }
    }
}

/// One value, or one key.
struct Node<'b> {
    builder: &'b Builder,
    path: &'b Trail<'b>,
    depth: usize,
    key: bool,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let number = self.builder.enter()?;
        let as_written = self.builder.reads(number);
        let visit = Visit { node: self, number };
        if as_written {
            deserializer.deserialize_str(visit)
        } else {
            deserializer.deserialize_any(visit)
        }
    }
}

struct Visit<'b> {
    node: Node<'b>,
    number: usize,
}

impl Visit<'_> {
    /// Fails where this is the node that is looked for.
    fn check<E: Error>(&self) -> Result<(), E> {
        if self.node.builder.is_target(self.number) {
            Err(E::custom("found"))
        } else {
            Ok(())
        }
    }

    fn note(&self, message: impl Into<String>, help: impl Into<String>) {
        let Node { builder, path, .. } = &self.node;
        builder.note(self.number, path.path(), message.into(), Some(help.into()));
    }

    /// A value that is not a string; `plain` where it shows how it is written. A key is the string
    /// that stands in the file.
    fn scalar<E: Error>(self, value: Value, plain: bool) -> Result<Value, E> {
        self.check()?;
        let Node { builder, key, .. } = &self.node;
        if *key || !plain {
            builder.written.borrow_mut().insert(self.number);
        }
        Ok(if *key {
            Value::String(value.to_string())
        } else {
            value
        })
    }

    /// A number of more than 64 bits: fine as a key, which is a string.
    fn too_large<E: Error>(self, value: impl fmt::Display) -> Result<Value, E> {
        if !self.node.key {
            self.check()?;
            self.note(
                "this number has more than 64 bits",
                format!("put it in quotes: \"{value}\""),
            );
        }
        self.scalar(Value::String(value.to_string()), true)
    }

    fn inner<'n>(&'n self, path: &'n Trail<'n>, key: bool) -> Node<'n> {
        Node {
            builder: self.node.builder,
            path,
            depth: self.node.depth + 1,
            key,
        }
    }

    fn deeper<E: Error>(&self) -> Result<(), E> {
        if self.node.depth >= DEEPEST {
            return Err(E::custom(format!(
                "{OURS}the file is nested more than {DEEPEST} levels deep"
            )));
        }
        if self.node.key {
            self.note(
                "this key is a list or a map, and keys are strings",
                "a string that starts with \"[\" or \"{\" needs quotes",
            );
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Visit<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(value.into(), true)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        let plain = !self.node.builder.whole;
        self.scalar(value.into(), plain)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        let plain = !self.node.builder.whole;
        self.scalar(value.into(), plain)
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        self.too_large(value)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        self.too_large(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.check()?;
        if !value.is_finite() && !self.node.key {
            self.note(
                "a number must be finite",
                "put it in quotes if it is meant as a string",
            );
            return Ok(Value::Null);
        }
        self.scalar(Value::from(value), false)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.check()?;
        self.node.builder.take(text)?;
        let as_number = !self.node.key && self.node.builder.reads(self.number);
        Ok(if as_number {
            number(text)
        } else {
            Value::String(text.to_owned())
        })
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null, true)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.check()?;
        self.deeper()?;
        let mut items = Vec::new();
        loop {
            let path = Trail::Index(self.node.path, items.len());
            let Some(item) = access.next_element_seed(self.inner(&path, false))? else {
                break;
            };
            items.push(item);
        }
        Ok(if self.node.key {
            Value::String(String::new())
        } else {
            Value::Array(items)
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.check()?;
        self.deeper()?;
        let builder = self.node.builder;
        // Each value, with the number of its key.
        let mut found: BTreeMap<String, (usize, Value)> = BTreeMap::new();
        let mut merged: Option<(usize, Value)> = None;
        let mut merges = None;
        loop {
            let number = builder.nodes.get();
            let Some(key) = access.next_key_seed(self.inner(self.node.path, true))? else {
                break;
            };
            let key = match key {
                Value::String(key) => key,
                other => other.to_string(),
            };
            let value_number = builder.nodes.get();
            let path = Trail::Key(self.node.path, &key);
            let value = access.next_value_seed(self.inner(&path, false))?;
            let first = if key == "<<" {
                merged = Some((value_number, value));
                let before = merges;
                merges = merges.or(Some(number));
                before.map(|first| (key, first))
            } else {
                match found.entry(key) {
                    Entry::Vacant(entry) => {
                        entry.insert((number, value));
                        None
                    }
                    Entry::Occupied(entry) => Some((entry.key().clone(), entry.get().0)),
                }
            };
            if let Some((key, first)) = first {
                let path = Trail::Key(self.node.path, &key).path();
                let message = format!("duplicate key {key:?}");
                let help = Some("remove one of the two".to_owned());
                builder.repeats(number, path, message, help, Some(first));
            }
        }
        let found = found.into_iter();
        let mut map: Map<String, Value> = found.map(|(key, (_, value))| (key, value)).collect();
        if let Some((number, value)) = merged
            && !merge(&mut map, value)
        {
            let message = "\"<<\" merges a map or a list of maps".to_owned();
            let help = "write it as an alias: <<: *name".to_owned();
            builder.note(
                number,
                self.node.path.path().join("<<"),
                message,
                Some(help),
            );
        }
        Ok(if self.node.key {
            Value::String(String::new())
        } else {
            Value::Object(map)
        })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        self.check()?;
        let (tag, content) = access.variant::<String>()?;
        let help = match tag.as_str() {
            "Ref" | "GetAtt" | "Sub" | "Fn" | "Join" => {
                "write references as expressions: ${queue.arn}"
            }
            _ => "put the string in quotes if the \"!\" belongs to it",
        };
        self.note(format!("YAML tags such as !{tag} are not supported"), help);
        // What is tagged is read on, so that the mistakes in it are reported as well.
        content.newtype_variant_seed(self.inner(self.node.path, self.node.key))
    }
}

/// A number in the form it is written in, where JSON has that form; else in JSON's own.
fn number(text: &str) -> Value {
    if let Ok(number) = serde_json::from_str::<Number>(text) {
        return Value::Number(number);
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain),
    };
    let whole = |digits: &str, base| u64::from_str_radix(digits, base).ok();
    let other = [("0x", 16), ("0o", 8), ("0b", 2)];
    let other = other
        .iter()
        .find_map(|(prefix, base)| whole(digits.strip_prefix(prefix)?, *base));
    match other {
        Some(whole) => serde_json::from_str(&format!("{sign}{whole}")).unwrap_or_default(),
        None => {
            let number = serde_json::from_str(plain).ok();
            number.unwrap_or_else(|| plain.parse::<f64>().map(Value::from).unwrap_or_default())
        }
    }
}

/// Puts the entries of a map, or of a list of maps, where the map has none of its own.
fn merge(map: &mut Map<String, Value>, from: Value) -> bool {
    match from {
        Value::Object(from) => {
            for (key, value) in from {
                map.entry(key).or_insert(value);
            }
            true
        }
        Value::Array(list) => list
            .into_iter()
            .all(|item| item.is_object() && merge(map, item)),
        _ => false,
    }
}

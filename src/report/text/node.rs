//! A value ready to be shown: secrets taken out, unknown parts named by the expression they
//! come from, documents parsed.

use super::scalar::{Notation, is_plain, more, quoted, string};
use crate::data::Data;
use crate::report::secrets::{SECRET, Veil};
use crate::report::terminal::escape;
use crate::schema::document;
use serde_json::Value;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Lists and maps of simple values up to this many columns stand on one line.
const INLINE: usize = 72;

/// The most lines of a text, and of a value as a whole, that are shown.
const MOST_LINES: usize = 60;

/// A value ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Null, a bool or a number.
    Plain(String),
    /// A string.
    String(String),
    /// The expression that will tell the value.
    Unknown(String),
    /// A secret: told apart from another one by its hash, or unknown.
    Secret {
        /// Of the value; equal values have equal hashes.
        hash: Option<u64>,
        /// Whether the other side has another value.
        changes: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// An object, by key.
    Map(BTreeMap<String, Node>),
}

/// The expressions of unknown paths, as a tree.
#[derive(Default)]
struct Unknowns<'d> {
    here: Option<&'d str>,
    below: BTreeMap<String, Unknowns<'d>>,
}

impl<'d> Unknowns<'d> {
    fn of(data: &'d Data) -> Self {
        let mut unknowns = Self::default();
        for (path, expression) in &data.unknown {
            let mut at = &mut unknowns;
            for segment in path.segments() {
                at = at.below.entry(segment.into_owned()).or_default();
            }
            at.here = Some(expression);
        }
        unknowns
    }
}

impl Node {
    /// A value of which all is known.
    pub(super) fn of_value(value: &Value, veil: Veil<'_>) -> Self {
        build(value, None, veil)
    }

    /// A value with its unknown parts. Its own secret paths must be part of the veil.
    pub(super) fn of_data(data: &Data, veil: Veil<'_>) -> Self {
        let unknowns = Unknowns::of(data);
        let some = (!data.unknown.is_empty()).then_some(&unknowns);
        build(&data.value, some, veil)
    }

    /// Whether it has no parts of its own to show on lines of their own.
    pub(super) fn is_simple(&self) -> bool {
        match self {
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::String(text) => !is_text(text),
            _ => true,
        }
    }

    /// The value on one line, where it is short enough for that.
    pub(super) fn inline(&self) -> Option<String> {
        let line = match self {
            Self::List(list) if list.iter().all(Self::is_simple) => {
                let items: Vec<_> = list
                    .iter()
                    .map(|item| item.scalar(Notation::Yaml))
                    .collect();
                format!("[{}]", items.join(", "))
            }
            _ if self.is_simple() => return Some(self.scalar(Notation::Yaml)),
            _ => return None,
        };
        (line.chars().count() <= INLINE).then_some(line)
    }

    /// A simple value; for any other the empty list or map.
    fn scalar(&self, notation: Notation) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::String(text) => string(text, notation),
            Self::Unknown(expression) => escape(expression).into_owned(),
            Self::Secret { changes: false, .. } => SECRET.to_owned(),
            Self::Secret { changes: true, .. } => "(secret, changes)".to_owned(),
            Self::List(_) => "[]".to_owned(),
            Self::Map(_) => "{}".to_owned(),
        }
    }

    /// The value under its key as lines of YAML, indented by two for each level.
    pub(super) fn yaml(&self, key: &str) -> Vec<String> {
        let mut lines = Vec::new();
        entry(&key_text(key), self, 0, &mut lines);
        lines
    }

    /// The value alone as lines of YAML.
    pub(super) fn yaml_body(&self) -> Vec<String> {
        let mut lines = Vec::new();
        body(self, 0, &mut lines);
        lines
    }

    /// The value as lines of JSON, keys sorted.
    pub(super) fn json(&self) -> Vec<String> {
        let mut lines = Vec::new();
        json(self, "", 0, &mut lines);
        lines
    }

    /// Marks each secret that is another one in `old`.
    pub(super) fn mark_changed_secrets(&mut self, old: Option<&Node>) {
        match self {
            Self::Secret { hash, changes } => {
                if let Some(Self::Secret { hash: before, .. }) = old {
                    *changes = hash.is_none() || hash != before;
                }
            }
            Self::List(list) => {
                for (index, item) in list.iter_mut().enumerate() {
                    item.mark_changed_secrets(match old {
                        Some(Self::List(before)) => before.get(index),
                        _ => None,
                    });
                }
            }
            Self::Map(map) => {
                for (key, item) in map {
                    item.mark_changed_secrets(match old {
                        Some(Self::Map(before)) => before.get(key),
                        _ => None,
                    });
                }
            }
            _ => {}
        }
    }
}

/// Whether a string has several lines (a line end at its very end makes no second one).
pub(super) fn is_text(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

fn build(value: &Value, unknowns: Option<&Unknowns<'_>>, veil: Veil<'_>) -> Node {
    let unknown = unknowns.and_then(|unknowns| unknowns.here);
    if veil.hides(value) {
        return Node::Secret {
            hash: unknown.is_none().then(|| hash(value)),
            changes: false,
        };
    }
    if let Some(expression) = unknown {
        return Node::Unknown(expression.to_owned());
    }
    let below = |segment: &str| unknowns.and_then(|unknowns| unknowns.below.get(segment));
    match value {
        Value::Null if unknowns.is_some_and(|unknowns| !unknowns.below.is_empty()) => {
            map_of(&serde_json::Map::new(), unknowns, veil)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Node::Plain(value.to_string()),
        Value::String(text) => match parsed(text, veil) {
            Some(document) => build(&document, None, veil),
            None => Node::String(text.clone()),
        },
        Value::Array(list) => Node::List(
            list.iter()
                .enumerate()
                .map(|(index, item)| build(item, below(&index.to_string()), veil.item()))
                .collect(),
        ),
        Value::Object(map) => map_of(map, unknowns, veil),
    }
}

/// An object; an unknown entry is there even if the object has no such key yet.
fn map_of(
    map: &serde_json::Map<String, Value>,
    unknowns: Option<&Unknowns<'_>>,
    veil: Veil<'_>,
) -> Node {
    let below = unknowns.map(|unknowns| &unknowns.below);
    let mut entries: BTreeMap<String, Node> = map
        .iter()
        .map(|(key, value)| {
            let unknowns = below.and_then(|below| below.get(key));
            (key.clone(), build(value, unknowns, veil.key(key)))
        })
        .collect();
    for (key, unknowns) in below.into_iter().flatten() {
        if !entries.contains_key(key) {
            let node = build(&Value::Null, Some(unknowns), veil.key(key));
            entries.insert(key.clone(), node);
        }
    }
    Node::Map(entries)
}

/// A document that is given as text.
fn parsed(text: &str, veil: Veil<'_>) -> Option<Value> {
    veil.document()?;
    document::parsed(text).filter(|value: &Value| value.is_object() || value.is_array())
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    hasher.finish()
}

/// A key as YAML has it.
pub(super) fn key_text(key: &str) -> String {
    if is_plain(key) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

fn push(lines: &mut Vec<String>, indent: usize, text: &str) {
    lines.push(format!("{:indent$}{text}", ""));
}

/// `key: value`, or `key:` with the value below.
fn entry(key: &str, node: &Node, indent: usize, lines: &mut Vec<String>) {
    if let Some(line) = node.inline() {
        push(lines, indent, &format!("{key}: {line}"));
        return;
    }
    match node {
        Node::String(text) => {
            let keep = if text.ends_with('\n') { "|" } else { "|-" };
            push(lines, indent, &format!("{key}: {keep}"));
            block(text, indent + 2, lines);
        }
        _ => {
            push(lines, indent, &format!("{key}:"));
            body(node, indent + 2, lines);
        }
    }
}

fn body(node: &Node, indent: usize, lines: &mut Vec<String>) {
    match node {
        Node::Map(map) if !map.is_empty() => {
            for (key, value) in map {
                entry(&key_text(key), value, indent, lines);
            }
        }
        Node::List(list) if !list.is_empty() => {
            for (index, item) in list.iter().enumerate() {
                if index == MOST_LINES {
                    push(lines, indent, &more(list.len() - index, "item"));
                    break;
                }
                list_item(item, indent, lines);
            }
        }
        Node::String(text) if is_text(text) => block(text, indent, lines),
        simple => push(lines, indent, &simple.scalar(Notation::Yaml)),
    }
}

/// The item with a dash in front of its first line.
fn list_item(item: &Node, indent: usize, lines: &mut Vec<String>) {
    let first = lines.len();
    match item {
        Node::String(text) if is_text(text) => {
            push(lines, indent, "- |");
            block(text, indent + 2, lines);
        }
        _ => {
            body(item, indent + 2, lines);
            if let Some(line) = lines.get_mut(first) {
                line.replace_range(indent..indent + 2, "- ");
            }
        }
    }
}

fn block(text: &str, indent: usize, lines: &mut Vec<String>) {
    for (index, line) in text.lines().enumerate() {
        if index == MOST_LINES {
            push(lines, indent, &more(text.lines().count() - index, "line"));
            break;
        }
        push(lines, indent, &text_line(line));
    }
}

/// A line of a text: harmless, with its tabs, cut where it is very long.
pub(super) fn text_line(line: &str) -> String {
    const LONGEST: usize = 400;
    let (shown, rest) = match line.char_indices().nth(LONGEST) {
        Some((at, _)) => (&line[..at], line[at..].chars().count()),
        None => (line, 0),
    };
    let mut text = shown.split('\t').map(escape).collect::<Vec<_>>().join("\t");
    if rest > 0 {
        text.push(' ');
        text.push_str(&more(rest, "character"));
    }
    text
}

fn json(node: &Node, lead: &str, indent: usize, lines: &mut Vec<String>) {
    let close = |lines: &mut Vec<String>, end: &str| push(lines, indent, end);
    match node {
        Node::Map(map) if !map.is_empty() => {
            push(lines, indent, &format!("{lead}{{"));
            for (index, (key, value)) in map.iter().enumerate() {
                json(value, &format!("{}: ", quoted(key)), indent + 2, lines);
                comma(index + 1 < map.len(), lines);
            }
            close(lines, "}");
        }
        Node::List(list) if !list.is_empty() => {
            push(lines, indent, &format!("{lead}["));
            for (index, item) in list.iter().enumerate() {
                json(item, "", indent + 2, lines);
                comma(index + 1 < list.len(), lines);
            }
            close(lines, "]");
        }
        simple => push(
            lines,
            indent,
            &format!("{lead}{}", simple.scalar(Notation::Json)),
        ),
    }
}

fn comma(wanted: bool, lines: &mut [String]) {
    if wanted && let Some(last) = lines.last_mut() {
        last.push(',');
    }
}

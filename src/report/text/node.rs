//! A value ready to be written: unknown parts named by the expression they come from, documents
//! parsed.

use super::scalar::{Notation, is_plain, more, quoted, string};
use crate::data::Path;
use crate::report::secrets::{Masked, SECRET};
use crate::report::terminal::escape;
use crate::schema::document;
use serde_json::Value;
use std::collections::BTreeMap;

/// Lists and maps of simple values up to this many columns stand on one line.
const INLINE: usize = 72;

/// The most lines of a string, and of a value as a whole, that are printed.
const MOST_LINES: usize = 60;

/// A value ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Null, a bool or a number.
    Plain(String),
    /// A string.
    String(String),
    /// The expression that will give the value.
    Unknown(String),
    /// A secret: distinguished from another one by its hash, or unknown.
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

/// What is noted of a value beside its JSON, as a tree.
#[derive(Default)]
struct Notes<'s> {
    unknown: Option<&'s str>,
    hidden: Option<Option<u64>>,
    is_document: bool,
    below: BTreeMap<String, Notes<'s>>,
}

/// Where nothing is noted.
static NONE: Notes<'static> = Notes {
    unknown: None,
    hidden: None,
    is_document: false,
    below: BTreeMap::new(),
};

impl Notes<'_> {
    fn below(&self, segment: impl ToString) -> &Self {
        match self.below.is_empty() {
            true => &NONE,
            false => self.below.get(&segment.to_string()).unwrap_or(&NONE),
        }
    }

    fn at(&mut self, path: &Path) -> &mut Self {
        path.segments().fold(self, |at, segment| {
            at.below.entry(segment.into_owned()).or_default()
        })
    }
}

impl Node {
    pub(super) fn of(shown: &Masked<'_>) -> Self {
        let mut notes = Notes::default();
        for (path, expression) in &shown.unknown {
            notes.at(path).unknown = Some(expression);
        }
        for (path, hash) in &shown.hidden {
            notes.at(path).hidden = Some(*hash);
        }
        for path in &shown.documents {
            notes.at(path).is_document = true;
        }
        build(&shown.value, &notes)
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

/// Whether a string has several lines (a line end at its very end does not count as a second one).
pub(super) fn is_text(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

fn build(value: &Value, notes: &Notes<'_>) -> Node {
    if let Some(hash) = notes.hidden {
        return Node::Secret {
            hash,
            changes: false,
        };
    }
    if let Some(expression) = notes.unknown {
        return Node::Unknown(expression.to_owned());
    }
    match value {
        Value::Null if !notes.below.is_empty() => map_of(&serde_json::Map::new(), notes),
        Value::Null | Value::Bool(_) | Value::Number(_) => Node::Plain(value.to_string()),
        Value::String(text) => match notes.is_document.then(|| document::parsed(text)) {
            Some(Some(document @ (Value::Object(_) | Value::Array(_)))) => build(&document, &NONE),
            _ => Node::String(text.clone()),
        },
        Value::Array(list) => {
            let items = list.iter().enumerate();
            let items = items.map(|(index, item)| build(item, notes.below(index)));
            Node::List(items.collect())
        }
        Value::Object(map) => map_of(map, notes),
    }
}

/// An object; an unknown entry is included even if the object has no such key yet.
fn map_of(map: &serde_json::Map<String, Value>, notes: &Notes<'_>) -> Node {
    let known = map.iter();
    let known = known.map(|(key, value)| (key.clone(), build(value, notes.below(key))));
    let more = notes
        .below
        .iter()
        .filter(|(key, _)| !map.contains_key(*key));
    let more = more.map(|(key, notes)| (key.clone(), build(&Value::Null, notes)));
    Node::Map(known.chain(more).collect())
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

/// A line of a string: harmless, with its tabs, cut where it is very long.
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

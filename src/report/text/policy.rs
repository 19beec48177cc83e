//! A policy document, statement by statement.

use super::node::{Node, key_text};
use super::page::{Page, Sign};
use super::scalar::quoted;
use std::collections::{BTreeMap, BTreeSet};

/// From this share of equal parts on, two statements without a common Sid count as the same.
const ALIKE: f64 = 0.5;

/// Above this number of statements, those without a common Sid are not compared for likeness.
const MOST_COMPARED: usize = 100;

/// Prints the change from `old` to `new`; returns false where they are not policies in a form that
/// it can print.
pub(super) fn diff(page: &mut Page<'_>, indent: usize, old: &Node, new: &Node) -> bool {
    let (Node::Map(old), Node::Map(new)) = (old, new) else {
        return false;
    };
    let (Some(old_statements), Some(new_statements)) = (statements(old), statements(new)) else {
        return false;
    };
    entries(page, indent, old, new, &["Statement"]);
    let pairs = pair_up(&old_statements, &new_statements);
    let mut hidden = 0;
    for (new_index, statement) in new_statements.iter().enumerate() {
        let label = label(statement, new_index);
        let Some(old_index) = pairs.get(&new_index) else {
            whole(page, indent, Sign::Add, &label, statement);
            continue;
        };
        let before = old_statements[*old_index];
        if same(before, statement) {
            hidden += 1;
            continue;
        }
        page.row(indent, Sign::Change, &format!("{label}:"), &[]);
        if let (Node::Map(before), Node::Map(after)) = (before, statement) {
            entries(page, indent + 4, before, after, &[]);
        }
    }
    let kept: BTreeSet<_> = pairs.values().collect();
    for (index, statement) in old_statements.iter().enumerate() {
        if !kept.contains(&index) {
            whole(
                page,
                indent,
                Sign::Remove,
                &label(statement, index),
                statement,
            );
        }
    }
    if hidden > 0 {
        let plural = if hidden == 1 { "" } else { "s" };
        page.note(
            indent,
            &format!("# ({hidden} unchanged statement{plural} hidden)"),
        );
    }
    true
}

/// The statements; a single one may stand without a list.
fn statements(policy: &BTreeMap<String, Node>) -> Option<Vec<&Node>> {
    match policy.get("Statement")? {
        Node::List(list) if list.iter().all(|item| matches!(item, Node::Map(_))) => {
            Some(list.iter().collect())
        }
        single @ Node::Map(_) => Some(vec![single]),
        _ => None,
    }
}

fn sid(statement: &Node) -> Option<&str> {
    match statement {
        Node::Map(map) => match map.get("Sid") {
            Some(Node::String(sid)) if !sid.is_empty() => Some(sid),
            _ => None,
        },
        _ => None,
    }
}

fn label(statement: &Node, index: usize) -> String {
    match sid(statement) {
        Some(sid) if sid.chars().all(char::is_alphanumeric) => format!("Statement[{sid}]"),
        Some(sid) => format!("Statement[{}]", quoted(sid)),
        None => format!("Statement[{index}]"),
    }
}

/// Which old statement each new one was: by Sid, then equal ones, then the most alike.
fn pair_up(old: &[&Node], new: &[&Node]) -> BTreeMap<usize, usize> {
    let mut pairs = BTreeMap::new();
    let mut free: BTreeSet<usize> = (0..old.len()).collect();
    let mut by_sid: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, statement) in old.iter().enumerate() {
        if let Some(sid) = sid(statement) {
            by_sid.entry(sid).or_insert(index);
        }
    }
    for (index, statement) in new.iter().enumerate() {
        if let Some(found) = sid(statement).and_then(|sid| by_sid.get(sid))
            && free.remove(found)
        {
            pairs.insert(index, *found);
        }
    }
    let open: Vec<usize> = (0..new.len())
        .filter(|index| !pairs.contains_key(index))
        .collect();
    if open.len().max(free.len()) > MOST_COMPARED {
        return pairs;
    }
    let mut alike: Vec<(f64, usize, usize)> = open
        .iter()
        .flat_map(|new_index| free.iter().map(|old_index| (*new_index, *old_index)))
        .map(|(to, from)| (likeness(old[from], new[to]), to, from))
        .filter(|(likeness, ..)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    for (_, to, from) in alike {
        if !pairs.contains_key(&to) && free.remove(&from) {
            pairs.insert(to, from);
        }
    }
    pairs
}

/// The share of parts that two statements have in common.
fn likeness(old: &Node, new: &Node) -> f64 {
    let (Node::Map(old), Node::Map(new)) = (old, new) else {
        return 0.0;
    };
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let equal = keys
        .iter()
        .filter(|key| match (old.get(**key), new.get(**key)) {
            (Some(old), Some(new)) => same(old, new),
            _ => false,
        });
    equal.count() as f64 / keys.len().max(1) as f64
}

/// A value as the set of its items; a single one counts as a list of one, as IAM has it.
fn items(node: &Node) -> Option<BTreeSet<String>> {
    match node {
        Node::List(list) => list.iter().map(Node::inline).collect(),
        Node::Map(map) if !map.is_empty() => None,
        simple => Some([simple.inline()?].into()),
    }
}

/// Whether two parts of a policy mean the same.
fn same(old: &Node, new: &Node) -> bool {
    match (old, new) {
        (Node::Secret { .. }, _) | (_, Node::Secret { .. }) => old == new,
        (Node::Map(old), Node::Map(new)) => {
            old.len() == new.len()
                && old
                    .iter()
                    .all(|(key, old)| new.get(key).is_some_and(|new| same(old, new)))
        }
        _ => old == new || items(old).is_some_and(|old| Some(old) == items(new)),
    }
}

/// The entries that differ, one row each, or one row for each item of a list.
fn entries(
    page: &mut Page<'_>,
    indent: usize,
    old: &BTreeMap<String, Node>,
    new: &BTreeMap<String, Node>,
    without: &[&str],
) {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys
        .into_iter()
        .filter(|key| !without.contains(&key.as_str()))
    {
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) if same(old, new) => {}
            (Some(old), Some(new)) => changed(page, indent, key, old, new),
            (Some(old), None) => part(page, indent, Sign::Remove, &old.yaml(key)),
            (None, Some(new)) => part(page, indent, Sign::Add, &new.yaml(key)),
            (None, None) => {}
        }
    }
}

fn changed(page: &mut Page<'_>, indent: usize, key: &str, old: &Node, new: &Node) {
    let name = key_text(key);
    if let (Node::Map(old), Node::Map(new)) = (old, new) {
        page.row(indent, Sign::Change, &format!("{name}:"), &[]);
        entries(page, indent + 4, old, new, &[]);
        return;
    }
    let is_list = |node: &Node| matches!(node, Node::List(_));
    if (is_list(old) || is_list(new))
        && let (Some(old), Some(new)) = (items(old), items(new))
    {
        page.row(indent, Sign::Change, &format!("{name}:"), &[]);
        for item in old.difference(&new) {
            page.diff_line(indent + 4, Sign::Remove, item);
        }
        for item in new.difference(&old) {
            page.diff_line(indent + 4, Sign::Add, item);
        }
        return;
    }
    if let (Some(old), Some(new)) = (old.inline(), new.inline()) {
        page.row(
            indent,
            Sign::Change,
            &format!("{name}: {old} -> {new}"),
            &[],
        );
        return;
    }
    part(page, indent, Sign::Remove, &old.yaml(key));
    part(page, indent, Sign::Add, &new.yaml(key));
}

fn part(page: &mut Page<'_>, indent: usize, sign: Sign, lines: &[String]) {
    for (index, line) in lines.iter().enumerate() {
        let sign_here = if index == 0 { sign } else { Sign::Same };
        page.row(indent, sign_here, line, &[]);
    }
}

fn whole(page: &mut Page<'_>, indent: usize, sign: Sign, label: &str, statement: &Node) {
    page.row(indent, sign, &format!("{label}:"), &[]);
    let mut parts = statement.clone();
    if let (Some(_), Node::Map(map)) = (sid(statement), &mut parts) {
        // The label already contains it.
        map.remove("Sid");
    }
    for line in parts.yaml_body() {
        page.line(indent + 4, &line);
    }
}

//! The rows of an update or a replacement: what differs, from what to what, and by whom.

use super::lines::{self, Form};
use super::node::Node;
use super::page::{FORCES, Page, Sign};
use super::{policy, scalar};
use crate::data::{Data, Path};
use crate::engine::plan::{Change, ChangedBy, Difference};
use crate::report::secrets::{SecretPaths, Veil};
use crate::report::terminal::{columns, escape};
use crate::schema::Schema;
use crate::schema::document::parsed;
use serde_json::Value;

/// How a property is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Value,
    Json,
    Policy,
}

/// One property, its three values and what is to be said of them.
struct Row {
    name: String,
    kind: Kind,
    applied: Option<Node>,
    live: Option<Node>,
    desired: Option<Node>,
    by: ChangedBy,
    replaces: bool,
    /// What the content is called that differs.
    content: Option<String>,
}

/// Shows all differences of a change; `schema` declares its properties.
pub(super) fn rows(page: &mut Page<'_>, indent: usize, change: &Change, schema: Option<&Schema>) {
    let paths = SecretPaths::of_change(change);
    let veil = Veil::new(&paths, schema, page.style.show_secrets);
    let mut index = 0;
    while let Some(first) = change.differences.get(index) {
        let document = document_root(schema, &first.path);
        let root = document.as_ref().map_or(&first.path, |(root, _)| root);
        let group: Vec<&Difference> = change.differences[index..]
            .iter()
            .take_while(|difference| difference.path.is_within(root))
            .collect();
        let kind = document.as_ref().map_or(Kind::Value, |(_, kind)| *kind);
        let whole = (kind != Kind::Value)
            .then(|| document_row(change, root, &group, kind, veil))
            .flatten();
        index += group.len();
        match whole {
            Some(row) => show(page, indent, row),
            None => {
                for difference in group {
                    let kind = if difference.path == *root {
                        kind
                    } else {
                        Kind::Value
                    };
                    show(page, indent, single_row(difference, kind, veil));
                }
            }
        }
    }
}

/// The document that `path` is, or lies in.
fn document_root(schema: Option<&Schema>, path: &Path) -> Option<(Path, Kind)> {
    let along: Vec<&Value> = schema?.along(path).collect();
    let depth = along
        .iter()
        .position(|schema| schema.get("document").is_some())?;
    let kind = match along[depth].get("document").and_then(Value::as_str) {
        Some("policy") => Kind::Policy,
        _ => Kind::Json,
    };
    let root = path
        .segments()
        .take(depth + 1)
        .fold(Path::root(), |root, segment| root.join(segment));
    Some((root, kind))
}

fn single_row(difference: &Difference, kind: Kind, veil: Veil<'_>) -> Row {
    let veil = veil.at(&difference.path);
    let node = |value: &Option<Value>| value.as_ref().map(|value| Node::of_value(value, veil));
    Row {
        name: difference.path.to_string(),
        kind,
        applied: node(&difference.applied),
        live: node(&difference.live),
        desired: difference
            .desired
            .as_ref()
            .map(|data| Node::of_data(data, veil)),
        by: difference.by,
        replaces: difference.replaces,
        content: difference.content.clone(),
    }
}

/// The differences within one document as one row: the document before and after.
fn document_row(
    change: &Change,
    root: &Path,
    group: &[&Difference],
    kind: Kind,
    veil: Veil<'_>,
) -> Option<Row> {
    let first = *group.first()?;
    if first.path == *root {
        return (group.len() == 1).then(|| single_row(first, kind, veil));
    }
    let veil = veil.at(root);
    let before = document(change.before.as_ref()?, root)?;
    let after = document(change.after.as_ref()?, root)?;
    let mut applied = before.value.clone();
    for difference in group {
        let path = difference.path.below(root)?;
        match &difference.applied {
            Some(value) => path.set(&mut applied, value.clone()),
            None => path.remove(&mut applied),
        }
    }
    let by = group.iter().map(|difference| difference.by);
    Some(Row {
        name: root.to_string(),
        kind,
        applied: Some(Node::of_value(&applied, veil)),
        live: Some(Node::of_data(&before, veil)),
        desired: Some(Node::of_data(&after, veil)),
        by: by.reduce(|a, b| if a == b { a } else { ChangedBy::Both })?,
        replaces: group.iter().any(|difference| difference.replaces),
        content: None,
    })
}

/// The document at `path`, parsed where it is given as text.
fn document(data: &Data, path: &Path) -> Option<Data> {
    let mut data = data.get(path)?;
    if let Value::String(text) = &data.value
        && let Some(parsed) = parsed(text)
    {
        data.value = parsed;
    }
    Some(data)
}

/// Whether the row is a key of a map that only the service has.
fn is_others(row: &Row) -> bool {
    row.by == ChangedBy::Outside && row.applied.is_none() && row.desired.is_none()
}

fn comments(row: &Row) -> Vec<&'static str> {
    let mut comments = Vec::new();
    match row.by {
        ChangedBy::Outside if is_others(row) => comments.push("not in the file"),
        ChangedBy::File => {}
        ChangedBy::Outside => comments.push("changed outside stackctl"),
        ChangedBy::Both => comments.push("changed on both sides"),
    }
    if row.replaces {
        comments.push(FORCES);
    }
    comments
}

fn show(page: &mut Page<'_>, indent: usize, mut row: Row) {
    let comments = comments(&row);
    row.name = escape(&row.name).into_owned();
    if let Some(label) = &row.content {
        let text = format!("{}: content of {} differs", row.name, escape(label));
        return page.row(indent, Sign::Change, &text, &comments);
    }
    let secret = |node: &Option<Node>| matches!(node, Some(Node::Secret { .. }));
    if secret(&row.desired) || secret(&row.live) {
        secret_row(page, indent, &row, &comments);
    } else if row.by != ChangedBy::File && !is_others(&row) {
        three_values(page, indent, row, &comments);
    } else {
        mark_secrets(&mut row);
        transition(page, indent, &row, &comments);
    }
}

/// Marks the secrets within the row that change with it.
fn mark_secrets(row: &mut Row) {
    if let Some(desired) = &mut row.desired {
        desired.mark_changed_secrets(row.live.as_ref());
    }
    if let Some(live) = &mut row.live {
        live.mark_changed_secrets(row.applied.as_ref());
    }
}

fn secret_row(page: &mut Page<'_>, indent: usize, row: &Row, comments: &[&str]) {
    let (sign, text) = match (&row.live, &row.desired) {
        (None, _) => (Sign::Add, "(secret)"),
        (_, None) => (Sign::Remove, "(secret)"),
        _ => (Sign::Change, "(secret, changes)"),
    };
    page.row(indent, sign, &format!("{}: {text}", row.name), comments);
}

/// A property that only the file changes: from the live value to the file's.
fn transition(page: &mut Page<'_>, indent: usize, row: &Row, comments: &[&str]) {
    let (old, new) = match (&row.live, &row.desired) {
        (Some(old), Some(new)) => (old, new),
        (None, Some(new)) => return whole(page, indent, Sign::Add, (&row.name, new), comments),
        (Some(old), None) => return whole(page, indent, Sign::Remove, (&row.name, old), comments),
        (None, None) => {
            return page.row(
                indent,
                Sign::Remove,
                &format!("{}: (not set)", row.name),
                comments,
            );
        }
    };
    let both = match (old, new) {
        _ if row.kind != Kind::Value => None,
        (Node::String(old), Node::String(new)) if !is_block(row) => Some(scalar::pair(old, new)),
        _ => old.inline().zip(new.inline()),
    };
    let Some((before, after)) = both else {
        page.row(indent, Sign::Change, &format!("{}:", row.name), comments);
        return block(page, indent + 4, row.kind, Some(old), Some(new));
    };
    let text = format!("{}: {before} -> {after}", row.name);
    if indent + 2 + columns(&text) <= page.style.width {
        page.row(indent, Sign::Change, &text, comments);
    } else {
        page.row(indent, Sign::Change, &format!("{}:", row.name), comments);
        page.diff_line(indent + 4, Sign::Remove, &before);
        page.diff_line(indent + 4, Sign::Add, &after);
    }
}

/// Whether a value of the row takes lines of its own.
fn is_block(row: &Row) -> bool {
    [&row.applied, &row.live, &row.desired]
        .into_iter()
        .flatten()
        .any(|node| row.kind != Kind::Value || node.inline().is_none())
}

/// A property that comes or goes.
fn whole(page: &mut Page<'_>, indent: usize, sign: Sign, entry: (&str, &Node), comments: &[&str]) {
    let (name, node) = entry;
    // The name stands as a path and needs no quotes of its own.
    for (index, line) in node.yaml("x").iter().enumerate() {
        if index == 0 {
            let rest = line.strip_prefix('x').unwrap_or(line);
            page.row(indent, sign, &format!("{name}{rest}"), comments);
        } else {
            page.line(indent + 2, line);
        }
    }
}

/// A property that is not as it was last applied: what was applied, what is live, and what
/// the file wants.
fn three_values(page: &mut Page<'_>, indent: usize, mut row: Row, comments: &[&str]) {
    page.row(indent, Sign::Change, &format!("{}:", row.name), comments);
    let indent = indent + 4;
    if !is_block(&row) {
        let text = |node: &Option<Node>| {
            node.as_ref()
                .and_then(Node::inline)
                .unwrap_or_else(|| "(not set)".to_owned())
        };
        page.line(indent, &format!("last applied: {}", text(&row.applied)));
        page.line(indent, &format!("live:         {}", text(&row.live)));
        page.line(indent, &format!("file:         {}", text(&row.desired)));
        return;
    }
    let as_applied = row.applied == row.desired;
    mark_secrets(&mut row);
    if as_applied {
        page.line(indent, "live -> file, which is as last applied:");
    } else {
        page.line(indent, "last applied -> live:");
        block(
            page,
            indent + 4,
            row.kind,
            row.applied.as_ref(),
            row.live.as_ref(),
        );
        page.line(indent, "live -> file:");
    }
    block(
        page,
        indent + 4,
        row.kind,
        row.live.as_ref(),
        row.desired.as_ref(),
    );
}

/// What becomes of a value, on lines of its own.
fn block(page: &mut Page<'_>, indent: usize, kind: Kind, old: Option<&Node>, new: Option<&Node>) {
    let (sign, only) = match (old, new) {
        (Some(old), Some(new)) if old == new => return page.note(indent, "# no difference"),
        (Some(old), Some(new)) => {
            let told = kind == Kind::Policy && policy::diff(page, indent, old, new);
            if !told {
                let form = if kind == Kind::Value {
                    Form::Yaml
                } else {
                    Form::Json
                };
                lines::diff(page, indent, old, new, form);
            }
            return;
        }
        (Some(old), None) => (Sign::Remove, old),
        (None, Some(new)) => (Sign::Add, new),
        (None, None) => return page.note(indent, "# no difference"),
    };
    for line in only.yaml_body() {
        page.diff_line(indent, sign, &line);
    }
}

/// One output: the same rows, with no third value.
pub(super) fn output(
    page: &mut Page<'_>,
    indent: usize,
    name: &str,
    old: Option<Node>,
    new: Option<Node>,
) {
    let row = Row {
        name: name.to_owned(),
        kind: Kind::Value,
        applied: None,
        live: old,
        desired: new,
        by: ChangedBy::File,
        replaces: false,
        content: None,
    };
    show(page, indent, row);
}

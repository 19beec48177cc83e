//! The rows of an update or a replacement: what differs, from what to what, and by whom.

use super::lines::{self, Form};
use super::node::Node;
use super::page::{FORCES, MAY_FORCE, Page, Sign};
use super::{policy, scalar};
use crate::engine::plan::ChangedBy;
use crate::report::terminal::{columns, escape};
use crate::report::view::{self, Kind, Resource};

/// A row, its values ready to be written.
struct Row {
    name: String,
    kind: Kind,
    applied: Option<Node>,
    live: Option<Node>,
    desired: Option<Node>,
}

/// Shows all differences of a change.
pub(super) fn rows(page: &mut Page<'_>, indent: usize, change: &Resource<'_>) {
    for row in change.folded() {
        show(page, indent, &row.path.to_string(), row);
    }
}

fn comments(row: &view::Row<'_>) -> Vec<&'static str> {
    let mut comments = Vec::new();
    match row.by {
        ChangedBy::Outside if row.is_others() => comments.push("not in the file"),
        ChangedBy::File => {}
        ChangedBy::Outside => comments.push("changed outside stackctl"),
        ChangedBy::Both => comments.push("changed on both sides"),
    }
    if row.replaces {
        comments.push(FORCES);
    }
    if row.may_replace {
        comments.push(MAY_FORCE);
    }
    comments
}

/// Shows one row.
pub(super) fn show(page: &mut Page<'_>, indent: usize, name: &str, row: &view::Row<'_>) {
    let (of, comments) = (row, comments(row));
    let mut row = Row {
        name: escape(name).into_owned(),
        kind: of.kind,
        applied: of.applied.as_ref().map(Node::of),
        live: of.live.as_ref().map(Node::of),
        desired: of.desired.as_ref().map(Node::of),
    };
    if let Some(label) = of.content {
        let text = format!("{}: content of {} differs", row.name, escape(label));
        return page.row(indent, Sign::Change, &text, &comments);
    }
    let secret = |node: &Option<Node>| matches!(node, Some(Node::Secret { .. }));
    if secret(&row.desired) || secret(&row.live) {
        secret_row(page, indent, &row, &comments);
    } else if of.by != ChangedBy::File && !of.is_others() {
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

/// The change of a value, on lines of its own.
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

//! A diff line by line.

use super::node::{Node, is_text, text_line};
use super::page::{Page, Sign};
use super::scalar::more;
use similar::{ChangeTag, TextDiff};
use std::time::Duration;

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// The most lines of one diff.
const MOST_LINES: usize = 200;

/// The most lines of a string that are compared one by one; the last of them says what is omitted.
const MOST_COMPARED: usize = 20_000;

/// Time after which a diff may be coarser than it could be.
const PATIENCE: Duration = Duration::from_millis(100);

/// How two values are put into lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As YAML; strings as they are.
    Yaml,
    /// As JSON.
    Json,
}

fn lines(node: &Node, form: Form) -> Vec<String> {
    match (node, form) {
        (Node::String(text), _) if is_text(text) => {
            let mut all = text.lines();
            let mut lines: Vec<_> = all.by_ref().take(MOST_COMPARED).map(text_line).collect();
            let left = all.count();
            if left > 0 {
                lines.push(format!("({})", more(left, "line")));
            } else if !text.ends_with('\n') {
                lines.push("(no line end)".to_owned());
            }
            lines
        }
        // A dash next to a sign would read as another sign.
        (Node::List(list), Form::Yaml) if list.iter().all(Node::is_simple) => {
            list.iter().filter_map(Node::inline).collect()
        }
        (node, Form::Yaml) => node.yaml_body(),
        (node, Form::Json) => node.json(),
    }
}

/// Prints the change from `old` to `new`, which differ.
pub(super) fn diff(page: &mut Page<'_>, indent: usize, old: &Node, new: &Node, form: Form) {
    let (mut old, mut new) = (lines(old, form), lines(new, form));
    // The remark is printed only where the strings differ in it.
    let remark = |lines: &[String]| lines.last().is_some_and(|last| last == "(no line end)");
    if remark(&old) && remark(&new) {
        old.pop();
        new.pop();
    }
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_slices(&old, &new);
    let groups = diff.grouped_ops(CONTEXT);
    if groups.is_empty() {
        page.note(indent, "# differs only in parts too long to be shown");
    }
    let total: usize = groups
        .iter()
        .flatten()
        .map(|op| diff.iter_changes(op).count())
        .sum();
    let mut shown = 0;
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            page.note(indent, "  …");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            if shown == MOST_LINES {
                page.note(indent, &format!("  {}", more(total - shown, "line")));
                return;
            }
            let sign = match change.tag() {
                ChangeTag::Delete => Sign::Remove,
                ChangeTag::Insert => Sign::Add,
                ChangeTag::Equal => Sign::Same,
            };
            page.diff_line(indent, sign, change.value());
            shown += 1;
        }
    }
}

//! The plan, for people.

mod difference;
mod drift;
mod extra;
mod lines;
mod node;
mod page;
mod policy;
mod remaining;
mod scalar;
#[cfg(test)]
mod tests;

pub use drift::drift;
pub use remaining::remaining;

use crate::engine::head::Head;
use crate::engine::plan::{Action, DESTROY, Importing, NEW, Plan};
use crate::report::secrets::Masked;
use crate::report::terminal::{DEFAULT_WIDTH, columns, escape, fit};
use crate::report::view::{Output, Resource, view};
use anstyle::Style as Paint;
use node::{Node, key_text};
use page::{BOLD, CYAN, DIM, GREEN, MAGENTA, Page, RED, YELLOW};
use serde_json::Value;
use std::borrow::Cow;

/// The style of the output.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// With colours; without them the signs alone carry the meaning.
    pub color: bool,
    /// The width in columns to keep to where that is possible.
    pub width: usize,
    /// `--show-secrets`.
    pub show_secrets: bool,
}

impl Default for Style {
    /// No colours, no secrets, the default width.
    fn default() -> Self {
        Self {
            color: false,
            width: DEFAULT_WIDTH,
            show_secrets: false,
        }
    }
}

/// The columns in front of a property: a sign of up to three, and a space on either side.
const BODY: usize = 6;

/// The most columns of an id.
const LONGEST_ID: usize = 120;

/// The plan: what changes and why, resource by resource, ended by the line that counts.
/// Unchanged resources are not listed.
pub fn plan(plan: &Plan, style: &Style) -> String {
    let mut page = Page::new(style);
    let view = view(plan, style.show_secrets);
    header(&mut page, plan);
    for change in &view.resources {
        resource(&mut page, change);
    }
    extra::state_updates(&mut page, &view.state_updates);
    outputs(&mut page, &view.outputs);
    extra::files(&mut page, plan);
    extra::scope(&mut page, plan);
    extra::warnings(&mut page, plan);
    page.out.push('\n');
    last_line(&mut page, plan);
    page.out
}

fn header(page: &mut Page<'_>, plan: &Plan) {
    let parts = [&plan.env, &plan.account, &plan.region];
    place(page, &plan.stack, parts, &plan.head);
}

/// `websocket-sqs, env dev, account 123456789012, region us-west-2`; below it the stack file, the
/// state, and where calls go that do not go to AWS's own hosts.
fn place(page: &mut Page<'_>, stack: &str, parts: [&Option<String>; 3], head: &Head) {
    page.piece(BOLD, &escape(stack));
    for (name, value) in ["env", "account", "region"].iter().zip(parts) {
        if let Some(value) = value {
            page.out.push_str(&format!(", {name} {}", escape(value)));
        }
    }
    if head.local {
        page.out.push_str(", local cloud");
    }
    page.end();
    if !head.is_empty() {
        let (file, state) = (escape(&head.file), escape(&head.state));
        page.note(0, &format!("file {file}, state {state}"));
    }
    for one in &head.endpoints {
        let text = format!("endpoint {one}");
        page.line(0, &escape(&text));
        if one.is_open() {
            page.piece(
                RED,
                "  not encrypted: credentials and secrets can be read on the way",
            );
            page.end();
        }
    }
}

/// What stands above a plan, of a command that only reads the state: in which account it is, or why
/// that is not known.
pub fn heading(
    (stack, env): (&str, &Option<String>),
    account: Result<&str, &str>,
    region: &str,
    head: &Head,
    style: &Style,
) -> String {
    let mut page = Page::new(style);
    let known = account.ok().map(str::to_owned);
    place(
        &mut page,
        stack,
        [env, &known, &Some(region.to_owned())],
        head,
    );
    if let Err(why) = account {
        page.line(0, &escape(&format!("The account is not known: {why}.")));
    }
    page.out
}

fn last_line(page: &mut Page<'_>, plan: &Plan) {
    let text = if plan.is_empty() {
        match &plan.scope {
            // Of the rest nothing is known.
            Some(scope) => format!("No changes to what {} selects.", escape(&scope.asked)),
            None => "No changes. The stack is as the file says.".to_owned(),
        }
    } else {
        let summary = plan.summary();
        let mut first = String::new();
        for (count, word) in [(summary.import, "import"), (summary.moved, "move")] {
            if count > 0 {
                first.push_str(&format!("{count} to {word}, "));
            }
        }
        format!(
            "Plan: {first}{} to create, {} to update, {} to replace, {} to delete.",
            summary.create, summary.update, summary.replace, summary.delete
        )
    };
    page.piece(BOLD, &text);
    page.end();
}

fn paint(action: Action) -> Paint {
    match action {
        Action::Create => GREEN,
        Action::Update => YELLOW,
        Action::DeleteThenCreate | Action::CreateThenDelete => MAGENTA,
        Action::Delete => RED,
        Action::Read => CYAN,
        Action::NoOp | Action::Forget => DIM,
    }
}

fn resource(page: &mut Page<'_>, change: &Resource<'_>) {
    if change.words == Action::NoOp.words() {
        return;
    }
    page.out.push('\n');
    if let Some(from) = change.moved_from {
        moved(page, change, from);
    }
    if let Some(importing) = change.importing {
        return imported(page, change, importing);
    }
    if change.action == Action::NoOp {
        return;
    }
    let reason = match change.reason {
        NEW | DESTROY => "",
        reason => reason,
    };
    let holds = holds(change);
    let parts = [Some(reason), holds.as_deref()].into_iter().flatten();
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    title(page, change, &parts.join("; "));
    match change.action {
        Action::NoOp => {}
        Action::Create | Action::Read => {
            all_properties(page, change);
            generated(page, change);
        }
        Action::Update | Action::DeleteThenCreate | Action::CreateThenDelete => {
            difference::rows(page, BODY, change);
            if change.action.is_replace() {
                generated(page, change);
            }
            hidden(page, change.unchanged);
        }
        Action::Delete => main_properties(page, change),
        Action::Forget => page.note(BODY, "left as it is, and dropped from the state"),
    }
}

/// `holds 3 objects, 4.2 kB, which go with it`
fn holds(change: &Resource<'_>) -> Option<String> {
    let contents = change.holds?;
    if contents.keeps {
        return Some(format!("holds {}", contents.text()));
    }
    let many = contents.entries() + contents.messages.unwrap_or(0) + contents.bytes.unwrap_or(0);
    let verb = if many == 1 { "goes" } else { "go" };
    Some(format!("holds {}, which {verb} with it", contents.text()))
}

/// `moved old -> new  aws:sqs:Queue  [id=…]`; what else is done has a row of its own below.
fn moved(page: &mut Page<'_>, change: &Resource<'_>, from: &str) {
    let address = format!("{from} -> {}", change.address);
    let of = [&address, change.type_name];
    title_line(page, ("moved", CYAN), of, change.id, "");
}

/// `import queue  aws:sqs:Queue  [id=…]`, and the differences to the file, which are applied
/// in the same run.
fn imported(page: &mut Page<'_>, change: &Resource<'_>, importing: &Importing) {
    let reason = match change.action {
        Action::NoOp => change.reason.to_owned(),
        _ => format!("then updated: {}", change.reason),
    };
    let of = [change.address, change.type_name];
    let id = importing.id.as_deref();
    title_line(page, ("import", CYAN), of, id, &reason);
    difference::rows(page, BODY, change);
    hidden(page, change.unchanged);
}

/// `  ~ queue  aws:sqs:Queue  [id=…]  # reason`
fn title(page: &mut Page<'_>, change: &Resource<'_>, reason: &str) {
    let sign = (change.action.sign(), paint(change.action));
    let of = [change.address, change.type_name];
    title_line(page, sign, of, change.id, reason);
}

fn title_line(
    page: &mut Page<'_>,
    (sign, paint): (&str, Paint),
    [address, type_name]: [&str; 2],
    id: Option<&str>,
    reason: &str,
) {
    page.indent(3 - sign.len().min(3));
    page.piece(paint, sign);
    page.out.push(' ');
    page.piece(BOLD, &escape(address));
    page.out.push_str("  ");
    page.out.push_str(&escape(type_name));
    if let Some(id) = id {
        let id = escape(id).into_owned();
        page.piece(DIM, &format!("  [id={}]", fit(&id, LONGEST_ID)));
    }
    if !reason.is_empty() {
        page.comment(&[escape(reason).as_ref()]);
    }
    page.end();
}

/// What a create or read is given.
fn all_properties(page: &mut Page<'_>, change: &Resource<'_>) {
    let Some(after) = &change.after else { return };
    let lines = match Node::of(after) {
        Node::Map(map) => map
            .iter()
            .flat_map(|(name, node)| node.yaml(name))
            .collect(),
        other => other.yaml_body(),
    };
    lines.iter().for_each(|line| page.line(BODY, line));
}

/// The names and values that this plan has decided.
fn generated(page: &mut Page<'_>, change: &Resource<'_>) {
    for (name, value) in &change.generated {
        let mut lines = Node::of(value).yaml(name).into_iter();
        page.indent(BODY);
        page.out.push_str(&lines.next().unwrap_or_default());
        page.comment(&["generated by this plan"]);
        page.end();
        lines.for_each(|line| page.line(BODY, &line));
    }
}

fn hidden(page: &mut Page<'_>, unchanged: usize) {
    match unchanged {
        0 => {}
        1 => page.note(BODY, "# (1 unchanged property hidden)"),
        many => page.note(BODY, &format!("# ({many} unchanged properties hidden)")),
    }
}

/// What distinguishes a deleted resource from others, on one line: its names first.
fn main_properties(page: &mut Page<'_>, change: &Resource<'_>) {
    let Some(Node::Map(map)) = change.before.as_ref().map(Node::of) else {
        return;
    };
    let mut parts: Vec<(bool, String)> = map
        .iter()
        .filter(|(_, node)| node.is_simple() && !matches!(node, Node::Secret { .. }))
        .filter_map(|(key, node)| {
            let text = format!("{}: {}", key_text(key), node.inline()?);
            Some((!key.to_lowercase().ends_with("name"), text))
        })
        .filter(|(_, text)| columns(text) <= page.style.width / 2)
        .collect();
    // The sort keeps the order of the keys within each half.
    parts.sort_by_key(|(is_other, _)| *is_other);
    let mut line = String::new();
    for (_, text) in parts.iter().take(4) {
        let gap = if line.is_empty() { "" } else { ", " };
        if BODY + columns(&line) + gap.len() + columns(text) > page.style.width {
            break;
        }
        line.push_str(gap);
        line.push_str(text);
    }
    if !line.is_empty() {
        page.line(BODY, &line);
    }
}

fn outputs(page: &mut Page<'_>, outputs: &[Output<'_>]) {
    if outputs.is_empty() {
        return;
    }
    page.out.push('\n');
    page.line(0, "Outputs:");
    for output in outputs {
        difference::show(page, 2, &key_text(output.name), &output.row);
    }
}

/// A value as it stands behind `name:`, harmless: what is on the same line (nothing for one
/// with parts), and the lines below.
pub(crate) fn value_lines(value: &Value) -> (String, Vec<String>) {
    let shown = Masked {
        value: Cow::Borrowed(value),
        ..Masked::default()
    };
    let mut lines = Node::of(&shown).yaml("x");
    let first = lines.remove(0);
    (
        first.trim_start_matches("x:").trim_start().to_owned(),
        lines,
    )
}

/// A name as it stands in front of a value, harmless.
pub(crate) fn name_text(name: &str) -> String {
    key_text(name)
}

/// A line that is only a remark.
pub(crate) fn remark(text: &str, style: &Style) -> String {
    let mut page = Page::new(style);
    page.piece(DIM, &format!("# {}", escape(text)));
    page.out
}

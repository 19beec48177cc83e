//! Steps that no change of a resource accounts for: what only the state is told.

use super::page::{DIM, Page, YELLOW};
use super::title_line;
use crate::engine::plan::{Action, Op, Plan};
use crate::report::terminal::escape;
use std::collections::BTreeSet;

/// Lists them, so that the plan shows all that apply will do.
pub(super) fn steps(page: &mut Page<'_>, plan: &Plan) {
    let unchanged: BTreeSet<&str> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::NoOp)
        .map(|change| change.address.as_str())
        .collect();
    for step in &plan.steps {
        let (sign, paint, id, reason) = match &step.op {
            Op::Adopt { id, .. } if unchanged.contains(step.address.as_str()) => (
                "=",
                DIM,
                Some(id.as_str()),
                "the state takes over the live values; nothing is called",
            ),
            _ => continue,
        };
        page.out.push('\n');
        title_line(
            page,
            (sign, paint),
            [&step.address, &step.type_name],
            id,
            reason,
        );
    }
}

/// What is worth knowing before the plan is applied.
pub(super) fn warnings(page: &mut Page<'_>, plan: &Plan) {
    for warning in &plan.warnings {
        page.out.push('\n');
        page.piece(YELLOW, "warning:");
        page.out.push(' ');
        page.out.push_str(&escape(&warning.message));
        page.end();
        if let Some(help) = &warning.help {
            page.line(2, &format!("next: {}", escape(help)));
        }
    }
}

/// The local files that an apply writes.
pub(super) fn files(page: &mut Page<'_>, plan: &Plan) {
    if plan.files.is_empty() {
        return;
    }
    page.out.push('\n');
    page.line(0, "Files that apply writes:");
    for (address, path) in &plan.files {
        page.line(2, &format!("{} for {}", escape(path), escape(address)));
    }
}

/// What the flags take along and leave out beyond what they name.
pub(super) fn scope(page: &mut Page<'_>, plan: &Plan) {
    let Some(scope) = &plan.scope else { return };
    if scope.along.is_empty() && scope.left_out.is_empty() {
        return;
    }
    page.out.push('\n');
    page.line(0, &format!("With {}:", escape(&scope.asked)));
    for (address, why) in &scope.along {
        let line = format!("{} comes along: {}", escape(address), escape(why));
        page.line(2, &line);
    }
    for (address, why) in &scope.left_out {
        let why = why
            .as_ref()
            .map_or_else(String::new, |why| format!(": {}", escape(why)));
        page.line(2, &format!("{} is left out{why}", escape(address)));
    }
}

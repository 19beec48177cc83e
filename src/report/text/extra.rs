//! Steps that belong to no change of a resource: what changes only in the state.

use super::page::{DIM, Page, YELLOW};
use super::title_line;
use crate::engine::plan::Plan;
use crate::report::terminal::escape;

/// Lists the resources of which only the state changes, so that the plan shows all that apply will
/// do.
pub(super) fn state_updates(page: &mut Page<'_>, updates: &[[&str; 3]]) {
    let reason = "the state takes over the live values; nothing is called";
    for [address, type_name, id] in updates {
        page.out.push('\n');
        title_line(page, ("=", DIM), [address, type_name], Some(id), reason);
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

/// What the flags include and exclude beyond what they name.
pub(super) fn scope(page: &mut Page<'_>, plan: &Plan) {
    let Some(scope) = &plan.scope else { return };
    if scope.included.is_empty() && scope.excluded.is_empty() {
        return;
    }
    page.out.push('\n');
    page.line(0, &format!("With {}:", escape(&scope.asked)));
    for (address, why) in &scope.included {
        let line = format!("{} is included: {}", escape(address), escape(why));
        page.line(2, &line);
    }
    for (address, why) in &scope.excluded {
        let why = why
            .as_ref()
            .map_or_else(String::new, |why| format!(": {}", escape(why)));
        page.line(2, &format!("{} is excluded{why}", escape(address)));
    }
}

//! Steps that no change of a resource accounts for: what only the state is told.

use super::page::{DIM, Page};
use super::title_line;
use crate::engine::plan::{Action, Op, Plan};
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

//! Steps that no change of a resource accounts for: what earlier runs left behind, and what
//! only the state is told.

use super::page::{DIM, Page, RED};
use super::title_line;
use crate::engine::plan::{Action, Op, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// Lists them, so that the plan shows all that apply will do.
pub(super) fn steps(page: &mut Page<'_>, plan: &Plan) {
    let unchanged: BTreeSet<&str> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::NoOp)
        .map(|change| change.address.as_str())
        .collect();
    let deposed: BTreeMap<&str, &str> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.op {
            Op::Depose { key } => Some((key.as_str(), step.address.as_str())),
            _ => None,
        })
        .collect();
    let left_over = |key: &str, address: &str| deposed.get(key) != Some(&address);
    for step in &plan.steps {
        let (sign, paint, id, reason) = match &step.op {
            Op::Delete { deposed: Some(key) } if left_over(key, &step.address) => (
                "-",
                RED,
                None,
                "replaced by an earlier run, which did not delete it",
            ),
            Op::Forget { deposed: Some(key) } if left_over(key, &step.address) => (
                ".",
                DIM,
                None,
                "replaced by an earlier run; left as it is, and dropped from the state",
            ),
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

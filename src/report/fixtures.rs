//! Hand-written plans, for the tests of this folder.

use crate::data::{Data, Path};
use crate::engine::plan::{Action, Change, ChangedBy, Declared, Difference, Op, Plan, Step};
use crate::resource::table::native;
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) fn change(address: &str, type_name: &str, action: Action) -> Change {
    let schema = match action {
        Action::Read => native()
            .data_source(type_name)
            .map(|source| source.schema()),
        _ => native().schema(type_name),
    };
    Change {
        address: address.to_owned(),
        type_name: type_name.to_owned(),
        schema: Declared(schema),
        id: None,
        action,
        reason: String::new(),
        before: None,
        after: None,
        differences: Vec::new(),
        ..Change::default()
    }
}

/// A difference that the file declares.
pub(crate) fn differs(path: &str, live: Value, desired: impl Into<Data>) -> Difference {
    Difference {
        path: Path::dotted(path),
        applied: Some(live.clone()),
        live: Some(live),
        desired: Some(desired.into()),
        by: ChangedBy::File,
        replaces: false,
        secret: false,
        content: None,
    }
}

/// A plan of these changes, each with a step (what kind of step does not matter here).
pub(crate) fn plan(changes: Vec<Change>) -> Plan {
    let step = |change: &Change| Step {
        op: Op::Delete { deposed: None },
        address: change.address.clone(),
        type_name: change.type_name.clone(),
        after: BTreeSet::new(),
    };
    Plan {
        stack: "websocket-sqs".to_owned(),
        serial: 7,
        lineage: "0b8a".to_owned(),
        account: Some("123456789012".to_owned()),
        region: Some("us-west-2".to_owned()),
        steps: changes
            .iter()
            .filter(|change| change.action != Action::NoOp)
            .map(step)
            .collect(),
        changes,
        ..Plan::default()
    }
}

//! `stackctl state history`: what was saved, and when.

use super::super::args::GlobalArgs;
use super::super::args::state::HistoryArgs;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::output;
use super::super::place::store_error;
use super::bench::Bench;
use super::table::table;
use crate::store::lease::moment;
use crate::store::state::{ResourceState, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many of a state's resources differ from one version to the next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) added: usize,
    pub(super) changed: usize,
    pub(super) removed: usize,
}

impl Difference {
    pub(super) fn between(before: &State, after: &State) -> Self {
        let (before, after) = (all(before), all(after));
        let mut difference = Self::default();
        for (name, known) in &after {
            match before.get(name) {
                None => difference.added += 1,
                Some(old) if old != known => difference.changed += 1,
                Some(_) => {}
            }
        }
        difference.removed = before
            .keys()
            .filter(|name| !after.contains_key(*name))
            .count();
        difference
    }

    fn text(self) -> String {
        if self == Self::default() {
            return "none".to_owned();
        }
        format!("+{} ~{} -{}", self.added, self.changed, self.removed)
    }
}

/// All resources, deposed ones included.
pub(super) fn all(state: &State) -> BTreeMap<String, &ResourceState> {
    let deposed = state.deposed.iter().flat_map(|(address, all)| {
        all.iter()
            .map(move |(key, known)| (crate::store::state::deposed_address(address, key), known))
    });
    let current = state.resources.iter();
    current
        .map(|(address, known)| (address.clone(), known))
        .chain(deposed)
        .collect()
}

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &HistoryArgs) -> Result<Exit, CliError> {
    let bench = Bench::new(global, args.stack.as_deref(), &args.place).await?;
    let mut before = State::empty(&bench.stack.name, None, String::new());
    let (mut rows, mut list) = (Vec::new(), Vec::new());
    for name in bench
        .reading(bench.store.versions())
        .await
        .map_err(store_error)?
    {
        let version = match bench.store.version(&name).await {
            Ok(version) => version,
            Err(error) => {
                rows.push(vec![name.serial.to_string(), "cannot be read".to_owned()]);
                list.push(json!({"serial": name.serial, "error": error.to_string()}));
                continue;
            }
        };
        let state = version.state;
        let difference = Difference::between(&before, &state);
        let count = all(&state).len();
        let saved = moment(version.saved);
        list.push(json!({
            "serial": version.serial,
            "saved": saved,
            "lineage": state.lineage,
            "resources": count,
            "added": difference.added,
            "changed": difference.changed,
            "gone": difference.removed,
        }));
        rows.push(vec![
            version.serial.to_string(),
            saved,
            count.to_string(),
            difference.text(),
        ]);
        before = state;
    }
    if global.json {
        output::json(&format!("{:#}\n", Value::from(list)))?;
    } else if rows.is_empty() {
        output::message(&format!(
            "No version of {} was saved here.\n",
            bench.store.name()
        ));
    } else {
        // The oldest may be the first that is kept, not the first there was.
        rows.reverse();
        let heading = ["SERIAL", "SAVED", "OBJECTS", "CHANGE"];
        output::result(&table(&heading, &rows, &[0, 2]))?;
    }
    Ok(Exit::Done)
}

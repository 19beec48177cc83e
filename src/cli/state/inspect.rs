//! `stackctl state list` and `stackctl state show`.

use super::super::args::GlobalArgs;
use super::super::args::state::{ListArgs, ShowArgs};
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::output;
use super::bench::{Bench, unknown, words};
use super::table::table;
use crate::data::Path;
use crate::lang::yaml;
use crate::report::secrets::{SECRET, masked};
use crate::resource::table::native;
use crate::store::seal::sealed_paths;
use crate::store::state::{ResourceState, State, deposed_address, split_deposed};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every resource in the state, by its displayed address.
fn resources(state: &State) -> Vec<(String, &ResourceState)> {
    let current = state.resources.iter();
    let mut all: Vec<(String, &ResourceState)> = current
        .map(|(address, known)| (address.clone(), known))
        .collect();
    for (address, generations) in &state.deposed {
        let generations = generations.iter();
        all.extend(generations.map(|(key, known)| (deposed_address(address, key), known)));
    }
    all
}

/// The id, unless it is derived from a secret.
fn id(known: &ResourceState) -> &str {
    known
        .visible_id(native().schema(&known.type_name))
        .unwrap_or(SECRET)
}

/// Runs `list`.
pub(super) async fn list(global: &GlobalArgs, args: &ListArgs) -> Result<Exit, CliError> {
    let bench = Bench::new(global, args.stack.as_deref(), &args.place).await?;
    let opened = bench.open().await?;
    let resources = resources(&opened.state);
    if global.json {
        let list: Vec<Value> = resources
            .iter()
            .map(|(name, known)| {
                let (address, deposed) = split_deposed(name);
                json!({"address": address, "deposed": deposed, "type": known.type_name, "id": known.visible_id(native().schema(&known.type_name))})
            })
            .collect();
        output::json(&format!("{:#}\n", Value::from(list)))?;
        return Ok(Exit::Done);
    }
    if resources.is_empty() {
        output::message("The state is empty.\n");
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = resources
        .into_iter()
        .map(|(name, known)| vec![name, known.type_name.clone(), id(known).to_owned()])
        .collect();
    output::result(&table(&["ADDRESS", "TYPE", "ID"], &rows, &[]))?;
    Ok(Exit::Done)
}

/// Runs `show`.
pub(super) async fn show(global: &GlobalArgs, args: &ShowArgs) -> Result<Exit, CliError> {
    let (stack, rest) = words(&args.words, 1);
    let bench = Bench::new(global, stack, &args.place).await?;
    let state = bench.open().await?.state;
    let name = &rest[0];
    let resources = resources(&state);
    let found = resources.into_iter().find(|(known, _)| known == name);
    let Some((_, known)) = found else {
        return Err(unknown(name, &state));
    };
    let secret = known.secrets(native().schema(&known.type_name));
    let shown = json!({
        "address": name,
        "type": known.type_name,
        "id": id(known),
        "inputs": without_secrets(&known.inputs, &secret),
        "outputs": without_secrets(&known.outputs, &secret),
        "dependencies": known.dependencies,
        "options": known.options,
    });
    if global.json {
        output::json(&format!("{shown:#}\n"))?;
    } else {
        let text = yaml::write(&shown).map_err(|error| {
            CliError::new("The resource could not be put as YAML.").caused_by(&error)
        })?;
        output::result(&format!(
            "{}\n",
            crate::report::terminal::escape_lines(&text)
        ))?;
    }
    Ok(Exit::Done)
}

/// The value without its secrets.
fn without_secrets(value: &Value, sensitive: &BTreeSet<Path>) -> Value {
    let sealed = sealed_paths(value);
    masked(value, sensitive.iter().chain(&sealed), &SECRET.into())
}

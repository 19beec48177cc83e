//! What somebody else changed: what was last applied against what is live, whatever the file
//! says by now.

use crate::content::Content;
use crate::data::{Attributes, Data, Inputs, Path};
use crate::engine::address::block;
use crate::engine::plan::Declared;
use crate::engine::plan::Difference;
use crate::engine::plan::contents::{Contents, Named, live_content};
use crate::engine::plan::diff::Compare;
use crate::engine::plan::unfinished;
use crate::engine::world::{Observed, World};
use crate::lang::stack::Stack;
use crate::resource::ResourceType;
use crate::resource::types::Types;
use crate::schema::Schema;
use crate::store::seal::{Seal, holds_sealed, is_sealed, sealed_paths};
use crate::store::state::{ResourceState, StateChange};
use serde_json::Value;
use std::collections::BTreeSet;

/// The drift of the resources that were read.
#[derive(Debug, Default)]
pub struct Drift {
    /// How many were read.
    pub read: usize,
    /// Those that are not as they were last applied, by address.
    pub drifted: Vec<Drifted>,
    /// Those whose last apply did not finish, by address: what of it went through and what did
    /// not is no drift.
    pub unfinished: Vec<String>,
    /// Replaced generations that still wait for their deletion; they are not read.
    pub deposed: usize,
}

/// A resource that differs from what was last applied.
#[derive(Debug)]
pub struct Drifted {
    /// The address.
    pub address: String,
    /// The type.
    pub type_name: String,
    /// The type's declaration, where this version knows it.
    pub schema: Declared,
    /// The id in the state.
    pub id: String,
    /// Whether it does not exist any more.
    pub deleted: bool,
    /// The properties that differ; `desired` in them is what was last applied.
    pub rows: Vec<Difference>,
    /// What was last applied, with its secret paths.
    pub applied: Data,
    /// What is live of the properties that were applied, with the same secret paths.
    pub live: Data,
}

/// Compares every resource of the state that was read. Properties under `ignoreChanges` belong to
/// others and do not drift.
pub fn drift(stack: &Stack, types: &Types, world: &World) -> Drift {
    let seal = world.seal();
    let mut found = Drift {
        deposed: world.state.deposed.values().map(|all| all.len()).sum(),
        ..Drift::default()
    };
    for (address, seen) in &world.live {
        let Some(known) = world.state.resources.get(address) else {
            continue;
        };
        found.read += 1;
        if !known.unfinished.is_empty() && !matches!(seen, Observed::NotFound) {
            found.unfinished.push(address.clone());
        }
        let live = match seen {
            Observed::NotFound => None,
            Observed::Present(live) => Some(live),
        };
        let ignored = stack.resources.get(block(address));
        let ignored = ignored.map_or(&[][..], |block| &block.options.ignore_changes);
        let rows = live.map(|live| rows(types, known, live, (ignored, &seal)));
        if rows.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let known = &*seal.opened_resource(known);
        let schema = types.schema(&known.type_name);
        let secret = secret(schema, known);
        let with_secrets = |value: Value| Data {
            value,
            secret: secret.clone(),
            ..Data::default()
        };
        found.drifted.push(Drifted {
            address: address.clone(),
            type_name: known.type_name.clone(),
            schema: Declared(schema),
            id: known.id.clone(),
            deleted: live.is_none(),
            rows: rows.unwrap_or_default(),
            applied: with_secrets(known.inputs.clone().into_value()),
            live: with_secrets(live.map_or(Value::Null, |live| projected(live, &known.inputs))),
        });
    }
    found
}

/// The properties that differ between what was applied and what is live.
fn rows(
    types: &Types,
    known: &ResourceState,
    live: &Attributes,
    (ignored, seal): (&[String], &Seal),
) -> Vec<Difference> {
    let Some(kind) = types.resource(&known.type_name) else {
        return Vec::new();
    };
    let known = &*seal.opened_resource(known);
    let applied = unfinished::applied(kind.schema(), known, live);
    let ignored: Vec<Path> = ignored.iter().map(|text| Path::dotted(text)).collect();
    let named = |(path, content): (&Path, &Content)| {
        let label = path.get(&known.inputs).and_then(Value::as_str);
        let label = label.filter(|text| !is_sealed(&Value::from(*text)) && !secret_at(known, path));
        let named = Named {
            label: label.unwrap_or("the file").to_owned(),
            content: Some(content.clone()),
            secret: known.sealed_files.contains_key(path),
        };
        (path.clone(), named)
    };
    let wanted = known.files.iter().map(named).collect();
    let contents = Contents {
        applied: &known.files,
        wanted: &wanted,
        live: &|content| live_content(kind, &ignored, live, content),
    };
    let compare = Compare::new(kind, (&*applied, &known.sensitive), live, None);
    let (mut rows, _) = compare.with(Some(contents)).differences();
    rows.retain(|row| !ignored.iter().any(|path| row.path.is_within(path)));
    // Of a value that an older version stored as a hash only the hash is known, so drift cannot be
    // detected here. A plan can detect it, since it knows what the file declares.
    rows.retain(|row| !row.applied.as_ref().is_some_and(holds_sealed));
    rows
}

/// The part of `live` that has a name in `applied`.
fn projected(live: &Attributes, applied: &Inputs) -> Value {
    let names = applied.as_object().into_iter().flatten();
    names
        .filter_map(|(name, _)| Some((name.clone(), live.get(name)?.clone())))
        .collect()
}

fn secret_at(known: &ResourceState, path: &Path) -> bool {
    known.sensitive.iter().any(|at| path.is_within(at))
}

fn secret(schema: Option<&Schema>, known: &ResourceState) -> BTreeSet<Path> {
    let mut secret = known.secrets(schema);
    if let Some(schema) = schema {
        let names = schema.property_names();
        let names = names.filter(|name| schema.is_sensitive(name));
        secret.extend(names.map(|name| Path::root().join(name)));
    }
    secret
}

/// The changes that bring the state to the live values: drifted values count as applied from then
/// on, resources that no longer exist are forgotten, and changed outputs are stored.
pub fn refreshed(types: &Types, drift: &Drift, world: &World) -> Vec<StateChange> {
    let seal = world.seal();
    let mut changes = Vec::new();
    for (address, seen) in &world.live {
        let Some(known) = world.state.resources.get(address) else {
            continue;
        };
        let Observed::Present(live) = seen else {
            changes.push(StateChange::Drop {
                address: address.clone(),
                deposed: None,
            });
            continue;
        };
        let rows = drift.drifted.iter().find(|found| found.address == *address);
        let rows = rows.map_or(&[][..], |found| &found.rows);
        let kind = types.resource(&known.type_name);
        let resource = kind.map_or_else(
            || known.clone(),
            |kind| with_live(kind, known, live, (rows, &seal)),
        );
        if resource != *known {
            changes.push(StateChange::Put {
                address: address.clone(),
                resource: Box::new(resource),
            });
        }
    }
    changes
}

/// A resource as the state has it once the live values are stored.
fn with_live(
    kind: &dyn ResourceType,
    known: &ResourceState,
    live: &Attributes,
    (rows, seal): (&[Difference], &Seal),
) -> ResourceState {
    let mut next = known.clone();
    let schema = kind.schema();
    next.inputs = unfinished::applied(schema, known, live).into_owned();
    next.unfinished.clear();
    let opened = seal.opened(&known.inputs);
    let comparable = kind.comparable(&opened);
    for row in rows.iter().filter(|row| row.content.is_some()) {
        // What is live is not known, but that it is not what was applied.
        next.files.remove(&row.path);
        next.sealed_files.remove(&row.path);
    }
    let rows: Vec<&Difference> = rows.iter().filter(|row| row.content.is_none()).collect();
    for row in &rows {
        // The paths are those of the comparable form.
        if let Some(name) = row.path.first()
            && let Some(value) = comparable.get(name.as_ref())
            && known.inputs.get(name.as_ref()) == next.inputs.get(name.as_ref())
        {
            Path::root().join(name).set(&mut next.inputs, value.clone());
        }
    }
    for row in &rows {
        match &row.live {
            Some(value) => row.path.set(&mut next.inputs, value.clone()),
            None => row.path.remove(&mut next.inputs),
        }
    }
    for row in &rows {
        let Some(name) = row.path.first() else {
            continue;
        };
        let path = Path::root().join(&name);
        match live.get(name.as_ref()) {
            Some(value) => path.set(&mut next.outputs, value.clone()),
            None => path.remove(&mut next.outputs),
        }
    }
    // Of what is no property of the file, the outputs are what others may refer to.
    for name in schema.output_names() {
        let value = live.get(name).filter(|value| !value.is_null());
        if let Some(value) = value.filter(|_| known.inputs.get(name).is_none()) {
            Path::root()
                .join(name)
                .set(&mut next.outputs, value.clone());
        }
    }
    let mut sensitive = known.sensitive.clone();
    sensitive.extend(secret(Some(schema), known));
    sensitive.extend(sealed_paths(&known.inputs));
    next.inputs = Inputs::new(sealed(seal, &known.inputs, &next.inputs, &sensitive));
    next.outputs = Attributes::new(sealed(seal, &known.outputs, &next.outputs, &sensitive));
    next
}

/// The value with its secrets sealed; an unchanged secret keeps its old seal, since encrypting the
/// same value twice gives two different seals.
fn sealed(seal: &Seal, before: &Value, value: &Value, sensitive: &BTreeSet<Path>) -> Value {
    let mut value = value.clone();
    for path in sensitive {
        if let (Some(was), Some(is)) = (path.get(before), path.get(&value))
            && is_sealed(was)
            && seal.is_seal_of(was, is)
        {
            path.set(&mut value, was.clone());
        }
    }
    seal.seal_paths(&value, sensitive)
}

//! Steps that failed or were interrupted in the middle. Some of their properties were applied by
//! this stack and some were not, and only the live resource shows which: so neither is reported as
//! a change outside stackctl.
//!
//! What a half-done step may have set is in the state (`unfinished`, paths without values): from
//! the intent of an update or deletion that failed or was cut off, and from a create that was not
//! finished. For these properties the live values count as applied, so what went through is no
//! drift, what failed is the file's change, and a plan of nothing clears the mark.

use super::diff::{Shape, shape};
use crate::data::{Attributes, Data, Inputs, Path};
use crate::resource::ResourceType;
use crate::schema::Schema;
use crate::store::seal::is_sealed;
use crate::store::state::ResourceState;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What a plan and a drift report say of a resource whose last apply did not finish.
pub const REASON: &str = "the last apply did not finish";

/// The properties that a create sets after its first call, or of which a deletion may have taken
/// a part away: all but those that only the first call sets.
pub(crate) fn settable(kind: &dyn ResourceType, inputs: &Inputs) -> BTreeSet<Path> {
    let schema = kind.schema();
    let mut paths = BTreeSet::new();
    for (name, value) in inputs.as_object().into_iter().flatten() {
        let path = Path::root().join(name);
        // What no read returns cannot be looked up; the state knows which of it came later.
        if !schema.flag(&path, "createOnly") && !schema.flag(&path, "writeOnly") {
            leaves(schema, &path, value, &mut paths);
        }
    }
    paths
}

/// The properties that an update was to change, with their values before it (sealed) and after it.
/// Of a secret map not even the keys are stored.
pub(crate) fn changed(
    kind: &dyn ResourceType,
    (before, after): (&Inputs, &Data),
    changed: &BTreeSet<Path>,
) -> BTreeSet<Path> {
    let mut paths = BTreeSet::new();
    for name in &Path::firsts(changed) {
        let path = Path::root().join(name);
        if let Some(value) = before.get(name) {
            leaves(kind.schema(), &path, value, &mut paths);
        }
        match after.value.get(name) {
            Some(value) if !after.is_secret(&path) => {
                leaves(kind.schema(), &path, value, &mut paths);
                let inside = |at: &&Path| at.is_within(&path);
                let secret: Vec<&Path> = after.secret.iter().filter(inside).collect();
                for at in secret {
                    paths.retain(|found| found == at || !found.is_within(at));
                    paths.insert(at.clone());
                }
            }
            Some(_) => {
                paths.insert(path.clone());
            }
            None => {}
        }
        if !paths.iter().any(|at| at.is_within(&path)) {
            paths.insert(path);
        }
    }
    paths
}

/// The paths at which values are compared.
fn leaves(schema: &Schema, path: &Path, value: &Value, paths: &mut BTreeSet<Path>) {
    let members = match shape(schema, path, Some(value)) {
        Shape::Struct | Shape::Map if !is_sealed(value) => value.as_object(),
        _ => None,
    };
    match members.filter(|members| !members.is_empty()) {
        None => {
            paths.insert(path.clone());
        }
        Some(members) => {
            for (name, value) in members {
                leaves(schema, &path.join(name), value, paths);
            }
        }
    }
}

/// What was really applied: of the properties that an unfinished step was to set, what is live.
/// What no read returns counts as never applied, so that it is sent again.
pub(crate) fn applied<'v>(
    schema: &Schema,
    known: &'v ResourceState,
    live: &Attributes,
) -> Cow<'v, Inputs> {
    if known.unfinished.is_empty() {
        return Cow::Borrowed(&known.inputs);
    }
    let mut applied = known.inputs.clone();
    for path in &known.unfinished {
        let path = &above_seal(path, &applied);
        let found = path.get(live).filter(|value| !value.is_null());
        match found.filter(|_| !schema.flag(path, "writeOnly")) {
            Some(value) => path.set(&mut applied, value.clone()),
            None => path.remove(&mut applied),
        }
    }
    Cow::Owned(applied)
}

/// The path, or the one above it at which a sealed value stands.
fn above_seal(path: &Path, value: &Value) -> Path {
    let mut at = path.clone();
    let mut found = path.clone();
    while let Some(parent) = at.parent() {
        if parent.get(value).is_some_and(is_sealed) {
            found = parent.clone();
        }
        at = parent;
    }
    found
}

/// Whether an unfinished step was to set a property at this path, or in or around it.
pub(super) fn touches(known: &ResourceState, path: &Path) -> bool {
    let mut unfinished = known.unfinished.iter();
    unfinished.any(|at| at.is_within(path) || path.is_within(at))
}

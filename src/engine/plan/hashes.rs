//! Secrets of which an older version kept only a hash.

use crate::data::{Data, Path};
use crate::schema::Schema;
use crate::store::seal::{holds_sealed, sealed_paths};
use crate::store::state::ResourceState;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Why a property is sent again.
pub(super) const REASON: &str = "only a hash of its secret was kept, so it is sent once more";

/// The outputs without a value, as the expressions that stand for them, each with the address of
/// its resource.
pub(super) type Unkept = BTreeMap<String, String>;

/// What was last applied, with what the file wants in place of what is not known: only the live
/// value counts then. What no read returns stays, and is sent.
pub(super) fn filled<'v>(
    schema: &Schema,
    applied: Cow<'v, Value>,
    desired: &Value,
) -> Cow<'v, Value> {
    if !holds_sealed(&applied) {
        return applied;
    }
    let mut filled = applied.into_owned();
    for path in sealed_paths(&filled) {
        let is_sent = path.first().is_some_and(|name| {
            let property = Path::root().join(name);
            schema.flag(&property, "writeOnly") && !schema.flag(&property, "createOnly")
        });
        if let Some(wanted) = path.get(desired).filter(|_| !is_sent) {
            path.set(&mut filled, wanted.clone());
        }
    }
    Cow::Owned(filled)
}

/// The parts of the values that are not known.
pub(super) fn withheld_paths(values: [&Value; 3]) -> BTreeSet<Path> {
    let sealed = values.into_iter().filter(|value| holds_sealed(value));
    sealed.flat_map(sealed_paths).collect()
}

/// The properties for the state: a value that stays, since it comes from an unknown one, keeps its
/// old content, so that the next plan can compare it.
pub(crate) fn as_applied(inputs: &Data, stays: &BTreeSet<Path>, known: &ResourceState) -> Data {
    let mut inputs = inputs.clone();
    for at in stays {
        if let Some(before) = at.get(&known.inputs) {
            let mut kept = Data::from(before.clone());
            kept.secret = sealed_paths(before);
            inputs.set(at, kept);
        }
    }
    inputs
}

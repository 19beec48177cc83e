//! Which properties and outputs of a resource are secret.

use crate::data::{Data, Path};
use crate::schema::Schema;
use std::collections::BTreeSet;

/// Adds derived values to the secret paths of a resource: those that contain a secret property, or
/// the content that one of `contents` stands for.
pub(crate) fn mark_derived<'p>(
    schema: &Schema,
    secret: &mut BTreeSet<Path>,
    contents: impl Iterator<Item = &'p Path>,
) {
    let mut made = schema.made_of(&*secret);
    made.extend(schema.made_of(contents));
    let made = made.into_iter();
    let made: Vec<Path> = made.map(|name| Path::root().join(name)).collect();
    secret.extend(made);
}

/// Adds the properties that the type calls sensitive to the secret paths.
pub(crate) fn mark_sensitive(schema: &Schema, mut data: Data) -> Data {
    let names = data
        .value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name);
    let secret: Vec<Path> = names
        .filter(|name| schema.is_sensitive(name))
        .map(|name| Path::root().join(name))
        .collect();
    data.secret.extend(secret);
    data
}

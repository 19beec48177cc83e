//! The types of the CloudFormation registry, as data: what each one's schema says, one type at a
//! time. Nothing here calls AWS.
//!
//! The schemas travel inside the program (`pack.py` writes them, `data/SOURCES.md` says where they
//! come from). Names, regions, Cloud Control support and ARN templates are known without unpacking
//! a schema.

mod declaration;
mod instance;
mod kind;
mod names;
mod pack;
mod strings;
mod tidy;
mod transform;

pub use declaration::declaration;
pub use instance::{instance, sample};
pub use kind::{Handler, HandlerDeclaration, RegistryType, Tagging};
pub use names::{nearest, search, spelled, squeezed_name};

use serde_json::Value;
use std::sync::{LazyLock, OnceLock};

/// All names, sorted: `AWS::ACMPCA::Certificate`.
pub fn names() -> &'static [&'static str] {
    &pack::index().names
}

/// The type of exactly this name, unpacked at first use, then kept.
pub fn registry_type(name: &str) -> Option<&'static RegistryType> {
    static TYPES: LazyLock<Vec<OnceLock<RegistryType>>> =
        LazyLock::new(|| names().iter().map(|_| OnceLock::new()).collect());
    let index = pack::index();
    let place = index.place(name)?;
    Some(TYPES.get(place)?.get_or_init(|| {
        let schema = index.unpack(place);
        let schema = schema.expect("the schemas are part of the program and tested");
        RegistryType::new(index.names[place], schema)
    }))
}

/// Whether the Cloud Control API takes the type, by the list in `data/cloud-control.txt`. A type
/// without handlers is never in it; a type that is missing from it may have been added later.
pub fn is_in_cloud_control(name: &str) -> bool {
    let entry = pack::index().entry(name);
    entry.is_some_and(|entry| entry.is_in_cloud_control)
}

/// The regions whose types are known, sorted.
pub fn regions() -> &'static [&'static str] {
    &pack::index().regions
}

/// Whether the region offers the type; none where the region or the type is not known.
pub fn is_offered(name: &str, region: &str) -> Option<bool> {
    let index = pack::index();
    let at = index.regions.iter().position(|known| *known == region)?;
    Some(index.entry(name)?.absent & (1 << at) == 0)
}

/// The template of the type's ARNs, where AWS publishes one:
/// `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`.
pub fn arn_template(name: &str) -> Option<&'static str> {
    pack::index().entry(name)?.arn
}

/// A schema that says nothing.
fn nothing() -> &'static Value {
    static NOTHING: Value = Value::Bool(true);
    &NOTHING
}

#[cfg(test)]
mod every;
#[cfg(test)]
mod tests;

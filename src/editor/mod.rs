//! The JSON Schema of the stack file format, for editors: completion, documentation and mistakes
//! while one types. It is written from what the loader and the types declare.
//!
//! | part | from |
//! |---|---|
//! | the file's keys | `lang::load::keys`, which the loader reads by |
//! | types and their properties | the declarations of [`Types`] |
//! | the codes under `lint` | the rules of `lint` |
//!
//! It flags nothing that stackctl accepts; what it cannot say without that, it does not say
//! (`written`).
//!
//! Of the registry only the types that are asked for have their properties in it. The others
//! complete by name. Measured with yaml-language-server 2.0.0 and Node.js 24 on two cores:
//!
//! | types with properties | file | first completion | in a second file | memory |
//! |---|---|---|---|---|
//! | 35 native ones and 15 of the registry | 0.8 MB | 0.3 s | 0.3 s | 0.1 GB |
//! | the same, a stack of 100 resources | 0.8 MB | 0.4 s | 0.5 s | 0.1 GB |
//! | all | 17.7 MB | 3.2 s | 2.6 s | 0.5 GB |
//! | all, a stack of 100 resources | 17.7 MB | 3.5 s | 3.9 s | 0.6 GB |
//!
//! A file for each type would not help: the server reads whatever a schema refers to at once.

mod frame;
mod kinds;
mod patterns;
mod written;

use crate::lint;
use crate::resource::types::Types;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The draft that editors know best.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema. The native types are in it with their properties; so are the types of the registry
/// that are named here. The other names complete, and their properties are not checked.
pub fn schema(types: &Types, detailed: &BTreeSet<&str>) -> Value {
    let mut definitions = kinds::definitions(types, detailed);
    definitions.extend(frame::definitions());
    definitions.extend(written::definitions());
    let mut file = frame::file(lint::rules());
    let resource = kinds::resource(types, detailed);
    definitions.insert("resource".to_owned(), resource);
    definitions.insert("data".to_owned(), kinds::data(types));
    file["$schema"] = DRAFT.into();
    file["title"] = "stackctl".into();
    file["definitions"] = json!(definitions);
    file
}

#[cfg(test)]
mod tests;

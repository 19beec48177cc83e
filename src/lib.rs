//! stackctl deploys AWS stacks written in YAML. ARCHITECTURE.md draws the way the data
//! takes through these modules.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests set up files and child processes"
    )
)]

pub mod cli;
pub mod content;
pub mod data;
pub mod editor;
pub mod engine;
pub mod files;
pub mod lang;
pub mod lint;
pub mod literal;
pub mod local_cloud;
pub mod nearest;
pub mod outside;
pub mod reference;
pub mod registry;
pub mod report;
pub mod resource;
pub mod saved;
pub mod schema;
pub mod secrets;
pub mod severity;
pub mod store;
pub mod visible;

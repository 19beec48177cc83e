//! Resource types and data sources: what stackctl can create, read, update and delete.
//!
//! A type is one struct that implements [`Resource`] (or [`DataSource`]) in a file of its own
//! and has one line in the [`table`].

mod absent;
pub mod archive;
pub mod author;
pub mod aws;
pub mod cloud_control;
pub mod contents;
pub mod context;
pub mod declaration;
pub mod denial;
pub mod endpoint;
pub mod error;
pub(crate) mod flight;
pub mod home;
pub mod import_id;
pub mod known;
pub mod notify;
pub mod random;
pub mod read;
pub mod relation;
pub mod rules;
pub mod setting;
pub mod spread;
pub mod table;
pub mod typed;
pub mod types;
mod waits;

pub use crate::schema::broken::{Broken, Part};
pub use crate::schema::document;
pub use context::Applied;
pub use declaration::{
    Change, DataSource, HeldBy, ImportIdFromOutput, Lane, Live, Made, New, Resource, WrittenFile,
};
pub use home::{Home, Place};
pub use known::{Known, Match};
pub use read::{Denied, Read, Seen};
pub use rules::{Caution, Refused, Rules};
pub use typed::{DataSourceType, ResourceType, outputs_of};

//! What an author of types needs, for `use crate::resource::author::*`: the traits and what
//! their methods take and give, the macro that sends, and what properties are written with.

pub use super::aws::physical_name::Naming;
pub(crate) use super::aws::send::{Waits, send};
pub use super::aws::tags::{self, Tagging, tag_diff};
pub use super::contents::Contents;
pub use super::context::{Cx, Draw, Wait, throttled, user_tags};
pub use super::declaration::{
    Change, DataSource, HeldBy, ImportIdFromOutput, Lane, Live, Made, New, Resource, WrittenFile,
};
pub use super::error::{Effect, Error};
pub use super::home::Home;
pub use super::import_id::{self, Import, Imported};
pub use super::known::{Known, Match};
pub use super::read::Read;
pub use super::relation::{After, Parent, turned_on};
pub use super::rules::{Caution, Refused, Rules};
pub use super::setting::Setting;
pub use super::spread::{Reason, Rights};
pub use super::typed::outputs_of;
pub use crate::data::{Attributes, Data, Inputs, Path};
pub use crate::schema::broken::Broken;
pub use crate::schema::document::{Document, Policy};
pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
pub use serde_json::{Map, Value, json};
pub use std::borrow::Cow;
pub use std::collections::{BTreeMap, BTreeSet, HashMap};
pub use std::time::Duration;

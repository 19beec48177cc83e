//! How plans, events, outputs and mistakes are shown: to people as text, to scripts as JSON.
//! Nothing here writes by itself but the progress reporters, to the writer they are given.

pub mod diagnostics;
pub mod drift;
#[cfg(test)]
mod fixtures;
pub mod json;
#[cfg(test)]
mod leaks;
pub mod outputs;
pub mod progress;
pub mod secrets;
pub mod terminal;
pub mod text;
pub(crate) mod view;

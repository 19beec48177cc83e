//! The stack language: from the text of a YAML file to a checked `Stack`, and from its
//! expressions to values. No I/O, no clock, no environment: what the language needs from
//! outside (the files that `file()` reads, variable values) is handed in.

pub mod check;
pub mod diagnostic;
pub mod edit;
pub mod eval;
pub mod load;
pub mod locate;
pub(crate) mod pattern;
pub mod place;
pub mod references;
pub mod source;
pub mod stack;
pub(crate) mod yaml;

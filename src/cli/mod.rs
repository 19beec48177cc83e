//! What people and scripts type, and what they get back: arguments, exit codes, streams,
//! questions.

pub mod args;
pub mod confirm;
pub mod error;
pub mod exit;
pub mod output;

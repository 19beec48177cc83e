//! The stack language: from the text of a YAML file to a checked [`Stack`], and from its
//! expressions to values. No I/O, no clock, no environment: what the language needs from
//! outside (the files that `file()` reads, variable values) is handed in.

pub mod diagnostic;
pub mod stack;

//! Lambda.

pub mod runtimes;

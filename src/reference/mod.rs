//! The reference: what a type, a function or another word of the language is, from the same
//! declarations that the checks use.

pub mod entry;
mod example;
pub mod find;
pub mod markdown;
pub mod property;
pub mod text;
pub mod word;

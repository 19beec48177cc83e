//! Archives built from local files.

pub mod arguments;
pub mod cache;
pub mod files;
pub mod folder;
pub mod get_file;
pub mod output;
pub mod patterns;
mod secret_name;
pub mod zip_file;

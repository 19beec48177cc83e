//! Archives made of local files. The data source itself is `get_file.rs`, mounted by the
//! table in `resource`.

pub mod cache;
pub mod files;
pub mod folder;
pub mod output;
pub mod patterns;
mod secret_name;
pub mod zip_file;

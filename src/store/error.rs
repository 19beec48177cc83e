//! Why a state could not be opened, locked or saved.

use std::io;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("{doing} {path} failed: {error}", path = path.display())]
    Io {
        /// What was tried: `reading`, `writing`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// What is there is no state that this version knows.
    #[error("{place} is not a state file that this version can read: {why}")]
    Unreadable {
        /// The place.
        place: String,
        /// Why.
        why: String,
    },
    /// The key to the secrets could not be made ready.
    #[error("the key to the state's secrets could not be encrypted: {0}")]
    Key(String),
    /// Another run holds the lock.
    #[error("{place} is locked by another run ({holder})")]
    Locked {
        /// The place.
        place: String,
        /// What the holder wrote about itself.
        holder: String,
    },
}

impl StoreError {
    /// For `map_err`: the file system refused.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, error }
    }
}

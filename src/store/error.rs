//! Why a state could not be opened, locked or saved.

use super::lease::Holder;
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
    /// S3 refused.
    #[error("{doing} {place} failed: {error}")]
    Cloud {
        /// What was tried: `reading`, `writing`.
        doing: &'static str,
        /// The file or S3 object.
        place: String,
        /// What S3 said.
        error: Box<Refused>,
    },
    /// The existing state differs from the saved one.
    #[error("the state {place} cannot be used: {why}")]
    Unusable {
        /// The place.
        place: String,
        /// Why, a clause about "it".
        why: String,
        /// The next step, a sentence.
        next: String,
    },
    /// The key to the secrets cannot be kept.
    #[error("the key to the state's secrets cannot be kept: {0}")]
    Key(String),
    /// Another run holds the lock.
    #[error("the state {place} is locked by another run ({holder})")]
    Locked {
        /// The place.
        place: String,
        /// What the holder wrote about itself.
        holder: Box<Holder>,
    },
    /// The lock was lost, or what is in the place is not what this run began with: another
    /// run is at work there.
    #[error("this run has lost its hold on the state {place}: {why}")]
    Lost {
        /// The place.
        place: String,
        /// Why, a clause.
        why: String,
    },
}

impl StoreError {
    /// For `map_err`: the file system refused.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, error }
    }
}

/// What S3 said of a call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// All of it, a clause.
    pub message: String,
    /// Its code; empty where no reply came.
    pub code: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
    /// Whether the credentials are at fault.
    pub of_credentials: bool,
}

//! The files that a plan was computed from: their digests go into a saved plan.

use crate::content::{Content, Disk, Finding, InspectPath, LocalFiles};
use crate::files::plain;
use crate::lang::stack::Sources;
use crate::outside::Outside;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The digest of each file by path, in hex; none where it does not exist.
pub(super) type Digests = BTreeMap<String, Option<String>>;

/// Notes the files that are read, where that is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    seen: Option<Arc<Mutex<Digests>>>,
}

impl Files {
    /// Notes each file from now on, those of the stack first.
    pub(super) fn noting(sources: &Sources) -> Self {
        let texts = sources.files.iter();
        let seen = texts.map(|(name, text)| (name.clone(), Some(digest(text.as_bytes()))));
        Self {
            seen: Some(Arc::new(Mutex::new(seen.collect()))),
        }
    }

    /// The files of a stack, whose paths start from its folder; each one is noted.
    pub(super) fn reader(&self, dir: &Path) -> Noting {
        Noting {
            disk: Disk::new(dir),
            dir: dir.to_owned(),
            files: self.clone(),
        }
    }

    /// What is read many times is hashed once.
    fn note(&self, path: &Path, digest: impl FnOnce() -> Option<String>) {
        let Some(seen) = self.seen.as_ref().filter(|_| !Self::is_archive(path)) else {
            return;
        };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let name = path.display().to_string();
        seen.entry(name).or_insert_with(digest);
    }

    /// Whether it is one of stackctl's own archives. Its hashes are in the plan as the outputs of
    /// the data source that created it, sealed where it holds a secret.
    fn is_archive(path: &Path) -> bool {
        let path = plain(path);
        path.parent()
            .is_some_and(|folder| folder.ends_with(".stackctl/archive"))
    }

    /// The digests so far.
    pub(super) fn digests(&self) -> Digests {
        let seen = self.seen.as_ref().map(|seen| {
            let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.clone()
        });
        seen.unwrap_or_default()
    }
}

/// The files of a stack, noted as they are read.
#[derive(Debug)]
pub(super) struct Noting {
    disk: Disk,
    dir: PathBuf,
    files: Files,
}

impl LocalFiles for Noting {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.disk.read(path);
        let digest = || found.as_deref().ok().map(digest);
        self.files.note(&self.dir.join(path), digest);
        found
    }

    fn content(&self, path: &str) -> Result<Content, String> {
        let found = self.disk.content(path);
        let digest = || found.as_ref().ok().map(|content| content.sha256.clone());
        self.files.note(&self.dir.join(path), digest);
        found
    }

    fn stand_in(&self, path: &str, content: &Path) {
        self.disk.stand_in(path, content);
    }

    fn leading_out(&self) -> Vec<Outside> {
        self.disk.leading_out()
    }

    fn inspect(&self, kind: &str, args: &Value, inspect: &InspectPath<'_>) -> Vec<Finding> {
        self.disk.inspect(kind, args, inspect)
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

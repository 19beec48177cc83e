//! Which files a plan was made from: their digests go into a saved plan.

use super::session;
use crate::lang::stack::Sources;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The digest of each file by path, in hex; none where it is not there.
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

    /// Reads files for `file()`, relative to the stack file's folder.
    pub(super) fn reader(
        &self,
        dir: &Path,
    ) -> impl Fn(&str) -> Result<Vec<u8>, String> + Sync + use<> {
        let read = session::reader(dir);
        let (dir, files) = (dir.to_owned(), self.clone());
        move |path| {
            let found = read(path);
            files.note(&dir.join(path), found.as_deref().ok());
            found
        }
    }

    /// Notes a file that only the apply will read.
    pub(super) fn note_later(&self, path: &Path) {
        self.note(path, std::fs::read(path).ok().as_deref());
    }

    /// What is read many times is hashed once.
    fn note(&self, path: &Path, bytes: Option<&[u8]>) {
        let Some(seen) = &self.seen else { return };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let name = path.display().to_string();
        seen.entry(name).or_insert_with(|| bytes.map(digest));
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

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

//! The saved versions of a state, as files in a folder apart from the state's own, so that
//! neither is lost with the other.

use super::files;
use crate::store::error::StoreError;
use crate::store::history::{self, Budget, VersionName};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// The folder with the versions.
#[derive(Debug)]
pub(super) struct History {
    dir: PathBuf,
    /// How many are kept.
    pub(super) kept: usize,
    budget: Budget,
}

impl History {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            kept: history::KEPT,
            budget: Budget::default(),
        }
    }

    /// Makes the folder; a run that cannot do so must not begin.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        files::own_dir(&self.dir)
    }

    /// The versions there are.
    pub(super) fn names(&self) -> Result<BTreeSet<VersionName>, StoreError> {
        let reading = |error| StoreError::io("reading", &self.dir)(error);
        let entries = match std::fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(reading(error)),
        };
        let mut names = BTreeSet::new();
        for entry in entries {
            let name = entry.map_err(reading)?.file_name();
            names.extend(VersionName::parse(&name.to_string_lossy()));
        }
        Ok(names)
    }

    /// The content of a version, and when it was saved.
    pub(super) fn read(&self, name: &VersionName) -> Result<(Vec<u8>, u64), StoreError> {
        let packed = self.packed(name)?;
        let unpacked = self.budget.unpack(&packed);
        unpacked.map_err(StoreError::io("reading", &self.path(name)))
    }

    /// A version as it is kept.
    pub(super) fn packed(&self, name: &VersionName) -> Result<Vec<u8>, StoreError> {
        let path = self.path(name);
        let missing = || io::ErrorKind::NotFound.into();
        let found = files::read_own(&path)?;
        found.ok_or_else(|| StoreError::io("reading", &path)(missing()))
    }

    /// Keeps a version, durably.
    pub(super) fn put(&self, name: &VersionName, packed: &[u8]) -> Result<(), StoreError> {
        let path = self.path(name);
        files::write(&path, packed, || Ok(())).map_err(StoreError::io("writing", &path))
    }

    /// Keeps a version, durably; those that have had their time go.
    pub(super) fn add(&self, name: VersionName, text: &[u8]) -> Result<(), StoreError> {
        self.prepare()?;
        let mut names = self.names()?;
        if names.insert(name.clone()) {
            let packed = history::pack(text, crate::store::lease::now());
            let packed = packed.map_err(StoreError::io("writing", &self.path(&name)))?;
            self.put(&name, &packed)?;
        }
        for old in history::outdated(&names, self.kept) {
            // One that stays only takes room; the next save tries again.
            let _ = std::fs::remove_file(self.path(old));
        }
        Ok(())
    }

    fn path(&self, name: &VersionName) -> PathBuf {
        self.dir.join(name.file_name())
    }
}

/// The folder of a state's versions under `work_dir` (`.stackctl`): by name for the file in
/// the usual place, and for any other one by name and a hash of where it is.
pub(super) fn folder(work_dir: &Path, state: &Path, usual: bool) -> PathBuf {
    use sha2::{Digest, Sha256};
    let stem = state.file_stem().unwrap_or_default().to_string_lossy();
    let mut name = stem.into_owned();
    if !usual {
        let full = std::path::absolute(state).unwrap_or_else(|_| state.to_owned());
        let hash = Sha256::digest(full.to_string_lossy().as_bytes());
        name.push('@');
        name.push_str(&hex::encode(&hash[..4]));
    }
    work_dir.join("history").join(name)
}

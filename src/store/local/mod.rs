//! A state kept in files: `name.json`, `name.journal` and `name.json.lock` beside each other, and
//! the saved versions in a folder apart.
//!
//! Versions before this one locked `name.lock`. Where that is a lock, it is taken along, so that a
//! run of such a version keeps this one out, and the other way round; where it is something else
//! (`Cargo.lock` beside `Cargo.json`), or does not exist, it is left alone.

mod files;
mod history;
mod journal;
mod lock;
#[cfg(test)]
mod tests;

pub(super) use files::write as write_file;
pub(super) use journal::FileJournal;

use super::error::StoreError;
use super::format;
use super::history::UNUSABLE;
use super::history::{Version, VersionName};
use super::journal as entries;
use super::lease::Locked;
use super::lease::{Holder, Patience};
use super::moment::{Moment, Watch};
use super::opened::Pieces;
use super::opened::{Inspected, Opened};
use super::state::State;
use crate::files::{self as disk, Unreadable};
use history::History;
use lock::{Content, FileLock};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where one stack's state is kept.
#[derive(Debug)]
pub(super) struct LocalStore {
    path: PathBuf,
    /// The file is in the place that its stack's name gives it.
    usual: bool,
    history: History,
    /// The file as it was opened or saved; none: there was none.
    seen: Mutex<Option<Vec<u8>>>,
    lock: Mutex<Option<Arc<FileLock>>>,
    /// The lock under the name that older versions look at.
    older: Mutex<Option<FileLock>>,
}

impl LocalStore {
    /// The store whose state file is `path` (`….json`). Versions are kept under `work_dir`;
    /// `usual`: by the file's name alone.
    pub(super) fn new(path: PathBuf, work_dir: &Path, usual: bool) -> Self {
        Self {
            history: History::new(history::folder(work_dir, &path, usual)),
            path,
            usual,
            seen: Mutex::default(),
            lock: Mutex::default(),
            older: Mutex::default(),
        }
    }

    /// See [`super::Store::keep`].
    pub(super) fn keep_versions(&mut self, kept: usize) {
        self.history.kept = kept;
    }

    /// What people call the place.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.path.with_extension(ending)
    }

    /// The lock: `web.json.lock`.
    fn lock_path(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        self.path.with_file_name(name)
    }

    /// The lock of an older version, where there is one.
    fn older_lock(&self) -> Option<PathBuf> {
        let path = self.beside("lock");
        (path != self.lock_path() && lock::is_lock(&path)).then_some(path)
    }

    /// See [`super::Store::open`].
    pub(super) fn open(&self, stack: &str, env: Option<&str>) -> Result<Opened, StoreError> {
        self.pieces()?.open(stack, env)
    }

    /// See [`super::Store::inspect`].
    pub(super) fn inspect(&self) -> Result<Inspected, StoreError> {
        Ok(self.pieces()?.inspect())
    }

    fn pieces(&self) -> Result<Pieces, StoreError> {
        // In this order: a save writes the state first, then its version, and removes the
        // journal in the end.
        let names = self.history.names()?;
        let text = files::read(&self.path)?;
        let journal = files::read_own(&self.beside("journal"))?;
        let newest = match (&text, names.last()) {
            (None, Some(newest)) => self.history.read(newest).ok().map(|(text, _)| text),
            _ => None,
        };
        // Only a run that may save compares with it later, and it has the lock by now.
        if self.held().is_some() {
            self.remember(text.clone());
        }
        Ok(Pieces {
            place: self.name(),
            journal_place: self.beside("journal").display().to_string(),
            text,
            journal: journal.map(|text| entries::read(&String::from_utf8_lossy(&text))),
            names,
            newest,
        })
    }

    /// See [`super::Store::check_lock`].
    pub(super) async fn check_lock(
        &self,
        watches: bool,
        notify: &mut (dyn FnMut(&Holder) + Send),
    ) -> Result<Locked, StoreError> {
        let name = self.name();
        match (
            lock::check(&self.lock_path(), &name, watches, notify).await?,
            self.older_lock(),
        ) {
            (Locked::Free, Some(older)) => lock::check(&older, &name, watches, notify).await,
            (found, _) => Ok(found),
        }
    }

    /// See [`super::Store::unlock`].
    pub(super) fn unlock(&self, holder: &Holder) -> Result<(), StoreError> {
        let place = self.name();
        for path in [Some(self.lock_path()), self.older_lock()]
            .into_iter()
            .flatten()
        {
            match lock::read(&path, &place)? {
                Content::Free => {}
                Content::Held(by) if by.id == holder.id => {
                    return std::fs::remove_file(&path).map_err(StoreError::io("removing", &path));
                }
                Content::Held(by) => return Err(StoreError::Locked { place, holder: by }),
            }
        }
        Ok(())
    }

    fn remember(&self, text: Option<Vec<u8>>) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn held(&self) -> Option<Arc<FileLock>> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        lock.clone()
    }

    /// See [`super::Store::lock`].
    pub(super) async fn lock(
        &self,
        holder: &Holder,
        patience: Patience<'_>,
    ) -> Result<(), StoreError> {
        // Nothing is created beside what cannot be a state.
        match disk::open(&self.path) {
            Ok(_) | Err(Unreadable::Missing) => {}
            Err(why) => return Err(StoreError::io("reading", &self.path)(why.into())),
        }
        files::state_dir(files::folder(&self.path), self.usual)?;
        self.history.prepare()?;
        let name = self.name();
        let older = match self.older_lock() {
            None => None,
            Some(path) => {
                let patience = Patience {
                    timeout: patience.timeout,
                    notify: &mut *patience.notify,
                };
                Some(FileLock::acquire(&path, &name, holder, patience).await?)
            }
        };
        let lock = FileLock::acquire(&self.lock_path(), &name, holder, patience).await?;
        *self.older.lock().unwrap_or_else(PoisonError::into_inner) = older;
        files::sweep(&self.path);
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(lock));
        Ok(())
    }

    /// See [`super::Store::release`].
    pub(super) fn release(&self) {
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.older.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// See [`super::Store::start`].
    pub(super) fn start(&self, state: &State) -> Result<FileJournal, StoreError> {
        FileJournal::start(
            &self.beside("journal"),
            &state.lineage,
            state.serial,
            self.held(),
        )
    }

    /// See [`super::Store::has_journal`].
    pub(super) fn has_journal(&self) -> bool {
        self.beside("journal").exists()
    }

    /// See [`super::Store::save`].
    pub(super) fn save(&self, state: &mut State, watch: &Watch) -> Result<(), StoreError> {
        // Every command that saves has the lock; only tests plant its absence.
        let before = match self.held() {
            Some(lock) => {
                lock.check()?;
                self.unchanged()?
            }
            None => files::read(&self.path)?,
        };
        state.serial += 1;
        let result = self.write(state, before, watch);
        if result.is_err() {
            state.serial -= 1;
        }
        result
    }

    fn write(
        &self,
        state: &State,
        before: Option<Vec<u8>>,
        watch: &Watch,
    ) -> Result<(), StoreError> {
        let written = format::write(state)
            .map_err(|error| StoreError::io("writing", &self.path)(error.into()))?;
        self.replace(&written.text, before, watch)?;
        let name = VersionName::of(state, &written.checksum);
        self.history.add(name, &written.text)?;
        let journal = self.beside("journal");
        watch
            .at(Moment::Renamed)
            .map_err(StoreError::io("removing", &journal))?;
        match std::fs::remove_file(&journal) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("removing", &journal)(error))
            }
            _ => Ok(()),
        }
    }

    /// Replaces the content of the state file; the old content is kept among the versions first, or
    /// beside it where it is not a state.
    fn replace(
        &self,
        text: &[u8],
        before: Option<Vec<u8>>,
        watch: &Watch,
    ) -> Result<(), StoreError> {
        // The version before may lack in the history, when a run died in between.
        let before = before.filter(|text| !text.is_empty());
        if let Some(before) = before {
            match format::read(&before) {
                Ok(found) => {
                    let name = VersionName::of(&found.state, &found.checksum);
                    self.history.add(name, &before)?;
                }
                // A link that leads to somebody's file: it is not ours to replace.
                Err(_) if self.path.is_symlink() => {
                    return Err(StoreError::Unusable {
                        place: self.name(),
                        why: "it is a link to a file that is no state".to_owned(),
                        next: "Remove the link, then run the command again.".to_owned(),
                    });
                }
                Err(_) => {
                    let path = self.beside(&format!("json.{UNUSABLE}"));
                    files::write(&path, &before, || Ok(()))
                        .map_err(StoreError::io("writing", &path))?;
                }
            }
        }
        let staged = || watch.at(Moment::Staged);
        files::write(&files::target(&self.path), text, staged)
            .map_err(StoreError::io("writing", &self.path))?;
        self.remember(Some(text.to_vec()));
        Ok(())
    }

    /// See [`super::Store::retire`].
    pub(super) fn retire(&self, text: &[u8], watch: &Watch) -> Result<(), StoreError> {
        let Some(lock) = self.held() else {
            return Err(self.lost("it was never locked"));
        };
        lock.check()?;
        let before = self.unchanged()?;
        self.replace(text, before, watch)
    }

    /// A version as it is kept.
    pub(super) fn packed(&self, name: &VersionName) -> Result<Vec<u8>, StoreError> {
        self.history.packed(name)
    }

    /// Keeps a version that comes from elsewhere.
    pub(super) fn keep_packed(&self, name: &VersionName, packed: &[u8]) -> Result<(), StoreError> {
        self.history.put(name, packed)
    }

    /// The content of the state file, which must be the one that was opened: a lock that others do
    /// not honour must not make one run overwrite what another saved.
    fn unchanged(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let text = files::read(&self.path)?;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match (seen.as_ref(), &text) {
            (seen, now) if seen == now.as_ref() => Ok(text),
            (Some(_), None) => Err(self.lost("it was taken away meanwhile")),
            _ => Err(self.lost("another run has saved it meanwhile")),
        }
    }

    fn lost(&self, why: &str) -> StoreError {
        StoreError::Lost {
            place: self.name(),
            why: why.to_owned(),
        }
    }

    /// See [`super::Store::versions`].
    pub(super) fn versions(&self) -> Result<Vec<VersionName>, StoreError> {
        Ok(self.history.names()?.into_iter().collect())
    }

    /// See [`super::Store::version`].
    pub(super) fn version(&self, name: &VersionName) -> Result<Version, StoreError> {
        let (text, saved) = self.history.read(name)?;
        let found = format::read(&text).map_err(|fault| StoreError::Unusable {
            place: format!("{} (serial {})", self.name(), name.serial),
            why: fault.to_string(),
            next: "Take another version.".to_owned(),
        })?;
        Ok(Version {
            serial: name.serial,
            saved,
            state: found.state,
        })
    }
}

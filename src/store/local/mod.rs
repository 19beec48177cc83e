//! A state kept in files: `name.json`, `name.journal`, `name.lock`.

mod journal;

pub(super) use journal::FileJournal;

use super::journal as entries;
use super::state::{State, VERSION};
use super::{Moment, Opened, StoreError, Watch};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where one stack's state is kept.
#[derive(Debug, Clone)]
pub struct LocalStore {
    path: PathBuf,
}

/// The lock; released when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl LocalStore {
    /// The store whose state file is `path` (`….json`).
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The state file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn journal_path(&self) -> PathBuf {
        self.path.with_extension("journal")
    }

    /// Reads the state and folds in what an interrupted run left. Writes nothing.
    ///
    /// # Errors
    /// When a file cannot be read, is no state, or belongs to another stack.
    pub fn open(&self, stack: &str, env: Option<&str>) -> Result<Opened, StoreError> {
        let read = |path: &Path| match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("reading", path)(error)),
        };
        let unreadable = |path: &Path, why: String| StoreError::Unreadable {
            place: path.display().to_string(),
            why,
        };
        let text = read(&self.path)?;
        let existed = text.is_some();
        let journal_path = self.journal_path();
        let journal = read(&journal_path)?;
        let left = match &journal {
            Some(text) => entries::read(text).map_err(|why| unreadable(&journal_path, why))?,
            None => entries::Leftover::default(),
        };
        let mut state = match &text {
            Some(text) => parse(text).map_err(|why| unreadable(&self.path, why))?,
            None => {
                let lineage = left.from.as_ref().map(|(lineage, _)| lineage.clone());
                State::empty(stack, env, lineage.unwrap_or_else(new_lineage))
            }
        };
        if state.stack != stack || state.env.as_deref() != env {
            let why = format!("it belongs to the stack \"{}\"", state.stack);
            return Err(unreadable(&self.path, why));
        }
        let mut open = std::mem::take(&mut state.pending);
        if let Some((lineage, serial)) = &left.from {
            if *lineage != state.lineage {
                let why = "it belongs to another lineage of this state".to_owned();
                return Err(unreadable(&journal_path, why));
            }
            // A journal older than the state was saved already; only its removal was missed.
            if *serial == state.serial {
                for change in left.changes {
                    state.change(change);
                }
                open.extend(left.open);
            }
        }
        Ok(Opened {
            state,
            open,
            interrupted: journal.is_some(),
            existed,
        })
    }

    /// Takes the lock, for a run that writes.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it.
    pub fn lock(&self, holder: &str) -> Result<Lock, StoreError> {
        if let Some(dir) = self.path.parent() {
            std::fs::create_dir_all(dir).map_err(StoreError::io("making the folder", dir))?;
        }
        let path = self.path.with_extension("lock");
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false);
        journal::private(&mut options);
        let mut file = options
            .open(&path)
            .map_err(StoreError::io("opening", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = std::fs::read_to_string(&path).unwrap_or_default();
                return Err(StoreError::Locked {
                    place: self.path.display().to_string(),
                    holder,
                });
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io("locking", &path)(error)),
        }
        file.set_len(0)
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(StoreError::io("writing", &path))?;
        Ok(Lock { _file: file })
    }

    /// Starts the journal of a run.
    ///
    /// # Errors
    /// When it cannot be made durable; nothing must be called then.
    pub(super) fn start(&self, state: &State) -> Result<FileJournal, StoreError> {
        FileJournal::start(&self.journal_path(), &state.lineage, state.serial)
    }

    /// Saves the state with the next serial: written beside, synced, renamed, and the
    /// folder synced; then an old journal is removed.
    ///
    /// # Errors
    /// When the disk is full or gone; the old file is untouched then.
    pub(super) fn save(&self, state: &mut State, watch: &Watch) -> Result<(), StoreError> {
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = dir.unwrap_or_else(|| Path::new("."));
        let io = |error| StoreError::io("writing", &self.path)(error);
        std::fs::create_dir_all(dir).map_err(io)?;
        state.serial += 1;
        let result = (|| {
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            serde_json::to_writer_pretty(io::BufWriter::new(&mut file), state)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            watch.at(Moment::Staged)?;
            file.persist(&self.path).map_err(|error| error.error)?;
            journal::sync_dir(&self.path)
        })();
        if let Err(error) = result {
            state.serial -= 1;
            return Err(StoreError::io("writing", &self.path)(error));
        }
        watch
            .at(Moment::Renamed)
            .map_err(StoreError::io("removing", &self.journal_path()))?;
        match std::fs::remove_file(self.journal_path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("removing", &self.journal_path())(error))
            }
            _ => Ok(()),
        }
    }
}

fn parse(text: &str) -> Result<State, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let found: Version = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if found.version > VERSION {
        return Err(format!(
            "it has format {}, and this version reads up to {VERSION}; use a newer stackctl",
            found.version
        ));
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn new_lineage() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

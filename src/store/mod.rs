//! Where the state of a stack is kept: one interface over files and S3. Beside the state are a
//! journal of the run in progress, a lock, and the versions saved before.

mod error;
mod format;
mod history;
mod intent;
pub mod journal;
pub mod key;
pub mod lease;
mod local;
mod moment;
mod moved;
mod opened;
pub mod rekey;
mod resource_state;
pub mod s3;
pub mod seal;
mod sealed;
pub mod state;
pub mod transfer;

pub use error::StoreError;
pub use history::{KEPT, Version, VersionName};
pub use lease::{Locked, now};
pub use moment::{Moment, Watch};
pub use opened::{Inspected, Opened};

use journal::Entry;
use lease::{Holder, Patience};
use local::LocalStore;
use s3::S3Store;
use state::State;
use std::path::{Path, PathBuf};

/// Where one stack's state is kept.
#[derive(Debug)]
pub struct Store {
    place: Place,
    watch: Watch,
}

#[derive(Debug)]
enum Place {
    Local(LocalStore),
    S3(S3Store),
}

/// Reads the text of a state that a person edited; its checksum is not looked at.
///
/// # Errors
/// A clause about "it", when it is not a state.
pub fn read_edited(text: &[u8]) -> Result<State, String> {
    format::read_edited(text).map_err(|fault| fault.to_string())
}

/// The journal of the run in progress.
#[derive(Debug)]
pub struct Journal {
    place: JournalPlace,
    watch: Watch,
    name: String,
}

#[derive(Debug)]
enum JournalPlace {
    Local(local::FileJournal),
    S3(s3::S3Journal),
}

impl Store {
    /// A state in files: `path` is the state file (`….json`); journal and lock are beside it,
    /// the versions under `work_dir` (`.stackctl`). `usual`: the file is in the place that its
    /// stack's name gives it.
    pub fn local(path: PathBuf, work_dir: &Path, usual: bool) -> Self {
        Self {
            place: Place::Local(LocalStore::new(path, work_dir, usual)),
            watch: Watch::default(),
        }
    }

    /// Keeps so many versions, in place of [`KEPT`].
    pub fn keep(&mut self, versions: usize) {
        match &mut self.place {
            Place::Local(local) => local.keep_versions(versions),
            Place::S3(s3) => s3.keep_versions(versions),
        }
    }

    /// Reports the crash points between writes to a watcher.
    pub fn watch(&mut self, watch: Watch) {
        self.watch = watch;
    }

    fn at(&self, moment: Moment) -> Result<(), StoreError> {
        self.watch
            .at(moment)
            .map_err(StoreError::io("writing", Path::new(&self.name())))
    }

    /// A state in S3.
    pub fn s3(s3: S3Store) -> Self {
        Self {
            place: Place::S3(s3),
            watch: Watch::default(),
        }
    }

    /// What people call the place: the path, or `s3://bucket/key`.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Local(local) => local.name(),
            Place::S3(s3) => s3.name(),
        }
    }

    /// The place in S3, if the state is kept there.
    pub fn as_s3(&self) -> Option<&S3Store> {
        match &self.place {
            Place::Local(_) => None,
            Place::S3(s3) => Some(s3),
        }
    }

    /// Reads the state and folds in what an interrupted run left. Writes nothing.
    ///
    /// # Errors
    /// When something cannot be read, or is not what was saved here.
    pub async fn open(&self, stack: &str, env: Option<&str>) -> Result<Opened, StoreError> {
        match &self.place {
            Place::Local(local) => local.open(stack, env),
            Place::S3(s3) => s3.open(stack, env).await,
        }
    }

    /// The existing files, without a check, for those who repair the state. A save may follow.
    ///
    /// # Errors
    /// When something cannot be read at all.
    pub async fn inspect(&self) -> Result<Inspected, StoreError> {
        match &self.place {
            Place::Local(local) => local.inspect(),
            Place::S3(s3) => s3.inspect().await,
        }
    }

    /// Whether the state is locked. Where that must be watched for a while, `notify` is called;
    /// unless it `watches`, who is not proven dead counts as alive.
    ///
    /// # Errors
    /// When the lock cannot be read.
    pub async fn check_lock(
        &self,
        watches: bool,
        notify: &mut (dyn FnMut(&Holder) + Send),
    ) -> Result<Locked, StoreError> {
        match &self.place {
            Place::Local(local) => local.check_lock(watches, notify).await,
            Place::S3(s3) => s3.check_lock(watches, notify).await,
        }
    }

    /// Takes the lock away from this holder.
    ///
    /// # Errors
    /// When that is not possible, or another one holds it by now.
    pub async fn unlock(&self, holder: &Holder) -> Result<(), StoreError> {
        match &self.place {
            Place::Local(local) => local.unlock(holder),
            Place::S3(s3) => s3.unlock(holder).await,
        }
    }

    /// Takes the lock, for a run that writes; it is given back by [`Store::release`], when the
    /// store is dropped, and when the process dies.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another run has it for longer than the patience lasts.
    pub async fn lock(&self, holder: &Holder, patience: Patience<'_>) -> Result<(), StoreError> {
        match &self.place {
            Place::Local(local) => local.lock(holder, patience).await,
            Place::S3(s3) => s3.lock(holder, patience).await,
        }
    }

    /// Gives the lock back.
    pub async fn release(&self) {
        match &self.place {
            Place::Local(local) => local.release(),
            Place::S3(s3) => s3.release().await,
        }
    }

    /// Starts the journal of a run, durably.
    ///
    /// # Errors
    /// When it cannot be made durable; nothing must be called then.
    pub async fn start(&self, state: &State) -> Result<Journal, StoreError> {
        self.has_next(state)?;
        self.at(Moment::Starting)?;
        let place = match &self.place {
            Place::Local(local) => JournalPlace::Local(local.start(state)?),
            Place::S3(s3) => JournalPlace::S3(s3.start(state).await?),
        };
        self.at(Moment::Started)?;
        Ok(Journal {
            place,
            watch: self.watch.clone(),
            name: self.name(),
        })
    }

    /// Refuses to save after the last serial there is.
    fn has_next(&self, state: &State) -> Result<(), StoreError> {
        match state.serial < state::MOST_SERIAL {
            true => Ok(()),
            false => Err(StoreError::Unusable {
                place: self.name(),
                why: format!("its serial {} is the last one there is", state.serial),
                next: "`stackctl state history` lists the versions that can be restored."
                    .to_owned(),
            }),
        }
    }

    /// Whether a journal is where the next run looks for it.
    pub fn has_journal(&self) -> bool {
        match &self.place {
            Place::Local(local) => local.has_journal(),
            Place::S3(s3) => s3.has_journal(),
        }
    }

    /// Saves the state with the next serial, keeps it among the versions, then takes an old
    /// journal away.
    ///
    /// # Errors
    /// When the place is full or missing, or holds by now what another run saved; the existing
    /// state is untouched then.
    pub async fn save(&self, state: &mut State) -> Result<(), StoreError> {
        self.has_next(state)?;
        self.at(Moment::Saving)?;
        match &self.place {
            Place::Local(local) => local.save(state, &self.watch)?,
            Place::S3(s3) => s3.save(state, &self.watch).await?,
        }
        self.at(Moment::Saved)
    }

    /// The versions that were saved here, the oldest first.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn versions(&self) -> Result<Vec<VersionName>, StoreError> {
        match &self.place {
            Place::Local(local) => local.versions(),
            Place::S3(s3) => s3.versions().await,
        }
    }

    /// One version.
    ///
    /// # Errors
    /// When it cannot be read, or was changed.
    pub async fn version(&self, name: &VersionName) -> Result<Version, StoreError> {
        match &self.place {
            Place::Local(local) => local.version(name),
            Place::S3(s3) => s3.version(name).await,
        }
    }
}

impl Journal {
    /// Adds an entry to what the next [`Journal::sync`] makes durable.
    ///
    /// # Errors
    /// When the entry cannot be put as JSON.
    pub fn add(&mut self, entry: &Entry) -> Result<(), StoreError> {
        match &mut self.place {
            JournalPlace::Local(file) => file.add(entry),
            JournalPlace::S3(s3) => s3.add(entry),
        }
    }

    /// Makes all that was added durable, at once: no step may call before its intent is.
    ///
    /// # Errors
    /// When the place is full or missing, or the lock was lost. Nothing must be started then.
    pub async fn sync(&mut self) -> Result<(), StoreError> {
        let io = StoreError::io("writing", Path::new(&self.name));
        self.watch.at(Moment::Writing).map_err(io)?;
        match &mut self.place {
            JournalPlace::Local(file) => file.sync(&self.watch).await?,
            JournalPlace::S3(s3) => s3.sync().await?,
        }
        let io = StoreError::io("writing", Path::new(&self.name));
        self.watch.at(Moment::Synced).map_err(io)
    }
}

/// The content of a state file.
///
/// # Errors
/// Never for a state that was read or created by this program.
pub fn to_text(state: &State) -> Result<Vec<u8>, serde_json::Error> {
    Ok(format::write(state)?.text)
}

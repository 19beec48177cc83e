//! Where the state of a stack is kept: one interface over files and S3. Beside the state
//! there is a journal of the run under way, and a lock.

mod error;
pub mod journal;
pub mod local;
pub mod state;

pub use error::StoreError;

use journal::{Entry, Intent};
use local::LocalStore;
use state::State;
use std::path::PathBuf;

/// Where one stack's state is kept.
#[derive(Debug)]
pub struct Store {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Local(LocalStore),
}

/// A state as opened: with the journal of an interrupted run folded in.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The state.
    pub state: State,
    /// Steps of an interrupted run whose end is unknown.
    pub open: Vec<Intent>,
    /// Whether an interrupted run was found.
    pub interrupted: bool,
    /// Whether the state existed.
    pub existed: bool,
}

/// The lock of a run that writes; given back when dropped, and when the process dies.
#[derive(Debug)]
pub struct Lock {
    _held: local::Lock,
}

/// The journal of the run under way.
#[derive(Debug)]
pub struct Journal {
    place: JournalPlace,
}

#[derive(Debug)]
enum JournalPlace {
    Local(local::FileJournal),
}

impl Store {
    /// A state in files: `path` is the state file (`….json`), journal and lock are beside it.
    pub fn local(path: PathBuf) -> Self {
        Self {
            place: Place::Local(LocalStore::new(path)),
        }
    }

    /// What people call the place: the path.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Local(local) => local.path().display().to_string(),
        }
    }

    /// Reads the state and folds in what an interrupted run left. Writes nothing.
    ///
    /// # Errors
    /// When something cannot be read, is no state, or belongs to another stack.
    pub async fn open(&self, stack: &str, env: Option<&str>) -> Result<Opened, StoreError> {
        match &self.place {
            Place::Local(local) => local.open(stack, env),
        }
    }

    /// Takes the lock, for a run that writes. `holder` is what others are told.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another run has it.
    pub async fn lock(&self, holder: &str) -> Result<Lock, StoreError> {
        match &self.place {
            Place::Local(local) => Ok(Lock {
                _held: local.lock(holder)?,
            }),
        }
    }

    /// Starts the journal of a run, durably.
    ///
    /// # Errors
    /// When it cannot be made durable; nothing must be called then.
    pub async fn start(&self, state: &State) -> Result<Journal, StoreError> {
        match &self.place {
            Place::Local(local) => Ok(Journal {
                place: JournalPlace::Local(local.start(state)?),
            }),
        }
    }

    /// Saves the state with the next serial, then takes an old journal away.
    ///
    /// # Errors
    /// When the place is full or gone; what was saved before is untouched then.
    pub async fn save(&self, state: &mut State) -> Result<(), StoreError> {
        match &self.place {
            Place::Local(local) => local.save(state),
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
        }
    }

    /// Makes all that was added durable, at once: no step may call before its intent is.
    ///
    /// # Errors
    /// When the place is full or gone. Nothing must be begun then.
    pub async fn sync(&mut self) -> Result<(), StoreError> {
        match &mut self.place {
            JournalPlace::Local(file) => file.sync().await,
        }
    }
}

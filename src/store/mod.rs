//! Where the state of a stack is kept: one interface over files and S3. Beside the state
//! there is a journal of the run under way, and a lock.

mod error;
pub mod journal;
pub mod key;
pub mod local;
mod moment;
pub mod rekey;
pub mod seal;
pub mod state;

pub use error::StoreError;
pub use moment::{Moment, Watch};

use journal::{Entry, Intent};
use local::LocalStore;
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
    watch: Watch,
    name: String,
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
            watch: Watch::default(),
        }
    }

    /// Has the moments between writes told to a watcher.
    pub fn watch(&mut self, watch: Watch) {
        self.watch = watch;
    }

    fn at(&self, moment: Moment) -> Result<(), StoreError> {
        self.watch
            .at(moment)
            .map_err(StoreError::io("writing", Path::new(&self.name())))
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
        self.at(Moment::Starting)?;
        let place = match &self.place {
            Place::Local(local) => JournalPlace::Local(local.start(state)?),
        };
        self.at(Moment::Started)?;
        Ok(Journal {
            place,
            watch: self.watch.clone(),
            name: self.name(),
        })
    }

    /// Saves the state with the next serial, then takes an old journal away.
    ///
    /// # Errors
    /// When the place is full or gone; what was saved before is untouched then.
    pub async fn save(&self, state: &mut State) -> Result<(), StoreError> {
        self.at(Moment::Saving)?;
        match &self.place {
            Place::Local(local) => local.save(state, &self.watch)?,
        }
        self.at(Moment::Saved)
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
        let io = StoreError::io("writing", Path::new(&self.name));
        self.watch.at(Moment::Writing).map_err(io)?;
        match &mut self.place {
            JournalPlace::Local(file) => file.sync(&self.watch).await?,
        }
        let io = StoreError::io("writing", Path::new(&self.name));
        self.watch.at(Moment::Synced).map_err(io)
    }
}

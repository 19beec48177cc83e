//! The moments between two writes of a store. Tests watch them, to end the process there or
//! to let the disk fail; nobody else does.
//!
//! The local cloud's faults (`store:synced`) use them too: kills between two writes are tried
//! without a branch in the store.

use std::fmt;
use std::io;
use std::sync::Arc;

/// A moment at which what is kept differs from what is kept at the moments beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A run is about to make its journal.
    Starting,
    /// The journal exists, with its first line.
    Started,
    /// Entries are about to be written.
    Writing,
    /// Entries are written and not durable yet.
    Written,
    /// Entries are durable: their calls may start.
    Synced,
    /// The state is about to be saved.
    Saving,
    /// The new state is written beside the old one.
    Staged,
    /// The new state is in its place; the journal is still there.
    Renamed,
    /// The journal is deleted, too.
    Saved,
}

impl Moment {
    /// All of them, in the order in which a run passes them.
    pub const ALL: [Self; 9] = [
        Self::Starting,
        Self::Started,
        Self::Writing,
        Self::Written,
        Self::Synced,
        Self::Saving,
        Self::Staged,
        Self::Renamed,
        Self::Saved,
    ];

    /// Its name, as a fault of the local cloud gives it: `store:synced`.
    pub fn name(self) -> String {
        format!("store:{self:?}").to_ascii_lowercase()
    }
}

/// The watcher of the crash points; none by default.
#[derive(Clone, Default)]
pub struct Watch(Option<Watcher>);

type Watcher = Arc<dyn Fn(Moment) -> io::Result<()> + Send + Sync>;

impl Watch {
    /// Calls `watcher`. Its error is the store's: what comes next is not written.
    pub fn new(watcher: impl Fn(Moment) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watcher)))
    }

    pub(super) fn at(&self, moment: Moment) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |watcher| watcher(moment))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "watched"
        } else {
            "unwatched"
        })
    }
}

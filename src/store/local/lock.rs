//! The lock as a file. The system's own file lock distinguishes the dead from the living on one
//! machine; the content of the file does so between machines that share a folder.
//!
//! Only an empty file or a holder's record is a lock, and it has a name of its own
//! (`web.json.lock`). An older `web.lock` is taken along where it is a lock, and never created.

use super::files;
use crate::files::{self as disk, Unreadable};
use crate::store::error::StoreError;
use crate::store::lease::Locked;
use crate::store::lease::{Holder, Patience, Vigil};
use std::fs::{File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The file has one size, so that it is written in one piece and never seen half empty.
const SIZE: usize = 1024;

/// How often a lock that others hold is looked at.
const POLL: Duration = Duration::from_millis(250);

/// A lock that is held.
#[derive(Debug)]
pub(super) struct FileLock {
    inner: Arc<Inner>,
    stop: Option<mpsc::Sender<()>>,
    beating: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    path: PathBuf,
    /// The state's place, as people call it.
    place: String,
    holder: Mutex<Holder>,
}

/// How an attempt to take the lock ended.
pub(super) enum Attempt {
    Taken(Box<FileLock>),
    /// Others hold it; whether that is certain.
    Held(Box<Holder>, bool),
}

impl FileLock {
    /// Takes the lock, or waits for it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another run has it; when the file cannot be written.
    pub(super) async fn acquire(
        path: &Path,
        place: &str,
        holder: &Holder,
        patience: Patience<'_>,
    ) -> Result<Self, StoreError> {
        let begun = Instant::now();
        let mut watch = Vigil::default();
        let mut told: Option<Instant> = None;
        loop {
            let (by, certain) = match attempt(path, place, holder, &mut watch)? {
                Attempt::Taken(lock) => return Ok(*lock),
                Attempt::Held(by, certain) => (by, certain),
            };
            if patience.is_over(begun.elapsed(), certain) {
                let place = place.to_owned();
                return Err(StoreError::Locked { place, holder: by });
            }
            if told.is_none_or(|told| told.elapsed() > Duration::from_secs(10)) {
                told = Some(Instant::now());
                (patience.notify)(&by);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What must be checked before anything is started: the lock is still this run's.
    ///
    /// # Errors
    /// [`StoreError::Lost`] when it is not.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.inner.check()
    }

    fn start(inner: Inner, pace: Duration) -> Self {
        let inner = Arc::new(inner);
        let (stop, stopped) = mpsc::channel::<()>();
        let beating = Arc::clone(&inner);
        // A thread of its own: it beats however busy the run is.
        let beating = std::thread::spawn(move || {
            while stopped.recv_timeout(pace) == Err(RecvTimeoutError::Timeout) {
                // A failure is reported by the check before the next step.
                if beating.beat().is_err() {
                    return;
                }
            }
        });
        Self {
            inner,
            stop: Some(stop),
            beating: Some(beating),
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(beating) = self.beating.take() {
            // It ends by itself; a panic in it changes nothing here.
            let _ = beating.join();
        }
        if self.check().is_ok() {
            // Left as it is, it would only be looked at more closely by the next run.
            let _ = write(&self.inner.file, "");
        }
    }
}

impl Inner {
    fn check(&self) -> Result<(), StoreError> {
        let lost = |why: String| {
            let place = self.place.clone();
            Err(StoreError::Lost { place, why })
        };
        if !files::is_at(&self.file, &self.path) {
            return lost(format!("{} was taken away", self.path.display()));
        }
        let ours = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        match read(&self.path, &self.place)? {
            Content::Held(holder) if holder.id == ours.id => Ok(()),
            Content::Held(holder) => lost(format!("another run has taken it over ({holder})")),
            Content::Free => lost(format!("{} was emptied", self.path.display())),
        }
    }

    fn beat(&self) -> Result<(), StoreError> {
        self.check()?;
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        holder.beat += 1;
        write(&self.file, &text(&holder)).map_err(StoreError::io("writing", &self.path))
    }
}

/// What is in a lock file.
pub(super) enum Content {
    /// Nobody holds it.
    Free,
    /// A holder.
    Held(Box<Holder>),
}

/// No lock has more bytes.
const LARGEST: u64 = 64 << 10;

/// Reads the lock file of the state `place`.
///
/// # Errors
/// When it is not a lock: only an empty file and a holder's record are, and no link is followed to
/// one. When it cannot be read.
pub(super) fn read(path: &Path, place: &str) -> Result<Content, StoreError> {
    match disk::read_own(path, LARGEST) {
        Ok(bytes) => content(&bytes).ok_or_else(|| no_lock(path, place, "something else is in it")),
        Err(Unreadable::Missing) => Ok(Content::Free),
        Err(why) => Err(refused(path, place, why)),
    }
}

/// What these bytes of a lock file say; none where they are those of something else. A file whose
/// bytes were lost with the power is an empty one.
fn content(bytes: &[u8]) -> Option<Content> {
    if bytes
        .iter()
        .all(|byte| *byte == 0 || byte.is_ascii_whitespace())
    {
        return Some(Content::Free);
    }
    let holder = serde_json::from_slice(bytes).ok()?;
    Some(Content::Held(Box::new(holder)))
}

fn no_lock(path: &Path, place: &str, why: &str) -> StoreError {
    let path = path.display();
    StoreError::Unusable {
        place: place.to_owned(),
        why: format!("{path} is not a lock of stackctl: {why}"),
        next: format!(
            "Look at {path}, which was left alone. Move it away, or name another place with --state."
        ),
    }
}

fn refused(path: &Path, place: &str, why: Unreadable) -> StoreError {
    match why {
        why @ (Unreadable::Io(_) | Unreadable::Missing) => {
            StoreError::io("opening", path)(why.into())
        }
        why => no_lock(path, place, &io::Error::from(why).to_string()),
    }
}

/// Whether a file is a lock, held or free.
pub(super) fn is_lock(path: &Path) -> bool {
    disk::read_own(path, LARGEST).is_ok_and(|bytes| content(&bytes).is_some())
}

fn text(holder: &Holder) -> String {
    serde_json::to_string(holder).unwrap_or_default()
}

fn write(mut file: &File, text: &str) -> io::Result<()> {
    let width = SIZE - 1;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(format!("{text:width$}\n").as_bytes())
}

/// Tries once to take the lock.
pub(super) fn attempt(
    path: &Path,
    place: &str,
    holder: &Holder,
    watch: &mut Vigil,
) -> Result<Attempt, StoreError> {
    read(path, place)?;
    let file = disk::open_for_writing(path).map_err(|why| refused(path, place, why))?;
    let content = read(path, place)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let by = match content {
                Content::Held(by) => by,
                Content::Free => Box::new(unknown()),
            };
            return Ok(Attempt::Held(by, true));
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::io("locking", path)(error)),
    }
    if !files::is_at(&file, path) {
        // Removed between the two calls: look again.
        return Ok(Attempt::Held(Box::new(unknown()), false));
    }
    if let Content::Held(by) = read(path, place)? {
        // The system has given the lock, so no process of this machine holds it.
        let gone = by.is_of_this_machine() || watch.expired(&by);
        if !gone {
            return Ok(Attempt::Held(by, watch.alive()));
        }
    }
    disk::tighten(&file).map_err(StoreError::io("opening", path))?;
    let inner = Inner {
        path: path.to_owned(),
        place: place.to_owned(),
        holder: Mutex::new(holder.clone()),
        file,
    };
    write(&inner.file, &text(holder))
        .and_then(|()| inner.file.sync_data())
        .map_err(StoreError::io("writing", path))?;
    Ok(Attempt::Taken(Box::new(FileLock::start(
        inner,
        holder.pace(),
    ))))
}

/// Whether the lock is held, without taking it.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn check(
    path: &Path,
    place: &str,
    watches: bool,
    notify: &mut (dyn FnMut(&Holder) + Send),
) -> Result<Locked, StoreError> {
    let mut watch = Vigil::default();
    let mut told = false;
    loop {
        let file = match disk::open_to_change(path) {
            Ok(file) => file,
            Err(Unreadable::Missing) => return Ok(Locked::Free),
            Err(why) => return Err(refused(path, place, why)),
        };
        let by = match (file.try_lock(), read(path, place)?) {
            (Err(TryLockError::Error(error)), _) => {
                return Err(StoreError::io("locking", path)(error));
            }
            (Err(TryLockError::WouldBlock), Content::Held(by)) => return Ok(Locked::Alive(by)),
            (Err(TryLockError::WouldBlock), Content::Free) => {
                return Ok(Locked::Alive(Box::new(unknown())));
            }
            (Ok(()), Content::Held(by)) => by,
            (Ok(()), Content::Free) => return Ok(Locked::Free),
        };
        drop(file);
        if by.is_of_this_machine() || watch.expired(&by) {
            return Ok(Locked::Dead(by));
        }
        if watch.alive() {
            return Ok(Locked::Alive(by));
        }
        if !watches {
            return Ok(Locked::Alive(by));
        }
        if !told {
            told = true;
            notify(&by);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A holder that has not written yet who it is.
fn unknown() -> Holder {
    Holder {
        id: String::new(),
        command: "a run that has just started".to_owned(),
        host: "this machine".to_owned(),
        pid: 0,
        since: crate::store::lease::now(),
        lease: 1,
        beat: 0,
        pids_of: String::new(),
        started: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lease::tests::holder;

    async fn taken(path: &Path) -> FileLock {
        let mut notify = |_: &Holder| {};
        let patience = Patience {
            timeout: Some(Duration::ZERO),
            notify: &mut notify,
        };
        let lock = FileLock::acquire(path, "s.json", &holder("ours"), patience).await;
        lock.expect("is free")
    }

    /// A run of another machine that shares the folder does not see the system's lock: it writes
    /// itself into the file.
    #[tokio::test]
    async fn who_stands_in_the_lock_has_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("s.json.lock");
        let other = holder("theirs");
        let mut beaten = holder("ours");
        beaten.beat += 7;
        for (there, why) in [
            (text(&other), Some("another run has taken it over")),
            (String::new(), Some("was emptied")),
            (text(&beaten), None),
        ] {
            let lock = taken(&path).await;
            assert!(lock.check().is_ok());
            let file = std::fs::OpenOptions::new().write(true).open(&path);
            write(&file.expect("opens"), &there).expect("writes");
            match (lock.check(), why) {
                (Ok(()), None) => {}
                (Err(StoreError::Lost { why: told, .. }), Some(why)) => {
                    assert!(told.contains(why), "{told}");
                }
                (found, why) => panic!("{found:?} in place of {why:?}"),
            }
            drop(lock);
            let kept = std::fs::read_to_string(&path).expect("reads");
            assert_eq!(kept.contains("theirs"), there.contains("theirs"));
            std::fs::remove_file(&path).expect("removes");
        }
        let lock = taken(&path).await;
        std::fs::remove_file(&path).expect("removes");
        let lost = lock.check().expect_err("is lost").to_string();
        assert!(lost.contains("was taken away"), "{lost}");
    }

    #[tokio::test]
    async fn only_the_holder_that_was_shown_is_unlocked() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("s.json");
        let store = crate::store::local::LocalStore::new(path.clone(), dir.path(), false);
        std::fs::write(store.lock_path(), text(&holder("theirs"))).expect("writes");
        let found = store.unlock(&holder("shown"));
        assert!(matches!(found, Err(StoreError::Locked { .. })), "{found:?}");
        assert!(store.lock_path().exists());
        store.unlock(&holder("theirs")).expect("unlocks");
        assert!(!store.lock_path().exists());
    }

    /// What another run saved, or took the lock from, is not written over: not by a save, not by
    /// the mark of a state that moves. The last serial is not saved after.
    #[tokio::test]
    async fn nothing_is_written_over_what_another_run_left() {
        use crate::store::state::{MOST_SERIAL, State};
        use crate::store::transfer::Moved;
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("s.json");
        let open = || crate::store::Store::local(path.clone(), dir.path(), false);
        let moved = || Moved {
            to: "elsewhere.json".to_owned(),
            host: "here".to_owned(),
            at: 0,
            stack: "s".to_owned(),
            env: None,
            lineage: "1".repeat(32),
            serial: 1,
        };
        let locked = async || {
            let store = open();
            let mut notify = |_: &Holder| {};
            let patience = Patience {
                timeout: Some(Duration::ZERO),
                notify: &mut notify,
            };
            store.lock(&holder("ours"), patience).await.expect("locks");
            let state = store.open("s", None).await.expect("opens").state;
            (store, state)
        };
        let (store, mut state) = locked().await;
        store.save(&mut state).await.expect("saves");
        drop(store);

        let (store, mut state) = locked().await;
        let mut last = state.clone();
        last.serial = MOST_SERIAL;
        assert!(matches!(
            store.save(&mut last).await,
            Err(StoreError::Unusable { .. })
        ));
        let other = State::empty("s", None, "2".repeat(32));
        let theirs = crate::store::format::write(&other)
            .expect("is written")
            .text;
        std::fs::write(&path, &theirs).expect("writes");
        let found = [store.save(&mut state).await, store.retire(moved()).await];
        for found in found {
            assert!(matches!(found, Err(StoreError::Lost { .. })), "{found:?}");
        }
        assert_eq!(std::fs::read(&path).expect("reads"), theirs);
        std::fs::remove_file(&path).expect("removes");
        drop(store);

        let (store, mut state) = locked().await;
        let lock = dir.path().join("s.json.lock");
        std::fs::write(lock, text(&holder("theirs"))).expect("writes");
        let found = [store.save(&mut state).await, store.retire(moved()).await];
        for found in found {
            assert!(matches!(found, Err(StoreError::Lost { .. })), "{found:?}");
        }
        assert!(!path.exists());
    }
}

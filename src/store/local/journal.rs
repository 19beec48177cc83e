//! The journal as a file: one JSON line an entry, appended and synced.

use super::files::{self, sync_dir};
use super::lock::FileLock;
use crate::store::error::StoreError;
use crate::store::journal::Entry;
use crate::store::moment::{Moment, Watch};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file being written.
#[derive(Debug)]
pub(crate) struct FileJournal {
    file: Arc<File>,
    path: PathBuf,
    pending: Vec<u8>,
    /// How many bytes are in the file.
    written: u64,
    lock: Option<Arc<FileLock>>,
}

impl FileJournal {
    /// Starts a journal: makes the file, durably, with its first line.
    ///
    /// # Errors
    /// When the file exists already, or cannot be written.
    pub(super) fn start(
        path: &Path,
        lineage: &str,
        serial: u64,
        lock: Option<Arc<FileLock>>,
    ) -> Result<Self, StoreError> {
        if let Some(lock) = &lock {
            lock.check()?;
        }
        let file = crate::files::create(path).map_err(StoreError::io("making", path))?;
        let mut journal = Self {
            file: Arc::new(file),
            path: path.to_owned(),
            pending: Vec::new(),
            written: 0,
            lock,
        };
        journal.add(&Entry::Run {
            lineage: lineage.to_owned(),
            serial,
        })?;
        journal
            .write()
            .and_then(|file| file.sync_data())
            .and_then(|()| sync_dir(path))
            .map_err(StoreError::io("writing", path))?;
        Ok(journal)
    }

    /// See [`crate::store::Journal::add`].
    pub(crate) fn add(&mut self, entry: &Entry) -> Result<(), StoreError> {
        serde_json::to_writer(&mut self.pending, entry)
            .map_err(io::Error::from)
            .map_err(StoreError::io("writing", &self.path))?;
        self.pending.push(b'\n');
        Ok(())
    }

    /// Writes what was added, in one call; it counts only once the file is synced.
    fn write(&mut self) -> io::Result<Arc<File>> {
        if !self.pending.is_empty() {
            // Of a write that failed half way, nothing may stand in front of what follows.
            self.file.set_len(self.written)?;
            (&*self.file).seek(SeekFrom::Start(self.written))?;
            (&*self.file).write_all(&self.pending)?;
            self.written += self.pending.len() as u64;
            self.pending.clear();
        }
        Ok(Arc::clone(&self.file))
    }

    /// See [`crate::store::Journal::sync`]. The sync runs on another thread, so that calls in
    /// progress continue.
    pub(crate) async fn sync(&mut self, watch: &Watch) -> Result<(), StoreError> {
        let written = self.write().and_then(|file| {
            watch.at(Moment::Written)?;
            Ok(file)
        });
        let synced = match written {
            Ok(file) => tokio::task::spawn_blocking(move || file.sync_data())
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error))),
            Err(error) => Err(error),
        };
        synced.map_err(StoreError::io("writing", &self.path))?;
        // A file that nobody finds any more is durable for nobody.
        if !files::is_at(&self.file, &self.path) {
            let gone = io::Error::other("it was taken away while the run was under way");
            return Err(StoreError::io("writing", &self.path)(gone));
        }
        self.lock.as_ref().map_or(Ok(()), |lock| lock.check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::intent::Intent;
    use crate::store::journal;
    use crate::store::state::StateChange;
    use serde_json::Map;

    const LINEAGE: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_torn_last_line_is_excluded() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("s.journal");
        let mut file = FileJournal::start(&path, LINEAGE, 3, None).expect("starts");
        let intent = |step| Intent {
            step,
            op: "create".into(),
            address: format!("a{step}"),
            type_name: "t".into(),
            inputs: Default::default(),
            decided: Map::new(),
            operation: String::new(),
            request: None,
            unfinished: Default::default(),
            resource: None,
        };
        for step in 0..3 {
            file.add(&Entry::Begin(intent(step))).expect("adds");
        }
        file.add(&Entry::Failed { step: 1 }).expect("adds");
        let change = StateChange::Drop {
            address: "x".into(),
            deposed: None,
        };
        let changes = vec![change.clone()];
        file.add(&Entry::Done { step: 0, changes }).expect("adds");
        file.write().expect("writes");
        let mut text = std::fs::read_to_string(&path).expect("reads");
        text.push_str("{\"done\":{\"step\":2,");
        let left = journal::read(&text).expect("is readable");
        assert_eq!(left.from, Some((LINEAGE.into(), 3)));
        assert_eq!(left.changes, [change]);
        assert_eq!(left.open, [intent(2)]);
        assert!(journal::read("nonsense\n{}\n").is_err());
        assert!(
            FileJournal::start(&path, LINEAGE, 3, None).is_err(),
            "a journal is never overwritten"
        );
    }

    #[tokio::test]
    async fn entries_share_one_sync_and_what_failed_half_way_is_written_again() {
        use crate::store::moment::Watch;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("s.journal");
        let mut file = FileJournal::start(&path, LINEAGE, 3, None).expect("starts");
        let syncs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&syncs);
        let watch = Watch::new(move |moment| {
            assert_eq!(moment, Moment::Written);
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        for step in 0..5 {
            file.add(&Entry::Failed { step }).expect("adds");
        }
        file.sync(&watch).await.expect("syncs");
        assert_eq!(syncs.load(Ordering::Relaxed), 1);
        // As a full disk leaves it.
        (&*file.file)
            .write_all(b"{\"failed\":{\"st")
            .expect("writes");
        file.add(&Entry::Failed { step: 5 }).expect("adds");
        file.sync(&watch).await.expect("syncs");
        file.add(&Entry::Failed { step: 6 }).expect("adds");
        file.sync(&watch).await.expect("syncs");
        let text = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(text.lines().count(), 8, "{text}");
        journal::read(&text).expect("is a journal");
        // Durable for nobody.
        std::fs::remove_file(&path).expect("removes");
        std::fs::write(&path, &text).expect("writes");
        let error = file.sync(&watch).await.expect_err("it is another file");
        assert!(error.to_string().contains("was taken away"), "{error}");
    }
}

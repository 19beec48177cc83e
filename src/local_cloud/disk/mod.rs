//! The local cloud's contents: one map from keys to JSON, kept in a folder.
//!
//! - `log`: a header line, then one line a request: a JSON list of `[key, value]` (put) and `[key]`
//!   (remove). A line is appended with one write before the reply goes out, so a killed process
//!   loses nothing whose reply went out; a line without its end never counts. (Nothing is synced: a
//!   power cut may cost the last seconds.)
//! - `blobs/`: bytes by their SHA-256.
//! - `lock`: locked around each request, so several processes can share the folder; each
//!   one first reads what the others appended.
//!
//! The header names the log's generation: it changes when a process rewrites the log without what
//! is outdated (when it opens the folder, or the log has grown long), and the others then read it
//! again. It also holds the clock: local time runs `speed` times faster than real time.

#![cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "an edge: the clock and the log's own files"
    )
)]

#[cfg(test)]
mod tests;

use super::service::Store;
use crate::files;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The header's length, its line end included.
const HEADER: usize = 160;
/// How files that are being written begin; those of a process that was killed are left behind.
const UNFINISHED: &str = ".new-";
/// The log's format.
const VERSION: u32 = 1;
/// How many outdated records a log may hold, beyond as many as there are live ones.
const OUTDATED: usize = 1000;

/// How many bytes a log may grow while a process uses it, beyond as many as it had at first.
const GROWTH: u64 = 16 << 20;

/// The header line: which log this is, and what time it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Header {
    version: u32,
    generation: String,
    /// A moment in real time, in milliseconds since 1970 …
    real: u64,
    /// … and the local time at that moment.
    local: u64,
    /// How many times faster local time runs from there on.
    speed: f64,
}

impl Header {
    fn new(local: u64, speed: f64) -> Self {
        Self {
            version: VERSION,
            generation: hex::encode(rand::random::<[u8; 8]>()),
            real: real_now(),
            local,
            speed,
        }
    }

    fn now(&self) -> u64 {
        let passed = real_now().saturating_sub(self.real);
        self.local + (passed as f64 * self.speed) as u64
    }

    fn line(&self) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.resize(HEADER - 1, b' ');
        line.push(b'\n');
        Ok(line)
    }

    fn parse(line: &[u8]) -> io::Result<Self> {
        let header: Self = serde_json::from_slice(line).map_err(broken)?;
        if header.version != VERSION {
            return Err(broken(
                "it was created by another version of stackctl; delete the folder to start again",
            ));
        }
        Ok(header)
    }
}

fn real_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_millis() as u64)
}

fn broken(why: impl std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the local cloud's log cannot be read: {why}"),
    )
}

/// One record of a line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Record<'r> {
    Put(std::borrow::Cow<'r, str>, std::borrow::Cow<'r, Value>),
    Remove([std::borrow::Cow<'r, str>; 1]),
}

/// The folder and what it holds.
#[derive(Debug)]
pub(super) struct Disk {
    dir: PathBuf,
    lock: Arc<File>,
    header: Header,
    map: BTreeMap<String, Value>,
    /// How many bytes of the log are in the map.
    read: u64,
    /// How many records of the log no longer say anything.
    outdated: usize,
    /// How long the log was when this process last saw nothing outdated in it, or opened it.
    base: u64,
}

/// The folder's lock, given back when dropped.
struct Locked(Arc<File>);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing the file would give it back, too; nobody would receive an error.
        let _ = self.0.unlock();
    }
}

impl Disk {
    /// Opens the folder, or creates it.
    pub(super) fn open(dir: &Path, speed: f64) -> io::Result<Self> {
        // What is sent to the cloud may be secret.
        files::folder(dir)?;
        files::folder(&dir.join("blobs"))?;
        let lock = own(dir.join("lock"), files::open_for_writing)?;
        if lock.metadata()?.len() > 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "{} is not a lock of stackctl: something is in it",
                    dir.join("lock").display()
                ),
            ));
        }
        files::tighten(&lock)?;
        let mut disk = Self {
            dir: dir.to_owned(),
            lock: Arc::new(lock),
            header: Header::new(real_now(), speed),
            map: BTreeMap::new(),
            read: 0,
            outdated: 0,
            base: 0,
        };
        let _locked = disk.lock()?;
        disk.clear()?;
        match fs::symlink_metadata(disk.log()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => disk.rewrite()?,
            _ => {
                disk.catch_up()?;
                let known = disk.header.speed;
                if (known - speed).abs() > f64::EPSILON || disk.outdated > OUTDATED + disk.map.len()
                {
                    disk.header = Header::new(disk.header.now(), speed);
                    disk.rewrite()?;
                    disk.sweep()?;
                }
            }
        }
        Ok(disk)
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Local time, in milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        self.header.now()
    }

    /// All pairs, with what other processes wrote.
    pub(super) fn all(&mut self) -> io::Result<Vec<(String, Value)>> {
        let _locked = self.lock()?;
        self.catch_up()?;
        Ok(self
            .map
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    /// Runs `work` on the contents as of now, alone; keeps what it wrote if it succeeds.
    /// What it wrote is on disk when this returns.
    pub(super) fn transact<T, E>(
        &mut self,
        work: impl FnOnce(u64, &mut dyn Store) -> Result<T, E>,
    ) -> io::Result<Result<T, E>> {
        let _locked = self.lock()?;
        let (mut file, torn) = self.catch_up()?;
        let mut view = View {
            map: &self.map,
            dir: &self.dir,
            changes: BTreeMap::new(),
            failed: None,
        };
        let result = work(self.header.now(), &mut view);
        let View {
            changes, failed, ..
        } = view;
        if let Some(error) = failed {
            return Err(error);
        }
        if result.is_ok() && !changes.is_empty() {
            if torn {
                file.set_len(self.read)?;
                file.seek(SeekFrom::Start(self.read))?;
            }
            let line = line(&changes)?;
            file.write_all(&line)?;
            self.read += line.len() as u64;
            for (key, change) in changes {
                self.apply(key, change);
            }
            if self.read > 2 * self.base + GROWTH {
                self.header = Header::new(self.header.now(), self.header.speed);
                self.rewrite()?;
                self.sweep()?;
            }
        }
        Ok(result)
    }

    fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    fn lock(&self) -> io::Result<Locked> {
        self.lock.lock()?;
        Ok(Locked(Arc::clone(&self.lock)))
    }

    /// Brings the map up to the log. Returns the log, at its end, and whether a line
    /// without end stands there.
    fn catch_up(&mut self) -> io::Result<(File, bool)> {
        let mut file = own(self.log(), files::open_to_change)?;
        let mut first = [0; HEADER];
        file.read_exact(&mut first).map_err(broken)?;
        let header = Header::parse(&first)?;
        let is_new = self.read == 0 || header != self.header;
        if is_new {
            files::tighten(&file)?;
            self.header = header;
            self.map.clear();
            self.outdated = 0;
            self.read = HEADER as u64;
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let whole = tail
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        for line in tail[..whole].split_inclusive(|byte| *byte == b'\n') {
            let records: Vec<Record<'_>> = serde_json::from_slice(line).map_err(broken)?;
            for record in records {
                match record {
                    Record::Put(key, value) => {
                        self.apply(key.into_owned(), Some(value.into_owned()));
                    }
                    Record::Remove([key]) => self.apply(key.into_owned(), None),
                }
            }
        }
        self.read += whole as u64;
        if is_new {
            self.base = self.read;
        }
        Ok((file, whole < tail.len()))
    }

    fn apply(&mut self, key: String, change: Option<Value>) {
        let removed = change.is_none();
        let old = match change {
            Some(value) => self.map.insert(key, value),
            None => self.map.remove(&key),
        };
        self.outdated += usize::from(old.is_some()) + usize::from(removed);
    }

    /// Writes the log again, with the current header and nothing outdated.
    fn rewrite(&mut self) -> io::Result<()> {
        let mut text = self.header.line()?;
        for (key, value) in &self.map {
            let record = Record::Put(key.into(), std::borrow::Cow::Borrowed(value));
            serde_json::to_writer(&mut text, &[record])?;
            text.push(b'\n');
        }
        write(&self.dir, &self.log(), &text)?;
        self.read = text.len() as u64;
        self.base = self.read;
        self.outdated = 0;
        Ok(())
    }

    /// Removes what a killed process left half written; nobody writes while the lock is held.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes the blobs that no value names.
    fn sweep(&self) -> io::Result<()> {
        let mut named = BTreeSet::new();
        self.map.values().for_each(|value| names(value, &mut named));
        for entry in fs::read_dir(self.dir.join("blobs"))? {
            let entry = entry?;
            if !named.contains(entry.file_name().to_string_lossy().as_ref()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

type Opened = Result<File, files::Unreadable>;

/// A file of the folder; not one that a link leads to.
fn own(path: PathBuf, open: impl FnOnce(&Path) -> Opened) -> io::Result<File> {
    open(&path).map_err(|why| {
        let why = io::Error::from(why);
        io::Error::new(why.kind(), format!("{}: {why}", path.display()))
    })
}

/// Puts a file in its place, whole, as its owner's only.
fn write(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = files::temporary(dir, UNFINISHED)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The strings in a value that have the length of a blob's name.
fn names<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::String(text) if text.len() == 64 => {
            found.insert(text);
        }
        Value::Array(list) => list.iter().for_each(|item| names(item, found)),
        Value::Object(map) => map.values().for_each(|item| names(item, found)),
        _ => {}
    }
}

fn line(changes: &BTreeMap<String, Option<Value>>) -> io::Result<Vec<u8>> {
    let records: Vec<Record<'_>> = changes
        .iter()
        .map(|(key, change)| match change {
            Some(value) => Record::Put(key.into(), std::borrow::Cow::Borrowed(value)),
            None => Record::Remove([key.into()]),
        })
        .collect();
    let mut line = serde_json::to_vec(&records)?;
    line.push(b'\n');
    Ok(line)
}

/// The contents as one request sees and changes them.
struct View<'d> {
    map: &'d BTreeMap<String, Value>,
    dir: &'d Path,
    changes: BTreeMap<String, Option<Value>>,
    /// What kept a blob from being read or written.
    failed: Option<io::Error>,
}

impl View<'_> {
    fn keep(&self, path: &Path, bytes: &Bytes) -> io::Result<()> {
        if path.exists() {
            return Ok(());
        }
        write(self.dir, path, bytes)
    }
}

impl Store for View<'_> {
    fn get(&self, key: &str) -> Option<Value> {
        match self.changes.get(key) {
            Some(change) => change.clone(),
            None => self.map.get(key).cloned(),
        }
    }

    fn scan(&self, prefix: &str) -> Vec<(String, Value)> {
        let mut found: BTreeMap<&String, Option<&Value>> = self
            .map
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key, Some(value)))
            .collect();
        found.extend(
            self.changes
                .range(prefix.to_owned()..)
                .take_while(|(key, _)| key.starts_with(prefix))
                .map(|(key, change)| (key, change.as_ref())),
        );
        found
            .into_iter()
            .filter_map(|(key, value)| Some((key.clone(), value?.clone())))
            .collect()
    }

    fn next_key(&self, prefix: &str, after: &str) -> Option<String> {
        let from = match after < prefix {
            true => Bound::Included(prefix),
            false => Bound::Excluded(after),
        };
        let range = (from, Bound::Unbounded);
        let is_within = |key: &&String| key.starts_with(prefix);
        let mut kept = self.map.range::<str, _>(range).map(|(key, _)| key);
        let kept = kept
            .by_ref()
            .take_while(is_within)
            .find(|key| !self.changes.contains_key(*key));
        let changes = self.changes.range::<str, _>(range);
        let mut changes = changes.take_while(|(key, _)| is_within(key));
        let changed = changes.find(|(_, change)| change.is_some());
        kept.into_iter()
            .chain(changed.map(|(key, _)| key))
            .min()
            .cloned()
    }

    fn put(&mut self, key: &str, value: Value) {
        self.changes.insert(key.to_owned(), Some(value));
    }

    fn remove(&mut self, key: &str) {
        if self.get(key).is_some() {
            self.changes.insert(key.to_owned(), None);
        }
    }

    fn blob(&self, name: &str) -> Option<Bytes> {
        let path = self.dir.join("blobs").join(name);
        files::read_own(&path, u64::MAX - 1).ok().map(Bytes::from)
    }

    fn put_blob(&mut self, bytes: &Bytes) -> String {
        let name = hex::encode(Sha256::digest(bytes));
        let path = self.dir.join("blobs").join(&name);
        if let Err(error) = self.keep(&path, bytes) {
            self.failed = Some(error);
        }
        name
    }
}

//! Local files that a stack names: what is in them, without keeping it.

use crate::data::Path as DataPath;
use crate::files::{self, Unreadable};
use crate::outside::{self, Outside};
use crate::severity::Severity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What helps with a path that leads nowhere.
pub const FROM_THE_STACK_FILE: &str = "the path starts from the stack file's folder";

/// No file is read into an expression beyond this many bytes.
pub const LARGEST: u64 = 64 << 20;

/// The properties of data sources that name what is read.
pub const SOURCES: [&str; 2] = ["sourceDir", "sourceFile"];

/// The content of a file, by its hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The SHA-256 in hex.
    pub sha256: String,
    /// The MD5 in hex.
    pub md5: String,
}

impl Content {
    /// The content of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hashing = Hashing::default();
        hashing.update(bytes);
        hashing.finish()
    }

    /// As JSON.
    pub fn to_value(&self) -> Value {
        json!({"sha256": self.sha256, "md5": self.md5})
    }

    /// The SHA-256 in base64, as Lambda returns it.
    pub fn sha256_base64(&self) -> String {
        STANDARD.encode(hex::decode(&self.sha256).unwrap_or_default())
    }
}

/// A content that comes piece by piece.
#[derive(Debug, Default)]
pub struct Hashing {
    sha256: Sha256,
    md5: Md5,
}

impl Hashing {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.md5.update(bytes);
    }

    /// The content of all bytes that were added.
    pub fn finish(self) -> Content {
        Content {
            sha256: hex::encode(self.sha256.finalize()),
            md5: hex::encode(self.md5.finalize()),
        }
    }
}

/// A mistake, or a warning, in what a data source is to read.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The property.
    pub path: DataPath,
    /// Whether nothing can be read.
    pub severity: Severity,
    /// A sentence without a full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// The local files as a plan sees them. Paths are as written in the stack file.
pub trait LocalFiles: Sync {
    /// The bytes, for `file()` and its like.
    ///
    /// # Errors
    /// The path and why it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The content.
    ///
    /// # Errors
    /// A sentence without a full stop.
    fn content(&self, path: &str) -> Result<Content, String> {
        self.read(path).map(|bytes| Content::of(&bytes))
    }

    /// From now on `content` is read in place of `path`, which an apply will write.
    fn stand_in(&self, _path: &str, _content: &Path) {}

    /// What was read outside of the project's folder since this was asked last.
    fn leading_out(&self) -> Vec<Outside> {
        Vec::new()
    }

    /// What is wrong with the files that a data source of this type reads: what `inspect` finds,
    /// given the folder that relative paths start from.
    fn inspect(&self, _kind: &str, _args: &Value, _inspect: &InspectPath<'_>) -> Vec<Finding> {
        Vec::new()
    }
}

/// Looks at the files that something reads, whose relative paths start from a folder.
pub type InspectPath<'a> = dyn Fn(&Path) -> Vec<Finding> + 'a;

impl<F: Fn(&str) -> Result<Vec<u8>, String> + Sync> LocalFiles for F {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self(path)
    }
}

/// What was found out once, by what was asked.
type Memory<V> = Mutex<BTreeMap<String, V>>;

/// The files on the disk, each hashed and looked at once.
#[derive(Debug)]
pub struct Disk {
    dir: PathBuf,
    contents: Memory<Result<Content, String>>,
    findings: Memory<Vec<Finding>>,
    /// What is read in place of files that are not written yet, by their plain paths.
    stand_ins: Mutex<BTreeMap<PathBuf, PathBuf>>,
    project: PathBuf,
    leading_out: Mutex<Vec<Outside>>,
}

impl Disk {
    /// Files whose paths start from `dir`.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            contents: Mutex::default(),
            findings: Mutex::default(),
            stand_ins: Mutex::default(),
            project: outside::project(dir),
            leading_out: Mutex::default(),
        }
    }

    /// What is read in place of a file that is not written yet.
    fn stand_in_of(&self, path: &str) -> Option<PathBuf> {
        let stand_ins = self.stand_ins.lock();
        let stand_ins = stand_ins.unwrap_or_else(PoisonError::into_inner);
        stand_ins.get(&files::plain(&self.dir.join(path))).cloned()
    }

    /// Where a path leads; one that leads out of the project is taken down.
    fn note(&self, path: &str) -> Option<PathBuf> {
        match outside::place(&self.project, &self.dir, path) {
            Ok(place) => Some(place),
            Err(found) => {
                let noted = self.leading_out.lock();
                noted.unwrap_or_else(PoisonError::into_inner).push(found);
                None
            }
        }
    }

    /// Opens the file that the stack names. One within the project is opened where it was looked
    /// for, and through no link: another one that leads out may stand there by now.
    fn open(&self, path: &str) -> Result<File, Unreadable> {
        let place = self.note(path);
        match (self.stand_in_of(path), place) {
            (Some(other), _) => files::open(&other),
            (None, Some(place)) => files::open_beneath(&self.project, &place),
            (None, None) => files::open(&self.dir.join(path)),
        }
    }
}

fn remembered<V: Clone>(memory: &Memory<V>, key: &str, find: impl FnOnce() -> V) -> V {
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = memory.get(key) {
        return known.clone();
    }
    let found = find();
    memory.insert(key.to_owned(), found.clone());
    found
}

impl LocalFiles for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let file = self.open(path);
        let found = file.and_then(|file| files::read_open(&file, LARGEST));
        found.map_err(|why| format!("{path}: {}", io::Error::from(why)))
    }

    fn content(&self, path: &str) -> Result<Content, String> {
        let file = self.open(path);
        remembered(&self.contents, path, || {
            let told = self
                .stand_in_of(path)
                .unwrap_or_else(|| self.dir.join(path));
            let found = file.and_then(|file| content(&file));
            found.map_err(|why| why.describe(&told))
        })
    }

    fn stand_in(&self, path: &str, content: &Path) {
        let path = files::plain(&self.dir.join(path));
        let stand_ins = self.stand_ins.lock();
        let mut stand_ins = stand_ins.unwrap_or_else(PoisonError::into_inner);
        stand_ins.insert(path, content.to_owned());
        // What was read there before counts no more.
        let contents = self.contents.lock();
        contents.unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn leading_out(&self) -> Vec<Outside> {
        let noted = self.leading_out.lock();
        std::mem::take(&mut *noted.unwrap_or_else(PoisonError::into_inner))
    }

    fn inspect(&self, kind: &str, args: &Value, inspect: &InspectPath<'_>) -> Vec<Finding> {
        for name in SOURCES {
            if let Some(path) = args.get(name).and_then(Value::as_str) {
                self.note(path);
            }
        }
        remembered(&self.findings, &format!("{kind} {args}"), || {
            inspect(&self.dir)
        })
    }
}

/// The content of an open file, read piece by piece.
///
/// # Errors
/// When it cannot be read, or has not the size any more that it had.
fn content(mut file: &File) -> Result<Content, Unreadable> {
    let mut hashing = Hashing::default();
    let mut left = file.metadata()?.len();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) if left == 0 => return Ok(hashing.finish()),
            // One that grows as fast as it is read would have no end.
            Ok(length) if length == 0 || length as u64 > left => {
                let changed = io::Error::other("its size changed while it was read");
                return Err(changed.into());
            }
            Ok(length) => {
                hashing.update(&piece[..length]);
                left -= length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_identified_by_its_hashes() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = vec![7; (1 << 16) + 1];
        std::fs::write(dir.path().join("a"), &bytes).unwrap();
        let files = Disk::new(dir.path());
        let found = files.content("a").unwrap();
        assert_eq!(found, Content::of(&bytes));
        assert_eq!(Content::of(b"").md5, "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(
            Content::of(b"").sha256_base64(),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }

    #[test]
    fn what_is_no_file_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let files = Disk::new(dir.path());
        let told = |path: &str| files.content(path).unwrap_err();
        assert!(told("nofile").ends_with("nofile does not exist"));
        assert!(told("").ends_with("is a folder, expected a file"));
        std::fs::write(dir.path().join("a"), "").unwrap();
        assert!(told("a/b").ends_with("a/b does not exist"));
        #[cfg(unix)]
        {
            let path = dir.path().join("null");
            std::os::unix::fs::symlink("/dev/null", path).unwrap();
            assert!(told("null").ends_with("null is not a regular file"));
        }
    }

    /// A file that becomes a link leading out, a pipe, or grows while it is read: what is read is
    /// what lies in the project, or there is a warning.
    #[cfg(unix)]
    #[test]
    fn what_is_swapped_under_the_reader_leads_nowhere() {
        use crate::files::racing::Racing;
        let dir = tempfile::tempdir().unwrap();
        let secret = tempfile::tempdir().unwrap();
        let secret = secret.path().join("secret");
        std::fs::write(&secret, "SECRET").unwrap();
        let outside = Content::of(b"SECRET");
        let racing = Racing::start(&dir.path().join("a"), &secret);
        let (mut inside, mut linked) = (0, 0);
        let mut reads = 0;
        while reads < 300 || racing.goes_on() {
            reads += 1;
            let files = Disk::new(dir.path());
            let read = files.read("a").is_ok_and(|bytes| bytes == b"SECRET");
            assert!(!read || !files.leading_out().is_empty(), "read unseen");
            let files = Disk::new(dir.path());
            match files.content("a") {
                Ok(found) if found == outside => {
                    linked += 1;
                    assert!(!files.leading_out().is_empty(), "hashed unseen");
                }
                Ok(_) => inside += 1,
                Err(_) => {}
            }
        }
        racing.end();
        assert!(inside > 0 && linked > 0, "{inside} inside, {linked} linked");
    }
}

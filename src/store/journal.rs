//! The journal of a run: one JSON line an entry, appended and made durable before the
//! call it announces. State = the saved state with the journal's finished steps folded in.

use super::state::StateChange;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a step is about to do; written before the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The step's number in this run.
    pub step: usize,
    /// `create`, `update`, `delete`.
    pub op: String,
    /// The address.
    pub address: String,
    /// The type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// For a create: its properties (secrets sealed).
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub inputs: Value,
    /// For a create: what the plan settled.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub decided: Map<String, Value>,
    /// For a create: the owner tag's value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// For a create: the rest of what the state then keeps (id and outputs not known yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Box<super::state::ResourceState>>,
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// The first line: which state the run started from.
    Run {
        /// Its lineage.
        lineage: String,
        /// Its serial.
        serial: u64,
    },
    /// A step is about to call.
    Begin(Intent),
    /// A step is done (or needed no call): what it leaves behind.
    Done {
        /// The step's number.
        step: usize,
        /// The changes.
        changes: Vec<StateChange>,
    },
    /// A step failed and left nothing behind.
    Failed {
        /// The step's number.
        step: usize,
    },
}

/// The file being written.
#[derive(Debug)]
pub struct Journal {
    file: Arc<File>,
    path: PathBuf,
    pending: Vec<u8>,
}

impl Journal {
    /// Starts a journal: makes the file, durably, with its first line.
    ///
    /// # Errors
    /// When the file exists already, or cannot be written.
    pub fn start(path: &Path, lineage: &str, serial: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create_new(true).append(true);
        private(&mut options);
        let file = Arc::new(options.open(path)?);
        let mut journal = Self {
            file,
            path: path.to_owned(),
            pending: Vec::new(),
        };
        journal.add(&Entry::Run {
            lineage: lineage.to_owned(),
            serial,
        })?;
        journal.write()?.sync_data()?;
        sync_dir(path)?;
        Ok(journal)
    }

    /// Adds an entry to what the next write puts out.
    ///
    /// # Errors
    /// When the entry cannot be put as JSON.
    pub fn add(&mut self, entry: &Entry) -> io::Result<()> {
        serde_json::to_writer(&mut self.pending, entry)?;
        self.pending.push(b'\n');
        Ok(())
    }

    /// Writes what was added, in one call, and hands out the file: entries count only once
    /// it is synced, which the caller may do on another thread.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write(&mut self) -> io::Result<Arc<File>> {
        if !self.pending.is_empty() {
            (&*self.file).write_all(&self.pending)?;
            self.pending.clear();
        }
        Ok(Arc::clone(&self.file))
    }

    /// Takes the journal away; its content is in the saved state by now.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn finish(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)?;
        sync_dir(&self.path)
    }
}

/// What an interrupted run left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Leftover {
    /// The run's start, where the first line is whole.
    pub from: Option<(String, u64)>,
    /// The changes of finished steps, in order.
    pub changes: Vec<StateChange>,
    /// Steps that were begun, with an unknown end.
    pub open: Vec<Intent>,
}

/// Reads a journal. A torn last line was never acted on, since a step starts only after
/// its line is durable; it is left out.
///
/// # Errors
/// When a line other than the last cannot be read.
pub fn read(text: &str) -> Result<Leftover, String> {
    let mut left = Leftover::default();
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let entry: Entry = match serde_json::from_str(line) {
            Ok(entry) => entry,
            Err(_) if index + 1 == lines.len() => break,
            Err(error) => return Err(format!("line {}: {error}", index + 1)),
        };
        match entry {
            Entry::Run { lineage, serial } => left.from = Some((lineage, serial)),
            Entry::Begin(intent) => left.open.push(intent),
            Entry::Done { step, changes } => {
                left.open.retain(|intent| intent.step != step);
                left.changes.extend(changes);
            }
            Entry::Failed { step } => left.open.retain(|intent| intent.step != step),
        }
    }
    Ok(left)
}

/// Makes a new file readable by its owner only.
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
}

/// Makes the entry of `path` in its folder durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    File::open(dir.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_left_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("s.journal");
        let mut journal = Journal::start(&path, "l", 3).expect("starts");
        let intent = |step| Intent {
            step,
            op: "create".into(),
            address: format!("a{step}"),
            type_name: "t".into(),
            inputs: Value::Null,
            decided: Map::new(),
            operation: String::new(),
            resource: None,
        };
        for step in 0..3 {
            journal.add(&Entry::Begin(intent(step))).expect("adds");
        }
        journal.add(&Entry::Failed { step: 1 }).expect("adds");
        let change = StateChange::Drop {
            address: "x".into(),
            deposed: None,
        };
        journal
            .add(&Entry::Done {
                step: 0,
                changes: vec![change.clone()],
            })
            .expect("adds");
        journal.write().expect("writes");
        let mut text = std::fs::read_to_string(&path).expect("reads");
        text.push_str("{\"done\":{\"step\":2,");
        let left = read(&text).expect("is readable");
        assert_eq!(left.from, Some(("l".into(), 3)));
        assert_eq!(left.changes, [change]);
        assert_eq!(left.open, [intent(2)]);
        assert!(read("nonsense\n{}\n").is_err());
        assert!(
            Journal::start(&path, "l", 3).is_err(),
            "a journal is never overwritten"
        );
    }
}

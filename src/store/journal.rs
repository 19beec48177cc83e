//! The entries of a run's journal, each made durable before the call it announces. State =
//! the saved state with the journal's finished steps folded in.

use super::state::{StateChange, origin_fault};
use serde::{Deserialize, Serialize};

pub use super::intent::Intent;

impl Intent {
    /// What it leaves in the state where its step did not finish; none for a create, whose end
    /// is looked up.
    pub fn unfinished(&self) -> Option<StateChange> {
        (!self.unfinished.is_empty()).then(|| StateChange::Unfinished {
            address: self.address.clone(),
            paths: self.unfinished.clone(),
        })
    }
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
    /// The service works on a step's request by itself, and can be asked how it stands.
    Requested {
        /// The step's number.
        step: usize,
        /// The service's name of the request.
        request: String,
    },
    /// A step is done (or needed no call): what it leaves behind.
    Done {
        /// The step's number.
        step: usize,
        /// The changes.
        changes: Vec<StateChange>,
    },
    /// What belongs to no step: with which key the secrets below are encrypted.
    Changed {
        /// The changes.
        changes: Vec<StateChange>,
    },
    /// In S3: whose entries follow. Alone, it closes the journal of a run that seemed dead.
    Taken {
        /// The run's id.
        by: String,
    },
    /// A step failed and left nothing behind.
    Failed {
        /// The step's number.
        step: usize,
    },
}

/// What an interrupted run left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Leftover {
    /// The run's start, where the first line is whole.
    pub from: Option<(String, u64)>,
    /// The changes of finished steps, in order.
    pub changes: Vec<StateChange>,
    /// Steps that were started, with an unknown end.
    pub open: Vec<Intent>,
}

/// How a journal begins, in a file and in S3.
const STARTS: &[&str] = &["{\"run\":", "{\"taken\":"];

/// Reads a journal. A torn last line was never acted on, since a step starts only after its line is
/// durable; it is excluded.
///
/// # Errors
/// When a line other than the last cannot be read, or it is not a journal at all.
pub fn read(text: &str) -> Result<Leftover, String> {
    let mut left = Leftover::default();
    let lines: Vec<&str> = text.lines().collect();
    // A first line that is torn counts for nothing, and the file is deleted once the run is saved:
    // not when it is another file.
    let is_ours = |start: &&str| text.starts_with(*start) || start.starts_with(text);
    if !STARTS.iter().any(is_ours) {
        return Err("it does not begin as a journal does".to_owned());
    }
    for (index, line) in lines.iter().enumerate() {
        let entry: Entry = match serde_json::from_str(line) {
            Ok(entry) => entry,
            Err(_) if index + 1 == lines.len() => break,
            Err(error) => return Err(format!("line {}: {error}", index + 1)),
        };
        match entry {
            Entry::Run { lineage, serial } => {
                if let Some(why) = origin_fault(&lineage, serial) {
                    return Err(format!("line {}: {why}", index + 1));
                }
                left.from = Some((lineage, serial));
            }
            Entry::Begin(intent) => left.open.push(intent),
            Entry::Requested { step, request } => {
                let mut open = left.open.iter_mut();
                if let Some(intent) = open.find(|intent| intent.step == step) {
                    intent.request = Some(request);
                }
            }
            Entry::Done { step, changes } => {
                left.open.retain(|intent| intent.step != step);
                left.changes.extend(changes);
            }
            Entry::Changed { changes } => left.changes.extend(changes),
            Entry::Taken { .. } => {}
            Entry::Failed { step } => left.open.retain(|intent| intent.step != step),
        }
    }
    Ok(left)
}

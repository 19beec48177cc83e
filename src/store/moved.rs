//! The mark that stays where a state was moved away from.

use super::lease::moment;
use super::state::origin_fault;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is in a place that a state was moved away from, in place of the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Where it is now, as `--state` takes it.
    pub to: String,
    /// The host that it was moved from. For people.
    pub host: String,
    /// When, in seconds since 1970. For people.
    pub at: u64,
    /// The state's stack.
    pub stack: String,
    /// Its environment.
    #[serde(default)]
    pub env: Option<String>,
    /// Its lineage.
    pub lineage: String,
    /// Its serial when it was moved.
    pub serial: u64,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (to, host, at) = (&self.to, &self.host, moment(self.at));
        write!(f, "moved to {to} (from {host}, {at})")
    }
}

/// The mark as it is kept: an object with this one member.
#[derive(Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) moved: Moved,
}

/// Reads a mark; none for any other content. `text` is JSON without white space.
pub(super) fn read_mark(text: &[u8]) -> Option<Moved> {
    if !text.starts_with(b"{\"moved\":") {
        return None;
    }
    let mark: Mark = serde_json::from_slice(text).ok()?;
    let moved = mark.moved;
    origin_fault(&moved.lineage, moved.serial)
        .is_none()
        .then_some(moved)
}

//! A state as it was read from its place: the state, the journal of an
//! interrupted run, and what the saved versions say about both.

use super::error::StoreError;
use super::format::{self, Fault, ReadState};
use super::history::{Doubt, VersionName, check};
use super::intent::Intent;
use super::journal::Leftover;
use super::moved::Moved;
use super::state::State;
use std::collections::BTreeSet;

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

impl Opened {
    /// The state as it can be saved: what is not recovered stays in it.
    pub fn into_state(self) -> State {
        let mut state = self.state;
        keep_open(&mut state, self.open);
        state
    }
}

/// What was found. The versions were listed before the state was read.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// The place, as people call it.
    pub(super) place: String,
    /// The journal's place.
    pub(super) journal_place: String,
    /// The text of the state.
    pub(super) text: Option<Vec<u8>>,
    /// What an interrupted run left.
    pub(super) journal: Option<Result<Leftover, String>>,
    /// The versions saved here.
    pub(super) names: BTreeSet<VersionName>,
    /// Where the state is missing: the text of the newest version.
    pub(super) newest: Option<Vec<u8>>,
}

impl Pieces {
    /// Puts the pieces together.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when something is not what was saved.
    pub(super) fn open(self, stack: &str, env: Option<&str>) -> Result<Opened, StoreError> {
        let found = match &self.text {
            Some(text) => Some(format::read(text).map_err(|fault| self.fault(&fault))?),
            None => None,
        };
        let left = match &self.journal {
            Some(Ok(left)) => left.clone(),
            Some(Err(why)) => return Err(self.journal_fault(why.clone())),
            None => Leftover::default(),
        };
        let existed = found.is_some();
        let mut state = self.state(found, &left, stack, env)?;
        if state.stack != stack || state.env.as_deref() != env {
            return Err(self.other_stack(&state, stack));
        }
        let mut open: Vec<Intent> = std::mem::take(&mut state.pending);
        if let Some((lineage, serial)) = &left.from {
            if *lineage != state.lineage {
                let why = "it belongs to another lineage of this state".to_owned();
                return Err(self.journal_fault(why));
            }
            if *serial > state.serial {
                let doubt = Doubt::Older {
                    actual: state.serial,
                    kept: *serial,
                };
                return Err(self.doubt(&doubt));
            }
            // A journal older than the state was saved already; only its removal was missed.
            if *serial == state.serial {
                let cut_off = left.open.iter().filter_map(Intent::unfinished);
                for change in left.changes.into_iter().chain(cut_off) {
                    state.change(change);
                }
                open.extend(left.open);
            }
        }
        Ok(Opened {
            state,
            open,
            interrupted: self.journal.is_some(),
            existed,
        })
    }

    /// The existing files, without a check: for those who repair the state.
    pub(super) fn inspect(self) -> Inspected {
        let text = self.text.as_deref();
        let mut moved = None;
        let state = match text.map(format::read) {
            None => Err("it is missing".to_owned()),
            Some(Err(fault)) => {
                let why = fault.to_string();
                if let Fault::Moved(found) = fault {
                    moved = Some(*found);
                }
                Err(why)
            }
            Some(Ok(found)) => Ok(found.state),
        };
        Inspected {
            state,
            missing: text.is_none(),
            moved,
            versions: self.names.into_iter().collect(),
            journal: self.journal,
        }
    }

    fn state(
        &self,
        found: Option<ReadState>,
        left: &Leftover,
        stack: &str,
        env: Option<&str>,
    ) -> Result<State, StoreError> {
        match (check(&self.names, found.as_ref()), found) {
            (Ok(()), Some(found)) => Ok(found.state),
            (Ok(()), None) => {
                let (lineage, serial) = left.from.clone().unwrap_or_else(|| (new_lineage(), 0));
                match serial {
                    0 => Ok(State::empty(stack, env, lineage)),
                    _ => Err(self.doubt(&Doubt::Missing { serial })),
                }
            }
            // Nothing is lost with a state without resources: the new one continues it.
            (Err(doubt @ Doubt::Missing { .. }), _) => {
                let newest = self.newest.as_deref().map(format::read);
                match newest {
                    Some(Ok(newest)) if is_blank(&newest.state) => Ok(newest.state),
                    _ => Err(self.doubt(&doubt)),
                }
            }
            (Err(doubt), _) => Err(self.doubt(&doubt)),
        }
    }

    fn unusable(&self, why: String, next: String) -> StoreError {
        let place = self.place.clone();
        StoreError::Unusable { place, why, next }
    }

    fn fault(&self, fault: &Fault) -> StoreError {
        let place = &self.place;
        let next = match (fault, self.names.last()) {
            (Fault::Newer(_), _) => "Use a newer stackctl.".to_owned(),
            (Fault::Moved(moved), _) => format!(
                "Write `state: \"{0}\"` in the stack file, or pass `--state {0}`.",
                moved.to
            ),
            (Fault::Edited, Some(newest)) => format!(
                "To undo the change run `stackctl state restore {}`; to keep it, `stackctl state restore {place}`.",
                newest.serial
            ),
            (Fault::Edited, None) => {
                format!("To keep the change run `stackctl state restore {place}`.")
            }
            (_, Some(newest)) => restore(newest.serial),
            (_, None) => REBUILD.to_owned(),
        };
        self.unusable(fault.to_string(), next)
    }

    fn doubt(&self, doubt: &Doubt) -> StoreError {
        let place = &self.place;
        let next = match (doubt, self.names.last()) {
            (Doubt::Missing { .. }, Some(newest)) => restore(newest.serial),
            (_, Some(newest)) => format!(
                "Look at what was saved with `stackctl state history`. `stackctl state restore {}` puts the newest version back; `stackctl state restore {place}` goes on from this one.",
                newest.serial
            ),
            (_, None) => REBUILD.to_owned(),
        };
        self.unusable(doubt.to_string(), next)
    }

    fn other_stack(&self, state: &State, stack: &str) -> StoreError {
        let of = match &state.env {
            Some(env) => format!("the stack \"{}\" with --env {env}", state.stack),
            None => format!("the stack \"{}\"", state.stack),
        };
        let why = format!("it belongs to {of}");
        let next = match self.names.last() {
            Some(newest) => restore(newest.serial),
            None => format!(
                "Take the file away if it is a copy; the state of \"{stack}\" starts empty then."
            ),
        };
        self.unusable(why, next)
    }

    fn journal_fault(&self, why: String) -> StoreError {
        StoreError::Unusable {
            place: self.journal_place.clone(),
            why: format!("{why}; it is the journal of an interrupted run"),
            next: REBUILD.to_owned(),
        }
    }
}

/// What is in the place of a state, good or bad.
#[derive(Debug)]
pub struct Inspected {
    /// The state, or why it is none (a clause about "it").
    pub state: Result<State, String>,
    /// Whether no state exists.
    pub missing: bool,
    /// Where the state is, when it was moved away.
    pub moved: Option<Moved>,
    /// The versions that were saved, the oldest first.
    pub versions: Vec<VersionName>,
    /// What an interrupted run left, or why its journal cannot be read.
    pub journal: Option<Result<Leftover, String>>,
}

impl Inspected {
    /// `wanted` as the next version here: the serial continues from the highest one, and what an
    /// interrupted run left is kept.
    ///
    /// # Errors
    /// A clause, when what such a run did would be lost.
    pub fn continued(&self, wanted: State) -> Result<State, String> {
        let mut state = wanted;
        let known = self.state.as_ref().map_or(0, |known| known.serial);
        match &self.journal {
            None => {}
            Some(Err(why)) => {
                return Err(format!(
                    "the journal of an interrupted run cannot be read ({why})"
                ));
            }
            Some(Ok(left)) => match &left.from {
                Some((lineage, serial)) if *lineage == state.lineage && *serial == state.serial => {
                    for change in &left.changes {
                        state.change(change.clone());
                    }
                    keep_open(&mut state, left.open.clone());
                }
                // Its end was saved, and only its removal missed.
                Some((_, serial)) if *serial < known => {}
                None => {}
                Some((_, serial)) => {
                    return Err(format!(
                        "an interrupted run began from serial {serial}, and its journal holds what it did"
                    ));
                }
            },
        }
        let newest = self.versions.last().map_or(0, |newest| newest.serial);
        state.serial = state.serial.max(known).max(newest);
        Ok(state)
    }
}

impl Inspected {
    /// An empty state that continues the serial of the existing one.
    pub fn empty_state(&self, stack: &str, env: Option<&str>, lineage: Option<String>) -> State {
        let lineage = lineage.unwrap_or_else(new_lineage);
        let mut state = State::empty(stack, env, lineage);
        let known = self.state.as_ref().map_or(0, |known| known.serial);
        let newest = self.versions.last().map_or(0, |newest| newest.serial);
        state.serial = known.max(newest);
        state
    }
}

/// Keeps the intents of creates whose end is unknown.
pub(super) fn keep_open(state: &mut State, open: Vec<Intent>) {
    let creates = open.into_iter().filter(|intent| intent.op == "create");
    state.pending.extend(creates);
}

const REBUILD: &str = "Put a copy of the file back, or run `stackctl state rebuild`, which looks for the resources in AWS.";

fn restore(serial: u64) -> String {
    format!(
        "Run `stackctl state restore {serial}` to put the newest version back; `stackctl state history` lists all of them."
    )
}

fn is_blank(state: &State) -> bool {
    state.is_empty() && state.pending.is_empty()
}

pub(super) fn new_lineage() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

//! A state that comes from a file or goes to another place: what speaks against it, the
//! versions that go along, and the mark that stays behind.
//!
//! The copy has the same serial; versions go first, and the mark replaces the state in the old
//! place by the same conditional write as a save. So a copy that was cut off is distinguished from
//! a state of its own by the names of the versions alone, and a run that slept through the move is
//! kept out as by any other save.

use super::error::StoreError;
use super::history::VersionName;
use super::moment::Moment;
use super::moved::Mark;
use super::opened::Inspected;
use super::state::State;
use super::{Place, Store, format, local};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::path::Path;

pub use super::moved::Moved;

/// Why a state cannot become the current one of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, a clause about the existing content.
    pub why: String,
    /// The next step, a sentence.
    pub next: String,
}

fn refuse<T>(why: impl Into<String>, next: impl Into<String>) -> Result<T, Refusal> {
    let (why, next) = (why.into(), next.into());
    Err(Refusal { why, next })
}

impl Inspected {
    /// Whether an interrupted run has left something that the state here does not have yet.
    pub fn is_interrupted(&self) -> bool {
        let known = self.state.as_ref().map_or(0, |known| known.serial);
        match &self.journal {
            None => false,
            Some(Err(_)) => true,
            // Of an older one only the removal was missed.
            Some(Ok(left)) => left.from.as_ref().is_some_and(|from| from.1 >= known),
        }
    }

    /// Whether a state is what the interrupted run here came to: where it could not be saved,
    /// it was written to a file.
    fn is_end_of_run(&self, wanted: &State) -> bool {
        let Some(Ok(left)) = &self.journal else {
            return false;
        };
        let from = left.from.as_ref();
        from.is_some_and(|(lineage, serial)| {
            *lineage == wanted.lineage && serial + 1 == wanted.serial
        })
    }

    /// The serial that `wanted` is to have as the current state here; none: it is that
    /// already. `known`: the versions that `wanted` came from, which may be the newest here.
    /// `force` lets another lineage and a newer state be replaced, and nothing else.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn take(
        &self,
        wanted: &State,
        known: &[VersionName],
        force: bool,
    ) -> Result<Option<u64>, Refusal> {
        if self.is_interrupted() && !self.is_end_of_run(wanted) {
            return refuse(
                "an interrupted run has left its journal there",
                "Run `stackctl apply` with that state first, which recovers it.",
            );
        }
        if let Some(moved) = &self.moved {
            same_stack((&moved.stack, &moved.env), wanted)?;
        }
        match &self.state {
            Ok(there) => {
                same_stack((&there.stack, &there.env), wanted)?;
                same_account(there, wanted)?;
                let serial = there.serial;
                if *wanted
                    == (State {
                        serial: wanted.serial,
                        ..there.clone()
                    })
                    && (serial >= wanted.serial)
                {
                    return Ok(None);
                }
            }
            Err(why) if !self.missing && self.moved.is_none() => {
                return refuse(
                    format!("the existing state cannot be used: {why}"),
                    "`stackctl state history` lists what can be restored there.",
                );
            }
            Err(_) => {}
        }
        let newest = self.versions.last();
        let there = self.state.as_ref().ok().map(|it| (it.serial, &it.lineage));
        let moved = self.moved.as_ref().map(|it| (it.serial, &it.lineage));
        let kept = newest.map(|it| (it.serial, &it.lineage));
        let all = || [there, moved, kept].into_iter().flatten();
        let highest = all().map(|(serial, _)| serial).max().unwrap_or_default();
        if force {
            return Ok(Some(wanted.serial.max(highest + 1)));
        }
        // A version's name has the beginning of it.
        if let Some((_, other)) = all().find(|(_, other)| !wanted.lineage.starts_with(*other)) {
            let why = format!(
                "a state of another lineage exists there ({}, and this one is {})",
                short(other),
                short(&wanted.lineage)
            );
            return refuse(why, FORCE);
        }
        let is_ours = newest.is_some_and(|newest| known.contains(newest));
        let same = there.is_none_or(|(serial, _)| serial < wanted.serial) && is_ours;
        if highest > wanted.serial || (highest == wanted.serial && highest > 0 && !same) {
            let why = format!(
                "serial {highest} was saved there, and this one has serial {}",
                wanted.serial
            );
            return refuse(why, FORCE);
        }
        Ok(Some(wanted.serial))
    }
}

const FORCE: &str = "Compare the two with `stackctl state pull`. With --force this one replaces the existing state, which is kept among the versions.";

fn short(lineage: &str) -> &str {
    lineage.get(..8).unwrap_or(lineage)
}

fn same_stack(there: (&String, &Option<String>), wanted: &State) -> Result<(), Refusal> {
    if there == (&wanted.stack, &wanted.env) {
        return Ok(());
    }
    let env = there.1.as_ref().map(|env| format!(" with --env {env}"));
    let env = env.unwrap_or_default();
    let why = format!("it is the place of the stack \"{}\"{env}", there.0);
    refuse(why, "Name another place.")
}

fn same_account(there: &State, wanted: &State) -> Result<(), Refusal> {
    for (what, old, new) in [
        ("account", &there.account, &wanted.account),
        ("region", &there.region, &wanted.region),
    ] {
        if let (Some(old), Some(new)) = (old, new)
            && old != new
        {
            return refuse(
                format!("the state there is of {what} {old}, and this one of {what} {new}"),
                "Use --env or another place for a second copy of the stack.",
            );
        }
    }
    Ok(())
}

/// Reads a state as it was saved, and the name that a version of it has.
///
/// # Errors
/// A clause about "it", when it is not a state or its checksum does not fit.
pub fn read_saved(text: &[u8]) -> Result<(State, VersionName), String> {
    let found = format::read(text).map_err(|fault| fault.to_string())?;
    let name = VersionName::of(&found.state, &found.checksum);
    Ok((found.state, name))
}

/// Writes a copy of a state to a file of its owner's only, whole or not at all.
///
/// # Errors
/// When the file system refuses.
pub fn write_copy(path: &Path, text: &[u8]) -> Result<(), StoreError> {
    local::write_file(path, text, || Ok(())).map_err(StoreError::io("writing", path))
}

/// How many versions are copied at once.
const AT_ONCE: usize = 32;

/// Copies the versions of `from` that `to` lacks, byte by byte, and reads them back: how many.
/// The lock of `to` is held.
///
/// # Errors
/// When one cannot be read or written.
pub async fn copy_versions(from: &Store, to: &Store) -> Result<usize, StoreError> {
    let there = to.versions().await?;
    let names = from.versions().await?;
    let missing = names.iter().filter(|name| !there.contains(name));
    let copies = stream::iter(missing.map(|name| copy(from, to, name)));
    let copied: Vec<()> = copies.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(copied.len())
}

async fn copy(from: &Store, to: &Store, name: &VersionName) -> Result<(), StoreError> {
    let packed = from.packed(name).await?;
    to.at(Moment::Writing)?;
    match &to.place {
        Place::Local(local) => local.keep_packed(name, &packed)?,
        Place::S3(s3) => s3.keep_packed(name, packed.clone()).await?,
    }
    to.at(Moment::Synced)?;
    if to.packed(name).await? == packed {
        return Ok(());
    }
    Err(StoreError::Unusable {
        place: format!("{} (serial {})", to.name(), name.serial),
        why: "what was read back is not what was written".to_owned(),
        next: "Run the command again.".to_owned(),
    })
}

impl Store {
    /// A version as it is kept.
    async fn packed(&self, name: &VersionName) -> Result<Vec<u8>, StoreError> {
        match &self.place {
            Place::Local(local) => local.packed(name),
            Place::S3(s3) => s3.packed(name).await,
        }
    }

    /// Saves the state with this serial, see [`Store::save`].
    ///
    /// # Errors
    /// As there.
    pub async fn save_as(&self, state: &mut State, serial: u64) -> Result<(), StoreError> {
        state.serial = serial.saturating_sub(1);
        self.save(state).await
    }

    /// Puts the mark in place of the state, which is kept among the versions.
    ///
    /// # Errors
    /// When the place cannot be written, or holds by now what another run saved; the existing
    /// content is untouched then.
    pub async fn retire(&self, moved: Moved) -> Result<(), StoreError> {
        self.at(Moment::Saving)?;
        let mut text = serde_json::to_vec_pretty(&Mark { moved }).unwrap_or_default();
        text.push(b'\n');
        match &self.place {
            Place::Local(local) => local.retire(&text, &self.watch)?,
            Place::S3(s3) => s3.retire(text).await?,
        }
        self.at(Moment::Saved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "11111111111111111111111111111111";
    const TWO: &str = "22222222222222222222222222222222";

    fn state(lineage: &str, serial: u64, account: &str) -> State {
        let mut state = State::empty("s", None, lineage.into());
        state.serial = serial;
        state.account = Some(account.into());
        state
    }

    fn there(state: Result<State, &str>, versions: &[&State]) -> Inspected {
        let missing = state == Err("missing");
        Inspected {
            state: state.map_err(str::to_owned),
            versions: versions.iter().map(|state| name(state)).collect(),
            journal: None,
            moved: None,
            missing,
        }
    }

    fn name(state: &State) -> VersionName {
        let written = format::write(state).expect("a text");
        VersionName::of(state, &written.checksum)
    }

    #[test]
    fn what_is_there_decides_what_may_take_its_place() {
        let (old, new, other) = (state(ONE, 3, "1"), state(ONE, 5, "1"), state(TWO, 9, "1"));
        let take = |there: &Inspected, wanted: &State, force| {
            there.take(wanted, &[name(wanted)], force).ok()
        };
        let nothing = there(Err("missing"), &[]);
        assert_eq!(take(&nothing, &new, false), Some(Some(5)));
        let older = there(Ok(old.clone()), &[&old]);
        assert_eq!(take(&older, &new, false), Some(Some(5)));
        assert_eq!(take(&older, &old, false), Some(None), "it is there already");
        let newer = there(Ok(new.clone()), &[&old, &new]);
        assert_eq!(take(&newer, &state(ONE, 3, "1"), false), Some(None));
        let mut changed = new.clone();
        changed.region = Some("r".into());
        assert_eq!(take(&newer, &changed, false), None, "the same serial");
        assert_eq!(take(&newer, &changed, true), Some(Some(6)));
        assert_eq!(take(&newer, &other, false), None, "another lineage");
        assert_eq!(take(&newer, &other, true), Some(Some(9)));
        // Of a copy that was cut off, only versions exist.
        let cut = there(Err("missing"), &[&old, &new]);
        assert_eq!(take(&cut, &new, false), Some(Some(5)));
        assert_eq!(take(&cut, &changed, false), None);
        let damaged = there(Err("it is empty"), &[&old]);
        assert_eq!(take(&damaged, &new, true), None);
    }

    #[test]
    fn nothing_goes_over_another_stack_or_account() {
        let here = there(Ok(state(ONE, 3, "1")), &[]);
        let take = |wanted: &State| here.take(wanted, &[], true).map_err(|it| it.why);
        let told = take(&state(ONE, 4, "2"));
        assert_eq!(
            told.unwrap_err(),
            "the state there is of account 1, and this one of account 2"
        );
        let mut other = state(ONE, 4, "1");
        other.env = Some("dev".into());
        assert!(take(&other).is_err());
    }

    #[test]
    fn a_mark_is_distinguished_from_a_state() {
        let moved = Moved {
            to: "s3://b/k".into(),
            host: "h".into(),
            at: 1_795_441_289,
            stack: "s".into(),
            env: None,
            lineage: ONE.into(),
            serial: 7,
        };
        let mark = Mark {
            moved: moved.clone(),
        };
        let text = serde_json::to_vec_pretty(&mark).expect("a text");
        let fault = format::read(&text).expect_err("is none");
        assert_eq!(
            fault.to_string(),
            "it was moved to s3://b/k (from h, 2026-11-23 13:41:29 UTC)"
        );
        assert_eq!(fault, format::Fault::Moved(Box::new(moved)));
    }
}

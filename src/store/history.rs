//! The versions of a state that were saved: how they are called and packed, and what they
//! say of a state that is found.
//!
//! A version's name says serial, lineage and checksum, so that a list of names is enough to detect
//! an older, foreign or other state. A save writes the state first and the version then; a reader
//! lists the versions first.

use super::format::ReadState;
use super::state::{MOST_SERIAL, State, is_hex_digit};
use crate::files::{self, Unreadable};
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many versions are kept, where nothing else is said.
pub const KEPT: usize = 50;

/// The name of a saved version: `<serial>-<lineage>-<checksum>.json.gz`, so that a list of names is
/// enough to check a state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionName {
    /// The serial.
    pub serial: u64,
    /// The first 8 characters of the lineage.
    pub lineage: String,
    /// The first 16 digits of the checksum.
    pub checksum: String,
}

/// The ending under which content that is not a state is kept, when a state takes its place.
pub(super) const UNUSABLE: &str = "unusable";

const ENDING: &str = ".json.gz";

impl VersionName {
    /// The name of this state.
    pub fn of(state: &State, checksum: &str) -> Self {
        Self {
            serial: state.serial,
            lineage: state.lineage.chars().take(8).collect(),
            checksum: checksum.chars().take(16).collect(),
        }
    }

    /// The name of a file or S3 object.
    pub fn file_name(&self) -> String {
        let (lineage, checksum) = (&self.lineage, &self.checksum);
        format!("{:010}-{lineage}-{checksum}{ENDING}", self.serial)
    }

    /// Reads such a name; none for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(ENDING)?.splitn(3, '-');
        let serial = parts.next()?;
        let is_hex = |text: &&str, length| text.len() == length && text.bytes().all(is_hex_digit);
        let digits = serial.bytes().all(|byte| byte.is_ascii_digit());
        let serial = serial.parse().ok().filter(|_| digits)?;
        let lineage = parts.next().filter(|text| is_hex(text, 8))?;
        let checksum = parts.next().filter(|text| is_hex(text, 16))?;
        (serial <= MOST_SERIAL).then(|| Self {
            serial,
            lineage: lineage.to_owned(),
            checksum: checksum.to_owned(),
        })
    }
}

/// A saved version.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its serial.
    pub serial: u64,
    /// When it was saved, by the clock of who saved it; seconds since 1970.
    pub saved: u64,
    /// The state.
    pub state: State,
}

/// Packs a state's text; `now` in seconds since 1970 is kept in the header.
///
/// # Errors
/// Never, since it writes to memory.
pub(super) fn pack(text: &[u8], now: u64) -> io::Result<Vec<u8>> {
    let time = u32::try_from(now).unwrap_or(u32::MAX);
    let mut packer = GzBuilder::new()
        .mtime(time)
        .write(Vec::new(), Compression::fast());
    packer.write_all(text)?;
    packer.finish()
}

/// How many bytes the versions may unpack to that one command reads, all together: a small file
/// may stand for a thousand times as many bytes.
#[derive(Debug)]
pub(super) struct Budget {
    most: u64,
    left: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(files::LARGEST_STATE)
    }
}

impl Budget {
    fn of(most: u64) -> Self {
        let left = AtomicU64::new(most);
        Self { most, left }
    }

    /// Unpacks a version: its text, and when it was saved.
    ///
    /// # Errors
    /// When it is not a version, is damaged, or too large: from then on for none.
    pub(super) fn unpack(&self, packed: &[u8]) -> io::Result<(Vec<u8>, u64)> {
        let left = self.left.load(Ordering::Relaxed);
        let mut unpacker = GzDecoder::new(packed);
        let mut text = Vec::new();
        let read = match left {
            0 => Err(Unreadable::Large(0)),
            left => files::read_to_limit(&mut unpacker, left, &mut text),
        };
        let used = text.len() as u64;
        self.left
            .store(left.saturating_sub(used), Ordering::Relaxed);
        match read {
            Ok(()) => {}
            Err(Unreadable::Large(_)) => {
                let why = format!(
                    "with it, the versions that were read would have more than {} bytes",
                    self.most
                );
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
            }
            Err(why) => return Err(why.into()),
        }
        let saved = unpacker.header().map_or(0, flate2::GzHeader::mtime);
        Ok((text, u64::from(saved)))
    }
}

/// What speaks against a state that was found, given the versions saved here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    /// The state is missing.
    #[error("it is missing, and serial {serial} of it was saved here")]
    Missing {
        /// The newest serial.
        serial: u64,
    },
    /// It is of another lineage.
    #[error(
        "it has another lineage ({actual}) than the one that was saved here ({kept}): \
         it was created elsewhere, or again"
    )]
    Foreign {
        /// Its lineage, shortened.
        actual: String,
        /// The known one.
        kept: String,
    },
    /// It is older than what was saved.
    #[error("it is an older version: it has serial {actual}, and serial {kept} was saved here")]
    Older {
        /// Its serial.
        actual: u64,
        /// The newest one.
        kept: u64,
    },
    /// Same serial, other content.
    #[error("it has serial {serial} as the version that was saved here, but other content")]
    Other {
        /// The serial.
        serial: u64,
    },
}

/// Checks a state that was read against the versions saved here. `names` must have been listed
/// before the state was read: a save writes the state first, and its version then.
///
/// # Errors
/// What speaks against it.
pub(super) fn check(names: &BTreeSet<VersionName>, found: Option<&ReadState>) -> Result<(), Doubt> {
    let Some(newest) = names.last() else {
        return Ok(());
    };
    let Some(found) = found else {
        let serial = newest.serial;
        return Err(Doubt::Missing { serial });
    };
    let name = VersionName::of(&found.state, &found.checksum);
    // Two versions may share a serial where a state was restored meanwhile.
    if names.contains(&name) && name.serial == newest.serial {
        return Ok(());
    }
    if name.lineage != newest.lineage {
        return Err(Doubt::Foreign {
            actual: name.lineage,
            kept: newest.lineage.clone(),
        });
    }
    if name.serial < newest.serial {
        return Err(Doubt::Older {
            actual: name.serial,
            kept: newest.serial,
        });
    }
    if name.serial == newest.serial {
        let serial = name.serial;
        return Err(Doubt::Other { serial });
    }
    Ok(())
}

/// Those that have had their time, once there are more than `kept`.
pub(super) fn outdated(
    names: &BTreeSet<VersionName>,
    kept: usize,
) -> impl Iterator<Item = &VersionName> {
    names.iter().take(names.len().saturating_sub(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_state(serial: u64, lineage: &str, checksum: &str) -> ReadState {
        let mut state = State::empty("s", None, lineage.into());
        state.serial = serial;
        let checksum = checksum.to_owned();
        ReadState { state, checksum }
    }

    #[test]
    fn what_was_saved_shows_what_is_wrong() {
        let kept: BTreeSet<VersionName> = [
            read_state(2, "aaaaaaaa", "aa"),
            read_state(3, "aaaaaaaa", "bb"),
        ]
        .iter()
        .map(|found| VersionName::of(&found.state, &found.checksum))
        .collect();
        let check = |found: &ReadState| check(&kept, Some(found));
        assert_eq!(check(&read_state(3, "aaaaaaaa", "bb")), Ok(()));
        assert_eq!(
            check(&read_state(4, "aaaaaaaa", "cc")),
            Ok(()),
            "saved by a colleague"
        );
        assert!(matches!(
            check(&read_state(2, "aaaaaaaa", "aa")),
            Err(Doubt::Older { actual: 2, kept: 3 })
        ));
        assert!(matches!(
            check(&read_state(3, "aaaaaaaa", "cc")),
            Err(Doubt::Other { serial: 3 })
        ));
        assert!(matches!(
            check(&read_state(9, "bbbbbbbb", "dd")),
            Err(Doubt::Foreign { .. })
        ));
        assert_eq!(super::check(&kept, None), Err(Doubt::Missing { serial: 3 }));
        assert_eq!(super::check(&BTreeSet::new(), None), Ok(()));
    }

    #[test]
    fn a_name_says_it_all() {
        let name = VersionName::of(
            &read_state(7, "0123456789", &"ab".repeat(32)).state,
            &"ab".repeat(32),
        );
        assert_eq!(
            name.file_name(),
            "0000000007-01234567-abababababababab.json.gz"
        );
        assert_eq!(VersionName::parse(&name.file_name()), Some(name));
        assert_eq!(VersionName::parse("notes.txt"), None);
    }

    #[test]
    fn a_version_is_packed_and_unpacked() {
        let packed = pack(b"{}", 1_800_000_000).unwrap();
        let budget = Budget::default();
        let unpacked = budget.unpack(&packed).unwrap();
        assert_eq!(unpacked, (b"{}".to_vec(), 1_800_000_000));
        assert!(budget.unpack(&packed[..packed.len() - 3]).is_err());
    }

    #[test]
    fn the_versions_of_one_command_have_one_budget() {
        let packed = pack(b"{}", 1).unwrap();
        let budget = Budget::of(5);
        assert!(budget.unpack(&packed).is_ok() && budget.unpack(&packed).is_ok());
        for _ in 0..2 {
            let why = budget.unpack(&packed).unwrap_err().to_string();
            assert!(why.ends_with("would have more than 5 bytes"), "{why}");
        }
    }

    #[test]
    fn what_stackctl_does_not_write_names_no_version() {
        let hex = "0123456789abcdef";
        for name in [
            format!("18446744073709551615-01234567-{hex}.json.gz"),
            format!("9007199254740993-01234567-{hex}.json.gz"),
            format!("+000000007-01234567-{hex}.json.gz"),
            format!("0000000007-/../../x-{hex}.json.gz"),
            format!("0000000007-0123456-{hex}.json.gz"),
            format!("0000000007-0123456G-{hex}.json.gz"),
            format!("0000000007-ABCDEF01-{hex}.json.gz"),
            "0000000007-01234567-0123.json.gz".to_owned(),
            format!("0000000007-01234567-{hex}/.json.gz"),
        ] {
            assert_eq!(VersionName::parse(&name), None, "{name}");
        }
    }
}

//! The file itself: written beside and renamed, readable by its owner only, with a checksum, so
//! that a torn or edited one is distinguished from one that is stale; and with the state's key a
//! message authentication code, since everyone can write a checksum.

use super::{KIND, SavedPlan, VERSION};
use crate::files::{self, Unreadable};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Why a saved plan could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("{0}")]
    Foreign(String),
    /// It was one, and is damaged.
    #[error("{0}")]
    Damaged(String),
    /// It is of another version.
    #[error("it has format {version}, and this version reads format {VERSION}")]
    Version {
        /// The format found.
        version: u64,
    },
}

/// Reads a saved plan.
///
/// # Errors
/// When it does not exist, is not a saved plan, is damaged, or has another format.
pub fn read(path: &Path) -> Result<SavedPlan, FileError> {
    match files::read(path, files::LARGEST_STATE) {
        Ok(bytes) => parse(&bytes),
        Err(why @ (Unreadable::Large(_) | Unreadable::Special | Unreadable::System)) => {
            Err(FileError::Foreign(io::Error::from(why).to_string()))
        }
        Err(why) => Err(FileError::Io(why.into())),
    }
}

/// The first line: what it is, and the checksum of the bytes below. Numbers need not survive
/// reading and writing to the last bit, so the sum is that of bytes and not of values.
#[derive(Serialize, Deserialize)]
struct Header {
    kind: String,
    version: u64,
    #[serde(default)]
    checksum: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
}

/// What the first line says of the rest, and of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// The code; none where the state of the plan had no key.
    pub mac: Option<String>,
    /// What it is the code of: all of the file.
    pub text: String,
}

/// What the code covers: the checksum stands for all below it.
fn authenticated(version: u64, checksum: &str) -> String {
    format!("{KIND} {version} {checksum}")
}

fn parse(bytes: &[u8]) -> Result<SavedPlan, FileError> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    if !start.contains(KIND) {
        return Err(FileError::Foreign("it is no saved plan".to_owned()));
    }
    let damaged = |why: String| FileError::Damaged(format!("it was cut off or altered: {why}"));
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
    let line = line.trim_ascii_end();
    let line = line.strip_suffix(b",").unwrap_or(line);
    let header: Header = serde_json::from_slice(&[line, b"}"].concat())
        .map_err(|_| damaged("its first line is not what stackctl writes".to_owned()))?;
    if header.kind != KIND {
        return Err(FileError::Foreign("it is no saved plan".to_owned()));
    }
    if header.version != u64::from(VERSION) {
        return Err(FileError::Version {
            version: header.version,
        });
    }
    if header.checksum != checksum(rest) {
        return Err(damaged("the checksum does not fit".to_owned()));
    }
    let mut plan: SavedPlan = serde_json::from_slice(&[b"{", rest].concat())
        .map_err(|error| damaged(error.to_string()))?;
    plan.mark = Mark {
        text: authenticated(header.version, &header.checksum),
        mac: header.mac,
    };
    Ok(plan)
}

fn checksum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Refuses to write over something that is not a saved plan, such as the stack file.
///
/// # Errors
/// A clause that says why.
pub fn check_target(path: &Path) -> Result<(), String> {
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let folder = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(format!("the folder {} does not exist", folder.display()));
    }
    match read(path) {
        Ok(_) | Err(FileError::Damaged(_) | FileError::Version { .. }) => Ok(()),
        Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(FileError::Io(error)) => Err(error.to_string()),
        Err(FileError::Foreign(_)) => {
            Err("there is a file of that name, and it is no saved plan".to_owned())
        }
    }
}

/// Writes a saved plan, whole or not at all. `mac` computes the code of a string, where there is a
/// key.
///
/// # Errors
/// When the file system refuses.
pub fn write(
    path: &Path,
    plan: &SavedPlan,
    mac: &dyn Fn(&str) -> Option<String>,
) -> io::Result<()> {
    let text = format!("{:#}\n", serde_json::to_value(plan)?);
    let rest = text.strip_prefix("{\n").unwrap_or(&text);
    let checksum = checksum(rest.as_bytes());
    let header = serde_json::to_string(&Header {
        kind: KIND.to_owned(),
        version: VERSION.into(),
        mac: mac(&authenticated(VERSION.into(), &checksum)),
        checksum,
    })?;
    let header = header.strip_suffix('}').unwrap_or(&header);
    let folder = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    // A temporary file has mode 0600.
    let mut file = files::temporary(folder, ".plan")?;
    file.write_all(format!("{header},\n{rest}").as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

//! The files below a folder, by the names that they get in an archive. Links are followed, but
//! never out of the folder.

use super::patterns::Patterns;
use crate::content::FROM_THE_STACK_FILE;
use crate::files;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The most files that one archive holds. Folders with links to one another can yield far more than
/// exist.
const MOST: usize = 200_000;

/// Why a name cannot be that of a file in an archive, as a clause about "it"; none where it can.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let parts = || name.split('/');
    if name.chars().any(char::is_control) {
        Some("it has a control character")
    } else if name.contains('\\') {
        Some("it has a backslash")
    } else if parts().any(|part| matches!(part, "" | "." | "..")) {
        Some("it does not stay in the archive's folder")
    } else if matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic()) {
        Some("it begins with a drive letter")
    } else {
        None
    }
}

/// Why Windows does not unpack a file under this name, as a clause about "it".
pub fn windows_fault(name: &str) -> Option<&'static str> {
    let other = |part: &str| part.ends_with(['.', ' ']) || is_device(part);
    if name.contains([':', '<', '>', '"', '|', '?', '*']) {
        Some("it has a character that Windows has in no name")
    } else if name.split('/').any(other) {
        Some("Windows takes it for another name")
    } else {
        None
    }
}

/// Whether Windows opens a device of its own under this name, whatever its ending.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let numbered = |name: &str| {
        let number = stem.strip_prefix(name);
        number.is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9']))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// What is below a folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// The folder's own place, links followed.
    pub root: PathBuf,
    /// The files: where each one is, links followed, by its name in the archive.
    pub files: BTreeMap<String, PathBuf>,
    /// What cannot go in, and why.
    pub faults: Vec<Fault>,
}

/// Something that cannot go into an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// A sentence without a full stop.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Fault {
    fn new(message: String, help: &str) -> Self {
        Self {
            message,
            help: help.to_owned(),
        }
    }
}

/// Lists a folder, without what the patterns exclude. All that cannot be included is reported.
pub fn list(folder: &Path, patterns: &Patterns) -> Listing {
    let mut walk = Walk {
        patterns,
        listing: Listing::default(),
    };
    match root(folder) {
        Ok(root) => {
            walk.listing.root.clone_from(&root);
            walk.folder(folder, "", &[root]);
        }
        Err(fault) => walk.listing.faults.push(fault),
    }
    walk.listing
}

/// The folder's own place.
fn root(folder: &Path) -> Result<PathBuf, Fault> {
    let shown = folder.display();
    let told = |error: io::Error| {
        let message = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                format!("the folder {shown} does not exist")
            }
            _ => format!("the folder {shown} cannot be read: {error}"),
        };
        Fault::new(message, FROM_THE_STACK_FILE)
    };
    let root = std::fs::canonicalize(folder).map_err(told)?;
    if !std::fs::metadata(&root).map_err(told)?.is_dir() {
        return Err(Fault::new(
            format!("{shown} is not a folder"),
            FROM_THE_STACK_FILE,
        ));
    }
    // The project is the current folder. A path that is written to lead out of it shows where.
    let project = std::path::absolute(".").map_err(told)?;
    let project = std::fs::canonicalize(project).map_err(told)?;
    let written = files::plain(&std::path::absolute(folder).map_err(told)?);
    if written.starts_with(&project) && !root.starts_with(&project) {
        return Err(Fault::new(
            format!("the link {shown} leads out of the project's folder"),
            "put the folder itself there, or name the path that it leads to",
        ));
    }
    Ok(root)
}

struct Walk<'p> {
    patterns: &'p Patterns,
    listing: Listing,
}

impl Walk<'_> {
    fn fault(&mut self, message: String, help: &str) {
        self.listing.faults.push(Fault::new(message, help));
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let message = format!("{} cannot be read: {error}", path.display());
        self.fault(message, "make it readable, or leave it out with excludes");
    }

    /// Adds a folder whose entries are named `prefix…`. `around` are the folders that it lies in,
    /// itself the last, links followed.
    fn folder(&mut self, folder: &Path, prefix: &str, around: &[PathBuf]) {
        let items = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut items = match items {
            Ok(items) => items,
            Err(error) => return self.unreadable(folder, &error),
        };
        items.sort_by_key(std::fs::DirEntry::file_name);
        for item in items {
            let path = item.path();
            let Some(name) = item
                .file_name()
                .to_str()
                .map(|name| format!("{prefix}{name}"))
            else {
                let message = format!("the file name {} is not UTF-8", path.display());
                self.fault(message, "rename it, or leave it out with excludes");
                continue;
            };
            if self.listing.files.len() >= MOST {
                let message = format!("{} holds more than {MOST} files", folder.display());
                return self.fault(message, "leave some out with excludes");
            }
            match item.file_type() {
                Ok(kind) => self.item(&path, name, kind, around),
                Err(error) => self.unreadable(&path, &error),
            }
        }
    }

    fn item(&mut self, path: &Path, name: String, kind: std::fs::FileType, around: &[PathBuf]) {
        // Whether a link leads to a folder is known once it is followed.
        let leads_to_folder = || kind.is_symlink() && path.is_dir();
        if self
            .patterns
            .leave_out(&name, kind.is_dir() || leads_to_folder())
        {
            return;
        }
        let above = around.last().map_or(Path::new(""), PathBuf::as_path);
        let mut place = above.join(path.file_name().unwrap_or_default());
        if kind.is_symlink() {
            match self.followed(path, around) {
                Some(found) => place = found,
                None => return,
            }
        }
        if place.is_dir() {
            let mut around = around.to_vec();
            around.push(place.clone());
            return self.folder(path, &format!("{name}/"), &around);
        }
        if let Some(why) = name_fault(&name) {
            let message = format!("{name:?} is no name for a file in an archive: {why}");
            return self.fault(message, "rename it, or leave it out with excludes");
        }
        if !place.is_file() {
            let message = format!("{} is not a regular file", path.display());
            return self.fault(message, "leave it out with excludes");
        }
        self.listing.files.insert(name, place);
    }

    /// Where a link leads to, within the folder.
    fn followed(&mut self, path: &Path, around: &[PathBuf]) -> Option<PathBuf> {
        const HELP: &str = "put the file itself there, or leave the link out with excludes";
        let shown = path.display();
        let fault = match std::fs::canonicalize(path) {
            Ok(place) if !place.starts_with(&self.listing.root) => {
                format!("the link {shown} leads out of the folder")
            }
            Ok(place) if around.iter().any(|folder| folder.starts_with(&place)) => {
                format!("the link {shown} leads to a folder that it lies in")
            }
            Ok(place) => return Some(place),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                format!("the link {shown} leads to a file that does not exist")
            }
            Err(error) => format!("the link {shown} cannot be followed: {error}"),
        };
        self.fault(fault, HELP);
        None
    }
}

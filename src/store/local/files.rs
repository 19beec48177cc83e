//! Files that are whole or not there, readable by their owner only, and durable.

use crate::files;
use crate::store::error::StoreError;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How files that are being written are called.
const UNFINISHED: &str = ".unfinished-";

/// Puts a file in its place: written beside, synced, renamed, and the folder synced. `staged`
/// is called between writing and renaming.
///
/// # Errors
/// When the disk is full or missing; the old content is untouched then.
pub(in crate::store) fn write(
    path: &Path,
    text: &[u8],
    staged: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let dir = folder(path);
    let mut file = files::temporary(dir, UNFINISHED)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    staged()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_dir(path)
}

/// Removes what a run that died left half written in the folder of `path`. For the holder
/// of the lock.
pub(super) fn sweep(path: &Path) {
    for entry in std::fs::read_dir(folder(path))
        .into_iter()
        .flatten()
        .flatten()
    {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            // It is in nobody's way.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Creates a folder of stackctl's own, see [`files::folder`].
///
/// # Errors
/// When it cannot be created, is a link, or is open to others and somebody else's.
pub(super) fn own_dir(dir: &Path) -> Result<(), StoreError> {
    files::folder(dir).map_err(StoreError::io("creating the folder", dir))
}

/// Creates the folder of a state and those above it; new ones are their owner's only. In its usual
/// place it is stackctl's own, and closed to others where it existed before. A link to a folder is
/// a user's wish: states may be kept on another disk.
///
/// # Errors
/// When it cannot be created.
pub(super) fn state_dir(dir: &Path, usual: bool) -> Result<(), StoreError> {
    if usual && !dir.is_symlink() {
        return own_dir(dir);
    }
    files::new_folders(dir).map_err(StoreError::io("creating the folder", dir))
}

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> &Path {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    dir.unwrap_or_else(|| Path::new("."))
}

/// Makes the entry of `path` in its folder durable.
///
/// # Errors
/// When the folder does not exist.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Whether `path` still leads to this open file: neither the file nor a folder above it was
/// removed, renamed or replaced.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (Ok(ours), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else {
            return false;
        };
        (ours.dev(), ours.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        file.metadata().is_ok() && path.exists()
    }
}

/// Where a link leads, so that a state that is linked to is replaced in its own place.
pub(super) fn target(path: &Path) -> PathBuf {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
        }
        _ => path.to_owned(),
    }
}

/// The content of a state file, which may be a link to one; none where it does not exist.
///
/// # Errors
/// When it is not a regular file, is too large, or cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    missing_as_none(path, files::read(path, files::LARGEST_STATE))
}

/// The content of a file beside the state, which is not a link; none where it does not exist.
///
/// # Errors
/// When it is not a regular file, is too large, or cannot be read.
pub(super) fn read_own(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    missing_as_none(path, files::read_own(path, files::LARGEST_STATE))
}

fn missing_as_none(
    path: &Path,
    read: Result<Vec<u8>, files::Unreadable>,
) -> Result<Option<Vec<u8>>, StoreError> {
    match read {
        Ok(text) => Ok(Some(text)),
        Err(files::Unreadable::Missing) => Ok(None),
        Err(why) => Err(StoreError::io("reading", path)(why.into())),
    }
}

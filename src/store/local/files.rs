//! Files that are whole or not there, readable by their owner only, and durable.

use crate::store::StoreError;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How files that are being written are called.
const UNFINISHED: &str = ".unfinished-";

/// Puts a file in its place: written beside, synced, renamed, and the folder synced. `staged`
/// is called between writing and renaming.
///
/// # Errors
/// When the disk is full or gone; what was there is untouched then.
pub(in crate::store) fn write(
    path: &Path,
    text: &[u8],
    staged: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let dir = folder(path);
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(dir)?;
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

/// Makes a folder and those above it; new ones are their owner's only.
///
/// # Errors
/// When that is not possible.
pub(super) fn make_dir(dir: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    builder
        .create(dir)
        .map_err(StoreError::io("making the folder", dir))
}

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> &Path {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    dir.unwrap_or_else(|| Path::new("."))
}

/// Makes a new file readable by its owner only.
pub(super) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
}

/// Makes the entry of `path` in its folder durable.
///
/// # Errors
/// When the folder is gone.
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

/// The content of a file; none where there is none.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match std::fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("reading", path)(error)),
    }
}

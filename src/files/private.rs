//! Files and folders that are their owner's only, from the first byte, at any umask.

use super::{Unreadable, not_through_links, regular};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use tempfile::NamedTempFile;

/// The folder of all that stackctl keeps for itself; nothing from there on is a link.
const OWN: &str = ".stackctl";

/// Opens a file that stackctl keeps for itself for reading and writing, or creates it.
///
/// # Errors
/// When a link is in its place, it is no regular file, or cannot be opened.
pub fn open_for_writing(path: &Path) -> Result<File, Unreadable> {
    match open_to_change(path) {
        Err(Unreadable::Missing) => writable(path, true),
        opened => opened,
    }
}

/// The same of a file that exists.
///
/// # Errors
/// When it does not, a link is in its place, it is no regular file, or cannot be opened.
pub fn open_to_change(path: &Path) -> Result<File, Unreadable> {
    // Looked at first: to open a device may do something.
    regular(&std::fs::symlink_metadata(path)?)?;
    writable(path, false)
}

fn writable(path: &Path, create: bool) -> Result<File, Unreadable> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(create)
        .truncate(false);
    let file = not_through_links(mode(&mut options)).open(path)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

/// Creates a file to append to; one that exists already is an error.
///
/// # Errors
/// When the file exists, or cannot be created.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).append(true);
    let file = mode(&mut options).open(path)?;
    tighten(&file)?;
    Ok(file)
}

/// A new file in a folder, to be renamed once it is whole.
///
/// # Errors
/// When it cannot be created.
pub fn temporary(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix(prefix)
        .tempfile_in(folder)?;
    tighten(file.as_file())?;
    Ok(file)
}

#[cfg(unix)]
fn mode(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn mode(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Closes an open file to all but its owner, who can read and write it at any umask.
///
/// # Errors
/// When it belongs to somebody else.
pub fn tighten(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o777 != 0o600 {
            file.set_permissions(PermissionsExt::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Creates a folder that is its owner's only, and those above it. One that exists and is open to
/// others is closed to them; so are those above it, from `.stackctl` on, none of which may be
/// a link.
///
/// # Errors
/// When it cannot be created, is a link, or belongs to somebody else.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut own: Vec<&Path> = path.ancestors().collect();
    let from = own
        .iter()
        .position(|path| path.file_name().is_some_and(|name| name == OWN));
    own.truncate(from.map_or(1, |from| from + 1));
    if let Some(above) = own.last().and_then(|path| path.parent()) {
        new_folders(above)?;
    }
    own.into_iter().rev().try_for_each(own_folder)
}

fn own_folder(path: &Path) -> io::Result<()> {
    new_folders(path)?;
    let about = std::fs::symlink_metadata(path)?;
    let wrong = |why: &str| {
        let why = format!("{} {why}", path.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    };
    if about.is_symlink() {
        return wrong("is a link: stackctl keeps what may be secret in a folder of its own");
    }
    if !about.is_dir() {
        return wrong("is not a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = about.permissions().mode() & 0o777;
        let private = PermissionsExt::from_mode(0o700);
        if mode == 0o700 {
            return Ok(());
        }
        if let Err(error) = std::fs::set_permissions(path, private) {
            if error.kind() != io::ErrorKind::PermissionDenied {
                return Err(error);
            }
            return wrong(&format!(
                "is open to others (mode {mode:03o}) and belongs to another user"
            ));
        }
    }
    Ok(())
}

/// Creates a folder and those above it that do not exist; they are their owner's only.
///
/// # Errors
/// When one cannot be created.
pub fn new_folders(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        new_folders(above)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask may have taken the owner's own.
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700))?;
    }
    Ok(())
}

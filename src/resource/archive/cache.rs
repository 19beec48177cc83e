//! The archives in stackctl's own folder, each named after its content. A read builds them again
//! from their sources, so that nothing is lost when one is deleted.
//!
//! A plan writes archives here alone. Where a data source has a file to write (`writesFile`), the
//! plan reads the cached archive in its place (`LocalFiles::stand_in`), lists the file
//! (`Plan.files`), and apply writes it before the first step. An archive that stackctl wrote is
//! known by its bytes: the same ones come out when it is packed again. What no state in `state/`
//! names goes at the end of an apply, unless another command holds the folder's lock.

use super::secret_name;
use crate::files::{self, plain};
use crate::resource::context::Cx;
use crate::resource::error::Error;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The folder under `.stackctl`.
const FOLDER: &str = "archive";

/// No archive that stackctl reads again has more bytes.
pub const LARGEST: u64 = 2 << 30;

/// The file in that folder on which all commands that need its contents hold a shared lock.
const LOCK: &str = "lock";

/// The locks of this process, which last as long as it does: what it wrote is read until then.
static IN_USE: Mutex<BTreeMap<PathBuf, File>> = Mutex::new(BTreeMap::new());

fn in_use() -> MutexGuard<'static, BTreeMap<PathBuf, File>> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps others from deleting archives in the folder.
fn use_folder(folder: &Path) -> io::Result<()> {
    let mut in_use = in_use();
    if !in_use.contains_key(folder) {
        let lock = files::open_for_writing(&folder.join(LOCK))?;
        files::tighten(&lock)?;
        lock.lock_shared()?;
        in_use.insert(folder.to_owned(), lock);
    }
    Ok(())
}

/// Where the archive with this SHA-256 (in hex) is kept.
///
/// # Errors
/// When there is a secret in the archive, and the key to its name cannot be kept.
pub fn place(cx: &Cx, hash: &str) -> io::Result<PathBuf> {
    Ok(cx.work_dir.join(FOLDER).join(name(cx, hash)?))
}

/// An archive that a secret is in is named after a hash that is keyed with what this folder alone
/// has: anybody who sees a name could try guesses against one that is not.
fn name(cx: &Cx, hash: &str) -> io::Result<String> {
    let hash = match cx.is_secret {
        true => secret_name::of(&cx.work_dir.join(FOLDER), hash)?,
        false => hash.to_owned(),
    };
    Ok(format!("{}.zip", hash.get(..32).unwrap_or(&hash)))
}

fn not_kept(cx: &Cx, error: &io::Error) -> Error {
    let folder = cx.work_dir.join(FOLDER);
    Error::with_hint(
        format!(
            "the archive could not be kept in {}: {error}",
            folder.display()
        ),
        "Make the folder writable and its owner's only.",
    )
}

/// Keeps an archive, unless it exists already; never leaves half of it. Returns its path from the
/// stack's folder: relative, so that it is the same in another checkout and a plan there shows no
/// change.
///
/// # Errors
/// When it cannot be written, or its path is no UTF-8.
pub fn keep(cx: &Cx, hash: &str, bytes: &[u8]) -> Result<String, Error> {
    let path = place(cx, hash).map_err(|error| not_kept(cx, &error))?;
    let write = || -> io::Result<()> {
        let folder = cx.work_dir.join(FOLDER);
        files::folder(&folder)?;
        use_folder(&folder)?;
        if files::read_own(&path, LARGEST).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let mut file = files::temporary(&folder, ".new-")?;
        file.write_all(bytes)?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| {
        Error::with_hint(
            format!(
                "the archive could not be written to {}: {error}",
                path.display()
            ),
            "Make the folder writable and its owner's only.",
        )
    })?;
    own_path(cx, hash)
}

/// The archive with this SHA-256.
///
/// # Errors
/// When it was deleted or changed since it was written.
pub fn read(cx: &Cx, hash: &str) -> Result<Vec<u8>, Error> {
    let path = place(cx, hash).map_err(|error| not_kept(cx, &error))?;
    let changed = |why: String| Error::with_hint(why, "Run the command again.");
    let bytes = files::read_own(&path, LARGEST).map_err(|why| changed(why.describe(&path)))?;
    match hex::encode(Sha256::digest(&bytes)) == hash {
        true => Ok(bytes),
        false => Err(changed(format!(
            "{} was changed since it was written",
            path.display()
        ))),
    }
}

fn own_path(cx: &Cx, hash: &str) -> Result<String, Error> {
    let told = |error: io::Error| Error::failed(format!("the current folder is unknown: {error}"));
    let folder = std::path::absolute(&cx.work_dir).map_err(told)?;
    let base = std::path::absolute(&cx.stack_dir).map_err(told)?;
    let path = relative(&plain(&folder), &plain(&base))
        .join(FOLDER)
        .join(name(cx, hash).map_err(|error| not_kept(cx, &error))?);
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::with_hint(
            format!("the path {} is no UTF-8", path.display()),
            "Set outputPath.",
        )
    })
}

/// `path` as seen from `base`; both absolute and plain.
fn relative(path: &Path, base: &Path) -> PathBuf {
    let shared = path
        .components()
        .zip(base.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = base.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

/// Deletes the archives that none of these strings (the states of the project) names, once no other
/// command uses the folder. One that stays does no harm: all do without the strings, which are
/// asked for where there are archives.
pub fn sweep(work_dir: &Path, states: impl FnOnce() -> Option<Vec<Vec<u8>>>) {
    let folder = work_dir.join(FOLDER);
    // This command has done with it.
    in_use().remove(&folder);
    let lock = files::open_to_change(&folder.join(LOCK));
    let Some(lock) = lock.ok().filter(|lock| lock.try_lock().is_ok()) else {
        return;
    };
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_archive = |name: &String| {
        let hash = name.strip_suffix(".zip");
        hash.is_some_and(|hash| hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let archives: Vec<String> = names.filter(is_archive).collect();
    let states = match archives.is_empty() {
        true => None,
        false => states(),
    };
    if let Some(states) = states {
        let is_needed = |name: &&String| {
            let mut states = states.iter();
            states.any(|text| memchr::memmem::find(text, name.as_bytes()).is_some())
        };
        for name in archives.iter().filter(|name| !is_needed(name)) {
            let _ = std::fs::remove_file(folder.join(name));
        }
    }
    // Closing the file would give it back, too.
    let _ = lock.unlock();
}

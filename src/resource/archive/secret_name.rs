//! The key to the names of archives that a secret is in.

use crate::files;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::{self, Write};
use std::path::Path;

/// The file, beside the archives.
const FILE: &str = "names.key";

/// In bytes.
const LENGTH: usize = 32;

/// The hash (in hex) keyed, in hex.
///
/// # Errors
/// When the key cannot be read or kept.
pub(super) fn of(folder: &Path, hash: &str) -> io::Result<String> {
    let key = key(folder)?;
    // HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(io::Error::other)?;
    mac.update(hash.as_bytes());
    Ok(hex::encode(mac.finalize().into_bytes()))
}

/// Random bytes, drawn when they are first needed. Of two runs that draw at the same time one wins.
fn key(folder: &Path) -> io::Result<Vec<u8>> {
    let path = folder.join(FILE);
    let read = || {
        let key = files::read_own(&path, 2 * LENGTH as u64);
        let key = key.map_err(|why| io::Error::other(why.describe(&path)))?;
        let fits = key.len() == LENGTH;
        let damaged = || io::Error::other(format!("{} is damaged; delete it", path.display()));
        fits.then_some(key).ok_or_else(damaged)
    };
    if path.symlink_metadata().is_ok() {
        return read();
    }
    files::folder(folder)?;
    let key: [u8; LENGTH] = rand::random();
    let mut file = files::temporary(folder, ".new-")?;
    file.write_all(&key)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(key.to_vec()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => read(),
        Err(error) => Err(error.error),
    }
}

//! A function's code, unpacked: `functions/{hash of the zip}` below the cloud's folder. It is
//! unpacked once, to a folder that gets its name when it is whole.

use crate::files;
use bytes::Bytes;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// How much the files of a zip may be together, in bytes (Lambda developer guide, "Lambda
/// quotas": deployment package, unzipped).
const UNPACKED: u64 = 250 << 20;

/// The folder below the cloud's that all is unpacked in.
pub(super) fn folder(cloud: &Path) -> PathBuf {
    cloud.join("functions")
}

/// The folder of a zip, by its name in the store; unpacked, if it is not yet.
pub(super) fn unpacked(
    cloud: &Path,
    name: &str,
    zip: impl FnOnce() -> Option<Bytes>,
) -> io::Result<PathBuf> {
    let all = folder(cloud);
    let place = all.join(name);
    if place.is_dir() {
        return place.canonicalize();
    }
    files::folder(&all)?;
    let bytes = zip().ok_or_else(|| invalid("its zip is not in the local cloud's folder"))?;
    let unfinished = tempfile::Builder::new().prefix(".new-").tempdir_in(&all)?;
    unpack(&bytes, unfinished.path())?;
    match fs::rename(unfinished.path(), &place) {
        Ok(()) => {}
        // Another process was faster.
        Err(_) if place.is_dir() => {}
        Err(error) => return Err(error),
    }
    place.canonicalize()
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

fn unpack(bytes: &[u8], to: &Path) -> io::Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| invalid(format!("its zip cannot be read: {error}")))?;
    let mut left = UNPACKED;
    for at in 0..archive.len() {
        let mut entry = archive
            .by_index(at)
            .map_err(|error| invalid(format!("its zip cannot be read: {error}")))?;
        let Some(name) = entry.enclosed_name() else {
            return Err(invalid("its zip has a file outside of its folder"));
        };
        let path = to.join(name);
        if entry.is_dir() {
            fs::create_dir_all(&path)?;
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut limited = entry.by_ref().take(left + 1);
        let mut file = File::create_new(&path)?;
        let size = io::copy(&mut limited, &mut file)?;
        left = left
            .checked_sub(size)
            .ok_or_else(|| invalid(format!("its zip unpacks to more than {UNPACKED} bytes")))?;
        permit(&file, entry.unix_mode())?;
    }
    Ok(())
}

/// Files that may be run stay so; all of them can be read.
#[cfg(unix)]
fn permit(file: &File, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let runs = mode.is_some_and(|mode| mode & 0o111 != 0);
    let mode = if runs { 0o700 } else { 0o600 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn permit(_file: &File, _mode: Option<u32>) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn zip(files: &[(&str, &str, u32)]) -> Bytes {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text, mode) in files {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            zip.start_file(*name, options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner().into()
    }

    #[test]
    fn a_zip_is_unpacked_once() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = zip(&[("app.py", "x", 0o644), ("in/bootstrap", "y", 0o755)]);
        let place = unpacked(dir.path(), "a", || Some(bytes)).unwrap();
        assert_eq!(fs::read_to_string(place.join("app.py")).unwrap(), "x");
        let again = unpacked(dir.path(), "a", || panic!("unpacked twice")).unwrap();
        assert_eq!(again, place);
        let left = fs::read_dir(folder(dir.path())).unwrap().count();
        assert_eq!(left, 1, "nothing unfinished stays");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |name: &str| place.join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode("in/bootstrap") & 0o777, 0o700);
            assert_eq!(mode("app.py") & 0o777, 0o600);
        }
    }

    #[test]
    fn a_zip_stays_in_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["../out", "/tmp/../../out", "a/../../out"] {
            let bytes = zip(&[(name, "x", 0o644)]);
            let result = unpacked(dir.path(), "a", || Some(bytes));
            if let Ok(place) = result {
                assert!(
                    place.starts_with(dir.path().canonicalize().unwrap()),
                    "{name}"
                );
                fs::remove_dir_all(place).unwrap();
            }
            assert!(!dir.path().join("out").exists(), "{name}");
            assert!(!folder(dir.path()).join("out").exists(), "{name}");
        }
        let broken = unpacked(dir.path(), "b", || Some(Bytes::from_static(b"PK no zip")));
        assert_eq!(broken.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

//! Writes a zip file that is the same to the byte for the same entries.

use super::files::{Entries, Entry};
use crate::resource::error::Error;
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

/// The level of compression. A change of it, or of the Deflate crate, changes every hash.
const LEVEL: i64 = 6;

/// Writes the entries in the order of their names' bytes, all with the same date.
///
/// # Errors
/// When the zip format cannot hold them.
pub fn write(entries: Entries) -> Result<Vec<u8>, Error> {
    let told = |error: &dyn std::fmt::Display| {
        Error::failed(format!("the archive could not be put together: {error}"))
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, entry) in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(DateTime::default())
            .system(System::Unix)
            .unix_permissions(entry.mode)
            .large_file(u32::try_from(entry.bytes.len()).is_err());
        zip.start_file(name, options)
            .map_err(|error| told(&error))?;
        zip.write_all(&entry.bytes).map_err(|error| told(&error))?;
    }
    Ok(zip.finish().map_err(|error| told(&error))?.into_inner())
}

/// Whether these are the bytes of an archive that stackctl wrote: it would write the same ones for
/// what is in it. So nothing can stand before or behind the entries, or between them.
pub fn is_ours(bytes: &[u8]) -> bool {
    entries(bytes)
        .and_then(|entries| write(entries).ok())
        .is_some_and(|again| again == bytes)
}

/// What is in a zip file; none where it is none, or unpacks to far more than stackctl packs.
fn entries(bytes: &[u8]) -> Option<Entries> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let (mut entries, mut left) = (Entries::new(), super::files::LARGEST);
    for index in 0..zip.len() {
        let file = zip.by_index(index).ok()?;
        let name = file.name().ok()?.into_owned();
        let mode = file.unix_mode()? & 0o777;
        let mut bytes = Vec::new();
        file.take(left + 1).read_to_end(&mut bytes).ok()?;
        left = left.checked_sub(bytes.len() as u64)?;
        entries.insert(name, Entry { mode, bytes });
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let entry = |mode, text: &str| Entry {
            mode,
            bytes: text.as_bytes().to_vec(),
        };
        write(Entries::from([
            ("a.py".to_owned(), entry(0o644, "print(1)\n")),
            ("bin/ü".to_owned(), entry(0o755, &"x".repeat(100_000))),
            ("empty".to_owned(), entry(0o600, "")),
        ]))
        .unwrap()
    }

    #[test]
    fn an_archive_of_stackctl_is_known_by_its_bytes() {
        let ours = archive();
        assert!(is_ours(&ours));
        assert!(is_ours(&write(Entries::new()).unwrap()));
        assert!(!is_ours(b"PK\x03\x04 and then something else"));
        assert!(!is_ours(b""));
        assert!(!is_ours(&[b"#!/bin/sh\n", &ours[..]].concat()));
        assert!(!is_ours(&[&ours[..], b"\nmore"].concat()));
        assert!(!is_ours(&ours[..ours.len() - 1]));
    }

    #[test]
    fn an_archive_of_another_tool_is_not() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file("a.py", options).unwrap();
        zip.write_all(b"print(1)\n").unwrap();
        assert!(!is_ours(&zip.finish().unwrap().into_inner()));
    }
}

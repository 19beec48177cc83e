//! Writes a zip file that is the same to the byte for the same entries.

use super::files::Entries;
use crate::resource::error::Error;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

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

//! What goes into an archive: names, modes and contents.

use super::glob::Glob;
use crate::resource::archive_get_file::GetFile;
use crate::resource::error::Error;
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::Path;

/// The mode of a file that nobody runs.
const PLAIN: u32 = 0o644;

/// The mode of a file that its owner may run.
const EXECUTABLE: u32 = 0o755;

/// One file of an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The permission bits.
    pub mode: u32,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Files by name, in the order of the names' bytes.
pub type Entries = BTreeMap<String, Entry>;

/// Gathers what the arguments name; relative paths start from `base`.
///
/// # Errors
/// When not exactly one source is given, a file cannot be read, is a symbolic link or has a
/// name that is no UTF-8, a name would leave the archive or comes twice, or there is nothing.
pub fn collect(base: &Path, args: &GetFile) -> Result<Entries, Error> {
    one_source(args)?;
    let mut entries = Entries::new();
    if let Some(folder) = &args.source_dir {
        let excludes = args.excludes.iter().flatten();
        let excludes = excludes
            .map(|pattern| Glob::new(pattern))
            .collect::<Result<Vec<_>, _>>()?;
        walk(&base.join(folder), "", &excludes, &mut entries)?;
    } else if let Some(file) = &args.source_file {
        let path = base.join(file);
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::failed(format!("{file} names no file")))?;
        entries.insert(name.to_owned(), read(&path)?);
    }
    for source in args.source.iter().flatten() {
        put(&mut entries, &source.filename, &source.content)?;
    }
    if let (Some(content), Some(name)) = (&args.source_content, &args.source_content_filename) {
        put(&mut entries, name, content)?;
    }
    if entries.is_empty() {
        return Err(Error::with_hint(
            "the archive would hold no file",
            "Check sourceDir and excludes.",
        ));
    }
    if let Some(mode) = &args.output_file_mode {
        let mode = u32::from_str_radix(mode, 8)
            .map_err(|error| Error::failed(format!("outputFileMode {mode}: {error}")))?;
        entries.values_mut().for_each(|entry| entry.mode = mode);
    }
    Ok(entries)
}

fn one_source(args: &GetFile) -> Result<(), Error> {
    let given = [
        args.source_dir.is_some(),
        args.source_file.is_some(),
        args.source.is_some(),
        args.source_content.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() != 1 {
        return Err(Error::failed(
            "exactly one of sourceDir, sourceFile, source and sourceContent is given",
        ));
    }
    if args.source_content.is_some() != args.source_content_filename.is_some() {
        return Err(Error::failed(
            "sourceContent and sourceContentFilename go together",
        ));
    }
    if args.excludes.is_some() && args.source_dir.is_none() {
        return Err(Error::failed("excludes goes with sourceDir only"));
    }
    Ok(())
}

fn walk(
    folder: &Path,
    prefix: &str,
    excludes: &[Glob],
    entries: &mut Entries,
) -> Result<(), Error> {
    let listing = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for item in listing {
        let item = item.map_err(|error| unreadable(folder, &error))?;
        let path = item.path();
        let name = item.file_name();
        let name = name.to_str().ok_or_else(|| {
            Error::failed(format!("the file name {} is no UTF-8", path.display()))
        })?;
        let inside = format!("{prefix}{name}");
        if excludes.iter().any(|glob| glob.matches(&inside)) {
            continue;
        }
        let kind = item
            .file_type()
            .map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            walk(&path, &format!("{inside}/"), excludes, entries)?;
        } else {
            entries.insert(inside, read(&path)?);
        }
    }
    Ok(())
}

/// A file's content and mode. Links are refused: what they lead to may differ from machine
/// to machine, and may lie outside of the folder.
fn read(path: &Path) -> Result<Entry, Error> {
    let about = std::fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
    if about.is_symlink() {
        return Err(Error::with_hint(
            format!(
                "{} is a symbolic link, which an archive does not take",
                path.display()
            ),
            "Put the file itself there, or leave the link out with excludes.",
        ));
    }
    if !about.is_file() {
        return Err(Error::failed(format!("{} is no file", path.display())));
    }
    Ok(Entry {
        mode: if is_executable(&about) {
            EXECUTABLE
        } else {
            PLAIN
        },
        bytes: std::fs::read(path).map_err(|error| unreadable(path, &error))?,
    })
}

#[cfg(unix)]
fn is_executable(about: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o100 != 0
}

/// Windows keeps no such mark; `outputFileMode` says it there.
#[cfg(not(unix))]
fn is_executable(_about: &Metadata) -> bool {
    false
}

fn put(entries: &mut Entries, name: &str, content: &str) -> Result<(), Error> {
    let fits = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !fits || name.contains('\\') {
        return Err(Error::with_hint(
            format!("{name:?} is no name for a file in an archive"),
            "Use a relative path with forward slashes, without . and ..",
        ));
    }
    let entry = Entry {
        mode: PLAIN,
        bytes: content.as_bytes().to_vec(),
    };
    if entries.insert(name.to_owned(), entry).is_some() {
        return Err(Error::failed(format!("{name} comes twice in the archive")));
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::with_hint(
        format!("{} could not be read: {error}", path.display()),
        "Check the path; it starts from the stack file's folder.",
    )
}

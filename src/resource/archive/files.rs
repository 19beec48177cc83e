//! What goes into an archive: names, modes and contents.

use super::arguments::GetFile;
use super::folder::{self, Fault, Listing};
use super::patterns::Patterns;
use crate::content::{self, Finding};
use crate::data;
use crate::files::{self, Unreadable};
use crate::resource::error::Error;
use crate::severity::Severity;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The mode of a file that nobody runs.
const PLAIN: u32 = 0o644;

/// The mode of a file that its owner may run.
const EXECUTABLE: u32 = 0o755;

/// No archive holds more than this many bytes: it is held in memory.
pub(super) const LARGEST: u64 = 1 << 30;

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
/// When not exactly one source is given, a file cannot be read or has a name that is no UTF-8, a
/// link leads out of the folder, a name would leave the archive or comes twice, or no file is
/// found.
pub fn collect(base: &Path, args: &GetFile) -> Result<Entries, Error> {
    one_source(args)?;
    let mut entries = Entries::new();
    if let Some(folder) = &args.source_dir {
        let patterns = patterns(args).map_err(|found| Error::failed(found.message))?;
        let Listing {
            root,
            files,
            faults,
        } = folder::list(&base.join(folder), &patterns);
        if let Some(fault) = faults.into_iter().next() {
            return Err(Error::with_hint(fault.message, fault.help));
        }
        let mut left = LARGEST;
        for (name, path) in files {
            // Not through a link that was put there since the folder was listed.
            let entry = read(&path, files::open_beneath(&root, &path), left)?;
            left -= entry.bytes.len() as u64;
            entries.insert(name, entry);
        }
    } else if let Some(file) = &args.source_file {
        let path = base.join(file);
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::failed(format!("{file} names no file")))?;
        check_name(name, None)?;
        entries.insert(name.to_owned(), read(&path, files::open(&path), LARGEST)?);
    }
    for source in args.source.iter().flatten() {
        put(&mut entries, &source.filename, &source.content)?;
    }
    if let (Some(content), Some(name)) = (&args.source_content, &args.source_content_filename) {
        put(&mut entries, name, content)?;
    }
    if entries.is_empty() {
        let Fault { message, help } = nothing(&args.source_dir);
        return Err(Error::with_hint(message, help));
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

fn nothing(folder: &Option<String>) -> Fault {
    Fault {
        message: format!(
            "the archive of {} would hold no file",
            folder.as_deref().unwrap_or("these strings")
        ),
        help: "check sourceDir and excludes".to_owned(),
    }
}

fn patterns(args: &GetFile) -> Result<Patterns, Finding> {
    let texts = args.excludes.as_deref().unwrap_or_default();
    Patterns::new(texts).map_err(|(index, why)| Finding {
        path: data::Path::root().join("excludes").join(index),
        severity: Severity::Error,
        message: format!("the pattern {:?} cannot be understood: {why}", texts[index]),
        help: None,
    })
}

/// The names of the files that the archive of these arguments has; none where they are not known.
/// Nothing but folders is read.
pub fn names(base: &Path, args: &Value) -> Option<BTreeSet<String>> {
    let args: GetFile = serde_json::from_value(args.clone()).ok()?;
    one_source(&args).ok()?;
    if let Some(folder) = &args.source_dir {
        let patterns = patterns(&args).ok()?;
        let listing = folder::list(&base.join(folder), &patterns);
        let is_whole = listing.faults.is_empty();
        return is_whole.then(|| listing.files.into_keys().collect());
    }
    let mut names = BTreeSet::new();
    if let Some(file) = &args.source_file {
        let path = base.join(file);
        names.insert(path.file_name()?.to_str()?.to_owned());
    }
    for source in args.source.iter().flatten() {
        names.insert(source.filename.clone());
    }
    names.extend(args.source_content_filename);
    Some(names)
}

/// What is wrong with the files that the arguments name. A pattern that matches nothing is a
/// warning: what it should exclude is included.
pub fn findings(base: &Path, args: &GetFile) -> Vec<Finding> {
    let at = |name: &str, Fault { message, help }: Fault| Finding {
        path: data::Path::root().join(name),
        severity: Severity::Error,
        message,
        help: Some(help),
    };
    if let Some(file) = &args.source_file {
        let path = base.join(file);
        let why = files::open(&path).err();
        let message = why.map(|why| why.describe(&path));
        let help = content::FROM_THE_STACK_FILE.to_owned();
        return message
            .map(|message| at("sourceFile", Fault { message, help }))
            .into_iter()
            .collect();
    }
    let Some(folder) = &args.source_dir else {
        return Vec::new();
    };
    let patterns = match patterns(args) {
        Ok(patterns) => patterns,
        Err(finding) => return vec![finding],
    };
    let listing = folder::list(&base.join(folder), &patterns);
    let mut found: Vec<Finding> = listing
        .faults
        .into_iter()
        .map(|fault| at("sourceDir", fault))
        .collect();
    if found.is_empty() {
        if listing.files.is_empty() {
            found.push(at("sourceDir", nothing(&args.source_dir)));
        }
        found.extend(unused(folder, args, &patterns, &listing.files));
    }
    found
}

/// What tools leave behind now and then: a pattern for that is right even while nothing matches it.
const BY_PRODUCTS: &[&str] = &[
    "__pycache__",
    "*.pyc",
    "*.pyo",
    "*.py[co]",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".DS_Store",
    "Thumbs.db",
    "*.swp",
    "*~",
];

/// Warnings for the patterns that match nothing.
fn unused(
    folder: &str,
    args: &GetFile,
    patterns: &Patterns,
    files: &BTreeMap<String, PathBuf>,
) -> Vec<Finding> {
    let texts = args.excludes.as_deref().unwrap_or_default();
    let by_product = |index: &usize| {
        let names = texts[*index].trim_end_matches("/**").trim_end_matches('/');
        let last = names.rsplit('/').next().unwrap_or_default();
        BY_PRODUCTS.contains(&last)
    };
    let unused = patterns.unused().into_iter();
    unused
        .filter(|index| !by_product(index))
        .map(|index| {
            let text = &texts[index];
            let deeper = format!("**/{}", text.trim_start_matches('/'));
            let fits = |deeper: &Patterns| {
                let parts = |name: &str| -> Vec<String> {
                    name.match_indices('/').map(|(at, _)| name[..at].to_owned()).collect()
                };
                files.keys().any(|name| {
                    deeper.leave_out(name, false)
                        || parts(name).iter().any(|folder| deeper.leave_out(folder, true))
                })
            };
            let deeper_fits = Patterns::new(std::slice::from_ref(&deeper)).is_ok_and(|it| fits(&it));
            Finding {
                path: data::Path::root().join("excludes").join(index),
                severity: Severity::Warning,
                message: format!("the pattern {text:?} matches nothing in {folder}: it keeps no file out of the archive"),
                help: Some(match deeper_fits {
                    true => format!("did you mean {deeper:?}? A pattern without it starts from the folder"),
                    false => "patterns start from the folder, as in .gitignore".to_owned(),
                }),
            }
        })
        .collect()
}

/// A file's content and mode.
fn read(path: &Path, opened: Result<File, Unreadable>, most: u64) -> Result<Entry, Error> {
    let told = |why: Unreadable| match why {
        Unreadable::Large(_) => Error::with_hint(
            format!(
                "the archive would hold more than {LARGEST} bytes, with {}",
                path.display()
            ),
            "Leave large files out with excludes; the archive is held in memory.",
        ),
        Unreadable::Link => Error::with_hint(
            format!(
                "{} was replaced by a link while the archive was built",
                path.display()
            ),
            "Run the command again when nobody changes the folder.",
        ),
        why => Error::with_hint(
            why.describe(path),
            "Check the path; it starts from the stack file's folder.",
        ),
    };
    let file = opened.map_err(told)?;
    let about = file
        .metadata()
        .map_err(|error| told(io::Error::into(error)))?;
    let bytes = files::read_open(&file, most).map_err(told)?;
    Ok(Entry {
        mode: if is_executable(&about) {
            EXECUTABLE
        } else {
            PLAIN
        },
        bytes,
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

/// Refuses a name that would leave the folder where the archive is unpacked, or that a terminal or
/// a shell would not take for one; `other` is what else speaks against it.
fn check_name(name: &str, other: Option<&str>) -> Result<(), Error> {
    match folder::name_fault(name).or(other) {
        None => Ok(()),
        Some(why) => Err(Error::with_hint(
            format!("{name:?} is no name for a file in an archive: {why}"),
            "Use a relative path with forward slashes, without . and ..",
        )),
    }
}

fn put(entries: &mut Entries, name: &str, content: &str) -> Result<(), Error> {
    check_name(name, folder::windows_fault(name))?;
    let entry = Entry {
        mode: PLAIN,
        bytes: content.as_bytes().to_vec(),
    };
    if entries.insert(name.to_owned(), entry).is_some() {
        return Err(Error::failed(format!("{name} comes twice in the archive")));
    }
    Ok(())
}

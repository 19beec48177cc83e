//! The file that `outputPath` names: written by an apply, inside the project's folder, over nothing
//! or over an archive that stackctl wrote.

use super::cache::LARGEST;
use super::{folder::Fault, zip_file};
use crate::content::Finding;
use crate::data;
use crate::files::{self, Unreadable, plain};
use crate::resource::context::Cx;
use crate::resource::error::Error;
use crate::severity::Severity;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What is wrong with the path, before anything is written.
pub fn finding(base: &Path, path: Option<&str>) -> Option<Finding> {
    let path = path?;
    // Before anything is read the project is the current folder.
    let fault = target(Path::new("."), base, path)
        .and_then(|place| free(path, &place, None))
        .err()?;
    Some(Finding {
        path: data::Path::root().join("outputPath"),
        severity: Severity::Error,
        message: fault.message,
        help: Some(fault.help),
    })
}

/// Writes the archive; nothing where the file has this content already.
///
/// # Errors
/// When the path leaves the project's folder, a file exists that stackctl did not write, or the
/// file system refuses.
pub fn write(cx: &Cx, path: &str, bytes: &[u8]) -> Result<(), Error> {
    let refused = |fault: Fault| Error::with_hint(fault.message, fault.help);
    let project = cx.work_dir.parent().unwrap_or(Path::new(""));
    let place = target(&Path::new(".").join(project), &cx.stack_dir, path).map_err(refused)?;
    if free(path, &place, Some(bytes)).map_err(refused)? {
        return Ok(());
    }
    let folder = place.parent().unwrap_or(Path::new("."));
    let put = || -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        // A folder that was replaced by a link since it was read.
        if std::fs::canonicalize(folder)? != folder {
            return Err(io::Error::other("its folder became a link"));
        }
        let mut file = files::temporary(folder, ".stackctl-")?;
        file.write_all(bytes)?;
        file.persist(&place).map_err(|error| error.error)?;
        Ok(())
    };
    put().map_err(|error| {
        Error::with_hint(
            format!("the archive could not be written to {path}: {error}"),
            "Make the folder writable, or change outputPath.",
        )
    })
}

fn fault<T>(message: String, help: &str) -> Result<T, Fault> {
    let help = help.to_owned();
    Err(Fault { message, help })
}

/// Where the file is, links followed: in the project's folder.
fn target(project: &Path, base: &Path, path: &str) -> Result<PathBuf, Fault> {
    const WHERE: &str = "name a file of the project, such as ../build/code.zip; the path starts \
                         from the stack file's folder";
    let unknown = |error: io::Error| Fault {
        message: format!("the folder of {path:?} cannot be looked at: {error}"),
        help: WHERE.to_owned(),
    };
    let named = plain(&std::path::absolute(base.join(path)).map_err(unknown)?);
    let is_zip = named
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
    if !is_zip || path.chars().any(char::is_control) {
        return fault(format!("{path:?} does not end in .zip"), WHERE);
    }
    let project = std::fs::canonicalize(project).map_err(unknown)?;
    let (folder, name) = (named.parent(), named.file_name());
    let (Some(folder), Some(name)) = (folder, name) else {
        return fault(format!("{path:?} names no file"), WHERE);
    };
    let exists = |folder: &&Path| folder.symlink_metadata().is_ok();
    let known = folder.ancestors().find(exists).unwrap_or(Path::new("/"));
    let new = folder.strip_prefix(known).unwrap_or(Path::new(""));
    let place = std::fs::canonicalize(known).map_err(unknown)?;
    let place = place.join(new).join(name);
    let Ok(within) = place.strip_prefix(&project) else {
        return fault(
            format!("{path:?} is outside of the project's folder, which nothing is written to"),
            WHERE,
        );
    };
    if within.starts_with(".stackctl") || within.starts_with(".git") {
        return fault(format!("{path:?} is in a folder of another purpose"), WHERE);
    }
    Ok(place)
}

/// Whether the file has this content already; false: it may be written.
fn free(path: &str, place: &Path, bytes: Option<&[u8]>) -> Result<bool, Fault> {
    const HELP: &str = "move it away, or change outputPath";
    match files::read_own(place, LARGEST) {
        Err(Unreadable::Missing) => Ok(false),
        Ok(there) if bytes.is_some_and(|bytes| bytes == there) => Ok(true),
        Ok(there) if zip_file::is_ours(&there) => Ok(false),
        Ok(_) => fault(
            format!("{path:?} exists, and stackctl did not write it"),
            HELP,
        ),
        Err(why) => fault(why.describe(place), HELP),
    }
}

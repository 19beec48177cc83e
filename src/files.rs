//! Files that are opened with care, in one place for all of stackctl. What is read is a regular
//! file, opened once and read to a limit: a pipe, a device or a file of the operating system never
//! is. What stackctl writes for itself is its owner's only from the first byte, at any umask, and
//! no link is followed to it.
//!
//! `state/` may be a link to a folder; `.stackctl/` and what is in it may not. Existing files with
//! wider permissions are closed to others.

mod private;
#[cfg(all(test, unix))]
pub(crate) mod racing;

pub use private::{
    create, folder, new_folders, open_for_writing, open_to_change, temporary, tighten,
};

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// No state, saved version of one, journal or saved plan is read beyond this many bytes.
pub const LARGEST_STATE: u64 = 1 << 30;

/// No key, list of ids, certificate bundle or file of AWS profiles is read beyond this many bytes.
pub const LARGEST_SETTINGS: u64 = 16 << 20;

/// Why a file, or a folder, cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It does not exist.
    Missing,
    /// It is a folder.
    Folder,
    /// It is neither a file nor a folder.
    Special,
    /// It is not a file on a disk: the operating system generates its content.
    System,
    /// It is a link, where none is followed.
    Link,
    /// It has more than so many bytes.
    Large(u64),
    /// The system says why.
    Io(io::Error),
}

impl Unreadable {
    /// The sentence, without a full stop.
    pub fn describe(&self, path: &Path) -> String {
        let path = path.display();
        match self {
            Self::Missing => format!("the file {path} does not exist"),
            Self::Folder => format!("{path} is a folder, expected a file"),
            Self::Special => format!("{path} is not a regular file"),
            Self::System => format!("{path} is not a regular file: it is one of the system's own"),
            Self::Link => format!("{path} is a link, expected a file"),
            Self::Large(most) => format!("the file {path} has more than {most} bytes"),
            Self::Io(error) => format!("the file {path} cannot be read: {error}"),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            _ if is_link(&error) => Self::Link,
            _ => Self::Io(error),
        }
    }
}

/// The reason as a clause about "it", for those who name the file themselves.
impl From<Unreadable> for io::Error {
    fn from(why: Unreadable) -> Self {
        let clause = match why {
            Unreadable::Io(error) => return error,
            // ENOENT, and the same number on Windows.
            Unreadable::Missing => return Self::from_raw_os_error(2),
            Unreadable::Folder => "it is a folder, expected a file".to_owned(),
            Unreadable::Special => "it is not a regular file".to_owned(),
            Unreadable::System => {
                "it is not a regular file: it is one of the system's own".to_owned()
            }
            Unreadable::Link => "it is a link, expected a file".to_owned(),
            Unreadable::Large(most) => format!("it has more than {most} bytes"),
        };
        Self::new(io::ErrorKind::InvalidInput, clause)
    }
}

#[cfg(unix)]
fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
fn is_link(_error: &io::Error) -> bool {
    false
}

/// Opens a file that a person named, links followed. A pipe or a device, whose reading might never
/// end, is refused unread.
///
/// # Errors
/// When it is not a regular file, or cannot be opened.
pub fn open(path: &Path) -> Result<File, Unreadable> {
    // Looked at first: to open a device may do something.
    regular(&std::fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    opened(path, at_once(options.read(true)))
}

/// Opens a file that stackctl wrote itself: as [`open`], and where a link is in its place it is
/// refused.
///
/// # Errors
/// When it is not a regular file, or cannot be opened.
pub fn open_own(path: &Path) -> Result<File, Unreadable> {
    regular(&std::fs::symlink_metadata(path)?)?;
    let mut options = OpenOptions::new();
    opened(path, not_through_links(options.read(true)))
}

fn opened(path: &Path, options: &OpenOptions) -> Result<File, Unreadable> {
    let file = options.open(path)?;
    // Of what was opened: another file may stand there by now.
    regular(&file.metadata()?)?;
    match is_of_the_system(&file, path) {
        true => Err(Unreadable::System),
        false => Ok(file),
    }
}

fn regular(about: &Metadata) -> Result<(), Unreadable> {
    if about.is_symlink() {
        return Err(Unreadable::Link);
    }
    if about.is_dir() {
        return Err(Unreadable::Folder);
    }
    match about.is_file() {
        true => Ok(()),
        false => Err(Unreadable::Special),
    }
}

/// To open does not wait for the other end of a pipe, and takes no terminal.
#[cfg(unix)]
fn at_once(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed())
}

#[cfg(unix)]
fn not_through_links(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    options.custom_flags(flags.bits().cast_signed())
}

#[cfg(not(unix))]
fn at_once(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(not(unix))]
fn not_through_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// File systems without a disk, by their magic numbers (`linux/magic.h`): the kernel generates the
/// content of their files, which may be secret, endless, or have an effect when it is read.
#[cfg(target_os = "linux")]
const VIRTUAL: &[u32] = &[
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0x6265_6570, // configfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0xcafe_4a11, // bpf
    0x1cd1,      // devpts
    0xde5e_81e4, // efivarfs
    0xf97c_ff8c, // selinux
    0x1980_0202, // mqueue
];

#[cfg(target_os = "linux")]
fn is_of_the_system(file: &File, path: &Path) -> bool {
    let made_up = rustix::fs::fstatfs(file).is_ok_and(|about| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the kind has 32 bits, in whatever type the platform has it"
        )]
        let kind = about.f_type as u32;
        VIRTUAL.contains(&kind)
    });
    made_up || is_of_dev(path)
}

#[cfg(not(target_os = "linux"))]
fn is_of_the_system(_file: &File, path: &Path) -> bool {
    is_of_dev(path)
}

/// Of `/dev` only its memory disk holds ordinary files.
fn is_of_dev(path: &Path) -> bool {
    let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    place.starts_with("/dev") && !place.starts_with("/dev/shm")
}

/// The content of a file that a person named, links followed; at most so many bytes.
///
/// # Errors
/// When it is not a regular file, has more bytes, or cannot be read.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    read_open(&open(path)?, most)
}

/// The content of a file that stackctl wrote itself; at most so many bytes.
///
/// # Errors
/// When a link is in its place, it is not a regular file, has more bytes, or cannot be read.
pub fn read_own(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    read_open(&open_own(path)?, most)
}

/// What is left of an open file; at most so many bytes.
///
/// # Errors
/// When it has more, or cannot be read.
pub fn read_open(file: &File, most: u64) -> Result<Vec<u8>, Unreadable> {
    let size = file.metadata()?.len();
    if size > most {
        return Err(Unreadable::Large(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    read_to_limit(file, most, &mut bytes)?;
    Ok(bytes)
}

/// Appends what is left of a stream, such as stdin; at most so many bytes.
///
/// # Errors
/// When it has more, or cannot be read.
pub fn read_to_limit(stream: impl Read, most: u64, bytes: &mut Vec<u8>) -> Result<(), Unreadable> {
    let read = stream.take(most.saturating_add(1)).read_to_end(bytes)?;
    match read as u64 > most {
        true => Err(Unreadable::Large(most)),
        false => Ok(()),
    }
}

/// The text of a file that a person named; at most so many bytes.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String, Unreadable> {
    let bytes = read(path, most)?;
    String::from_utf8(bytes).map_err(|error| {
        let error = io::Error::new(io::ErrorKind::InvalidData, error);
        Unreadable::Io(error)
    })
}

/// Opens a file below a folder without following a link on the way: one that was put there since
/// `place` was found (absolute, links followed) is refused.
///
/// # Errors
/// When a link is on the way, it is not a regular file, or cannot be opened.
#[cfg(unix)]
pub fn open_beneath(folder: &Path, place: &Path) -> Result<File, Unreadable> {
    use rustix::fs::{Mode, OFlags};
    let below = place.strip_prefix(folder).map_err(|_| Unreadable::Link)?;
    let parts: Vec<Component<'_>> = below.components().collect();
    let flags = OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    // The folder's own place is known with its links followed: it is not a link, unless one was put
    // there.
    let first = rustix::fs::open(
        folder,
        flags | OFlags::RDONLY | OFlags::DIRECTORY,
        Mode::empty(),
    );
    let mut at = File::from(first.map_err(io::Error::from)?);
    for (index, part) in parts.iter().enumerate() {
        let Component::Normal(name) = part else {
            return Err(Unreadable::Link);
        };
        let flags = match index + 1 == parts.len() {
            true => flags | OFlags::RDONLY,
            false => flags | OFlags::RDONLY | OFlags::DIRECTORY,
        };
        let found = rustix::fs::statat(&at, *name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
            .map_err(io::Error::from)?;
        match rustix::fs::FileType::from_raw_mode(found.st_mode) {
            rustix::fs::FileType::RegularFile | rustix::fs::FileType::Directory => {}
            rustix::fs::FileType::Symlink => return Err(Unreadable::Link),
            _ => return Err(Unreadable::Special),
        }
        let next = rustix::fs::openat(&at, *name, flags, Mode::empty());
        at = File::from(next.map_err(io::Error::from)?);
    }
    regular(&at.metadata()?)?;
    match is_of_the_system(&at, place) {
        true => Err(Unreadable::System),
        false => Ok(at),
    }
}

/// The same, where folders cannot be walked one by one.
///
/// # Errors
/// When a link is in its place, it is not a regular file, or cannot be opened.
#[cfg(not(unix))]
pub fn open_beneath(folder: &Path, place: &Path) -> Result<File, Unreadable> {
    match place.starts_with(folder) {
        true => open_own(place),
        false => Err(Unreadable::Link),
    }
}

/// A path without `.` and `..`, without a look at the disk.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

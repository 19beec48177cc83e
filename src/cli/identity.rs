//! The user's own age identity, in the user's configuration folder. The first secret that is to
//! be kept creates it, where no other key is given.
//!
//! A command that only reads creates none. Where the plan shows a secret, the key is named before
//! the first call, so that a mistake costs no call.

use super::output;
use crate::files::{self, Unreadable};
use crate::store::key::Given;
use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The variables that give a key in place of the user's own, for messages.
pub(super) const VARIABLES: &str =
    "STACKCTL_STATE_PASSPHRASE, STACKCTL_STATE_KEY_FILE or STACKCTL_STATE_KEY";

/// The identity, where there is one, and what a state says of where it is.
///
/// # Errors
/// A clause, where something else than the user's own file is in its place.
pub(super) fn find() -> Result<Option<(Identity, String)>, String> {
    let Ok(path) = path() else { return Ok(None) };
    read_own(&path)
}

/// The identity; created where it does not exist, and then reported to the user.
///
/// # Errors
/// A clause that says why that is not possible.
pub(super) fn find_or_create() -> Result<(Identity, String), String> {
    let path = path()?;
    if let Some(found) = read_own(&path)? {
        return Ok(found);
    }
    outside_of_project(&path)?;
    create(&path)?;
    let (identity, made_in) = read_own(&path)?
        .ok_or_else(|| format!("{} was removed while it was created", display(&path)))?;
    output::message(&announcement(&path, &identity));
    Ok((identity, made_in))
}

fn announcement(path: &Path, identity: &Identity) -> String {
    format!(
        "The secrets of this state are encrypted with a key that was created for you now:\n\
         \x20 identity:  {path} (readable by you only)\n\
         \x20 recipient: {recipient}\n\
         Back this file up: without it the secrets are lost. It serves all your states.\n\
         To share the state, run `stackctl state rekey --add age1…` with the recipient of each \
         person and of CI. CI gives its identity in STACKCTL_STATE_KEY, or in a file with \
         --state-key; with STACKCTL_STATE_PASSPHRASE set from the start, all share a passphrase.\n",
        path = display(path),
        recipient = identity.to_public()
    )
}

/// Where the identity is, or is to be.
fn path() -> Result<PathBuf, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = match variable("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => match variable("HOME") {
            Some(home) => PathBuf::from(home).join(".config"),
            None => return Err("neither HOME nor XDG_CONFIG_HOME is set".to_owned()),
        },
    };
    if !folder.is_absolute() {
        return Err(format!(
            "the configuration folder {} is not an absolute path",
            folder.display()
        ));
    }
    Ok(folder.join("stackctl").join("identity.txt"))
}

/// The path as people read it: the home folder, which has the user's name, is `~`.
fn display(path: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let below = home.as_ref().and_then(|home| path.strip_prefix(home).ok());
    match below {
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}

fn read_own(path: &Path) -> Result<Option<(Identity, String)>, String> {
    let name = display(path);
    let failed = |why: &str| format!("the identity in {name} cannot be used: {why}");
    let unreadable = |why: Unreadable| failed(&std::io::Error::from(why).to_string());
    let file = match files::open_own(path) {
        Ok(file) => file,
        Err(Unreadable::Missing) => return Ok(None),
        Err(why) => return Err(unreadable(why)),
    };
    let about = file
        .metadata()
        .map_err(|error| failed(&error.to_string()))?;
    private(&about, 0o077).map_err(failed)?;
    let bytes = files::read_open(&file, files::LARGEST_SETTINGS).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8"))?;
    let given = Given::key_file(&text).map_err(|why| failed(&why))?;
    let identity = given.identities.into_iter().next();
    let identity = identity.ok_or_else(|| failed("it has no age identity"))?;
    Ok(Some((identity, format!("{name} on {}", host()))))
}

/// Whether it is the user's own, and others have none of these rights to it.
#[cfg(unix)]
fn private(about: &Metadata, rights: u32) -> Result<(), &'static str> {
    use std::os::unix::fs::MetadataExt;
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user");
    }
    match about.mode() & rights {
        0 => Ok(()),
        _ => Err("others may read or write it (chmod go= takes that away)"),
    }
}

#[cfg(not(unix))]
fn private(_about: &Metadata, _rights: u32) -> Result<(), &'static str> {
    Ok(())
}

/// Refuses to create the identity inside of the project, where it would be committed with it.
fn outside_of_project(path: &Path) -> Result<(), String> {
    let error = |error: std::io::Error| format!("the current folder cannot be read: {error}");
    let project = std::env::current_dir().map_err(error)?;
    let real = |path: &Path| {
        let mut above = path.ancestors();
        above.find_map(|at| {
            let rest = path.strip_prefix(at).ok()?;
            Some(at.canonicalize().ok()?.join(rest))
        })
    };
    let project = real(&project).unwrap_or(project);
    let place = real(path).unwrap_or_else(|| path.to_owned());
    if place.starts_with(&project) || path.starts_with(&project) {
        return Err(format!(
            "{} lies in the project's folder, and a key must not be kept beside what it protects",
            display(path)
        ));
    }
    Ok(())
}

fn create(path: &Path) -> Result<(), String> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        format!("{} cannot be created: {what}{error}", display(path))
    };
    files::folder(folder).map_err(|error| failed("its folder: ", &error))?;
    let about = std::fs::metadata(folder).map_err(|error| failed("its folder: ", &error))?;
    private(&about, 0o022).map_err(|why| failed("its folder: ", &why))?;
    let identity = Identity::generate();
    let secret = identity.to_string();
    let text = format!(
        "# The key to the secrets of your stackctl states. Back it up: without it they are lost.\n\
         # public key: {}\n{}\n",
        identity.to_public(),
        secret.expose_secret()
    );
    // It is whole before it has the name, which no other file may have: whoever was faster wins.
    let io = |error: std::io::Error| failed("", &error);
    let mut file = files::temporary(folder, ".identity").map_err(io)?;
    file.write_all(text.as_bytes()).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io(error.error)),
    }
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io)
}

/// A variable of the environment.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// What this machine is called.
pub(super) fn host() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| variable("HOSTNAME")).unwrap_or_default();
    match host.trim() {
        "" => "an unnamed host".to_owned(),
        host => host.chars().take(100).collect(),
    }
}

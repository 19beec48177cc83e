//! Where attacks on files are tried: a project in a folder of its own, watched for writes, and
//! commands that may neither wait for ever nor take all memory.

use crate::support::{Ended, Project};
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// The longest that a command may take on what is hostile.
const LONGEST: Duration = Duration::from_secs(20);

/// What a file is: its kind, its mode, when it was written, and its bytes or where it leads.
type Seen = (String, u32, SystemTime, Vec<u8>);

/// All below a folder, links not followed, without what `own` says is stackctl's.
pub fn snapshot(folder: &Path, own: &dyn Fn(&str) -> bool) -> BTreeMap<String, Seen> {
    let mut found = BTreeMap::new();
    walk(folder, "", own, &mut found);
    found
}

fn walk(
    folder: &Path,
    prefix: &str,
    own: &dyn Fn(&str) -> bool,
    found: &mut BTreeMap<String, Seen>,
) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if own(&name) {
            continue;
        }
        let about = path.symlink_metadata().unwrap();
        let (kind, bytes) = match about.file_type() {
            kind if kind.is_dir() => ("folder", Vec::new()),
            kind if kind.is_symlink() => {
                let target = std::fs::read_link(&path).unwrap();
                ("link", target.to_string_lossy().into_owned().into_bytes())
            }
            kind if kind.is_file() => ("file", std::fs::read(&path).unwrap()),
            _ => ("special", Vec::new()),
        };
        // The folder's own time changes with `.stackctl` and `state`, which may be created in it.
        let time = match kind {
            "folder" => SystemTime::UNIX_EPOCH,
            _ => about.modified().unwrap(),
        };
        // stackctl closes its own folders to others.
        let is_own = kind == "folder" && (name == "state" || name.starts_with(".stackctl"));
        let mode = match is_own {
            true => 0o700,
            false => about.permissions().mode() & 0o7777,
        };
        found.insert(name.clone(), (kind.to_owned(), mode, time, bytes));
        if kind == "folder" {
            walk(&path, &format!("{name}/"), own, found);
        }
    }
}

/// What differs between two snapshots; an error names the first of it.
pub fn same(before: &BTreeMap<String, Seen>, after: &BTreeMap<String, Seen>) -> Result<(), String> {
    let names = before.keys().chain(after.keys());
    let mut changed = names.filter(|name| before.get(*name) != after.get(*name));
    match changed.next() {
        None => Ok(()),
        Some(name) => Err(format!(
            "{name} was {:?}, and is {:?}",
            before.get(name).map(told),
            after.get(name).map(told)
        )),
    }
}

fn told((kind, mode, _, bytes): &Seen) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    format!("{kind} {mode:o} {text:?}")
}

/// Runs a command that must end by itself within some seconds and two gigabytes.
pub fn limited(project: &Project, args: &[&str]) -> Result<Ended, String> {
    under(project, "ulimit -v 6000000", args)
}

/// The same, with what a shell does before.
pub fn under(project: &Project, before: &str, args: &[&str]) -> Result<Ended, String> {
    let inner = project.command(args);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{before}; exec \"$0\" \"$@\"")])
        .arg(inner.get_program())
        .args(inner.get_args())
        .env_clear()
        .current_dir(project.dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in inner.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let since = Instant::now();
    let mut child = command.spawn().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stdout.read_to_end(&mut text);
        text
    });
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text);
        text
    });
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if since.elapsed() > LONGEST {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{args:?} did not end"));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ended {
        code: status.code(),
        stdout: text(reading.join().unwrap()),
        stderr: text(errors.join().unwrap()),
    })
}

/// Whether a command was refused, with one of these words, and without a panic.
pub fn refused(ended: &Ended, words: &[&str]) -> Result<(), String> {
    let code = ended.code;
    if !matches!(code, Some(1 | 3)) {
        return Err(format!("exit {code:?}: {}{}", ended.stdout, ended.stderr));
    }
    let text = format!("{}{}", ended.stdout, ended.stderr);
    match words.iter().any(|word| text.contains(word)) {
        true => Ok(()),
        false => Err(format!("it does not say why: {text}")),
    }
}

/// An error unless `holds`.
pub fn holds(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// A pipe that nobody writes to.
pub fn fifo(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A link; what was there goes.
pub fn link(target: impl AsRef<Path>, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = std::fs::remove_file(path);
    std::os::unix::fs::symlink(target, path).unwrap();
}

/// A project with one queue and a variable.
pub fn queue() -> Project {
    let project = Project::new();
    project.write(
        "stacks/s.yaml",
        "name: s\nproviders: {aws: {region: us-west-2}}\n\
         variables: {v: {type: string, default: x}}\n\
         resources: {q: {type: \"aws:sqs:Queue\", properties: {name: \"q-${var.v}\"}}}\n",
    );
    project
}

/// The files and folders below some of a project that others may look into.
pub fn open_to_others(project: &Project, names: &[&str]) -> Vec<(PathBuf, u32)> {
    let mut open = Vec::new();
    for name in names {
        let path = project.dir().join(name);
        let mode = std::fs::symlink_metadata(&path)
            .unwrap()
            .permissions()
            .mode()
            & 0o777;
        let mut all = vec![(path.clone(), mode)];
        if path.is_dir() {
            let below = snapshot(&path, &|_| false).into_iter();
            all.extend(below.map(|(name, seen)| (path.join(name), seen.1)));
        }
        open.extend(all.into_iter().filter(|(_, mode)| mode & 0o077 != 0));
    }
    open
}

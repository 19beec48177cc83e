//! What runs a function's code: the interpreter of its runtime on this machine, or the `bootstrap`
//! in its zip.

use std::io;
use std::path::{Path, PathBuf};

const PYTHON: &str = include_str!("bootstrap/python.py");
const NODE: &str = include_str!("bootstrap/node.mjs");

/// A command that runs a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<PathBuf>,
    /// What the interpreter is called, for messages.
    pub(super) name: String,
    /// What is worth a note to the user: that it is not the version that was asked for.
    pub(super) note: Option<String>,
    /// Whether it is the project's own bootstrap, which writes an event of many lines with
    /// carriage returns.
    pub(super) ours: bool,
}

/// What the user's environment says of interpreters.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// `PATH`.
    pub(super) path: String,
    /// `STACKCTL_PYTHON`.
    pub(super) python: Option<String>,
    /// `STACKCTL_NODE`.
    pub(super) node: Option<String>,
}

impl Settings {
    /// From this process.
    pub(super) fn of_process() -> Self {
        let variable = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(|value| value.to_string_lossy().into_owned())
        };
        Self {
            path: variable("PATH").unwrap_or_default(),
            python: variable("STACKCTL_PYTHON"),
            node: variable("STACKCTL_NODE"),
        }
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|path| is_program(path));
        }
        std::env::split_paths(&self.path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|path| is_program(path))
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The program for a runtime, or a sentence that says why this machine has none.
pub(super) fn program(
    (runtime, architecture): (&str, &str),
    root: &Path,
    bootstraps: &Path,
    settings: &Settings,
) -> Result<Program, String> {
    if let Some(version) = runtime.strip_prefix("python3.") {
        let wanted = format!("python3.{version}");
        let own = settings.python.as_deref();
        let interpreter = interpreter(settings, (own, "STACKCTL_PYTHON"), &[&wanted, "python3"])?;
        let script = script(bootstraps, "python.py", PYTHON)?;
        return Ok(interpreter.running(&wanted, runtime, script));
    }
    if runtime.starts_with("nodejs") {
        let own = settings.node.as_deref();
        let interpreter = interpreter(settings, (own, "STACKCTL_NODE"), &["node"])?;
        let script = script(bootstraps, "node.mjs", NODE)?;
        // Which version node is, it says itself; its name does not.
        return Ok(interpreter.running("node", runtime, script));
    }
    if runtime.starts_with("provided") {
        let machine = machine();
        if architecture != machine {
            return Err(format!(
                "The function's architecture is {architecture}, and this machine's is {machine}: the bootstrap of {runtime} does not run here."
            ));
        }
        let path = root.join("bootstrap");
        if !path.is_file() {
            return Err(
                "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned(),
            );
        }
        return Ok(Program {
            path,
            arguments: Vec::new(),
            name: "bootstrap".to_owned(),
            note: None,
            ours: false,
        });
    }
    let what = match runtime {
        "" => "Functions from container images do not run in the local cloud".to_owned(),
        runtime => format!("The runtime {runtime} does not run in the local cloud"),
    };
    Err(format!(
        "{what}; python3.x, nodejs and provided (a bootstrap in the zip) do."
    ))
}

struct Interpreter {
    path: PathBuf,
    name: String,
    set: bool,
}

impl Interpreter {
    fn running(self, wanted: &str, runtime: &str, script: PathBuf) -> Program {
        let note = (self.name != wanted && !self.set).then(|| {
            format!(
                "{runtime} functions run with {}, for {wanted} is not on PATH.",
                self.path.display()
            )
        });
        Program {
            path: self.path,
            arguments: vec![script],
            name: self.name,
            note,
            ours: true,
        }
    }
}

/// The interpreter that a variable names, or the first of some names on PATH.
fn interpreter(
    settings: &Settings,
    (own, variable): (Option<&str>, &str),
    names: &[&str],
) -> Result<Interpreter, String> {
    let found = |name: &str, set: bool| {
        let path = settings.find(name)?;
        Some(Interpreter {
            path,
            name: name.to_owned(),
            set,
        })
    };
    if let Some(own) = own {
        return found(own, true).ok_or_else(|| {
            format!("{variable} names {own:?}, which is no program that can be run.")
        });
    }
    names
        .iter()
        .find_map(|name| found(name, false))
        .ok_or_else(|| {
            format!(
                "{} is not on PATH; install it, or set {variable} to where it is.",
                names.join(" or ")
            )
        })
}

/// This machine's architecture as Lambda calls it.
fn machine() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

/// A bootstrap as a file; written once, by its content.
fn script(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    use sha2::{Digest, Sha256};
    let hash = hex::encode(Sha256::digest(text));
    let path = folder.join(format!("{}-{name}", &hash[..16]));
    let write = || -> io::Result<PathBuf> {
        if !path.is_file() {
            crate::files::folder(folder)?;
            let mut file = crate::files::temporary(folder, ".new-")?;
            io::Write::write_all(&mut file, text.as_bytes())?;
            file.persist(&path).map_err(|error| error.error)?;
        }
        path.canonicalize()
    };
    write().map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn with(programs: &[&str]) -> (tempfile::TempDir, Settings) {
        let dir = tempfile::tempdir().unwrap();
        for name in programs {
            let path = dir.path().join(name);
            std::fs::write(&path, "").unwrap();
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(path, mode).unwrap();
        }
        let path = dir.path().to_str().unwrap().to_owned();
        let settings = Settings {
            path,
            ..Settings::default()
        };
        (dir, settings)
    }

    fn choose(runtime: &str, settings: &Settings) -> Result<Program, String> {
        let dir = tempfile::tempdir().unwrap();
        program((runtime, machine()), dir.path(), dir.path(), settings)
    }

    #[test]
    fn the_version_that_was_asked_for_comes_first() {
        let (dir, mut settings) = with(&["python3", "python3.13"]);
        let exact = choose("python3.13", &settings).unwrap();
        assert_eq!(exact.path, dir.path().join("python3.13"));
        assert_eq!(exact.note, None);
        let other = choose("python3.12", &settings).unwrap();
        assert_eq!(other.path, dir.path().join("python3"));
        let note = other.note.unwrap();
        assert!(note.contains("python3.12 is not on PATH"), "{note}");
        settings.python = Some(dir.path().join("python3").display().to_string());
        let set = choose("python3.13", &settings).unwrap();
        assert_eq!((set.path, set.note), (dir.path().join("python3"), None));
        settings.python = Some("/none".to_owned());
        let wrong = choose("python3.13", &settings).unwrap_err();
        assert!(wrong.starts_with("STACKCTL_PYTHON names"), "{wrong}");
    }

    #[test]
    fn what_does_not_run_here_is_refused_by_name() {
        let (_dir, settings) = with(&[]);
        for (runtime, expected) in [
            ("nodejs22.x", "node is not on PATH"),
            ("python3.13", "python3.13 or python3 is not on PATH"),
            ("java21", "The runtime java21 does not run"),
            ("", "Functions from container images"),
            ("provided.al2023", "bootstrap"),
        ] {
            let why = choose(runtime, &settings).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
        let dir = tempfile::tempdir().unwrap();
        let other = program(
            ("provided.al2023", "sparc"),
            dir.path(),
            dir.path(),
            &settings,
        );
        let why = other.unwrap_err();
        assert!(why.contains("architecture is sparc"), "{why}");
    }
}

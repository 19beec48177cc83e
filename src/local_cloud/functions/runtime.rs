//! What runs a function's code: the interpreter of its runtime on this machine, or the `bootstrap`
//! in its zip.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::process::Command;

const PYTHON: &str = include_str!("bootstrap/python.py");
const NODE: &str = include_str!("bootstrap/node.mjs");

/// How long an interpreter may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(10);

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

    /// The files that a name may mean, in the order of PATH.
    fn find(&self, name: &str) -> Vec<PathBuf> {
        if name.contains('/') {
            let path = PathBuf::from(name);
            return Vec::from_iter(is_program(&path).then_some(path));
        }
        std::env::split_paths(&self.path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .filter(|path| is_program(path))
            .collect()
    }
}

/// Where an interpreter really is, as it says itself; none where it does not run. What is on PATH
/// may be a version manager's script, which is slow, or refuses.
async fn real(path: &Path, question: &[&str]) -> Option<PathBuf> {
    static KNOWN: Mutex<BTreeMap<PathBuf, PathBuf>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known().get(path).filter(|path| is_program(path)) {
        return Some(known.clone());
    }
    let mut command = Command::new(path);
    command
        .args(question)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.ok()?.ok().filter(|output| output.status.success())?;
    let said = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let real = if is_program(&said) {
        said
    } else {
        path.to_owned()
    };
    known().insert(path.to_owned(), real.clone());
    Some(real)
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
pub(super) async fn program(
    (runtime, architecture): (&str, &str),
    root: &Path,
    bootstraps: &Path,
    settings: &Settings,
) -> Result<Program, String> {
    if let Some(version) = runtime.strip_prefix("python3.") {
        let wanted = format!("python3.{version}");
        let own = settings.python.as_deref();
        let question = ["-c", "import sys; print(sys.executable)"];
        let language = (own, "STACKCTL_PYTHON", question.as_slice());
        let interpreter = interpreter(settings, language, &[&wanted, "python3"]).await?;
        let script = script(bootstraps, "python.py", PYTHON)?;
        return Ok(interpreter.running(&wanted, runtime, script));
    }
    if runtime.starts_with("nodejs") {
        let own = settings.node.as_deref();
        let question = ["-p", "process.execPath"];
        let language = (own, "STACKCTL_NODE", question.as_slice());
        let interpreter = interpreter(settings, language, &["node"]).await?;
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
                "{runtime} functions run with {}, for no {wanted} on PATH runs.",
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

/// The interpreter that a variable names, or the first of some names on PATH that runs.
async fn interpreter(
    settings: &Settings,
    (own, variable, question): (Option<&str>, &str, &[&str]),
    names: &[&str],
) -> Result<Interpreter, String> {
    for name in own.as_slice().iter().chain(names) {
        for path in settings.find(name) {
            if let Some(path) = real(&path, question).await {
                return Ok(Interpreter {
                    path,
                    name: (*name).to_owned(),
                    set: own.is_some(),
                });
            }
        }
        if let Some(own) = own {
            return Err(format!(
                "{variable} names {own:?}, which is no program that can be run."
            ));
        }
    }
    Err(format!(
        "{} is not on PATH; install it, or set {variable} to where it is.",
        names.join(" or ")
    ))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn with(programs: &[&str]) -> (tempfile::TempDir, Settings) {
        let dir = tempfile::tempdir().unwrap();
        for name in programs {
            let path = dir.path().join(name);
            let script = match *name {
                "refuses" | "python3.11" => "#!/bin/sh\nexit 127\n",
                _ => "#!/bin/sh\necho $0\n",
            };
            std::fs::write(&path, script).unwrap();
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

    async fn choose(runtime: &str, settings: &Settings) -> Result<Program, String> {
        let dir = tempfile::tempdir().unwrap();
        program((runtime, machine()), dir.path(), dir.path(), settings).await
    }

    #[tokio::test]
    async fn the_version_that_was_asked_for_comes_first() {
        let (dir, mut settings) = with(&["python3", "python3.11", "python3.13"]);
        let exact = choose("python3.13", &settings).await.unwrap();
        assert_eq!(exact.path, dir.path().join("python3.13"));
        assert_eq!(exact.note, None);
        let other = choose("python3.12", &settings).await.unwrap();
        assert_eq!(other.path, dir.path().join("python3"));
        let refusing = choose("python3.11", &settings).await.unwrap();
        assert_eq!(refusing.path, dir.path().join("python3"));
        let note = other.note.unwrap();
        assert!(note.contains("no python3.12 on PATH"), "{note}");
        settings.python = Some(dir.path().join("python3").display().to_string());
        let set = choose("python3.13", &settings).await.unwrap();
        assert_eq!((set.path, set.note), (dir.path().join("python3"), None));
        settings.python = Some("/none".to_owned());
        let wrong = choose("python3.13", &settings).await.unwrap_err();
        assert!(wrong.starts_with("STACKCTL_PYTHON names"), "{wrong}");
    }

    #[tokio::test]
    async fn what_does_not_run_here_is_refused_by_name() {
        let (_dir, settings) = with(&[]);
        for (runtime, expected) in [
            ("nodejs22.x", "node is not on PATH"),
            ("python3.13", "python3.13 or python3 is not on PATH"),
            ("java21", "The runtime java21 does not run"),
            ("", "Functions from container images"),
            ("provided.al2023", "bootstrap"),
        ] {
            let why = choose(runtime, &settings).await.unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
        let dir = tempfile::tempdir().unwrap();
        let other = program(
            ("provided.al2023", "sparc"),
            dir.path(),
            dir.path(),
            &settings,
        );
        let why = other.await.unwrap_err();
        assert!(why.contains("architecture is sparc"), "{why}");
    }
}

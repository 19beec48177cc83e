//! What the tests share: a project in a folder of its own, and the binary run in it as a
//! user would.

pub mod aws;
pub mod calls;
pub mod cases;
pub mod fake;
pub mod moto;
pub mod proxy;
pub mod served;
pub mod tally;

use aws_credential_types::Credentials;
use serde_json::Value;
use stackctl::local_cloud::{Cloud, Entry, Options};
use stackctl::resource::aws::Aws;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// How much faster than the clock the local cloud's time runs in tests.
pub const SPEED: &str = "100";

/// A folder with stacks, a state and a local cloud, gone when dropped.
pub struct Project {
    dir: tempfile::TempDir,
    home: tempfile::TempDir,
    env: Vec<(String, String)>,
    /// Added to each command, such as `--local`.
    pub flags: Vec<String>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Ended {
    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "{error} in stdout:\n{}\nstderr:\n{}",
                self.stdout, self.stderr
            )
        })
    }
}

impl Project {
    /// A project without stacks, whose commands use the local cloud.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("stacks")).unwrap();
        Self {
            dir,
            home: tempfile::tempdir().unwrap(),
            env: Vec::new(),
            flags: vec!["--local".to_owned()],
        }
    }

    /// A project with the repository's own stack.
    pub fn websocket() -> Self {
        let project = Self::new();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks");
        copy(&from, &project.dir.path().join("stacks"));
        project
    }

    /// A copy of this project as it is now: stacks, state and local cloud.
    pub(crate) fn fork(&self) -> Self {
        let fork = Self::new();
        copy(self.dir(), fork.dir());
        copy(self.home(), fork.home());
        fork
    }

    /// This project's commands get the variables of another one's.
    pub(crate) fn share_environment(&mut self, other: &Self) {
        self.env.clone_from(&other.env);
    }

    /// This project's local cloud becomes a copy of another one's: their stacks are in one
    /// account.
    pub(crate) fn share_cloud(&self, other: &Self) {
        let (from, to) = (other.dir(), self.dir());
        let cloud = ".stackctl/local";
        if to.join(cloud).exists() {
            std::fs::remove_dir_all(to.join(cloud)).unwrap();
        }
        copy(&from.join(cloud), &to.join(cloud));
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The user's home folder, which is not in the project.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file; folders on the way are made. AWS's own files are in the home folder.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let folder = match path.starts_with(".aws/") {
            true => self.home.path(),
            false => self.dir.path(),
        };
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(path)).unwrap()
    }

    /// Sets a variable for the commands that follow.
    pub fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a variable back.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.env.retain(|(known, _)| known != name);
        self
    }

    /// A command, its environment scrubbed of everything that could change the outcome.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stackctl"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("STACKCTL_LOCAL_SPEED", SPEED)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        // They take none of the flags. Some are also words that others are given.
        let plain = ["validate", "--help", "--version", "-V"];
        let first = ["types", "functions", "schema", "local"];
        let is_plain = args.first().is_some_and(|one| first.contains(one))
            || args.iter().any(|arg| plain.contains(arg));
        if !is_plain && !args.is_empty() {
            command.args(&self.flags);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        let output = self.command(args).output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Applies without a question; it must succeed.
    #[track_caller]
    pub fn apply(&self) -> Ended {
        self.run(&["apply", "--yes"]).expect(0)
    }

    /// The plan as JSON; it must succeed.
    #[track_caller]
    pub fn plan(&self) -> Value {
        self.run(&["plan", "--json"]).expect(0).json()
    }

    /// Fails the test unless the plan is empty.
    #[track_caller]
    pub fn expect_no_changes(&self) {
        let ended = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(
            ended.code,
            Some(0),
            "the plan is not empty:\n{}{}",
            ended.stdout,
            ended.stderr
        );
        assert!(
            ended
                .stdout
                .ends_with("No changes. The stack is as the file says.\n")
        );
    }

    /// The state of the only stack.
    pub fn state(&self) -> Value {
        let mut states: Vec<PathBuf> = std::fs::read_dir(self.dir.path().join("state"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .collect();
        assert_eq!(states.len(), 1, "{states:?}");
        serde_json::from_str(&std::fs::read_to_string(states.remove(0)).unwrap()).unwrap()
    }

    /// Clients on the local cloud, for what somebody else does there.
    pub async fn outside(&self) -> Aws {
        let config = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
            .http_client(self.local_cloud().http_client())
            .credentials_provider(Credentials::from_keys("test", "test", None))
            .region(aws_config::Region::new("us-west-2"))
            .load()
            .await;
        Aws::new(config, true)
    }

    /// What the local cloud holds.
    pub fn cloud(&self) -> Vec<Entry> {
        self.local_cloud().resources().unwrap()
    }

    /// The local cloud.
    pub fn local_cloud(&self) -> Cloud {
        let dir = self.dir.path().join(".stackctl/local");
        let options = Options::from_strings(dir, None, Some(SPEED), None).unwrap();
        Cloud::open(options).unwrap()
    }
}

/// The same command, with the signals heard that whoever runs the tests may have set to
/// ignored, as a shell does for its jobs in the background.
pub(crate) fn hearing(command: &Command) -> Command {
    let mut other = Command::new("env");
    other
        .arg("--default-signal=INT,TERM,HUP")
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        other.env(name, value.unwrap_or_default());
    }
    if let Some(dir) = command.get_current_dir() {
        other.current_dir(dir);
    }
    other
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// The actions of a plan, by address, unchanged resources left out.
pub fn actions(plan: &Value) -> Vec<(String, Vec<String>)> {
    let changes = plan["changes"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    changes
        .iter()
        .map(|change| {
            let actions = change["actions"].as_array().unwrap();
            (
                text(&change["address"]),
                actions.iter().map(text).collect::<Vec<_>>(),
            )
        })
        .filter(|(_, actions)| actions != &["no-op"])
        .collect()
}

/// How often each kind of object is in the project's local cloud. Deployments that API
/// Gateway makes by itself are left out: each write makes one, a repeated write too.
pub(crate) fn census(project: &Project) -> BTreeMap<String, usize> {
    let mut census = BTreeMap::new();
    let entries = project.cloud().into_iter();
    for entry in entries.filter(|entry| entry.value["autoDeployed"] != true) {
        let kind = format!("{} {}", entry.service, entry.kind);
        *census.entry(kind).or_insert(0) += 1;
    }
    census
}

/// Whether every pair of a call and a trouble is to be tried, and the largest inputs, as CI does:
/// `STACKCTL_FAULTS=all`. Otherwise each call meets the trouble of its turn.
pub(crate) fn all() -> bool {
    std::env::var_os("STACKCTL_FAULTS").is_some_and(|value| value == "all")
}

/// How many cases `in_parallel` runs at a time: most of their time they wait.
const WORKERS: usize = 4;

/// Runs independent cases, a few at a time. A case that fails fails the test, after the
/// others were run.
#[track_caller]
pub(crate) fn in_parallel<C: Send>(cases: Vec<C>, run: impl Fn(C) + Sync) {
    let cases = Mutex::new(cases.into_iter());
    let next = || cases.lock().unwrap().next();
    let work = || {
        let mut failed = 0;
        while let Some(case) = next() {
            failed += usize::from(catch_unwind(AssertUnwindSafe(|| run(case))).is_err());
        }
        failed
    };
    let failed: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(failed, 0, "so many cases failed; see above");
}

//! Runs every test on its own and learns what it reaches and how long it takes.

use crate::compile::Built;
use crate::process::{self, Ended};
use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Where tests run, and with what.
pub struct Stage {
    /// The copy of the project; tests run in it.
    pub tree: PathBuf,
    pub built: Built,
    /// For the output of runs and what they leave in their temporary folders.
    pub scratch: PathBuf,
}

/// A test that passes without a mutant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Test {
    pub binary: usize,
    pub name: String,
    pub seconds: f64,
    pub reaches: BTreeSet<usize>,
}

/// One test as the trace found it: the reason where it is left out.
#[derive(Serialize, Deserialize)]
struct Line {
    binary: usize,
    name: String,
    found: Result<Test, String>,
}

/// What the trace found.
#[derive(Default, Serialize, Deserialize)]
pub struct Trace {
    pub tests: Vec<Test>,
    /// Tests that are left out, each with the reason.
    pub left_out: Vec<String>,
}

impl Stage {
    /// Runs some tests of one binary, with a setting of the switch.
    ///
    /// # Errors
    /// The binary cannot be started.
    pub fn run(
        &self,
        binary: usize,
        names: &[&str],
        switch: (&str, &str),
        limit: Duration,
    ) -> anyhow::Result<Ended> {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let nth = RUNS.fetch_add(1, Ordering::Relaxed);
        let scratch = self.scratch.join(nth.to_string());
        std::fs::create_dir_all(&scratch)?;
        let mut command = Command::new("nice");
        command
            .args(["-n", "10"])
            .arg(&self.built.tests[binary])
            .arg("--exact")
            .args(names)
            .arg("--test-threads=2")
            .current_dir(&self.tree)
            .env("CARGO_MANIFEST_DIR", &self.tree)
            .env("CARGO_BIN_EXE_stackctl", &self.built.program)
            .env("TMPDIR", &scratch)
            .env("INSTA_UPDATE", "no")
            // Else each process asks cargo for it.
            .env("INSTA_WORKSPACE_ROOT", &self.tree)
            .env("STACKCTL_FAULTS", "some")
            .env("STACKCTL_FUZZ_CASES", "200")
            .env(switch.0, switch.1);
        let ended = process::run(&mut command, &scratch.join("output"), limit);
        // What a test made unreadable may stay until the end.
        let _ = std::fs::remove_dir_all(&scratch);
        ended
    }

    fn list(&self, binary: usize) -> anyhow::Result<Vec<String>> {
        let output = Command::new(&self.built.tests[binary])
            .args(["--list", "--format", "terse"])
            .current_dir(&self.tree)
            .output()
            .context("listing the tests")?;
        ensure!(output.status.success(), "the tests cannot be listed");
        Ok(String::from_utf8(output.stdout)?
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(str::to_owned)
            .collect())
    }
}

/// Runs every test on its own, two at a time. Those that take longer than `slow` or fail without
/// a mutant are left out. What is found is kept in `file` as it comes; what that has is not run again.
///
/// # Errors
/// A test binary cannot be started.
pub fn trace(stage: &Stage, slow: Duration, file: &Path) -> anyhow::Result<Trace> {
    let mut known = Vec::new();
    for line in std::fs::read_to_string(file).unwrap_or_default().lines() {
        // The last line may be cut off.
        known.extend(serde_json::from_str::<Line>(line).ok());
    }
    let have: BTreeSet<(usize, &str)> = known
        .iter()
        .map(|line| (line.binary, line.name.as_str()))
        .collect();
    let mut waiting = Vec::new();
    for binary in 0..stage.built.tests.len() {
        let names = stage.list(binary)?.into_iter();
        let left = names.filter(|name| !have.contains(&(binary, name)));
        waiting.extend(left.map(|name| (binary, name)));
    }
    let all = waiting.len() + known.len();
    waiting.reverse();
    let waiting = Mutex::new(waiting);
    let kept = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)?;
    let found = Mutex::new((known, kept));
    let next = || waiting.lock().ok()?.pop();
    let work = || -> anyhow::Result<()> {
        while let Some((binary, name)) = next() {
            let one = one(stage, binary, &name, slow)?;
            let line = Line {
                binary,
                name,
                found: one,
            };
            let Ok(mut found) = found.lock() else { break };
            writeln!(found.1, "{}", serde_json::to_string(&line)?)?;
            found.0.push(line);
            if found.0.len() % 100 == 0 {
                eprintln!("  {} of {all} tests traced", found.0.len());
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work()?;
        other
            .join()
            .unwrap_or_else(|_| anyhow::bail!("a tracing thread failed"))
    })?;
    let lines = found.into_inner().map(|found| found.0).unwrap_or_default();
    let mut trace = Trace::default();
    for line in lines {
        match line.found {
            Ok(test) => trace.tests.push(test),
            Err(reason) => trace.left_out.push(format!("{}: {reason}", line.name)),
        }
    }
    trace
        .tests
        .sort_by(|a, b| (a.binary, &a.name).cmp(&(b.binary, &b.name)));
    trace.left_out.sort();
    Ok(trace)
}

/// One test; the reason where it is left out.
fn one(
    stage: &Stage,
    binary: usize,
    name: &str,
    slow: Duration,
) -> anyhow::Result<Result<Test, String>> {
    let folder = stage
        .scratch
        .join(format!("trace-{binary}-{}", name.replace("::", ".")));
    std::fs::create_dir_all(&folder)?;
    let switch = (
        "STACKCTL_MUTANT_TRACE",
        folder.to_str().context("the path is no UTF-8")?,
    );
    let ended = stage.run(binary, &[name], switch, slow)?;
    let reaches = reached(&folder)?;
    // A process that has outlived its test may still write.
    let _ = std::fs::remove_dir_all(&folder);
    if !ended.in_time {
        return Ok(Err(format!("takes more than {} s", slow.as_secs())));
    }
    if !ended.passed {
        return Ok(Err("fails without a mutant".into()));
    }
    let seconds = ended.took.as_secs_f64();
    let name = name.to_owned();
    Ok(Ok(Test {
        binary,
        name,
        seconds,
        reaches,
    }))
}

/// What the processes of a test wrote, each into its own file.
fn reached(folder: &Path) -> anyhow::Result<BTreeSet<usize>> {
    let mut numbers = BTreeSet::new();
    for file in std::fs::read_dir(folder)? {
        let text = std::fs::read_to_string(file?.path())?;
        numbers.extend(text.lines().filter_map(|line| line.parse::<usize>().ok()));
    }
    Ok(numbers)
}

/// How many mutants each test reaches, by its place in the trace.
pub fn breadth(trace: &Trace) -> HashMap<usize, usize> {
    let count = |(place, test): (usize, &Test)| (place, test.reaches.len());
    trace.tests.iter().enumerate().map(count).collect()
}

//! Runs every test on its own and learns what it reaches and how long it takes.

use crate::compile::Built;
use crate::process::{self, Ended};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
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
    ) -> Result<Ended> {
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

    fn list(&self, binary: usize) -> Result<Vec<String>> {
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
/// a mutant are left out.
///
/// # Errors
/// A test binary cannot be started.
pub fn trace(stage: &Stage, slow: Duration) -> Result<Trace> {
    let mut waiting = Vec::new();
    for binary in 0..stage.built.tests.len() {
        waiting.extend(stage.list(binary)?.into_iter().map(|name| (binary, name)));
    }
    let all = waiting.len();
    waiting.reverse();
    let waiting = Mutex::new(waiting);
    let found = Mutex::new(Trace::default());
    let next = || waiting.lock().ok()?.pop();
    let work = || -> Result<()> {
        while let Some((binary, name)) = next() {
            let one = one(stage, binary, &name, slow)?;
            let Ok(mut found) = found.lock() else { break };
            match one {
                Ok(test) => found.tests.push(test),
                Err(reason) => found.left_out.push(format!("{name}: {reason}")),
            }
            let done = found.tests.len() + found.left_out.len();
            if done % 100 == 0 {
                eprintln!("  {done} of {all} tests traced");
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
    let mut found = found.into_inner().unwrap_or_default();
    found
        .tests
        .sort_by(|a, b| (a.binary, &a.name).cmp(&(b.binary, &b.name)));
    found.left_out.sort();
    Ok(found)
}

/// One test; the reason where it is left out.
fn one(
    stage: &Stage,
    binary: usize,
    name: &str,
    slow: Duration,
) -> Result<std::result::Result<Test, String>> {
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
    std::fs::remove_dir_all(&folder)?;
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
fn reached(folder: &Path) -> Result<BTreeSet<usize>> {
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

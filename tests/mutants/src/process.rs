//! Runs a test binary with a limit of time, and ends all that it started when that is over.

use anyhow::{Context, Result};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What became of a run.
pub struct Ended {
    pub output: String,
    pub passed: bool,
    pub in_time: bool,
    pub took: Duration,
}

/// Runs a command in a process group of its own; its output goes through a file, so that nobody
/// waits for a grandchild that holds a pipe.
///
/// # Errors
/// The command cannot be started.
pub fn run(command: &mut Command, output: &Path, limit: Duration) -> Result<Ended> {
    let file = File::create(output)?;
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    let mut status = None;
    while start.elapsed() < limit {
        status = child.try_wait()?;
        if status.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = start.elapsed();
    // Whatever is left of the group: the test itself, or what it left running.
    Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stderr(Stdio::null())
        .status()?;
    if status.is_none() {
        child.wait()?;
    }
    Ok(Ended {
        output: String::from_utf8_lossy(&std::fs::read(output)?).into_owned(),
        passed: status.is_some_and(|status| status.success()),
        in_time: status.is_some(),
        took,
    })
}

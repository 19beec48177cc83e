//! A function's process: started in a group of its own, and killed with all that it started.

use super::journal::Journal;
use super::runtime::Program;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::process::{ChildStdin, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// A process that runs. Dropped, it and all that it started are killed.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    exit: watch::Receiver<Option<ExitStatus>>,
    drains: mpsc::Sender<oneshot::Sender<()>>,
    /// Its end tells the bootstrap that this process is gone.
    _stdin: Option<ChildStdin>,
    _tasks: JoinSet<()>,
}

impl Process {
    /// Starts a program; what it prints goes to the journal.
    pub(super) fn start(
        program: &Program,
        root: &Path,
        variables: &BTreeMap<String, String>,
        journal: &Arc<Mutex<Journal>>,
    ) -> io::Result<Self> {
        // One pipe for both streams keeps their order.
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .current_dir(root)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::from(writer.try_clone()?))
            .stderr(Stdio::from(writer))
            .kill_on_drop(true)
            .process_group(0);
        let mut child = command.spawn()?;
        // The writing ends that this process has are in the command.
        drop(command);
        let pid = child.id().unwrap_or_default();
        let stdin = child.stdin.take();
        let (ended, exit) = watch::channel(None);
        let (drains, requests) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(read(reader, Arc::clone(journal), requests)?);
        tasks.spawn(async move {
            let status = child.wait().await.unwrap_or_default();
            // What it started does not outlive it.
            kill_group(pid);
            ended.send_replace(Some(status));
        });
        Ok(Self {
            pid,
            exit,
            drains,
            _stdin: stdin,
            _tasks: tasks,
        })
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await;
        status.ok().and_then(|status| *status).unwrap_or_default()
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.exit.borrow().is_some()
    }

    /// Waits until all that it has printed is in the journal.
    pub(super) async fn drain(&self) {
        let (done, drained) = oneshot::channel();
        if self.drains.send(done).await.is_ok() {
            // The reader that has ended has read everything.
            let _ = drained.await;
        }
    }

    /// Kills it with all that it started.
    pub(super) fn kill(&self) {
        if !self.has_ended() {
            kill_group(self.pid);
        }
    }

    /// The most memory that it had, in bytes, as far as the system says.
    pub(super) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn kill_group(leader: u32) {
    let leader = i32::try_from(leader).ok().filter(|pid| *pid > 0);
    if let Some(group) = leader.and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

/// Reads a pipe to its end into the journal.
fn read(
    reader: io::PipeReader,
    journal: Arc<Mutex<Journal>>,
    mut requests: mpsc::Receiver<oneshot::Sender<()>>,
) -> io::Result<impl Future<Output = ()>> {
    let reader = tokio::net::unix::pipe::Receiver::from_owned_fd(reader.into())?;
    let reading = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let done = tokio::select! {
                biased;
                ready = reader.readable() => {
                    if ready.is_err() {
                        return;
                    }
                    None
                }
                Some(done) = requests.recv() => Some(done),
            };
            match reader.try_read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
                    journal.print(&buffer[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
            if let Some(done) = done {
                // Whoever asked has given up.
                let _ = done.send(());
            }
        }
    };
    // Before a drain is reported, everything that is there is read.
    Ok(tokio::task::unconstrained(reading))
}

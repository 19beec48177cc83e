//! Which process serves a folder's local cloud: a file in the folder that it holds locked, with
//! its address. The lock ends with the process, however it ends.

use crate::files;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// The file's name.
const FILE: &str = "served";
/// How long a process that has the lock may take to write where it listens.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a look at the lock may take.
const GLANCE: Duration = Duration::from_millis(100);
/// How long to wait before the next try.
const PAUSE: Duration = Duration::from_millis(10);

/// The right to serve a folder's local cloud, until it is dropped.
#[derive(Debug)]
pub struct Presence(File);

/// Who serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process id.
    pub pid: u32,
}

impl Presence {
    /// Takes the right for a folder that exists; the other process where there is one.
    ///
    /// # Errors
    /// When the file cannot be opened or locked.
    pub fn take(dir: &Path) -> io::Result<Result<Self, Option<Running>>> {
        let file = files::open_for_writing(&dir.join(FILE))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    file.set_len(0)?;
                    return Ok(Ok(Self(file)));
                }
                // Who only looks has it for a moment.
                Err(TryLockError::WouldBlock) if started.elapsed() < GLANCE => {
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => return Ok(Err(written(file)?)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Tells others where this process listens.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn tell(&mut self, address: SocketAddr) -> io::Result<()> {
        let pid = std::process::id();
        let line = serde_json::to_vec(&Running { address, pid })?;
        self.0.set_len(0)?;
        self.0.rewind()?;
        self.0.write_all(&line)
    }
}

/// Where the process listens that serves a folder's local cloud; none where none does.
pub fn running(dir: &Path) -> Option<SocketAddr> {
    let file = files::open_own(&dir.join(FILE)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => written(file).ok()?.map(|running| running.address),
        _ => None,
    }
}

/// What the process that has the lock wrote, or is about to write.
fn written(mut file: File) -> io::Result<Option<Running>> {
    let started = Instant::now();
    loop {
        let mut text = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut text)?;
        match serde_json::from_slice(&text) {
            Ok(running) => return Ok(Some(running)),
            Err(_) if started.elapsed() > PATIENCE => return Ok(None),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_serves_and_others_find_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(running(dir.path()), None);
        let mut held = Presence::take(dir.path()).unwrap().unwrap();
        let address = "127.0.0.1:4566".parse().unwrap();
        held.tell(address).unwrap();
        assert_eq!(running(dir.path()), Some(address));
        let other = Presence::take(dir.path()).unwrap().unwrap_err().unwrap();
        assert_eq!(other.address, address);
        assert_eq!(other.pid, std::process::id());
        drop(held);
        assert_eq!(running(dir.path()), None);
        let mut again = Presence::take(dir.path()).unwrap().unwrap();
        let address = "127.0.0.1:1".parse().unwrap();
        again.tell(address).unwrap();
        assert_eq!(running(dir.path()), Some(address));
    }
}

//! A file that is something else at every moment, for tests that read it meanwhile.

#![expect(
    clippy::unwrap_used,
    reason = "a race that cannot be run is a test that fails"
)]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread that swaps a file.
pub(crate) struct Racing {
    stop: Arc<AtomicBool>,
    turns: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Racing {
    /// From here on `path` is in turn a file that says where it is, a link to `target`, a file that
    /// grows, a pipe, and nothing.
    pub(crate) fn start(path: &Path, target: &Path) -> Self {
        Self::each(path, target, turn)
    }

    /// From here on the folder `path` is in turn itself and a link to `target`.
    pub(crate) fn folder(path: &Path, target: &Path) -> Self {
        Self::each(path, target, |path, target, _| {
            let kept = PathBuf::from(format!("{}.kept", path.display()));
            fs::rename(path, &kept).unwrap();
            symlink(target, path).unwrap();
            thread::yield_now();
            fs::remove_file(path).unwrap();
            fs::rename(&kept, path).unwrap();
            thread::sleep(Duration::from_micros(500));
        })
    }

    fn each(path: &Path, target: &Path, turn: fn(&Path, &Path, usize)) -> Self {
        let (stop, turns) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (path, target) = (path.to_owned(), target.to_owned());
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&turns));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                turn(&path, &target, counted.fetch_add(1, Ordering::Relaxed));
            }
        });
        Self {
            stop,
            turns,
            thread,
        }
    }

    /// Whether there have been too few turns yet.
    pub(crate) fn goes_on(&self) -> bool {
        self.turns.load(Ordering::Relaxed) < 300
    }

    /// Ends it.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

fn turn(path: &Path, target: &Path, turn: usize) {
    let next = PathBuf::from(format!("{}.next", path.display()));
    let _ = fs::remove_file(&next);
    match turn % 8 {
        1 | 3 | 5 => symlink(target, &next).unwrap(),
        7 => rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &next,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .unwrap(),
        _ => fs::write(&next, "inside").unwrap(),
    }
    fs::rename(&next, path).unwrap();
    if turn % 8 == 6 {
        let mut file = File::options().append(true).open(path).unwrap();
        for _ in 0..20 {
            file.write_all(&[b'x'; 1 << 12]).unwrap();
        }
    }
}

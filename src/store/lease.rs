//! Who holds a lock, and whether that run still lives. A lock is a lease: its holder
//! changes the `beat` in it from time to time; a lease whose beat stands still for as long as
//! it grants has expired. No clock is compared with another one: who waits measures the
//! stillness by a clock of its own that only goes forward.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

/// What a run writes into the lock that it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Drawn for each run.
    pub id: String,
    /// What it does: `apply of web.prod`.
    pub command: String,
    /// The host's name.
    pub host: String,
    /// The process id.
    pub pid: u32,
    /// When it took the lock, by its own clock, in seconds since 1970. For people.
    pub since: u64,
    /// The seconds that the lease grants after each beat.
    pub lease: u64,
    /// Counts up while the holder lives.
    #[serde(default)]
    pub beat: u64,
    /// What its process ids mean: the boot of the kernel and the namespace. Empty: unknown.
    #[serde(default)]
    pub pids_of: String,
    /// When the process started, in ticks since the boot; a process id is used again.
    #[serde(default)]
    pub started: u64,
}

/// Whether a state is locked.
#[derive(Debug)]
pub enum Locked {
    /// By nobody.
    Free,
    /// By a run that lives.
    Alive(Box<Holder>),
    /// By a dead run.
    Dead(Box<Holder>),
}

impl Holder {
    /// How long the lease lasts without a beat: an hour at most, whatever is written there.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease.clamp(1, 3600))
    }

    /// How often the holder is to beat.
    pub(super) fn pace(&self) -> Duration {
        self.lease() / 4
    }

    /// Whether the holder was a process of this machine that has ended. Only what the kernel
    /// proves counts; of another machine nothing is known.
    pub fn is_proven_dead(&self) -> bool {
        let (pids_of, _) = process(std::process::id());
        if self.pids_of.is_empty() || self.pids_of != pids_of {
            return false;
        }
        let (_, started) = process(self.pid);
        started != Some(self.started)
    }

    /// Whether process ids mean the same here as where this holder runs.
    pub fn is_of_this_machine(&self) -> bool {
        let (pids_of, _) = process(std::process::id());
        !pids_of.is_empty() && self.pids_of == pids_of
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (command, pid, host) = (&self.command, self.pid, &self.host);
        match pid {
            // It has not written yet who it is.
            0 => write!(f, "{command} on {host}")?,
            pid => write!(f, "{command}, process {pid} on {host}")?,
        }
        write!(f, ", since {}", moment(self.since))
    }
}

/// What process ids mean here, and when a process started (Linux: `proc(5)`; elsewhere
/// nothing is known, and leases are waited for).
pub fn process(pid: u32) -> (String, Option<u64>) {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let pids_of = match boot.trim() {
        "" => String::new(),
        boot => format!("{boot} {}", namespace.display()),
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    // The name in parentheses may hold anything; the start is the 20th field behind it.
    let started = status.as_deref().and_then(|text| {
        let fields = text.rsplit_once(')')?.1;
        fields.split_whitespace().nth(19)?.parse().ok()
    });
    (pids_of, started)
}

/// Seconds since 1970, for people to read; nothing is decided by it.
#[expect(clippy::disallowed_methods, reason = "the store is an edge")]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// `2026-11-23 13:41:29 UTC`, from seconds since 1970.
pub fn moment(seconds: u64) -> String {
    use aws_smithy_types::{DateTime, date_time::Format};
    let time = DateTime::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let text = time.fmt(Format::DateTime).unwrap_or_default();
    text.replace('T', " ").replace('Z', " UTC")
}

/// How long to wait for a lock.
pub struct Patience<'a> {
    /// For so long; none: until it is known whether the holder lives.
    pub timeout: Option<Duration>,
    /// Called now and then with the holder that is waited for.
    pub notify: &'a mut (dyn FnMut(&Holder) + Send),
}

impl Patience<'_> {
    /// Whether it is at an end after so long, the holder's life being `certain` or not.
    pub(super) fn is_over(&self, waited: Duration, certain: bool) -> bool {
        self.timeout.map_or(certain, |timeout| waited >= timeout)
    }
}

/// Watches the beat of a lease that others hold.
#[derive(Debug, Default)]
pub(super) struct Vigil {
    /// The id, the beat and when it was first seen.
    seen: Option<(String, u64, Instant)>,
    moved: bool,
}

impl Vigil {
    /// Updates the vigil with what the lock holds now. True: the lease has expired.
    pub(super) fn expired(&mut self, holder: &Holder) -> bool {
        let now = Instant::now();
        match &self.seen {
            Some((id, beat, since)) if *id == holder.id && *beat == holder.beat => {
                now.duration_since(*since) >= holder.lease()
            }
            seen => {
                self.moved = seen.is_some();
                self.seen = Some((holder.id.clone(), holder.beat, now));
                false
            }
        }
    }

    /// Whether a beat was seen: the holder lives.
    pub(super) fn alive(&self) -> bool {
        self.moved
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::store) fn holder(id: &str) -> Holder {
        let (pids_of, started) = process(std::process::id());
        Holder {
            id: id.to_owned(),
            command: "apply of web".to_owned(),
            host: "here".to_owned(),
            pid: std::process::id(),
            since: 1_795_441_289,
            lease: 1,
            beat: 0,
            pids_of,
            started: started.unwrap_or_default(),
        }
    }

    #[test]
    fn a_holder_says_who_it_is() {
        let mut holder = holder("a");
        holder.pid = 7;
        assert_eq!(
            holder.to_string(),
            "apply of web, process 7 on here, since 2026-11-23 13:41:29 UTC"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_process_of_this_machine_is_proven_dead() {
        let living = holder("a");
        assert!(!living.is_proven_dead());
        let reused = Holder {
            started: living.started + 1,
            ..living.clone()
        };
        assert!(reused.is_proven_dead());
        let elsewhere = Holder {
            pids_of: "another boot".to_owned(),
            ..reused
        };
        assert!(!elsewhere.is_proven_dead());
    }

    #[test]
    fn a_lease_expires_when_its_beat_stands_still() {
        let mut watch = Vigil::default();
        let mut holder = holder("a");
        assert!(!watch.expired(&holder));
        std::thread::sleep(Duration::from_millis(600));
        holder.beat += 1;
        assert!(!watch.expired(&holder) && watch.alive());
        std::thread::sleep(Duration::from_millis(600));
        assert!(!watch.expired(&holder), "the beat began anew");
        std::thread::sleep(Duration::from_millis(600));
        assert!(watch.expired(&holder));
    }
}

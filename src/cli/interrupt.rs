//! How a command is stopped: Ctrl-C, SIGTERM, and SIGHUP when the terminal is closed.
//!
//! Before anything is changed (reading, waiting for a lock, at the question) the first
//! signal ends the command. While changes are carried out the first one starts nothing new
//! and ends what only waits; the second leaves at once, and the next run recovers what was
//! in progress. A thread of its own hears the signals, so that a command that is stuck can be left too.

use super::error::CliError;
use super::exit::Exit;
use super::output;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a command may take to end by itself once it is to end at once.
const GRACE: Duration = Duration::from_secs(1);

struct Heard {
    count: watch::Sender<u8>,
    working: Mutex<bool>,
    asking: AtomicBool,
    /// Whether changes were carried out before.
    worked: AtomicBool,
    /// How far the report is that the command was cut off: it appears once, whoever is first.
    report: AtomicU8,
}

/// The command is going to print it.
const COMMAND: u8 = 1;
/// The thread that hears the signals prints it.
const SIGNALS: u8 = 2;
/// The command prints it.
const PRINTED: u8 = 3;

/// Signals come to the process, so there is one of these.
static HEARD: LazyLock<Heard> = LazyLock::new(|| Heard {
    count: watch::Sender::new(0),
    working: Mutex::new(false),
    asking: AtomicBool::new(false),
    worked: AtomicBool::new(false),
    report: AtomicU8::new(0),
});

impl Heard {
    fn working(&self) -> MutexGuard<'_, bool> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the report from one stage to the next; whether it was there.
    fn report(&self, from: u8, to: u8) -> bool {
        let order = Ordering::SeqCst;
        self.report.compare_exchange(from, to, order, order).is_ok()
    }
}

/// Changes are being carried out, until this is dropped: the first signal cuts nothing off.
pub(super) struct Working(());

impl Working {
    /// How many signals came: 0, 1 to stop, 2 to leave.
    pub(super) fn subscribe(&self) -> watch::Receiver<u8> {
        HEARD.count.subscribe()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let mut working = HEARD.working();
        *working = false;
        // The run took them in; what is left (printing outputs) is short.
        HEARD.count.send_replace(0);
    }
}

/// Says that changes are carried out from here on.
///
/// # Errors
/// When a signal came already.
pub(super) fn working() -> Result<Working, CliError> {
    let mut working = HEARD.working();
    if *HEARD.count.borrow() > 0 {
        return Err(interrupted());
    }
    *working = true;
    HEARD.worked.store(true, Ordering::Relaxed);
    Ok(Working(()))
}

/// Says whether a question is open on the terminal.
pub(super) fn asking(open: bool) {
    HEARD.asking.store(open, Ordering::Relaxed);
}

/// Ends when a signal cuts the command off.
pub(super) async fn cut() {
    let mut told = HEARD.count.subscribe();
    loop {
        if *told.borrow_and_update() > 0 && !*HEARD.working() {
            return;
        }
        if told.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The end of a command that was cut off, to be reported by the command.
pub(super) fn interrupted() -> CliError {
    HEARD.report(0, COMMAND);
    cut_off()
}

/// Is called before that report is printed. Where the other thread prints it, the process ends
/// meanwhile.
pub(super) fn printing() {
    HEARD.report(COMMAND, PRINTED);
    while HEARD.report.load(Ordering::SeqCst) == SIGNALS {
        std::thread::park();
    }
}

fn cut_off() -> CliError {
    if HEARD.asking.swap(false, Ordering::Relaxed) {
        // The cursor is behind the question.
        output::message("\n");
    }
    let now = match HEARD.worked.load(Ordering::Relaxed) {
        true => "What was changed before is in the state.",
        false => "No resource was changed.",
    };
    CliError::new("Interrupted.")
        .now(now)
        .exit(Exit::Interrupted)
}

/// Starts to hear signals. Where that is not possible they end the process, as the system
/// does by itself.
pub(super) fn listen() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    let heard = move || runtime.block_on(hear());
    let _ = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(heard);
}

#[cfg(unix)]
async fn hear() {
    use tokio::signal::unix::{SignalKind, signal};
    let ignored = ignored();
    let open = |kind: SignalKind| {
        let is_ignored = ignored >> (kind.as_raw_value() - 1) & 1 == 1;
        (!is_ignored).then(|| signal(kind).ok()).flatten()
    };
    let mut signals = [
        open(SignalKind::interrupt()),
        open(SignalKind::terminate()),
        open(SignalKind::hangup()),
    ];
    loop {
        any(&mut signals).await;
        HEARD
            .count
            .send_modify(|count| *count = count.saturating_add(1));
        if *HEARD.count.borrow() > u8::from(*HEARD.working()) {
            // The command ends by itself now, unless it is stuck or receives another signal.
            let _ = tokio::time::timeout(GRACE, any(&mut signals)).await;
            leave();
        }
    }
}

#[cfg(unix)]
async fn any(signals: &mut [Option<tokio::signal::unix::Signal>; 3]) {
    let [interrupt, terminate, hangup] = signals;
    tokio::select! {
        () = one(interrupt) => {}
        () = one(terminate) => {}
        () = one(hangup) => {}
    }
}

#[cfg(unix)]
async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// The signals that whoever started the process wants it to ignore (`nohup`, a background
/// job of a script), as bits; they are left ignored.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

#[cfg(not(unix))]
async fn hear() {
    while tokio::signal::ctrl_c().await.is_ok() {
        HEARD
            .count
            .send_modify(|count| *count = count.saturating_add(1));
        if *HEARD.count.borrow() > u8::from(*HEARD.working()) {
            tokio::time::sleep(GRACE).await;
            leave();
        }
    }
}

/// Leaves at once.
#[expect(
    clippy::exit,
    reason = "the command does not end by itself, and the user wants it to"
)]
fn leave() -> ! {
    if *HEARD.working() {
        output::message("Interrupted; left at once. The next run recovers what was in progress.\n");
    } else {
        let mut first = HEARD.report(0, SIGNALS);
        if !first {
            // The command is about to end with its own report, unless it is stuck.
            std::thread::sleep(GRACE);
            first = HEARD.report(COMMAND, SIGNALS);
        }
        match first {
            true => output::message(&cut_off().render(false)),
            false => std::thread::sleep(GRACE),
        }
    }
    std::process::exit(Exit::Interrupted.code().into());
}

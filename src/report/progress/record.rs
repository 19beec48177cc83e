//! What happened so far, and the words for it.

use crate::engine::apply::event::{Doing, Event};
use crate::report::secrets::Secrets;
use crate::report::terminal::{escape, escape_lines};
use crate::report::text::Style;
use crate::resource::error::{Effect, Error};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The most names in a list of them.
const MOST_NAMES: usize = 20;

/// The most waits that are named when they were interrupted; more are only counted.
const MOST_WAITS: usize = 3;

/// The outcome of the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Resources imported into the state.
    pub imported: usize,
    /// Resources moved to another address.
    pub moved: usize,
    /// Resources created.
    pub created: usize,
    /// Resources changed in place.
    pub updated: usize,
    /// Resources deleted and recreated.
    pub replaced: usize,
    /// Resources deleted.
    pub deleted: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps skipped, since one they depend on failed or the run was interrupted.
    pub skipped: usize,
    /// Whether the user stopped the run.
    pub interrupted: bool,
}

/// A step in progress.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) doing: Doing,
    pub(super) since: Instant,
    pub(super) reason: Option<String>,
}

/// A step that failed.
#[derive(Debug)]
struct Failure {
    address: String,
    doing: Doing,
    error: Error,
    now: String,
    created: bool,
}

/// What was done for an address.
#[derive(Debug, Default)]
struct Did {
    imported: bool,
    moved: bool,
    created: bool,
    updated: bool,
    deleted: bool,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) steps: usize,
    pub(super) finished: usize,
    pub(super) running: BTreeMap<String, Running>,
    did: BTreeMap<String, Did>,
    failures: Vec<Failure>,
    /// Address to the one whose failure is the cause, or none after an interruption.
    skipped: BTreeMap<String, Option<String>>,
    skipped_steps: usize,
    /// How many of these an interruption left.
    not_started: usize,
    /// Steps that were left while they only waited, and for what.
    stopped: BTreeMap<String, Option<String>>,
    interrupted: bool,
    /// Whether the stack is deleted.
    destroys: bool,
    secrets: Secrets,
}

impl Record {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            ..Self::default()
        }
    }

    /// Takes an event in.
    pub(super) fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Started {
                steps, destroys, ..
            } => {
                self.steps += steps;
                self.destroys = *destroys;
            }
            Event::StepStarted { address, doing } if *doing != Doing::Keeping => {
                let running = Running {
                    doing: *doing,
                    since: now,
                    reason: None,
                };
                self.running.insert(address.clone(), running);
            }
            Event::StepStarted { .. } => {}
            Event::Waiting { address, reason } => {
                if let Some(running) = self.running.get_mut(address) {
                    running.reason = Some(self.secrets.hide(reason));
                }
            }
            Event::Done { address, doing, .. } => {
                self.end(address, *doing);
                let did = self.did.entry(address.clone()).or_default();
                match doing {
                    Doing::Creating => did.created = true,
                    Doing::Updating => did.updated = true,
                    Doing::Deleting => did.deleted = true,
                    Doing::Importing => did.imported = true,
                    Doing::Moving => did.moved = true,
                    Doing::Reading | Doing::Keeping => {}
                }
            }
            Event::Failed {
                address,
                doing,
                error,
                now,
                created,
            } => {
                self.end(address, *doing);
                self.failures.push(Failure {
                    address: address.clone(),
                    doing: *doing,
                    error: error.clone(),
                    now: now.clone(),
                    created: *created,
                });
            }
            Event::Stopped { address, .. } => {
                let reason = self.running.remove(address).and_then(|it| it.reason);
                self.stopped.insert(address.clone(), reason);
            }
            Event::Skipped {
                address,
                doing,
                because,
            } => {
                if *doing != Doing::Keeping {
                    self.skipped_steps += 1;
                    self.not_started += usize::from(because.is_none());
                    self.skipped.insert(address.clone(), because.clone());
                }
            }
            Event::Interrupted { .. } => self.interrupted = true,
        }
    }

    fn end(&mut self, address: &str, doing: Doing) {
        if doing != Doing::Keeping {
            self.running.remove(address);
            self.finished += 1;
        }
    }

    /// A string with no secret in it.
    pub(super) fn hide(&self, text: &str) -> String {
        self.secrets.hide(text)
    }

    /// The counts.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally {
            failed: self.failures.len(),
            skipped: self.skipped_steps,
            interrupted: self.interrupted,
            ..Tally::default()
        };
        for did in self.did.values() {
            match (did.created, did.deleted) {
                (true, true) => tally.replaced += 1,
                (true, false) => tally.created += 1,
                (false, true) => tally.deleted += 1,
                (false, false) => {}
            }
            tally.imported += usize::from(did.imported);
            tally.moved += usize::from(did.moved);
            tally.updated += usize::from(did.updated);
        }
        tally
    }

    /// The line for a finished step; none for events that have no line.
    pub(super) fn line(&self, event: &Event, style: &Style) -> Option<String> {
        let line = match event {
            Event::Done {
                address,
                doing,
                id,
                took,
            } if *doing != Doing::Keeping => {
                // What has no identity of its own has the id "none", as a password.
                let id = match id.is_empty() || id == "none" {
                    true => String::new(),
                    false => format!(" ({})", escape(&self.hide(id))),
                };
                let (address, words) = (escape(address), words(*doing));
                match doing {
                    // No call is behind it.
                    Doing::Importing | Doing::Moving => format!("{address}: {}{id}", words.done),
                    _ => format!("{address}: {} in {}{id}", words.done, seconds(*took)),
                }
            }
            Event::Failed {
                address,
                doing,
                error,
                created,
                ..
            } => {
                let why = match error.call() {
                    Some(call) => format!("{} returned {}", call.call, call.code),
                    None => self.hide(&error.to_string()),
                };
                let what = match is_sure(*doing, error, *created) {
                    true => format!("not {}", words(*doing).done),
                    false => format!("{} failed", words(*doing).doing),
                };
                let text = format!("{what}: {}", escape(&why));
                format!("{}: {}", escape(address), red(&text, style))
            }
            // Those that an interruption left are counted in the end.
            Event::Skipped {
                address,
                doing,
                because: Some(other),
            } if *doing != Doing::Keeping => {
                let (address, other) = (escape(address), escape(other));
                format!("{address}: skipped: depends on {other}, which failed")
            }
            Event::Interrupted { running } if *running > 0 => {
                let steps = if *running == 1 { "step" } else { "steps" };
                format!(
                    "Interrupted: waiting for {running} {steps} in progress. Press Ctrl-C again \
                     to leave at once; the next run recovers what was in progress."
                )
            }
            _ => return None,
        };
        Some(line)
    }

    /// The last word: a block for each failure, what an interruption left, the counts.
    pub(super) fn last_word(&self, took: Duration, style: &Style) -> String {
        let mut text = String::new();
        // Where the credentials are wrong, all steps fail alike: that is reported once.
        let (alike, others): (Vec<&Failure>, Vec<&Failure>) = self
            .failures
            .iter()
            .partition(|failure| failure.error.is_of_credentials());
        for failure in others.into_iter().chain(alike.first().copied()) {
            text.push('\n');
            text.push_str(&self.failure(failure, style));
        }
        let rest = alike.iter().skip(1).map(|failure| failure.address.as_str());
        let rest: Vec<&str> = rest.collect();
        if !rest.is_empty() {
            text.push_str(&format!("  the same for: {}\n", names(&rest)));
        }
        if self.interrupted && !self.running.is_empty() {
            let open: Vec<&str> = self.running.keys().map(String::as_str).collect();
            text.push_str(&format!(
                "\nLeft in progress: {}. The next run finds out what was done.\n",
                names(&open)
            ));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        if self.stopped.len() <= MOST_WAITS {
            for (address, reason) in &self.stopped {
                let reason = reason.as_deref();
                let reason =
                    reason.map_or_else(String::new, |reason| format!(": {}", escape(reason)));
                let line = format!("{}: interrupted while it waited{reason}\n", escape(address));
                text.push_str(&line);
            }
        }
        text.push_str(&match self.interrupted {
            true => self.interruption(),
            false => self.counts(took),
        });
        text.push('\n');
        text
    }

    /// `Interrupted: 20 of 40 done, 20 not started. Run the command again to go on.`
    fn interruption(&self) -> String {
        let failed = self.failures.len();
        let done = self.finished - failed;
        let mut text = format!("Interrupted: {done} of {} done", self.steps);
        for (count, word) in [
            (failed, "failed"),
            (self.skipped_steps - self.not_started, "skipped"),
            (self.stopped.len(), "interrupted while waiting"),
            (self.running.len(), "left in progress"),
            (self.not_started, "not started"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {count} {word}"));
            }
        }
        text.push('.');
        if done < self.steps {
            text.push_str(" Run the command again to go on.");
        }
        text
    }

    /// The line that counts what was done: `Applied: …`, `Destroyed: …`.
    fn counts(&self, took: Duration) -> String {
        let tally = self.tally();
        let failed = tally.failed + tally.skipped > 0;
        if self.destroys && !failed {
            let plural = if tally.deleted == 1 { "" } else { "s" };
            return format!("Destroyed: {} resource{plural}.", tally.deleted);
        }
        let mut text = match (self.destroys, failed) {
            (true, _) => "Destroy failed: ",
            (false, true) => "Apply failed: ",
            (false, false) => "Applied: ",
        }
        .to_owned();
        for (count, word) in [(tally.imported, "imported"), (tally.moved, "moved")] {
            if count > 0 {
                text.push_str(&format!("{count} {word}, "));
            }
        }
        if !self.destroys {
            let (created, updated) = (tally.created, tally.updated);
            let replaced = tally.replaced;
            text.push_str(&format!(
                "{created} created, {updated} updated, {replaced} replaced, "
            ));
        }
        text.push_str(&format!("{} deleted in {}.", tally.deleted, seconds(took)));
        if failed {
            let counts = format!(" {} failed, {} skipped.", tally.failed, tally.skipped);
            text.push_str(&counts);
        }
        text
    }

    fn failure(&self, failure: &Failure, style: &Style) -> String {
        let (address, words) = (escape(&failure.address), words(failure.doing));
        let what = match is_sure(failure.doing, &failure.error, failure.created) {
            true => format!("{address} was not {}", words.done),
            false => format!("{} {address} failed", words.doing),
        };
        let mut text = format!("{} {what}\n", red("error:", style));
        let mut row = |name: &str, value: &str| {
            if !value.is_empty() {
                let value = escape_lines(&self.hide(value)).replace('\n', "\n    ");
                text.push_str(&format!("  {name}: {value}\n"));
            }
        };
        row("cause", &failure.error.to_string());
        // The first line says that much.
        if failure.now != format!("{} was not {}.", failure.address, words.done) {
            row("now", &failure.now);
        }
        row("next", &next_step(&failure.error));
        let skipped: Vec<&str> = self
            .skipped
            .keys()
            .map(String::as_str)
            .filter(|address| self.root_of(address) == Some(&failure.address))
            .collect();
        if !skipped.is_empty() {
            row("skipped", &names(&skipped));
        }
        text
    }

    /// The failed address behind a skipped one, which may wait for another skipped one.
    fn root_of(&self, address: &str) -> Option<&str> {
        let mut at = self.skipped.get(address)?.as_deref()?;
        for _ in 0..self.skipped.len() {
            match self.skipped.get(at).and_then(Option::as_deref) {
                Some(next) if next != at => at = next,
                _ => break,
            }
        }
        Some(at)
    }
}

/// Whether a step that failed did not do what it is for: a create or a deletion may have, and the
/// lines after the first say so.
fn is_sure(doing: Doing, error: &Error, created: bool) -> bool {
    let ends = matches!(doing, Doing::Creating | Doing::Deleting);
    let unknown = ends && error.effect() == Effect::Unknown;
    !(created || unknown)
}

/// The one next step after an error.
pub(super) fn next_step(error: &Error) -> String {
    if let Some(hint) = error.hint() {
        return hint;
    }
    if error.is_throttle() {
        return "Run the command again in a moment, or with a lower --parallelism.".to_owned();
    }
    match error.effect() {
        Effect::Unknown => {
            "Run the command again; it looks first whether the call took effect.".to_owned()
        }
        Effect::None if error.status().is_some_and(|status| status >= 500) => {
            "Run the command again in a moment; what is done stays done.".to_owned()
        }
        Effect::None => {
            "Fix the cause, then run the command again; what is done stays done.".to_owned()
        }
    }
}

fn names(list: &[&str]) -> String {
    let shown: Vec<_> = list
        .iter()
        .take(MOST_NAMES)
        .map(|name| escape(name))
        .collect();
    let rest = list.len().saturating_sub(MOST_NAMES);
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

fn red(text: &str, style: &Style) -> String {
    if style.color {
        format!("\x1b[31m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// The words for what is done.
pub(super) struct Words {
    /// In JSON.
    pub(super) action: &'static str,
    /// While it goes on.
    pub(super) doing: &'static str,
    /// Afterwards.
    pub(super) done: &'static str,
}

pub(super) fn words(doing: Doing) -> Words {
    let (action, doing, done) = match doing {
        Doing::Creating => ("create", "creating", "created"),
        Doing::Updating => ("update", "updating", "updated"),
        Doing::Deleting => ("delete", "deleting", "deleted"),
        Doing::Reading => ("read", "reading", "read"),
        Doing::Importing => ("import", "importing", "imported"),
        Doing::Moving => ("move", "moving", "moved"),
        Doing::Keeping => ("keep", "recording", "recorded"),
    };
    Words {
        action,
        doing,
        done,
    }
}

/// `0.2 s`, `1 min 5 s`.
pub(super) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

/// The same without a fraction, for a clock that runs: `3 s`, `1 min 5 s`.
pub(super) fn whole_seconds(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{} s", time.as_secs())
    } else {
        seconds(time)
    }
}

//! What happened so far, and the words for it.

use crate::engine::event::{Doing, Event};
use crate::report::secrets::Secrets;
use crate::report::terminal::{escape, escape_lines};
use crate::report::text::Style;
use crate::resource::error::{Effect, Error};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The most names in a list of them.
const MOST_NAMES: usize = 20;

/// What became of the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Objects taken into the state.
    pub imported: usize,
    /// Objects that have another address now.
    pub moved: usize,
    /// Resources made.
    pub created: usize,
    /// Resources changed in place.
    pub updated: usize,
    /// Resources deleted and made anew.
    pub replaced: usize,
    /// Resources deleted.
    pub deleted: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps left out, since one they need failed or the run was interrupted.
    pub skipped: usize,
    /// Whether the user stopped the run.
    pub interrupted: bool,
}

/// A step under way.
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
    interrupted: bool,
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
            Event::Started { steps, .. } => self.steps += steps,
            Event::Begun { address, doing } if *doing != Doing::Keeping => {
                let running = Running {
                    doing: *doing,
                    since: now,
                    reason: None,
                };
                self.running.insert(address.clone(), running);
            }
            Event::Begun { .. } => {}
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
            } => {
                self.end(address, *doing);
                self.failures.push(Failure {
                    address: address.clone(),
                    doing: *doing,
                    error: error.clone(),
                    now: now.clone(),
                });
            }
            Event::Skipped {
                address,
                doing,
                because,
            } => {
                if *doing != Doing::Keeping {
                    self.skipped_steps += 1;
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

    /// A text with no secret in it.
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

    /// The line for a finished step; none for events that make no line.
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
                ..
            } => {
                let why = match error {
                    Error::Call(call) => format!("{} answered {}", call.call, call.code),
                    other => self.hide(&other.to_string()),
                };
                let text = format!("not {}: {}", words(*doing).done, escape(&why));
                format!("{}: {}", escape(address), red(&text, style))
            }
            Event::Skipped {
                address,
                doing,
                because,
            } if *doing != Doing::Keeping => {
                let because = match because {
                    Some(other) => format!("since {} failed", escape(other)),
                    None => "since the run was interrupted".to_owned(),
                };
                format!("{}: skipped, {because}", escape(address))
            }
            Event::Interrupted { running } => {
                let steps = if *running == 1 { "step" } else { "steps" };
                format!(
                    "Interrupted: waiting for {running} running {steps}. Ctrl-C again leaves at \
                     once; the next run settles what was open."
                )
            }
            _ => return None,
        };
        Some(line)
    }

    /// The last word: a block for each failure, what an interruption left, the counts.
    pub(super) fn last_word(&self, took: Duration, style: &Style) -> String {
        let mut text = String::new();
        for failure in &self.failures {
            text.push('\n');
            text.push_str(&self.failure(failure, style));
        }
        let left: Vec<&str> = self
            .skipped
            .iter()
            .filter(|(_, because)| because.is_none())
            .map(|(address, _)| address.as_str())
            .collect();
        if !left.is_empty() {
            text.push_str(&format!(
                "\nInterrupted; not begun: {}. Run the command again to go on.\n",
                names(&left)
            ));
        }
        if self.interrupted && !self.running.is_empty() {
            let open: Vec<&str> = self.running.keys().map(String::as_str).collect();
            text.push_str(&format!(
                "\nLeft while under way: {}. The next run finds out what became of them.\n",
                names(&open)
            ));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let tally = self.tally();
        let mut first = String::new();
        for (count, word) in [(tally.imported, "imported"), (tally.moved, "moved")] {
            if count > 0 {
                first.push_str(&format!("{count} {word}, "));
            }
        }
        text.push_str(&format!(
            "Applied: {first}{} created, {} updated, {} replaced, {} deleted in {}.",
            tally.created,
            tally.updated,
            tally.replaced,
            tally.deleted,
            seconds(took)
        ));
        if tally.failed + tally.skipped > 0 {
            let counts = format!(" {} failed, {} skipped.", tally.failed, tally.skipped);
            text.push_str(&counts);
        }
        text.push('\n');
        text
    }

    fn failure(&self, failure: &Failure, style: &Style) -> String {
        let mut text = format!(
            "{} {} was not {}\n",
            red("error:", style),
            escape(&failure.address),
            words(failure.doing).done
        );
        let mut row = |name: &str, value: &str| {
            if !value.is_empty() {
                let value = escape_lines(&self.hide(value)).replace('\n', "\n    ");
                text.push_str(&format!("  {name}: {value}\n"));
            }
        };
        row("cause", &failure.error.to_string());
        row("now", &failure.now);
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

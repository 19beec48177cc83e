//! One line an event, for pipes and logs.

use super::Reporter;
use super::record::{Record, Tally, whole_seconds, words};
use crate::engine::apply::event::{Doing, Event};
use crate::report::secrets::Secrets;
use crate::report::terminal::escape;
use crate::report::text::Style;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// How often a step in progress is reported again.
const REMIND: Duration = Duration::from_secs(10);

pub(super) struct Plain {
    out: Box<dyn Write + Send>,
    style: Style,
    record: Record,
    /// When each running step was last named.
    named: BTreeMap<String, Instant>,
    /// What each running step was last said to wait for.
    said: BTreeMap<String, String>,
}

impl Plain {
    pub(super) fn new(out: Box<dyn Write + Send>, style: Style, secrets: Secrets) -> Self {
        Self {
            out,
            style,
            record: Record::new(secrets),
            named: BTreeMap::new(),
            said: BTreeMap::new(),
        }
    }

    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }

    pub(super) fn event_at(&mut self, event: &Event, now: Instant) {
        self.record.take(event, now);
        match event {
            Event::StepStarted { address, doing } if *doing != Doing::Keeping => {
                self.named.insert(address.clone(), now);
                self.write(&format!("{}: {}\n", escape(address), words(*doing).doing));
            }
            Event::Done { address, .. }
            | Event::Failed { address, .. }
            | Event::Stopped { address, .. } => {
                self.named.remove(address);
                self.said.remove(address);
            }
            Event::Waiting { address, .. } => self.waiting(address, now),
            _ => {}
        }
        if let Some(line) = self.record.line(event, &self.style) {
            self.write(&format!("{line}\n"));
        }
        self.remind(now);
    }

    /// Says once what a step waits for; what was seen meanwhile (`(now …)`) is no news.
    fn waiting(&mut self, address: &str, now: Instant) {
        let running = self.record.running.get(address);
        let Some(reason) = running.and_then(|running| running.reason.clone()) else {
            return;
        };
        let cause = reason.split(" (now ").next().unwrap_or_default();
        if self.said.get(address).is_some_and(|said| said == cause) {
            return;
        }
        self.said.insert(address.to_owned(), cause.to_owned());
        self.named.insert(address.to_owned(), now);
        let begins = ["waiting for ", "retrying: "];
        let verb = match begins.iter().any(|begin| reason.starts_with(begin)) {
            true => "",
            false => "waiting: ",
        };
        self.write(&format!("{}: {verb}{}\n", escape(address), escape(&reason)));
    }

    /// Names the steps of which nothing was heard for long.
    pub(super) fn remind(&mut self, now: Instant) {
        let mut lines = String::new();
        for (address, running) in &self.record.running {
            let Some(named) = self.named.get_mut(address) else {
                continue;
            };
            if now.saturating_duration_since(*named) < REMIND {
                continue;
            }
            *named = now;
            let elapsed = whole_seconds(now.saturating_duration_since(running.since));
            let reason = running
                .reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({})", escape(reason)));
            let (address, doing) = (escape(address), words(running.doing).doing);
            lines.push_str(&format!("{address}: still {doing} … {elapsed}{reason}\n"));
        }
        if !lines.is_empty() {
            self.write(&lines);
        }
    }
}

impl Reporter for Plain {
    fn event(&mut self, event: &Event) {
        self.event_at(event, Instant::now());
    }

    fn tick(&mut self) {
        self.remind(Instant::now());
    }

    fn finish(&mut self, took: Duration) -> Tally {
        let text = self.record.last_word(took, &self.style);
        self.write(&text);
        self.record.tally()
    }
}

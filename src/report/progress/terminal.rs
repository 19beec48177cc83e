//! Live lines on a terminal.

use super::Reporter;
use super::record::{Record, Tally, whole_seconds, words};
use crate::engine::apply::event::Event;
use crate::report::secrets::Secrets;
use crate::report::terminal::{escape, fit};
use crate::report::text::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// The most steps with a line of their own; the total counts all.
const MOST_LIVE: usize = 8;

/// Steps that are done sooner get no line of their own, which would only flicker.
const WORTH_A_LINE: Duration = Duration::from_millis(200);

/// Finished lines are drawn together at most this often.
const REDRAW: Duration = Duration::from_millis(50);

pub(super) struct Terminal {
    out: Box<dyn Write + Send>,
    style: Style,
    record: Record,
    multi: MultiProgress,
    total: ProgressBar,
    live: BTreeMap<String, ProgressBar>,
    /// Finished lines that are not drawn yet.
    lines: Vec<String>,
    drawn: Instant,
    started_at: Instant,
}

impl Terminal {
    pub(super) fn new(
        target: ProgressDrawTarget,
        out: Box<dyn Write + Send>,
        style: Style,
        secrets: Secrets,
    ) -> Self {
        let multi = MultiProgress::with_draw_target(target);
        let total = multi.add(bar());
        Self {
            out,
            style,
            record: Record::new(secrets),
            multi,
            total,
            live: BTreeMap::new(),
            lines: Vec::new(),
            drawn: Instant::now(),
            started_at: Instant::now(),
        }
    }

    pub(super) fn event_at(&mut self, event: &Event, now: Instant) {
        self.record.take(event, now);
        if let Some(line) = self.record.line(event, &self.style) {
            // The ids of some resources are long; the outputs and the state have them in full.
            let line = match event {
                Event::Done { .. } => fit(&line, self.style.width).into_owned(),
                _ => line,
            };
            self.lines.push(line);
        }
        if let Event::Done { address, .. }
        | Event::Failed { address, .. }
        | Event::Stopped { address, .. } = event
            && let Some(bar) = self.live.remove(address)
        {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
        if now.saturating_duration_since(self.drawn) >= REDRAW {
            self.draw_lines(now);
        }
    }

    fn draw_lines(&mut self, now: Instant) {
        self.drawn = now;
        if !self.lines.is_empty() {
            let mut text = self.lines.join("\n");
            text.push('\n');
            // Not by way of the bars, which fill each line up to the window's width.
            self.multi.suspend(|| {
                let _ = self.out.write_all(text.as_bytes());
                let _ = self.out.flush();
            });
            self.lines.clear();
        }
    }

    pub(super) fn tick_at(&mut self, now: Instant) {
        self.draw_lines(now);
        for (address, running) in &self.record.running {
            let elapsed = now.saturating_duration_since(running.since);
            let is_new = !self.live.contains_key(address);
            if is_new && (elapsed < WORTH_A_LINE || self.live.len() >= MOST_LIVE) {
                continue;
            }
            let bar = self
                .live
                .entry(address.clone())
                .or_insert_with(|| self.multi.insert_before(&self.total, bar()));
            let reason = running
                .reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(" ({})", escape(reason)));
            let (address, doing) = (escape(address), words(running.doing).doing);
            let text = format!("{address}: {doing}, {}{reason}", whole_seconds(elapsed));
            show(bar, &text, &self.style);
        }
        let elapsed = whole_seconds(now.saturating_duration_since(self.started_at));
        let (finished, steps) = (self.record.finished, self.record.steps);
        let running = self.record.running.len();
        let text = format!("{finished}/{steps} done, {running} running, {elapsed}");
        show(&self.total, &text, &self.style);
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

/// The text on one line: a line that wraps could not be cleared.
fn show(bar: &ProgressBar, text: &str, style: &Style) {
    bar.set_message(fit(text, style.width.saturating_sub(3)).into_owned());
    bar.tick();
}

impl Reporter for Terminal {
    fn event(&mut self, event: &Event) {
        self.event_at(event, Instant::now());
    }

    fn tick(&mut self) {
        self.tick_at(Instant::now());
    }

    fn finish(&mut self, took: Duration) -> Tally {
        self.draw_lines(Instant::now());
        for bar in self.live.values().chain([&self.total]) {
            bar.finish_and_clear();
        }
        let _ = self.multi.clear();
        let text = self.record.last_word(took, &self.style);
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
        self.record.tally()
    }
}

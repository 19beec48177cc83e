//! What a run reports while it goes on, and its summary.

mod json_lines;
mod plain;
mod record;
mod terminal;
#[cfg(test)]
mod tests;

use crate::engine::apply::event::Event;
use crate::report::secrets::Secrets;
use crate::report::text::Style;
use std::io::Write;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

pub use record::Tally;

/// Takes the events of a run and shows them. What cannot be written is dropped: a closed
/// terminal or pipe must not stop a run.
pub trait Reporter: Send {
    /// Shows one event.
    fn event(&mut self, event: &Event);
    /// Lets time pass on the screen; [`follow`] calls it ten times a second.
    fn tick(&mut self);
    /// Shows the failures and the last line; `took` is the time of the whole run.
    fn finish(&mut self, took: Duration) -> Tally;
}

/// Hands events to the reporter until the sender is dropped. [`Reporter::finish`] is left to the
/// caller.
pub async fn follow(events: &mut UnboundedReceiver<Event>, reporter: &mut dyn Reporter) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => reporter.event(&event),
                None => return,
            },
            _ = ticks.tick() => reporter.tick(),
        }
    }
}

/// Live lines on stderr: one for each step that takes long, with its elapsed time and what
/// it waits for, and a total; finished steps scroll by above. Where stderr is no terminal
/// that can be drawn on, `plain` lines.
pub fn stderr(style: Style, secrets: Secrets) -> Box<dyn Reporter> {
    let target = indicatif::ProgressDrawTarget::stderr();
    let out = Box::new(std::io::stderr());
    if target.is_hidden() {
        return plain(out, style, secrets);
    }
    Box::new(terminal::Terminal::new(target, out, style, secrets))
}

/// One line an event, for pipes and logs; a step that takes long is named again every ten
/// seconds, with what it waits for.
pub fn plain(out: Box<dyn Write + Send>, style: Style, secrets: Secrets) -> Box<dyn Reporter> {
    Box::new(plain::Plain::new(out, style, secrets))
}

/// One JSON object a line (`apply --json`), the last one `{"type": "summary", …}`; the first one
/// has `head`, what stands above the plan.
pub fn json_lines(
    out: Box<dyn Write + Send>,
    secrets: Secrets,
    head: serde_json::Value,
) -> Box<dyn Reporter> {
    Box::new(json_lines::JsonLines::new(out, secrets, head))
}

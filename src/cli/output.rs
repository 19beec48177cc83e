//! The one place that writes to stdout and stderr.

use crate::cli::error::CliError;
use crate::report::terminal::{ColorInputs, DEFAULT_WIDTH, color};
use crate::report::text::Style;
use crate::secrets::Secrets;
use crate::visible;
use anstream::{AutoStream, ColorChoice};
use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::LazyLock;

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The result: plan, outputs, JSON.
    Stdout,
    /// Progress, mistakes, questions.
    Stderr,
}

impl Stream {
    /// Whether it is a terminal.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }

    /// The style of text on this stream: colours as the stream, `NO_COLOR`, `TERM` and `--no-color`
    /// allow, the width of the terminal, secrets hidden.
    pub fn style(self, no_color_flag: bool) -> Style {
        let no_color = variable("NO_COLOR");
        let term = variable("TERM");
        let inputs = ColorInputs {
            is_terminal: self.is_terminal(),
            no_color_flag,
            no_color: no_color.as_deref(),
            term: term.as_deref(),
        };
        Style {
            color: color(inputs),
            width: self.width(),
            show_secrets: false,
        }
    }

    fn width(self) -> usize {
        let terminal = match self {
            Self::Stdout => console::Term::stdout(),
            Self::Stderr => console::Term::stderr(),
        };
        match terminal.size_checked() {
            Some((_, columns)) if self.is_terminal() => usize::from(columns).max(40),
            _ => DEFAULT_WIDTH,
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Writes a result to stdout. A reader that has closed the stream (`| head`) is not an error: the
/// rest is dropped.
pub fn result(text: &str) -> Result<(), CliError> {
    check_written(write(&mut io::stdout().lock(), text))
}

/// Writes a JSON text to stdout; in it nothing acts on a terminal, and the values are the same.
pub fn json(text: &str) -> Result<(), CliError> {
    result(&visible::json(text))
}

/// Whether the reader went away: the other end of a pipe, or the terminal (EIO).
fn is_closed(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    error.kind() == ErrorKind::BrokenPipe || (cfg!(unix) && error.raw_os_error() == Some(EIO))
}

fn check_written(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if !is_closed(&error) => {
            Err(CliError::new("The result could not be written to stdout.").caused_by(&error))
        }
        _ => Ok(()),
    }
}

/// Writes a message to stderr, without the secrets known so far. Where that fails there is
/// nowhere left to say so.
pub fn message(text: &str) {
    let text = secrets().hide(text);
    let _ = write(&mut io::stderr().lock(), &harmless(&text));
}

/// The text without what acts on a terminal, but for line ends and the colours of our own. Who
/// makes a text sees to that already; a path or an address in a message may have been forgotten.
fn harmless(text: &str) -> Cow<'_, str> {
    let is_own = |c: char| matches!(c, '\n' | '\t');
    if !text.chars().any(|c| !is_own(c) && visible::is_active(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        match c {
            c if is_own(c) || (c == '\u{1b}' && is_colour(&text[at..])) => out.push(c),
            c if visible::is_active(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a text starts with a sequence that sets a colour.
fn is_colour(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("\u{1b}[") else {
        return false;
    };
    let end = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    end.starts_with('m')
}

/// Says that a panic came to pass, and where; what it says of itself may hold anything.
pub fn panicked(place: &str) {
    let text = format!(
        "error: stackctl has a defect: it broke off at {place}.\n  now: What was done is in the \
         state or its journal.\n  next: Run the command again; it goes on from there. Please \
         report the place.\n"
    );
    let _ = write(&mut io::stderr().lock(), &text);
}

/// The secrets that this process came to know; no message has them.
pub fn secrets() -> &'static Secrets {
    static SECRETS: LazyLock<Secrets> = LazyLock::new(Secrets::default);
    &SECRETS
}

/// Escape sequences are in the text only where [`Stream::style`] allowed colours, so they
/// pass as they are; on old Windows consoles they are turned into calls.
fn write<S: anstream::stream::RawStream + anstream::stream::AsLockedWrite>(
    stream: &mut S,
    text: &str,
) -> io::Result<()> {
    let mut stream = AutoStream::new(stream, ColorChoice::Always);
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_colours_and_nothing_else_that_acts() {
        let own = "\u{1b}[1;31merror:\u{1b}[0m a\n\tb é";
        assert_eq!(harmless(own), own);
        assert_eq!(
            harmless("a\u{1b}]0;x\u{7}\u{1b}[2J\r\u{9b}1m\u{202e}\u{1b}[31"),
            "a\\u{1b}]0;x\\u{7}\\u{1b}[2J\\u{d}\\u{9b}1m\\u{202e}\\u{1b}[31"
        );
    }

    #[test]
    fn only_a_reader_that_went_away_is_no_error() {
        assert_eq!(check_written(Ok(())), Ok(()));
        assert_eq!(check_written(Err(ErrorKind::BrokenPipe.into())), Ok(()));
        assert_eq!(check_written(Err(io::Error::from_raw_os_error(5))), Ok(()));
        let full = check_written(Err(io::Error::other("no space left on device")));
        assert_eq!(
            full.map_err(|error| error.chain),
            Err(vec!["no space left on device".to_owned()])
        );
    }
}

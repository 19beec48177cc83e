//! An error as the user reads it: what was tried and why it failed, the state after it, and the one
//! next step.

use crate::cli::exit::Exit;
use crate::report::terminal::escape_lines;
use std::fmt::{self, Write as _};

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// How the process ends.
    pub exit: Exit,
    /// What was tried on what and that it failed, a sentence.
    pub message: String,
    /// The causes, outermost first.
    pub chain: Vec<String>,
    /// The state after the failure, a sentence.
    pub now: Option<String>,
    /// The one next step, a sentence.
    pub hint: Option<String>,
}

impl CliError {
    /// A failure with exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            message: message.into(),
            chain: Vec::new(),
            now: None,
            hint: None,
        }
    }

    /// An error that was shown already.
    pub fn silent(exit: Exit) -> Self {
        Self {
            exit,
            ..Self::new("")
        }
    }

    /// With another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// With the state after the failure.
    #[must_use]
    pub fn now(mut self, now: impl Into<String>) -> Self {
        self.now = Some(now.into());
        self
    }

    /// With the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With its cause and the cause's causes. One that only repeats the last is excluded.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut at = Some(error);
        while let Some(error) = at {
            let text = error.to_string();
            if self.chain.last().is_none_or(|last| !last.ends_with(&text)) {
                self.chain.push(text);
            }
            at = error.source();
        }
        self
    }

    /// The error for scripts, on one line: `apply --json` prints JSON lines.
    pub fn json(&self) -> String {
        let object = serde_json::json!({
            "type": "error",
            "message": self.message,
            "causes": self.chain,
            "now": self.now,
            "next": self.hint,
            "exit_code": self.exit.code(),
        });
        format!("{object}\n")
    }

    /// The text as printed, with a line end after each line.
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        let (on, off) = if color {
            ("\x1b[1;31m", "\x1b[0m")
        } else {
            ("", "")
        };
        let _ = writeln!(text, "{on}error:{off} {}", indented(&self.message, 7));
        for cause in &self.chain {
            let _ = writeln!(text, "  cause: {}", indented(cause, 9));
        }
        if let Some(now) = &self.now {
            let _ = writeln!(text, "  now: {}", indented(now, 7));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "  next: {}", indented(hint, 8));
        }
        text
    }
}

/// The text made harmless, lines after the first under the first.
fn indented(text: &str, by: usize) -> String {
    escape_lines(text).replace('\n', &format!("\n{:by$}", ""))
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

impl From<crate::resource::error::Error> for CliError {
    fn from(error: crate::resource::error::Error) -> Self {
        Self {
            hint: error.hint(),
            ..Self::new(error.to_string())
        }
    }
}

/// A clause as the beginning of a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_how_things_stand_and_what_next() {
        let cause = std::io::Error::other("disk full\x1b[2J");
        let error = CliError::new("The state state/a.json could not be written")
            .caused_by(&cause)
            .now("The old state is untouched.")
            .hint("Free some space, then run apply again.");
        insta::assert_snapshot!(error.render(false), @r"
        error: The state state/a.json could not be written
          cause: disk full\u{1b}[2J
          now: The old state is untouched.
          next: Free some space, then run apply again.
        ");
    }
}

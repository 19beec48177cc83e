//! The question before anything is changed.

use crate::cli::error::CliError;
use crate::cli::{interrupt, output};
use std::io::{self, BufRead, IsTerminal};

/// The question of `apply`.
pub const APPLY: &str = "Apply these changes? Only \"yes\" is accepted: ";

/// The question of `drift --accept`.
pub const ACCEPT: &str = "Write this into the stack file? Only \"yes\" is accepted: ";

/// The question of `refresh`.
pub const REFRESH: &str = "Take these live values into the state? Only \"yes\" is accepted: ";

/// The question of `destroy`.
pub const DESTROY: &str = "Delete all of this? Only \"yes\" is accepted: ";

/// The question of `import`.
pub const IMPORT: &str = "Import these resources into the state? Only \"yes\" is accepted: ";

/// Asks on the terminal, unless `--yes` is given. True: go on; false: the user declined (the
/// command ends with exit code 1). Without a terminal, or with `--json`, where nobody sees the
/// plan, it is an error to need an answer.
pub async fn confirm(question: &str, yes: bool, json: bool) -> Result<bool, CliError> {
    if yes {
        return Ok(true);
    }
    if json {
        return Err(refusal("--json leaves no room for a question"));
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(refusal("no terminal to ask on was found"));
    }
    output::message(question);
    // On a thread of its own, so that a signal can end the command meanwhile.
    interrupt::asking(true);
    let read = tokio::task::spawn_blocking(|| answer(&mut io::stdin().lock()));
    let answered = read.await;
    interrupt::asking(false);
    answered
        .unwrap_or_else(|error| Err(unreadable(&error).hint("Run the command again, with --yes.")))
}

/// Whether there is somebody to ask.
pub fn can_ask(json: bool) -> bool {
    !json && io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn refusal(reason: &str) -> CliError {
    CliError::new(format!("The changes were not confirmed: {reason}."))
        .now("Nothing was changed.")
        .hint("Look at what the command would do, then add --yes, which answers the question.")
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> CliError {
    CliError::new("The answer could not be read from the terminal.")
        .caused_by(error)
        .now("Nothing was changed.")
}

/// Reads the answer; the end of the input is a no.
fn answer(input: &mut dyn BufRead) -> Result<bool, CliError> {
    let mut line = String::new();
    input
        .read_line(&mut line)
        .map_err(|error| unreadable(&error))?;
    if line.is_empty() {
        // Ctrl-D leaves the cursor behind the question.
        output::message("\n");
    }
    Ok(line.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (typed, expected) in [
            ("yes\n", true),
            ("  yes \r\n", true),
            ("y\n", false),
            ("YES\n", false),
            ("yes please\n", false),
            ("\n", false),
        ] {
            assert_eq!(answer(&mut typed.as_bytes()), Ok(expected), "{typed:?}");
        }
    }

    #[test]
    fn with_json_the_flag_is_needed() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let confirm = |yes| runtime.block_on(confirm(APPLY, yes, true));
        assert_eq!(confirm(true), Ok(true));
        let refused = confirm(false).map_err(|error| error.render(false));
        insta::assert_snapshot!(refused.unwrap_err(), @"
        error: The changes were not confirmed: --json leaves no room for a question.
          now: Nothing was changed.
          next: Look at what the command would do, then add --yes, which answers the question.
        ");
    }
}

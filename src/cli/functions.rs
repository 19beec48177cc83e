//! `stackctl functions`: what expressions may have in them.

use super::args::GlobalArgs;
use super::args::reference::FunctionsArgs;
use super::error::CliError;
use super::exit::Exit;
use super::output::{self, Stream};
use crate::lang::eval::manual;
use crate::reference::word;
use serde_json::json;

/// Runs the command.
pub(super) fn run(global: &GlobalArgs, args: &FunctionsArgs) -> Result<Exit, CliError> {
    let width = Stream::Stdout.style(global.no_color).width;
    let name = args.name.as_deref().unwrap_or_default();
    if let Some(found) = word::find(name) {
        match global.json {
            true => output::json(&format!("{:#}\n", word::json(found)))?,
            false => output::result(&word::entry(found, width))?,
        }
        return Ok(Exit::Done);
    }
    let found = match args.name {
        None => manual::words().collect(),
        Some(_) => word::search(name),
    };
    if found.is_empty() {
        let error = CliError::new(format!("unknown function {name:?}"));
        return Err(match word::like(name) {
            Some(like) => error.hint(format!("Did you mean {like}?")),
            None => error.hint("stackctl functions lists them."),
        });
    }
    if global.json {
        let words: Vec<_> = found.into_iter().map(word::json).collect();
        output::json(&format!("{:#}\n", json!({"words": words})))?;
    } else {
        output::result(&word::list(&found, width))?;
    }
    Ok(Exit::Done)
}

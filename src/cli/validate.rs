//! `stackctl validate`: every check that needs no call.

use super::args::{CloudArgs, GlobalArgs, ValidateArgs};
use super::error::CliError;
use super::exit::Exit;
use super::mistakes::{self, Evaluate};
use super::{find, output};
use crate::lang::load::Loaded;
use crate::report::terminal::escape;

/// Runs the command.
pub(super) fn run(global: &GlobalArgs, args: &ValidateArgs) -> Result<Exit, CliError> {
    // Another place of the state is shared with nobody.
    let cloud = CloudArgs {
        state: args.unused.state.clone(),
        ..CloudArgs::default()
    };
    let loaded = find::load(args.stack.name.as_deref(), &args.input, &cloud)?;
    let Loaded {
        stack,
        sources,
        mut diagnostics,
    } = loaded;
    mistakes::check(&stack, &mut diagnostics, Evaluate::Always);
    mistakes::strictly(args.strict, &mut diagnostics);
    if mistakes::are_wrong(&diagnostics) || !global.json {
        mistakes::report(global, &diagnostics, &sources)?;
    }
    if global.json {
        let document = mistakes::document(&diagnostics, &sources).to_string();
        let document = output::secrets().hide(&document);
        output::json(&format!("{document}\n"))?;
    } else {
        output::result(&format!("{} is valid.\n", escape(&sources.files[0].0)))?;
    }
    Ok(Exit::Done)
}

//! `stackctl validate`: everything that can be told without a call.

use super::args::{GlobalArgs, ValidateArgs};
use super::error::CliError;
use super::exit::Exit;
use super::{find, mistakes, output, session};
use crate::engine::planner::{self, Inputs, Options};
use crate::engine::world::World;
use crate::lang::check;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::load::Loaded;
use crate::lang::stack::Stack;
use crate::store::state::State;

/// Runs the command.
pub(super) fn run(global: &GlobalArgs, args: &ValidateArgs) -> Result<Exit, CliError> {
    let loaded = find::load(args.stack.name.as_deref(), &args.input)?;
    let Loaded {
        stack,
        sources,
        mut diagnostics,
    } = loaded;
    diagnostics.extend(check::check(&stack));
    if !mistakes::are_wrong(&diagnostics) {
        diagnostics.extend(evaluated(&stack));
    }
    if mistakes::are_wrong(&diagnostics) || !global.json {
        mistakes::report(global, &diagnostics, &sources)?;
    }
    if global.json {
        let document = mistakes::document(&diagnostics, &sources);
        output::result(&format!("{document}\n"))?;
    } else {
        output::result(&format!("{} is valid.\n", sources.files[0].0))?;
    }
    Ok(Exit::Done)
}

/// Mistakes that only show when the expressions are evaluated.
fn evaluated(stack: &Stack) -> Vec<Diagnostic> {
    let world = World::new(State::empty(
        &stack.name,
        stack.env.as_deref(),
        String::new(),
    ));
    let planned = planner::plan(&Inputs {
        stack,
        world: &world,
        options: &Options::default(),
        read_file: &session::reader(&stack.dir),
    });
    planned.diagnostics
}

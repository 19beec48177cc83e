//! `stackctl validate`: everything that can be told without a call.

use super::args::{GlobalArgs, ValidateArgs};
use super::error::CliError;
use super::exit::Exit;
use super::{find, output, session};
use crate::engine::planner::{self, Inputs, Options};
use crate::engine::world::World;
use crate::store::state::State;
use serde_json::json;

/// Runs the command.
pub(super) fn run(global: &GlobalArgs, args: &ValidateArgs) -> Result<Exit, CliError> {
    let loaded = find::load(args.stack.name.as_deref(), &args.input)?;
    let (stack, sources) = session::load_checked(global, loaded)?;
    let world = World::new(State::empty(
        &stack.name,
        stack.env.as_deref(),
        String::new(),
    ));
    let planned = planner::plan(&Inputs {
        stack: &stack,
        world: &world,
        options: &Options::default(),
        read_file: &session::reader(&stack.dir),
    });
    session::report(global, &planned.diagnostics, &sources)?;
    if global.json {
        output::result(&format!(
            "{:#}\n",
            json!({"valid": true, "diagnostics": []})
        ))?;
    } else {
        output::result(&format!("{} is valid.\n", sources.files[0].0))?;
    }
    Ok(Exit::Done)
}

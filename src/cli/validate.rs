//! `stackctl validate`: every check that needs no call.

use super::args::{CloudArgs, GlobalArgs, ValidateArgs};
use super::error::CliError;
use super::exit::Exit;
use super::mistakes::{self, Evaluate};
use super::{find, output};
use crate::data::Path;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::load::Loaded;
use crate::lang::stack::Stack;
use crate::report::terminal::escape;
use crate::resource::cloud_control;
use crate::resource::table::native;
use crate::severity::Severity;
use std::collections::BTreeSet;

/// Runs the command.
pub(super) fn run(global: &GlobalArgs, args: &ValidateArgs) -> Result<Exit, CliError> {
    // Another place of the state is shared with nobody.
    let cloud = CloudArgs {
        state: args.unused.state.clone(),
        ..CloudArgs::default()
    };
    let mut loaded = find::load(args.stack.name.as_deref(), &args.input, &cloud)?;
    mistakes::check(&mut loaded, Evaluate::Always);
    let Loaded {
        stack,
        sources,
        mut diagnostics,
        ..
    } = loaded;
    diagnostics.extend(hints(&stack));
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

/// That stackctl has a type of its own, once for each type of the registry.
fn hints(stack: &Stack) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut hints = Vec::new();
    for (name, block) in &stack.resources {
        let type_name = block.type_name.as_str();
        let Some(own) = cloud_control::native(native(), type_name) else {
            continue;
        };
        if seen.insert(type_name) {
            let path = Path::root().join("resources").join(name).join("type");
            let message = format!("{own} is stackctl's own type for what {type_name} is");
            let help = "its plans know more, and its calls are fewer; both work";
            let hint = Diagnostic::error(Place::Value(path), message).help(help);
            hints.push(Diagnostic {
                severity: Severity::Hint,
                ..hint
            });
        }
    }
    hints
}

//! `stackctl outputs`: what the last apply left, from the state alone.

use super::account::AccountReport;
use super::args::{GlobalArgs, OutputsArgs};
use super::error::CliError;
use super::exit::Exit;
use super::output::Stream;
use super::session::Session;
use super::{apply, find, mistakes, neighbours, output, place, state_key};
use crate::nearest::nearest;
use crate::report::{self, terminal::escape_lines};
use crate::store::key::StateKey;
use crate::store::seal::{Seal, is_kept, is_sealed};

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &OutputsArgs) -> Result<Exit, CliError> {
    let request = args.request(find::is_stack).map_err(CliError::new)?;
    let loaded = find::load(request.stack.as_deref(), &args.read.input, &args.read.cloud)?;
    let stack = mistakes::load_named(global, loaded)?;
    let store = place::store(&stack, &args.read.cloud).await?;
    let account_report = AccountReport::new(global, &stack, &args.read.cloud, &store);
    let opening = store.open(&stack.name, stack.env.as_deref());
    let opened = account_report.reading(&store, opening).await;
    let opened = opened.map_err(place::store_error)?;
    if !opened.existed && !opened.interrupted {
        let message = neighbours::never_applied(&stack, &store.name());
        return Err(CliError::new(message).hint("Run apply first; outputs come from an apply."));
    }
    let show = args.read.secrets.show_secrets;
    let state = &opened.state;
    let named = |name: &String| request.name.as_ref().is_none_or(|wanted| wanted == name);
    let kept = state.outputs.iter().filter(|(name, _)| named(name));
    let kept = kept.filter(|(_, output)| show && is_kept(&output.value));
    let kept: Vec<String> = kept.map(|(name, _)| format!("the output {name}")).collect();
    // The key is asked for only where something is opened with it.
    let key = match kept.is_empty() {
        true => StateKey::default(),
        false => state_key::unlock(&args.read.cloud, state, &store.name())?,
    };
    state_key::need(&key, &store.name(), &kept)?;
    let mut rows = apply::rows(state, &Seal::new(key));
    if let Some(name) = &request.name {
        let names: Vec<String> = rows.iter().map(|row| row.0.clone()).collect();
        rows.retain(|row| row.0 == *name);
        if rows.is_empty() {
            let error = CliError::new(format!("The state has no output \"{name}\"."));
            let list = match names.as_slice() {
                [] => "It has none; they come from the last apply.".to_owned(),
                [only] => format!("Its output is {only}."),
                _ => format!("Its outputs are {}.", names.join(", ")),
            };
            return Err(match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("Did you mean {near}? {list}")),
                None => error.hint(list),
            });
        }
    }
    if request.raw {
        return raw(&rows[0], show);
    }
    if global.json {
        output::json(&format!("{:#}\n", report::outputs::json(&rows, show)))?;
    } else if rows.is_empty() {
        output::message("The state has no outputs. They come from the last apply.\n");
    } else {
        let style = Session::style(global, show);
        output::result(&report::outputs::table(&rows, &style))?;
    }
    Ok(Exit::Done)
}

fn raw(row: &report::outputs::Row, show: bool) -> Result<Exit, CliError> {
    match report::outputs::raw(row, show) {
        // What a script reads is bare; what a terminal shows is harmless.
        Some(text) if Stream::Stdout.is_terminal() => {
            output::result(&escape_lines(&text)).map(|()| Exit::Done)
        }
        Some(text) => output::result(&text).map(|()| Exit::Done),
        None if is_sealed(&row.1) && !is_kept(&row.1) => Err(CliError::new(format!(
            "The output \"{}\" is secret, and an older version kept only a hash of it.",
            row.0
        ))
        .hint("Run apply, which keeps the secrets that the file gives.")),
        None => Err(
            CliError::new(format!("The output \"{}\" is secret.", row.0))
                .hint("Add --show-secrets to print it."),
        ),
    }
}

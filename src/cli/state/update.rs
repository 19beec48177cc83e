//! `stackctl state mv` and `stackctl state rm`.

use super::super::args::GlobalArgs;
use super::super::args::state::{ChangeArgs, MvArgs, RmArgs};
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::{confirm, find, output};
use super::bench::{Bench, unknown, words};
use crate::engine::address::Address;
use crate::resource::table::native;
use crate::secrets::SECRET;
use crate::store::state::{State, StateChange, split_deposed};
use serde_json::json;

/// Runs `mv`.
pub(super) async fn mv(global: &GlobalArgs, args: &MvArgs) -> Result<Exit, CliError> {
    let (stack, rest) = words(&args.words, 2);
    let bench = Bench::new(global, stack, &args.change.place).await?;
    bench.lock(global, args.change.lock).await?;
    let state = bench.open().await?.into_state();
    let (from, to) = (&rest[0], &rest[1]);
    let is_open = state.pending.iter().any(|open| open.address == *from);
    if !state.resources.contains_key(from) && !state.deposed.contains_key(from) && !is_open {
        return Err(unknown(from, &state));
    }
    let Some(address) = Address::parse(to) else {
        return Err(CliError::new(format!("\"{to}\" is no address."))
            .now("Nothing was changed.")
            .hint("An address is a resource's name, with its key where the block has forEach: queue, or logs[\"a\"]."));
    };
    let to = &address.to_string();
    if state.resources.contains_key(to) || state.deposed.contains_key(to) {
        return Err(
            CliError::new(format!("The state has a resource \"{to}\" already."))
                .now("Nothing was changed.")
                .hint("Move that one away first, or forget it with `stackctl state rm`."),
        );
    }
    let change = StateChange::Move {
        from: from.clone(),
        to: to.clone(),
    };
    let change = Change {
        listing: format!("  {from} -> {to}\n"),
        json: json!({"moved": [{"from": from, "to": to}]}),
        question: "Move it in the state? Only \"yes\" is accepted: ",
        done: format!("Moved. The file is to call it {to}; nothing changed in AWS."),
        changes: vec![change],
    };
    carry_out(global, &args.change, &bench, state, change).await
}

/// Runs `rm`.
pub(super) async fn rm(global: &GlobalArgs, args: &RmArgs) -> Result<Exit, CliError> {
    let first_is_stack = args.words.len() > 1 && find::is_stack(&args.words[0]);
    let (stack, names) = words(&args.words, args.words.len() - usize::from(first_is_stack));
    let bench = Bench::new(global, stack, &args.change.place).await?;
    bench.lock(global, args.change.lock).await?;
    let state = bench.open().await?.into_state();
    let (mut listing, mut list, mut changes) = (String::new(), Vec::new(), Vec::new());
    for name in names {
        let (address, key) = split_deposed(name);
        let Some(known) = state.resource(address, key) else {
            return Err(unknown(name, &state));
        };
        let (type_name, id) = (
            &known.type_name,
            known.visible_id(native().schema(&known.type_name)),
        );
        let text = id.unwrap_or(SECRET);
        listing.push_str(&format!("  {name} ({type_name}), id {text}\n"));
        list.push(json!({"address": name, "type": type_name, "id": id}));
        changes.push(StateChange::Drop {
            address: address.to_owned(),
            deposed: key.map(str::to_owned),
        });
    }
    let change = Change {
        listing: format!("To be forgotten; the resources stay in AWS:\n{listing}"),
        json: json!({"forgotten": list}),
        question: "Forget them? Only \"yes\" is accepted: ",
        done: "Forgotten. The resources are still in AWS, and no command of this stack touches them any more.".to_owned(),
        changes,
    };
    carry_out(global, &args.change, &bench, state, change).await
}

struct Change {
    listing: String,
    json: serde_json::Value,
    question: &'static str,
    done: String,
    changes: Vec<StateChange>,
}

async fn carry_out(
    global: &GlobalArgs,
    args: &ChangeArgs,
    bench: &Bench,
    mut state: State,
    change: Change,
) -> Result<Exit, CliError> {
    if !global.json {
        output::message(&change.listing);
    }
    if !confirm::confirm(change.question, args.consent.yes, global.json).await? {
        output::message("Cancelled. No changes were made.\n");
        return Ok(Exit::Failed);
    }
    for change in change.changes {
        state.change(change);
    }
    bench.save(&mut state).await?;
    if global.json {
        let mut json = change.json;
        json["serial"] = state.serial.into();
        output::json(&format!("{json:#}\n"))?;
    } else {
        output::message(&format!(
            "{} Saved as serial {}.\n",
            change.done, state.serial
        ));
    }
    Ok(Exit::Done)
}

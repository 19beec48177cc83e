//! `stackctl state push`: a state that was saved elsewhere becomes the current one.

use super::super::args::GlobalArgs;
use super::super::args::state::PushArgs;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::output;
use super::super::place::store_error;
use super::bench::Bench;
use super::restore::{Newest, before, check};
use crate::files;
use crate::store::transfer::read_saved;
use serde_json::json;
use std::path::Path;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &PushArgs) -> Result<Exit, CliError> {
    let file = args.file.display().to_string();
    let (state, version) = read_saved(&read(&args.file)?).map_err(|why| {
        CliError::new(format!("{file} cannot be pushed: {why}."))
            .now("Nothing was changed.")
            .hint("Push a file as `stackctl state pull` wrote it. `stackctl state restore FILE` takes one that was edited on purpose.")
    })?;
    let bench = Bench::new(global, args.stack.as_deref(), &args.change.place).await?;
    check(&bench, &state)?;
    bench.lock(global, args.change.lock).await?;
    let name = bench.store.name();
    let refused = |why: &str, next: &str| {
        CliError::new(format!("{file} cannot be pushed to {name}: {why}."))
            .now("Nothing was changed.")
            .hint(next)
    };
    let inspected = bench.store.inspect().await.map_err(store_error)?;
    if let Some(moved) = &inspected.moved {
        let next = format!("Push it there: add `--state {}`.", moved.to);
        return Err(refused(&format!("its state was {moved}"), &next));
    }
    let serial = inspected
        .take(&state, &[version], args.force)
        .map_err(|found| refused(&found.why, &found.next))?;
    let Some(serial) = serial else {
        return nothing_to_do(global, &name);
    };
    let before = before(&bench, &inspected).await?;
    let newest = Newest {
        bench: &bench,
        inspected: &inspected,
        before,
        verb: "pushed",
        from: &file,
    };
    newest
        .save(global, args.change.consent, (state, serial))
        .await
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    let read = match path == Path::new("-") {
        true => {
            let stdin = std::io::stdin().lock();
            files::read_to_limit(stdin, files::LARGEST_STATE, &mut text).map(|()| text)
        }
        false => files::read(path, files::LARGEST_STATE),
    };
    read.map_err(|why| {
        let error = std::io::Error::from(why);
        CliError::new(format!("{} cannot be read.", path.display()))
            .caused_by(&error)
            .now("Nothing was changed.")
    })
}

fn nothing_to_do(global: &GlobalArgs, name: &str) -> Result<Exit, CliError> {
    if global.json {
        let json = json!({"pushed": null});
        output::json(&format!("{json:#}\n"))?;
    } else {
        output::message(&format!("Nothing to do: {name} says the same.\n"));
    }
    Ok(Exit::Done)
}

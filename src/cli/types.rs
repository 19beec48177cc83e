//! `stackctl types`: what types there are, and what one of them takes.

use super::args::GlobalArgs;
use super::args::reference::TypesArgs;
use super::error::CliError;
use super::exit::Exit;
use super::output::{self, Stream};
use crate::reference::entry::Entry;
use crate::reference::find::{self, Found, Row};
use crate::reference::text;
use crate::resource::table::native;
use crate::resource::types::Types;
use serde_json::{Value, json};

/// Runs the command.
pub(super) fn run(global: &GlobalArgs, args: &TypesArgs) -> Result<Exit, CliError> {
    let types = native();
    let shown = match args.words.as_slice() {
        [] => all(global),
        [name, path] => match find::find(types, name) {
            Found::One(entry) => property(global, &entry, path)?,
            Found::Several(_) => words(global, types, &format!("{name} {path}"))?,
        },
        several => words(global, types, &several.join(" "))?,
    };
    if global.json {
        output::json(&shown)?;
    } else {
        output::result(&shown)?;
    }
    Ok(Exit::Done)
}

fn width(global: &GlobalArgs) -> usize {
    Stream::Stdout.style(global.no_color).width
}

/// What there is, where nothing is looked for.
fn all(global: &GlobalArgs) -> String {
    let rows = find::own(native());
    if global.json {
        return list_json(&[rows, find::registered()].concat());
    }
    format!(
        "{}\nCloudFormation registry: {} types, as AWS::SERVICE::TYPE.\n\nstackctl types WORD looks \
         for types, stackctl types TYPE shows one.\n",
        text::list(&rows, width(global)),
        find::registered().len()
    )
}

/// The one type that the words mean, or all that have them.
fn words(global: &GlobalArgs, types: &Types, wanted: &str) -> Result<String, CliError> {
    match find::find(types, wanted) {
        Found::One(entry) if global.json => Ok(format!("{:#}\n", entry.json())),
        Found::One(entry) => Ok(text::entry(&entry, width(global))),
        Found::Several(rows) if rows.is_empty() => Err(unknown(types, wanted)),
        Found::Several(rows) if global.json => Ok(list_json(&rows)),
        Found::Several(rows) => Ok(text::list(&rows, width(global))),
    }
}

fn unknown(types: &Types, wanted: &str) -> CliError {
    let error = CliError::new(format!(
        "unknown type {wanted:?}, and no type has it in its name"
    ));
    match find::like(types, wanted).as_slice() {
        [] => error.hint("stackctl types WORD looks for types, stackctl types lists our own."),
        like => error.hint(format!("Did you mean {}?", like.join(" or "))),
    }
}

/// One property of a type.
fn property(global: &GlobalArgs, entry: &Entry, path: &str) -> Result<String, CliError> {
    let Some(found) = entry.property(path) else {
        let error = CliError::new(format!(
            "{path:?} is not a property or output of {}.",
            entry.name
        ));
        return Err(error.hint(format!("stackctl types {} lists them.", entry.name)));
    };
    if global.json {
        return Ok(format!("{:#}\n", found.json()));
    }
    Ok(text::one_property(entry.name, path, found, width(global)))
}

fn list_json(rows: &[Row]) -> String {
    let rows = rows.iter().map(|row| {
        json!({
            "name": row.name,
            "origin": row.origin.name(),
            "summary": row.summary,
        })
    });
    let document: Value = json!({"types": rows.collect::<Vec<_>>()});
    format!("{document:#}\n")
}

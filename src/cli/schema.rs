//! `stackctl schema`: the JSON Schema of stack files, for editors.

use super::args::GlobalArgs;
use super::args::schema::SchemaArgs;
use super::error::CliError;
use super::exit::Exit;
use super::neighbours::LARGEST;
use super::place::WORK_DIR;
use super::{find, output};
use crate::editor;
use crate::files;
use crate::lang::source;
use crate::report::terminal::escape;
use crate::resource::table::native;
use crate::schema::Declarations;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

/// The file's name in the folder for what stackctl keeps for itself.
const FILE: &str = "schema.json";

/// Runs the command.
pub(super) fn run(global: &GlobalArgs, args: &SchemaArgs) -> Result<Exit, CliError> {
    let mut names = BTreeSet::new();
    for name in &args.types {
        let name = known(name)?;
        if !is_own(name) {
            names.insert(name);
        }
    }
    names.extend(used()?);
    let schema = editor::schema(native(), &names);
    let text = format!("{schema}\n");
    if global.json {
        output::json(&text)?;
        return Ok(Exit::Done);
    }
    let path = Path::new(WORK_DIR).join(FILE);
    write(&path, &text).map_err(|error| {
        CliError::new(format!("{} could not be written.", path.display()))
            .caused_by(&error)
            .hint("Make the folder writable, or print the schema: stackctl schema --json")
    })?;
    output::result(&said(&path, &names))?;
    Ok(Exit::Done)
}

fn said(path: &Path, names: &BTreeSet<&str>) -> String {
    let registry = match names.len() {
        0 => String::new(),
        _ => {
            let names: Vec<&str> = names.iter().copied().collect();
            format!(
                "Types of the registry with their properties: {}.\n",
                names.join(", ")
            )
        }
    };
    format!(
        "Wrote {}.\n{registry}\nPut this line at the top of each stack file in stacks/:\n\n  \
         # yaml-language-server: $schema=../{WORK_DIR}/{FILE}\n",
        path.display()
    )
}

/// Whether the type is a native one: its properties are in the schema in any case.
fn is_own(name: &str) -> bool {
    native().resources().contains_key(name)
}

/// The type of this name.
fn known(name: &str) -> Result<&'static str, CliError> {
    if let Some(schema) = native().schema(name) {
        return Ok(schema.name);
    }
    let own = native().resources().keys().copied();
    let near =
        crate::nearest::nearest(name, own).or_else(|| native().others_like(name).first().copied());
    let error = CliError::new(format!("Unknown resource type {:?}.", escape(name)));
    Err(match near {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None => error.hint("Name a type such as AWS::DynamoDB::Table."),
    })
}

/// The types of the registry that the stacks of the project use.
fn used() -> Result<BTreeSet<&'static str>, CliError> {
    let mut found = BTreeSet::new();
    for path in find::stacks()? {
        match types_in(&path) {
            Ok(types) => found.extend(types),
            // A file that is being written is no reason to go without the schema.
            Err(why) => output::message(&format!(
                "warning: {} is not looked into for the types that it uses: {why}\n",
                path.display()
            )),
        }
    }
    Ok(found)
}

fn types_in(path: &Path) -> Result<Vec<&'static str>, String> {
    let bytes = files::read(path, LARGEST).map_err(|why| io::Error::from(why).to_string())?;
    let file = source::parse(&bytes).map_err(|problems| {
        let first = problems.into_iter().next();
        first.map_or_else(String::new, |problem| problem.message)
    })?;
    let resources = file.get("resources").and_then(Value::as_object);
    let names = resources.into_iter().flatten();
    let names = names.filter_map(|(_, resource)| resource.get("type")?.as_str());
    let of_registry = names.filter(|name| !is_own(name));
    Ok(of_registry
        .filter_map(|name| Some(native().schema(name)?.name))
        .collect())
}

/// Writes the file beside its place, and moves it there once it is whole.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = Path::new(WORK_DIR);
    files::folder(folder)?;
    let mut file = files::temporary(folder, ".schema")?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

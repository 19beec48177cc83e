//! From `[STACK]` to the files of a stack.

use super::args::{CloudArgs, InputArgs};
use super::error::CliError;
use super::exit::Exit;
use super::neighbours::{self, FOLDER, LARGEST, stem};
use super::{masks, output};
use crate::files::{self, Unreadable};
use crate::lang::load::{self, Given, Loaded};
use std::io;
use std::path::{Path, PathBuf};

/// Whether a name is that of a stack under `stacks/`, or a path of a file.
pub(super) fn is_stack(name: &str) -> bool {
    candidate(name).is_file()
}

fn candidate(name: &str) -> PathBuf {
    if name.contains('/') || name.ends_with(".yaml") || name.ends_with(".yml") {
        return PathBuf::from(name);
    }
    let path = Path::new(FOLDER).join(format!("{name}.yaml"));
    let other = path.with_extension("yml");
    if !path.is_file() && other.is_file() {
        other
    } else {
        path
    }
}

/// The stack file that `[STACK]` means.
pub(super) fn stack_file(name: Option<&str>) -> Result<PathBuf, CliError> {
    if let Some(name) = name {
        let path = candidate(name);
        if path.is_file() {
            return match neighbours::variables_of(&path) {
                None => Ok(path),
                Some((stack, env)) => Err(CliError::new(format!(
                    "{} is the variable file of an environment, not a stack.",
                    path.display()
                ))
                .hint(format!("Run: stackctl plan {stack} --env {env}"))),
            };
        }
        let known = stacks()?;
        let names: Vec<String> = known.iter().map(|path| stem(path)).collect();
        let near = crate::nearest::nearest(name, names.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("Did you mean {near}?"),
            None if names.is_empty() => "Write a stack file there first.".to_owned(),
            None => format!("The stacks here are: {}.", names.join(", ")),
        };
        let message = match name.split_once('=') {
            // A value of a variable that lacks its flag may be a secret.
            Some((variable, _)) => {
                let message = format!("Stack \"{variable}=***\" not found.");
                let hint = format!("A variable is set with a flag: --var {variable}=…");
                return Err(CliError::new(message).hint(hint));
            }
            None => format!(
                "Stack \"{name}\" not found: {} does not exist.",
                path.display()
            ),
        };
        return Err(CliError::new(message).hint(hint));
    }
    let mut known = stacks()?;
    match known.len() {
        1 => Ok(known.remove(0)),
        0 => Err(CliError::new("No stack file found in stacks/.")
            .hint("Write stacks/NAME.yaml, or go to the project's folder with -C DIR.")),
        _ => {
            let names: Vec<String> = known.iter().map(|path| stem(path)).collect();
            Err(CliError::new(format!(
                "stacks/ holds more than one stack: {}.",
                names.join(", ")
            ))
            .hint("Name the one you mean."))
        }
    }
}

/// The stack files in `stacks/`; `name.env.yaml` belongs to a stack and is none itself.
pub(super) fn stacks() -> Result<Vec<PathBuf>, CliError> {
    let entries = match std::fs::read_dir(FOLDER) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(CliError::new("The folder stacks/ cannot be read.").caused_by(&error));
        }
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let ending = path
                .extension()
                .is_some_and(|ending| ending == "yaml" || ending == "yml");
            ending && path.is_file() && !stem(path).contains('.')
        })
        .collect();
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error: &io::Error| {
        CliError::new(format!("{} cannot be read.", path.display())).caused_by(error)
    };
    files::read(path, LARGEST).map_err(|why| match why {
        Unreadable::Large(most) => {
            let message = format!(
                "{} has more than {most} bytes; no stack file is that large.",
                path.display()
            );
            CliError::new(message)
                .exit(Exit::Invalid)
                .hint("Check that it is the right file; put bulk data into files beside it.")
        }
        why => failed(&why.into()),
    })
}

/// Reads and loads a stack. Another stack file that would share its state is a mistake.
pub(super) fn load(
    name: Option<&str>,
    input: &InputArgs,
    cloud: &CloudArgs,
) -> Result<Loaded, CliError> {
    let path = stack_file(name)?;
    let text = read(&path)?;
    let mut loaded = load_text(&path, text, input)?;
    // With --state the state is in a place that no other file names.
    if cloud.state.is_none() {
        let namesake = neighbours::namesake(&path, &loaded.stack);
        loaded.diagnostics.extend(namesake);
    }
    Ok(loaded)
}

/// Loads a stack whose file has this text.
pub(super) fn load_text(path: &Path, text: Vec<u8>, input: &InputArgs) -> Result<Loaded, CliError> {
    let file = (path.display().to_string(), text);
    let env_file = match &input.env {
        None => None,
        Some(env) if !load::is_file_name(env) => {
            return Err(CliError::new(format!(
                "--env {env:?}: {}, since it is part of the state file's name.",
                load::FILE_NAME
            )));
        }
        Some(env) => {
            let stack_path = path.to_owned();
            let path = path.with_extension(format!("{env}.yaml"));
            if !path.is_file() {
                let message = format!(
                    "Environment \"{env}\" not found: {} does not exist.",
                    path.display()
                );
                return Err(
                    CliError::new(message).hint(neighbours::no_environment(&stack_path, env))
                );
            }
            Some((path.display().to_string(), read(&path)?))
        }
    };
    let mut var_files = Vec::new();
    for path in &input.var_files {
        var_files.push((path.display().to_string(), read(path)?));
    }
    let given = Given {
        vars: input
            .vars
            .iter()
            .map(|var| (var.name.clone(), var.value.clone()))
            .collect(),
        var_files,
        env_vars: input.environment(),
        env: input.env.clone(),
    };
    let dir = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut loaded = load::load(file, env_file, dir, &given);
    if input.env.is_none() {
        neighbours::name_environments(path, &mut loaded.diagnostics);
    }
    // From here on no message repeats them.
    masks::learn(&loaded.sources);
    for value in loaded.stack.variables.values() {
        output::secrets().learn_source(value);
    }
    masks::learn_words(&loaded.sources);
    Ok(loaded)
}

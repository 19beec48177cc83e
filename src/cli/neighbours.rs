//! What stands beside a stack file: other stacks, the files of its environments, and the states
//! of those.

use crate::files;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::load;
use crate::lang::source;
use crate::lang::stack::Stack;
use crate::nearest::nearest;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder of the stacks.
pub(super) const FOLDER: &str = "stacks";

/// No stack file is read beyond this many bytes; the language refuses far smaller ones.
pub(super) const LARGEST: u64 = 16 << 20;

/// A file's name without its ending.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The YAML files of a folder, in order.
fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let ending = path.extension();
            ending.is_some_and(|ending| ending == "yaml" || ending == "yml") && path.is_file()
        })
        .collect();
    found.sort();
    found
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The environments of a stack file: the name and the file of each `STACK.ENV.yaml`.
pub(super) fn environments(path: &Path) -> Vec<(String, PathBuf)> {
    let stack = stem(path);
    let of = |file: PathBuf| {
        let env = stem(&file)
            .strip_prefix(&stack)?
            .strip_prefix('.')?
            .to_owned();
        let is_read = file.extension().is_some_and(|ending| ending == "yaml");
        (is_read && load::is_file_name(&env)).then_some((env, file))
    };
    yaml_files(folder_of(path))
        .into_iter()
        .filter_map(of)
        .collect()
}

/// The stack and the environment that a file holds variables for: `web` and `dev` of
/// `stacks/web.dev.yaml`, where there is a stack `stacks/web.yaml`.
pub(super) fn variables_of(path: &Path) -> Option<(String, String)> {
    let name = stem(path);
    let (stack, env) = name.split_once('.')?;
    let beside = |ending: &str| path.with_file_name(format!("{stack}.{ending}")).is_file();
    (load::is_file_name(env) && (beside("yaml") || beside("yml")))
        .then(|| (stack.to_owned(), env.to_owned()))
}

/// The next step after an environment that does not exist.
pub(super) fn no_environment(path: &Path, env: &str) -> String {
    let known = environments(path);
    let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    let stack = stem(path);
    let list = match names.as_slice() {
        [] => return "Write that file; it may be empty if no variable differs.".to_owned(),
        [only] => format!("The environment of {stack} is {only}."),
        _ => format!("The environments of {stack} are {}.", names.join(", ")),
    };
    match nearest(env, names.iter().copied()) {
        Some(near) => format!("Did you mean {near}? {list}"),
        None => list,
    }
}

/// Names, in the help to a variable without a value, the environments that give it one.
pub(super) fn name_environments(path: &Path, diagnostics: &mut [Diagnostic]) {
    let mut known: Option<Vec<(String, PathBuf, Value)>> = None;
    for found in diagnostics {
        let Place::Key(at) = &found.place else {
            continue;
        };
        let Some(name) = at.last().filter(|name| {
            found.file == 0 && found.message == format!("the variable {name} has no value")
        }) else {
            continue;
        };
        let known = known.get_or_insert_with(|| {
            let parsed = environments(path).into_iter().filter_map(|(env, file)| {
                let value = source::parse(&read(&file)?).ok()?;
                Some((env, file, value))
            });
            parsed.collect()
        });
        let setting = known
            .iter()
            .filter(|(_, _, values)| values.get(name.as_ref()).is_some());
        let (mut files, mut flags) = (Vec::new(), Vec::new());
        for (env, file, _) in setting {
            files.push(match files.is_empty() {
                true => file.display().to_string(),
                false => file
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            });
            flags.push(format!("--env {env}"));
        }
        if !files.is_empty() {
            let verb = if files.len() == 1 { "sets" } else { "set" };
            found.help = Some(format!(
                "{} {verb} it: {}; or --var {name}=…",
                files.join(" and "),
                flags.join(" or ")
            ));
        }
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    files::read(path, LARGEST).ok()
}

/// The mistake of a stack file that has the name of another one, so that both would keep
/// their state in one place.
pub(super) fn namesake(path: &Path, stack: &Stack) -> Option<Diagnostic> {
    if !load::is_file_name(&stack.name) {
        return None;
    }
    let own = std::fs::canonicalize(path).ok()?;
    let mut beside = yaml_files(Path::new(FOLDER));
    let folder = folder_of(path);
    let is_other = std::fs::canonicalize(folder).ok() != std::fs::canonicalize(FOLDER).ok();
    if is_other {
        beside.extend(yaml_files(folder));
    }
    let other = beside.into_iter().find(|file| {
        let is_stack = !stem(file).contains('.');
        is_stack
            && std::fs::canonicalize(file).is_ok_and(|file| file != own)
            && shares(file, stack, is_other && !file.starts_with(FOLDER))
    })?;
    let place = match stack.state.as_str() {
        Some(place) => place.to_owned(),
        None => format!("state/{}.json", stack.full_name()),
    };
    let message = format!(
        "{} has the name \"{}\" too, so both files would use {place}",
        other.display(),
        stack.name
    );
    let (mine, theirs) = (stem(path), stem(&other));
    let help = match () {
        () if mine != stack.name && load::is_file_name(&mine) => {
            format!("give this stack a name of its own, such as name: {mine}")
        }
        () if theirs != stack.name && load::is_file_name(&theirs) => {
            let other = other.display();
            format!("give the stack in {other} a name of its own, such as name: {theirs}")
        }
        () => "give each stack a name of its own".to_owned(),
    };
    let name = crate::data::Path::root().join("name");
    Some(Diagnostic::error(Place::Value(name), message).help(help))
}

/// Whether a file is a stack of the same name that keeps its state in the same place. What is not a
/// valid YAML keeps none. Outside of `stacks/` other kinds of files have names, too.
fn shares(file: &Path, stack: &Stack, elsewhere: bool) -> bool {
    let Some(bytes) = read(file) else {
        return false;
    };
    // Most neighbours are distinguished without being parsed; `\` may begin an escape.
    let name = stack.name.as_bytes();
    let mentioned = bytes.windows(name.len()).any(|part| part == name);
    if !mentioned && !bytes.contains(&b'\\') {
        return false;
    }
    let Ok(value) = source::parse(&bytes) else {
        return false;
    };
    let blocks = [
        "resources",
        "data",
        "providers",
        "outputs",
        "variables",
        "locals",
    ];
    let is_stack = !elsewhere || blocks.iter().any(|block| value.get(block).is_some());
    let state = value.get("state").unwrap_or(&Value::Null);
    is_stack
        && value.get("name").and_then(Value::as_str) == Some(&stack.name)
        && *state == stack.state
}

/// Why a stack has no state where it is looked for: `t was never applied (no state/t.json).`
pub(super) fn never_applied(stack: &Stack, place: &str) -> String {
    let name = &stack.name;
    let usual = |full: &str| Path::new("state").join(format!("{full}.json"));
    if Path::new(place) != usual(&stack.full_name()) {
        return format!("{name} was never applied (no {place}).");
    }
    let mut others = Vec::new();
    if stack.env.is_some() && usual(name).is_file() {
        others.push("without --env".to_owned());
    }
    let states = std::fs::read_dir("state").into_iter().flatten().flatten();
    let mut envs: Vec<String> = states
        .filter_map(|entry| {
            let file = entry.file_name().to_string_lossy().into_owned();
            let full = file.strip_suffix(".json")?;
            let env = full.strip_prefix(name.as_str())?.strip_prefix('.')?;
            (load::is_file_name(env) && stack.env.as_deref() != Some(env)).then(|| env.to_owned())
        })
        .collect();
    envs.sort();
    others.extend(envs.iter().map(|env| format!("for --env {env}")));
    if others.is_empty() {
        return format!("{name} was never applied (no {place}).");
    }
    let with = match &stack.env {
        None => "without --env".to_owned(),
        Some(env) => format!("for --env {env}"),
    };
    format!(
        "{name} has no state {with}; there is one {}.",
        others.join(", one ")
    )
}

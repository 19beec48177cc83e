//! From the files of a stack to a [`Stack`] with the values of its variables. Every mistake is
//! reported; what could be understood is in the stack, so that later checks can report theirs.

pub mod assume_role;
mod block;
pub mod keys;
mod reader;
#[cfg(test)]
mod tests;
mod values;
mod variable;

pub(crate) use block::duration;

use super::diagnostic::{Diagnostic, Place};
use super::source;
use super::stack::{Sources, Stack};
use crate::data::Path;
use crate::severity::Severity;
use reader::Reader;
use serde_json::Value;
use std::path::PathBuf;

/// Variable values from outside the stack file. The strongest first: `vars`, `var_files`,
/// `env_vars`, the `--env` file, the default.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--var name=value`, in order; a later one wins.
    pub vars: Vec<(String, String)>,
    /// `--var-file`: display name and contents, in order; a later one wins.
    pub var_files: Vec<(String, Vec<u8>)>,
    /// `STACKCTL_VAR_<name>`, without the prefix.
    pub env_vars: Vec<(String, String)>,
    /// `--env`.
    pub env: Option<String>,
}

/// What came of loading.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The stack, as far as it could be understood.
    pub stack: Stack,
    /// The sources, for showing the diagnostics: the stack file, the `--env` file (if one exists),
    /// the `--var-file`s.
    pub sources: Sources,
    /// Every mistake, warnings among them.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the stack has all that the files say, but for keys that there are not.
    pub is_understood: bool,
}

/// A parsed file and its index in [`Sources`].
struct File {
    index: usize,
    value: Value,
}

/// Loads a stack: `file` and `env_file` are display names and contents, `dir` is the folder
/// that relative paths start from.
pub fn load(
    file: (String, Vec<u8>),
    env_file: Option<(String, Vec<u8>)>,
    dir: PathBuf,
    given: &Given,
) -> Loaded {
    let mut loaded = Loaded::default();
    let main = open(&mut loaded, file);
    let env_file = env_file.map(|file| open(&mut loaded, file));
    let var_files: Vec<File> = given
        .var_files
        .iter()
        .map(|file| open(&mut loaded, file.clone()))
        .collect();

    let mut reader = Reader {
        text: loaded.sources.files[main.index].1.clone(),
        ..Reader::default()
    };
    let mut stack = Stack {
        dir,
        file: loaded.sources.files[main.index].0.clone(),
        env: given.env.clone(),
        ..Stack::default()
    };
    if let Some(env) = &given.env
        && !is_file_name(env)
    {
        reader.push(Diagnostic::error(
            Place::Outside,
            format!("--env {env:?}: {FILE_NAME}, since it is part of the state file's name"),
        ));
    }
    // A file that could not be parsed has reported why; other mistakes would only follow from it.
    let parsed = loaded
        .diagnostics
        .iter()
        .all(|problem| problem.file != main.index);
    if parsed {
        let declared = block::stack(&mut reader, main.value, &mut stack);
        let outside = values::Outside {
            given,
            env_file: env_file.as_ref(),
            var_files: &var_files,
            complete: loaded.sources.unread.is_empty(),
        };
        for (name, (value, origin)) in values::resolve(&mut reader, &declared, &outside) {
            loaded.sources.origins.insert(name.clone(), origin);
            stack.variables.insert(name, value);
        }
        let sensitive = declared.iter().filter(|(_, variable)| variable.sensitive);
        for (name, variable) in sensitive {
            let hidden = variable.hidden.iter();
            let hidden = hidden.map(|key| (main.index, entry("variables", name).join(key)));
            loaded.sources.secret.extend(hidden);
            let others = env_file.iter().chain(&var_files);
            let others = others.map(|file| (file.index, Path::root().join(name)));
            loaded.sources.secret.extend(others);
        }
    }
    loaded.diagnostics.extend(reader.diagnostics);
    let is_error = |found: &&Diagnostic| found.severity == Severity::Error;
    let errors = loaded.diagnostics.iter().filter(is_error).count();
    loaded.is_understood = errors == reader.unknown_keys;
    loaded.stack = stack;
    loaded
}

fn open(loaded: &mut Loaded, (name, bytes): (String, Vec<u8>)) -> File {
    let index = loaded.sources.files.len();
    let value = source::parse(&bytes).unwrap_or_else(|problems| {
        loaded.sources.unread.push(index);
        loaded
            .diagnostics
            .extend(problems.into_iter().map(|problem| Diagnostic {
                file: index,
                ..match index {
                    0 => problem,
                    _ => source::without_values(problem),
                }
            }));
        Value::Null
    });
    let text = String::from_utf8_lossy(&bytes);
    let text = source::without_mark(&text).to_owned();
    loaded.sources.files.push((name, text));
    File { index, value }
}

pub(crate) const FILE_NAME: &str = "it must be letters, digits, \"-\" and \"_\", start with a letter or digit, \
     and be at most 100 long";

/// Whether a string can be a part of a file's name, everywhere and without a dot, which separates
/// the stack from the environment.
pub(crate) fn is_file_name(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The path of a top-level block's entry.
fn entry(block: &str, name: &str) -> Path {
    Path::root().join(block).join(name)
}

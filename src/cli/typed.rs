//! How the user said which stack is meant, for messages that print a command.

use super::args::{CloudArgs, GlobalArgs, RunArgs, StackArg};
use crate::resource::context::AsTyped;
use crate::resource::import_id::word;
use std::path::Path;

/// The stack and the flags that a command needs to mean the same stack. Values of variables are
/// excluded: they may be secret.
pub(super) fn typed(global: &GlobalArgs, stack: &StackArg, run: &RunArgs) -> AsTyped {
    let path = |path: &Path| Some(path.to_string_lossy().into_owned());
    let files = run.input.var_files.iter();
    let flags = [
        ("-C", global.directory.as_deref().and_then(path)),
        ("--env", run.input.env.clone()),
    ];
    let flags = flags
        .into_iter()
        .chain(files.map(|file| ("--var-file", path(file))));
    AsTyped {
        stack: stack
            .name
            .as_deref()
            .map_or(String::new(), |name| format!("{} ", word(name))),
        flags: written(flags) + &place(&run.cloud),
    }
}

/// The flags that say where a stack and its state are.
pub(super) fn place(cloud: &CloudArgs) -> String {
    let state = cloud.state.as_deref();
    let flags = written([
        (
            "--state",
            state.map(|path| path.to_string_lossy().into_owned()),
        ),
        ("--endpoint-url", cloud.endpoint_url.clone()),
    ]);
    flags + if cloud.local { " --local" } else { "" }
}

fn written(flags: impl IntoIterator<Item = (&'static str, Option<String>)>) -> String {
    let flags = flags.into_iter();
    flags
        .filter_map(|(flag, value)| Some(format!(" {flag} {}", word(&value?))))
        .collect()
}

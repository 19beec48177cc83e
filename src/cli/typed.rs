//! How the user said which stack is meant, for messages that print a command.

use super::args::{GlobalArgs, RunArgs, StackArg};
use crate::resource::import_id::{Typed, word};
use std::path::Path;

/// The stack and the flags that a command needs to mean the same stack. Values of variables
/// are left out: they may be secret.
pub(super) fn typed(global: &GlobalArgs, stack: &StackArg, run: &RunArgs) -> Typed {
    let path = |path: &Path| Some(path.to_string_lossy().into_owned());
    let mut flags = vec![
        ("-C", global.directory.as_deref().and_then(path)),
        ("--env", run.input.env.clone()),
        ("--state", run.cloud.state.as_deref().and_then(path)),
        ("--endpoint-url", run.cloud.endpoint_url.clone()),
    ];
    let files = run.input.var_files.iter();
    flags.extend(files.map(|file| ("--var-file", path(file))));
    let flags = flags
        .into_iter()
        .filter_map(|(flag, value)| Some(format!(" {flag} {}", word(&value?))));
    let local = run.cloud.local.then(|| " --local".to_owned());
    Typed {
        stack: stack
            .name
            .as_deref()
            .map_or(String::new(), |name| format!("{} ", word(name))),
        flags: flags.chain(local).collect(),
    }
}

//! From the files of a stack to a [`Stack`] with its variables settled.
use super::diagnostic::Diagnostic;
use super::stack::{Sources, Stack};
use std::path::PathBuf;

/// Variable values from outside the stack file.
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
    /// The texts, for showing the diagnostics.
    pub sources: Sources,
    /// Every mistake.
    pub diagnostics: Vec<Diagnostic>,
}

/// Loads a stack.
pub fn load(
    _file: (String, Vec<u8>),
    _env_file: Option<(String, Vec<u8>)>,
    _dir: PathBuf,
    _given: &Given,
) -> Loaded {
    Loaded::default()
}

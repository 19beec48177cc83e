//! Mutants that are known to change nothing, in `equivalent.toml`.

use crate::draw::Mutant;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    file: String,
    /// The whole line, trimmed.
    line: String,
    operator: String,
    /// What the mutant writes, as the run shows it.
    after: String,
    reason: String,
}

/// The list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equivalents {
    #[serde(default)]
    equivalent: Vec<Known>,
}

impl Equivalents {
    /// Reads the list.
    ///
    /// # Errors
    /// The file is not there, or not as it should be.
    pub fn read(path: &Path) -> Result<Equivalents> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Why the mutant changes nothing, where that is known.
    pub fn reason(&self, mutant: &Mutant) -> Option<&str> {
        let fits = |known: &&Known| {
            known.file == mutant.file
                && known.line == mutant.text
                && known.operator == mutant.operator
                && known.after == mutant.after
        };
        self.equivalent
            .iter()
            .find(fits)
            .map(|known| known.reason.as_str())
    }
}

//! The copy of the work tree in which the mutants are built.

use crate::draw::{Mutant, Source};
use crate::edit::{self, Edit};
use crate::{areas, places};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The copy: a folder, and the sources as they are without mutants.
pub struct Tree {
    pub root: PathBuf,
    pub sources: Vec<Source>,
}

/// Where each mutant is in the files as written: file to byte ranges.
pub type Places = BTreeMap<String, Vec<(Range<usize>, usize)>>;

/// What every process of the program and of the tests gets: the switch.
const SWITCH: &str = include_str!("switch.rs.txt");
/// Comes first in the crate: what a mutant leaves unused is no matter.
const HEAD: &str = "#![allow(warnings)]\n";

impl Tree {
    /// Copies what git knows of `from`, and finds the candidates in it.
    ///
    /// # Errors
    /// A file cannot be read or written, or is not Rust.
    pub fn copy(from: &Path, root: PathBuf, only: &[String]) -> Result<Tree> {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        let mut sources = Vec::new();
        for file in &files(from)? {
            let Some(content) = copy(from, &root, file)? else {
                continue;
            };
            if file.starts_with("src/") && file.ends_with(".rs") {
                sources.push((file.to_owned(), String::from_utf8(content)?));
            }
        }
        let sources = candidates(sources, only)?;
        Ok(Tree { root, sources })
    }

    /// Writes all files that have mutants, and the switch.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, mutants: &[Mutant]) -> Result<Places> {
        let mut places = Places::new();
        for source in &self.sources {
            let edits: Vec<(usize, &Edit)> = mutants
                .iter()
                .enumerate()
                .filter(|(_, mutant)| mutant.file == source.file)
                .filter_map(|(number, mutant)| Some((number, mutant.edit.as_ref()?)))
                .collect();
            let written = edit::write(&source.text, &edits);
            let path = self.root.join(&source.file);
            if fs::read_to_string(&path)? != written.text {
                fs::write(&path, &written.text)?;
            }
            places.insert(source.file.clone(), written.places);
        }
        let lib = &self
            .sources
            .iter()
            .find(|source| source.file == "src/lib.rs");
        let lib = lib.context("src/lib.rs is not there")?;
        let declared = "#[doc(hidden)] pub mod mutants;";
        fs::write(
            self.root.join(&lib.file),
            format!("{HEAD}{}\n{declared}\n", lib.text),
        )?;
        let switch = SWITCH.replace("COUNT", &mutants.len().to_string());
        fs::write(self.root.join("src/mutants.rs"), switch)?;
        Ok(places)
    }
}

/// The tests of a copy, and the local cloud, become those of the project as it is now; the mutants
/// stay as they are.
///
/// # Errors
/// A file cannot be read or written, or a line that has a mutant has changed.
pub fn renew_tests(from: &Path, root: &Path, mutants: &[Mutant]) -> Result<()> {
    for mutant in mutants {
        let text = fs::read_to_string(from.join(&mutant.file))?;
        let line = text.lines().nth(mutant.line - 1).unwrap_or_default();
        ensure!(
            line.trim() == mutant.text,
            "{}:{} has changed: begin a new run",
            mutant.file,
            mutant.line
        );
    }
    let is_test = |file: &&String| {
        let name = file.rsplit('/').next().unwrap_or(file);
        file.starts_with("tests/")
            || file.starts_with("src/local_cloud/")
            || file.contains("/tests/")
            || name == "tests.rs"
            || name.ends_with("_test.rs")
    };
    for file in files(from)?.iter().filter(is_test) {
        copy(from, root, file)?;
    }
    Ok(())
}

/// What git knows of a work tree, and what it does not ignore.
fn files(of: &Path) -> Result<Vec<String>> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(of)
        .output()
        .context("running git ls-files")?;
    ensure!(listed.status.success(), "git ls-files failed");
    let listed = String::from_utf8(listed.stdout)?;
    Ok(listed.split_terminator('\0').map(str::to_owned).collect())
}

/// Copies one file; none where the work tree has it no more.
fn copy(from: &Path, root: &Path, file: &str) -> Result<Option<Vec<u8>>> {
    let target = root.join(file);
    let Ok(content) = fs::read(from.join(file)) else {
        return Ok(None);
    };
    fs::create_dir_all(target.parent().context("a file without a folder")?)?;
    if file.starts_with("tests/") && file.ends_with(".rs") {
        fs::write(&target, inherit(std::str::from_utf8(&content)?))?;
    } else {
        fs::copy(from.join(file), &target)?;
    }
    Ok(Some(content))
}

/// A test that starts the program with an empty environment hands the switch on all the same.
fn inherit(test: &str) -> String {
    let on =
        ".env_clear().envs(std::env::vars().filter(|(n, _)| n.starts_with(\"STACKCTL_MUTANT\")))";
    test.replace(".env_clear()", on)
}

fn candidates(files: Vec<(String, String)>, only: &[String]) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut for_tests = BTreeSet::new();
    for (file, text) in files {
        let found = places::find(&text).with_context(|| format!("reading {file}"))?;
        let folder = file.strip_suffix(".rs").unwrap_or(&file);
        let folder = match Path::new(folder).file_name().and_then(|name| name.to_str()) {
            Some("mod" | "lib" | "main") => Path::new(folder).parent().unwrap_or(Path::new("")),
            _ => Path::new(folder),
        };
        for module in found.test_modules {
            for_tests.insert(folder.join(&module).display().to_string());
        }
        let mutated = areas::of(&file).is_some()
            && (only.is_empty() || only.iter().any(|part| file.contains(part.as_str())));
        let candidates = if mutated {
            found.candidates
        } else {
            Vec::new()
        };
        sources.push(Source {
            file,
            text,
            candidates,
        });
    }
    for source in &mut sources {
        let of_tests = for_tests.iter().any(|module| {
            source
                .file
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        if of_tests || source.file.ends_with("_test.rs") || source.file.ends_with("/tests.rs") {
            source.candidates.clear();
        }
    }
    Ok(sources)
}

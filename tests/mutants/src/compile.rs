//! Builds the copy, and takes out the mutants that are no Rust.

use crate::draw::Mutant;
use crate::tree::{Places, Tree};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The two test binaries, in the order in which they are asked, and the program.
pub struct Built {
    pub tests: Vec<PathBuf>,
    pub program: PathBuf,
}

const TESTS: &[&str] = &["test", "--no-run", "--lib", "--test", "main"];

/// Takes mutants out until the library compiles.
///
/// # Errors
/// Cargo cannot be started, or an error is not due to a mutant.
pub fn check(tree: &Tree, mutants: Vec<Mutant>, target: &Path) -> Result<Vec<Mutant>> {
    Ok(until_it_compiles(tree, mutants, target, &["check", "--lib"])?.0)
}

/// Builds the tests with the mutants; what does not compile in them is taken out as well.
///
/// # Errors
/// As [`check`].
pub fn build(tree: &Tree, mutants: Vec<Mutant>, target: &Path) -> Result<(Vec<Mutant>, Built)> {
    let (mutants, messages) = until_it_compiles(tree, mutants, target, TESTS)?;
    Ok((mutants, built(&messages)?))
}

/// Builds the tests of a copy whose mutants compile.
///
/// # Errors
/// Cargo cannot be started, or the tests do not compile.
pub fn rebuild(root: &Path, target: &Path) -> Result<Built> {
    let (compiles, messages) = cargo(root, target, TESTS)?;
    ensure!(compiles, "the tests do not compile");
    built(&messages)
}

/// The executables that cargo tells of.
fn built(messages: &[Value]) -> Result<Built> {
    let of = |name: &str, test: bool| {
        messages
            .iter()
            .filter(|message| {
                message["target"]["name"] == name && message["profile"]["test"] == test
            })
            .find_map(|message| message["executable"].as_str())
            .map(PathBuf::from)
            .with_context(|| format!("cargo built no {name}"))
    };
    Ok(Built {
        tests: vec![of("stackctl", true)?, of("main", true)?],
        program: of("stackctl", false)?,
    })
}

/// Whether a command succeeds, and its messages.
fn cargo(root: &Path, target: &Path, command: &[&str]) -> Result<(bool, Vec<Value>)> {
    let output = Command::new("cargo")
        .args(command)
        .args(["--locked", "--message-format=json", "--quiet"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target)
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    let messages = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    Ok((output.status.success(), messages))
}

fn until_it_compiles(
    tree: &Tree,
    mut mutants: Vec<Mutant>,
    target: &Path,
    command: &[&str],
) -> Result<(Vec<Mutant>, Vec<Value>)> {
    loop {
        let places = tree.write(&mutants)?;
        let (compiles, messages) = cargo(&tree.root, target, command)?;
        if compiles {
            return Ok((mutants, messages));
        }
        let bad = blamed(&messages, &places)?;
        eprintln!("  {} mutants do not compile and are left out", bad.len());
        let mut number = 0;
        mutants.retain(|_| {
            number += 1;
            !bad.contains(&(number - 1))
        });
    }
}

/// The mutants that the compiler's errors point into; where an error points into none, those
/// next to it.
fn blamed(messages: &[Value], places: &Places) -> Result<BTreeSet<usize>> {
    let mut bad = BTreeSet::new();
    let mut elsewhere = Vec::new();
    let errors = messages
        .iter()
        .map(|message| &message["message"])
        .filter(|message| message["level"] == "error");
    for error in errors {
        let mut spans = Vec::new();
        collect(error, &mut spans);
        let hit = [true, false].iter().find_map(|primary| {
            let hit: BTreeSet<usize> = spans
                .iter()
                .filter(|span| span.2 == *primary)
                .filter_map(|(file, range, _)| innermost(places.get(file)?, range))
                .collect();
            (!hit.is_empty()).then_some(hit)
        });
        match hit {
            Some(hit) => bad.extend(hit),
            None => elsewhere.push((spans, error)),
        }
    }
    if !bad.is_empty() {
        return Ok(bad);
    }
    for (spans, error) in elsewhere {
        for (file, range, _) in spans {
            let Some(places) = places.get(&file) else {
                continue;
            };
            let distance = |place: &std::ops::Range<usize>| {
                place
                    .start
                    .abs_diff(range.start)
                    .min(place.end.abs_diff(range.end))
            };
            let nearest = places.iter().min_by_key(|(place, _)| distance(place));
            bad.extend(nearest.map(|(_, number)| *number));
        }
        if bad.is_empty() {
            bail!("{}", error["rendered"].as_str().unwrap_or("cargo failed"));
        }
    }
    if bad.is_empty() {
        bail!("cargo failed without an error in the code");
    }
    Ok(bad)
}

type Span = (String, std::ops::Range<usize>, bool);

fn collect(message: &Value, spans: &mut Vec<Span>) {
    for span in message["spans"].as_array().into_iter().flatten() {
        let number = |name: &str| span[name].as_u64().unwrap_or(0) as usize;
        spans.push((
            span["file_name"].as_str().unwrap_or_default().to_owned(),
            number("byte_start")..number("byte_end"),
            span["is_primary"] == true,
        ));
    }
    for child in message["children"].as_array().into_iter().flatten() {
        collect(child, spans);
    }
}

fn innermost(
    places: &[(std::ops::Range<usize>, usize)],
    range: &std::ops::Range<usize>,
) -> Option<usize> {
    let holding: BTreeMap<usize, usize> = places
        .iter()
        .filter(|(place, _)| place.start <= range.start && range.end <= place.end)
        .map(|(place, number)| (place.len(), *number))
        .collect();
    // Else one that lies within what the error points at, where that is small.
    let within = || {
        let within = |(place, _): &&(std::ops::Range<usize>, usize)| {
            range.start <= place.start && place.end <= range.end && range.len() < 2_000
        };
        places.iter().find(within).map(|(_, number)| *number)
    };
    holding.into_values().next().or_else(within)
}

//! Draws mutants by a seed: lines first, so that a line with many candidates counts once.

use crate::areas;
use crate::edit::Edit;
use crate::places::Candidate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// One small defect: where it is and what it changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mutant {
    pub area: String,
    pub file: String,
    pub line: usize,
    /// The whole line, trimmed.
    pub text: String,
    pub operator: String,
    pub before: String,
    pub after: String,
    #[serde(skip)]
    pub edit: Option<Edit>,
}

impl Mutant {
    /// What stays the same when other lines of the file change.
    pub fn key(&self) -> String {
        [
            &self.file,
            &self.text,
            &self.operator,
            &self.before,
            &self.after,
        ]
        .map(String::as_str)
        .join("\n")
    }
}

/// A source file with what could be changed in it.
pub struct Source {
    pub file: String,
    pub text: String,
    pub candidates: Vec<Candidate>,
}

/// A line with what could be changed on it, and its place in the order.
type Line<'a> = (u64, &'a Source, Vec<&'a Candidate>);

/// The mutants of each area, in the order in which they are taken; at most `most` of an area. A
/// line keeps its place in the order when other lines change.
pub fn draw(sources: &[Source], seed: u64, most: usize) -> BTreeMap<&'static str, Vec<Mutant>> {
    let mut lines: BTreeMap<&'static str, Vec<Line>> = BTreeMap::new();
    for source in sources {
        let Some(area) = areas::of(&source.file) else {
            continue;
        };
        let mut by_line: BTreeMap<usize, Vec<&Candidate>> = BTreeMap::new();
        for candidate in &source.candidates {
            by_line.entry(candidate.line).or_default().push(candidate);
        }
        let texts: Vec<&str> = source.text.lines().map(str::trim).collect();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (line, candidates) in by_line {
            let text = texts.get(line - 1).copied().unwrap_or_default();
            let nth = seen.entry(text).or_default();
            *nth += 1;
            let rank = hash(&(seed, &source.file, text, *nth));
            lines
                .entry(area)
                .or_default()
                .push((rank, source, candidates));
        }
    }
    let mut drawn = BTreeMap::new();
    for (area, mut lines) in lines {
        lines.sort_by_key(|(rank, ..)| *rank);
        drawn.insert(area, take(area, &lines, most));
    }
    drawn
}

fn take(area: &str, lines: &[Line], most: usize) -> Vec<Mutant> {
    let mut taken: Vec<Mutant> = Vec::new();
    for (rank, source, candidates) in lines {
        if taken.len() == most {
            break;
        }
        let key = |candidate: &&&Candidate| {
            hash(&(
                rank,
                candidate.operator,
                &candidate.before,
                &candidate.after,
            ))
        };
        let fits = |candidate: &&&Candidate| {
            let of_file = taken.iter().filter(|mutant| mutant.file == source.file);
            of_file
                .filter_map(|mutant| mutant.edit.as_ref())
                .all(|edit| candidate.edit.goes_with(edit))
        };
        let Some(candidate) = candidates.iter().filter(fits).min_by_key(key) else {
            continue;
        };
        let text = source
            .text
            .lines()
            .nth(candidate.line - 1)
            .unwrap_or_default();
        taken.push(Mutant {
            area: area.to_owned(),
            file: source.file.clone(),
            line: candidate.line,
            text: text.trim().to_owned(),
            operator: candidate.operator.to_owned(),
            before: candidate.before.clone(),
            after: candidate.after.clone(),
            edit: Some(candidate.edit.clone()),
        });
    }
    taken
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

//! Finds names from what people write.

use super::names;
use crate::nearest;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A name, and what it shares with its other spellings.
struct Known {
    name: &'static str,
    /// `awsdynamodbtable`.
    squeezed: String,
    /// `aws`, `dynamodb`, `table`.
    parts: Vec<String>,
}

/// All names, in the order of [`names`].
static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let known = |name: &&'static str| Known {
        name,
        squeezed: squeezed(name),
        parts: name.split("::").map(squeezed).collect(),
    };
    names().iter().map(known).collect()
});

/// The names by what they are squeezed to.
static BY_SQUEEZED: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for known in KNOWN.iter() {
        let names = found.entry(known.squeezed.as_str()).or_default();
        names.push(known.name);
    }
    found
});

/// The names that another spelling means, or that are near to it, best first, three at most:
/// `aws:dynamodb:Table`, `AWS::DynamoDb::table`, `aws_dynamodb_table`, `dynamodb table`.
pub fn nearest(name: &str) -> Vec<&'static str> {
    const MOST: usize = 3;
    let mut wanted = parts(name);
    // Pulumi writes `aws:dynamodb/table:Table`.
    wanted.dedup();
    if wanted.is_empty() {
        return Vec::new();
    }
    let without_vendor = wanted[usize::from(wanted.len() > 1 && wanted[0] == "aws")..].concat();
    let with_vendor = format!("aws{without_vendor}");
    let same = BY_SQUEEZED.get(wanted.concat().as_str());
    if let Some(same) = same.or_else(|| BY_SQUEEZED.get(with_vendor.as_str())) {
        return same.clone();
    }
    if nearest::is_exhausted() {
        return Vec::new();
    }
    let mut found = Vec::new();
    // The last part may be enough: "table" alone is too little, "eventbus" is not.
    if let [only] = wanted.as_slice() {
        let kind = |known: &&Known| known.parts.last() == Some(only);
        found.extend(KNOWN.iter().filter(kind).map(|known| known.name));
    }
    let all = KNOWN.iter().map(|known| known.squeezed.as_str());
    if let Some(near) = nearest::nearest(&with_vendor, all) {
        found.extend(&BY_SQUEEZED[near]);
    }
    if found.is_empty() {
        found = search(name);
    }
    let mut unique: Vec<&'static str> = Vec::new();
    for name in found {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique.truncate(MOST);
    unique
}

/// The names that contain every word, best first: those where the words are whole parts, then
/// those where they begin one, then shorter names.
pub fn search(words: &str) -> Vec<&'static str> {
    let wanted: Vec<String> = parts(words)
        .into_iter()
        .filter(|word| word != "aws")
        .collect();
    if wanted.is_empty() {
        return match parts(words).is_empty() {
            true => Vec::new(),
            false => names().to_vec(),
        };
    }
    let mut found: Vec<(usize, usize, &'static str)> = Vec::new();
    for known in KNOWN.iter() {
        if !wanted
            .iter()
            .all(|word| known.squeezed.contains(word.as_str()))
        {
            continue;
        }
        let distance = |word: &String| {
            let best = known.parts.iter().map(|part| match part {
                part if part == word => 0,
                part if part.starts_with(word.as_str()) => 1,
                part if part.ends_with(word.as_str()) => 2,
                _ => 3,
            });
            best.min().unwrap_or(3)
        };
        found.push((
            wanted.iter().map(distance).sum(),
            known.name.len(),
            known.name,
        ));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, _, name)| name).collect()
}

/// The words of a name in any spelling, in lower case.
fn parts(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn squeezed(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

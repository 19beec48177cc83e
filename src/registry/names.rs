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
        squeezed: squeezed_name(name).unwrap_or_default(),
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

/// A name without what spellings differ in, with its vendor: `awsdynamodbtable`; none where it has
/// no letters.
pub fn squeezed_name(name: &str) -> Option<String> {
    let mut parts = parts(name);
    // Pulumi writes `aws:dynamodb/table:Table`.
    parts.dedup();
    let vendor = usize::from(parts.len() > 1 && parts.first().is_some_and(|part| part == "aws"));
    let rest = parts.get(vendor..)?.concat();
    (!rest.is_empty()).then(|| format!("aws{rest}"))
}

/// The names of which this is another spelling: one, or none.
pub fn spelled(name: &str) -> &'static [&'static str] {
    let found = squeezed_name(name).and_then(|name| BY_SQUEEZED.get(name.as_str()));
    found.map_or(&[], Vec::as_slice)
}

/// The names that another spelling means, or that are near to it, best first, three at most:
/// `aws:dynamodb:Table`, `AWS::DynamoDb::table`, `aws_dynamodb_table`, `dynamodb table`.
pub fn nearest(name: &str) -> Vec<&'static str> {
    const MOST: usize = 3;
    let same = spelled(name);
    if !same.is_empty() {
        return same.to_vec();
    }
    let Some(with_vendor) = squeezed_name(name) else {
        return Vec::new();
    };
    if nearest::is_exhausted() {
        return Vec::new();
    }
    let mut found = Vec::new();
    // The last part may be enough: "table" alone is too little, "eventbus" is not.
    if let [only] = parts(name).as_slice() {
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

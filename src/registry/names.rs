//! Finds names from what people write.

use super::names;
use crate::nearest;

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
    let all = wanted.concat();
    let without_vendor = wanted[usize::from(wanted.len() > 1 && wanted[0] == "aws")..].concat();
    let same: Vec<&'static str> = names()
        .iter()
        .copied()
        .filter(|known| {
            let known = squeezed(known);
            known == all || known.strip_prefix("aws") == Some(&without_vendor)
        })
        .collect();
    if !same.is_empty() {
        return same;
    }
    let mut found = Vec::new();
    // The last part may be enough: "table" alone is too little, "eventbus" is not.
    if let [only] = wanted.as_slice() {
        let kind = |known: &&&str| squeezed(known.rsplit("::").next().unwrap_or_default()) == *only;
        found.extend(names().iter().filter(kind).copied());
    }
    let squeezed_names: Vec<String> = names().iter().map(|known| squeezed(known)).collect();
    let mut wanted = without_vendor;
    wanted.insert_str(0, "aws");
    if let Some(near) = nearest::nearest(&wanted, squeezed_names.iter().map(String::as_str)) {
        let of = |known: &&&str| squeezed(known) == near;
        found.extend(names().iter().filter(of).copied());
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
    for name in names() {
        let squeezed_name = squeezed(name);
        let known: Vec<String> = name.split("::").map(squeezed).collect();
        if !wanted
            .iter()
            .all(|word| squeezed_name.contains(word.as_str()))
        {
            continue;
        }
        let distance = |word: &String| {
            let best = known.iter().map(|part| match part {
                part if part == word => 0,
                part if part.starts_with(word.as_str()) => 1,
                part if part.ends_with(word.as_str()) => 2,
                _ => 3,
            });
            best.min().unwrap_or(3)
        };
        found.push((wanted.iter().map(distance).sum(), name.len(), name));
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

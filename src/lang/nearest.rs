//! The nearest name to one that was mistyped.

use strsim::damerau_levenshtein;

/// The candidate that `name` is most likely meant to be; none where nothing comes close.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = squeeze(name);
    let limit = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (damerau_levenshtein(&wanted, &squeeze(candidate)), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit && *distance < candidate.chars().count().max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Case and separators are mixed up more often than letters (`fifo_queue` for `fifoQueue`).
fn squeeze(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The question that follows a mistyped name: `did you mean "queue"?`.
pub fn did_you_mean<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    nearest(name, candidates).map(|found| format!("did you mean \"{found}\"?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_nonsense_finds_none() {
        let names = ["fifoQueue", "name", "policy"];
        assert_eq!(nearest("fifo_queue", names), Some("fifoQueue"));
        assert_eq!(nearest("nmae", names), Some("name"));
        assert_eq!(nearest("kmsMasterKeyId", names), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}

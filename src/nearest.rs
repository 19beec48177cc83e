//! The nearest name to one that was mistyped.

use std::cell::Cell;
use strsim::osa_distance;

/// How many names are compared at most, in all (about a second). A file with thousands of
/// mistyped names among thousands would take minutes; of its mistakes only the first hundred are
/// shown, and these have got their help by then.
const PATIENCE: usize = 2_000_000;

/// How many pairs of letters cost as much as a name that is only looked at.
const PAIRS: usize = 16;

thread_local! {
    static COMPARED: Cell<usize> = const { Cell::new(0) };
}

/// Whether so much was compared that no more is: looking for a name in other ways is in vain too.
pub fn is_exhausted() -> bool {
    COMPARED.get() >= PATIENCE
}

/// The candidate that `name` is most likely meant to be; none where nothing comes close.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if is_exhausted() {
        return None;
    }
    let compared = COMPARED.get();
    let wanted = squeeze(name);
    let limit = (wanted.chars().count() / 3).max(1);
    let letters = Letters::of(name);
    let cost = Cell::new(compared);
    let found = candidates
        .into_iter()
        .inspect(|_| cost.set(cost.get() + 1))
        .filter(|candidate| letters.may_be_near(&Letters::of(candidate), limit))
        // The comparison goes by pairs of letters.
        .inspect(|candidate| cost.set(cost.get() + wanted.len() * candidate.len() / PAIRS))
        .take_while(|_| cost.get() <= PATIENCE)
        .map(|candidate| (osa_distance(&wanted, &squeeze(candidate)), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit && *distance < candidate.chars().count().max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate);
    COMPARED.set(cost.get());
    found
}

/// Case and separators are mixed up more often than letters (`fifo_queue` for `fifoQueue`).
fn squeeze(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// How many letters a squeezed name has, and which: computed without a copy, so that of thousands
/// of names only the few that may be near are compared. None for a name beyond ASCII.
struct Letters(Option<(usize, u64)>);

impl Letters {
    fn of(name: &str) -> Self {
        let (mut count, mut which) = (0, 0_u64);
        for byte in name.bytes() {
            let bit = match byte {
                b'_' | b'-' => continue,
                b'a'..=b'z' => byte - b'a',
                b'A'..=b'Z' => byte - b'A',
                b'0'..=b'9' => byte - b'0' + 26,
                _ if byte.is_ascii() => 36 + byte % 28,
                _ => return Self(None),
            };
            count += 1;
            which |= 1 << bit;
        }
        Self(Some((count, which)))
    }

    /// Whether the names may be `limit` edits apart: each adds a letter, takes one away, or both.
    fn may_be_near(&self, other: &Self, limit: usize) -> bool {
        let (Self(Some((count, which))), Self(Some((others, other)))) = (self, other) else {
            return true;
        };
        count.abs_diff(*others) <= limit && (which ^ other).count_ones() as usize <= 2 * limit
    }
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
    use proptest::prelude::*;

    #[test]
    fn a_typo_finds_its_name_and_nonsense_finds_none() {
        let names = ["fifoQueue", "name", "policy"];
        assert_eq!(nearest("fifo_queue", names), Some("fifoQueue"));
        assert_eq!(nearest("nmae", names), Some("name"));
        assert_eq!(nearest("kmsMasterKeyId", names), None);
        assert_eq!(nearest("x", ["y"]), None);
    }

    #[test]
    fn of_thousands_of_mistyped_names_the_first_hundred_are_helped() {
        let names = || std::iter::repeat_n("logs", 9_999).chain(["queue"]);
        assert!((0..100).all(|_| nearest("queu", names()) == Some("queue")));
        assert!((100..1_000).any(|_| nearest("queu", names()).is_none()));
    }

    proptest! {
        #[test]
        fn no_name_that_is_near_is_passed_over(one in "[a-cA-C01_.ü-]{0,8}", other in "[a-cA-C01_.ü-]{0,8}") {
            let distance = osa_distance(&squeeze(&one), &squeeze(&other));
            prop_assert!(Letters::of(&one).may_be_near(&Letters::of(&other), distance));
        }
    }
}

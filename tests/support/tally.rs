//! What a matrix offers, what of it strikes and what of that holds: three counts, not one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How far a case of a matrix came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Offered,
    Struck,
    Held,
}

/// The cases of one matrix, by name. Dropped, it prints its counts for `.ci/reliability`.
pub(crate) struct Tally {
    kind: &'static str,
    /// The verb for what held, such as `converged`.
    held: &'static str,
    cases: Mutex<BTreeMap<String, Came>>,
}

impl Tally {
    /// An empty one of a kind, such as `kills`.
    pub(crate) fn new(kind: &'static str, held: &'static str) -> Self {
        Self {
            kind,
            held,
            cases: Mutex::default(),
        }
    }

    /// A case that is about to be tried. Two have never the same name.
    #[track_caller]
    pub(crate) fn offered(&self, case: &str) {
        let before = self.set(case, Came::Offered);
        assert!(before.is_none(), "{case} is offered twice");
    }

    /// What the case is about has happened: the kill, the fault.
    #[track_caller]
    pub(crate) fn struck(&self, case: &str) {
        let before = self.set(case, Came::Struck);
        assert!(before == Some(Came::Offered), "{case} strikes out of turn");
    }

    /// What follows was checked to its end.
    #[track_caller]
    pub(crate) fn held(&self, case: &str) {
        let before = self.set(case, Came::Held);
        assert!(before == Some(Came::Struck), "{case} holds out of turn");
    }

    fn set(&self, case: &str, came: Came) -> Option<Came> {
        let mut cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        cases.insert(case.to_owned(), came)
    }

    /// Fails unless at least so many cases were offered, all struck, and all held.
    #[track_caller]
    pub(crate) fn end(self, least: usize) {
        let short = self.short(least);
        assert!(short.is_empty(), "{}: {}", self.kind, short.join("\n"));
    }

    /// What is missing.
    fn short(&self, least: usize) -> Vec<String> {
        let cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        let few = (cases.len() < least).then(|| format!("only {} were offered", cases.len()));
        let short = cases.iter().filter_map(|(case, came)| match came {
            Came::Offered => Some(format!("{case}: did not strike")),
            Came::Struck => Some(format!("{case}: did not hold")),
            Came::Held => None,
        });
        few.into_iter().chain(short).collect()
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        let (kind, verb) = (self.kind, self.held);
        let held = cases.values().filter(|came| **came == Came::Held).count();
        println!("reliability: {kind} {} tried {held} {verb}", cases.len());
    }
}

#[test]
fn what_does_not_strike_or_hold_is_missing() {
    // Dropped, it would be counted.
    let tally = std::mem::ManuallyDrop::new(Tally::new("samples", "held"));
    let missing = |least| tally.short(least);
    assert_eq!(missing(1), ["only 0 were offered"]);
    tally.offered("one");
    assert_eq!(missing(1), ["one: did not strike"]);
    tally.struck("one");
    assert_eq!(missing(1), ["one: did not hold"]);
    tally.held("one");
    assert_eq!(missing(1), [""; 0]);
    assert_eq!(missing(2), ["only 1 were offered"]);
}

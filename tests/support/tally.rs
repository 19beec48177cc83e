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
        let cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        let short = cases.iter().filter(|(_, came)| **came != Came::Held);
        let short: Vec<String> = short
            .map(|(case, came)| match came {
                Came::Offered => format!("{case}: did not strike"),
                _ => format!("{case}: did not hold"),
            })
            .collect();
        assert!(short.is_empty(), "{}: {}", self.kind, short.join("\n"));
        assert!(
            cases.len() >= least,
            "{}: only {} were offered",
            self.kind,
            cases.len()
        );
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
fn what_does_not_strike_or_hold_fails() {
    let tally = |steps: usize| {
        let tally = Tally::new("samples", "held");
        let [offered, struck, held] = [Tally::offered, Tally::struck, Tally::held];
        for step in [offered, struck, held].into_iter().take(steps) {
            step(&tally, "a case");
        }
        tally
    };
    let fails = |steps, least| {
        let tally = std::mem::ManuallyDrop::new(tally(steps));
        let tally = std::panic::AssertUnwindSafe(tally);
        std::panic::catch_unwind(move || std::mem::ManuallyDrop::into_inner(tally.0).end(least))
            .is_err()
    };
    assert!(fails(1, 1) && fails(2, 1) && fails(3, 2));
    assert!(!fails(3, 1));
}

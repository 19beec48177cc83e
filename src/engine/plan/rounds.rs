//! Why a plan is computed again, and how often it was.

use crate::lang::diagnostic::{Diagnostic, Place};
use std::collections::BTreeMap;

/// What calls for another round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Again {
    /// Something was read that the plan needs.
    Reads,
    /// Resources get another address or are imported: the rest is decided against the resulting
    /// state, which may show more of them.
    Moves,
    /// What lives on a resource that is replaced is replaced along, and so is what lives on that.
    Along,
    /// Deletions wait in a circle, so they come first. Only the steps are built again.
    Order,
}

/// How many rounds of moves there are, and between two of them how many of what is replaced along.
/// The others end by themselves: a read is done once, and a deletion that comes first stays first.
const MOST: usize = 16;

/// How often a plan was computed again, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rounds {
    counts: BTreeMap<Again, usize>,
    /// What would have called for more rounds than there are.
    over: Option<Again>,
}

impl Rounds {
    /// How often that was the reason.
    pub fn of(&self, why: Again) -> usize {
        self.counts.get(&why).copied().unwrap_or_default()
    }

    /// Counts another round; whether there is one.
    pub(super) fn again(&mut self, why: Again) -> bool {
        let most = match why {
            Again::Moves => MOST,
            Again::Along => MOST * (1 + self.of(Again::Moves)),
            Again::Reads | Again::Order => usize::MAX,
        };
        let is_over = self.of(why) == most;
        if is_over {
            self.over = Some(why);
        } else {
            *self.counts.entry(why).or_default() += 1;
        }
        !is_over
    }

    /// Adds the rounds of the plan before, and that this one was computed after reads.
    pub(in crate::engine) fn after_reads(&mut self, before: &Self) {
        for (why, count) in &before.counts {
            *self.counts.entry(*why).or_default() += count;
        }
        self.again(Again::Reads);
    }

    /// The mistake, where there were not enough rounds.
    pub(super) fn fault(&self) -> Option<Diagnostic> {
        let (what, help) = match self.over? {
            Again::Moves => (
                "moved or imported",
                "import some of them first, with `stackctl import`",
            ),
            _ => ("replaced along", "replace some of it first, with --target"),
        };
        let message = format!(
            "more is {what} than one plan can follow: each of {MOST} depends on the one before"
        );
        Some(Diagnostic::error(Place::Outside, message).help(help))
    }
}

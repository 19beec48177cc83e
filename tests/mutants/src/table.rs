//! What a run found, for people.

use crate::areas;
use crate::draw::Mutant;
use crate::hunt::Verdict;
use crate::trace::Trace;
use std::fmt::Write as _;

/// A mutant with its verdict and the tests that reach it.
pub struct Row<'a> {
    pub mutant: &'a Mutant,
    pub verdict: &'a Verdict,
    pub reaching: Vec<usize>,
}

#[derive(Default)]
struct Count {
    tried: usize,
    caught: usize,
    equivalent: usize,
    survived: usize,
    unsettled: usize,
}

impl Count {
    fn add(&mut self, verdict: &Verdict) {
        self.tried += 1;
        *match verdict {
            Verdict::Caught { .. } => &mut self.caught,
            Verdict::Equivalent { .. } => &mut self.equivalent,
            Verdict::Survived => &mut self.survived,
            Verdict::Unsettled { .. } => &mut self.unsettled,
        } += 1;
    }

    fn line(&self, area: &str) -> String {
        let different = self.tried - self.equivalent;
        let share = match different {
            0 => "–".to_owned(),
            all => format!("{:.0} %", 100.0 * self.caught as f64 / all as f64),
        };
        format!(
            "| {area} | {} | {} | {} | {} | {} | {share} |\n",
            self.tried, self.caught, self.equivalent, self.survived, self.unsettled
        )
    }
}

/// The table: what was tried and what was caught, by area.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| area | tried | caught | equivalent | survived | unsettled | caught of those that change something |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut all = Count::default();
    for area in areas::names() {
        let mut count = Count::default();
        for row in rows.iter().filter(|row| row.mutant.area == area) {
            count.add(row.verdict);
            all.add(row.verdict);
        }
        if count.tried > 0 {
            text.push_str(&count.line(area));
        }
    }
    text + &all.line("**all**")
}

/// Those that no test caught, of one area.
pub fn survivors(rows: &[Row], trace: &Trace, area: &str) -> String {
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.mutant.area == area) {
        let run = match row.verdict {
            Verdict::Survived => row.reaching.len(),
            Verdict::Unsettled { run } => *run,
            _ => continue,
        };
        let mutant = row.mutant;
        let _ = writeln!(
            text,
            "- **{}:{}** ({})\n  - line: `{}`\n  - before: `{}`\n  - after: `{}`",
            mutant.file, mutant.line, mutant.operator, mutant.text, mutant.before, mutant.after
        );
        let names: Vec<&str> = row
            .reaching
            .iter()
            .map(|place| trace.tests[*place].name.as_str())
            .collect();
        let shown = names
            .iter()
            .take(12)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = if names.len() > 12 { ", …" } else { "" };
        let _ = match names.len() {
            0 => writeln!(text, "  - reached by no test"),
            all => writeln!(
                text,
                "  - {run} of {all} tests that reach it passed: {shown}{more}"
            ),
        };
    }
    text
}

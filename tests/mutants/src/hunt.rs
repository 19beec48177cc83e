//! Runs the tests that reach a mutant until one fails.

use crate::trace::{Stage, Test, Trace};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// What is known of a mutant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A test failed, or did not end in time.
    Caught { by: String, hangs: bool },
    /// Every test that reaches it passed.
    Survived,
    /// The time for one mutant ran out before all tests that reach it were run.
    Unsettled { run: usize },
    /// It changes nothing that anybody could see: the reason.
    Equivalent { reason: String },
}

/// The tests that may catch a mutant, most of them still to run.
pub struct Hunt {
    pub number: usize,
    pub reaching: Vec<usize>,
    left: Vec<usize>,
    spent: Duration,
    /// Caught it in an earlier run.
    killer: Option<usize>,
    /// How close a test is to the mutant by its name; 0 is closest.
    distance: HashMap<usize, usize>,
}

/// Tests of the file's own module come first, then those of the folder, then those that have a part
/// of the file's name in theirs.
fn distance(file: &str, test: &Test) -> usize {
    let module = file.trim_start_matches("src/").trim_end_matches(".rs");
    let module = module.trim_end_matches("/mod").replace('/', "::");
    let folder = module.rsplit_once("::").map_or("", |(folder, _)| folder);
    let of = |module: &str| {
        test.name
            .strip_prefix(module)
            .is_some_and(|rest| rest.starts_with("::"))
    };
    let parts = module.split("::").skip(1).filter(|part| part.len() > 2);
    let named = parts
        .filter(|part| test.name.contains(part.trim_end_matches('s')))
        .count();
    match test.binary {
        0 if of(&module) => 0,
        0 if of(folder) => 1,
        _ if test.name.starts_with("plan::") || test.binary == 0 => 3,
        _ if named > 1 => 2,
        _ => 4,
    }
}

/// How often each test caught a mutant of the run: such are asked first.
pub type Hits = HashMap<usize, usize>;

/// How long the tests of one process may take together by what the trace knows, in seconds.
const GROUP: f64 = 4.0;

impl Hunt {
    pub fn new(number: usize, file: &str, trace: &Trace) -> Hunt {
        let reaches =
            |(place, test): (usize, &Test)| test.reaches.contains(&number).then_some(place);
        let reaching: Vec<usize> = trace.tests.iter().enumerate().filter_map(reaches).collect();
        let close = |place: &usize| (*place, distance(file, &trace.tests[*place]));
        Hunt {
            number,
            distance: reaching.iter().map(close).collect(),
            left: reaching.clone(),
            reaching,
            spent: Duration::ZERO,
            killer: None,
        }
    }

    /// With a test that is run first, by its name.
    pub fn first(mut self, trace: &Trace, name: Option<&String>) -> Hunt {
        let is_it = |place: &&usize| Some(&trace.tests[**place].name) == name;
        self.killer = self.reaching.iter().find(is_it).copied();
        self
    }

    /// Runs tests for at most `budget` in all: the closest first, of these the quick ones, and of these
    /// the ones that have caught something and reach little else.
    ///
    /// # Errors
    /// A test binary cannot be started.
    pub fn run(
        &mut self,
        stage: &Stage,
        trace: &Trace,
        breadth: &HashMap<usize, usize>,
        hits: &Hits,
        budget: Duration,
    ) -> Result<Verdict> {
        if let Some(killer) = self.killer.take() {
            self.left.retain(|place| *place != killer);
            if let Some(verdict) = self.ask(stage, trace, &[killer])? {
                return Ok(verdict);
            }
        }
        let class = |seconds: f64| {
            [0.4, 1.5, 4.0, 12.0, 30.0]
                .iter()
                .filter(|most| seconds > **most)
                .count()
        };
        self.left.sort_by_key(|place| {
            let test = &trace.tests[*place];
            let hit = hits.get(place).copied().unwrap_or(0);
            // Most last: they are taken from the end.
            let far = self.distance[place];
            std::cmp::Reverse((
                far,
                class(test.seconds),
                std::cmp::Reverse(hit),
                breadth[place],
            ))
        });
        while !self.left.is_empty() {
            if self.spent > budget {
                let run = self.reaching.len() - self.left.len();
                return Ok(Verdict::Unsettled { run });
            }
            let group = self.group(trace);
            if let Some(verdict) = self.ask(stage, trace, &group)? {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Survived)
    }

    /// The next tests, all of one binary.
    fn group(&mut self, trace: &Trace) -> Vec<usize> {
        let mut group = Vec::new();
        let mut seconds = 0.0;
        let Some(first) = self.left.last() else {
            return group;
        };
        let binary = trace.tests[*first].binary;
        let mut place = self.left.len();
        while place > 0 && group.len() < 40 {
            place -= 1;
            let test = &trace.tests[self.left[place]];
            if test.binary != binary {
                continue;
            }
            if !group.is_empty() && seconds + test.seconds > GROUP {
                break;
            }
            seconds += test.seconds;
            group.push(self.left.remove(place));
        }
        group
    }

    /// Runs a group; a failure counts when the test that failed fails alone, too.
    fn ask(&mut self, stage: &Stage, trace: &Trace, group: &[usize]) -> Result<Option<Verdict>> {
        let tests: Vec<_> = group.iter().map(|place| &trace.tests[*place]).collect();
        let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
        // Others may be at work on the machine: what is only slow is not caught.
        let limit = |seconds: f64| Duration::from_secs_f64(60.0 + 8.0 * seconds);
        let whole = limit(tests.iter().map(|test| test.seconds).sum());
        let binary = tests[0].binary;
        let number = self.number.to_string();
        let switch = ("STACKCTL_MUTANT", number.as_str());
        let ended = stage.run(binary, &names, switch, whole)?;
        self.spent += ended.took;
        if ended.passed {
            return Ok(None);
        }
        let failed = |name: &str| ended.output.contains(&format!("test {name} ... FAILED"));
        let ended_well = |name: &str| ended.output.contains(&format!("test {name} ... ok"));
        let mut suspects: Vec<usize> = (0..names.len()).filter(|n| failed(names[*n])).collect();
        if suspects.is_empty() {
            // It hung, or the process died: whoever has not passed.
            suspects = (0..names.len())
                .filter(|n| !ended_well(names[*n]))
                .collect();
        }
        for suspect in suspects.into_iter().take(3) {
            let alone = stage.run(
                binary,
                &[names[suspect]],
                switch,
                limit(tests[suspect].seconds),
            )?;
            self.spent += alone.took;
            if !alone.passed {
                let (by, hangs) = (names[suspect].to_owned(), !alone.in_time);
                return Ok(Some(Verdict::Caught { by, hangs }));
            }
        }
        Ok(None)
    }
}

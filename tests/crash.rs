//! The process is killed at every call of an apply, of a change and of a destroy (before it
//! takes effect, with it in flight, and after), and between every two writes of the state and
//! its journal. The next command settles what is open, no person is asked, and one more run
//! is all it takes.
//!
//! Each call meets the kill of its turn; with `STACKCTL_FAULTS=all` it meets all of them.

use crate::faults::{APPLY, CHANGE, CHANGED, DESTROY, READS, applied_and_changed};
use crate::support::tally::Tally;
use crate::support::{Project, all, census, in_parallel};
use serde_json::{Value, json};
use stackctl::store::Moment;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How the process may die at a call. Effects in flight land at once, or, in local time,
/// three seconds later: in the middle of the next command.
pub(crate) fn hows() -> Vec<Value> {
    vec![
        json!("killBefore"),
        json!({"killInFlight": 0}),
        json!({"killInFlight": 3000}),
        json!("killAfter"),
    ]
}

/// The kills at these calls, as faults: each call meets all of them, or one in its turn.
fn at_calls(calls: RangeInclusive<usize>) -> Vec<Value> {
    let hows = hows();
    let pairs = calls.flat_map(|at| (0..hows.len()).map(move |how| (at, how)));
    pairs
        .filter(|(at, how)| all() || at % hows.len() == *how)
        .map(|(at, how)| json!([{"call": "*", "at": at, "what": hows[how]}]))
        .collect()
}

/// The kills between writes: each moment when it first comes up, and some later ones.
pub(crate) fn at_writes() -> Vec<Value> {
    let moments = Moment::ALL.into_iter();
    let pairs = moments.flat_map(|moment| (1..=6).map(move |at| (moment, at)));
    pairs
        .filter(|(moment, at)| {
            let often = [Moment::Writing, Moment::Written, Moment::Synced];
            *at == 1 || often.contains(moment) && (all() || at % 3 == 0)
        })
        .map(|(moment, at)| json!([{"call": moment.name(), "at": at, "what": "killBefore"}]))
        .collect()
}

/// Runs a command that the faults kill; whether they did.
fn is_killed(project: &mut Project, args: &[&str], faults: &Value) -> bool {
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let ended = project.run(args);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    match ended.code {
        None => true,
        Some(0) => false,
        Some(_) => panic!("{faults}:\n{}{}", ended.stdout, ended.stderr),
    }
}

/// The local cloud itself: what it answered is there after the death of its process.
#[test]
fn the_local_cloud_keeps_what_it_answered() {
    for (how, left) in [
        ("killBefore", &["first"][..]),
        ("killAfter", &["first", "second"]),
    ] {
        let mut project = Project::new();
        project.write(
            "stacks/two.yaml",
            "name: two\nproviders: {aws: {region: us-west-2}}\nresources:\n  \
             a: {type: \"aws:sqs:Queue\", properties: {name: first}}\n  \
             b: {type: \"aws:sqs:Queue\", properties: {name: second}, options: {dependsOn: [a]}}\n",
        );
        let faults = json!([{"call": "sqs:CreateQueue", "at": 2, "what": how}]);
        assert!(
            is_killed(&mut project, &["apply", "--yes"], &faults),
            "{how}"
        );
        let cloud = project.cloud();
        let names: Vec<_> = cloud
            .iter()
            .filter_map(|entry| entry.key.rsplit('/').next())
            .collect();
        assert_eq!(names, left, "{how}");
    }
}

/// What a kill is followed by, and what must then hold.
pub(crate) struct Matrix<'a> {
    /// The project before the command.
    before: &'a Project,
    /// What is run, killed, and run again.
    args: Vec<&'a str>,
    /// The cloud afterwards, and how many resources the state has.
    expected: (&'a BTreeMap<String, usize>, usize),
    tally: Tally,
}

impl<'a> Matrix<'a> {
    pub(crate) fn new(
        before: &'a Project,
        args: Vec<&'a str>,
        expected: (&'a BTreeMap<String, usize>, usize),
    ) -> Self {
        Self {
            before,
            args,
            expected,
            tally: Tally::new("kills", "converged"),
        }
    }

    pub(crate) fn run(self, kills: Vec<Value>) {
        let numbered = kills.iter().enumerate().collect();
        in_parallel(numbered, |(number, faults)| self.case(number, faults));
        self.tally.end(30);
    }

    fn case(&self, number: usize, faults: &Value) {
        let mut project = self.before.fork();
        let case = format!("{:?} with {faults}", self.args);
        self.tally.offered(&case);
        if !is_killed(&mut project, &self.args, faults) {
            return;
        }
        self.tally.struck(&case);
        // A plan may look first; it settles by itself what it shows, and writes nothing.
        if number.is_multiple_of(3) {
            let plan = [&["plan"], &self.args[2..]].concat();
            let plan = project.run(&plan);
            assert_eq!(plan.code, Some(0), "plan after {case}:\n{}", plan.stderr);
        }
        let again = project.run(&self.args);
        assert_eq!(again.code, Some(0), "{case}, again:\n{}", again.stderr);
        assert_eq!(&census(&project), self.expected.0, "{case}");
        let state = project.state();
        let resources = state["resources"].as_object().unwrap();
        assert_eq!(resources.len(), self.expected.1, "{case}");
        assert!(state.get("deposed").is_none_or(|it| it == &json!({})));
        assert!(state.get("pending").is_none_or(|it| it == &json!([])));
        let mut files = std::fs::read_dir(project.dir().join("state")).unwrap();
        let is_journal =
            |file: &std::path::Path| file.extension().is_some_and(|it| it == "journal");
        assert!(
            !files.any(|file| is_journal(&file.unwrap().path())),
            "{case}"
        );
        if self.expected.1 > 0 {
            let plan = [&["plan", "--detailed-exitcode"], &self.args[2..]].concat();
            let plan = project.run(&plan);
            assert_eq!(plan.code, Some(0), "plan after {case}:\n{}", plan.stdout);
        }
        self.tally.held(&case);
    }
}

#[test]
fn an_apply_killed_anywhere_is_taken_up() {
    let (_, [expected, _]) = applied_and_changed();
    let (new, args) = (Project::websocket(), vec!["apply", "--yes"]);
    let matrix = Matrix::new(&new, args, (&expected, 19));
    matrix.run([at_calls(1..=APPLY), at_writes()].concat());
}

#[test]
fn a_change_killed_anywhere_is_taken_up() {
    // The plan's 21 reads come first; dying there is dying before anything was done.
    let (applied, [_, expected]) = applied_and_changed();
    let args = [&["apply", "--yes"], CHANGE].concat();
    let matrix = Matrix::new(&applied, args, (&expected, 19));
    matrix.run([at_calls(READS - 1..=CHANGED), at_writes()].concat());
}

#[test]
fn a_destroy_killed_anywhere_is_taken_up() {
    let (applied, _) = applied_and_changed();
    let nothing = BTreeMap::new();
    let matrix = Matrix::new(&applied, vec!["destroy", "--yes"], (&nothing, 0));
    matrix.run([at_calls(READS - 1..=DESTROY), at_writes()].concat());
}

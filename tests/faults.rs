//! Each call of an apply, of a change and of a destroy goes wrong once, in each way there
//! is: the run survives it, does nothing twice, and the next plan is empty. With a tenth of
//! all calls failing at random, the same run ends right as well.
//!
//! Each call meets the fault of its turn, so that all calls and all faults come up; with
//! `STACKCTL_FAULTS=all` each meets all of them, which takes six times as long.

use crate::support::tally::Tally;
use crate::support::{Project, all, census, in_parallel};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Another stack out of the same file: four updates and ten replacements, both ways round.
pub(crate) const CHANGE: &[&str] = &[
    "--var=apigwy_name=Other",
    "--var=sqs_name=other.fifo",
    "--var=s3_bucket_prefix=other-prefix",
    "--var=lambda_name=other",
    "--var=lambda_log_retention=14",
];

/// How many calls an apply of the repository's stack makes, its `CHANGE` and its destroy; and how
/// many of the last two are the plan's reads. Waits take a few more.
pub(crate) const APPLY: usize = 23;
pub(crate) const CHANGED: usize = 51;
pub(crate) const DESTROY: usize = 38;
pub(crate) const READS: usize = 21;

fn whats() -> Vec<Value> {
    vec![
        json!("throttle"),
        json!({"error": 500}),
        json!({"error": 503}),
        json!("lostReply"),
        json!("reset"),
        json!("malformed"),
        // A minute of local time.
        json!({"silence": 60_000}),
    ]
}

/// The pairs of a call, up to the `last`th, and a fault.
fn pairs(last: usize) -> Vec<(usize, Value)> {
    let whats = whats();
    let all = all();
    let turns = (1..=last).flat_map(|at| (0..whats.len()).map(move |what| (at, what)));
    turns
        .filter(|(at, what)| all || at % whats.len() == *what)
        .map(|(at, what)| (at, whats[what].clone()))
        .collect()
}

fn args<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[command, "--yes"], more].concat()
}

/// Runs a command while the `at`th call goes wrong; it must succeed, and tell of it: but for a
/// reply that is cut off, since one without a body shows nothing, and for one that nobody waits
/// for any more.
#[track_caller]
fn survives(project: &mut Project, args: &[&str], at: usize, what: &Value) {
    let fault = json!([{"call": "*", "at": at, "what": what}]).to_string();
    let file = project.home().join("struck");
    let _ = std::fs::remove_file(&file);
    project.env("STACKCTL_LOCAL_STRUCK", file.to_str().unwrap());
    project.env("STACKCTL_LOCAL_FAULTS", &fault);
    let ended = project.run(args);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    project.unset("STACKCTL_LOCAL_STRUCK");
    assert_eq!(
        ended.code,
        Some(0),
        "{args:?} with {what} at call {at}:\n{}{}",
        ended.stdout,
        ended.stderr
    );
    let told = [
        "is made again (1 of 8 failed)",
        "then try 2 of 8",
        "slow down",
    ];
    let told = told.iter().any(|told| ended.stderr.contains(told));
    let struck = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(struck.lines().count(), 1, "{args:?} with {what} at {at}");
    let unheard = ["malformed", "lostReply"].iter().any(|it| what == it);
    // Asked after all steps, how the stage turned out: no step waits for it.
    let after = struck.contains("apigateway:GetStage");
    assert!(
        told || unheard || after,
        "{args:?} with {what} at call {at} ({struck}) tells no reason:\n{}",
        ended.stderr
    );
}

/// An applied project, what its cloud holds, and what it holds after the change.
pub(crate) fn applied_and_changed() -> (Project, [BTreeMap<String, usize>; 2]) {
    let whole = Project::websocket();
    whole.apply();
    let changed = whole.fork();
    changed.run(&args("apply", CHANGE)).expect(0);
    let both = [census(&whole), census(&changed)];
    (whole, both)
}

/// Nothing is there twice or left over, and the next plan is empty.
#[track_caller]
fn is_right(project: &Project, expected: &BTreeMap<String, usize>, more: &[&str], case: &str) {
    assert_eq!(&census(project), expected, "{case}");
    let plan = [&["plan", "--detailed-exitcode"], more].concat();
    let ended = project.run(&plan);
    assert_eq!(ended.code, Some(0), "{case}:\n{}", ended.stdout);
    let state = project.state();
    assert_eq!(state["resources"].as_object().unwrap().len(), 19, "{case}");
    assert!(state.get("deposed").is_none_or(|it| it == &json!({})));
}

fn gone(project: &Project, case: &str) {
    assert_eq!(census(project), BTreeMap::new(), "{case}");
    assert_eq!(project.state()["resources"], json!({}), "{case}");
}

#[test]
fn an_apply_survives_a_fault_at_each_call() {
    let (_, [expected, _]) = applied_and_changed();
    let tally = Tally::new("faults", "survived");
    in_parallel(pairs(APPLY), |(at, what)| {
        let mut project = Project::websocket();
        let case = format!("apply, {at} {what}");
        tally.offered(&case);
        survives(&mut project, &args("apply", &[]), at, &what);
        tally.struck(&case);
        is_right(&project, &expected, &[], &case);
        tally.held(&case);
        // The plan's reads come first; they are in the next test.
        if READS + at <= DESTROY {
            let case = format!("destroy, {at} {what}");
            tally.offered(&case);
            survives(&mut project, &args("destroy", &[]), READS + at, &what);
            tally.struck(&case);
            gone(&project, &case);
            tally.held(&case);
        }
    });
    tally.end(30);
}

#[test]
fn a_change_survives_a_fault_at_each_call() {
    let (whole, [_, expected]) = applied_and_changed();
    let tally = Tally::new("faults", "survived");
    in_parallel(pairs(CHANGED), |(at, what)| {
        let mut project = whole.fork();
        let case = format!("{at} {what}");
        tally.offered(&case);
        survives(&mut project, &args("apply", CHANGE), at, &what);
        tally.struck(&case);
        is_right(&project, &expected, CHANGE, &case);
        tally.held(&case);
    });
    tally.end(40);
}

#[test]
fn with_a_tenth_of_all_calls_failing_the_run_ends_right() {
    let (_, expected) = applied_and_changed();
    let seeds = (1..=6).flat_map(|seed| whats().into_iter().map(move |what| (seed, what)));
    let all = all();
    let seeds = seeds.enumerate().filter(|(n, _)| all || n % 4 == 0);
    let seeds: Vec<(u64, Value)> = seeds.map(|(_, case)| case).collect();
    let tally = Tally::new("runs with a tenth of all calls failing", "ended right");
    in_parallel(seeds, |(seed, what)| {
        let mut project = Project::websocket();
        let faults = json!([{"call": "*", "rate": 0.1, "seed": seed, "what": what}]).to_string();
        for (command, more) in [("apply", &[][..]), ("apply", CHANGE), ("destroy", CHANGE)] {
            let case = format!("{command} {more:?} with seed {seed}, {what}");
            tally.offered(&case);
            project.env("STACKCTL_LOCAL_FAULTS", &faults);
            let ended = project.run(&args(command, more));
            project.env("STACKCTL_LOCAL_FAULTS", "[]");
            assert_eq!(ended.code, Some(0), "{case}:\n{}", ended.stderr);
            // Of twenty calls and more, all would have to be spared.
            tally.struck(&case);
            match command {
                "apply" => is_right(&project, &expected[more.len().min(1)], more, &case),
                _ => gone(&project, &case),
            }
            tally.held(&case);
        }
    });
    tally.end(30);
}

/// Types of the registry: the client token of a create, or its request, leads back to it.
#[test]
fn registry_types_survive_a_fault_at_each_call() {
    use crate::cloud_control::{APPLY, CHANGE, CHANGED, everyday};
    let whole = everyday();
    whole.apply();
    let changed = whole.fork();
    changed.run(&args("apply", CHANGED)).expect(0);
    let expected = [census(&whole), census(&changed)];
    let tally = Tally::new("faults of registry types", "survived");
    let one_way = |last: usize, is_change: bool| {
        let pairs = pairs(last).into_iter();
        pairs.map(move |(at, what)| (at, what, is_change))
    };
    let cases = one_way(APPLY, false).chain(one_way(CHANGE, true)).collect();
    in_parallel(cases, |(at, what, is_change)| {
        let mut project = if is_change { whole.fork() } else { everyday() };
        let more = if is_change { CHANGED } else { &[] };
        let case = format!("apply {more:?}, {at} {what}");
        tally.offered(&case);
        survives(&mut project, &args("apply", more), at, &what);
        tally.struck(&case);
        assert_eq!(census(&project), expected[usize::from(is_change)], "{case}");
        let plan = [&["plan", "--detailed-exitcode"], more].concat();
        let ended = project.run(&plan);
        assert_eq!(ended.code, Some(0), "{case}:\n{}", ended.stdout);
        tally.held(&case);
    });
    tally.end(60);
}

/// Runs a command and fails unless its progress tells each of these waits.
#[track_caller]
fn tells(project: &Project, args: &[&str], waits: &[&str]) {
    let ended = project.run(args).expect(0);
    for wait in waits {
        let told = ended.stderr.lines().any(|line| line.starts_with(wait));
        assert!(told, "{wait:?} is not told:\n{}", ended.stderr);
    }
}

#[test]
fn the_reason_of_each_wait_is_told() {
    let mut project = Project::websocket();
    let throttle = json!([{"call": "sqs:CreateQueue", "at": 1, "what": "throttle"}]);
    project
        // Slow enough for a role to be young when its function comes, on a busy machine too.
        .env("STACKCTL_LOCAL_SPEED", "0.3")
        .env("STACKCTL_LOCAL_FAULTS", &throttle.to_string());
    let waits = [
        "queue: retrying: SQS says \"Rate exceeded\" (the service asks to slow down)",
        "responder: retrying: Lambda says \"The role defined for the function cannot be assumed by Lambda.\" (a new role takes up to a minute)",
        "responder: waiting for state Active (now Pending)",
        "mapping: waiting for state Enabled or Disabled (now Creating)",
    ];
    tells(&project, &args("apply", &[]), &waits);
    project
        .env("STACKCTL_LOCAL_SPEED", "50")
        .env("STACKCTL_LOCAL_FAULTS", "[]");
    let again = ["apply", "--yes", "--replace", "queue"];
    let blocked = "queue: retrying: SQS says \"You must wait 60 seconds after deleting a queue before you can create another with the same name.\" (the name is free 60 seconds after the deletion)";
    tells(&project, &again, &[blocked]);
}

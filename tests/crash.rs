//! The process dies at every call of the local apply, change and destroy, before it takes effect
//! and after; the next run converges, and no person is asked.

use crate::faults::{CHANGE, applied_and_changed};
use crate::support::{Project, census, in_parallel};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn fault(at: usize, what: &str) -> String {
    json!([{"call": "*", "at": at, "what": what}]).to_string()
}

/// Runs `args` with a kill at the `at`th call; whether the kill struck.
fn killed(project: &mut Project, args: &[&str], at: usize, what: &str) -> bool {
    project.env("STACKCTL_LOCAL_FAULTS", &fault(at, what));
    let ended = project.run(args);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    match ended.code {
        None => true,
        Some(0) => false,
        Some(_) => panic!("call {at} {what}:\n{}{}", ended.stdout, ended.stderr),
    }
}

fn matrix(what: &str) {
    let whole = Project::websocket();
    whole.apply();
    let expected = census(&whole);
    let mut tried = 0;
    for at in 1.. {
        let mut project = Project::websocket();
        if !killed(&mut project, &["apply", "--yes"], at, what) {
            break;
        }
        tried += 1;
        project.apply();
        assert_eq!(
            census(&project),
            expected,
            "apply killed at call {at}, {what}"
        );
        project.expect_no_changes();
        let state: Value = project.state();
        assert_eq!(state["resources"].as_object().unwrap().len(), 19);
        assert!(!project.dir().join("state/websocket-sqs.journal").exists());
        let struck = killed(&mut project, &["destroy", "--yes"], 21 + at, what);
        project.run(&["destroy", "--yes"]).expect(0);
        assert_eq!(
            census(&project),
            BTreeMap::new(),
            "destroy killed ({struck}) at {at}, {what}"
        );
    }
    assert!(tried >= 20, "only {tried} calls were killed");
    println!("{what}: {tried} kills of apply, each followed by one of destroy; all converged");
}

#[test]
fn killed_before_each_call() {
    matrix("killBefore");
}

#[test]
fn killed_after_each_call() {
    matrix("killAfter");
}

/// Kills a run that updates some resources and replaces others, at each of its calls after
/// the plan's reads.
fn change_matrix(what: &str) {
    let (whole, [_, expected]) = applied_and_changed();
    let change = [&["apply", "--yes"], CHANGE].concat();
    in_parallel((22..=60).collect(), |at| {
        let mut project = whole.fork();
        let struck = killed(&mut project, &change, at, what);
        let case = format!("change killed ({struck}) at call {at}, {what}");
        let again = project.run(&change);
        assert_eq!(again.code, Some(0), "{case}:\n{}", again.stderr);
        assert_eq!(census(&project), expected, "{case}");
        let plan = [&["plan", "--detailed-exitcode"], CHANGE].concat();
        let plan = project.run(&plan);
        assert_eq!(plan.code, Some(0), "{case}:\n{}", plan.stdout);
        let state = project.state();
        assert_eq!(state["resources"].as_object().unwrap().len(), 19, "{case}");
        assert!(state.get("deposed").is_none_or(|it| it == &json!({})));
        assert!(!project.dir().join("state/websocket-sqs.journal").exists());
        assert!(struck || at > 50, "{case}");
    });
}

#[test]
fn a_change_killed_before_each_call() {
    change_matrix("killBefore");
}

#[test]
fn a_change_killed_after_each_call() {
    change_matrix("killAfter");
}

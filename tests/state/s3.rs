//! A state in S3, on the local cloud: two processes at once, and one that is killed.

use super::SMALL;
use crate::support::Project;
use crate::support::tally::Tally;
use serde_json::Value;
use std::process::{Child, Stdio};
use std::time::Duration;

const BUCKET: &str = r#"
name: states
resources:
  bucket:
    type: aws:s3:Bucket
    properties: {bucket: states, forceDestroy: true}
"#;

/// The small stack with its state in a bucket, which a stack of its own has made.
pub(super) fn in_s3() -> Project {
    let project = Project::new();
    project.write("stacks/states.yaml", BUCKET);
    project.run(&["apply", "states", "--yes"]).expect(0);
    std::fs::remove_file(project.dir().join("stacks/states.yaml")).unwrap();
    let state = "name: small\nstate: \"s3://states/${stack.name}.json\"\n";
    project.write(
        "stacks/small.yaml",
        SMALL.replacen("name: small\n", state, 1),
    );
    project
}

/// What the local cloud holds beside the bucket and what is in it.
fn made(project: &Project) -> usize {
    let entries = project.cloud();
    entries.iter().filter(|entry| entry.service != "s3").count()
}

fn spawn(project: &Project, args: &[&str], latency: &str) -> Child {
    project
        .command(args)
        .env("STACKCTL_LOCAL_LATENCY", latency)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_state_in_s3_keeps_what_a_file_keeps() {
    let project = in_s3();
    project.apply();
    project.expect_no_changes();
    project
        .run(&["apply", "--yes", "--var", "size=31"])
        .expect(0);
    assert!(!project.dir().join("state/small.json").exists());
    let history = project
        .run(&["state", "history", "--json"])
        .expect(0)
        .json();
    assert_eq!(history.as_array().unwrap().len(), 2);
    project
        .run(&["state", "mv", "log", "logs", "--yes"])
        .expect(0);
    project.run(&["state", "restore", "2", "--yes"]).expect(0);
    let list = project.run(&["state", "list", "--json"]).expect(0).json();
    assert_eq!(list.as_array().unwrap().len(), 3);
    project.run(&["outputs"]).expect(0);
    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(made(&project), 0);
}

#[test]
fn of_two_processes_one_wins_and_the_other_waits() {
    let project = in_s3();
    let first = spawn(&project, &["apply", "--yes", "--lock-timeout", "2m"], "100");
    let second = spawn(&project, &["apply", "--yes", "--lock-timeout", "2m"], "100");
    let told = [first, second].map(|child| {
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        told
    });
    let waited = told
        .iter()
        .filter(|told| told.contains("Waiting for the lock of s3://states/small.json"));
    assert_eq!(waited.count(), 1, "{told:?}");
    assert_eq!(made(&project), 2, "nothing was made twice");
    project.expect_no_changes();
}

#[test]
fn killed_at_any_call_the_next_run_takes_over_and_nothing_is_made_twice() {
    let whole = in_s3();
    let tally = Tally::new("kills with the state in a bucket", "converged");
    for at in 1..60 {
        let mut project = whole.fork();
        let what = if at % 2 == 0 {
            "killAfter"
        } else {
            "killBefore"
        };
        let fault = serde_json::json!([{"call": "*", "at": at, "what": what}]);
        project.env("STACKCTL_LOCAL_FAULTS", &fault.to_string());
        let ended = project.run(&["apply", "--yes"]);
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        if ended.code == Some(0) {
            break;
        }
        let case = format!("call {at}, {what}");
        tally.offered(&case);
        assert_eq!(ended.code, None, "{case}: {}", ended.stderr);
        tally.struck(&case);
        project.apply();
        project.expect_no_changes();
        assert_eq!(made(&project), 2, "{case}");
        tally.held(&case);
    }
    tally.end(10);
}

/// The holder seems dead (it is of another machine and its beat stands still), is taken over,
/// and wakes up: it must not begin anything.
#[test]
#[cfg(unix)]
fn who_was_taken_for_dead_begins_nothing_more() {
    let mut project = in_s3();
    project.env("STACKCTL_LEASE_SECONDS", "2");
    let sleeper = spawn(&project, &["apply", "--yes", "--parallelism", "1"], "700");
    let begun = |project: &Project| {
        let entries = project.cloud();
        entries
            .iter()
            .any(|entry| format!("{entry:?}").contains("small.json.journal"))
    };
    while !begun(&project) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let signal = |name: &str| {
        let id = sleeper.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([name, &id])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    // The lease stands still while its process exists: only time tells.
    project
        .run(&["apply", "--yes", "--lock-timeout", "1m"])
        .expect(0);
    signal("-CONT");
    let output = sleeper.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("has lost its hold on the state"), "{told}");
    assert_eq!(made(&project), 2);
    project.expect_no_changes();
}

#[test]
fn a_place_in_s3_that_is_none_is_a_mistake_in_the_file() {
    let project = in_s3();
    project.write(
        "stacks/small.yaml",
        SMALL.replacen("name: small\n", "name: small\nstate: s3://states\n", 1),
    );
    let ended = project.run(&["plan"]).expect(3);
    assert!(
        ended.stderr.contains("is no place in S3"),
        "{}",
        ended.stderr
    );
    let ended = project.run(&["plan", "--state", "s3://states/"]).expect(3);
    assert!(
        ended.stderr.contains("is no place in S3"),
        "{}",
        ended.stderr
    );
    project.write("stacks/small.yaml", SMALL);
    let ended = project
        .run(&["plan", "--state", "s3://nowhere/a.json"])
        .expect(1);
    assert!(
        ended.stderr.contains("Make the bucket first"),
        "{}",
        ended.stderr
    );
    let json: Value = project
        .run(&["plan", "--json", "--state", "s3://states/a.json"])
        .expect(0)
        .json();
    assert_eq!(json["serial"], 0);
}

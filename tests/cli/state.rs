//! States that are locked, broken, of another stack or of another account.

use super::{SMALL, masked, seen, small};
use crate::support::Project;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// An apply that has begun its first step and takes its time, and what it tells.
pub(super) fn slow_apply(project: &Project) -> (Child, impl BufRead + use<>) {
    let mut child = project
        .command(&["apply", "--yes"])
        .env("STACKCTL_LOCAL_LATENCY", "1500")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("creating") {
        line.clear();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "it ended early");
    }
    (child, told)
}

#[test]
fn a_locked_state_is_4() {
    let project = small();
    let (mut child, _told) = slow_apply(&project);
    let locked = project.run(&["apply", "--yes"]).expect(4);
    masked(|| {
        insta::assert_snapshot!(seen(&locked), @"
    exit: 4
    --- stdout
    --- stderr
    error: state/small.json is locked by another run (process [id]).
      now: Nothing was changed.
      next: Wait until that run has ended, then run the command again.
    ");
    });
    let json = project
        .run(&["destroy", "--yes", "--json"])
        .expect(4)
        .json();
    assert_eq!(json["exit_code"], 4);
    project.run(&["plan"]).expect(0);
    child.kill().unwrap();
    child.wait().unwrap();
    project.apply();
    project.expect_no_changes();
}

#[test]
fn states_that_cannot_be_used() {
    let project = small();
    project.apply();
    let good = project.read("state/small.json");
    let told = |text: &str| {
        project.write("state/small.json", text);
        let ended = project
            .run(&["apply", "--yes", "--var", "size=31"])
            .expect(1);
        assert_eq!(project.read("state/small.json"), text);
        ended.stderr
    };
    insta::assert_snapshot!(told(&good.replace("\"version\": 1", "\"version\": 99")), @"
    error: state/small.json is not a state file that this version can read: it has format 99, and this version reads up to 1; use a newer stackctl.
      now: Nothing was changed.
      next: Put the right file back in its place.
    ");
    insta::assert_snapshot!(told(&good[..good.len() / 2]), @"
    error: state/small.json is not a state file that this version can read: EOF while parsing a string at line 47 column 48.
      now: Nothing was changed.
      next: Put the right file back in its place.
    ");
    insta::assert_snapshot!(told(&good.replace("\"stack\": \"small\"", "\"stack\": \"big\"")), @r#"
    error: state/small.json is not a state file that this version can read: it belongs to the stack "big".
      now: Nothing was changed.
      next: Put the right file back in its place.
    "#);
    let other = good.replace(
        "\"account\": \"000000000000\"",
        "\"account\": \"123456789012\"",
    );
    insta::assert_snapshot!(told(&other), @"
    error: state/small.json holds objects of account 123456789012, and this command would work in account 000000000000.
      now: Nothing was changed.
      next: Use --env or --state for a second copy of the stack, or destroy the first one where it is.
    ");
    project.write("state/small.json", &good);
    project.expect_no_changes();
}

#[test]
fn a_folder_that_cannot_be_written_stops_before_any_call() {
    let project = small();
    project.write("state", "a file where the folder should be");
    let ended = project.run(&["apply", "--yes"]).expect(1);
    insta::assert_snapshot!(ended.stderr, @"
    error: making the folder state failed: File exists (os error 17).
      next: Make the file system usable, then run the command again.
    ");
    assert_eq!(project.cloud(), []);
}

#[test]
fn an_account_that_is_not_allowed() {
    let project = small();
    let text = SMALL.replace(
        "region: us-west-2",
        "region: us-west-2, allowedAccountIds: [\"1\"]",
    );
    project.write("stacks/small.yaml", text);
    let ended = project.run(&["apply", "--yes"]).expect(1);
    insta::assert_snapshot!(ended.stderr, @"
    error: The credentials belong to account 000000000000, and providers.aws.allowedAccountIds does not list it.
      now: Nothing was changed.
      next: Use the credentials of an allowed account.
    ");
    assert_eq!(project.cloud(), []);
}

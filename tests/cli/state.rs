//! States that are locked, broken, of another stack or of another account.

use super::{SMALL, masked, seen, small};
use crate::support::{Project, hearing};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// An apply that has begun its first step and takes its time, and what it tells.
pub(super) fn slow_apply(project: &Project) -> (Child, impl BufRead + use<>) {
    let mut child = hearing(&project.command(&["apply", "--yes"]))
        .env("STACKCTL_LOCAL_LATENCY", "2500")
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
    error: The state state/small.json is locked by another run (apply of small, process [id] on [host], since [time]).
      now: Nothing was changed.
      next: Wait until that run has ended (--lock-timeout 5m does so), then run the command again.
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
fn a_state_of_another_account_is_left_alone() {
    let project = small();
    project.apply();
    let good = project.read("state/small.json");
    let other = good.replace(
        "\"account\": \"000000000000\"",
        "\"account\": \"123456789012\"",
    );
    // The person who did this meant it.
    project.write("other.json", &other);
    project
        .run(&["state", "restore", "other.json", "--yes"])
        .expect(0);
    let kept = project.read("state/small.json");
    let ended = project
        .run(&["apply", "--yes", "--var", "size=31"])
        .expect(1);
    insta::assert_snapshot!(ended.stderr, @"
    error: state/small.json holds objects of account 123456789012, and this command would work in account 000000000000.
      now: Nothing was changed.
      next: Use --env or --state for a second copy of the stack, or destroy the first one where it is.
    ");
    assert_eq!(project.read("state/small.json"), kept);
}

#[test]
fn a_folder_that_cannot_be_written_stops_before_any_call() {
    let project = small();
    project.write("state", "a file where the folder should be");
    let ended = project.run(&["apply", "--yes"]).expect(1);
    insta::assert_snapshot!(ended.stderr, @"
    error: Creating the folder state failed: state is not a folder.
      now: Nothing was changed.
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

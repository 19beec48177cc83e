//! States that are locked, broken, of another stack or of another account.

use super::{SMALL, masked, seen, small};
use crate::support::{Project, hearing};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// An apply that has started its first step and takes its time, and what it tells.
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
    error: state/small.json holds resources of account 123456789012, and this command would work in account 000000000000.
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

/// What differs is shown by objects before a version comes back: another object, other values, other
/// options.
#[test]
fn a_restore_shows_what_differs() {
    let project = small();
    let apply = |args: &[&str]| {
        let words = [&["apply", "--yes"][..], args].concat();
        project.run(&words).expect(0);
        project.state()
    };
    let first = apply(&[]);
    let second = apply(&["--var", "size=31"]);
    let names = |what: &str| -> Vec<String> {
        let of = |state: &Value| {
            state["resources"]["queue"][what]
                .as_object()
                .unwrap()
                .clone()
        };
        let (old, new) = (of(&first), of(&second));
        let differ = old.keys().filter(|name| old[*name] != new[*name]);
        differ.map(|name| format!("{what}.{name}")).collect()
    };
    let values = [names("inputs"), names("outputs")].concat().join(", ");
    assert!(
        values.starts_with("inputs.visibilityTimeoutSeconds"),
        "{values}"
    );
    let shown = |serial: &str| project.run(&["state", "restore", serial]).expect(1).stderr;
    let told = shown("1");
    assert!(
        told.starts_with(&format!("~ queue: {values}\nerror: ")),
        "{told}"
    );
    let protected = SMALL.replacen("  log:\n", "  log:\n    options: {protect: true}\n", 1);
    project.write("stacks/small.yaml", protected);
    apply(&["--var", "size=31"]);
    let told = shown("2");
    assert!(
        told.starts_with("~ log: options or dependencies\nerror: "),
        "{told}"
    );
    project.write("stacks/small.yaml", SMALL);
    apply(&[]);
    apply(&["--var", "label=other"]);
    let told = shown("1");
    let queue = "https://sqs.us-west-2.amazonaws.com/000000000000";
    for line in [
        "~ log: id /app/other -> /app/orders\n".to_owned(),
        format!("~ queue: id {queue}/other -> {queue}/orders\n"),
    ] {
        assert!(told.contains(&line), "{told}");
    }
}

/// What an interrupted run did is in its journal alone: no version takes the state's place, unless
/// that run was saved, or began from that version.
#[test]
fn a_restore_forgets_no_interrupted_run() {
    let project = small();
    project.apply();
    let second = project.run(&["apply", "--yes", "--var", "size=31"]);
    second.expect(0);
    let kept = project.read("state/small.json");
    let lineage = project.state()["lineage"].clone();
    let begun_from = |serial: u64| {
        let run = json!({"run": {"lineage": lineage, "serial": serial}});
        project.write("state/small.journal", format!("{run}\n"));
    };
    let told = |why: &str| {
        format!(
            "error: The state cannot be restored: {why}.\n  now: Nothing was changed.\n  \
             next: Run `stackctl apply` first, which recovers that run.\n"
        )
    };
    begun_from(2);
    let why = "an interrupted run began from serial 2, and its journal holds what it did";
    let restore = ["state", "restore", "1", "--yes"];
    assert_eq!(project.run(&restore).expect(1).stderr, told(why));
    // A plan recovers nothing for good.
    project.run(&["plan"]).expect(0);
    assert_eq!(project.run(&restore).expect(1).stderr, told(why));
    project.write("state/small.journal", "nonsense\nnonsense\n");
    let why =
        "the journal of an interrupted run cannot be read (it does not begin as a journal does)";
    assert_eq!(project.run(&restore).expect(1).stderr, told(why));
    assert_eq!(project.read("state/small.json"), kept);
    begun_from(2);
    project.run(&["state", "restore", "2", "--yes"]).expect(0);
    assert_eq!(project.state()["serial"], 3);
    begun_from(2);
    project.run(&restore).expect(0);
    assert_eq!(project.state()["serial"], 4);
    begun_from(4);
    project.apply();
    project.run(&restore).expect(0);
}

/// What scripts are told of a change of the state alone.
#[test]
fn changes_of_the_state_are_told_to_scripts() {
    let project = small();
    project.apply();
    let told = |args: &[&str]| {
        let words = [&["state"][..], args, &["--yes", "--json"]].concat();
        let ended = project.run(&words).expect(0);
        assert_eq!(ended.stderr, "", "{args:?}");
        ended.json()
    };
    assert_eq!(
        told(&["mv", "log", "logs"]),
        json!({"moved": [{"from": "log", "to": "logs"}], "serial": 2})
    );
    assert_eq!(
        told(&["rm", "logs"]),
        json!({
            "forgotten": [
                {"address": "logs", "type": "aws:cloudwatch:LogGroup", "id": "/app/orders"}
            ],
            "serial": 3,
        })
    );
    for (found, serial) in [(json!(["log"]), json!(4)), (json!([]), json!(null))] {
        let rebuilt = told(&["rebuild"]);
        let of = |name: &str| rebuilt[name].clone();
        assert_eq!(
            [of("found"), of("missing"), of("failed"), of("savedSerial")],
            [found, json!([]), json!([]), serial]
        );
    }
}

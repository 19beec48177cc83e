//! `apply --verify`: an apply whose result a plan would change says so.

use super::drift::set_timeout;
use super::small;
use crate::support::Project;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// An apply during which somebody changes the queue as soon as it is made: its exit code,
/// stdout, and stderr from then on.
async fn disturbed(project: &Project, args: &[&str]) -> (Option<i32>, String, String) {
    let mut child = project
        .command(args)
        .env("STACKCTL_LOCAL_LATENCY", "300")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("queue: created") {
        line.clear();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "it ended early");
    }
    set_timeout(project, "45").await;
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), stdout, rest)
}

#[tokio::test]
async fn what_is_not_as_wanted_is_told_by_attribute() {
    let project = small();
    let (code, stdout, told) = disturbed(&project, &["apply", "--yes", "--verify"]).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(stdout.contains("Outputs:\nnumber: 30"), "{stdout}");
    let told = &told[told.find("error:").unwrap()..];
    insta::assert_snapshot!(told, @"
    error: Everything was applied, but a plan made right after it is not empty.
      cause: queue.visibilityTimeoutSeconds: wanted 30, live 45
      now: What was applied is in the state.
      next: Run plan. If it shows the same though nobody else changes queue, the type aws:sqs:Queue has a defect: please report it.
    ");
}

#[tokio::test]
async fn without_the_flag_nothing_is_read_again() {
    for flag in ["--verify=false", "--parallelism=32"] {
        let project = small();
        let (code, _, told) = disturbed(&project, &["apply", "--yes", flag]).await;
        assert_eq!(code, Some(0), "{told}");
        project.run(&["drift"]).expect(2);
    }
}

#[test]
fn the_check_is_an_event_for_scripts() {
    let project = small();
    let applied = project
        .run(&["apply", "--yes", "--json", "--verify"])
        .expect(0);
    let event: serde_json::Value = applied
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|event: &serde_json::Value| event["type"] == "verify")
        .unwrap();
    assert_eq!(
        event,
        json!({"type": "verify", "empty": true, "differences": []})
    );
}

/// A property that somebody takes away while the run goes on.
#[tokio::test]
async fn a_property_that_is_not_set_is_told_so() {
    let mut project = small();
    // The policy is created last, and only then all is read.
    let slow = json!([{"call": "iam:CreatePolicy", "what": {"latency": 4000}}]);
    project.env("STACKCTL_LOCAL_FAULTS", &slow.to_string());
    let mut child = project
        .command(&["apply", "--yes", "--verify"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("log: created") {
        line.clear();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "it ended early");
    }
    let aws = project.outside().await;
    let call = aws.logs().delete_retention_policy();
    call.log_group_name("/app/orders").send().await.unwrap();
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest}");
    let cause = "\n  cause: log.retentionInDays: wanted 7, live not set\n";
    assert!(rest.contains(cause), "{rest}");
}

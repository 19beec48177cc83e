//! Requests that take long: the session ends, the time limit is reached, the handler says how far it
//! is.

use super::stack;
use crate::support::{Ended, Project, census};
use serde_json::{Value, json};

/// An instance whose name the service chooses.
fn instance(timeouts: &Value) -> Project {
    stack(&json!({"base": {
        "type": "AWS::RDS::DBInstance",
        "properties": {"DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "AllocatedStorage": "20"},
        "options": {"timeouts": timeouts},
    }}))
}

/// Runs a command with these faults.
fn run_with(project: &mut Project, args: &[&str], faults: &Value) -> Ended {
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let ended = project.run(args);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    ended
}

/// A handler of the call that takes so many minutes of local time, and says so.
fn slow(call: &str, minutes: u64) -> Value {
    let what = json!({"handler": {"millis": minutes * 60_000, "message": "Backing up"}});
    json!({"call": format!("cloudcontrolapi:{call}"), "at": 1, "what": what})
}

/// Applies again, and returns the calls to Cloud Control.
fn calls_of_next_apply(project: &mut Project) -> Vec<String> {
    let file = project.home().join("struck");
    project.env("STACKCTL_LOCAL_STRUCK", file.to_str().unwrap());
    let note = json!([{"call": "cloudcontrolapi:*", "what": {"latency": 0}}]);
    run_with(project, &["apply", "--yes"], &note).expect(0);
    project.unset("STACKCTL_LOCAL_STRUCK");
    let noted = std::fs::read_to_string(file).unwrap();
    let calls = noted.lines().filter_map(|line| line.split_once(':'));
    calls.map(|(_, call)| call.to_owned()).collect()
}

/// The apply that left the request of a create under way is followed by one that asks for it.
fn is_taken_up(project: &mut Project, ended: &Ended) {
    let pending = project.state()["pending"][0].clone();
    let request = pending["request"].as_str().unwrap();
    let now = format!("AWS goes on with the request {request}, which creates base;");
    assert!(ended.stderr.contains(&now), "{}", ended.stderr);
    let calls = calls_of_next_apply(project);
    assert_eq!(calls[0], "GetResourceRequestStatus", "{calls:?}");
    assert!(
        !calls.iter().any(|call| call == "CreateResource"),
        "{calls:?}"
    );
    assert_eq!(project.state().get("pending"), None);
    project.expect_no_changes();
    assert_eq!(census(project).values().sum::<usize>(), 1);
}

#[test]
fn a_create_whose_session_expires_is_taken_up_by_its_request() {
    let mut project = instance(&json!({}));
    let expired = json!({
        "call": "cloudcontrolapi:*", "at": 2, "times": 1000, "what": "expired",
    });
    let faults = json!([slow("CreateResource", 2), expired]);
    let ended = run_with(&mut project, &["apply", "--yes"], &faults).expect(1);
    let cause = "cloudformation:GetResourceRequestStatus returned ExpiredTokenException";
    for said in [cause, "sign in again", "1 failed"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    // With these credentials nothing can be looked up either.
    assert!(!ended.stderr.contains("lookup"), "{}", ended.stderr);
    is_taken_up(&mut project, &ended);
}

#[test]
fn a_create_that_takes_longer_than_its_timeout_is_taken_up() {
    let mut project = instance(&json!({"create": "1s"}));
    let faults = json!([slow("CreateResource", 5)]);
    let ended = run_with(&mut project, &["apply", "--yes"], &faults).expect(1);
    assert!(
        ended.stderr.contains("waited 1 s for the request"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("last seen: IN_PROGRESS: Backing up"),
        "{}",
        ended.stderr
    );
    is_taken_up(&mut project, &ended);
}

#[test]
fn an_update_and_a_deletion_have_a_timeout_too() {
    let mut project = instance(&json!({"update": "1s", "delete": "1s"}));
    project.apply();
    let text = project.read("stacks/s.yaml");
    project.write("stacks/s.yaml", text.replace("t4g.micro", "t4g.small"));
    for (call, args) in [
        ("UpdateResource", &["apply", "--yes"]),
        ("DeleteResource", &["destroy", "--yes"]),
    ] {
        let ended = run_with(&mut project, args, &json!([slow(call, 4)])).expect(1);
        assert!(
            ended.stderr.contains("waited 1 s for the request"),
            "{}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains("options.timeouts"),
            "{}",
            ended.stderr
        );
        // What AWS still does is waited for.
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        let again = project.read("stacks/s.yaml").replace("1s", "60s");
        project.write("stacks/s.yaml", again);
        project.run(args).expect(0);
        let limited = project.read("stacks/s.yaml").replace("60s", "1s");
        project.write("stacks/s.yaml", limited);
    }
    assert_eq!(census(&project).values().sum::<usize>(), 0);
}

#[test]
fn the_progress_has_what_the_handler_says() {
    let mut project = instance(&json!({}));
    let faults = json!([slow("CreateResource", 1)]);
    let args = ["apply", "--yes", "--json"];
    let ended = run_with(&mut project, &args, &faults).expect(0);
    let said = "waiting for Cloud Control (now IN_PROGRESS: Backing up)";
    let told = [ended.stdout, ended.stderr].concat();
    assert!(told.contains(said), "{told}");
}

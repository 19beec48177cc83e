//! A signal ends what only waits: between two attempts of a refused call, for a state, for a
//! name. What is known by then is in the state, and the next run goes on from there.

use super::signals::{end, signal, start};
use crate::support::{Project, actions};
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

const FAULTS: &str = "STACKCTL_LOCAL_FAULTS";
const SPEED: &str = "STACKCTL_LOCAL_SPEED";

/// A function whose role may not write to its queue for dead letters.
const FUNCTION: &str = r#"
name: fn
providers: {aws: {region: us-west-2}}
data:
  zip:
    type: archive:getFile
    properties: {type: zip, source: [{content: "x", filename: app.py}]}
resources:
  role:
    type: aws:iam:Role
    properties:
      name: worker
      assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]}
  dead: {type: "aws:sqs:Queue", properties: {name: dead}}
  fn:
    type: aws:lambda:Function
    properties: {name: worker, role: "${role.arn}", runtime: python3.13, handler: app.handler, filename: "${data.zip.outputPath}", deadLetterConfig: {targetArn: "${dead.arn}"}}
"#;

const ALLOWED: &str = r#"
  allow:
    type: aws:iam:RolePolicy
    properties:
      role: ${role.name}
      policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]}
"#;

/// Runs a command until it says that it waits for `waits`, and stops it with `name`. What it
/// says from that line on.
#[track_caller]
fn stopped(project: &Project, args: &[&str], waits: &str, name: &str) -> String {
    let mut child = start(project, args);
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let (mut seen, mut line) = (String::new(), String::new());
    while !line.contains(waits) {
        line.clear();
        assert_ne!(
            told.read_line(&mut line).unwrap(),
            0,
            "no {waits:?}: {seen}"
        );
        seen.push_str(&line);
    }
    let since = Instant::now();
    signal(child.id(), name);
    let mut stderr = line;
    told.read_to_string(&mut stderr).unwrap();
    let (code, _, _, took) = end(child, since);
    assert_eq!(code, Some(130), "{waits}: {stderr}");
    assert!(took < Duration::from_secs(2), "{waits}: {took:?} {stderr}");
    assert!(
        stderr.contains("\nInterrupted: ") && stderr.contains("Run the command again to go on."),
        "{stderr}"
    );
    assert!(!stderr.contains("error:"), "{stderr}");
    let journals = std::fs::read_dir(project.dir().join("state")).unwrap();
    let journal = journals
        .flatten()
        .any(|file| file.path().extension().is_some_and(|end| end == "journal"));
    assert!(!journal, "the state is saved: {stderr}");
    stderr
}

fn addresses(project: &Project) -> Vec<String> {
    let state = project.state();
    let known = state["resources"].as_object().unwrap();
    known.keys().cloned().collect()
}

fn stack(name: &str, resources: &str) -> Project {
    let project = Project::new();
    let text =
        format!("name: {name}\nproviders: {{aws: {{region: us-west-2}}}}\nresources:\n{resources}");
    project.write(&format!("stacks/{name}.yaml"), text);
    project
}

#[test]
fn retries_for_permissions_end() {
    for name in ["INT", "TERM"] {
        let mut project = Project::new();
        project.write("stacks/fn.yaml", FUNCTION);
        project.env(SPEED, "1");
        let wait = "fn: retrying: Lambda says \"The provided execution role does not have permissions to call SendMessage on SQS\"";
        let ended = stopped(&project, &["apply", "--yes"], wait, name);
        assert!(
            ended.ends_with(
                "Interrupted: 2 of 3 done, 1 interrupted while waiting. Run the command again to go on.\n"
            ),
            "{ended}"
        );
        assert_eq!(addresses(&project), ["dead", "role"]);
        // With what was missing the next run goes on.
        project.write("stacks/fn.yaml", format!("{FUNCTION}{ALLOWED}"));
        project.env(SPEED, "100");
        project.apply();
        project.expect_no_changes();
    }
}

#[test]
fn what_is_created_stays_known() {
    let mut project = Project::new();
    project.write("stacks/fn.yaml", format!("{FUNCTION}{ALLOWED}"));
    project.env(SPEED, "0.1");
    let wait = "fn: waiting for state Active (now Pending";
    stopped(&project, &["apply", "--yes"], wait, "INT");
    assert_eq!(addresses(&project), ["allow", "dead", "fn", "role"]);
    project.env(SPEED, "100");
    project.apply();
    project.expect_no_changes();
    // On the way out the function is still there.
    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(project.cloud(), []);
}

#[test]
fn the_wait_for_a_name_ends() {
    let mut project = stack(
        "q",
        "  q: {type: aws:sqs:Queue, properties: {name: orders}}\n",
    );
    project.apply();
    project.run(&["destroy", "--yes"]).expect(0);
    project.env(SPEED, "1");
    stopped(&project, &["apply", "--yes"], "the name is free", "INT");
    assert_eq!(project.cloud(), []);
    project.env(SPEED, "100");
    project.apply();
    project.expect_no_changes();
}

#[test]
fn the_wait_for_a_role_without_policies_ends() {
    let role = r#"  role:
    type: aws:iam:Role
    properties:
      name: worker
      assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]}
  kept:
    type: aws:iam:RolePolicy
    options: {retainOnDelete: true}
    properties:
      role: ${role.name}
      name: kept
      policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]}
"#;
    let project = stack("r", role);
    project.apply();
    let wait = "role: waiting for the role to hold no policies";
    stopped(&project, &["destroy", "--yes"], wait, "INT");
    assert_eq!(addresses(&project), ["role"]);
    assert_eq!(project.cloud().len(), 1, "{:?}", project.cloud());
}

const SLOW: &str = r#"  api: {type: aws:apigatewayv2:Api, properties: {name: a, protocolType: HTTP, description: "one"}}
  log: {type: aws:cloudwatch:LogGroup, properties: {name: /a/b, retentionInDays: 7}}
  queue: {type: aws:sqs:Queue, properties: {name: a}}
"#;

/// What goes wrong with which call, and what the step then says before its longest pauses.
#[test]
fn pauses_between_two_attempts_end() {
    let throttle = json!("throttle");
    for (call, what, wait, next, address, is_open) in [
        (
            "apigateway:CreateApi",
            &throttle,
            "api: retrying: API Gateway says",
            "?",
            "api",
            false,
        ),
        (
            "logs:CreateLogGroup",
            &throttle,
            "log: retrying: CloudWatch Logs says",
            "?",
            "log",
            false,
        ),
        (
            "sqs:CreateQueue",
            &throttle,
            "queue: retrying: SQS says",
            "?",
            "queue",
            false,
        ),
        (
            "sqs:CreateQueue",
            &json!({"error": 503}),
            "try 6 of 8",
            "try 7",
            "queue",
            true,
        ),
        (
            "apigateway:CreateApi",
            &json!("reset"),
            "try 6 of 8",
            "try 7",
            "api",
            true,
        ),
    ] {
        let mut project = stack("slow", SLOW);
        let faults = json!([{"call": call, "rate": 1.0, "what": what}]).to_string();
        project.env(FAULTS, &faults).env(SPEED, "1");
        let rest = stopped(&project, &["apply", "--yes"], wait, "INT");
        assert!(!rest.contains(next), "{call}: {rest}");
        let others: Vec<&str> = ["api", "log", "queue"]
            .into_iter()
            .filter(|it| *it != address)
            .collect();
        assert_eq!(addresses(&project), others, "{call}");
        // Where a reply was lost the next run looks first.
        let pending = project.state()["pending"].as_array().map_or(0, Vec::len);
        assert_eq!(pending, usize::from(is_open), "{call}");
        project.unset(FAULTS).env(SPEED, "100");
        project.apply();
        project.expect_no_changes();
        assert!(
            crate::support::census(&project)
                .values()
                .all(|count| *count == 1)
        );
    }
}

#[test]
fn pauses_of_the_sdk_end() {
    for (call, change) in [
        ("apigateway:UpdateApi", ("\"one\"", "\"two\"")),
        (
            "logs:PutRetentionPolicy",
            ("retentionInDays: 7", "retentionInDays: 14"),
        ),
    ] {
        let mut project = stack("slow", SLOW);
        project.apply();
        let text = project.read("stacks/slow.yaml").replace(change.0, change.1);
        project.write("stacks/slow.yaml", text);
        let faults = json!([{"call": call, "rate": 1.0, "what": {"error": 503}}]).to_string();
        project.env(FAULTS, &faults).env(SPEED, "1");
        let rest = stopped(&project, &["apply", "--yes"], "(6 of 8 failed)", "INT");
        assert!(!rest.contains("(7 of 8"), "{call}: {rest}");
        project.unset(FAULTS).env(SPEED, "100");
        let left = actions(&project.plan());
        assert_eq!(left.len(), 1, "{call}: {left:?}");
        project.apply();
        project.expect_no_changes();
    }
}

/// The words of the service stand in the first line about a wait, and nothing that this run did
/// can still let the call through: the wait ends long before its limit of five minutes.
#[test]
fn a_wait_that_nothing_can_end_is_short() {
    let mut project = Project::new();
    project.write("stacks/fn.yaml", FUNCTION);
    project.env(SPEED, "10");
    let since = Instant::now();
    let failed = project.run(&["apply", "--yes"]).expect(1);
    let took = since.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?} {}", failed.stderr);
    let says = "fn: retrying: Lambda says \"The provided execution role does not have permissions to call SendMessage on SQS\" (new permissions take up to a minute)\n";
    assert!(failed.stderr.contains(says), "{}", failed.stderr);
    // A policy of the role that is created late is waited for.
    let slow = json!([{"call": "iam:PutRolePolicy", "at": 1, "what": {"latency": 3000}}]);
    project.write("stacks/fn.yaml", format!("{FUNCTION}{ALLOWED}"));
    project.env(FAULTS, &slow.to_string()).env(SPEED, "100");
    project.apply();
    project.unset(FAULTS);
    project.expect_no_changes();
}

/// What is created by a call that may be repeated is known, too, though nothing shows it yet.
#[test]
fn a_policy_that_was_set_stays_known() {
    let queue = r#"  q: {type: aws:sqs:Queue, properties: {name: a}}
  policy:
    type: aws:sqs:QueuePolicy
    properties:
      queueUrl: ${q.url}
      policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: "${q.arn}"}]}
"#;
    let mut project = stack("p", queue);
    let slow =
        json!([{"call": "sqs:GetQueueAttributes", "at": 4, "times": 9, "what": {"latency": 400}}]);
    project.env(FAULTS, &slow.to_string()).env(SPEED, "1");
    let wait = "policy: waiting for the queue to show its new attributes";
    stopped(&project, &["apply", "--yes"], wait, "INT");
    assert_eq!(addresses(&project), ["policy", "q"]);
    project.unset(FAULTS).env(SPEED, "100");
    // Another policy of the file is a change of this one, and nobody else's.
    let other = project
        .read("stacks/p.yaml")
        .replace("sqs:SendMessage", "sqs:ReceiveMessage");
    project.write("stacks/p.yaml", other);
    project.apply();
    project.expect_no_changes();
}

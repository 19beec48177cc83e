//! Functions in the local cloud, as a user has them: `invoke`, `logs`, and what becomes of messages
//! when the process that serves is killed.

use crate::support::served::Served;
use crate::support::{Project, hearing};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const STACK: &str = r#"
name: work
providers:
  aws: {region: us-west-2}
data:
  zip: {type: "archive:getFile", properties: {type: zip, sourceDir: src}}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: work.fifo, fifoQueue: true, contentBasedDeduplication: true, visibilityTimeoutSeconds: 4}
  role:
    type: aws:iam:Role
    properties:
      name: worker
      assumeRolePolicy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
  policy:
    type: aws:iam:Policy
    properties:
      name: work
      policy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: ["sqs:*", "logs:*"], Resource: "*"}]
  attachment:
    type: aws:iam:RolePolicyAttachment
    properties: {role: "${role.name}", policyArn: "${policy.arn}"}
  worker: &function
    type: aws:lambda:Function
    properties: &properties
      name: worker
      role: ${role.arn}
      runtime: python3.13
      handler: app.work
      timeout: 3
      filename: ${data.zip.outputPath}
      sourceCodeHash: ${data.zip.outputBase64sha256}
      environment: {variables: {QUEUE: "${queue.url}"}}
  failing:
    <<: *function
    properties: {<<: *properties, name: failing, handler: app.fail}
  mapping:
    type: aws:lambda:EventSourceMapping
    properties: {eventSourceArn: "${queue.arn}", functionName: "${worker.arn}", batchSize: 2}
    options: {dependsOn: [attachment]}
"#;

const CODE: &str = r#"
import os
import time

def work(event, context):
    print("pid", os.getpid(), flush=True)
    for record in event.get("Records", []):
        time.sleep(0.2)
        print("done", record["attributes"]["MessageGroupId"], record["body"], flush=True)
    return {"queue": os.environ["QUEUE"], "pid": os.getpid(), "event": event}

def fail(event, context):
    raise ValueError("no\tgood")
"#;

const QUEUE: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/work.fifo";

/// A project that has it applied, in real time.
fn applied() -> Project {
    let mut project = Project::new();
    project.env("STACKCTL_LOCAL_SPEED", "1");
    project.write("stacks/work.yaml", STACK);
    project.write("stacks/src/app.py", CODE);
    project.apply();
    project
}

/// The events of all functions.
fn events(project: &Project) -> Vec<Value> {
    let ended = project.run(&["logs", "--since", "1h", "--json"]).expect(0);
    let lines = ended.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What follows a word in the lines of all functions.
fn lines(project: &Project, word: &str) -> Vec<String> {
    let events = events(project);
    let messages = events
        .iter()
        .map(|event| event["message"].as_str().unwrap());
    let found = messages.filter_map(|line| line.strip_prefix(word));
    found.map(|line| line.trim().to_owned()).collect()
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{what} does not hold"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_function_is_invoked_and_its_log_read() {
    let project = applied();
    let payload = ["--payload", r#"{"n": 1.0}"#];
    let ended = project
        .run(&["invoke", "worker", payload[0], payload[1]])
        .expect(0);
    let told = ended.json();
    assert_eq!(told["event"], json!({"n": 1.0}));
    let url = told["queue"].as_str().unwrap();
    assert!(
        url.starts_with("http://127.0.0.1:") && url.ends_with("/000000000000/work.fifo"),
        "{url}"
    );
    assert!(
        ended.stderr.contains("note: Functions run as you"),
        "{}",
        ended.stderr
    );

    project.write("event.json", r#"{"list": [1]}"#);
    let from_file = project.run(&[
        "invoke",
        "worker",
        "--payload",
        "@event.json",
        "--json",
        "--logs",
    ]);
    let told = from_file.expect(0).json();
    assert_eq!(told["payload"]["event"], json!({"list": [1]}));
    assert_eq!(
        (&told["error"], &told["version"]),
        (&Value::Null, &json!("$LATEST"))
    );
    assert!(
        told["logs"][0]
            .as_str()
            .unwrap()
            .starts_with("START RequestId: ")
    );

    let failed = project.run(&["invoke", "failing"]).expect(1);
    let told: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(told["errorType"], "ValueError");
    assert!(
        failed
            .stderr
            .contains("error: The function failing failed."),
        "{}",
        failed.stderr
    );
    let failed = project.run(&["invoke", "failing", "--json"]).expect(1);
    assert_eq!(failed.json()["error"], "Unhandled");

    let all = events(&project);
    let of = |address: &str| {
        all.iter()
            .filter(|event| event["address"] == address)
            .count()
    };
    assert_eq!((of("worker"), of("failing")), (8, 8));
    let times: Vec<i64> = all
        .iter()
        .map(|event| event["timestamp"].as_i64().unwrap())
        .collect();
    assert!(times.is_sorted());
    let one = project
        .run(&["logs", "failing", "--filter", "?good ?END"])
        .expect(0);
    assert_eq!(
        one.stdout.matches("[ERROR] ValueError: no").count(),
        2,
        "{}",
        one.stdout
    );
    assert_eq!(one.stdout.matches("END RequestId").count(), 2);
    assert!(
        !one.stdout.contains('\t') && !one.stdout.contains("REPORT"),
        "{}",
        one.stdout
    );
    let none = project.run(&["logs", "--filter", "nothing"]).expect(0);
    assert!(
        none.stdout.is_empty() && none.stderr.starts_with("No lines since "),
        "{}",
        none.stderr
    );
}

#[test]
fn what_cannot_be_invoked_or_read_is_explained() {
    let project = applied();
    // The first line creates the log group.
    project.run(&["invoke", "worker"]).expect(0);
    for (args, code, expected) in [
        (
            vec!["invoke"],
            1,
            "One function is invoked, but these are several: failing, worker.",
        ),
        (
            vec!["invoke", "queue"],
            1,
            "queue is not a function and not a log group.",
        ),
        (vec!["invoke", "workre"], 1, "Did you mean worker?"),
        (
            vec!["invoke", "worker", "--payload", "{x"],
            1,
            "The event in --payload is not JSON.",
        ),
        (
            vec!["invoke", "worker", "--payload", "@none"],
            1,
            "none cannot be read.",
        ),
        (
            vec!["logs", "none"],
            1,
            "none: no function in the state has this address",
        ),
        (
            vec!["logs", "--filter", "a:b"],
            1,
            "Invalid character(s) in term \"a:b\"",
        ),
        (
            vec!["logs", "--since", "soon"],
            1,
            "expected a time such as 90s, 5m or 1h30m",
        ),
    ] {
        let ended = project.run(&args).expect(code);
        assert!(
            ended.stderr.contains(expected),
            "{args:?}: {}",
            ended.stderr
        );
    }
    let empty = Project::new();
    empty.write("stacks/a.yaml", "name: a\nresources: {}\n");
    let never = empty.run(&["logs"]).expect(1);
    assert!(
        never.stderr.contains("next: Run apply first."),
        "{}",
        never.stderr
    );
}

#[test]
fn a_served_cloud_keeps_a_function_warm_and_follows_its_log() {
    let project = applied();
    let served = Served::start(&project);
    let command = project.command(&["logs", "worker", "--follow", "--json"]);
    let mut follow = hearing(&command).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(follow.stdout.take().unwrap()).lines();
    let pids = [(); 2].map(|()| project.run(&["invoke", "worker"]).expect(0).json()["pid"].clone());
    assert_eq!(pids[0], pids[1]);
    let mut seen = Vec::new();
    while seen
        .iter()
        .filter(|line: &&String| line.contains("REPORT"))
        .count()
        < 2
    {
        seen.push(out.next().unwrap().unwrap());
    }
    assert_eq!(seen.len(), 8, "{seen:#?}");
    let sent = Command::new("kill")
        .args(["-INT", &follow.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(follow.wait().unwrap().code(), Some(0));
    assert_eq!(served.end("TERM"), Some(0));
    let pid = pids[0].clone();
    until("the function's process has ended", || {
        is_gone(&pid.to_string())
    });
}

fn is_gone(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.map_or(true, |status| status.contains("zombie"))
}

#[tokio::test]
async fn a_killed_process_loses_no_message() {
    let project = applied();
    let served = Served::start(&project);
    let aws = served.clients().await;
    for n in 0..5 {
        for group in ["a", "b"] {
            let send = aws.sqs().send_message().queue_url(QUEUE);
            let send = send
                .message_group_id(group)
                .message_body(format!("{n}{group}"));
            send.send().await.unwrap();
        }
    }
    until("some are done", || lines(&project, "done").len() >= 3);
    let pids = lines(&project, "pid");
    assert_eq!(served.end("KILL"), None);
    for pid in pids {
        until("functions end with the process that started them", || {
            is_gone(&pid)
        });
    }
    let before = lines(&project, "done").len();
    assert!(before < 10, "{before}");
    let again = Served::start(&project);
    let is_done = |group: &str| {
        let mut done: Vec<String> = lines(&project, "done");
        done.retain(|line| line.starts_with(group));
        done.dedup();
        (0..5).all(|n| done.contains(&format!("{group} {n}{group}")))
    };
    until("all are done", || is_done("a") && is_done("b"));
    // At least once, and in order: what comes again is where a batch was cut off.
    for group in ["a", "b"] {
        let mut done: Vec<String> = lines(&project, "done");
        done.retain(|line| line.starts_with(group));
        let mut first = Vec::new();
        for line in &done {
            if !first.contains(line) {
                first.push(line.clone());
            }
        }
        assert!(first.is_sorted() && first.len() == 5, "{done:?}");
        assert!(done.len() <= 7, "{done:?}");
    }
    assert_eq!(again.end("TERM"), Some(0));
}

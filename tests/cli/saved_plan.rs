//! `plan --out` and `apply --plan`: exactly that plan, or none.

use super::{masked, seen, small};
use crate::support::{Ended, Project};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::os::unix::fs::PermissionsExt;

/// The id of the queue of the small stack.
const QUEUE: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/orders";

/// Someone outside sets the queue's visibility timeout.
async fn set_timeout(project: &Project, seconds: &str) {
    let aws = project.outside().await;
    let call = aws.sqs().set_queue_attributes().queue_url(QUEUE);
    let call = call.attributes(Name::VisibilityTimeout, seconds);
    call.send().await.unwrap();
}

/// What moved, as a stale plan tells it; nothing was changed meanwhile.
#[track_caller]
fn stale(project: &Project, args: &[&str]) -> String {
    let before = (
        project.cloud(),
        std::fs::read(project.dir().join("state/small.json")).ok(),
    );
    let ended = project.run(args).expect(5);
    let after = (
        project.cloud(),
        std::fs::read(project.dir().join("state/small.json")).ok(),
    );
    assert!(before == after, "a stale plan changed something");
    causes(&ended)
}

fn causes(ended: &Ended) -> String {
    let lines = ended.stderr.lines();
    lines
        .filter_map(|line| line.strip_prefix("  cause: "))
        .collect::<Vec<_>>()
        .join("\n")
}

const APPLY: &[&str] = &["apply", "--plan", "small.plan"];

fn save(project: &Project, args: &[&str]) -> Ended {
    let all: Vec<&str> = ["plan", "--out", "small.plan"]
        .iter()
        .chain(args)
        .copied()
        .collect();
    project.run(&all).expect(0)
}

#[test]
fn a_saved_plan_is_applied_without_a_question_and_once() {
    let project = small();
    let shown = save(&project, &["--var", "size=45"]);
    masked(|| {
        insta::assert_snapshot!(shown.stderr, @"The plan is saved in small.plan. To do exactly that: stackctl apply --plan small.plan --local");
    });
    let path = project.dir().join("small.plan");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let applied = project.run(APPLY).expect(0);
    assert!(
        applied.stdout.starts_with(&shown.stdout),
        "{}",
        applied.stdout
    );
    assert_eq!(
        project.state()["resources"]["queue"]["inputs"]["visibilityTimeoutSeconds"],
        45
    );
    let again = project.run(APPLY).expect(5);
    insta::assert_snapshot!(seen(&again), @"
    exit: 5
    --- stdout
    --- stderr
    error: The plan is stale: since it was made, things have moved.
      cause: the state was missing and is present, with serial 1
      now: Nothing was changed.
      next: Make the plan again with plan --out, look at it, and apply that.
    ");
    save(&project, &["--var", "size=50"]);
    project
        .run(&["apply", "--yes", "--var", "size=51"])
        .expect(0);
    assert_eq!(stale(&project, APPLY), "the state's serial was 1 and is 2");
}

#[test]
fn what_the_plan_drew_is_what_is_made() {
    let project = Project::new();
    project.write(
        "stacks/pet.yaml",
        "name: pet\nresources:\n  pet: {type: \"random:RandomPet\"}\n  id: {type: \"random:RandomId\", properties: {byteLength: 8}}\noutputs: {pet: \"${pet.id}\", id: \"${id.hex}\"}\n",
    );
    let plan = project
        .run(&["plan", "--json", "--out", "a.plan"])
        .expect(0)
        .json();
    project.run(&["plan", "--out", "b.plan"]).expect(0);
    project.run(&["apply", "--plan", "a.plan"]).expect(0);
    let outputs = project.run(&["outputs", "--json"]).expect(0).json();
    for name in ["pet", "id"] {
        assert!(outputs[name].is_string());
        assert_eq!(outputs[name], plan["outputs"][name]["after"]);
    }
    assert_eq!(project.state()["lineage"], plan["lineage"]);
    // The other plan was for a state that was never made.
    project.run(&["apply", "--plan", "b.plan"]).expect(5);
}

#[tokio::test]
async fn what_moved_is_named() {
    let project = small();
    project.apply();
    save(&project, &["--var", "size=45"]);
    set_timeout(&project, "33").await;
    assert_eq!(
        stale(&project, APPLY),
        "the live value of queue.visibilityTimeoutSeconds was 30 and is 33"
    );
    // It was decided on the drift as well.
    save(&project, &["--var", "size=45"]);
    set_timeout(&project, "34").await;
    assert_eq!(
        stale(&project, APPLY),
        "the live value of queue.visibilityTimeoutSeconds was 33 and is 34"
    );
    // A resource that needed nothing needs something now.
    save(&project, &["--var", "size=34"]);
    let logs = project.outside().await;
    let call = logs
        .logs()
        .put_retention_policy()
        .log_group_name("/app/orders");
    call.retention_in_days(30).send().await.unwrap();
    assert_eq!(
        stale(&project, APPLY),
        "the live value of log.retentionInDays was 7 and is 30"
    );
    save(&project, &[]);
    let call = logs.logs().delete_log_group().log_group_name("/app/orders");
    call.send().await.unwrap();
    assert_eq!(
        stale(&project, APPLY),
        "log was present as /app/orders and is missing"
    );
    save(&project, &[]);
    project.run(APPLY).expect(0);
    project.expect_no_changes();
}

#[test]
fn files_and_variables_that_moved_are_named() {
    let project = small();
    let stack = project.read("stacks/small.yaml");
    project.write("vars.yaml", "label: a\n");
    project.write("stacks/note.txt", "one");
    project.write(
        "stacks/small.yaml",
        stack.replace(
            "\"/app/${var.label}\"",
            "'/app/${var.label}/${file(\"note.txt\")}'",
        ),
    );
    let plan = &["--var", "size=45", "--var-file", "vars.yaml"];
    save(&project, plan);
    assert_eq!(
        stale(
            &project,
            &["apply", "--plan", "small.plan", "--var", "size=46"]
        ),
        "the variable size was 45 and is 46"
    );
    insta::with_settings!({filters => [("sha256 [0-9a-f]{12}", "sha256 [digest]")]}, {
        project.write("vars.yaml", "label: b\n");
        insta::assert_snapshot!(stale(&project, APPLY), @r#"
        the file vars.yaml was sha256 [digest] and is sha256 [digest]
        the variable label was "a" and is "b"
        "#);
        project.write("vars.yaml", "label: a\n");
        project.write("stacks/note.txt", "two");
        insta::assert_snapshot!(stale(&project, APPLY), @"the file stacks/note.txt was sha256 [digest] and is sha256 [digest]");
        project.write("stacks/note.txt", "one");
        let text = project.read("stacks/small.yaml");
        project.write("stacks/small.yaml", format!("{text}# a remark\n"));
        insta::assert_snapshot!(stale(&project, APPLY), @"the file stacks/small.yaml was sha256 [digest] and is sha256 [digest]");
        // Of a file that is wrong by now, its mistakes are not told.
        project.write("stacks/small.yaml", format!("{text}nonsense: 1\n"));
        assert!(stale(&project, APPLY).starts_with("the file stacks/small.yaml was"));
        project.write("stacks/small.yaml", text);
    });
    // Everything is as it was: the flags need not be given again.
    project.run(APPLY).expect(0);
    let state = project.state();
    assert_eq!(
        state["resources"]["queue"]["inputs"]["visibilityTimeoutSeconds"],
        45
    );
    assert_eq!(state["resources"]["log"]["inputs"]["name"], "/app/a/one");
}

#[test]
fn the_content_of_local_files_counts() {
    let project = Project::websocket();
    project.run(&["plan", "--out", "small.plan"]).expect(0);
    let source = "stacks/websocket-sqs/src";
    let file = std::fs::read_dir(project.dir().join(source))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_file())
        .unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}# changed\n")).unwrap();
    let told = stale(&project, APPLY);
    assert!(
        told.contains("data.lambda_source.outputSha256 was"),
        "{told}"
    );
    std::fs::write(&file, text).unwrap();
    project.run(APPLY).expect(0);
}

#[test]
fn a_saved_plan_to_destroy() {
    let project = small();
    project.apply();
    save(&project, &["--destroy"]);
    let contradicts = project.run(&["apply", "--plan", "small.plan", "--target", "queue"]);
    assert_eq!(contradicts.code, Some(1), "{}", contradicts.stderr);
    project.run(APPLY).expect(0);
    assert_eq!(project.cloud(), []);
}

#[test]
fn flags_that_contradict_the_plan() {
    let project = small();
    project.write("stacks/small.dev.yaml", "size: 40\n");
    project.write("stacks/other.yaml", "name: other\n");
    project
        .run(&["plan", "small", "--out", "small.plan"])
        .expect(0);
    for flags in [
        &["other"][..],
        &["--env", "dev"],
        &["--state", "state/x.json"],
        &["--refresh=false"],
        &["--target", "queue"],
        &["--exclude", "queue"],
        &["--replace", "queue"],
    ] {
        let all: Vec<&str> = APPLY.iter().chain(flags).copied().collect();
        let ended = project.run(&all);
        assert_eq!(ended.code, Some(1), "{flags:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(flags[0].split('=').next().unwrap()) || flags == ["other"]);
        assert_eq!(project.cloud(), []);
    }
    // The same, and what is no part of the plan, may be said again.
    project
        .run(&[
            "apply",
            "small",
            "--plan",
            "small.plan",
            "--parallelism",
            "1",
        ])
        .expect(0);
    let ended = project.run(&["plan", "small", "--detailed-exitcode"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
}

#[test]
fn files_that_are_no_saved_plan() {
    let project = small();
    save(&project, &[]);
    let good = project.read("small.plan");
    let told = |text: &str| {
        project.write("small.plan", text);
        let ended = project.run(APPLY).expect(1);
        assert_eq!(project.cloud(), []);
        ended.stderr
    };
    insta::assert_snapshot!(told("name: small\n"), @"
    error: small.plan cannot be applied: it is no saved plan.
      now: Nothing was changed.
      next: Name a file that plan --out wrote.
    ");
    insta::assert_snapshot!(told(&good[..good.len() / 2]), @"
    error: small.plan cannot be applied: it was cut off or altered: the checksum does not fit.
      now: Nothing was changed.
      next: Make the plan again with plan --out.
    ");
    let edited = good.replace(
        "\"visibilityTimeoutSeconds\": 30",
        "\"visibilityTimeoutSeconds\": 31",
    );
    assert_ne!(edited, good);
    assert!(told(&edited).contains("the checksum does not fit"));
    insta::assert_snapshot!(told(&good.replace("\"version\":2", "\"version\":7")), @"
    error: small.plan cannot be applied: it has format 7, and this version reads format 2.
      now: Nothing was changed.
      next: Use the version of stackctl that made it, or make the plan again.
    ");
    for cut in (0..good.len()).step_by(good.len() / 40) {
        told(&good[..cut]);
    }
    let gone = project.run(&["apply", "--plan", "nowhere.plan"]).expect(1);
    assert!(
        gone.stderr
            .contains("nowhere.plan cannot be applied: No such file")
    );
}

#[test]
fn nothing_else_is_written_over() {
    let project = small();
    let before = project.read("stacks/small.yaml");
    let refused = project
        .run(&["plan", "--out", "stacks/small.yaml"])
        .expect(1);
    insta::assert_snapshot!(refused.stderr, @"
    error: --out stacks/small.yaml: there is a file of that name, and it is no saved plan.
      now: Nothing was read or changed.
      next: Name a new file, or one that plan --out wrote.
    ");
    assert_eq!(project.read("stacks/small.yaml"), before);
    project
        .run(&["plan", "--out", "no/such/folder.plan"])
        .expect(1);
    save(&project, &[]);
    save(&project, &["--var", "size=31"]);
    project.run(APPLY).expect(0);
}

const SECRET: &str = "hunter2-and-more";

const SAFE: &str = r#"
name: small
variables:
  token: {type: string, sensitive: true}
  retention: {type: number, default: 7, sensitive: true}
providers:
  aws: {region: us-west-2}
resources:
  password: {type: "random:RandomPassword", properties: {length: 20, special: false}}
  queue:
    type: aws:sqs:Queue
    properties:
      name: orders
      policy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:UserAgent": "${var.token}"}}}
      tags: {owner: "is-${var.token}"}
  log:
    type: aws:cloudwatch:LogGroup
    properties: {name: "/app/${var.token}", retentionInDays: "${var.retention}"}
outputs:
  derived: {value: "x-${upper(var.token)}"}
  password: ${password.result}
"#;

#[test]
fn no_secret_is_in_the_file_and_each_is_asked_for_again() {
    let mut project = Project::new();
    project.write("stacks/small.yaml", SAFE);
    let token = format!("token={SECRET}");
    let plan = ["plan", "--out", "small.plan", "--var", &token];
    project.run(&plan).expect(0);
    let no_secret = |project: &Project| {
        let text = project.read("small.plan");
        for secret in [SECRET, &SECRET.to_uppercase()] {
            assert!(!text.contains(secret), "{text}");
        }
    };
    no_secret(&project);
    insta::assert_snapshot!(project.run(APPLY).expect(1).stderr, @"
    error: The plan was made with a value of token, which is sensitive and therefore not in the file.
      now: Nothing was changed.
      next: Give the same value again, with STACKCTL_VAR_token or --var token=…
    ");
    let other = project
        .run(&[APPLY, &["--var", "token=other-value"]].concat())
        .expect(5);
    assert_eq!(causes(&other), "the variable token is another one");
    let other = [APPLY, &["--var", &token, "--var", "retention=14"]].concat();
    assert_eq!(
        causes(&project.run(&other).expect(5)),
        "the variable retention is another one"
    );
    project.env("STACKCTL_VAR_token", SECRET);
    project.run(APPLY).expect(0);
    // Updates and deletions of what holds secrets.
    project.write("stacks/small.yaml", SAFE.replace("is-", "was-"));
    project
        .run(&["plan", "--out", "small.plan", "--var", "retention=14"])
        .expect(0);
    no_secret(&project);
    project
        .run(&[APPLY, &["--var", "retention=14"]].concat())
        .expect(0);
    project
        .run(&["plan", "--out", "small.plan", "--destroy"])
        .expect(0);
    no_secret(&project);
    project.run(APPLY).expect(0);
    assert_eq!(project.cloud(), []);
}

#[test]
fn the_error_of_a_stale_plan_for_scripts() {
    let project = small();
    save(&project, &[]);
    project.apply();
    let stale: Value = project
        .run(&["apply", "--plan", "small.plan", "--json"])
        .expect(5)
        .json();
    assert_eq!(stale["exit_code"], 5);
    assert_eq!(
        stale["causes"],
        serde_json::json!(["the state was missing and is present, with serial 1"])
    );
}

#[test]
fn a_file_with_secrets_leaves_no_digest_that_can_be_tried() {
    let project = Project::new();
    project.write("stacks/small.yaml", SAFE);
    let file = format!("token: {SECRET}\n");
    project.write("token.yaml", &file);
    let plan = ["plan", "--out", "small.plan", "--var-file", "token.yaml"];
    project.run(&plan).expect(0);
    let saved = project.read("small.plan");
    let digest = |text: &str| hex::encode(Sha256::digest(text));
    for text in [&file, SAFE] {
        assert!(!saved.contains(&digest(text)), "{saved}");
    }
    assert!(saved.contains("keyed:"), "{saved}");
    // The files are compared all the same.
    project.write("token.yaml", format!("# a comment\n{file}"));
    let moved = causes(&project.run(APPLY).expect(5));
    assert!(moved.contains("the file token.yaml"), "{moved}");
    project.write("token.yaml", &file);
    project.run(APPLY).expect(0);
}

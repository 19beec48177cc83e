//! A secret's text is in nothing that is printed or kept.

use super::seen;
use crate::support::{Ended, Project};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

pub(crate) const SECRET: &str = "hunter2";

const STACK: &str = r#"
name: safe
variables:
  token: {type: string, sensitive: true}
providers:
  aws: {region: us-west-2}
resources:
  password:
    type: random:RandomPassword
    properties: {length: 20, special: false}
  queue:
    type: aws:sqs:Queue
    properties:
      name: orders
      policy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: "*", Condition: {StringEquals: {"aws:UserAgent": "${var.token}"}}}
  role:
    type: aws:iam:Role
    properties:
      name: worker
      assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]}
  bucket: {type: "aws:s3:Bucket", properties: {bucket: safe-code, forceDestroy: true}}
  code:
    type: aws:s3:BucketObject
    properties: {bucket: "${bucket.id}", key: a.zip, source: "${data.zip.outputPath}"}
  worker:
    type: aws:lambda:Function
    properties:
      name: worker
      role: ${role.arn}
      runtime: python3.13
      handler: a.b
      s3Bucket: ${bucket.id}
      s3Key: ${code.key}
      environment: {variables: {TOKEN: "${var.token}", PASSWORD: "pw-${password.result}"}}
data:
  zip: {type: "archive:getFile", properties: {type: zip, sourceDir: src}}
outputs:
  token: {value: "${var.token}", sensitive: true}
  derived: {value: "x-${upper(var.token)}"}
  password: ${password.result}
"#;

pub(super) fn project() -> Project {
    let mut project = Project::new();
    project.write("stacks/safe.yaml", STACK);
    project.write("stacks/src/a.py", "b = 1\n");
    project.env("STACKCTL_VAR_token", SECRET);
    project
}

/// The secret, in whatever case or coding, is not there.
#[track_caller]
pub(crate) fn clean(text: &str, what: &str) {
    let lower = text.to_lowercase();
    assert!(!lower.contains(SECRET), "{what}:\n{text}");
}

#[track_caller]
pub(crate) fn silent(ended: Ended) -> Ended {
    clean(&seen(&ended), "printed");
    ended
}

pub(super) fn kept(project: &Project) {
    for entry in std::fs::read_dir(project.dir().join("state")).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        clean(&std::fs::read_to_string(&path).unwrap(), "kept");
    }
}

#[test]
fn nothing_printed_or_kept_has_the_secret() {
    for apply in [&["apply", "--yes"][..], &["apply", "--yes", "--json"]] {
        let project = project();
        silent(project.run(&["plan"]).expect(0));
        silent(project.run(&["plan", "--json"]).expect(0));
        silent(project.run(apply).expect(0));
        kept(&project);
        let cloud = project.dir().join(".stackctl/local");
        let mode = std::fs::metadata(cloud).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        project.expect_no_changes();
        for args in [
            &["outputs"][..],
            &["outputs", "--json"],
            &["outputs", "token"],
        ] {
            silent(project.run(args).expect(0));
        }
        silent(project.run(&["outputs", "--raw", "token"]).expect(1));
        silent(project.run(&["plan", "--var", "token=other"]).expect(0));
        silent(
            project
                .run(&["plan", "--json", "--var", "token=other"])
                .expect(0),
        );
        silent(
            project
                .run(&["apply", "--yes", "--var", "token=other"])
                .expect(0),
        );
        kept(&project);
        silent(project.run(&["destroy", "--yes"]).expect(0));
        assert_eq!(project.cloud(), []);
    }
}

#[test]
fn show_secrets_shows_what_is_known() {
    let project = project();
    let shown = project.run(&["plan", "--show-secrets"]).expect(0);
    assert!(shown.stdout.contains("TOKEN: hunter2"), "{}", shown.stdout);
    project.apply();
    let outputs = project.run(&["outputs", "--json", "--show-secrets"]);
    let password = outputs.json()["password"].as_str().unwrap().to_owned();
    let outputs = project.run(&["outputs", "--show-secrets"]).expect(0);
    insta::assert_snapshot!(outputs.stdout.replace(&password, "PASSWORD"), @"
    derived:  x-HUNTER2
    password: PASSWORD
    token:    hunter2
    ");
    let raw = project.run(&["outputs", "--raw", "token", "--show-secrets"]);
    assert_eq!(raw.expect(0).stdout, SECRET);
}

#[test]
fn a_journal_has_no_secret_either() {
    let mut project = project();
    let faults = json!([{"call": "lambda:CreateFunction", "at": 1, "what": "killAfter"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let killed = silent(project.run(&["apply", "--yes"]));
    assert_eq!(killed.code, None);
    assert!(project.dir().join("state/safe.journal").exists());
    kept(&project);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    silent(project.run(&["apply", "--yes"]).expect(0));
    kept(&project);
    project.expect_no_changes();
}

#[test]
fn a_password_that_was_cut_off_from_its_user_is_kept() {
    let mut project = project();
    let faults = json!([{"call": "lambda:CreateFunction", "at": 1, "what": "killBefore"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    assert_eq!(project.run(&["apply", "--yes"]).code, None);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    let again = project.run(&["apply", "--yes"]).expect(0);
    assert!(
        !again.stdout.contains("random:RandomPassword"),
        "{}",
        again.stdout
    );
    project.expect_no_changes();
}

#[test]
fn what_uses_a_password_can_be_changed_and_replaced() {
    let project = project();
    project.apply();
    for change in [
        ["handler: a.b", "handler: a.c"],
        ["name: worker\n      role", "name: other\n      role"],
        ["pw-", "new-"],
        [
            "variables: {TOKEN",
            "variables: {NEW: \"${password.result}\", TOKEN",
        ],
        ["  password: ${password", "  secret: ${password"],
    ] {
        let text = project
            .read("stacks/safe.yaml")
            .replace(change[0], change[1]);
        project.write("stacks/safe.yaml", text);
        let applied = silent(project.run(&["apply", "--yes"]).expect(0));
        assert!(
            !applied.stdout.contains("random:RandomPassword"),
            "{}",
            applied.stdout
        );
        project.expect_no_changes();
    }
}

#[test]
fn mistakes_do_not_quote_secrets() {
    let mut project = project();
    let tight = STACK.replacen(
        "sensitive: true}",
        "sensitive: true, pattern: '^a', default: hunter2}",
        1,
    );
    project.write("stacks/safe.yaml", &tight);
    project.write(
        "stacks/safe.dev.yaml",
        "token:\n  - hunter2\n  - a: hunter2\n",
    );
    for args in [
        &["validate"][..],
        &["validate", "--json"],
        &["validate", "--env", "dev"],
    ] {
        silent(project.run(args).expect(3));
    }
    project.write("stacks/safe.dev.yaml", "token: |\n  hunter2");
    let told = silent(project.run(&["validate", "--env", "dev"]).expect(3));
    insta::assert_snapshot!(told.stderr, @"
    error: STACKCTL_VAR_token: token must match the pattern ^a

    error: the default of token must match the pattern ^a
     --> stacks/safe.yaml:4:66
      |
    4 |   token: {type: string, sensitive: true, pattern: '^a', default: *******}
      |                                                                  ^^^^^^^

    2 errors in stacks/safe.yaml
    ");
    project.env("STACKCTL_VAR_token", "x");
    silent(project.run(&["plan", "--var", "token=hunter2"]).expect(3));
    // Values that do not fit where they go.
    project.env("STACKCTL_VAR_token", SECRET);
    for (from, to) in [
        ("name: orders", "name: \"${var.token} !\""),
        ("length: 20", "length: \"${var.token}\""),
        ("length: 20", "length: \"${var.token + 1}\""),
        ("name: orders", "name: \"${file(var.token)}\""),
        ("name: orders", "name: \"${jsondecode(var.token)}\""),
        ("name: orders", "name: \"${{a = 1}[var.token]}\""),
    ] {
        project.write("stacks/safe.yaml", STACK.replace(from, to));
        silent(project.run(&["plan"]).expect(3));
        silent(project.run(&["plan", "--json"]).expect(3));
    }
}

#[test]
fn an_error_of_aws_that_echoes_the_secret_is_told_without_it() {
    let text = STACK.replace("handler: a.b", "handler: a.b\n      description: \"${var.token}\"\n      kmsKeyArn: \"arn:aws:kms:us-west-2:000000000000:key/${var.token}\"");
    let echoing = [
        STACK.replace("policy:\n", "redrivePolicy: {deadLetterTargetArn: \"${var.token}\", maxReceiveCount: 3}\n      policy:\n"),
        text,
    ];
    let mut echoed = 0;
    for text in echoing {
        for args in [&["apply", "--yes"][..], &["apply", "--yes", "--json"]] {
            let project = project();
            project.write("stacks/safe.yaml", &text);
            let ended = silent(project.run(args));
            kept_if_any(&project);
            echoed += usize::from(ended.code == Some(1) && seen(&ended).contains("(secret)"));
        }
    }
    assert!(echoed > 0, "no error echoed the secret");
}

fn kept_if_any(project: &Project) {
    if project.dir().join("state").exists() {
        kept(project);
    }
}

#[test]
fn a_name_that_comes_from_a_secret_is_warned_of() {
    let project = project();
    project.write(
        "stacks/safe.yaml",
        STACK.replace("name: orders", "name: \"q-${var.token}\""),
    );
    let planned = silent(project.run(&["plan"]).expect(0));
    assert!(
        planned
            .stderr
            .contains("warning: name of queue comes from a secret"),
        "{}",
        planned.stderr
    );
}

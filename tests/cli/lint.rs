//! Rules with a code, as they are told and switched.

use crate::support::Project;
use serde_json::Value;

/// A stack with one finding, and what stands before its resources.
fn logs(before: &str) -> Project {
    let project = Project::new();
    let text = format!(
        "name: logs\n{before}resources:\n  group:\n    type: aws:cloudwatch:LogGroup\n    properties: {{name: /app/orders}}\n"
    );
    project.write("stacks/logs.yaml", text);
    project
}

#[test]
fn a_finding_has_its_code_its_place_and_the_next_step() {
    let project = logs("");
    let validated = project.run(&["validate"]).expect(0);
    insta::assert_snapshot!(validated.stderr, @"
    warning[SK0704]: The group has no retentionInDays: its logs are kept for ever.
     --> stacks/logs.yaml:3:3
      |
    3 |   group:
      |   ^^^^^
      |
      = help: add retentionInDays, such as 30; 0 says that they are kept for ever

    1 warning in stacks/logs.yaml
    ");
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let ended = project.run(command).expect(0);
        assert_eq!(
            ended.stderr.matches("SK0704").count(),
            1,
            "{}",
            ended.stderr
        );
    }
    assert!(!project.run(&["outputs"]).stderr.contains("SK0704"));
    assert!(!project.run(&["destroy", "--yes"]).stderr.contains("SK0704"));
}

#[test]
fn scripts_read_the_code() {
    let found = logs("").run(&["validate", "--json"]).expect(0).json();
    let first = &found["diagnostics"][0];
    assert_eq!(first["code"], "SK0704");
    assert_eq!(first["severity"], "warning");
    assert_eq!((&first["line"], &first["column"]), (&3.into(), &3.into()));
    let project = Project::new();
    project.write("stacks/a.yaml", "nam: a\n");
    let found = project.run(&["validate", "--json"]).expect(3).json();
    assert_eq!(found["diagnostics"][0]["code"], Value::Null);
}

#[test]
fn the_file_switches_a_rule() {
    let project = logs("lint: {SK0704: off}\n");
    assert_eq!(project.run(&["validate"]).expect(0).stderr, "");
    assert_eq!(project.run(&["plan"]).expect(0).stderr, "");
    let project = logs("lint: {SK0704: error}\n");
    for command in [&["validate"][..], &["plan"], &["apply", "--yes"]] {
        let ended = project.run(command).expect(3);
        assert!(ended.stderr.starts_with("error[SK0704]: "));
    }
    assert_eq!(project.cloud(), []);
}

#[test]
fn a_mistake_in_the_switch_is_told() {
    let project = logs("lint: {SK0740: off, SK0301: off, SK0704: loud}\n");
    let told = project.run(&["validate"]).expect(3).stderr;
    for part in [
        "error: unknown rule \"SK0740\"",
        "docs/lint.md lists the rules",
        "error: SK0301 cannot be switched to off: AWS itself refuses it",
        "error: SK0704: expected off, warning or error",
    ] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
    let planned = project.run(&["plan"]).expect(3).stderr;
    assert_eq!(planned, told);
}

#[test]
fn a_secret_in_the_file_is_told_and_not_shown() {
    let project = Project::new();
    project.write(
        "stacks/a.yaml",
        r#"name: a
resources:
  queue:
    type: aws:sqs:Queue
    properties: {tags: {login: AKIAIOSFODNN7EXAMPLE, url: "https://me:correct-horse@example.com"}}
"#,
    );
    for command in [&["validate"][..], &["plan"]] {
        let ended = project.run(command).expect(0);
        assert!(ended.stderr.contains("warning[SK1001]"), "{}", ended.stderr);
        assert!(ended.stderr.contains("warning[SK1005]"), "{}", ended.stderr);
        for secret in ["AKIAIOSFODNN7EXAMPLE", "correct-horse"] {
            assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
        }
    }
}

#[test]
fn the_stack_of_the_repository_breaks_no_rule() {
    let project = Project::websocket();
    assert_eq!(project.run(&["validate"]).expect(0).stderr, "");
    // A handler that the archive has not is noticed.
    let path = "stacks/websocket-sqs.yaml";
    let stack = project.read(path);
    let handler = stack
        .lines()
        .find(|line| line.trim_start().starts_with("handler:"));
    let other = stack.replace(handler.unwrap(), "      handler: missing.run");
    project.write(path, other);
    let told = project.run(&["validate"]).expect(0).stderr;
    assert!(told.contains("warning[SK0121]"), "{told}");
    assert!(told.contains("missing.py"), "{told}");
}

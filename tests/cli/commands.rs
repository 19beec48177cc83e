//! Every command, in the ways it can be typed.

use super::{SMALL, masked, seen, small};
use crate::support::{Project, actions};
use serde_json::{Value, json};
use std::io::Read;
use std::process::Stdio;

#[test]
fn a_first_apply_shows_the_plan_the_progress_and_the_outputs() {
    let project = small();
    let plan = project.run(&["plan"]).expect(0);
    insta::assert_snapshot!(plan.stdout, @r#"
    small, account 000000000000, region us-west-2, local cloud
    file stacks/small.yaml, state state/small.json

      + log  aws:cloudwatch:LogGroup
          name: /app/orders
          retentionInDays: 7

      + policy  aws:iam:Policy
          name: send
          policy:
            Statement:
              - Action: sqs:SendMessage
                Effect: Allow
                Resource: ${queue.arn}
            Version: "2012-10-17"

      + queue  aws:sqs:Queue
          name: orders
          visibilityTimeoutSeconds: 30

    Outputs:
      + number: 30
      + url: ${queue.url}

    Plan: 3 to create, 0 to update, 0 to replace, 0 to delete.
    "#);
    assert_eq!(plan.stderr, "");
    let applied = project.apply();
    assert!(
        applied.stdout.starts_with(&plan.stdout),
        "{}",
        applied.stdout
    );
    insta::assert_snapshot!(applied.stdout[plan.stdout.len()..], @"

    Outputs:
    number: 30
    url:    https://sqs.us-west-2.amazonaws.com/000000000000/orders
            # Where messages go.
    ");
    let mut lines: Vec<&str> = applied.stderr.lines().collect();
    // Which of three parallel steps is first is not settled.
    lines.sort_unstable();
    masked(|| {
        insta::assert_snapshot!(lines.join("\n"), @"
    Applied: 3 created, 0 updated, 0 replaced, 0 deleted in [time].
    log: created in [time] (/app/orders)
    log: creating
    policy: created in [time] (arn:aws:iam::000000000000:policy/send)
    policy: creating
    queue: created in [time] (https://sqs.us-west-2.amazonaws.com/000000000000/orders)
    queue: creating
    ");
    });
}

#[test]
fn with_nothing_to_do_apply_neither_asks_nor_writes() {
    let project = small();
    project.apply();
    let before = project.read("state/small.json");
    let again = project.run(&["apply"]).expect(0);
    insta::assert_snapshot!(seen(&again), @"
    exit: 0
    --- stdout
    small, account 000000000000, region us-west-2, local cloud
    file stacks/small.yaml, state state/small.json

    No changes. The stack is as the file says.

    Outputs:
    number: 30
    url:    https://sqs.us-west-2.amazonaws.com/000000000000/orders
            # Where messages go.
    --- stderr
    ");
    assert_eq!(project.read("state/small.json"), before);
}

#[test]
fn without_an_answer_nothing_is_changed() {
    let project = small();
    for args in [&["apply"][..], &["apply", "--json"]] {
        let refused = project.run(args).expect(1);
        assert!(refused.stderr.contains("add --yes"), "{}", refused.stderr);
        assert_eq!(project.cloud(), []);
        assert!(!project.dir().join("state/small.json").exists());
    }
    project.apply();
    let before = project.cloud();
    project.run(&["destroy"]).expect(1);
    assert_eq!(project.cloud(), before);
}

#[test]
fn outputs_in_every_form() {
    let project = small();
    let early = project.run(&["outputs"]).expect(1);
    insta::assert_snapshot!(seen(&early), @"
    exit: 1
    --- stdout
    --- stderr
    error: small was never applied (no state/small.json).
      next: Run apply first; outputs come from an apply.
    ");
    project.apply();
    insta::assert_snapshot!(project.run(&["outputs"]).expect(0).stdout, @"
    number: 30
    url:    https://sqs.us-west-2.amazonaws.com/000000000000/orders
            # Where messages go.
    ");
    insta::assert_snapshot!(project.run(&["outputs", "--json"]).expect(0).stdout, @r#"
    {
      "number": 30,
      "url": "https://sqs.us-west-2.amazonaws.com/000000000000/orders"
    }
    "#);
    insta::assert_snapshot!(seen(&project.run(&["outputs", "nubmer"])), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: The state has no output "nubmer".
      next: Did you mean number? Its outputs are number, url.
    "#);
    insta::assert_snapshot!(seen(&project.run(&["outputs", "--raw"])), @"
    exit: 1
    --- stdout
    --- stderr
    error: --raw needs the name of the output to print.
    ");
    for args in [
        &["outputs", "--raw", "number"][..],
        &["output", "small", "number", "--raw"],
    ] {
        let raw = project.run(args).expect(0);
        assert_eq!((raw.stdout.as_str(), raw.stderr.as_str()), ("30", ""));
    }
    let one = project
        .run(&["outputs", "number", "--json"])
        .expect(0)
        .json();
    assert_eq!(one, serde_json::json!({"number": 30}));
}

#[test]
fn an_address_that_names_nothing_is_an_error() {
    let project = small();
    let wrong = project.run(&["plan", "--target", "quue"]);
    insta::assert_snapshot!(seen(&wrong), @"
    exit: 1
    --- stdout
    --- stderr
    error: --target quue: no resource in the file or the state has this address.
      now: Nothing was changed.
      next: Did you mean queue?
    ");
    project.apply();
    let before = project.read("state/small.json");
    for flag in ["--target", "--exclude", "--replace"] {
        for command in ["plan", "apply"] {
            project.run(&[command, flag, "queue[\"a\"]"]).expect(1);
        }
    }
    for flag in ["--target", "--exclude"] {
        project.run(&["destroy", "--yes", flag, "quue"]).expect(1);
    }
    assert_eq!(project.read("state/small.json"), before);
}

#[test]
fn addresses_narrow_and_widen_a_plan() {
    let project = small();
    let touched = |args: &[&str]| -> Vec<String> {
        let plan = project.run(args).expect(0).json();
        actions(&plan)
            .into_iter()
            .map(|(address, _)| address)
            .collect()
    };
    assert_eq!(
        touched(&["plan", "--json", "--target", "policy"]),
        ["policy", "queue"]
    );
    assert_eq!(touched(&["plan", "--json", "--exclude", "queue"]), ["log"]);
    project.apply();
    assert_eq!(touched(&["plan", "--json", "--replace", "log"]), ["log"]);
    assert_eq!(touched(&["plan", "--json", "--refresh=false"]), [""; 0]);
    let narrow = ["apply", "--yes", "--parallelism", "1", "--replace", "log"];
    project.run(&narrow).expect(0);
    project.expect_no_changes();
}

#[test]
fn exit_codes_of_a_plan() {
    let project = small();
    project.run(&["plan"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
    project.apply();
    project.run(&["preview", "--detailed-exitcode"]).expect(0);
    project
        .run(&["plan", "--var", "size=31", "--detailed-exitcode"])
        .expect(2);
}

#[test]
fn which_stack_is_meant() {
    let mut project = Project::new();
    insta::assert_snapshot!(seen(&project.run(&["plan"])), @"
    exit: 1
    --- stdout
    --- stderr
    error: No stack file found in stacks/.
      next: Write stacks/NAME.yaml, or go to the project's folder with -C DIR.
    ");
    project.write("stacks/small.yaml", SMALL);
    insta::assert_snapshot!(seen(&project.run(&["plan", "smal"])), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: Stack "smal" not found: stacks/smal.yaml does not exist.
      next: Did you mean small?
    "#);
    let other = SMALL.replace("name: small", "name: other");
    project.write("elsewhere/other.yaml", &other);
    project.run(&["plan", "elsewhere/other.yaml"]).expect(0);
    project.write("stacks/other.yaml", &other);
    insta::assert_snapshot!(seen(&project.run(&["plan"])), @"
    exit: 1
    --- stdout
    --- stderr
    error: stacks/ holds more than one stack: other, small.
      next: Name the one you mean.
    ");
    project
        .run(&["apply", "other", "--yes", "--state", "mine/s.json"])
        .expect(0);
    assert!(project.read("mine/s.json").contains("\"other\""));
    assert!(!project.dir().join("state/other.json").exists());
    project.flags.clear();
    project
        .run(&["-C", "stacks", "validate", "./small.yaml"])
        .expect(0);
    project.run(&["-C", "nowhere", "validate"]).expect(1);
}

#[test]
fn where_values_come_from() {
    let mut project = small();
    project.write("stacks/small.dev.yaml", "label: dev\n");
    project.write("values.json", r#"{"size": 41, "sise": 1}"#);
    let size = |project: &Project, args: &[&str]| -> (Value, Value) {
        let mut all = vec!["plan", "--json"];
        all.extend(args);
        let plan = project.run(&all).expect(0).json();
        let queue = plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["address"] == "queue");
        let after = &queue.unwrap()["after"];
        (
            after["name"].clone(),
            after["visibilityTimeoutSeconds"].clone(),
        )
    };
    assert_eq!(size(&project, &[]), ("orders".into(), 30.into()));
    assert_eq!(size(&project, &["--env", "dev"]), ("dev".into(), 30.into()));
    project.env("STACKCTL_VAR_size", "40");
    assert_eq!(size(&project, &[]).1, 40);
    assert_eq!(size(&project, &["--var-file", "values.json"]).1, 41);
    assert_eq!(
        size(&project, &["--var-file", "values.json", "--var", "size=42"]).1,
        42
    );
    let warned = project
        .run(&["plan", "--var-file", "values.json"])
        .expect(0);
    insta::assert_snapshot!(warned.stderr, @r#"
    warning: the stack declares no variable "sise"
     --> values.json:1:14
      |
    1 | *"size": *** "sise": **
      |              ^^^^^^
      |
      = help: did you mean "size"?

    1 warning in values.json
    "#);
    project.run(&["apply", "--env", "dev", "--yes"]).expect(0);
    assert!(project.dir().join("state/small.dev.json").exists());
}

#[test]
fn values_that_do_not_fit() {
    let project = small();
    let told = |args: &[&str]| {
        let mut all = vec!["plan"];
        all.extend(args);
        seen(&project.run(&all))
    };
    insta::assert_snapshot!(told(&["--var", "size"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value '***' for '--var <NAME=VALUE>': expected NAME=VALUE

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(told(&["--var", "sise=1"]), @r#"
    exit: 3
    --- stdout
    --- stderr
    error: --var sise: the stack declares no variable "sise"
    help: did you mean "size"?

    1 error
    "#);
    insta::assert_snapshot!(told(&["--var", "size=many"]), @r#"
    exit: 3
    --- stdout
    --- stderr
    error: --var size: expected a number

    1 error
    "#);
    insta::assert_snapshot!(told(&["--env", "dev"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: Environment "dev" not found: stacks/small.dev.yaml does not exist.
      next: Write that file; it may be empty if no variable differs.
    "#);
    insta::assert_snapshot!(told(&["--env", "../dev"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: --env "../dev": it must be letters, digits, "-" and "_", start with a letter or digit, and be at most 100 long, since it is part of the state file's name.
    "#);
    insta::assert_snapshot!(told(&["--var-file", "none.json"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: none.json cannot be read.
      cause: No such file or directory (os error 2)
    ");
}

#[test]
fn a_bad_flag_is_1_and_each_help_is_0() {
    let project = small();
    for args in [
        &["plan", "--nope"][..],
        &["plan", "--parallelism", "0"],
        &["plan", "--refresh=maybe"],
        &["apply", "--endpoint-url", "http://127.0.0.1:1"],
        &["nope"],
        &[],
    ] {
        let ended = project.run(args).expect(1);
        assert_eq!(ended.stdout, "", "{args:?}");
    }
    for command in [
        "validate",
        "plan",
        "apply",
        "outputs",
        "destroy",
        "types",
        "functions",
    ] {
        let help = project.run(&[command, "--help"]).expect(0);
        assert!(
            help.stdout.contains(&format!("Usage: stackctl {command}")),
            "{}",
            help.stdout
        );
    }
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let project = small();
    let valid = project.run(&["validate", "--json"]).expect(0);
    assert_eq!(valid.json()["valid"], true);
    project.run(&["plan", "--json"]).expect(0).json();
    for args in [
        &["plan", "none", "--json"][..],
        &["plan", "--target", "quue", "--json"],
    ] {
        let error = project.run(args).expect(1).json();
        assert_eq!(
            (&error["type"], &error["exit_code"]),
            (&"error".into(), &1.into())
        );
    }
    let lines = project.run(&["apply", "--yes", "--json"]).expect(0);
    let kinds: Vec<String> = lines
        .stdout
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            value["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("started"));
    assert_eq!(kinds.last().map(String::as_str), Some("outputs"));
    assert_eq!(lines.stderr, "");
    project.write("stacks/small.yaml", "name: small\nresource: {}\n");
    for args in [
        &["validate", "--json"][..],
        &["plan", "--json"],
        &["apply", "--yes", "--json"],
        &["destroy", "--yes", "--json"],
    ] {
        let wrong = project.run(args).expect(3);
        let document = wrong.json();
        assert_eq!(document["errors"], 1, "{document}");
        assert_eq!(document["valid"], false);
        assert_eq!(wrong.stdout.lines().count(), 1);
        assert_eq!(wrong.stderr, "");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = small();
    let mut child = project
        .command(&["plan"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(told, "");
}

/// What becomes of each output, for scripts.
#[test]
fn a_plan_tells_scripts_what_becomes_of_outputs() {
    let project = small();
    project.apply();
    let (stack, _) = SMALL.split_once("outputs:\n").unwrap();
    project.write(
        "stacks/small.yaml",
        format!("{stack}outputs:\n  number: number ${{var.size}}\n  more: more\n"),
    );
    let outputs = project.plan()["outputs"].clone();
    let of = |name: &str| {
        let output = &outputs[name];
        json!([output["actions"], output["before"], output["after"]])
    };
    let url = "https://sqs.us-west-2.amazonaws.com/000000000000/orders";
    assert_eq!(of("url"), json!([["delete"], url, null]));
    assert_eq!(of("number"), json!([["update"], 30, "number 30"]));
    assert_eq!(of("more"), json!([["create"], null, "more"]));
}

/// So many statements of a policy are compared with each other, and no more: beyond that each is
/// shown as it was and as it will be.
#[test]
fn statements_are_compared_up_to_a_number() {
    let project = Project::new();
    let write = |actions: &[String]| {
        let statement =
            |action: &String| json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        let statements: Vec<Value> = actions.iter().map(statement).collect();
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let stack = json!({
            "name": "p", "providers": {"aws": {"region": "us-west-2"}},
            "resources": {"p": {"type": "aws:iam:Policy", "properties": {"name": "p", "policy": policy}}},
        });
        project.write("stacks/p.yaml", stack.to_string());
    };
    write(&["s3:Old".to_owned()]);
    project.apply();
    for (count, changed) in [(100, 1), (101, 0)] {
        let actions: Vec<String> = (0..count).map(|at| format!("s3:New{at}")).collect();
        write(&actions);
        let plan = project.run(&["plan"]).expect(0).stdout;
        let lines = |start: &str| {
            let lines = plan.lines().map(str::trim_start);
            lines.filter(|line| line.starts_with(start)).count()
        };
        let found = ["~ Statement[", "+ Statement[", "- Statement["].map(lines);
        assert_eq!(found, [changed, count - changed, 1 - changed], "{plan}");
    }
}

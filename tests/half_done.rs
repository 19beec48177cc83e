//! An apply that stopped in the middle of a resource is no drift: what went through was applied,
//! what failed was not, and neither `drift` nor the next plan blames somebody outside. Updates,
//! creates and deletions whose second call is refused, or at which the process dies.

use crate::support::{Project, in_parallel};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Case {
    name: &'static str,
    /// The resource, before and after.
    resources: [Value; 2],
    /// The call of the update that goes wrong.
    call: &'static str,
}

fn resource(type_name: &str, properties: Value) -> Value {
    json!({"type": type_name, "properties": properties})
}

fn policy(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": "*"}
    ]})
}

fn trust(service: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    ]})
}

fn cases() -> Vec<Case> {
    let queue = |delay: u32, tag: &str| {
        json!({"r": resource("aws:sqs:Queue", json!({
            "name": "q", "delaySeconds": delay, "tags": {"a": tag},
        }))})
    };
    let bucket = |tag: &str, force: bool| {
        json!({"r": resource("aws:s3:Bucket", json!({
            "bucket": "half-done", "forceDestroy": force, "tags": {"a": tag},
        }))})
    };
    let role = |service: &str, action: &str, description: &str| {
        json!({"r": resource("aws:iam:Role", json!({
            "name": "half", "assumeRolePolicy": trust(service), "description": description,
            "inlinePolicies": [{"name": "p", "policy": policy(action)}],
            "tags": {"a": description},
        }))})
    };
    let log = |days: u32, tag: &str| {
        json!({"r": resource("aws:cloudwatch:LogGroup", json!({
            "name": "half", "retentionInDays": days, "tags": {"a": tag},
        }))})
    };
    let stage = |burst: u32, tag: &str| {
        json!({
            "api": resource("aws:apigatewayv2:Api", json!({
                "name": "api", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.a",
            })),
            "r": resource("aws:apigatewayv2:Stage", json!({
                "apiId": "${api.id}", "name": "prod", "tags": {"a": tag},
                "defaultRouteSettings": {"throttlingBurstLimit": burst, "throttlingRateLimit": 10},
            })),
        })
    };
    let function = |content: &str, memory: u32| {
        json!({
            "role": resource("aws:iam:Role", json!({
                "name": "run", "assumeRolePolicy": trust("lambda.amazonaws.com"),
            })),
            "r": resource("aws:lambda:Function", json!({
                "name": "half", "role": "${role.arn}", "runtime": "python3.13", "handler": "a.b",
                "memorySize": memory, "filename": format!("../{content}.zip"),
                "sourceCodeHash": format!("${{filebase64sha256(\"../{content}.zip\")}}"),
            })),
        })
    };
    vec![
        Case {
            name: "queue",
            resources: [queue(1, "x"), queue(2, "y")],
            call: "sqs:SetQueueAttributes",
        },
        Case {
            name: "queue tags",
            resources: [queue(1, "x"), queue(2, "y")],
            call: "sqs:TagQueue",
        },
        Case {
            name: "bucket",
            resources: [bucket("x", false), bucket("y", true)],
            call: "s3:PutBucketTagging",
        },
        Case {
            name: "role",
            resources: [
                role("lambda.amazonaws.com", "sqs:SendMessage", "x"),
                role("sqs.amazonaws.com", "sqs:*", "y"),
            ],
            call: "iam:PutRolePolicy",
        },
        Case {
            name: "log group",
            resources: [log(7, "x"), log(14, "y")],
            call: "logs:PutRetentionPolicy",
        },
        Case {
            name: "stage",
            resources: [stage(5, "x"), stage(7, "y")],
            call: "apigateway:UpdateStage",
        },
        Case {
            name: "function",
            resources: [function("one", 128), function("two", 256)],
            call: "lambda:UpdateFunctionConfiguration",
        },
        Case {
            name: "function code",
            resources: [function("one", 128), function("two", 256)],
            call: "lambda:UpdateFunctionCode",
        },
    ]
}

impl Case {
    fn project(&self) -> Project {
        let project = Project::new();
        // Two archives of one stored file each, made by hand.
        project
            .write("one.zip", zip(b"1"))
            .write("two.zip", zip(b"2"));
        project
    }

    fn write(&self, project: &Project, version: usize) {
        let stack = json!({
            "name": "half",
            "providers": {"aws": {"region": "us-west-2"}},
            "resources": self.resources[version],
        });
        project.write("stacks/half.yaml", stack.to_string());
    }
}

/// The bytes of an archive with the one file `a.py`.
pub(crate) fn zip(content: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("a.py", options).unwrap();
    std::io::Write::write_all(&mut writer, content).unwrap();
    writer.finish().unwrap().into_inner()
}

/// No word of the world outside, and a word of the apply before, where something is left to do.
fn blames_nobody(project: &Project, case: &str) {
    let drift = project.run(&["drift"]);
    assert_eq!(drift.code, Some(0), "{case}:\n{}", drift.stdout);
    assert!(
        drift.stdout.contains("r: the last apply did not finish"),
        "{case}:\n{}",
        drift.stdout
    );
    let plan = project.run(&["plan"]).expect(0);
    for word in ["outside", "both sides", "last applied"] {
        assert!(!plan.stdout.contains(word), "{case}:\n{}", plan.stdout);
    }
    if !plan.stdout.contains("No changes.") {
        let rows: Vec<&str> = plan
            .stdout
            .lines()
            .filter(|line| line.contains(" r  "))
            .collect();
        assert_eq!(rows.len(), 1, "{case}:\n{}", plan.stdout);
        assert!(
            rows[0].contains("the last apply did not finish"),
            "{case}:\n{}",
            plan.stdout
        );
    }
}

/// Goes on, and leaves no trace of what was half done.
fn goes_on(project: &Project, case: &str) {
    let again = project.run(&["apply", "--yes"]);
    assert_eq!(again.code, Some(0), "{case}:\n{}", again.stderr);
    let drift = project.run(&["drift"]).expect(0);
    assert!(
        !drift.stdout.contains("did not finish"),
        "{case}:\n{}",
        drift.stdout
    );
    project.expect_no_changes();
}

/// The ways to stop at a call.
fn hows() -> [Value; 3] {
    [json!("echo"), json!("killBefore"), json!("killAfter")]
}

fn stop(project: &mut Project, args: &[&str], call: &str, how: &Value, case: &str) {
    let faults = json!([{"call": call, "at": 1, "times": 9, "what": how}]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let ended = project.run(args);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    assert_ne!(
        ended.code,
        Some(0),
        "{case} did not stop:\n{}",
        ended.stderr
    );
}

#[test]
fn a_half_done_update_is_no_drift() {
    in_parallel(cases(), |case| {
        for how in hows() {
            let mut project = case.project();
            case.write(&project, 0);
            project.apply();
            case.write(&project, 1);
            let name = format!("{}, {} with {how}", case.name, case.call);
            stop(&mut project, &["apply", "--yes"], case.call, &how, &name);
            blames_nobody(&project, &name);
            goes_on(&project, &name);
        }
    });
}

/// The user takes the change back: what went through is undone.
#[test]
fn a_half_done_update_can_be_taken_back() {
    in_parallel(cases(), |case| {
        let mut project = case.project();
        case.write(&project, 0);
        project.apply();
        case.write(&project, 1);
        let name = format!("{}, {} taken back", case.name, case.call);
        stop(
            &mut project,
            &["apply", "--yes"],
            case.call,
            &json!("echo"),
            &name,
        );
        case.write(&project, 0);
        blames_nobody(&project, &name);
        goes_on(&project, &name);
        // And what somebody else does afterwards is drift again.
        let state = project.state();
        assert!(
            state["resources"]["r"].get("unfinished").is_none(),
            "{name}: {state:#}"
        );
    });
}

/// Whether the interrupted run has left the resource behind.
fn exists(project: &Project) -> bool {
    let drift = project.run(&["drift", "--json"]).expect(0).json();
    drift["unfinished"]
        .as_array()
        .unwrap()
        .contains(&json!("r"))
}

#[test]
fn a_half_done_create_is_no_drift() {
    let half_done = AtomicUsize::new(0);
    in_parallel(cases(), |case| {
        for how in hows() {
            let mut project = case.project();
            case.write(&project, 0);
            let name = format!("{}, {} of the create with {how}", case.name, case.call);
            let faults = json!([{"call": case.call, "at": 1, "times": 9, "what": how}]);
            project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
            let ended = project.run(&["apply", "--yes"]);
            project.env("STACKCTL_LOCAL_FAULTS", "[]");
            // Not every create makes the call, and of some it is the first.
            if ended.code == Some(0) || !exists(&project) {
                continue;
            }
            half_done.fetch_add(1, Ordering::Relaxed);
            blames_nobody(&project, &name);
            goes_on(&project, &name);
        }
    });
    let half_done = half_done.into_inner();
    assert!(
        half_done > 5,
        "only {half_done} creates stopped in the middle"
    );
}

/// A state lock, a move and a repair between the kill and the next plan lose nothing of it.
#[test]
fn what_is_half_done_outlives_other_commands() {
    let mut project = Project::new();
    let case = cases().remove(0);
    case.write(&project, 0);
    project.apply();
    case.write(&project, 1);
    stop(
        &mut project,
        &["apply", "--yes"],
        case.call,
        &json!("killAfter"),
        "queue",
    );
    project.run(&["state", "mv", "r", "s", "--yes"]).expect(0);
    project.run(&["state", "mv", "s", "r", "--yes"]).expect(0);
    blames_nobody(&project, "moved");
    // A refresh takes what went through for applied.
    project.run(&["refresh", "--yes"]).expect(0);
    let state = project.state();
    assert!(
        state["resources"]["r"].get("unfinished").is_none(),
        "{state:#}"
    );
    goes_on(&project, "refreshed");
}

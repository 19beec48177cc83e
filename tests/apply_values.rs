//! Values that are known only while applying, on the local cloud.

use crate::support::Project;
use serde_json::{Value, json};

#[test]
fn an_update_that_turns_out_to_change_nothing_is_not_called() {
    let mut project = Project::new();
    let stack = |description: &str| {
        json!({"name": "s", "resources": {
            "policy": {"type": "aws:iam:Policy", "properties": {
                "name": "fixed", "description": description,
                "policy": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"},
                ]},
            }},
            "queue": {"type": "aws:sqs:Queue", "properties": {
                "name": "main", "tags": {"of": "${policy.arn}"},
            }},
            "user": {"type": "aws:sqs:Queue", "properties": {
                "name": "user", "tags": {"of": "${queue.arn}"},
            }},
        }})
        .to_string()
    };
    project.write("stacks/s.yaml", stack("before"));
    project.apply();
    project.expect_no_changes();
    // The policy is made again under its name, so its ARN stays.
    project.write("stacks/s.yaml", stack("after"));
    assert_eq!(project.plan()["summary"]["update"], 1);
    let refuse = r#"[{"call": "sqs:TagQueue", "rate": 1.0, "seed": 1, "what": {"error": 503}}]"#;
    project.env("STACKCTL_LOCAL_FAULTS", refuse);
    project.apply();
    project.expect_no_changes();
    // The refusal is real: a change of the tag runs into it.
    let changed = stack("after").replace("${policy.arn}", "other");
    project.write("stacks/s.yaml", changed);
    project.run(&["apply", "--yes"]).expect(1);
}

#[test]
fn the_values_of_for_each_may_be_known_only_while_applying() {
    let project = Project::new();
    let stack = json!({"name": "s", "resources": {
        "base": {"type": "aws:sqs:Queue", "properties": {"name": "base"}},
        "queue": {
            "type": "aws:sqs:Queue",
            "properties": {"name": "q-${each.key}", "tags": {"of": "${each.value}"}},
            "options": {"forEach": {"a": "${base.arn}", "b": "fixed"}},
        },
    }});
    project.write("stacks/s.yaml", stack.to_string());
    project.apply();
    let state = project.state();
    let tag = |key: &str| &state["resources"][format!("queue[\"{key}\"]")]["inputs"]["tags"]["of"];
    assert_eq!(tag("a"), &state["resources"]["base"]["outputs"]["arn"]);
    assert_eq!(tag("b"), "fixed");
    project.expect_no_changes();
}

#[test]
fn a_changed_text_around_a_drawn_password_is_seen() {
    let project = Project::new();
    let stack = |local: &str| {
        json!({"name": "s", "locals": {"text": local}, "resources": {
            "password": {"type": "random:RandomPassword", "properties": {"length": 9}},
            "queue": {"type": "aws:sqs:Queue", "properties": {
                "name": "main", "tags": {"hash": "${sha256(local.text)}"},
            }},
        }})
        .to_string()
    };
    project.write("stacks/s.yaml", stack("a ${password.result}"));
    project.apply();
    project.expect_no_changes();
    project.write("stacks/s.yaml", stack("b ${password.result}"));
    let plan = project.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("hash: (secret, changes)"),
        "{}",
        plan.stdout
    );
    let password = |project: &Project| project.state()["resources"]["password"].clone();
    let before = password(&project);
    project.apply();
    project.expect_no_changes();
    assert_eq!(before, password(&project), "the password is another one");
}

/// What only a call after the create sets is not lost with the create's reply, nor with the
/// process, nor counted as applied when that call is refused.
#[test]
fn a_document_of_an_api_is_put_in_whatever_becomes_of_the_create() {
    let body = |uri: &str| {
        let integration = json!({"type": "http_proxy", "httpMethod": "GET", "uri": uri, "payloadFormatVersion": "1.0"});
        json!({"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths":
            {"/orders": {"get": {"x-amazon-apigateway-integration": integration}}}})
    };
    let stack = |body: &Value| {
        json!({"name": "api", "resources": {"api": {"type": "aws:apigatewayv2:Api",
            "properties": {"name": "n", "protocolType": "HTTP", "body": body}}}})
    };
    let routes = |project: &Project| {
        let entries = project.cloud().into_iter();
        entries.filter(|entry| entry.kind == "route").count()
    };
    for what in ["lostReply", "killBefore", "killAfter"] {
        for call in ["apigateway:CreateApi", "apigateway:ReimportApi"] {
            let mut project = Project::new();
            project.write(
                "stacks/api.yaml",
                stack(&body("https://example.com")).to_string(),
            );
            let fault = json!([{"call": call, "at": 1, "what": what}]).to_string();
            project.env("STACKCTL_LOCAL_FAULTS", &fault);
            project.run(&["apply", "--yes"]);
            project.env("STACKCTL_LOCAL_FAULTS", "[]");
            project.apply();
            project.expect_no_changes();
            assert_eq!(routes(&project), 1, "{what} at {call}");
        }
    }
    let project = Project::new();
    project.write(
        "stacks/api.yaml",
        stack(&json!({"openapi": "3.0.1"})).to_string(),
    );
    let refused = project.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.stderr.contains("has no paths"),
        "{}",
        refused.stderr
    );
    project.write(
        "stacks/api.yaml",
        stack(&body("https://example.com")).to_string(),
    );
    project.apply();
    project.expect_no_changes();
    assert_eq!(routes(&project), 1);
}

/// Two archives, the second of what the first came out as, and a tag of that.
#[test]
fn a_data_source_is_read_while_applying() {
    let project = Project::new();
    let zip = |content: &str| {
        json!({"type": "archive:getFile", "properties":
            {"type": "zip", "sourceContent": content, "sourceContentFilename": "a.txt"}})
    };
    let stack = json!({"name": "s",
        "data": {"zip": zip("${queue.arn}"), "again": zip("${data.zip.outputSha}")},
        "resources": {
            "queue": {"type": "aws:sqs:Queue", "properties": {"name": "main"}},
            "user": {"type": "aws:sqs:Queue", "properties": {
                "name": "user",
                "tags": {"one": "${data.zip.outputSha}", "two": "${data.again.outputSha}"},
            }},
        },
        "outputs": {"one": "${data.zip.outputSha}", "two": "${data.again.outputSha}"},
    });
    project.write("stacks/s.yaml", stack.to_string());
    let plan = project.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("known only while applying"),
        "{}",
        plan.stdout
    );
    project.apply();
    let state = project.state();
    let outputs = project.run(&["outputs", "--json"]).expect(0).json();
    assert_eq!(state["resources"]["user"]["inputs"]["tags"], outputs);
    assert_ne!(outputs["one"], outputs["two"]);
    // Now all is known, and the plan reads it again.
    project.expect_no_changes();
}

/// The replies are lost until the SDK gives up: what the queue has by then is read.
#[test]
fn an_update_whose_replies_are_lost_is_read() {
    let mut project = Project::new();
    let stack = |delay: u32| {
        json!({"name": "s", "resources": {"queue":
            {"type": "aws:sqs:Queue", "properties": {"name": "main", "delaySeconds": delay}}}})
        .to_string()
    };
    project.write("stacks/s.yaml", stack(5));
    project.apply();
    project.write("stacks/s.yaml", stack(6));
    // A ninth call would be denied.
    let faults = json!([
        {"call": "sqs:SetQueueAttributes", "times": 8, "what": "lostReply"},
        {"call": "sqs:SetQueueAttributes", "what": "deny"},
    ]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let applied = project.apply();
    let told = "queue: waiting: the reply was lost; looking whether the update took effect";
    assert!(applied.stderr.contains(told), "{}", applied.stderr);
    let queue = &project.state()["resources"]["queue"];
    assert_eq!(queue["outputs"]["delaySeconds"], 6);
    assert_eq!(queue["inputs"]["delaySeconds"], 6);
    project.expect_no_changes();
}

/// What only the service knows of an update is read where the reply is lost, for later steps too.
#[test]
fn the_outputs_of_an_update_whose_reply_is_lost_are_read() {
    let mut project = Project::new();
    let stack = |action: &str| {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        json!({"name": "s", "resources": {
            "policy": {"type": "aws:iam:Policy", "properties": {"name": "p",
                "policy": {"Version": "2012-10-17", "Statement": [statement]}}},
            "queue": {"type": "aws:sqs:Queue", "properties": {"name": "main",
                "tags": {"version": "${policy.defaultVersionId}"}}},
        }})
        .to_string()
    };
    let versions = |project: &Project| {
        let resources = project.state()["resources"].clone();
        let policy = resources["policy"]["outputs"]["defaultVersionId"].clone();
        [
            policy,
            resources["queue"]["inputs"]["tags"]["version"].clone(),
        ]
    };
    project.write("stacks/s.yaml", stack("sqs:SendMessage"));
    project.apply();
    assert_eq!(versions(&project), ["v1", "v1"]);
    project.write("stacks/s.yaml", stack("sqs:ReceiveMessage"));
    let lost = json!([{"call": "iam:CreatePolicyVersion", "at": 1, "what": "lostReply"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &lost.to_string());
    project.apply();
    assert_eq!(versions(&project), ["v2", "v2"]);
    project.expect_no_changes();
}

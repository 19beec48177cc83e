//! The process is killed at every call that creates something from secrets, of every kind of
//! value, with a passphrase and with the user's own key: the next command recovers with what the
//! state knows.

use crate::support::tally::Tally;
use crate::support::{Project, all, census, in_parallel};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A stack whose properties come from sensitive variables of one kind.
struct Scene {
    kind: &'static str,
    /// The variables' type and value.
    variables: Value,
    resources: Value,
}

fn policy(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": resource}
    ]})
}

fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    ]})
}

fn resource(type_name: &str, properties: Value) -> Value {
    json!({"type": type_name, "properties": properties})
}

fn scenes() -> Vec<Scene> {
    let variable =
        |kind: &str, default: Value| json!({"type": kind, "sensitive": true, "default": default});
    vec![
        Scene {
            kind: "string",
            variables: json!({
                "x": variable("string", json!("hunter2")),
                "arn": variable("string", json!("arn:aws:sqs:us-west-2:123456789012:q")),
            }),
            resources: json!({
                "api": resource("aws:apigatewayv2:Api", json!({
                    "name": "api", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.a",
                    "description": "${var.x}",
                })),
                "one": resource("aws:apigatewayv2:Integration", json!({
                    "apiId": "${api.id}", "integrationType": "HTTP_PROXY", "integrationMethod": "GET",
                    "integrationUri": "https://example.com/${var.x}",
                })),
                "route": resource("aws:apigatewayv2:Route", json!({
                    "apiId": "${api.id}", "routeKey": "$default", "operationName": "${var.x}",
                    "target": "integrations/${one.id}",
                })),
                "bucket": resource("aws:s3:Bucket", json!({"bucket": "secret-things", "forceDestroy": true})),
                "file": resource("aws:s3:BucketObject", json!({
                    "bucket": "${bucket.bucket}", "key": "a", "content": "${var.x}",
                })),
                "role": resource("aws:iam:Role", json!({
                    "name": "role", "assumeRolePolicy": trust(), "description": "${var.x}",
                })),
                "inline": resource("aws:iam:RolePolicy", json!({
                    "role": "${role.name}", "policy": policy("sqs:SendMessage", "${var.arn}"),
                })),
            }),
        },
        Scene {
            kind: "name",
            variables: json!({
                "x": variable("string", json!("hunter2")),
                "prefix": variable("string", json!("hunter2-")),
            }),
            resources: json!({
                "queue": resource("aws:sqs:Queue", json!({"name": "${var.x}"})),
                "drawn": resource("aws:sqs:Queue", json!({"namePrefix": "${var.prefix}"})),
                "log": resource("aws:cloudwatch:LogGroup", json!({"name": "/${var.x}"})),
                "role": resource("aws:iam:Role", json!({"name": "${var.x}", "assumeRolePolicy": trust()})),
                "managed": resource("aws:iam:Policy", json!({
                    "name": "${var.x}", "policy": policy("sqs:SendMessage", "*"),
                })),
                "bucket": resource("aws:s3:Bucket", json!({"bucket": "my-${var.x}"})),
            }),
        },
        Scene {
            kind: "number",
            variables: json!({"x": variable("number", json!(7))}),
            resources: json!({
                "queue": resource("aws:sqs:Queue", json!({"delaySeconds": "${var.x}"})),
                "log": resource("aws:cloudwatch:LogGroup", json!({"retentionInDays": "${var.x}"})),
                "role": resource("aws:iam:Role", json!({
                    "assumeRolePolicy": trust(), "maxSessionDuration": "${var.x * 600}",
                })),
            }),
        },
        Scene {
            kind: "bool",
            variables: json!({"x": variable("bool", json!(true))}),
            resources: json!({
                "queue": resource("aws:sqs:Queue", json!({"fifoQueue": "${var.x}"})),
                "bucket": resource("aws:s3:Bucket", json!({"forceDestroy": "${var.x}"})),
                "block": resource("aws:s3:BucketPublicAccessBlock", json!({
                    "bucket": "${bucket.bucket}", "blockPublicAcls": "${var.x}",
                })),
            }),
        },
        Scene {
            kind: "list",
            variables: json!({"x": variable("list", json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]))}),
            resources: json!({
                "role": resource("aws:iam:Role", json!({
                    "assumeRolePolicy": trust(), "managedPolicyArns": "${var.x}",
                })),
                "bucket": resource("aws:s3:Bucket", json!({"bucket": "lists-of-secrets"})),
                "policy": resource("aws:s3:BucketPolicy", json!({
                    "bucket": "${bucket.bucket}",
                    "policy": {"Version": "2012-10-17", "Statement": [{
                        "Effect": "Deny", "Action": "s3:GetObject", "Principal": "*",
                        "Resource": "${bucket.arn}/*",
                        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "${var.x}"}},
                    }]},
                })),
            }),
        },
        Scene {
            kind: "map",
            variables: json!({"x": variable("map", json!({"a": "hunter2"}))}),
            resources: json!({
                "queue": resource("aws:sqs:Queue", json!({"tags": "${var.x}"})),
                "log": resource("aws:cloudwatch:LogGroup", json!({"tags": "${var.x}"})),
                "bucket": resource("aws:s3:Bucket", json!({"tags": "${var.x}"})),
                "file": resource("aws:s3:BucketObject", json!({
                    "bucket": "${bucket.bucket}", "key": "a", "content": "x", "metadata": "${var.x}",
                })),
            }),
        },
        Scene {
            kind: "struct",
            variables: json!({
                "on": variable("map", json!({"status": "Enabled"})),
                "rule": variable("map", json!({"objectOwnership": "BucketOwnerPreferred"})),
                "policy": variable("map", policy("sqs:SendMessage", "*")),
            }),
            resources: json!({
                "bucket": resource("aws:s3:Bucket", json!({"bucket": "structs-of-secrets"})),
                "versioning": resource("aws:s3:BucketVersioning", json!({
                    "bucket": "${bucket.bucket}", "versioningConfiguration": "${var.on}",
                })),
                "controls": resource("aws:s3:BucketOwnershipControls", json!({
                    "bucket": "${bucket.bucket}", "rule": "${var.rule}",
                })),
                "managed": resource("aws:iam:Policy", json!({"policy": "${var.policy}"})),
                "role": resource("aws:iam:Role", json!({"name": "structs", "assumeRolePolicy": trust()})),
                "inline": resource("aws:iam:RolePolicy", json!({
                    "role": "${role.name}", "policy": "${var.policy}",
                })),
                "attached": resource("aws:iam:RolePolicyAttachment", json!({
                    "role": "${role.name}", "policyArn": "${managed.arn}",
                })),
            }),
        },
    ]
}

impl Scene {
    fn project(&self, passphrase: bool) -> Project {
        let mut project = Project::new();
        let stack = json!({
            "name": "secrets",
            "providers": {"aws": {"region": "us-west-2"}},
            "variables": self.variables,
            "resources": self.resources,
        });
        project.write("stacks/secrets.yaml", stack.to_string());
        if passphrase {
            project.env("STACKCTL_STATE_PASSPHRASE", "correct horse battery");
        }
        project
    }

    /// One kill at one call, and what follows it; whether the run came that far.
    fn case(
        &self,
        (key, at): (bool, usize),
        expected: &BTreeMap<String, usize>,
        tally: &Tally,
    ) -> bool {
        let mut project = self.project(key);
        let how = match at % 3 {
            0 => json!("killBefore"),
            1 => json!("killAfter"),
            _ => json!({"killInFlight": 3000}),
        };
        let faults = json!([{"call": "*", "at": at, "what": how}]);
        project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
        let ended = project.run(&["apply", "--yes", "--parallelism", "1"]);
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        if ended.code == Some(0) {
            return false;
        }
        let case = format!("{} with a passphrase: {key}, and {faults}", self.kind);
        tally.offered(&case);
        assert_eq!(ended.code, None, "{case}:\n{}", ended.stderr);
        tally.struck(&case);
        for args in [&["drift"][..], &["plan"]] {
            let ended = project.run(args);
            let code = ended.code;
            assert!(
                code == Some(0) || args == ["drift"] && code.is_some_and(|it| it != 3),
                "{args:?} after {case}:\n{}",
                ended.stderr
            );
            assert!(
                !ended.stderr.contains("do not fit"),
                "{case}:\n{}",
                ended.stderr
            );
        }
        let again = project.run(&["apply", "--yes"]);
        assert_eq!(again.code, Some(0), "{case}, again:\n{}", again.stderr);
        assert_eq!(&census(&project), expected, "{case}");
        let plan = project.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, Some(0), "plan after {case}:\n{}", plan.stdout);
        tally.held(&case);
        true
    }
}

#[test]
fn a_create_from_secrets_of_any_kind_is_recovered() {
    let scenes = scenes();
    // A passphrase costs each command half a second: it takes turns with the user's own key.
    let both = scenes.iter().enumerate().flat_map(|(number, scene)| {
        let keys = [false, true].into_iter();
        keys.filter(move |key| all() || *key == (number % 2 == 1))
            .map(move |key| (scene, key))
    });
    let tally = Tally::new("kills among secrets", "converged");
    in_parallel(both.collect(), |(scene, key)| {
        let whole = scene.project(key);
        let applied = whole.run(&["apply", "--yes"]);
        assert_eq!(applied.code, Some(0), "{}:\n{}", scene.kind, applied.stderr);
        let expected = census(&whole);
        let mut at = 1;
        while scene.case((key, at), &expected, &tally) {
            at += 1;
        }
        assert!(at > 4, "{}: only {at} calls", scene.kind);
    });
    tally.end(40);
}

/// A required property that is a struct and comes from what is not known: the other resources
/// are found, and it is, once what it comes from is known.
#[test]
fn a_rebuild_does_without_what_is_not_known() {
    let project = Project::new();
    let stack = json!({
        "name": "open",
        "providers": {"aws": {"region": "us-west-2"}},
        "resources": {
            "queue": resource("aws:sqs:Queue", json!({"name": "q"})),
            "bucket": resource("aws:s3:Bucket", json!({"bucket": "open-things"})),
            "versioning": resource("aws:s3:BucketVersioning", json!({
                "bucket": "${bucket.bucket}",
                "versioningConfiguration": {"status": "${queue.arn == \"\" ? \"Suspended\" : \"Enabled\"}"},
            })),
            "controls": resource("aws:s3:BucketOwnershipControls", json!({
                "bucket": "${bucket.bucket}",
                "rule": "${jsondecode(replace(\"{'objectOwnership': 'BucketOwnerPreferred'}\", \"'\", queue.arn == \"\" ? \"'\" : \"\\\"\"))}",
            })),
        },
    });
    project.write("stacks/open.yaml", stack.to_string());
    project.apply();
    let state = project.state();
    let lose = || {
        std::fs::remove_dir_all(project.dir().join("state")).unwrap();
        std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
    };
    lose();
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    let found = project.state();
    assert_eq!(found["resources"].as_object().unwrap().len(), 4);
    for (address, known) in state["resources"].as_object().unwrap() {
        assert_eq!(known["id"], found["resources"][address]["id"], "{address}");
    }
    project.expect_no_changes();

    // What it comes from does not exist any more: the others are found all the same.
    lose();
    let text = project
        .read("stacks/open.yaml")
        .replace("\"name\":\"q\"", "\"name\":\"other\"");
    project.write("stacks/open.yaml", text);
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    let found = project.state();
    let addresses: Vec<&String> = found["resources"].as_object().unwrap().keys().collect();
    assert_eq!(addresses, ["bucket"]);
}

#[test]
fn a_look_that_fails_does_not_end_the_others() {
    let mut project = Project::new();
    let stack = json!({
        "name": "two",
        "providers": {"aws": {"region": "us-west-2"}},
        "resources": {
            "queue": resource("aws:sqs:Queue", json!({"name": "q"})),
            "bucket": resource("aws:s3:Bucket", json!({"bucket": "two-things"})),
            "log": resource("aws:cloudwatch:LogGroup", json!({"name": "l"})),
        },
    });
    project.write("stacks/two.yaml", stack.to_string());
    project.apply();
    std::fs::remove_dir_all(project.dir().join("state")).unwrap();
    std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
    // The one is not found by name, the other cannot be read once it is.
    let faults = json!([
        {"call": "sqs:GetQueueUrl", "rate": 1, "what": {"error": 503}},
        {"call": "s3:GetBucketLocation", "rate": 1, "what": {"error": 503}},
        {"call": "s3:GetBucketVersioning", "rate": 1, "what": {"error": 503}},
        {"call": "s3:GetBucketAcl", "rate": 1, "what": {"error": 503}},
    ]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let ended = project.run(&["state", "rebuild", "--yes"]).expect(1);
    assert!(ended.stderr.contains("\n  queue: "), "{}", ended.stderr);
    let found = project.state();
    assert!(found["resources"].get("log").is_some(), "{found:#}");
    assert!(found["resources"].get("queue").is_none(), "{found:#}");
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    assert_eq!(project.state()["resources"].as_object().unwrap().len(), 3);
    project.expect_no_changes();
}

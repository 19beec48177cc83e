//! `drift` and `refresh`: what somebody else changed, told and taken in.

use super::{seen, small};
use crate::support::{Project, actions};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};
use std::collections::HashMap;

const QUEUE: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/orders";
const POLICY: &str = "arn:aws:iam::000000000000:policy/send";

/// Someone outside sets the queue's visibility timeout.
pub(super) async fn set_timeout(project: &Project, seconds: &str) {
    let aws = project.outside().await;
    let call = aws.sqs().set_queue_attributes().queue_url(QUEUE);
    let call = call.attributes(Name::VisibilityTimeout, seconds);
    call.send().await.unwrap();
}

async fn delete_log(project: &Project) {
    let aws = project.outside().await;
    let call = aws.logs().delete_log_group().log_group_name("/app/orders");
    call.send().await.unwrap();
}

async fn set_policy(project: &Project, action: &str) {
    let arn = project.state()["resources"]["queue"]["outputs"]["arn"].clone();
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn},
        {"Effect": "Allow", "Action": action, "Resource": "*"},
    ]});
    let aws = project.outside().await;
    let call = aws.iam().create_policy_version().policy_arn(POLICY);
    let call = call
        .policy_document(document.to_string())
        .set_as_default(true);
    call.send().await.unwrap();
}

#[tokio::test]
async fn what_changed_outside_is_told_whatever_the_file_says() {
    let project = small();
    project.apply();
    let none = project.run(&["drift"]).expect(0);
    insta::assert_snapshot!(seen(&none), @"
    exit: 0
    --- stdout
    small, account 000000000000, region us-west-2, local cloud
    file stacks/small.yaml, state state/small.json

    No drift. What was read is as last applied: 3 resources.
    --- stderr
    ");
    set_timeout(&project, "45").await;
    delete_log(&project).await;
    set_policy(&project, "s3:GetObject").await;
    let before = project.read("state/small.json");
    // The file's own changes are no drift, nor what is new in it or no longer there.
    let text = project.read("stacks/small.yaml");
    project.write(
        "stacks/small.yaml",
        text.replace("retentionInDays: 7", "retentionInDays: 14")
            .replace(
                "resources:",
                "resources:\n  pet: {type: \"random:RandomPet\"}",
            ),
    );
    let told = project.run(&["drift"]).expect(2);
    insta::assert_snapshot!(seen(&told), @r#"
    exit: 2
    --- stdout
    small, account 000000000000, region us-west-2, local cloud
    file stacks/small.yaml, state state/small.json

      - log  aws:cloudwatch:LogGroup  [id=/app/orders]  # gone: deleted outside stackctl
          name: /app/orders, retentionInDays: 7

      ~ policy  aws:iam:Policy  [id=arn:aws:iam::000000000000:policy/send]  # last applied -> live
          ~ policy:
              + Statement[1]:
                  Action: s3:GetObject
                  Effect: Allow
                  Resource: "*"
              # (1 unchanged statement hidden)

      ~ queue  aws:sqs:Queue  [id=https://sqs.us-west-2.amazonaws.com/000000000000/orders]  # last applied -> live
          ~ visibilityTimeoutSeconds: 30 -> 45

    Drift: 2 changed outside, 1 gone, of 3 resources read.
    --- stderr
    "#);
    assert_eq!(project.read("state/small.json"), before);
    let mut json = project.run(&["drift", "--json"]).expect(2).json();
    json["lineage"] = "[lineage]".into();
    insta::assert_snapshot!(format!("{json:#}"), @r#"
    {
      "account": "000000000000",
      "env": null,
      "format_version": "1.0",
      "head": {
        "endpoints": [],
        "file": "stacks/small.yaml",
        "local": true,
        "state": "state/small.json"
      },
      "lineage": "[lineage]",
      "region": "us-west-2",
      "resources": [
        {
          "address": "log",
          "drift": [],
          "id": "/app/orders",
          "sensitive": [],
          "status": "gone",
          "type": "aws:cloudwatch:LogGroup"
        },
        {
          "address": "policy",
          "drift": [
            {
              "applied": {
                "Statement": [
                  {
                    "Action": "sqs:SendMessage",
                    "Effect": "Allow",
                    "Resource": "arn:aws:sqs:us-west-2:000000000000:orders"
                  }
                ],
                "Version": "2012-10-17"
              },
              "live": {
                "Statement": [
                  {
                    "Action": "sqs:SendMessage",
                    "Effect": "Allow",
                    "Resource": "arn:aws:sqs:us-west-2:000000000000:orders"
                  },
                  {
                    "Action": "s3:GetObject",
                    "Effect": "Allow",
                    "Resource": "*"
                  }
                ],
                "Version": "2012-10-17"
              },
              "path": "/policy"
            }
          ],
          "id": "arn:aws:iam::000000000000:policy/send",
          "sensitive": [],
          "status": "changed",
          "type": "aws:iam:Policy"
        },
        {
          "address": "queue",
          "drift": [
            {
              "applied": 30,
              "live": 45,
              "path": "/visibilityTimeoutSeconds"
            }
          ],
          "id": "https://sqs.us-west-2.amazonaws.com/000000000000/orders",
          "sensitive": [],
          "status": "changed",
          "type": "aws:sqs:Queue"
        }
      ],
      "serial": 1,
      "stack": "small",
      "summary": {
        "changed": 2,
        "deposed": 0,
        "gone": 1,
        "read": 3
      },
      "unfinished": []
    }
    "#);
    let one = project.run(&["drift", "small", "queue"]).expect(2);
    assert!(
        one.stdout
            .ends_with("Drift: 1 changed outside, 0 gone, of 1 resource read.\n")
    );
    let wrong = project.run(&["drift", "quue"]).expect(1);
    insta::assert_snapshot!(wrong.stderr, @"
    error: quue: no resource in the state has this address, and no stack this name.
      now: Nothing was read or changed.
      next: Did you mean queue?
    ");
}

#[tokio::test]
async fn a_refresh_makes_drift_a_change_of_the_file() {
    let project = small();
    project.apply();
    set_timeout(&project, "45").await;
    delete_log(&project).await;
    let before = project.read("state/small.json");
    let refused = project.run(&["refresh"]).expect(1);
    assert!(refused.stderr.contains("add --yes"), "{}", refused.stderr);
    assert_eq!(project.read("state/small.json"), before);
    let drift = project.run(&["drift"]).expect(2);
    let refreshed = project.run(&["refresh", "--yes"]).expect(0);
    assert_eq!(refreshed.stdout, drift.stdout);
    insta::assert_snapshot!(refreshed.stderr, @"The state has the live values now; nothing else was changed.");
    project.run(&["drift"]).expect(0);
    let state = project.state();
    assert_eq!(state["serial"], 2);
    let queue = &state["resources"]["queue"];
    assert_eq!(queue["inputs"]["visibilityTimeoutSeconds"], 45);
    assert_eq!(queue["outputs"]["visibilityTimeoutSeconds"], 45);
    assert_eq!(state["resources"]["log"], Value::Null);
    let plan = project.plan();
    let update = (String::from("queue"), vec!["update".to_owned()]);
    let create = (String::from("log"), vec!["create".to_owned()]);
    assert_eq!(actions(&plan), [create, update]);
    let queue = &plan["changes"][2];
    assert_eq!(
        (&queue["address"], &queue["drift"]),
        (&json!("queue"), &json!([]))
    );
    assert_eq!(queue["before"]["visibilityTimeoutSeconds"], 45);
    // With the file as what is live, nothing is left to do.
    let text = project.read("stacks/small.yaml");
    project.write(
        "stacks/small.yaml",
        text.replace("default: 30", "default: 45"),
    );
    project.apply();
    project.expect_no_changes();
    let idle = project.run(&["refresh", "--json"]).expect(0).json();
    assert_eq!(idle["refreshed"], false);
    assert_eq!(idle["serial"], project.state()["serial"]);
}

#[tokio::test]
async fn a_refresh_of_one_resource_leaves_the_others() {
    let project = small();
    project.apply();
    set_timeout(&project, "45").await;
    delete_log(&project).await;
    let json = ["refresh", "--json", "--yes", "queue"];
    let told = project.run(&json).expect(0).json();
    assert_eq!(told["refreshed"], true);
    assert_eq!(told["serial"], 2);
    let left = project.run(&["drift"]).expect(2);
    assert!(
        left.stdout
            .contains("Drift: 0 changed outside, 1 gone, of 3 resources read."),
        "{}",
        left.stdout
    );
}

#[tokio::test]
async fn a_whole_shape_is_taken_in() {
    let project = small();
    let text = project.read("stacks/small.yaml");
    project.write(
        "stacks/small.yaml",
        text.replace(
            "visibilityTimeoutSeconds: \"${var.size}\"",
            "tags: {team: red, cost: \"7\"}",
        ),
    );
    project.apply();
    set_policy(&project, "s3:GetObject").await;
    let aws = project.outside().await;
    let tags = HashMap::from([
        ("team".to_owned(), "blue".to_owned()),
        ("new".to_owned(), "1".to_owned()),
    ]);
    let call = aws.sqs().tag_queue().queue_url(QUEUE).set_tags(Some(tags));
    call.send().await.unwrap();
    let call = aws.sqs().untag_queue().queue_url(QUEUE).tag_keys("cost");
    call.send().await.unwrap();
    let told = project.run(&["drift"]).expect(2);
    insta::assert_snapshot!(told.stdout, @r#"
    small, account 000000000000, region us-west-2, local cloud
    file stacks/small.yaml, state state/small.json

      ~ policy  aws:iam:Policy  [id=arn:aws:iam::000000000000:policy/send]  # last applied -> live
          ~ policy:
              + Statement[1]:
                  Action: s3:GetObject
                  Effect: Allow
                  Resource: "*"
              # (1 unchanged statement hidden)

      ~ queue  aws:sqs:Queue  [id=https://sqs.us-west-2.amazonaws.com/000000000000/orders]  # last applied -> live
          - tags.cost: "7"
          ~ tags.team: red -> blue

    Drift: 2 changed outside, 0 gone, of 3 resources read.
    "#);
    project.run(&["refresh", "--yes"]).expect(0);
    project.run(&["drift"]).expect(0);
    let inputs = &project.state()["resources"]["queue"]["inputs"];
    // What the file never named is no drift.
    assert_eq!(inputs["tags"], json!({"team": "blue"}));
    let plan = project.run(&["plan"]).expect(0).stdout;
    assert!(
        !plan.contains("outside") && plan.contains("2 to update"),
        "{plan}"
    );
    project.apply();
    project.expect_no_changes();
}

const SAFE: &str = r#"
name: small
variables:
  token: {type: string, sensitive: true}
providers:
  aws: {region: us-west-2}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: orders, tags: {token: "is-${var.token}", team: red}}
"#;

/// With and without a key to the state's secrets.
#[tokio::test]
async fn a_secret_that_drifted_is_told_and_taken_in_unseen() {
    for passphrase in [None, Some("correct horse")] {
        let mut project = Project::new();
        project.write("stacks/small.yaml", SAFE);
        project.env("STACKCTL_VAR_token", "hunter2-token");
        if let Some(text) = passphrase {
            project.env("STACKCTL_STATE_PASSPHRASE", text);
        }
        project.apply();
        project.run(&["drift"]).expect(0);
        let idle = project.run(&["refresh", "--json"]).expect(0).json();
        assert_eq!(idle["refreshed"], false);
        let aws = project.outside().await;
        let tags = HashMap::from([("token".to_owned(), "other-secret".to_owned())]);
        let call = aws.sqs().tag_queue().queue_url(QUEUE).set_tags(Some(tags));
        call.send().await.unwrap();
        let told = project.run(&["drift"]).expect(2);
        assert!(
            told.stdout.contains("~ tags.token: (secret, changes)"),
            "{}",
            told.stdout
        );
        let json = project.run(&["drift", "--json"]).expect(2);
        let row = &json.json()["resources"][0];
        assert_eq!(row["sensitive"], json!(["/tags/token"]));
        assert_eq!(
            row["drift"],
            json!([{"path": "/tags/token", "applied": null, "live": null}])
        );
        let refreshed = project.run(&["refresh", "--yes"]).expect(0);
        project.run(&["drift"]).expect(0);
        let state = project.read("state/small.json");
        for text in [&told.stdout, &json.stdout, &refreshed.stdout, &state] {
            assert!(
                !text.contains("other-secret") && !text.contains("hunter2"),
                "{text}"
            );
        }
        let plan = project.plan();
        assert_eq!(plan["summary"]["update"], 1);
        assert_eq!(plan["changes"][0]["drift"], json!([]));
        project.apply();
        project.expect_no_changes();
    }
}

/// An output that AWS counts is no drift, and a refresh takes it in all the same.
#[tokio::test]
async fn a_refresh_takes_in_what_only_outputs_tell() {
    let project = small();
    project.apply();
    let count = |project: &Project| {
        project.state()["resources"]["policy"]["outputs"]["attachmentCount"].clone()
    };
    assert_eq!(count(&project), 0);
    let aws = project.outside().await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]});
    let role = aws.iam().create_role().role_name("other");
    let role = role.assume_role_policy_document(trust.to_string());
    role.send().await.unwrap();
    let attach = aws.iam().attach_role_policy().role_name("other");
    attach.policy_arn(POLICY).send().await.unwrap();
    project.run(&["drift"]).expect(0);
    let told = project.run(&["refresh", "--yes"]).expect(0);
    let line = "policy: the outputs attachmentCount have changed";
    assert!(told.stdout.contains(line), "{}", told.stdout);
    assert_eq!(count(&project), 1);
    let again = project.run(&["refresh", "--yes"]).expect(0);
    assert!(
        !again.stdout.contains("attachmentCount"),
        "{}",
        again.stdout
    );
}

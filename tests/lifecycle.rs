//! The whole way of the repository's stack on the local cloud, as its user walks it.

use crate::support::{Project, actions};
use serde_json::{Value, json};

#[test]
fn the_websocket_stack_goes_up_changes_and_comes_down() {
    let project = Project::websocket();
    let plan = project.plan();
    assert_eq!(plan["summary"]["create"], 19);
    let applied = project.apply();
    assert!(
        applied.stdout.contains("websocket_URI"),
        "{}",
        applied.stdout
    );
    project.expect_no_changes();

    let outputs = project.run(&["outputs", "--json"]).expect(0).json();
    assert_eq!(outputs["account_id"], "000000000000");
    let names: Vec<&String> = outputs.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["Queue", "account_id", "lambda_log_group", "websocket_URI"]
    );
    let uri = outputs["websocket_URI"].as_str().unwrap();
    assert!(
        uri.starts_with("wss://") && uri.ends_with("/production"),
        "{uri}"
    );
    let bare = project
        .run(&["outputs", "--raw", "websocket_URI"])
        .expect(0);
    assert_eq!(bare.stdout, uri);

    let plan = project
        .run(&["plan", "--json", "--var", "lambda_log_retention=14"])
        .expect(0)
        .json();
    assert_eq!(actions(&plan).len(), 1, "{plan:#}");
    assert_eq!(actions(&plan)[0].1, ["update"]);
    project
        .run(&["apply", "--yes", "--var", "lambda_log_retention=14"])
        .expect(0);
    let group = object(&project, "group");
    assert_eq!(group["retentionInDays"], 14);
    let again = [
        "plan",
        "--detailed-exitcode",
        "--var",
        "lambda_log_retention=14",
    ];
    project.run(&again).expect(0);

    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(project.cloud(), []);
    assert_eq!(project.state()["resources"], json!({}));
    assert_eq!(
        project.run(&["outputs", "--json"]).expect(0).json(),
        json!({})
    );
}

fn object(project: &Project, kind: &str) -> Value {
    let found = project.cloud().into_iter().find(|entry| entry.kind == kind);
    found.unwrap_or_else(|| panic!("no {kind}")).value
}

#[test]
fn two_copies_live_in_one_account_in_one_region_and_in_two() {
    let (first, second, abroad) = (
        Project::websocket(),
        Project::websocket(),
        Project::websocket(),
    );
    first.apply();
    second.share_cloud(&first);
    second.apply();
    abroad.share_cloud(&second);
    let region = ["--var", "aws_region=eu-central-1"];
    abroad
        .run(&[&["apply", "--yes"], &region[..]].concat())
        .expect(0);
    let roles = abroad.cloud().into_iter();
    let roles = roles.filter(|entry| (&*entry.service, &*entry.kind) == ("iam", "role"));
    assert_eq!(roles.count(), 6);
    abroad
        .run(&[&["destroy", "--yes"], &region[..]].concat())
        .expect(0);
    second.share_cloud(&abroad);
    second.expect_no_changes();
}

#[test]
fn arns_and_host_names_are_those_of_the_partition() {
    for (region, partition, suffix) in [
        ("us-west-2", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ] {
        let project = Project::websocket();
        let region_is = format!("--var=aws_region={region}");
        project.run(&["apply", "--yes", &region_is]).expect(0);
        let state = project.state();
        let of = |address: &str| &state["resources"][address];
        let statements = &of("lambda_policy")["inputs"]["policy"]["Statement"];
        let logs = format!("arn:{partition}:logs:{region}:000000000000:log-group:/aws/lambda/");
        let log = statements[2]["Resource"].as_str().unwrap();
        assert!(log.starts_with(&logs), "{log}");
        assert_eq!(
            statements[2]["Action"],
            json!(["logs:CreateLogStream", "logs:PutLogEvents"])
        );
        let uri = of("integration")["inputs"]["integrationUri"]
            .as_str()
            .unwrap();
        assert!(
            uri.starts_with(&format!("arn:{partition}:apigateway:{region}:sqs:path/")),
            "{uri}"
        );
        let variables = &of("responder")["inputs"]["environment"]["variables"];
        let api = of("api")["id"].as_str().unwrap();
        assert_eq!(
            variables["ApiGatewayEndpoint"],
            format!("https://{api}.execute-api.{region}.{suffix}/production")
        );
    }
}

/// What a replacement leaves in place is let go of; what took its place stays known.
#[test]
fn an_old_one_that_is_kept_is_forgotten_alone() {
    let project = Project::new();
    let stack = json!({"name": "s", "providers": {"aws": {"region": "us-west-2"}}, "resources": {
        "queue": {"type": "aws:sqs:Queue", "options": {"retainOnDelete": true}},
    }});
    project.write("stacks/s.yaml", stack.to_string());
    project.apply();
    let id = |project: &Project| project.state()["resources"]["queue"]["id"].clone();
    let old = id(&project);
    project
        .run(&["apply", "--yes", "--replace", "queue"])
        .expect(0);
    assert!(id(&project).is_string() && id(&project) != old);
    assert!(
        project
            .state()
            .get("deposed")
            .is_none_or(|it| *it == json!({}))
    );
    assert_eq!(project.cloud().len(), 2);
    project.expect_no_changes();
}

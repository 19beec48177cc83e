//! For every type: a create whose reply nobody heard is found again, exactly once, by the
//! same run and by the next one; and what somebody else made under the same name is not taken
//! for it.

use crate::conformance::{Case, cases};
use crate::support::tally::Tally;
use crate::support::{Project, census, in_parallel};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The call that makes an object of a type.
const CREATES: &[(&str, &str)] = &[
    ("aws:apigateway:Account", "apigateway:UpdateAccount"),
    ("aws:apigatewayv2:Api", "apigateway:CreateApi"),
    ("aws:apigatewayv2:Deployment", "apigateway:CreateDeployment"),
    (
        "aws:apigatewayv2:Integration",
        "apigateway:CreateIntegration",
    ),
    (
        "aws:apigatewayv2:IntegrationResponse",
        "apigateway:CreateIntegrationResponse",
    ),
    ("aws:apigatewayv2:Route", "apigateway:CreateRoute"),
    (
        "aws:apigatewayv2:RouteResponse",
        "apigateway:CreateRouteResponse",
    ),
    ("aws:apigatewayv2:Stage", "apigateway:CreateStage"),
    ("aws:cloudwatch:LogGroup", "logs:CreateLogGroup"),
    ("aws:iam:Policy", "iam:CreatePolicy"),
    ("aws:iam:Role", "iam:CreateRole"),
    ("aws:iam:RolePolicy", "iam:PutRolePolicy"),
    ("aws:iam:RolePolicyAttachment", "iam:AttachRolePolicy"),
    (
        "aws:lambda:EventSourceMapping",
        "lambda:CreateEventSourceMapping",
    ),
    ("aws:lambda:Function", "lambda:CreateFunction"),
    ("aws:lambda:Permission", "lambda:AddPermission"),
    ("aws:s3:Bucket", "s3:CreateBucket"),
    ("aws:s3:BucketAcl", "s3:PutBucketAcl"),
    ("aws:s3:BucketObject", "s3:PutObject"),
    (
        "aws:s3:BucketOwnershipControls",
        "s3:PutBucketOwnershipControls",
    ),
    ("aws:s3:BucketPolicy", "s3:PutBucketPolicy"),
    ("aws:s3:BucketPublicAccessBlock", "s3:PutPublicAccessBlock"),
    ("aws:s3:BucketVersioning", "s3:PutBucketVersioning"),
    ("aws:sns:Topic", "sns:CreateTopic"),
    ("aws:sns:TopicSubscription", "sns:Subscribe"),
    ("aws:sqs:Queue", "sqs:CreateQueue"),
    ("aws:sqs:QueuePolicy", "sqs:SetQueueAttributes"),
];

fn project(case: &Case) -> Project {
    let project = Project::new();
    for (path, text) in &case.files {
        project.write(path, text);
    }
    let stack = json!({"name": "case", "resources": case.resources, "data": case.data});
    project.write("stacks/case.yaml", stack.to_string());
    project
}

fn is_right(project: &Project, expected: &BTreeMap<String, usize>, case: &str) {
    assert_eq!(&census(project), expected, "{case}");
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{case}:\n{}", plan.stdout);
}

#[test]
fn a_create_that_nobody_heard_of_is_found_once() {
    let remote = cases()
        .into_iter()
        .filter(|(name, _)| name.starts_with("aws:"));
    let tally = Tally::new("creates found", "found");
    in_parallel(remote.collect(), |(name, path)| {
        let create = CREATES.iter().find(|(kind, _)| *kind == name);
        let (_, call) = create.unwrap_or_else(|| panic!("which call makes {name}?"));
        let case: Case = serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let whole = project(&case);
        whole.apply();
        let expected = census(&whole);
        for what in [
            json!("lostReply"),
            json!({"error": 500}),
            json!("killAfter"),
            json!({"killInFlight": 3000}),
        ] {
            let mut project = project(&case);
            let faults = json!([{"call": call, "at": 1, "what": what}]).to_string();
            project.env("STACKCTL_LOCAL_FAULTS", &faults);
            let ended = project.run(&["apply", "--yes"]);
            project.env("STACKCTL_LOCAL_FAULTS", "[]");
            let case = format!("{} with {faults}", path.display());
            tally.offered(&case);
            match what.to_string().contains("kill") {
                true => {
                    assert_eq!(ended.code, None, "{case}:\n{}", ended.stderr);
                    project.apply();
                }
                false => {
                    assert_eq!(ended.code, Some(0), "{case}:\n{}", ended.stderr);
                    let told = ["looking whether the create took effect", " is made again"];
                    let told = told.iter().any(|told| ended.stderr.contains(told));
                    assert!(told, "{case}:\n{}", ended.stderr);
                }
            }
            tally.struck(&case);
            is_right(&project, &expected, &case);
            tally.held(&case);
        }
    });
    tally.end(CREATES.len() * 4);
}

/// A reply of success without the id that it is to bring tells no more than a lost one.
#[test]
fn a_create_whose_reply_has_no_id_is_found_once() {
    let with_id = |call: &&str| {
        let others = [
            "sns:CreateTopic",
            "sns:Subscribe",
            "sqs:CreateQueue",
            "iam:CreateRole",
            "iam:CreatePolicy",
            "lambda:CreateEventSourceMapping",
        ];
        let named = "apigateway:CreateStage";
        call.starts_with("apigateway:Create") && *call != named || others.contains(call)
    };
    let remote = cases().into_iter().filter_map(|(name, path)| {
        let (_, call) = CREATES.iter().find(|(kind, _)| *kind == name)?;
        with_id(call).then_some((*call, path))
    });
    let remote: Vec<_> = remote.collect();
    assert!(remote.len() >= 10, "{remote:?}");
    in_parallel(remote, |(call, path)| {
        let case: Case = serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let whole = project(&case);
        whole.apply();
        let mut project = project(&case);
        let faults = json!([{"call": call, "at": 1, "what": "hollow"}]).to_string();
        project.env("STACKCTL_LOCAL_FAULTS", &faults);
        let told = project.run(&["apply", "--yes"]).expect(0).stderr;
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        let looked = "the reply could not be read; looking whether the create took effect";
        assert!(told.contains(looked), "{}: {told}", path.display());
        is_right(&project, &census(&whole), &path.display().to_string());
    });
}

/// Types whose names are unique in the account.
fn named() -> Vec<(&'static str, &'static str, Value)> {
    let policy = |principal: Value| {
        let mut statement = json!({"Effect": "Allow", "Action": "sqs:SendMessage"});
        match principal {
            Value::Null => statement["Resource"] = json!("*"),
            principal => {
                statement["Action"] = json!("sts:AssumeRole");
                statement["Principal"] = principal;
            }
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    let lambda = json!({"Service": "lambda.amazonaws.com"});
    vec![
        (
            "aws:sns:Topic",
            "sns:CreateTopic",
            json!({"name": "theirs"}),
        ),
        (
            "aws:sqs:Queue",
            "sqs:CreateQueue",
            json!({"name": "theirs"}),
        ),
        (
            "aws:cloudwatch:LogGroup",
            "logs:CreateLogGroup",
            json!({"name": "theirs"}),
        ),
        (
            "aws:iam:Role",
            "iam:CreateRole",
            json!({"name": "theirs", "assumeRolePolicy": policy(lambda)}),
        ),
        (
            "aws:iam:Policy",
            "iam:CreatePolicy",
            json!({"name": "theirs", "policy": policy(Value::Null)}),
        ),
        (
            "aws:s3:Bucket",
            "s3:CreateBucket",
            json!({"bucket": "theirs-4711"}),
        ),
    ]
}

#[test]
fn what_somebody_else_made_is_not_taken_for_ones_own() {
    in_parallel(named(), |(type_name, call, properties)| {
        let mut project = Project::new();
        let resource = json!({"type": type_name, "properties": properties});
        for (name, env) in [
            ("theirs", "[]"),
            ("ours", "lostReply"),
            ("ours", "killBefore"),
        ] {
            let stack = json!({"name": name, "resources": {"it": resource}});
            let path = format!("stacks/{name}.yaml");
            project.write(&path, stack.to_string());
            let faults = json!([{"call": call, "at": 1, "what": env}]).to_string();
            let faults = if env == "[]" { env } else { &faults };
            project.env("STACKCTL_LOCAL_FAULTS", faults);
            let ended = project.run(&["apply", "--yes", name]);
            let case = format!("{type_name}, {name}, {env}:\n{}", ended.stderr);
            match env {
                "[]" => assert_eq!(ended.code, Some(0), "{case}"),
                "killBefore" => assert_eq!(ended.code, None, "{case}"),
                _ => assert_eq!(ended.code, Some(1), "{case}"),
            }
            if name == "ours" {
                project.env("STACKCTL_LOCAL_FAULTS", "[]");
                let plan = project.run(&["plan", "--json", name]).expect(0).json();
                assert_eq!(plan["changes"][0]["actions"], json!(["create"]), "{case}");
            }
        }
        assert_eq!(project.cloud().len(), 1);
    });
}

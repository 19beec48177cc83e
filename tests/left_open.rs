//! Steps whose end nobody knows, or that failed, and what becomes of them in the runs after.

use crate::support::{Project, actions, census, in_parallel};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FAULTS: &str = "STACKCTL_LOCAL_FAULTS";

fn stack(project: &Project, resources: &Value) {
    let stack = json!({
        "name": "s", "providers": {"aws": {"region": "us-west-2"}}, "resources": resources,
    });
    project.write("stacks/s.yaml", stack.to_string());
}

fn api() -> Value {
    json!({"type": "aws:apigatewayv2:Api", "properties": {
        "name": "api", "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.a",
    }})
}

fn queue() -> Value {
    json!({"type": "aws:sqs:Queue", "properties": {"name": "q"}})
}

/// Runs an apply with these faults, which must fail.
#[track_caller]
fn fails(project: &mut Project, faults: &Value) -> String {
    project.env(FAULTS, &faults.to_string());
    let ended = project.run(&["apply", "--yes"]).expect(1);
    project.unset(FAULTS);
    ended.stderr
}

fn pending(project: &Project) -> usize {
    project.state()["pending"].as_array().map_or(0, Vec::len)
}

/// The create takes effect, its reply is lost, and every later call goes wrong like this.
fn lost_then(call: &str, what: &Value) -> Value {
    json!([
        {"call": call, "at": 1, "what": "lostReply"},
        {"call": "*", "after": call, "what": what},
    ])
}

/// A project with an API that exists, and of which the state knows only that it may.
fn left_open() -> Project {
    let mut project = Project::new();
    stack(&project, &json!({"a": api()}));
    fails(
        &mut project,
        &lost_then("apigateway:CreateApi", &json!({"error": 503})),
    );
    assert_eq!((pending(&project), project.cloud().len()), (1, 1));
    project
}

#[track_caller]
fn has_one_api(project: &Project, address: &str) {
    let one = BTreeMap::from([("apigateway api".to_owned(), 1)]);
    assert_eq!(census(project), one);
    let state = project.state();
    let addresses: Vec<&String> = state["resources"].as_object().unwrap().keys().collect();
    assert_eq!(addresses, [address]);
    assert_eq!(pending(project), 0);
    project.expect_no_changes();
}

/// However the lookup of what a create may have created ends, but with an answer: the create
/// stays open, and the next run finds its resource.
#[test]
fn a_create_that_could_not_be_looked_up_is_found_by_the_next_run() {
    let lookups = [
        json!({"error": 503}),
        json!("deny"),
        json!("throttle"),
        json!("expired"),
        json!("refused"),
        json!("reset"),
        json!("malformed"),
        json!("panic"),
    ];
    let resources = [
        ("apigateway:CreateApi", api()),
        ("sqs:CreateQueue", queue()),
    ];
    let cases = lookups.iter().flat_map(|what| {
        let resources = resources.iter();
        resources.map(move |(call, resource)| (*call, resource, what))
    });
    in_parallel(cases.collect(), |(call, resource, what)| {
        let mut project = Project::new();
        stack(&project, &json!({"it": resource}));
        let told = fails(&mut project, &lost_then(call, what));
        let case = format!("{call}, then {what}: {told}");
        assert!(
            told.contains("creating it failed")
                && told.contains("Whether it was created is not known; the next run finds out."),
            "{case}"
        );
        assert_eq!((pending(&project), project.cloud().len()), (1, 1), "{case}");
        project.apply();
        assert_eq!((pending(&project), project.cloud().len()), (0, 1), "{case}");
        project.expect_no_changes();
    });
}

/// SQS returns a queue that exists as one that it has just created: until its tags were seen,
/// it may be somebody else's. The create itself went through here.
#[test]
fn a_queue_whose_owner_could_not_be_read_is_found_by_the_next_run() {
    let cases = vec![json!("expired"), json!("refused"), json!("panic")];
    in_parallel(cases, |what| {
        let mut project = Project::new();
        stack(&project, &json!({"q": queue()}));
        let faults = json!([{"call": "*", "after": "sqs:CreateQueue", "what": what}]);
        let told = fails(&mut project, &faults);
        assert_eq!(project.cloud().len(), 1, "{told}");
        project.apply();
        assert_eq!(project.cloud().len(), 1, "{what}");
        project.expect_no_changes();
    });
}

/// What a create with a panic has recorded by then is in the state.
#[test]
fn a_panic_after_a_create_leaves_nothing_unknown() {
    let mut project = Project::new();
    let group = json!({"type": "aws:cloudwatch:LogGroup", "properties": {
        "name": "g", "retentionInDays": 7,
    }});
    stack(&project, &json!({"g": group}));
    let told = fails(
        &mut project,
        &json!([{"call": "logs:PutRetentionPolicy", "what": "panic"}]),
    );
    assert!(told.contains("g exists and is in the state"), "{told}");
    project.apply();
    assert_eq!(project.cloud().len(), 1);
    project.expect_no_changes();
}

#[test]
fn a_lookup_that_fails_in_the_next_run_too_leaves_the_create_open() {
    let mut project = left_open();
    for what in [json!({"error": 503}), json!("expired"), json!("deny")] {
        let told = fails(
            &mut project,
            &json!([{"call": "apigateway:Get*", "what": what}]),
        );
        assert!(
            told.contains(
                "Nothing was changed. Whether an earlier run created a is still not known"
            ),
            "{told}"
        );
        assert_eq!((pending(&project), project.cloud().len()), (1, 1));
    }
    // A plan looks too, and shows what is found as what exists.
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(pending(&project), 1, "a plan writes nothing");
    project.apply();
    has_one_api(&project, "a");
}

#[test]
fn an_open_create_has_the_address_that_its_resource_has_now() {
    // In the file.
    let project = left_open();
    let mut moved = api();
    moved["options"] = json!({"movedFrom": "a"});
    stack(&project, &json!({"b": moved}));
    assert_eq!(
        actions(&project.plan()),
        [("b".to_owned(), vec!["move".to_owned()])]
    );
    project.apply();
    has_one_api(&project, "b");
    // By the command, which looks up nothing.
    let project = left_open();
    project.run(&["state", "mv", "a", "b", "--yes"]).expect(0);
    stack(&project, &json!({"b": api()}));
    project.apply();
    has_one_api(&project, "b");
    // And one that left the file is deleted.
    let project = left_open();
    stack(&project, &json!({}));
    project.apply();
    assert_eq!(project.cloud(), []);
    let project = left_open();
    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(project.cloud(), []);
}

/// API Gateway takes one write at a time under an API.
#[test]
fn a_step_that_fails_lets_the_next_one_of_its_lane_start() {
    let mut project = Project::new();
    let route = |key: &str| {
        json!({"type": "aws:apigatewayv2:Route", "properties": {
            "apiId": "${api.id}", "routeKey": key,
        }})
    };
    let routes = json!({"api": api(), "r1": route("a"), "r2": route("b"), "r3": route("c")});
    stack(&project, &routes);
    for what in [json!("refused"), json!("panic")] {
        let told = fails(
            &mut project,
            &json!([{"call": "apigateway:CreateRoute", "at": 1, "what": what}]),
        );
        assert!(told.contains("1 failed, 0 skipped"), "{told}");
    }
    project.apply();
    let kinds = census(&project);
    assert_eq!(kinds["apigateway route"], 3, "{kinds:?}");
    project.expect_no_changes();
}

fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sqs.amazonaws.com"}}
    ]})
}

fn allow(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": "*"}
    ]})
}

/// A role with policies of its own is deleted with them. One with a policy that somebody else put
/// cannot be deleted, and keeps it.
#[tokio::test]
async fn a_role_is_deleted_with_its_own_policies_alone() {
    let inline = |name: &str| json!({"name": name, "policy": allow("sqs:*")});
    let role = |properties: Value| {
        let mut role = json!({"name": "r", "assumeRolePolicy": trust()});
        let members = properties.as_object().unwrap().clone();
        role.as_object_mut().unwrap().extend(members);
        json!({
            "policy": {"type": "aws:iam:Policy", "properties": {"name": "p", "policy": allow("sqs:*")}},
            "role": {
                "type": "aws:iam:Role", "properties": role,
                "options": {"timeouts": {"delete": "1s"}},
            },
        })
    };
    let own = json!({
        "managedPolicyArns": ["${policy.arn}"],
        "inlinePolicies": [inline("one"), inline("two")],
    });
    let project = Project::new();
    stack(&project, &role(own.clone()));
    project.apply();
    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(project.cloud(), []);
    let destroy = ["destroy", "--yes"];
    let unread = ["destroy", "--yes", "--refresh=false"];
    for (properties, args) in [
        (json!({}), &destroy[..]),
        (json!({"managedPolicyArns": ["${policy.arn}"]}), &destroy),
        (own, &unread),
    ] {
        let project = Project::new();
        stack(&project, &role(properties));
        project.apply();
        let iam = project.outside().await.iam().clone();
        let put = iam.put_role_policy().role_name("r").policy_name("theirs");
        let put = put.policy_document(allow("s3:*").to_string());
        put.send().await.unwrap();
        let told = project.run(args).expect(1).stderr;
        assert!(
            told.contains("it still has the inline policy theirs"),
            "{told}"
        );
        let theirs = iam.get_role_policy().role_name("r").policy_name("theirs");
        assert_eq!(theirs.send().await.unwrap().policy_name, "theirs");
        let delete = iam.delete_role_policy().role_name("r");
        delete.policy_name("theirs").send().await.unwrap();
        project.run(&destroy).expect(0);
        assert_eq!(project.cloud(), []);
    }
}

/// A key that a map is to lose is there until the service has taken it away, whatever is looked at
/// in between.
#[test]
fn a_tag_that_could_not_be_taken_away_is_not_told_as_gone() {
    let mut project = Project::new();
    let queue = |tags: Value| json!({"q": {"type": "aws:sqs:Queue", "properties": {"name": "q", "tags": tags}}});
    stack(&project, &queue(json!({"stays": "1", "goes": "1"})));
    project.apply();
    stack(&project, &queue(json!({"stays": "1"})));
    let away = json!([{"call": "sqs:UntagQueue", "what": {"error": 503}}]);
    project.env("STACKCTL_LOCAL_FAULTS", &away.to_string());
    project.run(&["apply", "--yes"]).expect(1);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    // Only a create is looked for.
    assert_eq!(pending(&project), 0);
    assert_eq!(project.plan()["summary"]["update"], 1);
    project.apply();
    project.expect_no_changes();
    // A map that goes as a whole.
    stack(
        &project,
        &json!({"q": {"type": "aws:sqs:Queue", "properties": {"name": "q"}}}),
    );
    project.env("STACKCTL_LOCAL_FAULTS", &away.to_string());
    project.run(&["apply", "--yes"]).expect(1);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    project.apply();
    project.expect_no_changes();
}

/// IAM keeps five versions of a policy: the oldest goes for the sixth.
#[tokio::test]
async fn a_policy_updated_again_and_again_keeps_its_newest_versions() {
    let project = Project::new();
    let actions = ["a", "b", "c", "d", "e", "f", "g"];
    for action in actions {
        let policy = allow(&format!("sqs:{action}"));
        let policy =
            json!({"type": "aws:iam:Policy", "properties": {"name": "p", "policy": policy}});
        stack(&project, &json!({"p": policy}));
        project.apply();
    }
    project.expect_no_changes();
    let arn = project.state()["resources"]["p"]["id"].clone();
    let aws = project.outside().await;
    let list = aws.iam().list_policy_versions();
    let list = list.policy_arn(arn.as_str().unwrap()).send().await.unwrap();
    let versions = list.versions.unwrap_or_default().into_iter();
    let versions: Vec<_> = versions
        .map(|it| (it.version_id, it.is_default_version))
        .collect();
    let version = |number: u32, newest: bool| (Some(format!("v{number}")), newest);
    let expected = [
        version(7, true),
        version(6, false),
        version(5, false),
        version(4, false),
        version(3, false),
    ];
    assert_eq!(versions, expected);
}

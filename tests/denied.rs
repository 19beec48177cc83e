//! What a caller may not do: tag what it creates, read tags. And services that have not heard
//! of what was written a moment ago. The local cloud denies and lags as AWS does.

use crate::conformance::{Case, cases};
use crate::support::{Ended, Project};
use serde_json::{Value, json};

const QUEUE: &str = "  q: {type: \"aws:sqs:Queue\", properties: {name: q, tags: {a: \"1\"}}}\n";
const TOPIC: &str = "  t: {type: \"aws:sns:Topic\", properties: {name: t, tags: {a: \"1\"}}}\n";
const FIFO: &str = "  q: {type: \"aws:sqs:Queue\", properties: {name: q.fifo, fifoQueue: true, delaySeconds: 5}}\n";
const BUCKET: &str =
    "  b: {type: \"aws:s3:Bucket\", properties: {bucket: tagged-later, tags: {a: \"1\"}}}\n";
const GROUP: &str =
    "  g: {type: \"aws:cloudwatch:LogGroup\", properties: {name: g, tags: {a: \"1\"}}}\n";

fn stack(resources: &str) -> Project {
    let project = Project::new();
    write(&project, resources);
    project
}

fn write(project: &Project, resources: &str) {
    let text =
        format!("name: s\nproviders: {{aws: {{region: us-west-2}}}}\nresources:\n{resources}");
    project.write("stacks/s.yaml", text);
}

/// The same resources in a stack of another name, on the same cloud.
fn other_stack(theirs: &Project) -> Project {
    let project = theirs.fork();
    let text = project.read("stacks/s.yaml");
    std::fs::remove_file(project.dir().join("stacks/s.yaml")).unwrap();
    project.write(
        "stacks/mine.yaml",
        text.replace("name: s\n", "name: mine\n"),
    );
    project
}

/// The calls that go wrong from here on.
fn faults(project: &mut Project, faults: Value) {
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
}

fn deny(calls: &[&str]) -> Value {
    calls
        .iter()
        .map(|call| json!({"call": call, "what": "deny"}))
        .collect()
}

/// Every command goes on without the tags, says so once, and sees no difference.
fn is_read_without_tags(project: &Project, action: &str) {
    for command in [
        &["plan", "--detailed-exitcode"][..],
        &["drift"],
        &["apply", "--yes"],
    ] {
        let ended: Ended = project.run(command).expect(0);
        let told = ended.stderr.matches("cannot be read").count();
        assert_eq!(told, 1, "{command:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(action),
            "{command:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn tags_that_may_not_be_read_are_not_absent() {
    for (resources, action) in [
        (QUEUE, "sqs:ListQueueTags"),
        (TOPIC, "sns:ListTagsForResource"),
        (BUCKET, "s3:GetBucketTagging"),
        (GROUP, "logs:ListTagsForResource"),
    ] {
        let mut project = stack(resources);
        project.apply();
        faults(&mut project, deny(&[action]));
        is_read_without_tags(&project, action);
        // A tag that the file changes is still set.
        write(&project, &resources.replace("a: \"1\"", "a: \"2\""));
        let plan = project.run(&["plan", "--json"]).expect(0).json();
        assert_eq!(plan["summary"]["update"], 1, "{plan}");
    }
}

/// The conformance case of a type, tagged.
fn tagged(kind: &str) -> Project {
    let (_, path) = cases().into_iter().find(|(name, _)| name == kind).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let case: Case = serde_yaml::from_str(&text).unwrap();
    let project = Project::new();
    for (path, text) in &case.files {
        project.write(path, text);
    }
    let mut resources = json!(case.resources);
    resources[&case.address]["properties"]["tags"] = json!({"a": "1"});
    let stack = json!({"name": "s", "resources": resources, "data": case.data});
    project.write("stacks/s.yaml", stack.to_string());
    project
}

#[test]
fn tags_that_lambda_leaves_out_of_a_reply_are_not_absent() {
    for kind in ["aws:lambda:Function", "aws:lambda:EventSourceMapping"] {
        let mut project = tagged(kind);
        project.apply();
        faults(&mut project, deny(&["lambda:ListTags"]));
        is_read_without_tags(&project, "lambda:ListTags");
    }
}

#[test]
fn a_function_of_a_lost_reply_is_not_called_somebody_elses() {
    let mut project = tagged("aws:lambda:Function");
    let mut list = deny(&["lambda:ListTags"]);
    let lost = json!({"call": "lambda:CreateFunction", "at": 1, "what": "killAfter"});
    list.as_array_mut().unwrap().push(lost);
    faults(&mut project, list);
    assert_ne!(project.run(&["apply", "--yes"]).code, Some(0));
    faults(&mut project, deny(&["lambda:ListTags"]));
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(
        ended.stderr.contains("Allow lambda:ListTags"),
        "{}",
        ended.stderr
    );
    project.unset("STACKCTL_LOCAL_FAULTS");
    project.apply();
    project.expect_no_changes();
}

#[test]
fn a_bucket_is_tagged_in_a_second_call_where_the_first_may_not() {
    for what in ["deny", "noTags"] {
        let mut project = stack(BUCKET);
        faults(
            &mut project,
            json!([{"call": "s3:TagResource", "what": what}]),
        );
        project.apply();
        project.unset("STACKCTL_LOCAL_FAULTS");
        project.expect_no_changes();
        let bucket = project
            .cloud()
            .into_iter()
            .find(|it| it.kind == "bucket")
            .unwrap();
        let tags = bucket.value["tags"].to_string();
        assert!(
            tags.contains("stackctl:operation") && tags.contains("\"1\""),
            "{tags}"
        );
        project.run(&["destroy", "--yes"]).expect(0);
    }
}

/// The process dies with the create done, and whose it is may not be read: a name that was drawn
/// for it can be nobody else's, a given one can.
#[test]
fn what_was_created_under_a_name_of_its_own_is_found_without_tags() {
    let cases = [
        (
            "aws:s3:Bucket",
            "bucket",
            "s3:CreateBucket",
            "s3:GetBucketTagging",
        ),
        (
            "aws:cloudwatch:LogGroup",
            "name",
            "logs:CreateLogGroup",
            "logs:ListTagsForResource",
        ),
    ];
    for (kind, property, create, read) in cases {
        for given in [false, true] {
            let name = if given {
                format!("{property}: given-name")
            } else {
                String::new()
            };
            let mut project = stack(&format!(
                "  a: {{type: \"{kind}\", properties: {{{name}}}}}\n"
            ));
            let mut list = deny(&[read]);
            let lost = json!({"call": create, "at": 1, "what": "killAfter"});
            list.as_array_mut().unwrap().push(lost);
            faults(&mut project, list);
            assert_ne!(project.run(&["apply", "--yes"]).code, Some(0));
            faults(&mut project, deny(&[read]));
            let ended = project.run(&["apply", "--yes"]);
            assert_eq!(
                ended.code,
                Some(i32::from(given)),
                "{kind} {given}: {}",
                ended.stderr
            );
            if given {
                let allow = format!("Allow {read}");
                assert!(ended.stderr.contains(&allow), "{}", ended.stderr);
            }
            project.unset("STACKCTL_LOCAL_FAULTS");
            project.apply();
            project.expect_no_changes();
            assert_eq!(project.cloud().len(), 1, "{kind} {given}");
        }
    }
}

#[test]
fn a_bucket_that_cannot_be_tagged_at_all_is_in_the_state() {
    let mut project = stack(BUCKET);
    faults(
        &mut project,
        deny(&["s3:TagResource", "s3:PutBucketTagging"]),
    );
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(
        ended.stderr.contains("s3:PutBucketTagging"),
        "{}",
        ended.stderr
    );
    project.unset("STACKCTL_LOCAL_FAULTS");
    project.apply();
    project.expect_no_changes();
    project.run(&["destroy", "--yes"]).expect(0);
    assert!(project.cloud().is_empty());
}

#[test]
fn a_bucket_of_somebody_else_stays_so_where_tags_may_not_be_written() {
    let theirs = stack(BUCKET);
    theirs.apply();
    let mut project = other_stack(&theirs);
    faults(&mut project, deny(&["s3:TagResource"]));
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(ended.stderr.contains("exists already"), "{}", ended.stderr);
}

#[test]
fn a_lost_reply_of_a_bucket_without_tags_makes_no_second_one() {
    let mut project = stack(BUCKET);
    // The create with tags is the first call, the one without them the second.
    faults(
        &mut project,
        json!([
            {"call": "s3:TagResource", "what": "deny"},
            {"call": "s3:CreateBucket", "at": 2, "what": "lostReply"}
        ]),
    );
    project.apply();
    project.unset("STACKCTL_LOCAL_FAULTS");
    project.expect_no_changes();
}

#[test]
fn a_queue_is_created_by_who_may_not_list_its_tags() {
    let mut project = stack(QUEUE);
    faults(&mut project, deny(&["sqs:ListQueueTags"]));
    project.apply();
    is_read_without_tags(&project, "sqs:ListQueueTags");

    // The reply is lost, or the process dies: the same create tells whose it is.
    for what in ["lostReply", "killAfter"] {
        let mut project = stack(QUEUE);
        let mut list = deny(&["sqs:ListQueueTags"]);
        let lost = json!({"call": "sqs:CreateQueue", "at": 1, "what": what});
        list.as_array_mut().unwrap().push(lost);
        faults(&mut project, list);
        let ended = project.run(&["apply", "--yes"]);
        assert_eq!(ended.code == Some(0), what == "lostReply", "{ended:?}");
        faults(&mut project, deny(&["sqs:ListQueueTags"]));
        project.apply();
        project.run(&["plan", "--detailed-exitcode"]).expect(0);
        let queues = project
            .cloud()
            .into_iter()
            .filter(|it| it.kind == "queue")
            .count();
        assert_eq!(queues, 1, "{what}");
    }
}

#[test]
fn a_queue_of_somebody_else_stays_so_where_tags_may_not_be_listed() {
    let theirs = stack(QUEUE);
    theirs.apply();
    let mut project = other_stack(&theirs);
    faults(&mut project, deny(&["sqs:ListQueueTags"]));
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(ended.stderr.contains("exists already"), "{}", ended.stderr);
}

#[test]
fn a_create_that_may_not_tag_names_the_action() {
    for (resources, action) in [(QUEUE, "sqs:TagQueue"), (GROUP, "logs:TagResource")] {
        let mut project = stack(resources);
        faults(&mut project, deny(&[action]));
        let ended = project.run(&["apply", "--yes"]).expect(1);
        assert!(ended.stderr.contains(action), "{}", ended.stderr);
        assert!(project.cloud().is_empty(), "{action}");
    }
}

#[test]
fn half_an_answer_of_sqs_is_no_answer() {
    for (what, at) in [("lag", 1), ("halfLag", 1), ("lag", 2), ("halfLag", 2)] {
        let mut project = stack(FIFO);
        let lag = json!([{"call": "sqs:GetQueueAttributes", "at": at, "times": 3, "what": what}]);
        faults(&mut project, lag.clone());
        project.apply();
        project.run(&["plan", "--detailed-exitcode"]).expect(0);
        write(
            &project,
            &FIFO.replace("delaySeconds: 5", "delaySeconds: 7"),
        );
        project.apply();
        project.run(&["plan", "--detailed-exitcode"]).expect(0);
        project.run(&["drift"]).expect(0);
    }
}

const ACL: &str = "  b: {type: \"aws:s3:Bucket\", properties: {bucket: acl-race}}\n  o: {type: \"aws:s3:BucketOwnershipControls\", properties: {bucket: \"${b.bucket}\", rule: {objectOwnership: BucketOwnerPreferred}}}\n  a: {type: \"aws:s3:BucketAcl\", properties: {bucket: \"${o.bucket}\", acl: log-delivery-write}}\n";

#[test]
fn an_acl_waits_for_ownership_controls_of_this_run() {
    let mut project = stack(ACL);
    let lag = json!([{"call": "s3:PutBucketAcl", "at": 1, "times": 3, "what": "lag"}]);
    faults(&mut project, lag);
    project.apply();
    project.expect_no_changes();
    // Without controls that this run has put the refusal is final.
    let text = "  b: {type: \"aws:s3:Bucket\", properties: {bucket: acl-race}}\n  a: {type: \"aws:s3:BucketAcl\", properties: {bucket: \"${b.bucket}\", acl: log-delivery-write}}\n";
    let project = stack(text);
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(
        ended.stderr.contains("BucketOwnershipControls"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_role_waits_for_a_boundary_of_this_run() {
    let policy = "  p: {type: \"aws:iam:Policy\", properties: {name: boundary, policy: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Action: \"sqs:*\", Resource: \"*\"}]}}}\n";
    let role = |boundary: &str| {
        format!(
            "  r: {{type: \"aws:iam:Role\", properties: {{name: r, permissionsBoundary: \"{boundary}\", assumeRolePolicy: {{Version: \"2012-10-17\", Statement: [{{Effect: Allow, Action: \"sts:AssumeRole\", Principal: {{Service: lambda.amazonaws.com}}}}]}}}}}}\n"
        )
    };
    let mut project = stack(&format!("{policy}{}", role("${p.arn}")));
    let lag = json!([{"call": "iam:CreateRole", "at": 1, "times": 3, "what": "lag"}]);
    faults(&mut project, lag);
    project.apply();
    project.expect_no_changes();
    let project = stack(&role("arn:aws:iam::000000000000:policy/none"));
    let started = std::time::Instant::now();
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(ended.stderr.contains("NoSuchEntity"), "{}", ended.stderr);
    assert!(
        started.elapsed().as_secs() < 20,
        "waited for a policy that nobody created"
    );
}

const API: &str = "  a:\n    type: aws:apigatewayv2:Api\n    properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}\n  s: {type: \"aws:apigatewayv2:Stage\", properties: {apiId: \"${a.id}\", name: s, autoDeploy: true}}\n";
const ROUTE: &str = "  i: {type: \"aws:apigatewayv2:Integration\", properties: {apiId: \"${a.id}\", integrationType: MOCK}}\n  r: {type: \"aws:apigatewayv2:Route\", properties: {apiId: \"${a.id}\", routeKey: $default, target: \"integrations/${i.id}\"}}\n";

#[test]
fn a_failed_deployment_that_nobody_asked_for_is_told() {
    let project = stack(API);
    let ended = project.run(&["apply", "--yes"]).expect(0);
    let told = "warning: s: API Gateway could not deploy the API to the stage";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("At least one route"),
        "{}",
        ended.stderr
    );
    // With a route the last deployment is a good one, though the first was none.
    write(&project, &format!("{API}{ROUTE}"));
    let ended = project.run(&["apply", "--yes"]).expect(0);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
    let fresh = stack(&format!("{API}{ROUTE}"));
    let ended = fresh.run(&["apply", "--yes"]).expect(0);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
    let ended = fresh.run(&["destroy", "--yes"]).expect(0);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
}

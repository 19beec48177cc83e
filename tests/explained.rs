//! Errors of AWS that say too little: what they mean on the resource at hand, and the next step.

use crate::conformance::{Case, cases};
use crate::support::{Ended, Project};
use serde_json::{Value, json};

fn write(project: &Project, resources: &Value) {
    let stack = json!({"name": "s", "providers": {"aws": {"region": "us-west-2"}},
        "resources": resources});
    project.write("stacks/s.yaml", stack.to_string());
}

fn bucket(more: &Value) -> Value {
    let mut properties = json!({"bucket": "explained"});
    for (name, value) in more.as_object().unwrap() {
        properties[name] = value.clone();
    }
    json!({"b": {"type": "aws:s3:Bucket", "properties": properties}})
}

fn object() -> Value {
    let mut all = bucket(&json!({}));
    all["o"] = json!({"type": "aws:s3:BucketObject", "properties": {
        "bucket": "${b.bucket}", "key": "k", "content": "c"}});
    all
}

fn versioning(status: &str) -> Value {
    let mut all = bucket(&json!({}));
    all["v"] = json!({"type": "aws:s3:BucketVersioning", "properties": {
        "bucket": "${b.bucket}", "versioningConfiguration": {"status": status}}});
    all
}

/// Runs a command whose calls get an error of this status and code.
fn refused(project: &mut Project, args: &[&str], call: &str, status: u16, code: &str) -> Ended {
    let answer = json!({"status": status, "code": code, "message": "No more is said."});
    let rule = json!([{"call": call, "what": {"answer": answer}}]);
    project.env("STACKCTL_LOCAL_FAULTS", &rule.to_string());
    let ended = project.run(args).expect(1);
    project.unset("STACKCTL_LOCAL_FAULTS");
    ended
}

#[track_caller]
fn says(ended: &Ended, parts: &[&str]) {
    for part in parts {
        assert!(
            ended.stderr.contains(part),
            "{part:?} is not in\n{}",
            ended.stderr
        );
    }
}

#[test]
fn a_head_that_is_refused_without_a_body() {
    let mut project = Project::new();
    write(&project, &object());
    project.apply();
    let plan = &["plan"][..];
    let elsewhere = refused(&mut project, plan, "s3:HeadBucket", 301, "");
    says(
        &elsewhere,
        &[
            "is not in the stack's region us-west-2",
            "Check providers.aws.region.",
        ],
    );
    let expired = refused(&mut project, plan, "s3:HeadObject", 400, "");
    says(
        &expired,
        &[
            "S3 returned 400 for object explained/k and named no reason",
            "sign in again",
        ],
    );
    let denied = refused(&mut project, plan, "s3:HeadObject", 403, "");
    says(
        &denied,
        &[
            "explained/k may not be read, or does not exist",
            "Allow s3:GetObject and s3:ListBucket",
        ],
    );
    project.expect_no_changes();
}

#[test]
fn a_bucket_of_another_account() {
    let mut project = Project::new();
    write(&project, &bucket(&json!({})));
    let apply = &["apply", "--yes"][..];
    let theirs = refused(
        &mut project,
        apply,
        "s3:CreateBucket",
        409,
        "BucketAlreadyExists",
    );
    says(
        &theirs,
        &["a bucket called explained exists already, in another account"],
    );
    assert!(project.cloud().is_empty());
    project.apply();
}

#[test]
fn a_bucket_that_somebody_goes_on_filling() {
    let mut project = Project::new();
    write(&project, &bucket(&json!({"forceDestroy": true})));
    project.apply();
    let destroy = &["destroy", "--yes"][..];
    let not_empty = |project: &mut Project| {
        let call = "s3:DeleteBucket";
        refused(project, destroy, call, 409, "BucketNotEmpty")
    };
    says(
        &not_empty(&mut project),
        &[
            "bucket explained was emptied 10 times and is still not empty",
            "Stop what writes to it",
        ],
    );
    write(&project, &bucket(&json!({})));
    project.apply();
    says(
        &not_empty(&mut project),
        &[
            "bucket explained still holds objects or versions",
            "set forceDestroy: true",
        ],
    );
    project.run(destroy).expect(0);
}

#[test]
fn a_service_without_conditional_writes() {
    let mut project = Project::new();
    write(&project, &object());
    let apply = &["apply", "--yes"][..];
    let other = refused(&mut project, apply, "s3:PutObject", 501, "NotImplemented");
    says(
        &other,
        &[
            "the service cannot store explained/k only where nothing is yet (If-None-Match)",
            "Use a service with conditional writes",
        ],
    );
    project.apply();
    project.expect_no_changes();
}

#[test]
fn an_etag_that_is_not_of_the_content() {
    let project = Project::new();
    let mut all = object();
    all["o"]["properties"]["etag"] = json!("0cc175b9c0f1b6a831c399e269772661");
    write(&project, &all);
    let apply = &["apply", "--yes"][..];
    says(
        &project.run(apply).expect(1),
        &[
            "which is not the MD5 of the content of explained/k",
            "Set etag to the MD5 of the same content",
        ],
    );
    all["o"]["properties"]["content"] = json!("a");
    write(&project, &all);
    project.apply();
    project.expect_no_changes();
}

/// Versioning that was on can be suspended, never be as if it had not been.
#[test]
fn versioning_that_has_been_on() {
    let project = Project::new();
    let apply = &["apply", "--yes"][..];
    let never_again = &[
        "versioning of bucket explained has been on, so it cannot be Disabled any more",
        "Set versioningConfiguration.status to Suspended.",
    ];
    write(&project, &versioning("Disabled"));
    project.apply();
    project.expect_no_changes();
    write(&project, &versioning("Enabled"));
    project.apply();
    write(&project, &versioning("Disabled"));
    says(&project.run(apply).expect(1), never_again);
    write(&project, &bucket(&json!({})));
    project.apply();
    write(&project, &versioning("Disabled"));
    says(&project.run(apply).expect(1), never_again);
    write(&project, &versioning("Suspended"));
    project.apply();
    project.expect_no_changes();
}

/// A managed policy that AWS does not have gets the one that was meant; another refusal does not.
#[test]
fn a_managed_policy_that_is_not_there() {
    let mut project = Project::new();
    let arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRoles";
    write(
        &project,
        &json!({"a": {"type": "aws:iam:RolePolicyAttachment",
        "properties": {"role": "${r.name}", "policyArn": arn}},
        "r": {"type": "aws:iam:Role", "properties": {"name": "r", "assumeRolePolicy": {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"}}]}}}}),
    );
    let apply = &["apply", "--yes"];
    let full = refused(
        &mut project,
        apply,
        "iam:AttachRolePolicy",
        409,
        "LimitExceeded",
    );
    assert!(full.stderr.contains("LimitExceeded"), "{}", full.stderr);
    assert!(!full.stderr.contains("next: Correct"), "{}", full.stderr);
    let missing = project.run(apply).expect(1).stderr;
    assert!(missing.contains("NoSuchEntity"), "{missing}");
    assert!(
        missing.contains("next: Correct the policy's ARN"),
        "{missing}"
    );
    assert!(
        missing.contains("AWSLambdaBasicExecutionRole\""),
        "{missing}"
    );
}

/// A UUID in a message is a mapping's only where the code says that there is one.
#[test]
fn a_uuid_in_a_message_is_not_taken_for_a_mapping() {
    let of_mapping = |(name, _): &(String, _)| name == "aws:lambda:EventSourceMapping";
    let (_, path) = cases().into_iter().find(of_mapping).unwrap();
    let case: Case = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut project = Project::new();
    let stack = json!({"name": "s", "providers": {"aws": {"region": "us-west-2"}},
        "resources": case.resources, "data": case.data});
    project.write("stacks/s.yaml", stack.to_string());
    let message = "The key 11111111-2222-3333-4444-555555555555 is disabled.";
    let answer = json!({"status": 400, "code": "KMSDisabledException", "message": message});
    let rule = json!([{"call": "lambda:CreateEventSourceMapping", "what": {"answer": answer}}]);
    project.env("STACKCTL_LOCAL_FAULTS", &rule.to_string());
    let told = project.run(&["apply", "--yes"]).expect(1).stderr;
    assert!(told.contains(message), "{told}");
    assert!(!told.contains("Adopt it"), "{told}");
}

//! What lives on what is replaced, siblings in their order, and names that come free: each in one
//! run, with nothing left to do after it.

use crate::support::Project;

const TRUST: &str = r#"{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]}"#;

fn project(stack: &str) -> Project {
    let project = Project::new();
    project.write("stacks/s.yaml", stack.replace("TRUST", TRUST));
    project
}

/// A role with an attached policy and one of its own.
const ROLE: &str = r#"
name: s
providers: {aws: {region: us-west-2}}
variables:
  path: {type: string, default: /}
  force: {type: bool, default: true}
resources:
  role:
    type: aws:iam:Role
    properties: {name: app-role, path: "${var.path}", forceDetachPolicies: "${var.force}", assumeRolePolicy: TRUST}
  inline:
    type: aws:iam:RolePolicy
    properties: {name: read, role: "${role.name}", policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}}
  pol:
    type: aws:iam:Policy
    properties: {name: pol, policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}}
  att:
    type: aws:iam:RolePolicyAttachment
    properties: {role: "${role.name}", policyArn: "${pol.arn}"}
"#;

#[test]
fn a_role_is_replaced_under_its_name_with_its_policies() {
    for force in ["force=true", "force=false"] {
        let project = project(ROLE);
        project.run(&["apply", "--yes", "--var", force]).expect(0);
        let moved = ["--var", force, "--var", "path=/svc/"];
        let ended = project
            .run(&[&["apply", "--yes"], &moved[..]].concat())
            .expect(0);
        assert!(
            ended
                .stdout
                .contains("it stops the deletion of role, which is replaced")
        );
        assert!(ended.stderr.contains("3 replaced"), "{}", ended.stderr);
        let plan = [&["plan", "--detailed-exitcode"], &moved[..]].concat();
        project.run(&plan).expect(0);
    }
}

#[test]
fn replace_takes_along_what_holds_the_role_and_says_so() {
    let project = project(ROLE);
    project.apply();
    let ended = project.run(&["plan", "--replace", "role"]).expect(0);
    let along = "With --replace role:\n  \
                 att is included: it stops the deletion of role, which is replaced\n  \
                 inline is included: it stops the deletion of role, which is replaced\n";
    assert!(ended.stdout.contains(along), "{}", ended.stdout);
    project
        .run(&["apply", "--yes", "--replace", "role"])
        .expect(0);
    project.expect_no_changes();
    // What is excluded keeps what it holds.
    let ended = project
        .run(&["plan", "--replace", "role", "--exclude", "att"])
        .expect(0);
    let left_out = "role is excluded: att would be replaced along";
    assert!(ended.stdout.contains(left_out), "{}", ended.stdout);
}

#[test]
fn a_role_that_others_hold_says_who() {
    let project = project(ROLE);
    project.apply();
    let stack = project.read("stacks/s.yaml");
    project.write(
        "stacks/s.yaml",
        stack
            .replace("  role:\n    type", "  role_2:\n    type")
            .replace("${role.name}", "${role_2.name}"),
    );
    // The block has another name, and the role has not.
    project.apply();
    project.expect_no_changes();
}

#[test]
fn a_protected_child_refuses_before_any_call() {
    let project = project(ROLE);
    project.apply();
    let stack = project.read("stacks/s.yaml");
    let protected = stack.replace(
        "policyArn: \"${pol.arn}\"}",
        "policyArn: \"${pol.arn}\"}\n    options: {protect: true}",
    );
    project.write("stacks/s.yaml", protected);
    let before = project.cloud();
    let ended = project
        .run(&["apply", "--yes", "--var", "path=/svc/"])
        .expect(3);
    let message =
        "att is protected and would be replaced: it stops the deletion of role, which is replaced";
    assert!(ended.stderr.contains(message), "{}", ended.stderr);
    assert!(ended.stderr.contains("s.yaml:"), "{}", ended.stderr);
    assert_eq!(project.cloud(), before);
}

/// A queue, a function, and a mapping between them.
const MAPPING: &str = r#"
name: s
providers: {aws: {region: us-west-2}}
resources:
  role:
    type: aws:iam:Role
    properties:
      name: fn-role
      assumeRolePolicy: TRUST
      inlinePolicies: [{name: read, policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: "*"}]}}]
  q: {type: "aws:sqs:Queue", properties: {name: q, visibilityTimeoutSeconds: 60}}
  fn:
    type: aws:lambda:Function
    properties: {name: fn, role: "${role.arn}", packageType: Image, imageUri: "000000000000.dkr.ecr.us-west-2.amazonaws.com/app:1"}
  m:
    type: aws:lambda:EventSourceMapping
    properties: {eventSourceArn: "${q.arn}", functionName: "${fn.name}"}
"#;

#[test]
fn a_mapping_is_created_once_its_predecessor_is_gone() {
    let project = project(MAPPING);
    project.apply();
    let renamed = project.read("stacks/s.yaml").replace("  m:", "  m2:");
    project.write("stacks/s.yaml", renamed);
    let ended = project.apply();
    assert!(
        !ended.stderr.contains("stackctl import"),
        "{}",
        ended.stderr
    );
    project.expect_no_changes();
    // The same where the mapping itself is replaced.
    project
        .run(&["apply", "--yes", "--replace", "m2"])
        .expect(0);
    project.expect_no_changes();
    let mappings = project.cloud().into_iter();
    let mappings = mappings.filter(|entry| entry.kind.contains("mapping"));
    assert_eq!(mappings.count(), 1);
}

/// Somebody else deletes the mapping, and its deletion is not over when the next run creates it.
#[test]
fn a_mapping_waits_for_one_that_somebody_else_deletes() {
    let project = project(MAPPING);
    project.apply();
    let id = project.state()["resources"]["m"]["id"].clone();
    project.run(&["state", "rm", "m", "--yes"]).expect(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let aws = project.outside().await;
        let call = aws.lambda().delete_event_source_mapping();
        call.uuid(id.as_str().unwrap()).send().await.unwrap();
    });
    project.apply();
    project.expect_no_changes();
}

#[test]
fn settings_of_a_bucket_come_in_the_order_that_s3_takes() {
    let project = project(
        r#"
name: s
providers: {aws: {region: us-west-2}}
resources:
  b: {type: "aws:s3:Bucket", properties: {bucketPrefix: site}}
  a_policy:
    type: aws:s3:BucketPolicy
    properties:
      bucket: ${b.bucket}
      policy: {Version: "2012-10-17", Statement: [{Sid: Public, Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "${b.arn}/*"}]}
  a_acl: {type: "aws:s3:BucketAcl", properties: {bucket: "${b.bucket}", acl: public-read}}
  block: {type: "aws:s3:BucketPublicAccessBlock", properties: {bucket: "${b.bucket}", blockPublicAcls: false, blockPublicPolicy: false}}
  owner: {type: "aws:s3:BucketOwnershipControls", properties: {bucket: "${b.bucket}", rule: {objectOwnership: BucketOwnerPreferred}}}
"#,
    );
    project.apply();
    project.expect_no_changes();
    // And back: what is public goes first.
    let stack = project.read("stacks/s.yaml");
    let tight = stack
        .replace("acl: public-read", "acl: private")
        .replace("Sid: Public, Effect: Allow", "Sid: Public, Effect: Deny")
        .replace(
            "blockPublicAcls: false, blockPublicPolicy: false",
            "blockPublicAcls: true, blockPublicPolicy: true",
        )
        .replace("BucketOwnerPreferred", "BucketOwnerEnforced");
    project.write("stacks/s.yaml", tight);
    project.apply();
    project.expect_no_changes();
    project.write("stacks/s.yaml", stack);
    project.apply();
    project.expect_no_changes();
    project.run(&["destroy", "--yes"]).expect(0);
}

/// An API whose deployments and stages come first by their names.
const API: &str = r#"
name: s
providers: {aws: {region: us-west-2}}
resources:
  api:
    type: aws:apigatewayv2:Api
    properties: {name: chat, protocolType: WEBSOCKET, routeSelectionExpression: "$request.body.action"}
  a_deployment:
    type: aws:apigatewayv2:Deployment
    properties: {apiId: "${api.id}", triggers: {version: "1"}}
  a_stage:
    type: aws:apigatewayv2:Stage
    properties: {apiId: "${api.id}", name: prod, autoDeploy: true, routeSettings: [{routeKey: $default, throttlingBurstLimit: 2, throttlingRateLimit: 1}]}
  fixed:
    type: aws:apigatewayv2:Stage
    properties: {apiId: "${api.id}", name: fixed, deploymentId: "${a_deployment.id}"}
  i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
  r:
    type: aws:apigatewayv2:Route
    properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}
  gone:
    type: aws:apigatewayv2:Route
    properties: {apiId: "${api.id}", routeKey: gone, target: "integrations/${i.id}"}
"#;

/// The keys of the routes that the deployment which the stage shows holds.
fn held(project: &Project, stage: &str) -> Vec<String> {
    let cloud = project.cloud();
    let find = |kind: &str, name: &str| {
        let mut entries = cloud.iter();
        let found = entries.find(|entry| entry.kind == kind && entry.name == name);
        found
            .unwrap_or_else(|| panic!("no {kind} {name}"))
            .value
            .clone()
    };
    let stage = find("stage", stage);
    let shown = find("deployment", stage["deploymentId"].as_str().unwrap());
    let routes = shown["_holds"]["routes"].as_array().unwrap().iter();
    routes.map(|key| key.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_deployment_holds_what_the_same_run_changes() {
    let project = project(API);
    project.apply();
    project.expect_no_changes();
    assert_eq!(held(&project, "fixed"), ["$default", "gone"]);
    let stack = project.read("stacks/s.yaml");
    let (kept, _) = stack.split_once("  gone:").unwrap();
    let next = "  z_new:\n    type: aws:apigatewayv2:Route\n    properties: {apiId: \"${api.id}\", routeKey: new, target: \"integrations/${i.id}\"}\n";
    let next = format!("{kept}{next}").replace("version: \"1\"", "version: \"2\"");
    project.write("stacks/s.yaml", next);
    project.apply();
    project.expect_no_changes();
    assert_eq!(held(&project, "fixed"), ["$default", "new"]);
    project.run(&["destroy", "--yes"]).expect(0);
}

#[test]
fn a_bucket_that_holds_only_the_stacks_objects_is_no_warning() {
    let project = project(
        r#"
name: s
providers: {aws: {region: us-west-2}}
variables: {bucket: {type: string, default: first-bkt}}
resources:
  b: {type: "aws:s3:Bucket", properties: {bucket: "${var.bucket}"}}
  v: {type: "aws:s3:BucketVersioning", properties: {bucket: "${b.bucket}", versioningConfiguration: {status: Enabled}}}
  o: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: k, content: x}}
"#,
    );
    project.apply();
    // Another version of it.
    let stack = project.read("stacks/s.yaml");
    project.write("stacks/s.yaml", stack.replace("content: x", "content: y"));
    project.apply();
    let second = ["apply", "--yes", "--var", "bucket=second-bkt"];
    let ended = project.run(&second).expect(0);
    assert!(!ended.stdout.contains("will refuse"), "{}", ended.stdout);
    let plan = ["plan", "--detailed-exitcode", "--var", "bucket=second-bkt"];
    project.run(&plan).expect(0);
    let ended = project.run(&["plan", "--destroy"]);
    assert!(!ended.stdout.contains("will refuse"), "{}", ended.stdout);
}

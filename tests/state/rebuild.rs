//! `state rebuild`: the state is lost, and everything is found again.

use super::{STATE, saved};
use crate::support::{Project, actions};
use serde_json::{Value, json};

/// Names that were generated or drawn, objects that look alike, and keys.
const HARD: &str = r#"
name: hard
lint: {SK0822: "off"}
variables: {keys: {type: list, default: [a.b, c]}}
providers:
  aws: {region: us-west-2}
resources:
  text: {type: "random:RandomString", properties: {length: 5, special: false, upper: false}}
  bytes: {type: "random:RandomId", properties: {byteLength: 4}}
  pet: {type: "random:RandomPet", properties: {}}
  apart: {type: "random:RandomId", properties: {byteLength: 8}}
  password: {type: "random:RandomPassword", properties: {length: 12}}
  plain: {type: "aws:sqs:Queue", properties: {}}
  fifo: {type: "aws:sqs:Queue", properties: {fifoQueue: true, namePrefix: jobs-}}
  many: {type: "aws:sqs:Queue", options: {forEach: "${var.keys}"}, properties: {tags: {k: "${each.key}"}}}
  hex: {type: "aws:sqs:Queue", properties: {name: "q-${bytes.hex}"}}
  log: {type: "aws:cloudwatch:LogGroup", properties: {name: "/app/${pet.id}/${text.result}", retentionInDays: 7}}
  role:
    type: aws:iam:Role
    properties:
      namePrefix: app-
      assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Service: lambda.amazonaws.com}}]}
  inline:
    type: aws:iam:RolePolicy
    properties:
      role: "${role.name}"
      policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: "${plain.arn}"}]}
  managed:
    type: aws:iam:Policy
    properties:
      policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: "${hex.arn}"}]}
  attached: {type: "aws:iam:RolePolicyAttachment", properties: {role: "${role.name}", policyArn: "${managed.arn}"}}
  bucket: {type: "aws:s3:Bucket", properties: {forceDestroy: true}}
  code: {type: "aws:s3:BucketObject", properties: {bucket: "${bucket.bucket}", key: "${text.result}/code", content: x}}
  api: {type: "aws:apigatewayv2:Api", properties: {name: "api-${text.result}", protocolType: WEBSOCKET, routeSelectionExpression: "$request.body.action"}}
  one: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
  two: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK, description: "${text.result}"}}
  twin: {type: "aws:apigatewayv2:Deployment", options: {dependsOn: [route]}, properties: {apiId: "${api.id}", description: same}}
  other: {type: "aws:apigatewayv2:Deployment", options: {dependsOn: [route]}, properties: {apiId: "${api.id}", description: same}}
  route: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: "$default", target: "integrations/${one.id}"}}
outputs:
  apart: ${apart.hex}
"#;

fn hard() -> Project {
    let project = Project::new();
    project.write("stacks/hard.yaml", HARD);
    project
}

/// Nothing is left of the state.
fn lose(project: &Project) {
    std::fs::remove_dir_all(project.dir().join("state")).unwrap();
    std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
}

/// The ids, without those that only a state knows.
fn ids(state: &Value, lost: &[&str]) -> Vec<(String, Value)> {
    let resources = state["resources"].as_object().unwrap().iter();
    resources
        .filter(|(address, _)| !lost.contains(&address.as_str()))
        .map(|(address, known)| (address.clone(), known["id"].clone()))
        .collect()
}

/// There is another stack's state beside it.
fn state(project: &Project) -> Value {
    serde_json::from_str(&project.read("state/hard.json")).unwrap()
}

#[test]
fn the_websocket_stack_is_found_again_and_goes_on() {
    let project = Project::websocket();
    project.apply();
    let (before, cloud) = (project.state(), project.cloud());
    lose(&project);
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    assert_eq!(ids(&project.state(), &[]), ids(&before, &[]));
    assert_eq!(project.cloud(), cloud, "a rebuild changes nothing");
    assert_eq!(actions(&project.plan()), []);
    project.apply();
    project.expect_no_changes();
    let outputs = project.run(&["outputs", "--json"]).expect(0).json();
    assert_eq!(outputs.as_object().unwrap().len(), 4);
    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(project.cloud(), []);
}

#[test]
fn drawn_names_and_twins_are_found_and_what_only_the_state_had_is_named() {
    let project = hard();
    project.apply();
    let before = state(&project);
    let theirs = [("namePrefix", "jobs-"), ("namePrefix", "plain-")];
    let resources = theirs.iter().enumerate().map(|(at, (property, value))| {
        let mut properties = json!({});
        properties[*property] = json!(value);
        (
            format!("theirs{at}"),
            json!({"type": "aws:sqs:Queue", "properties": properties}),
        )
    });
    let resources: serde_json::Map<String, Value> = resources.collect();
    let other = json!({"name": "other", "providers": {"aws": {"region": "us-west-2"}}, "resources": resources});
    project.write("other.yaml", other.to_string());
    project.run(&["apply", "other.yaml", "--yes"]).expect(0);
    lose(&project);
    let ended = project
        .run(&["state", "rebuild", "hard", "--yes"])
        .expect(0);
    // Two deployments of the same content may have changed places.
    let lost = ["password", "apart", "twin", "other"];
    assert_eq!(ids(&state(&project), &lost), ids(&before, &lost));
    let twins = |state: &Value| {
        let twin = |name: &str| state["resources"][name]["id"].to_string();
        std::collections::BTreeSet::from(["twin", "other"].map(twin))
    };
    assert_eq!(twins(&state(&project)), twins(&before));
    insta::assert_snapshot!(ended.stderr, @r"
    Not found:
      apart (random:RandomId): it was drawn, and no name of an object tells it; the next apply draws another
      password (random:RandomPassword): it was kept in the state alone; the next apply makes a new one
    Saved as serial 1. `stackctl plan` shows how the file differs from what is live.
    ");
    let planned = project.run(&["plan", "hard", "--json"]).expect(0).json();
    // No read tells the object's content, which is sent once more.
    let expected = [
        ("apart", "create"),
        ("code", "update"),
        ("password", "create"),
    ]
    .map(|(name, action)| (name.to_owned(), vec![action.to_owned()]));
    assert_eq!(actions(&planned), expected);
}

#[test]
fn what_a_usable_state_lacks_is_added() {
    let mut project = saved(&[30]);
    let before = project.state();
    project.run(&["state", "rm", "queue", "--yes"]).expect(0);
    // A second read of the same object would be the end of it.
    let faults = json!([{"call": "sqs:GetQueueAttributes", "at": 2, "what": "killBefore"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let json = project
        .run(&["state", "rebuild", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&json["found"], &json["missing"]),
        (&json!(["queue"]), &json!([]))
    );
    project.unset("STACKCTL_LOCAL_FAULTS");
    assert_eq!(ids(&project.state(), &[]), ids(&before, &[]));
    project.expect_no_changes();
    let again = project.run(&["state", "rebuild"]).expect(0);
    insta::assert_snapshot!(again.stderr, @r"Nothing was changed: no resource was found that the state lacks.");
}

#[test]
fn objects_of_others_are_not_taken() {
    let project = saved(&[30]);
    lose(&project);
    let stack = project
        .read("stacks/small.yaml")
        .replace("name: small", "name: another");
    project.write("stacks/small.yaml", stack);
    let ended = project.run(&["state", "rebuild", "--yes"]).expect(0);
    insta::assert_snapshot!(ended.stderr, @r"
    Not found:
      log (aws:cloudwatch:LogGroup): this stack's own was not found; the next apply makes one
      password (random:RandomPassword): it was kept in the state alone; the next apply makes a new one
      queue (aws:sqs:Queue): this stack's own was not found; the next apply makes one
    Nothing was changed: no resource was found that the state lacks.
    ");
    assert!(!project.dir().join("state/another.json").exists());
    // One that is known is taken, as an import does.
    let url = "queue=https://sqs.us-west-2.amazonaws.com/000000000000/orders";
    project
        .run(&["state", "rebuild", "--yes", "--id", url])
        .expect(0);
    let state = project.state();
    assert_eq!(ids(&state, &[]).len(), 1);
    let odd = project
        .run(&["state", "rebuild", "--id", "queue"])
        .expect(1);
    assert!(
        odd.stderr.contains("--id takes ADDRESS=ID"),
        "{}",
        odd.stderr
    );
    let nothing = project
        .run(&["state", "rebuild", "--id", "que=x"])
        .expect(1);
    assert!(
        nothing
            .stderr
            .contains("no resource in the file has the address"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn a_state_that_cannot_be_used_is_replaced_and_kept_beside() {
    let project = saved(&[30, 31]);
    let before = project.state();
    let torn = &project.read(STATE)[..200];
    project.write(STATE, torn);
    let unasked = project.run(&["state", "rebuild"]).expect(1);
    assert_eq!(project.read(STATE), torn, "nothing happens without consent");
    assert!(
        unasked.stderr.contains("`stackctl state restore 2`"),
        "{}",
        unasked.stderr
    );
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    let state = project.state();
    assert_eq!(
        (&state["serial"], &state["lineage"]),
        (&json!(3), &before["lineage"])
    );
    assert_eq!(ids(&state, &["password"]), ids(&before, &["password"]));
    assert_eq!(project.read("state/small.json.unusable"), torn);
    let journal = "nonsense\nnonsense\n";
    project.write("state/small.journal", journal);
    project.run(&["plan"]).expect(1);
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    let plan = project
        .run(&["plan", "--var", "size=31", "--json"])
        .expect(0);
    assert_eq!(
        actions(&plan.json()),
        [("password".to_owned(), vec!["create".to_owned()])]
    );
}

#[test]
fn a_run_that_was_interrupted_is_recovered_first() {
    let mut project = super::small();
    let faults = json!([{"call": "sqs:CreateQueue", "at": 1, "what": "killAfter"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    project.run(&["apply", "--yes"]);
    project.unset("STACKCTL_LOCAL_FAULTS");
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    assert!(!project.dir().join("state/small.journal").exists());
    assert!(project.state()["resources"].get("queue").is_some());
    let ids = project.state();
    project.apply();
    let after = project.state();
    assert_eq!(
        ids["resources"]["queue"]["id"],
        after["resources"]["queue"]["id"]
    );
}

#[test]
fn a_state_that_moved_away_is_not_rebuilt_in_its_old_place() {
    let project = saved(&[30]);
    let to = ["state", "migrate", "--to", "elsewhere.json", "--yes"];
    project.run(&to).expect(0);
    let refused = project.run(&["state", "rebuild", "--yes"]).expect(1);
    assert!(
        refused.stderr.contains("it was moved to"),
        "{}",
        refused.stderr
    );
}

/// Its object is found and cannot be read: the others are adopted, and a later search finds it.
#[test]
fn an_object_that_cannot_be_read_does_not_end_the_search() {
    let mut project = saved(&[30]);
    let before = project.state();
    lose(&project);
    let denied = json!([{"call": "sqs:GetQueueAttributes", "rate": 1.0, "what": "deny"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &denied.to_string());
    let ended = project.run(&["state", "rebuild", "--yes"]).expect(1);
    insta::with_settings!({filters => [(r"\(request [0-9a-f-]+\)", "(request [id])")]}, {
        insta::assert_snapshot!(ended.stderr, @"
        Not found:
          password (random:RandomPassword): it was kept in the state alone; the next apply makes a new one
        Could not be looked for or read, and may exist:
          queue: sqs:GetQueueAttributes returned AccessDenied: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: sqs:GetQueueAttributes on resource: * because no identity-based policy allows the sqs:GetQueueAttributes action (request [id])
        Run `stackctl state rebuild` again before the next apply, which would create them.
        Saved as serial 1. `stackctl plan` shows how the file differs from what is live.
        ");
    });
    let state = project.state();
    let found: Vec<&String> = state["resources"].as_object().unwrap().keys().collect();
    assert_eq!(found, ["log"]);
    let json = project
        .run(&["state", "rebuild", "--yes", "--json"])
        .expect(1)
        .json();
    assert_eq!(json["found"], json!([]));
    assert_eq!(json["failed"][0]["address"], "queue");
    project.unset("STACKCTL_LOCAL_FAULTS");
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    let lost = ["password"];
    assert_eq!(ids(&project.state(), &lost), ids(&before, &lost));
}

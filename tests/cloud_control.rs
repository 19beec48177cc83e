//! Types of the registry through Cloud Control, on the local cloud: an everyday stack goes its whole
//! way, beside native types, and what handlers do wrong is said.

mod requests;
mod updates;

use crate::crash::{Matrix, at_writes, hows};
use crate::support::{Ended, Project, actions, census};
use serde_json::{Value, json};
use stackctl::registry::{Handler, instance, is_in_cloud_control, names, registry_type};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How many calls an apply of the everyday stack makes, and how many its change: waits take a few
/// more or less.
pub(crate) const APPLY: usize = 54;
pub(crate) const CHANGE: usize = 42;
const DESTROY: usize = 55;

pub(crate) const CHANGED: &[&str] = &["--var=size=3", "--var=cidr=10.0.2.0/24"];

pub(crate) fn everyday() -> Project {
    let project = Project::new();
    let stack = include_str!("cloud_control/everyday.yaml");
    project.write("stacks/everyday.yaml", stack);
    project.write("stacks/main.py", "def handler(event, context): pass\n");
    project
}

/// A stack of these resources.
fn stack(resources: &Value) -> Project {
    let project = Project::new();
    let text = json!({
        "name": "s",
        "providers": {"aws": {"region": "us-west-2"}},
        "resources": resources,
    });
    project.write("stacks/s.yaml", text.to_string());
    project
}

/// Runs an apply in which the handler of a create, an update or a deletion does this.
fn apply_with(project: &mut Project, call: &str, handler: Value) -> Ended {
    let call = format!("cloudcontrolapi:{call}");
    let faults = json!([{"call": call, "at": 1, "what": {"handler": handler}}]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let ended = project.run(&["apply", "--yes"]);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    ended
}

fn ids(project: &Project) -> BTreeMap<String, Value> {
    let state = project.state();
    let resources = state["resources"].as_object().unwrap().iter();
    resources
        .map(|(address, it)| (address.clone(), it["id"].clone()))
        .collect()
}

#[test]
fn an_everyday_stack_goes_up_changes_and_comes_down() {
    let project = everyday();
    project.run(&["validate"]).expect(0);
    project.apply();
    project.expect_no_changes();
    let before = ids(&project);
    let plan = project
        .run(&[&["plan", "--json"], CHANGED].concat())
        .expect(0)
        .json();
    let expected = [
        ("secret", &["update"][..]),
        ("subnet[\"a\"]", &["create", "delete"]),
        ("table", &["update"]),
        ("task", &["create", "delete"]),
        ("topic", &["update"]),
    ];
    let expected = expected.map(|(address, actions)| {
        let actions = actions.iter().map(|action| (*action).to_owned());
        (address.to_owned(), actions.collect::<Vec<_>>())
    });
    assert_eq!(actions(&plan), expected);
    let applied = project.run(&[&["apply", "--yes"], CHANGED].concat());
    let applied = applied.expect(0);
    for stream in [&applied.stdout, &applied.stderr] {
        assert!(!stream.contains("s3cr3t"), "{stream}");
    }
    assert!(!project.read("state/everyday.json").contains("s3cr3t"));
    let unchanged = [&["plan", "--detailed-exitcode"], CHANGED].concat();
    project.run(&unchanged).expect(0);
    let after = ids(&project);
    for address in ["table", "topic", "secret", "vpc"] {
        assert_eq!(before[address], after[address], "{address}");
    }
    for address in ["task", "subnet[\"a\"]"] {
        assert_ne!(before[address], after[address], "{address}");
    }
    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(census(&project), BTreeMap::new());
}

#[test]
fn drift_of_registry_types_is_seen_and_undone() {
    let project = everyday();
    project.apply();
    let expected = census(&project);
    let cloud = project.local_cloud();
    for mut entry in cloud.resources().unwrap() {
        let value = &mut entry.value["model"];
        match entry.key.contains("AWS::SNS::Topic/") {
            true => value["DisplayName"] = json!("by hand"),
            false if entry.key.contains("AWS::EC2::VPC/") => {
                value["EnableDnsSupport"] = json!(false);
            }
            false => continue,
        }
        cloud.meddle(&entry.key, Some(entry.value)).unwrap();
    }
    let drift = project.run(&["drift"]).expect(2).stdout;
    for line in ["\"size 2\" -> \"by hand\"", "true -> false"] {
        assert!(drift.contains(line), "{drift}");
    }
    project.apply();
    assert_eq!(census(&project), expected);
    project.run(&["drift"]).expect(0);
}

#[test]
fn an_everyday_stack_is_imported_into_an_empty_state() {
    let project = everyday();
    project.apply();
    let before = ids(&project);
    let cloud = census(&project);
    std::fs::remove_dir_all(project.dir().join("state")).unwrap();
    std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap_or_default();
    let list: serde_json::Map<String, Value> = before.clone().into_iter().collect();
    project.write("list.yaml", Value::Object(list).to_string());
    let import = ["import", "--file", "list.yaml", "--yes"];
    project.run(&import).expect(0);
    assert_eq!(ids(&project), before);
    // What no read returns is sent once more, and that is all.
    let plan = project.run(&["plan", "--json"]).expect(0).json();
    assert_eq!(
        actions(&plan),
        ["machine", "secret"].map(|address| (address.to_owned(), vec!["update".to_owned()]))
    );
    project.apply();
    assert_eq!(census(&project), cloud);
    project.expect_no_changes();
}

#[test]
fn a_lost_state_of_registry_types_is_rebuilt() {
    let project = everyday();
    project.apply();
    let before = ids(&project);
    std::fs::remove_dir_all(project.dir().join("state")).unwrap();
    std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap_or_default();
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    assert_eq!(ids(&project), before);
}

/// Each call meets the kill of its turn: the repository's stack meets all of them (`crash`).
fn in_turn(calls: RangeInclusive<usize>) -> Vec<Value> {
    let hows = hows();
    calls
        .map(|at| json!([{"call": "*", "at": at, "what": hows[at % hows.len()]}]))
        .collect()
}

#[test]
fn an_apply_of_registry_types_killed_anywhere_is_taken_up() {
    let new = everyday();
    let applied = new.fork();
    applied.apply();
    let expected = census(&applied);
    let matrix = Matrix::new(&new, vec!["apply", "--yes"], (&expected, 19));
    matrix.run([in_turn(1..=APPLY), at_writes()].concat());
}

#[test]
fn a_change_of_registry_types_killed_anywhere_is_taken_up() {
    let applied = everyday();
    applied.apply();
    let changed = applied.fork();
    let args = [&["apply", "--yes"], CHANGED].concat();
    changed.run(&args).expect(0);
    let expected = census(&changed);
    let matrix = Matrix::new(&applied, args, (&expected, 19));
    matrix.run([in_turn(18..=CHANGE), at_writes()].concat());
}

#[test]
fn a_destroy_of_registry_types_killed_anywhere_is_taken_up() {
    let applied = everyday();
    applied.apply();
    let nothing = BTreeMap::new();
    let matrix = Matrix::new(&applied, vec!["destroy", "--yes"], (&nothing, 0));
    matrix.run([in_turn(1..=DESTROY), at_writes()].concat());
}

fn topic() -> Project {
    stack(&json!({"topic": {"type": "AWS::SNS::Topic", "properties": {"DisplayName": "a"}}}))
}

#[test]
fn a_create_that_fails_after_it_created_is_in_the_state() {
    let mut project = topic();
    let failed = json!({"code": "NotStabilized", "message": "too slow", "effect": true});
    let ended = apply_with(&mut project, "CreateResource", failed).expect(1);
    assert!(
        ended
            .stderr
            .contains("cloudformation:CreateResource returned NotStabilized: too slow"),
        "{}",
        ended.stderr
    );
    assert_eq!(ids(&project).len(), 1, "{}", ended.stderr);
    project.apply();
    project.expect_no_changes();
    assert_eq!(census(&project).values().sum::<usize>(), 1);
}

#[test]
fn a_handler_that_refuses_leaves_nothing() {
    for code in [
        "ServiceLimitExceeded",
        "InvalidRequest",
        "GeneralServiceException",
    ] {
        let mut project = topic();
        let failed = json!({"code": code, "message": "no more of it"});
        let ended = apply_with(&mut project, "CreateResource", failed).expect(1);
        let expected = format!("cloudformation:CreateResource returned {code}: no more of it");
        assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
        assert_eq!(ids(&project), BTreeMap::new());
        assert_eq!(project.state().get("pending"), None);
        project.apply();
        project.expect_no_changes();
    }
}

#[test]
fn a_busy_or_throttled_handler_is_waited_for() {
    for code in ["Throttling", "ResourceConflict"] {
        let mut project = topic();
        for (call, name) in [("CreateResource", "a"), ("UpdateResource", "b")] {
            let text = project.read("stacks/s.yaml");
            let text = text.replace(
                "\"DisplayName\":\"a\"",
                &format!("\"DisplayName\":\"{name}\""),
            );
            project.write("stacks/s.yaml", text);
            let ended = apply_with(&mut project, call, json!({"code": code})).expect(0);
            assert!(ended.stderr.contains("retrying"), "{}", ended.stderr);
            project.expect_no_changes();
        }
        assert_eq!(census(&project).values().sum::<usize>(), 1);
    }
}

#[test]
fn what_somebody_else_created_under_the_name_is_to_be_imported() {
    let cluster = json!({"cluster": {
        "type": "AWS::ECS::Cluster", "properties": {"ClusterName": "shared"},
    }});
    let (first, second) = (stack(&cluster), stack(&cluster));
    first.apply();
    second.share_cloud(&first);
    let ended = second.run(&["apply", "--yes"]).expect(1);
    assert!(
        ended.stderr.contains("stackctl import cluster shared"),
        "{}",
        ended.stderr
    );
    second
        .run(&["import", "cluster", "shared", "--yes"])
        .expect(0);
    second.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_property_that_aws_does_not_change_in_place_is_named() {
    let mut project = topic();
    project.apply();
    let text = project.read("stacks/s.yaml").replace("\"a\"", "\"b\"");
    project.write("stacks/s.yaml", text);
    let refused = json!({"code": "NotUpdatable", "message": "no"});
    let ended = apply_with(&mut project, "UpdateResource", refused).expect(1);
    for next in [
        "stackctl apply --replace topic",
        "options: {replaceOnChanges: [DisplayName]}",
    ] {
        assert!(ended.stderr.contains(next), "{}", ended.stderr);
    }
    project
        .run(&["apply", "--yes", "--replace", "topic"])
        .expect(0);
    project.expect_no_changes();
}

#[test]
fn a_property_that_aws_may_refuse_to_change_is_marked() {
    let vpc = |tenancy: &str| {
        json!({"vpc": {"type": "AWS::EC2::VPC", "properties": {
            "CidrBlock": "10.0.0.0/16", "EnableDnsSupport": tenancy == "default",
            "InstanceTenancy": tenancy,
        }}})
    };
    let mut project = stack(&vpc("dedicated"));
    project.apply();
    project.write(
        "stacks/s.yaml",
        stack(&vpc("default")).read("stacks/s.yaml"),
    );
    let change = &project.plan()["changes"][0];
    assert_eq!(change["may_replace_paths"], json!(["/InstanceTenancy"]));
    assert_eq!(change["actions"], json!(["update"]));
    let plan = project.run(&["plan"]).expect(0).stdout;
    let row = "InstanceTenancy: dedicated -> default  # AWS may refuse to change it in place";
    assert!(plan.contains(row), "{plan}");
    let refused = json!({"code": "NotUpdatable", "message": "no"});
    let ended = apply_with(&mut project, "UpdateResource", refused).expect(1);
    let said = "AWS does not change InstanceTenancy of AWS::EC2::VPC in place";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    project.apply();
    project.expect_no_changes();
}

#[test]
fn an_arn_that_follows_from_the_name_is_known_before_the_create() {
    let project = stack(&json!({
        "table": {"type": "AWS::DynamoDB::Table", "properties": {
            "TableName": "orders",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }},
        "topic": {"type": "AWS::SNS::Topic"},
        "queue": {"type": "aws:sqs:Queue", "properties": {
            "tags": {"table": "${table.Arn}", "topic": "${topic.TopicArn}"},
        }},
    }));
    let plan = project.plan();
    let changes = plan["changes"].as_array().unwrap();
    let queue = changes.iter().find(|it| it["address"] == "queue").unwrap();
    let arn = "arn:aws:dynamodb:us-west-2:000000000000:table/orders";
    assert_eq!(queue["after"]["tags"]["table"], arn);
    assert_eq!(queue["unknown"], json!(["/tags/topic"]));
    project.apply();
    project.expect_no_changes();
    assert_eq!(project.state()["resources"]["table"]["outputs"]["Arn"], arn);
}

/// How many types of the registry go their whole way. One stack holds them all.
const TYPES: usize = 200;

/// Strings as a stack file writes them.
fn literal(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace("${", "$${").replace("%{", "%%{").into(),
        Value::Array(items) => items.into_iter().map(literal).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, literal(value)))
            .collect(),
        other => other,
    }
}

/// Types that Cloud Control manages, spread over the registry, each with a generated instance and
/// whether its tags can be changed.
fn generated() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let managed = |name: &&&str| {
        let kind = registry_type(name).unwrap();
        let needed = [Handler::Create, Handler::Read, Handler::Delete];
        // A generated instance may leave out the structure that a part of its identifier is in.
        let is_flat = kind
            .primary_identifier()
            .iter()
            .all(|part| !part.contains('/'));
        is_in_cloud_control(name) && is_flat && needed.iter().all(|it| kind.handler(*it).is_some())
    };
    let all: Vec<&str> = names().iter().filter(managed).copied().collect();
    let step = all.len() / TYPES;
    let chosen = all.into_iter().step_by(step).take(TYPES);
    chosen
        .map(|name| {
            let kind = registry_type(name).unwrap();
            let tagging = kind.tagging();
            let updates = kind.handler(Handler::Update).is_some() && tagging.tag_updatable;
            let changes = |tags: &&str| updates && !kind.create_only().iter().any(|it| it == tags);
            let tags = tagging.plain().filter(changes);
            (name, literal(instance(kind, 7)), tags)
        })
        .collect()
}

/// The stack of all types; each updatable one has this tag.
fn of_all(types: &[(&str, Value, Option<&str>)], tag: &str) -> Value {
    let resources = types
        .iter()
        .enumerate()
        .map(|(index, (name, properties, tags))| {
            let mut properties = properties.clone();
            if let Some(tags) = tags {
                properties[*tags] = json!({"round": tag});
            }
            let block = json!({"type": name, "properties": properties});
            (format!("r{index}"), block)
        });
    json!({
        "name": "s",
        "providers": {"aws": {"region": "us-west-2"}},
        "resources": resources.collect::<serde_json::Map<_, _>>(),
    })
}

#[test]
fn two_hundred_types_go_their_whole_way() {
    let types = generated();
    assert_eq!(types.len(), TYPES);
    let project = Project::new();
    project.write("stacks/s.yaml", of_all(&types, "one").to_string());
    project.apply();
    project.expect_no_changes();
    project.write("stacks/s.yaml", of_all(&types, "two").to_string());
    let plan = project.plan();
    let updatable = types.iter().filter(|(.., tags)| tags.is_some()).count();
    assert!(updatable > TYPES / 3, "{updatable}");
    assert_eq!(plan["summary"]["update"], updatable);
    assert_eq!(plan["summary"]["replace"], 0);
    project.apply();
    project.expect_no_changes();
    let before = ids(&project);
    let list: serde_json::Map<String, Value> = before.clone().into_iter().collect();
    let other = Project::new();
    other.share_cloud(&project);
    other.write("stacks/s.yaml", of_all(&types, "two").to_string());
    other.write("list.yaml", Value::Object(list).to_string());
    other
        .run(&["import", "--file", "list.yaml", "--yes"])
        .expect(0);
    assert_eq!(ids(&other), before);
    let plan = other.run(&["plan", "--json"]).expect(0).json();
    for (address, _) in actions(&plan) {
        let changes = plan["changes"].as_array().unwrap();
        let change = changes.iter().find(|it| it["address"] == *address).unwrap();
        // What no read returns is sent once more.
        let kind = registry_type(change["type"].as_str().unwrap()).unwrap();
        assert!(!kind.write_only().is_empty(), "{change:#}");
    }
    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(census(&project), BTreeMap::new());
}

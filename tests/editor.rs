//! `stackctl schema`: what is right is not flagged by the schema, and what is wrong is.

mod client;
mod server;

use crate::support::cases::files;
use serde_json::{Map, Value, json};
use stackctl::editor;
use stackctl::resource::table::native;
use std::collections::BTreeSet;
use std::path::Path;

/// The registry types that a file names, wherever that is.
fn registry_types(file: &Value, found: &mut BTreeSet<&'static str>) {
    match file {
        Value::Object(map) => {
            let name = map.get("type").and_then(Value::as_str);
            let name = name.filter(|name| name.starts_with("AWS::"));
            found.extend(name.and_then(|name| Some(native().schema(name)?.name)));
            map.values().for_each(|it| registry_types(it, found));
        }
        Value::Array(items) => items.iter().for_each(|it| registry_types(it, found)),
        _ => {}
    }
}

fn yaml(text: &str) -> Value {
    stackctl::lang::source::parse(text.as_bytes()).unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Each stack of the repository, and the example of each type and rule: where it is from, and its
/// text.
fn right() -> Vec<(String, String)> {
    let name = |path: &Path| path.display().to_string();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<(String, String)> = files("stacks")
        .into_iter()
        .chain([root.join("tests/cloud_control/everyday.yaml")])
        .filter(|path| path.is_file())
        .map(|path| (name(&path), read(&path)))
        .collect();
    for path in files("tests/conformance")
        .into_iter()
        .chain(files("tests/properties"))
    {
        for (at, stack) in of_case(yaml(&read(&path))).into_iter().enumerate() {
            all.push((format!("{} {at}", name(&path)), stack.to_string()));
        }
    }
    let readme = read(&root.join("README.md"));
    let stack = readme
        .split("```yaml\n")
        .find(|text| text.starts_with("name:"));
    let stack = stack.and_then(|text| text.split("```").next()).unwrap();
    all.push(("README.md".to_owned(), stack.to_owned()));
    for path in files("tests/plan") {
        let text = read(&path);
        let (case, expected) = text.split_once("\n--- # expected\n").unwrap();
        // The mistakes are those of the planner's; what it warns of is right.
        if !expected.lines().any(|line| line.starts_with("error")) {
            all.push((name(&path), yaml(case)["stack"].to_string()));
        }
    }
    let resources = native()
        .resources()
        .values()
        .map(|kind| ("resources", kind.schema()));
    let data = native()
        .data_sources()
        .values()
        .map(|kind| ("data", kind.schema()));
    for (block, schema) in resources.chain(data) {
        let example = yaml(schema.example.as_deref().unwrap());
        let stack = json!({"name": "example", block: example});
        all.push((schema.name.to_owned(), stack.to_string()));
    }
    for rule in stackctl::lint::rules()
        .iter()
        .filter(|rule| !rule.good.is_empty())
    {
        let good = yaml(rule.good);
        let blocks = ["data", "variables", "locals", "resources"];
        let mut stack = match blocks.iter().any(|block| good.get(block).is_some()) {
            true => good,
            false => json!({"resources": good}),
        };
        stack["name"] = json!("good");
        all.push((rule.code.to_owned(), stack.to_string()));
    }
    all
}

/// The stacks of a conformance case: as it begins, and after each of its changes.
fn of_case(mut case: Value) -> Vec<Value> {
    let address = case["address"].as_str().unwrap().to_owned();
    let mut stack = json!({"name": "case", "resources": case["resources"].take()});
    if case["data"].is_object() {
        stack["data"] = case["data"].take();
    }
    let mut all = vec![stack.clone()];
    let updates = case["updates"].as_array().cloned().unwrap_or_default();
    for change in [case["update"].take()].into_iter().chain(updates) {
        for (key, value) in change.as_object().into_iter().flat_map(Map::iter) {
            stack["resources"][&address]["properties"][key] = value.clone();
        }
        all.push(stack.clone());
    }
    all
}

/// Stacks in which one thing is wrong, as the text behind `name: wrong`.
const WRONG: &[(&str, &str)] = &[
    ("a block", "resource: {}"),
    ("a variable's type", "variables: {a: {type: text}}"),
    ("a variable's key", "variables: {a: {typ: string}}"),
    ("a variable's name", "variables: {1st: {}}"),
    ("a provider's key", "providers: {aws: {regoin: us-west-2}}"),
    ("an account", "providers: {aws: {allowedAccountIds: [12]}}"),
    (
        "a role without its ARN",
        "providers: {aws: {assumeRole: {duration: 1h}}}",
    ),
    ("a rule", "lint: {SK0000: off}"),
    ("a level", "lint: {SK0704: no}"),
    ("a type", "resources: {q: {type: \"aws:sqs:Quee\"}}"),
    (
        "a registry type",
        "resources: {q: {type: \"AWS::SQS::Quee\"}}",
    ),
    ("no type", "resources: {q: {properties: {}}}"),
    (
        "a resource's key",
        "resources: {q: {type: \"aws:sqs:Queue\", props: {}}}",
    ),
    (
        "an option",
        "resources: {q: {type: \"aws:sqs:Queue\", options: {protct: true}}}",
    ),
    (
        "a time",
        "resources: {q: {type: \"aws:sqs:Queue\", options: {timeouts: {create: 5}}}}",
    ),
    (
        "a bool",
        "resources: {q: {type: \"aws:sqs:Queue\", options: {when: \"yes\"}}}",
    ),
    (
        "one dependency",
        "resources: {q: {type: \"aws:sqs:Queue\", options: {dependsOn: a}}}",
    ),
    (
        "a property",
        "resources: {q: {type: \"aws:sqs:Queue\", properties: {nam: a}}}",
    ),
    (
        "a number",
        "resources: {q: {type: \"aws:sqs:Queue\", properties: {delaySeconds: \"5\"}}}",
    ),
    (
        "a bound",
        "resources: {q: {type: \"aws:sqs:Queue\", properties: {delaySeconds: 901}}}",
    ),
    ("no properties", "resources: {r: {type: \"aws:iam:Role\"}}"),
    (
        "a missing property",
        "resources: {r: {type: \"aws:iam:Role\", properties: {name: a}}}",
    ),
    (
        "a value",
        "resources: {l: {type: \"aws:cloudwatch:LogGroup\", properties: {retentionInDays: 8}}}",
    ),
    (
        "a registry property",
        "resources: {t: {type: \"AWS::DynamoDB::Table\", properties: {KeySchema: [{AttributeName: a, KeyType: HASH}], BilingMode: a}}}",
    ),
    (
        "a registry value",
        "resources: {t: {type: \"AWS::DynamoDB::Table\", properties: {KeySchema: [], BillingMode: FREE}}}",
    ),
    (
        "an output of a registry type",
        "resources: {t: {type: \"AWS::DynamoDB::Table\", properties: {KeySchema: [], Arn: a}}}",
    ),
    ("a data source", "data: {d: {type: \"aws:getRegoin\"}}"),
    (
        "an argument",
        "data: {d: {type: \"archive:getFile\", properties: {kind: zip}}}",
    ),
    (
        "options of data",
        "data: {d: {type: \"aws:getRegion\", options: {}}}",
    ),
    ("an output's key", "outputs: {o: {value: 1, secret: true}}"),
    (
        "an output without a value",
        "outputs: {o: {description: a}}",
    ),
];

#[test]
fn what_is_right_is_not_flagged_and_what_is_wrong_is() {
    let right = right();
    assert!(right.len() > 200, "{}", right.len());
    let mut types = BTreeSet::from(["AWS::DynamoDB::Table"]);
    right
        .iter()
        .for_each(|(_, text)| registry_types(&yaml(text), &mut types));
    let schema = editor::schema(native(), &types);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut flagged = Vec::new();
    for (name, text) in &right {
        let stack = yaml(text);
        let errors = validator.iter_errors(&stack);
        flagged.extend(errors.map(|it| format!("{name}: {} {it}", it.instance_path())));
    }
    assert_eq!(flagged, Vec::<String>::new());
    for (what, text) in WRONG {
        let stack = yaml(&format!("name: wrong\n{text}\n"));
        assert!(!validator.is_valid(&stack), "{what}");
    }
    assert!(!validator.is_valid(&json!({})));
}

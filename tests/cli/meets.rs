//! A create that meets an object of that name says how to adopt it, for every type whose
//! objects can meet: the printed command and the printed line are used as they stand.

use crate::conformance::{Case, cases};
use crate::support::{Ended, Project, in_parallel};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::process::Command;

/// Types whose creates meet nothing: AWS gives the id, or there is one thing to say and saying
/// it twice is the same, or every bucket has the setting from its start, or nothing is called.
const MEET_NOTHING: [&str; 12] = [
    "aws:apigatewayv2:Api",
    "aws:apigatewayv2:Deployment",
    "aws:apigatewayv2:Integration",
    "aws:iam:RolePolicyAttachment",
    "aws:s3:BucketAcl",
    "aws:s3:BucketOwnershipControls",
    "aws:s3:BucketPublicAccessBlock",
    "aws:s3:BucketVersioning",
    "random:RandomId",
    "random:RandomPassword",
    "random:RandomPet",
    "random:RandomString",
];

/// The stack's file, as JSON.
fn write(project: &Project, name: &str, resources: &Value, data: &Value) {
    let stack = json!({
        "name": name,
        "providers": {"aws": {"region": "us-west-2"}},
        "data": data,
        "resources": resources,
    });
    project.write(&format!("stacks/{name}.yaml"), stack.to_string());
}

/// The object of another stack, and what this stack wants in its place: its name, and where
/// the case knows an update, other properties.
fn met(case: &Case) -> (Project, Value) {
    let project = Project::new();
    for (path, text) in &case.files {
        project.write(path, text);
    }
    let data = json!(case.data);
    write(&project, "theirs", &json!(case.resources), &data);
    project.apply();
    let changed = project.fork();
    let mut resources = case.resources.clone();
    for (name, value) in case.updates().next().unwrap_or(&Map::new()) {
        resources[&case.address]["properties"][name] = value.clone();
    }
    write(&changed, "theirs", &json!(resources), &data);
    changed.apply();
    let known = changed.state()["resources"][&case.address].clone();
    let mut wanted = known["inputs"].clone();
    let inputs = wanted.as_object_mut().unwrap();
    match known["type"].as_str().unwrap() {
        "aws:s3:Bucket" => {
            inputs.remove("bucketPrefix");
            inputs.insert("bucket".to_owned(), known["id"].clone());
        }
        "aws:lambda:Permission" => {
            inputs.insert(
                "statementId".to_owned(),
                known["outputs"]["statementId"].clone(),
            );
        }
        _ => {}
    }
    (
        project,
        json!({"type": known["type"], "properties": wanted}),
    )
}

/// Runs the printed command line in a shell, as a user would paste it.
fn pasted(project: &Project, line: &str) -> Ended {
    let plain = project.command(&["--version"]);
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            &format!("stackctl() {{ \"$0\" \"$@\" --yes; }}; {line}"),
        ])
        .arg(plain.get_program())
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(project.dir());
    let output = shell.output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text
        .find(start)
        .unwrap_or_else(|| panic!("no {start} in {text}"));
    let rest = &text[from + start.len()..];
    &rest[..rest.find(end).unwrap()]
}

/// The plan for the resource is no create, and one apply makes it as the file says.
fn goes_on(project: &Project, stack: &[&str], address: &str) {
    let plan = project
        .run(&[&["plan", "--json"], stack].concat())
        .expect(0)
        .json();
    let changes = plan["changes"].as_array().unwrap();
    let row = changes
        .iter()
        .find(|row| row["address"] == address)
        .unwrap();
    for made in ["create", "delete"] {
        assert!(
            !row["actions"].as_array().unwrap().contains(&json!(made)),
            "{row:#}"
        );
    }
    project
        .run(&[&["apply", "--yes"], stack].concat())
        .expect(0);
    let again = project.run(&[&["plan", "--detailed-exitcode"], stack].concat());
    again.expect(0);
}

fn adopts(case: &Case) {
    let (project, resource) = met(case);
    project.write("stacks/mine.prod.yaml", "{}");
    write(&project, "mine", &json!({"it": resource}), &json!({}));
    let before = project.cloud();
    let stack = ["mine", "--env", "prod"];
    let ended = project
        .run(&[&["apply", "--yes"], &stack[..]].concat())
        .expect(1);
    assert_eq!(
        project.cloud(),
        before,
        "nothing is changed: {}",
        ended.stderr
    );
    let next = between(
        &ended.stderr,
        "next: Import it with ",
        "or choose another name",
    );
    let command = between(next, "`", "`").to_owned();
    assert!(command.starts_with("stackctl import mine it "), "{command}");
    let by_option = project.fork();
    let imported = pasted(&project, &command).expect(0);
    assert!(
        imported.stderr.contains("Imported it."),
        "{}",
        imported.stderr
    );
    assert_eq!(project.cloud(), before, "an import changes nothing");
    goes_on(&project, &stack, "it");
    // The line for the file.
    let option = between(next, "under it: ", "; ");
    let option: Value = serde_yaml::from_str(option).unwrap();
    let mut resource = resource;
    resource["options"] = option["options"].clone();
    write(&by_option, "mine", &json!({"it": resource}), &json!({}));
    goes_on(&by_option, &stack, "it");
    assert!(by_option.cloud().len() >= before.len());
}

#[test]
fn every_object_that_is_met_can_be_adopted() {
    let mut types = BTreeSet::new();
    let mut table = Vec::new();
    for (name, path) in cases() {
        types.insert(name.clone());
        if !MEET_NOTHING.contains(&name.as_str()) && !table.iter().any(|(known, _)| *known == name)
        {
            let text = std::fs::read_to_string(path).unwrap();
            table.push((name, serde_yaml::from_str::<Case>(&text).unwrap()));
        }
    }
    for name in MEET_NOTHING {
        assert!(types.contains(name), "{name}");
    }
    assert!(table.len() >= 15, "{} types", table.len());
    in_parallel(table, |(name, case)| {
        println!("{name}");
        adopts(&case);
    });
}

/// No two policies have one name, whatever their paths: the one that is there is to be adopted.
#[test]
fn a_policy_of_the_name_on_another_path() {
    let project = Project::new();
    let policy = |path: &str| {
        json!({"it": {"type": "aws:iam:Policy", "properties": {
            "name": "shared", "path": path,
            "policy": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"},
            ]},
        }}})
    };
    write(&project, "theirs", &policy("/theirs/"), &json!({}));
    project.run(&["apply", "--yes"]).expect(0);
    write(&project, "mine", &policy("/mine/"), &json!({}));
    let ended = project.run(&["apply", "--yes", "mine"]).expect(1);
    let command = between(&ended.stderr, "Import it with `", "`");
    assert_eq!(
        command,
        "stackctl import mine it arn:aws:iam::000000000000:policy/theirs/shared --local"
    );
}

/// With one stack the command needs no name, and instances are quoted; the words for the place
/// of the stack are repeated as they were typed.
#[test]
fn the_command_means_the_same_stack() {
    let project = Project::new();
    let stack = "name: s\nproviders: {aws: {region: us-west-2}}\nresources:\n  group: {type: aws:cloudwatch:LogGroup, options: {forEach: [\"a b\"]}, properties: {name: /app/it}}\n";
    project.write("stacks/s.yaml", stack);
    project.write("values.yaml", "{}");
    project.apply();
    let apply = [
        "apply",
        "--yes",
        "--state",
        "new states/s.json",
        "--var-file",
        "values.yaml",
        "-C",
        "stacks/..",
    ];
    let ended = project.run(&apply).expect(1);
    let command = between(&ended.stderr, "Import it with `", "`");
    assert_eq!(
        command,
        "stackctl import 'group[\"a b\"]' /app/it -C stacks/.. --var-file values.yaml --state 'new states/s.json' --local"
    );
    pasted(&project, command).expect(0);
    let plan = [&["plan", "--detailed-exitcode"], &apply[2..]].concat();
    project.run(&plan).expect(0);
}

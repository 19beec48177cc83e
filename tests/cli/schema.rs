//! `stackctl schema`: the file for editors.

use super::{seen, small};
use crate::support::Project;
use serde_json::Value;

const FILE: &str = ".stackctl/schema.json";

fn written(project: &Project) -> Value {
    serde_json::from_str(&project.read(FILE)).unwrap()
}

#[test]
fn it_is_written_and_the_line_is_told() {
    let project = small();
    let ended = project.run(&["schema"]);
    insta::assert_snapshot!(seen(&ended), @"
    exit: 0
    --- stdout
    Wrote .stackctl/schema.json.

    Put this line at the top of each stack file in stacks/:

      # yaml-language-server: $schema=../.stackctl/schema.json
    --- stderr
    ");
    let schema = written(&project);
    assert_eq!(schema["title"], "stackctl");
    let file = stackctl::lang::source::parse(project.read("stacks/small.yaml").as_bytes()).unwrap();
    assert!(jsonschema::is_valid(&schema, &file));
    // Again, from elsewhere, in place of the first.
    project.write(FILE, "old");
    let dir = project.dir().to_str().unwrap().to_owned();
    let elsewhere = Project::new();
    elsewhere.run(&["schema", "-C", &dir]).expect(0);
    assert_eq!(written(&project), schema);
    assert!(!elsewhere.dir().join(FILE).exists());
    let left = std::fs::read_dir(project.dir().join(".stackctl")).unwrap();
    assert_eq!(left.count(), 1);
}

#[test]
fn types_of_the_registry_are_those_that_are_used_or_named() {
    let project = small();
    let used = "name: other\nresources:\n  t: {type: \"AWS::SNS::Topic\"}\n";
    project.write("stacks/other.yaml", used);
    let ended = project.run(&["schema", "AWS::DynamoDB::Table", "aws:sqs:Queue"]);
    insta::assert_snapshot!(seen(&ended), @"
    exit: 0
    --- stdout
    Wrote .stackctl/schema.json.
    Types of the registry with their properties: AWS::DynamoDB::Table, AWS::SNS::Topic.

    Put this line at the top of each stack file in stacks/:

      # yaml-language-server: $schema=../.stackctl/schema.json
    --- stderr
    ");
    let definitions = &written(&project)["definitions"];
    for name in ["AWS::SNS::Topic", "AWS::DynamoDB::Table", "aws:sqs:Queue"] {
        assert!(definitions[name]["properties"].is_object(), "{name}");
    }
    assert!(definitions.get("AWS::EC2::VPC").is_none());
}

#[test]
fn json_goes_to_stdout_and_no_file_is_written() {
    let project = small();
    let printed = project.run(&["schema", "--json"]).expect(0);
    assert_eq!(printed.stderr, "");
    assert!(!project.dir().join(".stackctl").exists());
    let printed = printed.json();
    project.run(&["schema"]).expect(0);
    assert_eq!(written(&project), printed);
}

#[test]
fn a_type_that_does_not_exist() {
    let project = small();
    let ended = project.run(&["schema", "AWS::DynamoDB::Tabel"]);
    insta::assert_snapshot!(seen(&ended), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: Unknown resource type "AWS::DynamoDB::Tabel".
      next: Did you mean AWS::DynamoDB::Table?
    "#);
    let ended = project.run(&["schema", "aws:sqs:Quee"]);
    insta::assert_snapshot!(seen(&ended), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: Unknown resource type "aws:sqs:Quee".
      next: Did you mean aws:sqs:Queue?
    "#);
    assert!(!project.dir().join(FILE).exists());
}

#[test]
fn a_stack_that_is_being_written_is_told_of() {
    let project = small();
    project.write("stacks/torn.yaml", "name: [\n");
    let ended = project.run(&["schema"]);
    insta::assert_snapshot!(seen(&ended), @"
    exit: 0
    --- stdout
    Wrote .stackctl/schema.json.

    Put this line at the top of each stack file in stacks/:

      # yaml-language-server: $schema=../.stackctl/schema.json
    --- stderr
    warning: stacks/torn.yaml is not looked into for the types that it uses: the YAML cannot be read: did not find expected node content
    ");
    assert!(written(&project)["definitions"].is_object());
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written() {
    let project = small();
    let elsewhere = Project::new();
    std::os::unix::fs::symlink(elsewhere.dir(), project.dir().join(".stackctl")).unwrap();
    let ended = project.run(&["schema"]);
    insta::assert_snapshot!(seen(&ended), @"
    exit: 1
    --- stdout
    --- stderr
    error: .stackctl/schema.json could not be written.
      cause: .stackctl is a link: stackctl keeps what may be secret in a folder of its own
      next: Make the folder writable, or print the schema: stackctl schema --json
    ");
    assert!(!elsewhere.dir().join("schema.json").exists());
}

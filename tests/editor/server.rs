//! The schema in the editors' own YAML language server: what it completes, shows and flags.

use super::client::Client;
use super::{WRONG, registry_types, right, yaml};
use crate::support::Project;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

const LINE: &str = "# yaml-language-server: $schema=../.stackctl/schema.json\n";

/// A project with the schema, and a server.
struct Editor {
    project: Project,
    client: Client,
    count: usize,
}

impl Editor {
    fn start() -> Self {
        let project = Project::websocket();
        let everyday = include_str!("../cloud_control/everyday.yaml");
        project.write("stacks/everyday.yaml", everyday);
        let mut types = BTreeSet::from(["AWS::S3::Bucket"]);
        right()
            .iter()
            .for_each(|(_, text)| registry_types(&yaml(text), &mut types));
        let ended = Command::new(env!("CARGO_BIN_EXE_stackctl"))
            .arg("schema")
            .args(types)
            .current_dir(project.dir())
            .output()
            .unwrap();
        assert!(ended.status.success());
        let told = String::from_utf8(ended.stdout).unwrap();
        assert!(told.contains(LINE.trim_end()), "{told}");
        Self {
            project,
            client: Client::start(),
            count: 0,
        }
    }

    /// A path of its own for a text.
    fn path(&mut self) -> PathBuf {
        self.count += 1;
        let name = format!("stacks/stack{}.yaml", self.count);
        self.project.dir().join(name)
    }

    fn labels(&mut self, text: &str) -> Vec<String> {
        let path = self.path();
        let text = format!("{LINE}{text}");
        let found = self.client.completions(&path, &text);
        found.into_keys().collect()
    }

    fn hover(&mut self, text: &str) -> String {
        let path = self.path();
        self.client.hover(&path, &format!("{LINE}{text}"))
    }

    /// What is flagged in each of the texts; they are all opened before the first is waited for.
    fn flagged(&mut self, texts: &[String]) -> Vec<Vec<Value>> {
        let paths: Vec<PathBuf> = texts.iter().map(|_| self.path()).collect();
        for (path, text) in paths.iter().zip(texts) {
            self.client.open(path, &format!("{LINE}{text}"));
        }
        paths
            .iter()
            .map(|path| self.client.mistakes(path))
            .collect()
    }
}

/// The properties of a resource, with the cursor in them.
fn inside(kind: &str) -> String {
    format!("name: a\nresources:\n  r:\n    type: {kind}\n    properties:\n      |\n")
}

fn completes(editor: &mut Editor) {
    let blocks = editor.labels("name: a\n|\n");
    for block in ["resources", "variables", "providers", "outputs", "lint"] {
        assert!(blocks.iter().any(|label| label == block), "{block}");
    }
    let queue = editor.labels(&inside("aws:sqs:Queue"));
    assert!(queue.contains(&"fifoQueue".to_owned()), "{queue:?}");
    // That of a type whose name begins with the same letters is another one's.
    let policy = editor.labels(&inside("aws:sqs:QueuePolicy"));
    assert!(policy.contains(&"queueUrl".to_owned()), "{policy:?}");
    assert!(!queue.contains(&"queueUrl".to_owned()), "{queue:?}");
    let table = editor.labels(&inside("AWS::DynamoDB::Table"));
    assert!(table.contains(&"KeySchema".to_owned()), "{table:?}");
    assert!(!table.contains(&"Arn".to_owned()), "{table:?}");
    let topic = editor.labels(&inside("AWS::SNS::Topic"));
    assert!(topic.contains(&"DisplayName".to_owned()), "{topic:?}");
    let region = editor.labels("name: a\ndata:\n  d:\n    type: |\n");
    assert!(region.contains(&"aws:getRegion".to_owned()), "{region:?}");
    let options = "name: a\nresources:\n  r:\n    type: aws:sqs:Queue\n    options:\n      |\n";
    let options = editor.labels(options);
    assert!(options.contains(&"protect".to_owned()), "{options:?}");
    let scope = "name: a\nresources:\n  r:\n    type: aws:sqs:Queue\n    properties:\n      \
                 deduplicationScope: |\n";
    let scope = editor.labels(scope);
    assert!(scope.contains(&"messageGroup".to_owned()), "{scope:?}");
}

fn completes_every_type(editor: &mut Editor) {
    let path = editor.path();
    let text = format!("{LINE}name: a\nresources:\n  r:\n    type: |\n");
    let types = editor.client.completions(&path, &text);
    let native = stackctl::resource::table::native().resources();
    let names = native.keys().chain(stackctl::registry::names());
    // A long label is shortened.
    let inserted: BTreeSet<&str> = types
        .values()
        .filter_map(|it| it["insertText"].as_str())
        .collect();
    let missing: Vec<_> = names.filter(|name| !inserted.contains(**name)).collect();
    assert_eq!(missing, Vec::<&&str>::new());
    let told = types["aws:sqs:Queue"]["documentation"].to_string();
    assert!(
        told.contains("An SQS queue") && told.contains("```yaml"),
        "{told}"
    );
    let told = types["AWS::DynamoDB::Table"]["documentation"].to_string();
    assert!(told.contains("DynamoDB"), "{told}");
}

fn explains(editor: &mut Editor) {
    let resource = |rest: &str| format!("name: a\nresources:\n  r:\n    {rest}\n");
    for (text, expected) in [
        (
            resource("type: aws:sqs:Qu|eue"),
            "An SQS queue, standard or FIFO.",
        ),
        (
            resource("type: aws:sqs:Queue\n    properties: {fifo|Queue: true}"),
            "A change replaces the resource.",
        ),
        (
            resource("type: aws:sqs:Queue\n    properties: {fifo|Queue: \"${var.a}\"}"),
            "A change replaces the resource.",
        ),
        (
            resource("type: AWS::DynamoDB::Table\n    properties: {Table|Name: a}"),
            "A change replaces the resource.",
        ),
        (
            resource("type: aws:sqs:Queue\n    options: {prot|ect: true}"),
            "Whether a deletion or a replacement is refused.",
        ),
        (
            "na|me: a\n".to_owned(),
            "The state file is called after it.",
        ),
    ] {
        let shown = editor.hover(&text);
        assert!(shown.contains(expected), "{text}: {shown}");
    }
    let unused = editor.hover(&resource("type: AWS::EC2::V|PC"));
    assert!(unused.len() < 2000, "{unused}");
}

fn flags(editor: &mut Editor) {
    let right = right();
    let texts: Vec<String> = right.iter().map(|(_, text)| text.clone()).collect();
    let found = editor.flagged(&texts);
    let flagged = right
        .iter()
        .zip(found)
        .filter(|(_, found)| !found.is_empty());
    let flagged: Vec<_> = flagged.map(|((name, _), found)| (name, found)).collect();
    assert!(flagged.is_empty(), "{flagged:#?}");
    let texts: Vec<String> = WRONG
        .iter()
        .map(|(_, text)| format!("name: wrong\n{text}\n"))
        .collect();
    let found = editor.flagged(&texts);
    let missed = WRONG
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.is_empty());
    let missed: Vec<&str> = missed.map(|((what, _), _)| *what).collect();
    assert_eq!(missed, Vec::<&str>::new());
    let said = |what: &str| {
        let at = WRONG.iter().position(|(name, _)| *name == what).unwrap();
        let messages = found[at].iter().filter_map(|it| it["message"].as_str());
        messages.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(said("a property"), "Property nam is not allowed.");
    assert_eq!(
        said("a registry property"),
        "Property BilingMode is not allowed."
    );
    assert_eq!(said("a type"), "unknown type");
    assert_eq!(
        said("a number"),
        "expected an integer, or an expression ${…}"
    );
    assert_eq!(said("a time"), "Incorrect type. Expected \"string\".");
    let misspelled = &found[WRONG
        .iter()
        .position(|(name, _)| *name == "a property")
        .unwrap()][0];
    assert_eq!(misspelled["range"]["start"]["line"], 2);
}

/// Every pattern is one of JavaScript's: in its strict notation, so that none is read in another
/// way.
fn has_patterns_of_javascript() {
    let types: BTreeSet<&str> = stackctl::registry::names().iter().copied().collect();
    let schema = stackctl::editor::schema(stackctl::resource::table::native(), &types);
    let wrong = super::client::wrong_patterns(&schema);
    assert_eq!(wrong, "[]");
}

#[test]
#[ignore = "needs Node.js, npm and the npm registry; see CONTRIBUTING.md"]
fn the_yaml_language_server_completes_explains_and_flags() {
    let mut editor = Editor::start();
    completes(&mut editor);
    completes_every_type(&mut editor);
    explains(&mut editor);
    flags(&mut editor);
    has_patterns_of_javascript();
}

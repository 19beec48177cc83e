//! The whole way of the repository's stack on the local cloud, as its user walks it.

use crate::support::{Project, actions};
use serde_json::{Value, json};

#[test]
fn the_websocket_stack_goes_up_changes_and_comes_down() {
    let project = Project::websocket();
    let plan = project.plan();
    assert_eq!(plan["summary"]["create"], 19);
    let applied = project.apply();
    assert!(
        applied.stdout.contains("websocket_URI"),
        "{}",
        applied.stdout
    );
    project.expect_no_changes();

    let outputs = project.run(&["outputs", "--json"]).expect(0).json();
    assert_eq!(outputs["account_id"], "000000000000");
    let names: Vec<&String> = outputs.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["Queue", "account_id", "lambda_log_group", "websocket_URI"]
    );
    let uri = outputs["websocket_URI"].as_str().unwrap();
    assert!(
        uri.starts_with("wss://") && uri.ends_with("/production"),
        "{uri}"
    );
    let bare = project
        .run(&["outputs", "--raw", "websocket_URI"])
        .expect(0);
    assert_eq!(bare.stdout, uri);

    let plan = project
        .run(&["plan", "--json", "--var", "lambda_log_retention=14"])
        .expect(0)
        .json();
    assert_eq!(actions(&plan).len(), 1, "{plan:#}");
    assert_eq!(actions(&plan)[0].1, ["update"]);
    project
        .run(&["apply", "--yes", "--var", "lambda_log_retention=14"])
        .expect(0);
    let group = object(&project, "group");
    assert_eq!(group["retentionInDays"], 14);
    let again = [
        "plan",
        "--detailed-exitcode",
        "--var",
        "lambda_log_retention=14",
    ];
    project.run(&again).expect(0);

    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(project.cloud(), []);
    assert_eq!(project.state()["resources"], json!({}));
    assert_eq!(
        project.run(&["outputs", "--json"]).expect(0).json(),
        json!({})
    );
}

fn object(project: &Project, kind: &str) -> Value {
    let found = project.cloud().into_iter().find(|entry| entry.kind == kind);
    found.unwrap_or_else(|| panic!("no {kind}")).value
}

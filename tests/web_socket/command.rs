//! `stackctl connect`.

use super::{CHAT, chat, with};
use crate::support::Project;
use crate::support::served::Served;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

const PING: &str = r#"{"action": "ping"}"#;
const PONG: &str = r#"{"pong": true, "route": "ping"}"#;

#[test]
fn a_reply_is_printed_for_each_message() {
    let (project, _) = chat();
    let ended = project.run(&["connect", "--send", PING]).expect(0);
    assert_eq!(ended.stdout, format!("{PONG}\n"));
    let ended = project
        .run(&["connect", "--json", "--send", PING, "--send", PING])
        .expect(0);
    let lines: Vec<Value> = ended
        .stdout
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let line = json!({"type": "reply", "text": PONG, "json": {"pong": true, "route": "ping"}});
    assert_eq!(lines, [line.clone(), line]);

    // The same over a local cloud that is served by another process.
    let served = Served::start(&project);
    let ended = project.run(&["connect", "stage", "--send", PING]).expect(0);
    assert_eq!(ended.stdout, format!("{PONG}\n"));
    assert_eq!(served.end("INT"), Some(0));
}

#[test]
fn what_is_expected_ends_it() {
    let (project, _) = chat();
    for expect in [r#"{"pong": true}"#, "\"route\": \"p.ng\""] {
        let both = [
            "connect",
            "--send",
            r#"{"action": "strict"}"#,
            "--send",
            PING,
            "--expect",
            expect,
        ];
        let ended = project.run(&both).expect(0);
        assert_eq!(ended.stdout.lines().count(), 2, "{}", ended.stdout);
        assert!(
            ended.stdout.contains("Unsupported Media Type"),
            "{}",
            ended.stdout
        );
        // Why, for who runs it.
        assert!(
            ended.stderr.contains("passthroughBehavior is NEVER"),
            "{}",
            ended.stderr
        );
    }
    let wrong = [
        "connect",
        "--send",
        PING,
        "--expect",
        "{\"pong\": false}",
        "--timeout",
        "1s",
    ];
    let ended = project.run(&wrong).expect(1);
    assert_eq!(ended.stdout, format!("{PONG}\n"));
    let said = "No reply within 1 s is what --expect describes.";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let ended = project
        .run(&["connect", "--send", PING, "--expect", "{no"])
        .expect(1);
    assert!(
        ended.stderr.contains("--expect is no JSON."),
        "{}",
        ended.stderr
    );
}

#[test]
fn without_a_reply_it_fails_when_the_time_is_up() {
    let (project, _) = chat();
    let quiet = ["connect", "--send", "to the queue", "--timeout", "1s"];
    let ended = project.run(&quiet).expect(1);
    assert_eq!(ended.stdout, "");
    assert!(
        ended.stderr.contains("No reply came within 1 s."),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("stackctl logs"), "{}", ended.stderr);
}

#[test]
fn the_place_of_a_mistake_in_a_template_is_told() {
    let (project, _) = chat();
    let ended = project
        .run(&["connect", "--send", r#"{"action": "broken"}"#])
        .expect(0);
    assert!(
        ended.stdout.contains("Internal server error"),
        "{}",
        ended.stdout
    );
    let said = "template \"$default\", line 2, column 10: The JSONPath \"$.a[\" is wrong";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let ended = project
        .run(&["connect", "--send", r#"{"action": "denied"}"#])
        .expect(0);
    let said = "role/poor does not allow sqs:SendMessage on";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}

#[test]
fn a_message_is_sent_in_frames_that_api_gateway_takes() {
    let (project, _) = chat();
    let long = format!(
        r#"{{"action": "ping", "text": "{}"}}"#,
        "x".repeat(100 * 1024)
    );
    project.run(&["connect", "--send", &long]).expect(0);
    let too_long = "x".repeat(128 * 1024 - 1) + "é";
    let ended = prompt(&project, &format!("{too_long}\n{PING}\n"), &[]);
    assert!(ended.1.contains("128 KB at most"), "{}", ended.1);
    assert_eq!(ended.0, format!("{PONG}\n"));
}

/// Runs the prompt with lines from a pipe: what it prints on stdout and stderr.
fn prompt(project: &Project, lines: &str, args: &[&str]) -> (String, String) {
    let mut command = project.command(&[&["connect"], args].concat());
    let command = command.stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn lines_are_messages_until_the_input_ends() {
    let (project, _) = chat();
    let (out, _) = prompt(&project, &format!("{PING}\n\n{PING}\n"), &[]);
    assert_eq!(out, format!("{PONG}\n{PONG}\n"));
    assert_eq!(prompt(&project, "", &[]).0, "");
}

#[test]
fn a_route_with_iam_gets_a_signed_connection() {
    let iam = CHAT.replace(
        "  stage:\n",
        "  connect_route: {type: \"aws:apigatewayv2:Route\", properties: {apiId: \"${api.id}\", routeKey: $connect, authorizationType: AWS_IAM}}\n  stage:\n",
    );
    let (project, id) = with(&iam);
    let ended = project.run(&["connect", "--send", PING]).expect(0);
    assert_eq!(ended.stdout, format!("{PONG}\n"));
    // Without the stack there are no credentials.
    let url = format!("wss://{id}.execute-api.us-west-2.amazonaws.com/live");
    let ended = project.run(&["connect", &url, "--send", PING]).expect(1);
    assert!(
        ended.stderr.contains("asks for IAM: name the stack"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_cannot_be_connected_to_is_explained() {
    let (project, id) = chat();
    let url =
        |api: &str, stage: &str| format!("wss://{api}.execute-api.us-west-2.amazonaws.com/{stage}");
    for (name, said) in [
        (url("nosuchapi1", "live"), "refused the connection with 403"),
        (url(&id, "other"), "no such stage"),
        (
            "wss://example.com/live".to_owned(),
            "no address of a stage of API Gateway",
        ),
        ("stagee".to_owned(), "Did you mean stage?"),
    ] {
        let ended = project.run(&["connect", &name, "--send", "x"]).expect(1);
        assert!(ended.stderr.contains(said), "{name}: {}", ended.stderr);
    }
    let project = Project::new();
    project.write(
        "stacks/x.yaml",
        "name: x\nresources:\n  s: {type: \"random:RandomString\", properties: {length: 4}}\n",
    );
    project.apply();
    let ended = project.run(&["connect", "--send", "x"]).expect(1);
    assert!(
        ended
            .stderr
            .contains("The state of x has no WebSocket address."),
        "{}",
        ended.stderr
    );
}

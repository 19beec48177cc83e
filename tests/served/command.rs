//! The command: what it prints, what it refuses, and how it ends.

use super::queues;
use crate::support::Project;
use crate::support::served::Served;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

#[test]
fn it_ends_with_a_signal_and_another_one_can_start() {
    let project = queues();
    for signal in ["INT", "TERM", "HUP"] {
        let served = Served::start(&project);
        assert_eq!(served.end(signal), Some(0), "{signal}");
    }
    let served = Served::start(&project);
    drop(served);
    Served::start(&project);
}

#[test]
fn one_process_serves_a_folder() {
    let project = queues();
    let served = Served::start(&project);
    let second = project.run(&["local", "--port", "0"]).expect(1);
    let expected = format!(
        "error: The local cloud of this folder is served already, at {} by process {}.\n  now: \
         This one did not start.\n  next: Use the one that runs, or end it first.\n",
        served.url(),
        served.id()
    );
    assert_eq!(second.stderr, expected);
    assert_eq!(second.stdout, "");
    // Of another folder there may be another one.
    let other = Project::new();
    Served::start(&other);
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    let project = Project::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let ended = project.run(&["local", "--port", &port]).expect(1);
    let first = ended.stderr.lines().next().unwrap();
    assert_eq!(
        first,
        format!("error: Port {port} of 127.0.0.1 is taken by another program.")
    );
    assert!(ended.stderr.contains("stackctl local --port 4567"));
    let json = project.run(&["local", "--port", &port, "--json"]).expect(1);
    assert_eq!(json.json()["exit_code"], 1);
}

#[test]
fn it_prints_how_others_reach_it() {
    let project = Project::websocket();
    project.apply();
    let mut command = crate::support::hearing(&project.command(&["local", "--port", "0"]));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<String> = out.lines().take(8).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let text = lines.join("\n");
    let url = text.split("served at ").nth(1).unwrap();
    let (url, rest) = url.split_once(' ').unwrap();
    assert!(
        rest.starts_with("until Ctrl-C; it holds 15 resources."),
        "{text}"
    );
    assert!(
        text.contains("AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-west-2")
    );
    assert!(text.contains(&format!("aws --endpoint-url {url} sqs list-queues")));
    let state = project.state();
    let api = state["resources"]["api"]["id"].as_str();
    let api = api.unwrap_or_else(|| panic!("{state:#}"));
    let socket = url.replace("http", "ws");
    assert!(
        text.contains(&format!("{socket}/_api/{api}/production  ")),
        "{text}"
    );
}

#[tokio::test]
async fn others_see_what_was_applied_and_the_plan_sees_what_they_changed() {
    let project = queues();
    let served = Served::start(&project);
    let aws = served.clients().await;
    let urls = aws.sqs().list_queues().send().await.unwrap();
    assert_eq!(urls.queue_urls(), [super::ORDERED, super::PLAIN]);
    project.expect_no_changes();
    let call = aws.sqs().set_queue_attributes().queue_url(super::ORDERED);
    call.attributes("VisibilityTimeout".into(), "77")
        .send()
        .await
        .unwrap();
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
    project.apply();
    project.expect_no_changes();
    assert_eq!(aws.account().await.unwrap(), "000000000000");
}

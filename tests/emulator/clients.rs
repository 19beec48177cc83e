//! `stackctl local` with clients that others wrote: the AWS CLI and boto3 list and change what
//! stackctl created, and read the queue.

use crate::support::Project;
use crate::support::moto::python;
use crate::support::served::Served;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A Python that reaches the served cloud by the environment, and no other host.
fn client(project: &Project, served: &Served) -> Command {
    let mut command = Command::new(python());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", project.home())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", "us-west-2")
        .env("AWS_ENDPOINT_URL", served.url())
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .current_dir(project.dir());
    command
}

/// Runs the AWS CLI, which must succeed: what it prints. Its first version heeds the variable for
/// all services but SQS.
fn aws(project: &Project, served: &Served, args: &[&str]) -> String {
    let mut command = client(project, served);
    command.args(["-m", "awscli", "--endpoint-url", &served.url()]);
    let output = command.args(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "aws {args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs the AWS CLI and boto3; see CONTRIBUTING.md"]
fn the_aws_cli_sees_and_changes_what_was_applied() {
    let project = Project::websocket();
    project.apply();
    let state = project.state();
    let id = |address: &str| state["resources"][address]["id"].as_str().unwrap();
    let served = Served::start(&project);
    let aws = |args: &[&str]| aws(&project, &served, args);
    let json = |args: &[&str]| serde_json::from_str::<Value>(&aws(args)).unwrap();

    let identity = json(&["sts", "get-caller-identity"]);
    assert_eq!(identity["Account"], "000000000000");
    let queues = json(&["sqs", "list-queues"]);
    assert_eq!(queues["QueueUrls"], serde_json::json!([id("queue")]));
    let apis = json(&["apigatewayv2", "get-apis"]);
    assert_eq!(apis["Items"][0]["ApiId"], id("api"));
    let functions = json(&["lambda", "list-functions"]);
    assert_eq!(functions["Functions"][0]["FunctionName"], id("responder"));
    let roles = json(&["iam", "list-roles"]);
    assert!(!roles["Roles"].as_array().unwrap().is_empty());
    let groups = json(&["logs", "describe-log-groups"]);
    assert_eq!(groups["logGroups"].as_array().unwrap().len(), 1);
    let topics = json(&["sns", "create-topic", "--name", "news"]);
    assert!(topics["TopicArn"].as_str().unwrap().ends_with(":news"));

    // In one part and in several, up and down.
    aws(&["s3", "mb", "s3://files-of-the-cli"]);
    for (name, size) in [("small", 10), ("large", 20 << 20)] {
        let content: Vec<u8> = (0..size).map(|n: u32| (n % 251) as u8).collect();
        project.write(name, &content);
        aws(&["s3", "cp", "--quiet", name, "s3://files-of-the-cli/in/"]);
        let from = format!("s3://files-of-the-cli/in/{name}");
        aws(&["s3", "cp", "--quiet", &from, "back"]);
        let back = std::fs::read(project.dir().join("back")).unwrap();
        assert!(back == content, "{name}");
    }
    let listed = aws(&["s3", "ls", "--recursive", "s3://files-of-the-cli"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    aws(&["s3", "rb", "--force", "s3://files-of-the-cli"]);

    project.expect_no_changes();
    aws(&[
        "sqs",
        "set-queue-attributes",
        "--queue-url",
        id("queue"),
        "--attributes",
        "VisibilityTimeout=77",
    ]);
    let drift = project.run(&["drift"]).expect(2);
    assert!(
        drift.stdout.contains("visibilityTimeoutSeconds"),
        "{}",
        drift.stdout
    );
    project.apply();
    project.expect_no_changes();
}

#[test]
#[ignore = "needs the AWS CLI and boto3; see CONTRIBUTING.md"]
fn a_consumer_of_boto3_reads_the_queue() {
    let project = Project::websocket();
    // The stack's function is another consumer.
    let stack = project.read("stacks/websocket-sqs.yaml");
    let without = stack.replace(
        "      batchSize: 10\n",
        "      batchSize: 10\n      enabled: false\n",
    );
    assert_ne!(stack, without);
    project.write("stacks/websocket-sqs.yaml", without);
    project.apply();
    let served = Served::start(&project);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator/clients.py");
    let output = client(&project, &served).arg(script).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    project.expect_no_changes();
}

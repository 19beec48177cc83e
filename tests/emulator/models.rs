//! What goes over the wire, compared with botocore's models of the services: each member that is
//! sent is one of the operation's, of its type, its enum and its length, and none is missing that
//! it requires. (`models.py` does the comparing; botocore comes with moto.)

use super::project;
use crate::support::moto::{Moto, python};
use crate::support::proxy::Proxy;
use base64::Engine;
use serde_json::{Value, json};
use stackctl::resource::aws::permissions::TABLE;
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs `models.py`.
fn compare(what: &str, input: &Value) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator/models.py");
    let mut child = Command::new(python())
        .args([script, what])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python with botocore; see CONTRIBUTING.md");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "models.py failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A request as it went over the wire, as `models.py` reads it.
fn request(raw: &[u8]) -> Value {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&raw[..end]);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, path) = (first.next().unwrap(), first.next().unwrap());
    let headers: Vec<[&str; 2]> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| [name, value])
        .collect();
    let body = base64::engine::general_purpose::STANDARD.encode(&raw[end + 4..]);
    json!({"method": method, "path": path, "headers": headers, "body": body})
}

/// Fails the test unless every request fits its operation's model; the operations there were.
#[track_caller]
pub(crate) fn fit(requests: &[Vec<u8>]) -> Vec<String> {
    let list: Vec<Value> = requests.iter().map(|raw| request(raw)).collect();
    let found = compare("requests", &json!(list));
    assert_eq!(found["problems"], json!([]), "{found:#}");
    let operations = found["operations"].as_object().unwrap();
    operations.keys().cloned().collect()
}

#[test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
fn every_request_of_the_stack_fits_its_model() {
    let moto = Moto::start();
    let proxy = Proxy::start(moto.port());
    let mut project = project(&moto);
    project.flags[1] = proxy.url();
    project.apply();
    let change = "--var=lambda_log_retention=30";
    project.run(&["apply", "--yes", change]).expect(0);
    project.run(&["destroy", "--yes", change]).expect(0);
    let operations = fit(&proxy.requests());
    for needed in [
        "apigateway:CreateIntegration",
        "apigateway:CreateStage",
        "iam:CreateRole",
        "lambda:CreateEventSourceMapping",
        "lambda:CreateFunction",
        "logs:PutRetentionPolicy",
        "s3:CreateBucket",
        "s3:PutObject",
        "sqs:CreateQueue",
        "sts:GetCallerIdentity",
    ] {
        assert!(
            operations.iter().any(|name| name == needed),
            "{needed} in {operations:?}"
        );
    }
}

/// Each call in the table of permissions is an operation, and its action one that fits it.
#[test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
fn the_table_of_permissions_names_operations() {
    let rows: Vec<[&str; 2]> = TABLE
        .iter()
        .map(|row| [row.operation, row.action])
        .collect();
    let found = compare("operations", &json!(rows));
    assert_eq!(found["problems"], json!([]));
    let wrong = [
        ["s3:HeadBuckets", "s3:ListBucket"],
        ["apigateway:CreateApi", "apigateway:PUT"],
        ["iam:GetRole", "iam:GetRoles"],
    ];
    let found = compare("operations", &json!(wrong));
    assert_eq!(found["problems"].as_array().unwrap().len(), 3, "{found}");
}

/// The comparison sees what is wrong.
#[test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
fn a_request_that_does_not_fit_is_named() {
    let signed = |service: &str, more: &str| {
        let scope = format!("Credential=a/20260101/us-west-2/{service}/aws4_request");
        format!("Authorization: AWS4-HMAC-SHA256 {scope}, x\r\n{more}\r\n")
    };
    let json = |service: &str, line: &str, body: &str| {
        format!("{line} HTTP/1.1\r\n{}{body}", signed(service, "")).into_bytes()
    };
    let target = |operation: &str, body: &str| {
        let head = signed("sqs", &format!("x-amz-target: AmazonSQS.{operation}\r\n"));
        format!("POST / HTTP/1.1\r\n{head}{body}").into_bytes()
    };
    let form = |body: &str| format!("POST / HTTP/1.1\r\n{}{body}", signed("iam", "")).into_bytes();
    for (raw, problem) in [
        (
            json(
                "apigateway",
                "POST /v2/apis",
                r#"{"name":"a","protocolType":"WEBSOCKET","colour":1}"#,
            ),
            "CreateApi: input.colour: no such member",
        ),
        (
            json(
                "apigateway",
                "POST /v2/apis",
                r#"{"name":"a","protocolType":"SOCKET"}"#,
            ),
            "input.protocolType: 'SOCKET' is not one of",
        ),
        (
            json("apigateway", "POST /v2/apis", r#"{"protocolType":"HTTP"}"#),
            "input.name: is required, and is not sent",
        ),
        (
            json(
                "apigateway",
                "PATCH /v2/apis/a/integrations/b",
                r#"{"timeoutInMillis":49}"#,
            ),
            "timeoutInMillis: 49.0  are not within 50 and 30000",
        ),
        (
            json("lambda", "GET /2015-03-31/functions/f?Colour=red", ""),
            "query Colour: no such member",
        ),
        (
            target("CreateQueue", r#"{"QueueName":["a"]}"#),
            "is not a string",
        ),
        (
            form("Action=CreateRole&Version=2010-05-08&RoleName=a"),
            "AssumeRolePolicyDocument: is required",
        ),
        (form("Action=GetRole&RoleName=a%20b"), "does not match"),
        (
            form("Action=CreateRole&RoleName=a&AssumeRolePolicyDocument=x&Tags.member.1.Kay=k"),
            "Kay: no such member",
        ),
        (
            json(
                "s3",
                "PUT /bucket-1?acl",
                "<AccessControlPolicy><Colour/></AccessControlPolicy>",
            ),
            "Colour: no such member",
        ),
        (
            json("apigateway", "PATCH /v2/apis", "{}"),
            "no operation of apigateway is PATCH",
        ),
    ] {
        let found = compare("requests", &json!([request(&raw)]));
        let text = found["problems"].to_string();
        assert!(text.contains(problem), "{problem} in {text}");
    }
}

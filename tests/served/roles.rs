//! Calls with the keys of a role's session: what its policies allow, and nothing else.

use super::{ORDERED, PLAIN};
use crate::support::Project;
use crate::support::served::Served;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use serde_json::json;
use stackctl::local_cloud::{Cloud, Options};

const ROLE: &str = r#"
  sender:
    type: aws:iam:Role
    properties:
      name: sender
      assumeRolePolicy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]
  sends:
    type: aws:iam:RolePolicy
    properties:
      role: ${sender.name}
      name: sends
      policy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "sqs:SendMessage", Resource: "${plain.arn}"}
          - {Effect: Allow, Action: "s3:GetObject", Resource: "${bucket.arn}/open/*"}
"#;

fn project() -> Project {
    let project = Project::new();
    project.write("stacks/queues.yaml", format!("{}{ROLE}", super::QUEUES));
    project.apply();
    let dir = project.dir().join(".stackctl/local");
    let speed = Some(crate::support::SPEED);
    let cloud = Cloud::open(Options::from_strings(dir, None, speed, None).unwrap()).unwrap();
    let key = json!({"role": "arn:aws:iam::000000000000:role/sender", "function": "worker"});
    cloud.meddle(".sts/key/ASIAWORKER", Some(key)).unwrap();
    project
}

const WORKER: &str = "arn:aws:sts::000000000000:assumed-role/sender/worker";

#[tokio::test]
async fn a_session_does_what_its_role_allows() {
    let project = project();
    let served = Served::start(&project);
    let aws = served.clients_of("ASIAWORKER").await;
    let identity = aws.sts().get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some(WORKER));
    let send = |url: &str| {
        let call = aws.sqs_once().send_message().queue_url(url);
        call.message_body("x").message_group_id("g")
    };
    send(PLAIN).send().await.unwrap();
    let denied = |action: &str, resource: &str| {
        format!(
            "User: {WORKER} is not authorized to perform: {action} on resource: {resource} \
             because no identity-based policy allows the {action} action"
        )
    };
    let error = send(ORDERED).send().await.unwrap_err();
    let arn = "arn:aws:sqs:us-west-2:000000000000:ordered.fifo";
    assert_eq!(error.code(), Some("AccessDenied"));
    assert_eq!(error.message(), Some(&*denied("sqs:SendMessage", arn)));
    let error = aws.sqs_once().receive_message().queue_url(PLAIN);
    assert_eq!(error.send().await.unwrap_err().code(), Some("AccessDenied"));
    let error = aws.sqs_once().list_queues().send().await.unwrap_err();
    assert_eq!(error.message(), Some(&*denied("sqs:ListQueues", "*")));

    let get = |key: &str| aws.s3_once().get_object().bucket("files-of-ours").key(key);
    let error = get("open/x").send().await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchKey"));
    let error = get("closed").send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    let error = aws.lambda_once().list_functions().send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));

    // The owner sees who sent it.
    let owner = served.clients().await;
    let call = owner.sqs_once().receive_message().queue_url(PLAIN);
    let call = call.message_system_attribute_names("SenderId".into());
    let message = call.send().await.unwrap().messages.unwrap().remove(0);
    let sender = &message.attributes.unwrap()[&"SenderId".into()];
    assert!(
        sender.starts_with("AROA") && sender.ends_with(":worker"),
        "{sender}"
    );
}

#[tokio::test]
async fn a_role_that_was_deleted_allows_nothing() {
    let project = project();
    project.write("stacks/queues.yaml", super::QUEUES);
    project.apply();
    let served = Served::start(&project);
    let aws = served.clients_of("ASIAWORKER").await;
    let call = aws.sqs_once().send_message().queue_url(PLAIN);
    let error = call.message_body("x").send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    let identity = aws.sts().get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some(WORKER));
}

/// Only the owner of `@connections` may use it; what there is behind it is the gateway's.
#[test]
fn connections_are_the_role_s_to_manage_or_not() {
    let project = project();
    let served = Served::start(&project);
    let post = |key: &str| {
        let request = format!(
            "POST /_api/a1/live/@connections/x%3D HTTP/1.1\r\nHost: localhost\r\nAuthorization: \
             AWS4-HMAC-SHA256 Credential={key}/20261201/us-west-2/execute-api/aws4_request\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        served.raw(request.as_bytes())
    };
    let reply = post("ASIAWORKER");
    assert!(reply.starts_with("HTTP/1.1 403 "), "{reply}");
    let arn = "arn:aws:execute-api:us-west-2:000000000000:a1/live/POST/@connections/x=";
    assert!(reply.contains("execute-api:ManageConnections"), "{reply}");
    assert!(reply.contains(arn), "{reply}");
    assert!(!post("test").contains("ManageConnections"));
}

//! Whose keys a command uses, and where it sends them: seen by a server that only listens.

mod network;
mod profiles;

use crate::support::Project;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

/// Answers every request with a refusal, and hands out what was asked.
fn listener() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).unwrap();
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let body = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code>\
                        <Message>no such key</Message></Error></ErrorResponse>";
            let reply = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(reply.as_bytes()).unwrap();
            if sender.send(text).is_err() {
                return;
            }
        }
    });
    (url, requests)
}

fn project(url: &str) -> Project {
    let mut project = Project::websocket();
    project.flags = vec!["--endpoint-url".to_owned(), url.to_owned()];
    project.write(
        ".aws/credentials",
        "[lab]\naws_access_key_id = LABKEY\naws_secret_access_key = labsecret\n",
    );
    project
        .env("AWS_ACCESS_KEY_ID", "ENVKEY")
        .env("AWS_SECRET_ACCESS_KEY", "envsecret");
    project
}

#[test]
fn a_profile_of_the_stack_wins_over_keys_in_the_environment() {
    let (url, requests) = listener();
    let project = project(&url);
    let ended = project.run(&["plan", "--var", "aws_profile=lab"]).expect(1);
    let request = requests.recv().unwrap();
    assert!(request.contains("Credential=LABKEY/"), "{request}");
    assert!(
        request.contains("/us-west-2/sts/"),
        "the region is the file's: {request}"
    );
    assert!(
        ended.stderr.contains("InvalidClientTokenId"),
        "{}",
        ended.stderr
    );
}

#[test]
fn without_a_profile_the_environment_counts() {
    let (url, requests) = listener();
    project(&url).run(&["plan"]).expect(1);
    let request = requests.recv().unwrap();
    assert!(request.contains("Credential=ENVKEY/"), "{request}");
}

#[test]
fn a_service_of_its_own_endpoint_is_found_through_the_environment() {
    let (url, requests) = listener();
    let mut project = project("http://127.0.0.1:9");
    project.flags.clear();
    project.env("AWS_ENDPOINT_URL_STS", &url);
    project.run(&["plan"]).expect(1);
    assert!(requests.recv().unwrap().contains("GetCallerIdentity"));
}

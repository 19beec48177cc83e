//! What a service adds to what it was told, and reads leave out: stackctl's own tags on every
//! type that has tags, and the retention that an account's policy gives a log group.

use crate::conformance::{Case, cases};
use crate::support::{Project, in_parallel};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// The first case of each type that has tags.
fn tagged() -> Vec<(String, Case)> {
    let mut seen = BTreeSet::new();
    let types = stackctl::resource::table::native().resources();
    let cases = cases().into_iter().filter(|(name, _)| {
        types[name.as_str()].schema().has_property("tags") && seen.insert(name.clone())
    });
    cases
        .map(|(name, path)| {
            let text = std::fs::read_to_string(path).unwrap();
            (name, serde_yaml::from_str(&text).unwrap())
        })
        .collect()
}

fn write(project: &Project, case: &Case) {
    for (path, text) in &case.files {
        project.write(path, text);
    }
    let stack = json!({
        "name": "conformance",
        "providers": {"aws": {"region": "us-west-2"}},
        "data": case.data,
        "resources": case.resources,
    });
    project.write("stacks/conformance.yaml", stack.to_string());
}

#[test]
fn own_tags_are_no_drift_and_are_taken_in_nowhere() {
    let cases = tagged();
    assert!(cases.len() >= 8, "{} types", cases.len());
    in_parallel(cases, |(name, mut case)| {
        for tags in [json!({"team": "red"}), Value::Null] {
            case.resources[&case.address]["properties"]["tags"] = tags.clone();
            let project = Project::new();
            write(&project, &case);
            project.apply();
            let mark = format!("\"stackctl:address\":\"{}\"", case.address);
            let cloud: Vec<String> = project
                .cloud()
                .iter()
                .map(|it| it.value.to_string())
                .collect();
            let marked = cloud.iter().any(|text| {
                text.contains(&mark)
                    || text.contains("stackctl:address") && text.contains(&case.address)
            });
            // S3 has no room for them on objects.
            assert!(
                marked || name == "aws:s3:BucketObject",
                "{name}: {cloud:#?}"
            );
            let clean = |after: &str| {
                let state = project.state()["resources"].to_string();
                assert!(
                    !state.contains("stackctl:"),
                    "{name} after {after}: {state}"
                );
            };
            clean("apply");
            project.run(&["drift"]).expect(0);
            project.run(&["refresh", "--yes"]).expect(0);
            clean("refresh");
            project.expect_no_changes();
            let known = project.state()["resources"][&case.address].clone();
            let id = case.import.clone().unwrap_or("${id}".to_owned());
            let id = id.replace("${id}", known["id"].as_str().unwrap());
            project
                .run(&["state", "rm", &case.address, "--yes"])
                .expect(0);
            project
                .run(&["import", &case.address, &id, "--yes"])
                .expect(0);
            clean("import");
        }
    });
}

/// A log group of an account whose policy sets the retention, as CloudWatch Logs tells it.
fn answer(request: &str, group: &Value) -> (&'static str, String) {
    if request.contains("DescribeLogGroups") {
        return (
            "application/x-amz-json-1.1",
            json!({"logGroups": [group]}).to_string(),
        );
    }
    if request.contains("ListTagsForResource") {
        return (
            "application/x-amz-json-1.1",
            json!({"tags": {"stackctl:stack": "s"}}).to_string(),
        );
    }
    assert!(request.contains("GetCallerIdentity"), "{request}");
    let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/u</Arn><UserId>U</UserId><Account>000000000000</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>";
    ("text/xml", body.to_owned())
}

fn serve(stream: TcpStream, group: &Value) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        request.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    request.push_str(&String::from_utf8_lossy(&body));
    let (kind, text) = answer(&request, group);
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// Serves such a group from now on; the address.
fn service(group: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = serve(stream.unwrap(), &group);
        }
    });
    address
}

#[test]
fn the_retention_of_an_account_policy_is_no_drift() {
    for (retention, days) in [("retentionInDays: 7", Some(7)), ("", None)] {
        let mut project = Project::new();
        let stack = format!(
            "name: s\nproviders: {{aws: {{region: us-west-2}}}}\nresources:\n  group: {{type: aws:cloudwatch:LogGroup, properties: {{name: /app/it, {retention}}}}}\n"
        );
        project.write("stacks/s.yaml", stack);
        project.apply();
        let arn = "arn:aws:logs:us-west-2:000000000000:log-group:/app/it";
        let mut group = json!({
            "logGroupName": "/app/it", "arn": format!("{arn}:*"), "logGroupArn": arn, "storedBytes": 0,
            "creationTime": 1, "metricFilterCount": 0, "logGroupClass": "STANDARD",
            "retentionInDays": 30, "retentionPolicyName": "of-the-account",
        });
        project.flags.clear();
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ] {
            project.env(name, value);
        }
        let run = |group: &Value, args: &[&str]| {
            project.run(&[args, &["--endpoint-url", &service(group.clone())]].concat())
        };
        run(&group, &["drift"]).expect(0);
        run(&group, &["plan", "--detailed-exitcode"]).expect(0);
        // The same number as the group's own.
        group.as_object_mut().unwrap().remove("retentionPolicyName");
        let own = run(&group, &["drift"]);
        assert_eq!(
            own.code,
            Some(if days.is_some() { 2 } else { 0 }),
            "{}",
            own.stdout
        );
    }
}

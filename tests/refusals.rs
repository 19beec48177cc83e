//! What AWS refuses is refused: by `validate`, offline, at the line that is wrong, whether
//! the value is written there or comes through a variable or a local; and by the local
//! cloud's services, whoever calls them.

mod cloud;
mod services;
mod wire;

use crate::support::Project;
use serde_json::Value;

/// One mistake: what it is, the file with `@` for the wrong value, the value, and a part of
/// what must be said. The line at fault ends in `# <--`; it is the value's own by default.
struct Case(&'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    Case(
        "a .fifo name without FIFO",
        "  q: {type: \"aws:sqs:Queue\", properties: {name: @}}\n",
        "a.fifo",
        "is for a FIFO queue",
    ),
    Case(
        "FIFO without a .fifo name",
        "  q:\n    type: aws:sqs:Queue\n    properties:\n      fifoQueue: true\n      name: @\n",
        "plain",
        "ends in \".fifo\"",
    ),
    Case(
        "an unknown queue attribute",
        "  q:\n    type: aws:sqs:Queue\n    properties:\n      name: q\n      visibility: @ # <--\n",
        "30",
        "\"visibility\" is not a property of aws:sqs:Queue",
    ),
    Case(
        "a queue attribute out of range",
        "  q:\n    type: aws:sqs:Queue\n    properties:\n      name: q\n      visibilityTimeoutSeconds: @\n",
        "43201",
        "at most 43200",
    ),
    Case(
        "a FIFO attribute on a standard queue",
        "  q:\n    type: aws:sqs:Queue\n    properties:\n      name: q\n      contentBasedDeduplication: @\n",
        "true",
        "is for FIFO queues",
    ),
    Case(
        "a trust policy that is no JSON",
        "  r:\n    type: aws:iam:Role\n    properties:\n      assumeRolePolicy: @\n",
        "not JSON",
        "The policy is not JSON",
    ),
    Case(
        "a trust policy without a principal",
        "  r:\n    type: aws:iam:Role\n    properties:\n      assumeRolePolicy: @\n",
        r#"'{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}'"#,
        "Principal",
    ),
    Case(
        "a WebSocket API without route selection",
        "  a:\n    type: aws:apigatewayv2:Api\n    properties: # <--\n      name: a\n      protocolType: @\n",
        "WEBSOCKET",
        "needs routeSelectionExpression",
    ),
    Case(
        "an integration type that there is not",
        "  i:\n    type: aws:apigatewayv2:Integration\n    properties:\n      apiId: a1\n      integrationUri: https://a.example\n      integrationType: @\n",
        "LAMBDA",
        "expected one of",
    ),
    Case(
        "an integration's timeout too short",
        "  i:\n    type: aws:apigatewayv2:Integration\n    properties:\n      apiId: a1\n      integrationType: MOCK\n      timeoutMilliseconds: @\n",
        "49",
        "at least 50",
    ),
    Case(
        "a bucket of code without a key",
        "  f:\n    type: aws:lambda:Function\n    properties:\n      name: f\n      role: arn:aws:iam::000000000000:role/r\n      runtime: python3.13\n      handler: a.b\n      s3Bucket: @\n",
        "code-bucket",
        "s3Bucket needs s3Key beside it",
    ),
    Case(
        "a version of code that is not in a bucket",
        "  f:\n    type: aws:lambda:Function\n    properties:\n      name: f\n      role: arn:aws:iam::000000000000:role/r\n      packageType: Image\n      imageUri: 000000000000.dkr.ecr.us-west-2.amazonaws.com/one:a\n      s3ObjectVersion: @\n",
        "v1",
        "s3ObjectVersion goes with s3Bucket",
    ),
    Case(
        "a VPC link that is not named",
        "  i:\n    type: aws:apigatewayv2:Integration\n    properties: # <--\n      apiId: a1\n      integrationType: HTTP_PROXY\n      integrationMethod: GET\n      integrationUri: https://a.example\n      connectionType: @\n",
        "VPC_LINK",
        "needs connectionId",
    ),
    Case(
        "a WebSocket integration's timeout too long",
        "  a:\n    type: aws:apigatewayv2:Api\n    properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}\n  i:\n    type: aws:apigatewayv2:Integration\n    properties:\n      apiId: ${a.id}\n      integrationType: MOCK\n      timeoutMilliseconds: @\n",
        "30000",
        "50 to 29000 ms",
    ),
    Case(
        "an AWS integration with a URL",
        "  i:\n    type: aws:apigatewayv2:Integration\n    properties:\n      apiId: a1\n      integrationType: AWS\n      integrationUri: @\n",
        "https://sqs.us-west-2.amazonaws.com/1/q",
        "The URI of an integration of type AWS is arn:",
    ),
    Case(
        "an AWS integration without a URI",
        "  i:\n    type: aws:apigatewayv2:Integration\n    properties: # <--\n      apiId: a1\n      integrationType: @\n",
        "AWS",
        "needs integrationUri",
    ),
    Case(
        "a route to no integration",
        "  r:\n    type: aws:apigatewayv2:Route\n    properties:\n      apiId: a1\n      routeKey: $default\n      target: @\n",
        "i1",
        "must match the pattern ^integrations/",
    ),
    Case(
        "a route to an integration's bare id",
        "  i: {type: \"aws:apigatewayv2:Integration\", properties: {apiId: a1, integrationType: MOCK}}\n  r:\n    type: aws:apigatewayv2:Route\n    properties:\n      apiId: a1\n      routeKey: @\n      target: ${i.id} # <--\n",
        "$default",
        "A target is \"integrations/\"",
    ),
    Case(
        "a route to an integration of another API",
        "  i: {type: \"aws:apigatewayv2:Integration\", properties: {apiId: @, integrationType: MOCK}}\n  r:\n    type: aws:apigatewayv2:Route\n    properties:\n      apiId: a1\n      routeKey: $default\n      target: integrations/${i.id} # <--\n",
        "a2",
        "belongs to another API",
    ),
    Case(
        "a second route of the same key",
        "  a:\n    type: aws:apigatewayv2:Api\n    properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}\n  r1: {type: \"aws:apigatewayv2:Route\", properties: {apiId: \"${a.id}\", routeKey: $default}}\n  r2: {type: \"aws:apigatewayv2:Route\", properties: {apiId: \"${a.id}\", routeKey: @}}\n",
        "$default",
        "r1 and r2 would be the same resource",
    ),
    Case(
        "a second response of the same integration and key",
        "  r1: {type: \"aws:apigatewayv2:IntegrationResponse\", properties: {apiId: a1, integrationId: i1, integrationResponseKey: $default}}\n  r2: {type: \"aws:apigatewayv2:IntegrationResponse\", properties: {apiId: a1, integrationId: i1, integrationResponseKey: @}}\n",
        "$default",
        "r1 and r2 would be the same resource",
    ),
    Case(
        "a response key that is no expression",
        "  r:\n    type: aws:apigatewayv2:IntegrationResponse\n    properties:\n      apiId: a1\n      integrationId: i1\n      integrationResponseKey: @\n",
        "ok",
        "must match the pattern",
    ),
    Case(
        "an integration response of an HTTP API",
        "  a:\n    type: aws:apigatewayv2:Api\n    properties: {name: a, protocolType: HTTP}\n  r:\n    type: aws:apigatewayv2:IntegrationResponse\n    properties:\n      apiId: ${a.id} # <--\n      integrationId: i1\n      integrationResponseKey: @\n",
        "$default",
        "is for WebSocket APIs only",
    ),
    Case(
        "a second account",
        "  one: {type: \"aws:apigateway:Account\", properties: {cloudwatchRoleArn: \"arn:aws:iam::123456789012:role/a\"}}\n  two:\n    type: aws:apigateway:Account\n    properties:\n      cloudwatchRoleArn: @\n",
        "arn:aws:iam::123456789012:role/b",
        "there is one aws:apigateway:Account in an account and region",
    ),
    Case(
        "a second stage of the same name",
        "  s1: {type: \"aws:apigatewayv2:Stage\", properties: {apiId: a1, name: prod}}\n  s2: {type: \"aws:apigatewayv2:Stage\", properties: {apiId: a1, name: @}}\n",
        "prod",
        "s1 and s2 would be the same resource",
    ),
    Case(
        "a second mapping of the same queue and function",
        "  q: {type: \"aws:sqs:Queue\", properties: {name: q}}\n  m1: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: f}}\n  m2: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: @}}\n",
        "f",
        "m1 and m2 would be the same resource",
    ),
    Case(
        "a second queue of the same name",
        "  q1: {type: \"aws:sqs:Queue\", properties: {name: q}}\n  q2: {type: \"aws:sqs:Queue\", properties: {name: @}}\n",
        "q",
        "q1 and q2 would be the same resource",
    ),
    Case(
        "a FIFO batch over 10",
        "  q: {type: \"aws:sqs:Queue\", properties: {name: q.fifo, fifoQueue: true}}\n  m:\n    type: aws:lambda:EventSourceMapping\n    properties:\n      eventSourceArn: ${q.arn}\n      functionName: f\n      batchSize: @\n",
        "11",
        "at most 10 messages",
    ),
    Case(
        "a FIFO batch over 10, the queue by its ARN",
        "  m:\n    type: aws:lambda:EventSourceMapping\n    properties:\n      eventSourceArn: arn:aws:sqs:us-west-2:000000000000:q.fifo\n      functionName: f\n      batchSize: @\n",
        "11",
        "at most 10 messages",
    ),
    Case(
        "a queue that hides messages for less than the function may run",
        "  q: {type: \"aws:sqs:Queue\", properties: {name: q, visibilityTimeoutSeconds: @}}\n  f:\n    type: aws:lambda:Function\n    properties: {name: f, role: \"arn:aws:iam::000000000000:role/r\", runtime: python3.13, handler: a.b, s3Bucket: bbb, s3Key: k, timeout: 15}\n  m:\n    type: aws:lambda:EventSourceMapping\n    properties:\n      eventSourceArn: ${local.queue} # <--\n      functionName: ${f.arn}\n",
        "14",
        "visibilityTimeoutSeconds (14) is less than the function's timeout (15)",
    ),
];

/// The ways by which a value comes into a property.
fn ways(value: &str) -> [(&'static str, String, String); 3] {
    let variable = format!("variables:\n  wrong: {{type: any, default: {value}}}\n");
    let local = format!("{variable}locals:\n  wrong: \"${{var.wrong}}\"\n");
    [
        ("as it is", value.to_owned(), String::new()),
        ("by a variable", "\"${var.wrong}\"".to_owned(), variable),
        ("by a local", "\"${local.wrong}\"".to_owned(), local),
    ]
}

#[test]
fn validate_refuses_what_aws_refuses_at_the_line_at_fault() {
    all_refused(CASES);
}

/// Fails unless each of the cases is refused at its line, and for nothing else.
fn all_refused(cases: &[Case]) {
    let project = Project::new();
    let mut failures = Vec::new();
    for Case(title, resources, value, message) in cases {
        for (way, written, head) in ways(value) {
            let locals = match (resources.contains("local.queue"), head.contains("locals:")) {
                (true, true) => "  queue: ${q.arn}\n",
                (true, false) => "locals:\n  queue: ${q.arn}\n",
                _ => "",
            };
            let text = format!("name: s\n{head}{locals}resources:\n{resources}");
            // A case is a part of a stack, in one account and region.
            let off = "{SK0821: off, SK0822: off, SK0901: off, SK0902: off}";
            let text = format!("{}\nlint: {off}\n", text.trim_end());
            let line = text.lines().position(|line| line.ends_with("# <--"));
            let line = line.or_else(|| text.lines().position(|line| line.contains('@')));
            let line = line.unwrap() + 1;
            project.write("stacks/s.yaml", text.replace('@', &written));
            let ended = project.run(&["validate", "--json"]);
            let said: Vec<Value> = match serde_json::from_str::<Value>(&ended.stdout) {
                Ok(document) => document["diagnostics"].as_array().unwrap().clone(),
                Err(error) => panic!("{title}: {error}: {}{}", ended.stdout, ended.stderr),
            };
            let right = said.iter().any(|said| {
                said["line"] == line && said["message"].as_str().unwrap().contains(message)
            });
            if ended.code != Some(3) || !right || said.len() != 1 {
                failures.push(format!(
                    "{title}, {way}: exit {:?}, wanted {message:?} at line {line}, said {said:#?}",
                    ended.code
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_mistake_does_not_hide_another_one() {
    let project = Project::new();
    project.write(
        "stacks/s.yaml",
        "name: s\nresources:\n  q:\n    type: aws:sqs:Queue\n    properties:\n      name: a.fifo\n      \
         bogus: 1\n  f: {type: \"aws:sqs:Queue\", properties: {delaySeconds: 901}}\n",
    );
    let ended = project.run(&["validate", "--json"]).expect(3).json();
    let lines: Vec<u64> = ended["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|said| said["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [6, 7, 8]);
}

/// Values outside what the schema of a type allows: the conformance case of the type, with
/// one property set wrongly, and a part of what must be said.
const OUT_OF_SCHEMA: &[(&str, &str, Json, &str)] = &[
    ("aws-sqs-Queue", "delaySeconds", Json("901"), "at most 900"),
    ("aws-sqs-Queue", "name", Json("\"a b\""), "name"),
    (
        "aws-apigatewayv2-Api",
        "protocolType",
        Json("\"SOCKET\""),
        "expected one of",
    ),
    ("aws-apigatewayv2-Stage", "name", Json("\"a b\""), "name"),
    (
        "aws-lambda-Function",
        "memorySize",
        Json("64"),
        "at least 128",
    ),
    ("aws-lambda-Function", "timeout", Json("0"), "at least 1"),
    (
        "aws-lambda-EventSourceMapping",
        "batchSize",
        Json("0"),
        "at least 1",
    ),
    (
        "aws-lambda-Permission",
        "statementId",
        Json("\"a b\""),
        "statementId",
    ),
    (
        "aws-iam-Role",
        "maxSessionDuration",
        Json("3599"),
        "at least 3600",
    ),
    (
        "aws-iam-Policy",
        "description",
        Json("[1]"),
        "expected a string",
    ),
    ("aws-s3-Bucket", "bucket", Json("\"Upper_Case\""), "bucket"),
    (
        "aws-s3-BucketAcl",
        "acl",
        Json("\"open\""),
        "expected one of",
    ),
    (
        "aws-cloudwatch-LogGroup",
        "retentionInDays",
        Json("8"),
        "expected one of",
    ),
    ("random-RandomString", "length", Json("0"), "at least 1"),
];

/// A value as JSON text.
struct Json(&'static str);

#[test]
fn validate_knows_ranges_enums_and_patterns() {
    let project = Project::new();
    let mut failures = Vec::new();
    for (case, property, Json(value), message) in OUT_OF_SCHEMA {
        let path = format!(
            "{}/tests/conformance/{case}.yaml",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).unwrap();
        let mut case_file: Value = serde_yaml::from_str(&text).unwrap();
        let address = case_file["address"].as_str().unwrap().to_owned();
        let base = address.split('[').next().unwrap();
        case_file["resources"][base]["properties"][property] = serde_json::from_str(value).unwrap();
        let stack = serde_json::json!({
            "name": "s",
            "data": case_file.get("data").cloned().unwrap_or_default(),
            "resources": case_file["resources"],
        });
        project.write(
            "stacks/s.yaml",
            serde_json::to_string_pretty(&stack).unwrap(),
        );
        let ended = project.run(&["validate", "--json"]);
        let path = format!("/resources/{base}/properties/{property}");
        let right = serde_json::from_str::<Value>(&ended.stdout).is_ok_and(|document| {
            document["diagnostics"].as_array().is_some_and(|said| {
                said.iter().any(|said| {
                    said["path"] == path.as_str()
                        && said["message"]
                            .as_str()
                            .is_some_and(|it| it.contains(message))
                })
            })
        });
        if ended.code != Some(3) || !right {
            failures.push(format!("{case} {property}: {value}: {}", ended.stdout));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

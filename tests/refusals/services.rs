//! What single services refuse: tags, headers, log formats, parameters of actions, and what
//! they refuse of new resources only.

use super::{Case, all_refused};
use crate::support::Project;
use stackctl::local_cloud::{Cloud, Options};

const OBJECT: &str = "  o:\n    type: aws:s3:BucketObject\n    properties:\n      bucket: bbb\n      key: k\n      content: c\n";
const STAGE: &str = "  s:\n    type: aws:apigatewayv2:Stage\n    properties:\n      apiId: a1\n      name: s\n      accessLogSettings:\n        destinationArn: arn:aws:logs:us-west-2:000000000000:log-group:g\n        format: @\n";

/// The head of a resource of each type that has tags.
const TAGGED: &[(&str, &str)] = &[
    ("aws:sns:Topic", "name: t"),
    ("aws:sqs:Queue", "name: q"),
    ("aws:cloudwatch:LogGroup", "name: g, retentionInDays: 7"),
    ("aws:s3:Bucket", "bucket: bbb"),
    ("aws:s3:BucketObject", "bucket: bbb, key: k, content: c"),
    (
        "aws:iam:Role",
        "name: r, assumeRolePolicy: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Action: \"sts:AssumeRole\", Principal: {Service: lambda.amazonaws.com}}]}",
    ),
    (
        "aws:iam:Policy",
        "name: p, policy: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Action: \"sqs:SendMessage\", Resource: \"*\"}]}",
    ),
    (
        "aws:lambda:Function",
        "name: f, role: \"arn:aws:iam::000000000000:role/r\", runtime: python3.13, handler: a.b, s3Bucket: bbb, s3Key: k",
    ),
    (
        "aws:lambda:EventSourceMapping",
        "functionName: f, eventSourceArn: \"arn:aws:sqs:us-west-2:000000000000:q\"",
    ),
    ("aws:apigatewayv2:Api", "name: a, protocolType: HTTP"),
    ("aws:apigatewayv2:Stage", "apiId: a1, name: s"),
];

/// The mistakes that `validate` finds in a stack of one resource, as lines and messages.
fn mistakes(project: &Project, text: &str, code: i32) -> Vec<(u64, String)> {
    // The ARNs here have a region, which is fine for a test.
    let text = format!("{text}lint: {{SK0902: off}}\n");
    project.write("stacks/s.yaml", text);
    let said = project.run(&["validate", "--json"]).expect(code).json();
    let said = said["diagnostics"].as_array().unwrap().iter();
    said.map(|said| {
        let message = said["message"].as_str().unwrap().to_owned();
        (said["line"].as_u64().unwrap(), message)
    })
    .collect()
}

#[test]
fn tags_that_aws_refuses_are_refused_in_every_type() {
    let project = Project::new();
    let long = "k".repeat(129);
    for (kind, head) in TAGGED {
        let most = if *kind == "aws:s3:BucketObject" {
            10
        } else {
            47
        };
        for (tag, words) in [
            ("\"\": v", "must not be empty"),
            ("\"aws:x\": v", "reserved"),
            ("\"AWS:x\": v", "reserved"),
            ("\"stackctl:stack\": v", "reserved"),
            (&*format!("{long}: v"), "at most 128 characters"),
            (&*format!("k: {long}{long}"), "at most 256 characters"),
            ("\"a*b\": v", "holds '*'"),
            ("k: \"a\\nb\"", "the tag \"k\""),
        ] {
            let text = format!(
                "name: s\nresources:\n  x:\n    type: {kind}\n    properties: {{{head}, tags: {{\n      ok: fine,\n      {tag}}}}}\n"
            );
            let found = mistakes(&project, &text, 3);
            let [(line, message)] = &found[..] else {
                panic!("{kind} {tag}: {found:?}");
            };
            assert!(message.contains(words), "{kind} {tag}: {message}");
            assert_eq!(*line, 7, "{kind} {tag}: {message}");
        }
        for (count, code) in [(most, 0), (most + 1, 3)] {
            let tags: Vec<String> = (0..count).map(|at| format!("k{at}: v")).collect();
            let tags = tags.join(", ");
            let text = format!(
                "name: s\nresources:\n  x: {{type: \"{kind}\", properties: {{{head}, tags: {{{tags}}}}}}}\n"
            );
            let found = mistakes(&project, &text, code);
            assert_eq!(found.is_empty(), code == 0, "{kind} {count}: {found:?}");
        }
    }
}

#[test]
fn iam_takes_keys_that_differ_in_case_for_one() {
    let project = Project::new();
    for (kind, head) in TAGGED {
        let text = format!(
            "name: s\nproviders: {{aws: {{region: us-west-2, defaultTags: {{Team: a}}}}}}\nresources:\n  x: {{type: \"{kind}\", properties: {{{head}, tags: {{team: b}}}}}}\n"
        );
        let code = if kind.starts_with("aws:iam:") { 3 } else { 0 };
        let found = mistakes(&project, &text, code);
        assert_eq!(found.len(), usize::from(code == 3), "{kind}: {found:?}");
        assert!(
            found.iter().all(|(_, it)| it.contains("case only")),
            "{found:?}"
        );
    }
}

const HEADER_CASES: &[(&str, &str, &str)] = &[
    ("cacheControl", "\"max-age=60 \"", "white space"),
    ("cacheControl", "\"no-cache\\n\"", "line end"),
    ("contentDisposition", "\" attachment\"", "white space"),
    ("contentEncoding", "\"gzip\\t\"", "control characters"),
    ("contentLanguage", "\"de \"", "white space"),
    ("contentType", "\"text/html\\r\\n\"", "line end"),
    ("websiteRedirect", "\"/a\\nb\"", "control characters"),
    ("websiteRedirect", "b.html", "begins with /"),
];

#[test]
fn what_a_header_would_lose_is_refused() {
    for (name, value, words) in HEADER_CASES {
        let head = format!("{OBJECT}      {name}: @\n");
        let head: &'static str = Box::leak(head.into_boxed_str());
        all_refused(&[Case(name, head, value, words)]);
    }
    let head = format!("{OBJECT}      metadata:\n        note: @\n");
    let head: &'static str = Box::leak(head.into_boxed_str());
    all_refused(&[Case("metadata", head, "\" padded \"", "white space")]);
}

#[test]
fn log_formats_of_several_lines_or_without_the_request_are_refused() {
    all_refused(&[
        Case(
            "several lines",
            STAGE,
            "\"$context.requestId\\n$context.routeKey\\n\"",
            "is one line",
        ),
        Case(
            "a carriage return",
            STAGE,
            "\"$context.requestId\\rx\"",
            "is one line",
        ),
        Case(
            "JSON without the id",
            STAGE,
            "'{\"ip\": \"$context.identity.sourceIp\"}'",
            "$context.requestId or",
        ),
        Case(
            "XML without the id",
            STAGE,
            "<request ip=\"$context.identity.sourceIp\"/>",
            "$context.requestId or",
        ),
        Case(
            "CLF without the id",
            STAGE,
            "'$context.identity.sourceIp [$context.requestTime] $context.status'",
            "$context.requestId or",
        ),
    ]);
    let project = Project::new();
    for format in [
        "\"$context.requestId\\n\"",
        "'<request id=\"$context.extendedRequestId\"/>'",
        "'{\"id\":\"$context.requestId\"}'",
        "'$context.identity.sourceIp [$context.requestTime] $context.requestId'",
        "|\n          $context.requestId $context.routeKey",
    ] {
        let text = format!("name: s\nresources:\n{}", STAGE.replace('@', format));
        assert_eq!(mistakes(&project, &text, 0), [], "{format}");
    }
}

#[test]
fn empty_parameters_of_an_integration_are_refused() {
    let action = "  i:\n    type: aws:apigatewayv2:Integration\n    properties:\n      apiId: a1\n      integrationType: AWS_PROXY\n      integrationSubtype: SQS-SendMessage\n      credentialsArn: arn:aws:iam::000000000000:role/r\n      requestParameters:\n        QueueUrl: u\n        DelaySeconds: @\n";
    all_refused(&[Case("an action's parameter", action, "\"\"", "is empty")]);
}

const FUNCTION: &str = r#"
name: s
providers: {aws: {region: us-west-2}}
data:
  code:
    type: archive:getFile
    properties: {type: zip, source: [{content: "def b(): pass", filename: a.py}]}
resources:
  r:
    type: aws:iam:Role
    properties:
      name: r
      assumeRolePolicy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]
  f:
    type: aws:lambda:Function
    properties:
      name: f
      role: ${r.arn}
      handler: a.b
      filename: ${data.code.outputPath}
      description: @description
      runtime: @runtime
"#;

#[test]
fn a_retired_runtime_is_refused_of_new_functions_only() {
    let project = Project::new();
    let write = |runtime: &str, description: &str| {
        let text = FUNCTION.replace("@runtime", runtime);
        project.write("stacks/s.yaml", text.replace("@description", description));
    };
    let retired = |ended: &crate::support::Ended, kind: &str| {
        let shown = format!("{kind}[SK0101]: The runtime python3.8 is retired");
        assert!(ended.stderr.contains(&shown), "{ended:?}");
    };
    write("python3.8", "old");
    retired(&project.run(&["validate"]).expect(0), "warning");
    retired(&project.run(&["plan"]).expect(3), "error");

    // A function that has it exists already: made when the runtime was current.
    write("python3.13", "old");
    project.apply();
    let dir = project.dir().join(".stackctl/local");
    let cloud = Cloud::open(Options::from_strings(dir, None, None, None).unwrap()).unwrap();
    let found = cloud.resources().unwrap().into_iter();
    let mut found = found.filter(|entry| entry.kind == "function");
    let mut function = found.next().unwrap();
    function.value["config"]["Runtime"] = "python3.8".into();
    cloud.meddle(&function.key, Some(function.value)).unwrap();
    project.run(&["refresh", "--yes"]).expect(0);

    write("python3.8", "new");
    retired(&project.apply(), "warning");
    project.expect_no_changes();
    write("python3.8", "newer");
    retired(&project.run(&["plan", "--replace", "f"]).expect(3), "error");
    write("python3.7", "new");
    project.run(&["plan"]).expect(3);
    write("python3.13", "new");
    project.apply();
    // The way back is a change to it.
    write("python3.8", "new");
    retired(&project.run(&["plan"]).expect(3), "error");
}

#[test]
fn a_policy_that_aws_does_not_have_is_told_and_refused() {
    let project = Project::new();
    let text = |arn: &str| {
        format!(
            "name: s\nproviders: {{aws: {{region: us-west-2}}}}\nresources:\n  r: {{type: \"aws:iam:Role\", properties: {{name: r, assumeRolePolicy: {{Version: \"2012-10-17\", Statement: [{{Effect: Allow, Action: \"sts:AssumeRole\", Principal: {{Service: lambda.amazonaws.com}}}}]}}}}}}\n  a: {{type: \"aws:iam:RolePolicyAttachment\", properties: {{role: \"${{r.name}}\", policyArn: \"{arn}\"}}}}\n"
        )
    };
    let wrong = "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole";
    let right = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    let found = mistakes(&project, &text(wrong), 0);
    assert_eq!(found.len(), 1, "{found:?}");
    let said = project.run(&["validate"]).expect(0).stderr;
    assert!(
        said.contains(&format!("did you mean \"{right}\"")),
        "{said}"
    );
    let started = std::time::Instant::now();
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(
        started.elapsed().as_secs() < 20,
        "waited for a policy of AWS"
    );
    assert!(ended.stderr.contains("NoSuchEntity"), "{}", ended.stderr);
    assert!(ended.stderr.contains(right), "{}", ended.stderr);
    project.write("stacks/s.yaml", text(right));
    project.run(&["apply", "--yes"]).expect(0);
}

//! One mistake is one error, at its place, and `validate` and `plan` find the same ones.

use crate::support::Project;
use serde_json::Value;

/// A stack file behind `name: s`, and its mistakes as `line:column message`.
const CASES: &[(&str, &[&str])] = &[
    (
        "variables: {account: {type: number, default: 012345678901}}\n",
        &["2:46 variables.account.default: expected a number, got a string"],
    ),
    (
        "resources:\n  fn: {type: \"aws:lambda:Function\", properties: {functionName: api, role: \"arn:aws:iam::000000000000:role/x\", runtime: python3.13, handler: a.b, s3Bucket: bbb, s3Key: k}}\n  p: {type: \"aws:lambda:Permission\", properties: {action: \"lambda:InvokeFunction\", function: \"${fn.name}\", principal: apigateway.amazonaws.com}}\n",
        &["3:50 \"functionName\" is not a property of aws:lambda:Function"],
    ),
    (
        "resources:\n  q: {type: \"aws:sqs:Queue\", properties: {name: q}}\noutputs:\n  a: ${q.URL}\n  b: {value: \"${q.URL}\"}\n",
        &[
            "5:8 q (aws:sqs:Queue) has no \"URL\"",
            "6:17 q (aws:sqs:Queue) has no \"URL\"",
        ],
    ),
    (
        "variables: {n: {type: number, default: 3}}\nresources:\n  r: {type: \"aws:sqs:Queue\", properties: {name: \"x${var.n.foo}\"}}\n  s: {type: \"aws:sqs:Queue\", properties: {name: \"x${1/0}\"}}\n",
        &[
            "4:53 var.n is a number, so it has no \"foo\"",
            "5:53 this divides by zero",
        ],
    ),
    (
        "data: {p: {type: \"aws:getRegion\", properties: {x: 1}}}\n",
        &["2:48 \"x\" is not a property of aws:getRegion"],
    ),
    (
        "locals: {bad: \"${1/0}\"}\nresources:\n  q: {type: \"aws:sqs:Queue\", properties: {name: q}, options: {when: \"${local.bad > 1}\"}}\n  r: {type: \"aws:sqs:Queue\", properties: {name: r}, options: {forEach: \"${local.bad}\"}}\n",
        &["2:18 this divides by zero"],
    ),
    (
        "resources:\n  q:\n    type: aws:sqs:Queue\n    properties: {name: q}\n  options:\n    protect: true\n",
        &["6:3 \"options\" stands beside q, not under it"],
    ),
    (
        "resources:\n  q: {type: \"aws:sqs:Queue\", properties: {name: \"${each.key}\", delaySeconds: \"${each.value}\"}, options: {forEach: {a: 1, b: 901}}}\n",
        &["3:78 delaySeconds must be at most 900, got 901 (in q[\"b\"])"],
    ),
    (
        "resources:\n  p: {type: \"aws:iam:Policy\", properties: {name: p, policy: {Version: \"2012-10-17\", Statements: []}}}\n",
        &["3:85 \"Statements\" is not an element of a policy"],
    ),
    (
        "resources:\n  a: {type: \"aws:sqs:Queue\", properties: {name: \"${b.name}\"}}\n  b: {type: \"aws:sqs:Queue\", properties: {name: \"${a.name}\"}}\n",
        &["4:52 dependency cycle: a -> b -> a"],
    ),
    (
        "providers: {aws: {region: \"${1/0}\"}}\nresources: {}\n",
        &["2:30 this divides by zero"],
    ),
    (
        "variables: {pw: {type: string, sensitive: true}}\n",
        &["2:13 the variable pw has no value"],
    ),
    (
        "resources:\n  q: {type: \"aws:sqs:Queue\", properties: {name: \"${upper('q')}\"}}\n",
        &["3:58 strings in an expression take double quotes, not 'q'"],
    ),
];

fn found(project: &Project, args: &[&str]) -> Vec<String> {
    let document = project.run(args).expect(3).json();
    let list = document["diagnostics"].as_array().unwrap();
    let line = |one: &Value| {
        let message = one["message"].as_str().unwrap();
        format!("{}:{} {message}", one["line"], one["column"])
    };
    list.iter().map(line).collect()
}

#[test]
fn one_mistake_is_one_error() {
    let project = Project::new();
    for (text, expected) in CASES {
        project.write("stacks/s.yaml", format!("name: s\n{text}"));
        assert_eq!(
            found(&project, &["validate", "--json"]),
            *expected,
            "{text}"
        );
        assert_eq!(found(&project, &["plan", "--json"]), *expected, "{text}");
    }
    assert_eq!(project.cloud(), []);
}

#[test]
fn the_name_of_a_sensitive_variable_is_shown_and_no_value_is() {
    let project = Project::new();
    for text in [
        "variables: {pw: {type: string, sensitive: true}}\n",
        "variables:\n  pw: {type: number, sensitive: true, default: hunter2}\n",
        "variables:\n  pw: {type: string, sensitive: true, default: \"hunter2}\n",
    ] {
        project.write("stacks/s.yaml", format!("name: s\n{text}"));
        let ended = project.run(&["validate"]).expect(3);
        assert!(ended.stderr.contains("pw: {type"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
    let declared = "name: s\nvariables: {pw: {type: string, sensitive: true}}\n";
    project.write("stacks/s.yaml", declared);
    project.write("v.yaml", "pw: \"hunter2\n");
    let ended = project.run(&["validate", "--var-file", "v.yaml"]).expect(3);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("has no value"), "{}", ended.stderr);
}

/// Documents in which a null stands, and scalars in forms of their own.
const DOCUMENTS: &str = r#"name: s
x-tags: &tags {team: a, cost: 1.10, live: true}
providers: {aws: {region: us-west-2, allowedAccountIds: ["000000000000"]}}
variables: {org: {type: string, default: ""}}
resources:
  dead:
    type: aws:sqs:Queue
    properties: {name: dead, tags: *tags, redriveAllowPolicy: {redrivePermission: denyAll, sourceQueueArns: null}}
  open:
    type: aws:sqs:Queue
    properties: {name: open, redriveAllowPolicy: '${jsonencode({redrivePermission = "allowAll", sourceQueueArns = null})}'}
  reader:
    type: aws:iam:Policy
    properties:
      name: reader
      policy:
        Version: "2012-10-17"
        Statement:
          - Sid:
            Effect: Allow
            Action: s3:GetObject
            Resource: "*"
            Condition: '${var.org != "" ? {StringEquals = {"aws:PrincipalOrgID" = var.org}} : null}'
  api:
    type: aws:apigatewayv2:Api
    properties:
      name: shop
      protocolType: HTTP
      body:
        openapi: 3.0.1
        info: {title: shop, version: 1.10}
        paths:
          /pets/{id}:
            get:
              responses: {200: {description: found}, default: {description: error}}
              x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "https://example.com/pets/{id}", payloadFormatVersion: 1.0}
outputs:
  text: '${jsonencode({a = "<b> & c"})}'
"#;

#[test]
fn documents_are_sent_as_they_are_meant() {
    let project = Project::new();
    project.write("stacks/s.yaml", DOCUMENTS);
    project.run(&["validate"]).expect(0);
    let args = ["apply", "--yes"];
    project.run(&args).expect(0);
    let plan = ["plan", "--detailed-exitcode"];
    project.run(&plan).expect(0);
    let text = project.run(&["outputs", "--raw", "text"]).expect(0).stdout;
    assert_eq!(text.trim_end(), r#"{"a":"<b> & c"}"#);
    let state = project.state();
    let inputs = |name: &str| state["resources"][name]["inputs"].to_string();
    let all = inputs("dead") + &inputs("open") + &inputs("reader") + &inputs("api");
    assert!(!all.contains("null"), "{all}");
    assert!(
        inputs("dead").contains(r#""cost":"1.10","live":"true""#),
        "{all}"
    );
    assert!(inputs("api").contains(r#""200":{"#), "{all}");
    assert!(
        inputs("api").contains(r#""payloadFormatVersion":1.0,"#),
        "{all}"
    );
    assert!(inputs("api").contains(r#""version":1.10"#), "{all}");
    let changed = project
        .run(&["plan", "--var", "org=o-abc1234567"])
        .expect(0);
    assert!(
        changed.stdout.contains("aws:PrincipalOrgID"),
        "{}",
        changed.stdout
    );
}

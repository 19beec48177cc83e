//! Mistakes in stack files, as they are shown.

use super::seen;
use crate::support::Project;

fn told(text: &str) -> String {
    let project = Project::new();
    project.write("stacks/m.yaml", text);
    let validated = project.run(&["validate"]);
    let planned = project.run(&["plan"]);
    assert_eq!(validated.stderr, planned.stderr);
    assert_eq!(project.cloud(), []);
    seen(&validated)
}

#[test]
fn names() {
    insta::assert_snapshot!(told(r#"
name: m
variables:
  size: {type: nmber}
resources:
  queue:
    type: aws:sqs:Queu
    properties: {name: a}
  other:
    type: aws:sqs:Queue
    properties: {nam: "${var.sise}", fifoQueue: "${quue.arn}", tags: {a: "${queue.arm}"}}
    options: {dependOn: [queue]}
  log:
    type: aws:cloudwatch:LogGroup
    properties: {name: "${other.urll}"}
"#), @r#"
exit: 3
--- stdout
--- stderr
error: "nmber" is not a type: a variable is a string, number, bool, list, map or any
 --> stacks/m.yaml:4:16
  |
4 |   size: {type: nmber}
  |                ^^^^^
  |
  = help: did you mean "number"?

error: unknown resource type "aws:sqs:Queu"
 --> stacks/m.yaml:7:11
  |
7 |     type: aws:sqs:Queu
  |           ^^^^^^^^^^^^
  |
  = help: did you mean "aws:sqs:Queue"?

error: "nam" is not a property of aws:sqs:Queue
  --> stacks/m.yaml:11:18
   |
11 |     properties: {nam: "${var.sise}", fifoQueue: "${quue.arn}", tags: {a: "${queue.arm}"}}
   |                  ^^^
   |
   = help: did you mean "name"?

error: unknown variable "sise"
  --> stacks/m.yaml:11:26
   |
11 |     properties: {nam: "${var.sise}", fifoQueue: "${quue.arn}", tags: {a: "${queue.arm}"}}
   |                          ^^^^^^^^
   |
   = help: did you mean "size"?

error: undefined resource "quue"
  --> stacks/m.yaml:11:52
   |
11 |     properties: {nam: "${var.sise}", fifoQueue: "${quue.arn}", tags: {a: "${queue.arm}"}}
   |                                                    ^^^^^^^^
   |
   = help: did you mean "queue"?

error: "dependOn" is not a key of resources.other.options
  --> stacks/m.yaml:12:15
   |
12 |     options: {dependOn: [queue]}
   |               ^^^^^^^^
   |
   = help: did you mean "dependsOn"?

error: other (aws:sqs:Queue) has no "urll"
  --> stacks/m.yaml:15:27
   |
15 |     properties: {name: "${other.urll}"}
   |                           ^^^^^^^^^^
   |
   = help: did you mean "url"?

7 errors in stacks/m.yaml
"#);
}

#[test]
fn values() {
    insta::assert_snapshot!(told(r#"
name: m
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: "not a name", delaySeconds: many, visibilityTimeoutSeconds: 99999}
  log:
    type: aws:cloudwatch:LogGroup
    properties: {name: /a, retentionInDays: 8}
  text:
    type: random:RandomString
    properties: {length: [4]}
"#), @r#"
exit: 3
--- stdout
--- stderr
error: name must match the pattern ^[A-Za-z0-9_-]+(\.fifo)?$, got "not a name"
 --> stacks/m.yaml:6:24
  |
6 |     properties: {name: "not a name", delaySeconds: many, visibilityTimeoutSeconds: 99999}
  |                        ^^^^^^^^^^^^

error: delaySeconds: expected a number without a fraction, got a string
 --> stacks/m.yaml:6:52
  |
6 |     properties: {name: "not a name", delaySeconds: many, visibilityTimeoutSeconds: 99999}
  |                                                    ^^^^

error: visibilityTimeoutSeconds must be at most 43200, got 99999
 --> stacks/m.yaml:6:84
  |
6 |     properties: {name: "not a name", delaySeconds: many, visibilityTimeoutSeconds: 99999}
  |                                                                                    ^^^^^

error[SK0701]: retentionInDays: expected one of 0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557 and 3 more, got 8
 --> stacks/m.yaml:9:45
  |
9 |     properties: {name: /a, retentionInDays: 8}
  |                                             ^

error: length: expected a number without a fraction, got a list
  --> stacks/m.yaml:12:26
   |
12 |     properties: {length: [4]}
   |                          ^^^

5 errors in stacks/m.yaml
"#);
}

#[test]
fn expressions_and_circles() {
    insta::assert_snapshot!(told(r#"
name: m
locals: {a: "${local.b}", b: "${local.a}"}
resources:
  one:
    type: aws:sqs:Queue
    properties: {name: "${two.name}"}
  two:
    type: aws:sqs:Queue
    properties: {name: "${one.name}"}
  three:
    type: aws:sqs:Queue
    properties: {name: "${lowr(var}"}
"#), @r#"
exit: 3
--- stdout
--- stderr
error: dependency cycle: local.a -> local.b -> local.a
 --> stacks/m.yaml:3:33
  |
3 | locals: {a: "${local.b}", b: "${local.a}"}
  |                                 ^^^^^^^
  |
  = note: local.a depends on local.b at stacks/m.yaml:3:16
  = help: replace one of the references by the value itself

error: dependency cycle: one -> two -> one
  --> stacks/m.yaml:10:27
   |
10 |     properties: {name: "${one.name}"}
   |                           ^^^^^^^^
   |
   = note: one depends on two at stacks/m.yaml:7:27
   = help: replace one of the references by the value itself

error: the expression cannot be read: expected `)` or expression
  --> stacks/m.yaml:13:35
   |
13 |     properties: {name: "${lowr(var}"}
   |                                   ^
   |
   = help: write $${ where the text shall have a ${ of its own

3 errors in stacks/m.yaml
"#);
}

#[test]
fn a_mistake_that_only_evaluation_shows() {
    insta::assert_snapshot!(told(r#"
name: m
variables: {many: {type: list, default: [a]}}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: "${var.many[3]}"}
  log:
    type: aws:cloudwatch:LogGroup
    properties: {name: "${lowr(var.many[0])}", retentionInDays: "${7 / 0}"}
"#), @r#"
exit: 3
--- stdout
--- stderr
error: var.many has 1 item, so [3] does not exist
 --> stacks/m.yaml:7:27
  |
7 |     properties: {name: "${var.many[3]}"}
  |                           ^^^^^^^^^^^

error: unknown function "lowr"
  --> stacks/m.yaml:10:27
   |
10 |     properties: {name: "${lowr(var.many[0])}", retentionInDays: "${7 / 0}"}
   |                           ^^^^
   |
   = help: did you mean "lower"?

error: this divides by zero
  --> stacks/m.yaml:10:68
   |
10 |     properties: {name: "${lowr(var.many[0])}", retentionInDays: "${7 / 0}"}
   |                                                                    ^^^^^

3 errors in stacks/m.yaml
"#);
}

/// The line of a mistake keeps what is no secret in it: what stands around a call of sensitive(),
/// one call in another, and a declaration that takes its keys from another one.
#[test]
fn a_mistake_shows_its_line_without_the_secrets_in_it() {
    let told = told(
        r#"
name: m
variables:
  a: &base {type: string, sensitive: true, default: Hunter22}
  b: {<<: *base, nope: Hunter33}
resources:
  q:
    type: aws:sqs:Queue
    properties: {name: '${sensitive(sensitive("Hunter44"))}${sensitive("Hunter55")}', size: 1}
"#,
    );
    assert!(!told.contains("Hunter"), "{told}");
    for line in [
        "  b: {<<: *base, nope: ********}\n",
        "    properties: {name: '${sensitive(*********************)}${sensitive(**********)}', size: 1}\n",
    ] {
        assert!(told.contains(line), "{told}");
    }
}

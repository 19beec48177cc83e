//! `drift --accept`: the live values go into the stack file, and nothing else does.

use super::seen;
use crate::support::Project;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::json;
use std::collections::HashMap;

const QUEUE: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/orders";
const POLICY: &str = "arn:aws:iam::000000000000:policy/send";

const STACK: &str = r#"# Who sends what where.
name: small
variables:
  size: {type: number, default: 30}
  token: {type: string, sensitive: true, default: hunter2-token}
providers:
  aws: {region: us-west-2}

resources:
  queue:
    type: aws:sqs:Queue   # standard, not FIFO
    properties:
      name: orders
      delaySeconds: 5     # five are enough
      visibilityTimeoutSeconds: "${var.size}"
      tags: {team: red, 'cost': '7'}
  policy:
    type: aws:iam:Policy
    properties:
      name: send
      policy:
        Version: "2012-10-17"
        Statement:
          # may send
          - Effect: Allow
            Action: "sqs:SendMessage"
            Resource: "${queue.arn}"
  secret:
    type: aws:sqs:Queue
    properties: {name: hidden, tags: {token: "${var.token}"}}
"#;

fn project() -> Project {
    let project = Project::new();
    project.write("stacks/small.yaml", STACK);
    project.apply();
    project
}

async fn set(project: &Project, name: Name, value: &str) {
    let aws = project.outside().await;
    let call = aws.sqs().set_queue_attributes().queue_url(QUEUE);
    call.attributes(name, value).send().await.unwrap();
}

async fn tag(project: &Project, url: &str, tags: &[(&str, &str)]) {
    let aws = project.outside().await;
    let tags = tags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let tags: HashMap<String, String> = tags.collect();
    let call = aws.sqs().tag_queue().queue_url(url).set_tags(Some(tags));
    call.send().await.unwrap();
}

async fn set_policy(project: &Project, statements: serde_json::Value) {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    let aws = project.outside().await;
    let call = aws.iam().create_policy_version().policy_arn(POLICY);
    let call = call
        .policy_document(document.to_string())
        .set_as_default(true);
    call.send().await.unwrap();
}

#[tokio::test]
async fn the_live_values_are_written_in_their_place() {
    let project = project();
    set(&project, Name::DelaySeconds, "9").await;
    tag(&project, QUEUE, &[("team", "it is: blue"), ("cost", "8")]).await;
    let refused = project.run(&["drift", "--accept", "queue"]).expect(1);
    assert!(refused.stderr.contains("add --yes"), "{}", refused.stderr);
    assert_eq!(project.read("stacks/small.yaml"), STACK);
    let accepted = project
        .run(&["drift", "--accept", "queue", "--yes"])
        .expect(0);
    insta::assert_snapshot!(seen(&accepted), @r#"
    exit: 0
    --- stdout
    --- stacks/small.yaml
    +++ stacks/small.yaml
    @@ -11,9 +11,9 @@
         type: aws:sqs:Queue   # standard, not FIFO
         properties:
           name: orders
    -      delaySeconds: 5     # five are enough
    +      delaySeconds: 9     # five are enough
           visibilityTimeoutSeconds: "${var.size}"
    -      tags: {team: red, 'cost': '7'}
    +      tags: {team: "it is: blue", 'cost': '8'}
       policy:
         type: aws:iam:Policy
         properties:
    --- stderr
    stacks/small.yaml is changed. The next apply has the state take it over.
    "#);
    // The file wants what is live now; the state takes it over.
    let plan = project.plan();
    assert_eq!(plan["summary"]["update"], 0);
    project.apply();
    project.expect_no_changes();
    project.run(&["drift"]).expect(0);
    let again = project
        .run(&["drift", "--accept", "queue", "--json", "--yes"])
        .expect(0);
    assert_eq!(again.json()["accepted"], false);
}

#[tokio::test]
async fn statements_come_and_go_and_expressions_stay() {
    let project = project();
    let arn = project.state()["resources"]["queue"]["outputs"]["arn"].clone();
    set_policy(
        &project,
        json!([
            {"Effect": "Deny", "Action": ["s3:*", "sqs:PurgeQueue"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": arn},
        ]),
    )
    .await;
    let accepted = project
        .run(&["drift", "--accept", "policy", "--yes"])
        .expect(0);
    insta::assert_snapshot!(accepted.stdout, @r#"
    --- stacks/small.yaml
    +++ stacks/small.yaml
    @@ -22,6 +22,11 @@
             Version: "2012-10-17"
             Statement:
               # may send
    +          - Action:
    +              - s3:*
    +              - sqs:PurgeQueue
    +            Effect: Deny
    +            Resource: "*"
               - Effect: Allow
                 Action: "sqs:SendMessage"
                 Resource: "${queue.arn}"
    "#);
    project.apply();
    project.expect_no_changes();
    let bare = project.read("stacks/small.yaml");
    set_policy(
        &project,
        json!([{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}]),
    )
    .await;
    project
        .run(&["drift", "--accept", "policy", "--yes"])
        .expect(0);
    assert_eq!(project.read("stacks/small.yaml"), STACK);
    assert_ne!(bare, STACK);
    // A part that is an expression cannot become something else.
    set_policy(
        &project,
        json!([{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]),
    )
    .await;
    let refused = project
        .run(&["drift", "--accept", "policy", "--yes"])
        .expect(1);
    insta::assert_snapshot!(refused.stderr, @"
    error: The live values of policy cannot be written into the file.
      cause: policy.policy.Statement[0].Resource comes from the expression ${queue.arn} (stacks/small.yaml:27:23)
      now: Nothing was changed.
      next: Change by hand what they come from; drift shows the live values.
    ");
    assert_eq!(project.read("stacks/small.yaml"), STACK);
}

#[tokio::test]
async fn what_comes_from_elsewhere_is_named() {
    let project = project();
    set(&project, Name::VisibilityTimeout, "45").await;
    let hidden = QUEUE.replace("orders", "hidden");
    tag(&project, &hidden, &[("token", "other-secret")]).await;
    let told = |args: &[&str]| {
        let ended = project.run(args).expect(1);
        assert_eq!(project.read("stacks/small.yaml"), STACK);
        assert!(!ended.stderr.contains("hunter2") && !ended.stderr.contains("other-secret"));
        ended.stderr
    };
    insta::assert_snapshot!(told(&["drift", "--accept", "queue", "--yes"]), @"
    error: The live values of queue cannot be written into the file.
      cause: queue.visibilityTimeoutSeconds comes from the expression ${var.size} (stacks/small.yaml:15:33); the variable size has its value from its default
      now: Nothing was changed.
      next: Change by hand what they come from; drift shows the live values.
    ");
    insta::assert_snapshot!(told(&["drift", "--accept", "secret", "--yes"]), @"
    error: The live values of secret cannot be written into the file.
      cause: secret.tags.token is secret, and secrets are never written (stacks/small.yaml:30:46)
      now: Nothing was changed.
      next: Change by hand what they come from; drift shows the live values.
    ");
    insta::assert_snapshot!(told(&["drift", "queue", "--accept", "queue", "--yes"]), @"
    error: queue is named beside --accept, which takes its addresses itself.
      now: Nothing was changed.
      next: Write --accept queue to accept it as well.
    ");
    let aws = project.outside().await;
    let call = aws.sqs().delete_queue().queue_url(QUEUE);
    call.send().await.unwrap();
    insta::assert_snapshot!(told(&["drift", "--accept", "queue", "--yes"]), @"
    error: queue does not exist any more; it has no live value to accept.
      now: Nothing was changed.
      next: Take it out of the file, or apply to recreate it.
    ");
}

/// What is written for many, or in one place for two, is not changed for one of them.
#[tokio::test]
async fn nothing_else_changes_along() {
    let project = Project::new();
    let stack = r#"
name: small
providers: {aws: {region: us-west-2}}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: "${each.key}", delaySeconds: 5}
    options: {forEach: [orders, others]}
  base: &base
    type: aws:sqs:Queue
    properties: &shared {name: base, delaySeconds: 5}
  twin:
    type: aws:sqs:Queue
    properties: {<<: *shared, name: twin}
"#;
    project.write("stacks/small.yaml", stack);
    project.apply();
    for url in [
        QUEUE.to_owned(),
        QUEUE.replace("orders", "base"),
        QUEUE.replace("orders", "twin"),
    ] {
        let aws = project.outside().await;
        let call = aws.sqs().set_queue_attributes().queue_url(url);
        call.attributes(Name::DelaySeconds, "9")
            .send()
            .await
            .unwrap();
    }
    let one = project
        .run(&["drift", "--accept", "queue[\"orders\"]", "--yes"])
        .expect(1);
    assert!(
        one.stderr.contains("queue[\"others\"] would change"),
        "{}",
        one.stderr
    );
    let base = project
        .run(&["drift", "--accept", "base", "--yes"])
        .expect(1);
    assert!(base.stderr.contains("reach further"), "{}", base.stderr);
    let twin = project
        .run(&["drift", "--accept", "twin", "--yes"])
        .expect(1);
    assert!(twin.stderr.contains("merged map"), "{}", twin.stderr);
    assert_eq!(project.read("stacks/small.yaml"), stack);
}

/// Texts that mean something else when they are written down without care.
const TEXTS: [&str; 30] = [
    "${aws:username}",
    "a $${b} ${c",
    "$$${{",
    "100%{ } of it",
    "%{ if true }a%{ endif }",
    "%%{ if x } ${x} %%{y",
    "$default",
    "one\ntwo",
    "one\n\n  two ${x}\n",
    "  one\ntwo\n\n",
    "one\n# two\n---\n",
    "one \ntwo\n ",
    "12",
    "0x1f",
    "1_000",
    "1e3",
    ".inf",
    "012",
    "12:30",
    "2012-10-17",
    "true",
    "Yes",
    "null",
    "~",
    "ends with a blank ",
    " starts with one",
    "a: b #c",
    "it's \"so\" \\ there",
    "- & * ! | > ' \" % @ `",
    "\u{e4}\u{a1}\ttab",
];

/// Every text in the place of one in every style.
#[tokio::test]
async fn a_text_comes_back_as_it_is() {
    let project = Project::new();
    let styles = [
        "{\n      name: NAME,\n      description: was, assumeRolePolicy: *trust}",
        "\n      name: NAME\n      description: was\n      assumeRolePolicy: *trust",
        "\n      name: NAME\n      description: 'was' # a remark\n      assumeRolePolicy: *trust",
        "\n      name: NAME\n      description: \"was\"\n      assumeRolePolicy: *trust",
        "\n      name: NAME\n      description: |\n        was\n        it\n      assumeRolePolicy: *trust",
        "\n      name: NAME\n      assumeRolePolicy: *trust\n      description: >-\n        was\n        it",
    ];
    let trust = r#"{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {AWS: "123456789012"}}]}"#;
    let mut stack = format!(
        "name: small\nproviders: {{aws: {{region: us-west-2}}}}\nresources:\n  base:\n    type: aws:iam:Role\n    properties: {{name: base, assumeRolePolicy: &trust {trust}}}\n"
    );
    let names: Vec<(String, &str)> = TEXTS
        .iter()
        .enumerate()
        .flat_map(|(text, live)| {
            (0..styles.len()).map(move |style| (format!("r{text}_{style}"), *live))
        })
        .collect();
    for (at, (name, _)) in names.iter().enumerate() {
        let style = styles[at % styles.len()].replace("NAME", name);
        stack += &format!("  {name}:\n    type: aws:iam:Role\n    properties: {style}\n");
    }
    project.write("stacks/small.yaml", &stack);
    project.apply();
    let aws = project.outside().await;
    for (name, live) in &names {
        let call = aws.iam().update_role().role_name(name);
        call.description(*live).send().await.unwrap();
    }
    let mut args = vec!["drift", "--yes"];
    for (name, _) in &names {
        args.extend(["--accept", name.as_str()]);
    }
    project.run(&args).expect(0);
    // Nobody has to look at the file: what is live is what it says.
    let plan = project.plan();
    assert_eq!(
        plan["summary"]["update"],
        0,
        "{}",
        project.read("stacks/small.yaml")
    );
    project.apply();
    project.expect_no_changes();
    project.run(&["drift"]).expect(0);
    let resources = &project.state()["resources"];
    for (name, live) in &names {
        assert_eq!(&resources[name]["inputs"]["description"], live, "{name}");
    }
    // A text that only looks like an expression can be changed again.
    for (name, _) in &names {
        let call = aws.iam().update_role().role_name(name);
        call.description("plain").send().await.unwrap();
    }
    project.run(&args).expect(0);
    project.apply();
    project.expect_no_changes();
}

/// In a list that grows, and in a document that is given as text.
#[tokio::test]
async fn an_expression_of_another_language_is_no_expression() {
    for document in [
        "\n        Version: \"2012-10-17\"\n        Statement:\n          - {Effect: Allow, Action: \"s3:Get*\", Resource: \"arn:aws:s3:::b/x\"}",
        "\n        Version: \"2012-10-17\"\n        Statement: [{Effect: Allow, Action: \"s3:Get*\", Resource: [\"arn:aws:s3:::b/x\"]}]",
        " '{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"arn:aws:s3:::b/x\"}]}'",
        " |\n        {\"Version\": \"2012-10-17\",\n         \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"arn:aws:s3:::b/x\"}]}",
    ] {
        let project = Project::new();
        let stack = format!(
            "name: small\nproviders: {{aws: {{region: us-west-2}}}}\nresources:\n  policy:\n    type: aws:iam:Policy\n    properties:\n      name: send\n      policy:{document}\n"
        );
        project.write("stacks/small.yaml", &stack);
        project.apply();
        let home = "arn:aws:s3:::b/${aws:username}/*";
        set_policy(
            &project,
            json!([
                {"Effect": "Allow", "Action": "s3:Get*", "Resource": [home, "arn:aws:s3:::b/x"]},
                {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
                    "Condition": {"StringNotLike": {"s3:prefix": ["${aws:username}/*"]}}},
            ]),
        )
        .await;
        let accept = ["drift", "--accept", "policy", "--yes"];
        project.run(&accept).expect(0);
        let plan = project.plan();
        assert_eq!(
            plan["summary"]["update"],
            0,
            "{}",
            project.read("stacks/small.yaml")
        );
        project.apply();
        project.expect_no_changes();
        project.run(&["drift"]).expect(0);
        let state = project.state()["resources"]["policy"].to_string();
        assert!(state.contains("b/${aws:username}/*"), "{state}");
    }
}

/// The order of a set means nothing: what stays keeps its place, and what is new comes last.
#[tokio::test]
async fn a_set_keeps_its_order() {
    let project = Project::new();
    let stack = r#"name: small
providers: {aws: {region: us-west-2}}
resources:
  api:
    type: aws:apigatewayv2:Api
    properties:
      name: a
      protocolType: HTTP
      corsConfiguration: {allowMethods: [PUT, GET, HEAD], allowOrigins: ["https://a.example"]}
"#;
    project.write("stacks/small.yaml", stack);
    project.apply();
    let id = project.state()["resources"]["api"]["id"].clone();
    let methods = ["DELETE", "GET", "POST", "PUT"].map(str::to_owned);
    let cors = aws_sdk_apigatewayv2::types::Cors::builder()
        .set_allow_methods(Some(methods.into()))
        .allow_origins("https://a.example");
    let aws = project.outside().await;
    let call = aws.apigateway().update_api().api_id(id.as_str().unwrap());
    let call = call.cors_configuration(cors.build());
    call.send().await.unwrap();
    project
        .run(&["drift", "--accept", "api", "--yes"])
        .expect(0);
    let accepted = stack.replace("[PUT, GET, HEAD]", "[PUT, GET, DELETE, POST]");
    assert_eq!(project.read("stacks/small.yaml"), accepted);
    project.apply();
    project.expect_no_changes();
}

/// A default tag is written nowhere in the resource: another value goes in there, but nothing
/// there can be removed for it.
#[tokio::test]
async fn a_default_tag_that_was_removed_cannot_be_accepted() {
    let project = Project::new();
    let stack = r#"name: small
providers: {aws: {region: us-west-2, defaultTags: {team: red}}}
resources:
  queue:
    type: aws:sqs:Queue
    properties:
      name: orders
"#;
    project.write("stacks/small.yaml", stack);
    project.apply();
    let aws = project.outside().await;
    let call = aws.sqs().untag_queue().queue_url(QUEUE).tag_keys("team");
    call.send().await.unwrap();
    let accept = ["drift", "--accept", "queue", "--yes"];
    let refused = project.run(&accept).expect(1);
    insta::assert_snapshot!(refused.stderr, @"
    error: The live values of queue cannot be written into the file.
      cause: queue.tags.team is not in the resource's properties, where it could be taken out (stacks/small.yaml:6:5)
      now: Nothing was changed.
      next: Change by hand what they come from; drift shows the live values.
    ");
    assert_eq!(project.read("stacks/small.yaml"), stack);
    tag(&project, QUEUE, &[("team", "blue")]).await;
    project.run(&accept).expect(0);
    let tags = format!("{stack}      tags:\n        team: blue\n");
    assert_eq!(project.read("stacks/small.yaml"), tags);
    project.apply();
    project.expect_no_changes();
}

//! What belongs to API Gateway as a whole: the account's logging role, and WebSocket routes that
//! answer their caller.

use crate::support::{Project, actions};
use aws_sdk_apigateway::types::{Op, PatchOperation};
use serde_json::json;

const PUSH: &str = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";

/// A role that API Gateway can write logs with, as lines of a stack file.
fn role(address: &str) -> String {
    format!(
        r#"
  {address}:
    type: aws:iam:Role
    properties:
      name: {address}
      assumeRolePolicy:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Action: "sts:AssumeRole", Principal: {{Service: apigateway.amazonaws.com}}}}]
  {address}_logs:
    type: aws:iam:RolePolicyAttachment
    properties: {{role: "${{{address}.name}}", policyArn: "{PUSH}"}}
"#
    )
}

const STAGE: &str = r#"
  api:
    type: aws:apigatewayv2:Api
    properties: {name: chat, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}
  stage:
    type: aws:apigatewayv2:Stage
    properties:
      apiId: ${api.id}
      name: ws
      autoDeploy: true
      defaultRouteSettings: {dataTraceEnabled: true, loggingLevel: INFO}
"#;

/// The account's logging role, as the local cloud has it.
fn live(project: &Project) -> Option<String> {
    let mut all = project.cloud().into_iter();
    let settings = all.find(|entry| entry.key.ends_with("/account/settings"))?;
    Some(
        settings.value["cloudwatchRoleArn"]
            .as_str()
            .unwrap()
            .to_owned(),
    )
}

fn arn(role: &str) -> String {
    format!("arn:aws:iam::000000000000:role/{role}")
}

/// Somebody else sets the account's role.
async fn set(project: &Project, role: &str) {
    let patch = PatchOperation::builder()
        .op(Op::Replace)
        .path("/cloudwatchRoleArn")
        .value(arn(role));
    let aws = project.outside().await;
    let update = aws.apigateway_v1().update_account();
    update.patch_operations(patch.build()).send().await.unwrap();
}

fn account(role: &str) -> String {
    format!(
        "\n  account: {{type: \"aws:apigateway:Account\", properties: {{cloudwatchRoleArn: \"${{{role}.arn}}\"}}}}\n"
    )
}

#[test]
fn a_stage_that_logs_without_the_accounts_role_is_told_how_to_set_it() {
    let project = Project::new();
    project.write("stacks/x.yaml", format!("name: x\nresources:{STAGE}"));
    let ended = project.run(&["apply", "--yes"]).expect(1);
    let refusal = "CloudWatch Logs role ARN must be set in account settings to enable logging";
    assert!(ended.stderr.contains(refusal), "{}", ended.stderr);
    let hint = "Add a resource of type aws:apigateway:Account";
    assert!(ended.stderr.contains(hint), "{}", ended.stderr);

    let (role, account) = (role("logger"), account("logger"));
    let stack = format!("name: x\nresources:{role}{account}{STAGE}");
    let stack = format!("{stack}    options: {{dependsOn: [account]}}\n");
    project.write("stacks/x.yaml", stack);
    project.apply();
    project.expect_no_changes();
    assert_eq!(live(&project), Some(arn("logger")));
    project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(live(&project), None);
}

#[tokio::test]
async fn a_role_that_others_set_is_neither_replaced_nor_taken_away() {
    let project = Project::new();
    let (ours, theirs) = (role("ours"), role("theirs"));
    let roles = format!("name: x\nresources:{ours}{theirs}");
    project.write("stacks/x.yaml", &roles);
    project.apply();
    set(&project, "theirs").await;
    let with_account = format!("{roles}{}", account("ours"));
    project.write("stacks/x.yaml", &with_account);
    let ended = project.run(&["apply", "--yes"]).expect(1);
    let said = "exists already, and is not in this stack's state";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert_eq!(live(&project), Some(arn("theirs")));

    let import = ["import", "account", "api-gateway-account", "--yes"];
    project.run(&import).expect(0);
    let plan = project.plan();
    assert_eq!(
        actions(&plan),
        [("account".to_owned(), vec!["update".to_owned()])]
    );
    project.apply();
    project.expect_no_changes();
    assert_eq!(live(&project), Some(arn("ours")));

    set(&project, "theirs").await;
    project.write("stacks/x.yaml", &roles);
    project.apply();
    assert_eq!(live(&project), Some(arn("theirs")), "not ours any more");
}

#[test]
fn a_route_answers_its_caller() {
    let project = Project::new();
    let stack = r#"
name: x
variables:
  answer: {type: string, default: '{"pong": true}'}
resources:
  api:
    type: aws:apigatewayv2:Api
    properties: {name: chat, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}
  mock:
    type: aws:apigatewayv2:Integration
    properties: {apiId: "${api.id}", integrationType: MOCK, requestTemplates: {"200": '{"statusCode": 200}'}, templateSelectionExpression: "200"}
  answer:
    type: aws:apigatewayv2:IntegrationResponse
    properties: {apiId: "${api.id}", integrationId: "${mock.id}", integrationResponseKey: $default, responseTemplates: {$default: "${var.answer}"}}
  ping:
    type: aws:apigatewayv2:Route
    properties: {apiId: "${api.id}", routeKey: ping, target: "integrations/${mock.id}", routeResponseSelectionExpression: $default}
  response:
    type: aws:apigatewayv2:RouteResponse
    properties: {apiId: "${api.id}", routeId: "${ping.id}", routeResponseKey: $default}
"#;
    project.write("stacks/x.yaml", stack);
    project.run(&["validate"]).expect(0);
    project.apply();
    project.expect_no_changes();
    let other = r#"--var=answer={"pong": false}"#;
    let plan = project.run(&["plan", "--json", other]).expect(0).json();
    assert_eq!(
        actions(&plan),
        [("answer".to_owned(), vec!["update".to_owned()])]
    );
    project.run(&["apply", "--yes", other]).expect(0);
    project
        .run(&["plan", "--detailed-exitcode", other])
        .expect(0);
    project.run(&["destroy", "--yes", other]).expect(0);
    assert_eq!(project.cloud(), []);
    assert_eq!(project.state()["resources"], json!({}));
}

/// What an API speaks is known from its create and from its read: nobody asks again.
#[test]
fn the_protocol_of_an_api_is_asked_for_by_nobody() {
    let mut project = Project::new();
    let stack = |name: &str| {
        json!({"name": "s", "resources": {
            "api": {"type": "aws:apigatewayv2:Api", "properties": {"name": "a", "protocolType": "HTTP"}},
            "stage": {"type": "aws:apigatewayv2:Stage", "properties": {
                "apiId": "${api.id}", "name": name, "autoDeploy": true,
                "defaultRouteSettings": {"throttlingBurstLimit": 1, "throttlingRateLimit": 1},
            }},
        }})
        .to_string()
    };
    let refused = |at: usize| {
        json!([{"call": "apigateway:GetApi", "at": at, "times": 100, "what": "refused"}])
            .to_string()
    };
    project.write("stacks/s.yaml", stack("one"));
    project.env("STACKCTL_LOCAL_FAULTS", &refused(1));
    project.apply();
    // The API is read once, and its second stage takes the protocol from that.
    project.write("stacks/s.yaml", stack("two"));
    project.env("STACKCTL_LOCAL_FAULTS", &refused(2));
    project.apply();
}

/// No read tells it, so only the service knows that it was taken back.
#[test]
fn a_schema_validation_that_was_switched_off_is_switched_on_again() {
    let project = Project::new();
    let stack = |more: &str| {
        format!(
            "name: s\nresources:\n  api: {{type: \"aws:apigatewayv2:Api\", properties: {{name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action{more}}}}}\n"
        )
    };
    let is_off = || project.cloud()[0].value["disableSchemaValidation"] == true;
    project.write("stacks/s.yaml", stack(", disableSchemaValidation: true"));
    project.apply();
    assert!(is_off(), "{:?}", project.cloud());
    project.write("stacks/s.yaml", stack(""));
    project.apply();
    assert!(!is_off(), "{:?}", project.cloud());
}

use super::*;
use aws_sdk_apigateway::types::{Op, PatchOperation};
use aws_sdk_apigatewayv2::types::{AccessLogSettings, LoggingLevel, RouteSettings};

const ARN: &str = "arn:aws:iam::000000000000:role/logs";
const PUSH: &str = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";

/// UpdateAccount with a role, or without one.
macro_rules! set {
    ($here:expr, $role:expr) => {{
        let patch = PatchOperation::builder()
            .op(Op::Replace)
            .path("/cloudwatchRoleArn");
        let call = $here.aws.apigateway_v1_once().update_account();
        call.patch_operations(patch.value($role).build())
    }};
}

async fn role(here: &Fixture, service: &str) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}"}}}}]}}"#
    );
    let call = here.aws.iam_once().create_role().role_name("logs");
    ok!(call.assume_role_policy_document(trust));
}

#[tokio::test]
async fn the_role_must_trust_api_gateway_and_write_logs() {
    let here = Fixture::with(|options| options.speed = 100.0).await;
    assert_eq!(code!(set!(here, ARN)), BAD);
    role(&here, "lambda.amazonaws.com").await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(code!(set!(here, ARN)), BAD);
    ok!(here.aws.iam_once().delete_role().role_name("logs"));
    role(&here, "apigateway.amazonaws.com").await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(code!(set!(here, ARN)), BAD, "without the policy");
    let attach = here.aws.iam_once().attach_role_policy().role_name("logs");
    ok!(attach.policy_arn(PUSH));
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(ok!(set!(here, ARN)).cloudwatch_role_arn(), Some(ARN));
    let read = ok!(here.aws.apigateway_v1().get_account());
    assert_eq!(read.cloudwatch_role_arn(), Some(ARN));
    ok!(set!(here, ""));
    let read = ok!(here.aws.apigateway_v1().get_account());
    assert_eq!(read.cloudwatch_role_arn(), None);
}

#[tokio::test]
async fn a_web_socket_logs_only_with_the_accounts_role() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let level = |level: LoggingLevel| RouteSettings::builder().logging_level(level).build();
    let access = || {
        AccessLogSettings::builder()
            .destination_arn("arn:aws:logs:us-west-2:000000000000:log-group:l")
            .format("$context.requestId")
            .build()
    };
    let make = |name: &str| client.create_stage().api_id(&api).stage_name(name);
    let refused = make("a").default_route_settings(level(LoggingLevel::Error));
    let error = refused.send().await.unwrap_err();
    assert_eq!(error.code(), Some(BAD));
    let text = error.message().unwrap_or_default();
    assert!(text.starts_with("CloudWatch Logs role ARN must be set in account settings"));
    let traced = RouteSettings::builder().data_trace_enabled(true).build();
    assert_eq!(code!(make("a").default_route_settings(traced)), BAD);
    assert_eq!(code!(make("a").access_log_settings(access())), BAD);
    ok!(make("a").default_route_settings(level(LoggingLevel::Off)));
    ok!(client.create_route().api_id(&api).route_key("chat"));
    let update = || client.update_stage().api_id(&api).stage_name("a");
    let one = update().route_settings("chat", level(LoggingLevel::Info));
    assert_eq!(code!(one), BAD);
    set_role(&here);
    ok!(update().route_settings("chat", level(LoggingLevel::Info)));
    ok!(make("b").access_log_settings(access()));

    let there = Fixture::new().await;
    let client = there.aws.apigateway_once();
    let api = http(client).await;
    let stage = client.create_stage().api_id(&api).stage_name("a");
    ok!(stage.access_log_settings(access()));
}

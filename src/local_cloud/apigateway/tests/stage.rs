use super::*;
use aws_sdk_apigatewayv2::types::{
    AccessLogSettings, DeploymentStatus, LoggingLevel, RouteSettings,
};

#[tokio::test]
async fn a_stage_has_what_aws_fills_in_and_changes() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let make = |name: &str| client.create_stage().api_id(&api).stage_name(name);
    let made = make("production")
        .tags("k", "v")
        .stage_variables("a", "1")
        .stage_variables("b", "2");
    let made = ok!(made);
    let settings = made.default_route_settings().unwrap();
    assert_eq!(settings.logging_level(), Some(&LoggingLevel::Off));
    assert_eq!(settings.data_trace_enabled(), Some(false));
    assert_eq!(made.auto_deploy(), Some(false));
    assert_eq!(code!(make("production")), CONFLICT);
    for name in ["a b", "$default", ""] {
        assert_eq!(code!(make(name)), BAD, "{name}");
    }
    assert_eq!(code!(make("x").stage_variables("a-b", "1")), BAD);
    assert_eq!(code!(make("x").stage_variables("a", "<")), BAD);
    assert_eq!(code!(make("x").deployment_id("none")), NOT_FOUND);
    let update = || client.update_stage().api_id(&api).stage_name("production");
    let changed = ok!(update().stage_variables("a", "").stage_variables("c", "3"));
    assert_eq!(
        changed.stage_variables(),
        Some(&map(&[("b", "2"), ("c", "3")]))
    );
    set_role(&here);
    let log = "arn:aws:logs:us-west-2:000000000000:log-group:l";
    let access = |arn: &str| {
        AccessLogSettings::builder()
            .destination_arn(arn)
            .format("$context.requestId")
            .build()
    };
    assert_eq!(
        code!(update().access_log_settings(access(&format!("{log}:*")))),
        BAD
    );
    let changed = ok!(update().access_log_settings(access(log)));
    assert_eq!(
        changed.access_log_settings().unwrap().destination_arn(),
        Some(log)
    );
    ok!(client
        .delete_access_log_settings()
        .api_id(&api)
        .stage_name("production"));
    let burst = || RouteSettings::builder().throttling_burst_limit(5).build();
    assert_eq!(code!(update().route_settings("chat", burst())), NOT_FOUND);
    ok!(client.create_route().api_id(&api).route_key("chat"));
    ok!(update()
        .route_settings("chat", burst())
        .default_route_settings(burst()));
    let read = ok!(client.get_stage().api_id(&api).stage_name("production"));
    assert!(read.access_log_settings().is_none());
    assert_eq!(
        read.route_settings().unwrap()["chat"].throttling_burst_limit(),
        Some(5)
    );
    assert_eq!(
        read.default_route_settings().unwrap().logging_level(),
        Some(&LoggingLevel::Off)
    );
    let drop = || {
        client
            .delete_route_settings()
            .api_id(&api)
            .stage_name("production")
            .route_key("chat")
    };
    ok!(drop());
    assert_eq!(code!(drop()), NOT_FOUND);
}

#[tokio::test]
async fn a_stage_with_auto_deploy_follows_every_write() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let integration = mock(client, &api).await;
    let made = client
        .create_stage()
        .api_id(&api)
        .stage_name("p")
        .auto_deploy(true);
    let made = ok!(made);
    assert_eq!(made.deployment_id(), None);
    assert!(
        made.last_deployment_status_message()
            .unwrap()
            .contains("At least one route")
    );
    let current = || async {
        let stage = ok!(client.get_stage().api_id(&api).stage_name("p"));
        stage.deployment_id.unwrap()
    };
    let id = route(client, &api, "$default", &integration).await;
    let first = current().await;
    let deployment = ok!(client.get_deployment().api_id(&api).deployment_id(&first));
    assert_eq!(deployment.auto_deployed(), Some(true));
    ok!(client
        .update_route()
        .api_id(&api)
        .route_id(&id)
        .operation_name("o"));
    assert_ne!(current().await, first);
    let update = client
        .update_stage()
        .api_id(&api)
        .stage_name("p")
        .deployment_id(&first);
    assert_eq!(code!(update), BAD);
    let make = client
        .create_stage()
        .api_id(&api)
        .stage_name("q")
        .auto_deploy(true);
    assert_eq!(code!(make.deployment_id(&first)), BAD);
}

#[tokio::test]
async fn a_deployment_is_pending_then_deployed_and_kept_while_used() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let make = || client.create_deployment().api_id(&api);
    assert_eq!(code!(make()), BAD);
    let integration = mock(client, &api).await;
    route(client, &api, "$default", &integration).await;
    let made = ok!(make().description("d"));
    assert_eq!(made.deployment_status(), Some(&DeploymentStatus::Pending));
    let id = made.deployment_id().unwrap();
    let read = || client.get_deployment().api_id(&api).deployment_id(id);
    tokio::time::sleep(std::time::Duration::from_millis(110)).await;
    assert_eq!(
        ok!(read()).deployment_status(),
        Some(&DeploymentStatus::Deployed)
    );
    assert_ne!(ok!(make()).deployment_id(), Some(id));
    ok!(client
        .create_stage()
        .api_id(&api)
        .stage_name("p")
        .deployment_id(id));
    let delete = || client.delete_deployment().api_id(&api).deployment_id(id);
    assert_eq!(code!(delete()), BAD);
    let next = ok!(make().stage_name("p")).deployment_id.unwrap();
    let stage = ok!(client.get_stage().api_id(&api).stage_name("p"));
    assert_eq!(stage.deployment_id(), Some(next.as_str()));
    ok!(delete());
    let update = client
        .update_deployment()
        .api_id(&api)
        .deployment_id(&next)
        .description("e");
    assert_eq!(ok!(update).description(), Some("e"));
    assert_eq!(code!(read()), NOT_FOUND);
}

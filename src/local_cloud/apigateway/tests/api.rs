use super::*;
use aws_sdk_apigatewayv2::types::{Cors, ProtocolType};

#[tokio::test]
async fn an_api_has_what_aws_fills_in() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let made = client
        .create_api()
        .name("a")
        .protocol_type(ProtocolType::Websocket);
    let made = ok!(made
        .route_selection_expression("$request.body.action")
        .tags("k", "v"));
    let id = made.api_id().unwrap();
    assert_eq!(id.len(), 10);
    let endpoint = format!("wss://{id}.execute-api.us-west-2.amazonaws.com");
    assert_eq!(made.api_endpoint(), Some(endpoint.as_str()));
    let read = ok!(client.get_api().api_id(id));
    assert_eq!(
        read.api_key_selection_expression(),
        Some("$request.header.x-api-key")
    );
    assert_eq!(read.disable_execute_api_endpoint(), Some(false));
    assert_eq!(read.ip_address_type().unwrap().as_str(), "ipv4");
    assert_eq!(read.tags(), Some(&map(&[("k", "v")])));
    assert!(read.created_date().is_some() && read.description().is_none());
    let update = client.update_api().api_id(id).description("d").version("1");
    assert_eq!(ok!(update).name(), Some("a"));
    let cleared = ok!(client.update_api().api_id(id).description(""));
    assert_eq!(
        (cleared.description(), cleared.version()),
        (None, Some("1"))
    );
    // Names are not unique.
    assert_ne!(web_socket(client).await, web_socket(client).await);
    assert_eq!(ok!(client.get_apis()).items().len(), 3);
}

#[tokio::test]
async fn wrong_apis_are_refused() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let make = |protocol: &str| {
        let make = client.create_api().name("a").protocol_type(protocol.into());
        make.set_route_selection_expression(
            (protocol == "WEBSOCKET").then(|| "$request.body.action".to_owned()),
        )
    };
    assert_eq!(
        code!(
            client
                .create_api()
                .name("a")
                .protocol_type(ProtocolType::Websocket)
        ),
        BAD
    );
    assert_eq!(
        code!(make("WEBSOCKET").route_selection_expression("action")),
        BAD
    );
    assert_eq!(code!(make("REST")), BAD);
    assert_eq!(code!(client.create_api().name("a")), BAD);
    assert_eq!(code!(make("HTTP").name("")), BAD);
    assert_eq!(code!(make("HTTP").name("x".repeat(129))), BAD);
    assert_eq!(
        code!(make("HTTP").route_selection_expression("$request.body.x")),
        BAD
    );
    assert_eq!(code!(make("HTTP").disable_schema_validation(true)), BAD);
    assert_eq!(
        code!(make("WEBSOCKET").cors_configuration(Cors::builder().build())),
        BAD
    );
    assert_eq!(code!(make("WEBSOCKET").target("https://x.y")), BAD);
    assert_eq!(code!(make("HTTP").version("x".repeat(65))), BAD);
    assert_eq!(code!(make("HTTP").description("x".repeat(1025))), BAD);
    assert_eq!(code!(make("HTTP").ip_address_type("ipv6".into())), BAD);
    assert_eq!(code!(make("HTTP").tags("k", "")), BAD);
    assert_eq!(code!(make("HTTP").tags("aws:k", "v")), BAD);
    assert_eq!(
        code!(client.update_api().api_id("none").name("b")),
        NOT_FOUND
    );
    assert!(here.keys().is_empty());
    let id = web_socket(client).await;
    assert_eq!(code!(client.update_api().api_id(&id).name("")), BAD);
    assert_eq!(
        code!(
            client
                .update_api()
                .api_id(&id)
                .route_selection_expression("")
        ),
        BAD
    );
}

#[tokio::test]
async fn an_api_takes_its_children_along() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let (api, other) = (web_socket(client).await, web_socket(client).await);
    let integration = mock(client, &api).await;
    route(client, &api, "$default", &integration).await;
    ok!(client
        .create_stage()
        .api_id(&api)
        .stage_name("p")
        .auto_deploy(true));
    let entries = here.cloud.resources().unwrap();
    let mut kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        ["api", "api", "deployment", "integration", "route", "stage"]
    );
    ok!(client.delete_api().api_id(&api));
    assert_eq!(here.keys(), [format!("apigateway/us-west-2/api/{other}")]);
    assert_eq!(
        code!(
            client
                .get_integration()
                .api_id(&api)
                .integration_id(&integration)
        ),
        NOT_FOUND
    );
    let error = client.get_api().api_id(&api).send().await.unwrap_err();
    assert!(
        error
            .message()
            .unwrap()
            .starts_with("Invalid API identifier specified")
    );
    assert_eq!(code!(client.delete_api().api_id(&api)), NOT_FOUND);
}

#[tokio::test]
async fn tags_belong_to_apis_and_stages() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    ok!(client.create_stage().api_id(&api).stage_name("p"));
    let arn = format!("arn:aws:apigateway:us-west-2::/apis/{api}");
    for arn in [arn.clone(), format!("{arn}/stages/p")] {
        ok!(client
            .tag_resource()
            .resource_arn(&arn)
            .tags("a b", "1")
            .tags("c", "2"));
        ok!(client
            .untag_resource()
            .resource_arn(&arn)
            .tag_keys("a b")
            .tag_keys("none"));
        let tags = ok!(client.get_tags().resource_arn(&arn));
        assert_eq!(tags.tags(), Some(&map(&[("c", "2")])), "{arn}");
    }
    assert_eq!(
        ok!(client.get_api().api_id(&api)).tags(),
        Some(&map(&[("c", "2")]))
    );
    assert_eq!(
        code!(client.tag_resource().resource_arn(&arn).tags("a", "")),
        BAD
    );
    assert_eq!(
        code!(client.get_tags().resource_arn(format!("{arn}x"))),
        NOT_FOUND
    );
    assert_eq!(
        code!(client.get_tags().resource_arn("arn:aws:sqs:::q")),
        BAD
    );
}

#[tokio::test]
async fn a_quick_create_makes_its_children() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let made = client
        .create_api()
        .name("a")
        .protocol_type(ProtocolType::Http);
    let api = ok!(made.target("https://example.com/").route_key("GET /"))
        .api_id
        .unwrap();
    let routes = ok!(client.get_routes().api_id(&api));
    assert_eq!(routes.items()[0].route_key(), Some("GET /"));
    assert_eq!(routes.items()[0].api_gateway_managed(), Some(true));
    let stage = ok!(client.get_stage().api_id(&api).stage_name("$default"));
    assert_eq!(
        (stage.auto_deploy(), stage.deployment_id().is_some()),
        (Some(true), true)
    );
    ok!(client
        .update_api()
        .api_id(&api)
        .target("https://example.org/"));
    let integrations = ok!(client.get_integrations().api_id(&api));
    assert_eq!(
        integrations.items()[0].integration_uri(),
        Some("https://example.org/")
    );
    let cors = Cors::builder()
        .allow_headers("X-A")
        .allow_origins("*")
        .build();
    let changed = ok!(client.update_api().api_id(&api).cors_configuration(cors));
    assert_eq!(
        changed.cors_configuration().unwrap().allow_headers(),
        ["x-a"]
    );
    ok!(client.delete_cors_configuration().api_id(&api));
    assert!(
        ok!(client.get_api().api_id(&api))
            .cors_configuration()
            .is_none()
    );
}

#[tokio::test]
async fn lists_come_in_pages() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    for _ in 0..3 {
        mock(client, &api).await;
    }
    let list = || client.get_integrations().api_id(&api).max_results("2");
    let first = ok!(list());
    assert_eq!(first.items().len(), 2);
    let second = ok!(list().next_token(first.next_token().unwrap()));
    assert_eq!((second.items().len(), second.next_token()), (1, None));
    assert_ne!(
        second.items()[0].integration_id(),
        first.items()[0].integration_id()
    );
    assert_eq!(code!(list().max_results("many")), BAD);
}

#[tokio::test]
async fn a_base_path_is_ignored_prepended_or_split() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = http(client).await;
    let document = |servers: &str| {
        format!(
            r#"{{"openapi": "3.0.1", "servers": {servers}, "paths": {{"/e": {{"get": {{
               "x-amazon-apigateway-integration": {{"type": "http_proxy", "httpMethod": "GET",
               "uri": "https://example.com/", "payloadFormatVersion": "1.0"}}}}}}}}}}"#
        )
    };
    let variable = r#"[{"url": "/", "variables": {"basePath": {"default": "/a/b/c"}}}]"#;
    let url = r#"[{"url": "https://example.com/a/b/c/"}]"#;
    for (servers, how, key) in [
        (variable, None, "GET /e"),
        (variable, Some("ignore"), "GET /e"),
        (variable, Some("prepend"), "GET /a/b/c/e"),
        (variable, Some("split"), "GET /b/c/e"),
        (url, Some("prepend"), "GET /a/b/c/e"),
        ("[]", Some("prepend"), "GET /e"),
        (r#"[{"url": "/a"}]"#, Some("split"), "GET /e"),
    ] {
        let call = client.reimport_api().api_id(&api).body(document(servers));
        ok!(call.set_basepath(how.map(str::to_owned)));
        let routes = ok!(client.get_routes().api_id(&api));
        assert_eq!(
            routes.items()[0].route_key(),
            Some(key),
            "{servers} {how:?}"
        );
    }
    let call = client.reimport_api().api_id(&api).body(document("[]"));
    assert_eq!(code!(call.basepath("append")), BAD);
}

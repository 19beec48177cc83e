use super::*;
use aws_sdk_apigatewayv2::types::{ConnectionType, IntegrationType, PassthroughBehavior};
use std::collections::HashMap;

#[tokio::test]
async fn an_integration_keeps_every_member() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let template = "Action=SendMessage&MessageBody=$input.json('$')\n";
    let made = client
        .create_integration()
        .api_id(&api)
        .integration_type(IntegrationType::Aws)
        .integration_method("POST")
        .integration_uri(SQS)
        .credentials_arn(ROLE)
        .passthrough_behavior(PassthroughBehavior::Never)
        .timeout_in_millis(29_000)
        .template_selection_expression("\\$default")
        .request_templates("$default", template)
        .request_parameters("integration.request.header.A", "'a'")
        .request_parameters("integration.request.header.B", "route.request.body.b");
    let id = ok!(made).integration_id.unwrap();
    let read = || client.get_integration().api_id(&api).integration_id(&id);
    let found = ok!(read());
    assert_eq!(found.integration_type(), Some(&IntegrationType::Aws));
    assert_eq!(found.integration_uri(), Some(SQS));
    assert_eq!(found.credentials_arn(), Some(ROLE));
    assert_eq!(
        found.passthrough_behavior(),
        Some(&PassthroughBehavior::Never)
    );
    assert_eq!(found.template_selection_expression(), Some("\\$default"));
    assert_eq!(
        found.request_templates(),
        Some(&map(&[("$default", template)]))
    );
    assert_eq!(found.connection_type(), Some(&ConnectionType::Internet));
    assert_eq!(found.payload_format_version(), Some("1.0"));
    let update = || client.update_integration().api_id(&api).integration_id(&id);
    ok!(update()
        .request_parameters("integration.request.header.A", "")
        .request_parameters("integration.request.header.C", "'c'")
        .request_templates("application/json", "{}"));
    let found = ok!(read());
    let parameters = map(&[
        ("integration.request.header.B", "route.request.body.b"),
        ("integration.request.header.C", "'c'"),
    ]);
    assert_eq!(found.request_parameters(), Some(&parameters));
    assert_eq!(
        found.request_templates(),
        Some(&map(&[("application/json", "{}")]))
    );
    assert_eq!(found.credentials_arn(), Some(ROLE));
    ok!(update()
        .credentials_arn("")
        .template_selection_expression(""));
    let found = ok!(read());
    assert_eq!(
        (
            found.credentials_arn(),
            found.template_selection_expression()
        ),
        (None, None)
    );
    assert_eq!(ok!(client.get_integrations().api_id(&api)).items().len(), 1);
}

#[tokio::test]
async fn an_integration_has_what_aws_fills_in() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let id = mock(client, &api).await;
    let found = ok!(client.get_integration().api_id(&api).integration_id(&id));
    assert_eq!(found.timeout_in_millis(), Some(29_000));
    assert_eq!(
        found.passthrough_behavior(),
        Some(&PassthroughBehavior::WhenNoMatch)
    );
    assert_eq!(found.request_templates(), Some(&HashMap::new()));
    let web = http(client).await;
    let made = client
        .create_integration()
        .api_id(&web)
        .integration_type(IntegrationType::AwsProxy);
    let made = made.integration_uri(LAMBDA).payload_format_version("2.0");
    let found = ok!(made);
    assert_eq!(found.timeout_in_millis(), Some(30_000));
    assert_eq!(found.integration_method(), Some("POST"));
    assert_eq!(found.passthrough_behavior(), None);
}

#[tokio::test]
async fn wrong_integrations_are_refused() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let make = |kind: &str, uri: &str| {
        let make = client
            .create_integration()
            .api_id(&api)
            .integration_type(kind.into());
        let make = make.integration_method("POST");
        make.set_integration_uri((!uri.is_empty()).then(|| uri.to_owned()))
    };
    for (kind, uri) in [
        ("SQS", SQS),
        ("AWS", ""),
        ("AWS", "https://sqs.us-west-2.amazonaws.com"),
        ("AWS", "arn:aws:sqs:us-west-2:000000000000:q"),
        ("AWS", "arn:aws:apigateway:us-west-2:sqs:queue/q"),
        ("AWS_PROXY", SQS),
        ("HTTP", "example.com"),
        ("HTTP_PROXY", "http://"),
    ] {
        assert_eq!(code!(make(kind, uri)), BAD, "{kind} {uri}");
    }
    for millis in [49, 29_001] {
        assert_eq!(code!(make("AWS", SQS).timeout_in_millis(millis)), BAD);
    }
    assert_eq!(code!(make("AWS", SQS).connection_type("LAN".into())), BAD);
    assert_eq!(
        code!(make("AWS", SQS).connection_type(ConnectionType::VpcLink)),
        BAD
    );
    assert_eq!(code!(make("AWS", SQS).connection_id("x")), BAD);
    assert_eq!(
        code!(make("AWS", SQS).passthrough_behavior("ALWAYS".into())),
        BAD
    );
    assert_eq!(code!(make("AWS", SQS).payload_format_version("2.0")), BAD);
    assert_eq!(code!(make("AWS", SQS).integration_method("FETCH")), BAD);
    assert_eq!(code!(make("AWS", SQS).credentials_arn("role")), BAD);
    assert_eq!(
        code!(make("AWS", SQS).integration_subtype("SQS-SendMessage")),
        BAD
    );
    let header = "integration.request.header.Content-Type";
    assert_eq!(
        code!(make("AWS", SQS).request_parameters(header, "text/plain")),
        BAD
    );
    assert_eq!(
        code!(make("AWS", SQS).request_parameters("Content-Type", "'x'")),
        BAD
    );
    assert_eq!(code!(make("AWS", SQS).api_id("none")), NOT_FOUND);
    assert_eq!(code!(client.create_integration().api_id(&api)), BAD);
    let web = http(client).await;
    assert_eq!(code!(make("AWS", SQS).api_id(&web)), BAD);
    assert_eq!(code!(make("MOCK", "").api_id(&web)), BAD);
    assert_eq!(code!(make("AWS_PROXY", LAMBDA).api_id(&web)), BAD);
    assert_eq!(
        code!(
            make("HTTP_PROXY", "https://x.y")
                .api_id(&web)
                .request_templates("a", "b")
        ),
        BAD
    );
    assert_eq!(ok!(client.get_integrations().api_id(&api)).items().len(), 0);
}

#[tokio::test]
async fn responses_belong_to_an_integration_of_a_web_socket() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let integration = mock(client, &api).await;
    let make = || {
        let call = client.create_integration_response().api_id(&api);
        call.integration_id(&integration)
    };
    let made = ok!(make().integration_response_key("$default"));
    assert_eq!(made.response_templates(), Some(&map(&[])));
    let id = made.integration_response_id().unwrap();
    assert_eq!(code!(make().integration_response_key("$default")), CONFLICT);
    for key in ["200", "/", "//", "/[/", "$other", ""] {
        assert_eq!(code!(make().integration_response_key(key)), BAD, "{key}");
    }
    ok!(make().integration_response_key("/4\\d\\d/"));
    let missing = make().integration_id("none");
    assert_eq!(code!(missing.integration_response_key("/a/")), NOT_FOUND);
    let update = || {
        let call = client.update_integration_response().api_id(&api);
        call.integration_id(&integration)
            .integration_response_id(id)
    };
    let taken = update().integration_response_key("/4\\d\\d/");
    assert_eq!(code!(taken), CONFLICT);
    ok!(update().response_templates("$default", "x"));
    let changed = ok!(update().response_templates("other", "y"));
    assert_eq!(changed.response_templates(), Some(&map(&[("other", "y")])));
    let list = client.get_integration_responses().api_id(&api);
    assert_eq!(ok!(list.integration_id(&integration)).items().len(), 2);
    let delete = client.delete_integration().api_id(&api);
    ok!(delete.integration_id(&integration));
    assert_eq!(here.keys(), [format!("apigateway/us-west-2/api/{api}")]);

    let api = http(client).await;
    let target = client.create_integration().api_id(&api);
    let target = target
        .integration_type(IntegrationType::HttpProxy)
        .integration_method("GET")
        .integration_uri("https://a.example");
    let integration = ok!(target).integration_id.unwrap();
    let call = client.create_integration_response().api_id(&api);
    let call = call.integration_id(&integration);
    assert_eq!(code!(call.integration_response_key("$default")), BAD);
}

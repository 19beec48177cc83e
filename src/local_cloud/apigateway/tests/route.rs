use super::*;
use aws_sdk_apigatewayv2::types::{AuthorizationType, ParameterConstraints};

#[tokio::test]
async fn routes_are_checked_against_the_api() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let integration = mock(client, &api).await;
    let make = |key: &str| client.create_route().api_id(&api).route_key(key);
    assert_eq!(code!(make("$default").target("integrations/none")), BAD);
    assert_eq!(code!(make("$default").target(&integration)), BAD);
    assert_eq!(code!(make("$other")), BAD);
    assert_eq!(
        code!(make("$default").authorization_type(AuthorizationType::Jwt)),
        BAD
    );
    assert_eq!(
        code!(make("$default").authorization_type(AuthorizationType::Custom)),
        BAD
    );
    assert_eq!(code!(make("$default").operation_name("x".repeat(65))), BAD);
    assert_eq!(
        code!(make("$default").route_response_selection_expression("x")),
        BAD
    );
    let id = route(client, &api, "$default", &integration).await;
    assert_eq!(code!(make("$default")), CONFLICT);
    let other = ok!(make("chat").route_response_selection_expression("$default"));
    let update = client
        .update_route()
        .api_id(&api)
        .route_id(other.route_id().unwrap());
    assert_eq!(code!(update.route_key("$default")), CONFLICT);
    let read = ok!(client.get_route().api_id(&api).route_id(&id));
    assert_eq!(read.api_key_required(), Some(false));
    assert_eq!(read.authorization_type(), Some(&AuthorizationType::None));
    let delete = || {
        client
            .delete_integration()
            .api_id(&api)
            .integration_id(&integration)
    };
    assert_eq!(code!(delete()), CONFLICT);
    ok!(client.update_route().api_id(&api).route_id(&id).target(""));
    ok!(delete());
    assert_eq!(code!(delete()), NOT_FOUND);
    let web = http(client).await;
    assert_eq!(code!(make("chat").api_id(&web)), BAD);
    assert_eq!(code!(make("GET chat").api_id(&web)), BAD);
    assert_eq!(
        code!(make("GET /").api_id(&web).api_key_required(true)),
        BAD
    );
    ok!(make("GET /chat/{id}").api_id(&web));
}

#[tokio::test]
async fn route_parameters_and_responses_come_and_go() {
    let here = Fixture::new().await;
    let client = here.aws.apigateway_once();
    let api = web_socket(client).await;
    let needed = || ParameterConstraints::builder().required(true).build();
    let (a, b) = ("route.request.header.a", "route.request.querystring.b");
    let made = client.create_route().api_id(&api).route_key("$connect");
    let made = ok!(made.request_parameters(a, needed()));
    let id = made.route_id().unwrap();
    let update = || client.update_route().api_id(&api).route_id(id);
    assert_eq!(
        ok!(update().request_parameters(b, needed()))
            .request_parameters()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(code!(update().request_parameters("b", needed())), BAD);
    let drop = || {
        let call = client
            .delete_route_request_parameter()
            .api_id(&api)
            .route_id(id);
        call.request_parameter_key(a)
    };
    ok!(drop());
    assert_eq!(code!(drop()), NOT_FOUND);
    let left = ok!(client.get_route().api_id(&api).route_id(id));
    assert_eq!(
        left.request_parameters()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        [b]
    );

    let make = || client.create_route_response().api_id(&api).route_id(id);
    let response = ok!(make().route_response_key("$default"))
        .route_response_id
        .unwrap();
    assert_eq!(code!(make().route_response_key("$default")), CONFLICT);
    assert_eq!(code!(make().route_response_key("other")), BAD);
    assert_eq!(
        code!(make().route_id("none").route_response_key("$default")),
        NOT_FOUND
    );
    let get = || {
        client
            .get_route_response()
            .api_id(&api)
            .route_id(id)
            .route_response_id(&response)
    };
    assert_eq!(ok!(get()).route_response_key(), Some("$default"));
    assert_eq!(ok!(client.get_routes().api_id(&api)).items().len(), 1);
    ok!(client.delete_route().api_id(&api).route_id(id));
    assert_eq!(code!(get()), NOT_FOUND);
    assert_eq!(here.keys(), [format!("apigateway/us-west-2/api/{api}")]);
}

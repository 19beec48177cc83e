use crate::local_cloud::fixture::Fixture;
use aws_sdk_apigatewayv2::Client;
use aws_sdk_apigatewayv2::error::ProvideErrorMetadata;
use aws_sdk_apigatewayv2::types::{IntegrationType, ProtocolType};
use std::collections::HashMap;

const SQS: &str = "arn:aws:apigateway:us-west-2:sqs:path/000000000000/q.fifo";
const LAMBDA: &str = "arn:aws:apigateway:us-west-2:lambda:path/2015-03-31/functions/arn:aws:lambda:us-west-2:000000000000:function:f/invocations";
const ROLE: &str = "arn:aws:iam::000000000000:role/r";
const BAD: &str = "BadRequestException";
const NOT_FOUND: &str = "NotFoundException";
const CONFLICT: &str = "ConflictException";

/// The code of a call that must fail.
macro_rules! code {
    ($call:expr) => {
        $call.send().await.unwrap_err().code().unwrap().to_owned()
    };
}

macro_rules! ok {
    ($call:expr) => {
        $call.send().await.unwrap()
    };
}

mod account;
mod api;
mod integration;
mod route;
mod stage;

/// The account has a role to write logs with.
fn set_role(here: &Fixture) {
    let settings = serde_json::json!({"cloudwatchRoleArn": ROLE});
    let key = "apigateway/us-west-2/account/settings";
    here.cloud.meddle(key, Some(settings)).unwrap();
}

async fn web_socket(client: &Client) -> String {
    let api = client
        .create_api()
        .name("a")
        .protocol_type(ProtocolType::Websocket);
    ok!(api.route_selection_expression("$request.body.action"))
        .api_id
        .unwrap()
}

async fn http(client: &Client) -> String {
    let api = client
        .create_api()
        .name("a")
        .protocol_type(ProtocolType::Http);
    ok!(api).api_id.unwrap()
}

async fn mock(client: &Client, api: &str) -> String {
    let made = client
        .create_integration()
        .api_id(api)
        .integration_type(IntegrationType::Mock);
    ok!(made).integration_id.unwrap()
}

async fn route(client: &Client, api: &str, key: &str, integration: &str) -> String {
    let made = client.create_route().api_id(api).route_key(key);
    ok!(made.target(format!("integrations/{integration}")))
        .route_id
        .unwrap()
}

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

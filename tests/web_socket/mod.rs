//! WebSocket APIs of the local cloud, with a client that is no part of it.

mod clients;
mod command;
mod connections;
mod limits;
mod messages;
mod snapshot;

use crate::support::Project;
use crate::support::served::Served;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// An API with a route for each way that a message can go.
const CHAT: &str = r#"
name: chat
variables:
  auto: {type: bool, default: true}
  tls: {type: string, default: "http://127.0.0.1:1/hook"}
providers:
  aws: {region: us-west-2}
data:
  caller: {type: "aws:getCallerIdentity"}
locals:
  queue: "arn:aws:apigateway:us-west-2:sqs:path/${data.caller.accountId}/${queue.name}"
  form: {integration.request.header.Content-Type: "'application/x-www-form-urlencoded'"}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: inbox}
  api:
    type: aws:apigatewayv2:Api
    properties: {name: chat, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}
  sender:
    type: aws:iam:Role
    properties: {name: sender, assumeRolePolicy: &trust {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: apigateway.amazonaws.com}}]}}
  sends:
    type: aws:iam:RolePolicy
    properties:
      role: ${sender.name}
      name: sends
      policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "${queue.arn}"}]}
  poor:
    type: aws:iam:Role
    properties: {name: poor, assumeRolePolicy: *trust}

  to_queue:
    type: aws:apigatewayv2:Integration
    properties:
      apiId: ${api.id}
      integrationType: AWS
      credentialsArn: ${sender.arn}
      integrationUri: ${local.queue}
      requestParameters: ${local.form}
      templateSelectionExpression: '\$default'
      requestTemplates:
        $default: "Action=SendMessage&MessageBody=$util.urlEncode($input.body)&MessageAttribute.1.Name=connection&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=$context.connectionId"
  denied:
    type: aws:apigatewayv2:Integration
    properties:
      apiId: ${api.id}
      integrationType: AWS
      credentialsArn: ${poor.arn}
      integrationUri: ${local.queue}
      requestParameters: ${local.form}
      requestTemplates: {$default: "Action=SendMessage&MessageBody=x"}
  broken:
    type: aws:apigatewayv2:Integration
    properties:
      apiId: ${api.id}
      integrationType: MOCK
      templateSelectionExpression: '\$default'
      requestTemplates: {$default: "{\n  $input.path('$.a[')}"}
  strict:
    type: aws:apigatewayv2:Integration
    properties: {apiId: "${api.id}", integrationType: MOCK, passthroughBehavior: NEVER}
  other:
    type: aws:apigatewayv2:Integration
    properties: {apiId: "${api.id}", integrationType: AWS, credentialsArn: "${sender.arn}", integrationUri: "arn:aws:apigateway:us-west-2:dynamodb:action/PutItem"}
  mock:
    type: aws:apigatewayv2:Integration
    properties: {apiId: "${api.id}", integrationType: MOCK, requestTemplates: {"200": '{"statusCode": 200}'}, templateSelectionExpression: "200"}
  answer:
    type: aws:apigatewayv2:IntegrationResponse
    properties: {apiId: "${api.id}", integrationId: "${mock.id}", integrationResponseKey: $default, responseTemplates: {$default: '{"pong": true, "route": "$context.routeKey"}'}}
  hook:
    type: aws:apigatewayv2:Integration
    properties:
      apiId: ${api.id}
      integrationType: HTTP
      integrationMethod: POST
      integrationUri: ${var.tls}
      requestParameters:
        integration.request.header.X-Connection: context.connectionId
        integration.request.querystring.action: route.request.body.action
      templateSelectionExpression: '\$default'
      requestTemplates: {$default: "sent: $input.path('$.text')"}

  default_route: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${to_queue.id}"}}
  denied_route: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: denied, target: "integrations/${denied.id}"}}
  broken_route: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: broken, target: "integrations/${broken.id}"}}
  strict_route: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: strict, target: "integrations/${strict.id}"}}
  other_route: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: other, target: "integrations/${other.id}"}}
  ping:
    type: aws:apigatewayv2:Route
    properties: {apiId: "${api.id}", routeKey: ping, target: "integrations/${mock.id}", routeResponseSelectionExpression: $default}
  pong: {type: "aws:apigatewayv2:RouteResponse", properties: {apiId: "${api.id}", routeId: "${ping.id}", routeResponseKey: $default}}
  hook_route:
    type: aws:apigatewayv2:Route
    properties: {apiId: "${api.id}", routeKey: hook, target: "integrations/${hook.id}", routeResponseSelectionExpression: $default}
  hook_response: {type: "aws:apigatewayv2:RouteResponse", properties: {apiId: "${api.id}", routeId: "${hook_route.id}", routeResponseKey: $default}}
  stage:
    type: aws:apigatewayv2:Stage
    properties: {apiId: "${api.id}", name: live, autoDeploy: true}
    options: {dependsOn: [default_route, denied_route, broken_route, strict_route, other_route, pong, answer, hook_response, sends]}
"#;

const INBOX: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/inbox";

/// How long a test waits for what is to come.
const PATIENCE: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A project with the chat applied, and the id of its API.
fn chat() -> (Project, String) {
    with(CHAT)
}

fn with(stack: &str) -> (Project, String) {
    let project = Project::new();
    project.write("stacks/chat.yaml", stack);
    project.apply();
    let id = api(&project);
    (project, id)
}

/// The id of a project's API.
fn api(project: &Project) -> String {
    let state = project.state();
    let id = state["resources"]["api"]["outputs"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{state}")).to_owned()
}

async fn connect(served: &Served, api: &str) -> Socket {
    connect_to(&format!("ws://{}/_api/{api}/live", served.address()))
        .await
        .unwrap()
}

async fn connect_to(url: &str) -> Result<Socket, Error> {
    connect_async(url).await.map(|(socket, _)| socket)
}

/// The status with which a connection is refused, and the body.
async fn refused(url: &str) -> (u16, Value) {
    match connect_to(url).await {
        Err(Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            (
                response.status().as_u16(),
                serde_json::from_slice(body).unwrap_or_default(),
            )
        }
        other => panic!("{other:?}"),
    }
}

async fn send(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

/// The next text that comes.
async fn text(socket: &mut Socket) -> String {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.unwrap() {
            Some(Ok(Message::Text(text))) => return text.to_string(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn json(socket: &mut Socket) -> Value {
    serde_json::from_str(&text(socket).await).unwrap()
}

/// The code with which the other side closes.
async fn closed(socket: &mut Socket) -> u16 {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.unwrap() {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}

//! HTTP APIs of the local cloud, with a client that is no part of it.

use crate::support::Project;
use crate::support::served::Served;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const WEB: &str = r#"
name: web
variables:
  endpoint: {type: string, default: "http://127.0.0.1:1"}
providers:
  aws: {region: us-west-2}
data:
  code: {type: "archive:getFile", properties: {type: zip, sourceDir: code}}
resources:
  api:
    type: aws:apigatewayv2:Api
    properties:
      name: web
      protocolType: HTTP
      corsConfiguration: {allowOrigins: ["http://localhost:3000"], allowMethods: [GET, POST], allowHeaders: [x-a]}
  role:
    type: aws:iam:Role
    properties: {name: echo, assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]}}
  echo:
    type: aws:lambda:Function
    properties: {name: echo, role: "${role.arn}", runtime: python3.13, handler: app.handler, timeout: 60, filename: "${data.code.outputPath}", sourceCodeHash: "${data.code.outputBase64sha256}"}
  may:
    type: aws:lambda:Permission
    properties: {function: "${echo.name}", action: "lambda:InvokeFunction", principal: apigateway.amazonaws.com, sourceArn: "${api.executionArn}/*/GET/*"}
  second: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: AWS_PROXY, integrationUri: "${echo.arn}", payloadFormatVersion: "2.0"}}
  first: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: AWS_PROXY, integrationUri: "${echo.arn}", payloadFormatVersion: "1.0"}}
  proxy:
    type: aws:apigatewayv2:Integration
    properties:
      apiId: ${api.id}
      integrationType: HTTP_PROXY
      integrationMethod: ANY
      integrationUri: "${var.endpoint}/base/{rest}"
      payloadFormatVersion: "1.0"
      requestParameters: {"append:header.x-stage": $context.stage, "overwrite:querystring.fixed": "'1'", "remove:header.x-secret": "''"}
      responseParameters:
        - {statusCode: "418", mappings: {"overwrite:statuscode": "'200'", "append:header.x-was": $response.header.x-kind}}
  items: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: "GET /items/{id}", target: "integrations/${second.id}"}}
  old: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: "GET /old/{id}", target: "integrations/${first.id}"}}
  denied: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: "POST /items/{id}", target: "integrations/${second.id}"}}
  on: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: "ANY /proxy/{rest+}", target: "integrations/${proxy.id}"}}
  stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: $default, autoDeploy: true}, options: {dependsOn: [items, old, denied, on, may]}}
  named: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: beta, autoDeploy: true, stageVariables: {color: blue}}, options: {dependsOn: [stage]}}
"#;

/// Returns what it got; of format 1.0 in the form that it needs.
const CODE: &str = r#"
import json

def handler(event, context):
    if event["version"] == "1.0":
        return {"statusCode": 203, "body": json.dumps(event), "headers": {"access-control-allow-origin": "x"}}
    return event
"#;

/// A project with the API applied, and the API's id. Functions run in real time.
fn web(stack: &str) -> (Project, String) {
    let mut project = Project::new();
    project.env("STACKCTL_LOCAL_SPEED", "1");
    project.write("stacks/code/app.py", CODE);
    project.write("stacks/web.yaml", stack);
    project.apply();
    let id = project.state()["resources"]["api"]["outputs"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    (project, id)
}

/// Sends a request and reads the reply until the other side closes: status, head and body.
async fn call(served: &Served, method: &str, path: &str, more: &str) -> (u16, String, String) {
    let mut stream = tokio::net::TcpStream::connect(served.address())
        .await
        .unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}",
        served.address()
    );
    let end = if more.contains("\r\n\r\n") {
        ""
    } else {
        "\r\n"
    };
    stream
        .write_all(format!("{request}{end}").as_bytes())
        .await
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{reply}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn a_function_gets_the_request_in_its_format() {
    let (project, api) = web(WEB);
    let served = Served::start(&project);
    let path = format!("/_api/{api}/items/a%20b?x=1&x=2");
    let (status, head, body) = call(&served, "GET", &path, "Cookie: c=1; d=2\r\n").await;
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(event["routeKey"], "GET /items/{id}");
    assert_eq!(event["rawPath"], "/items/a%20b");
    assert_eq!(event["rawQueryString"], "x=1&x=2");
    assert_eq!(event["queryStringParameters"], json!({"x": "1,2"}));
    assert_eq!(event["pathParameters"], json!({"id": "a b"}));
    assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
    assert_eq!(event["requestContext"]["http"]["method"], "GET");
    assert_eq!(event["requestContext"]["stage"], "$default");

    let path = format!("/_api/{api}/beta/old/7?x=1&x=2");
    let (status, head, body) =
        call(&served, "GET", &path, "Origin: http://localhost:3000\r\n").await;
    assert_eq!(status, 203, "{body}");
    let origins: Vec<&str> = head
        .lines()
        .filter(|it| it.starts_with("access-control-"))
        .collect();
    assert_eq!(
        origins,
        ["access-control-allow-origin: http://localhost:3000"]
    );
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(event["resource"], "/old/{id}");
    assert_eq!(event["path"], "/beta/old/7");
    assert_eq!(event["queryStringParameters"], json!({"x": "2"}));
    assert_eq!(
        event["multiValueQueryStringParameters"],
        json!({"x": ["1", "2"]})
    );
    assert_eq!(event["stageVariables"], json!({"color": "blue"}));
    assert_eq!(event["body"], Value::Null);

    // The permission is for GET alone.
    let path = format!("/_api/{api}/items/1");
    let (status, _, body) = call(&served, "POST", &path, "Content-Length: 0\r\n").await;
    assert_eq!(
        (status, body.as_str()),
        (500, r#"{"message":"Internal Server Error"}"#)
    );
    let (status, _, body) = call(&served, "GET", &format!("/_api/{api}/none"), "").await;
    assert_eq!((status, body.as_str()), (404, r#"{"message":"Not Found"}"#));
    let asked = "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n";
    let (status, head, _) = call(&served, "OPTIONS", &path, asked).await;
    assert_eq!(status, 204);
    assert!(
        head.contains("access-control-allow-methods: get,post"),
        "{head}"
    );
}

#[tokio::test]
async fn a_request_goes_on_to_an_endpoint() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"the body") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        let reply = "HTTP/1.1 418 X\r\nContent-Length: 4\r\nX-Kind: tea\r\n\r\nback";
        stream.write_all(reply.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let (project, api) = web(&WEB.replace("http://127.0.0.1:1", &endpoint));
    let served = Served::start(&project);
    let path = format!("/_api/{api}/beta/proxy/x/y?q=1");
    let more = "X-A: 1\r\nX-Secret: s\r\nContent-Length: 8\r\n\r\nthe body";
    let (status, head, body) = call(&served, "PUT", &path, more).await;
    assert_eq!((status, body.as_str()), (200, "back"));
    assert!(head.contains("x-was: tea"), "{head}");
    let request = heard.await.unwrap();
    assert!(
        request.starts_with("PUT /base/x/y?q=1&fixed=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("x-stage: beta\r\n"), "{request}");
    assert!(
        request.contains("x-a: 1\r\n") && !request.contains("x-secret"),
        "{request}"
    );
    // Nobody listens any more.
    let (status, ..) = call(&served, "GET", &path, "").await;
    assert_eq!(status, 503);
}

//! Connections: who may open one, and the `@connections` API.

use super::{api, chat, closed, connect, json, refused, send, text};
use crate::support::served::Served;
use serde_json::json;

/// A signed request of the `@connections` API: its status and its body.
fn manage(served: &Served, method: &str, path: &str, body: &str, key: &str) -> (u16, String) {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={key}/20261201/us-west-2/execute-api/aws4_request, \
         SignedHeaders=host, Signature=0\r\n\r\n{body}",
        served.address(),
        body.len()
    );
    let reply = served.raw(request.as_bytes());
    let status = reply.split(' ').nth(1).and_then(|it| it.parse().ok());
    let body = reply.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_else(|| panic!("{reply}")), body.to_owned())
}

/// The id of a connection, from an error that names it.
async fn id(socket: &mut super::Socket) -> String {
    send(socket, r#"{"action": "strict"}"#).await;
    json(socket).await["connectionId"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn what_is_posted_reaches_the_client() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    let id = id(&mut socket).await;
    let path = format!("/_api/{api}/live/@connections/{}", id.replace('=', "%3D"));
    for said in ["hello", "{\"a\": \"ü\"}"] {
        assert_eq!(
            manage(&served, "POST", &path, said, "test"),
            (200, String::new())
        );
        assert_eq!(text(&mut socket).await, said);
    }
    let (status, info) = manage(&served, "GET", &path, "", "test");
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(status, 200);
    assert_eq!(info["identity"]["sourceIp"], "127.0.0.1");
    assert!(
        info["connectedAt"].as_str().unwrap().ends_with('Z'),
        "{info}"
    );
    let large = "x".repeat(128 * 1024 + 1);
    assert_eq!(manage(&served, "POST", &path, &large, "test").0, 413);

    assert_eq!(manage(&served, "DELETE", &path, "", "test").0, 204);
    assert_eq!(closed(&mut socket).await, 1000);
    drop(socket);
    let mut status = 0;
    for _ in 0..50 {
        status = manage(&served, "POST", &path, "x", "test").0;
        if status == 410 {
            break;
        }
    }
    assert_eq!(status, 410);
    let other = format!("/_api/{api}/live/@connections/abc%3D");
    assert_eq!(manage(&served, "GET", &other, "", "test").0, 410);
    let stage = format!("/_api/{api}/other/@connections/abc%3D");
    assert_eq!(manage(&served, "GET", &stage, "", "test").0, 403);
}

#[tokio::test]
async fn a_role_needs_the_right_to_manage_connections() {
    let (project, api) = chat();
    let dir = project.dir().join(".stackctl/local");
    let speed = Some(crate::support::SPEED);
    let options = stackctl::local_cloud::Options::from_strings(dir, None, speed, None);
    let cloud = stackctl::local_cloud::Cloud::open(options.unwrap()).unwrap();
    let key = json!({"role": "arn:aws:iam::000000000000:role/sender", "function": "f"});
    cloud.meddle(".sts/key/ASIAF", Some(key)).unwrap();
    let served = Served::start(&project);
    let mut socket = connect(&served, &api).await;
    let id = id(&mut socket).await.replace('=', "%3D");
    let path = format!("/_api/{api}/live/@connections/{id}");
    let (status, body) = manage(&served, "POST", &path, "x", "ASIAF");
    assert_eq!(status, 403);
    assert!(body.contains("execute-api:ManageConnections"), "{body}");
}

#[tokio::test]
async fn who_asks_for_what_is_not_served_is_refused() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let base = format!("ws://{}/_api", served.address());
    for place in [
        format!("{base}/{api}/other"),
        format!("{base}/nosuchapi/live"),
        format!("{base}/{api}/live/more"),
        format!("{base}/{api}"),
    ] {
        let (status, body) = refused(&place).await;
        assert_eq!(
            (status, &body["message"]),
            (403, &json!("Forbidden")),
            "{place}"
        );
    }
    let plain =
        format!("GET /_api/{api}/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(served.raw(plain.as_bytes()).starts_with("HTTP/1.1 426 "));
}

#[tokio::test]
async fn a_connect_route_decides_who_connects() {
    let guard = super::CHAT.replace(
        "  stage:\n",
        r#"  guard:
    type: aws:apigatewayv2:Integration
    properties: {apiId: "${api.id}", integrationType: MOCK, templateSelectionExpression: '\$default', requestTemplates: {$default: "{\"statusCode\": #if($input.params('key') == 'right')200#{else}403#end}"}}
  connect_route: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $connect, target: "integrations/${guard.id}"}}
  guard_response: {type: "aws:apigatewayv2:IntegrationResponse", properties: {apiId: "${api.id}", integrationId: "${guard.id}", integrationResponseKey: $default}}
  stage:
"#,
    );
    let (project, id) = super::with(&guard);
    assert_eq!(id, api(&project));
    let served = Served::start(&project);
    let url = format!("ws://{}/_api/{id}/live", served.address());
    let (status, body) = refused(&url).await;
    assert_eq!((status, &body["message"]), (403, &json!("Forbidden")));
    let mut socket = super::connect_to(&format!("{url}?key=right"))
        .await
        .unwrap();
    send(&mut socket, r#"{"action": "ping"}"#).await;
    assert_eq!(json(&mut socket).await["pong"], true);
}

#[tokio::test]
async fn a_route_with_iam_takes_signed_requests_only() {
    let iam = super::CHAT.replace(
        "  stage:\n",
        "  connect_route: {type: \"aws:apigatewayv2:Route\", properties: {apiId: \"${api.id}\", routeKey: $connect, authorizationType: AWS_IAM, target: \"integrations/${mock.id}\"}}\n  stage:\n",
    );
    let (project, id) = super::with(&iam);
    let served = Served::start(&project);
    let url = format!("ws://{}/_api/{id}/live", served.address());
    let (status, body) = refused(&url).await;
    let said = &body["message"];
    assert_eq!(
        (status, said),
        (403, &json!("Missing Authentication Token"))
    );
    let signed = "X-Amz-Credential=test%2F20261201%2Fus-west-2%2Fexecute-api%2Faws4_request";
    super::connect_to(&format!("{url}?{signed}")).await.unwrap();
}

//! A stage serves what its deployment holds, whatever becomes of the API afterwards.

use super::{chat, connect, json, send};
use crate::support::served::Served;

#[tokio::test]
async fn changes_are_served_once_they_are_deployed() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let aws = served.clients().await;
    let gateway = aws.apigateway();
    let auto = |on: bool| {
        gateway
            .update_stage()
            .api_id(&api)
            .stage_name("live")
            .auto_deploy(on)
    };
    auto(false).send().await.unwrap();
    let routes = gateway.get_routes().api_id(&api).send().await.unwrap();
    let ping = routes
        .items()
        .iter()
        .find(|it| it.route_key() == Some("ping"));
    let ping = ping.and_then(|it| it.route_id()).unwrap();

    let mut socket = connect(&served, &api).await;
    let change = gateway.update_route().api_id(&api).route_id(ping);
    change.route_key("hello").send().await.unwrap();
    send(&mut socket, r#"{"action": "ping"}"#).await;
    assert_eq!(json(&mut socket).await["route"], "ping", "the old route");

    // The open connection gets what is new, too.
    let deploy = gateway.create_deployment().api_id(&api).stage_name("live");
    deploy.send().await.unwrap();
    send(&mut socket, r#"{"action": "hello"}"#).await;
    assert_eq!(json(&mut socket).await["route"], "hello");

    let change = gateway.update_route().api_id(&api).route_id(ping);
    change.route_key("ping").send().await.unwrap();
    auto(true).send().await.unwrap();
    let change = gateway.update_route().api_id(&api).route_id(ping);
    change.operation_name("p").send().await.unwrap();
    send(&mut socket, r#"{"action": "ping"}"#).await;
    assert_eq!(json(&mut socket).await["route"], "ping");
}

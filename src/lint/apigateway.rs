//! APIs of API Gateway. SK08xx.

use super::facts::{Facts, Resource};
use super::rule::Rule;
use super::sns::may_be_called;
use crate::data::Path;
use crate::schema::broken::Broken;

const API: &str = "aws:apigatewayv2:Api";
const ROUTE: &str = "aws:apigatewayv2:Route";
const STAGE: &str = "aws:apigatewayv2:Stage";
const INTEGRATION: &str = "aws:apigatewayv2:Integration";

pub(super) const RULES: &[Rule] = &[
    Rule::refused("SK0801", "A WebSocket API says how it chooses a route")
        .why("A WebSocket API needs a route selection expression (API Gateway V2 API, CreateApi, `RouteSelectionExpression`).")
        .fix("add routeSelectionExpression: $request.body.action")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}"#,
        ),
    Rule::refused("SK0802", "The route key of an HTTP API is a method and a path")
        .why("A route of an HTTP API is METHOD /path or $default (API Gateway developer guide, \"Create routes for HTTP APIs\").")
        .fix("write a key such as GET /items")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: items, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
        ),
    Rule::refused("SK0803", "JSON Web Tokens are for HTTP APIs")
        .why("A WebSocket API takes NONE, AWS_IAM or CUSTOM (API Gateway V2 API, CreateRoute, `AuthorizationType`).")
        .fix("use CUSTOM with a REQUEST authorizer")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $connect, authorizationType: JWT, authorizerId: a1, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $connect, authorizationType: AWS_IAM, target: "integrations/${i.id}"}}"#,
        ),
    Rule::refused("SK0804", "An authorizer is named")
        .why("An authorization type of CUSTOM or JWT needs the id of the authorizer (API Gateway V2 API, CreateRoute).")
        .fix("add authorizerId")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, authorizationType: JWT, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, authorizationType: JWT, authorizerId: a1, target: "integrations/${i.id}"}}"#,
        ),
    Rule::refused("SK0805", "A target is an integration of the same API")
        .why("A target is integrations/ and the id of an integration of the route's API (API Gateway V2 API, CreateRoute, `Target`).")
        .fix("write integrations/${NAME.id}")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
        ),
    Rule::refused("SK0806", "A stage deploys by itself or names a deployment")
        .why("A stage with autoDeploy takes no deploymentId (API Gateway V2 API, CreateStage).")
        .fix("leave one of the two")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true, deploymentId: d1}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}"#,
        ),
    Rule::refused("SK0807", "The stage $default is for HTTP APIs")
        .why("A WebSocket API has no stage of that name (API Gateway developer guide, \"Create a stage for HTTP APIs\").")
        .fix("choose another name")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: $default, autoDeploy: true}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}"#,
        ),
    Rule::refused("SK0808", "A stage variable has letters, digits and _")
        .why("Names and values of stage variables have a form, and there are 100 at most (API Gateway V2 API, CreateStage, `StageVariables`).")
        .fix("rename the variable, or encode the value")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true, stageVariables: {log-level: x}}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true, stageVariables: {logLevel: x}}}"#,
        ),
    Rule::refused("SK0809", "An integration is of a type that the API has")
        .why("An HTTP API takes AWS_PROXY and HTTP_PROXY; AWS, HTTP and MOCK are for WebSocket APIs (API Gateway V2 API, CreateIntegration, `IntegrationType`).")
        .fix("use AWS_PROXY or HTTP_PROXY")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
        ),
    Rule::refused("SK0810", "A WebSocket integration takes 29 seconds at most")
        .why("The timeout of an integration of a WebSocket API is 50 to 29,000 ms (API Gateway V2 API, CreateIntegration, `TimeoutInMillis`).")
        .fix("set 29000 or less")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK, timeoutMilliseconds: 30000}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK, timeoutMilliseconds: 29000}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
        ),
    Rule::refused("SK0811", "The payload format 2.0 is for HTTP APIs")
        .why("A WebSocket API calls a function with the format 1.0 (API Gateway V2 API, CreateIntegration, `PayloadFormatVersion`).")
        .fix("use the format 1.0")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK, payloadFormatVersion: "2.0"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK, payloadFormatVersion: "1.0"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
        ),
    Rule::refused("SK0812", "A VPC link is named")
        .why("A connection of type VPC_LINK needs the link's id (API Gateway V2 API, CreateIntegration, `ConnectionId`).")
        .fix("add connectionId")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com", connectionType: VPC_LINK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: "https://example.com"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
        ),
    Rule::warning("SK0821", "A WebSocket route has an integration")
        .why("API Gateway accepts a route without a target, and every message to it fails (API Gateway developer guide, \"Working with routes for WebSocket APIs\").")
        .fix("add target: \"integrations/${NAME.id}\"")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
        )
        .of(&[ROUTE], integration),
    Rule::warning("SK0822", "An API with routes has a stage")
        .why("Clients reach an API through a stage; without one its routes are never called (API Gateway developer guide, \"Stages\").")
        .fix("add an aws:apigatewayv2:Stage")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
        )
        .of(&[API], stage),
    Rule::warning("SK0823", "An API with a stage has routes")
        .why("A stage of an API without routes has nothing to serve, and its deployment may be refused (API Gateway developer guide, \"Create a deployment\").")
        .fix("add an aws:apigatewayv2:Route")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
        )
        .of(&[STAGE], routes),
    Rule::warning("SK0824", "A function lets the API call it")
        .why("API Gateway calls a function where a permission of the function allows apigateway.amazonaws.com to, or with a role of the integration; else every call fails with 500 (API Gateway developer guide, \"AWS Lambda integrations\").")
        .fix("add an aws:lambda:Permission for apigateway.amazonaws.com with ${api.executionArn}/* as sourceArn")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: AWS_PROXY, integrationUri: "${f.invokeArn}", payloadFormatVersion: "2.0"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: AWS_PROXY, integrationUri: "${f.invokeArn}", payloadFormatVersion: "2.0"}}
p: {type: "aws:lambda:Permission", properties: {function: "${f.name}", action: "lambda:InvokeFunction", principal: apigateway.amazonaws.com, sourceArn: "${api.executionArn}/*"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
        )
        .of(&[INTEGRATION], permission),
    Rule::warning("SK0825", "A function is done before the API gives up")
        .why("An integration ends after 30 seconds (HTTP) or 29 (WebSocket) at the latest; a function with a longer timeout goes on for nobody (API Gateway developer guide, \"Quotas\").")
        .fix("lower the function's timeout, or put a queue between the two")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, timeout: 60}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: AWS_PROXY, integrationUri: "${f.invokeArn}", payloadFormatVersion: "2.0"}}
p: {type: "aws:lambda:Permission", properties: {function: "${f.name}", action: "lambda:InvokeFunction", principal: apigateway.amazonaws.com, sourceArn: "${api.executionArn}/*"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, timeout: 20}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: AWS_PROXY, integrationUri: "${f.invokeArn}", payloadFormatVersion: "2.0"}}
p: {type: "aws:lambda:Permission", properties: {function: "${f.name}", action: "lambda:InvokeFunction", principal: apigateway.amazonaws.com, sourceArn: "${api.executionArn}/*"}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: GET /items, target: "integrations/${i.id}"}}"#,
        )
        .of(&[INTEGRATION], timeout),
    Rule::warning("SK0826", "Credentials are not allowed to every origin")
        .why("A browser takes no reply with the origin * to a request with credentials (API Gateway developer guide, \"Configure CORS for HTTP APIs\").")
        .fix("name the origins")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP, corsConfiguration: {allowCredentials: true, allowOrigins: ["*"]}}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: HTTP, corsConfiguration: {allowCredentials: true, allowOrigins: ["https://example.com"]}}}"#,
        )
        .of(&[API], cors),
    Rule::warning("SK0827", "A WebSocket API has a route for what matches no other")
        .why("Without $default a message that no route matches fails, and no function sees it (API Gateway developer guide, \"Working with routes for WebSocket APIs\").")
        .fix("add a route $default")
        .examples(
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: greet, target: "integrations/${i.id}"}}"#,
            r#"api: {type: "aws:apigatewayv2:Api", properties: {name: a, protocolType: WEBSOCKET, routeSelectionExpression: $request.body.action}}
stage: {type: "aws:apigatewayv2:Stage", properties: {apiId: "${api.id}", name: live, autoDeploy: true}}
i: {type: "aws:apigatewayv2:Integration", properties: {apiId: "${api.id}", integrationType: MOCK}}
r: {type: "aws:apigatewayv2:Route", properties: {apiId: "${api.id}", routeKey: $default, target: "integrations/${i.id}"}}"#,
        )
        .of(&[API], default_route),
];

fn protocol<'r>(api: &'r Resource<'_>) -> Option<&'r str> {
    api.text("protocolType")
}

/// The API that something belongs to.
fn api_of<'f, 'a>(facts: &'f Facts<'a>, resource: &Resource<'_>) -> Option<&'f Resource<'a>> {
    facts.peer_of_type(resource, "apiId", API)
}

/// Whether the API's routes and stages may come from elsewhere: from a body, or quick create.
fn makes_its_own(api: &Resource<'_>) -> bool {
    api.given("body") || api.given("target") || api.given("bodyS3Location")
}

fn integration(facts: &Facts<'_>, route: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(api) = api_of(facts, route) else {
        return;
    };
    if protocol(api) == Some("WEBSOCKET") && !route.given("target") {
        let message = "The route has no target: every message to it fails.";
        broken.push(Broken::new(Path::root(), message));
    }
}

fn stage(facts: &Facts<'_>, api: &Resource<'_>, broken: &mut Vec<Broken>) {
    let has_routes = !facts.naming(ROUTE, "apiId", api).is_empty();
    if has_routes && !makes_its_own(api) && !facts.may_name(STAGE, "apiId", api) {
        let message = "The API has routes and no stage: nobody can call it.";
        broken.push(Broken::new(Path::root(), message));
    }
}

fn routes(facts: &Facts<'_>, stage: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(api) = api_of(facts, stage) else {
        return;
    };
    if !makes_its_own(api) && !facts.may_name(ROUTE, "apiId", api) {
        let message = format!(
            "The API {} has no route that the stage could serve.",
            api.block
        );
        broken.push(Broken::at("apiId", message));
    }
}

/// The function that an integration calls.
fn function_of<'f, 'a>(
    facts: &'f Facts<'a>,
    integration: &Resource<'_>,
) -> Option<&'f Resource<'a>> {
    let kind = integration.text("integrationType")?;
    if !matches!(kind, "AWS" | "AWS_PROXY") || integration.given("integrationSubtype") {
        return None;
    }
    facts.peer_of_type(integration, "integrationUri", "aws:lambda:Function")
}

fn permission(facts: &Facts<'_>, integration: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(function) = function_of(facts, integration) else {
        return;
    };
    if !integration.given("credentialsArn")
        && !may_be_called(facts, function, "apigateway.amazonaws.com")
    {
        let message = format!("No permission lets API Gateway call {}.", function.block);
        broken.push(Broken::at("integrationUri", message));
    }
}

fn timeout(facts: &Facts<'_>, integration: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(function) = function_of(facts, integration) else {
        return;
    };
    let most = match api_of(facts, integration).and_then(protocol) {
        Some("HTTP") => 30_000,
        Some("WEBSOCKET") => 29_000,
        _ => return,
    };
    let own = integration.number("timeoutMilliseconds", most);
    if let (Some(limit), Some(seconds)) = (own, function.number("timeout", 3))
        && seconds.saturating_mul(1000) > limit
    {
        let message = format!(
            "The integration gives up after {limit} ms, and {} may run for {seconds} seconds.",
            function.block
        );
        broken.push(Broken::at("integrationUri", message));
    }
}

fn cors(_: &Facts<'_>, api: &Resource<'_>, broken: &mut Vec<Broken>) {
    if api.flag("corsConfiguration.allowCredentials") != Some(true) {
        return;
    }
    for (path, origin) in api.texts("corsConfiguration.allowOrigins") {
        if origin == "*" {
            let message = "Browsers take no credentials for every origin.";
            broken.push(Broken::new(path, message));
        }
    }
}

fn default_route(facts: &Facts<'_>, api: &Resource<'_>, broken: &mut Vec<Broken>) {
    if protocol(api) != Some("WEBSOCKET") || makes_its_own(api) {
        return;
    }
    // A route that is not plainly of another API may be the one.
    if !facts.loose(ROUTE, "apiId").is_empty() {
        return;
    }
    let own = facts.naming(ROUTE, "apiId", api);
    let keys: Option<Vec<&str>> = own.iter().map(|route| route.text("routeKey")).collect();
    if let Some(keys) = keys
        && !keys.contains(&"$default")
        && keys.iter().any(|key| !key.starts_with('$'))
    {
        let message = "The API has no route $default: a message that no route matches fails.";
        broken.push(Broken::new(Path::root(), message));
    }
}

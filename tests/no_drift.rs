//! The notations in which AWS gives back what it was told: each is no drift, and a real change
//! next to it is. One entry a trap; the facts are in the types' documentation.

mod filled;

use serde_json::{Value, json};
use stackctl::data::{Attributes, Inputs};
use stackctl::engine::after::drift::drift;
use stackctl::engine::world::{Observed, World};
use stackctl::lang::stack::Stack;
use stackctl::resource::table::native;
use stackctl::store::state::{ResourceState, State, StateChange};

/// A trap: what was applied, the same as AWS gives it back, and a change of it.
struct Trap {
    what: String,
    type_name: &'static str,
    applied: Value,
    same: Value,
    other: Value,
}

fn trap(what: &str, type_name: &'static str, [applied, same, other]: [Value; 3]) -> Trap {
    Trap {
        what: what.to_owned(),
        type_name,
        applied,
        same,
        other,
    }
}

/// Whether a resource has drifted, by what was applied and what is live.
fn drifts(trap: &Trap, live: &Value) -> bool {
    let mut state = State::empty("s", None, "l".to_owned());
    state.change(StateChange::Put {
        address: "it".to_owned(),
        resource: Box::new(ResourceState {
            type_name: trap.type_name.to_owned(),
            id: "1".to_owned(),
            inputs: Inputs::new(trap.applied.clone()),
            outputs: Attributes::new(trap.applied.clone()),
            ..ResourceState::default()
        }),
    });
    let mut world = World::new(state);
    world.live.insert(
        "it".to_owned(),
        Observed::Present(Attributes::new(live.clone())),
    );
    !drift(&Stack::default(), native(), &world)
        .drifted
        .is_empty()
}

fn policy(statement: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statement})
}

fn policies() -> Vec<Trap> {
    let role = "aws:iam:Role";
    let trust = |principal: Value| {
        json!({"name": "r", "assumeRolePolicy": policy(json!([
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal},
        ]))})
    };
    let allow = |action: Value, resource: Value| {
        json!({"name": "p", "policy": policy(json!([
            {"Effect": "Allow", "Action": action, "Resource": resource},
        ]))})
    };
    let text = |value: Value| {
        let mut value = value;
        let document = value["policy"].to_string();
        value["policy"] = Value::from(document);
        value
    };
    let managed = "aws:iam:Policy";
    vec![
        trap(
            "an account as its root's ARN",
            role,
            [
                trust(json!({"AWS": "123456789012"})),
                trust(json!({"AWS": "arn:aws:iam::123456789012:root"})),
                trust(json!({"AWS": "arn:aws:iam::999999999999:root"})),
            ],
        ),
        trap(
            "a principal that became the id of a deleted role",
            role,
            [
                trust(json!({"AWS": ["arn:aws:iam::123456789012:role/a", "123456789012"]})),
                trust(
                    json!({"AWS": ["arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/a"]}),
                ),
                trust(json!({"AWS": ["123456789012", "AROAEXAMPLEEXAMPLE123"]})),
            ],
        ),
        trap(
            "a policy given as text",
            managed,
            [
                text(allow(json!(["a:B", "a:C"]), json!("*"))),
                allow(json!(["a:C", "a:B"]), json!(["*"])),
                allow(json!(["a:C", "a:D"]), json!(["*"])),
            ],
        ),
        trap(
            "one statement, an empty Sid, another case of Effect",
            managed,
            [
                allow(json!("a:B"), json!("*")),
                json!({"name": "p", "policy": policy(
                    json!({"Sid": "", "Effect": "allow", "Action": ["a:B"], "Resource": ["*"]}),
                )}),
                json!({"name": "p", "policy": policy(
                    json!({"Sid": "", "Effect": "Deny", "Action": ["a:B"], "Resource": ["*"]}),
                )}),
            ],
        ),
        trap(
            "numbers and bools in conditions as texts",
            managed,
            [
                json!({"name": "p", "policy": policy(json!([{"Effect": "Allow", "Action": "a:B", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 5}}}]))}),
                json!({"name": "p", "policy": policy(json!([{"Effect": "Allow", "Action": "a:B", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": ["true"]}, "NumericLessThan": {"s3:max-keys": "5"}}}]))}),
                json!({"name": "p", "policy": policy(json!([{"Effect": "Allow", "Action": "a:B", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": ["false"]}, "NumericLessThan": {"s3:max-keys": "5"}}}]))}),
            ],
        ),
    ]
}

fn queues_and_logs() -> Vec<Trap> {
    let queue = "aws:sqs:Queue";
    vec![
        trap(
            "values that AWS fills in",
            queue,
            [
                json!({"name": "q", "delaySeconds": 5}),
                json!({"name": "q", "delaySeconds": 5, "visibilityTimeoutSeconds": 30, "maxMessageSize": 1_048_576, "sqsManagedSseEnabled": true}),
                json!({"name": "q", "delaySeconds": 6, "visibilityTimeoutSeconds": 30}),
            ],
        ),
        trap(
            "numbers in a redrive policy as texts",
            queue,
            [
                json!({"name": "q", "redrivePolicy": {"deadLetterTargetArn": "arn:d", "maxReceiveCount": 5}}),
                json!({"name": "q", "redrivePolicy": {"deadLetterTargetArn": "arn:d", "maxReceiveCount": "5"}}),
                json!({"name": "q", "redrivePolicy": {"deadLetterTargetArn": "arn:d", "maxReceiveCount": 6}}),
            ],
        ),
        trap(
            "a redrive policy given as text",
            queue,
            [
                json!({"name": "q", "redrivePolicy": "{\"maxReceiveCount\":5,\"deadLetterTargetArn\":\"arn:d\"}"}),
                json!({"name": "q", "redrivePolicy": {"deadLetterTargetArn": "arn:d", "maxReceiveCount": 5}}),
                json!({"name": "q", "redrivePolicy": {"deadLetterTargetArn": "arn:e", "maxReceiveCount": 5}}),
            ],
        ),
        trap(
            "retention that never ends",
            "aws:cloudwatch:LogGroup",
            [
                json!({"name": "l", "retentionInDays": 0}),
                json!({"name": "l"}),
                json!({"name": "l", "retentionInDays": 7}),
            ],
        ),
    ]
}

fn api() -> Vec<Trap> {
    let integration = "aws:apigatewayv2:Integration";
    let with = |extra: Value| {
        let mut all = json!({"apiId": "a", "integrationType": "AWS"});
        for (key, value) in extra.as_object().unwrap() {
            all[key.as_str()] = value.clone();
        }
        all
    };
    vec![
        trap(
            "the ARN of a log group, with and without its star",
            "aws:apigatewayv2:Stage",
            [
                json!({"apiId": "a", "name": "s", "accessLogSettings": {"destinationArn": "arn:aws:logs:us-west-2:123456789012:log-group:l:*", "format": "x"}}),
                json!({"apiId": "a", "name": "s", "accessLogSettings": {"destinationArn": "arn:aws:logs:us-west-2:123456789012:log-group:l", "format": "x"}, "autoDeploy": false}),
                json!({"apiId": "a", "name": "s", "accessLogSettings": {"destinationArn": "arn:aws:logs:us-west-2:123456789012:log-group:m", "format": "x"}}),
            ],
        ),
        trap(
            "defaults of an integration",
            integration,
            [
                with(json!({})),
                with(
                    json!({"connectionType": "INTERNET", "passthroughBehavior": "WHEN_NO_MATCH", "requestTemplates": {}, "timeoutMilliseconds": 29000}),
                ),
                with(json!({"integrationType": "MOCK", "connectionType": "INTERNET"})),
            ],
        ),
        trap(
            "a default that the file says",
            integration,
            [
                with(json!({"passthroughBehavior": "WHEN_NO_MATCH", "connectionType": "INTERNET"})),
                with(json!({})),
                with(json!({"passthroughBehavior": "NEVER"})),
            ],
        ),
        trap(
            "what an integration response has when nothing is given",
            "aws:apigatewayv2:IntegrationResponse",
            [
                json!({"apiId": "a", "integrationId": "i", "integrationResponseKey": "$default"}),
                json!({"apiId": "a", "integrationId": "i", "integrationResponseKey": "$default", "responseTemplates": {}}),
                json!({"apiId": "a", "integrationId": "i", "integrationResponseKey": "/a/", "responseTemplates": {}}),
            ],
        ),
        trap(
            "CORS lists are sets, headers have no case",
            "aws:apigatewayv2:Api",
            [
                json!({"name": "a", "protocolType": "HTTP", "corsConfiguration": {"allowHeaders": ["X-One", "X-Two"], "allowMethods": ["GET", "POST"]}}),
                json!({"name": "a", "protocolType": "HTTP", "corsConfiguration": {"allowHeaders": ["x-two", "x-one"], "allowMethods": ["POST", "GET"], "maxAge": 0}}),
                json!({"name": "a", "protocolType": "HTTP", "corsConfiguration": {"allowHeaders": ["x-two", "x-three"], "allowMethods": ["POST", "GET"]}}),
            ],
        ),
    ]
}

#[test]
fn what_only_looks_different_is_no_drift() {
    let mut wrong = Vec::new();
    let traps = [
        policies(),
        queues_and_logs(),
        api(),
        storage(),
        filled::access_lists(),
        functions(),
        filled::tags(),
        filled::fills(),
    ];
    for trap in traps.iter().flatten() {
        if drifts(trap, &trap.applied) {
            wrong.push(format!("{}: as applied, it drifts", trap.what));
        }
        if drifts(trap, &trap.same) {
            wrong.push(format!("{}: only looks different and drifts", trap.what));
        }
        if !drifts(trap, &trap.other) {
            wrong.push(format!("{}: a real change is not seen", trap.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn storage() -> Vec<Trap> {
    vec![
        trap(
            "an ETag in quotes, in capitals",
            "aws:s3:BucketObject",
            [
                json!({"bucket": "b", "key": "k", "etag": "0cc175b9c0f1b6a831c399e269772661"}),
                json!({"bucket": "b", "key": "k", "etag": "\"0CC175B9C0F1B6A831C399E269772661\""}),
                json!({"bucket": "b", "key": "k", "etag": "\"92eb5ffee6ae2fec3ad71c777531578f\""}),
            ],
        ),
        trap(
            "the storage class that is not returned",
            "aws:s3:BucketObject",
            [
                json!({"bucket": "b", "key": "k", "storageClass": "STANDARD"}),
                json!({"bucket": "b", "key": "k"}),
                json!({"bucket": "b", "key": "k", "storageClass": "GLACIER"}),
            ],
        ),
        trap(
            "tags of others under names that are not the file's",
            "aws:s3:Bucket",
            [
                json!({"bucket": "b", "tags": {"team": "red"}}),
                json!({"bucket": "b", "tags": {"team": "red", "cost": "7"}}),
                json!({"bucket": "b", "tags": {"team": "blue"}}),
            ],
        ),
    ]
}

fn functions() -> Vec<Trap> {
    let function = "aws:lambda:Function";
    vec![
        trap(
            "a function by name and by ARN",
            "aws:lambda:EventSourceMapping",
            [
                json!({"functionName": "f", "batchSize": 10}),
                json!({"functionName": "arn:aws:lambda:us-west-2:123456789012:function:f", "batchSize": 10, "maximumBatchingWindowInSeconds": 0}),
                json!({"functionName": "arn:aws:lambda:us-west-2:123456789012:function:g", "batchSize": 10}),
            ],
        ),
        trap(
            "levels of a JSON log that Lambda fills in",
            function,
            [
                json!({"name": "f", "role": "r", "loggingConfig": {"logFormat": "JSON"}}),
                json!({"name": "f", "role": "r", "loggingConfig": {"logFormat": "JSON", "applicationLogLevel": "INFO", "systemLogLevel": "INFO", "logGroup": "/aws/lambda/f"}}),
                json!({"name": "f", "role": "r", "loggingConfig": {"logFormat": "Text"}}),
            ],
        ),
        trap(
            "what Lambda fills in",
            function,
            [
                json!({"name": "f", "role": "r", "memorySize": 128, "filename": "a.zip"}),
                json!({"name": "f", "role": "r", "memorySize": 128, "timeout": 3, "architectures": ["x86_64"], "packageType": "Zip", "ephemeralStorage": {"size": 512}, "loggingConfig": {"logFormat": "Text", "logGroup": "/aws/lambda/f"}}),
                json!({"name": "f", "role": "r", "memorySize": 256}),
            ],
        ),
        trap(
            "an empty environment",
            function,
            [
                json!({"name": "f", "role": "r", "environment": {"variables": {}}}),
                json!({"name": "f", "role": "r"}),
                json!({"name": "f", "role": "other"}),
            ],
        ),
    ]
}

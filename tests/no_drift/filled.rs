//! What services and stackctl itself put beside what was asked for.

use super::{Trap, policy, trap};
use serde_json::{Value, json};

pub(super) fn access_lists() -> Vec<Trap> {
    let acl = "aws:s3:BucketAcl";
    let full =
        json!({"grantee": {"type": "CanonicalUser", "id": "me"}, "permission": "FULL_CONTROL"});
    let read = json!({"grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers"}, "permission": "READ"});
    let list = |grants: Value| json!({"grants": grants, "owner": {"id": "me"}});
    vec![
        trap(
            "the owner and the grants that a canned ACL comes to",
            acl,
            [
                json!({"bucket": "b", "acl": "private"}),
                json!({"bucket": "b", "acl": "private", "accessControlPolicy": list(json!([full]))}),
                json!({"bucket": "b", "acl": "public-read", "accessControlPolicy": list(json!([full, read]))}),
            ],
        ),
        trap(
            "grants in another order, and the canned ACL they come to",
            acl,
            [
                json!({"bucket": "b", "accessControlPolicy": list(json!([full, read]))}),
                json!({"bucket": "b", "acl": "public-read", "accessControlPolicy": list(json!([read, full]))}),
                json!({"bucket": "b", "acl": "private", "accessControlPolicy": list(json!([full]))}),
            ],
        ),
    ]
}

/// Tags that stackctl and AWS put beside the user's, on every type that has tags. Reads leave
/// them out; the comparison does not rely on that.
pub(super) fn tags() -> Vec<Trap> {
    let types = stackctl::resource::table::native().resources();
    let tagged = types
        .iter()
        .filter(|(_, kind)| kind.schema().has_property("tags"));
    let traps: Vec<Trap> = tagged
        .map(|(name, _)| {
            let own = json!({"team": "red", "stackctl:stack": "s", "stackctl:address": "it", "stackctl:operation": "1", "aws:cloudformation:stack-name": "x"});
            let states = [json!({"team": "red"}), own, json!({"team": "blue", "stackctl:stack": "s"})];
            trap(&format!("own tags of {name}"), name, states.map(|tags| json!({"tags": tags})))
        })
        .collect();
    assert!(traps.len() >= 8, "{} types have tags", traps.len());
    traps
}

/// What the services answer though it was not asked for, and other ways to write what was.
pub(super) fn fills() -> Vec<Trap> {
    let statement = |sid: &str, resource: Value| {
        json!([
            {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sqs:*", "Resource": resource},
        ])
    };
    let send =
        |resources: Value| json!({"queueUrl": "u", "policy": policy(statement("a", resources))});
    vec![
        trap(
            "the defaults of a FIFO queue",
            "aws:sqs:Queue",
            [
                json!({"name": "q.fifo", "fifoQueue": true}),
                json!({"name": "q.fifo", "fifoQueue": true, "contentBasedDeduplication": false, "deduplicationScope": "queue", "fifoThroughputLimit": "perQueue", "maxMessageSize": 262_144}),
                json!({"name": "q.fifo", "fifoQueue": false}),
            ],
        ),
        trap(
            "the archive of a topic, and a delivery policy that is filled in",
            "aws:sns:Topic",
            [
                json!({"archivePolicy": {"MessageRetentionPeriod": 3}, "deliveryPolicy": {"http": {"defaultThrottlePolicy": {"maxReceivesPerSecond": 4}}}}),
                json!({"archivePolicy": {"MessageRetentionPeriod": "3"}, "signatureVersion": 1, "tracingConfig": "PassThrough", "deliveryPolicy": {"http": {"defaultThrottlePolicy": {"maxReceivesPerSecond": 4}, "defaultHealthyRetryPolicy": {"numNoDelayRetries": 0, "backoffFunction": "linear"}, "disableSubscriptionOverrides": false}}}),
                json!({"archivePolicy": {"MessageRetentionPeriod": "4"}}),
            ],
        ),
        trap(
            "a filter that was set back, and a password that is not told",
            "aws:sns:TopicSubscription",
            [
                json!({"endpoint": "https://me:secret@a.example/"}),
                json!({"endpoint": "https://me:****@a.example/", "filterPolicy": {}, "filterPolicyScope": "MessageAttributes"}),
                json!({"endpoint": "https://you:****@a.example/"}),
            ],
        ),
        trap(
            "queues that may redrive, as a set",
            "aws:sqs:Queue",
            [
                json!({"name": "q", "redriveAllowPolicy": {"redrivePermission": "byQueue", "sourceQueueArns": ["arn:a", "arn:b"]}}),
                json!({"name": "q", "redriveAllowPolicy": {"sourceQueueArns": ["arn:b", "arn:a"], "redrivePermission": "byQueue"}}),
                json!({"name": "q", "redriveAllowPolicy": {"sourceQueueArns": ["arn:b", "arn:c"], "redrivePermission": "byQueue"}}),
            ],
        ),
        trap(
            "the principal of a queue's policy as an ARN",
            "aws:sqs:QueuePolicy",
            [
                send(json!(["arn:a", "arn:b"])),
                json!({"queueUrl": "u", "policy": policy(json!({"Sid": "a", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}, "Action": ["sqs:*"], "Resource": ["arn:b", "arn:a"]}))}),
                send(json!(["arn:a"])),
            ],
        ),
        trap(
            "the principal of a permission as an ARN, the function as one",
            "aws:lambda:Permission",
            [
                json!({"function": "f", "action": "lambda:InvokeFunction", "principal": "123456789012"}),
                json!({"function": "arn:aws:lambda:us-west-2:123456789012:function:f", "action": "lambda:InvokeFunction", "principal": "arn:aws:iam::123456789012:root"}),
                json!({"function": "f", "action": "lambda:InvokeFunction", "principal": "999999999999"}),
            ],
        ),
        trap(
            "the flags of a public access block that are not given",
            "aws:s3:BucketPublicAccessBlock",
            [
                json!({"bucket": "b", "blockPublicAcls": true}),
                json!({"bucket": "b", "blockPublicAcls": true, "blockPublicPolicy": false, "ignorePublicAcls": false, "restrictPublicBuckets": false}),
                json!({"bucket": "b", "blockPublicAcls": false}),
            ],
        ),
        trap(
            "filters of a mapping: other JSON, another order",
            "aws:lambda:EventSourceMapping",
            [
                json!({"functionName": "f", "filterCriteria": {"filters": [{"pattern": "{\"a\": [1, \"x\"], \"b\": {\"c\": [\"y\"]}}"}, {"pattern": "{\"d\": [2]}"}]}}),
                json!({"functionName": "f", "filterCriteria": {"filters": [{"pattern": "{\"d\":[2]}"}, {"pattern": "{\"b\":{\"c\":[\"y\"]},\"a\":[1,\"x\"]}"}]}}),
                json!({"functionName": "f", "filterCriteria": {"filters": [{"pattern": "{\"d\":[2]}"}, {"pattern": "{\"b\":{\"c\":[\"z\"]},\"a\":[1,\"x\"]}"}]}}),
            ],
        ),
        trap(
            "settings of a stage that the service fills in, a rate as a whole number",
            "aws:apigatewayv2:Stage",
            [
                json!({"apiId": "a", "name": "s", "defaultRouteSettings": {"throttlingRateLimit": 50, "throttlingBurstLimit": 100}}),
                json!({"apiId": "a", "name": "s", "defaultRouteSettings": {"throttlingRateLimit": 50.0, "throttlingBurstLimit": 100, "detailedMetricsEnabled": false, "dataTraceEnabled": false, "loggingLevel": "OFF"}, "deploymentId": "d"}),
                json!({"apiId": "a", "name": "s", "defaultRouteSettings": {"throttlingRateLimit": 50.5, "throttlingBurstLimit": 100}}),
            ],
        ),
        trap(
            "the defaults of a route, its scopes as a set",
            "aws:apigatewayv2:Route",
            [
                json!({"apiId": "a", "routeKey": "GET /", "authorizationScopes": ["x", "y"]}),
                json!({"apiId": "a", "routeKey": "GET /", "authorizationScopes": ["y", "x"], "authorizationType": "NONE", "apiKeyRequired": false}),
                json!({"apiId": "a", "routeKey": "GET /", "authorizationScopes": ["y", "z"]}),
            ],
        ),
        trap(
            "the policies of a role as a set",
            "aws:iam:Role",
            [
                json!({"name": "r", "managedPolicyArns": ["arn:a", "arn:b"]}),
                json!({"name": "r", "managedPolicyArns": ["arn:b", "arn:a"], "maxSessionDuration": 3600, "path": "/"}),
                json!({"name": "r", "managedPolicyArns": ["arn:b"]}),
            ],
        ),
        trap(
            "what is empty and what is unset",
            "aws:lambda:Function",
            [
                json!({"name": "f", "role": "r", "description": "", "layers": [], "memorySize": 128}),
                json!({"name": "f", "role": "r", "snapStart": {"applyOn": "None"}, "tracingConfig": {"mode": "PassThrough"}, "memorySize": 128}),
                json!({"name": "f", "role": "r", "memorySize": 256}),
            ],
        ),
        trap(
            "the class of a log group that is not given",
            "aws:cloudwatch:LogGroup",
            [
                json!({"name": "l", "retentionInDays": 7}),
                json!({"name": "l", "retentionInDays": 7, "logGroupClass": "STANDARD", "deletionProtectionEnabled": false}),
                json!({"name": "l", "retentionInDays": 14, "logGroupClass": "STANDARD"}),
            ],
        ),
    ]
}

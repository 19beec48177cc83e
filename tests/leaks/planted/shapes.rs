//! What certain places take, where their schemas do not say it.

/// JSON documents with `{mark}` in a string.
pub(super) const DOCUMENTS: &[(&str, &str)] = &[
    (
        "aws:apigatewayv2:Api body",
        r#"{"openapi": "3.0.1", "info": {"title": "{mark}", "version": "1"}, "paths": {"/orders": {"get": {"x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": "https://{mark}.example.com/", "payloadFormatVersion": "1.0"}}}}}"#,
    ),
    (
        "aws:sqs:Queue redrivePolicy",
        r#"{"deadLetterTargetArn": "${sensitive(dead.arn)}", "maxReceiveCount": 4}"#,
    ),
    (
        "aws:sqs:Queue redriveAllowPolicy",
        r#"{"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-west-2:000000000000:{mark}"]}"#,
    ),
    (
        "aws:lambda:EventSourceMapping filterCriteria.filters[].pattern",
        r#"{"body": {"kind": ["{mark}"]}}"#,
    ),
];

/// JSON documents with `{mark}` in a key.
pub(super) const KEYED: &[(&str, &str)] = &[
    (
        "aws:apigatewayv2:Api body",
        r#"{"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "paths": {"/{mark}": {"get": {"x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": "https://example.com/", "payloadFormatVersion": "1.0"}}}}}"#,
    ),
    (
        "aws:lambda:EventSourceMapping filterCriteria.filters[].pattern",
        r#"{"body": {"{mark}": ["a"]}}"#,
    ),
];

/// What places take: `{mark}` is the secret, else it is one of few values.
pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "aws:s3:BucketAcl accessControlPolicy whole",
        r#"{"owner": {"id": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}, "grants": [{"grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "permission": "READ"}]}"#,
    ),
    (
        "aws:s3:BucketAcl accessControlPolicy.owner whole",
        r#"{"id": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}"#,
    ),
    (
        "aws:s3:BucketAcl accessControlPolicy.grants whole",
        r#"[{"grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "permission": "READ"}]"#,
    ),
    (
        "aws:s3:BucketAcl accessControlPolicy.grants[] whole",
        r#"{"grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "permission": "READ"}"#,
    ),
    (
        "aws:s3:BucketAcl accessControlPolicy.grants[].grantee whole",
        r#"{"type": "Group", "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}"#,
    ),
    ("aws:cloudwatch:LogGroup deletionProtectionEnabled", "false"),
    ("archive:getFile outputFileMode", "\"0644\""),
    ("archive:getFile outputPath", "out-{mark}.zip"),
    ("archive:getFile sourceDir", "{mark}/folder"),
    ("archive:getFile sourceFile", "files/{mark}.py"),
    (
        "aws:apigatewayv2:Api routeSelectionExpression",
        "\"$request.method $request.path\"",
    ),
    ("aws:apigatewayv2:Api target", "https://{mark}.example.com/"),
    ("aws:apigatewayv2:Api routeKey", "GET /{mark}"),
    ("aws:apigatewayv2:Integration connectionId", "{mark}"),
    (
        "aws:apigatewayv2:Integration requestParameters whole",
        r#"{"integration.request.header.one": "'{mark}'"}"#,
    ),
    (
        "aws:apigatewayv2:Integration requestParameters key",
        r#"{"integration.request.header.{mark}": "'one'"}"#,
    ),
    (
        "aws:apigatewayv2:Integration requestParameters.*",
        "'{mark}'",
    ),
    (
        "aws:apigatewayv2:Integration responseParameters[].statusCode",
        "\"200\"",
    ),
    (
        "aws:apigatewayv2:Route requestParameters whole",
        r#"[{"requestParameterKey": "route.request.querystring.{mark}", "required": false}]"#,
    ),
    (
        "aws:apigatewayv2:Route requestParameters[] whole",
        r#"{"requestParameterKey": "route.request.querystring.{mark}", "required": false}"#,
    ),
    (
        "aws:apigatewayv2:Route requestParameters[].requestParameterKey",
        "route.request.querystring.{mark}",
    ),
    (
        "aws:apigatewayv2:Route routeResponseSelectionExpression",
        "\"$default\"",
    ),
    (
        "aws:apigatewayv2:RouteResponse routeResponseKey",
        "\"$default\"",
    ),
    (
        "aws:apigatewayv2:Stage accessLogSettings.format",
        "$context.requestId {mark}",
    ),
    (
        "aws:apigatewayv2:Stage defaultRouteSettings.dataTraceEnabled",
        "false",
    ),
    (
        "aws:apigatewayv2:Stage defaultRouteSettings.loggingLevel",
        "\"OFF\"",
    ),
    (
        "aws:apigatewayv2:Stage defaultRouteSettings.throttlingBurstLimit",
        "1234",
    ),
    (
        "aws:apigatewayv2:Stage routeSettings[].dataTraceEnabled",
        "false",
    ),
    (
        "aws:apigatewayv2:Stage routeSettings[].loggingLevel",
        "\"OFF\"",
    ),
    (
        "aws:apigatewayv2:Stage routeSettings[].throttlingBurstLimit",
        "1234",
    ),
    (
        "aws:lambda:Function deadLetterConfig.targetArn",
        "arn:aws:sqs:us-west-2:000000000000:{mark}",
    ),
    (
        "aws:lambda:Function kmsKeyArn",
        "arn:aws:kms:us-west-2:000000000000:key/{mark}",
    ),
    ("aws:lambda:Function reservedConcurrentExecutions", "17"),
    ("aws:lambda:Function runtime", "\"python3.13\""),
    (
        "aws:lambda:Function vpcConfig.ipv6AllowedForDualStack",
        "false",
    ),
    (
        "aws:lambda:Function vpcConfig.securityGroupIds whole",
        r#"["sg-{mark}"]"#,
    ),
    (
        "aws:lambda:Function vpcConfig.securityGroupIds[]",
        "sg-{mark}",
    ),
    (
        "aws:lambda:Function vpcConfig.subnetIds whole",
        r#"["subnet-{mark}"]"#,
    ),
    ("aws:lambda:Function vpcConfig.subnetIds[]", "subnet-{mark}"),
    (
        "aws:lambda:Function vpcConfig whole",
        r#"{"subnetIds": ["subnet-{mark}"], "securityGroupIds": ["sg-{mark}"]}"#,
    ),
    ("aws:lambda:Permission sourceAccount", "\"000000000000\""),
    (
        "aws:s3:BucketAcl accessControlPolicy.grants[].grantee.uri",
        "\"http://acs.amazonaws.com/groups/s3/LogDelivery\"",
    ),
    (
        "aws:s3:BucketAcl accessControlPolicy.owner.id",
        "\"75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a\"",
    ),
    ("aws:s3:BucketAcl expectedBucketOwner", "\"000000000000\""),
    ("aws:s3:BucketObject contentBase64", "e21hcmt9"),
    (
        "aws:s3:BucketObject etag",
        "\"5d41402abc4b2a76b9719d911017c592\"",
    ),
    ("aws:s3:BucketObject objectLockLegalHoldStatus", "\"OFF\""),
    ("aws:s3:BucketObject source", "files/{mark}.txt"),
    (
        "aws:s3:BucketVersioning expectedBucketOwner",
        "\"000000000000\"",
    ),
    ("aws:sqs:Queue name", "{mark}.fifo"),
];

/// What else goes where a property is given: it would have to fit it.
pub(super) const RIVALS: &[(&str, &str, &[&str])] = &[
    (
        "aws:s3:BucketObject",
        "content",
        &["etag", "contentBase64", "source"],
    ),
    (
        "aws:s3:BucketObject",
        "contentBase64",
        &["etag", "content", "source"],
    ),
    (
        "aws:s3:BucketObject",
        "source",
        &["etag", "content", "contentBase64"],
    ),
];

/// Further properties that an example may have, on top of those of its case; those of a data
/// source, which has no case, are whole.
pub(super) const VARIANTS: &[(&str, &str)] = &[
    (
        "archive:getFile",
        r#"{"type": "zip", "source": [{"content": "a", "filename": "a.txt"}]}"#,
    ),
    (
        "archive:getFile",
        r#"{"type": "zip", "sourceContent": "a", "sourceContentFilename": "a.txt"}"#,
    ),
    (
        "archive:getFile",
        r#"{"type": "zip", "sourceDir": "plain", "excludes": ["b.txt"]}"#,
    ),
    (
        "archive:getFile",
        r#"{"type": "zip", "sourceFile": "plain/a.py"}"#,
    ),
];

/// Places that no stack file may give a secret of this kind, with the reason.
pub(super) const UNTAKEN: &[(&str, &str)] = &[
    ("aws:sns:Topic archivePolicy document", ARCHIVE),
    ("aws:sns:Topic archivePolicy key", ARCHIVE),
    ("aws:sns:Topic archivePolicy text", ARCHIVE),
    ("aws:sns:Topic archivePolicy whole", ARCHIVE),
    ("aws:sns:Topic fifoThroughputScope", NO_FIFO),
    ("aws:sns:TopicSubscription replayPolicy document", NO_FIFO),
    ("aws:sns:TopicSubscription replayPolicy key", NO_FIFO),
    ("aws:sns:TopicSubscription replayPolicy text", NO_FIFO),
    ("aws:sns:TopicSubscription replayPolicy whole", NO_FIFO),
    (
        "aws:sns:TopicSubscription subscriptionRoleArn",
        "no example is of Firehose",
    ),
    (
        "aws:sqs:Queue redriveAllowPolicy key",
        "the policy has two keys, both the service's own",
    ),
];

const ARCHIVE: &str = "no command deletes a topic that has an archive";
const NO_FIFO: &str = "no example is of a FIFO topic, since one would take an archive";

/// Places where the service refuses every secret that is drawn, by the reason: there a refusal is
/// all that happens.
pub(super) const REFUSED: &[(&str, &[&str])] = &[
    (
        "the local cloud has no such event sources",
        &[
            "aws:lambda:EventSourceMapping bisectBatchOnFunctionError",
            "aws:lambda:EventSourceMapping destinationConfig whole",
            "aws:lambda:EventSourceMapping destinationConfig.onFailure whole",
            "aws:lambda:EventSourceMapping destinationConfig.onFailure.destinationArn",
            "aws:lambda:EventSourceMapping maximumRecordAgeInSeconds",
            "aws:lambda:EventSourceMapping maximumRetryAttempts",
            "aws:lambda:EventSourceMapping parallelizationFactor",
            "aws:lambda:EventSourceMapping queues whole",
            "aws:lambda:EventSourceMapping queues[]",
            "aws:lambda:EventSourceMapping selfManagedEventSource whole",
            "aws:lambda:EventSourceMapping selfManagedEventSource.endpoints whole",
            "aws:lambda:EventSourceMapping selfManagedEventSource.endpoints key",
            "aws:lambda:EventSourceMapping selfManagedEventSource.endpoints.*",
            "aws:lambda:EventSourceMapping sourceAccessConfigurations whole",
            "aws:lambda:EventSourceMapping sourceAccessConfigurations[] whole",
            "aws:lambda:EventSourceMapping sourceAccessConfigurations[].type",
            "aws:lambda:EventSourceMapping sourceAccessConfigurations[].uri",
            "aws:lambda:EventSourceMapping startingPosition",
            "aws:lambda:EventSourceMapping startingPositionTimestamp",
            "aws:lambda:EventSourceMapping topics whole",
            "aws:lambda:EventSourceMapping topics[]",
            "aws:lambda:EventSourceMapping tumblingWindowInSeconds",
        ],
    ),
    (
        "the local cloud has none of what the secret would name",
        &[
            "aws:apigatewayv2:Api credentialsArn",
            "aws:apigatewayv2:Route authorizationScopes whole",
            "aws:apigatewayv2:Route authorizationScopes[]",
            "aws:apigatewayv2:Route authorizerId",
            "aws:apigatewayv2:Route target",
            "aws:lambda:Function codeSigningConfigArn",
            "aws:lambda:Function deadLetterConfig whole",
            "aws:lambda:Function deadLetterConfig.targetArn",
            "aws:lambda:Function layers whole",
            "aws:lambda:Function layers[]",
            "aws:lambda:Function s3ObjectVersion",
            "aws:lambda:Permission qualifier",
            "aws:s3:BucketAcl accessControlPolicy.grants[].grantee.id",
            "aws:apigatewayv2:Stage routeSettings whole",
            "aws:apigatewayv2:Stage routeSettings[] whole",
            "aws:apigatewayv2:Stage routeSettings[].routeKey",
        ],
    ),
    (
        "the service takes words of its own alone, which are planted by themselves elsewhere",
        &[
            "aws:lambda:EventSourceMapping metricsConfig.metrics whole",
            "aws:lambda:EventSourceMapping metricsConfig.metrics[]",
            "aws:s3:BucketVersioning versioningConfiguration.mfaDelete",
            "aws:sqs:Queue redrivePolicy key",
        ],
    ),
];

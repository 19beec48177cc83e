//! Event sources of functions, and who may call them. SK02xx.

use super::facts::{Facts, Resource};
use super::rule::Rule;
use crate::data::Path;
use crate::schema::broken::Broken;
use serde_json::Value;

const MAPPING: &[&str] = &["aws:lambda:EventSourceMapping"];
const PERMISSION: &[&str] = &["aws:lambda:Permission"];

/// The visibility timeout of a queue that names none, in seconds (SQS API, SetQueueAttributes).
const DEFAULT_VISIBILITY: i64 = 30;
/// The timeout of a function that names none, in seconds (Lambda API, CreateFunction).
const DEFAULT_TIMEOUT: i64 = 3;

macro_rules! with_function {
    ($text:literal) => {
        concat!(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, timeout: 20}\n",
            $text
        )
    };
}

pub(super) const RULES: &[Rule] = &[
    Rule::refused("SK0201", "A FIFO queue gives 10 messages in a batch")
        .why("Lambda refuses a batch of more than 10 messages of a FIFO queue (Lambda API, CreateEventSourceMapping, `BatchSize`).")
        .fix("set batchSize to 10 or less")
        .examples(
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {fifoQueue: true, visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", batchSize: 11}}"),
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {fifoQueue: true, visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", batchSize: 10}}"),
        ),
    Rule::refused("SK0202", "A FIFO queue has no batching window")
        .why("Lambda refuses `MaximumBatchingWindowInSeconds` for FIFO queues (Lambda API, CreateEventSourceMapping).")
        .fix("take maximumBatchingWindowInSeconds out")
        .examples(
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {fifoQueue: true, visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", maximumBatchingWindowInSeconds: 5}}"),
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", maximumBatchingWindowInSeconds: 5}}"),
        ),
    Rule::refused("SK0203", "A batch of more than 10 messages needs a window")
        .why("For a batch size over 10 Lambda wants `MaximumBatchingWindowInSeconds` to be at least 1 (Lambda API, CreateEventSourceMapping).")
        .fix("set maximumBatchingWindowInSeconds to 1 or more")
        .examples(
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", batchSize: 50}}"),
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", batchSize: 50, maximumBatchingWindowInSeconds: 1}}"),
        ),
    Rule::refused("SK0204", "A message stays hidden as long as the function may run")
        .why("Lambda refuses a queue whose visibility timeout is less than the function's timeout (Lambda developer guide, \"Configuring scaling and error handling for SQS\").")
        .fix("raise visibilityTimeoutSeconds")
        .examples(
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 10}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\"}}"),
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\"}}"),
        ),
    Rule::warning("SK0205", "A message stays hidden for six times the function's timeout")
        .why("AWS advises a visibility timeout of six times the function's timeout plus the batching window, so that Lambda has time to retry a throttled batch (Lambda developer guide, \"Using Lambda with Amazon SQS\").")
        .fix("raise visibilityTimeoutSeconds")
        .examples(
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 60}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\"}}"),
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\"}}"),
        )
        .of(MAPPING, visibility),
    Rule::refused("SK0206", "A queue has no starting position")
        .why("Starting positions, topics and queues of brokers belong to other sources; Lambda refuses them for SQS (Lambda API, CreateEventSourceMapping).")
        .fix("take the property out")
        .examples(
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", startingPosition: LATEST}}"),
            with_function!("m: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${var.stream}\", functionName: \"${f.name}\", startingPosition: LATEST}}"),
        ),
    Rule::refused("SK0207", "AT_TIMESTAMP goes with a time")
        .why("A starting position of AT_TIMESTAMP needs `StartingPositionTimestamp`, and no other takes it (Lambda API, CreateEventSourceMapping).")
        .fix("add startingPositionTimestamp, or choose another position")
        .examples(
            with_function!("m: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${var.stream}\", functionName: \"${f.name}\", startingPosition: AT_TIMESTAMP}}"),
            with_function!("m: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${var.stream}\", functionName: \"${f.name}\", startingPosition: LATEST}}"),
        ),
    Rule::error("SK0208", "A stream has a starting position")
        .why("Kinesis, DynamoDB streams, Amazon MSK and DocumentDB need `StartingPosition` (Lambda API, CreateEventSourceMapping).")
        .fix("add startingPosition: LATEST or TRIM_HORIZON")
        .examples(
            with_function!("m: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${var.stream}\", functionName: \"${f.name}\"}}"),
            with_function!("m: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${var.stream}\", functionName: \"${f.name}\", startingPosition: LATEST}}"),
        )
        .of(MAPPING, starting_position),
    Rule::warning("SK0209", "Settings of streams have no use for queues")
        .why("Splitting a batch, a parallelization factor, a maximum age, a number of attempts and a tumbling window are for Kinesis and DynamoDB streams (Lambda API, CreateEventSourceMapping); a queue has a redrive policy.")
        .fix("take the property out; the queue's redrivePolicy says how often a message is tried")
        .examples(
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", maximumRetryAttempts: 3}}"),
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", batchSize: 3}}"),
        )
        .of(MAPPING, stream_settings),
    Rule::warning("SK0210", "A maximum concurrency is for queues")
        .why("`ScalingConfig` is for SQS event sources (Lambda API, CreateEventSourceMapping).")
        .fix("take scalingConfig out")
        .examples(
            with_function!("m: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${var.stream}\", functionName: \"${f.name}\", startingPosition: LATEST, scalingConfig: {maximumConcurrency: 5}}}"),
            with_function!("q: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\", scalingConfig: {maximumConcurrency: 5}}}"),
        )
        .of(MAPPING, scaling),
    Rule::warning("SK0211", "A message is tried five times before it is put aside")
        .why("AWS advises a maxReceiveCount of at least 5 for a queue that feeds a function: throttled batches count as received (Lambda developer guide, \"Using Lambda with Amazon SQS\").")
        .fix("set maxReceiveCount to 5 or more")
        .examples(
            with_function!("dead: {type: \"aws:sqs:Queue\", properties: {messageRetentionSeconds: 1209600}}\nq: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180, redrivePolicy: {deadLetterTargetArn: \"${dead.arn}\", maxReceiveCount: 1}}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\"}}"),
            with_function!("dead: {type: \"aws:sqs:Queue\", properties: {messageRetentionSeconds: 1209600}}\nq: {type: \"aws:sqs:Queue\", properties: {visibilityTimeoutSeconds: 180, redrivePolicy: {deadLetterTargetArn: \"${dead.arn}\", maxReceiveCount: 5}}}\nm: {type: \"aws:lambda:EventSourceMapping\", properties: {eventSourceArn: \"${q.arn}\", functionName: \"${f.name}\"}}"),
        )
        .of(MAPPING, receive_count),
    Rule::refused("SK0221", "A permission is not for $LATEST")
        .why("Lambda refuses a permission whose qualifier is $LATEST: without one it is for the unpublished version (Lambda API, AddPermission).")
        .fix("leave the qualifier out")
        .examples(
            with_function!("p: {type: \"aws:lambda:Permission\", properties: {function: \"f:$LATEST\", action: \"lambda:InvokeFunction\", principal: events.amazonaws.com, sourceArn: \"${var.rule}\"}}"),
            with_function!("p: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: events.amazonaws.com, sourceArn: \"${var.rule}\"}}"),
        ),
    Rule::warning("SK0222", "A service may call for one resource only")
        .why("A permission for a service without a source ARN or account lets the resources of every account call the function through that service, the confused deputy (Lambda developer guide, \"Granting Lambda function access to AWS services\").")
        .fix("add sourceArn or sourceAccount")
        .examples(
            with_function!("p: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: events.amazonaws.com}}"),
            with_function!("p: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: events.amazonaws.com, sourceArn: \"${var.rule}\"}}"),
        )
        .of(PERMISSION, source),
    Rule::warning("SK0223", "A bucket's ARN says no account")
        .why("An S3 ARN has no account in it: once the bucket is deleted, somebody else may create one of its name and call the function (Lambda API, AddPermission, `SourceAccount`).")
        .fix("add sourceAccount, as in ${data.caller.accountId}")
        .examples(
            with_function!("b: {type: \"aws:s3:Bucket\", properties: {bucketPrefix: in-}}\np: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: s3.amazonaws.com, sourceArn: \"${b.arn}\"}}"),
            with_function!("b: {type: \"aws:s3:Bucket\", properties: {bucketPrefix: in-}}\np: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: s3.amazonaws.com, sourceArn: \"${b.arn}\", sourceAccount: \"${var.account}\"}}"),
        )
        .of(PERMISSION, bucket_account),
    Rule::warning("SK0224", "Not everybody may call a function")
        .why("A principal of * lets every AWS account call the function, unless an organization or a function URL narrows it (Lambda API, AddPermission, `Principal`).")
        .fix("name an account or a service, or add principalOrgId")
        .examples(
            with_function!("p: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: \"*\"}}"),
            with_function!("p: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: \"*\", principalOrgId: o-a1b2c3d4e5}}"),
        )
        .of(PERMISSION, everybody),
    Rule::warning("SK0225", "The principal is the service of the source")
        .why("The service that calls is the principal: an API calls as apigateway.amazonaws.com, a topic as sns.amazonaws.com, a bucket as s3.amazonaws.com; a permission for another one has no effect (Lambda developer guide, the pages on each service).")
        .fix("name the service of the source as the principal")
        .examples(
            with_function!("t: {type: \"aws:sns:Topic\", properties: {}}\np: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: events.amazonaws.com, sourceArn: \"${t.arn}\"}}"),
            with_function!("t: {type: \"aws:sns:Topic\", properties: {}}\np: {type: \"aws:lambda:Permission\", properties: {function: \"${f.name}\", action: \"lambda:InvokeFunction\", principal: sns.amazonaws.com, sourceArn: \"${t.arn}\"}}"),
        )
        .of(PERMISSION, principal_of_source),
];

/// The service in the ARN of a source: of the resource it refers to, or as it is written.
fn source_service(facts: &Facts<'_>, mapping: &Resource<'_>) -> Option<String> {
    if let Some(arn) = mapping.text("eventSourceArn") {
        return arn.split(':').nth(2).map(str::to_owned);
    }
    let peer = facts.peer(mapping, &Path::dotted("eventSourceArn"))?;
    let service = peer
        .type_name
        .split("::")
        .nth(1)
        .or(peer.type_name.split(':').nth(1))?;
    Some(service.to_lowercase())
}

fn visibility(facts: &Facts<'_>, mapping: &Resource<'_>, broken: &mut Vec<Broken>) {
    let queue = facts.peer_of_type(mapping, "eventSourceArn", "aws:sqs:Queue");
    let function = facts.peer_of_type(mapping, "functionName", "aws:lambda:Function");
    let (Some(queue), Some(function)) = (queue, function) else {
        return;
    };
    let numbers = (
        queue.number("visibilityTimeoutSeconds", DEFAULT_VISIBILITY),
        function.number("timeout", DEFAULT_TIMEOUT),
        mapping.number("maximumBatchingWindowInSeconds", 0),
    );
    let (Some(visible), Some(timeout), Some(window)) = numbers else {
        return;
    };
    let wanted = timeout.saturating_mul(6).saturating_add(window);
    // Less than the timeout is refused: SK0204.
    if visible >= timeout && visible < wanted {
        let message = format!(
            "The queue's visibilityTimeoutSeconds ({visible}) is less than six times the \
             function's timeout ({timeout}) plus the batching window ({window})."
        );
        let help = format!("set it to {wanted} or more");
        broken.push(Broken::at("eventSourceArn", message).help(Some(help)));
    }
}

fn starting_position(facts: &Facts<'_>, mapping: &Resource<'_>, broken: &mut Vec<Broken>) {
    let service = source_service(facts, mapping);
    let is_stream = matches!(service.as_deref(), Some("kinesis" | "dynamodb" | "kafka"));
    if is_stream && !mapping.given("startingPosition") {
        let message = "A stream needs startingPosition.";
        broken.push(Broken::at("eventSourceArn", message));
    }
}

const OF_STREAMS: &[&str] = &[
    "bisectBatchOnFunctionError",
    "maximumRecordAgeInSeconds",
    "maximumRetryAttempts",
    "parallelizationFactor",
    "tumblingWindowInSeconds",
];

fn stream_settings(facts: &Facts<'_>, mapping: &Resource<'_>, broken: &mut Vec<Broken>) {
    if source_service(facts, mapping).as_deref() != Some("sqs") {
        return;
    }
    for name in OF_STREAMS.iter().filter(|name| mapping.given(name)) {
        let message = format!("{name} is for streams; the source is a queue.");
        broken.push(Broken::at(name, message).on_key());
    }
}

fn scaling(facts: &Facts<'_>, mapping: &Resource<'_>, broken: &mut Vec<Broken>) {
    let service = source_service(facts, mapping);
    let is_other = service.is_some_and(|service| service != "sqs");
    if is_other && mapping.given("scalingConfig") {
        let message = "scalingConfig is for queues; the source is none.";
        broken.push(Broken::at("scalingConfig", message).on_key());
    }
}

fn receive_count(facts: &Facts<'_>, mapping: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(queue) = facts.peer_of_type(mapping, "eventSourceArn", "aws:sqs:Queue") else {
        return;
    };
    let count = queue.known("redrivePolicy.maxReceiveCount");
    let number = |value: &Value| {
        let text = || value.as_str().and_then(|text| text.parse().ok());
        value.as_i64().or_else(text)
    };
    if let Some(count @ 1..5) = count.and_then(number) {
        let message = format!(
            "A message of the queue is put aside after it was received {count} time{}; AWS \
             advises 5 or more for a queue that feeds a function.",
            if count == 1 { "" } else { "s" }
        );
        broken.push(Broken::at("eventSourceArn", message));
    }
}

/// The principal, where it is a service.
fn service<'r>(permission: &'r Resource<'_>) -> Option<&'r str> {
    let principal = permission.text("principal")?;
    principal.contains(".amazonaws.").then_some(principal)
}

fn source(_: &Facts<'_>, permission: &Resource<'_>, broken: &mut Vec<Broken>) {
    let narrowed = [
        "sourceArn",
        "sourceAccount",
        "principalOrgId",
        "eventSourceToken",
    ];
    if narrowed.iter().any(|name| permission.given(name)) {
        return;
    }
    if let Some(service) = service(permission) {
        let message = format!("{service} may call the function for the resources of any account.");
        broken.push(Broken::at("principal", message));
    }
}

fn bucket_account(facts: &Facts<'_>, permission: &Resource<'_>, broken: &mut Vec<Broken>) {
    let peer = facts.peer_of_type(permission, "sourceArn", "aws:s3:Bucket");
    let arn = permission.text("sourceArn");
    let is_bucket = peer.is_some() || arn.is_some_and(|arn| arn.contains(":s3:::"));
    if is_bucket && !permission.given("sourceAccount") {
        let message = "The ARN of a bucket does not say whose it is.";
        broken.push(Broken::at("sourceArn", message));
    }
}

fn everybody(_: &Facts<'_>, permission: &Resource<'_>, broken: &mut Vec<Broken>) {
    let narrowed = [
        "functionUrlAuthType",
        "invokedViaFunctionUrl",
        "principalOrgId",
        "sourceAccount",
        "sourceArn",
    ];
    let is_open = !narrowed.iter().any(|name| permission.given(name));
    if is_open && permission.text("principal") == Some("*") {
        let message = "Every AWS account may call the function.";
        broken.push(Broken::at("principal", message));
    }
}

/// The services that call for resources of these types.
const CALLERS: &[(&str, &str)] = &[
    ("AWS::Events::Rule", "events.amazonaws.com"),
    ("AWS::Logs::LogGroup", "logs.amazonaws.com"),
    ("aws:apigatewayv2:Api", "apigateway.amazonaws.com"),
    ("aws:cloudwatch:LogGroup", "logs.amazonaws.com"),
    ("aws:s3:Bucket", "s3.amazonaws.com"),
    ("aws:sns:Topic", "sns.amazonaws.com"),
];

fn principal_of_source(facts: &Facts<'_>, permission: &Resource<'_>, broken: &mut Vec<Broken>) {
    let (Some(principal), Some(source)) = (
        service(permission),
        facts.peer(permission, &Path::dotted("sourceArn")),
    ) else {
        return;
    };
    let caller = CALLERS.iter().find(|(name, _)| *name == source.type_name);
    let Some((_, caller)) = caller else {
        return;
    };
    let word = caller.split('.').next().unwrap_or_default();
    // Logs call as logs.REGION.amazonaws.com too.
    if !principal.starts_with(&format!("{word}.")) {
        let message = format!("{} calls as {caller}, not as {principal}.", source.block);
        let help = format!("set principal to {caller}");
        broken.push(Broken::at("principal", message).help(Some(help)));
    }
}

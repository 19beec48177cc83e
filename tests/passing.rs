//! Refusals that pass: what a service refuses for the moment is asked again, and the same code with
//! another reason is not. The errors are those that the types' sources name.

use crate::support::{Project, in_parallel};
use serde_json::{Value, json};

/// A refusal, and the resources whose apply meets it.
struct Case {
    call: &'static str,
    status: u16,
    code: &'static str,
    message: &'static str,
    /// A message with which the same code is final; none where the code alone says it.
    last: Option<&'static str>,
    /// The stacks that are applied, in order; the last one meets the refusal.
    stacks: Vec<Value>,
}

fn case(
    call: &'static str,
    (status, code, message): (u16, &'static str, &'static str),
    last: Option<&'static str>,
    stacks: Vec<Value>,
) -> Case {
    Case {
        call,
        status,
        code,
        message,
        last,
        stacks,
    }
}

fn one(kind: &str, properties: Value) -> Value {
    json!({"one": {"type": kind, "properties": properties}})
}

fn with(mut first: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    first.as_object_mut().unwrap().extend(more);
    first
}

fn statement(more: Value) -> Value {
    let statement = with(json!({"Effect": "Allow"}), more);
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn trust(service: &str) -> Value {
    statement(json!({"Action": "sts:AssumeRole", "Principal": {"Service": service}}))
}

fn role(name: &str) -> Value {
    json!({"role": {"type": "aws:iam:Role",
        "properties": {"name": name, "assumeRolePolicy": trust("lambda.amazonaws.com")}}})
}

fn user() -> Value {
    statement(json!({"Action": "sqs:SendMessage", "Resource": "*",
        "Principal": {"AWS": "${role.arn}"}}))
}

fn bucket(name: &str) -> Value {
    json!({"bucket": {"type": "aws:s3:Bucket", "properties": {"bucket": name}}})
}

fn group(properties: Value) -> Value {
    let properties = with(json!({"name": "/app/a"}), properties);
    one("aws:cloudwatch:LogGroup", properties)
}

const GROUP_BUSY: (u16, &str, &str) = (
    400,
    "OperationAbortedException",
    "A conflicting operation is currently in progress against this resource.",
);
const KEY: &str = "arn:aws:kms:us-west-2:000000000000:key/a";

fn logs() -> Vec<Case> {
    let kept = || group(json!({"retentionInDays": 1}));
    let sealed = || group(json!({"kmsKeyId": KEY}));
    let unknown = "The specified log group does not exist.";
    vec![
        case(
            "logs:PutRetentionPolicy",
            (400, "ResourceNotFoundException", unknown),
            None,
            vec![kept()],
        ),
        case("logs:PutRetentionPolicy", GROUP_BUSY, None, vec![kept()]),
        case(
            "logs:DeleteRetentionPolicy",
            GROUP_BUSY,
            None,
            vec![kept(), group(json!({}))],
        ),
        case(
            "logs:AssociateKmsKey",
            GROUP_BUSY,
            None,
            vec![group(json!({})), sealed()],
        ),
        case(
            "logs:DisassociateKmsKey",
            GROUP_BUSY,
            None,
            vec![sealed(), group(json!({}))],
        ),
    ]
}

fn queues() -> Vec<Case> {
    let policy = |document: Value| {
        let policy = json!({"type": "aws:sqs:QueuePolicy",
            "properties": {"queueUrl": "${one.url}", "policy": document}});
        with(
            with(one("aws:sqs:Queue", json!({"name": "q"})), role("r")),
            json!({"policy": policy}),
        )
    };
    vec![
        case(
            "sqs:SetQueueAttributes",
            (
                400,
                "AWS.SimpleQueueService.NonExistentQueue",
                "The specified queue does not exist.",
            ),
            None,
            vec![policy(user())],
        ),
        case(
            "sqs:SetQueueAttributes",
            (
                400,
                "InvalidAttributeValue",
                "Invalid value for the parameter Policy.",
            ),
            Some("Invalid value for the parameter DelaySeconds."),
            vec![policy(user())],
        ),
        case(
            "sqs:CreateQueue",
            (
                400,
                "AWS.SimpleQueueService.QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue.",
            ),
            None,
            vec![one("aws:sqs:Queue", json!({"name": "q"}))],
        ),
        case(
            "sns:CreateTopic",
            (
                400,
                "InvalidParameter",
                "Invalid parameter: Policy Error: PrincipalNotFound",
            ),
            Some("Invalid parameter: Policy Error: null"),
            vec![with(
                one("aws:sns:Topic", json!({"name": "t", "policy": user()})),
                role("r"),
            )],
        ),
        case(
            "sns:TagResource",
            (
                400,
                "ConcurrentAccess",
                "Can't perform multiple operations on a tag simultaneously.",
            ),
            None,
            [json!({"a": "1"}), json!({"a": "2"})]
                .map(|tags| one("aws:sns:Topic", json!({"name": "t", "tags": tags})))
                .into(),
        ),
    ]
}

fn buckets() -> Vec<Case> {
    let versioned = || {
        let versioning = json!({"type": "aws:s3:BucketVersioning", "properties": {
            "bucket": "${bucket.bucket}", "versioningConfiguration": {"status": "Enabled"}}});
        with(bucket("passing-a"), json!({"one": versioning}))
    };
    let object = |content: &str| {
        let object = json!({"type": "aws:s3:BucketObject", "properties": {
            "bucket": "${bucket.bucket}", "key": "k", "content": content}});
        with(bucket("passing-b"), json!({"one": object}))
    };
    let policy = || {
        let allowed = statement(json!({"Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::passing-c/*", "Principal": {"AWS": "${role.arn}"}}));
        let policy = json!({"type": "aws:s3:BucketPolicy",
            "properties": {"bucket": "${bucket.bucket}", "policy": allowed}});
        with(with(bucket("passing-c"), role("r")), json!({"one": policy}))
    };
    let aborted = (
        409,
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource.",
    );
    let conditional = (
        409,
        "ConditionalRequestConflict",
        "The conditional request cannot succeed.",
    );
    vec![
        case("s3:PutBucketVersioning", aborted, None, vec![versioned()]),
        case("s3:CreateBucket", aborted, None, vec![versioned()]),
        case(
            "s3:PutBucketVersioning",
            (404, "NoSuchBucket", "The specified bucket does not exist"),
            None,
            vec![versioned()],
        ),
        case(
            "s3:PutBucketVersioning",
            (503, "SlowDown", "Please reduce your request rate."),
            None,
            vec![versioned()],
        ),
        case("s3:PutObject", conditional, None, vec![object("a")]),
        case(
            "s3:PutObject",
            conditional,
            None,
            vec![object("a"), object("b")],
        ),
        case(
            "s3:PutBucketPolicy",
            (400, "MalformedPolicy", "Invalid principal in policy"),
            Some("Policy has invalid action"),
            vec![policy()],
        ),
    ]
}

fn roles() -> Vec<Case> {
    let busy = (
        409,
        "ConcurrentModification",
        "The request was rejected because multiple requests to change this object were submitted simultaneously.",
    );
    let inner = |action: &str| {
        let policy = json!({"type": "aws:iam:RolePolicy", "properties": {"role": "${role.name}",
            "name": "p", "policy": statement(json!({"Action": action, "Resource": "*"}))}});
        with(role("r"), json!({"one": policy}))
    };
    let trusting = || {
        let trust =
            statement(json!({"Action": "sts:AssumeRole", "Principal": {"AWS": "${role.arn}"}}));
        let second = json!({"type": "aws:iam:Role",
            "properties": {"name": "second", "assumeRolePolicy": trust}});
        with(role("r"), json!({"one": second}))
    };
    let managed = |action: &str| {
        one(
            "aws:iam:Policy",
            json!({"name": "p",
            "policy": statement(json!({"Action": action, "Resource": "*"}))}),
        )
    };
    let limit = (
        409,
        "LimitExceeded",
        "A managed policy can have up to 5 versions.",
    );
    let actions = ["a", "b", "c", "d", "e", "f"].map(|action| managed(&format!("sqs:{action}")));
    vec![
        case("iam:PutRolePolicy", busy, None, vec![inner("sqs:a")]),
        case(
            "iam:PutRolePolicy",
            (404, "NoSuchEntity", "The role with name r cannot be found."),
            None,
            vec![inner("sqs:a")],
        ),
        case(
            "iam:CreateRole",
            (
                400,
                "MalformedPolicyDocument",
                "Invalid principal in policy: \"AWS\":\"arn:aws:iam::000000000000:role/r\"",
            ),
            Some("Syntax errors in policy."),
            vec![trusting()],
        ),
        // The sixth version takes the place of the oldest, which IAM may still count.
        case("iam:CreatePolicyVersion", limit, None, actions.to_vec()),
    ]
}

fn functions() -> Vec<Case> {
    let function = |more: Value| {
        let properties = json!({"name": "f", "role": "${role.arn}", "runtime": "python3.13",
            "handler": "a.b", "filename": "code.zip"});
        let function = json!({"type": "aws:lambda:Function", "properties": with(properties, more)});
        with(role("r"), json!({"one": function}))
    };
    let first = || function(json!({}));
    let parameter = |message| (400, "InvalidParameterValueException", message);
    let other = Some("The runtime parameter of python1 is no longer supported.");
    let permission = || {
        let permission = json!({"type": "aws:lambda:Permission", "properties": {
            "function": "${one.name}", "action": "lambda:InvokeFunction",
            "principal": "sqs.amazonaws.com"}});
        with(first(), json!({"two": permission}))
    };
    vec![
        case(
            "lambda:CreateFunction",
            parameter("The role defined for the function cannot be assumed by Lambda."),
            other,
            vec![first()],
        ),
        case(
            "lambda:CreateFunction",
            parameter(
                "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant.",
            ),
            other,
            vec![first()],
        ),
        case(
            "lambda:CreateFunction",
            parameter("Lambda is throttled by EC2."),
            other,
            vec![first()],
        ),
        case(
            "lambda:UpdateFunctionConfiguration",
            (
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. An update is in progress for resource.",
            ),
            Some("The function is not what it was."),
            vec![first(), function(json!({"timeout": 9}))],
        ),
        case(
            "lambda:UpdateFunctionConfiguration",
            (
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. The function is currently in the following state: Pending",
            ),
            Some("The function is not what it was."),
            vec![first(), function(json!({"timeout": 9}))],
        ),
        case(
            "lambda:AddPermission",
            (
                404,
                "ResourceNotFoundException",
                "Function not found: arn:aws:lambda:us-west-2:000000000000:function:f",
            ),
            None,
            vec![permission()],
        ),
    ]
}

fn gateways() -> Vec<Case> {
    let concurrent = (
        409,
        "ConflictException",
        "Unable to complete operation due to concurrent modification. Please try again later.",
    );
    let api = |name: &str| {
        one(
            "aws:apigatewayv2:Api",
            json!({"name": name, "protocolType": "HTTP"}),
        )
    };
    let route = |key: &str| {
        let route = json!({"type": "aws:apigatewayv2:Route",
            "properties": {"apiId": "${one.id}", "routeKey": key}});
        with(api("a"), json!({"two": route}))
    };
    let deployed = |is_there: bool| {
        let deployment = json!({"type": "aws:apigatewayv2:Deployment",
            "properties": {"apiId": "${one.id}"}});
        let mut all = route("GET /a");
        if is_there {
            all["deployment"] = deployment;
        }
        all
    };
    let account = || {
        let role = json!({"role": {"type": "aws:iam:Role", "properties": {
            "name": "logs", "assumeRolePolicy": trust("apigateway.amazonaws.com"),
            "managedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"]}}});
        let account = json!({"type": "aws:apigateway:Account",
            "properties": {"cloudwatchRoleArn": "${role.arn}"}});
        with(role, json!({"one": account}))
    };
    vec![
        case(
            "apigateway:CreateRoute",
            concurrent,
            Some("Route with key GET /a already exists for this API"),
            vec![route("GET /a")],
        ),
        case(
            "apigateway:DeleteRoute",
            concurrent,
            Some("The route cannot be deleted."),
            vec![route("GET /a"), api("a")],
        ),
        // A stage that has just moved on may still count as showing it.
        case(
            "apigateway:DeleteDeployment",
            (
                400,
                "BadRequestException",
                "Active stages pointing to this deployment must be moved or deleted",
            ),
            Some("Invalid deployment identifier."),
            vec![deployed(true), deployed(false)],
        ),
        case(
            "apigateway:UpdateAccount",
            (
                400,
                "BadRequestException",
                "The role ARN does not have required permissions configured.",
            ),
            Some("Invalid patch path."),
            vec![account()],
        ),
        case(
            "apigateway:UpdateAccount",
            (409, "ConflictException", "The account is being changed."),
            None,
            vec![account()],
        ),
    ]
}

fn cases() -> Vec<Case> {
    [
        logs(),
        queues(),
        buckets(),
        roles(),
        functions(),
        gateways(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn write(project: &Project, resources: &Value) {
    let stack = json!({"name": "s", "providers": {"aws": {"region": "us-west-2"}},
        "resources": resources});
    project.write("stacks/s.yaml", stack.to_string());
}

/// The refusal, so often, with a message.
fn refuse(project: &mut Project, case: &Case, message: &str, times: u64) {
    let answer = json!({"status": case.status, "code": case.code, "message": message});
    let rule = json!([{"call": case.call, "at": 1, "times": times, "what": {"answer": answer}}]);
    project.env("STACKCTL_LOCAL_FAULTS", &rule.to_string());
}

fn prepared(case: &Case) -> Project {
    let project = Project::new();
    project.write(
        "stacks/code.zip",
        crate::half_done::zip(b"def b(event, context): pass\n"),
    );
    let (last, before) = case.stacks.split_last().unwrap();
    for stack in before {
        write(&project, stack);
        project.apply();
    }
    write(&project, last);
    project
}

#[test]
fn a_refusal_that_passes_is_asked_again() {
    in_parallel(cases(), |case| {
        let mut project = prepared(&case);
        refuse(&mut project, &case, case.message, 2);
        let file = project.home().join("struck");
        project.env("STACKCTL_LOCAL_STRUCK", file.to_str().unwrap());
        let ended = project.run(&["apply", "--yes"]);
        let name = format!("{} {} {}", case.call, case.code, case.message);
        assert_eq!(ended.code, Some(0), "{name}:\n{}", ended.stderr);
        let struck = std::fs::read_to_string(file).unwrap_or_default();
        assert_eq!(struck.lines().count(), 2, "{name}");
        project.expect_no_changes();
    });
}

#[test]
fn the_same_code_with_another_reason_is_final() {
    let all = cases().into_iter().filter(|case| case.last.is_some());
    in_parallel(all.collect(), |case| {
        let message = case.last.unwrap();
        let mut project = prepared(&case);
        refuse(&mut project, &case, message, 1);
        let ended = project.run(&["apply", "--yes"]);
        let name = format!("{} {} {message}", case.call, case.code);
        assert_eq!(ended.code, Some(1), "{name}:\n{}", ended.stderr);
        assert!(ended.stderr.contains(message), "{name}:\n{}", ended.stderr);
    });
}

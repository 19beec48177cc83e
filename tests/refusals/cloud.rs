//! The local cloud refuses what AWS refuses, with the codes AWS answers.

use aws_sdk_apigatewayv2::types::{IntegrationType, ProtocolType};
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime, State};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use stackctl::local_cloud::{Cloud, Options};
use stackctl::resource::aws::Aws;
use std::io::{Cursor, Write};
use std::time::Duration;

/// Clients on a local cloud whose clock runs at `speed`.
pub(super) async fn clients(dir: &tempfile::TempDir, speed: f64) -> Aws {
    let options = Options {
        dir: dir.path().to_owned(),
        speed,
        ..Options::default()
    };
    let config = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
        .http_client(Cloud::open(options).unwrap().http_client())
        .credentials_provider(aws_credential_types::Credentials::from_keys(
            "test", "test", None,
        ))
        .region(aws_config::Region::new("us-west-2"))
        .load()
        .await;
    Aws::new(config, true)
}

/// Fails unless the service refused with this code and these words.
#[track_caller]
pub(super) fn refused<T, E: ProvideErrorMetadata>(result: Result<T, E>, code: &str, words: &str) {
    let Err(error) = result else {
        panic!("not refused; wanted {code}: {words}");
    };
    let (got, message) = (
        error.code().unwrap_or_default(),
        error.message().unwrap_or_default(),
    );
    assert!(
        got.ends_with(code) && message.contains(words),
        "{got}: {message}; wanted {code}: {words}"
    );
}

#[tokio::test]
async fn sqs() {
    let dir = tempfile::tempdir().unwrap();
    let aws = clients(&dir, 1.0).await;
    let sqs = aws.sqs();
    let create = |name: &str| sqs.create_queue().queue_name(name);
    let bad = "InvalidParameterValue";
    refused(create("a.fifo").send().await, bad, "");
    let plain = create("a").attributes(Name::FifoQueue, "true");
    refused(plain.send().await, bad, "");
    let unknown = create("a").attributes(Name::from("Colour"), "red");
    refused(unknown.send().await, "InvalidAttributeName", "Colour");
    let range = create("a").attributes(Name::VisibilityTimeout, "43201");
    refused(
        range.send().await,
        "InvalidAttributeValue",
        "VisibilityTimeout",
    );
    let fifo_only = create("a").attributes(Name::ContentBasedDeduplication, "true");
    refused(
        fifo_only.send().await,
        "InvalidAttributeName",
        "ContentBased",
    );

    let fifo = create("b.fifo").attributes(Name::FifoQueue, "true");
    let url = fifo.send().await.unwrap().queue_url.unwrap();
    let again = create("b.fifo")
        .attributes(Name::FifoQueue, "true")
        .attributes(Name::DelaySeconds, "5");
    refused(again.send().await, "QueueAlreadyExists", "DelaySeconds");
    let same = create("b.fifo").attributes(Name::FifoQueue, "true");
    assert_eq!(same.send().await.unwrap().queue_url.unwrap(), url);
    let immutable = sqs.set_queue_attributes().queue_url(&url);
    let immutable = immutable.attributes(Name::FifoQueue, "false");
    refused(immutable.send().await, "InvalidAttributeValue", "FifoQueue");

    sqs.delete_queue().queue_url(&url).send().await.unwrap();
    let soon = create("b.fifo").attributes(Name::FifoQueue, "true");
    refused(soon.send().await, "QueueDeletedRecently", "60 seconds");
}

#[tokio::test]
async fn iam() {
    let dir = tempfile::tempdir().unwrap();
    let aws = clients(&dir, 1.0).await;
    let iam = aws.iam();
    let role = |trust: &str| {
        let call = iam.create_role().role_name("R");
        call.assume_role_policy_document(trust).send()
    };
    let bad = "MalformedPolicyDocument";
    refused(role("no JSON").await, bad, "");
    let nobody =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}"#;
    refused(role(nobody).await, bad, "");
    role(TRUST).await.unwrap();
    refused(role(TRUST).await, "EntityAlreadyExists", "R");

    let policy = || iam.create_policy().policy_name("P").policy_document(ALLOW);
    let arn = policy().send().await.unwrap().policy.unwrap().arn.unwrap();
    refused(policy().send().await, "EntityAlreadyExists", "P");
    let attach = iam.attach_role_policy().role_name("R").policy_arn(&arn);
    attach.send().await.unwrap();
    let delete = iam.delete_role().role_name("R").send().await;
    refused(delete, "DeleteConflict", "detach");
    let delete = iam.delete_policy().policy_arn(&arn).send().await;
    refused(delete, "DeleteConflict", "attached");
    let detach = iam.detach_role_policy().role_name("R").policy_arn(&arn);
    detach.send().await.unwrap();
    let inline = iam.put_role_policy().role_name("R").policy_name("I");
    inline.policy_document(ALLOW).send().await.unwrap();
    let delete = iam.delete_role().role_name("R").send().await;
    refused(delete, "DeleteConflict", "policies first");
}

#[tokio::test]
async fn apigateway() {
    let dir = tempfile::tempdir().unwrap();
    let aws = clients(&dir, 1.0).await;
    let api = aws.apigateway();
    let create = || {
        api.create_api()
            .name("a")
            .protocol_type(ProtocolType::Websocket)
    };
    let bad = "BadRequestException";
    refused(create().send().await, bad, "");
    let create = || create().route_selection_expression("$request.body.action");
    let id = create().send().await.unwrap().api_id.unwrap();
    // Names are not unique: a second create makes a second API.
    assert_ne!(create().send().await.unwrap().api_id.unwrap(), id);

    let make = |kind: &str| {
        let call = api.create_integration().api_id(&id);
        call.integration_type(IntegrationType::from(kind))
    };
    let uri = "arn:aws:apigateway:us-west-2:sqs:path/000000000000/q";
    refused(make("LAMBDA").send().await, bad, "");
    refused(make("AWS").send().await, bad, "URI");
    let web = make("AWS").integration_uri("https://a.example");
    refused(web.send().await, bad, "URI");
    for millis in [49, 29_001] {
        let timed = make("AWS").integration_uri(uri).timeout_in_millis(millis);
        refused(timed.send().await, bad, "");
    }
    let made = make("AWS").integration_uri(uri).send().await.unwrap();
    let integration = made.integration_id.unwrap();

    let route = |target: &str| {
        let call = api.create_route().api_id(&id).route_key("$default");
        call.target(target).send()
    };
    let early = api.create_deployment().api_id(&id).send().await;
    refused(early, bad, "At least one route");
    refused(route("integrations/missing").await, bad, "target");
    route(&format!("integrations/{integration}")).await.unwrap();
    let twin = route(&format!("integrations/{integration}")).await;
    refused(twin, "ConflictException", "$default");
    let used = api
        .delete_integration()
        .api_id(&id)
        .integration_id(&integration);
    refused(used.send().await, "ConflictException", "referenced");

    let stage = || api.create_stage().api_id(&id).stage_name("prod");
    stage().send().await.unwrap();
    refused(stage().send().await, "ConflictException", "prod");
    let deploy = || api.create_deployment().api_id(&id).stage_name("prod");
    let live = deploy().send().await.unwrap().deployment_id.unwrap();
    let used = api.delete_deployment().api_id(&id).deployment_id(&live);
    refused(used.send().await, bad, "Active stages");
}

#[tokio::test]
async fn s3() {
    let dir = tempfile::tempdir().unwrap();
    let aws = clients(&dir, 1.0).await;
    let s3 = aws.s3();
    bucket(&aws).await;
    let body = ByteStream::from_static(b"x");
    let put = s3.put_object().bucket("bucket-1").key("k").body(body);
    put.send().await.unwrap();
    let delete = s3.delete_bucket().bucket("bucket-1").send().await;
    refused(delete, "BucketNotEmpty", "");
    let acl = s3.put_bucket_acl().bucket("bucket-1");
    let acl = acl.acl(aws_sdk_s3::types::BucketCannedAcl::Private);
    refused(acl.send().await, "AccessControlListNotSupported", "");
    let elsewhere = s3.create_bucket().bucket("bucket-2").send().await;
    refused(elsewhere, "IllegalLocationConstraintException", "");
}

#[tokio::test]
async fn a_function_and_its_mapping() {
    let dir = tempfile::tempdir().unwrap();
    let slow = clients(&dir, 1.0).await;
    for name in ["R", "other"] {
        let trust = if name == "R" { TRUST } else { GATEWAY };
        let role = slow.iam().create_role().role_name(name);
        let role = role.assume_role_policy_document(trust);
        role.send().await.unwrap();
    }
    bucket(&slow).await;
    let put = slow.s3().put_object().bucket("bucket-1").key("code.zip");
    put.body(ByteStream::from(zip())).send().await.unwrap();
    let bad = "InvalidParameterValueException";
    let young = function(&slow, "R").send().await;
    refused(young, bad, "cannot be assumed by Lambda");

    // From here on an hour of the cloud's passes with each of ours.
    let aws = clients(&dir, 100_000.0).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let role = function(&aws, "other").send().await;
    refused(role, bad, "cannot be assumed by Lambda");
    let retired = function(&aws, "R").runtime(Runtime::from("python3.8"));
    refused(retired.send().await, bad, "python3.8");
    let code = |key: &str| {
        FunctionCode::builder()
            .s3_bucket("bucket-1")
            .s3_key(key)
            .build()
    };
    let missing = function(&aws, "R").code(code("missing.zip"));
    refused(missing.send().await, bad, "does not exist");
    let junk = FunctionCode::builder()
        .zip_file(Blob::new(*b"no zip"))
        .build();
    refused(function(&aws, "R").code(junk).send().await, bad, "unzip");
    let aws = clients(&dir, 1.0).await;
    let made = function(&aws, "R").send().await.unwrap();
    assert_eq!(made.state, Some(State::Pending));
    let twin = function(&aws, "R").send().await;
    refused(twin, "ResourceConflictException", "already exist");
    mappings(&dir).await;
}

async fn mappings(dir: &tempfile::TempDir) {
    let aws = clients(dir, 100_000.0).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let bad = "InvalidParameterValueException";
    let queue = |name: &str, seconds: &str| {
        let call = aws.sqs().create_queue().queue_name(name);
        call.attributes(Name::VisibilityTimeout, seconds)
    };
    queue("short", "14").send().await.unwrap();
    queue("long", "90").send().await.unwrap();
    let fifo = queue("long.fifo", "90").attributes(Name::FifoQueue, "true");
    fifo.send().await.unwrap();
    let map = |queue: &str| {
        let arn = format!("arn:aws:sqs:us-west-2:000000000000:{queue}");
        let call = aws.lambda().create_event_source_mapping();
        call.event_source_arn(arn).function_name("f")
    };
    refused(
        map("long").send().await,
        bad,
        "permissions to call ReceiveMessage",
    );
    let inline = aws.iam().put_role_policy().role_name("R").policy_name("I");
    inline.policy_document(ALLOW).send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    refused(map("missing").send().await, bad, "");
    refused(
        map("short").send().await,
        bad,
        "less than Function timeout: 15",
    );
    refused(map("long.fifo").batch_size(11).send().await, bad, "");
    refused(map("long").batch_size(11).send().await, bad, "");
    let aws = clients(dir, 1.0).await;
    let map = || {
        let call = aws.lambda().create_event_source_mapping();
        let call = call.event_source_arn("arn:aws:sqs:us-west-2:000000000000:long");
        call.function_name("f").send()
    };
    let made = map().await.unwrap();
    assert_eq!(made.state.as_deref(), Some("Creating"));
    let uuid = made.uuid.unwrap();
    refused(map().await, "ResourceConflictException", &uuid);
    let busy = aws.lambda().delete_event_source_mapping().uuid(&uuid);
    refused(busy.send().await, "ResourceInUseException", "");
}

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
const GATEWAY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"apigateway.amazonaws.com"}}]}"#;
const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}"#;

async fn bucket(aws: &Aws) {
    use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::UsWest2)
        .build();
    let call = aws.s3().create_bucket().bucket("bucket-1");
    call.create_bucket_configuration(place)
        .send()
        .await
        .unwrap();
}

fn zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.py", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"def b(event, context): pass").unwrap();
    zip.finish().unwrap().into_inner()
}

fn function(
    aws: &Aws,
    role: &str,
) -> aws_sdk_lambda::operation::create_function::builders::CreateFunctionFluentBuilder {
    let code = FunctionCode::builder()
        .s3_bucket("bucket-1")
        .s3_key("code.zip");
    let call = aws
        .lambda()
        .create_function()
        .function_name("f")
        .timeout(15);
    call.role(format!("arn:aws:iam::000000000000:role/{role}"))
        .runtime(Runtime::from("python3.13"))
        .handler("a.b")
        .code(code.build())
}

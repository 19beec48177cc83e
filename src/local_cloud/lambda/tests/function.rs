//! Functions.

use super::{ROLE, ZIP, creation, trust, with_function, with_role, zip};
use crate::local_cloud::testing::assert_refused;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, DeadLetterConfig, Environment, EphemeralStorage, FunctionCode,
    FunctionConfiguration, LastUpdateStatus, LogFormat, LoggingConfig, PackageType, Runtime, State,
    TracingConfig, TracingMode, VpcConfig,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

fn environment(pairs: &[(&str, &str)]) -> Environment {
    let pairs = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Environment::builder()
        .set_variables(Some(pairs.collect()))
        .build()
}

pub(super) async fn read(aws: &crate::resource::aws::Aws) -> FunctionConfiguration {
    let reply = aws
        .lambda()
        .get_function()
        .function_name("f")
        .send()
        .await
        .unwrap();
    reply.configuration.unwrap()
}

#[tokio::test]
async fn a_function_reads_back_with_its_defaults() {
    let (cloud, aws) = with_role().await;
    let made = creation(&aws).send().await.unwrap();
    assert_eq!(made.state, Some(State::Pending));
    assert_eq!(
        made.function_arn.as_deref(),
        Some("arn:aws:lambda:us-west-2:000000000000:function:f")
    );
    assert_eq!(
        made.code_sha256.unwrap(),
        BASE64_STANDARD.encode(Sha256::digest(ZIP))
    );
    assert_eq!(made.code_size, ZIP.len() as i64);
    cloud.pass(299);
    assert_eq!(read(&aws).await.state, Some(State::Pending));
    cloud.pass(1);
    let config = read(&aws).await;
    assert_eq!(config.state, Some(State::Active));
    assert_eq!(
        config.last_update_status,
        Some(LastUpdateStatus::Successful)
    );
    assert_eq!((config.timeout, config.memory_size), (Some(3), Some(128)));
    assert_eq!(config.description.as_deref(), Some(""));
    assert_eq!(config.ephemeral_storage.unwrap().size, 512);
    assert_eq!(
        config.tracing_config.unwrap().mode,
        Some(TracingMode::PassThrough)
    );
    assert_eq!(config.architectures.unwrap(), [Architecture::X8664]);
    assert_eq!(config.package_type, Some(PackageType::Zip));
    assert_eq!(config.version.as_deref(), Some("$LATEST"));
    let logging = config.logging_config.unwrap();
    assert_eq!(logging.log_group.as_deref(), Some("/aws/lambda/f"));
    assert!(config.environment.is_none() && config.layers.is_none() && config.vpc_config.is_none());
    assert!(config.last_modified.unwrap().ends_with("+0000"));
    let reply = aws
        .lambda()
        .get_function()
        .function_name("f")
        .send()
        .await
        .unwrap();
    assert!(reply.tags.is_none() && reply.concurrency.is_none());
}

#[tokio::test]
async fn a_function_reads_back_as_written() {
    let (_, aws) = with_role().await;
    let layer = "arn:aws:lambda:us-west-2:000000000000:layer:l:1";
    creation(&aws)
        .description("d")
        .timeout(900)
        .memory_size(10_240)
        .ephemeral_storage(EphemeralStorage::builder().size(1024).build().unwrap())
        .environment(environment(&[("KEY", "välue"), ("a1", "")]))
        .layers(layer)
        .architectures(Architecture::Arm64)
        .tracing_config(TracingConfig::builder().mode(TracingMode::Active).build())
        .logging_config(
            LoggingConfig::builder()
                .log_format(LogFormat::Json)
                .log_group("/g")
                .build(),
        )
        .vpc_config(
            VpcConfig::builder()
                .subnet_ids("subnet-1")
                .security_group_ids("sg-1")
                .build(),
        )
        .kms_key_arn("arn:aws:kms:us-west-2:000000000000:key/k")
        .tags("team", "x")
        .send()
        .await
        .unwrap();
    let config = read(&aws).await;
    assert_eq!(config.description.as_deref(), Some("d"));
    assert_eq!(
        (config.timeout, config.memory_size),
        (Some(900), Some(10_240))
    );
    assert_eq!(config.ephemeral_storage.unwrap().size, 1024);
    let variables = config.environment.unwrap().variables.unwrap();
    assert_eq!(
        (variables["KEY"].as_str(), variables["a1"].as_str()),
        ("välue", "")
    );
    assert_eq!(config.layers.unwrap()[0].arn.as_deref(), Some(layer));
    assert_eq!(config.architectures.unwrap(), [Architecture::Arm64]);
    assert_eq!(
        config.tracing_config.unwrap().mode,
        Some(TracingMode::Active)
    );
    let logging = config.logging_config.unwrap();
    assert_eq!(logging.log_group.as_deref(), Some("/g"));
    assert_eq!(logging.application_log_level.unwrap().as_str(), "INFO");
    assert_eq!(config.vpc_config.unwrap().subnet_ids.unwrap(), ["subnet-1"]);
    assert!(config.kms_key_arn.is_some());
    let reply = aws
        .lambda()
        .get_function()
        .function_name("f")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.tags.unwrap()["team"], "x");
}

#[tokio::test]
async fn a_function_is_refused() {
    let (cloud, aws) = with_role().await;
    let create = || creation(&aws);
    let value = "InvalidParameterValueException";
    assert_refused!(
        create().runtime(Runtime::Python38),
        value,
        "python3.8 is no longer supported"
    );
    assert_refused!(create().runtime("python9".into()), value, "enum value set");
    assert_refused!(create().timeout(901), "ValidationException", "'timeout'");
    assert_refused!(create().timeout(0), "ValidationException");
    assert_refused!(
        create().memory_size(127),
        "ValidationException",
        "'memorySize'"
    );
    let storage = EphemeralStorage::builder().size(511).build().unwrap();
    assert_refused!(
        create().ephemeral_storage(storage),
        "ValidationException",
        "'ephemeralStorage.size'"
    );
    assert_refused!(create().handler("a b"), "ValidationException", "'handler'");
    assert_refused!(
        create().description("d".repeat(257)),
        "ValidationException",
        "256"
    );
    assert_refused!(
        create().function_name("a b"),
        "ValidationException",
        "'functionName'"
    );
    assert_refused!(create().role("R"), "ValidationException", "'role'");
    assert_refused!(
        create().set_handler(None),
        value,
        "Runtime and Handler are mandatory"
    );
    assert_refused!(
        create().set_role(None),
        "ValidationException",
        "not be null"
    );
    assert_refused!(
        create().environment(environment(&[("A", "1")])),
        "ValidationException",
        "environment"
    );
    assert_refused!(
        create().environment(environment(&[("AWS_REGION", "1")])),
        value,
        "reserved keys"
    );
    let big = "v".repeat(4096);
    assert_refused!(
        create().environment(environment(&[("KEY", &big)])),
        value,
        "4KB"
    );
    assert_refused!(create().layers("nope"), value, "Layer version ARN");
    let logging = LoggingConfig::builder()
        .system_log_level("INFO".into())
        .build();
    assert_refused!(create().logging_config(logging), value, "LogFormat to JSON");
    assert_refused!(
        create().vpc_config(VpcConfig::builder().subnet_ids("subnet-1").build()),
        value
    );
    assert_refused!(create().architectures("mips".into()), "ValidationException");
    assert_refused!(create().tags("aws:a", "b"), value);
    assert_refused!(create().code(zip(b"no zip")), value, "Could not unzip");
    assert_refused!(
        create().code(FunctionCode::builder().build()),
        value,
        "provide a source"
    );
    let both = FunctionCode::builder()
        .zip_file(Blob::new(ZIP))
        .s3_bucket("b")
        .s3_key("k")
        .build();
    assert_refused!(create().code(both), value, "do not provide other");
    let target = DeadLetterConfig::builder()
        .target_arn("arn:aws:sqs:us-west-2:000000000000:d")
        .build();
    assert_refused!(
        create().dead_letter_config(target),
        value,
        "SendMessage on SQS"
    );
    assert_refused!(
        create().package_type(PackageType::Image),
        value,
        "when packageType is Image"
    );
    create().send().await.unwrap();
    cloud.pass(300);
    assert_refused!(create(), "ResourceConflictException", "already exist");
    assert_refused!(
        aws.lambda().get_function().function_name("g"),
        "ResourceNotFoundException",
        "function:g"
    );
    assert_refused!(aws.lambda().list_layers(), "UnknownOperationException");
}

#[tokio::test]
async fn a_role_takes_a_moment() {
    let (cloud, aws) = with_role().await;
    let text = "The role defined for the function cannot be assumed by Lambda.";
    let refusal = "InvalidParameterValueException";
    let make = async |name: &str, service: &str| {
        let role = aws.iam().create_role().role_name(name);
        role.assume_role_policy_document(trust(service))
            .send()
            .await
            .unwrap()
            .role
            .unwrap()
            .arn
    };
    let young = make("young", "lambda.amazonaws.com").await;
    let other = make("other", "apigateway.amazonaws.com").await;
    cloud.pass(199);
    assert_refused!(creation(&aws).role(&young), refusal, text);
    cloud.pass(1);
    assert_refused!(creation(&aws).role(&other), refusal, text);
    assert_refused!(creation(&aws).role(ROLE.to_owned() + "none"), refusal, text);
    creation(&aws).role(&young).send().await.unwrap();
}

#[tokio::test]
async fn updates_take_turns() {
    let (cloud, aws) = with_function().await;
    let update = || {
        aws.lambda()
            .update_function_configuration()
            .function_name("f")
    };
    let revision = read(&aws).await.revision_id;
    let changed = update()
        .timeout(5)
        .environment(environment(&[("KEY", "1")]))
        .send()
        .await
        .unwrap();
    assert_eq!(
        changed.last_update_status,
        Some(LastUpdateStatus::InProgress)
    );
    assert_ne!(changed.revision_id, revision);
    let conflict = "ResourceConflictException";
    assert_refused!(update().timeout(6), conflict, "update is in progress");
    let code = || {
        aws.lambda()
            .update_function_code()
            .function_name("f")
            .zip_file(Blob::new(ZIP))
    };
    assert_refused!(code(), conflict, "update is in progress");
    cloud.pass(200);
    let config = read(&aws).await;
    assert_eq!(
        config.last_update_status,
        Some(LastUpdateStatus::Successful)
    );
    assert_eq!((config.timeout, config.memory_size), (Some(5), Some(128)));
    assert_refused!(update().revision_id("old"), "PreconditionFailedException");
    assert_refused!(
        update().runtime(Runtime::Nodejs18x),
        "InvalidParameterValueException"
    );
    update()
        .environment(environment(&[]))
        .description("")
        .send()
        .await
        .unwrap();
    assert!(read(&aws).await.environment.is_none());
    cloud.pass(200);
    let arm = code()
        .architectures(Architecture::Arm64)
        .send()
        .await
        .unwrap();
    assert_eq!(arm.architectures.unwrap(), [Architecture::Arm64]);
    cloud.pass(200);
    let role = update().role("arn:aws:iam::000000000000:role/none");
    assert_refused!(role, "InvalidParameterValueException", "cannot be assumed");
    // A new function is busy too.
    creation(&aws).function_name("g").send().await.unwrap();
    let pending = aws
        .lambda()
        .update_function_configuration()
        .function_name("g")
        .timeout(4);
    assert_refused!(pending, conflict, "Pending");
}

#[tokio::test]
async fn concurrency_tags_and_lists() {
    let (_, aws) = with_function().await;
    let lambda = aws.lambda();
    let put = |n: i32| {
        lambda
            .put_function_concurrency()
            .function_name("f")
            .reserved_concurrent_executions(n)
    };
    put(0).send().await.unwrap();
    assert_refused!(
        put(901),
        "InvalidParameterValueException",
        "UnreservedConcurrentExecution"
    );
    let read = async || {
        lambda
            .get_function()
            .function_name("f")
            .send()
            .await
            .unwrap()
    };
    assert_eq!(
        read()
            .await
            .concurrency
            .unwrap()
            .reserved_concurrent_executions,
        Some(0)
    );
    lambda
        .delete_function_concurrency()
        .function_name("f")
        .send()
        .await
        .unwrap();
    assert!(read().await.concurrency.is_none());
    let arn = "arn:aws:lambda:us-west-2:000000000000:function:f";
    lambda
        .tag_resource()
        .resource(arn)
        .tags("a", "1")
        .tags("b c", "ü")
        .send()
        .await
        .unwrap();
    lambda
        .untag_resource()
        .resource(arn)
        .tag_keys("a")
        .send()
        .await
        .unwrap();
    let tags = lambda
        .list_tags()
        .resource(arn)
        .send()
        .await
        .unwrap()
        .tags
        .unwrap();
    assert_eq!((tags.len(), tags["b c"].as_str()), (1, "ü"));
    assert_refused!(
        lambda.list_tags().resource(format!("{arn}x")),
        "ResourceNotFoundException"
    );
    assert_refused!(
        lambda.list_tags().resource(format!("{arn}:1")),
        "InvalidParameterValueException"
    );
    creation(&aws).function_name("g").send().await.unwrap();
    let listed = lambda
        .list_functions()
        .max_items(1)
        .into_paginator()
        .items()
        .send();
    let listed: Vec<_> = listed.collect::<Result<_, _>>().await.unwrap();
    assert_eq!(listed.len(), 2);
    lambda
        .delete_function()
        .function_name(arn)
        .send()
        .await
        .unwrap();
    assert_refused!(
        lambda.delete_function().function_name("f"),
        "ResourceNotFoundException"
    );
}

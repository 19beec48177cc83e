//! The acceptance tests against moto, so that they work on the day somebody has an account. Every
//! request of theirs is compared with botocore's models, and is in the table of permissions.

use super::models;
use crate::acceptance::{Place, Skipped, run};
use crate::support::moto::Moto;
use crate::support::proxy::Proxy;
use stackctl::resource::aws::permissions::of_call;

/// What moto 5.2 cannot do.
const NOT_IN_MOTO: &[Skipped] = &[
    (
        "aws-apigatewayv2-Deployment.yaml",
        "moto has no CreateDeployment",
    ),
    (
        "aws-apigatewayv2-RouteResponse.yaml",
        "moto has no UpdateRouteResponse",
    ),
    (
        "aws-apigatewayv2-Stage.by-hand.yaml",
        "moto has no CreateDeployment",
    ),
    ("aws-apigatewayv2-Stage.yaml", "moto has no UpdateStage"),
    (
        "aws-cloudwatch-LogGroup.yaml",
        "moto has no DisassociateKmsKey",
    ),
    ("aws-lambda-Function.yaml", "moto loses loggingConfig"),
    ("aws-s3-Bucket.yaml", "moto loses the tags of CreateBucket"),
    (
        "aws-s3-BucketVersioning.yaml",
        "moto's GetBucketVersioning has another root element",
    ),
    ("aws-sns-Topic.yaml", "moto loses signatureVersion"),
    ("aws-sqs-Queue.yaml", "moto loses redriveAllowPolicy"),
];

async fn place(proxy: &Proxy) -> Place {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("STACKCTL_UNPACED", "1"),
    ];
    let config = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(aws_credential_types::Credentials::from_keys(
            "test", "test", None,
        ))
        .region(aws_config::Region::new("us-west-2"))
        .endpoint_url(proxy.url())
        .load()
        .await;
    Place {
        aws: stackctl::resource::aws::Aws::new(config, true),
        account: "123456789012".to_owned(),
        run: run(),
        flags: vec!["--endpoint-url".to_owned(), proxy.url()],
        env: keys
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        cases: NOT_IN_MOTO,
        properties: &[],
        untagged: Some("moto loses the tags of CreateBucket"),
        silent: Some("moto has no data plane"),
    }
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn the_acceptance_tests_hold_on_moto() {
    let moto = Moto::start();
    let proxy = Proxy::start(moto.port());
    let place = place(&proxy).await;
    place.all_cases();
    place.stack().await;
    let operations = models::fit(&proxy.requests());
    assert!(operations.len() > 80, "{operations:?}");
    for operation in operations {
        assert!(of_call(&operation).is_some(), "{operation} is in no row");
    }
    place.nothing_is_left().await;
}

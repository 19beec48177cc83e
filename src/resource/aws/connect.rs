//! From a stack's provider settings to an SDK configuration.

use super::Aws;
use super::pace::Paced;
use crate::resource::error::Error;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::ServiceConfigKey;
use std::time::Duration;

/// `providers.aws` of a stack, evaluated, with what the command line puts over it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The region; none: from the environment or the profile.
    pub region: Option<String>,
    /// A named profile; it wins over keys in the environment.
    pub profile: Option<String>,
    /// Where all services are, for an emulator.
    pub endpoint_url: Option<String>,
    /// A role to assume with those credentials.
    pub assume_role_arn: Option<String>,
    /// The local cloud, in place of the network.
    pub local: Option<Local>,
    /// Whether calls may be made faster than AWS allows, for an emulator.
    pub unpaced: bool,
}

/// A local cloud.
#[derive(Debug, Clone)]
pub struct Local {
    /// Its HTTP client.
    pub http: SharedHttpClient,
    /// How many times faster than real time it runs.
    pub speed: f64,
}

/// Loads the configuration. No AWS call is made.
///
/// # Errors
/// When no region can be found.
pub async fn connect(settings: &Settings) -> Result<Aws, Error> {
    let http = match (&settings.local, &settings.endpoint_url) {
        (Some(local), _) => local.http.clone(),
        (None, Some(url)) if url.starts_with("http://") => {
            aws_smithy_http_client::Builder::new().build_http()
        }
        _ => aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https(),
    };
    let http = if settings.local.is_some() || settings.unpaced {
        http
    } else {
        SharedHttpClient::new(Paced::new(http))
    };
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http.clone())
        .retry_config(
            // The first pause is the SDK's largest cost when a call fails once: it is drawn
            // from 0 to 1 s by default.
            RetryConfig::standard()
                .with_max_attempts(8)
                .with_initial_backoff(Duration::from_millis(100))
                .with_max_backoff(Duration::from_secs(20)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                // From the moment at which the call is sent: waiting for its turn (`pace`)
                // does not count. A reply that stops half way is noticed by the SDK.
                .read_timeout(Duration::from_secs(60))
                .operation_timeout(Duration::from_secs(600))
                .build(),
        );
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let mut region = settings.region.clone();
    if settings.local.is_some() {
        loader = loader.credentials_provider(Credentials::from_keys("test", "test", None));
        region = region.or_else(|| Some("us-west-2".to_owned()));
    } else if let Some(profile) = &settings.profile {
        // The SDK's default chain would let keys in the environment win over the profile.
        let provider = ProviderConfig::without_region().with_http_client(http.clone());
        loader = loader.profile_name(profile).credentials_provider(
            ProfileFileCredentialsProvider::builder()
                .configure(&provider)
                .profile_name(profile)
                .build(),
        );
        if region.is_none() {
            use aws_config::meta::region::ProvideRegion;
            let from_profile = ProfileFileRegionProvider::builder()
                .profile_name(profile)
                .build();
            region = from_profile.region().await.map(|region| region.to_string());
        }
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    let mut config = loader.load().await;
    if config.region().is_none() {
        return Err(Error::with_hint(
            "no AWS region is set",
            "Set providers.aws.region in the stack file, or AWS_REGION.",
        ));
    }
    if let Some(role) = &settings.assume_role_arn {
        let provider = AssumeRoleProvider::builder(role)
            .session_name("stackctl")
            .configure(&config)
            .build()
            .await;
        config = config
            .into_builder()
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(provider),
            )
            .build();
    }
    let path_style =
        settings.local.is_some() || config.endpoint_url().is_some() || has_own_s3(&config);
    let aws = Aws::new(config, path_style);
    Ok(match &settings.local {
        Some(local) => {
            let late = aws.late().div_f64(local.speed.max(1.0));
            // A new role is known there after a fraction of a second.
            aws.with_late(late).with_spread(late)
        }
        None => aws,
    })
}

/// Whether S3 has an endpoint of its own (`AWS_ENDPOINT_URL_S3`, or `services` in a profile).
/// Host names in front of such an endpoint's would rarely be known, so the bucket goes into
/// the path there, as it does for an endpoint of all services.
fn has_own_s3(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    match (config.service_config(), key) {
        (Some(services), Ok(key)) => services.load_config(key).is_some(),
        _ => false,
    }
}

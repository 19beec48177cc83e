//! From a stack's provider settings to an SDK configuration.
//!
//! TLS is rustls with ring, built once by hand and shared: no C build of aws-lc, one credential
//! cache. For an `http://` endpoint no TLS is set up at all, which saves start-up time.

use super::Aws;
use super::bounded::Bounded;
use super::credentials::Explained;
use super::endpoint;
use super::network::{self, Network};
use super::pace::Paced;
use super::patience::Patient;
use super::profile::{self, About, MissingProfile, Profiles, Unusable, variable};
use crate::resource::error::Error;
use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::time::Duration;

pub use super::settings::{AssumeRole, Local, Settings};

/// Why no clients exist.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The profile does not exist.
    #[error("no AWS profile {:?}", .0.name)]
    Profile(MissingProfile),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}

/// Loads the configuration. No AWS call is sent.
///
/// # Errors
/// When no region can be found, the profile does not exist, or the way to AWS cannot be set up.
pub async fn connect(settings: &Settings) -> Result<Aws, ConnectError> {
    // The local cloud's time runs faster, and the pauses between retries with it.
    let speed = settings.local.as_ref().map_or(1.0, |it| it.speed.max(1.0));
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(
            // The first pause is the SDK's largest cost when a call fails once: it is drawn
            // from 0 to 1 s by default.
            RetryConfig::standard()
                .with_max_attempts(8)
                .with_initial_backoff(Duration::from_millis(100).div_f64(speed))
                .with_max_backoff(Duration::from_secs(20).div_f64(speed)),
        )
        // A script or a sign-in may take its time; the SDK gives it five seconds.
        .identity_cache(IdentityCache::lazy().load_timeout(READ_TIMEOUT).build())
        .timeout_config(timeouts(READ_TIMEOUT));
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(local) = &settings.local {
        let region = settings.region.as_deref().unwrap_or("us-west-2");
        let loader = loader
            .http_client(local.http.clone())
            .credentials_provider(Credentials::from_keys("test", "test", None))
            .region(Region::new(region.to_owned()));
        let aws = Aws::new(loader.load().await, true);
        let aws = aws.with_speed(speed);
        // A new role is known there after a fraction of a second.
        let spread = aws.late();
        return Ok(aws.with_spread(spread));
    }
    let profiles = profile::profiles(settings.profile.as_deref())
        .await
        .map_err(|unusable| match unusable {
            Unusable::Missing(missing) => ConnectError::Profile(missing),
            Unusable::Unreadable(error) => ConnectError::Other(error),
        })?;
    let of_profile = |key: &str| profiles.as_ref().and_then(|found| found.get(key));
    let http = http_client(settings, of_profile("ca_bundle"))?;
    loader = loader.http_client(http.clone());
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    // The order of AWS's own tools; what is left is asked of the machine, by the loader.
    let region = settings.region.clone();
    let region =
        region.or_else(|| variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")));
    if let Some(region) = region.or_else(|| of_profile("region").map(str::to_owned)) {
        loader = loader.region(Region::new(region));
    }
    let config = loader.load().await;
    if config.region().is_none() {
        return Err(ConnectError::Other(Error::with_hint(
            "no AWS region is set",
            "Set providers.aws.region in the stack file, or AWS_REGION.",
        )));
    }
    let named = config.region().map(ToString::to_string).unwrap_or_default();
    if !endpoint::is_region(&named) {
        // It becomes a part of a host's name, and could lead to another one.
        return Err(ConnectError::Other(Error::with_hint(
            format!("{named:?} is not an AWS region"),
            "Correct providers.aws.region in the stack file, or AWS_REGION: us-west-2, for example.",
        )));
    }
    let about = profiles.as_ref().map(Profiles::about).unwrap_or_default();
    let config = with_credentials(config, settings, &about, http).await;
    let path_style = config.endpoint_url().is_some() || has_own_s3(&config);
    let profile = profiles.as_ref().map(Profiles::name);
    let endpoints = endpoint::endpoints(settings, &config, profile);
    Ok(Aws::new(config, path_style).with_endpoints(endpoints))
}

/// How long a service is waited for, from the moment at which a call is sent (waiting for its
/// turn, see `pace`, does not count) or the last piece of an upload was taken (see `patience`). A
/// reply that stops half way is noticed by the SDK.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The timeouts of one attempt. There is none over all attempts: each ends when nothing moves any
/// more, their number is limited, and an upload may take hours.
pub(super) fn timeouts(read: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(read)
        .build()
}

/// The one HTTP client.
///
/// # Errors
/// When the environment names a proxy or certificates that are not usable.
pub(super) fn http_client(
    settings: &Settings,
    ca_bundle: Option<&str>,
) -> Result<SharedHttpClient, Error> {
    let network = Network::new(network::bundle(ca_bundle).as_deref())?;
    let network = Bounded::new(network);
    let patient = Patient::new(network);
    Ok(match settings.unpaced {
        true => SharedHttpClient::new(patient),
        false => SharedHttpClient::new(Paced::new(SharedHttpClient::new(patient))),
    })
}

/// A client for a local cloud that another process serves on this machine.
///
/// # Errors
/// When the environment names a proxy that is not usable.
pub fn on_this_machine() -> Result<SharedHttpClient, Error> {
    http_client(&Settings::default(), None)
}

/// The configuration with the credentials that the settings ask for, which explain themselves
/// when they cannot be had.
async fn with_credentials(
    config: SdkConfig,
    settings: &Settings,
    about: &About,
    http: SharedHttpClient,
) -> SdkConfig {
    let explained =
        |provider| SharedCredentialsProvider::new(Explained::new(provider, about.clone()));
    let base = match &settings.profile {
        // The SDK's default chain would let keys in the environment win over the profile. The
        // provider asks STS itself for a role, and has the region from here alone.
        Some(profile) => {
            let provider = ProviderConfig::without_region()
                .with_region(config.region().cloned())
                .with_http_client(http);
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&provider)
                .profile_name(profile)
                .build();
            Some(SharedCredentialsProvider::new(provider))
        }
        None => config.credentials_provider(),
    };
    let mut config = config.into_builder();
    config.set_credentials_provider(base.map(explained));
    let config = config.build();
    let Some(role) = &settings.assume_role else {
        return config;
    };
    let mut provider = AssumeRoleProvider::builder(&role.role_arn)
        .session_name(role.session_name.as_deref().unwrap_or("stackctl"))
        .configure(&config);
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    if let Some(duration) = role.duration {
        provider = provider.session_length(duration);
    }
    let provider = SharedCredentialsProvider::new(provider.build().await);
    let assumed = Explained::new(provider, About::default());
    config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(assumed))
        .build()
}

/// Whether S3 has an endpoint of its own. Host names in front of such an endpoint's would rarely
/// be known, so the bucket goes into the path there, as it does for an endpoint of all services.
fn has_own_s3(config: &SdkConfig) -> bool {
    endpoint::of_service(config, "S3").is_some()
}

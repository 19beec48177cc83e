//! The AWS clients: one configuration, one HTTP client, one credential cache for all of
//! them. SDK types stay inside this folder.

pub mod apigateway;
pub mod apigatewayv2;
pub mod attributes;
pub(crate) mod bounded;
pub mod cloudwatch;
pub mod connect;
mod credentials;
pub mod endpoint;
pub(crate) mod fifo;
pub mod get_caller_identity;
pub mod get_partition;
pub mod get_region;
pub mod iam;
mod in_flight;
pub mod lambda;
pub(crate) mod listing;
mod network;
mod pace;
mod patience;
pub mod permissions;
pub mod physical_name;
pub mod policy;
pub mod policy_check;
pub mod policy_grammar;
pub mod profile;
mod repeats;
pub mod s3;
pub(crate) mod send;
pub mod settings;
mod sign;
pub mod sns;
pub mod sqs;
pub mod tags;
pub mod time;

use super::error::Error;
use crate::resource::endpoint::Endpoint;
use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_types::region::Region;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Has a call retried whose reply of success cannot be read, cut off on the way for example: the
/// SDK by itself retries only what failed with a reply.
#[derive(Debug)]
struct Unreadable;

impl ClassifyRetry for Unreadable {
    fn classify_retry(&self, cx: &InterceptorContext) -> RetryAction {
        if let Some(Err(error)) = cx.output_or_error()
            && bounded::is_final(error)
        {
            return RetryAction::RetryForbidden;
        }
        let failed = matches!(cx.output_or_error(), Some(Err(_)));
        let succeeded = |reply: &HttpResponse| reply.status().is_success();
        if failed && cx.response().is_some_and(succeeded) {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "unreadable reply"
    }
}

/// How long a call may be in flight, and a new resource not visible to reads: IAM, SQS and API
/// Gateway show what was created within about this time.
const LATE: Duration = Duration::from_secs(5);

/// How long a change of IAM usually takes until every service knows it: most do within
/// seconds (IAM user guide, "Changes that I make are not always immediately visible").
const SPREAD: Duration = Duration::from_secs(30);

/// What this run wrote, by a string that both sides use for it. A refusal that could come of it is
/// worth a retry; the same refusal of what nobody wrote is final.
#[derive(Debug, Default)]
pub(crate) struct Fresh(Mutex<BTreeSet<String>>);

impl Fresh {
    /// Takes down what was written.
    pub(crate) fn note(&self, what: impl Into<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(what.into());
    }

    /// Whether this run wrote it.
    pub(crate) fn has(&self, what: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(what)
    }
}

/// For how long AWS must show an SQS change before it counts as in force on all hosts.
const AGREEMENT: Duration = Duration::from_secs(10);

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// The account's 12 digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
    /// The caller's unique id.
    pub user_id: String,
}

/// Builds the two clients of a service: one that retries by itself, and one for calls that create
/// something, which are never retried blindly.
macro_rules! clients {
    ($($name:ident $once:ident $service:ident $cell:ident $once_cell:ident;)*) => {
        /// The service clients, each built on first use.
        pub struct Aws {
            config: SdkConfig,
            region: String,
            path_style: bool,
            speed: f64,
            spread: Duration,
            agreement: Duration,
            endpoints: Vec<Endpoint>,
            /// Shared by the clients of all regions.
            identity: Arc<OnceCell<Identity>>,
            /// What this run wrote a moment ago and other calls may not know yet.
            pub(crate) fresh: Fresh,
            /// The protocols of the API Gateway APIs seen in this run.
            pub(crate) api_protocols: apigatewayv2::protocol::Protocols,
            s3: [OnceLock<aws_sdk_s3::Client>; 2],
            $($cell: OnceLock<$service::Client>, $once_cell: OnceLock<$service::Client>,)*
        }

        impl Aws {
            /// Clients over one configuration. `path_style` puts the bucket in S3's path, as
            /// emulators and the local cloud want it.
            pub fn new(config: SdkConfig, path_style: bool) -> Self {
                let region = config.region().map_or_else(String::new, ToString::to_string);
                Self {
                    config, region, path_style,
                    speed: 1.0,
                    spread: SPREAD,
                    agreement: if path_style { Duration::ZERO } else { AGREEMENT },
                    endpoints: Vec::new(),
                    identity: Arc::default(),
                    fresh: Fresh::default(),
                    api_protocols: Default::default(),
                    s3: Default::default(),
                    $($cell: OnceLock::new(), $once_cell: OnceLock::new(),)*
                }
            }

            $(
                /// The client for reads and for calls that may be retried.
                pub fn $name(&self) -> &$service::Client {
                    self.$cell.get_or_init(|| {
                        $service::Client::from_conf(
                            $service::config::Builder::from(&self.config)
                                .retry_classifier(Unreadable)
                                .interceptor(repeats::Repeats)
                                .interceptor(in_flight::InFlight { once: false })
                                .build(),
                        )
                    })
                }

                /// The client for calls that create something: no retry of its own.
                pub fn $once(&self) -> &$service::Client {
                    self.$once_cell.get_or_init(|| {
                        $service::Client::from_conf(
                            $service::config::Builder::from(&self.config)
                                .retry_config($service::config::retry::RetryConfig::disabled())
                                .interceptor(in_flight::InFlight { once: true })
                                .build(),
                        )
                    })
                }
            )*
        }
    };
}

clients! {
    apigateway_v1 apigateway_v1_once aws_sdk_apigateway apigateway_v1_client apigateway_v1_once_client;
    apigateway apigateway_once aws_sdk_apigatewayv2 apigateway_client apigateway_once_client;
    cloud_control cloud_control_once aws_sdk_cloudcontrol cloud_control_client cloud_control_once_client;
    logs logs_once aws_sdk_cloudwatchlogs logs_client logs_once_client;
    iam iam_once aws_sdk_iam iam_client iam_once_client;
    lambda lambda_once aws_sdk_lambda lambda_client lambda_once_client;
    sns sns_once aws_sdk_sns sns_client sns_once_client;
    sqs sqs_once aws_sdk_sqs sqs_client sqs_once_client;
    sts sts_once aws_sdk_sts sts_client sts_once_client;
}

/// In place of a region, where nothing is called.
const OFFLINE: &str = "none";

impl Aws {
    /// Clients that can call nothing: for stacks without AWS resources.
    pub fn offline() -> Self {
        Self::new(
            SdkConfig::builder().region(Region::new(OFFLINE)).build(),
            false,
        )
    }

    /// Whether these are clients that can call nothing.
    pub fn is_offline(&self) -> bool {
        self.region() == OFFLINE
    }

    /// The same clients, which report where their calls go.
    fn with_endpoints(mut self, endpoints: Vec<Endpoint>) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// Where calls go in place of AWS's own hosts; empty for the local cloud.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The S3 client for reads and for calls that may be retried.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3[0].get_or_init(|| self.make_s3(false))
    }

    /// The S3 client for calls that create something: no retry of its own.
    pub fn s3_once(&self) -> &aws_sdk_s3::Client {
        self.s3[1].get_or_init(|| self.make_s3(true))
    }

    fn make_s3(&self, once: bool) -> aws_sdk_s3::Client {
        use aws_sdk_s3::config::{
            RequestChecksumCalculation, ResponseChecksumValidation, retry::RetryConfig,
        };
        let mut builder = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(self.path_style)
            .interceptor(in_flight::InFlight { once });
        if self.path_style {
            builder = builder
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        builder = if once {
            builder.retry_config(RetryConfig::disabled())
        } else {
            builder
                .retry_classifier(Unreadable)
                .interceptor(repeats::Repeats)
        };
        aws_sdk_s3::Client::from_conf(builder.build())
    }

    /// These clients, of a cloud whose time runs so many times faster than real time.
    #[must_use]
    pub fn with_speed(self, speed: f64) -> Self {
        Self { speed, ..self }
    }

    /// The real time that a time of the services takes: shorter in a cloud whose time runs faster.
    pub fn real(&self, time: Duration) -> Duration {
        time.div_f64(self.speed)
    }

    /// How long after its client gave up or died a call may still take effect.
    pub fn late(&self) -> Duration {
        self.real(LATE)
    }

    /// These clients, of a cloud in which a change of IAM is usually known after so long.
    #[must_use]
    pub fn with_spread(self, spread: Duration) -> Self {
        Self { spread, ..self }
    }

    /// How long a change of IAM usually takes until every service knows it.
    pub fn spread(&self) -> Duration {
        self.spread
    }

    /// Clients of another region, with the same credentials, which are asked for once.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.to_builder();
        let config = config.region(Region::new(region.to_owned())).build();
        let clients = Self::new(config, self.path_style)
            .with_speed(self.speed)
            .with_spread(self.spread);
        Self {
            endpoints: self.endpoints.clone(),
            identity: Arc::clone(&self.identity),
            ..clients
        }
    }

    /// For how long a change that reaches hosts one by one must have been shown to be in force;
    /// zero for emulators and the local cloud, which have one host.
    pub fn agreement(&self) -> Duration {
        self.agreement
    }

    /// The region the clients call.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The partition of the region: `aws`, `aws-cn`, `aws-us-gov`.
    pub fn partition(&self) -> &'static str {
        partition_of(&self.region).0
    }

    /// The DNS suffix of the partition: `amazonaws.com`, `amazonaws.com.cn`.
    pub fn dns_suffix(&self) -> &'static str {
        partition_of(&self.region).1
    }

    /// Who the credentials belong to; asked once (STS GetCallerIdentity).
    ///
    /// # Errors
    /// When the call fails, and for clients that can call nothing.
    pub async fn identity(&self) -> Result<&Identity, Error> {
        if self.is_offline() {
            // No client can be built without a configuration.
            return Err(Error::failed("this run has no connection to AWS"));
        }
        self.identity
            .get_or_try_init(|| async {
                let reply = send::send!(self.sts().get_caller_identity(), "sts:GetCallerIdentity")?;
                Ok(Identity {
                    account: reply.account.unwrap_or_default(),
                    arn: reply.arn.unwrap_or_default(),
                    user_id: reply.user_id.unwrap_or_default(),
                })
            })
            .await
    }

    /// The account of the credentials.
    pub async fn account(&self) -> Result<&str, Error> {
        Ok(&self.identity().await?.account)
    }
}

/// Partition and DNS suffix by region name (botocore's `partitions.json`).
pub(crate) fn partition_of(region: &str) -> (&'static str, &'static str) {
    match region {
        name if name.starts_with("cn-") => ("aws-cn", "amazonaws.com.cn"),
        name if name.starts_with("us-gov-") => ("aws-us-gov", "amazonaws.com"),
        name if name.starts_with("us-iso-") => ("aws-iso", "c2s.ic.gov"),
        name if name.starts_with("us-isob-") => ("aws-iso-b", "sc2s.sgov.gov"),
        name if name.starts_with("us-isof-") => ("aws-iso-f", "csp.hci.ic.gov"),
        name if name.starts_with("eu-isoe-") => ("aws-iso-e", "cloud.adc-e.uk"),
        name if name.starts_with("eusc-") => ("aws-eusc", "amazonaws.eu"),
        _ => ("aws", "amazonaws.com"),
    }
}

#[cfg(test)]
mod tests {
    use super::partition_of;

    #[test]
    fn every_region_is_in_its_partition() {
        for (region, partition, suffix) in [
            ("us-west-2", "aws", "amazonaws.com"),
            ("mx-central-1", "aws", "amazonaws.com"),
            ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-east-1", "aws-us-gov", "amazonaws.com"),
            ("us-iso-west-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("eu-west-1", "aws", "amazonaws.com"),
        ] {
            assert_eq!(partition_of(region), (partition, suffix), "{region}");
        }
    }
}

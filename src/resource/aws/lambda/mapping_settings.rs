//! The structured properties of an event source mapping and their SDK forms.

use super::Tags;
use crate::resource::author::*;
use aws_sdk_lambda::types;

/// Reads a queue or stream and calls a function with what is in it. The function's role
/// must be allowed to read it first: name the policy's attachment in `dependsOn`. Id: the
/// mapping's UUID.
///
/// The settings of Kafka consumer groups and of DocumentDB are not offered.
///
/// ```yaml
/// mapping:
///   type: aws:lambda:EventSourceMapping
///   properties: {eventSourceArn: "${queue.arn}", functionName: "${function.name}"}
///   options: {dependsOn: [rights]}
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventSourceMapping {
    /// The ARN of the queue or stream.
    #[schemars(extend("createOnly" = true))]
    pub event_source_arn: Option<String>,
    /// The function: its name or ARN, with or without version; a name and an ARN of the
    /// same function are the same.
    #[schemars(length(min = 1, max = 256))]
    pub function_name: String,
    /// Whether the source is read.
    #[schemars(extend("default" = true))]
    pub enabled: Option<bool>,
    /// The most records in a batch: a standard queue 10000, a FIFO queue 10. If omitted, 10 for
    /// queues and 100 for the rest.
    #[schemars(range(min = 1, max = 10000))]
    pub batch_size: Option<i32>,
    /// How many seconds a batch is waited for; not for FIFO queues.
    #[schemars(range(min = 0, max = 300), extend("default" = 0))]
    pub maximum_batching_window_in_seconds: Option<i32>,
    /// Which events reach the function.
    pub filter_criteria: Option<FilterCriteria>,
    /// `ReportBatchItemFailures`: only the records that the function names are retried.
    #[schemars(extend("set" = true, "items" = {"type": "string", "enum": ["ReportBatchItemFailures"]}))]
    pub function_response_types: Option<Vec<String>>,
    /// How far the polling of a queue grows.
    pub scaling_config: Option<ScalingConfig>,
    /// The KMS key for the filters.
    pub kms_key_arn: Option<String>,
    /// The metrics that are published.
    pub metrics_config: Option<MetricsConfig>,
    /// How the mapping logs.
    pub logging_config: Option<LoggingConfig>,
    /// Pollers that are kept.
    pub provisioned_poller_config: Option<ProvisionedPollerConfig>,
    /// Where a stream is read from: `TRIM_HORIZON`, `LATEST` or `AT_TIMESTAMP`.
    #[schemars(extend("createOnly" = true, "enum" = ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]))]
    pub starting_position: Option<String>,
    /// The time to read from, such as `2026-01-31T00:00:00Z`.
    #[schemars(extend("createOnly" = true))]
    pub starting_position_timestamp: Option<String>,
    /// A Kafka cluster of your own.
    #[schemars(extend("createOnly" = true))]
    pub self_managed_event_source: Option<SelfManagedEventSource>,
    /// The Kafka topics.
    #[schemars(length(max = 1), extend("createOnly" = true))]
    pub topics: Option<Vec<String>>,
    /// The Amazon MQ queues.
    #[schemars(length(max = 1), extend("createOnly" = true))]
    pub queues: Option<Vec<String>>,
    /// How to get at the source.
    #[schemars(length(max = 22), extend("set" = true))]
    pub source_access_configurations: Option<Vec<SourceAccess>>,
    /// Whether a failed batch of a stream is halved before it is retried.
    #[schemars(extend("default" = false))]
    pub bisect_batch_on_function_error: Option<bool>,
    /// Where records of a stream go that could not be processed.
    pub destination_config: Option<DestinationConfig>,
    /// The oldest record of a stream that is processed, in seconds; -1: any.
    #[schemars(range(min = -1, max = 604_800))]
    pub maximum_record_age_in_seconds: Option<i32>,
    /// How often a failed batch of a stream is retried; -1: as long as it exists.
    #[schemars(range(min = -1, max = 10000))]
    pub maximum_retry_attempts: Option<i32>,
    /// Batches at the same time for each shard of a stream.
    #[schemars(range(min = 1, max = 10))]
    pub parallelization_factor: Option<i32>,
    /// The length of a processing window of a stream, in seconds.
    #[schemars(range(min = 0, max = 900))]
    pub tumbling_window_in_seconds: Option<i32>,
    /// Tags.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<Tags>,
}

/// Which events reach the function.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilterCriteria {
    /// An event that one of them fits is taken.
    #[schemars(extend("set" = true))]
    pub filters: Option<Vec<Filter>>,
}

/// One filter.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// The pattern: a JSON document of at most 4096 characters.
    pub pattern: Document,
}

/// How far the polling of a queue grows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScalingConfig {
    /// The most runs at the same time for this source.
    #[schemars(range(min = 2, max = 1000))]
    pub maximum_concurrency: Option<i32>,
}

/// Pollers that are kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProvisionedPollerConfig {
    /// The least number of them.
    #[schemars(range(min = 1, max = 200))]
    pub minimum_pollers: Option<i32>,
    /// The largest number of them.
    #[schemars(range(min = 1, max = 2000))]
    pub maximum_pollers: Option<i32>,
}

/// The metrics that are published.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricsConfig {
    /// `EventCount`, `ErrorCount`, `KafkaMetrics`.
    #[schemars(extend("set" = true))]
    pub metrics: Option<Vec<String>>,
}

/// How the mapping logs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoggingConfig {
    /// The least level: `DEBUG`, `INFO` or `WARN`.
    #[schemars(extend("enum" = ["DEBUG", "INFO", "WARN"]))]
    pub system_log_level: Option<String>,
}

/// Where records go that could not be processed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DestinationConfig {
    /// Where they go.
    pub on_failure: Option<OnFailure>,
}

/// A destination.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnFailure {
    /// The ARN of a queue, topic or bucket.
    pub destination_arn: String,
}

/// How to get at a source: a secret or a part of the network.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceAccess {
    /// The kind, such as `BASIC_AUTH` or `VPC_SUBNET`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The secret's ARN, or the id of the part of the network.
    pub uri: String,
}

/// A Kafka cluster of your own.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelfManagedEventSource {
    /// The servers by kind: `KAFKA_BOOTSTRAP_SERVERS` and a list with commas.
    pub endpoints: BTreeMap<String, String>,
}

impl FilterCriteria {
    pub(crate) fn to_sdk(&self) -> types::FilterCriteria {
        let filters = self.filters.iter().flatten().map(|filter| {
            types::Filter::builder()
                .pattern(filter.pattern.text())
                .build()
        });
        let filters: Vec<types::Filter> = filters.collect();
        types::FilterCriteria::builder()
            .set_filters((!filters.is_empty()).then_some(filters))
            .build()
    }

    pub(crate) fn from_sdk(live: types::FilterCriteria) -> Self {
        let filters = live.filters.unwrap_or_default().into_iter();
        let filters = filters.map(|filter| Filter {
            pattern: Document::parse(&filter.pattern.unwrap_or_default()),
        });
        Self {
            filters: Some(filters.collect()),
        }
    }
}

pub(crate) fn scaling(config: &ScalingConfig) -> types::ScalingConfig {
    types::ScalingConfig::builder()
        .set_maximum_concurrency(config.maximum_concurrency)
        .build()
}

impl ProvisionedPollerConfig {
    pub(crate) fn to_sdk(&self) -> types::ProvisionedPollerConfig {
        types::ProvisionedPollerConfig::builder()
            .set_minimum_pollers(self.minimum_pollers)
            .set_maximum_pollers(self.maximum_pollers)
            .build()
    }
}

impl MetricsConfig {
    pub(crate) fn to_sdk(&self) -> types::EventSourceMappingMetricsConfig {
        let metrics = self
            .metrics
            .iter()
            .flatten()
            .map(|name| name.as_str().into());
        types::EventSourceMappingMetricsConfig::builder()
            .set_metrics(Some(metrics.collect()))
            .build()
    }
}

impl LoggingConfig {
    pub(crate) fn to_sdk(&self) -> types::EventSourceMappingLoggingConfig {
        types::EventSourceMappingLoggingConfig::builder()
            .set_system_log_level(self.system_log_level.as_deref().map(Into::into))
            .build()
    }
}

impl DestinationConfig {
    /// None where records go: an empty destination is what clears one.
    pub(crate) fn to_sdk(&self) -> types::DestinationConfig {
        let arn = self
            .on_failure
            .as_ref()
            .map(|failure| failure.destination_arn.clone());
        let failure = types::OnFailure::builder().set_destination(arn).build();
        types::DestinationConfig::builder()
            .on_failure(failure)
            .build()
    }

    pub(crate) fn from_sdk(live: types::DestinationConfig) -> Option<Self> {
        let destination_arn = live.on_failure?.destination?;
        let on_failure = Some(OnFailure { destination_arn });
        Some(Self { on_failure })
    }
}

pub(crate) fn accesses(list: &[SourceAccess]) -> Vec<types::SourceAccessConfiguration> {
    list.iter()
        .map(|access| {
            types::SourceAccessConfiguration::builder()
                .r#type(access.kind.as_str().into())
                .uri(&access.uri)
                .build()
        })
        .collect()
}

pub(crate) fn read_accesses(live: Vec<types::SourceAccessConfiguration>) -> Vec<SourceAccess> {
    live.into_iter()
        .map(|access| SourceAccess {
            kind: access
                .r#type
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
            uri: access.uri.unwrap_or_default(),
        })
        .collect()
}

/// The servers of a list with commas, in order and without white space around them, as Lambda
/// returns them (the Terraform provider suppresses the difference the same way).
pub(crate) fn servers_in_order(list: &str) -> String {
    let mut servers: Vec<&str> = list.split(',').map(str::trim).collect();
    servers.retain(|server| !server.is_empty());
    servers.sort_unstable();
    servers.join(",")
}

impl SelfManagedEventSource {
    pub(crate) fn to_sdk(&self) -> types::SelfManagedEventSource {
        let endpoints = self.endpoints.iter().map(|(kind, servers)| {
            let servers = servers.split(',').map(str::trim);
            let servers = servers.filter(|server| !server.is_empty());
            let servers = servers.map(str::to_owned).collect();
            (kind.as_str().into(), servers)
        });
        types::SelfManagedEventSource::builder()
            .set_endpoints(Some(endpoints.collect()))
            .build()
    }

    pub(crate) fn from_sdk(live: types::SelfManagedEventSource) -> Self {
        let endpoints = live.endpoints.unwrap_or_default().into_iter();
        let endpoints =
            endpoints.map(|(kind, servers)| (kind.as_str().to_owned(), servers.join(",")));
        Self {
            endpoints: endpoints.collect(),
        }
    }
}

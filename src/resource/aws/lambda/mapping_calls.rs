//! What the calls of an event source mapping send and return.

use super::mapping_settings::{
    DestinationConfig, EventSourceMapping, FilterCriteria, LoggingConfig, MetricsConfig,
    ProvisionedPollerConfig, ScalingConfig, SelfManagedEventSource, accesses, read_accesses,
    scaling,
};
use crate::resource::author::*;
use crate::resource::aws::time::{rfc3339, time};
use aws_sdk_lambda::operation::create_event_source_mapping::builders::CreateEventSourceMappingFluentBuilder;
use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput;
use aws_sdk_lambda::operation::update_event_source_mapping::builders::UpdateEventSourceMappingFluentBuilder;
use aws_smithy_types::DateTime;

fn timestamp(props: &EventSourceMapping) -> Result<Option<DateTime>, Error> {
    let Some(text) = &props.starting_position_timestamp else {
        return Ok(None);
    };
    time(text).map(Some)
}

/// The create call, filled in.
pub(crate) fn create(
    call: CreateEventSourceMappingFluentBuilder,
    props: &EventSourceMapping,
) -> Result<CreateEventSourceMappingFluentBuilder, Error> {
    let words = props.function_response_types.as_ref();
    let call = call
        .function_name(&props.function_name)
        .set_event_source_arn(props.event_source_arn.clone())
        .set_enabled(props.enabled)
        .set_batch_size(props.batch_size)
        .set_maximum_batching_window_in_seconds(props.maximum_batching_window_in_seconds)
        .set_filter_criteria(props.filter_criteria.as_ref().map(FilterCriteria::to_sdk))
        .set_function_response_types(
            words.map(|list| list.iter().map(|word| word.as_str().into()).collect()),
        )
        .set_scaling_config(props.scaling_config.as_ref().map(scaling))
        .set_kms_key_arn(props.kms_key_arn.clone())
        .set_metrics_config(props.metrics_config.as_ref().map(MetricsConfig::to_sdk))
        .set_logging_config(props.logging_config.as_ref().map(LoggingConfig::to_sdk))
        .set_provisioned_poller_config(
            props
                .provisioned_poller_config
                .as_ref()
                .map(ProvisionedPollerConfig::to_sdk),
        );
    Ok(call
        .set_starting_position(props.starting_position.as_deref().map(Into::into))
        .set_starting_position_timestamp(timestamp(props)?)
        .set_self_managed_event_source(
            props
                .self_managed_event_source
                .as_ref()
                .map(SelfManagedEventSource::to_sdk),
        )
        .set_topics(props.topics.clone())
        .set_queues(props.queues.clone())
        .set_source_access_configurations(
            props.source_access_configurations.as_deref().map(accesses),
        )
        .set_bisect_batch_on_function_error(props.bisect_batch_on_function_error)
        .set_destination_config(
            props
                .destination_config
                .as_ref()
                .map(DestinationConfig::to_sdk),
        )
        .set_maximum_record_age_in_seconds(props.maximum_record_age_in_seconds)
        .set_maximum_retry_attempts(props.maximum_retry_attempts)
        .set_parallelization_factor(props.parallelization_factor)
        .set_tumbling_window_in_seconds(props.tumbling_window_in_seconds))
}

/// What an update sends; what was removed from the file goes back to the default. Empty structs
/// clear, absent ones are ignored.
pub(crate) fn patch(
    call: UpdateEventSourceMappingFluentBuilder,
    change: &Change<EventSourceMapping>,
) -> UpdateEventSourceMappingFluentBuilder {
    let new = &change.new;
    let has = |name: &str| change.has(&[name]);
    let is_queue = new
        .event_source_arn
        .as_ref()
        .is_some_and(|arn| arn.contains(":sqs:"));
    let batch = if is_queue { 10 } else { 100 };
    let words = new.function_response_types.iter().flatten();
    let words = words.map(|word| word.as_str().into()).collect();
    let filters = new.filter_criteria.clone().unwrap_or_default().to_sdk();
    let concurrency = scaling(&new.scaling_config.clone().unwrap_or_default());
    let metrics = new.metrics_config.clone().unwrap_or_default().to_sdk();
    let logging = new.logging_config.clone().unwrap_or_default().to_sdk();
    let pollers = new
        .provisioned_poller_config
        .clone()
        .unwrap_or_default()
        .to_sdk();
    let destination = new.destination_config.clone().unwrap_or_default().to_sdk();
    let access = accesses(
        new.source_access_configurations
            .as_deref()
            .unwrap_or_default(),
    );
    call.set_function_name(change.text("functionName", Some(&new.function_name), ""))
        .set_enabled(change.sent("enabled", new.enabled.as_ref(), true))
        .set_batch_size(change.sent("batchSize", new.batch_size.as_ref(), batch))
        .set_maximum_batching_window_in_seconds(change.sent(
            "maximumBatchingWindowInSeconds",
            new.maximum_batching_window_in_seconds.as_ref(),
            0,
        ))
        .set_filter_criteria(has("filterCriteria").then_some(filters))
        .set_function_response_types(has("functionResponseTypes").then_some(words))
        .set_scaling_config(has("scalingConfig").then_some(concurrency))
        .set_kms_key_arn(change.text("kmsKeyArn", new.kms_key_arn.as_ref(), ""))
        .set_metrics_config(has("metricsConfig").then_some(metrics))
        .set_logging_config(has("loggingConfig").then_some(logging))
        .set_provisioned_poller_config(has("provisionedPollerConfig").then_some(pollers))
        .set_source_access_configurations(has("sourceAccessConfigurations").then_some(access))
        .set_bisect_batch_on_function_error(change.sent(
            "bisectBatchOnFunctionError",
            new.bisect_batch_on_function_error.as_ref(),
            false,
        ))
        .set_destination_config(has("destinationConfig").then_some(destination))
        .set_maximum_record_age_in_seconds(change.sent(
            "maximumRecordAgeInSeconds",
            new.maximum_record_age_in_seconds.as_ref(),
            -1,
        ))
        .set_maximum_retry_attempts(change.sent(
            "maximumRetryAttempts",
            new.maximum_retry_attempts.as_ref(),
            -1,
        ))
        .set_parallelization_factor(change.sent(
            "parallelizationFactor",
            new.parallelization_factor.as_ref(),
            1,
        ))
        .set_tumbling_window_in_seconds(change.sent(
            "tumblingWindowInSeconds",
            new.tumbling_window_in_seconds.as_ref(),
            0,
        ))
}

/// Whether the mapping is on: no reply says so, its state does. A transitional state does not say
/// so; what was last applied counts then.
fn enabled(state: &str, attributes: &Attributes) -> Option<bool> {
    match state {
        "Enabled" | "Enabling" => Some(true),
        "Disabled" | "Disabling" => Some(false),
        _ => Some(attributes["enabled"].as_bool().unwrap_or(true)),
    }
}

/// The live properties; `attributes` are those last known.
pub(crate) fn props_of(
    live: GetEventSourceMappingOutput,
    attributes: &Attributes,
) -> EventSourceMapping {
    let start = live.starting_position_timestamp;
    let words = |list: Vec<String>| (!list.is_empty()).then_some(list);
    EventSourceMapping {
        enabled: enabled(live.state.as_deref().unwrap_or_default(), attributes),
        event_source_arn: live.event_source_arn,
        function_name: live.function_arn.unwrap_or_default(),
        batch_size: live.batch_size,
        maximum_batching_window_in_seconds: live.maximum_batching_window_in_seconds,
        filter_criteria: live.filter_criteria.map(FilterCriteria::from_sdk),
        function_response_types: live
            .function_response_types
            .map(|list| list.iter().map(|word| word.as_str().to_owned()).collect())
            .and_then(words),
        scaling_config: live.scaling_config.map(|config| ScalingConfig {
            maximum_concurrency: config.maximum_concurrency,
        }),
        kms_key_arn: live.kms_key_arn,
        metrics_config: live
            .metrics_config
            .and_then(|config| config.metrics)
            .map(|list| {
                let metrics = list.iter().map(|name| name.as_str().to_owned()).collect();
                MetricsConfig {
                    metrics: Some(metrics),
                }
            }),
        logging_config: live.logging_config.map(|config| LoggingConfig {
            system_log_level: config
                .system_log_level
                .map(|level| level.as_str().to_owned()),
        }),
        provisioned_poller_config: live.provisioned_poller_config.map(|config| {
            ProvisionedPollerConfig {
                minimum_pollers: config.minimum_pollers,
                maximum_pollers: config.maximum_pollers,
            }
        }),
        starting_position: live
            .starting_position
            .map(|position| position.as_str().to_owned()),
        starting_position_timestamp: start.as_ref().and_then(rfc3339),
        self_managed_event_source: live
            .self_managed_event_source
            .map(SelfManagedEventSource::from_sdk),
        topics: live.topics.and_then(words),
        queues: live.queues.and_then(words),
        source_access_configurations: live.source_access_configurations.map(read_accesses),
        bisect_batch_on_function_error: live.bisect_batch_on_function_error,
        destination_config: live
            .destination_config
            .and_then(DestinationConfig::from_sdk),
        maximum_record_age_in_seconds: live.maximum_record_age_in_seconds,
        maximum_retry_attempts: live.maximum_retry_attempts,
        parallelization_factor: live.parallelization_factor,
        tumbling_window_in_seconds: live.tumbling_window_in_seconds,
        tags: None,
    }
}

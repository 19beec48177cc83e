//! What can be set on an event source mapping, and the rules of SQS queues.

use super::super::service::Refusal;
use super::invalid;
use super::members::Members;
use serde_json::{Map, Value, json};

/// Members for other sources than queues.
const NOT_FOR_QUEUES: &[&str] = &[
    "AmazonManagedKafkaEventSourceConfig",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "DocumentDBEventSourceConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "Queues",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Topics",
    "TumblingWindowInSeconds",
];

/// Puts what a request says over a mapping's configuration. What it does not say stays; an
/// empty structure clears.
pub(super) fn apply(
    config: &mut Map<String, Value>,
    body: &Members,
    fifo: bool,
) -> Result<(), Refusal> {
    for name in NOT_FOR_QUEUES {
        let given = body
            .get(name)
            .is_some_and(|value| !value.as_array().is_some_and(Vec::is_empty));
        if given {
            return Err(invalid(format!(
                "{name} is not valid for SQS event sources."
            )));
        }
    }
    if let Some(size) = body.number("BatchSize", 1, 10_000)? {
        config.insert("BatchSize".to_owned(), size.into());
    }
    if let Some(seconds) = body.number("MaximumBatchingWindowInSeconds", 0, 300)? {
        config.insert("MaximumBatchingWindowInSeconds".to_owned(), seconds.into());
    }
    apply_filter(config, body)?;
    if let Some(types) = body.texts("FunctionResponseTypes", 1)? {
        if types.iter().any(|kind| *kind != "ReportBatchItemFailures") {
            let rule = "Member must satisfy enum value set: [ReportBatchItemFailures]";
            return Err(body.violation("FunctionResponseTypes", &types.join(", "), rule));
        }
        config.insert("FunctionResponseTypes".to_owned(), types.into());
    }
    if let Some(scaling) = body.object("ScalingConfig")? {
        match scaling.number("MaximumConcurrency", 2, 1000)? {
            None => config.remove("ScalingConfig"),
            Some(most) => config.insert(
                "ScalingConfig".to_owned(),
                json!({"MaximumConcurrency": most}),
            ),
        };
    }
    apply_kept(config, body)?;
    check_batch(config, fifo)
}

/// Structures that are kept as they are.
fn apply_kept(config: &mut Map<String, Value>, body: &Members) -> Result<(), Refusal> {
    match body.text("KMSKeyArn")? {
        None => {}
        Some("") => {
            config.remove("KMSKeyArn");
        }
        Some(key) => {
            config.insert("KMSKeyArn".to_owned(), key.into());
        }
    }
    if let Some(metrics) = body.object("MetricsConfig")? {
        let names = metrics.texts("Metrics", 3)?.unwrap_or_default();
        let known = ["EventCount", "ErrorCount", "KafkaMetrics"];
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            let rule = format!("Member must satisfy enum value set: [{}]", known.join(", "));
            return Err(metrics.violation("Metrics", name, &rule));
        }
        config.insert("MetricsConfig".to_owned(), json!({"Metrics": names}));
    }
    for name in ["LoggingConfig", "ProvisionedPollerConfig"] {
        if let Some(value) = body.get(name) {
            let cleared = body.object(name)?.is_none_or(|object| object.is_empty());
            if cleared {
                config.remove(name);
            } else {
                config.insert(name.to_owned(), value.clone());
            }
        }
    }
    Ok(())
}

fn apply_filter(config: &mut Map<String, Value>, body: &Members) -> Result<(), Refusal> {
    let Some(criteria) = body.object("FilterCriteria")? else {
        return Ok(());
    };
    let filters = criteria.objects("Filters", 5)?.unwrap_or_default();
    let mut told = Vec::new();
    for filter in filters {
        let pattern = filter.short("Pattern", 4096)?.unwrap_or_default();
        let parsed: Result<Map<String, Value>, _> = serde_json::from_str(pattern);
        if parsed.is_err() {
            return Err(invalid("Invalid filter pattern definition."));
        }
        told.push(json!({"Pattern": pattern}));
    }
    if told.is_empty() {
        config.remove("FilterCriteria");
    } else {
        config.insert("FilterCriteria".to_owned(), json!({"Filters": told}));
    }
    Ok(())
}

fn check_batch(config: &Map<String, Value>, fifo: bool) -> Result<(), Refusal> {
    let number = |name: &str| config.get(name).and_then(Value::as_i64).unwrap_or_default();
    let size = number("BatchSize");
    let window = number("MaximumBatchingWindowInSeconds");
    if fifo && size > 10 {
        return Err(invalid(
            "Maximum batch size for SQS FIFO queues is 10. BatchSize must be less than or equal to 10.",
        ));
    }
    if fifo && window > 0 {
        return Err(invalid(
            "Batching window is not supported for FIFO queues: MaximumBatchingWindowInSeconds must be 0.",
        ));
    }
    if size > 10 && window < 1 {
        return Err(invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ));
    }
    Ok(())
}

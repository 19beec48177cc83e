//! Event source mappings: from a queue to a function.

use super::super::service::{ACCOUNT, Refusal};
use super::super::stamps;
use super::model::{self, Function, Mapping, Phase};
use super::name::FunctionName;
use super::{Answer, Call, conflict, invalid, mapping_settings, role, tags};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What matters of a queue.
struct Queue {
    arn: String,
    fifo: bool,
    /// Seconds.
    visibility: i64,
}

impl Queue {
    /// The queue with this ARN, as the SQS service keeps it.
    fn find(call: &Call<'_>, arn: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "sqs", region, account, name] = parts.as_slice() else {
            return Err(invalid(format!(
                "Unrecognized event source {arn}: the local cloud takes SQS queues."
            )));
        };
        if *region != call.request.region || *account != ACCOUNT {
            return Err(invalid(format!(
                "The event source {arn} must be in the region of the function."
            )));
        }
        let queue = call.store.get(&format!("sqs/{region}/queue/{name}")).ok_or_else(|| {
            invalid("Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.")
        })?;
        let attribute = |name: &str| queue["attributes"][name].as_str();
        let visibility = attribute("VisibilityTimeout").and_then(|text| text.parse().ok());
        Ok(Self {
            arn: arn.to_owned(),
            fifo: name.ends_with(".fifo") || attribute("FifoQueue") == Some("true"),
            visibility: visibility.unwrap_or(30),
        })
    }
}

/// The function that a body names, and its ARN as the mapping returns it.
fn target(call: &Call<'_>) -> Result<(Function, String), Refusal> {
    let named = FunctionName::parse(call.body.required("FunctionName")?, &call.request.region)?;
    let function = model::function(call.store, &call.request.region, &named.name)?;
    let arn = match named.qualifier {
        None => function.arn.clone(),
        Some(qualifier) => format!("{}:{qualifier}", function.arn),
    };
    Ok((function, arn))
}

/// What AWS checks between function and queue.
fn check_pair(call: &Call<'_>, function: &Function, queue: &Queue) -> Result<(), Refusal> {
    let timeout = function
        .config
        .get("Timeout")
        .and_then(Value::as_i64)
        .unwrap_or(3);
    if queue.visibility < timeout {
        return Err(invalid(format!(
            "Queue visibility timeout: {} seconds is less than Function timeout: {timeout} seconds",
            queue.visibility
        )));
    }
    for action in ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"] {
        let role = function.text("Role");
        role::require_allowed(
            call.store,
            role,
            ("SQS", action),
            &queue.arn,
            call.request.now,
        )?;
    }
    Ok(())
}

pub(super) fn create(call: Call<'_>) -> Answer {
    let now = call.request.now;
    let region = &call.request.region;
    let Some(source) = call.body.text("EventSourceArn")? else {
        return Err(invalid(
            "EventSourceArn is required: the local cloud takes SQS queues.",
        ));
    };
    let queue = Queue::find(&call, source)?;
    let (function, function_arn) = target(&call)?;
    let mut config = Map::new();
    let mut put = |name: &str, value: Value| config.insert(name.to_owned(), value);
    put("BatchSize", json!(10));
    put("MaximumBatchingWindowInSeconds", json!(0));
    put("FunctionResponseTypes", json!([]));
    mapping_settings::apply(&mut config, &call.body, queue.fifo)?;
    let tags = tags::merge(BTreeMap::new(), &call.body)?;
    check_pair(&call, &function, &queue)?;
    let known = model::mappings(call.store, region, now)?;
    let same = known.iter().find(|mapping| {
        mapping.queue_arn == queue.arn && mapping.config["FunctionArn"] == function_arn.as_str()
    });
    if let Some(same) = same {
        return Err(conflict(format!(
            "An event source mapping with SQS arn (\" {} \") and function (\" {} \") already exists. Please update or delete the existing mapping with UUID {}",
            queue.arn, function.name, same.uuid
        )));
    }
    let mut mapping = Mapping {
        uuid: stamps::uuid(),
        region: region.clone(),
        function: function.name,
        queue_arn: queue.arn,
        config,
        enabled: call.body.flag("Enabled")?.unwrap_or(true),
        phase: Phase::Creating,
        changed: now,
        tags,
    };
    let arn = model::mapping_arn(region, &mapping.uuid);
    let mut put = |name: &str, value: String| mapping.config.insert(name.to_owned(), value.into());
    put("UUID", mapping.uuid.clone());
    put("EventSourceMappingArn", arn);
    put("EventSourceArn", mapping.queue_arn.clone());
    put("FunctionArn", function_arn);
    stamp(&mut mapping, now);
    model::sweep_mappings(call.store, region, now);
    model::put_mapping(call.store, &mapping);
    Ok((202, mapping.to_reply(now)))
}

/// Times of mappings are seconds since 1970.
fn stamp(mapping: &mut Mapping, now: u64) {
    let seconds = (now / 1000) as f64 + (now % 1000) as f64 / 1000.0;
    mapping
        .config
        .insert("LastModified".to_owned(), json!(seconds));
}

fn named(call: &Call<'_>) -> Result<Mapping, Refusal> {
    model::mapping(
        call.store,
        &call.request.region,
        &call.path[0],
        call.request.now,
    )
}

/// The mapping to change; it must not be changing already.
fn named_and_stable(call: &Call<'_>) -> Result<Mapping, Refusal> {
    let mapping = named(call)?;
    if mapping.is_moving(call.request.now) {
        let message = format!(
            "Cannot update the event source mapping {} because it is in use.",
            mapping.uuid
        );
        return Err(Refusal::new(400, "ResourceInUseException", message));
    }
    Ok(mapping)
}

pub(super) fn get(call: Call<'_>) -> Answer {
    Ok((200, named(&call)?.to_reply(call.request.now)))
}

pub(super) fn update(call: Call<'_>) -> Answer {
    let now = call.request.now;
    let mut mapping = named_and_stable(&call)?;
    let fifo = mapping.queue_arn.ends_with(".fifo");
    mapping_settings::apply(&mut mapping.config, &call.body, fifo)?;
    if call.body.has("FunctionName") {
        let (function, arn) = target(&call)?;
        let queue = Queue::find(&call, &mapping.queue_arn)?;
        check_pair(&call, &function, &queue)?;
        mapping.function = function.name;
        mapping.config.insert("FunctionArn".to_owned(), arn.into());
    }
    if let Some(enabled) = call.body.flag("Enabled")? {
        mapping.enabled = enabled;
    }
    mapping.phase = Phase::Updating;
    mapping.changed = now;
    stamp(&mut mapping, now);
    model::put_mapping(call.store, &mapping);
    Ok((202, mapping.to_reply(now)))
}

pub(super) fn delete(call: Call<'_>) -> Answer {
    let now = call.request.now;
    let mut mapping = named_and_stable(&call)?;
    mapping.phase = Phase::Deleting;
    mapping.changed = now;
    model::put_mapping(call.store, &mapping);
    Ok((202, mapping.to_reply(now)))
}

pub(super) fn list(call: Call<'_>) -> Answer {
    let source = call.query("EventSourceArn");
    let function = call
        .query("FunctionName")
        .map(|text| FunctionName::parse(text, &call.request.region))
        .transpose()?;
    let mut mappings = model::mappings(call.store, &call.request.region, call.request.now)?;
    mappings.retain(|mapping| {
        source.is_none_or(|source| source == mapping.queue_arn)
            && function
                .as_ref()
                .is_none_or(|function| function.name == mapping.function)
    });
    let items = mappings
        .iter()
        .map(|mapping| mapping.to_reply(call.request.now))
        .collect();
    call.page("EventSourceMappings", items, 100)
}

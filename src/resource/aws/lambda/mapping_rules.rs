//! The rules of an event source mapping, those between its queue and its function too.

use crate::resource::author::*;
use crate::resource::aws::time::time;

/// The visibility timeout of a queue that names none, in seconds.
const DEFAULT_VISIBILITY: i64 = 30;
/// The timeout of a function that names none, in seconds.
const DEFAULT_TIMEOUT: i64 = 3;

/// A number in another resource of the file: its value, the default where it is omitted, none where
/// it is not known yet.
fn number(props: &Data, name: &str, default: i64) -> Option<i64> {
    let path = Path::root().join(name);
    if props.unknown_at(&path).is_some() {
        return None;
    }
    match path.get(&props.value) {
        None | Some(Value::Null) => Some(default),
        Some(value) => value.as_i64(),
    }
}

fn is_fifo(queue: Option<&Data>, arn: Option<&str>) -> bool {
    let flag = queue.is_some_and(|queue| queue.value["fifoQueue"] == Value::Bool(true));
    flag || arn.is_some_and(|arn| arn.contains(":sqs:") && arn.ends_with(".fifo"))
}

/// The rules of a mapping.
pub(crate) fn checks(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = tags::rules(rules, Tagging::Plain);
    let peer = |name: &str, kind: &str| {
        let (found, data) = (rules.peer)(&Path::root().join(name))?;
        (found == kind).then_some(data)
    };
    let queue = peer("eventSourceArn", "aws:sqs:Queue");
    let arn = rules.known("eventSourceArn").and_then(Value::as_str);
    let is_queue = queue.is_some() || arn.is_some_and(|arn| arn.contains(":sqs:"));
    source_checks(rules, is_queue, &mut broken);
    start_checks(rules, &mut broken);
    let batch = rules
        .known("batchSize")
        .and_then(Value::as_i64)
        .unwrap_or(10);
    let window = rules
        .known("maximumBatchingWindowInSeconds")
        .and_then(Value::as_i64);
    if is_fifo(queue, arn) {
        if batch > 10 {
            let message = "A FIFO queue gives at most 10 messages in a batch.";
            broken.push(Broken::at("batchSize", message).code("SK0201"));
        }
        if window.is_some_and(|seconds| seconds > 0) {
            broken.push(
                Broken::at(
                    "maximumBatchingWindowInSeconds",
                    "A FIFO queue has no batching window; leave it out.",
                )
                .code("SK0202"),
            );
        }
    } else if is_queue
        && batch > 10
        && window.unwrap_or(0) < 1
        && (window.is_some() || !rules.given("maximumBatchingWindowInSeconds"))
    {
        broken.push(
            Broken::at(
                "batchSize",
                "A batch of more than 10 needs maximumBatchingWindowInSeconds of at least 1.",
            )
            .code("SK0203"),
        );
    }
    if let (Some(queue), Some(function)) = (queue, peer("functionName", "aws:lambda:Function"))
        && let Some(visible) = number(queue, "visibilityTimeoutSeconds", DEFAULT_VISIBILITY)
        && let Some(timeout) = number(function, "timeout", DEFAULT_TIMEOUT)
        && visible < timeout
    {
        broken.push(
            Broken::at(
                "eventSourceArn",
                format!(
                    "The queue's visibilityTimeoutSeconds ({visible}) is less than the function's \
                 timeout ({timeout}); make it at least {timeout}, better {}.",
                    timeout * 6
                ),
            )
            .code("SK0204"),
        );
    }
    broken
}

fn source_checks(rules: &Rules<'_>, is_queue: bool, broken: &mut Vec<Broken>) {
    if !rules.given("eventSourceArn") && !rules.given("selfManagedEventSource") {
        let message = "Give eventSourceArn, the ARN of what the events come from.";
        broken.push(Broken::at("eventSourceArn", message));
    }
    if !is_queue {
        return;
    }
    for name in [
        "startingPosition",
        "startingPositionTimestamp",
        "topics",
        "queues",
    ] {
        if rules.given(name) {
            broken.push(
                Broken::at(name, format!("{name} does not go with an SQS queue.")).code("SK0206"),
            );
        }
    }
}

/// A time is one, and goes with `AT_TIMESTAMP`, which needs it (Lambda API,
/// CreateEventSourceMapping).
fn start_checks(rules: &Rules<'_>, broken: &mut Vec<Broken>) {
    let position = rules.known("startingPosition").and_then(Value::as_str);
    let start = rules
        .known("startingPositionTimestamp")
        .and_then(Value::as_str);
    if let Some(Err(error)) = start.map(time) {
        broken.push(Broken::at("startingPositionTimestamp", error.to_string()));
    }
    if position == Some("AT_TIMESTAMP") && !rules.given("startingPositionTimestamp") {
        let message = "AT_TIMESTAMP needs startingPositionTimestamp, such as 2026-01-31T00:00:00Z.";
        broken.push(Broken::at("startingPosition", message).code("SK0207"));
    }
    if position.is_some_and(|position| position != "AT_TIMESTAMP")
        && rules.given("startingPositionTimestamp")
    {
        let message =
            "startingPositionTimestamp goes with a startingPosition of AT_TIMESTAMP only.";
        broken.push(Broken::at("startingPositionTimestamp", message).code("SK0207"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn broken(props: Value, queue: Value, function: Value) -> Vec<String> {
        let (queue, function) = (Data::from(queue), Data::from(function));
        let mut props = Data::from(props);
        props.set(
            &Path::dotted("eventSourceArn"),
            Data::unknown("${queue.arn}"),
        );
        props.set(
            &Path::dotted("functionName"),
            Data::unknown("${function.arn}"),
        );
        let peer = |path: &Path| match path.to_string().as_str() {
            "eventSourceArn" => Some(("aws:sqs:Queue", &queue)),
            "functionName" => Some(("aws:lambda:Function", &function)),
            _ => None,
        };
        let rules = Rules {
            props: &props,
            peer: &peer,
        };
        checks(&rules)
            .iter()
            .map(|rule| rule.path.to_string())
            .collect()
    }

    #[test]
    fn a_fifo_queue_has_small_batches_and_no_window() {
        let fifo = json!({"fifoQueue": true});
        assert_eq!(
            broken(json!({"batchSize": 10}), fifo.clone(), json!({})),
            [""; 0]
        );
        assert_eq!(
            broken(json!({"batchSize": 11}), fifo.clone(), json!({})),
            ["batchSize"]
        );
        assert_eq!(
            broken(
                json!({"maximumBatchingWindowInSeconds": 1}),
                fifo,
                json!({})
            ),
            ["maximumBatchingWindowInSeconds"]
        );
    }

    #[test]
    fn a_large_batch_needs_a_window() {
        assert_eq!(
            broken(json!({"batchSize": 11}), json!({}), json!({})),
            ["batchSize"]
        );
        let props = json!({"batchSize": 11, "maximumBatchingWindowInSeconds": 1});
        assert_eq!(broken(props, json!({}), json!({})), [""; 0]);
    }

    #[test]
    fn a_message_stays_hidden_as_long_as_the_function_may_run() {
        let found = broken(json!({}), json!({}), json!({"timeout": 31}));
        assert_eq!(found, ["eventSourceArn"]);
        assert_eq!(
            broken(json!({}), json!({}), json!({"timeout": 30})),
            [""; 0]
        );
        let short = json!({"visibilityTimeoutSeconds": 2});
        assert_eq!(broken(json!({}), short, json!({})), ["eventSourceArn"]);
    }
}

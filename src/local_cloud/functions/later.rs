//! Asynchronous invocations: kept in the cloud's folder until they are done, tried three times in
//! all (Lambda developer guide, "Error handling for asynchronous invocation"), then sent to the
//! function's dead-letter queue. A process that is killed loses none; one that was under way runs
//! again.

use super::instance::{Invocation, Outcome};
use super::invoke::throttled;
use super::{Throttled, find};
use crate::local_cloud::iam::role_of_arn;
use crate::local_cloud::lambda::Runnable;
use crate::local_cloud::live::Live;
use crate::local_cloud::service::{Refusal, Request};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Where they are in the store.
const PREFIX: &str = ".lambda/later/";
/// What is waited for after a first and a second error, in milliseconds.
const WAITS: [u64; 2] = [60_000, 120_000];
/// How long an event is tried while the function is throttled, in milliseconds.
const OLDEST: u64 = 6 * 3_600_000;
/// How long is waited after a throttled attempt, in milliseconds.
const THROTTLED: u64 = 1000;
/// How often is looked for what other processes put.
const GLANCE: Duration = Duration::from_secs(1);
/// From how many bytes on an event is a blob.
const LARGE: usize = 16 << 10;

/// Which of them run in this process, and news of others.
#[derive(Default)]
pub(super) struct Running {
    keys: Mutex<BTreeSet<String>>,
    news: Notify,
}

/// One of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Later {
    id: String,
    region: String,
    arn: String,
    version: String,
    /// The event; none where it is a blob.
    payload: Option<String>,
    blob: Option<String>,
    client_context: Option<String>,
    /// How many attempts failed.
    failed: usize,
    /// When it was put, in milliseconds of local time.
    put: u64,
    /// When it is tried next.
    due: u64,
}

fn unusable(error: &io::Error) -> Refusal {
    let message = format!("The local cloud's folder cannot be used: {error}");
    Refusal::new(500, "ServiceException", message)
}

/// Keeps an invocation.
pub(super) fn put(
    live: &Live,
    function: &Runnable,
    invocation: &Invocation,
) -> Result<(), Refusal> {
    let cloud = live.cloud();
    let now = cloud.now();
    let payload = String::from_utf8_lossy(&invocation.payload).into_owned();
    let mut later = Later {
        id: invocation.id.clone(),
        region: function.region.clone(),
        arn: invocation.arn.clone(),
        version: function.version.clone(),
        payload: None,
        blob: None,
        client_context: invocation.client_context.clone(),
        failed: 0,
        put: now,
        due: now,
    };
    let key = format!("{PREFIX}{now:016}-{}", later.id);
    let done = cloud.change(|store| {
        match payload.len() < LARGE {
            true => later.payload = Some(payload),
            false => later.blob = Some(store.put_blob(&invocation.payload)),
        }
        store.put(&key, json!(later));
    });
    done.map_err(|error| unusable(&error))?;
    live.functions().later.news.notify_one();
    Ok(())
}

/// Runs them as they become due.
pub(super) async fn work(live: Live) {
    loop {
        let wait = next(&live);
        let news = live.functions().later.news.notified();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = news => {}
            () = live.stopping() => return,
        }
    }
}

/// Starts all that are due. Returns when to look again.
fn next(live: &Live) -> Duration {
    let cloud = live.cloud();
    let kept = cloud.look(|now, store| (now, store.scan(PREFIX)));
    let Ok((now, kept)) = kept else {
        return GLANCE;
    };
    let running = &live.functions().later.keys;
    let mut wait = GLANCE;
    for (key, value) in kept {
        let mut keys = running.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.contains(&key) {
            continue;
        }
        let Ok(later) = serde_json::from_value::<Later>(value) else {
            continue;
        };
        if later.due <= now {
            keys.insert(key.clone());
            drop(keys);
            live.spawn(attempt(live.clone(), key, later));
        } else {
            let real = Duration::from_millis(later.due - now).div_f64(cloud.speed());
            wait = wait.min(real);
        }
    }
    wait
}

async fn attempt(live: Live, key: String, later: Later) {
    let ended = tokio::select! {
        ended = tried(&live, &later) => Some(ended),
        // It runs again when the cloud is served again.
        () = live.stopping() => None,
    };
    if let Some((function, outcome)) = ended {
        // A folder that cannot be written shows in every call.
        let _ = settle(&live, &key, later, function.as_ref(), outcome);
    }
    let running = &live.functions().later;
    let mut keys = running.keys.lock().unwrap_or_else(PoisonError::into_inner);
    keys.remove(&key);
    drop(keys);
    running.news.notify_one();
}

type Tried = Result<Outcome, Throttled>;

async fn tried(live: &Live, later: &Later) -> (Option<Runnable>, Option<Tried>) {
    let function = find(live, &later.region, (&later.arn, None));
    let Ok(function) = function else {
        return (None, None);
    };
    let payload = match (&later.payload, &later.blob) {
        (Some(text), _) => Some(Bytes::from(text.clone())),
        (None, Some(blob)) => live
            .cloud()
            .look(|_, store| store.blob(blob))
            .ok()
            .flatten(),
        (None, None) => None,
    };
    let invocation = Invocation {
        id: later.id.clone(),
        payload: payload.unwrap_or_default(),
        arn: later.arn.clone(),
        client_context: later.client_context.clone(),
    };
    let outcome = live.functions().pool.run(live, &function, invocation).await;
    (Some(function), Some(outcome))
}

/// Keeps what is to be tried again; sends on what failed for good; forgets the rest.
fn settle(
    live: &Live,
    key: &str,
    mut later: Later,
    function: Option<&Runnable>,
    outcome: Option<Tried>,
) -> io::Result<()> {
    let cloud = live.cloud();
    let now = cloud.now();
    let failure = match outcome {
        Some(Ok(outcome)) if outcome.failed => {
            if let Some(wait) = WAITS.get(later.failed) {
                later.failed += 1;
                later.due = now + wait;
                return cloud.change(|store| store.put(key, json!(later)));
            }
            Some((200, String::from_utf8_lossy(&outcome.payload).into_owned()))
        }
        Some(Err(why)) => {
            if now < later.put + OLDEST {
                later.due = now + THROTTLED;
                return cloud.change(|store| store.put(key, json!(later)));
            }
            Some((429, throttled(why).message))
        }
        // It is done, or its function was deleted.
        Some(Ok(_)) | None => None,
    };
    if let (Some(function), Some((code, message))) = (function, failure) {
        bury(live, function, &later, (code, &message));
    }
    cloud.change(|store| store.remove(key))
}

/// Sends an event to the function's dead-letter queue, if it has one and its role may.
fn bury(live: &Live, function: &Runnable, later: &Later, (code, message): (u16, &str)) {
    let target = function.config.get("DeadLetterConfig");
    let target = target.and_then(|it| it["TargetArn"].as_str());
    let Some(target) = target.filter(|arn| arn.contains(":sqs:")) else {
        return;
    };
    let cloud = live.cloud();
    let found = cloud.look(|now, store| {
        let role = role_of_arn(store, function.text("Role"))?;
        let allowed = role.allows(store, "sqs:SendMessage", target, now);
        let name = target.rsplit(':').next()?;
        let queue = store.get(&format!("sqs/{}/queue/{name}", later.region))?;
        let url = queue["url"].as_str()?.to_owned();
        let blob = later.blob.as_ref().and_then(|blob| store.blob(blob));
        allowed.then_some((url, blob))
    });
    let Ok(Some((url, blob))) = found else {
        live.note(&format!(
            "An event of the function {} is lost: its dead-letter queue {target} does not exist, or its role may not send to it.",
            function.name
        ));
        return;
    };
    let body = match (&later.payload, blob) {
        (Some(text), _) => text.clone(),
        (None, blob) => String::from_utf8_lossy(&blob.unwrap_or_default()).into_owned(),
    };
    let text = |kind: &str, value: &str| json!({"DataType": kind, "StringValue": value});
    let short: String = message.chars().take(1024).collect();
    let body: Value = json!({
        "QueueUrl": url, "MessageBody": body,
        "MessageAttributes": {
            "RequestID": text("String", &later.id),
            "ErrorCode": text("Number", &code.to_string()),
            "ErrorMessage": text("String", &short),
        },
    });
    let request = Request::json(&later.region, "AmazonSQS.SendMessage", &body);
    cloud.call("sqs", request);
}

//! The environment of a function's process: what Lambda sets (Lambda developer guide, "Defined
//! runtime environment variables"), the function's own variables, and of the user's environment
//! only what programs need to start.
//!
//! Addresses of this cloud inside the function's own variables are rewritten to where it is served,
//! so that a stack file needs no local variant.

use super::super::lambda::Runnable;
use super::super::service::{ACCOUNT, Store};
use regex::{Captures, Regex};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::LazyLock;

/// What is taken from the user's environment: where programs are, and where they may write.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "LD_LIBRARY_PATH",
];

/// Where a process runs.
pub(super) struct Place<'p> {
    /// Where the cloud is served.
    pub(super) cloud: SocketAddr,
    /// Where the process finds its runtime API.
    pub(super) api: SocketAddr,
    /// The folder of its code.
    pub(super) root: &'p Path,
    pub(super) group: &'p str,
    pub(super) stream: &'p str,
    /// What the interpreter is called.
    pub(super) program: &'p str,
}

/// The keys of a function's role: an access key id that belongs to role and function, and is kept
/// where the served cloud finds the caller by it.
pub(super) fn keys(function: &Runnable) -> (String, (String, Value)) {
    const SYMBOLS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let role = function.text("Role");
    let digest = Sha256::digest(format!("{role}\n{}", function.arn));
    let tail = digest
        .iter()
        .take(16)
        .map(|byte| char::from(SYMBOLS[usize::from(byte % 32)]));
    let id: String = "ASIA".chars().chain(tail).collect();
    let kept = json!({"role": role, "function": function.name});
    (id.clone(), (format!(".sts/key/{id}"), kept))
}

/// All variables of a process.
pub(super) fn variables(
    function: &Runnable,
    place: &Place<'_>,
    store: &dyn Store,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            all.insert((*name).to_owned(), value.to_string_lossy().into_owned());
        }
    }
    let runtime = function.text("Runtime");
    let logging = &function
        .config
        .get("LoggingConfig")
        .cloned()
        .unwrap_or_default();
    let memory = function.number("MemorySize", 128).to_string();
    let root = place.root.to_string_lossy();
    let (key, _) = keys(function);
    let cloud = format!("http://{}", place.cloud);
    let api = place.api.to_string();
    let execution = format!("AWS_Lambda_{runtime}");
    let secret = hex::encode(Sha256::digest(&key));
    let mut set = |name: &str, value: &str| all.insert(name.to_owned(), value.to_owned());
    for (name, value) in [
        ("_HANDLER", function.text("Handler")),
        ("_X_AMZN_TRACE_ID", ""),
        ("AWS_ACCESS_KEY_ID", &key),
        ("AWS_DEFAULT_REGION", &function.region),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL", &cloud),
        ("AWS_EXECUTION_ENV", &execution),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", &function.version),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", place.group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", place.stream),
        ("AWS_LAMBDA_RUNTIME_API", &api),
        ("AWS_REGION", &function.region),
        ("AWS_SECRET_ACCESS_KEY", &secret),
        ("AWS_SESSION_TOKEN", &key),
        // The user's own profiles are not the function's.
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("LAMBDA_TASK_ROOT", &root),
        ("LANG", "en_US.UTF-8"),
        ("PYTHONIOENCODING", "utf-8:surrogateescape"),
        ("STACKCTL_PYTHON_NAME", place.program),
        ("TZ", ":UTC"),
    ] {
        set(name, value);
    }
    if logging["LogFormat"] == "JSON" {
        set("AWS_LAMBDA_LOG_FORMAT", "JSON");
        let level = logging["ApplicationLogLevel"].as_str().unwrap_or("INFO");
        set("AWS_LAMBDA_LOG_LEVEL", level);
    }
    let own = function
        .config
        .get("Environment")
        .map(|it| &it["Variables"]);
    for (name, value) in own.and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.as_str() {
            set(name, &rewrite(value, place.cloud, store));
        }
    }
    all
}

static API: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(https|wss)://([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
        .ok()
});

static QUEUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([0-9]{12})/([A-Za-z0-9_.-]+)")
        .ok()
});

/// A value with the addresses of this cloud's APIs and queues rewritten to where it is served.
/// What is not in this cloud stays.
fn rewrite(value: &str, cloud: SocketAddr, store: &dyn Store) -> String {
    let (Some(api), Some(queue)) = (&*API, &*QUEUE) else {
        return value.to_owned();
    };
    let value = api.replace_all(value, |all: &Captures<'_>| {
        let (scheme, id, region) = (&all[1], &all[2], &all[3]);
        if store
            .get(&format!("apigateway/{region}/api/{id}"))
            .is_none()
        {
            return all[0].to_owned();
        }
        let scheme = if scheme == "wss" { "ws" } else { "http" };
        format!("{scheme}://{cloud}/_api/{id}")
    });
    let value = queue.replace_all(&value, |all: &Captures<'_>| {
        let (region, account, name) = (&all[1], &all[2], &all[3]);
        let key = format!("sqs/{region}/queue/{name}");
        if account != ACCOUNT || store.get(&key).is_none() {
            return all[0].to_owned();
        }
        format!("http://{cloud}/{account}/{name}")
    });
    value.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_cloud::testing::Memory;

    #[test]
    fn addresses_of_this_cloud_are_rewritten() {
        let mut store = Memory::default();
        store.put("apigateway/us-west-2/api/a1b2", json!({}));
        store.put("sqs/us-west-2/queue/q.fifo", json!({}));
        let cloud = "127.0.0.1:4566".parse().unwrap();
        for (value, expected) in [
            (
                "https://a1b2.execute-api.us-west-2.amazonaws.com/production",
                "http://127.0.0.1:4566/_api/a1b2/production",
            ),
            (
                "wss://a1b2.execute-api.us-west-2.amazonaws.com/x and more",
                "ws://127.0.0.1:4566/_api/a1b2/x and more",
            ),
            (
                "https://sqs.us-west-2.amazonaws.com/000000000000/q.fifo",
                "http://127.0.0.1:4566/000000000000/q.fifo",
            ),
            (
                "https://other.execute-api.us-west-2.amazonaws.com/x",
                "https://other.execute-api.us-west-2.amazonaws.com/x",
            ),
            (
                "https://a1b2.execute-api.eu-west-1.amazonaws.com/x",
                "https://a1b2.execute-api.eu-west-1.amazonaws.com/x",
            ),
            (
                "https://sqs.us-west-2.amazonaws.com/123456789012/q.fifo",
                "https://sqs.us-west-2.amazonaws.com/123456789012/q.fifo",
            ),
            ("plain", "plain"),
        ] {
            assert_eq!(rewrite(value, cloud, &store), expected);
        }
    }

    #[test]
    fn a_key_belongs_to_role_and_function() {
        let function = |role: &str, name: &str| Runnable {
            name: name.to_owned(),
            region: "us-west-2".to_owned(),
            arn: format!("arn:aws:lambda:us-west-2:000000000000:function:{name}"),
            version: "$LATEST".to_owned(),
            config: json!({"Role": role}).as_object().unwrap().clone(),
            blob: String::new(),
            reserved: None,
        };
        let (id, (key, kept)) = keys(&function("role", "f"));
        assert!(id.starts_with("ASIA") && id.len() == 20, "{id}");
        assert_eq!(key, format!(".sts/key/{id}"));
        assert_eq!(kept, json!({"role": "role", "function": "f"}));
        assert_eq!(keys(&function("role", "f")).0, id);
        assert_ne!(keys(&function("role", "g")).0, id);
        assert_ne!(keys(&function("other", "f")).0, id);
    }
}

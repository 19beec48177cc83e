//! The Invoke call, for the command of that name.

use crate::resource::author::*;
use crate::resource::aws::Aws;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// How long a reply is waited for: longer than any function may run (Lambda quotas, 900 s).
const PATIENCE: Duration = Duration::from_secs(960);

/// What came back of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoked {
    /// The result or, of an error, its JSON.
    pub payload: Vec<u8>,
    /// What kind of error of the function it is: `Unhandled`.
    pub error: Option<String>,
    /// The version that ran.
    pub version: Option<String>,
    /// The last 4 KB of the log, where they were asked for.
    pub log: Option<String>,
}

/// Invokes a function with an event and waits for its result. Sent once: an invocation that fails
/// on the way may have run.
///
/// # Errors
/// When the call is refused, or its outcome is not known.
pub async fn invoke(aws: &Aws, name: &str, event: Vec<u8>, log: bool) -> Result<Invoked, Error> {
    let kind = if log { LogType::Tail } else { LogType::None };
    let call = aws.lambda_once().invoke().function_name(name);
    let call = call.log_type(kind).payload(Blob::new(event));
    let timeouts = TimeoutConfig::builder().read_timeout(PATIENCE).build();
    let call = call
        .customize()
        .config_override(Builder::new().timeout_config(timeouts));
    let reply = send!(call, "lambda:InvokeFunction (Invoke)")?;
    let log = reply
        .log_result
        .and_then(|text| BASE64_STANDARD.decode(text).ok());
    Ok(Invoked {
        payload: reply.payload.map(Blob::into_inner).unwrap_or_default(),
        error: reply.function_error,
        version: reply.executed_version,
        log: log.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    })
}

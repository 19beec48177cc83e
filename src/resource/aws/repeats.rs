//! Reports why a call is retried. The SDK retries calls in silence; this checks each attempt just
//! before the SDK decides and reports, to the current step
//! ([`Cx::reporting_waits`](crate::resource::context::Cx::reporting_waits)), what went wrong.
//!
//! How often a call is retried, and with which pauses, is set in `connect`. The budget of a whole
//! run is the SDK's token bucket, one for each service and process: 500 tokens, of which a retry
//! holds 5 (10 after a timeout) until the call succeeds. A service that is down for everybody thus
//! ends a large run early instead of after all its retries.

use crate::resource::notify::report_wait;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryReason,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::{ErrorKind, RetryConfig};

/// The interceptor.
#[derive(Debug)]
pub(super) struct Repeats;

#[dyn_dispatch_hint]
impl Intercept for Repeats {
    fn name(&self) -> &'static str {
        "repeats"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempt = cfg.load::<RequestAttempts>().map_or(1, |at| at.attempts());
        let most = cfg
            .load::<RetryConfig>()
            .map_or(1, RetryConfig::max_attempts);
        let context = context.inner();
        if attempt >= most || !context.is_failed() {
            return Ok(());
        }
        if let Some(kind) = verdict(context, components) {
            let call = cfg.load::<Metadata>().map_or("the call", Metadata::name);
            let why = why(context, kind);
            report_wait(&format!(
                "{why}; {call} is made again ({attempt} of {most} failed)"
            ));
        }
        Ok(())
    }
}

/// The reason for which the SDK will retry the attempt: none where it will not.
fn verdict(context: &InterceptorContext, components: &RuntimeComponents) -> Option<ErrorKind> {
    // As the SDK does: each classifier sees what those before it decided.
    let mut verdict = RetryAction::NoActionIndicated;
    for classifier in components.retry_classifiers() {
        match classifier.classify_retry_v2(context, &verdict) {
            RetryAction::NoActionIndicated => {}
            RetryAction::RetryForbidden => return None,
            action => verdict = action,
        }
    }
    match verdict {
        RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) => Some(kind),
        _ => None,
    }
}

fn why(context: &InterceptorContext, kind: ErrorKind) -> String {
    let error = context.output_or_error().and_then(Result::err);
    let status = context.response().map(|reply| reply.status());
    let timed_out = error.is_some_and(|error| {
        error.is_timeout_error()
            || error
                .as_connector_error()
                .is_some_and(aws_smithy_runtime_api::client::result::ConnectorError::is_timeout)
    });
    match status {
        _ if kind == ErrorKind::ThrottlingError => "the service asks to slow down".to_owned(),
        _ if timed_out => "no reply came in time".to_owned(),
        None => "the connection broke".to_owned(),
        Some(status) if status.is_success() => "the reply could not be read".to_owned(),
        Some(status) => format!("the service returned {}", status.as_u16()),
    }
}

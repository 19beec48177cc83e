//! What can go wrong with a call, in words a person can act on.

use super::aws::bounded::is_untrusted;
use super::denial::Denial;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;

/// What is known about the effect of a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The service returned a 4xx and did nothing, or the call never left.
    None,
    /// The service may or may not have done it: a timeout, a lost connection, a reply that
    /// could not be read, a 5xx.
    Unknown,
}

/// An error of one AWS call: what was called and what AWS returned.
#[derive(Debug, Clone)]
pub struct CallError {
    /// The call, as an IAM action: `sqs:CreateQueue`.
    pub call: &'static str,
    /// The error code as on the wire (`NoSuchEntity`), or a word for a transport failure.
    pub code: String,
    /// The service's message, or the chain of transport errors.
    pub message: String,
    /// The request id, where the reply had one.
    pub request_id: Option<String>,
    /// The region that S3 names as the bucket's.
    pub bucket_region: Option<String>,
    /// The HTTP status, where there was a reply.
    pub status: Option<u16>,
    /// Whether it may have taken effect.
    pub effect: Effect,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A word of ours is no code: nothing was returned, or nothing that can be read.
        let verb = match self.code.starts_with(char::is_lowercase) {
            true => "failed:",
            false => "returned",
        };
        write!(f, "{} {verb} {}: {}", self.call, self.code, self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

/// Why a step failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An AWS call failed.
    #[error("{0}")]
    Call(Box<CallError>),
    /// A wait ended before what was waited for came about.
    #[error("waited {seconds} s for {waited_for}; last seen: {last}")]
    Timeout {
        /// What was waited for: what follows `waited for`.
        waited_for: String,
        /// How long.
        seconds: u64,
        /// What was seen last.
        last: String,
    },
    /// The user stopped the run while the step only waited.
    #[error("the run was interrupted while the step waited")]
    Interrupted {
        /// Whether a call before may have taken effect.
        effect: Effect,
    },
    /// No credentials were found, so no call was sent.
    #[error("{message}")]
    Credentials {
        /// Why.
        message: String,
        /// The one next step.
        hint: String,
    },
    /// A create or a deletion failed, and whether one of its calls took effect could not be found
    /// out.
    #[error("{error}{}", lookup_failure(.lookup_error))]
    Unsure {
        /// The step's own error.
        error: Box<Error>,
        /// Why the lookup of what it may have created failed, where that ended the step.
        lookup_error: Option<Box<Error>>,
    },
    /// The step's task panicked. What it said may hold a secret, and is not repeated.
    #[error("stackctl has a defect: the step broke off")]
    BrokeOff,
    /// The resource to be created has the name of one that this run deletes, or that the service is
    /// deleting: it can be created once that deletion is done.
    #[error("{what} still exists: it is being deleted, and the service has not let go of it yet")]
    StillThere {
        /// What it is, such as `a role named app`.
        what: String,
    },
    /// Anything else, as a full sentence.
    #[error("{message}")]
    Failed {
        /// What happened.
        message: String,
        /// The one next step, where there is one to name.
        hint: Option<String>,
    },
}

impl Error {
    /// A failure with no call behind it.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
            hint: None,
        }
    }

    /// A failure and the next step that mends it.
    pub fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// A reply of success that lacks what a caller needs: the call took effect, most likely.
    /// `lacks` is the member, such as `ApiId`.
    pub fn incomplete(call: &'static str, lacks: &str) -> Self {
        Self::Call(Box::new(CallError {
            call,
            code: "unreadable reply".to_owned(),
            message: format!("the reply has no {lacks}"),
            request_id: None,
            bucket_region: None,
            status: Some(200),
            effect: Effect::Unknown,
        }))
    }

    /// The same error of a read that came before the first write: nothing took effect.
    #[must_use]
    pub fn before_write(mut self) -> Self {
        if let Self::Call(call) = &mut self {
            call.effect = Effect::None;
        }
        self
    }

    /// The failed call that ended the attempt, where it was a call.
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Self::Call(call) => Some(call),
            Self::Unsure {
                error,
                lookup_error,
            } => lookup_error.as_ref().unwrap_or(error).call(),
            _ => None,
        }
    }

    /// The wire code of a failed call, or the empty string.
    pub fn code(&self) -> &str {
        self.call().map_or("", |call| &call.code)
    }

    /// The service's message of a failed call, or the empty string.
    pub fn message(&self) -> &str {
        self.call().map_or("", |call| &call.message)
    }

    /// The HTTP status of a failed call.
    pub fn status(&self) -> Option<u16> {
        self.call().and_then(|call| call.status)
    }

    /// The region that S3 names as the bucket's, with a failed call.
    pub fn bucket_region(&self) -> Option<&str> {
        self.call().and_then(|call| call.bucket_region.as_deref())
    }

    /// Whether the code is one of these.
    pub fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code())
    }

    /// Whether the call may have taken effect though it failed.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Call(call) => call.effect,
            Self::Interrupted { effect } => *effect,
            Self::Unsure { .. } | Self::BrokeOff => Effect::Unknown,
            _ => Effect::None,
        }
    }

    /// Whether the service asked to slow down. It did nothing, so the call may be retried.
    pub fn is_throttle(&self) -> bool {
        const CODES: &[&str] = &[
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "SlowDown",
        ];
        self.is(CODES) || self.status() == Some(429)
    }

    /// Whether AWS denied the call.
    pub fn is_denied(&self) -> bool {
        const CODES: &[&str] = &[
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "Client.UnauthorizedOperation",
            "Forbidden",
            "HTTP 403",
            "UnauthorizedOperation",
        ];
        self.is(CODES)
    }

    /// Whether the credentials are what is wrong: then each further call fails alike.
    pub fn is_of_credentials(&self) -> bool {
        const CODES: &[&str] = &[
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidToken",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "TokenRefreshRequired",
            "UnrecognizedClientException",
            "no credentials",
        ];
        match self {
            Self::Credentials { .. } => true,
            Self::Unsure {
                error,
                lookup_error,
            } => lookup_error.as_ref().unwrap_or(error).is_of_credentials(),
            _ => self.is(CODES),
        }
    }

    /// The error of a failed call.
    pub(crate) fn of<E>(call: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        if let Some(why) = no_credentials(error) {
            return Self::Credentials {
                message: why.message,
                hint: why.hint,
            };
        }
        Self::Call(Box::new(describe(call, error)))
    }

    /// The one next step, where one can be named.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Failed { hint, .. } => hint.clone(),
            Self::Credentials { hint, .. } => Some(hint.clone()),
            Self::Call(call) if self.is_denied() => {
                Some(Denial::parse(&call.message).hint(call.call))
            }
            Self::Timeout { .. } => {
                Some("Run apply again; options.timeouts gives it more time.".to_owned())
            }
            Self::Unsure {
                error,
                lookup_error,
            } => lookup_error.as_ref().unwrap_or(error).hint(),
            Self::BrokeOff => Some(
                "Run the command again; it finds out how things stand. Please report this."
                    .to_owned(),
            ),
            Self::StillThere { .. } => Some("Run apply again once it is deleted.".to_owned()),
            Self::Call(call) => call_hint(call),
            Self::Interrupted { .. } => Some("Run the command again to go on.".to_owned()),
        }
    }
}

/// What follows a create's error where the lookup of what it created failed.
fn lookup_failure(lookup_error: &Option<Box<Error>>) -> String {
    lookup_error
        .as_ref()
        .map_or_else(String::new, |lookup_error| {
            format!("; the lookup of what it may have created failed too: {lookup_error}")
        })
}

fn call_hint(call: &CallError) -> Option<String> {
    let hint = match call.code.as_str() {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            "The credentials have expired: sign in again (`aws sso login`, or new keys in the \
             environment), then run the command again."
                .to_owned()
        }
        "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => {
            "Check the credentials (providers.aws.profile, AWS_PROFILE or the environment keys)."
                .to_owned()
        }
        "no credentials" => {
            "Set AWS_PROFILE or the environment keys, or add --local to use the local cloud."
                .to_owned()
        }
        // The SDK's words for a proxy that would not let a call through.
        "no connection" if call.message.contains("tunnel") => {
            "Check the proxy (HTTPS_PROXY, NO_PROXY), then run the command again.".to_owned()
        }
        "no connection" if call.message.contains("certificate") => {
            "Check who signed the endpoint's certificate (AWS_CA_BUNDLE names further \
             authorities), then run the command again."
                .to_owned()
        }
        "no connection" | "timeout" => {
            "Check the network and the endpoint, then run the command again.".to_owned()
        }
        _ => return None,
    };
    Some(hint)
}

/// Turns an SDK result into ours, with the call's name: `….send().await.call("sqs:CreateQueue")`.
pub trait CallResult<T> {
    /// See the trait.
    fn call(self, call: &'static str) -> Result<T, Error>;
    /// The same, with an error that has one of these codes turned into none.
    fn call_unless(self, call: &'static str, codes: &[&str]) -> Result<Option<T>, Error>;
}

impl<T, E> CallResult<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn call(self, call: &'static str) -> Result<T, Error> {
        self.map_err(|error| Error::of(call, &error))
    }

    fn call_unless(self, call: &'static str, codes: &[&str]) -> Result<Option<T>, Error> {
        match self.call(call) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is(codes) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn describe<E>(call: &'static str, error: &SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let request_id = error.raw_response().and_then(|response| {
        ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"]
            .iter()
            .find_map(|name| response.headers().get(*name).map(str::to_owned))
    });
    let region = error.raw_response().and_then(|reply| {
        let region = reply.headers().get("x-amz-bucket-region");
        region
            .filter(|region| !region.is_empty())
            .map(str::to_owned)
    });
    let chain = chain(error);
    let (code, effect) = match error {
        // The SDK reports a successful reply that it cannot parse as an error of the service.
        SdkError::ServiceError(_) if status.is_some_and(|code| code < 400) => {
            ("unreadable reply".to_owned(), Effect::Unknown)
        }
        SdkError::ServiceError(_) => {
            // A success whose body the SDK cannot parse arrives here too: it was done.
            let effect = if status.is_some_and(|code| !(300..500).contains(&code)) {
                Effect::Unknown
            } else {
                Effect::None
            };
            let code = error.code().map_or_else(
                || status.map_or_else(|| "an error".to_owned(), |code| format!("HTTP {code}")),
                str::to_owned,
            );
            (code, effect)
        }
        SdkError::ConstructionFailure(_) => ("not sent".to_owned(), Effect::None),
        SdkError::TimeoutError(_) => ("timeout".to_owned(), Effect::Unknown),
        SdkError::ResponseError(_) => ("unreadable reply".to_owned(), Effect::Unknown),
        SdkError::DispatchFailure(_) if chain.contains("credentials") => {
            ("no credentials".to_owned(), Effect::None)
        }
        // Nothing is sent before the certificate is checked.
        SdkError::DispatchFailure(_) if is_untrusted(error) => {
            ("no connection".to_owned(), Effect::None)
        }
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            ("timeout".to_owned(), Effect::Unknown)
        }
        SdkError::DispatchFailure(_) => ("no connection".to_owned(), Effect::Unknown),
        _ => ("failure".to_owned(), Effect::Unknown),
    };
    let message = match error.message() {
        Some(message) => message.to_owned(),
        // A reply to HEAD has no body.
        None if code.starts_with("HTTP ") => "the reply says no more".to_owned(),
        None => chain,
    };
    CallError {
        call,
        code,
        message,
        request_id,
        bucket_region: region,
        status,
        effect,
    }
}

/// Why no credentials were found, where that is the cause.
fn no_credentials(error: &(dyn std::error::Error + 'static)) -> Option<NoCredentials> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(why) = error.downcast_ref::<NoCredentials>() {
            return Some(why.clone());
        }
        at = error.source();
    }
    None
}

/// The messages of an error and its causes, outermost first, each once.
pub(crate) fn chain_of(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut at = Some(error);
    while let Some(error) = at {
        let text = error.to_string();
        if !parts.contains(&text) {
            parts.push(text);
        }
        at = error.source();
    }
    parts
}

/// The same as one string.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    chain_of(error).join(": ")
}

/// Why no credentials were found, and what to do: taken from the causes of a failed call.
#[derive(Debug, Clone)]
pub(crate) struct NoCredentials {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NoCredentials {}

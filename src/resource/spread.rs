//! Refusals that pass once a change has spread: a service that does not know a new role, or a
//! role's new permissions, refuses for a while what it accepts later. It says the same of a
//! mistake, so how long the call is retried depends on what may still spread.
//!
//! Where this run changed nothing that the refusal may wait for (the roles that a step refers to,
//! their policies and attachments, by the references of the file), a change by somebody else just
//! before may still spread: 30 s are waited, as most changes of IAM are known within seconds. Where
//! it did change something, ten times that; `options.timeouts` is taken as it is. The local cloud
//! knows a role after a fraction of a second, and its waits are shorter in the same ratio.

use super::error::Error;
use crate::data::Data;
use tokio::time::Instant;

/// What a resource gives to those who use it: a change of it takes a while to be in effect.
#[derive(Debug, Clone, Copy)]
pub struct Rights {
    /// Whether it is the role itself; else it gives roles their permissions.
    pub is_role: bool,
    /// Whether what is declared grants something by itself: a role with policies of its own, or a
    /// policy that names its role as a string.
    pub grants: fn(&Data) -> bool,
}

/// Why a refused call is worth a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// A clause for people, beside the service's own words.
    pub text: &'static str,
    /// What it waits for.
    pub awaits: Awaits,
}

/// What a refusal passes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// The service itself: it is busy, or asks to slow down.
    Service,
    /// Something the call refers to, just created or changed: a role, a principal, a bucket.
    Created,
    /// What the policies of a role allow.
    Permissions,
}

impl From<&'static str> for Reason {
    fn from(text: &'static str) -> Self {
        Self {
            text,
            awaits: Awaits::Service,
        }
    }
}

impl Reason {
    /// It passes once what the call refers to is known everywhere.
    pub const fn created(text: &'static str) -> Self {
        Self {
            text,
            awaits: Awaits::Created,
        }
    }

    /// It passes once what a role's policies allow is known everywhere.
    pub const fn permissions(text: &'static str) -> Self {
        Self {
            text,
            awaits: Awaits::Permissions,
        }
    }

    /// What is said of the retry, in the service's own words where it has some.
    pub(super) fn words(&self, error: &Error) -> String {
        let Error::Call(call) = error else {
            return self.text.to_owned();
        };
        let service = service(call.call);
        match call.message.trim() {
            "" => format!("retrying: {service} returned {} ({})", call.code, self.text),
            message => format!("retrying: {service} says \"{message}\" ({})", self.text),
        }
    }
}

/// The service of a call such as `sqs:CreateQueue`, as people write it.
fn service(call: &str) -> &str {
    match call.split(':').next().unwrap_or_default() {
        "apigateway" => "API Gateway",
        "iam" => "IAM",
        "kms" => "KMS",
        "lambda" => "Lambda",
        "logs" => "CloudWatch Logs",
        "s3" => "S3",
        "sns" => "SNS",
        "sqs" => "SQS",
        "sts" => "STS",
        _ => "AWS",
    }
}

/// What this run has done, or will do, that a step's refusal may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spreading {
    /// Nothing.
    Nothing,
    /// The last of it was done then.
    Since(Instant),
    /// It is still to be done.
    ToCome,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::error::{CallError, Effect};

    fn refused(call: &'static str, message: &str) -> Error {
        Error::Call(Box::new(CallError {
            call,
            code: "Refused".to_owned(),
            message: message.to_owned(),
            bucket_region: None,
            request_id: None,
            status: Some(400),
            effect: Effect::None,
        }))
    }

    #[test]
    fn a_retry_is_reported_in_the_words_of_the_service() {
        let reason = Reason::permissions("new permissions take up to a minute");
        let words = reason.words(&refused("lambda:CreateFunction", "The role may not."));
        assert_eq!(
            words,
            "retrying: Lambda says \"The role may not.\" (new permissions take up to a minute)"
        );
        let words = Reason::from("it is busy").words(&refused("apigateway:POST (CreateApi)", ""));
        assert_eq!(words, "retrying: API Gateway returned Refused (it is busy)");
    }
}

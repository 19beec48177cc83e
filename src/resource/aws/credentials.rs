//! Credentials that say, when they cannot be had, why, and what to do; and say it once: a failure
//! is remembered for a moment, so that three hundred reads do not run one script each.
//!
//! The clients of the stack and of its state share them.

use super::profile::{About, Cause};
use crate::resource::error::NoCredentials;
use crate::resource::error::{Error, chain_of};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Providing;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a failure is remembered: the calls of one round all wait for the same credentials.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Credentials of another provider.
#[derive(Debug)]
pub(super) struct Explained {
    inner: SharedCredentialsProvider,
    about: About,
    failed: Mutex<Option<(Instant, NoCredentials)>>,
}

impl Explained {
    /// Credentials of `inner`, whose failures `about` explains.
    pub(super) fn new(inner: SharedCredentialsProvider, about: About) -> Self {
        Self {
            inner,
            about,
            failed: Mutex::default(),
        }
    }

    async fn provide(&self) -> Result<Credentials, CredentialsError> {
        // One at a time: those that wait get what the first one learns.
        let mut failed = self.failed.lock().await;
        if let Some((at, why)) = &*failed
            && at.elapsed() < REMEMBERED
        {
            return Err(CredentialsError::provider_error(why.clone()));
        }
        match self.inner.provide_credentials().await {
            Ok(credentials) => {
                *failed = None;
                Ok(credentials)
            }
            Err(error) => {
                let why = self.why(&error);
                *failed = Some((Instant::now(), why.clone()));
                Err(CredentialsError::provider_error(why))
            }
        }
    }

    fn why(&self, error: &CredentialsError) -> NoCredentials {
        let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut refused = None;
        while let Some(error) = at {
            if let Some(why) = error.downcast_ref::<NoCredentials>() {
                return why.clone();
            }
            refused = refused.or_else(|| by_sts(error));
            at = error.source();
        }
        self.about.explain(&Cause {
            texts: &chain_of(error),
            refused: refused.as_ref(),
        })
    }
}

impl ProvideCredentials for Explained {
    fn provide_credentials<'a>(&'a self) -> Providing<'a>
    where
        Self: 'a,
    {
        Providing::new(self.provide())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.inner.fallback_on_interrupt()
    }
}

/// What STS returned, where this error is its.
fn by_sts(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    type Sts<E> = SdkError<E, HttpResponse>;
    if let Some(error) = error.downcast_ref::<Sts<AssumeRoleError>>() {
        return Some(Error::of("sts:AssumeRole", error));
    }
    let web = error.downcast_ref::<Sts<AssumeRoleWithWebIdentityError>>()?;
    Some(Error::of("sts:AssumeRoleWithWebIdentity", web))
}

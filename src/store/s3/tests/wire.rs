//! A bucket on the local cloud whose calls fail as a rule says.

use super::super::S3Store;
use super::super::bucket::If;
use crate::lang::place::{S3Options, S3Place};
use crate::local_cloud::{Cloud, Options};
use crate::resource::aws::Aws;
use crate::store::lease::{Holder, process};
use crate::store::{Place, Store};
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It takes effect, and the connection breaks.
    LostReply,
    /// The same, and the attempts and look-ups after it find the bucket away: who called cannot know.
    Unknown,
    /// Another write is in progress, once or without an end.
    Conflict(bool),
    /// The bucket is away, once or without an end.
    Away(bool),
    /// Another run writes first.
    Another,
    /// S3 replies this each time: the status and the body.
    Reply(u16, &'static str),
}

/// The call: how it starts, what its address has in it, and which of those it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct At(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) usize,
);

/// What the rule does from the call on that it is about.
#[derive(Debug)]
struct Rule {
    at: At,
    fault: Fault,
    seen: usize,
    struck: usize,
    /// Attempts at the same request are one call.
    key: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Wire {
    cloud: Cloud,
    rule: Arc<Mutex<Option<Rule>>>,
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Broken {
            inner: self
                .cloud
                .http_client()
                .http_connector(settings, components),
            wire: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Broken {
    inner: SharedHttpConnector,
    wire: Wire,
}

impl Wire {
    /// A local cloud in a folder, and no rule.
    pub(super) fn open(dir: &Path) -> Self {
        let cloud = Cloud::open(Options {
            dir: dir.to_owned(),
            ..Options::default()
        });
        Self {
            cloud: cloud.unwrap(),
            rule: Arc::default(),
        }
    }

    /// From now on a fault strikes at a call.
    pub(super) fn strike(&self, at: At, fault: Fault) {
        *self.rule.lock().unwrap() = Some(Rule {
            at,
            fault,
            seen: 0,
            struck: 0,
            key: None,
        });
    }

    /// Ends the rule: how often it struck.
    pub(super) fn struck(&self) -> usize {
        let rule = self.rule.lock().unwrap().take();
        rule.map_or(0, |rule| rule.struck)
    }

    /// What is to happen to a request.
    fn draw(&self, request: &HttpRequest) -> Option<Fault> {
        let mut rule = self.rule.lock().unwrap();
        let rule = rule.as_mut()?;
        let At(method, part, number) = rule.at;
        if !request.uri().contains(part) {
            return None;
        }
        if rule.fault == Fault::Unknown && (1..6).contains(&rule.struck) {
            rule.struck += 1;
            return Some(Fault::Away(true));
        }
        if request.method() != method {
            return None;
        }
        let id = request.headers().get("amz-sdk-invocation-id");
        let id = id.map(str::to_owned);
        if id != rule.key {
            rule.seen += 1;
            rule.key = id;
        }
        let due = match rule.fault {
            Fault::Conflict(true) | Fault::Away(true) | Fault::Reply(..) => rule.seen >= number,
            _ => rule.seen == number && rule.struck == 0,
        };
        if !due {
            return None;
        }
        rule.struck += 1;
        Some(match rule.fault {
            Fault::Unknown => Fault::LostReply,
            fault => fault,
        })
    }
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    reply(status, &body)
}

fn reply(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

impl HttpConnector for Broken {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let fault = self.wire.draw(&request);
        let key = request.uri().split(['?']).next().unwrap_or_default();
        let key = key.split("/states/").nth(1).unwrap_or_default().to_owned();
        let (inner, wire) = (self.inner.clone(), self.wire.clone());
        HttpConnectorFuture::new(async move {
            match fault {
                None => inner.call(request).await,
                Some(Fault::LostReply) => {
                    inner.call(request).await?;
                    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
                    Err(ConnectorError::io(reset.into()))
                }
                Some(Fault::Conflict(_)) => Ok(refusal(409, "ConditionalRequestConflict")),
                Some(Fault::Away(_)) => Ok(refusal(503, "ServiceUnavailable")),
                Some(Fault::Reply(status, body)) => Ok(reply(status, body)),
                Some(Fault::Another | Fault::Unknown) => {
                    wire.another(&key).await;
                    inner.call(request).await
                }
            }
        })
    }
}

impl Wire {
    /// Clients; `faulty`: with the rule.
    pub(super) async fn aws(&self, faulty: bool) -> Arc<Aws> {
        let client = match faulty {
            true => SharedHttpClient::new(self.clone()),
            false => self.cloud.http_client(),
        };
        let retry = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(1))
            .with_max_backoff(Duration::from_millis(2));
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(client)
            .retry_config(retry)
            .credentials_provider(Credentials::from_keys("test", "test", None))
            .region(Region::new("us-east-1"));
        Arc::new(Aws::new(config.load().await, true))
    }

    pub(super) async fn store(&self, faulty: bool) -> Store {
        let place = S3Place {
            bucket: "states".to_owned(),
            key: "s.json".to_owned(),
            options: S3Options::default(),
        };
        Store::s3(S3Store::new(self.aws(faulty).await, &place))
    }

    /// Another run writes what a request is about to write.
    pub(super) async fn another(&self, key: &str) {
        let bucket = s3(&self.store(false).await).bucket.clone();
        let mut other = holder("another");
        other.pids_of = "elsewhere".to_owned();
        let body = match key.ends_with(".lock") {
            true => serde_json::to_vec(&other).unwrap(),
            false => b"{\"taken\":{\"by\":\"another\"}}\n".to_vec(),
        };
        bucket.put(key, body, If::Always).await.unwrap();
    }
}

pub(super) fn s3(store: &Store) -> &S3Store {
    match &store.place {
        Place::S3(s3) => s3,
        Place::Local(_) => unreachable!(),
    }
}

/// A holder whose process has ended, so that who comes next need not wait.
pub(super) fn holder(id: &str) -> Holder {
    let (pids_of, started) = process(std::process::id());
    Holder {
        id: id.to_owned(),
        command: "apply of s".to_owned(),
        host: "here".to_owned(),
        pid: std::process::id(),
        since: 0,
        lease: 3600,
        beat: 0,
        pids_of,
        started: started.unwrap_or_default() + 1,
    }
}

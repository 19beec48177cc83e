//! SDK clients on the services, with a store in memory and a clock that stands still until a
//! test moves it.

use super::chunked;
use super::service::{Reply, Request, Service, Store};
use super::wire::{self, Scope};
use crate::resource::aws::Aws;
use crate::resource::aws::connect::{Local, Settings, connect};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A store in memory.
#[derive(Debug, Default, Clone)]
pub(super) struct Memory {
    values: BTreeMap<String, Value>,
    blobs: BTreeMap<String, Bytes>,
}

impl Store for Memory {
    fn get(&self, key: &str) -> Option<Value> {
        self.values.get(key).cloned()
    }

    fn scan(&self, prefix: &str) -> Vec<(String, Value)> {
        let pairs = self.values.range(prefix.to_owned()..);
        pairs
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn next_key(&self, prefix: &str, after: &str) -> Option<String> {
        let mut keys = self.values.range(prefix.to_owned()..).map(|(key, _)| key);
        let key = keys.find(|key| key.as_str() > after)?;
        key.starts_with(prefix).then(|| key.clone())
    }

    fn put(&mut self, key: &str, value: Value) {
        self.values.insert(key.to_owned(), value);
    }

    fn remove(&mut self, key: &str) {
        self.values.remove(key);
    }

    fn blob(&self, name: &str) -> Option<Bytes> {
        self.blobs.get(name).cloned()
    }

    fn put_blob(&mut self, bytes: &Bytes) -> String {
        let name = hex::encode(Sha256::digest(bytes));
        self.blobs.insert(name.clone(), bytes.clone());
        name
    }
}

/// What all clients of one test share.
#[derive(Debug)]
pub(super) struct World {
    /// What the services hold.
    pub(super) store: Memory,
    /// The time, in milliseconds.
    pub(super) now: u64,
    /// The operations that were called, in order.
    pub(super) calls: Vec<String>,
}

/// A local cloud for one test.
#[derive(Debug, Clone)]
pub(super) struct Cloud(Arc<Mutex<World>>);

impl Cloud {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(World {
            store: Memory::default(),
            now: 1_795_441_289_120,
            calls: Vec::new(),
        })))
    }

    /// Clients in a region.
    pub(super) async fn clients(&self, region: &str) -> Aws {
        let connector = SharedHttpConnector::new(self.clone());
        let settings = Settings {
            region: Some(region.to_owned()),
            local: Some(Local {
                http: http_client_fn(move |_, _| connector.clone()),
                speed: 1.0,
            }),
            ..Settings::default()
        };
        connect(&settings).await.unwrap()
    }

    /// Lets time pass.
    pub(super) fn pass(&self, millis: u64) {
        self.0.lock().unwrap().now += millis;
    }

    /// Looks at or changes the world.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }

    fn answer(&self, request: &HttpRequest) -> Reply {
        let mut world = self.0.lock().unwrap();
        let (service, request) = read(request, world.now);
        world.calls.push(service.operation(&request));
        let before = world.store.clone();
        let reply = service.answer(&request, &mut world.store);
        let mut reply = reply.unwrap_or_else(|refusal| {
            world.store = before;
            service.refuse(&request, &refusal)
        });
        wire::complete(&mut reply);
        reply
    }
}

/// The request as a service sees it; region and service come from the signature's scope.
fn read(request: &HttpRequest, now: u64) -> (&'static dyn Service, Request) {
    let uri: http::Uri = request.uri().parse().unwrap();
    let mut read = wire::request(request.method(), &uri, request.headers().iter());
    read.body = Bytes::copy_from_slice(request.body().bytes().unwrap());
    assert!(chunked::decode(&mut read), "the chunked body is malformed");
    read.now = now;
    let name = Scope::of(&read).service;
    let service: &'static dyn Service = match name.as_str() {
        "iam" => &super::iam::Iam,
        "s3" => &super::s3::S3,
        "lambda" => &super::lambda::Lambda,
        "sqs" => &super::sqs::Sqs,
        other => panic!("no service {other}"),
    };
    assert_eq!(service.signing_name(), name);
    (service, read)
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let reply = self.answer(&request);
        let mut response =
            HttpResponse::new(reply.status.try_into().unwrap(), SdkBody::from(reply.body));
        for (name, value) in reply.headers {
            response.headers_mut().append(name, value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// The wire code of a call that has to fail, and its message.
pub(super) fn refused<T, E>(
    result: Result<T, aws_smithy_runtime_api::client::result::SdkError<E, HttpResponse>>,
) -> (String, String)
where
    T: std::fmt::Debug,
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + 'static,
{
    use aws_smithy_types::error::metadata::ProvideErrorMetadata;
    let error = result.unwrap_err();
    let raw = error.raw_response().unwrap();
    assert!(raw.status().is_client_error(), "{raw:?}");
    assert!(
        raw.headers()
            .get("x-amzn-requestid")
            .or(raw.headers().get("x-amz-request-id"))
            .is_some(),
        "a refusal without a request id"
    );
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    (text(error.code()), text(error.message()))
}

/// Asserts that a call is refused with this code and a message that contains a string.
macro_rules! assert_refused {
    ($call:expr, $code:expr) => {
        assert_refused!($call, $code, "")
    };
    ($call:expr, $code:expr, $message:expr) => {{
        let (code, message) = crate::local_cloud::testing::refused($call.send().await);
        assert_eq!(code, $code, "{message}");
        assert!(
            message.contains($message),
            "{message:?} lacks {:?}",
            $message
        );
    }};
}
pub(super) use assert_refused;

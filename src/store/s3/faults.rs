//! Each call that a state in a bucket takes meets each fault: a reply that is lost, a conflict, a
//! condition that another run's write broke or one's own, a bucket that is away for a moment or for
//! good. What heals heals, what does not is an error, and nothing that was acknowledged is lost.

use super::S3Store;
use super::bucket::If;
use crate::data::Path;
use crate::lang::place::{S3Options, S3Place};
use crate::local_cloud::{Cloud, Options};
use crate::resource::aws::Aws;
use crate::store::journal::{Entry, Intent};
use crate::store::lease::{Holder, Patience, process};
use crate::store::state::{ResourceState, State, StateChange};
use crate::store::{Opened, Place, Store, StoreError};
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
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It takes effect, and the connection breaks.
    LostReply,
    /// The same, and the attempts and look-ups after it find the bucket away: who called cannot know.
    Unknown,
    /// Another write is under way, once or without an end.
    Conflict(bool),
    /// The bucket is away, once or without an end.
    Away(bool),
    /// Another run writes first.
    Another,
}

/// The call: how it starts, what its address has in it, and which of those it is.
#[derive(Debug, Clone, Copy)]
struct At(&'static str, &'static str, usize);

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
struct Wire {
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
            Fault::Conflict(true) | Fault::Away(true) => rule.seen >= number,
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
    async fn aws(&self, faulty: bool) -> Arc<Aws> {
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

    async fn store(&self, faulty: bool) -> Store {
        let place = S3Place {
            bucket: "states".to_owned(),
            key: "s.json".to_owned(),
            options: S3Options::default(),
        };
        Store::s3(self.aws(faulty).await, &place)
    }

    /// Another run writes what a request is about to write.
    async fn another(&self, key: &str) {
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

fn s3(store: &Store) -> &S3Store {
    match &store.place {
        Place::S3(s3) => s3,
        Place::Local(_) => unreachable!(),
    }
}

/// A holder whose process has ended, so that who comes next need not wait.
fn holder(id: &str) -> Holder {
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

async fn lock(store: &Store, id: &str) -> Result<(), StoreError> {
    let mut tell = |_: &Holder| {};
    let patience = Patience {
        timeout: Some(Duration::ZERO),
        tell: &mut tell,
    };
    store.lock(&holder(id), patience).await
}

fn put(address: &str) -> StateChange {
    let resource = ResourceState {
        type_name: "random:RandomPet".to_owned(),
        id: address.to_owned(),
        ..ResourceState::default()
    };
    StateChange::Put {
        address: address.to_owned(),
        resource: Box::new(resource),
    }
}

fn begin(step: usize, address: &str) -> Entry {
    Entry::Begin(Intent {
        step,
        op: "create".to_owned(),
        address: address.to_owned(),
        type_name: "random:RandomPet".to_owned(),
        inputs: Value::Null,
        decided: Map::new(),
        operation: String::new(),
        unfinished: BTreeSet::<Path>::new(),
        resource: None,
    })
}

fn done(step: usize, address: &str) -> Entry {
    Entry::Done {
        step,
        changes: vec![put(address)],
    }
}

/// What a run was told that it is durable.
#[derive(Debug, Default)]
struct Told {
    begun: Vec<&'static str>,
    done: Vec<&'static str>,
    saved: bool,
}

/// What there is before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A state that was saved.
    Saved,
    /// And a run that died with one resource created and another begun.
    Crashed,
    /// Something that is no state.
    Unusable,
}

const NO_STATE: &[u8] = b"{\"not\": \"a state\"}";

async fn prepare(wire: &Wire, before: Before) {
    let aws = wire.aws(false).await;
    let made = aws.s3().create_bucket().bucket("states").send().await;
    made.unwrap();
    let store = wire.store(false).await;
    lock(&store, "first").await.unwrap();
    let mut state = store.open("s", None).await.unwrap().state;
    store.save(&mut state).await.unwrap();
    match before {
        Before::Saved => store.release().await,
        Before::Unusable => {
            store.release().await;
            let bucket = &s3(&store).bucket;
            let written = bucket.put("s.json", NO_STATE.to_vec(), If::Always).await;
            written.unwrap();
        }
        Before::Crashed => {
            let mut journal = store.start(&state).await.unwrap();
            journal.add(&begin(0, "old")).unwrap();
            journal.sync().await.unwrap();
            journal.add(&done(0, "old")).unwrap();
            journal.add(&begin(1, "open")).unwrap();
            journal.sync().await.unwrap();
        }
    }
}

/// A run: two resources, each begun and done, the journal written again where that failed, as an
/// apply does, and a save.
async fn run(store: &Store, before: Before, told: &mut Told) -> Result<(), StoreError> {
    lock(store, "run").await?;
    let opened = match before {
        Before::Unusable => {
            let inspected = store.inspect().await?;
            let state = inspected.anew("s", None, None);
            return save(store, state, told).await;
        }
        _ => store.open("s", None).await?,
    };
    let mut state = opened.into_state();
    if before == Before::Crashed {
        return save(store, state, told).await;
    }
    let mut journal = store.start(&state).await?;
    let mut failed = None;
    journal.add(&begin(0, "a"))?;
    match journal.sync().await {
        Ok(()) => told.begun.push("a"),
        Err(error) => failed = Some(error),
    }
    if failed.is_none() {
        journal.add(&done(0, "a"))?;
        state.change(put("a"));
        journal.add(&begin(1, "b"))?;
        match journal.sync().await {
            Ok(()) => {
                told.done.push("a");
                told.begun.push("b");
            }
            Err(error) => failed = Some(error),
        }
    }
    // What is done is written once more where that failed; nothing more is begun.
    if failed.is_some() && journal.sync().await.is_ok() {
        failed = None;
    }
    if s3(store).renew_lease().await.is_err() {
        s3(store).renew_lease().await?;
    }
    if failed.is_none() {
        journal.add(&done(1, "b"))?;
        state.change(put("b"));
        journal.sync().await?;
        told.done.push("b");
    }
    save(store, state, told).await?;
    failed.map_or(Ok(()), Err)
}

async fn save(store: &Store, mut state: State, told: &mut Told) -> Result<(), StoreError> {
    store.save(&mut state).await?;
    told.saved = true;
    Ok(())
}

/// Whether the next run finds all that this one was told is durable.
async fn next(wire: &Wire, before: Before, told: &Told) -> Result<Opened, String> {
    let store = wire.store(false).await;
    lock(&store, "next")
        .await
        .map_err(|it| format!("the next run: {it}"))?;
    let opened = match store.open("s", None).await {
        Ok(opened) => opened,
        Err(_) if before == Before::Unusable && !told.saved => {
            let inspected = store.inspect().await.map_err(|it| it.to_string())?;
            return match inspected.state {
                Err(_) => Err("kept".to_owned()),
                Ok(_) => Err("it opens not, and is a state".to_owned()),
            };
        }
        Err(error) => return Err(format!("the next run: {error}")),
    };
    let has = |address: &str| opened.state.resources.contains_key(address);
    let open = |address: &str| opened.open.iter().any(|one| one.address == address);
    if let Some(address) = told.done.iter().find(|address| !has(address)) {
        return Err(format!("{address} was done, and is lost: {opened:?}"));
    }
    if let Some(address) = told.begun.iter().find(|it| !has(it) && !open(it)) {
        return Err(format!("{address} was begun, and is lost: {opened:?}"));
    }
    if before == Before::Crashed && !(has("old") && (open("open") || !opened.open.is_empty())) {
        return Err(format!("what the run before left is lost: {opened:?}"));
    }
    if told.saved && opened.interrupted {
        return Err("a journal is left of a run that was saved".to_owned());
    }
    Ok(opened)
}

/// How it must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Failed,
    /// It failed, and says that another run is at work.
    Lost,
}

const READ: &[Fault] = &[Fault::Away(false), Fault::Away(true), Fault::LostReply];
const WRITE: &[Fault] = &[
    Fault::LostReply,
    Fault::Unknown,
    Fault::Conflict(false),
    Fault::Conflict(true),
    Fault::Away(false),
    Fault::Away(true),
    Fault::Another,
];

/// The calls, by what they are for: what there is before, the call, and its faults.
const CALLS: &[(&str, Before, At, &[Fault])] = &[
    (
        "the lease is read",
        Before::Saved,
        At("GET", "s.json.lock", 1),
        READ,
    ),
    (
        "the lease is taken",
        Before::Saved,
        At("PUT", "s.json.lock", 1),
        WRITE,
    ),
    (
        "the lease is renewed",
        Before::Saved,
        At("PUT", "s.json.lock", 2),
        WRITE,
    ),
    (
        "the lease is given back",
        Before::Saved,
        At("PUT", "s.json.lock", 3),
        WRITE,
    ),
    (
        "the state is read",
        Before::Saved,
        At("GET", "s.json?", 1),
        READ,
    ),
    (
        "the versions are listed",
        Before::Saved,
        At("GET", "prefix=s.json.history", 1),
        READ,
    ),
    (
        "the journal is listed",
        Before::Saved,
        At("GET", "prefix=s.json.journal", 1),
        READ,
    ),
    (
        "the journal is started",
        Before::Saved,
        At("PUT", "journal/0000000001-000000", 1),
        WRITE,
    ),
    (
        "an entry is written",
        Before::Saved,
        At("PUT", "journal/0000000001-000001", 1),
        WRITE,
    ),
    (
        "a later entry is written",
        Before::Saved,
        At("PUT", "journal/0000000001-000002", 1),
        WRITE,
    ),
    (
        "the state is saved",
        Before::Saved,
        At("PUT", "s.json?", 1),
        WRITE,
    ),
    (
        "a version is kept",
        Before::Saved,
        At("PUT", "s.json.history/0000000002", 1),
        WRITE,
    ),
    (
        "the old journal is listed",
        Before::Saved,
        At("GET", "prefix=s.json.journal", 2),
        READ,
    ),
    (
        "the old journal is looked at",
        Before::Saved,
        At("GET", "journal/0000000001-000001", 1),
        READ,
    ),
    (
        "the old journal is deleted",
        Before::Saved,
        At("POST", "delete", 1),
        READ,
    ),
    (
        "an entry is read",
        Before::Crashed,
        At("GET", "journal/0000000001-000001", 1),
        READ,
    ),
    (
        "a journal is closed",
        Before::Crashed,
        At("PUT", "journal/0000000001-000003", 1),
        WRITE,
    ),
    (
        "what is no state is copied",
        Before::Unusable,
        At("PUT", "s.json.unusable", 1),
        WRITE,
    ),
];

/// How a fault of a call must end.
fn end(name: &str, fault: Fault) -> End {
    match (name, fault) {
        // The reply of an unconditional write matters to nobody.
        (_, Fault::LostReply | Fault::Conflict(false) | Fault::Away(false)) => End::Done,
        // Where that fails the lease runs out, and the next save deletes what is old.
        ("the lease is given back" | "the old journal is listed", _) => End::Done,
        ("the old journal is looked at" | "the old journal is deleted", _) => End::Done,
        // It is written once more.
        (
            "the lease is renewed" | "an entry is written" | "a later entry is written",
            Fault::Unknown,
        ) => End::Done,
        // Another run's copy or version of the same name has the same content.
        ("a version is kept" | "what is no state is copied", Fault::Another) => End::Done,
        // The number is taken; the next one closes it.
        ("a journal is closed", Fault::Another) => End::Done,
        ("the lease is taken", Fault::Another) => End::Failed,
        (_, Fault::Another) => End::Lost,
        _ => End::Failed,
    }
}

async fn meets(name: &str, before: Before, at: At, fault: Fault) -> Result<usize, String> {
    let dir = tempfile::tempdir().unwrap();
    let cloud = Cloud::open(Options {
        dir: dir.path().to_owned(),
        ..Options::default()
    });
    let wire = Wire {
        cloud: cloud.unwrap(),
        rule: Arc::default(),
    };
    prepare(&wire, before).await;
    let store = wire.store(true).await;
    *wire.rule.lock().unwrap() = Some(Rule {
        at,
        fault,
        seen: 0,
        struck: 0,
        key: None,
    });
    let mut told = Told::default();
    let ended = run(&store, before, &mut told).await;
    store.release().await;
    let struck = wire
        .rule
        .lock()
        .unwrap()
        .take()
        .map_or(0, |rule| rule.struck);
    let wanted = end(name, fault);
    let fits = match (&ended, wanted) {
        (Ok(()), End::Done) => told.saved,
        (Err(StoreError::Lost { .. }), End::Lost) => true,
        (Err(StoreError::Lost { .. }), _) => false,
        (Err(_), End::Failed) => true,
        _ => false,
    };
    if !fits {
        return Err(format!("expected {wanted:?}, and it ended with {ended:?}"));
    }
    if fault == Fault::Another
        && !matches!(name, "a version is kept" | "what is no state is copied")
    {
        let key = at.1.trim_end_matches('?');
        let key = match key.strip_prefix("journal") {
            Some(number) => format!("s.json.journal{number}"),
            None => key.to_owned(),
        };
        let bucket = &s3(&wire.store(false).await).bucket.clone();
        let there = bucket.get(&key).await.map_err(|it| it.to_string())?;
        let text = there.map_or_else(Vec::new, |object| object.body);
        return match String::from_utf8_lossy(&text).contains("another") {
            true => Ok(struck),
            false => Err(format!("what the other run wrote is overwritten in {key}")),
        };
    }
    match next(&wire, before, &told).await {
        Err(why) if why == "kept" => Ok(struck),
        found => found.map(|_| struck),
    }
}

#[test]
fn each_call_of_a_state_in_a_bucket_meets_each_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let offered: usize = CALLS.iter().map(|call| call.3.len()).sum();
    let cases = CALLS.iter().flat_map(|(name, before, at, faults)| {
        faults.iter().map(move |fault| async move {
            let met = meets(name, *before, *at, *fault).await;
            (format!("{name}, {fault:?}"), met)
        })
    });
    // They wait more than they do.
    let met = runtime.block_on(futures_util::future::join_all(cases));
    let (mut struck, mut failed) = (0, Vec::new());
    for (name, met) in met {
        match met {
            Ok(0) => failed.push(format!("{name}: it did not happen")),
            Ok(_) => struck += 1,
            Err(why) => failed.push(format!("{name}: {why}")),
        }
    }
    let held = offered - failed.len();
    println!("reliability: faults of a state in a bucket {offered} tried {held} held");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(struck, offered);
}

/// Only the holder that was shown loses its lock; and one that is late with its beat, by its own
/// clock, beats before it begins anything.
#[tokio::test]
async fn a_lease_is_of_who_stands_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = Cloud::open(Options {
        dir: dir.path().to_owned(),
        ..Options::default()
    });
    let wire = Wire {
        cloud: cloud.unwrap(),
        rule: Arc::default(),
    };
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    wire.another("s.json.lock").await;
    let found = store.unlock(&holder("shown")).await;
    assert!(matches!(found, Err(StoreError::Locked { .. })), "{found:?}");
    let lock = || async {
        let bucket = &s3(&store).bucket;
        let object = bucket.get("s.json.lock").await.unwrap().unwrap();
        serde_json::from_slice::<Value>(&object.body).unwrap()
    };
    assert_eq!(lock().await["id"], "another");
    store.unlock(&holder("another")).await.unwrap();
    assert_eq!(lock().await, serde_json::json!({}));

    let mut short = holder("short");
    short.lease = 1;
    let mut tell = |_: &Holder| {};
    let patience = Patience {
        timeout: Some(Duration::ZERO),
        tell: &mut tell,
    };
    store.lock(&short, patience).await.unwrap();
    let mut state = store.open("s", None).await.unwrap().state;
    let mut journal = store.start(&state).await.unwrap();
    // Its beats do not come: the process slept.
    s3(&store).stop_beating();
    tokio::time::sleep(Duration::from_millis(800)).await;
    let before = lock().await["beat"].as_u64();
    journal.add(&begin(0, "a")).unwrap();
    journal.sync().await.unwrap();
    assert!(lock().await["beat"].as_u64() > before, "it did not beat");
    // Taken over meanwhile: it begins nothing, and saves nothing.
    wire.another("s.json.lock").await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    journal.add(&begin(1, "b")).unwrap();
    for found in [journal.sync().await, store.save(&mut state).await] {
        assert!(matches!(found, Err(StoreError::Lost { .. })), "{found:?}");
    }
    store.release().await;
    assert_eq!(lock().await["id"], "another");
}

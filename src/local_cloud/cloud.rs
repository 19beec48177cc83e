//! The local cloud as a whole: its services, its folder, its HTTP client, and what it was
//! asked.

use super::connector::Client;
use super::disk::Disk;
use super::fault::{Fault, Faults, Lot, What};
use super::service::{Service, Store};
use super::{apigateway, cloudcontrol, iam, lambda, logs, s3, sns, sqs, sts};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde_json::Value;
use std::convert::Infallible;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The services, one line each.
fn services() -> Vec<Box<dyn Service>> {
    vec![
        Box::new(apigateway::ApiGateway),
        Box::new(cloudcontrol::CloudControl),
        Box::new(iam::Iam),
        Box::new(lambda::Lambda),
        Box::new(logs::Logs),
        Box::new(s3::S3),
        Box::new(sns::Sns),
        Box::new(sqs::Sqs),
        Box::new(sts::Sts),
    ]
}

/// How a local cloud is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds it.
    pub dir: PathBuf,
    /// How many times faster than real time its clock runs. The clock belongs to the
    /// folder: who opens it with another speed changes the speed for everybody, and the
    /// local time goes on from where it was.
    pub speed: f64,
    /// What is to go wrong.
    pub faults: Vec<Fault>,
    /// What every call takes longer.
    pub latency: Duration,
    /// What a kill among the faults does.
    pub kill: Kill,
    /// A file that takes a line for each fault that strikes: the rule's place in the list, from 0,
    /// and the call.
    pub struck: Option<PathBuf>,
}

/// What a kill among the faults does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kill {
    /// It ends the process.
    #[default]
    Process,
    /// From then on this cloud returns no reply, and [`Cloud::died`] reports it: for tests that
    /// abandon a run and go on in the same process.
    Client,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dir: PathBuf::from(".stackctl/local"),
            speed: 1.0,
            faults: Vec::new(),
            latency: Duration::ZERO,
            kill: Kill::Process,
            struck: None,
        }
    }
}

impl Options {
    /// Options from strings such as environment variables hold: a JSON list of faults (see
    /// [`Fault`]), a speed as a number, a latency in milliseconds.
    ///
    /// # Errors
    /// A sentence that says which string is wrong.
    pub fn from_strings(
        dir: PathBuf,
        faults: Option<&str>,
        speed: Option<&str>,
        latency: Option<&str>,
    ) -> Result<Self, String> {
        let speed = speed.map_or(Ok(1.0), |text| {
            text.parse::<f64>()
                .ok()
                .filter(|speed| (0.001..=1_000_000.0).contains(speed))
                .ok_or_else(|| format!("{text:?} is not a speed between 0.001 and 1000000"))
        })?;
        let latency = latency.map_or(Ok(0), |text| {
            text.parse::<u64>()
                .map_err(|_| format!("{text:?} is not a latency in milliseconds"))
        })?;
        Ok(Self {
            dir,
            speed,
            faults: faults.map_or_else(|| Ok(Vec::new()), Fault::parse)?,
            latency: Duration::from_millis(latency),
            kill: Kill::Process,
            struck: None,
        })
    }
}

/// One call that was received.
#[derive(Debug, Clone)]
pub struct Call {
    /// The service's signing name and the operation: `sqs:CreateQueue`.
    pub operation: String,
    /// When it came in.
    pub started: Instant,
    /// When its reply was returned.
    pub ended: Instant,
    /// The status of the reply; none where the connection broke.
    pub status: Option<u16>,
}

/// One resource or setting that the local cloud holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its key in the store: `sqs/us-west-2/queue/name`.
    pub key: String,
    /// The service's signing name, the key's first part.
    pub service: String,
    /// What it is: `queue`, `group`, `api`, `integration`, …
    pub kind: String,
    /// Its name or id, the key's last part.
    pub name: String,
    /// What the service keeps of it.
    pub value: Value,
}

/// A local cloud. Clones share everything.
#[derive(Debug, Clone)]
pub struct Cloud(Arc<Inner>);

/// What the clones of a cloud and its HTTP clients share.
pub(super) struct Inner {
    pub(super) disk: Mutex<Disk>,
    pub(super) latency: Duration,
    pub(super) speed: f64,
    kill: Kill,
    dead: watch::Sender<bool>,
    services: Vec<Box<dyn Service>>,
    faults: Mutex<Faults>,
    struck: Option<PathBuf>,
    calls: Mutex<Vec<Call>>,
    messages: watch::Sender<u64>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("local cloud")
    }
}

impl Inner {
    pub(super) fn service(&self, name: &str) -> Option<&dyn Service> {
        self.services
            .iter()
            .find(|service| service.signing_name() == name)
            .map(AsRef::as_ref)
    }

    pub(super) fn draw(&self, operation: &str) -> Lot {
        self.draw_by(operation, Faults::draw)
    }

    pub(super) fn draw_action(&self, action: &str) -> Lot {
        self.draw_by(action, Faults::draw_action)
    }

    fn draw_by(&self, name: &str, draw: fn(&mut Faults, &str) -> Lot) -> Lot {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let lot = draw(&mut faults, name);
        if let Some(path) = self.struck.as_ref().filter(|_| !lot.struck.is_empty()) {
            note(path, name, &lot.struck);
        }
        lot
    }

    /// Ends the process, or never returns.
    pub(super) async fn die(&self) {
        match self.kill {
            Kill::Process => std::process::abort(),
            Kill::Client => {
                self.dead.send_replace(true);
                std::future::pending::<()>().await;
            }
        }
    }

    /// Never returns once the client died.
    pub(super) async fn end_if_dead(&self) {
        if *self.dead.borrow() {
            std::future::pending::<()>().await;
        }
    }

    /// Tells those who wait for messages that there may be some.
    pub(super) fn announce_messages(&self) {
        self.messages
            .send_modify(|calls| *calls = calls.wrapping_add(1));
    }

    pub(super) fn record(&self, call: Call) {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
    }
}

/// Notes the rules that struck a call. Where that fails the file lacks lines that its reader
/// expects.
fn note(path: &Path, call: &str, struck: &[usize]) {
    let lines: String = struck
        .iter()
        .map(|place| format!("{place} {call}\n"))
        .collect();
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).append(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(lines.as_bytes()));
}

impl Cloud {
    /// Opens the cloud in a folder, or creates one.
    ///
    /// # Errors
    /// When the folder cannot be created, read or written, or holds something else.
    pub fn open(options: Options) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner {
            disk: Mutex::new(Disk::open(&options.dir, options.speed)?),
            latency: options.latency,
            speed: options.speed,
            kill: options.kill,
            dead: watch::Sender::new(false),
            services: services(),
            faults: Mutex::new(Faults::new(options.faults)),
            struck: options.struck,
            calls: Mutex::default(),
            messages: watch::Sender::new(0),
        })))
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Changes whenever a call of this process may have put messages within reach: who waits for
    /// messages looks again. Other processes are not heard.
    pub(super) fn messages(&self) -> watch::Receiver<u64> {
        self.0.messages.subscribe()
    }

    /// The HTTP client for the SDK.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Client(Arc::clone(&self.0)))
    }

    /// Waits until a fault has killed the client (with [`Kill::Client`]).
    pub async fn died(&self) {
        // The sender lives as long as this does.
        let _ = self.0.dead.subscribe().wait_for(|dead| *dead).await;
    }

    /// A moment that faults may name beside the calls, such as `store:synced`.
    ///
    /// # Errors
    /// When a fault kills the client there, or killed it before: it does nothing more. A fault that
    /// returns a status acts as a full disk.
    pub fn moment(&self, name: &str) -> io::Result<()> {
        let lot = self.0.draw(name);
        // A disk that is slow holds up all that the process does.
        std::thread::sleep(lot.latency);
        if matches!(lot.what, Some(What::Error(_))) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if matches!(
            lot.what,
            Some(What::KillBefore | What::KillAfter | What::KillInFlight(_))
        ) {
            match self.0.kill {
                Kill::Process => std::process::abort(),
                Kill::Client => {
                    self.0.dead.send_replace(true);
                }
            }
        }
        match *self.0.dead.borrow() {
            true => Err(io::Error::other("the client is dead")),
            false => Ok(()),
        }
    }

    /// The local time, in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.0
            .disk
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .now()
    }

    /// How many times faster than real time the local clock runs.
    pub(super) fn speed(&self) -> f64 {
        self.0.speed
    }

    /// The folder that holds it.
    pub(super) fn dir(&self) -> PathBuf {
        let disk = self.0.disk.lock().unwrap_or_else(PoisonError::into_inner);
        disk.dir().to_owned()
    }

    /// Changes what the cloud holds, past the services.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut dyn Store) -> T) -> io::Result<T> {
        let mut disk = self.0.disk.lock().unwrap_or_else(PoisonError::into_inner);
        match disk.transact(|_, store| Ok::<_, Infallible>(change(store)))? {
            Ok(done) => Ok(done),
            Err(never) => match never {},
        }
    }

    /// Looks at what the cloud holds, at the local time. What is written to the store is dropped.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn look<T>(&self, look: impl FnOnce(u64, &mut dyn Store) -> T) -> io::Result<T> {
        let mut disk = self.0.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = disk.transact(|now, store| Err::<Infallible, T>(look(now, store)))?;
        match seen {
            Err(seen) => Ok(seen),
            Ok(never) => match never {},
        }
    }

    /// The calls of this process, in the order of their replies. A call whose client gave up
    /// waiting is not among them.
    pub fn calls(&self) -> Vec<Call> {
        self.0
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Somebody outside puts or removes a resource, past all checks: for tests.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn meddle(&self, key: &str, value: Option<Value>) -> io::Result<()> {
        self.note(key, value)
    }

    /// Sets or removes one of the cloud's own notes: a key that starts with a dot.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn note(&self, key: &str, value: Option<Value>) -> io::Result<()> {
        let mut disk = self.0.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let done = disk.transact(|_, store| {
            match value {
                Some(value) => store.put(key, value),
                None => store.remove(key),
            }
            Ok::<_, Infallible>(())
        });
        done.map(|_| ())
    }

    /// Everything the cloud holds, without the services' own notes (keys that start with a
    /// dot, such as the names of queues deleted a moment ago) and what is on its way out.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn resources(&self) -> io::Result<Vec<Entry>> {
        super::late::land(&self.0);
        let mut disk = self.0.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = disk.all()?;
        Ok(pairs
            .into_iter()
            .filter(|(key, value)| !key.starts_with('.') && value["phase"] != "Deleting")
            .map(|(key, value)| entry(key, value))
            .collect())
    }
}

/// A key is `service/region/kind/name`, without the region for the global services, and a
/// name may hold slashes. What belongs to an API has the pair of kind and id at its end
/// instead.
fn entry(key: String, value: Value) -> Entry {
    let global = ["iam/", "s3/"].iter().any(|start| key.starts_with(start));
    let mut parts = key
        .splitn(if global { 3 } else { 4 }, '/')
        .map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let service = part();
    if !global {
        part();
    }
    let (mut kind, mut name) = (part(), part());
    if service == "apigateway"
        && let Some((rest, last)) = name.clone().rsplit_once('/')
    {
        rest.rsplit('/')
            .next()
            .unwrap_or_default()
            .clone_into(&mut kind);
        last.clone_into(&mut name);
    }
    Entry {
        key,
        service,
        kind,
        name,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_contains_service_kind_and_name() {
        for (key, parts) in [
            ("sqs/us-west-2/queue/q", ["sqs", "queue", "q"]),
            ("logs/us-west-2/group//aws/l", ["logs", "group", "/aws/l"]),
            ("iam/policy/arn:x/y", ["iam", "policy", "arn:x/y"]),
            ("s3/object/b/k/l", ["s3", "object", "b/k/l"]),
            ("apigateway/r/api/a", ["apigateway", "api", "a"]),
            ("apigateway/r/api/a/stage/p", ["apigateway", "stage", "p"]),
            (
                "apigateway/r/api/a/route/r/routeresponse/x",
                ["apigateway", "routeresponse", "x"],
            ),
        ] {
            let entry = entry(key.to_owned(), Value::Null);
            assert_eq!([&*entry.service, &*entry.kind, &*entry.name], parts);
        }
    }
}

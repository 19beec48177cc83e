//! One process of a function, from its start to its end, and how the events that it gets end:
//! results, errors, time and memory, as Lambda reports them.

use super::api::{Api, Event, Said};
use super::code;
use super::environment::{self, Place};
use super::journal::Journal;
use super::process::Process;
use super::runtime::{self, Settings};
use crate::local_cloud::lambda::Runnable;
use crate::local_cloud::live::Live;
use crate::local_cloud::stamps;
use bytes::Bytes;
use serde_json::{Value, json};
use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a process may take until it asks for its first event (Lambda developer guide, "Init
/// phase").
const INIT: Duration = Duration::from_secs(10);
/// How often what a function prints goes to its log while it works.
const FLUSH: Duration = Duration::from_millis(200);

/// What a function is called with.
#[derive(Debug, Clone)]
pub(in crate::local_cloud) struct Invocation {
    /// The request's id.
    pub(in crate::local_cloud) id: String,
    pub(in crate::local_cloud) payload: Bytes,
    /// The function's ARN as it was invoked, with its qualifier.
    pub(in crate::local_cloud) arn: String,
    /// JSON.
    pub(in crate::local_cloud) client_context: Option<String>,
}

/// What came of an invocation.
#[derive(Debug, Clone)]
pub(in crate::local_cloud) struct Outcome {
    /// The result or, of an error, its JSON.
    pub(in crate::local_cloud) payload: Bytes,
    /// Whether it is an error of the function.
    pub(in crate::local_cloud) failed: bool,
    /// The last 4 KB of the log.
    pub(in crate::local_cloud) tail: String,
}

/// A process of a function.
pub(super) struct Instance {
    function: Runnable,
    /// None: it could not be started, and why.
    process: Result<(Process, Api), String>,
    journal: Arc<Mutex<Journal>>,
    started: Instant,
    /// Whether an event was given to it.
    warm: bool,
    /// Whether it never asked for an event, and will not.
    broken: bool,
    /// How many times it asked for an event when the last one was over.
    asked: u64,
    /// The most memory that was seen, in bytes.
    memory: u64,
}

/// How an event ended.
enum End {
    Result(Bytes),
    Error(String, Bytes),
    Exit(ExitStatus),
    Timeout,
}

impl Instance {
    /// Starts a process. Where that fails, its first invocation says why.
    pub(super) async fn start(live: &Live, function: &Runnable, settings: &Settings) -> Self {
        let cloud = live.cloud();
        let journal = Journal::new(cloud, function);
        let mut this = Self {
            function: function.clone(),
            process: Err(String::new()),
            journal: Arc::new(Mutex::new(journal)),
            started: Instant::now(),
            warm: false,
            broken: false,
            asked: 0,
            memory: 0,
        };
        this.process = this.launch(live, settings).await;
        this
    }

    async fn launch(&mut self, live: &Live, settings: &Settings) -> Result<(Process, Api), String> {
        let function = &self.function.clone();
        let cloud = live.cloud();
        let dir = cloud.dir();
        let unusable = |error: io::Error| format!("The function's code cannot be used: {error}");
        let zip = || {
            cloud
                .look(|_, store| store.blob(&function.blob))
                .ok()
                .flatten()
        };
        let root = match function.blob.is_empty() {
            true => dir.clone(),
            false => code::unpacked(&dir, &function.blob, zip).map_err(unusable)?,
        };
        let architecture = function
            .config
            .get("Architectures")
            .and_then(|it| it[0].as_str());
        let runtime = (function.text("Runtime"), architecture.unwrap_or("x86_64"));
        let bootstraps = code::folder(&dir);
        let program = runtime::program(runtime, &root, &bootstraps, settings).await?;
        live.note("Functions run as you, with your rights, and not in a sandbox.");
        if let Some(note) = &program.note {
            live.note(note);
        }
        let api = Api::serve().await.map_err(unusable)?;
        let (group, stream) = {
            let mut journal = self.journal();
            journal.folded(program.ours);
            (journal.group.clone(), journal.stream.clone())
        };
        let place = Place {
            cloud: live.address(),
            api: api.address,
            root: &root,
            group: &group,
            stream: &stream,
            program: &program.name,
        };
        let (_, (key, kept)) = environment::keys(function);
        let variables = cloud
            .change(|store| {
                if store.get(&key).as_ref() != Some(&kept) {
                    store.put(&key, kept);
                }
                environment::variables(function, &place, store)
            })
            .map_err(unusable)?;
        self.started = Instant::now();
        let process = Process::start(&program, &root, &variables, &self.journal);
        let process = process
            .map_err(|error| format!("{} cannot be started: {error}", program.path.display()))?;
        Ok((process, api))
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it runs.
    pub(super) fn function(&self) -> &Runnable {
        &self.function
    }

    /// Whether it can take another event.
    pub(super) fn is_alive(&self) -> bool {
        let process = self.process.as_ref();
        !self.broken && process.is_ok_and(|(process, _)| !process.has_ended())
    }

    /// Gives it an event, and waits for what comes of it.
    pub(super) async fn invoke(&mut self, invocation: Invocation) -> Outcome {
        self.journal().begin();
        let limit = Duration::from_secs(self.function.number("Timeout", 3));
        let waited = self.ready().await;
        self.broken = waited.is_some();
        let init = (!self.warm).then(|| self.started.elapsed());
        self.warm = true;
        let id = invocation.id.clone();
        let version = self.function.version.clone();
        self.tell("start", &id, json!({"version": version}), || {
            format!("START RequestId: {id} Version: {version}\n")
        });
        let begun = Instant::now();
        let end = match waited {
            None => self.work(invocation, limit).await,
            Some(end) => end,
        };
        let took = begun.elapsed();
        self.over(&end).await;
        let (payload, kind) = self.outcome(&id, &end, limit);
        self.report(&id, (took, init, limit), kind.as_deref(), &end);
        let mut journal = self.journal();
        journal.put();
        Outcome {
            payload,
            failed: kind.is_some(),
            tail: journal.tail(),
        }
    }

    /// Waits until it asks for an event; or returns how it ended before.
    async fn ready(&mut self) -> Option<End> {
        let limit = match self.warm {
            true => INIT,
            false => INIT.saturating_sub(self.started.elapsed()),
        };
        let seen = self.asked;
        let (process, api) = match &mut self.process {
            Ok(running) => running,
            Err(why) => {
                let body = json!({"errorMessage": why, "errorType": "Runtime.InvalidEntrypoint"});
                let body = Bytes::from(body.to_string());
                return Some(End::Error("Runtime.InvalidEntrypoint".to_owned(), body));
            }
        };
        let mut asked = api.asked.clone();
        let asks = async {
            let count = asked.wait_for(|count| *count > seen).await;
            count.map(|count| *count).ok()
        };
        let refused = async {
            loop {
                match api.said.recv().await {
                    Some(Said::InitError(kind, body)) => return (kind, body),
                    // What came too late for an event before.
                    Some(_) => {}
                    None => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            biased;
            (kind, body) = refused => {
                process.drain().await;
                Some(End::Error(kind, body))
            }
            Some(count) = asks => {
                self.asked = count;
                None
            }
            status = process.ended() => Some(End::Exit(status)),
            () = tokio::time::sleep(limit) => Some(End::Timeout),
        }
    }

    /// Hands the event over.
    async fn work(&mut self, invocation: Invocation, limit: Duration) -> End {
        let deadline = wall_clock().saturating_add(limit.as_millis() as u64);
        let event = Event {
            id: invocation.id.clone(),
            payload: invocation.payload,
            arn: invocation.arn,
            client_context: invocation.client_context,
            deadline,
        };
        let journal = Arc::clone(&self.journal);
        let Ok((process, api)) = &mut self.process else {
            return End::Timeout;
        };
        let handed = api.events.send(event).await;
        let time_out = tokio::time::sleep(limit);
        tokio::pin!(time_out);
        let mut flush = tokio::time::interval(FLUSH);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(said) = api.said.recv(), if handed.is_ok() => match said {
                    Said::Response(id, body) if id == invocation.id => return End::Result(body),
                    Said::Error(id, kind, body) if id == invocation.id => {
                        return End::Error(kind, body);
                    }
                    Said::TooLarge(id) if id == invocation.id => {
                        let kind = "Function.ResponseSizeTooLarge";
                        let body = json!({
                            "errorMessage": format!(
                                "Response payload size exceeded maximum allowed payload size ({} bytes).",
                                super::api::RESPONSE
                            ),
                            "errorType": kind,
                        });
                        return End::Error(kind.to_owned(), body.to_string().into());
                    }
                    // Of an event before.
                    _ => {}
                },
                status = process.ended() => return End::Exit(status),
                () = &mut time_out => return End::Timeout,
                _ = flush.tick() => {
                    journal.lock().unwrap_or_else(PoisonError::into_inner).put();
                    self.memory = process.memory().unwrap_or_default().max(self.memory);
                }
            }
        }
    }

    /// Ends what must end, and waits for what was printed.
    async fn over(&mut self, end: &End) {
        let Ok((process, _)) = &self.process else {
            return;
        };
        let memory = process.memory().unwrap_or_default();
        self.memory = memory.max(self.memory);
        if matches!(end, End::Timeout | End::Exit(_)) {
            process.kill();
            process.ended().await;
        }
        process.drain().await;
        self.journal().end_line();
    }

    /// The result or the error, and the error's type.
    fn outcome(&mut self, id: &str, end: &End, limit: Duration) -> (Bytes, Option<String>) {
        match end {
            End::Result(body) => (body.clone(), None),
            End::Error(kind, body) => {
                if let Err(why) = &self.process {
                    let why = why.clone();
                    self.journal().say(format!("[ERROR] {kind}: {why}\n"));
                }
                (body.clone(), Some(kind.clone()))
            }
            End::Exit(status) => {
                let why = match (status.code(), signal(*status)) {
                    (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
                    (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
                    (None, signal) => format!("Runtime exited with error: signal: {signal}"),
                };
                self.failure(id, "Runtime.ExitError", &why)
            }
            End::Timeout => {
                let why = format!("Task timed out after {:.2} seconds", limit.as_secs_f64());
                if !self.journal().json {
                    let time = stamps::iso_millis(self.journal().now());
                    self.journal().say(format!("{time} {id} {why}\n\n"));
                }
                self.failure(id, "Sandbox.Timedout", &why)
            }
        }
    }

    fn failure(&self, id: &str, kind: &str, why: &str) -> (Bytes, Option<String>) {
        let message = format!("RequestId: {id} Error: {why}");
        if kind != "Sandbox.Timedout" && !self.journal().json {
            self.journal().say(format!("{message}\n{kind}\n"));
        }
        let body = json!({"errorType": kind, "errorMessage": message});
        (body.to_string().into(), Some(kind.to_owned()))
    }

    /// The `END` and `REPORT` lines.
    fn report(
        &mut self,
        id: &str,
        (took, init, limit): (Duration, Option<Duration>, Duration),
        kind: Option<&str>,
        end: &End,
    ) {
        let timed_out = matches!(end, End::Timeout);
        let took = if timed_out { limit } else { took };
        let millis = took.as_secs_f64() * 1000.0;
        let init = init.map(|init| init.as_secs_f64() * 1000.0);
        // Since August 2025 the start is billed as well.
        let billed = (millis + init.unwrap_or_default()).ceil();
        let size = self.function.number("MemorySize", 128);
        let used = self.memory.div_ceil(1 << 20);
        let status = match (timed_out, kind) {
            (true, _) => "timeout",
            (false, Some(_)) => "error",
            (false, None) => "success",
        };
        if !self.journal().json {
            self.journal().say(format!("END RequestId: {id}\n"));
        }
        let mut metrics = json!({
            "durationMs": millis, "billedDurationMs": billed, "memorySizeMB": size,
            "maxMemoryUsedMB": used,
        });
        if let Some(init) = init {
            metrics["initDurationMs"] = json!(init);
        }
        let mut record = json!({"metrics": metrics, "status": status});
        if let Some(kind) = kind.filter(|_| !timed_out) {
            record["errorType"] = json!(kind);
        }
        self.tell("report", id, record, || {
            let init = init.map_or_else(String::new, |it| format!("\tInit Duration: {it:.2} ms"));
            let status = match (timed_out, kind) {
                (true, _) => "\tStatus: timeout".to_owned(),
                (false, Some(kind)) => format!("\tStatus: error\tError Type: {kind}"),
                (false, None) => String::new(),
            };
            format!(
                "REPORT RequestId: {id}\tDuration: {millis:.2} ms\tBilled Duration: {billed:.0} ms\t\
                 Memory Size: {size} MB\tMax Memory Used: {used} MB{init}{status}\t\n"
            )
        });
    }

    /// A line of Lambda's own, in the format of the function's log.
    fn tell(&self, kind: &str, id: &str, mut record: Value, text: impl FnOnce() -> String) {
        let mut journal = self.journal();
        let line = match journal.json {
            false => text(),
            true => {
                record["requestId"] = json!(id);
                let time = stamps::iso_millis(journal.now());
                json!({"time": time, "type": format!("platform.{kind}"), "record": record})
                    .to_string()
            }
        };
        journal.say(line);
    }
}

/// What a process that was killed was killed with.
fn signal(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(9) => "killed".to_owned(),
        Some(11) => "segmentation fault".to_owned(),
        Some(6) => "aborted".to_owned(),
        Some(15) => "terminated".to_owned(),
        Some(other) => other.to_string(),
        None => "unknown".to_owned(),
    }
}

/// A function's process goes by this machine's clock, however fast the cloud's runs.
#[expect(
    clippy::disallowed_methods,
    reason = "an edge: the deadline that a process compares with its own clock"
)]
fn wall_clock() -> u64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH);
    passed.map_or(0, |time| time.as_millis() as u64)
}

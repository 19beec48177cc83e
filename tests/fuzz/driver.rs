//! One run of the engine as the command line makes it, against a local cloud in process. A
//! kill abandons the run: its runtime is dropped, and only what is on disk stays.

use super::invariants;
use super::scenario::Version;
use futures_util::FutureExt;
use stackctl::content::Disk;
use stackctl::engine::apply::recovery;
use stackctl::engine::apply::{self, Finished, Run};
use stackctl::engine::observe::{Observe, observe_and_plan};
use stackctl::engine::plan::Op;
use stackctl::engine::plan::planned::{Options, Planned, Request};
use stackctl::engine::plan::rewrite;
use stackctl::engine::plan::verify;
use stackctl::engine::world::World;
use stackctl::lang::diagnostic::Diagnostic;
use stackctl::lang::stack::Stack;
use stackctl::local_cloud::{self, Cloud, Fault, Kill};
use stackctl::resource::aws::Aws;
use stackctl::resource::aws::connect::{Local, Settings, connect};
use stackctl::resource::context::{Cx, Owner};
use stackctl::resource::table::native;
use stackctl::secrets::Secrets;
use stackctl::severity::Severity;
use stackctl::store::lease::{Holder, Patience};
use stackctl::store::state::State;
use stackctl::store::{Opened, Store, StoreError, Watch};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The local cloud's clock: a minute passes in 6 ms.
const SPEED: f64 = 10_000.0;

/// A mistake made on purpose, to see that the invariants notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// Nothing is written before a call.
    NoIntent,
    /// An interrupted create is never looked for.
    NoFind,
    /// Deletions do not wait for what uses the object.
    DeleteOrder,
    /// A create is in the state before it is made.
    StateFirst,
    /// Two runs at once: the second does not look at the lock, nor the first at its lease.
    NoLease,
}

/// A place to run in: a state, a cloud, and what in it belongs to others.
pub struct Place {
    dir: tempfile::TempDir,
    pub defect: Option<Defect>,
    /// Objects of somebody else: they stay as they are.
    pub foreign: BTreeMap<String, serde_json::Value>,
    /// Whether somebody removed objects since the last whole run.
    pub lost: bool,
    /// Addresses whose deletion was cut off since the last whole run.
    pub going: RefCell<BTreeSet<String>>,
    runs: u64,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    Whole,
    Killed,
    DiskFull,
}

/// The state and the planned change of a run that goes on later.
struct Ready {
    store: Store,
    cx: Cx,
    world: World,
    planned: Planned,
}

impl Place {
    pub fn new(defect: Option<Defect>) -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let mut place = Self {
            dir: dir.unwrap(),
            defect,
            foreign: BTreeMap::new(),
            lost: false,
            going: RefCell::default(),
            runs: 0,
        };
        std::fs::create_dir(place.path().join("state")).unwrap();
        place.strangers();
        place
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn state_file(&self) -> PathBuf {
        self.path().join("state/s.json")
    }

    pub fn cloud(&self, faults: Vec<Fault>) -> Cloud {
        let options = local_cloud::Options {
            dir: self.path().join("cloud"),
            speed: SPEED,
            faults,
            kill: Kill::Client,
            ..local_cloud::Options::default()
        };
        Cloud::open(options).unwrap()
    }

    /// Objects of other people that look like the stack's own.
    fn strangers(&mut self) {
        let cloud = self.cloud(Vec::new());
        runtime().block_on(async {
            let aws = clients(&cloud).await;
            let api = aws.apigateway().create_api().name("api");
            let api = api
                .protocol_type("WEBSOCKET".into())
                .route_selection_expression("$request.body.action");
            api.send().await.unwrap();
            aws.sqs()
                .create_queue()
                .queue_name("theirs")
                .send()
                .await
                .unwrap();
        });
        let entries = cloud.resources().unwrap();
        self.foreign = entries.into_iter().map(|it| (it.key, it.value)).collect();
    }

    /// Runs a version to its end, or until it is killed.
    ///
    /// # Errors
    /// What is wrong with the run or with what an earlier one left.
    pub fn run(
        &mut self,
        version: &Version,
        destroy: bool,
        faults: Vec<Fault>,
    ) -> Result<Ended, String> {
        let cloud = self.cloud(faults);
        let stack = version.stack(self.path());
        let outcome = self.abandonable(&cloud, async |place| {
            let ready = place.plan(&cloud, &stack, destroy).await?;
            if place.defect == Some(Defect::NoLease) {
                // Somebody else runs while this one has its plan and waits.
                let other = place.plan(&cloud, &stack, destroy).await?;
                place.apply(&stack, other).await?;
            }
            place.apply(&stack, ready).await
        });
        match outcome {
            None => Ok(Ended::Killed),
            // It says so, and the next run finds out how things stand.
            Some(Err(error)) if error.contains("no storage space") => Ok(Ended::DiskFull),
            Some(Err(error)) => Err(error),
            Some(Ok(finished)) if finished.failed.is_empty() && finished.skipped.is_empty() => {
                self.lost = false;
                self.going.take();
                Ok(Ended::Whole)
            }
            Some(Ok(finished)) => Err(format!("steps failed: {:?}", finished.failed)),
        }
    }

    /// The state and the plan of a version, without applying it.
    ///
    /// # Errors
    /// As [`Place::run`].
    pub fn look(&mut self, version: &Version, destroy: bool) -> Result<(State, Planned), String> {
        let cloud = self.cloud(Vec::new());
        let stack = version.stack(self.path());
        let ready = self
            .abandonable(&cloud, async |place| {
                place.plan(&cloud, &stack, destroy).await
            })
            .expect("nothing kills it")?;
        Ok((ready.world.state, ready.planned))
    }

    /// Runs `work` until it ends or a fault kills it; none then.
    fn abandonable<T>(
        &mut self,
        cloud: &Cloud,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, String>,
    ) -> Option<Result<T, String>> {
        self.runs += 1;
        let runtime = runtime();
        let outcome = runtime.block_on(async {
            tokio::select! {
                biased;
                () = cloud.died() => None,
                outcome = work(self) => Some(outcome),
            }
        });
        let dead = cloud.died().now_or_never().is_some();
        runtime.shutdown_background();
        outcome.filter(|_| !dead)
    }

    async fn plan(&self, cloud: &Cloud, stack: &Stack, destroy: bool) -> Result<Ready, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let mut store = Store::local(self.state_file(), &self.path().join("work"), true);
        let watched = cloud.clone();
        store.watch(Watch::new(move |moment| watched.moment(&moment.name())));
        if self.defect != Some(Defect::NoLease) {
            locked(&store).await?;
        }
        let mut opened = store.open("s", None).await.map_err(|it| text(&it))?;
        // A deletion that was cut off may have taken effect; the next plan sees it. This run may
        // be cut off, too, once it has saved what it found.
        let deletes = opened.open.iter().filter(|intent| intent.op == "delete");
        let addresses = deletes.map(|intent| intent.address.clone());
        self.going.borrow_mut().extend(addresses);
        let mut cx = Cx::new(Arc::new(clients(cloud).await));
        cx.owner = Owner {
            stack: "s".to_owned(),
            ..Owner::default()
        };
        cx.stack_dir = self.path().to_owned();
        cx.work_dir = self.path().join("work");
        let mut world = World::new(recover(&store, &cx, &mut opened, self.defect).await?);
        world.seed = self.runs;
        world.unix_time = 1_800_000_000 + self.runs;
        invariants::between(self, cloud, &world.state)?;
        let options = Options {
            destroy,
            ..Options::default()
        };
        let files = Disk::new(self.path());
        let first = rewrite::plan(&Request {
            types: native(),
            stack,
            world: &world,
            options: &options,
            read_file: &files,
        });
        let observe = Observe {
            types: native(),
            stack,
            options: &options,
            cx: &cx,
            refresh: true,
            only: None,
            allowed: &[],
            read_file: &files,
        };
        let (world, mut planned) = observe_and_plan(&observe, world, first)
            .await
            .map_err(|failures| format!("reads failed: {failures:?}"))?;
        // Drawn stacks are odd: what a rule warns of is no fault of the plan.
        let is_lint =
            |found: &&Diagnostic| found.code.is_some() && found.severity == Severity::Warning;
        if !planned.diagnostics.iter().all(|found| is_lint(&found)) {
            return Err(format!("diagnostics: {:?}", planned.diagnostics));
        }
        if self.defect == Some(Defect::DeleteOrder) {
            for step in &mut planned.plan.steps {
                if matches!(step.op, Op::Delete { .. }) {
                    step.after.clear();
                }
            }
        }
        let faults = verify::faults(&planned.plan, &world, native());
        if !faults.is_empty() {
            return Err(format!("the plan is wrong: {faults:?}"));
        }
        Ok(Ready {
            store,
            cx,
            world,
            planned,
        })
    }

    async fn apply(&self, stack: &Stack, ready: Ready) -> Result<Finished, String> {
        let (_stop, interrupt) = watch::channel(0_u8);
        let run = Run {
            types: native(),
            stack,
            planned: &ready.planned,
            world: &ready.world,
            store: &ready.store,
            cx: &ready.cx,
            parallelism: 4,
            read_file: &Disk::new(self.path()),
            secrets: Secrets::default(),
            interrupt,
        };
        apply::apply(run, &mut |_| {})
            .await
            .map_err(|broken| broken.error.to_string())
    }
}

/// The lock. A process that another test starts just now holds copies of all open files for
/// a moment, the lock of the run before among them.
async fn locked(store: &Store) -> Result<(), String> {
    let holder = Holder {
        id: "fuzz".to_owned(),
        command: "a random history".to_owned(),
        host: "here".to_owned(),
        pid: std::process::id(),
        since: 0,
        lease: 60,
        beat: 0,
        pids_of: String::new(),
        started: 0,
    };
    let mut tries = 0;
    loop {
        let patience = Patience {
            timeout: None,
            notify: &mut |_| {},
        };
        match store.lock(&holder, patience).await {
            Err(StoreError::Locked { .. }) if tries < 100 => tries += 1,
            other => return other.map_err(|error| error.to_string()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Settles what an interrupted run left, as each command does first; with the mistakes
/// that a defect makes there or made before.
async fn recover(
    store: &Store,
    cx: &Cx,
    opened: &mut Opened,
    defect: Option<Defect>,
) -> Result<State, String> {
    let mut state = opened.state.clone();
    let seal = World::new(state.clone()).seal();
    match defect {
        Some(Defect::NoIntent) => opened.open.clear(),
        Some(Defect::StateFirst) => {
            for intent in opened.open.extract_if(.., |intent| intent.op == "create") {
                let mut resource = intent.resource.unwrap();
                resource.id = "made".to_owned();
                state.change(stackctl::store::state::StateChange::Put {
                    address: intent.address,
                    resource,
                });
            }
        }
        _ => {}
    }
    if opened.interrupted || !opened.open.is_empty() {
        let types = match defect {
            Some(Defect::NoFind) => &super::blind::blind(),
            _ => native(),
        };
        let settled = recovery::recover(cx, types, &mut state, (&opened.open, &seal)).await;
        settled.map_err(|failures| format!("settling {failures:?}"))?;
        store
            .save(&mut state)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(state)
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

pub async fn clients(cloud: &Cloud) -> Aws {
    let settings = Settings {
        region: Some("us-west-2".to_owned()),
        local: Some(Local {
            http: cloud.http_client(),
            speed: SPEED,
        }),
        ..Settings::default()
    };
    connect(&settings).await.unwrap()
}

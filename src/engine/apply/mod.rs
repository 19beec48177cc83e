//! Carries a plan out: one loop owns the state, the journal and the events; spawned tasks
//! only call AWS.

mod aftermath;
mod ended;
pub mod event;
pub mod files;
pub(crate) mod lookup;
mod queue;
pub mod recovery;
pub mod results;
pub mod retry;
mod spread;
pub mod work;

use super::plan::planned::Planned;
use super::plan::values::ReadFile;
use super::plan::{Op, Step, StepId};
use super::world::World;
use crate::engine::address::block;
use crate::lang::stack::Stack;
use crate::resource::context::Cx;
use crate::resource::error::Error;
use crate::resource::types::Types;
use crate::secrets::Secrets;
use crate::store::journal::Entry;
use crate::store::rekey::upgrade;
use crate::store::state::State;
use crate::store::{Journal, Store, StoreError};
use aftermath::Aftermath;
use event::{Doing, Event, doing};
use queue::Queue;
use results::{Applying, Resolved};
use spread::Spread;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use work::{Outcome, Work};

/// What is applied, and with what.
pub struct Run<'a> {
    /// The stack that the plan was computed from.
    pub stack: &'a Stack,
    /// The types.
    pub types: &'a Types,
    /// The plan.
    pub planned: &'a Planned,
    /// The world that the plan was computed from.
    pub world: &'a World,
    /// Where the state is kept.
    pub store: &'a Store,
    /// The clients.
    pub cx: &'a Cx,
    /// How many calls may run at the same time; at least 1.
    pub parallelism: usize,
    /// Reads files for `file()`.
    pub read_file: ReadFile<'a>,
    /// The secrets known so far; those that the run comes to know are added.
    pub secrets: Secrets,
    /// 0; 1 once the user asked to stop; 2 when the user asked twice.
    pub interrupt: watch::Receiver<u8>,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Finished {
    /// The state as saved.
    pub state: Option<State>,
    /// Steps that failed: the address, what was tried, and why.
    pub failed: Vec<(String, Doing, Error)>,
    /// Skipped steps: the address, and the step that blocked it.
    pub skipped: Vec<(String, Option<String>)>,
    /// What was done, by steps.
    pub done: Vec<(String, Doing)>,
    /// What resources reported about related writes and the user should see, by address.
    pub notices: Vec<(String, String)>,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

/// A run whose journal or state could not be written: nothing more was started from then on.
#[derive(Debug)]
pub struct StoreFailure {
    /// What went wrong first.
    pub error: StoreError,
    /// Whether a step was started before.
    pub started: bool,
    /// Whether the state could be saved in the end: it holds all that was done then.
    pub saved: bool,
    /// The state as it would have been saved.
    pub state: Option<Box<State>>,
    /// Whether the journal is still where the next run looks for it.
    pub journal: bool,
    /// What was done.
    pub done: Vec<Fact>,
}

/// A step that was done.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The address.
    pub address: String,
    /// The type.
    pub type_name: String,
    /// What was done.
    pub doing: Doing,
    /// The resource's id.
    pub id: String,
}

/// A message from a step's task.
enum Message {
    Waiting(StepId, String),
    Released(StepId),
    Requested(StepId, String),
    Ended(StepId, Box<Result<Outcome, Error>>),
    Notice(String, Result<Option<String>, Error>),
}

/// Applies the plan.
///
/// # Errors
/// When the journal or the state cannot be written. Failed steps are no error of this
/// kind: they are in [`Finished`].
pub async fn apply(
    run: Run<'_>,
    report: &mut dyn FnMut(Event),
) -> Result<Finished, Box<StoreFailure>> {
    let steps = &run.planned.plan.steps;
    let mut applying = Applying::new(
        run.stack,
        run.types,
        (run.planned, run.world),
        run.read_file,
    );
    applying.secrets = run.secrets.clone();
    let journal = match steps.is_empty() {
        true => None,
        false => Some(begin(&run).await?),
    };
    let counted = steps
        .iter()
        .filter(|step| doing(&step.op) != Doing::Keeping)
        .count();
    let queue = Queue::new(steps, run.types);
    report(Event::Started {
        steps: counted,
        depth: queue.depth(),
        destroys: run.planned.destroy,
    });
    let mut looped = Loop {
        queue,
        started_at: vec![None; steps.len()],
        aftermath: Aftermath::of(steps, run.types),
        finished: Finished::default(),
        facts: Vec::new(),
        going: going(&run),
        broken: None,
        journal,
        is_synced: true,
        held: Vec::new(),
        spread: Arc::new(Spread::of(run.planned)),
        run: &run,
        applying: &mut applying,
        report,
    };
    looped.turn().await;
    let started = looped.started_at.iter().any(Option::is_some);
    let Loop {
        mut finished,
        broken,
        facts,
        held,
        report,
        ..
    } = looped;
    let mut state = match applying.finish() {
        Ok(state) => state,
        Err(error) => {
            return Err(Box::new(StoreFailure {
                error,
                started,
                saved: false,
                state: None,
                journal: run.store.has_journal(),
                done: facts,
            }));
        }
    };
    let mut saved = upgrade(&mut state, &run.world.key).map_err(StoreError::Key);
    let changed = !steps.is_empty() || state != run.world.state;
    if saved.is_ok() && changed && !(finished.interrupted && *run.interrupt.borrow() > 1) {
        saved = run.store.save(&mut state).await;
    }
    let is_saved = saved.is_ok();
    if is_saved {
        // The journal did not record them, but the state has what they report.
        held.into_iter().for_each(report);
    }
    let Some(error) = broken.or(saved.err()) else {
        finished.state = Some(state);
        return Ok(finished);
    };
    if !is_saved {
        state.serial += 1;
    }
    Err(Box::new(StoreFailure {
        error,
        started,
        saved: is_saved,
        state: Some(Box::new(state)),
        journal: run.store.has_journal(),
        done: facts,
    }))
}

/// The ids of the resources that the plan deletes, by type.
fn going(run: &Run<'_>) -> BTreeMap<String, Arc<BTreeSet<String>>> {
    let state = &run.world.state;
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for step in &run.planned.plan.steps {
        let Op::Delete { deposed } = &step.op else {
            continue;
        };
        let generations = state.deposed.get(&step.address);
        let leftover = deposed.as_ref().and_then(|key| generations?.get(key));
        let known = leftover.or_else(|| state.resources.get(&step.address));
        if let Some(known) = known {
            let ids = ids.entry(known.type_name.clone()).or_default();
            ids.insert(known.id.clone());
        }
    }
    let shared = ids.into_iter();
    shared.map(|(name, ids)| (name, Arc::new(ids))).collect()
}

async fn begin(run: &Run<'_>) -> Result<Journal, Box<StoreFailure>> {
    let started = run.store.start(&run.world.state).await;
    started.map_err(|error| {
        Box::new(StoreFailure {
            error,
            started: false,
            saved: false,
            state: None,
            journal: false,
            done: Vec::new(),
        })
    })
}

struct Loop<'r, 'a, 't> {
    run: &'r Run<'a>,
    queue: Queue,
    applying: &'r mut Applying<'a>,
    journal: Option<Journal>,
    started_at: Vec<Option<Instant>>,
    aftermath: Aftermath,
    finished: Finished,
    facts: Vec<Fact>,
    /// The ids of the resources that the plan deletes, by type.
    going: BTreeMap<String, Arc<BTreeSet<String>>>,
    /// What has been done that may still have to spread.
    spread: Arc<Spread>,
    /// The journal could not be written: nothing more is started.
    broken: Option<StoreError>,
    /// Whether all that was added to the journal is durable.
    is_synced: bool,
    /// Events that wait for the journal to be durable: what they report must not be lost.
    held: Vec<Event>,
    report: &'t mut dyn FnMut(Event),
}

impl Loop<'_, '_, '_> {
    fn step(&self, id: StepId) -> &Step {
        &self.run.planned.plan.steps[id]
    }

    async fn turn(&mut self) {
        let (sender, mut inbox) = mpsc::unbounded_channel::<Message>();
        let mut interrupt = self.run.interrupt.clone();
        let mut running = 0usize;
        loop {
            let stop = *interrupt.borrow_and_update();
            if stop > 1 {
                self.finished.interrupted = true;
                self.sync_what_is_done().await;
                return;
            }
            if stop == 0 && self.broken.is_none() {
                running += self.start(running, &sender).await;
            } else if stop > 0 && !self.finished.interrupted {
                self.finished.interrupted = true;
                self.report(Event::Interrupted { running });
            }
            self.sync_what_is_done().await;
            if stop == 0 {
                running += self.ask(&sender);
            }
            if running == 0 {
                break;
            }
            tokio::select! {
                Some(message) = inbox.recv() => running -= self.hear(message),
                Ok(()) = interrupt.changed() => {}
            }
            while let Ok(message) = inbox.try_recv() {
                running -= self.hear(message);
            }
        }
        for id in self.queue.take_unstarted() {
            self.skip(id, None);
        }
        self.sync_what_is_done().await;
    }

    /// Reports an event; one that comes after held events waits with them.
    fn report(&mut self, event: Event) {
        if self.held.is_empty() {
            (self.report)(event);
        } else {
            self.held.push(event);
        }
    }

    /// Reports an event once what was added to the journal is durable: the state then has what the
    /// event reports, however the process ends.
    fn report_durably(&mut self, event: Event) {
        self.held.push(event);
    }

    /// Syncs to disk what was done since the last sync, unless an intent has already done so: steps
    /// that end together share one sync.
    async fn sync_what_is_done(&mut self) {
        if !self.is_synced || !self.held.is_empty() {
            self.sync().await;
        }
    }

    /// Starts what is ready: its intents are durable, all by one sync, before any call.
    async fn start(&mut self, running: usize, sender: &mpsc::UnboundedSender<Message>) -> usize {
        let mut started = 0;
        loop {
            let mut batch = Vec::new();
            let mut inline = false;
            while let Some(id) = self.queue.pop(running + started < self.run.parallelism) {
                let Some(work) = self.prepare(id) else {
                    inline = true;
                    continue;
                };
                if self.run.types.is_remote(&self.step(id).type_name) {
                    started += 1;
                }
                batch.push((id, work));
            }
            if !batch.is_empty() && !self.sync().await {
                return started
                    - batch
                        .iter()
                        .filter(|(id, _)| self.run.types.is_remote(&self.step(*id).type_name))
                        .count();
            }
            for (id, work) in batch {
                let (op, address) = (doing(&self.step(id).op), self.step(id).address.clone());
                self.started_at[id] = Some(Instant::now());
                self.report(Event::StepStarted { address, doing: op });
                if self.run.types.is_remote(&self.step(id).type_name) {
                    spawn(id, work, sender.clone());
                } else {
                    inline = true;
                    let result = work::run(work).await;
                    self.ended(id, result);
                }
            }
            if !inline {
                return started;
            }
        }
    }

    /// What a step will call with; none where it needed no call and is done already.
    fn prepare(&mut self, id: StepId) -> Option<Work> {
        let lane = match self.applying.resolve(id) {
            Ok(Resolved::Done(changes)) => {
                self.done_without_call(id, changes);
                return None;
            }
            Ok(Resolved::Call { mut work, intent }) => {
                if let Some(lane) = work.lane()
                    && !self.queue.enter(id, lane)
                {
                    return None;
                }
                if let Some(lane) = work.lane() {
                    self.aftermath.entered(id, lane);
                }
                self.add(&Entry::Begin(*intent));
                self.context(id, &mut work);
                return Some(*work);
            }
            Err(error) => error,
        };
        self.failed(id, lane, None);
        None
    }

    /// Queries the resources that report the outcome of this run's related writes.
    fn ask(&mut self, sender: &mpsc::UnboundedSender<Message>) -> usize {
        let state = self.applying.state();
        let asked = self.aftermath.due(state, self.run.types);
        let count = asked.len();
        for ask in asked {
            let (cx, sender) = (self.run.cx.clone(), sender.clone());
            tokio::spawn(async move {
                let told = ask.kind.aftermath(&cx, &ask.id, &ask.attributes).await;
                let _ = sender.send(Message::Notice(ask.address, told));
            });
        }
        count
    }

    fn context(&self, id: StepId, work: &mut Work) {
        let step = self.step(id);
        let mut cx = self
            .run
            .cx
            .for_step(work.owner(&self.run.cx.owner.stack, &step.address));
        if let Some(block) = self.run.stack.resources.get(block(&step.address)) {
            let timeouts = &block.options.timeouts;
            cx.timeout = match doing(&step.op) {
                Doing::Creating => timeouts.create,
                Doing::Updating => timeouts.update,
                Doing::Deleting => timeouts.delete,
                _ => None,
            };
        }
        cx.files = self.applying.files(&step.address);
        if matches!(step.op, Op::Create { .. }) && self.run.types.is_remote(&step.type_name) {
            cx.known_ids = Arc::new(self.applying.state().ids(&step.type_name));
            if let Some(going) = self.going.get(&step.type_name) {
                cx.going_ids = Arc::clone(going);
            }
        }
        cx.stop = Some(self.run.interrupt.clone());
        let (spread, address) = (Arc::clone(&self.spread), step.address.clone());
        cx.spreading = Some(Arc::new(move |awaits| spread.spreading(&address, awaits)));
        work.cx = Some(cx);
    }

    fn add(&mut self, entry: &Entry) {
        match self.applying.key_change() {
            Ok(None) => {}
            Ok(Some(change)) => self.write(&Entry::Changed {
                changes: vec![change],
            }),
            Err(error) => self.break_off(error),
        }
        self.write(entry);
    }

    fn write(&mut self, entry: &Entry) {
        if let Some(journal) = &mut self.journal {
            self.is_synced = false;
            if let Err(error) = journal.add(entry) {
                self.break_off(error);
            }
        }
    }

    fn break_off(&mut self, error: StoreError) {
        self.broken.get_or_insert(error);
    }

    /// Syncs all additions to disk, and reports the events that waited for that. When the sync
    /// fails, nothing more is started, and what is done is reported once the state is saved.
    async fn sync(&mut self) -> bool {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.sync().await
        {
            self.break_off(error);
        }
        self.is_synced = true;
        let lasting = self.broken.is_none();
        let (held, told): (Vec<Event>, Vec<Event>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|event| !lasting && matches!(event, Event::Done { .. }));
        self.held = held;
        told.into_iter().for_each(&mut *self.report);
        lasting
    }

    fn hear(&mut self, message: Message) -> usize {
        match message {
            Message::Waiting(id, reason) => {
                let address = self.step(id).address.clone();
                self.report(Event::Waiting { address, reason });
                0
            }
            Message::Released(id) => {
                self.queue.released(id);
                0
            }
            Message::Requested(id, request) => {
                self.applying.requested(id, &request);
                self.add(&Entry::Requested { step: id, request });
                0
            }
            Message::Ended(id, result) => {
                self.ended(id, *result);
                1
            }
            Message::Notice(address, told) => {
                let notice = match told {
                    Ok(notice) => notice,
                    Err(error) => Some(format!("How the writes turned out is not known: {error}")),
                };
                let notices = &mut self.finished.notices;
                notices.extend(notice.map(|notice| (address, notice)));
                1
            }
        }
    }
}

fn spawn(id: StepId, mut work: Work, sender: mpsc::UnboundedSender<Message>) {
    let (waiting, released) = (sender.clone(), sender.clone());
    let requested = sender.clone();
    if let Some(cx) = &mut work.cx {
        cx.on_released = Some(Arc::new(move || {
            let _ = released.send(Message::Released(id));
        }));
        cx.on_request = Some(Arc::new(move |request| {
            let _ = requested.send(Message::Requested(id, request.to_owned()));
        }));
        cx.notify = Arc::new(move |reason| {
            // The loop may have left already; nobody is interested then.
            let _ = waiting.send(Message::Waiting(id, reason.to_owned()));
        });
    }
    let cx = work.cx.clone();
    tokio::spawn(async move {
        // A task of its own, so that even a panic ends as a failed step. The hook has reported its
        // place.
        let result = match tokio::spawn(work::run(work)).await {
            Ok(result) => result,
            Err(_) => work::broke_off(cx.as_ref()),
        };
        let _ = sender.send(Message::Ended(id, Box::new(result)));
    });
}

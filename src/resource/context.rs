//! What a resource's calls run in: the clients, who owns the resource, how long to wait,
//! and where to say what is being waited for.

use super::aws::Aws;
use super::error::{Effect, Error};
use super::flight::Flight;
use super::notify::{Notify, WAIT_LISTENER};
use super::spread::{Awaits, Reason, Spreading};
use crate::content::Content;
use crate::data::Attributes;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The mark a resource carries from the create call on, where the service has tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// The stack's name (with its environment: `name.env`).
    pub stack: String,
    /// The resource's address in the stack.
    pub address: String,
    /// The create step that created this resource; unique over all runs.
    pub operation: String,
}

/// The prefix of the tags that are stackctl's own; reads exclude them.
pub const OWNER_TAG_PREFIX: &str = "stackctl:";

impl Owner {
    /// The owner as tags.
    pub fn tags(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("stackctl:stack".to_owned(), self.stack.clone()),
            ("stackctl:address".to_owned(), tag_text(&self.address)),
            ("stackctl:operation".to_owned(), self.operation.clone()),
        ])
    }

    /// These tags of a resource's own, with the owner's put beside them, for a create.
    pub fn tagged(&self, own: Option<&BTreeMap<String, String>>) -> BTreeMap<String, String> {
        let mut tags = own.cloned().unwrap_or_default();
        tags.extend(self.tags());
        tags
    }

    /// Whether this create step created the resource with these tags; without an operation, whether
    /// any create for this address did.
    pub fn made<K: AsRef<str>, V: AsRef<str>>(
        &self,
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> bool {
        let mut wanted = self.tags();
        if self.operation.is_empty() {
            wanted.remove("stackctl:operation");
        } else {
            wanted.retain(|key, _| key == "stackctl:operation");
        }
        for (key, value) in tags {
            let key = key.as_ref();
            if wanted
                .get(key)
                .is_some_and(|wanted| wanted == value.as_ref())
            {
                wanted.remove(key);
            }
        }
        wanted.is_empty()
    }
}

/// An address in characters that every service accepts in a tag: `logs["a"]` gives `logs/a`.
fn tag_text(address: &str) -> String {
    let mut text = String::new();
    for c in address.chars() {
        if c.is_alphanumeric() || " +-=._:/@".contains(c) {
            text.push(c);
        } else if !text.ends_with('/') {
            text.push('/');
        }
    }
    text.trim_end_matches('/').chars().take(256).collect()
}

/// A user's tags out of what a service returned: without AWS's own and the owner's.
/// None where nothing is left.
pub fn user_tags<K: Into<String>, V: Into<String>>(
    tags: impl IntoIterator<Item = (K, V)>,
) -> Option<BTreeMap<String, String>> {
    let tags: BTreeMap<String, String> = tags
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()))
        .filter(|(key, _)| !key.starts_with("aws:") && !key.starts_with(OWNER_TAG_PREFIX))
        .collect();
    (!tags.is_empty()).then_some(tags)
}

/// How the user said which stack is meant, so that a message can print a command ready to be
/// used. Words of a shell, each with a blank behind it (`stack`) or before it (`flags`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AsTyped {
    /// The stack's name or path, where one was given: `web `.
    pub stack: String,
    /// The flags that say where it is: ` --env prod`.
    pub flags: String,
}

/// The result of a create or update, as JSON.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The resource's id.
    pub id: String,
    /// Its outputs.
    pub outputs: Attributes,
}

/// The context of one resource's calls.
#[derive(Clone)]
pub struct Cx {
    /// The AWS clients.
    pub aws: Arc<Aws>,
    /// Whose resource it is.
    pub owner: Owner,
    /// How the user said which stack this is.
    pub typed: AsTyped,
    /// The folder that relative paths in the stack file start from.
    pub stack_dir: PathBuf,
    /// The folder for files that stackctl writes (`.stackctl`).
    pub work_dir: PathBuf,
    /// The ids that the state has already; `find` must not return them.
    pub known_ids: Arc<BTreeSet<String>>,
    /// The content of local files as the plan saw it, by the property that names them.
    pub files: BTreeMap<String, Content>,
    /// The ids of this type that the plan deletes: one of them in the way of a create is on its
    /// way out, and nobody needs to import it.
    pub going_ids: Arc<BTreeSet<String>>,
    /// `options.timeouts` for the current step.
    pub timeout: Option<Duration>,
    /// Receives the reason of each wait, as a clause: `retrying: Lambda says "…" (…)`, or
    /// `waiting for state Active (now Pending)`.
    pub notify: Notify,
    /// Above 0 once the user asked to stop; none where nobody can.
    pub stop: Option<watch::Receiver<u8>>,
    /// What the run has done that a refusal may wait for; none outside of a run.
    pub spreading: Option<Arc<dyn Fn(Awaits) -> Spreading + Send + Sync>>,
    /// See [`Cx::released`].
    pub on_released: Option<Arc<dyn Fn() + Send + Sync>>,
    /// See [`Cx::requested`].
    pub on_request: Option<Notify>,
    /// What [`Cx::requested`] was told before the run that recovers this create.
    pub request: Option<String>,
    /// Whether what a data source is read with has a secret in it.
    pub is_secret: bool,
    /// What the step has on its way.
    pub(crate) flight: Arc<Flight>,
    /// What the step has created so far.
    made: Arc<Mutex<Option<Applied>>>,
    /// How many retries of steps are left to the run.
    repeats: Arc<AtomicU32>,
}

/// How many retries of steps may be in progress, or have failed, in one run.
const MAX_RETRIES: u32 = 100;

impl Cx {
    /// A context with nothing but clients; fields are then set as needed.
    pub fn new(aws: Arc<Aws>) -> Self {
        Self {
            aws,
            owner: Owner::default(),
            typed: AsTyped::default(),
            stack_dir: PathBuf::from("."),
            work_dir: PathBuf::from(".stackctl"),
            known_ids: Arc::default(),
            files: BTreeMap::new(),
            going_ids: Arc::default(),
            timeout: None,
            notify: Arc::new(|_| {}),
            stop: None,
            spreading: None,
            on_released: None,
            on_request: None,
            request: None,
            is_secret: false,
            flight: Arc::default(),
            made: Arc::default(),
            repeats: Arc::new(AtomicU32::new(MAX_RETRIES)),
        }
    }

    /// This context for another step, which has created nothing yet.
    #[must_use]
    pub fn for_step(&self, owner: Owner) -> Self {
        Self {
            owner,
            flight: Arc::default(),
            made: Arc::default(),
            ..self.clone()
        }
    }

    /// Refuses a file whose content has changed since the plan; `read` is what was read of the file
    /// that `property` names.
    ///
    /// # Errors
    /// When it differs.
    pub fn as_planned(&self, property: &str, file: &Path, read: &Content) -> Result<(), Error> {
        if self
            .files
            .get(property)
            .is_none_or(|planned| planned == read)
        {
            return Ok(());
        }
        Err(Error::with_hint(
            format!(
                "the file {} has changed since the plan was made",
                file.display()
            ),
            "Make the plan again, look at it, and apply that.",
        ))
    }

    /// Says what the step is waiting for.
    pub fn waiting(&self, reason: &str) {
        (self.notify)(reason);
    }

    /// Runs calls and reports to this context what delays them below the SDK: its retries and the
    /// pace of calls.
    pub async fn reporting_waits<F: Future>(&self, calls: F) -> F::Output {
        WAIT_LISTENER.scope(Arc::clone(&self.notify), calls).await
    }

    /// Reports that a deletion was accepted: what the resource depends on may be deleted from now
    /// on. The resource itself takes a while to vanish, and the step goes on waiting for that.
    pub fn released(&self) {
        if let Some(tell) = &self.on_released {
            tell();
        }
    }

    /// Reports the service's name of the request that creates the resource, on which the service
    /// works by itself: whoever recovers this step asks for it ([`Cx::request`]).
    pub fn requested(&self, request: &str) {
        if let Some(tell) = &self.on_request {
            tell(request);
        }
    }

    /// Records that the resource exists, before the rest of the create is done: whatever happens
    /// then, it is in the state.
    pub fn made(&self, id: &str, mut outputs: Attributes) {
        if let Some(map) = outputs.as_object_mut() {
            map.retain(|_, value| !value.is_null());
        }
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(Applied {
            id: id.to_owned(),
            outputs,
        });
    }

    /// The id that [`Cx::made`] recorded.
    pub fn made_id(&self) -> Option<String> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.as_ref().map(|made| made.id.clone())
    }

    /// Whether the run's budget lets a step be tried again: a service that is away ends a
    /// large run early, instead of after all tries of all steps.
    pub(crate) fn may_repeat(&self) -> bool {
        let taken = self
            .repeats
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if taken.is_err() {
            self.waiting("the run's budget of repeats is used up");
        }
        taken.is_ok()
    }

    /// Gives the budget back what a step took that succeeded in the end.
    pub(crate) fn repeated(&self, times: u32) {
        self.repeats.fetch_add(times, Ordering::Relaxed);
    }

    /// What [`Cx::made`] recorded.
    pub fn take_made(&self) -> Option<Applied> {
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// The time a wait may take: the one from the stack file, or the type's own.
    pub fn limit(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    /// Retries `attempt` while `transient` gives a reason for its error, with growing pauses, for
    /// at most `limit` (or `options.timeouts`); for less where the reason is that something must
    /// spread, and nothing can that this run did ([`Awaits`]). Only for calls that may be retried:
    /// for an error whose effect is unknown, `transient` must return none.
    pub async fn retry<T, F, R>(
        &self,
        limit: Duration,
        transient: impl Fn(&Error) -> Option<R> + Send,
        mut attempt: impl FnMut() -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send,
        T: Send,
        R: Into<Reason>,
    {
        let started = Instant::now();
        let mut refused = None;
        let limit = self.limit(limit);
        let mut pauses = Pauses::default();
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(reason) = transient(&error).map(Into::<Reason>::into) else {
                return Err(error);
            };
            let first = *refused.get_or_insert_with(Instant::now);
            let pause = self.aws.real(pauses.next_pause());
            let limit = match error.is_throttle() {
                true => self.aws.real(limit),
                false => limit,
            };
            if started.elapsed() + pause > limit || !self.may_pass(reason, first) {
                return Err(error);
            }
            self.waiting(&reason.words(&error));
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks `look` until it gives a value, with growing pauses, for at most `limit` (or
    /// `options.timeouts`). `waited_for` is what follows `waiting for`. `look` returns
    /// `Err(Wait::…)`: not yet, with what it saw, or an error.
    pub async fn until<T, F>(
        &self,
        waited_for: &str,
        limit: Duration,
        mut look: impl FnMut() -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Wait>> + Send,
        T: Send,
    {
        let started = Instant::now();
        let limit = self.limit(limit);
        let mut pauses = Pauses::default();
        loop {
            let last = match look().await {
                Ok(value) => return Ok(value),
                Err(Wait::Failed(error)) => return Err(error),
                Err(Wait::NotYet(seen)) => seen,
            };
            let pause = self.aws.real(pauses.next_pause());
            if started.elapsed() + pause > limit {
                return Err(Error::Timeout {
                    waited_for: waited_for.to_owned(),
                    seconds: limit.as_secs(),
                    last,
                });
            }
            self.waiting(&format!("waiting for {waited_for} (now {last})"));
            tokio::time::sleep(pause).await;
        }
    }
}

/// Why a look gave no value.
#[derive(Debug)]
pub enum Wait {
    /// The awaited state is not reached yet; what was seen.
    NotYet(String),
    /// It will not come about.
    Failed(Error),
}

impl From<Error> for Wait {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Pauses between looks: from 50 ms, growing by half, up to 5 s, with a little jitter.
#[derive(Debug)]
struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(Duration::from_millis(50))
    }
}

impl Pauses {
    fn next_pause(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 3 / 2).min(Duration::from_secs(5));
        pause.mul_f64(rand::random_range(0.85..1.15))
    }
}

/// The general reasons to retry a call that did nothing: the service asked to slow down.
pub fn throttled(error: &Error) -> Option<&'static str> {
    (error.is_throttle() && error.effect() == Effect::None)
        .then_some("the service asks to slow down")
}

/// Randomness for the planner: all of it comes from the world's seed, so that the same plan can be
/// computed again.
#[derive(Debug)]
pub struct Draw {
    /// Seeded for one resource and one purpose.
    pub rng: StdRng,
    /// The time of the plan, in seconds since 1970.
    pub unix_time: u64,
    /// The resource's address.
    pub address: String,
}

impl Draw {
    /// A source of randomness for `address`, the same for the same seed.
    pub fn new(seed: u64, address: &str, unix_time: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(address.as_bytes());
        Self {
            rng: StdRng::from_seed(hash.finalize().into()),
            unix_time,
            address: address.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_fits_a_tag() {
        assert_eq!(tag_text("logs[\"a b\"]"), "logs/a b");
        assert_eq!(tag_text("queue"), "queue");
    }
}

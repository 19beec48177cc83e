//! The processes of all functions: one for each invocation at a time, kept warm for the next.

use super::instance::{Instance, Invocation, Outcome};
use super::runtime::Settings;
use crate::local_cloud::lambda::{self, Runnable};
use crate::local_cloud::live::Live;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a process waits for its next event.
const IDLE: Duration = Duration::from_secs(300);
/// How many invocations run at once on each core, of functions without reserved concurrency.
const EACH_CORE: usize = 10;

/// Why an invocation is not made: the concurrency is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local_cloud) enum Throttled {
    /// The function's own.
    Reserved,
    /// This machine's.
    Machine,
}

/// The processes of one function.
#[derive(Default)]
struct Set {
    idle: Vec<(Instance, Instant)>,
    busy: usize,
}

/// The processes of all functions, by ARN.
#[derive(Default)]
pub(super) struct Pool(Mutex<BTreeMap<String, Set>>);

/// The right to run one invocation, given back when dropped.
struct Slot<'p> {
    pool: &'p Pool,
    arn: String,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if let Some(set) = self.pool.sets().get_mut(&self.arn) {
            set.busy = set.busy.saturating_sub(1);
        }
    }
}

/// How many invocations run at once without reserved concurrency.
pub(super) fn machine_limit() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    EACH_CORE * cores.max(2)
}

impl Pool {
    fn sets(&self) -> MutexGuard<'_, BTreeMap<String, Set>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot, and a process that waits, if there is one.
    fn take(&self, function: &Runnable) -> Result<(Slot<'_>, Option<Instance>), Throttled> {
        let mut sets = self.sets();
        let all: usize = sets.values().map(|set| set.busy).sum();
        let set = sets.entry(function.arn.clone()).or_default();
        match function.reserved {
            Some(reserved) if set.busy as u64 >= reserved => return Err(Throttled::Reserved),
            None if all >= machine_limit() => return Err(Throttled::Machine),
            _ => {}
        }
        set.busy += 1;
        let revision = function.revision();
        // Others of the same version run what is outdated.
        set.idle.retain(|(instance, _)| {
            let of = instance.function();
            instance.is_alive() && (of.version != function.version || of.revision() == revision)
        });
        let fits = |(instance, _): &(Instance, Instant)| instance.function().revision() == revision;
        let at = set.idle.iter().rposition(fits);
        let instance = at.map(|at| set.idle.remove(at).0);
        let slot = Slot {
            pool: self,
            arn: function.arn.clone(),
        };
        Ok((slot, instance))
    }

    /// Runs one invocation.
    pub(super) async fn run(
        &self,
        live: &Live,
        function: &Runnable,
        invocation: Invocation,
    ) -> Result<Outcome, Throttled> {
        let (slot, instance) = self.take(function)?;
        let mut instance = match instance {
            Some(instance) => instance,
            None => Instance::start(live, function, &Settings::of_process()).await,
        };
        let outcome = instance.invoke(invocation).await;
        if instance.is_alive() {
            let mut sets = self.sets();
            if let Some(set) = sets.get_mut(&slot.arn) {
                set.idle.push((instance, Instant::now()));
            }
        }
        drop(slot);
        Ok(outcome)
    }

    /// Ends the processes that waited for long, and those whose function was changed or deleted.
    pub(super) fn sweep(&self, live: &Live) {
        let mut sets = self.sets();
        // Only a folder that cannot be read fails: then they stay.
        let _ = live.cloud().look(|_, store| {
            for set in sets.values_mut() {
                set.idle.retain(|(instance, since)| {
                    since.elapsed() < IDLE
                        && instance.is_alive()
                        && lambda::exists(store, instance.function())
                });
            }
        });
        sets.retain(|_, set| set.busy > 0 || !set.idle.is_empty());
    }

    /// Ends all processes that wait.
    pub(super) fn clear(&self) {
        self.sets().clear();
    }
}

//! Functions run: their code unpacked, processes that speak the Lambda Runtime API, the Invoke call,
//! asynchronous invocations, and the pollers of event source mappings. Only while the cloud is
//! served.
//!
//! A process runs as the user, not in a sandbox, and in real time, however fast the cloud's clock
//! runs. Memory is reported and not limited; files that a function writes beside its code stay.

mod api;
mod batch;
mod code;
mod environment;
mod event;
mod filter;
mod instance;
mod invoke;
mod journal;
mod later;
mod poller;
mod pollers;
mod pool;
mod process;
mod runtime;

#[cfg(test)]
mod tests;

pub(super) use invoke::{call, is_invoke};
pub(super) use pool::Throttled;

use super::lambda::{self, Runnable};
use super::live::Live;
use super::service::Refusal;
use super::stamps;
use pool::Pool;
use std::time::Duration;

/// How often processes that are no longer needed are looked for.
const SWEEP: Duration = Duration::from_secs(2);

/// The functions of a served cloud.
#[derive(Default)]
pub(super) struct Functions {
    pool: Pool,
    later: later::Running,
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("functions")
    }
}

/// Starts what runs by itself: asynchronous invocations, and the pollers of mappings.
pub(super) fn start(live: &Live) {
    live.spawn(sweep(live.clone()));
    live.spawn(later::work(live.clone()));
    live.spawn(pollers::work(live.clone()));
}

async fn sweep(live: Live) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => live.functions().pool.sweep(&live),
            () = live.stopping() => break,
        }
    }
    live.functions().pool.clear();
}

/// A new request's id.
pub(super) fn request_id() -> String {
    stamps::uuid()
}

/// The function of a name or an ARN, with or without a qualifier.
pub(super) fn find(
    live: &Live,
    region: &str,
    name: (&str, Option<&str>),
) -> Result<Runnable, Refusal> {
    let found = live
        .cloud()
        .look(|now, store| lambda::runnable(store, region, name, now));
    found.unwrap_or_else(|error| {
        let message = format!("The local cloud's folder cannot be used: {error}");
        Err(Refusal::new(500, "ServiceException", message))
    })
}

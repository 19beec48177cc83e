//! What a step has on its way.
//!
//! An interruption ends what only waits, here alone: the calls of a step are one future, an
//! interceptor counts its requests on their way, and after a signal the future is dropped as soon
//! as there is none. So no pause of a type, of the SDK or of the pace has to know of it. What was
//! created by then is known (`Cx::made`), else the step goes on; where a reply was lost, it stays
//! open for the next run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The requests of one step.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// Handed to the HTTP client and without a reply yet.
    sent: AtomicUsize,
    /// Those among them that wait for their turn and have not left.
    queued: AtomicUsize,
    /// A call that creates or changes something succeeded.
    created: AtomicBool,
    /// Such a call failed, and may have taken effect.
    unsure: AtomicBool,
}

tokio::task_local! {
    /// The step whose requests are sent.
    pub(super) static FLIGHT: Arc<Flight>;
}

/// A request on its way, until this is dropped.
#[derive(Debug)]
pub(crate) struct Sent(Arc<Flight>);

impl Drop for Sent {
    fn drop(&mut self) {
        self.0.sent.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that waits for its turn, until this is dropped.
#[derive(Debug)]
pub(crate) struct Queued(Arc<Flight>);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts a request of the current step; none outside of a step.
pub(crate) fn sent() -> Option<Sent> {
    FLIGHT
        .try_with(|flight| {
            flight.sent.fetch_add(1, Ordering::Relaxed);
            Sent(Arc::clone(flight))
        })
        .ok()
}

/// Counts a request of the current step that waits for its turn.
pub(crate) fn queued() -> Option<Queued> {
    FLIGHT
        .try_with(|flight| {
            flight.queued.fetch_add(1, Ordering::Relaxed);
            Queued(Arc::clone(flight))
        })
        .ok()
}

/// How a call ended that creates or changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreatingCall {
    /// The service did it.
    Succeeded,
    /// It may have.
    Unknown,
}

/// Notes how such a call of the current step ended.
pub(crate) fn creating(ended: CreatingCall) {
    // Outside of a step nothing is interrupted.
    let _ = FLIGHT.try_with(|flight| {
        match ended {
            CreatingCall::Succeeded => &flight.created,
            CreatingCall::Unknown => &flight.unsure,
        }
        .store(true, Ordering::Relaxed);
    });
}

impl Flight {
    /// Whether every request that has left has its reply.
    pub(super) fn is_idle(&self) -> bool {
        self.sent.load(Ordering::Relaxed) <= self.queued.load(Ordering::Relaxed)
    }

    /// Whether a creating call failed that may have taken effect.
    pub(crate) fn is_unsure(&self) -> bool {
        self.unsure.load(Ordering::Relaxed)
    }

    /// Whether a call of the step that creates something has succeeded.
    pub(super) fn has_created(&self) -> bool {
        self.created.load(Ordering::Relaxed)
    }

    /// Whether a call has created something, or may have.
    pub(crate) fn may_have_created(&self) -> bool {
        self.is_unsure() || self.has_created()
    }

    /// The calls so far have left nothing of the step's behind, whatever they returned.
    pub(crate) fn nothing_created(&self) {
        self.created.store(false, Ordering::Relaxed);
        self.unsure.store(false, Ordering::Relaxed);
    }
}

//! What a step has on its way, and the end of a step that only waits once the user asked to
//! stop.
//!
//! A step waits in many places: in a type's own pauses, in the SDK's between two attempts, for
//! the turn of a call. None of them has to know of interruptions: the calls of a step are one
//! future, and after a signal it is dropped as soon as none of its requests is on its way.

use super::context::Cx;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use tokio::sync::watch;

/// The requests of one step.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// Handed to the HTTP client and not answered yet.
    sent: AtomicUsize,
    /// Those among them that wait for their turn and have not left.
    queued: AtomicUsize,
    /// A call that creates or changes something succeeded.
    created: AtomicBool,
    /// Such a call failed, and may have taken effect.
    unsure: AtomicBool,
}

tokio::task_local! {
    /// The step whose requests are made.
    static FLIGHT: Arc<Flight>;
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

/// Counts a request of the step at hand; none outside of a step.
pub(crate) fn sent() -> Option<Sent> {
    FLIGHT
        .try_with(|flight| {
            flight.sent.fetch_add(1, Ordering::Relaxed);
            Sent(Arc::clone(flight))
        })
        .ok()
}

/// Counts a request of the step at hand that waits for its turn.
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

/// Notes how such a call of the step at hand ended.
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
    /// Whether no request has left that is not answered.
    fn is_idle(&self) -> bool {
        self.sent.load(Ordering::Relaxed) <= self.queued.load(Ordering::Relaxed)
    }

    /// Whether a creating call failed that may have taken effect.
    pub(crate) fn is_unsure(&self) -> bool {
        self.unsure.load(Ordering::Relaxed)
    }

    /// Whether a call has created something, or may have.
    pub(crate) fn may_have_created(&self) -> bool {
        self.is_unsure() || self.created.load(Ordering::Relaxed)
    }

    /// The calls so far have left nothing of the step's behind, whatever they returned.
    pub(crate) fn nothing_created(&self) {
        self.created.store(false, Ordering::Relaxed);
        self.unsure.store(false, Ordering::Relaxed);
    }
}

impl Cx {
    /// Whether this step has created something already.
    pub(super) fn has_created(&self) -> bool {
        self.flight.created.load(Ordering::Relaxed) || self.made_id().is_some()
    }

    /// Runs the calls of this step to their end: none where the user asked to stop, and the
    /// step only waited. What it created by then is in [`Cx::take_made`].
    pub(crate) async fn unless_stopped<F: Future>(&self, calls: F) -> Option<F::Output> {
        let calls = FLIGHT.scope(Arc::clone(&self.flight), calls);
        let mut calls = pin!(calls);
        let mut stop = pin!(told(self.stop.clone()));
        let mut stopped = false;
        poll_fn(|context| {
            if let Poll::Ready(ended) = calls.as_mut().poll(context) {
                return Poll::Ready(Some(ended));
            }
            stopped = stopped || stop.as_mut().poll(context).is_ready();
            match stopped && self.may_be_left() {
                true => Poll::Ready(None),
                false => Poll::Pending,
            }
        })
        .await
    }

    /// Whether nothing gets lost when the step ends here: nothing is on its way, and what was
    /// created is known.
    fn may_be_left(&self) -> bool {
        let creates = !self.owner.operation.is_empty();
        let created = creates && self.flight.created.load(Ordering::Relaxed);
        self.flight.is_idle() && (!created || self.made_id().is_some())
    }
}

/// Ends once the user asked to stop.
async fn told(stop: Option<watch::Receiver<u8>>) {
    if let Some(mut stop) = stop
        && stop.wait_for(|told| *told > 0).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::aws::Aws;
    use crate::resource::context::Owner;
    use serde_json::Value;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(3600);

    fn step() -> (Cx, watch::Sender<u8>) {
        let (stop, told) = watch::channel(0);
        let owner = Owner {
            operation: "one".to_owned(),
            ..Owner::default()
        };
        let mut cx = Cx::new(Arc::new(Aws::offline())).for_step(owner);
        cx.stop = Some(told);
        (cx, stop)
    }

    #[tokio::test]
    async fn a_step_that_only_waits_ends_when_it_is_told() {
        let (cx, stop) = step();
        let sleep = tokio::time::sleep(LONG);
        let (ended, ()) = tokio::join!(cx.unless_stopped(sleep), async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            stop.send_replace(1);
        });
        assert_eq!(ended, None);
        // What comes to its end by itself is not cut off.
        assert_eq!(cx.unless_stopped(async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn a_request_on_its_way_is_waited_for_and_none_follows() {
        let (cx, stop) = step();
        stop.send_replace(1);
        let seen = std::cell::Cell::new(0);
        let calls = async {
            let request = sent();
            seen.set(1);
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(request);
            seen.set(2);
            tokio::time::sleep(LONG).await;
            seen.set(3);
        };
        assert_eq!(cx.unless_stopped(calls).await, None);
        assert_eq!(seen.get(), 2);
    }

    #[tokio::test]
    async fn a_request_that_waits_for_its_turn_has_not_left() {
        let (cx, stop) = step();
        stop.send_replace(1);
        let calls = async {
            let request = sent();
            let turn = queued();
            tokio::time::sleep(LONG).await;
            drop((turn, request));
        };
        assert_eq!(cx.unless_stopped(calls).await, None);
        assert!(cx.flight.is_idle());
    }

    #[tokio::test]
    async fn what_was_created_is_known_before_a_step_ends() {
        let (cx, stop) = step();
        stop.send_replace(1);
        let calls = async {
            creating(CreatingCall::Succeeded);
            tokio::time::sleep(Duration::from_millis(50)).await;
            cx.made("id", Value::Null);
            tokio::time::sleep(LONG).await;
        };
        assert_eq!(cx.unless_stopped(calls).await, None);
        assert_eq!(cx.made_id().as_deref(), Some("id"));
    }
}

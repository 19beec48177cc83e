//! How long a step goes on, and its end where it only waits once the user asked to stop.
//!
//! A step waits in many places: in a type's own pauses, in the SDK's between two attempts, for
//! the turn of a call. None of them has to know of interruptions: the calls of a step are one
//! future, and after a signal it is dropped as soon as none of its requests is on its way.

use super::context::Cx;
use super::flight::FLIGHT;
use super::spread::{Awaits, Reason, Spreading};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A change that is this many times older than the usual delay has spread, however slow AWS is.
const SLOWEST: u32 = 10;

impl Cx {
    /// Whether a refusal for this reason may still pass; `first` is when the call was first
    /// refused. Where this run did nothing that can spread, a change by somebody else just before
    /// may still do so: that is waited for as long as a change usually takes.
    pub(super) fn may_pass(&self, reason: Reason, first: Instant) -> bool {
        let (Some(spreading), None) = (&self.spreading, self.timeout) else {
            return true;
        };
        // What this step has created itself counts.
        if reason.awaits == Awaits::Service || self.has_created() {
            return true;
        }
        let usual = self.aws.spread();
        let passing = |since: Instant, long: Duration| since.elapsed() < long;
        match spreading(reason.awaits) {
            Spreading::ToCome => true,
            Spreading::Since(done) if passing(done, usual * SLOWEST) => true,
            Spreading::Since(_) | Spreading::Nothing => passing(first, usual),
        }
    }

    /// Whether this step has created something already.
    pub(super) fn has_created(&self) -> bool {
        self.flight.has_created() || self.made_id().is_some()
    }

    /// Runs the calls of this step to their end: none where the user asked to stop, and the
    /// step only waited. What it created by then is in [`Cx::take_made`].
    pub(crate) async fn unless_stopped<F: Future>(&self, calls: F) -> Option<F::Output> {
        let calls = FLIGHT.scope(Arc::clone(&self.flight), calls);
        let mut calls = pin!(calls);
        let mut stop = pin!(stop_requested(self.stop.clone()));
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
        let created = creates && self.flight.has_created();
        self.flight.is_idle() && (!created || self.made_id().is_some())
    }
}

/// Ends once the user asked to stop.
async fn stop_requested(stop: Option<watch::Receiver<u8>>) {
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
    use crate::resource::error::{CallError, Effect, Error};
    use crate::resource::flight::{CreatingCall, creating, queued, sent};
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
    async fn a_step_that_only_waits_ends_on_a_stop_signal() {
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
            cx.made("id", Default::default());
            tokio::time::sleep(LONG).await;
        };
        assert_eq!(cx.unless_stopped(calls).await, None);
        assert_eq!(cx.made_id().as_deref(), Some("id"));
    }

    fn refused(call: &'static str, message: &str) -> Error {
        Error::Call(Box::new(CallError {
            call,
            code: "Refused".to_owned(),
            message: message.to_owned(),
            bucket_region: None,
            request_id: None,
            status: Some(400),
            effect: Effect::None,
        }))
    }

    /// Refuses for ever; how often it was asked, with what there is that may spread.
    async fn asked(awaits: Awaits, spreading: Option<Spreading>) -> (u32, Duration) {
        let aws = Aws::offline().with_spread(Duration::from_millis(200));
        let mut cx = Cx::new(Arc::new(aws));
        cx.spreading = spreading.map(|known| Arc::new(move |_| known) as _);
        let asked = std::sync::atomic::AtomicU32::new(0);
        let reason = Reason {
            text: "not yet",
            awaits,
        };
        let started = Instant::now();
        let limit = Duration::from_secs(1);
        let ended: Result<(), Error> = cx
            .retry(
                limit,
                |_| Some(reason),
                || {
                    asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    async { Err(refused("lambda:CreateFunction", "no")) }
                },
            )
            .await;
        assert!(ended.is_err());
        (asked.into_inner(), started.elapsed())
    }

    #[tokio::test]
    async fn a_wait_ends_early_where_nothing_can_still_spread() {
        let early = Duration::from_millis(600);
        let now = Instant::now();
        for (awaits, spreading, is_early) in [
            (Awaits::Permissions, Some(Spreading::Nothing), true),
            (Awaits::Permissions, Some(Spreading::Since(now)), false),
            (Awaits::Permissions, Some(Spreading::ToCome), false),
            (Awaits::Created, Some(Spreading::Nothing), true),
            (Awaits::Service, Some(Spreading::Nothing), false),
            // Outside of a run nothing is known.
            (Awaits::Permissions, None, false),
        ] {
            let (asked, took) = asked(awaits, spreading).await;
            assert!(asked > 1, "{awaits:?} {spreading:?}");
            assert_eq!(took < early, is_early, "{awaits:?} {spreading:?} {took:?}");
        }
    }
}

//! Where messages about waits go.

use std::sync::Arc;

/// Where to say what a step is waiting for.
pub type Notify = Arc<dyn Fn(&str) + Send + Sync>;

tokio::task_local! {
    /// Whom the calls of the step at hand tell of waits. They come from below the SDK's
    /// clients, which all steps share.
    pub(super) static WAIT_LISTENER: Notify;
}

/// Says, from below the SDK, what the step at hand waits for; see [`Cx::reporting_waits`](super::context::Cx::reporting_waits).
pub(crate) fn report_wait(reason: &str) {
    // Without a listener nobody asked.
    let _ = WAIT_LISTENER.try_with(|notify| notify(reason));
}

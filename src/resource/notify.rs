//! Where messages about waits go.

use std::sync::Arc;

/// Where to say what a step is waiting for.
pub type Notify = Arc<dyn Fn(&str) + Send + Sync>;

tokio::task_local! {
    /// Who receives the waits of the current step's calls. They come from below the SDK's clients,
    /// which all steps share.
    pub(super) static WAIT_LISTENER: Notify;
}

/// Reports, from below the SDK, what the current step waits for; see
/// [`Cx::reporting_waits`](super::context::Cx::reporting_waits).
pub(crate) fn report_wait(reason: &str) {
    // Without a listener nobody asked.
    let _ = WAIT_LISTENER.try_with(|notify| notify(reason));
}

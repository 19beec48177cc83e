//! Sending a request: the one way from a request of the SDK to a result of ours.

use crate::resource::error::Error;
use std::time::Duration;

/// For how long a refusal that passes is waited out, and the reason why it passes; none for one
/// that does not.
pub(crate) type Waits<R = &'static str> = (Duration, fn(&Error) -> Option<R>);

/// Sends a request; `$name` is the call, as an IAM action.
///
/// - `send!(request, name)`: once.
/// - `send!(request, name, none: codes)`: once; an error with one of these codes is none.
/// - `send!(cx, request, name, wait: waits)`: again while a refusal passes (see [`Waits`]).
/// - `send!(cx, request, name, wait: waits, gone: codes)`: the same for a request that removes
///   something; an error with one of these codes means that it is done.
macro_rules! send {
    ($request:expr, $name:literal) => {
        $crate::resource::error::CallResult::call($request.send().await, $name)
    };
    ($request:expr, $name:literal, none: $codes:expr) => {
        $crate::resource::error::CallResult::call_unless($request.send().await, $name, $codes)
    };
    ($cx:expr, $request:expr, $name:literal, wait: $waits:expr) => {{
        let request = $request;
        let (limit, passing) = $waits;
        let attempt = || {
            let request = request.clone();
            async move { $crate::resource::aws::send::send!(request, $name) }
        };
        $cx.retry(limit, passing, attempt).await
    }};
    ($cx:expr, $request:expr, $name:literal, wait: $waits:expr, gone: $codes:expr) => {{
        let request = $request;
        let (limit, passing) = $waits;
        let attempt = || {
            let request = request.clone();
            async move { $crate::resource::aws::send::send!(request, $name, none: $codes) }
        };
        $cx.retry(limit, passing, attempt).await.map(|_| ())
    }};
}
pub(crate) use send;

//! What time it is.

use std::time::SystemTime;

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the command line is the edge")]
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

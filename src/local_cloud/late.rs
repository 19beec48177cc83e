//! Calls whose client died while they were in flight: kept in the cloud's folder, and applied
//! without a reply once they are due.

use super::cloud::Inner;
use super::service::{Request, Store};
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::PoisonError;

/// Where they are in the store.
const PREFIX: &str = ".late/";

#[derive(Serialize, Deserialize)]
struct Late {
    /// When it takes effect, in milliseconds of local time.
    due: u64,
    service: String,
    request: Request,
}

/// Keeps a call to take effect so many milliseconds of local time from now.
pub(super) fn keep(inner: &Inner, service: &str, request: &Request, millis: u64) {
    let mut disk = inner.disk.lock().unwrap_or_else(PoisonError::into_inner);
    // The process dies next; nobody would receive an error.
    let _ = disk.transact(|now, store| {
        let late = Late {
            due: now + millis,
            service: service.to_owned(),
            request: request.clone(),
        };
        let key = format!("{PREFIX}{}", hex::encode(rand::random::<[u8; 8]>()));
        store.put(&key, serde_json::to_value(late)?);
        Ok::<_, serde_json::Error>(())
    });
}

/// Whether one of them is due.
pub(super) fn is_due(now: u64, store: &dyn Store) -> bool {
    let kept = store.scan(PREFIX);
    kept.iter()
        .any(|(_, late)| late["due"].as_u64().is_none_or(|due| due <= now))
}

/// Lets those take effect that are due. Nobody receives a refusal.
pub(super) fn land(inner: &Inner) {
    while let Ok(Some(late)) = take(inner) {
        let Some(service) = inner.service(&late.service) else {
            continue;
        };
        let mut request = late.request;
        let mut disk = inner.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = disk.transact(|now, store| {
            request.now = now;
            service.answer(&request, store)
        });
    }
}

/// Takes the first call that is due out of the folder.
fn take(inner: &Inner) -> io::Result<Option<Late>> {
    let mut disk = inner.disk.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = disk.transact(|now, store| {
        for (key, value) in store.scan(PREFIX) {
            let late: Late = serde_json::from_value(value)?;
            if late.due <= now {
                store.remove(&key);
                return Ok(Some(late));
            }
        }
        Ok::<_, serde_json::Error>(None)
    })?;
    taken.map_err(io::Error::from)
}

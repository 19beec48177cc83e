//! Which mappings are polled: one poller for each that is enabled, as long as it is, as it is.

use super::poller;
use crate::local_cloud::lambda::{self, Polled};
use crate::local_cloud::live::Live;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;

/// How often mappings are looked for.
const GLANCE: Duration = Duration::from_millis(200);

/// Starts and ends pollers as mappings come, change and go.
pub(super) async fn work(live: Live) {
    let mut running: BTreeMap<String, (Polled, watch::Sender<bool>)> = BTreeMap::new();
    loop {
        // A folder that cannot be read shows in every call.
        if let Ok(polled) = live.cloud().look(|now, store| lambda::polled(store, now)) {
            running.retain(|uuid, (known, _)| {
                polled
                    .iter()
                    .any(|polled| polled.uuid == *uuid && polled == known)
            });
            for mapping in polled {
                if running.contains_key(&mapping.uuid) {
                    continue;
                }
                // The poller ends when the sender is dropped; what it handed out is finished.
                let (sender, ended) = watch::channel(false);
                live.spawn(poller::poll(live.clone(), mapping.clone(), ended));
                running.insert(mapping.uuid.clone(), (mapping, sender));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(GLANCE) => {}
            () = live.stopping() => return,
        }
    }
}

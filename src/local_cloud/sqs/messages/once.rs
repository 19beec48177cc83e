//! What a queue remembers for five minutes: deduplication ids, and attempts to receive.

use super::{Held, padded};
use crate::local_cloud::service::Refusal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How long it is remembered (SQS API reference, SendMessage and ReceiveMessage).
const REMEMBERED: u64 = 5 * 60 * 1000;
/// How much of what is outdated is removed with each new one.
const REMOVED: usize = 4;

#[derive(Serialize, Deserialize)]
struct Once<T> {
    until: u64,
    what: T,
}

/// What tells one id from another.
pub(super) fn hash(kind: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in [&[kind], parts].concat() {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..16])
}

impl Held<'_> {
    /// What is remembered of an id.
    pub(super) fn remembered<T: DeserializeOwned>(
        &self,
        hash: &str,
        now: u64,
    ) -> Result<Option<T>, Refusal> {
        let known: Option<Once<T>> = self.read(&self.key(&format!("once/{hash}")))?;
        Ok(known
            .filter(|known| known.until > now)
            .map(|known| known.what))
    }

    /// Remembers something, and forgets some of what is outdated.
    pub(super) fn remember(&mut self, hash: &str, now: u64, what: &impl Serialize) {
        let until = now + REMEMBERED;
        self.forget(now);
        let key = self.key(&format!("once/{hash}"));
        self.write(&key, &Once { until, what });
        let key = self.key(&format!("forget/{}/{hash}", padded(until)));
        self.store.put(&key, serde_json::Value::Null);
    }

    fn forget(&mut self, now: u64) {
        let prefix = self.key("forget/");
        for _ in 0..REMOVED {
            let Some(key) = self.store.next_key(&prefix, "") else {
                return;
            };
            let Some((until, hash)) = key[prefix.len()..].split_once('/') else {
                return;
            };
            if until.parse().is_ok_and(|until: u64| until > now) {
                return;
            }
            // It may be remembered anew.
            let once = self.key(&format!("once/{hash}"));
            let known = self.store.get(&once);
            if known.is_some_and(|known| known["until"].as_u64().is_none_or(|until| until <= now)) {
                self.store.remove(&once);
            }
            self.store.remove(&key);
        }
    }
}

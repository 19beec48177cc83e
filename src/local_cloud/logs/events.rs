//! Where streams and events are kept, and how they are read back.
//!
//! A stream is kept under `.logs/{region}/stream/{group}:{stream}` (neither name can have a colon).
//! What one call put is a chunk under `.logs/{region}/event/{group}:{stream}:{ordinal}`: a small
//! one holds its events, a large one names the blob that does. Small chunks are put together
//! after a while, so that a stream has few keys however often it is written to.

use super::super::service::{Refusal, Store};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// From how many bytes of messages on a chunk is a blob.
const LARGE: usize = 16 * 1024;
/// How many small chunks a stream may have.
const LOOSE: u64 = 64;
/// A day in milliseconds.
const DAY: u64 = 86_400_000;

/// A log stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stream {
    pub(super) name: String,
    /// Milliseconds since 1970, as all times here.
    pub(super) created: u64,
    /// A number of its own, part of its events' ids.
    pub(super) number: u32,
    /// How many events were ever put.
    pub(super) count: u64,
    /// How many small chunks it has.
    pub(super) loose: u64,
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    pub(super) ingested: Option<u64>,
}

/// An event as a chunk keeps it: time, time of ingestion, ordinal in its stream, message.
type Kept = (u64, u64, u64, String);

#[derive(Debug, Serialize, Deserialize)]
struct Chunk {
    /// The earliest and the latest time of its events.
    first: u64,
    last: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<Kept>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
}

/// An event as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) timestamp: u64,
    pub(super) ingested: u64,
    /// Digits; ids of events of one time are in the order of their ingestion.
    pub(super) id: String,
    pub(super) message: String,
    pub(super) stream: String,
}

/// The streams and events of one group.
pub(super) struct Group<'g> {
    pub(super) region: &'g str,
    pub(super) name: &'g str,
    /// Days; none: for ever.
    pub(super) retention: Option<u64>,
}

fn broken(key: &str, why: impl std::fmt::Display) -> Refusal {
    let message = format!("the local cloud's {key} cannot be read: {why}");
    Refusal::new(500, "ServiceUnavailableException", message)
}

fn decode<T: serde::de::DeserializeOwned>(key: &str, value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|why| broken(key, why))
}

/// Only maps with string keys are kept, which cannot fail.
fn encode(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

impl Group<'_> {
    fn stream_key(&self, stream: &str) -> String {
        format!(".logs/{}/stream/{}:{stream}", self.region, self.name)
    }

    fn chunks_key(&self, stream: &str) -> String {
        format!(".logs/{}/event/{}:{stream}:", self.region, self.name)
    }

    /// The time before which events have expired.
    pub(super) fn expired_before(&self, now: u64) -> u64 {
        self.retention
            .map_or(0, |days| now.saturating_sub(days.saturating_mul(DAY)))
    }

    /// A stream by name.
    pub(super) fn stream(&self, store: &dyn Store, name: &str) -> Result<Option<Stream>, Refusal> {
        let key = self.stream_key(name);
        store.get(&key).map(|value| decode(&key, value)).transpose()
    }

    /// The streams whose names begin so, by name.
    pub(super) fn streams(&self, store: &dyn Store, prefix: &str) -> Result<Vec<Stream>, Refusal> {
        let pairs = store.scan(&self.stream_key(prefix)).into_iter();
        pairs.map(|(key, value)| decode(&key, value)).collect()
    }

    /// Keeps a stream.
    pub(super) fn put_stream(&self, store: &mut dyn Store, stream: &Stream) {
        store.put(&self.stream_key(&stream.name), encode(stream));
    }

    /// Removes a stream with its events.
    pub(super) fn remove_stream(&self, store: &mut dyn Store, name: &str) {
        store.remove(&self.stream_key(name));
        for (key, _) in store.scan(&self.chunks_key(name)) {
            store.remove(&key);
        }
    }

    /// Removes all streams.
    pub(super) fn clear(&self, store: &mut dyn Store) {
        for start in [
            self.stream_key(""),
            format!(".logs/{}/event/{}:", self.region, self.name),
        ] {
            for (key, _) in store.scan(&start) {
                store.remove(&key);
            }
        }
    }

    /// Puts events (time and message, in the order of their times) into a stream, and removes
    /// what has expired.
    pub(super) fn append(
        &self,
        store: &mut dyn Store,
        stream: &mut Stream,
        events: Vec<(u64, String)>,
        now: u64,
    ) -> Result<(), Refusal> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(());
        };
        stream.first = Some(stream.first.map_or(first.0, |known| known.min(first.0)));
        stream.last = Some(stream.last.map_or(last.0, |known| known.max(last.0)));
        stream.ingested = Some(now);
        let ordinal = stream.count;
        stream.count += events.len() as u64;
        let kept = (ordinal..).zip(events);
        let kept: Vec<Kept> = kept
            .map(|(ordinal, (time, message))| (time, now, ordinal, message))
            .collect();
        self.put_chunk(store, stream, kept)?;
        if self.retention.is_some() {
            self.expire(store, stream, now)?;
        }
        if stream.loose >= LOOSE {
            self.tie(store, stream)?;
        }
        self.put_stream(store, stream);
        Ok(())
    }

    fn put_chunk(
        &self,
        store: &mut dyn Store,
        stream: &mut Stream,
        events: Vec<Kept>,
    ) -> Result<(), Refusal> {
        let Some(ordinal) = events.first().map(|event| event.2) else {
            return Ok(());
        };
        let times = events.iter().map(|event| event.0);
        let (first, last) = (times.clone().min(), times.max());
        let size: usize = events.iter().map(|event| event.3.len()).sum();
        let key = format!("{}{ordinal:012}", self.chunks_key(&stream.name));
        let (events, blob) = if size >= LARGE {
            let bytes = serde_json::to_vec(&events).map_err(|why| broken(&key, why))?;
            (None, Some(store.put_blob(&Bytes::from(bytes))))
        } else {
            stream.loose += 1;
            (Some(events), None)
        };
        let chunk = Chunk {
            first: first.unwrap_or_default(),
            last: last.unwrap_or_default(),
            events,
            blob,
        };
        store.put(&key, encode(&chunk));
        Ok(())
    }

    fn chunks(&self, store: &dyn Store, stream: &str) -> Result<Vec<(String, Chunk)>, Refusal> {
        let pairs = store.scan(&self.chunks_key(stream)).into_iter();
        pairs
            .map(|(key, value)| {
                let chunk = decode(&key, value)?;
                Ok((key, chunk))
            })
            .collect()
    }

    fn expire(&self, store: &mut dyn Store, stream: &mut Stream, now: u64) -> Result<(), Refusal> {
        let before = self.expired_before(now);
        for (key, chunk) in self.chunks(store, &stream.name)? {
            if chunk.last < before {
                stream.loose = stream
                    .loose
                    .saturating_sub(u64::from(chunk.events.is_some()));
                store.remove(&key);
            }
        }
        Ok(())
    }

    /// Ties the small chunks of a stream together to one.
    fn tie(&self, store: &mut dyn Store, stream: &mut Stream) -> Result<(), Refusal> {
        let mut all = Vec::new();
        for (key, chunk) in self.chunks(store, &stream.name)? {
            if let Some(events) = chunk.events {
                all.extend(events);
                store.remove(&key);
            }
        }
        stream.loose = 0;
        self.put_chunk(store, stream, all)
    }

    /// The events of a stream between two times, both inclusive, that have not expired; in the
    /// order of time, and of ingestion where that is equal.
    pub(super) fn read(
        &self,
        store: &dyn Store,
        stream: &Stream,
        (from, to): (u64, u64),
        now: u64,
    ) -> Result<Vec<Event>, Refusal> {
        let from = from.max(self.expired_before(now));
        let mut found = Vec::new();
        for (key, chunk) in self.chunks(store, &stream.name)? {
            if chunk.last < from || chunk.first > to {
                continue;
            }
            let kept: Vec<Kept> = match (chunk.events, chunk.blob) {
                (Some(events), _) => events,
                (None, Some(blob)) => {
                    let bytes = store
                        .blob(&blob)
                        .ok_or_else(|| broken(&key, "its blob is missing"))?;
                    serde_json::from_slice(&bytes).map_err(|why| broken(&key, why))?
                }
                (None, None) => Vec::new(),
            };
            let kept = kept.into_iter().filter(|it| (from..=to).contains(&it.0));
            found.extend(kept.map(|(timestamp, ingested, ordinal, message)| Event {
                timestamp,
                ingested,
                id: format!(
                    "{timestamp:016}{ingested:016}{ordinal:014}{:010}",
                    stream.number
                ),
                message,
                stream: stream.name.clone(),
            }));
        }
        found.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(found)
    }
}

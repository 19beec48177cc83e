//! The open connections.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// How many messages may wait to be sent to a connection.
const WAITING: usize = 256;

/// What the gateway of a served cloud keeps: in memory, so a restart drops every connection.
#[derive(Debug, Default)]
pub(in crate::local_cloud) struct Gateway(Mutex<HashMap<String, Arc<Connection>>>);

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: String,
    pub(super) region: String,
    pub(super) api: String,
    pub(super) stage: String,
    /// When it was opened, in milliseconds since 1970 by the local clock.
    pub(super) connected: u64,
    /// When something last came or went, by the same clock.
    pub(super) active: AtomicU64,
    pub(super) source_ip: String,
    pub(super) user_agent: Option<String>,
    /// The host that the client asked for.
    pub(super) domain: String,
    out: mpsc::Sender<Outgoing>,
}

/// What is to be sent to a client.
#[derive(Debug)]
pub(super) enum Outgoing {
    Text(String),
    Binary(Bytes),
    Close,
}

impl Gateway {
    pub(super) fn get(&self, id: &str) -> Option<Arc<Connection>> {
        self.all().get(id).cloned()
    }

    pub(super) fn insert(&self, connection: &Arc<Connection>) {
        let entry = (connection.id.clone(), Arc::clone(connection));
        self.all().extend([entry]);
    }

    pub(super) fn remove(&self, id: &str) {
        self.all().remove(id);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A connection, and what is to be sent to its client.
    pub(super) fn new(
        region: &str,
        (api, stage): (&str, &str),
        now: u64,
        client: Client,
    ) -> (Self, mpsc::Receiver<Outgoing>) {
        let (out, incoming) = mpsc::channel(WAITING);
        let connection = Self {
            id: id(),
            region: region.to_owned(),
            api: api.to_owned(),
            stage: stage.to_owned(),
            connected: now,
            active: AtomicU64::new(now),
            source_ip: client.source_ip,
            user_agent: client.user_agent,
            domain: client.domain,
            out,
        };
        (connection, incoming)
    }

    /// Hands something to the connection's task. False where it has ended.
    pub(super) async fn send(&self, outgoing: Outgoing) -> bool {
        self.out.send(outgoing).await.is_ok()
    }

    pub(super) fn touch(&self, now: u64) {
        self.active.store(now, Ordering::Relaxed);
    }

    /// The key of the note in the store that the connection is open.
    pub(super) fn key(&self) -> String {
        format!(".apigateway/{}/connection/{}", self.region, self.id)
    }
}

/// Who connects.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) source_ip: String,
    pub(super) user_agent: Option<String>,
    pub(super) domain: String,
}

/// An id as API Gateway gives to connections, requests and messages: 16 characters of base64 for
/// URLs, the last of them `=`. So it stands in a form or a path as it is.
pub(super) fn id() -> String {
    URL_SAFE.encode(rand::random::<[u8; 11]>())
}

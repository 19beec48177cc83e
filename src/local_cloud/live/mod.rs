//! The local cloud while it is served: what runs beside the calls of one process, and what its
//! parts share.
//!
//! A served cloud listens on 127.0.0.1 for other clients (`serve`), and is the only place where
//! anything happens by itself. Everything runs on the runtime that started it.

mod answer;
mod presence;

pub(in crate::local_cloud) use answer::answer;
pub use presence::{Presence, Running, running};

use super::cloud::Cloud;
use super::functions::{self, Functions};
use super::gateway::{self, Gateway};
use super::serve;
use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How long what is in progress may take to end by itself once the cloud is to stop.
const GRACE: Duration = Duration::from_secs(2);

/// A local cloud that is served. Clones share everything.
#[derive(Debug, Clone)]
pub struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    cloud: Cloud,
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
    functions: Functions,
    gateway: Gateway,
    notes: Notes,
}

/// What the user should know, each of it once.
#[derive(Debug)]
struct Notes {
    told: Mutex<BTreeSet<String>>,
    sender: mpsc::UnboundedSender<String>,
    receiver: Mutex<Option<mpsc::UnboundedReceiver<String>>>,
}

impl Notes {
    fn new() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            told: Mutex::default(),
            sender,
            receiver: Mutex::new(Some(receiver)),
        }
    }
}

impl Live {
    /// Starts to serve on a port of 127.0.0.1; port 0 takes one that is free.
    ///
    /// # Errors
    /// When the port cannot be listened on: [`io::ErrorKind::AddrInUse`] where it is taken.
    pub async fn start(cloud: Cloud, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let live = Self(Arc::new(Shared {
            address: listener.local_addr()?,
            cloud,
            stopping: watch::Sender::new(false),
            tasks: Mutex::default(),
            functions: Functions::default(),
            gateway: Gateway::default(),
            notes: Notes::new(),
        }));
        live.spawn(serve::accept(live.clone(), listener));
        gateway::forget(&live)?;
        functions::start(&live);
        Ok(live)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The cloud that is served.
    pub fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    /// The functions that run.
    pub(in crate::local_cloud) fn functions(&self) -> &Functions {
        &self.0.functions
    }

    /// The open connections of WebSocket APIs.
    pub(in crate::local_cloud) fn gateway(&self) -> &Gateway {
        &self.0.gateway
    }

    /// Tells the user something, if it was not told before: a sentence.
    pub(in crate::local_cloud) fn note(&self, text: &str) {
        let notes = &self.0.notes;
        let mut told = notes.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(text.to_owned()) {
            // Nobody may listen.
            let _ = notes.sender.send(text.to_owned());
        }
    }

    /// What the user should know, sentence by sentence; for one listener.
    pub fn notes(&self) -> Option<mpsc::UnboundedReceiver<String>> {
        let receiver = &self.0.notes.receiver;
        receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Ends everything that runs: each part gets a signal, has a moment to end by itself, and is cut off
    /// then. Nothing that a reply went out for is lost.
    pub async fn stop(&self) {
        self.0.stopping.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks());
        let ended = async { while tasks.join_next().await.is_some() {} };
        // What has not ended is cut off when `tasks` is dropped.
        let _ = tokio::time::timeout(GRACE, ended).await;
    }

    /// Waits until the cloud is to stop.
    pub(in crate::local_cloud) async fn stopping(&self) {
        // The sender lives as long as this does.
        let _ = self.0.stopping.subscribe().wait_for(|stop| *stop).await;
    }

    /// Runs a task beside the others. It ends by itself soon after [`Live::stopping`].
    pub(in crate::local_cloud) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

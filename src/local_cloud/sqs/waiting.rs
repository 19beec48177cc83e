//! Calls that wait for messages: whether they do, and how long.

use super::messages::{self, Held};
use super::queue::{Queue, named};
use crate::local_cloud::json::{self, Input};
use crate::local_cloud::service::{Reply, Request, Store};

/// Whether a request is one to receive messages.
pub(in crate::local_cloud) fn is_receive(request: &Request) -> bool {
    json::operation(request) == "ReceiveMessage"
}

/// Whether a reply to such a request has no message in it.
pub(in crate::local_cloud) fn is_empty(reply: &Reply) -> bool {
    reply.status == 200 && reply.body.as_ref() == b"{}"
}

/// How long a request to receive messages waits.
pub(in crate::local_cloud) struct Waiting {
    /// How long in all, in milliseconds of local time.
    pub(in crate::local_cloud) patience: u64,
    /// When messages that are there already can be received, in milliseconds from now.
    pub(in crate::local_cloud) opens_in: Option<u64>,
}

/// How long a request to receive messages waits that found none.
pub(in crate::local_cloud) fn waiting(
    request: &Request,
    now: u64,
    store: &mut dyn Store,
) -> Option<Waiting> {
    let input = Input::parse(request).ok()?;
    let (_, queue) = named(&input, &request.region, store).ok()?;
    let queue = Queue::of(&queue);
    let patience = messages::wait(&queue, &input).ok()?;
    let held = Held::of(store, &request.region, &queue.name);
    let opens_in = held.opens().map(|at| at.saturating_sub(now));
    Some(Waiting { patience, opens_in })
}

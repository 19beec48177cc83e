//! A call to a service: one transaction on the folder.

use super::access::{self, act};
use super::cloud::{Cloud, Inner};
use super::service::{Refusal, Reply, Request, Service};
use super::{chunked, late, wire};
use std::sync::PoisonError;

impl Inner {
    /// A call that the local cloud itself makes, or that was received from a client: no faults, no
    /// latency, no question who calls. What it wrote is on disk when this returns.
    pub(super) fn call(&self, service: &str, mut request: Request) -> Reply {
        match self.service(service) {
            Some(service) => self.answer(service, &mut request),
            None => wire::no_service(service),
        }
    }

    /// The service's reply to a request.
    pub(super) fn answer(&self, service: &dyn Service, request: &mut Request) -> Reply {
        if !chunked::decode(request) {
            let refusal = Refusal::new(400, "IncompleteBody", "The chunked body is malformed.");
            return service.refuse(request, &refusal);
        }
        let result = loop {
            let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
            let result = disk.transact(|now, store| {
                if late::is_due(now, store) {
                    return Ok(None);
                }
                request.now = now;
                service.answer(request, store).map(Some)
            });
            drop(disk);
            match result {
                Ok(Ok(None)) => late::land(self),
                Ok(Ok(Some(reply))) => break Ok(Ok(reply)),
                Ok(Err(refusal)) => break Ok(Err(refusal)),
                Err(error) => break Err(error),
            }
        };
        match result {
            Ok(Ok(reply)) => {
                let name = service.signing_name();
                let reads = ["Get", "List", "Receive"];
                let operation = service.operation(request);
                if name == "sqs" && !reads.iter().any(|verb| operation.starts_with(verb)) {
                    self.announce_messages();
                }
                reply
            }
            Ok(Err(refusal)) => service.refuse(request, &refusal),
            Err(error) => {
                let message = format!("The local cloud's folder cannot be used: {error}");
                service.refuse(request, &Refusal::new(500, "InternalFailure", message))
            }
        }
    }
}

impl Cloud {
    /// The reply to a call that its caller may not make; none where it may. `service` is the
    /// signing name; `execute-api` has no calls but those of a gateway's connections.
    pub(super) fn denial(&self, service: &str, request: &Request) -> Option<Reply> {
        let known = self.inner().service(service);
        let operation = known.map(|known| known.operation(request));
        let act = act(service, operation.as_deref().unwrap_or_default(), request);
        let refusal = self.look(|now, store| access::refusal(service, &act, request, now, store));
        let refusal = refusal.unwrap_or_else(|error| {
            let message = format!("The local cloud's folder cannot be used: {error}");
            Some(Refusal::new(500, "InternalFailure", message))
        })?;
        Some(match known {
            Some(known) => known.refuse(request, &refusal),
            None => wire::refusal(refusal.status, &refusal.code, &refusal.message),
        })
    }

    /// A call that the local cloud itself makes; see [`Inner::call`].
    pub(super) fn call(&self, service: &str, request: Request) -> Reply {
        self.inner().call(service, request)
    }
}

//! What the operations share: whom a request names, its tokens, its place in the store, pages.

use super::ticket::{self, Failure, Ticket};
use super::{Input, NAME, Refusal, Resource, invalid, missing, refusal};
use crate::local_cloud::fault::Handler;
use crate::local_cloud::service::Store;
use crate::registry::{self, Handler as Action, RegistryType};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How long a client token stands for its request: 36 hours, in milliseconds (`ClientToken`, API
/// reference).
const CLIENT_TOKEN_MS: u64 = 36 * 3_600_000;
/// How many resources or requests are on a page where the caller does not say (`MaxResults` of
/// ListResourceRequests, API reference).
const PAGE: i64 = 20;
/// Every so many requests, what is outdated is removed.
const SWEEP: u64 = 64;

/// One call.
pub(super) struct Call<'c> {
    pub(super) region: &'c str,
    pub(super) now: u64,
    /// What a fault has the type's handler do.
    pub(super) handler: Handler,
    pub(super) input: Input,
    pub(super) store: &'c mut dyn Store,
}

/// What an operation returns.
pub(super) type Answer = Result<Value, Refusal>;

/// The parts of a write that its operation decides.
pub(super) struct Write {
    pub(super) operation: &'static str,
    pub(super) kind: &'static RegistryType,
    pub(super) identifier: String,
    /// Whether the caller could tell the identifier beforehand.
    pub(super) foreseen: bool,
    pub(super) failure: Option<Failure>,
    /// Whether it has its effect, though it may fail.
    pub(super) effect: bool,
}

impl Write {
    pub(super) fn fail(&mut self, code: &str, message: String) {
        self.effect = false;
        self.failure = Some(Failure::new(code, message));
    }

    /// The handler refuses what it is asked for.
    pub(super) fn refuse(&mut self, fault: Option<String>) {
        if let Some(message) = fault {
            self.fail("InvalidRequest", message);
        }
    }
}

impl Call<'_> {
    /// The type that the request names, which must have a handler for it (sentences:
    /// pulumi/pulumi-aws-native#2308, alchemy-run/alchemy-async#1446).
    pub(super) fn kind(&self, action: Action) -> Result<&'static RegistryType, Refusal> {
        let name = self.input.type_name.as_deref();
        let name = name.ok_or_else(|| missing("typeName"))?;
        let kind = registry::registry_type(name).ok_or_else(|| {
            let message = format!("The type '{name}' cannot be found.");
            refusal("TypeNotFoundException", message)
        })?;
        if registry::is_in_cloud_control(name) && kind.handler(action).is_some() {
            return Ok(kind);
        }
        let action = action.name().to_uppercase();
        let message = format!("Resource type {name} does not support {action} action");
        Err(refusal("UnsupportedActionException", message))
    }

    pub(super) fn identifier(&self) -> Result<String, Refusal> {
        let identifier = self.input.identifier.clone();
        identifier.ok_or_else(|| missing("identifier"))
    }

    pub(super) fn resource(
        &self,
        kind: &RegistryType,
        id: &str,
    ) -> Result<Option<Resource>, Refusal> {
        let value = self.store.get(&key(self.region, kind, id));
        value.map(read).transpose()
    }

    /// The resource that the request names.
    pub(super) fn existing(&self, kind: &RegistryType) -> Result<(String, Resource), Refusal> {
        let id = self.identifier()?;
        let found = self.resource(kind, &id)?;
        match found.filter(|found| found.exists(self.now)) {
            Some(found) => Ok((id, found)),
            None => Err(refusal("ResourceNotFoundException", not_found(kind, &id))),
        }
    }

    pub(super) fn refuse_if_busy(&self, found: Option<&Resource>) -> Result<(), Refusal> {
        if found.is_none_or(|found| found.busy <= self.now) {
            return Ok(());
        }
        let message = "Another resource operation is currently being performed on this resource.";
        Err(refusal("ConcurrentOperationException", message))
    }

    pub(super) fn keep(&mut self, write: &Write, resource: &Resource) {
        let key = key(self.region, write.kind, &write.identifier);
        self.store.put(&key, json!(resource));
    }

    /// How many writes there have been, this one included. Now and then, what is outdated goes.
    pub(super) fn count(&mut self) -> u64 {
        let key = format!(".{NAME}/{}/count", self.region);
        let count = self.store.get(&key).and_then(|count| count.as_u64());
        let count = count.unwrap_or_default() + 1;
        self.store.put(&key, json!(count));
        if count.is_multiple_of(SWEEP) {
            self.sweep();
        }
        count
    }

    pub(super) fn sweep(&mut self) {
        let outdated = |value: &Value, name: &str, after: u64| {
            let at = value[name].as_u64().unwrap_or_default();
            at + after <= self.now
        };
        let mut keys = Vec::new();
        for (key, value) in self.store.scan(&request_key(self.region, "")) {
            if outdated(&value, "started", ticket::KEPT_MS) {
                keys.push(key);
            }
        }
        for (key, value) in self.store.scan(&client_key(self.region, "")) {
            if outdated(&value, "at", CLIENT_TOKEN_MS) {
                keys.push(key);
            }
        }
        for (key, value) in self.store.scan(&format!("{NAME}/{}/", self.region)) {
            if value["phase"] == "Deleting" && outdated(&value, "until", 0) {
                keys.push(key);
            }
        }
        for key in keys {
            self.store.remove(&key);
        }
    }

    /// What the input is, without what it holds.
    pub(super) fn digest(&self, operation: &str) -> String {
        let input = &self.input;
        let parts = json!([
            operation,
            input.type_name,
            input.identifier,
            input.desired_state,
            input.patch_document,
        ]);
        hex::encode(Sha256::digest(parts.to_string()))
    }

    /// The event of the request that has this client token already.
    pub(super) fn replayed(&self, operation: &str) -> Result<Option<Value>, Refusal> {
        let Some(client) = &self.input.client_token else {
            return Ok(None);
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || "-+/=".contains(c);
        if !(1..=128).contains(&client.len()) || !client.chars().all(fits) {
            return Err(invalid("The client token is not valid."));
        }
        let Some(note) = self.store.get(&client_key(self.region, client)) else {
            return Ok(None);
        };
        let at = note["at"].as_u64().unwrap_or_default();
        if at + CLIENT_TOKEN_MS <= self.now {
            return Ok(None);
        }
        if note["digest"] != self.digest(operation) {
            let message = "The specified client token has already been used in another resource \
                           request.";
            return Err(refusal("ClientTokenConflictException", message));
        }
        let token = note["token"].as_str().unwrap_or_default();
        let ticket = self.find(token)?;
        Ok(Some(json!({"ProgressEvent": ticket.event(self.now)})))
    }

    pub(super) fn write(
        &self,
        operation: &'static str,
        kind: &'static RegistryType,
        identifier: String,
        foreseen: bool,
    ) -> Write {
        let failure = Failure::of(&self.handler, kind.name());
        Write {
            operation,
            kind,
            identifier,
            foreseen,
            effect: failure.is_none() || self.handler.effect,
            failure,
        }
    }

    pub(super) fn ticket(&self, write: &Write) -> Ticket {
        Ticket::new(
            self.now,
            write,
            &self.handler,
            key(self.region, write.kind, &write.identifier),
        )
    }

    /// Keeps a new request, and returns what a write returns.
    pub(super) fn accept(&mut self, ticket: Ticket) -> Value {
        if let Some(client) = &self.input.client_token {
            let digest = self.digest(&ticket.operation);
            let note = json!({"token": ticket.token, "digest": digest, "at": self.now});
            self.store.put(&client_key(self.region, client), note);
        }
        self.put(&ticket);
        json!({"ProgressEvent": ticket.event(self.now)})
    }

    pub(super) fn put(&mut self, ticket: &Ticket) {
        let key = request_key(self.region, &ticket.token);
        self.store.put(&key, json!(ticket));
    }

    pub(super) fn find(&self, token: &str) -> Result<Ticket, Refusal> {
        let value = self.store.get(&request_key(self.region, token));
        let ticket = value.map(Ticket::read).transpose()?;
        ticket
            .filter(|ticket| !ticket.is_expired(self.now))
            .ok_or_else(|| {
                let message = format!("Request with token {token} does not exist.");
                refusal("RequestTokenNotFoundException", message)
            })
    }

    /// The request that the input names.
    pub(super) fn asked(&self) -> Result<Ticket, Refusal> {
        let token = self.input.request_token.as_deref();
        self.find(token.ok_or_else(|| missing("requestToken"))?)
    }

    /// A page of what is in order, and the token of the next one.
    pub(super) fn page(
        &self,
        mut found: Vec<(String, Value)>,
    ) -> Result<(Vec<Value>, Option<String>), Refusal> {
        let most = self.input.max_results.unwrap_or(PAGE);
        let most = usize::try_from(most)
            .ok()
            .filter(|most| (1..=100).contains(most));
        let most = most.ok_or_else(|| invalid("MaxResults is not between 1 and 100."))?;
        if let Some(token) = &self.input.next_token {
            let after = hex::decode(token).map_err(|_| invalid("The next token is not valid."))?;
            found.retain(|(place, _)| place.as_bytes() > after.as_slice());
        }
        let more = found.len() > most;
        found.truncate(most);
        let next = found.last().filter(|_| more);
        let next = next.map(|(place, _)| hex::encode(place));
        Ok((found.into_iter().map(|(_, value)| value).collect(), next))
    }
}

pub(super) fn not_found(kind: &RegistryType, id: &str) -> String {
    format!(
        "Resource of type '{}' with identifier '{id}' was not found.",
        kind.name()
    )
}

pub(super) fn read(value: Value) -> Result<Resource, Refusal> {
    serde_json::from_value(value).map_err(|error| unreadable(&error))
}

/// What the store holds was written by something else.
pub(super) fn unreadable(error: &serde_json::Error) -> Refusal {
    let message = format!("The local cloud's store cannot be read: {error}");
    Refusal::new(500, "ServiceInternalErrorException", message)
}

pub(super) fn key(region: &str, kind: &RegistryType, id: &str) -> String {
    format!("{NAME}/{region}/{}/{id}", kind.name())
}

pub(super) fn request_key(region: &str, token: &str) -> String {
    format!(".{NAME}/{region}/request/{token}")
}

pub(super) fn client_key(region: &str, token: &str) -> String {
    format!(".{NAME}/{region}/client/{token}")
}

//! Cloud Control: one service for every type of the CloudFormation registry, driven by the types'
//! schemas alone. It shares nothing with the other services of the local cloud: a queue created
//! here is unknown to its SQS, and the other way round. It knows nothing of what one type demands
//! of another (that a subnet's VPC exists), nor of rules that no schema states.
//!
//! A resource is kept under `cloudcontrolapi/{region}/{type}/{identifier}` (see `Resource`), a
//! request under `.cloudcontrolapi/{region}/request/{token}` (see `Ticket`), and the token of
//! the request that a client token belongs to under `.cloudcontrolapi/{region}/client/{token}`.
//!
//! A request is decided when it comes in; its times say from when on others see what it did.

mod call;
mod check;
mod fill;
mod model;
mod patch;
mod pattern;
mod ticket;

#[cfg(test)]
mod tests;

use super::fault::Handler;
use super::json;
use super::service::{Refusal, Reply, Request, Service, Store};
use crate::registry::Handler as Action;
use call::{Answer, Call, key, not_found, read, request_key};
use fill::Place;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ticket::{Status, Ticket};

/// The service.
#[derive(Debug)]
pub struct CloudControl;

/// The signing name, with which the keys of resources begin, too.
const NAME: &str = "cloudcontrolapi";

/// The members of all operations' input.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    type_name: Option<String>,
    identifier: Option<String>,
    client_token: Option<String>,
    desired_state: Option<String>,
    patch_document: Option<String>,
    request_token: Option<String>,
    resource_model: Option<String>,
    resource_request_status_filter: Filter,
    next_token: Option<String>,
    max_results: Option<i64>,
}

/// Which requests to list; an empty list means all.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    operations: Vec<String>,
    operation_statuses: Vec<String>,
}

/// What is kept of a resource.
#[derive(Debug, Serialize, Deserialize)]
struct Resource {
    /// What reads return: read-only properties included, write-only ones not.
    model: Value,
    /// What was asked for last, write-only properties included.
    sent: Value,
    /// From when on it exists, in milliseconds since 1970.
    since: u64,
    /// The model and request before an update, and until when they are what reads return.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<(Value, Value, u64)>,
    /// `Deleting` once it is being deleted; it then exists until `until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    #[serde(default)]
    until: u64,
    /// Until when no other request may write it.
    #[serde(default)]
    busy: u64,
    /// The patch document of its last update, for tests; null before the first.
    #[serde(default)]
    patch: Value,
}

impl Resource {
    fn exists(&self, now: u64) -> bool {
        self.since <= now && (self.phase.is_none() || now < self.until)
    }

    /// What a read returns.
    fn seen(&self, now: u64) -> &Value {
        match &self.before {
            Some((model, _, until)) if now < *until => model,
            _ => &self.model,
        }
    }
}

fn refusal(code: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(400, code, message)
}

fn invalid(message: impl Into<String>) -> Refusal {
    refusal("ValidationException", message)
}

fn bad_request(message: impl Into<String>) -> Refusal {
    refusal("InvalidRequestException", message)
}

fn missing(member: &str) -> Refusal {
    invalid(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
         Member must not be null"
    ))
}

impl Service for CloudControl {
    fn signing_name(&self) -> &'static str {
        NAME
    }

    fn operation(&self, request: &Request) -> String {
        json::operation(request).to_owned()
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        let input = serde_json::from_slice(&request.body)
            .map_err(|_| refusal("SerializationException", "The body cannot be read."))?;
        let mut call = Call {
            region: &request.region,
            now: request.now,
            handler: Handler::carried(request),
            input,
            store,
        };
        let body = match json::operation(request) {
            "CreateResource" => call.create(),
            "UpdateResource" => call.update(),
            "DeleteResource" => call.delete(),
            "GetResource" => call.get(),
            "ListResources" => call.list(),
            "GetResourceRequestStatus" => call.status(),
            "ListResourceRequests" => call.requests(),
            "CancelResourceRequest" => call.cancel(),
            other => Err(json::unknown(NAME, other)),
        }?;
        Ok(json::reply("1.0", 200, &body))
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        let body = json!({
            "__type": format!("com.amazon.cloudapiservice#{}", refusal.code),
            "Message": refusal.message,
        });
        json::reply("1.0", refusal.status, &body)
    }
}

impl Call<'_> {
    fn create(&mut self) -> Answer {
        let kind = self.kind(Action::Create)?;
        if let Some(event) = self.replayed("CREATE")? {
            return Ok(event);
        }
        let sent = self.input.desired_state.as_deref();
        let sent = sent.ok_or_else(|| missing("desiredState"))?;
        let sent = model::object(sent)
            .ok_or_else(|| bad_request("The desired state is not a JSON object."))?;
        model::check_new(kind, &sent)?;
        let place = Place {
            region: self.region,
            now: self.now,
            count: self.count(),
        };
        let model = fill::model(kind, &sent, &place)?;
        let identifier = model::identifier(kind, &model);
        let foreseen = model::is_foreseen(kind, &sent);
        let mut write = self.write("CREATE", kind, identifier, foreseen);
        write.refuse(model::tag_fault(kind, &sent));
        let found = self.resource(kind, &write.identifier)?;
        self.refuse_if_busy(found.as_ref())?;
        if found.is_some_and(|found| found.exists(self.now)) {
            let message = format!(
                "Resource of type '{}' with identifier '{}' already exists.",
                kind.name(),
                write.identifier
            );
            write.fail("AlreadyExists", message);
        }
        let ticket = self.ticket(&write);
        if write.effect {
            let resource = Resource {
                model,
                sent,
                since: ticket.runs,
                before: None,
                phase: None,
                until: 0,
                busy: ticket.ends,
                patch: Value::Null,
            };
            self.keep(&write, &resource);
        }
        Ok(self.accept(ticket))
    }

    /// A resource that does not exist is refused at once: the patch is applied to what a read
    /// returns, before the request is accepted (as the refusals of patches are returned by
    /// UpdateResource itself, aws-cloudformation/cloudformation-coverage-roadmap#2205).
    fn update(&mut self) -> Answer {
        let kind = self.kind(Action::Update)?;
        if let Some(event) = self.replayed("UPDATE")? {
            return Ok(event);
        }
        let patch = self.input.patch_document.as_deref();
        let patch = patch.ok_or_else(|| missing("patchDocument"))?;
        let no_patch = |_| invalid("The patch document is not a list of patch operations.");
        let document: Value = serde_json::from_str(patch).map_err(no_patch)?;
        let patch = Vec::<patch::Step>::deserialize(&document).map_err(no_patch)?;
        let (identifier, mut found) = self.existing(kind)?;
        self.refuse_if_busy(Some(&found))?;
        let mut sent = found.model.clone();
        patch::apply(&mut sent, patch)
            .map_err(|why| invalid(format!("Invalid patch update: {why}")))?;
        model::check_change(kind, &found.model, &sent)?;
        let place = Place {
            region: self.region,
            now: self.now,
            count: self.count(),
        };
        let model = fill::model(kind, &sent, &place)?;
        let mut write = self.write("UPDATE", kind, identifier, true);
        write.refuse(model::tag_fault(kind, &sent));
        let ticket = self.ticket(&write);
        found.busy = ticket.ends;
        found.before = None;
        found.patch = document;
        if write.effect {
            let model = std::mem::replace(&mut found.model, model);
            let sent = std::mem::replace(&mut found.sent, sent);
            found.before = Some((model, sent, ticket.ends));
        }
        self.keep(&write, &found);
        Ok(self.accept(ticket))
    }

    fn delete(&mut self) -> Answer {
        let kind = self.kind(Action::Delete)?;
        if let Some(event) = self.replayed("DELETE")? {
            return Ok(event);
        }
        let identifier = self.identifier()?;
        let found = self.resource(kind, &identifier)?;
        self.refuse_if_busy(found.as_ref())?;
        let found = found.filter(|found| found.exists(self.now));
        let mut write = self.write("DELETE", kind, identifier, true);
        if found.is_none() {
            let message = not_found(kind, &write.identifier);
            write.fail("NotFound", message);
        }
        let ticket = self.ticket(&write);
        if let Some(mut found) = found {
            found.busy = ticket.ends;
            if write.effect {
                found.phase = Some("Deleting".to_owned());
                found.until = ticket.ends;
            }
            self.keep(&write, &found);
        }
        Ok(self.accept(ticket))
    }

    fn get(&mut self) -> Answer {
        let kind = self.kind(Action::Read)?;
        let (identifier, found) = self.existing(kind)?;
        let properties = found.seen(self.now).to_string();
        Ok(json!({
            "TypeName": kind.name(),
            "ResourceDescription": {"Identifier": identifier, "Properties": properties},
        }))
    }

    /// Returns identifiers alone, as some types' list handlers do (`ResourceDescriptions`, API
    /// reference); `Properties` holds what the identifier consists of.
    fn list(&mut self) -> Answer {
        let kind = self.kind(Action::List)?;
        let wanted = match &self.input.resource_model {
            Some(text) => model::object(text)
                .ok_or_else(|| bad_request("The resource model is not a JSON object."))?,
            None => json!({}),
        };
        model::check_listed(kind, &wanted)?;
        let prefix = key(self.region, kind, "");
        let mut found = Vec::new();
        for (key, value) in self.store.scan(&prefix) {
            let resource = read(value)?;
            let model = resource.seen(self.now);
            if resource.exists(self.now) && model::is_wanted(model, &wanted) {
                let properties = model::identifying(kind, model).to_string();
                let identifier = key[prefix.len()..].to_owned();
                found.push((
                    identifier.clone(),
                    json!({"Identifier": identifier, "Properties": properties}),
                ));
            }
        }
        let (page, next) = self.page(found)?;
        let mut body = json!({"TypeName": kind.name(), "ResourceDescriptions": page});
        if let Some(next) = next {
            body["NextToken"] = json!(next);
        }
        Ok(body)
    }

    fn status(&mut self) -> Answer {
        Ok(json!({"ProgressEvent": self.asked()?.event(self.now)}))
    }

    /// The newest first.
    fn requests(&mut self) -> Answer {
        let Filter {
            operations,
            operation_statuses: statuses,
        } = &self.input.resource_request_status_filter;
        let fits = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|listed| listed == value)
        };
        let mut found = Vec::new();
        for (_, value) in self.store.scan(&request_key(self.region, "")) {
            let ticket = Ticket::read(value)?;
            if !ticket.is_expired(self.now)
                && fits(operations, &ticket.operation)
                && fits(statuses, ticket.status(self.now).name())
            {
                found.push((ticket.place(), ticket.event(self.now)));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (page, next) = self.page(found)?;
        let mut body = json!({"ResourceRequestStatusSummaries": page});
        if let Some(next) = next {
            body["NextToken"] = json!(next);
        }
        Ok(body)
    }

    /// What has not started never happens; what has started goes on to its end.
    fn cancel(&mut self) -> Answer {
        let mut ticket = self.asked()?;
        let status = ticket.status(self.now);
        if !matches!(status, Status::Pending | Status::InProgress) {
            return Err(invalid(format!(
                "Request {} cannot be cancelled: its status is {}.",
                ticket.token,
                status.name()
            )));
        }
        ticket.cancelled = Some(self.now);
        let key = ticket.resource_key.clone();
        if status == Status::Pending
            && ticket.effect
            && let Some(value) = self.store.get(&key)
        {
            let mut found = read(value)?;
            match found.before.take() {
                _ if ticket.operation == "CREATE" => self.store.remove(&key),
                Some((model, sent, _)) if ticket.operation == "UPDATE" => {
                    (found.model, found.sent, found.busy) = (model, sent, 0);
                    self.store.put(&key, json!(found));
                }
                _ => {
                    (found.phase, found.busy) = (None, 0);
                    self.store.put(&key, json!(found));
                }
            }
        }
        self.put(&ticket);
        Ok(json!({"ProgressEvent": ticket.event(self.now)}))
    }
}

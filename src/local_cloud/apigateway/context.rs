//! What a request works on: an API, and the resources below it.

use super::members::{Doc, Member, Protocol, is_on, merge, read, text};
use super::path::Kind;
use super::{api, integration, integration_response, not_found, route, stage};
use crate::local_cloud::service::{Refusal, Store};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rand::RngExt;
use serde_json::{Value, json};

/// What a request works on.
pub(super) struct Cx<'c> {
    pub(super) region: &'c str,
    pub(super) now: u64,
    /// The API's id.
    pub(super) api: String,
    pub(super) protocol: Protocol,
    pub(super) store: &'c mut dyn Store,
}

impl Cx<'_> {
    pub(super) fn api_key(&self) -> String {
        format!("apigateway/{}/api/{}", self.region, self.api)
    }

    /// The key prefix of the resources of a kind; `parent` is the route or integration of
    /// responses.
    pub(super) fn start(&self, kind: Kind, parent: &str) -> String {
        let api = self.api_key();
        match kind.parent() {
            Some(above) => format!("{api}/{}/{parent}/{}/", above.key(), kind.key()),
            None => format!("{api}/{}/", kind.key()),
        }
    }

    pub(super) fn key(&self, kind: Kind, parent: &str, id: &str) -> String {
        format!("{}{id}", self.start(kind, parent))
    }

    /// Goes to an API: all else is about it.
    pub(super) fn enter(&mut self, id: &str) -> Result<Doc, Refusal> {
        id.clone_into(&mut self.api);
        match self.store.get(&self.api_key()) {
            Some(Value::Object(api)) if !id.contains('/') => {
                self.protocol = api::protocol(&api);
                Ok(api)
            }
            _ => Err(not_found("API", id)),
        }
    }

    pub(super) fn check_parent(&self, kind: Kind, parent: &str) -> Result<(), Refusal> {
        match kind.parent() {
            Some(above) => self.get(above, "", parent).map(|_| ()),
            None => Ok(()),
        }
    }

    pub(super) fn get(&self, kind: Kind, parent: &str, id: &str) -> Result<Doc, Refusal> {
        match self.store.get(&self.key(kind, parent, id)) {
            Some(Value::Object(doc)) if !id.contains('/') => Ok(doc),
            _ => Err(not_found(kind.name(), id)),
        }
    }

    pub(super) fn put(&mut self, kind: Kind, parent: &str, id: &str, doc: Doc) {
        let key = self.key(kind, parent, id);
        self.store.put(&key, Value::Object(doc));
    }

    /// The resources of a kind, by id.
    pub(super) fn list(&self, kind: Kind, parent: &str) -> Vec<(String, Doc)> {
        self.below(&self.start(kind, parent))
    }

    /// The resources right below a key.
    pub(super) fn below(&self, start: &str) -> Vec<(String, Doc)> {
        let pairs = self.store.scan(start).into_iter();
        pairs
            .filter_map(|(key, value)| match (key.strip_prefix(start), value) {
                (Some(id), Value::Object(doc)) if !id.contains('/') => Some((id.to_owned(), doc)),
                _ => None,
            })
            .collect()
    }

    /// Creates a resource below the API.
    pub(super) fn make(&mut self, kind: Kind, parent: &str, body: &Doc) -> Result<Doc, Refusal> {
        let given = read(body, table(kind), self.protocol, false)?;
        let mut doc = Doc::new();
        if is_on(body, "apiGatewayManaged") {
            doc.insert("apiGatewayManaged".to_owned(), json!(true));
        }
        let sent = given.clone();
        merge(&mut doc, given, table(kind));
        let id = match kind {
            Kind::Stage => text(&doc, "stageName").to_owned(),
            _ => self.fresh_id(),
        };
        doc.insert(kind.id().to_owned(), json!(id));
        self.complete(kind, parent, &mut doc, &sent, None)?;
        self.put(kind, parent, &id, doc.clone());
        self.redeploy(kind)?;
        self.get(kind, parent, &id)
    }

    /// Updates a resource below the API.
    pub(super) fn change(
        &mut self,
        kind: Kind,
        parent: &str,
        id: &str,
        body: &Doc,
    ) -> Result<Doc, Refusal> {
        let mut doc = self.get(kind, parent, id)?;
        let given = read(body, table(kind), self.protocol, true)?;
        let sent = given.clone();
        merge(&mut doc, given, table(kind));
        self.complete(kind, parent, &mut doc, &sent, Some(id))?;
        self.put(kind, parent, id, doc);
        self.redeploy(kind)?;
        self.get(kind, parent, id)
    }

    pub(super) fn delete(&mut self, kind: Kind, parent: &str, id: &str) -> Result<(), Refusal> {
        self.get(kind, parent, id)?;
        match kind {
            Kind::Integration => integration::check_delete(self, id)?,
            Kind::Deployment => stage::check_delete(self, id)?,
            _ => {}
        }
        let key = self.key(kind, parent, id);
        for (below, _) in self.store.scan(&format!("{key}/")) {
            self.store.remove(&below);
        }
        self.store.remove(&key);
        self.redeploy(kind)
    }

    /// Fills in and checks a resource; `id` is none for a new one.
    pub(super) fn complete(
        &mut self,
        kind: Kind,
        parent: &str,
        doc: &mut Doc,
        sent: &Doc,
        id: Option<&str>,
    ) -> Result<(), Refusal> {
        match kind {
            Kind::Integration => integration::complete(doc, sent, self.protocol),
            Kind::IntegrationResponse => integration_response::complete(self, doc, parent, id),
            Kind::Route => route::complete(self, doc, id),
            Kind::RouteResponse => route::check_response(self, doc, parent, id),
            Kind::Stage => stage::complete(self, doc, sent, id.is_none()),
            Kind::Deployment if id.is_none() => stage::deploy(self, doc),
            Kind::Deployment => Ok(()),
        }
    }

    /// After a change of the API's content, deploys the stages that do so by themselves;
    /// after a change of a stage, those that have no deployment yet.
    pub(super) fn redeploy(&mut self, kind: Kind) -> Result<(), Refusal> {
        match kind {
            Kind::Deployment => Ok(()),
            Kind::Stage => stage::auto_deploy(self, false),
            _ => stage::auto_deploy(self, true),
        }
    }

    pub(super) fn auto_deploy(&mut self) -> Result<(), Refusal> {
        stage::auto_deploy(self, true)
    }

    /// Removes a member, or one key of it, from a resource.
    pub(super) fn drop_member(
        &mut self,
        kind: Kind,
        id: &str,
        member: &str,
        key: Option<&str>,
    ) -> Result<(), Refusal> {
        let mut doc = self.get(kind, "", id)?;
        match key {
            None => {
                doc.remove(member);
            }
            Some(key) => {
                let map = doc.get_mut(member).and_then(Value::as_object_mut);
                if map.and_then(|map| map.remove(key)).is_none() {
                    return Err(not_found(member, key));
                }
            }
        }
        self.put(kind, "", id, doc);
        Ok(())
    }

    /// A resource as GET returns it at this time.
    pub(super) fn as_returned(&self, mut doc: Doc) -> Value {
        if let Some(ready) = doc.get("_readyAt").and_then(Value::as_u64) {
            let status = if self.now < ready {
                "PENDING"
            } else {
                "DEPLOYED"
            };
            doc.insert("deploymentStatus".to_owned(), json!(status));
        }
        doc.retain(|name, _| !name.starts_with('_'));
        Value::Object(doc)
    }

    /// Now, to the second.
    pub(super) fn date(&self) -> String {
        let seconds = i64::try_from(self.now / 1000).unwrap_or(i64::MAX);
        // Only years beyond 9999 cannot be written.
        DateTime::from_secs(seconds)
            .fmt(Format::DateTime)
            .unwrap_or_default()
    }

    pub(super) fn fresh_id(&self) -> String {
        const SYMBOLS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut rng = rand::rng();
        (0..10)
            .map(|_| char::from(SYMBOLS[rng.random_range(0..SYMBOLS.len())]))
            .collect()
    }
}

fn table(kind: Kind) -> &'static [Member] {
    match kind {
        Kind::Integration => integration::MEMBERS,
        Kind::IntegrationResponse => integration_response::MEMBERS,
        Kind::Route => route::MEMBERS,
        Kind::RouteResponse => route::RESPONSE_MEMBERS,
        Kind::Stage => stage::MEMBERS,
        Kind::Deployment => stage::DEPLOYMENT_MEMBERS,
    }
}

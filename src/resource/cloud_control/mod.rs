//! `AWS::<Service>::<Type>`: every type of the CloudFormation registry, through the Cloud Control
//! API. One struct serves them all: what a type is, its schema says.
//!
//! Requests of Cloud Control are asynchronous. A create carries the step's operation as its client
//! token, so the same request sent twice is one request (Cloud Control API user guide, "Ensuring
//! resource operation requests are unique"). Recovery never sends a create again: a resource that
//! the file names is read, and one that the service names is looked for among the requests, which
//! Cloud Control keeps for seven days.
//!
//! Tags are a map here, whatever the service takes: keys that others set stay, as for native
//! types. A file may also write them as a list of keys and values.

mod find;
mod foreseen;
mod kind;
mod model;
mod native;
mod patch;
mod request;
mod unmanaged;

pub use native::native;
pub use unmanaged::broken as unmanaged;

use super::context::{Applied, AsTyped, Cx, throttled};
use super::error::{Effect, Error};
use super::home::Place;
use super::import_id::{Imported, exists, word};
use super::known::Known;
use super::read::{Read, Seen};
use super::rules::{Caution, Rules};
use super::typed::ResourceType;
use super::types::Family;
use crate::data::{Attributes, Inputs, Path};
use crate::registry::{self, Handler, RegistryType};
use crate::resource::aws::send::send;
use crate::resource::aws::tags::{self, Tagging};
use crate::schema::Schema;
use crate::schema::broken::Broken;
use aws_sdk_cloudcontrol::types::ProgressEvent;
use futures_util::future::BoxFuture;
use kind::{Kind, NOT_FOUND};
use patch::Update;
use request::{Followed, follow};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// One type of the registry.
pub struct CloudControl {
    kind: Kind,
    schema: OnceLock<&'static Schema>,
    /// The properties that name a resource; empty where the service names it.
    identity: Vec<&'static str>,
    import_id: String,
}

/// The actions that Cloud Control itself takes; a type's handlers take more.
pub const ACTIONS: &[&str] = &[
    "cloudformation:CreateResource",
    "cloudformation:DeleteResource",
    "cloudformation:GetResource",
    "cloudformation:GetResourceRequestStatus",
    "cloudformation:ListResourceRequests",
    "cloudformation:ListResources",
    "cloudformation:UpdateResource",
];

/// For how long another request on the same resource, or a conflict, is waited for.
const BUSY: Duration = Duration::from_secs(600);

/// For how long a resource whose create succeeded may not be readable.
const UNSEEN: Duration = Duration::from_secs(60);

/// The types of the registry.
pub const FAMILY: Family = Family {
    of,
    like: registry::nearest,
};

/// The type of this name; none where the registry has none.
pub fn of(name: &str) -> Option<&'static dyn ResourceType> {
    static KINDS: Mutex<BTreeMap<&'static str, &'static &'static CloudControl>> =
        Mutex::new(BTreeMap::new());
    let mut kinds = KINDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kind) = kinds.get(name) {
        return Some(*kind);
    }
    let registry = registry::registry_type(name)?;
    let kind: &'static CloudControl = Box::leak(Box::new(CloudControl::new(registry)));
    let kind: &'static &'static CloudControl = Box::leak(Box::new(kind));
    kinds.insert(registry.name(), kind);
    Some(kind)
}

/// A refusal that passes: the resource is busy, or the service asks to slow down.
fn busy(error: &Error) -> Option<&'static str> {
    const CODES: &[&str] = &["ConcurrentOperationException", "ResourceConflict"];
    let is_busy = error.is(CODES) && error.effect() == Effect::None;
    is_busy
        .then_some("another request changes the resource")
        .or_else(|| throttled(error))
}

impl CloudControl {
    fn new(registry: &'static RegistryType) -> Self {
        let kind = Kind(registry);
        let import_id = match registry.primary_identifier() {
            [one] => format!("the resource's `{one}`"),
            parts => format!("`{}`", parts.join("|")),
        };
        Self {
            kind,
            schema: OnceLock::new(),
            identity: kind.identity(),
            import_id,
        }
    }

    fn declared(&self) -> &'static Schema {
        self.schema
            .get_or_init(|| registry::declaration(self.kind.registry()))
    }

    /// The outputs of a resource that a create or an update just wrote.
    async fn outputs(&self, cx: &Cx, id: &str) -> Result<Attributes, Error> {
        let unseen = |error: &Error| error.is(NOT_FOUND).then_some("it is not readable yet");
        let model = cx.retry(UNSEEN, unseen, || async {
            let found = self.kind.get(cx, id).await?;
            found.ok_or_else(|| request::failure("cloudformation:GetResource", "NotFound", id))
        });
        Ok(self.outputs_in(self.kind.model().attributes(id, model.await?)))
    }

    /// The part of the attributes that are outputs.
    fn outputs_in(&self, mut attributes: Attributes) -> Attributes {
        let schema = self.declared();
        if let Some(map) = attributes.as_object_mut() {
            map.retain(|name, _| schema.has_output(name));
        }
        attributes
    }

    async fn create_resource(&self, cx: &Cx, inputs: &Inputs) -> Result<Applied, Error> {
        let mut sent = 0;
        let model = self.kind.model().desired(inputs, &cx.owner);
        let id = cx
            .retry(BUSY, busy, || {
                sent += 1;
                let token = request::token(&cx.owner.operation, sent);
                self.create_once(cx, token, model.to_string())
            })
            .await?;
        cx.made(&id, self.kind.model().identified(&id));
        let outputs = self.outputs(cx, &id).await?;
        cx.made(&id, outputs.clone());
        foreseen::check(self.kind.registry(), inputs, &outputs)?;
        Ok(Applied { id, outputs })
    }

    /// Sends one create and follows it to its end.
    async fn create_once(&self, cx: &Cx, token: String, model: String) -> Result<String, Error> {
        const CALL: &str = "cloudformation:CreateResource";
        let call = cx.aws.cloud_control_once().create_resource();
        let call = call
            .type_name(self.kind.registry().name())
            .client_token(token);
        let reply = send!(call.desired_state(model), "cloudformation:CreateResource")?;
        let event = request::event(CALL, reply.progress_event)?;
        if let Some(token) = &event.request_token {
            cx.requested(token);
        }
        let followed = follow(cx, CALL, event, self.kind.limit(Handler::Create), |id| {
            // An identifier that the file gives says nothing: another's resource may have it.
            if self.identity.is_empty() {
                cx.made(id, self.kind.model().identified(id));
            }
        });
        match followed.await? {
            Followed::Succeeded(event) => event
                .identifier
                .ok_or_else(|| Error::incomplete(CALL, "Identifier")),
            Followed::Failed(error, event) => Err(self.failed_create(cx, error, &event).await),
        }
    }

    /// What a create that failed left behind: a resource that exists is in the state.
    async fn failed_create(&self, cx: &Cx, error: Error, event: &ProgressEvent) -> Error {
        cx.take_made();
        let Some(id) = event.identifier.as_deref() else {
            cx.flight.nothing_created();
            return error;
        };
        if error.is(&["AlreadyExists"]) {
            cx.flight.nothing_created();
            return exists(cx, &format!("{} {id}", self.kind.registry().name()), id);
        }
        match self.kind.get(cx, id).await {
            Ok(Some(model)) if self.is_own(cx, &model) => {
                cx.made(id, self.outputs_in(self.kind.model().attributes(id, model)));
            }
            Ok(_) => cx.flight.nothing_created(),
            // Whether it exists is not known: the next run looks.
            Err(_) => {}
        }
        error
    }

    /// Whether this step's create made the resource, by its tags. One of a type that takes no tags
    /// when it is created counts as its own.
    fn is_own(&self, cx: &Cx, model: &Value) -> bool {
        let tags = self.kind.model().all_tags(model);
        tags.is_none_or(|tags| cx.owner.made(&tags))
    }

    async fn update_resource(
        &self,
        cx: &Cx,
        id: &str,
        (live, new): (Attributes, Inputs),
        changed: BTreeSet<Path>,
    ) -> Result<Applied, Error> {
        const CALL: &str = "cloudformation:UpdateResource";
        let now = self.kind.get(cx, id).await.map_err(Error::before_write)?;
        let now = now.ok_or_else(|| request::failure(CALL, "NotFound", id))?;
        let update = Update {
            now: &now,
            live: &live,
            new: &new,
            changed: &changed,
        };
        let patch = self.kind.model().patch(&update);
        if !patch.is_empty() {
            let patch = Value::Array(patch).to_string();
            let ended = cx.retry(BUSY, busy, || async {
                let call = cx.aws.cloud_control().update_resource();
                let call = call.type_name(self.kind.registry().name()).identifier(id);
                let call = call.client_token(request::token("", 1));
                let reply = send!(
                    call.patch_document(patch.clone()),
                    "cloudformation:UpdateResource"
                )?;
                let event = request::event(CALL, reply.progress_event)?;
                let limit = self.kind.limit(Handler::Update);
                follow(cx, CALL, event, limit, |_| {}).await?.succeeded()
            });
            ended
                .await
                .map_err(|error| self.explained(cx, error, &changed))?;
        }
        let outputs = self.outputs(cx, id).await?;
        Ok(Applied {
            id: id.to_owned(),
            outputs,
        })
    }

    /// A refusal of an update in words: the properties that AWS does not change in place. Those of
    /// which the schema says that it may be so, where there are any; else all that differ.
    fn explained(&self, cx: &Cx, error: Error, changed: &BTreeSet<Path>) -> Error {
        if !error.is(&["NotUpdatable", "NotUpdatableException"]) {
            return error;
        }
        let schema = self.declared();
        let all = || changed.iter().map(Path::to_string).collect::<Vec<_>>();
        let may = changed
            .iter()
            .filter(|path| schema.flag(path, "conditionalCreateOnly"));
        let may: Vec<String> = may.map(Path::to_string).collect();
        let (names, why) = match may.is_empty() {
            true => (all(), "though its schema does not say so"),
            false => (may, "and its schema says that this may be"),
        };
        let names = names.join(", ");
        let AsTyped { stack, flags } = &cx.typed;
        let address = word(&cx.owner.address);
        Error::with_hint(
            format!(
                "{error}: AWS does not change {names} of {} in place, {why}",
                self.kind.registry().name()
            ),
            format!(
                "Replace the resource with `stackctl apply {stack}--replace {address}{flags}`, or at every such change with options: {{replaceOnChanges: [{names}]}}."
            ),
        )
    }

    async fn delete_resource(&self, cx: &Cx, id: &str) -> Result<(), Error> {
        const CALL: &str = "cloudformation:DeleteResource";
        let ended = cx.retry(BUSY, busy, || async {
            let call = cx.aws.cloud_control().delete_resource();
            let call = call.type_name(self.kind.registry().name()).identifier(id);
            let call = call.client_token(request::token("", 1));
            let reply = send!(call, "cloudformation:DeleteResource", none: NOT_FOUND)?;
            let Some(reply) = reply else {
                return Ok(());
            };
            let event = request::event(CALL, reply.progress_event)?;
            let limit = self.kind.limit(Handler::Delete);
            follow(cx, CALL, event, limit, |_| {}).await?.succeeded()
        });
        match ended.await {
            Err(error) if error.is(NOT_FOUND) => Ok(()),
            other => other,
        }
    }
}

impl ResourceType for &'static CloudControl {
    fn schema(&self) -> &'static Schema {
        self.declared()
    }

    fn name(&self) -> &'static str {
        self.kind.registry().name()
    }

    fn rules(&self, rules: &Rules<'_>) -> Vec<Broken> {
        let of_tags = self.kind.model().tag_property();
        let of_tags = of_tags.map(|tags| tags::rules_of(rules, tags, Tagging::Plain));
        let broken = of_tags.into_iter().flatten();
        unmanaged::broken(self.kind.registry())
            .into_iter()
            .chain(broken)
            .collect()
    }

    fn cautions(&self, _rules: &Rules<'_>) -> Vec<Caution> {
        unmanaged::caution(self.kind.registry())
            .into_iter()
            .collect()
    }

    fn as_returned<'v>(&self, wanted: &'v Value, live: &Value) -> Cow<'v, Value> {
        self.kind.registry().as_returned(wanted, live)
    }

    fn identity(&self) -> &'static [&'static str] {
        let this: &'static CloudControl = self;
        &this.identity
    }

    fn foreseen(&self, props: &Value, place: &Place<'_>) -> Map<String, Value> {
        let arn = foreseen::arn(self.kind.registry(), props, place);
        arn.into_iter()
            .map(|(output, arn)| (output.to_owned(), arn.into()))
            .collect()
    }

    fn create<'a>(
        &self,
        cx: &'a Cx,
        inputs: Inputs,
        _decided: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Applied, Error>> {
        let this: &'static CloudControl = self;
        Box::pin(async move { this.create_resource(cx, &inputs).await })
    }

    fn read<'a>(&self, cx: &'a Cx, read: &'a Read) -> BoxFuture<'a, Result<Seen, Error>> {
        let this: &'static CloudControl = self;
        Box::pin(async move {
            let model = this.kind.get(cx, &read.id).await?;
            Ok(Seen {
                live: model.map(|model| this.kind.model().attributes(&read.id, model)),
                ..Seen::default()
            })
        })
    }

    fn update<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        live: Attributes,
        new: Inputs,
        changed: BTreeSet<Path>,
    ) -> BoxFuture<'a, Result<Applied, Error>> {
        let this: &'static CloudControl = self;
        Box::pin(this.update_resource(cx, id, (live, new), changed))
    }

    fn delete<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        _attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let this: &'static CloudControl = self;
        Box::pin(this.delete_resource(cx, id))
    }

    fn import_id(&self) -> &'static str {
        let this: &'static CloudControl = self;
        &this.import_id
    }

    fn import(&self, text: &str) -> Result<Imported, String> {
        let parts = self.kind.registry().primary_identifier();
        if text.split('|').count() < parts.len() || text.split('|').any(str::is_empty) {
            return Err(format!("{text:?} does not match {}", self.import_id));
        }
        let mut imported = Imported::named(text)?;
        let identified = self.kind.model().identified(text);
        imported.attrs = identified.as_object().cloned().unwrap_or_default();
        Ok(imported)
    }

    fn ready<'a>(&self, cx: &'a Cx, id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        let this: &'static CloudControl = self;
        Box::pin(find::settled(this.kind, cx, id))
    }

    fn names<'a>(
        &self,
        cx: &'a Cx,
        known: &'a Known,
        start: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        let this: &'static CloudControl = self;
        Box::pin(find::names(this.kind, cx, known, start.unwrap_or_default()))
    }

    fn find<'a>(
        &self,
        cx: &'a Cx,
        known: &'a Known,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        let this: &'static CloudControl = self;
        Box::pin(find::created(this.kind, cx, known))
    }
}

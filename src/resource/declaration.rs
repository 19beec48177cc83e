//! What a type says of itself and does: one struct with its properties, documented, with the
//! schema keywords of [`crate::schema`], that implements [`Resource`] or [`DataSource`].

use super::aws::physical_name::{self, Naming};
use super::aws::tags::{self, Tagging};
use super::contents::Contents;
use super::context::{Cx, Draw};
use super::error::Error;
use super::home::{AWS, Home};
use super::import_id::Import;
use super::known::Known;
use super::read::Read;
use super::relation::{After, Parent};
use super::rules::{Caution, Rules};
use super::spread::Rights;
use crate::content::{Content, Finding};
use crate::data::{Attributes, Data};
use crate::schema::broken::Broken;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::future::Future;

/// What a create is given.
#[derive(Debug)]
pub struct New<P> {
    /// The properties, with every reference resolved.
    pub props: P,
    /// What [`Resource::decide`] decided in the plan: generated names, random values.
    pub decided: Map<String, Value>,
}

/// What an update is given.
#[derive(Debug)]
pub struct Change<P> {
    /// The resource's id.
    pub id: String,
    /// The properties as the service has them now.
    pub old: P,
    /// The properties as the stack file wants them.
    pub new: P,
    /// All that is known of the live resource: properties and outputs.
    pub live: Attributes,
    /// The names of the properties that differ, those removed from the file included (they are
    /// absent in `new`; the update puts the service's default back).
    pub changed: BTreeSet<String>,
}

impl<O> Made<O> {
    /// The resource of this id, with these outputs.
    pub fn new(id: impl Into<String>, outputs: O) -> Self {
        let id = id.into();
        Self { id, outputs }
    }
}

impl<P, O> Live<P, O> {
    /// The resource with these properties and outputs.
    pub fn new(props: P, outputs: O) -> Self {
        Self {
            props,
            outputs,
            held: None,
        }
    }

    /// The resource, and what it holds.
    #[must_use]
    pub fn holding(self, held: impl Into<Option<Contents>>) -> Self {
        let held = held.into();
        Self { held, ..self }
    }
}

/// A resource under which the service wants one write at a time (an API, a role, a bucket): its
/// kind, and the property or output that names it.
#[derive(Debug, Clone, Copy)]
pub struct Lane(pub &'static str, pub &'static str);

impl<P> Change<P> {
    /// Whether any of these properties differs.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.changed.contains(*name))
    }

    /// [`Change::sent`] of a string.
    pub fn text(&self, name: &str, new: Option<&String>, default: &str) -> Option<String> {
        self.sent(name, new, default.to_owned())
    }

    /// What an update sends for a property: nothing where it does not differ, else its value in
    /// `new`, or `default` where it was removed from the file.
    pub fn sent<T: Clone>(&self, name: &str, new: Option<&T>, default: T) -> Option<T> {
        self.has(&[name]).then(|| new.cloned().unwrap_or(default))
    }
}

/// A resource that was just created or updated.
#[derive(Debug)]
pub struct Made<O> {
    /// What the service calls it: the id that reads, updates and deletes use.
    pub id: String,
    /// The computed outputs, as far as the reply (or a formula) gives them.
    pub outputs: O,
}

/// A resource as read.
#[derive(Debug)]
pub struct Live<P, O> {
    /// Its properties in the stack file's own terms. Omit (`None`) what the service does not have;
    /// return filled-in defaults as the service returns them.
    pub props: P,
    /// Its computed outputs.
    pub outputs: O,
    /// What it holds, where that was counted.
    pub held: Option<Contents>,
}

/// Which resource holds what another one takes: a function its code.
#[derive(Debug)]
pub struct HeldBy<'v> {
    /// The property that stands for the content.
    pub property: &'static str,
    /// The holder's type.
    pub type_name: &'static str,
    /// The properties that name the holder.
    pub names: Vec<(&'static str, &'v Value)>,
}

/// The import id that the value of an output gives, where it gives one: see
/// [`Resource::IMPORT_ID_FROM_OUTPUT`].
pub type ImportIdFromOutput = fn(output: &str, value: &str) -> Option<String>;

/// A kind of resource. The implementing struct holds its properties: optional ones are
/// `Option`, names are camelCase, unknown fields are refused.
pub trait Resource:
    Serialize + DeserializeOwned + JsonSchema + Send + Sync + Sized + 'static
{
    /// The type's name in a stack file, such as `aws:sqs:Queue`.
    const TYPE: &'static str;
    /// The operations that it may call, as [`TABLE`](super::aws::permissions::TABLE) names them:
    /// the reference says which permissions they take.
    const CALLS: &'static [&'static str] = &[];
    /// The computed outputs (camelCase, documented).
    type Outputs: Serialize + JsonSchema + Send + 'static;

    /// Rules that a JSON schema cannot say: between properties, and between resources.
    /// Checked offline, on what is known.
    fn rules(_rules: &Rules<'_>) -> Vec<Broken> {
        Vec::new()
    }

    /// What AWS refuses in some cases only, reported in the same way as [`Resource::rules`]: an
    /// error where the plan is such a case, else a warning. `validate`, which does not know what
    /// exists, warns.
    fn cautions(_rules: &Rules<'_>) -> Vec<Caution> {
        Vec::new()
    }

    /// [`Resource::rules`], and those that come with a name or tags.
    fn all_rules(rules: &Rules<'_>) -> Vec<Broken> {
        let of_name = Self::NAMING.map(|_| physical_name::rules(rules));
        let of_tags = Self::TAGGING.map(|tagging| tags::rules(rules, tagging));
        let common = of_name.into_iter().chain(of_tags).flatten();
        common.chain(Self::rules(rules)).collect()
    }

    /// How the properties `name` and `namePrefix` give a resource its name, where they do.
    const NAMING: Option<Naming> = None;

    /// What the service wants of the property `tags`, where there is one.
    const TAGGING: Option<Tagging> = None;

    /// What is decided during planning, before any call: physical names and random values. The
    /// result counts as known outputs and reaches `create` as `New::decided`.
    fn decide(props: &Value, draw: &mut Draw) -> Map<String, Value> {
        Self::NAMING.map_or_else(Map::new, |naming| naming.decide(props, draw))
    }

    /// Brings properties into the form in which two of them can be compared, beyond what
    /// the schema keywords do. Applied to what was applied, what is live and what is wanted.
    fn canonical(_props: &mut Cow<'_, Value>) {}

    /// The properties that together name the resource at its service; empty where names need not be
    /// unique. Two generations with the same name cannot exist at the same time.
    const IDENTITY: &'static [&'static str] = &[];

    /// Where its resources exist.
    const HOME: Home = AWS;

    /// The rights that it gives, which take a while to be known everywhere.
    const RIGHTS: Option<Rights> = None;

    /// For a resource that the service does not delete while it holds something: the bool property
    /// that has it emptied.
    const EMPTIED_BY: Option<&'static str> = None;

    /// The id of what holds it, and its key there, by its own id: one of what [`Contents`] counts.
    fn held_at(_id: &str) -> Option<(&str, &str)> {
        None
    }

    /// The bool property with which a deletion leaves the resource as it is.
    const KEPT_BY: Option<&'static str> = None;

    /// The types whose resources the properties name, and what happens to this one when such a
    /// resource is deleted: a replacement under the same name also replaces what would be deleted
    /// with it or would block it.
    const PARENTS: &'static [Parent] = &[];

    /// The types of which resources with the same parent come before this one.
    const AFTER: &'static [After] = &[];

    /// The resource under which the service wants one write at a time.
    const LANE: Option<Lane> = None;

    /// The key of that resource; writes with the same key never overlap.
    fn lane(attributes: &Attributes) -> Option<String> {
        let Lane(kind, name) = Self::LANE?;
        Some(format!("{kind}/{}", attributes.get(name)?.as_str()?))
    }

    /// Creates the resource. Call [`Cx::made`] as soon as it exists, if anything is left to do that
    /// may fail; return once others can use it. Use the `*_once` clients for calls that create
    /// something, so that the SDK never retries them blindly.
    fn create(
        cx: &Cx,
        new: New<Self>,
    ) -> impl Future<Output = Result<Made<Self::Outputs>, Error>> + Send;

    /// Reads the resource; none when it does not exist. Read nothing that the state and the file
    /// have no use for (see [`Read::wants`]).
    fn read(
        cx: &Cx,
        read: &Read,
    ) -> impl Future<Output = Result<Option<Live<Self, Self::Outputs>>, Error>> + Send;

    /// Whether counting what a resource holds takes a call of its own, which a read makes only for
    /// a resource that is to be deleted ([`Read::counts`]).
    const COUNTING_NEEDS_CALL: bool = false;

    /// Updates the resource in place. Types of which every property forces a replacement do not
    /// implement it.
    fn update(
        _cx: &Cx,
        change: Change<Self>,
    ) -> impl Future<Output = Result<Made<Self::Outputs>, Error>> + Send {
        async move {
            Err(Error::failed(format!(
                "{} {} cannot be changed in place",
                Self::TYPE,
                change.id
            )))
        }
    }

    /// Whether resources of this type report the result of writes to other resources in their lane,
    /// on which the service acts by itself and later: see [`Resource::aftermath`].
    const REPORTS_AFTERMATH: bool = false;

    /// What a resource reports, once a run's writes in its lane are done, that users should know;
    /// none where all is well. One call in that case.
    fn aftermath(
        _cx: &Cx,
        _id: &str,
        _attributes: &Attributes,
    ) -> impl Future<Output = Result<Option<String>, Error>> + Send {
        async { Ok(None) }
    }

    /// Deletes the resource and returns once it no longer blocks the deletion of what it depended
    /// on. A resource that does not exist is success. `attributes` are what is known of it: live
    /// values, and from the file those properties that no read returns.
    fn delete(
        cx: &Cx,
        id: &str,
        attributes: &Attributes,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Waits until others can use the resource, as `create` and `update` do before they return:
    /// after a create or an update of which the reply was lost.
    fn ready(_cx: &Cx, _id: &str) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// The import id of a resource of this type, as the reference describes it: `the queue's URL,
    /// such as …`.
    const IMPORT: Import;

    /// Whether that id is a secret.
    const IMPORT_IS_SECRET: bool = false;

    /// The attribute with the service's hash of the content that a property marked `localFile` gave
    /// it.
    const CONTENT_HASH: Option<&'static str> = None;

    /// Whether a live resource has this content, by the service's own hash; none where it returns
    /// no hash.
    fn has_content(_attributes: &Attributes, _content: &Content) -> Option<bool> {
        None
    }

    /// The properties that give a resource its content.
    const CONTENT: &'static [&'static str] = &[];

    /// The whole content that the properties give a resource, where no local file does.
    fn holds(_props: &Data) -> Option<Content> {
        None
    }

    /// The resource that holds the content to which these properties refer, where another resource
    /// may hold it.
    fn held_by(_props: &Value) -> Option<HeldBy<'_>> {
        None
    }

    /// Why an imported resource cannot have been created from these properties, where no read
    /// returns them: a sentence without a full stop.
    fn import_mismatch(_props: &Value, _live: &Attributes) -> Option<String> {
        None
    }

    /// Properties that no read returns and that an imported resource is assumed to have as the file
    /// says: they are instructions for stackctl alone, or another property proves them.
    fn assumed_on_import(_props: &Value, _live: &Attributes) -> &'static [&'static str] {
        &[]
    }

    /// Looks for a resource that a create with an unknown outcome may have created: by name, by the
    /// owner tags ([`Cx::owner`]), or by parent and content. Returns its id. One that
    /// [`Cx::known_ids`] lists counts as not found: where several may fit, these are passed over.
    ///
    /// It asks `known` for the few properties that it needs; any of them may be withheld. A
    /// withheld property cannot be compared: where the others do not identify the resource, none is
    /// found.
    fn find(cx: &Cx, known: &Known) -> impl Future<Output = Result<Option<String>, Error>> + Send;

    /// The names, as the last property of [`Resource::IDENTITY`] gives them, of the existing
    /// resources whose names begin with `start`: for a state that is lost, where a part of the name
    /// was random. Each is then looked for with [`Resource::find`].
    fn names(
        _cx: &Cx,
        _known: &Known,
        _start: &str,
    ) -> impl Future<Output = Result<Vec<String>, Error>> + Send {
        async { Ok(Vec::new()) }
    }

    /// How the names begin that are generated for the owner's address.
    fn beginning(cx: &Cx, known: &Known) -> String {
        Self::NAMING.map_or_else(String::new, |naming| naming.beginning(cx, known))
    }

    /// For types whose resources exist in the state alone: the import id, where the value of an
    /// output is all that is known of the resource.
    const IMPORT_ID_FROM_OUTPUT: Option<ImportIdFromOutput> = None;
}

/// Something that is read and never changed. The implementing struct holds its arguments.
pub trait DataSource: DeserializeOwned + JsonSchema + Send + Sync + Sized + 'static {
    /// The type's name in a stack file, such as `aws:getRegion`.
    const TYPE: &'static str;
    /// The outputs it returns.
    type Outputs: Serialize + JsonSchema + Send + 'static;
    /// Where what it reads exists: in the state alone where it calls nobody.
    const HOME: Home = AWS;

    /// Reads it.
    fn read(cx: &Cx, args: Self) -> impl Future<Output = Result<Self::Outputs, Error>> + Send;

    /// What is wrong with the local files that the arguments name, reported before any call;
    /// relative paths start from the folder.
    fn inspect(_dir: &std::path::Path, _args: &Self) -> Vec<Finding> {
        Vec::new()
    }

    /// The file that an apply writes, where the arguments name one. A read does not write it.
    fn written(_cx: &Cx, _args: &Self, _outputs: &Attributes) -> Option<WrittenFile> {
        None
    }

    /// Writes that file.
    ///
    /// # Errors
    /// When it must not, or cannot, be written.
    fn write(_cx: &Cx, _args: &Self, _outputs: &Attributes) -> Result<(), Error> {
        Ok(())
    }
}

/// A file that an apply writes for a data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// The path, as the stack file names it.
    pub path: String,
    /// Where its content is until then, and stays.
    pub content: std::path::PathBuf,
}

//! A type behind one interface, for the engine: JSON in, JSON out.

use super::absent::drop_absent;
use super::context::{Applied, Cx, Draw};
use super::declaration::{
    Change, DataSource, HeldBy, ImportIdFromOutput, New, Resource, WrittenFile,
};
use super::error::Error;
use super::home::{AWS, Home, Place};
use super::import_id::Imported;
use super::known::Known;
use super::read::{Read, Seen};
use super::relation::{After, Parent};
use super::rules::{Caution, Rules};
use super::spread::Rights;
use crate::content::{Content, Finding};
use crate::data::{Attributes, Data, Inputs, Path};
use crate::schema::Schema;
use crate::schema::broken::Broken;
use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// A type behind one interface, for the engine: JSON in, JSON out. A type without a struct, created
/// at run time, implements it by itself; what it does not define has the default of [`Resource`].
pub trait ResourceType: Send + Sync {
    /// The type's declaration, built on first use.
    fn schema(&self) -> &'static Schema;
    /// The type's name, known without its declaration: a command meets few of all types.
    fn name(&self) -> &'static str {
        self.schema().name
    }
    /// See [`Resource::CALLS`].
    fn calls(&self) -> &'static [&'static str] {
        &[]
    }
    /// See [`Resource::rules`].
    fn rules(&self, _rules: &Rules<'_>) -> Vec<Broken> {
        Vec::new()
    }
    /// See [`Resource::cautions`].
    fn cautions(&self, _rules: &Rules<'_>) -> Vec<Caution> {
        Vec::new()
    }
    /// See [`Resource::decide`].
    fn decide(&self, _props: &Value, _draw: &mut Draw) -> Map<String, Value> {
        Map::new()
    }
    /// The outputs of a resource with these properties that are known before it is created there.
    /// A create that ends with others is an error.
    fn foreseen(&self, _props: &Value, _place: &Place<'_>) -> Map<String, Value> {
        Map::new()
    }
    /// The properties in the form in which two of them can be compared; see
    /// [`Resource::canonical`].
    fn comparable<'v>(&self, props: &'v Value) -> Cow<'v, Value> {
        Cow::Borrowed(props)
    }
    /// The `wanted` properties, with the `live` value in place of each that the service returns in
    /// another form than it was given in.
    fn as_returned<'v>(&self, wanted: &'v Value, _live: &Value) -> Cow<'v, Value> {
        Cow::Borrowed(wanted)
    }
    /// See [`Resource::IDENTITY`].
    fn identity(&self) -> &'static [&'static str] {
        &[]
    }
    /// See [`Resource::HOME`].
    fn home(&self) -> Home {
        AWS
    }
    /// See [`Resource::RIGHTS`].
    fn rights(&self) -> Option<Rights> {
        None
    }
    /// See [`Resource::EMPTIED_BY`].
    fn emptied_by(&self) -> Option<&'static str> {
        None
    }
    /// See [`Resource::held_at`].
    fn held_at<'i>(&self, _id: &'i str) -> Option<(&'i str, &'i str)> {
        None
    }
    /// See [`Resource::KEPT_BY`].
    fn kept_by(&self) -> Option<&'static str> {
        None
    }
    /// See [`Resource::PARENTS`].
    fn parents(&self) -> &'static [Parent] {
        &[]
    }
    /// See [`Resource::AFTER`].
    fn after(&self) -> &'static [After] {
        &[]
    }
    /// See [`Resource::lane`].
    fn lane(&self, _attributes: &Attributes) -> Option<String> {
        None
    }
    /// See [`Resource::create`].
    fn create<'a>(
        &self,
        cx: &'a Cx,
        inputs: Inputs,
        decided: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Applied, Error>>;
    /// See [`Resource::read`].
    fn read<'a>(&self, cx: &'a Cx, read: &'a Read) -> BoxFuture<'a, Result<Seen, Error>>;
    /// How many resources [`ResourceType::read_many`] is given at most. A type that overrides that
    /// says how many one call takes.
    fn reads_at_once(&self) -> usize {
        1
    }
    /// Reads resources of this type. The results are those of `reads`, one each, in their order. By
    /// itself it calls [`ResourceType::read`] for each, at the same time.
    ///
    /// The caller limits how many calls are in progress, retries those that the service throttles,
    /// and says for whom a call of `cx` waits. So an override makes its calls with `cx`, one at a
    /// time, retries none by itself, and gives the error of one call to all that it was for and to
    /// no other.
    fn read_many<'a>(
        &self,
        cx: &'a Cx,
        reads: &'a [Read],
    ) -> BoxFuture<'a, Vec<Result<Seen, Error>>> {
        Box::pin(join_all(reads.iter().map(|read| self.read(cx, read))))
    }
    /// See [`Resource::update`]; `live` are the attributes as read, and `changed` are the paths that
    /// differ, as deep as the plan's differences go.
    fn update<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        live: Attributes,
        new: Inputs,
        changed: BTreeSet<Path>,
    ) -> BoxFuture<'a, Result<Applied, Error>>;
    /// See [`Resource::REPORTS_AFTERMATH`].
    fn reports_aftermath(&self) -> bool {
        false
    }
    /// See [`Resource::aftermath`].
    fn aftermath<'a>(
        &self,
        _cx: &'a Cx,
        _id: &'a str,
        _attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(async { Ok(None) })
    }
    /// See [`Resource::delete`].
    fn delete<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<(), Error>>;
    /// See [`Resource::COUNTING_NEEDS_CALL`].
    fn counting_needs_call(&self) -> bool {
        false
    }
    /// See [`Resource::IMPORT`].
    fn import_id(&self) -> &'static str;
    /// See [`Resource::IMPORT_IS_SECRET`].
    fn import_is_secret(&self) -> bool {
        false
    }
    /// See [`Import::read`](super::import_id::Import::read).
    fn import(&self, text: &str) -> Result<Imported, String> {
        Imported::named(text)
    }
    /// See [`Resource::CONTENT_HASH`].
    fn content_hash(&self) -> Option<&'static str> {
        None
    }
    /// See [`Resource::has_content`].
    fn has_content(&self, _attributes: &Attributes, _content: &Content) -> Option<bool> {
        None
    }
    /// See [`Resource::CONTENT`].
    fn content_properties(&self) -> &'static [&'static str] {
        &[]
    }
    /// See [`Resource::holds`].
    fn holds(&self, _props: &Data) -> Option<Content> {
        None
    }
    /// See [`Resource::held_by`].
    fn held_by<'v>(&self, _props: &'v Value) -> Option<HeldBy<'v>> {
        None
    }
    /// See [`Resource::import_mismatch`].
    fn import_mismatch(&self, _props: &Value, _live: &Attributes) -> Option<String> {
        None
    }
    /// See [`Resource::assumed_on_import`].
    fn assumed_on_import(&self, _props: &Value, _live: &Attributes) -> &'static [&'static str] {
        &[]
    }
    /// See [`Resource::ready`].
    fn ready<'a>(&self, _cx: &'a Cx, _id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
    /// See [`Resource::find`].
    fn find<'a>(
        &self,
        cx: &'a Cx,
        known: &'a Known,
    ) -> BoxFuture<'a, Result<Option<String>, Error>>;
    /// See [`Resource::names`]; without `start`, it is [`Resource::beginning`].
    fn names<'a>(
        &self,
        _cx: &'a Cx,
        _known: &'a Known,
        _start: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    /// See [`Resource::IMPORT_ID_FROM_OUTPUT`].
    fn import_id_from_output(&self) -> Option<ImportIdFromOutput> {
        None
    }
}

/// A data source behind one interface.
pub trait DataSourceType: Send + Sync {
    /// The data source's declaration, built on first use.
    fn schema(&self) -> &'static Schema;
    /// The data source's name, known without its declaration.
    fn name(&self) -> &'static str;
    /// See [`DataSource::HOME`].
    fn home(&self) -> Home;
    /// Reads it.
    fn read<'a>(&self, cx: &'a Cx, args: Inputs) -> BoxFuture<'a, Result<Attributes, Error>>;
    /// See [`DataSource::inspect`]; nothing where the arguments do not fit.
    fn inspect(&self, dir: &std::path::Path, args: Inputs) -> Vec<Finding>;
    /// See [`DataSource::written`]; nothing where the arguments do not fit.
    fn written(&self, cx: &Cx, args: &Inputs, outputs: &Attributes) -> Option<WrittenFile>;
    /// See [`DataSource::write`].
    ///
    /// # Errors
    /// As there.
    fn write(&self, cx: &Cx, args: &Inputs, outputs: &Attributes) -> Result<(), Error>;
}

/// Gives a [`Resource`] or [`DataSource`] its JSON interface.
pub struct Typed<T> {
    schema: OnceLock<Schema>,
    of: PhantomData<fn() -> T>,
}

impl<T> Typed<T> {
    pub(super) const fn new() -> Self {
        Self {
            schema: OnceLock::new(),
            of: PhantomData,
        }
    }
}

fn parse<T: DeserializeOwned>(type_name: &str, inputs: Inputs) -> Result<T, Error> {
    serde_json::from_value(inputs.into_value())
        .map_err(|error| Error::failed(format!("the properties do not fit {type_name}: {error}")))
}

fn json(schema: &Value, value: impl Serialize) -> Result<Value, Error> {
    let mut value = serde_json::to_value(value)
        .map_err(|error| Error::failed(format!("the reply could not be kept as JSON: {error}")))?;
    drop_absent(schema, &mut value);
    Ok(value)
}

/// The outputs as `live` has them, for an update that changes none of them.
///
/// # Errors
/// When `live` lacks one that a resource of the type always has.
pub fn outputs_of<O: DeserializeOwned>(live: &Attributes) -> Result<O, Error> {
    serde_json::from_value(live.clone().into_value())
        .map_err(|error| Error::failed(format!("the resource was read incompletely: {error}")))
}

impl<T: Resource> ResourceType for &'static Typed<T> {
    fn schema(&self) -> &'static Schema {
        let this: &'static Typed<T> = self;
        this.schema
            .get_or_init(|| Schema::of::<T, T::Outputs>(T::TYPE))
    }

    fn name(&self) -> &'static str {
        T::TYPE
    }

    fn rules(&self, rules: &Rules<'_>) -> Vec<Broken> {
        T::all_rules(rules)
    }

    fn cautions(&self, rules: &Rules<'_>) -> Vec<Caution> {
        T::cautions(rules)
    }

    fn decide(&self, props: &Value, draw: &mut Draw) -> Map<String, Value> {
        T::decide(props, draw)
    }

    fn comparable<'v>(&self, props: &'v Value) -> Cow<'v, Value> {
        let mut props = Cow::Borrowed(props);
        T::canonical(&mut props);
        props
    }

    fn identity(&self) -> &'static [&'static str] {
        T::IDENTITY
    }

    fn home(&self) -> Home {
        T::HOME
    }

    fn rights(&self) -> Option<Rights> {
        T::RIGHTS
    }

    fn calls(&self) -> &'static [&'static str] {
        T::CALLS
    }

    fn emptied_by(&self) -> Option<&'static str> {
        T::EMPTIED_BY
    }

    fn held_at<'i>(&self, id: &'i str) -> Option<(&'i str, &'i str)> {
        T::held_at(id)
    }

    fn kept_by(&self) -> Option<&'static str> {
        T::KEPT_BY
    }

    fn parents(&self) -> &'static [Parent] {
        T::PARENTS
    }

    fn after(&self) -> &'static [After] {
        T::AFTER
    }

    fn lane(&self, attributes: &Attributes) -> Option<String> {
        T::lane(attributes)
    }

    fn create<'a>(
        &self,
        cx: &'a Cx,
        inputs: Inputs,
        decided: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Applied, Error>> {
        let schema = self.schema();
        Box::pin(async move {
            let props = parse::<T>(T::TYPE, inputs)?;
            let made = T::create(cx, New { props, decided }).await?;
            Ok(Applied {
                id: made.id,
                outputs: Attributes::new(json(&schema.outputs, made.outputs)?),
            })
        })
    }

    fn read<'a>(&self, cx: &'a Cx, read: &'a Read) -> BoxFuture<'a, Result<Seen, Error>> {
        let schema = self.schema();
        Box::pin(async move {
            let live = T::read(cx, read).await;
            // Taken whatever the end, so that a retry of the read begins with none.
            let denied = read.take_denied();
            let Some(live) = live? else {
                return Ok(Seen::default());
            };
            let mut inputs = Inputs::new(json(&schema.properties, live.props)?);
            for property in denied.keys().copied() {
                let known = read.attributes.get(property);
                if let (Some(map), Some(known)) = (inputs.as_object_mut(), known) {
                    map.insert(property.to_owned(), known.clone());
                }
            }
            let outputs = Attributes::new(json(&schema.outputs, live.outputs)?);
            Ok(Seen {
                live: Some(Attributes::of(&inputs, &outputs)),
                held: live.held,
                denied,
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
        let schema = self.schema();
        Box::pin(async move {
            let old = live.inputs(|name| schema.has_property(name));
            let old = parse::<T>(T::TYPE, old)?;
            let new = parse::<T>(T::TYPE, new)?;
            let change = Change {
                id: id.to_owned(),
                old,
                new,
                live,
                changed: Path::firsts(&changed),
            };
            let made = T::update(cx, change).await?;
            Ok(Applied {
                id: made.id,
                outputs: Attributes::new(json(&schema.outputs, made.outputs)?),
            })
        })
    }

    fn delete<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(T::delete(cx, id, attributes))
    }

    fn counting_needs_call(&self) -> bool {
        T::COUNTING_NEEDS_CALL
    }

    fn reports_aftermath(&self) -> bool {
        T::REPORTS_AFTERMATH
    }

    fn aftermath<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(T::aftermath(cx, id, attributes))
    }

    fn import_id(&self) -> &'static str {
        T::IMPORT.says()
    }

    fn import_is_secret(&self) -> bool {
        T::IMPORT_IS_SECRET
    }

    fn import(&self, text: &str) -> Result<Imported, String> {
        T::IMPORT.read(text)
    }

    fn content_hash(&self) -> Option<&'static str> {
        T::CONTENT_HASH
    }

    fn has_content(&self, attributes: &Attributes, content: &Content) -> Option<bool> {
        T::has_content(attributes, content)
    }

    fn content_properties(&self) -> &'static [&'static str] {
        T::CONTENT
    }

    fn holds(&self, props: &Data) -> Option<Content> {
        T::holds(props)
    }

    fn held_by<'v>(&self, props: &'v Value) -> Option<HeldBy<'v>> {
        T::held_by(props)
    }

    fn import_mismatch(&self, props: &Value, live: &Attributes) -> Option<String> {
        T::import_mismatch(props, live)
    }

    fn assumed_on_import(&self, props: &Value, live: &Attributes) -> &'static [&'static str] {
        T::assumed_on_import(props, live)
    }

    fn ready<'a>(&self, cx: &'a Cx, id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(T::ready(cx, id))
    }

    fn find<'a>(
        &self,
        cx: &'a Cx,
        known: &'a Known,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(async move {
            let found = T::find(cx, known).await?;
            Ok(found.filter(|id| !cx.known_ids.contains(id)))
        })
    }

    fn names<'a>(
        &self,
        cx: &'a Cx,
        known: &'a Known,
        start: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        let start = start.map_or_else(|| T::beginning(cx, known), str::to_owned);
        Box::pin(async move { T::names(cx, known, &start).await })
    }

    fn import_id_from_output(&self) -> Option<ImportIdFromOutput> {
        T::IMPORT_ID_FROM_OUTPUT
    }
}

/// The same for a data source; a type of its own, so that no struct can be both.
pub struct TypedData<T>(pub(super) Typed<T>);

impl<T: DataSource> DataSourceType for &'static TypedData<T> {
    fn schema(&self) -> &'static Schema {
        let this: &'static TypedData<T> = self;
        this.0
            .schema
            .get_or_init(|| Schema::of::<T, T::Outputs>(T::TYPE))
    }

    fn name(&self) -> &'static str {
        T::TYPE
    }

    fn home(&self) -> Home {
        T::HOME
    }

    fn read<'a>(&self, cx: &'a Cx, args: Inputs) -> BoxFuture<'a, Result<Attributes, Error>> {
        let schema = self.schema();
        Box::pin(async move {
            let outputs = T::read(cx, parse::<T>(T::TYPE, args)?).await?;
            Ok(Attributes::new(json(&schema.outputs, outputs)?))
        })
    }

    fn inspect(&self, dir: &std::path::Path, args: Inputs) -> Vec<Finding> {
        let args = parse::<T>(T::TYPE, args);
        args.map_or_else(|_| Vec::new(), |args| T::inspect(dir, &args))
    }

    fn written(&self, cx: &Cx, args: &Inputs, outputs: &Attributes) -> Option<WrittenFile> {
        let args = parse::<T>(T::TYPE, args.clone()).ok()?;
        T::written(cx, &args, outputs)
    }

    fn write(&self, cx: &Cx, args: &Inputs, outputs: &Attributes) -> Result<(), Error> {
        T::write(cx, &parse::<T>(T::TYPE, args.clone())?, outputs)
    }
}

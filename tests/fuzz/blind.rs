//! Types whose `find` finds nothing.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use stackctl::content::Content;
use stackctl::data::{Attributes, Data, Inputs, Path};
use stackctl::resource::context::{Cx, Draw};
use stackctl::resource::error::Error;
use stackctl::resource::import_id::Imported;
use stackctl::resource::relation::{After, Parent};
use stackctl::resource::table::native;
use stackctl::resource::types::Types;
use stackctl::resource::{
    Applied, Caution, HeldBy, Home, ImportIdFromOutput, Known, Read, ResourceType, Rules, Seen,
};
use stackctl::schema::Schema;
use stackctl::schema::broken::Broken;
use std::borrow::Cow;
use std::collections::BTreeSet;

struct Blind(&'static dyn ResourceType);

/// The types, blinded.
pub fn blind() -> Types {
    let mut types = native().clone();
    for kind in native().resources().values() {
        types.add(Blind(*kind));
    }
    types
}

impl ResourceType for Blind {
    fn schema(&self) -> &'static Schema {
        self.0.schema()
    }

    fn rules(&self, rules: &Rules<'_>) -> Vec<Broken> {
        self.0.rules(rules)
    }

    fn cautions(&self, rules: &Rules<'_>) -> Vec<Caution> {
        self.0.cautions(rules)
    }

    fn decide(&self, props: &Value, draw: &mut Draw) -> Map<String, Value> {
        self.0.decide(props, draw)
    }

    fn comparable<'v>(&self, props: &'v Value) -> Cow<'v, Value> {
        self.0.comparable(props)
    }

    fn identity(&self) -> &'static [&'static str] {
        self.0.identity()
    }

    fn home(&self) -> Home {
        self.0.home()
    }

    fn kept_by(&self) -> Option<&'static str> {
        self.0.kept_by()
    }

    fn parents(&self) -> &'static [Parent] {
        self.0.parents()
    }

    fn after(&self) -> &'static [After] {
        self.0.after()
    }

    fn lane(&self, attributes: &Attributes) -> Option<String> {
        self.0.lane(attributes)
    }

    fn create<'a>(
        &self,
        cx: &'a Cx,
        inputs: Inputs,
        decided: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Applied, Error>> {
        self.0.create(cx, inputs, decided)
    }

    fn read<'a>(&self, cx: &'a Cx, read: &'a Read) -> BoxFuture<'a, Result<Seen, Error>> {
        self.0.read(cx, read)
    }

    fn update<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        live: Attributes,
        new: Inputs,
        changed: BTreeSet<Path>,
    ) -> BoxFuture<'a, Result<Applied, Error>> {
        self.0.update(cx, id, live, new, changed)
    }

    fn delete<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.0.delete(cx, id, attributes)
    }

    fn reports_aftermath(&self) -> bool {
        self.0.reports_aftermath()
    }

    fn aftermath<'a>(
        &self,
        cx: &'a Cx,
        id: &'a str,
        attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        self.0.aftermath(cx, id, attributes)
    }

    fn counting_needs_call(&self) -> bool {
        self.0.counting_needs_call()
    }

    fn import_id(&self) -> &'static str {
        self.0.import_id()
    }

    fn import_is_secret(&self) -> bool {
        self.0.import_is_secret()
    }

    fn import(&self, text: &str) -> Result<Imported, String> {
        self.0.import(text)
    }

    fn content_hash(&self) -> Option<&'static str> {
        self.0.content_hash()
    }

    fn has_content(&self, attributes: &Attributes, content: &Content) -> Option<bool> {
        self.0.has_content(attributes, content)
    }

    fn content_properties(&self) -> &'static [&'static str] {
        self.0.content_properties()
    }

    fn holds(&self, props: &Data) -> Option<Content> {
        self.0.holds(props)
    }

    fn held_by<'v>(&self, props: &'v Value) -> Option<HeldBy<'v>> {
        self.0.held_by(props)
    }

    fn import_mismatch(&self, props: &Value, live: &Attributes) -> Option<String> {
        self.0.import_mismatch(props, live)
    }

    fn assumed_on_import(&self, props: &Value, live: &Attributes) -> &'static [&'static str] {
        self.0.assumed_on_import(props, live)
    }

    fn ready<'a>(&self, cx: &'a Cx, id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.0.ready(cx, id)
    }

    fn find<'a>(
        &self,
        _cx: &'a Cx,
        _known: &'a Known,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(async { Ok(None) })
    }

    fn names<'a>(
        &self,
        cx: &'a Cx,
        known: &'a Known,
        start: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        self.0.names(cx, known, start)
    }

    fn import_id_from_output(&self) -> Option<ImportIdFromOutput> {
        self.0.import_id_from_output()
    }
}

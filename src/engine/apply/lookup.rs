//! Searches for the live resource of a declared one by what is known of it; where its name is
//! unknown, among all that exist.

use crate::data::{Inputs, Path};
use crate::resource::context::Cx;
use crate::resource::error::Error;
use crate::resource::{Known, ResourceType};
use crate::store::journal::Intent;
use crate::store::seal::{Seal, sealed_paths};
use serde_json::Map;

/// What is searched for.
pub(crate) struct Lookup {
    /// The type.
    pub(crate) kind: &'static dyn ResourceType,
    /// What is known of it.
    pub(crate) known: Known,
    /// Where the name is unknown: its prefix; none for a generated name.
    pub(crate) name: Option<Unnamed>,
}

/// A name that is not known.
pub(crate) struct Unnamed {
    /// The property that gives it.
    pub(crate) property: &'static str,
    /// The property that gives its beginning, where the type has one.
    pub(crate) prefix: Option<&'static str>,
    /// Its prefix.
    pub(crate) start: Option<String>,
}

impl Lookup {
    /// The resource that an interrupted create may have created. Sealed values that cannot be
    /// opened are withheld.
    pub(crate) fn of_create(kind: &'static dyn ResourceType, intent: &Intent, seal: &Seal) -> Self {
        let inputs = seal.opened(&intent.inputs).into_owned();
        let mut withheld = sealed_paths(&inputs);
        let mut decided = Map::new();
        for (name, value) in &intent.decided {
            let value = seal.opened(value);
            if sealed_paths(&value).is_empty() {
                decided.insert(name.clone(), value.into_owned());
            } else {
                withheld.insert(Path::root().join(name));
            }
        }
        let known = Known::new(Inputs::new(inputs), withheld, decided);
        let name = withheld_name(kind, &known);
        Self { kind, known, name }
    }

    /// The ids of the candidates.
    ///
    /// # Errors
    /// When a call fails.
    pub(crate) async fn ids(&self, cx: &Cx) -> Result<Vec<String>, Error> {
        let Some(name) = &self.name else {
            let look = self.kind.find(cx, &self.known);
            return Ok(cx.reporting_waits(look).await?.into_iter().collect());
        };
        let names = self.kind.names(cx, &self.known, name.start.as_deref());
        let mut found = Vec::new();
        for candidate in cx.reporting_waits(names).await? {
            let known = self.known.with(name.property, &candidate, name.prefix);
            let look = self.kind.find(cx, &known);
            found.extend(cx.reporting_waits(look).await?);
        }
        Ok(found)
    }
}

/// The name, where it is withheld and the tags of each candidate name its owner.
fn withheld_name(kind: &dyn ResourceType, known: &Known) -> Option<Unnamed> {
    let schema = kind.schema();
    let property = *kind.identity().last()?;
    let prefix = schema.prefix_of(property);
    let drawn = known.decided(property).is_some();
    let is_open = known.is_withheld(property)
        || (known.text(property).is_none()
            && !drawn
            && prefix.is_some_and(|prefix| known.is_withheld(prefix)));
    (is_open && schema.has_property("tags")).then(|| Unnamed {
        property,
        prefix,
        start: Some(String::new()),
    })
}

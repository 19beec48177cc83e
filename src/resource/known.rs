//! What is known of a resource that is looked for, or whose name is.

use super::error::Error;
use crate::data::{Attributes, Inputs, Path};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The properties as far as they are known. A lookup takes the few that it needs, one by one,
/// and never the type's whole struct: after a crash, secrets may be withheld, and what comes
/// from another resource may be unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Nothing stands at a withheld path (in a list: null).
    inputs: Inputs,
    withheld: BTreeSet<Path>,
    decided: Map<String, Value>,
}

/// What comparing a property with its live value gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// All that is known of it is the same.
    Same,
    /// A known part differs.
    Different,
    /// No part of it is known, though it has a value: it cannot be compared.
    Unknown,
}

impl Known {
    /// The properties without those at the `withheld` paths, and what
    /// [`Resource::decide`](super::Resource::decide) decided in the plan.
    pub fn new(mut inputs: Inputs, withheld: BTreeSet<Path>, decided: Map<String, Value>) -> Self {
        for path in &withheld {
            path.remove(&mut inputs);
        }
        Self {
            inputs,
            withheld,
            decided,
        }
    }

    /// Properties all of which are known.
    pub fn whole(inputs: Inputs, decided: Map<String, Value>) -> Self {
        Self::new(inputs, BTreeSet::new(), decided)
    }

    /// The same with another value for a string property, and without the property `without`.
    #[must_use]
    pub fn with(&self, name: &str, value: &str, without: Option<&str>) -> Self {
        let mut known = self.clone();
        for name in without.into_iter().chain([name]) {
            let path = Path::root().join(name);
            known.withheld.retain(|at| !at.is_within(&path));
            path.remove(&mut known.inputs);
        }
        Path::root()
            .join(name)
            .set(&mut known.inputs, Value::from(value));
        known
    }

    /// The properties, without what is not known.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// How much is known, to put those first of which more is.
    pub fn says(&self) -> usize {
        self.inputs.to_string().len()
    }

    /// Whether a property has a value of which a part is not known.
    pub fn is_withheld(&self, name: &str) -> bool {
        let path = Path::root().join(name);
        self.withheld.iter().any(|at| at.is_within(&path))
    }

    /// Whether any part of any property is not known.
    pub fn withholds(&self) -> bool {
        !self.withheld.is_empty()
    }

    /// The value of a property; none where it has none, or a part of it is not known.
    pub fn value(&self, name: &str) -> Option<&Value> {
        let value = self.inputs.get(name).filter(|value| !value.is_null());
        value.filter(|_| !self.is_withheld(name))
    }

    /// The value of a string property; none where it has none, or is not known.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// The value of a property in its own type; none where it has none, or a part of it is
    /// not known.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        T::deserialize(value)
            .map(Some)
            .map_err(|error| Error::failed(format!("the value of {name} does not fit: {error}")))
    }

    /// All properties in the type's own struct, without those that are not known whole.
    ///
    /// # Errors
    /// When they do not fit, or a required one is not known.
    pub fn parsed<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let props = self.inputs.as_object().into_iter().flatten();
        let whole: Map<String, Value> = props
            .filter(|(name, _)| !self.is_withheld(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        serde_json::from_value(Value::Object(whole))
            .map_err(|error| Error::failed(format!("the properties do not fit: {error}")))
    }

    /// A string that the plan decided.
    pub fn decided(&self, name: &str) -> Option<&str> {
        self.decided.get(name)?.as_str()
    }

    /// All that the plan decided.
    pub fn all_decided(&self) -> &Map<String, Value> {
        &self.decided
    }

    /// Compares a property with a live one that may have more to it: every known part is to
    /// be there.
    pub fn compare(&self, name: &str, live: &Value) -> Match {
        let path = Path::root().join(name);
        if self.withheld.contains(&path) {
            return Match::Unknown;
        }
        let wanted = self.inputs.get(name).unwrap_or(&Value::Null);
        match self.covers(&path, wanted, live) {
            true => Match::Same,
            false => Match::Different,
        }
    }

    /// Compares all properties but `others` with those of a live resource: whether it may be the
    /// one. A resource of which no property can be compared does not match.
    pub fn fits(&self, live: &Attributes, others: &[&str]) -> bool {
        let mut names: BTreeSet<String> = self
            .withheld
            .iter()
            .filter_map(|path| Some(path.first()?.into_owned()))
            .collect();
        names.extend(
            self.inputs
                .as_object()
                .into_iter()
                .flatten()
                .map(|it| it.0.clone()),
        );
        names.retain(|name| !others.contains(&name.as_str()));
        let mut compared = names.is_empty();
        for name in &names {
            match self.compare(name, live.get(name).unwrap_or(&Value::Null)) {
                Match::Different => return false,
                Match::Same => compared = true,
                Match::Unknown => {}
            }
        }
        compared
    }

    /// Whether every known part of `wanted`, which stands at `path`, is in `live`.
    fn covers(&self, path: &Path, wanted: &Value, live: &Value) -> bool {
        if self.withheld.contains(path) {
            return true;
        }
        match (wanted, live) {
            (wanted, live) if is_nothing(wanted) && !self.withheld_below(path) => {
                is_nothing(live) || wanted == live || live.is_object()
            }
            (Value::Object(wanted), Value::Object(live)) => wanted.iter().all(|(key, value)| {
                let live = live.get(key).unwrap_or(&Value::Null);
                self.covers(&path.join(key), value, live)
            }),
            (Value::Array(wanted), Value::Array(live)) => {
                wanted.len() == live.len()
                    && wanted.iter().enumerate().all(|(index, item)| {
                        let path = path.join(index);
                        live.iter().any(|other| self.covers(&path, item, other))
                    })
            }
            (wanted, live) => wanted == live,
        }
    }

    fn withheld_below(&self, path: &Path) -> bool {
        self.withheld.iter().any(|at| at.is_within(path))
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_nothing),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known(props: Value, withheld: &[&str]) -> Known {
        let withheld = withheld.iter().map(|path| Path::dotted(path)).collect();
        Known::new(Inputs::new(props), withheld, Map::new())
    }

    #[test]
    fn a_live_resource_covers_what_was_wanted_and_may_have_more() {
        let live = json!({"a": "x", "list": [{"k": 1, "more": true}], "extra": {"y": 1}});
        let live = Attributes::new(live);
        let fits = |props: Value| known(props, &[]).fits(&live, &[]);
        assert!(fits(
            json!({"a": "x", "list": [{"k": 1, "no": false}], "none": null})
        ));
        assert!(fits(
            json!({"a": "x", "extra": {}, "empty": "", "off": false})
        ));
        assert!(!fits(json!({"a": "y"})));
        assert!(!fits(json!({"list": [{"k": 2}]})));
        assert!(!fits(json!({"b": "x"})));
    }

    #[test]
    fn what_is_withheld_is_not_compared_and_the_rest_is() {
        let sealed = json!({"uri": 1, "method": "GET", "map": {"a": "x", "b": {"$sealed": ""}}});
        let known = known(sealed, &["uri", "map.b"]);
        let live = |method: &str, a: &str| {
            Attributes::new(json!({"uri": "?", "method": method, "map": {"a": a, "b": 7}}))
        };
        assert!(known.fits(&live("GET", "x"), &[]));
        assert!(!known.fits(&live("POST", "x"), &[]));
        assert!(!known.fits(&live("GET", "y"), &[]));
        assert_eq!(known.compare("uri", &json!("?")), Match::Unknown);
        assert_eq!(
            (known.text("uri"), known.text("method")),
            (None, Some("GET"))
        );
        assert_eq!(known.value("map"), None);
        assert!(known.is_withheld("map") && !known.is_withheld("method"));
    }

    #[test]
    fn a_resource_does_not_match_when_nothing_of_it_can_be_compared() {
        let known = known(json!({"parent": "p", "text": "secret"}), &["text"]);
        let live = Attributes::new(json!({"parent": "p", "text": "anything"}));
        assert!(!known.fits(&live, &["parent"]));
        let found = known.with("text", "anything", None);
        assert!(found.fits(&live, &["parent"]) && !found.withholds());
    }
}

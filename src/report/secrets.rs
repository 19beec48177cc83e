//! Keeping secret values out of what is shown.

use crate::data::{Data, Path};
use crate::engine::plan::{Change, Plan};
use crate::schema::Schema;
pub(crate) use crate::secrets::SECRET;
pub use crate::secrets::Secrets;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Stands for every index of a list: the three values of a difference may hold the same
/// item at different places, so a secret item hides all items.
const ANY_ITEM: &str = "*";

/// The id of what a change is about, unless it is made of a secret: then a word in its place.
pub(crate) fn shown_id(change: &Change) -> Option<&str> {
    let id = change.id.as_deref()?;
    let is_secret = SecretPaths::of_change(change).covers("id");
    Some(if is_secret { SECRET } else { id })
}

/// Secret paths as a tree.
#[derive(Debug, Default)]
pub(crate) struct SecretPaths {
    here: bool,
    below: BTreeMap<String, SecretPaths>,
}

fn is_index(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit())
}

impl SecretPaths {
    /// The secret paths of all these values, which are versions of the same thing.
    pub(crate) fn of<'d>(versions: impl IntoIterator<Item = &'d Data>) -> Self {
        let mut paths = Self::default();
        for data in versions {
            data.secret.iter().for_each(|path| paths.add(path));
        }
        paths
    }

    /// The secret paths of a change: what is secret before or after is secret in both.
    pub(crate) fn of_change(change: &Change) -> Self {
        let mut paths = Self::of(change.before.iter().chain(&change.after));
        for difference in &change.differences {
            if difference.secret {
                paths.add(&difference.path);
            }
            for path in difference.desired.iter().flat_map(|data| &data.secret) {
                paths.add(&difference.path.concat(path));
            }
        }
        paths.made(change);
        paths
    }

    /// Adds what the type makes of the secrets of a change.
    fn made(&mut self, change: &Change) {
        if self.is_empty() {
            return;
        }
        let Some(schema) = change.schema.0 else {
            return;
        };
        let versions = change.before.iter().chain(&change.after);
        let rows = change.differences.iter();
        let rows = rows.filter(|row| row.secret).map(|row| &row.path);
        let secret = versions.flat_map(|data| &data.secret).chain(rows);
        for name in schema.made_of(secret) {
            self.add(&Path::root().join(name));
        }
    }

    /// Whether all of a property or output is secret.
    pub(crate) fn covers(&self, name: &str) -> bool {
        self.here || self.below.get(name).is_some_and(|below| below.here)
    }

    /// Whether nothing is secret.
    fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }

    /// All of it is secret.
    pub(crate) fn everything() -> Self {
        Self {
            here: true,
            ..Self::default()
        }
    }

    fn add(&mut self, path: &Path) {
        let mut at = self;
        for segment in path.segments() {
            let key = if is_index(&segment) {
                ANY_ITEM
            } else {
                &segment
            };
            at = at.below.entry(key.to_owned()).or_default();
        }
        at.here = true;
    }
}

/// Says, on the way down into a value, what must not be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Veil<'a> {
    paths: Option<&'a SecretPaths>,
    schema: Option<&'a Value>,
    lifted: bool,
}

impl<'a> Veil<'a> {
    /// Over the properties that `schema` declares; `show_secrets` lifts it.
    pub(crate) fn new(
        paths: &'a SecretPaths,
        schema: Option<&'a Schema>,
        show_secrets: bool,
    ) -> Self {
        Self {
            paths: Some(paths),
            schema: schema.map(|schema| &schema.properties),
            lifted: show_secrets,
        }
    }

    /// The veil over an entry of an object.
    pub(crate) fn key(self, name: &str) -> Self {
        let schema = self.schema.and_then(|schema| {
            let own = schema.get("properties").and_then(|map| map.get(name));
            own.or_else(|| schema.get("additionalProperties"))
        });
        let paths = self.paths.and_then(|paths| {
            let any = || is_index(name).then(|| paths.below.get(ANY_ITEM)).flatten();
            paths.below.get(name).or_else(any)
        });
        Self {
            paths,
            schema,
            ..self
        }
    }

    /// The veil over the items of a list.
    pub(crate) fn item(self) -> Self {
        Self {
            paths: self.paths.and_then(|paths| paths.below.get(ANY_ITEM)),
            schema: self.schema.and_then(|schema| schema.get("items")),
            ..self
        }
    }

    /// The veil over what stands at `path`; a secret on the way covers all below it.
    pub(crate) fn at(self, path: &Path) -> Self {
        path.segments().fold(self, |veil, segment| {
            if veil.covers() {
                veil
            } else if is_index(&segment) && veil.schema.is_none_or(|s| s.get("items").is_some()) {
                veil.item()
            } else {
                veil.key(&segment)
            }
        })
    }

    fn covers(self) -> bool {
        self.paths.is_some_and(|paths| paths.here)
            || self.schema.and_then(|schema| schema.get("sensitive")) == Some(&Value::Bool(true))
    }

    /// Whether `value`, which stands here, must not be shown. A value whose shape does not
    /// fit the secret paths below is hidden too: where its secret is cannot be told.
    pub(crate) fn hides(self, value: &Value) -> bool {
        if self.lifted {
            return false;
        }
        if self.covers() {
            return true;
        }
        let Some(below) = self
            .paths
            .map(|paths| &paths.below)
            .filter(|below| !below.is_empty())
        else {
            return false;
        };
        match value {
            Value::Null => false,
            Value::Array(_) => !below.contains_key(ANY_ITEM),
            Value::Object(map) => {
                below.keys().all(|key| key == ANY_ITEM) && !map.keys().any(|key| is_index(key))
            }
            _ => true,
        }
    }

    /// The schema keyword `document` here: `json` or `policy`.
    pub(crate) fn document(self) -> Option<&'a str> {
        self.schema?.get("document")?.as_str()
    }

    /// The value with null for what must not be shown; the pointers of those places are
    /// put into `hidden`.
    pub(crate) fn mask(self, value: &Value, at: &Path, hidden: &mut BTreeSet<Path>) -> Value {
        if self.hides(value) {
            hidden.insert(at.clone());
            return Value::Null;
        }
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(name, value)| {
                    (
                        name.clone(),
                        self.key(name).mask(value, &at.join(name), hidden),
                    )
                })
                .collect(),
            Value::Array(list) => list
                .iter()
                .enumerate()
                .map(|(index, value)| self.item().mask(value, &at.join(index), hidden))
                .collect(),
            other => other.clone(),
        }
    }

    /// Takes in each string that is not hidden.
    fn collect_public(self, value: &Value, secrets: &Secrets) {
        if self.hides(value) {
            return;
        }
        match value {
            Value::String(text) => secrets.learn_public(text),
            Value::Object(map) => {
                let members = map.iter();
                members.for_each(|(name, value)| self.key(name).collect_public(value, secrets));
            }
            Value::Array(list) => {
                let items = list.iter();
                items.for_each(|value| self.item().collect_public(value, secrets));
            }
            _ => {}
        }
    }

    fn collect(self, value: &Value, secrets: &Secrets) {
        if self.hides(value) {
            secrets.learn(value);
            return;
        }
        match value {
            Value::Object(map) => {
                map.iter()
                    .for_each(|(name, value)| self.key(name).collect(value, secrets));
            }
            Value::Array(list) => {
                list.iter()
                    .for_each(|value| self.item().collect(value, secrets));
            }
            _ => {}
        }
    }
}

impl Secrets {
    /// The secrets that a plan knows.
    pub fn of(plan: &Plan) -> Self {
        let secrets = Self::default();
        secrets.learn_plan(plan);
        secrets
    }

    /// Takes in the secrets that a plan knows, and what is none in it.
    pub fn learn_plan(&self, plan: &Plan) {
        self.learn_public_of(plan);
        for change in &plan.changes {
            learn_change(change, self);
        }
        for output in plan.outputs.values() {
            for value in output
                .before
                .iter()
                .chain(output.after.iter().map(|data| &data.value))
            {
                let paths = SecretPaths::of(&output.after);
                let veil = Veil::new(&paths, None, false);
                if output.sensitive {
                    self.learn(value);
                } else {
                    veil.collect(value, self);
                }
            }
        }
    }
}

impl Secrets {
    /// Takes in what is no secret of a plan: names, types, and the values that it shows.
    fn learn_public_of(&self, plan: &Plan) {
        if !self.has_parts() {
            return;
        }
        let (account, region) = (plan.account.as_deref(), plan.region.as_deref());
        let named = [Some(&*plan.stack), plan.env.as_deref(), account, region];
        named
            .into_iter()
            .flatten()
            .for_each(|text| self.learn_public(text));
        for service in SERVICES {
            let (region, account) = (region.unwrap_or_default(), account.unwrap_or_default());
            self.learn_public(&format!("arn:aws:{service}:{region}:{account}:"));
        }
        for change in &plan.changes {
            self.learn_public(&change.address);
            self.learn_public(&change.type_name);
            let schema = change.schema.0;
            if let Some(schema) = schema {
                let names = schema.property_names().chain(schema.output_names());
                names.for_each(|name| self.learn_public(name));
            }
            let paths = SecretPaths::of_change(change);
            let veil = Veil::new(&paths, schema, false);
            for data in change.before.iter().chain(&change.after) {
                veil.collect_public(&data.value, self);
            }
        }
    }
}

/// The services whose names stand in ARNs.
const SERVICES: [&str; 7] = ["sqs", "lambda", "iam", "logs", "s3", "sts", "apigateway"];

fn learn_change(change: &Change, secrets: &Secrets) {
    let schema = change.schema.0;
    let paths = SecretPaths::of_change(change);
    // Of very many resources few have a secret; the values of the others are not walked.
    if paths.is_empty() && schema.is_none_or(|schema| !schema.has_keyword("sensitive")) {
        return;
    }
    let veil = Veil::new(&paths, schema, false);
    for data in change.before.iter().chain(&change.after) {
        veil.collect(&data.value, secrets);
    }
    for difference in &change.differences {
        let veil = veil.at(&difference.path);
        for value in difference.applied.iter().chain(&difference.live) {
            veil.collect(value, secrets);
        }
    }
    for (name, value) in &change.decided {
        if schema.is_some_and(|schema| schema.is_sensitive(name)) || paths.covers(name) {
            secrets.learn(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mask(secret: &[&str], value: &Value) -> Value {
        let data = Data {
            secret: secret.iter().map(|path| Path::pointer(*path)).collect(),
            ..Data::default()
        };
        let paths = SecretPaths::of([&data]);
        Veil::new(&paths, None, false).mask(value, &Path::root(), &mut BTreeSet::new())
    }

    #[test]
    fn a_secret_path_hides_what_stands_there() {
        let value = json!({"a": {"b": "x", "c": 1}, "d": ["x", "y"]});
        assert_eq!(
            mask(&["/a/b"], &value),
            json!({"a": {"b": null, "c": 1}, "d": ["x", "y"]})
        );
    }

    #[test]
    fn a_secret_item_hides_every_item() {
        assert_eq!(
            mask(&["/d/1"], &json!({"d": ["x", "y"]})),
            json!({"d": [null, null]})
        );
        assert_eq!(
            mask(&["/d/1/k"], &json!({"d": [{"k": 1, "l": 2}]})),
            json!({"d": [{"k": null, "l": 2}]})
        );
    }

    #[test]
    fn a_value_of_another_shape_is_hidden() {
        for value in [json!({"a": "text"}), json!({"a": [1]}), json!({"a": 7})] {
            assert_eq!(mask(&["/a/b"], &value), json!({"a": null}));
        }
        assert_eq!(
            mask(&["/a/0"], &json!({"a": {"k": "x"}})),
            json!({"a": null})
        );
    }
}

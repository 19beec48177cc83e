//! Keeping secret values out of what is shown: the one place that says which parts of a value are
//! hidden, and takes them out.

use crate::data::{Data, Path};
use crate::engine::plan::{Change, OutputChange, Plan};
use crate::schema::{Schema, walk};
pub(crate) use crate::secrets::SECRET;
pub use crate::secrets::Secrets;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Stands for every index of a list: the three values of a difference may hold the same
/// item at different places, so a secret item hides all items.
const ANY_ITEM: &str = "*";

/// `value` with `instead` at each of these places where something stands; what holds others is
/// named in front of them.
pub(crate) fn masked<'p>(
    value: &Value,
    places: impl IntoIterator<Item = &'p Path>,
    instead: &Value,
) -> Value {
    let mut masked = value.clone();
    for path in places {
        if path.get(&masked).is_some_and(|part| !part.is_null()) {
            path.set(&mut masked, instead.clone());
        }
    }
    masked
}

/// A value as it may be shown: nothing in it is secret, unless secrets are to be shown.
#[derive(Debug, Default)]
pub(crate) struct Masked<'v> {
    /// With null for what is hidden.
    pub(crate) value: Cow<'v, Value>,
    /// The secret places, whether they are shown or not.
    pub(crate) secret: BTreeSet<Path>,
    /// The places that are hidden. Equal values have equal hashes; there is none of an unknown one.
    pub(crate) hidden: BTreeMap<Path, Option<u64>>,
    /// The expressions that will give the unknown values.
    pub(crate) unknown: BTreeMap<Path, String>,
    /// The strings that are documents.
    pub(crate) documents: BTreeSet<Path>,
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    hasher.finish()
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
    /// The secret paths of all these values, which are versions of the same value.
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
        paths.add_derived(change);
        paths
    }

    /// The secret paths of an output.
    pub(crate) fn of_output(output: &OutputChange) -> Self {
        match output.sensitive {
            true => Self::whole(true),
            false => Self::of(&output.after),
        }
    }

    /// Adds what the type derives from the secrets of a change.
    fn add_derived(&mut self, change: &Change) {
        let Some(schema) = change.schema.0.filter(|_| !self.is_empty()) else {
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

    /// The id of the resource that these paths belong to, unless it contains a secret: then a word
    /// in its place.
    pub(crate) fn masked_id<'i>(&self, id: &'i str) -> &'i str {
        if self.covers("id") { SECRET } else { id }
    }

    /// Whether nothing is secret.
    fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }

    /// All of it is secret, or nothing.
    pub(crate) fn whole(here: bool) -> Self {
        Self {
            here,
            ..Self::default()
        }
    }

    fn add(&mut self, path: &Path) {
        let mut at = self;
        for segment in path.segments() {
            let key = match is_index(&segment) {
                true => ANY_ITEM,
                false => &segment,
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
    /// The schema that has the definitions.
    root: Option<&'a Value>,
    lifted: bool,
}

impl<'a> Veil<'a> {
    /// Over the properties that `schema` declares; `show_secrets` lifts it.
    pub(crate) fn new(
        paths: &'a SecretPaths,
        schema: Option<&'a Schema>,
        show_secrets: bool,
    ) -> Self {
        let says = |schema: &&Schema| ["sensitive", "document"].map(|it| schema.has_keyword(it));
        // Most types say nothing of it, and their values are not walked.
        let root = schema
            .filter(|it| says(it).contains(&true))
            .map(|it| &it.properties);
        Self {
            paths: Some(paths),
            schema: root,
            root,
            lifted: show_secrets,
        }
    }

    /// The veil over an entry of an object.
    pub(crate) fn key(self, name: &str) -> Self {
        let schema = self
            .schema
            .and_then(|schema| walk::member(self.root?, schema, name));
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
            schema: self.items(),
            ..self
        }
    }

    /// The veil over what stands at `path`; a secret on the way covers all below it.
    pub(crate) fn at(self, path: &Path) -> Self {
        path.segments().fold(self, |veil, segment| {
            if veil.covers() {
                veil
            } else if is_index(&segment) && (veil.schema.is_none() || veil.items().is_some()) {
                veil.item()
            } else {
                veil.key(&segment)
            }
        })
    }

    fn items(self) -> Option<&'a Value> {
        walk::items(self.root?, self.schema?)
    }

    fn covers(self) -> bool {
        self.paths.is_some_and(|paths| paths.here) || self.has("sensitive")
    }

    fn has(self, keyword: &str) -> bool {
        let found = self.schema.and_then(|schema| schema.get(keyword));
        found.is_some_and(|value| value != &Value::Bool(false))
    }

    /// Whether `value`, which stands here, is secret. A value whose shape does not fit the secret
    /// paths below is hidden too: its secret cannot be located.
    pub(crate) fn hides(self, value: &Value) -> bool {
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

    /// A value of which all is known, as it may be shown.
    pub(crate) fn value(self, value: &Value) -> Masked<'_> {
        self.show(Cow::Borrowed(value), &BTreeMap::new())
    }

    /// A value with its unknown parts, as it may be shown. Its own secret paths must be part of
    /// the veil.
    pub(crate) fn data(self, data: &Data) -> Masked<'_> {
        self.show(Cow::Borrowed(&data.value), &data.unknown)
    }

    /// A value as it may be shown.
    pub(crate) fn show<'v>(
        self,
        value: Cow<'v, Value>,
        unknown: &BTreeMap<Path, String>,
    ) -> Masked<'v> {
        let mut shown = Masked::default();
        self.walk(&value, &Path::root(), false, &mut shown);
        shown.unknown = unknown.clone();
        shown.value = value;
        if self.lifted {
            return shown;
        }
        for path in &shown.secret {
            let hash = path.get(&shown.value).map(hash);
            shown.hidden.insert(path.clone(), hash);
        }
        for (path, expression) in &mut shown.unknown {
            let within = shown.secret.iter().any(|secret| path.is_within(secret));
            if within || self.at(path).hides(&Value::Null) {
                // It may have a secret written into it.
                SECRET.clone_into(expression);
                shown.hidden.insert(path.clone(), None);
            }
        }
        if !shown.secret.is_empty() {
            shown.value = Cow::Owned(masked(&shown.value, &shown.secret, &Value::Null));
        }
        shown
    }

    /// Notes what is secret and what is a document; `inside` what is secret already.
    fn walk(self, value: &Value, at: &Path, inside: bool, shown: &mut Masked<'_>) {
        let clear = self.schema.is_none() && self.paths.is_none_or(SecretPaths::is_empty);
        let hides = !clear && self.hides(value);
        if hides && !inside {
            shown.secret.insert(at.clone());
        }
        if clear || (hides && !self.lifted) {
            return;
        }
        let inside = inside || hides;
        match value {
            Value::Object(map) => map.iter().for_each(|(name, value)| {
                self.key(name).walk(value, &at.join(name), inside, shown);
            }),
            Value::Array(list) => list.iter().enumerate().for_each(|(index, value)| {
                self.item().walk(value, &at.join(index), inside, shown);
            }),
            Value::String(_) if self.has("document") => {
                shown.documents.insert(at.clone());
            }
            _ => {}
        }
    }

    /// Has each secret part of a value learnt; what is left of it.
    fn learn<'v>(self, value: &'v Value, secrets: &Secrets) -> Masked<'v> {
        let shown = self.value(value);
        let parts = shown.secret.iter().filter_map(|path| path.get(value));
        parts.for_each(|part| secrets.learn(part));
        shown
    }
}

/// Learns each string of a value as public.
fn learn_public(value: &Value, secrets: &Secrets) {
    match value {
        Value::String(text) => secrets.learn_public(text),
        Value::Object(map) => map.values().for_each(|value| learn_public(value, secrets)),
        Value::Array(list) => list.iter().for_each(|value| learn_public(value, secrets)),
        _ => {}
    }
}

impl Secrets {
    /// The secrets that a plan knows.
    pub fn of(plan: &Plan) -> Self {
        let secrets = Self::default();
        secrets.learn_plan(plan);
        secrets
    }

    /// Learns the secrets of a plan, and its public values.
    pub fn learn_plan(&self, plan: &Plan) {
        let public = self.has_parts();
        if public {
            self.learn_names(plan);
        }
        for change in &plan.changes {
            self.learn_change(change, public);
        }
        for output in plan.outputs.values() {
            let paths = SecretPaths::of_output(output);
            let veil = Veil::new(&paths, None, false);
            let after = output.after.iter().map(|data| &data.value);
            let values = output.before.iter().chain(after);
            for value in values {
                veil.learn(value, self);
            }
        }
    }

    /// Learns the parts of a plan that are always public: names and types.
    fn learn_names(&self, plan: &Plan) {
        let (account, region) = (plan.account.as_deref(), plan.region.as_deref());
        let named = [Some(&*plan.stack), plan.env.as_deref(), account, region];
        let named = named.into_iter().flatten();
        named.for_each(|text| self.learn_public(text));
        for service in SERVICES {
            let (region, account) = (region.unwrap_or_default(), account.unwrap_or_default());
            self.learn_public(&format!("arn:aws:{service}:{region}:{account}:"));
        }
        for change in &plan.changes {
            self.learn_public(&change.address);
            self.learn_public(&change.type_name);
            if let Some(schema) = change.schema.0 {
                let names = schema.property_names().chain(schema.output_names());
                names.for_each(|name| self.learn_public(name));
            }
        }
    }

    /// Learns the secrets of a change, and with `public` the values that are printed.
    fn learn_change(&self, change: &Change, public: bool) {
        let schema = change.schema.0;
        let paths = SecretPaths::of_change(change);
        let veil = Veil::new(&paths, schema, false);
        for data in change.before.iter().chain(&change.after) {
            let shown = veil.learn(&data.value, self);
            if public {
                learn_public(&shown.value, self);
            }
        }
        for difference in &change.differences {
            let veil = veil.at(&difference.path);
            for value in difference.applied.iter().chain(&difference.live) {
                veil.learn(value, self);
            }
        }
        for (name, value) in &change.decided {
            if schema.is_some_and(|schema| schema.is_sensitive(name)) || paths.covers(name) {
                self.learn(value);
            }
        }
    }
}

/// The services whose names stand in ARNs.
const SERVICES: [&str; 8] = [
    "sns",
    "sqs",
    "lambda",
    "iam",
    "logs",
    "s3",
    "sts",
    "apigateway",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::Action;
    use crate::report::fixtures::{change, plan};
    use crate::secrets::tests::source;
    use serde_json::json;

    /// A part of a secret that is a name in the plan stays readable; the others do not.
    #[test]
    fn what_a_plan_says_of_itself_is_no_secret() {
        let text = "x-orders-and-payments-123456789012-ap-southeast-3-staging-main-q7";
        let secrets = source(text);
        let mut plan = plan(Vec::new());
        plan.stack = "orders-and-payments".to_owned();
        plan.region = Some("ap-southeast-3".to_owned());
        plan.env = Some("staging-main".to_owned());
        secrets.learn_plan(&plan);
        for name in [
            "orders-and-payments",
            "123456789012",
            "ap-southeast-3",
            "staging-main",
        ] {
            assert_eq!(secrets.hide(name), name);
        }
        assert_eq!(secrets.hide("g-main-q7, 2-ap-sou"), "(secret), (secret)");
    }

    /// A name that is drawn from a secret prefix, and a value that its type calls sensitive.
    #[test]
    fn what_a_plan_draws_may_be_secret() {
        let mut named = change("bucket", "aws:s3:Bucket", Action::Create);
        let mut after = Data::from(json!({"bucketPrefix": "hunter22-"}));
        after.secret.insert(Path::dotted("bucketPrefix"));
        named.after = Some(after);
        named
            .decided
            .insert("bucket".to_owned(), json!("hunter22-x9k2p"));
        let mut drawn = change("password", "random:RandomPassword", Action::Create);
        drawn.after = Some(Data::from(json!({"length": 8})));
        drawn
            .decided
            .insert("result".to_owned(), json!("Tr0ub4dor"));
        drawn.decided.insert("id".to_owned(), json!("none"));
        let secrets = Secrets::of(&plan(vec![named, drawn]));
        assert_eq!(
            secrets.hide("hunter22-x9k2p, Tr0ub4dor, none"),
            "(secret), (secret), none"
        );
    }

    fn mask(secret: &[&str], value: &Value) -> Value {
        let data = Data {
            secret: secret.iter().map(|path| Path::pointer(*path)).collect(),
            ..Data::default()
        };
        let paths = SecretPaths::of([&data]);
        let shown = Veil::new(&paths, None, false).value(value);
        shown.value.into_owned()
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

//! Three values decide every row: what was last applied, what is live, what the file wants.
//! Live values are looked at only where the file (or the last apply) has something to say,
//! so what AWS fills in by itself is never a difference.
//!
//! The keys of a secret map are secret: what differs in it is one row, of the map. In messages a
//! key is hidden too, unless the stack file says it in clear or a property is called so.

mod covers;

use super::contents::{Contents, Differs};
use super::{ChangedBy, Difference, hashes};
use crate::data::{Attributes, Data, Inputs, Path};
use crate::resource::ResourceType;
use crate::schema::Schema;
use covers::{equal, is_empty, shown};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What is compared: each value in the form in which two that mean the same are the same, and
/// what the file wants in place of what the state has only a hash of.
pub struct Compare<'a> {
    schema: &'static Schema,
    applied: Cow<'a, Value>,
    live: Cow<'a, Value>,
    desired: Cow<'a, Data>,
    /// The parts whose value is not known, a seal in its place: they have no parts themselves.
    sealed: BTreeSet<Path>,
    sensitive: &'a BTreeSet<Path>,
    replace_on: &'a [Path],
    contents: Option<Contents<'a>>,
}

impl<'a> Compare<'a> {
    /// Of one resource: what was last applied, and where that is secret; what is live; what the
    /// file declares, or none where what was applied stays.
    pub fn new(
        kind: &dyn ResourceType,
        (applied, sensitive): (&'a Inputs, &'a BTreeSet<Path>),
        live: &'a Attributes,
        desired: Option<&'a Data>,
    ) -> Self {
        let schema = kind.schema();
        let live = kind.comparable(live);
        let applied = form(kind, applied, &live);
        let (applied, desired) = match desired {
            Some(desired) => {
                let desired = match form(kind, &desired.value, &live) {
                    Cow::Borrowed(_) => Cow::Borrowed(desired),
                    Cow::Owned(value) => Cow::Owned(Data {
                        value,
                        unknown: desired.unknown.clone(),
                        secret: desired.secret.clone(),
                    }),
                };
                (hashes::filled(schema, applied, &desired.value), desired)
            }
            None => {
                let applied = hashes::filled(schema, applied, &live);
                let desired = Data {
                    value: applied.clone().into_owned(),
                    secret: sensitive.clone(),
                    ..Data::default()
                };
                (applied, Cow::Owned(desired))
            }
        };
        Self {
            schema,
            sealed: hashes::withheld_paths([&applied, &live, &desired.value]),
            applied,
            live,
            desired,
            sensitive,
            replace_on: &[],
            contents: None,
        }
    }

    /// With `options.replaceOnChanges`.
    #[must_use]
    pub fn replacing(self, replace_on: &'a [Path]) -> Self {
        Self { replace_on, ..self }
    }

    /// With what properties stand for.
    #[must_use]
    pub fn with(self, contents: Option<Contents<'a>>) -> Self {
        Self { contents, ..self }
    }

    /// The rows, and how many of the file's properties do not differ.
    pub fn differences(&self) -> (Vec<Difference>, usize) {
        let mut rows = Rows {
            compare: self,
            rows: Vec::new(),
        };
        let mut names: BTreeSet<&str> = keys(Some(&self.desired.value)).collect();
        names.extend(keys(Some(&*self.applied)));
        let has_more = rows.holds_more(&Path::root());
        let mut unchanged = 0;
        for name in names {
            let before = rows.rows.len();
            let pick = |value| member(Some(value), name);
            let (applied, live) = (pick(&*self.applied), pick(&*self.live));
            let desired = pick(&self.desired.value);
            let same =
                applied == desired && (live == desired || self.schema.has_flag(name, "writeOnly"));
            if !same || has_more {
                rows.walk(&Path::root().join(name), applied, live, desired);
            }
            if rows.rows.len() == before {
                unchanged += 1;
            }
        }
        (rows.rows, unchanged)
    }
}

/// Properties in the form in which they can be compared with the live ones.
fn form<'v>(kind: &dyn ResourceType, value: &'v Value, live: &Value) -> Cow<'v, Value> {
    match kind.comparable(value) {
        Cow::Borrowed(value) => kind.as_returned(value, live),
        Cow::Owned(value) => Cow::Owned(kind.as_returned(&value, live).into_owned()),
    }
}

struct Rows<'a, 'c> {
    compare: &'c Compare<'a>,
    rows: Vec<Difference>,
}

fn keys(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
}

fn member<'v>(value: Option<&'v Value>, name: &str) -> Option<&'v Value> {
    value.and_then(Value::as_object)?.get(name)
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !is_empty(value))
}

impl Rows<'_, '_> {
    fn walk(
        &mut self,
        path: &Path,
        applied: Option<&Value>,
        live: Option<&Value>,
        desired: Option<&Value>,
    ) {
        let schema = self.compare.schema;
        // What no read returns can only be compared with what was applied.
        let live = if schema.flag(path, "writeOnly") {
            applied
        } else {
            live
        };
        if self.compare.desired.unknown.contains_key(path) {
            return self.add(path, applied, live, ChangedBy::File);
        }
        if self.content(path, (applied, live, desired)) {
            return;
        }
        // Most values are the same everywhere, and no part of them has to be looked at.
        if applied == live && live == desired && !self.holds_more(path) {
            return;
        }
        if self.compare.sealed.contains(path) {
            return self.leaf(path, applied, live, desired);
        }
        match shape(schema, path, desired.or(applied)) {
            Shape::Struct => {
                let names: BTreeSet<&str> = keys(desired).chain(keys(applied)).collect();
                self.children(path, &names, (applied, live, desired));
            }
            Shape::Map => {
                let names: BTreeSet<&str> = keys(desired)
                    .chain(keys(applied))
                    .chain(keys(live))
                    .collect();
                let first = self.rows.len();
                self.children(path, &names, (applied, live, desired));
                if self.is_secret_as_a_whole(path) {
                    self.fold(first, path, (applied, live));
                }
            }
            Shape::Leaf => self.leaf(path, applied, live, desired),
        }
    }

    /// Whether all of a map is secret, its keys too: then no row may name one.
    fn is_secret_as_a_whole(&self, map: &Path) -> bool {
        let mut sensitive = self.compare.sensitive.iter();
        self.compare.desired.is_secret(map)
            || self.compare.schema.flag(map, "sensitive")
            || sensitive.any(|at| map.is_within(at))
    }

    /// Merges the rows of a map's keys, from the `first` one on, into one row of the map.
    fn fold(
        &mut self,
        first: usize,
        map: &Path,
        (applied, live): (Option<&Value>, Option<&Value>),
    ) {
        let rows = self.rows.split_off(first);
        let Some(one) = rows.first() else {
            return;
        };
        let by = match rows.iter().all(|row| row.by == one.by) {
            true => one.by,
            false => ChangedBy::Both,
        };
        self.add(map, applied, live, by);
        if let Some(row) = self.rows.last_mut() {
            row.replaces = rows.iter().any(|row| row.replaces);
            row.secret = true;
        }
    }

    /// Whether more counts at or below a path than its values: a part that is not known, or the
    /// content that a part stands for.
    fn holds_more(&self, path: &Path) -> bool {
        let within = |at: &Path| at.is_within(path);
        let contents = self.compare.contents.as_ref();
        self.compare.desired.unknown.keys().any(within)
            || contents.is_some_and(|contents| contents.wanted.keys().any(within))
    }

    /// Whether a key of a map goes: it is live, and the file does not name it. In a map that
    /// others may add keys to, only one that was applied does.
    fn goes(&self, map: &Path, applied: Option<&Value>, live: Option<&Value>) -> bool {
        live.is_some() && (applied.is_some() || self.compare.schema.is_whole_map(map))
    }

    fn children(
        &mut self,
        path: &Path,
        names: &BTreeSet<&str>,
        (applied, live, desired): (Option<&Value>, Option<&Value>, Option<&Value>),
    ) {
        for name in names {
            self.walk(
                &path.join(*name),
                member(applied, name),
                member(live, name),
                member(desired, name),
            );
        }
    }

    /// A property that stands for a content, which counts and not the name. `true`: nothing else
    /// is to be compared.
    fn content(
        &mut self,
        path: &Path,
        (applied, live, desired): (Option<&Value>, Option<&Value>, Option<&Value>),
    ) -> bool {
        let Some(contents) = &self.compare.contents else {
            return false;
        };
        let (Some(was), Some(named)) = (applied, contents.wanted.get(path)) else {
            return false;
        };
        let same_path = Some(was) == desired;
        let is_file = self.compare.schema.flag(path, "localFile");
        if !is_file && !same_path {
            return false;
        }
        let found = contents.difference(path, same_path).flatten();
        let Some(Differs { by_file, outside }) = found else {
            return true;
        };
        let by = match (by_file, outside) {
            (true, true) => ChangedBy::Both,
            (false, true) => ChangedBy::Outside,
            _ => ChangedBy::File,
        };
        self.add(path, applied, live, by);
        if let Some(row) = self.rows.last_mut() {
            row.content = Some(named.label.clone());
        }
        true
    }

    fn leaf(
        &mut self,
        path: &Path,
        applied: Option<&Value>,
        live: Option<&Value>,
        desired: Option<&Value>,
    ) {
        let unknown = self.compare.desired.unknown.keys();
        let unknown_inside = unknown.filter(|at| at.is_within(path)).count() > 0;
        let map = path.parent().filter(|map| self.compare.schema.is_map(map));
        let differs = unknown_inside
            || match (&map, present(desired)) {
                // Under a key of a map the empty string is a value like any other.
                (Some(map), None) if desired.is_none() => self.goes(map, applied, live),
                (Some(_), None) => !self.same(path, live, desired),
                (None, None) => present(applied).is_some() && !self.is_default(path, live),
                (_, Some(_)) => !self.same(path, live, desired),
            };
        if !differs {
            return;
        }
        let by_file = !self.same(path, applied, desired);
        let outside = !self.same(path, live, applied);
        let others = map.is_some() && applied.is_none() && desired.is_none();
        let by = match (by_file, outside || others) {
            (true, true) if present(applied).is_some() => ChangedBy::Both,
            (false, true) => ChangedBy::Outside,
            _ => ChangedBy::File,
        };
        self.add(path, applied, live, by);
    }

    fn is_default(&self, path: &Path, live: Option<&Value>) -> bool {
        let default = self
            .compare
            .schema
            .at(path)
            .and_then(|schema| schema.get("default"));
        present(live).is_none() || default.is_some_and(|default| live == Some(default))
    }

    /// Whether `has` is as `wanted` says. An absent side counts as the schema's default.
    fn same(&self, path: &Path, has: Option<&Value>, wanted: Option<&Value>) -> bool {
        let default = self
            .compare
            .schema
            .at(path)
            .and_then(|schema| schema.get("default"));
        let has = present(has).or(default);
        let wanted = present(wanted).or(default);
        match (has, wanted) {
            (None, None) => true,
            (Some(has), Some(wanted)) => equal(self.compare.schema, path, has, wanted),
            (Some(only), None) | (None, Some(only)) => is_empty(only),
        }
    }

    fn add(&mut self, path: &Path, applied: Option<&Value>, live: Option<&Value>, by: ChangedBy) {
        let Compare {
            schema,
            desired,
            replace_on,
            ..
        } = self.compare;
        let in_map = path.parent().is_some_and(|map| schema.is_map(&map));
        let given = |value: &Value| in_map || !is_empty(value);
        let secret = desired.is_secret(path)
            || desired.secret.iter().any(|at| at.is_within(path))
            || schema.flag(path, "sensitive")
            || self
                .compare
                .sensitive
                .iter()
                .any(|at| at.is_within(path) || path.is_within(at))
            || self.compare.sealed.iter().any(|at| at.is_within(path));
        let wanted = desired
            .get(path)
            .filter(|data| !data.is_known() || given(&data.value));
        let named = wanted.as_ref().map(|data| &data.value).into_iter();
        let named: Vec<&Value> = named.chain(applied).collect();
        self.rows.push(Difference {
            path: path.clone(),
            applied: applied.filter(|value| given(value)).cloned(),
            live: live
                .filter(|value| given(value))
                .map(|value| shown(schema, path, value, &named)),
            desired: wanted,
            by,
            replaces: schema.flag(path, "createOnly")
                || stays(schema, path, desired)
                || replace_on
                    .iter()
                    .any(|at| path.is_within(at) || at.is_within(path)),
            secret,
            content: None,
        });
    }
}

/// Whether the file leaves a property out that cannot be unset.
pub(super) fn stays(schema: &Schema, path: &Path, desired: &Data) -> bool {
    let absent = |data: &Data| data.is_known() && is_empty(&data.value);
    let out = desired.get(path).is_none_or(|data| absent(&data));
    let other = schema.keyword(path, "staysUnless").filter(|_| out);
    other.is_some_and(|other| desired.value.get(other) != Some(&Value::Bool(true)))
}

pub(super) enum Shape {
    Struct,
    Map,
    Leaf,
}

pub(super) fn shape(schema: &Schema, path: &Path, value: Option<&Value>) -> Shape {
    let Some(declared) = schema.at(path) else {
        return Shape::Leaf;
    };
    if declared.get("document").is_some() || !value.is_none_or(Value::is_object) {
        return Shape::Leaf;
    }
    let has = |key: &str| declared.get(key).is_some_and(Value::is_object);
    if has("properties") {
        Shape::Struct
    } else if schema.is_map(path) {
        Shape::Map
    } else {
        Shape::Leaf
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::table::native;
    use serde_json::json;

    #[test]
    fn what_the_state_has_only_a_hash_of_is_compared_by_what_is_live() {
        let kind = native().resource("aws:sqs:Queue").unwrap();
        let applied = Inputs::new(json!({"name": "a", "delaySeconds": {"$sealed": "00"}}));
        let live = Attributes::new(json!({"name": "a", "delaySeconds": 5}));
        let none = BTreeSet::new();
        let differs = |wanted: Option<u32>| {
            let wanted =
                wanted.map(|delay| Data::from(json!({"name": "a", "delaySeconds": delay})));
            let compare = Compare::new(kind, (&applied, &none), &live, wanted.as_ref());
            let (rows, unchanged) = compare.differences();
            let rows: Vec<String> = rows.iter().map(|row| row.path.to_string()).collect();
            (rows, unchanged)
        };
        assert_eq!(differs(Some(5)), (Vec::new(), 2));
        assert_eq!(differs(Some(6)), (vec!["delaySeconds".to_owned()], 1));
        // Whether it still is as it was applied is unknown.
        assert_eq!(differs(None), (Vec::new(), 2));
    }
}

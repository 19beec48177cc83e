//! Three values decide every row: what was last applied, what is live, what the file wants.
//! Live values are looked at only where the file (or the last apply) has something to say,
//! so what AWS fills in by itself is never a difference.
//!
//! The keys of a secret map are secret: what differs in it is one row, of the map. In messages a
//! key is hidden too, unless the stack file says it in clear or a property is called so.

use super::contents::{Contents, Differs};
use super::{ChangedBy, Difference};
use crate::data::{Data, Path};
use crate::resource::ResourceType;
use crate::resource::aws::policy;
use crate::schema::Schema;
use crate::schema::document;
use crate::store::seal::{holds_sealed, is_sealed};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What is compared.
pub struct Compare<'a> {
    /// The type.
    pub schema: &'static Schema,
    /// What was last applied, in comparable form.
    pub applied: &'a Value,
    /// What is live, in comparable form.
    pub live: &'a Value,
    /// What the file wants, in comparable form.
    pub desired: &'a Data,
    /// Where what was applied is secret.
    pub sensitive: &'a BTreeSet<Path>,
    /// `options.replaceOnChanges`.
    pub replace_on: &'a [Path],
    /// What properties stand for.
    pub contents: Option<Contents<'a>>,
}

/// What the file wants, in comparable form.
pub(crate) fn comparable<'d>(kind: &dyn ResourceType, desired: &'d Data) -> Cow<'d, Data> {
    match kind.comparable(&desired.value) {
        Cow::Borrowed(_) => Cow::Borrowed(desired),
        Cow::Owned(value) => Cow::Owned(Data {
            value,
            unknown: desired.unknown.clone(),
            secret: desired.secret.clone(),
        }),
    }
}

/// The rows, and how many of the file's properties do not differ.
pub fn differences(compare: &Compare<'_>) -> (Vec<Difference>, usize) {
    let mut rows = Rows {
        compare,
        found: Vec::new(),
    };
    let mut names: BTreeSet<&str> = keys(Some(&compare.desired.value)).collect();
    names.extend(keys(Some(compare.applied)));
    let mut unchanged = 0;
    for name in names {
        let before = rows.found.len();
        let pick = |value| Value::as_object(value).and_then(|map| map.get(name));
        let (applied, live) = (pick(compare.applied), pick(compare.live));
        let path = Path::root().join(name);
        rows.walk(&path, applied, live, pick(&compare.desired.value));
        if rows.found.len() == before {
            unchanged += 1;
        }
    }
    (rows.found, unchanged)
}

struct Rows<'a, 'c> {
    compare: &'c Compare<'a>,
    found: Vec<Difference>,
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

/// Null, the empty text, list and object all mean "not given".
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
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
        if [applied, live, desired]
            .into_iter()
            .flatten()
            .any(is_sealed)
        {
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
                let first = self.found.len();
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

    /// Makes one row, of the map, of the rows of its keys from the `first` one on.
    fn fold(
        &mut self,
        first: usize,
        map: &Path,
        (applied, live): (Option<&Value>, Option<&Value>),
    ) {
        let rows = self.found.split_off(first);
        let Some(one) = rows.first() else {
            return;
        };
        let by = match rows.iter().all(|row| row.by == one.by) {
            true => one.by,
            false => ChangedBy::Both,
        };
        self.add(map, applied, live, by);
        if let Some(row) = self.found.last_mut() {
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
        if let Some(row) = self.found.last_mut() {
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
            (Some(has), Some(wanted)) => self.equal(path, has, wanted),
            (Some(only), None) | (None, Some(only)) => is_empty(only),
        }
    }

    fn equal(&self, path: &Path, has: &Value, wanted: &Value) -> bool {
        let schema = self.compare.schema;
        let document = match schema.keyword(path, "document") {
            Some("policy") => Some((policy::canonical(has), policy::canonical(wanted))),
            Some(_) => Some((parsed(has), parsed(wanted))),
            None => None,
        };
        if let Some((has, wanted)) = document {
            return has == wanted;
        }
        let covers = Covers {
            schema,
            ignore_case: schema.flag(path, "ignoreCase"),
        };
        match (has, wanted) {
            (Value::Array(has), Value::Array(wanted)) => {
                let at = &path.join(0);
                let has = &items(schema, path, has);
                let wanted = &items(schema, path, wanted);
                has.len() == wanted.len()
                    && if schema.flag(path, "set") {
                        let mut left: Vec<&Value> = has.iter().collect();
                        wanted.iter().all(|wanted| {
                            let at = left.iter().position(|has| covers.at(at, has, wanted));
                            at.map(|at| left.swap_remove(at)).is_some()
                        })
                    } else {
                        has.iter()
                            .zip(wanted)
                            .all(|(has, wanted)| covers.at(at, has, wanted))
                    }
            }
            _ => covers.at(path, has, wanted),
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
            || applied.is_some_and(holds_sealed);
        self.found.push(Difference {
            path: path.clone(),
            applied: applied.filter(|value| given(value)).cloned(),
            live: live.filter(|value| given(value)).cloned(),
            desired: desired
                .get(path)
                .filter(|data| !data.is_known() || given(&data.value)),
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

/// The items of a list, with the documents inside them brought into comparable form.
fn items(schema: &Schema, path: &Path, list: &[Value]) -> Vec<Value> {
    let items = list.iter().enumerate();
    items
        .map(|(index, item)| self::item(schema, &path.join(index), item))
        .collect()
}

fn item(schema: &Schema, path: &Path, value: &Value) -> Value {
    match (schema.keyword(path, "document"), value) {
        (Some("policy"), _) => policy::canonical(value),
        (Some(_), _) => parsed(value),
        (None, Value::Object(map)) => {
            let member = |(key, value): (&String, &Value)| {
                (key.clone(), item(schema, &path.join(key), value))
            };
            map.iter().map(member).collect()
        }
        (None, Value::Array(list)) => Value::Array(items(schema, path, list)),
        (None, other) => other.clone(),
    }
}

fn parsed(value: &Value) -> Value {
    document::comparable(match value {
        Value::String(text) => document::parse(text),
        other => other.clone(),
    })
}

/// How two values are compared that are no property each.
struct Covers {
    schema: &'static Schema,
    ignore_case: bool,
}

impl Covers {
    /// Whether `has`, the value at `path`, agrees with `wanted` wherever `wanted` says something:
    /// in a list of objects the service may have filled in members of its own. In a map that is
    /// the file's it has no other keys.
    fn at(&self, path: &Path, has: &Value, wanted: &Value) -> bool {
        match (has, wanted) {
            (Value::Object(has), Value::Object(wanted)) => {
                let more = |key: &String| !wanted.contains_key(key);
                !(self.is_whole(path) && has.keys().any(more))
                    && wanted.iter().all(|(key, wanted)| {
                        has.get(key).map_or_else(
                            || is_empty(wanted),
                            |has| self.at(&path.join(key), has, wanted),
                        )
                    })
            }
            (Value::Array(has), Value::Array(wanted)) => {
                let path = path.join(0);
                has.len() == wanted.len()
                    && has
                        .iter()
                        .zip(wanted)
                        .all(|(has, wanted)| self.at(&path, has, wanted))
            }
            (Value::Number(has), Value::Number(wanted)) => {
                has == wanted || has.as_f64() == wanted.as_f64()
            }
            (Value::String(has), Value::String(wanted)) if self.ignore_case => {
                has.eq_ignore_ascii_case(wanted)
            }
            _ => has == wanted,
        }
    }

    /// Whether the object at `path` is a map that is the file's, or lies in a value of one of
    /// which the schema says nothing.
    fn is_whole(&self, path: &Path) -> bool {
        if self.schema.is_map(path) {
            return !self.schema.keeps_others(path);
        }
        let mut holders = std::iter::successors(path.parent(), Path::parent);
        self.schema.at(path).is_none() && holders.any(|holder| self.schema.is_whole_map(&holder))
    }
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

//! Whether two values that are given mean the same.

use crate::data::Path;
use crate::resource::aws::policy;
use crate::schema::{Schema, document};
use serde_json::Value;

/// Whether the live or applied value of a property is as the file says.
pub(super) fn equal(schema: &'static Schema, path: &Path, has: &Value, wanted: &Value) -> bool {
    if schema.keyword(path, "document").is_some() {
        return item(schema, path, has) == item(schema, path, wanted);
    }
    let covers = Covers { schema };
    let (Value::Array(has), Value::Array(wanted)) = (has, wanted) else {
        return covers.at(path, has, wanted);
    };
    covers.list(
        path,
        &items(schema, path, has),
        &items(schema, path, wanted),
    )
}

/// A live list as a plan shows it: without what the service filled into its items, which neither
/// the file nor the last apply names, and a set in the order in which the first of `named` has it.
pub(super) fn shown(schema: &'static Schema, path: &Path, live: &Value, named: &[&Value]) -> Value {
    match live.is_array() && schema.keyword(path, "document").is_none() {
        true => Covers { schema }.shown(path, live, named),
        false => live.clone(),
    }
}

/// Null, the empty string, list and object all mean "not given".
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
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
            (Value::Array(has), Value::Array(wanted)) => self.list(path, has, wanted),
            (Value::Number(has), Value::Number(wanted)) => {
                has == wanted || has.as_f64() == wanted.as_f64()
            }
            (Value::String(has), Value::String(wanted)) => {
                has == wanted
                    || has.eq_ignore_ascii_case(wanted) && self.schema.flag(path, "ignoreCase")
            }
            _ => has == wanted,
        }
    }

    /// The same of lists: item by item, of a set in any order. Equal items of a set belong
    /// together before those that the service has filled in.
    fn list(&self, path: &Path, has: &[Value], wanted: &[Value]) -> bool {
        if has.len() != wanted.len() {
            return false;
        }
        let at = &path.join(0);
        if !self.is_set(path) {
            let mut pairs = has.iter().zip(wanted);
            return pairs.all(|(has, wanted)| self.at(at, has, wanted));
        }
        let pairs = self.pairs(at, has, wanted);
        pairs.iter().all(Option::is_some)
    }

    /// For each item that is wanted the place of the one that is it, in any order. Equal items
    /// belong together before those that the service has filled in.
    fn pairs(&self, at: &Path, has: &[Value], wanted: &[Value]) -> Vec<Option<usize>> {
        let mut free = vec![true; has.len()];
        let mut take = |fits: &dyn Fn(&Value) -> bool| {
            let found = (0..has.len()).find(|place| free[*place] && fits(&has[*place]))?;
            free[found] = false;
            Some(found)
        };
        let mut pairs: Vec<_> = wanted.iter().map(|item| take(&|has| has == item)).collect();
        for (pair, wanted) in pairs.iter_mut().zip(wanted) {
            *pair = pair.or_else(|| take(&|has| self.at(at, has, wanted)));
        }
        pairs
    }

    /// See [`shown`].
    fn shown(&self, path: &Path, live: &Value, named: &[&Value]) -> Value {
        match live {
            Value::Array(items) => self.shown_items(&path.join(0), items, named, self.is_set(path)),
            Value::Object(members) if !named.is_empty() && !self.is_whole(path) => {
                let kept = members.iter().filter_map(|(key, value)| {
                    let named: Vec<&Value> = named.iter().filter_map(|by| by.get(key)).collect();
                    let keep = || self.shown(&path.join(key.as_str()), value, &named);
                    (!named.is_empty()).then(|| (key.clone(), keep()))
                });
                Value::Object(kept.collect())
            }
            _ => live.clone(),
        }
    }

    fn shown_items(&self, at: &Path, items: &[Value], named: &[&Value], is_set: bool) -> Value {
        let lists = named.iter().filter_map(|by| by.as_array());
        // For each list, which of its items each live one is. What is left is paired in order.
        let partners: Vec<(&Vec<Value>, Vec<Option<usize>>)> = lists
            .map(|list| {
                let mut of = vec![None; items.len()];
                let mut others = Vec::new();
                for (place, pair) in self.pairs(at, items, list).into_iter().enumerate() {
                    match pair {
                        Some(item) => of[item] = Some(place),
                        None => others.push(place),
                    }
                }
                let unpaired = of.iter_mut().filter(|partner| partner.is_none());
                for (partner, other) in unpaired.zip(others) {
                    *partner = Some(other);
                }
                (list, of)
            })
            .collect();
        let mut shown: Vec<(usize, Value)> = Vec::new();
        for (item, live) in items.iter().enumerate() {
            let of = partners.iter();
            let named: Vec<&Value> = of.filter_map(|(list, of)| Some(&list[of[item]?])).collect();
            let value = match named.first() {
                Some(wanted) if self.at(at, live, wanted) => (*wanted).clone(),
                _ => self.shown(at, live, &named),
            };
            let place = partners.first().and_then(|(_, of)| of[item]);
            shown.push((place.filter(|_| is_set).unwrap_or(usize::MAX), value));
        }
        shown.sort_by_key(|(place, _)| *place);
        Value::Array(shown.into_iter().map(|(_, value)| value).collect())
    }

    fn is_set(&self, path: &Path) -> bool {
        let declared = self.schema.has_keyword("set").then(|| self.schema.at(path));
        declared.flatten().and_then(|schema| schema.get("set")) == Some(&Value::Bool(true))
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

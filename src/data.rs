//! Values as a stack knows them: plain JSON, with what is not known yet and what must
//! not be shown kept beside it as sets of paths.

mod properties;

pub use properties::{Attributes, Inputs};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::{Borrow, Cow};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;

/// A step of a [`Path`]: an object key or an array index. Paths are joined for every value
/// of a stack, so a key is copied once and nothing is formatted.
pub trait Segment {
    /// Appends the step to a pointer, escaped.
    fn push_onto(&self, pointer: &mut String);
}

impl Segment for str {
    fn push_onto(&self, pointer: &mut String) {
        if memchr::memchr2(b'~', b'/', self.as_bytes()).is_none() {
            pointer.push_str(self);
            return;
        }
        for c in self.chars() {
            match c {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                c => pointer.push(c),
            }
        }
    }
}

impl Segment for String {
    fn push_onto(&self, pointer: &mut String) {
        self.as_str().push_onto(pointer);
    }
}

impl Segment for Cow<'_, str> {
    fn push_onto(&self, pointer: &mut String) {
        self.as_ref().push_onto(pointer);
    }
}

impl Segment for usize {
    fn push_onto(&self, pointer: &mut String) {
        pointer.push_str(&self.to_string());
    }
}

impl<S: Segment + ?Sized> Segment for &S {
    fn push_onto(&self, pointer: &mut String) {
        (*self).push_onto(pointer);
    }
}

/// A place inside a JSON value, kept as a JSON pointer (`/policy/Statement/0`); the root is the
/// empty string. Displayed the way people write it: `policy.Statement[0]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(String);

impl Path {
    /// The whole value.
    pub fn root() -> Self {
        Self::default()
    }

    /// A path from a JSON pointer such as `/tags/Name`.
    pub fn pointer(pointer: impl Into<String>) -> Self {
        Self(pointer.into())
    }

    /// A path from the dotted form people write in options: `tags.Name`, `list[0].x`.
    pub fn dotted(text: &str) -> Self {
        let mut path = Self::root();
        for part in text.split(['.', '[']) {
            let part = part.trim_end_matches(']').trim_matches('"');
            if !part.is_empty() {
                path = path.join(part);
            }
        }
        path
    }

    /// This path with one more segment, an object key or an array index.
    #[must_use]
    pub fn join(&self, segment: impl Segment) -> Self {
        let mut text = String::with_capacity(self.0.len() + 24);
        text.push_str(&self.0);
        text.push('/');
        segment.push_onto(&mut text);
        Self(text)
    }

    /// This path followed by another one.
    #[must_use]
    pub fn concat(&self, tail: &Path) -> Self {
        Self(format!("{}{}", self.0, tail.0))
    }

    /// The JSON pointer as a string.
    pub fn as_pointer(&self) -> &str {
        &self.0
    }

    /// Whether this is the whole value.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The segments, unescaped, outermost first.
    pub fn segments(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.split('/').skip(1).map(|part| {
            if part.contains('~') {
                Cow::Owned(part.replace("~1", "/").replace("~0", "~"))
            } else {
                Cow::Borrowed(part)
            }
        })
    }

    /// The outermost segment: for a property path, the property's name.
    pub fn first(&self) -> Option<Cow<'_, str>> {
        self.segments().next()
    }

    /// The outermost segments of these paths: the names of the properties that they are in.
    pub fn firsts<'p>(paths: impl IntoIterator<Item = &'p Self>) -> BTreeSet<String> {
        let paths = paths.into_iter();
        paths
            .filter_map(|path| Some(path.first()?.into_owned()))
            .collect()
    }

    /// The innermost segment.
    pub fn last(&self) -> Option<Cow<'_, str>> {
        self.segments().last()
    }

    /// The path without its innermost segment.
    pub fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|at| Self(self.0[..at].to_owned()))
    }

    /// Whether this path is `base` or lies below it.
    pub fn is_within(&self, base: &Path) -> bool {
        self.0
            .strip_prefix(base.0.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// This path's pointer and those of all that hold it, outermost first.
    fn holders(&self) -> impl Iterator<Item = &str> {
        std::iter::once("").chain(
            self.0
                .char_indices()
                .skip(1)
                .filter(|(_, c)| *c == '/')
                .map(|(at, _)| at)
                .chain((!self.0.is_empty()).then_some(self.0.len()))
                .map(|end| &self.0[..end]),
        )
    }

    /// The bounds, in pointer order, of everything strictly below this path.
    fn bounds_below(&self) -> (String, String) {
        // '0' is the character that follows '/'.
        (format!("{}/", self.0), format!("{}0", self.0))
    }

    /// The rest of this path below `base`, where it is `base` or lies below it.
    pub fn below(&self, base: &Path) -> Option<Self> {
        self.is_within(base)
            .then(|| Self(self.0[base.0.len()..].to_owned()))
    }

    /// What stands at this path in `value`.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.segments().try_fold(value, |at, segment| match at {
            Value::Object(map) => map.get(segment.as_ref()),
            Value::Array(list) => list.get(segment.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Puts `new` at this path, creating JSON objects on the way where no value exists yet. An
    /// array is extended by one element at most; any other misfit is ignored.
    pub fn set(&self, value: &mut Value, new: Value) {
        let mut at = value;
        for segment in self.segments() {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            at = match at {
                Value::Object(map) => map.entry(segment.into_owned()).or_insert(Value::Null),
                Value::Array(list) => {
                    let Ok(index) = segment.parse::<usize>() else {
                        return;
                    };
                    if index == list.len() {
                        list.push(Value::Null);
                    }
                    let Some(item) = list.get_mut(index) else {
                        return;
                    };
                    item
                }
                _ => return,
            };
        }
        *at = new;
    }

    /// Takes what stands at this path out of `value` (array elements become null).
    pub fn remove(&self, value: &mut Value) {
        let (Some(parent), Some(last)) = (self.parent(), self.last()) else {
            return;
        };
        match value.pointer_mut(&parent.0) {
            Some(Value::Object(map)) => {
                map.remove(last.as_ref());
            }
            Some(Value::Array(list)) => {
                if let Some(item) = last.parse::<usize>().ok().and_then(|at| list.get_mut(at)) {
                    *item = Value::Null;
                }
            }
            _ => {}
        }
    }
}

fn span_below(bounds: &(String, String)) -> (Bound<&str>, Bound<&str>) {
    (
        Bound::Included(bounds.0.as_str()),
        Bound::Excluded(bounds.1.as_str()),
    )
}

/// The order of paths is that of their pointers.
impl Borrow<str> for Path {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for segment in self.segments() {
            let plain = !segment.is_empty()
                && segment
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
            if segment.bytes().all(|b| b.is_ascii_digit()) && !segment.is_empty() && !first {
                write!(f, "[{segment}]")?;
            } else if plain {
                write!(f, "{}{segment}", if first { "" } else { "." })?;
            } else {
                write!(f, "[{segment:?}]")?;
            }
            first = false;
        }
        Ok(())
    }
}

/// A JSON value of which parts may be unknown until something is applied, and parts may be secret.
/// At an unknown path `value` holds null, and the map gives the expression (as written in the stack
/// file, such as `${queue.arn}`) that it will come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// What is known; null where `unknown` has the path.
    pub value: Value,
    /// The paths not known yet, each with the expression it comes from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<Path, String>,
    /// The paths whose value must never be shown.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secret: BTreeSet<Path>,
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }
}

impl Data {
    /// A value that is wholly unknown and comes from `expression`.
    pub fn unknown(expression: impl Into<String>) -> Self {
        Self {
            unknown: BTreeMap::from([(Path::root(), expression.into())]),
            ..Self::default()
        }
    }

    /// Whether every part is known.
    pub fn is_known(&self) -> bool {
        self.unknown.is_empty()
    }

    /// The expression behind `path` where it, or what holds it, is unknown.
    pub fn unknown_at(&self, path: &Path) -> Option<&str> {
        if self.unknown.is_empty() {
            return None;
        }
        path.holders()
            .find_map(|at| self.unknown.get(at))
            .map(String::as_str)
    }

    /// Whether `path`, or what holds it, is secret.
    pub fn is_secret(&self, path: &Path) -> bool {
        !self.secret.is_empty() && path.holders().any(|at| self.secret.contains(at))
    }

    /// What stands at `path`, with the unknown and secret paths below it; none where
    /// there is nothing. A path inside an unknown or secret part is itself unknown or secret.
    pub fn get(&self, path: &Path) -> Option<Data> {
        if let Some(expression) = self.unknown_at(path) {
            let mut data = Data::unknown(expression);
            if self.is_secret(path) {
                data.secret.insert(Path::root());
            }
            return Some(data);
        }
        let value = path.get(&self.value)?.clone();
        let mut data = Data::from(value);
        if self.is_known() && self.secret.is_empty() {
            return Some(data);
        }
        let below = path.bounds_below();
        data.unknown = self
            .unknown
            .range::<str, _>(span_below(&below))
            .filter_map(|(at, expression)| Some((at.below(path)?, expression.clone())))
            .collect();
        data.secret = self
            .secret
            .range::<str, _>(span_below(&below))
            .filter_map(|at| at.below(path))
            .collect();
        if self.is_secret(path) {
            data.secret.insert(Path::root());
        }
        Some(data)
    }

    /// The paths at and below `path` that are unknown, with their expression, or secret.
    pub fn noted_below(&self, path: &Path) -> impl Iterator<Item = (&Path, Option<&str>)> {
        let unknown: Vec<_> = match self.unknown.is_empty() {
            true => Vec::new(),
            false => {
                let below = path.bounds_below();
                let at = self.unknown.get_key_value(path).into_iter();
                at.chain(self.unknown.range::<str, _>(span_below(&below)))
                    .map(|(path, text)| (path, Some(text.as_str())))
                    .collect()
            }
        };
        let secret: Vec<_> = match self.secret.is_empty() {
            true => Vec::new(),
            false => {
                let below = path.bounds_below();
                let below = self.secret.range::<str, _>(span_below(&below));
                below.map(|path| (path, None)).collect()
            }
        };
        unknown.into_iter().chain(secret)
    }

    /// Puts `data` at `path`, with its unknown and secret paths, in place of the previous value.
    pub fn set(&mut self, path: &Path, data: Data) {
        self.forget(path);
        path.set(&mut self.value, data.value);
        self.unknown.extend(
            data.unknown
                .into_iter()
                .map(|(at, text)| (path.concat(&at), text)),
        );
        self.secret
            .extend(data.secret.into_iter().map(|at| path.concat(&at)));
    }

    /// Takes what stands at `path` out, with its unknown and secret paths.
    pub fn remove(&mut self, path: &Path) {
        self.forget(path);
        path.remove(&mut self.value);
    }

    /// Drops what is noted of `path` and of what lies below it. Ranges, not scans: a map of
    /// thousands of instances is built one entry after the other.
    fn forget(&mut self, path: &Path) {
        if !self.unknown.is_empty() {
            self.unknown.remove(path);
            let below: Vec<Path> = self
                .unknown
                .range::<str, _>(span_below(&path.bounds_below()))
                .map(|(at, _)| at.clone())
                .collect();
            for at in below {
                self.unknown.remove(&at);
            }
        }
        if !self.secret.is_empty() {
            self.secret.remove(path);
            let below: Vec<Path> = self
                .secret
                .range::<str, _>(span_below(&path.bounds_below()))
                .cloned()
                .collect();
            for at in below {
                self.secret.remove(&at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_reads_like_people_write_it() {
        let path = Path::root()
            .join("policy")
            .join("Statement")
            .join(0)
            .join("a/b");
        assert_eq!(path.as_pointer(), "/policy/Statement/0/a~1b");
        assert_eq!(path.to_string(), "policy.Statement[0][\"a/b\"]");
        assert_eq!(
            Path::dotted("policy.Statement[0]").as_pointer(),
            "/policy/Statement/0"
        );
    }

    #[test]
    fn a_part_of_an_unknown_value_is_unknown() {
        let mut data = Data::from(json!({"a": {"b": 1}}));
        data.set(&Path::pointer("/a/c"), Data::unknown("${x.y}"));
        assert_eq!(data.unknown_at(&Path::pointer("/a/c/d")), Some("${x.y}"));
        let part = data.get(&Path::pointer("/a")).unwrap_or_default();
        assert_eq!(part.value, json!({"b": 1, "c": null}));
        assert!(part.unknown.contains_key(&Path::pointer("/c")));
        data.remove(&Path::pointer("/a"));
        assert!(data.is_known());
    }

    #[test]
    fn neighbours_in_pointer_order_are_not_parts() {
        let mut data = Data::from(json!({"a": {"x": 1}, "a-b": 2, "ab": 3}));
        for path in ["/a/x", "/a-b", "/ab"] {
            data.set(&Path::pointer(path), Data::unknown(path));
            data.secret.insert(Path::pointer(path));
        }
        let part = data.get(&Path::pointer("/a")).unwrap_or_default();
        assert_eq!(part.unknown.len(), 1);
        assert_eq!(part.secret.len(), 1);
        data.set(&Path::pointer("/a"), json!(1).into());
        assert_eq!(data.unknown.len(), 2);
        assert_eq!(data.secret.len(), 2);
        assert_eq!(data.unknown_at(&Path::pointer("/ab/c")), Some("/ab"));
        assert_eq!(data.unknown_at(&Path::pointer("/abc")), None);
    }

    #[test]
    fn the_parts_of_a_path() {
        let path = Path::root().join("a/b~c").join(0).join("x");
        assert_eq!(path.as_pointer(), "/a~1b~0c/0/x");
        assert_eq!(path.segments().collect::<Vec<_>>(), ["a/b~c", "0", "x"]);
        assert_eq!(path.first().as_deref(), Some("a/b~c"));
        assert_eq!(path.last().as_deref(), Some("x"));
        assert_eq!(path.parent(), Some(Path::pointer("/a~1b~0c/0")));
        assert_eq!((Path::root().parent(), Path::root().last()), (None, None));
        assert!(Path::root().is_root() && !path.is_root());
        let base = Path::pointer("/a");
        assert!(base.is_within(&base) && Path::pointer("/a/b").is_within(&base));
        assert!(!Path::pointer("/ab").is_within(&base));
        assert_eq!(
            Path::pointer("/a/b/c").below(&base),
            Some(Path::pointer("/b/c"))
        );
        assert_eq!(Path::pointer("/b").below(&base), None);
        assert_eq!(base.concat(&Path::pointer("/b")), Path::pointer("/a/b"));
        let shown = [
            ("/0/1/x", "0[1].x"),
            ("/a/", "a[\"\"]"),
            ("/a-b_$/é", "a-b_$.é"),
            ("/a b/c.d", "[\"a b\"][\"c.d\"]"),
            ("", ""),
        ];
        for (pointer, text) in shown {
            assert_eq!(Path::pointer(pointer).to_string(), text);
        }
        assert_eq!(Path::dotted("a[\"b\"].c").as_pointer(), "/a/b/c");
    }

    #[test]
    fn values_are_inserted_and_removed() {
        let mut value = json!({"list": [1], "map": {}, "text": "t"});
        for (path, new) in [
            ("/list/0", json!(2)),
            ("/list/1/deep", json!(3)),
            ("/list/9", json!(4)),
            ("/list/x", json!(5)),
            ("/map/a/b", json!(6)),
            ("/text/a", json!(7)),
        ] {
            Path::pointer(path).set(&mut value, new);
        }
        assert_eq!(
            value,
            json!({"list": [2, {"deep": 3}], "map": {"a": {"b": 6}}, "text": "t"})
        );
        let get = |path: &str| Path::pointer(path).get(&value);
        assert_eq!(get("/list/1/deep"), Some(&json!(3)));
        assert_eq!(
            (get("/list/2"), get("/list/x"), get("/text/a")),
            (None, None, None)
        );
        assert_eq!(get(""), Some(&value));
        let mut value = value.clone();
        for path in ["/list/0", "/list/9", "/map/a", "/none/a", "/text/a", ""] {
            Path::pointer(path).remove(&mut value);
        }
        assert_eq!(
            value,
            json!({"list": [null, {"deep": 3}], "map": {}, "text": "t"})
        );
    }

    #[test]
    fn what_is_noted_goes_along_and_goes_with_the_value() {
        let mut part = Data::from(json!({"x": null, "y": 1}));
        part.unknown
            .insert(Path::pointer("/x"), "${q.arn}".to_owned());
        part.secret.insert(Path::pointer("/y"));
        let mut data = Data::from(json!({"b": 2}));
        data.secret.insert(Path::pointer("/b"));
        data.set(&Path::pointer("/a"), part.clone());
        assert_eq!(data.value, json!({"a": {"x": null, "y": 1}, "b": 2}));
        assert_eq!(data.get(&Path::pointer("/a")), Some(part));
        assert_eq!(data.get(&Path::pointer("/none")), None);
        let secret = |path: &str| data.is_secret(&Path::pointer(path));
        assert!(secret("/a/y") && secret("/b/c") && !secret("/a") && !secret("/a/x"));
        // A part of what is unknown and secret is both.
        let mut whole = Data::unknown("${p}");
        whole.secret.insert(Path::root());
        assert_eq!(whole.get(&Path::pointer("/x")), Some(whole.clone()));
        let of_b = data.get(&Path::pointer("/b")).unwrap_or_default();
        assert_eq!(of_b.secret, BTreeSet::from([Path::root()]));
        let noted = |path: &str| -> Vec<(String, Option<String>)> {
            let noted = Path::pointer(path);
            let noted = data.noted_below(&noted);
            noted
                .map(|(path, text)| (path.to_string(), text.map(str::to_owned)))
                .collect()
        };
        let x = ("a.x".to_owned(), Some("${q.arn}".to_owned()));
        let y = ("a.y".to_owned(), None);
        assert_eq!(noted("/a"), [x.clone(), y.clone()]);
        assert_eq!(noted("/a/x"), std::slice::from_ref(&x));
        assert_eq!(noted(""), [x, y, ("b".to_owned(), None)]);
        // Put in place or taken out, nothing of what was noted stays.
        let mut replaced = data.clone();
        replaced.set(&Path::pointer("/a/x"), json!(1).into());
        replaced.set(&Path::pointer("/a/y"), json!(1).into());
        assert!(replaced.is_known() && !replaced.is_secret(&Path::pointer("/a/y")));
        data.remove(&Path::pointer("/a"));
        assert!(data.is_known());
        assert_eq!(data.secret, BTreeSet::from([Path::pointer("/b")]));
        assert_eq!(data.value, json!({"b": 2}));
    }
}

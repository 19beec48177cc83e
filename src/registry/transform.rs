//! `propertyTransform`: how the service writes a value that was given to it.
//!
//! The schemas say it in JSONata. What is read here of that language is what most of them use:
//!
//! | form | value |
//! |---|---|
//! | `"text"`, `'text'` | itself |
//! | `Name`, `Holder.Name` | the given value, where it is the property's own name; no other property |
//! | `a & b` | both, one after the other |
//! | `$lowercase(a)`, `$uppercase(a)`, `$string(a)` | as they say |
//! | `$substringAfter(a, b)` | what stands behind the first `b`; `a` where there is none |
//! | `$split(a, b)[n]` | a part, counted from 0, or from the end |
//! | `$join([a, b])`, `$join($split(a, b, n), c)` | the items, with `c` in between |
//! | `$replace(a, b, c)` | every `b`, a string or a regular expression, is `c`; no `$1` in it |
//! | `a $OR b` | either (an addition of the registry) |
//!
//! The result is the value as the service returns it, or a regular expression for that. An
//! expression with anything else in it, or with a form that does not hold the given value, is not
//! read: a constant would hide that a value has changed.

use regex::Regex;
use serde_json::Value;

/// A transform, read.
#[derive(Debug)]
pub(super) struct Transform {
    /// The steps to the property; `*` stands for items.
    path: Vec<String>,
    alternatives: Vec<Expr>,
}

#[derive(Debug)]
enum Expr {
    Text(String),
    Own,
    Joined(Vec<Expr>, String),
    Lower(Box<Expr>),
    Upper(Box<Expr>),
    After(Box<Expr>, String),
    /// Of the parts between separators, at most so many.
    Split(Box<Expr>, String, Option<usize>),
    Part(Box<Expr>, i64),
    /// The parts of a split, with another separator.
    Rejoined(Box<Expr>, String),
    Replaced(Box<Expr>, String, String),
    Matched(Box<Expr>, Regex, String),
}

impl Transform {
    /// Reads the expression of the property at a path; none where it has what is not read here.
    pub(super) fn read(path: &str, text: &str) -> Option<Self> {
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        let mut reader = Reader {
            rest: text,
            own: path.last()?,
        };
        let mut alternatives = vec![reader.sum()?];
        while reader.takes("$OR") {
            alternatives.push(reader.sum()?);
        }
        let is_whole = reader.rest.trim().is_empty();
        let is_own = alternatives.iter().all(Expr::has_own);
        (is_whole && is_own).then_some(Self { path, alternatives })
    }

    /// The strings that a live resource has at the property, in all items where there are some.
    pub(super) fn seen(&self, live: &Value) -> Vec<String> {
        let mut seen = Vec::new();
        collect(live, &self.path, &mut seen);
        seen
    }

    /// Puts the one of the live strings that the service returns for it in place of each string
    /// that is given at the property.
    pub(super) fn put(&self, wanted: &mut Value, seen: &[String]) {
        visit(wanted, &self.path, &mut |given| {
            if !seen.contains(given)
                && let Some(live) = seen.iter().find(|live| self.is_returned(given, live))
            {
                given.clone_from(live);
            }
        });
    }

    /// Whether the service returns `live` for the value `given`. Where the transform gives a
    /// regular expression, `live` must also hold `given`, with no letter or digit beside it.
    fn is_returned(&self, given: &str, live: &str) -> bool {
        self.alternatives.iter().any(|expr| {
            let Some(text) = expr.value(given) else {
                return false;
            };
            text == live
                || holds(live, given) && {
                    Regex::new(&format!("^(?:{text})$")).is_ok_and(|regex| regex.is_match(live))
                }
        })
    }
}

fn collect(value: &Value, path: &[String], seen: &mut Vec<String>) {
    match (path.split_first(), value) {
        (None, Value::String(text)) => seen.push(text.clone()),
        (Some((step, rest)), Value::Array(items)) if step == "*" => {
            items.iter().for_each(|item| collect(item, rest, seen));
        }
        (Some((step, rest)), Value::Object(map)) => {
            if let Some(value) = map.get(step) {
                collect(value, rest, seen);
            }
        }
        _ => {}
    }
}

fn visit(value: &mut Value, path: &[String], see: &mut dyn FnMut(&mut String)) {
    match (path.split_first(), value) {
        (None, Value::String(text)) => see(text),
        (Some((step, rest)), Value::Array(items)) if step == "*" => {
            for item in items {
                visit(item, rest, see);
            }
        }
        (Some((step, rest)), Value::Object(map)) => {
            if let Some(value) = map.get_mut(step) {
                visit(value, rest, see);
            }
        }
        _ => {}
    }
}

/// Whether a string holds another one as a word.
fn holds(text: &str, word: &str) -> bool {
    let is_apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let mut found = text.match_indices(word);
    !word.is_empty()
        && found.any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + word.len()..]);
            is_apart(before.chars().next_back()) && is_apart(after.chars().next())
        })
}

impl Expr {
    fn has_own(&self) -> bool {
        match self {
            Self::Own => true,
            Self::Text(_) => false,
            Self::Joined(parts, _) => parts.iter().any(Self::has_own),
            Self::Lower(of)
            | Self::Upper(of)
            | Self::After(of, _)
            | Self::Split(of, ..)
            | Self::Part(of, _)
            | Self::Rejoined(of, _)
            | Self::Replaced(of, ..)
            | Self::Matched(of, ..) => of.has_own(),
        }
    }

    /// The parts of a split.
    fn parts(&self, given: &str) -> Option<Vec<String>> {
        let Self::Split(of, separator, most) = self else {
            return None;
        };
        let text = of.value(given)?;
        let parts = text.split(separator.as_str()).map(str::to_owned);
        Some(parts.take(most.unwrap_or(usize::MAX)).collect())
    }

    /// The string for a given value; none where there is none.
    fn value(&self, given: &str) -> Option<String> {
        Some(match self {
            Self::Text(text) => text.clone(),
            Self::Own => given.to_owned(),
            Self::Joined(parts, between) => {
                let parts: Option<Vec<String>> = parts.iter().map(|it| it.value(given)).collect();
                parts?.join(between)
            }
            Self::Lower(of) => of.value(given)?.to_lowercase(),
            Self::Upper(of) => of.value(given)?.to_uppercase(),
            Self::After(of, mark) => {
                let text = of.value(given)?;
                let after = text.split_once(mark.as_str());
                after.map_or_else(|| text.clone(), |(_, after)| after.to_owned())
            }
            Self::Split(..) => return None,
            Self::Part(of, at) => {
                let mut parts = of.parts(given)?;
                let at = match usize::try_from(*at) {
                    Ok(at) => at,
                    Err(_) => parts.len().checked_sub(usize::try_from(-at).ok()?)?,
                };
                (at < parts.len()).then(|| parts.swap_remove(at))?
            }
            Self::Rejoined(of, between) => of.parts(given)?.join(between),
            Self::Replaced(of, from, to) => of.value(given)?.replace(from, to),
            Self::Matched(of, from, to) => {
                let text = of.value(given)?;
                from.replace_all(&text, regex::NoExpand(to)).into_owned()
            }
        })
    }
}

/// Reads expressions. Each function takes its form from the front, or nothing is read at all.
struct Reader<'t> {
    rest: &'t str,
    own: &'t str,
}

impl<'t> Reader<'t> {
    fn takes(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(token);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    fn needs(&mut self, token: &str) -> Option<()> {
        self.takes(token).then_some(())
    }

    /// `a & b & c`.
    fn sum(&mut self) -> Option<Expr> {
        let mut parts = vec![self.item()?];
        while self.takes("&") {
            parts.push(self.item()?);
        }
        match parts.len() {
            1 => parts.pop(),
            _ => Some(Expr::Joined(parts, String::new())),
        }
    }

    /// One value, with `[n]` behind it where it is a split.
    fn item(&mut self) -> Option<Expr> {
        let item = self.value()?;
        if !self.takes("[") {
            return Some(item);
        }
        let is_from_end = self.takes("-");
        let end = self.rest.find(']')?;
        let at: i64 = self.rest[..end].trim().parse().ok()?;
        self.rest = &self.rest[end + 1..];
        let at = if is_from_end { -at } else { at };
        matches!(item, Expr::Split(..)).then(|| Expr::Part(Box::new(item), at))
    }

    fn value(&mut self) -> Option<Expr> {
        let rest = self.rest.trim_start();
        self.rest = rest;
        match rest.chars().next()? {
            '"' | '\'' => self.text().map(Expr::Text),
            '$' => self.call(),
            _ => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                self.rest = after;
                let last = name.rsplit('.').next()?;
                (last == self.own).then_some(Expr::Own)
            }
        }
    }

    /// A string with the escapes of JSON.
    fn text(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let mut chars = rest.char_indices();
        let (_, quote) = chars.next().filter(|(_, c)| matches!(c, '"' | '\''))?;
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest = &rest[at + 1..];
                    return Some(text);
                }
                '\\' => text.push(match chars.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    c @ ('/' | '\\' | '"' | '\'') => c,
                    _ => return None,
                }),
                c => text.push(c),
            }
        }
        None
    }

    fn call(&mut self) -> Option<Expr> {
        let end = self.rest.find('(')?;
        let name = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        let call = match name {
            "$join" => self.join()?,
            "$replace" => self.replace()?,
            _ => {
                let of = Box::new(self.sum()?);
                match name {
                    "$lowercase" => Expr::Lower(of),
                    "$uppercase" => Expr::Upper(of),
                    "$string" => *of,
                    "$substringAfter" => {
                        self.needs(",")?;
                        Expr::After(of, self.text()?)
                    }
                    "$split" => {
                        self.needs(",")?;
                        let separator = self.text()?;
                        let most = match self.takes(",") {
                            true => Some(self.number()?),
                            false => None,
                        };
                        Expr::Split(of, separator, most)
                    }
                    _ => return None,
                }
            }
        };
        self.needs(")")?;
        Some(call)
    }

    fn number(&mut self) -> Option<usize> {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        self.rest = &rest[end..];
        rest[..end].parse().ok()
    }

    fn join(&mut self) -> Option<Expr> {
        if !self.takes("[") {
            let of = self.value().filter(|of| matches!(of, Expr::Split(..)))?;
            self.needs(",")?;
            return Some(Expr::Rejoined(Box::new(of), self.text()?));
        }
        let mut parts = vec![self.sum()?];
        while self.takes(",") {
            parts.push(self.sum()?);
        }
        self.needs("]")?;
        let between = match self.takes(",") {
            true => self.text()?,
            false => String::new(),
        };
        Some(Expr::Joined(parts, between))
    }

    fn replace(&mut self) -> Option<Expr> {
        let of = Box::new(self.sum()?);
        self.needs(",")?;
        let expr = if self.takes("/") {
            let end = self.rest.find("/,").or_else(|| self.rest.find("/ ,"))?;
            let pattern = Regex::new(&self.rest[..end]).ok()?;
            self.rest = &self.rest[end + 1..];
            self.needs(",")?;
            let to = self.text().filter(|to| !to.contains('$'))?;
            Expr::Matched(of, pattern, to)
        } else {
            let from = self.text()?;
            self.needs(",")?;
            Expr::Replaced(of, from, self.text()?)
        };
        Some(expr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{names, registry_type};

    fn is_returned(path: &str, text: &str, given: &str, live: &str) -> bool {
        let transform = Transform::read(path, text);
        transform.expect("it is read").is_returned(given, live)
    }

    #[test]
    fn a_value_is_returned_as_its_transform_says() {
        for (path, text, given, live, other) in [
            ("Engine", "$lowercase(Engine)", "Aurora", "aurora", "mysql"),
            ("A/Day", "$uppercase(A.Day)", "monday", "MONDAY", "SUNDAY"),
            ("Name", "'custom:' & '' & Name", "x", "custom:x", "x:custom"),
            (
                "Id",
                r#"$lowercase($substringAfter(Id, "/"))"#,
                "a/B",
                "b",
                "B",
            ),
            ("Id", r#"$split(Id, "/")[-1] $OR Id"#, "arn/x", "x", "y"),
            (
                "Id",
                r#"$split(Id, "/")[-1] $OR Id"#,
                "arn/x",
                "arn/x",
                "arn",
            ),
            (
                "Group",
                r#"$split(Group, "/")[1] & "/" & $split(Group, "/")[2]"#,
                "a/b/c",
                "b/c",
                "c",
            ),
            (
                "Version",
                r#"$join($split(Version, ".", 2), ".")"#,
                "7.1.3",
                "7.1",
                "7.1.4",
            ),
            (
                "Data",
                r"$replace(Data, /\s+$/, '')",
                "pem\n\n",
                "pem",
                "pe",
            ),
            (
                "Mode",
                "$replace(A.Mode, '-', '_')",
                "a-b-c",
                "a_b_c",
                "a_b-c",
            ),
            (
                "Version",
                r#"$join([$string(Version), ".*"])"#,
                "14",
                "14.3",
                "15.1",
            ),
            (
                "Key",
                r#"$join(["arn:.+?:kms:.+?:.+?:key\/", Key])"#,
                "k-1",
                "arn:aws:kms:eu-west-1:1:key/k-1",
                "arn:aws:kms:eu-west-1:1:key/k-2",
            ),
        ] {
            assert!(is_returned(path, text, given, live), "{text}");
            assert!(!is_returned(path, text, given, other), "{text}");
        }
    }

    #[test]
    fn a_pattern_is_of_the_whole_given_value() {
        let text = r#"$join([$string(Version), ".*"])"#;
        assert!(!is_returned("Version", text, "1", "14.3"));
        assert!(!is_returned("Version", text, "14.3", "14.30"));
        assert!(!is_returned("Version", text, "", "14.3"));
    }

    #[test]
    fn what_is_not_read_is_ignored() {
        for text in [
            r#""vpc""#,
            r#""^[a-z]+$""#,
            "Id * 1000",
            "Id and Id $OR true",
            "Other",
            "$lowercase(Other)",
            "$contains(Id, 'a') ? Id : Id",
            "$lowercase(Id",
            "$lowercase(Id))",
            r#"$replace(Id, /(.*)\.$/, "$1")"#,
            r#"Id $OR "x""#,
            "",
        ] {
            assert!(Transform::read("Id", text).is_none(), "{text}");
        }
    }

    /// The numbers in `docs/cloud-control.md`.
    #[test]
    fn most_transforms_of_the_registry_are_read() {
        let kinds = names().iter().filter_map(|name| registry_type(name));
        let (mut all, mut read, mut types) = (0, 0, 0);
        for kind in kinds {
            let transforms = kind.property_transform();
            all += transforms.len();
            types += usize::from(!transforms.is_empty());
            read += kind.transforms().len();
        }
        assert_eq!((types, all, read), (109, 206, 165));
    }
}

//! Accepted drift: the edits of the stack file after which it declares the live values.

use super::drift::Drifted;
use crate::data::{Data, Path};
use crate::engine::address::block;
use crate::engine::plan::Difference;
use crate::lang::edit::Edit;
use crate::lang::eval::{self, Root, references};
use crate::lang::stack::Stack;
use crate::literal;
use crate::resource::aws::policy;
use crate::schema::Schema;
use serde_json::{Map, Value, json};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::BTreeSet;

/// A property whose live value cannot be written into the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The place in the file, of what stands there now.
    pub at: Path,
    /// The property.
    pub property: Path,
    /// Why, as the rest of a sentence about the property.
    pub why: String,
    /// The variables that the value comes from.
    pub variables: BTreeSet<String>,
}

/// What the file would have to say.
#[derive(Debug, Default)]
pub struct Accepted {
    /// The edits, in the order in which to apply them.
    pub edits: Vec<Edit>,
    /// What cannot be accepted.
    pub refused: Vec<Refused>,
}

/// The edits after which `document`, the stack file's value, declares the live values of one
/// resource; `desired` is what it declares now.
pub fn accept(stack: &Stack, document: &Value, found: &Drifted, desired: &Data) -> Accepted {
    let base = Path::pointer("/resources")
        .join(block(&found.address))
        .join("properties");
    let mut writer = Writer {
        stack,
        document,
        base,
        desired,
        schema: found.schema.0,
        property: Path::root(),
        out: Accepted::default(),
    };
    for row in &found.rows {
        writer.row(row);
    }
    writer.out
}

struct Writer<'a> {
    stack: &'a Stack,
    document: &'a Value,
    /// Where the properties are in the document.
    base: Path,
    desired: &'a Data,
    schema: Option<&'static Schema>,
    /// The property at hand.
    property: Path,
    out: Accepted,
}

impl Writer<'_> {
    fn row(&mut self, row: &Difference) {
        self.property = row.path.clone();
        if row.content.is_some() {
            let why = "stands for the content of a file, and what is live is not known";
            return self.refuse(&row.path, why);
        }
        if row.secret || self.desired.is_secret(&row.path) {
            return self.refuse(&row.path, "is secret, and secrets are never written");
        }
        let wanted = self.desired.get(&row.path);
        if wanted.as_ref().is_some_and(Data::is_known) && wanted.map(|data| data.value) == row.live
        {
            return;
        }
        let mut at = Path::root();
        let mut segments: Vec<String> = row.path.segments().map(|part| part.into_owned()).collect();
        segments.reverse();
        loop {
            match self.template(&at) {
                None if row.live.is_none() => {
                    return self.refuse(
                        &at,
                        "is not in the resource's properties, where it could be taken out",
                    );
                }
                None => {
                    let mut value = escaped(row.live.as_ref().unwrap_or(&Value::Null));
                    for segment in &segments {
                        value = Value::Object(Map::from_iter([(segment.clone(), value)]));
                    }
                    let inner = self.base.concat(&at);
                    self.out.edits.push(Edit::Insert(inner, value));
                    return;
                }
                Some(template) if is_expression(template) => return self.expression(&at),
                Some(_) => {}
            }
            let Some(segment) = segments.pop() else {
                return self.node(&at, row.live.as_ref());
            };
            at = at.join(self.spelled(&at, &segment));
        }
    }

    /// The key of the file that is meant: some are the same in upper and lower case.
    fn spelled(&self, at: &Path, segment: &str) -> String {
        let map = self.template(at).and_then(Value::as_object);
        let mut keys = map.into_iter().flatten().map(|(key, _)| key);
        let exact = map.is_some_and(|map| map.contains_key(segment));
        let other = keys.find(|key| !exact && key.eq_ignore_ascii_case(segment));
        other.map_or(segment, String::as_str).to_owned()
    }

    fn template(&self, at: &Path) -> Option<&Value> {
        self.base.concat(at).get(self.document)
    }

    fn refuse(&mut self, at: &Path, why: &str) {
        let refused = Refused {
            at: self.base.concat(at),
            property: self.faulty_part(at),
            why: why.to_owned(),
            variables: BTreeSet::new(),
        };
        self.out.refused.push(refused);
    }

    /// The part of the property that is at fault, or all of it.
    fn faulty_part(&self, at: &Path) -> Path {
        match at.is_within(&self.property) {
            true => at.clone(),
            false => self.property.clone(),
        }
    }

    /// Refuses a place that an expression stands at.
    fn expression(&mut self, at: &Path) {
        let template = self.template(at).cloned().unwrap_or_default();
        let text = template.as_str().unwrap_or_default();
        let why = format!("comes from the expression {text}");
        let found = references(&template).unwrap_or_default();
        let found = self.stack.followed(found);
        let variables = found.filter(|found| found.root == Root::Var);
        self.out.refused.push(Refused {
            at: self.base.concat(at),
            property: self.faulty_part(at),
            why,
            variables: variables.map(|found| found.name).collect(),
        });
    }

    /// Edits the file's value at `at` so that it evaluates to `live`; every part that already does
    /// stays.
    fn node(&mut self, at: &Path, live: Option<&Value>) {
        let wanted = self.desired.get(at).filter(Data::is_known);
        let wanted = wanted.map(|data| data.value);
        let Some(template) = self.template(at).cloned() else {
            if let Some(live) = live {
                let inner = self.base.concat(at);
                self.out.edits.push(Edit::Insert(inner, escaped(live)));
            }
            return;
        };
        if wanted
            .as_ref()
            .is_some_and(|wanted| self.alike(at, wanted, live))
        {
            return;
        }
        let place = self.base.concat(at);
        match (&template, live) {
            _ if is_expression(&template) => self.expression(at),
            (_, None) => match expression_in(&template, at) {
                Some(inner) => self.expression(&inner),
                None => self.out.edits.push(Edit::Remove(place)),
            },
            (Value::Object(_), Some(Value::Object(live))) => self.map(at, &template, live),
            (Value::Array(_), Some(Value::Array(live))) => self.list(at, wanted.as_ref(), live),
            // A document that is given as a string stays a string.
            (Value::String(text), Some(live)) if is_document(text) && !live.is_string() => {
                let new = match text.trim_end().contains('\n') {
                    true => format!("{live:#}{}", &text[text.trim_end().len()..]),
                    false => live.to_string(),
                };
                let new = escaped(&Value::from(new));
                self.out.edits.push(Edit::Replace(place, new));
            }
            (_, Some(live)) => match expression_in(&template, at) {
                Some(inner) => self.expression(&inner),
                None => self.out.edits.push(Edit::Replace(place, escaped(live))),
            },
        }
    }

    fn map(&mut self, at: &Path, template: &Value, live: &Map<String, Value>) {
        let written = template
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key);
        let names: BTreeSet<&String> = written.chain(live.keys()).collect();
        for name in names {
            self.node(&at.join(name), live.get(name));
        }
    }

    /// Items that stay are kept as they are written, others change, come or go. From the last
    /// to the first, so that places stay right.
    fn list(&mut self, at: &Path, wanted: Option<&Value>, live: &[Value]) {
        let old: Vec<Value> = wanted
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let set = self.schema.is_some_and(|schema| schema.flag(at, "set"));
        let live = if set {
            in_order_of(&old, live)
        } else {
            live.to_vec()
        };
        let keys = |list: &[Value]| {
            list.iter()
                .map(|item| self.key(at, item))
                .collect::<Vec<_>>()
        };
        let (old_keys, new_keys) = (keys(&old), keys(&live));
        let place = self.base.concat(at);
        for op in capture_diff_slices(Algorithm::Myers, &old_keys, &new_keys)
            .iter()
            .rev()
        {
            let (had, has) = match op {
                DiffOp::Equal { .. } => continue,
                other => (other.old_range(), other.new_range()),
            };
            let both = had.len().min(has.len());
            for index in (had.start + both..had.end).rev() {
                let inner = at.join(index);
                match self
                    .template(&inner)
                    .and_then(|it| expression_in(it, &inner))
                {
                    Some(found) => self.expression(&found),
                    None => self.out.edits.push(Edit::Remove(place.join(index))),
                }
            }
            for index in (has.start + both..has.end).rev() {
                let value = escaped(&live[index]);
                let edit = Edit::Insert(place.join(had.start + both), value);
                self.out.edits.push(edit);
            }
            for offset in (0..both).rev() {
                self.node(
                    &at.join(had.start + offset),
                    Some(&live[has.start + offset]),
                );
            }
        }
    }

    fn alike(&self, at: &Path, wanted: &Value, live: Option<&Value>) -> bool {
        live.is_some_and(|live| self.key(at, wanted) == self.key(at, live))
    }

    /// What two values that mean the same have in common: statements of a policy may be
    /// written in several ways.
    fn key(&self, at: &Path, value: &Value) -> String {
        let document = self
            .schema
            .and_then(|schema| schema.keyword(at, "document"));
        match (document, value) {
            (Some("policy"), Value::Object(map)) if map.contains_key("Effect") => {
                policy::canonical(&json!({"Statement": [value]})).to_string()
            }
            _ => value.to_string(),
        }
    }
}

/// The items of a set; those that already existed keep their old order.
fn in_order_of(old: &[Value], live: &[Value]) -> Vec<Value> {
    let kept = old.iter().filter(|item| live.contains(item));
    let new = live.iter().filter(|item| !old.contains(item));
    kept.chain(new).cloned().collect()
}

/// Whether a string contains an expression.
fn is_expression(template: &Value) -> bool {
    template.as_str().is_some_and(eval::is_expression)
}

/// Whether a string is a JSON document.
fn is_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Value>(text).is_ok()
}

/// The place of the first expression in a template.
fn expression_in(template: &Value, at: &Path) -> Option<Path> {
    match template {
        text if is_expression(text) => Some(at.clone()),
        Value::Array(list) => {
            let mut items = list.iter().enumerate();
            items.find_map(|(index, item)| expression_in(item, &at.join(index)))
        }
        Value::Object(map) => map
            .iter()
            .find_map(|(key, item)| expression_in(item, &at.join(key))),
        _ => None,
    }
}

/// A value as a template that gives it.
fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(literal::escaped(text)),
        Value::Array(list) => list.iter().map(escaped).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (literal::escaped(key), escaped(value)))
            .collect(),
        other => other.clone(),
    }
}

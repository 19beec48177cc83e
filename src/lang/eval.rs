//! Expressions: HCL templates in the strings of a stack file.
//!
//! `hcl-rs` parses them. They are evaluated here and not by `hcl::eval`, since a stack needs
//! what that evaluator has no place for: parts that are not known yet, parts that are
//! secret, `try` and `coalesce` that leave alone what they do not need, Terraform's
//! conversions between text and numbers, and a place in the text for every mistake.
//!
//! What is special about strings:
//! - without `${` a string is returned as it stands; a bare `$` is always literal, and `$${`
//!   is a literal `${`;
//! - a string that is exactly one `${…}` keeps the type of its value;
//! - Terraform's directives work (`%{ if … }`, `%{ else }`, `%{ endif }`, `%{ for … }`,
//!   `%{ endfor }`). Any other `%{` is literal, so that `100%{x}` in a template of another
//!   language needs no escape; `%%{ if` is a literal `%{ if`.
//!
//! What fails on a secret is secret: the evaluator counts the secrets it meets, and `try` and `can`
//! mark what they give where there was one on the way to a failure.
//!
//! Plain references never reach the parser; parses are cached per thread.

mod budget;
mod collect;
mod cursor;
mod directive;
mod expression;
mod function;
mod operator;
mod reference;
mod simple;
mod template;
#[cfg(test)]
mod tests;
mod traversal;

pub use budget::{Budget, Size};
pub(crate) use operator::same;
pub(crate) use reference::scan;
pub use reference::{Reference, Root, lone_reference, references};
pub use simple::is_identifier;
pub use template::is_expression;

use super::diagnostic::{Diagnostic, Place};
use crate::data::{Data, Path};
use expression::Evaluator;
use serde_json::{Map, Value};
use std::ops::Range;

/// What an expression may refer to.
pub trait Scope {
    /// The variable of that name.
    fn var(&self, name: &str) -> Option<&Data>;
    /// The local of that name, evaluated.
    fn local(&self, name: &str) -> Option<&Data>;
    /// What the data source of that name tells.
    fn data(&self, name: &str) -> Option<&Data>;
    /// The attributes of the resource of that name: properties and outputs in one object.
    /// With `forEach` an object of such objects, by key; null where `when` is false.
    fn resource(&self, name: &str) -> Option<&Data>;
    /// `each.key` and `each.value`, inside a resource with `forEach`.
    fn each(&self) -> Option<(&Data, &Data)>;
    /// `stack`: an object with `name`, `dir` and `env`.
    fn stack(&self) -> &Data;
    /// Reads a file for `file()` and its like; a relative path starts at the stack's folder.
    /// The error says why, as a clause.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;

    /// What the evaluations of the stack have used so far; none: this one stands alone.
    fn budget(&self) -> Option<&Budget> {
        None
    }

    /// Whether the resource has `forEach`, so that a splat goes over its instances. The
    /// default goes by the shape: an object of objects that has no `id`.
    fn instances(&self, name: &str) -> bool {
        self.resource(name).is_some_and(|data| {
            data.value.as_object().is_some_and(|map| {
                !map.is_empty()
                    && !map.contains_key("id")
                    && map.iter().all(|(key, value)| {
                        value.is_object() || data.unknown.contains_key(&Path::root().join(key))
                    })
            })
        })
    }
}

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where in the template the string stands.
    pub path: Path,
    /// The part of the string, in bytes; none: all of it.
    pub range: Option<Range<usize>>,
    /// A full sentence without a full stop.
    pub message: String,
    /// What to do, where there is something to say.
    pub help: Option<String>,
    /// Whether a limit of the whole stack is reached, so that nothing more can be evaluated.
    pub limit: bool,
}

impl Fault {
    /// The mistake as a diagnostic in the stack file; `base` is the template's path there.
    pub fn diagnostic(self, base: &Path) -> Diagnostic {
        let path = base.concat(&self.path);
        let place = match self.range {
            Some(range) => Place::Within(path, range),
            None => Place::Key(path),
        };
        Diagnostic {
            help: self.help,
            ..Diagnostic::error(place, self.message)
        }
    }
}

/// A mistake whose string is not known yet.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    range: Option<Range<usize>>,
    message: String,
    help: Option<String>,
    /// Whether a limit is reached, which `try` and `can` do not hide.
    fatal: bool,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Self {
            range: None,
            message: message.into(),
            help: None,
            fatal: false,
        }
    }

    /// A limit that is reached.
    fn limit(message: impl Into<String>) -> Self {
        Self {
            fatal: true,
            ..Self::new(message)
        }
    }

    fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// Gives it a place, unless one that is closer is known.
    fn at(mut self, range: Option<Range<usize>>) -> Self {
        self.range = self.range.or(range);
        self
    }

    fn into_fault(self, path: &Path) -> Fault {
        Fault {
            path: path.clone(),
            range: self.range,
            message: self.message,
            help: self.help,
            limit: self.fatal,
        }
    }
}

/// Evaluates every string of a template, keys included. What cannot be known yet is unknown
/// in the result, with the string as written; what comes from something secret is secret.
///
/// # Errors
/// Every string that is wrong, each with its first mistake.
pub fn evaluate(template: &Value, scope: &dyn Scope) -> Result<Data, Vec<Fault>> {
    let mut walk = Walk {
        evaluator: Evaluator::new(scope),
        faults: Vec::new(),
        out: Data::default(),
    };
    let value = walk.value(template, &Path::root());
    if !walk.faults.is_empty() {
        return Err(walk.faults);
    }
    walk.out.value = value;
    Ok(walk.out)
}

struct Walk<'s> {
    evaluator: Evaluator<'s>,
    faults: Vec<Fault>,
    out: Data,
}

impl Walk<'_> {
    fn value(&mut self, template: &Value, path: &Path) -> Value {
        match template {
            Value::String(text) => self.text(text, path),
            Value::Array(items) if self.count(Size::string(0), path) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    if is_plain(item) {
                        self.plain(item, path)
                    } else {
                        self.value(item, &path.join(index))
                    }
                })
                .collect(),
            Value::Object(map) if self.count(Size::string(0), path) => {
                let mut out = Map::new();
                for (key, item) in map {
                    if self.is_over() {
                        break;
                    }
                    if is_plain(item) && !template::is_template(key) && !out.contains_key(key) {
                        self.count(Size::string(key.len()), path);
                        out.insert(key.clone(), self.plain(item, path));
                        continue;
                    }
                    let written = path.join(key);
                    let Some(key) = self.key(key, &written) else {
                        continue;
                    };
                    let at = path.join(&key);
                    let item = if is_plain(item) {
                        self.plain(item, &written)
                    } else if at == written {
                        self.value(item, &at)
                    } else {
                        self.moved(item, &written, &at)
                    };
                    if out.insert(key, item).is_some() {
                        self.faults.push(
                            Wrong::new("this key comes out the same as another one")
                                .into_fault(&written),
                        );
                    }
                }
                Value::Object(out)
            }
            Value::Array(_) | Value::Object(_) => Value::Null,
            other => self.plain(other, path),
        }
    }

    /// A value without an expression.
    fn plain(&mut self, value: &Value, path: &Path) -> Value {
        if self.count(Size::of(value), path) {
            value.clone()
        } else {
            Value::Null
        }
    }

    /// Counts what is about to be created; whether there is room for it. That there is none is told
    /// once.
    fn count(&mut self, size: Size, path: &Path) -> bool {
        if self.is_over() {
            return false;
        }
        match self.evaluator.meter.create(size) {
            Ok(()) => true,
            Err(wrong) => {
                self.faults.push(wrong.into_fault(path));
                false
            }
        }
    }

    /// Whether a limit of the stack is reached.
    fn is_over(&self) -> bool {
        self.faults.last().is_some_and(|fault| fault.limit)
    }

    /// A value whose key was an expression: mistakes are at the key as written, unknown and
    /// secret parts at the key as evaluated.
    fn moved(&mut self, item: &Value, written: &Path, at: &Path) -> Value {
        let before = std::mem::take(&mut self.out);
        let value = self.value(item, written);
        let inner = std::mem::replace(&mut self.out, before);
        let mv = |path: &Path| path.below(written).map(|rest| at.concat(&rest));
        self.out.unknown.extend(
            inner
                .unknown
                .into_iter()
                .filter_map(|(path, text)| Some((mv(&path)?, text))),
        );
        self.out.secret.extend(inner.secret.iter().filter_map(mv));
        value
    }

    fn key(&mut self, key: &str, written: &Path) -> Option<String> {
        if !template::is_template(key) {
            return Some(key.to_owned());
        }
        let result = self.evaluator.text(key).and_then(|data| {
            if !data.is_known() {
                Err(
                    Wrong::new("a key must be known when the plan is made, and this one is not")
                        .help("use a list, or a key that does not come from a resource".to_owned()),
                )
            } else if !data.secret.is_empty() {
                Err(Wrong::new("a key cannot be secret"))
            } else {
                operator::text(&data.value)
            }
        });
        match result {
            Ok(key) => Some(key),
            Err(wrong) => {
                // A range in the key would be read as one in the value.
                let wrong = Wrong {
                    range: None,
                    ..wrong
                };
                self.faults.push(wrong.into_fault(written));
                None
            }
        }
    }

    fn text(&mut self, text: &str, path: &Path) -> Value {
        if self.is_over() {
            return Value::Null;
        }
        match self.evaluator.text(text) {
            Ok(data) => {
                let Data {
                    value,
                    unknown,
                    secret,
                } = data;
                self.out.unknown.extend(
                    unknown
                        .into_iter()
                        .map(|(at, text)| (path.concat(&at), text)),
                );
                self.out
                    .secret
                    .extend(secret.iter().map(|at| path.concat(at)));
                value
            }
            Err(wrong) => {
                self.faults.push(wrong.into_fault(path));
                Value::Null
            }
        }
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => !template::is_template(text),
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    }
}

//! Expressions: HCL templates in the strings of a stack file.
//!
//! `hcl-rs` parses them. They are evaluated here and not by `hcl::eval`, since a stack needs what
//! that evaluator has no place for: parts that are not known yet, parts that are secret, `try` and
//! `coalesce` that leave alone what they do not need, Terraform's conversions between strings and
//! numbers, and a place in the text for every mistake.
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
mod error;
mod expression;
mod function;
pub mod manual;
mod operator;
mod reference;
mod root;
mod scope;
mod simple;
mod template;
#[cfg(test)]
mod tests;
mod traversal;
mod value;

pub use budget::{Budget, Size};
pub use error::LocatedError;
pub(crate) use reference::scan;
pub use reference::{Reference, lone_reference, references};
pub use root::Root;
pub use scope::Scope;
pub use simple::is_identifier;
pub use template::is_expression;
pub(crate) use value::same;

use crate::data::{Data, Path};
use error::EvalError;
use expression::Evaluator;
use serde_json::{Map, Value};
use template::is_plain;

/// Evaluates every string of a template, keys included. What cannot be known yet is unknown
/// in the result, with the string as written; what comes from something secret is secret.
///
/// # Errors
/// Every string that is wrong, each with its first mistake.
pub fn evaluate(template: &Value, scope: &dyn Scope) -> Result<Data, Vec<LocatedError>> {
    match evaluate_rest(template, scope) {
        (data, faults) if faults.is_empty() => Ok(data),
        (_, faults) => Err(faults),
    }
}

/// What stands for a part that could not be evaluated, in the place of the string as written.
pub const FAULTY: &str = "(faulty)";

/// The same with what is right beside what is wrong: a string that is wrong is unknown in the
/// result ([`FAULTY`]), and so is a map of which a key is. After a limit nothing counts.
pub fn evaluate_rest(template: &Value, scope: &dyn Scope) -> (Data, Vec<LocatedError>) {
    let mut walk = Walk {
        evaluator: Evaluator::new(scope),
        faults: Vec::new(),
        out: Data::default(),
    };
    walk.out.value = walk.value(template, &Path::root());
    let faulty = walk.out.unknown.iter().filter(|(_, text)| *text == FAULTY);
    for path in faulty.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
        let inside = |other: &Path| *other != path && other.is_within(&path);
        walk.out.unknown.retain(|other, _| !inside(other));
    }
    (walk.out, walk.faults)
}

struct Walk<'s> {
    evaluator: Evaluator<'s>,
    faults: Vec<LocatedError>,
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
                    let (as_written, written) = (key, path.join(key));
                    let Some(key) = self.key(key, &written) else {
                        self.out.unknown.insert(path.clone(), FAULTY.to_owned());
                        continue;
                    };
                    let item = if is_plain(item) {
                        self.plain(item, &written)
                    } else if key == *as_written {
                        self.value(item, &written)
                    } else {
                        self.moved(item, &written, &path.join(&key))
                    };
                    if out.insert(key, item).is_some() {
                        self.faults.push(
                            EvalError::new("this key comes out the same as another one")
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

    /// Counts the value that is about to be created; returns whether it is within the limits. The
    /// limit is reported once.
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
                Err(EvalError::new(
                    "a key must be known when the plan is made, and this one is not",
                )
                .help("use a list, or a key that does not come from a resource".to_owned()))
            } else if !data.secret.is_empty() {
                Err(EvalError::new("a key cannot be secret"))
            } else {
                value::text(&data.value)
            }
        });
        match result {
            Ok(key) => Some(key),
            Err(wrong) => {
                // A range in the key would be read as one in the value.
                let wrong = EvalError {
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
                self.out.unknown.insert(path.clone(), FAULTY.to_owned());
                Value::Null
            }
        }
    }
}

//! The functions that expressions may call: Terraform's names and meaning. Those whose result
//! differs from call to call (`timestamp`, `uuid`) are excluded on purpose.

mod call;
mod collection;
mod encoding;
mod file;
mod format;
mod network;
mod number;
mod text;

use super::budget::Size;
use super::collect::too_long;
use super::error::EvalError;
use super::expression::Evaluator;
use super::value::{self, LONGEST_TEXT, Outcome, kind};
use crate::data::{Data, Path};
use crate::nearest::did_you_mean;
use call::{Call, Function};
use hcl::edit::Span;
use hcl::edit::expr::{Expression, FuncCall};
use serde_json::Value;
use std::cell::RefCell;

const TABLES: &[&[Function]] = &[
    collection::TABLE,
    encoding::TABLE,
    file::TABLE,
    network::TABLE,
    number::TABLE,
    text::TABLE,
];

/// Those that look at their arguments one after the other.
const LAZY: &[&str] = &["try", "can", "coalesce"];

fn find(name: &str) -> Option<&'static Function> {
    TABLES
        .iter()
        .copied()
        .flatten()
        .find(|function| function.name == name)
}

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .copied()
        .flatten()
        .map(|function| function.name)
        .chain(LAZY.iter().copied())
}

/// How many arguments a function takes at least and at most; none of those that look at them one
/// after the other.
#[cfg(test)]
pub(super) fn takes(name: &str) -> Option<(usize, Option<usize>)> {
    find(name).map(Function::arguments)
}

/// Checks that a call names a function and gives it as many arguments as it takes.
pub(super) fn exists(call: &FuncCall) -> Result<(), EvalError> {
    let name = call.name.name.as_str();
    if call.name.is_namespaced() {
        return Err(EvalError::new("functions of providers are not known here"));
    }
    let count = call.args.len();
    if LAZY.contains(&name) {
        return if count == 0 {
            Err(EvalError::new(format!("{name} needs at least 1 argument")))
        } else {
            Ok(())
        };
    }
    let Some(function) = find(name) else {
        return Err(EvalError::new(format!("unknown function \"{name}\""))
            .help(did_you_mean(name, names())));
    };
    if call.args.expand_final() {
        Ok(())
    } else {
        function.takes(count)
    }
}

impl Evaluator<'_> {
    /// Evaluates a call.
    pub(super) fn call(&mut self, call: &FuncCall) -> Outcome {
        exists(call).map_err(|wrong| wrong.at(call.name.name.span()))?;
        let name = call.name.name.as_str();
        let arguments: Vec<&Expression> = call.args.iter().collect();
        if LAZY.contains(&name) && !call.args.expand_final() {
            return match name {
                "coalesce" => self.coalesce(&arguments),
                "can" => self.can(&arguments),
                _ => self.attempt(&arguments),
            };
        }
        let before = self.meter.mark();
        let mut given = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.iter().enumerate() {
            let data = self.expression(argument)?;
            if call.args.expand_final() && at + 1 == arguments.len() {
                if data.unknown.contains_key(&Path::root()) {
                    return Ok(value::unknown_from(
                        &given.iter().chain([&data]).collect::<Vec<_>>(),
                    ));
                }
                let Value::Array(items) = &data.value else {
                    return Err(EvalError::new(format!(
                        "only a list can be spread with \"...\", and this is {}",
                        kind(&data.value)
                    ))
                    .at(argument.span()));
                };
                self.meter.create(Size::of_data(&data))?;
                given.extend(
                    (0..items.len())
                        .map(|index| data.get(&Path::root().join(index)).unwrap_or_default()),
                );
            } else {
                given.push(data);
            }
        }
        let result = self.run(name, given)?;
        self.meter.back_to(before, Size::default());
        self.meter.create(Size::of_data(&result))?;
        Ok(result)
    }

    fn run(&self, name: &str, mut given: Vec<Data>) -> Outcome {
        let secret = given.iter().any(|data| !data.secret.is_empty());
        let tainted = |mut data: Data| {
            data.secret.extend(secret.then(Path::root));
            data
        };
        let by_shape = matches!(name, "length" | "keys")
            && given
                .iter()
                .all(|data| !data.unknown.contains_key(&Path::root()));
        if !by_shape && given.iter().any(|data| !data.is_known()) {
            return Ok(tainted(Data::unknown("")));
        }
        if name == "coalesce" {
            let found = given.iter().position(|data| !is_nothing(&data.value));
            return found
                .map(|at| tainted(given.swap_remove(at)))
                .ok_or_else(nothing_to_coalesce);
        }
        let Some(function) = find(name) else {
            return Err(EvalError::new(format!(
                "{name} cannot be called with \"...\""
            )));
        };
        function.takes(given.len())?;
        let values: Vec<Value> = given.into_iter().map(|data| data.value).collect();
        let call = Call {
            args: &values,
            scope: self.scope,
            meter: &self.meter,
            over: RefCell::new(None),
        };
        let value = (function.run)(&call).map_err(|message| {
            if let Some(wrong) = call.over.take() {
                return EvalError {
                    message: format!("{name}: {}", wrong.message),
                    ..wrong
                };
            }
            // What a function says may hold a part of what it was given.
            EvalError::new(if secret {
                format!("{name} cannot work with this secret value")
            } else {
                format!("{name}: {message}")
            })
        })?;
        if let Value::String(text) = &value
            && text.len() > LONGEST_TEXT
        {
            let wrong = too_long();
            return Err(EvalError {
                message: format!("{name}: {}", wrong.message),
                ..wrong
            });
        }
        let secret_result = name == "sensitive";
        let mut data = tainted(Data::from(value));
        data.secret.extend(secret_result.then(Path::root));
        Ok(data)
    }

    /// `try(a, b, …)`: the first that has no mistake. The others are not looked at.
    fn attempt(&mut self, arguments: &[&Expression]) -> Outcome {
        let mut last = None;
        let met = self.secrets;
        // The failure of an argument reveals something about the secrets that were met by then.
        let mut hidden = false;
        let before = self.meter.mark();
        for argument in arguments {
            self.meter.back_to(before, Size::default());
            match self.expression(argument) {
                Ok(mut data) => {
                    data.secret.extend(hidden.then(Path::root));
                    return Ok(data);
                }
                Err(wrong) if wrong.fatal => return Err(wrong),
                Err(wrong) => last = Some(wrong),
            }
            hidden = self.secrets > met;
        }
        let reason = last.map_or_else(String::new, |wrong| {
            format!("; the last one: {}", wrong.message)
        });
        Err(EvalError::new(format!(
            "no argument of try can be evaluated{reason}"
        )))
    }

    /// `can(a)`: whether it has no mistake.
    fn can(&mut self, arguments: &[&Expression]) -> Outcome {
        let [argument] = arguments else {
            return Err(EvalError::new("can takes 1 argument"));
        };
        let met = self.secrets;
        let before = self.meter.mark();
        let result = self.expression(argument);
        self.meter.back_to(before, Size::string(0));
        let mut can = match result {
            Err(wrong) if wrong.fatal => return Err(wrong),
            Ok(data) if !data.is_known() => return Ok(value::unknown_from(&[&data])),
            Ok(data) => value::tainted_by(Value::Bool(true).into(), &[&data]),
            Err(_) => Value::Bool(false).into(),
        };
        let hidden = self.secrets > met;
        can.secret.extend(hidden.then(Path::root));
        Ok(can)
    }

    /// `coalesce(a, b, …)`: the first that is neither null nor an empty string. What follows it is
    /// not looked at.
    fn coalesce(&mut self, arguments: &[&Expression]) -> Outcome {
        let mut before = Vec::new();
        for argument in arguments {
            let data = self.expression(argument)?;
            if data.unknown.contains_key(&Path::root()) || !is_nothing(&data.value) {
                return Ok(value::tainted_by(data, &before.iter().collect::<Vec<_>>()));
            }
            before.push(data);
        }
        Err(nothing_to_coalesce())
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn nothing_to_coalesce() -> EvalError {
    EvalError::new("coalesce: every argument is null or empty")
}

/// Every name, for tests.
#[cfg(test)]
pub(super) fn all_names() -> Vec<&'static str> {
    names().collect()
}

//! The functions that expressions may call: Terraform's names and meaning. Those whose
//! result differs from call to call (`timestamp`, `uuid`) are left out on purpose.

mod collection;
mod encoding;
mod file;
mod format;
mod network;
mod number;
mod text;

use super::budget::{Meter, Size};
use super::collect::too_long;
use super::expression::{Evaluator, LONGEST_TEXT, Outcome};
use super::operator::{self, kind};
use super::{Scope, Wrong};
use crate::data::{Data, Path};
use crate::nearest::did_you_mean;
use hcl::edit::Span;
use hcl::edit::expr::{Expression, FuncCall};
use serde_json::{Map, Number, Value};
use std::cell::RefCell;

/// One function: its name, how many arguments it takes, and what it does.
pub(super) struct Function {
    name: &'static str,
    least: usize,
    most: Option<usize>,
    run: fn(&Call<'_>) -> Result<Value, String>,
}

const fn function(
    name: &'static str,
    least: usize,
    most: Option<usize>,
    run: fn(&Call<'_>) -> Result<Value, String>,
) -> Function {
    Function {
        name,
        least,
        most,
        run,
    }
}

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

fn names() -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .copied()
        .flatten()
        .map(|function| function.name)
        .chain(LAZY.iter().copied())
}

/// Checks that a call names a function and gives it as many arguments as it takes.
pub(super) fn exists(call: &FuncCall) -> Result<(), Wrong> {
    let name = call.name.name.as_str();
    if call.name.is_namespaced() {
        return Err(Wrong::new("functions of providers are not known here"));
    }
    let count = call.args.len();
    if LAZY.contains(&name) {
        return if count == 0 {
            Err(Wrong::new(format!("{name} needs at least 1 argument")))
        } else {
            Ok(())
        };
    }
    let Some(function) = find(name) else {
        return Err(
            Wrong::new(format!("unknown function \"{name}\"")).help(did_you_mean(name, names()))
        );
    };
    if call.args.expand_final() {
        Ok(())
    } else {
        function.takes(count)
    }
}

impl Function {
    fn takes(&self, count: usize) -> Result<(), Wrong> {
        let (name, least) = (self.name, self.least);
        if count >= least && self.most.is_none_or(|most| count <= most) {
            return Ok(());
        }
        let wanted = match self.most {
            None => format!("at least {}", operator::counted(least, "argument")),
            Some(most) if most == least => operator::counted(least, "argument"),
            Some(most) => format!("{least} to {most} arguments"),
        };
        Err(Wrong::new(format!(
            "{name} takes {wanted}, and {count} are given"
        )))
    }
}

/// Evaluates a call.
pub(super) fn call(evaluator: &mut Evaluator<'_>, call: &FuncCall) -> Outcome {
    exists(call).map_err(|wrong| wrong.at(call.name.name.span()))?;
    let name = call.name.name.as_str();
    let arguments: Vec<&Expression> = call.args.iter().collect();
    if LAZY.contains(&name) && !call.args.expand_final() {
        return match name {
            "coalesce" => coalesce(evaluator, &arguments),
            "can" => can(evaluator, &arguments),
            _ => attempt(evaluator, &arguments),
        };
    }
    let before = evaluator.meter.mark();
    let mut given = Vec::with_capacity(arguments.len());
    for (at, argument) in arguments.iter().enumerate() {
        let data = evaluator.expression(argument)?;
        if call.args.expand_final() && at + 1 == arguments.len() {
            if data.unknown.contains_key(&Path::root()) {
                return Ok(operator::unknown_from(
                    &given.iter().chain([&data]).collect::<Vec<_>>(),
                ));
            }
            let Value::Array(items) = &data.value else {
                return Err(Wrong::new(format!(
                    "only a list can be spread with \"...\", and this is {}",
                    kind(&data.value)
                ))
                .at(argument.span()));
            };
            evaluator.meter.create(Size::of_data(&data))?;
            given.extend(
                (0..items.len())
                    .map(|index| data.get(&Path::root().join(index)).unwrap_or_default()),
            );
        } else {
            given.push(data);
        }
    }
    let result = run(evaluator, name, given)?;
    evaluator.meter.back_to(before, Size::default());
    evaluator.meter.create(Size::of_data(&result))?;
    Ok(result)
}

fn run(evaluator: &Evaluator<'_>, name: &str, mut given: Vec<Data>) -> Outcome {
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
        return Err(Wrong::new(format!("{name} cannot be called with \"...\"")));
    };
    function.takes(given.len())?;
    let values: Vec<Value> = given.into_iter().map(|data| data.value).collect();
    let call = Call {
        args: &values,
        scope: evaluator.scope,
        meter: &evaluator.meter,
        over: RefCell::new(None),
    };
    let value = (function.run)(&call).map_err(|message| {
        if let Some(wrong) = call.over.take() {
            return Wrong {
                message: format!("{name}: {}", wrong.message),
                ..wrong
            };
        }
        // What a function says may hold a part of what it was given.
        Wrong::new(if secret {
            format!("{name} cannot work with this secret value")
        } else {
            format!("{name}: {message}")
        })
    })?;
    if let Value::String(text) = &value
        && text.len() > LONGEST_TEXT
    {
        let wrong = too_long();
        return Err(Wrong {
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
fn attempt(evaluator: &mut Evaluator<'_>, arguments: &[&Expression]) -> Outcome {
    let mut last = None;
    let met = evaluator.secrets;
    // That an argument failed tells of the secrets that were met by then.
    let mut hidden = false;
    let before = evaluator.meter.mark();
    for argument in arguments {
        evaluator.meter.back_to(before, Size::default());
        match evaluator.expression(argument) {
            Ok(mut data) => {
                data.secret.extend(hidden.then(Path::root));
                return Ok(data);
            }
            Err(wrong) if wrong.fatal => return Err(wrong),
            Err(wrong) => last = Some(wrong),
        }
        hidden = evaluator.secrets > met;
    }
    let reason = last.map_or_else(String::new, |wrong| {
        format!("; the last one: {}", wrong.message)
    });
    Err(Wrong::new(format!(
        "no argument of try can be evaluated{reason}"
    )))
}

/// `can(a)`: whether it has no mistake.
fn can(evaluator: &mut Evaluator<'_>, arguments: &[&Expression]) -> Outcome {
    let [argument] = arguments else {
        return Err(Wrong::new("can takes 1 argument"));
    };
    let met = evaluator.secrets;
    let before = evaluator.meter.mark();
    let result = evaluator.expression(argument);
    evaluator.meter.back_to(before, Size::string(0));
    let mut can = match result {
        Err(wrong) if wrong.fatal => return Err(wrong),
        Ok(data) if !data.is_known() => return Ok(operator::unknown_from(&[&data])),
        Ok(data) => operator::tainted_by(Value::Bool(true).into(), &[&data]),
        Err(_) => Value::Bool(false).into(),
    };
    let hidden = evaluator.secrets > met;
    can.secret.extend(hidden.then(Path::root));
    Ok(can)
}

/// `coalesce(a, b, …)`: the first that is neither null nor empty text. What follows it is
/// not looked at.
fn coalesce(evaluator: &mut Evaluator<'_>, arguments: &[&Expression]) -> Outcome {
    let mut before = Vec::new();
    for argument in arguments {
        let data = evaluator.expression(argument)?;
        if data.unknown.contains_key(&Path::root()) || !is_nothing(&data.value) {
            return Ok(operator::tainted_by(
                data,
                &before.iter().collect::<Vec<_>>(),
            ));
        }
        before.push(data);
    }
    Err(nothing_to_coalesce())
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn nothing_to_coalesce() -> Wrong {
    Wrong::new("coalesce: every argument is null or empty")
}

/// What a function is given.
pub(super) struct Call<'a> {
    args: &'a [Value],
    scope: &'a dyn Scope,
    meter: &'a Meter<'a>,
    /// The limit that the result would go beyond.
    over: RefCell<Option<Wrong>>,
}

impl Call<'_> {
    /// Looks whether the result may be a string of so many bytes, before it is created.
    ///
    /// # Errors
    /// When that is longer than a string may be.
    fn room(&self, bytes: usize) -> Result<(), String> {
        if bytes > LONGEST_TEXT {
            self.over.replace(Some(too_long()));
            return Err(String::new());
        }
        Ok(())
    }

    /// Looks whether the result may be a list of so many values, with so many bytes of strings,
    /// before it is created.
    ///
    /// # Errors
    /// When the stack would grow beyond its limits.
    fn room_for(&self, values: usize, bytes: usize) -> Result<(), String> {
        self.meter.fits(Size { values, bytes }).map_err(|wrong| {
            self.over.replace(Some(wrong));
            String::new()
        })
    }

    /// Counts work that takes longer than the size of what is given says.
    fn work(&self, steps: usize) -> Result<(), String> {
        self.meter.work(steps as u64).map_err(|wrong| {
            self.over.replace(Some(wrong));
            String::new()
        })
    }

    fn has(&self, at: usize) -> bool {
        at < self.args.len()
    }

    fn any(&self, at: usize) -> &Value {
        self.args.get(at).unwrap_or(&Value::Null)
    }

    fn expected(&self, at: usize, what: &str) -> String {
        format!(
            "argument {}: expected {what}, got {}",
            at + 1,
            kind(self.any(at))
        )
    }

    /// An argument as text; numbers and bools are converted.
    fn text(&self, at: usize) -> Result<String, String> {
        operator::text(self.any(at)).map_err(|_| self.expected(at, "a string"))
    }

    fn number(&self, at: usize) -> Result<Number, String> {
        operator::number(self.any(at)).map_err(|_| self.expected(at, "a number"))
    }

    fn whole(&self, at: usize) -> Result<i64, String> {
        let number = self.number(at)?;
        number
            .as_i64()
            .or_else(|| {
                let float = operator::float(&number);
                #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
                (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64)
            })
            .ok_or_else(|| format!("argument {} must be an integer", at + 1))
    }

    fn list(&self, at: usize) -> Result<&[Value], String> {
        match self.any(at) {
            Value::Array(items) => Ok(items),
            _ => Err(self.expected(at, "a list")),
        }
    }

    fn map(&self, at: usize) -> Result<&Map<String, Value>, String> {
        match self.any(at) {
            Value::Object(map) => Ok(map),
            _ => Err(self.expected(at, "a map")),
        }
    }

    /// A list of texts.
    fn texts(&self, at: usize) -> Result<Vec<String>, String> {
        self.list(at)?
            .iter()
            .map(|item| {
                operator::text(item).map_err(|_| {
                    format!(
                        "argument {}: expected a list of strings, got {} in it",
                        at + 1,
                        kind(item)
                    )
                })
            })
            .collect()
    }
}

/// Every name, for tests.
#[cfg(test)]
pub(super) fn all_names() -> Vec<&'static str> {
    names().collect()
}

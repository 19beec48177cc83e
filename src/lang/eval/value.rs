//! Values: their kinds, their conversions, and how "unknown" and "secret" spread.

use super::error::EvalError;
use crate::data::{Data, Path};
use serde_json::{Number, Value};
use std::cmp::Ordering;

pub(super) use crate::schema::kind;

/// What an evaluation gives.
pub(super) type Outcome = Result<Data, EvalError>;

/// A string that an expression creates may be at most this long.
pub(super) const LONGEST_TEXT: usize = 16 * 1024 * 1024;

/// `1 item`, `2 items`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A number as JSON: whole where it is whole.
pub(super) fn number_value(number: f64) -> Result<Value, EvalError> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or_else(|| EvalError::new("the result is not a finite number"))
}

/// A number as written in an expression.
pub(super) fn literal(number: &hcl::Number) -> Result<Value, EvalError> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(whole), _, _) => Ok(whole.into()),
        (_, Some(whole), _) => Ok(whole.into()),
        (_, _, Some(float)) => number_value(float),
        _ => Err(EvalError::new("this number is out of range")),
    }
}

/// A value as a string, where Terraform converts it: strings, numbers and bools.
pub(super) fn text(value: &Value) -> Result<String, EvalError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number_text(number)),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => Err(EvalError::new("expected a string, got null")
            .help("coalesce(…, \"\") gives a string for when it is null".to_owned())),
        other => Err(
            EvalError::new(format!("expected a string, got {}", kind(other)))
                .help("use join or jsonencode to make a string of it".to_owned()),
        ),
    }
}

/// A number as a string, without an exponent.
pub(super) fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float.to_string(),
        _ => number.to_string(),
    }
}

/// A value as a bool: a bool, or the strings `true` and `false`.
pub(super) fn bool(value: &Value) -> Result<bool, EvalError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(EvalError::new(format!(
            "expected a bool, got {}",
            kind(other)
        ))),
    }
}

/// A value as a number: a number, or a string that reads as one.
pub(super) fn number(value: &Value) -> Result<Number, EvalError> {
    match value {
        Value::Number(number) => Ok(number.clone()),
        Value::String(text) => parse_number(text)
            .ok_or_else(|| EvalError::new("expected a number, and this string is none")),
        other => Err(EvalError::new(format!(
            "expected a number, got {}",
            kind(other)
        ))),
    }
}

/// The number that a string holds.
pub(super) fn parse_number(text: &str) -> Option<Number> {
    let digits = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !digits || text.is_empty() {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

/// A number as a float.
pub(super) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// Whether two values are the same, numbers by value.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            compare(left, right) == Some(Ordering::Equal)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        (left, right) => left == right,
    }
}

/// The order of two numbers.
pub(super) fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => float(left).partial_cmp(&float(right)),
    }
}

/// A number that has no fraction, whole.
pub(super) fn whole(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
        .or_else(|| plain(number)?.as_i64().map(i128::from))
}

/// A number that is written in another form than JSON's own (`1.0`, `1e3`), in that one.
pub(super) fn plain(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    number_value(float).ok()?.as_number().cloned()
}

/// A wholly unknown value that is secret where one it comes from is.
pub(super) fn unknown_from(from: &[&Data]) -> Data {
    tainted_by(Data::unknown(""), from)
}

/// The value, secret where something it was computed from is.
pub(super) fn tainted_by(mut value: Data, from: &[&Data]) -> Data {
    if from.iter().any(|data| !data.secret.is_empty()) {
        value.secret.insert(Path::root());
    }
    value
}

//! Functions on numbers, and conversions.

use super::call::{Call, Function, function};
use crate::lang::eval::value::{self, compare, float, kind, number_value};
use serde_json::{Number, Value};
use std::cmp::Ordering;

pub(super) const TABLE: &[Function] = &[
    function("abs", 1, Some(1), |call| {
        let number = call.number(0)?;
        match number.as_i64() {
            Some(whole) => Ok(whole.unsigned_abs().into()),
            None => finite(float(&number).abs()),
        }
    }),
    function("ceil", 1, Some(1), |call| {
        finite(float(&call.number(0)?).ceil())
    }),
    function("floor", 1, Some(1), |call| {
        finite(float(&call.number(0)?).floor())
    }),
    function("max", 1, None, |call| extreme(call, Ordering::Greater)),
    function("min", 1, None, |call| extreme(call, Ordering::Less)),
    function("parseint", 2, Some(2), |call| {
        let base = u32::try_from(call.whole(1)?)
            .ok()
            .filter(|base| (2..=36).contains(base));
        let base = base.ok_or("argument 2 must be from 2 to 36")?;
        i64::from_str_radix(&call.text(0)?, base)
            .map(Value::from)
            .map_err(|_| format!("argument 1 is not an integer in base {base}"))
    }),
    function("pow", 2, Some(2), |call| {
        finite(float(&call.number(0)?).powf(float(&call.number(1)?)))
    }),
    function("sensitive", 1, Some(1), |call| Ok(call.any(0).clone())),
    function("signum", 1, Some(1), |call| {
        let number = float(&call.number(0)?);
        finite(if number == 0.0 { 0.0 } else { number.signum() })
    }),
    function("tobool", 1, Some(1), |call| match call.any(0) {
        Value::Null => Ok(Value::Null),
        value => value::bool(value)
            .map(Value::Bool)
            .map_err(|_| unfit(value, "a bool")),
    }),
    function("tonumber", 1, Some(1), |call| match call.any(0) {
        Value::Null => Ok(Value::Null),
        value => value::number(value)
            .map(Value::Number)
            .map_err(|_| unfit(value, "a number")),
    }),
    function("tostring", 1, Some(1), |call| match call.any(0) {
        Value::Null => Ok(Value::Null),
        value => value::text(value)
            .map(Value::String)
            .map_err(|_| unfit(value, "a string")),
    }),
];

fn unfit(value: &Value, what: &str) -> String {
    match value {
        Value::String(_) => format!("this string cannot be converted to {what}"),
        other => format!("{} cannot be made {what}", kind(other)),
    }
}

fn finite(number: f64) -> Result<Value, String> {
    number_value(number).map_err(|_| "the result is not a finite number".to_owned())
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<Value, String> {
    let numbers: Vec<Number> = (0..call.args.len())
        .map(|at| call.number(at))
        .collect::<Result<_, _>>()?;
    numbers
        .into_iter()
        .reduce(|best, number| {
            if compare(&number, &best) == Some(wanted) {
                number
            } else {
                best
            }
        })
        .map(Value::Number)
        .ok_or_else(|| "no argument was given".to_owned())
}

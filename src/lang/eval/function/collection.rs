//! Functions on lists, sets and maps. A set is a list without duplicates, sorted.

use super::call::{Call, Function, function};
use crate::lang::eval::value::{self, compare, float, kind, number_value, same};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::collections::HashSet;

pub(super) const TABLE: &[Function] = &[
    function("alltrue", 1, Some(1), |call| {
        Ok(call
            .list(0)?
            .iter()
            .all(|item| value::bool(item).unwrap_or(false))
            .into())
    }),
    function("anytrue", 1, Some(1), |call| {
        Ok(call
            .list(0)?
            .iter()
            .any(|item| value::bool(item).unwrap_or(false))
            .into())
    }),
    function("chunklist", 2, Some(2), |call| {
        let size = usize::try_from(call.whole(1)?)
            .ok()
            .filter(|size| *size > 0);
        let size = size.ok_or("argument 2 must be 1 or more")?;
        let items = call.list(0)?;
        call.room_for(items.len().div_ceil(size), 0)?;
        Ok(items
            .chunks(size)
            .map(<[Value]>::to_vec)
            .map(Value::Array)
            .collect())
    }),
    function("coalescelist", 1, None, |call| {
        for at in 0..call.args.len() {
            if !call.any(at).is_null() && !call.list(at)?.is_empty() {
                return Ok(call.any(at).clone());
            }
        }
        Err("every list is empty".to_owned())
    }),
    function("compact", 1, Some(1), |call| {
        let kept = |item: &&Value| !item.is_null() && item.as_str() != Some("");
        Ok(call.list(0)?.iter().filter(kept).cloned().collect())
    }),
    function("concat", 1, None, |call| {
        let mut all = Vec::new();
        for at in 0..call.args.len() {
            all.extend(call.list(at)?.iter().cloned());
        }
        Ok(Value::Array(all))
    }),
    function("contains", 2, Some(2), |call| {
        Ok(call
            .list(0)?
            .iter()
            .any(|item| same(item, call.any(1)))
            .into())
    }),
    function("distinct", 1, Some(1), |call| {
        Ok(Value::Array(distinct(call.list(0)?)))
    }),
    function("element", 2, Some(2), |call| {
        let items = call.list(0)?;
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        if length == 0 {
            return Err("the list is empty".to_owned());
        }
        let at = usize::try_from(call.whole(1)?.rem_euclid(length)).unwrap_or(0);
        Ok(items.get(at).cloned().unwrap_or_default())
    }),
    function("flatten", 1, Some(1), |call| {
        let mut flat = Vec::new();
        flatten(call.list(0)?, &mut flat);
        Ok(Value::Array(flat))
    }),
    function("index", 2, Some(2), |call| {
        let found = call
            .list(0)?
            .iter()
            .position(|item| same(item, call.any(1)));
        found
            .map(Value::from)
            .ok_or_else(|| "the list does not hold this value".to_owned())
    }),
    function("keys", 1, Some(1), |call| {
        Ok(call.map(0)?.keys().cloned().collect())
    }),
    function("length", 1, Some(1), |call| match call.any(0) {
        Value::String(text) => Ok(text.chars().count().into()),
        Value::Array(items) => Ok(items.len().into()),
        Value::Object(map) => Ok(map.len().into()),
        _ => Err(call.expected(0, "a string, a list or a map")),
    }),
    function("lookup", 2, Some(3), |call| {
        let (map, key) = (call.map(0)?, call.text(1)?);
        match map.get(&key) {
            Some(found) => Ok(found.clone()),
            None if call.has(2) => Ok(call.any(2).clone()),
            None => Err(format!("the map has no {key:?}, and no default is given")),
        }
    }),
    function("merge", 1, None, |call| {
        let mut all = Map::new();
        for at in 0..call.args.len() {
            if !call.any(at).is_null() {
                all.extend(call.map(at)?.clone());
            }
        }
        Ok(Value::Object(all))
    }),
    function("one", 1, Some(1), |call| match call.list(0)? {
        [] => Ok(Value::Null),
        [only] => Ok(only.clone()),
        many => Err(format!(
            "the list has {} items, and at most 1 is expected",
            many.len()
        )),
    }),
    function("range", 1, Some(3), range),
    function("reverse", 1, Some(1), |call| {
        Ok(call.list(0)?.iter().rev().cloned().collect())
    }),
    function("setintersection", 1, None, |call| {
        let mut kept = call.list(0)?.to_vec();
        for at in 1..call.args.len() {
            let other: HashSet<String> = call.list(at)?.iter().map(canonical).collect();
            kept.retain(|item| other.contains(&canonical(item)));
        }
        Ok(set(&kept))
    }),
    function("setsubtract", 2, Some(2), |call| {
        let other: HashSet<String> = call.list(1)?.iter().map(canonical).collect();
        let kept = call
            .list(0)?
            .iter()
            .filter(|item| !other.contains(&canonical(item)));
        Ok(set(&kept.cloned().collect::<Vec<_>>()))
    }),
    function("setunion", 1, None, |call| {
        let mut all = Vec::new();
        for at in 0..call.args.len() {
            all.extend(call.list(at)?.iter().cloned());
        }
        Ok(set(&all))
    }),
    function("slice", 3, Some(3), |call| {
        let items = call.list(0)?;
        let bound = |at: usize| call.whole(at).map(|bound| usize::try_from(bound).ok());
        match (bound(1)?, bound(2)?) {
            (Some(start), Some(end)) if start <= end && end <= items.len() => {
                Ok(Value::Array(items[start..end].to_vec()))
            }
            _ => Err(format!(
                "the list has {} items, the bounds are outside",
                items.len()
            )),
        }
    }),
    function("sort", 1, Some(1), |call| {
        let mut texts = call.texts(0)?;
        texts.sort();
        Ok(texts.into())
    }),
    function("sum", 1, Some(1), |call| {
        let mut sum = 0.0;
        for item in call.list(0)? {
            let number = value::number(item)
                .map_err(|_| format!("the list holds {}, and not only numbers", kind(item)))?;
            sum += float(&number);
        }
        number_value(sum).map_err(|_| "the result is not a finite number".to_owned())
    }),
    function("tolist", 1, Some(1), |call| match call.any(0) {
        Value::Null => Ok(Value::Null),
        _ => Ok(Value::Array(call.list(0)?.to_vec())),
    }),
    function("tomap", 1, Some(1), |call| match call.any(0) {
        Value::Null => Ok(Value::Null),
        _ => Ok(Value::Object(call.map(0)?.clone())),
    }),
    function("toset", 1, Some(1), |call| match call.any(0) {
        Value::Null => Ok(Value::Null),
        _ => Ok(set(call.list(0)?)),
    }),
    function("values", 1, Some(1), |call| {
        Ok(call.map(0)?.values().cloned().collect())
    }),
    function("zipmap", 2, Some(2), |call| {
        let (keys, values) = (call.texts(0)?, call.list(1)?);
        if keys.len() != values.len() {
            return Err(format!(
                "{} keys and {} values are given",
                keys.len(),
                values.len()
            ));
        }
        Ok(Value::Object(
            keys.into_iter().zip(values.iter().cloned()).collect(),
        ))
    }),
];

fn distinct(items: &[Value]) -> Vec<Value> {
    let mut seen = HashSet::new();
    items
        .iter()
        .filter(|item| seen.insert(item.to_string()))
        .cloned()
        .collect()
}

fn set(items: &[Value]) -> Value {
    let items = distinct(items).into_iter();
    let mut items: Vec<_> = items.map(|item| (item.to_string(), item)).collect();
    items.sort_by(|left, right| match (&left.1, &right.1) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => {
            compare(left, right).unwrap_or(Ordering::Equal)
        }
        _ => left.0.cmp(&right.0),
    });
    items.into_iter().map(|(_, item)| item).collect()
}

/// A value as a string that is the same for values that are the same: `1` and `1.0`.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => value::plain(number)
            .unwrap_or_else(|| number.clone())
            .to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            let entries = map.iter();
            let entries: Vec<String> = entries
                .map(|(key, item)| format!("{}:{}", Value::from(key.as_str()), canonical(item)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        other => other.to_string(),
    }
}

fn flatten(items: &[Value], flat: &mut Vec<Value>) {
    for item in items {
        match item {
            Value::Array(inner) => flatten(inner, flat),
            other => flat.push(other.clone()),
        }
    }
}

/// `range(limit)`, `range(start, limit)`, `range(start, limit, step)`; at most 1024 items.
fn range(call: &Call<'_>) -> Result<Value, String> {
    const MOST: usize = 1024;
    let first = float(&call.number(0)?);
    let (start, limit) = if call.has(1) {
        (first, float(&call.number(1)?))
    } else {
        (0.0, first)
    };
    let step = match call.has(2) {
        true => float(&call.number(2)?),
        false if limit < start => -1.0,
        false => 1.0,
    };
    if step == 0.0 || (limit > start && step < 0.0) || (limit < start && step > 0.0) {
        return Err("the step never reaches the limit".to_owned());
    }
    let mut items = Vec::new();
    let mut at = start;
    while (step > 0.0 && at < limit) || (step < 0.0 && at > limit) {
        if items.len() == MOST {
            return Err(format!("the range has more than {MOST} items"));
        }
        items.push(number_value(at).map_err(|_| "the range is not finite".to_owned())?);
        at += step;
    }
    Ok(Value::Array(items))
}

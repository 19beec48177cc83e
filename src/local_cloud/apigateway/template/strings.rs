//! Methods of strings, as Java has them: lengths and places count UTF-16 units.

use super::value::Value;
use regex::{Regex, RegexBuilder};

/// The most bytes that a compiled pattern may take.
const MOST_BYTES: usize = 1 << 20;

/// A method of a string; none where it has no such method.
pub(super) fn call(text: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    if let Some(value) = plain(text, name, arguments) {
        return Ok(Some(value));
    }
    if let Some(value) = by_place(text, name, arguments)? {
        return Ok(Some(value));
    }
    by_pattern(text, name, arguments)
}

fn plain(text: &str, name: &str, arguments: &[Value]) -> Option<Value> {
    let as_text = |argument: &Value| match argument {
        Value::Text(text) => Some(text.to_string()),
        _ => None,
    };
    Some(match (name, arguments) {
        ("length", []) => Value::Int(text.encode_utf16().count() as i128),
        ("isEmpty", []) => Value::Bool(text.is_empty()),
        ("isBlank", []) => Value::Bool(text.trim().is_empty()),
        ("toUpperCase", []) => Value::from(text.to_uppercase()),
        ("toLowerCase", []) => Value::from(text.to_lowercase()),
        ("trim", []) => Value::from(text.trim_matches(|c| c <= ' ')),
        ("strip", []) => Value::from(text.trim()),
        ("hashCode", []) => {
            let hash = text.encode_utf16().fold(0_i32, |hash, unit| {
                hash.wrapping_mul(31).wrapping_add(unit.into())
            });
            Value::Int(hash.into())
        }
        ("concat", [other]) => Value::from(format!("{text}{}", as_text(other)?)),
        ("startsWith", [other]) => Value::Bool(text.starts_with(&as_text(other)?)),
        ("endsWith", [other]) => Value::Bool(text.ends_with(&as_text(other)?)),
        ("contains", [other]) => Value::Bool(text.contains(&as_text(other)?)),
        ("equalsIgnoreCase", [other]) => {
            Value::Bool(text.to_lowercase() == as_text(other)?.to_lowercase())
        }
        ("compareTo", [other]) => Value::Int(compare(text, &as_text(other)?)),
        ("replace", [old, new]) => Value::from(text.replace(&as_text(old)?, &as_text(new)?)),
        _ => return None,
    })
}

/// Java's `compareTo`: the difference of the first units that differ, else of the lengths.
fn compare(a: &str, b: &str) -> i128 {
    let pairs = a.encode_utf16().zip(b.encode_utf16());
    let mut differences = pairs.map(|(a, b)| i128::from(a) - i128::from(b));
    let lengths = a.encode_utf16().count() as i128 - b.encode_utf16().count() as i128;
    differences.find(|it| *it != 0).unwrap_or(lengths)
}

fn by_place(text: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let outside = |index: i128| {
        format!(
            "Index {index} is outside of a string of {} characters.",
            units.len()
        )
    };
    let part = |from: i128, to: i128| {
        let bounds = usize::try_from(from).ok().zip(usize::try_from(to).ok());
        let part = bounds.and_then(|(from, to)| units.get(from..to));
        let index = if from < 0 || from > units.len() as i128 {
            from
        } else {
            to
        };
        part.map(String::from_utf16_lossy)
            .ok_or_else(|| outside(index))
    };
    let find = |wanted: &str, from: i128| {
        let wanted: Vec<u16> = wanted.encode_utf16().collect();
        let from = usize::try_from(from).unwrap_or(0);
        let found = (from..=units.len()).find(|at| units[*at..].starts_with(&wanted));
        Value::Int(found.map_or(-1, |at| at as i128))
    };
    Ok(Some(match (name, arguments) {
        ("substring", [Value::Int(from)]) => Value::from(part(*from, units.len() as i128)?),
        ("substring" | "subSequence", [Value::Int(from), Value::Int(to)]) => {
            Value::from(part(*from, *to)?)
        }
        ("charAt", [Value::Int(at)]) => Value::from(part(*at, at.saturating_add(1))?),
        ("indexOf", [Value::Text(wanted)]) => find(wanted, 0),
        ("indexOf", [Value::Text(wanted), Value::Int(from)]) => find(wanted, *from),
        ("lastIndexOf", [Value::Text(wanted)]) => {
            let found = text.rfind(&**wanted);
            let place = found.map(|at| text[..at].encode_utf16().count() as i128);
            Value::Int(place.unwrap_or(-1))
        }
        _ => return Ok(None),
    }))
}

fn by_pattern(text: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    let replaced = |all: bool, old: &str, new: &str| {
        let pattern = pattern(old)?;
        let count = pattern.captures_len();
        let new = replacement(new, count)?;
        let new = new.as_str();
        Ok::<_, String>(match all {
            true => pattern.replace_all(text, new).into_owned(),
            false => pattern.replace(text, new).into_owned(),
        })
    };
    Ok(Some(match (name, arguments) {
        ("matches", [Value::Text(wanted)]) => {
            let whole = pattern(&format!("^(?:{wanted})$"))?;
            Value::Bool(whole.is_match(text))
        }
        ("replaceAll", [Value::Text(old), Value::Text(new)]) => {
            Value::from(replaced(true, old, new)?)
        }
        ("replaceFirst", [Value::Text(old), Value::Text(new)]) => {
            Value::from(replaced(false, old, new)?)
        }
        ("split", [Value::Text(at)]) => split(text, at, 0)?,
        ("split", [Value::Text(at), Value::Int(limit)]) => split(text, at, *limit)?,
        _ => return Ok(None),
    }))
}

fn pattern(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).size_limit(MOST_BYTES).build();
    built.map_err(|_| {
        format!("{text:?} is no regular expression that the local cloud's templates know.")
    })
}

/// A replacement of Java in the notation of `regex`: `$1` is a group, a backslash takes the next
/// character as it is.
fn replacement(text: &str, groups: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('$') => out.push_str("$$"),
                Some(next) => out.push(next),
                None => return Err("A replacement ends in a backslash.".to_owned()),
            },
            '$' => {
                let digit = characters.next().and_then(|c| c.to_digit(10));
                let group = digit.filter(|digit| (*digit as usize) < groups);
                let group =
                    group.ok_or_else(|| format!("The replacement {text:?} names no group."))?;
                out.push_str(&format!("${{{group}}}"));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Java's `split`: without a limit, empty strings at the end are omitted; a match of nothing at
/// the start gives none.
fn split(text: &str, at: &str, limit: i128) -> Result<Value, String> {
    let pattern = pattern(at)?;
    let most = usize::try_from(limit).ok().filter(|limit| *limit > 0);
    let mut parts = Vec::new();
    let mut start = 0;
    for found in pattern.find_iter(text) {
        if most.is_some_and(|most| parts.len() + 1 == most) {
            break;
        }
        if found.end() == 0 || found.is_empty() && found.start() == text.len() {
            continue;
        }
        parts.push(&text[start..found.start()]);
        start = found.end();
    }
    parts.push(&text[start..]);
    if limit == 0 && parts.len() > 1 {
        let kept = parts.iter().rposition(|part| !part.is_empty());
        parts.truncate(kept.map_or(0, |last| last + 1));
    }
    Ok(Value::list(parts.into_iter().map(Value::from).collect()))
}

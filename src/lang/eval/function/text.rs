//! Functions on strings.

use super::call::{Call, Function, function};
use super::format::format;
use crate::lang::pattern::{self, Pattern};
use regex::Regex;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::HashMap;

pub(super) const TABLE: &[Function] = &[
    function("chomp", 1, Some(1), |call| {
        Ok(call.text(0)?.trim_end_matches(['\n', '\r']).into())
    }),
    function("endswith", 2, Some(2), |call| {
        Ok(call.text(0)?.ends_with(&call.text(1)?).into())
    }),
    function("format", 1, None, |call| {
        format(call, &call.text(0)?, &call.args[1..]).map(Value::from)
    }),
    function("indent", 2, Some(2), |call| {
        let blanks = " ".repeat(usize::try_from(call.whole(0)?).unwrap_or(0).min(1000));
        let text = call.text(1)?;
        let lines = text.bytes().filter(|byte| *byte == b'\n').count();
        call.room(
            text.len()
                .saturating_add(lines.saturating_mul(blanks.len())),
        )?;
        Ok(text.replace('\n', &format!("\n{blanks}")).into())
    }),
    function("join", 2, None, |call| {
        let mut texts = Vec::new();
        for at in 1..call.args.len() {
            texts.extend(call.texts(at)?);
        }
        let separator = call.text(0)?;
        let bytes: usize = texts.iter().map(String::len).sum();
        call.room(bytes.saturating_add(separator.len().saturating_mul(texts.len())))?;
        Ok(texts.join(&separator).into())
    }),
    function("lower", 1, Some(1), |call| {
        Ok(call.text(0)?.to_lowercase().into())
    }),
    function("regex", 2, Some(2), regex),
    function("regexall", 2, Some(2), regexall),
    function("replace", 3, Some(3), replace),
    function("split", 2, Some(2), |call| {
        let (separator, text) = (call.text(0)?, call.text(1)?);
        if separator.is_empty() {
            call.room_for(text.chars().count(), text.len())?;
            return Ok(text.chars().map(String::from).collect());
        }
        call.room_for(text.matches(&separator).count() + 1, text.len())?;
        Ok(text.split(&separator).map(str::to_owned).collect())
    }),
    function("startswith", 2, Some(2), |call| {
        Ok(call.text(0)?.starts_with(&call.text(1)?).into())
    }),
    function("strrev", 1, Some(1), |call| {
        Ok(call.text(0)?.chars().rev().collect::<String>().into())
    }),
    function("substr", 3, Some(3), substr),
    function("title", 1, Some(1), |call| Ok(title(&call.text(0)?).into())),
    function("trim", 2, Some(2), |call| {
        let set: Vec<char> = call.text(1)?.chars().collect();
        Ok(call.text(0)?.trim_matches(set.as_slice()).into())
    }),
    function("trimprefix", 2, Some(2), |call| {
        let (text, prefix) = (call.text(0)?, call.text(1)?);
        Ok(text.strip_prefix(&prefix).unwrap_or(&text).into())
    }),
    function("trimspace", 1, Some(1), |call| {
        Ok(call.text(0)?.trim().into())
    }),
    function("trimsuffix", 2, Some(2), |call| {
        let (text, suffix) = (call.text(0)?, call.text(1)?);
        Ok(text.strip_suffix(&suffix).unwrap_or(&text).into())
    }),
    function("upper", 1, Some(1), |call| {
        Ok(call.text(0)?.to_uppercase().into())
    }),
];

/// The work of compiling a small pattern and a large one, in steps of evaluation.
const SMALL: usize = 500;
const LARGE: usize = 200_000;

/// The most bytes of a pattern, compiled.
const LARGEST: usize = 1 << 20;

/// A pattern, compiled, to be matched with `text`. Those of this thread are kept: a pattern stands
/// in a loop as a rule.
fn pattern(call: &Call<'_>, written: &str, text: &str) -> Result<Regex, String> {
    const KEPT: usize = 64;
    thread_local! {
        static CACHE: RefCell<HashMap<String, Pattern>> = RefCell::default();
    }
    let known = CACHE.with_borrow(|cache| cache.get(written).cloned());
    let pattern = match known {
        Some(pattern) => pattern,
        None => {
            call.work(SMALL)?;
            let pattern = pattern::compile(written, None).or_else(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    call.work(LARGE)?;
                    pattern::compile(written, Some(LARGEST)).map_err(|_| wrong(written))
                }
                _ => Err(wrong(written)),
            })?;
            CACHE.with_borrow_mut(|cache| {
                if cache.len() >= KEPT {
                    cache.clear();
                }
                cache.insert(written.to_owned(), pattern.clone());
            });
            pattern
        }
    };
    // A large pattern may look at each byte many times.
    call.work(text.len() / if pattern.is_large { 1 } else { 16 })?;
    Ok(pattern.regex)
}

fn wrong(written: &str) -> String {
    format!("{written:?} is not a regular expression, or too large a one")
}

/// What a match returns: the string, or a list of the groups, or a map of the named ones.
fn match_value(pattern: &Regex, captures: &regex::Captures<'_>) -> Value {
    let group = |found: Option<regex::Match<'_>>| {
        found.map_or(Value::Null, |found| Value::from(found.as_str()))
    };
    if captures.len() == 1 {
        return group(captures.get(0));
    }
    let named: Map<String, Value> = pattern
        .capture_names()
        .flatten()
        .map(|name| (name.to_owned(), group(captures.name(name))))
        .collect();
    if named.is_empty() {
        captures.iter().skip(1).map(group).collect()
    } else {
        Value::Object(named)
    }
}

fn regex(call: &Call<'_>) -> Result<Value, String> {
    let text = call.text(1)?;
    let pattern = pattern(call, &call.text(0)?, &text)?;
    let captures = pattern
        .captures(&text)
        .ok_or_else(|| "the pattern does not match".to_owned())?;
    let bytes = captures.iter().flatten().map(|group| group.len()).sum();
    call.room_for(captures.len() + 1, bytes)?;
    Ok(match_value(&pattern, &captures))
}

fn regexall(call: &Call<'_>) -> Result<Value, String> {
    let text = call.text(1)?;
    let pattern = pattern(call, &call.text(0)?, &text)?;
    let mut all = Vec::new();
    let (mut values, mut bytes) = (0, 0);
    for captures in pattern.captures_iter(&text) {
        values += captures.len() + 1;
        bytes += captures
            .iter()
            .flatten()
            .map(|group| group.len())
            .sum::<usize>();
        call.room_for(values, bytes)?;
        all.push(match_value(&pattern, &captures));
    }
    Ok(Value::Array(all))
}

/// `replace(text, part, new)`; a part between slashes is a regular expression, whose groups `$1` or
/// `${name}` stand for in the new string.
fn replace(call: &Call<'_>) -> Result<Value, String> {
    let (text, part, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
    if part.len() > 1
        && let Some(inner) = part
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
    {
        return replace_pattern(call, &pattern(call, inner, &text)?, &text, &new).map(Value::from);
    }
    let times = text.matches(&part).count();
    call.room(text.len().saturating_add(times.saturating_mul(new.len())))?;
    Ok(text.replace(&part, &new).into())
}

fn replace_pattern(
    call: &Call<'_>,
    pattern: &Regex,
    text: &str,
    new: &str,
) -> Result<String, String> {
    // What `$1` stands for may be as long as the string, each time it occurs.
    let names = new.bytes().filter(|byte| *byte == b'$').count();
    let mut out = String::new();
    let mut done = 0;
    for captures in pattern.captures_iter(text) {
        let Some(all) = captures.get(0) else { continue };
        let longest = captures.iter().flatten().map(|group| group.len()).max();
        let most = names.saturating_mul(longest.unwrap_or(0));
        let between = &text[done..all.start()];
        call.room(out.len() + between.len() + new.len().saturating_add(most))?;
        out.push_str(between);
        captures.expand(new, &mut out);
        done = all.end();
    }
    call.room(out.len() + text.len() - done)?;
    out.push_str(&text[done..]);
    Ok(out)
}

/// `substr(text, offset, length)`, in characters; a negative offset counts from the end, the
/// length -1 goes to it.
fn substr(call: &Call<'_>) -> Result<Value, String> {
    let chars: Vec<char> = call.text(0)?.chars().collect();
    let (offset, length) = (call.whole(1)?, call.whole(2)?);
    let count = i64::try_from(chars.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 {
        count.saturating_add(offset).max(0)
    } else {
        offset.min(count)
    };
    let end = match length {
        -1 => count,
        length if length < 0 => return Err("argument 3 must be -1 or more".to_owned()),
        length => start.saturating_add(length).min(count),
    };
    let (start, end) = (
        usize::try_from(start).unwrap_or(0),
        usize::try_from(end).unwrap_or(0),
    );
    Ok(chars[start..end].iter().collect::<String>().into())
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .map(|c| {
            let upper = start && c.is_alphabetic();
            start = !(c.is_alphanumeric() || c == '_' || c == '\'');
            if upper {
                c.to_uppercase().next().unwrap_or(c)
            } else {
                c
            }
        })
        .collect()
}

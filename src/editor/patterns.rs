//! Regular expressions in the notation of editors, which is that of JavaScript.

use super::written::EXPRESSION;
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The highest bound of a repetition that stays: a higher one is too large for some validators,
/// and becomes none.
const HIGHEST: u32 = 128;

/// The pattern as an editor reads it; none where it could be read in another way there.
pub(super) fn of_editors(pattern: &str) -> Option<String> {
    // Groups with flags and classes by name in brackets are not JavaScript's; nor are `\\p{Graph}`
    // and its like, which have longer names than Unicode's categories, and what repeats an end.
    static OTHERS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\(\?[imsx-]+[:)]|\[\[:|\\[pP]\{[^}]{3,}\}|[^\\]\$\{\d").ok());
    if OTHERS.as_ref()?.is_match(pattern) {
        return None;
    }
    let mut text = String::with_capacity(pattern.len());
    let (mut in_class, mut in_braces) = (false, false);
    let mut left = pattern.chars();
    while let Some(c) = left.next() {
        match c {
            '\\' => {
                let escaped = left.next()?;
                in_braces |=
                    matches!(escaped, 'p' | 'P' | 'u' | 'x') && left.as_str().starts_with('{');
                text.push_str(&escape(escaped, in_class));
                continue;
            }
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '{' if !in_class => {
                if let Some((bounds, rest)) = left.as_str().split_once('}') {
                    text.push_str(&repeated(bounds));
                    left = rest.chars();
                    continue;
                }
            }
            '}' if !in_class && !in_braces => text.push('\\'),
            '}' => in_braces = false,
            _ => {}
        }
        text.push(c);
    }
    Some(text)
}

/// An escaped character in the strict notation: one that means nothing special is not escaped.
fn escape(c: char, in_class: bool) -> String {
    match c {
        'A' => "^".to_owned(),
        'z' | 'Z' => "$".to_owned(),
        '-' if in_class => "\\-".to_owned(),
        c if c.is_ascii_alphanumeric() || r"^$\.*+?()[]{}|/".contains(c) => format!("\\{c}"),
        c => c.to_string(),
    }
}

/// How often something is repeated, without an upper bound that is too high.
fn repeated(bounds: &str) -> String {
    let high = |number: &str| number.parse().map_or(true, |number: u32| number > HIGHEST);
    match bounds.split_once(',') {
        Some((least, most)) if !most.is_empty() && high(most) => match high(least) {
            true => "+".to_owned(),
            false => format!("{{{least},}}"),
        },
        _ => format!("{{{bounds}}}"),
    }
}

/// The same, which an expression fits too.
pub(super) fn or_expression(pattern: &str) -> Option<String> {
    of_editors(pattern).map(|pattern| format!("{EXPRESSION}|(?:{pattern})"))
}

/// The longest string that a pattern counts: no editor shows a mistake in a longer one in time.
const LONGEST: u64 = 1024;

/// One pattern for the pattern and the lengths of a string, which an expression fits too, and what
/// is expected. Lengths alone would be a mistake in every long expression.
pub(super) fn of_string(schema: &Map<String, Value>) -> Option<(String, String)> {
    let pattern = schema.get("pattern").and_then(Value::as_str);
    let count = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let least = count("minLength").unwrap_or_default().min(LONGEST);
    let most = count("maxLength").filter(|most| *most <= LONGEST);
    let counted = match (least, most) {
        (0, None) => None,
        (1, None) => Some("a string that is not empty".to_owned()),
        (least, None) => Some(format!("at least {least} characters")),
        (0, Some(most)) => Some(format!("at most {most} characters")),
        (least, Some(most)) if least == most => Some(format!("{most} characters")),
        (least, Some(most)) => Some(format!("{least} to {most} characters")),
    };
    let own = pattern.and_then(of_editors);
    let what = match (&counted, &own) {
        (None, None) => return None,
        (Some(counted), None) => counted.clone(),
        (None, Some(own)) => format!("a string that matches {own}"),
        (Some(counted), Some(own)) => format!("{counted} that match {own}"),
    };
    let own = own.map_or(String::new(), |own| format!("(?:{own})"));
    let both = match counted {
        None => own,
        Some(_) => {
            let most = most.map_or(String::new(), |most| most.to_string());
            let length = format!("(?=[\\s\\S]{{{least},{most}}}$)");
            match own.is_empty() {
                true => format!("^{length}"),
                false => format!("^{length}[\\s\\S]*?{own}"),
            }
        }
    };
    Some((format!("{EXPRESSION}|{both}"), what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_written_as_editors_read_it() {
        for (pattern, expected) in [
            (r"^[\w\-.]+\z", Some(r"^[\w\-.]+$")),
            (r"^arn:aws(\-cn)?\:\/x$", Some(r"^arn:aws(-cn)?:\/x$")),
            (r"^\p{L}\x{41}{1,65535}$", Some(r"^\p{L}\x{41}{1,}$")),
            (r"^(\$\{a})$", Some(r"^(\$\{a\})$")),
            (r"[\p{Graph}]", None),
            (r"(?i)^a$", None),
            (r"^a${1,128}", None),
        ] {
            assert_eq!(of_editors(pattern).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn lengths_and_a_pattern_are_one() {
        let of = |schema: Value| of_string(schema.as_object()?);
        let both = of(serde_json::json!({"minLength": 2, "maxLength": 3, "pattern": "^a"}));
        let (pattern, what) = both.unwrap();
        assert_eq!(what, "2 to 3 characters that match ^a");
        let validator = jsonschema::validator_for(&serde_json::json!({"pattern": pattern}));
        let validator = validator.unwrap();
        for (text, fits) in [
            ("ab", true),
            ("abcd", false),
            ("bb", false),
            ("a", false),
            ("${var.abc}", true),
        ] {
            assert_eq!(validator.is_valid(&text.into()), fits, "{text}");
        }
        assert_eq!(of(serde_json::json!({"maxLength": 5000})), None);
    }
}

//! Regular expressions in the notation of editors, which is that of JavaScript.

use super::written::EXPRESSION;
use serde_json::{Map, Value};

/// The pattern as an editor reads it; none where it could be read in another way there.
pub(super) fn of_editors(pattern: &str) -> Option<String> {
    // Groups with flags, and classes by name in brackets, are not JavaScript's.
    const OTHERS: [&str; 5] = ["(?i", "(?s", "(?m", "(?x", "[[:"];
    if OTHERS.iter().any(|part| pattern.contains(part)) {
        return None;
    }
    let pattern = pattern.replace(r"\A", "^");
    Some(pattern.replace(r"\z", "$").replace(r"\Z", "$"))
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

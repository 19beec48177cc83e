//! Values as YAML: in the style around them, quoted where a reader would take them for
//! something else.

use super::tree::Style;
use crate::lang::source;
use serde_json::Value;

/// A scalar on one line, in the style of the one it replaces where that can say it.
pub(super) fn scalar(value: &Value, style: Style) -> String {
    let Value::String(text) = value else {
        return value.to_string();
    };
    let single = || format!("'{}'", text.replace('\'', "''"));
    let printable = !text.chars().any(char::is_control);
    match style {
        Style::Single if printable => single(),
        Style::Plain | Style::Block if is_plain(text) => text.clone(),
        // A backslash needs no second one between single quotes.
        Style::Plain | Style::Block if printable && text.contains(['\\', '"']) => single(),
        _ => value.to_string(),
    }
}

/// Whether the string without quotes reads as this string, in a block and between brackets.
fn is_plain(text: &str) -> bool {
    let reads = |yaml: String, at: &str| {
        let read = source::parse(yaml.as_bytes());
        read.is_ok_and(|value| value.pointer(at).and_then(Value::as_str) == Some(text))
    };
    !text.contains('\n')
        && reads(format!("a: {text}\nb: 1\n"), "/a")
        && reads(format!("[{text}, 1]\n"), "/0")
        && reads(format!("{{a: {text}, b: 1}}\n"), "/a")
        && !looks_typed(text)
}

/// Strings that other YAML readers take for a date, a number or a bool.
fn looks_typed(text: &str) -> bool {
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "yes" | "no" | "on" | "off" | "y" | "n"
    );
    let number = text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || "-_.:".contains(c));
    word || number
}

/// A value between brackets, on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name), flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        simple => scalar(simple, Style::Plain),
    }
}

/// A key.
pub(super) fn key(name: &str) -> String {
    scalar(&Value::from(name), Style::Plain)
}

/// What stands behind `key:` or `-`, with its space or line break, in block style. Lines below
/// are indented by `indent`.
pub(super) fn behind(value: &Value, indent: usize) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => {
            format!("\n{}{}", " ".repeat(indent), block(value, indent))
        }
        Value::Array(list) if !list.is_empty() => {
            format!("\n{}{}", " ".repeat(indent), block(value, indent))
        }
        Value::String(text) if is_literal(text) => format!(" {}", literal(text, indent)),
        simple => format!(" {}", flow(simple)),
    }
}

/// A value in block style whose first line is indented already.
pub(super) fn block(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .map(|(name, value)| format!("{}:{}", key(name), behind(value, indent + 2)))
            .collect::<Vec<_>>()
            .join(&format!("\n{pad}")),
        Value::Array(list) if !list.is_empty() => list
            .iter()
            .map(|item| item_text(item, indent))
            .collect::<Vec<_>>()
            .join(&format!("\n{pad}")),
        simple => flow(simple),
    }
}

/// An item of a list with its dash, which is indented by `indent` already.
pub(super) fn item_text(item: &Value, indent: usize) -> String {
    match item {
        Value::String(text) if is_literal(text) => format!("- {}", literal(text, indent + 2)),
        item => format!("- {}", block(item, indent + 2)),
    }
}

/// Whether a string is best written line by line, and can be.
pub(super) fn is_literal(text: &str) -> bool {
    let lines = text.trim_end_matches('\n');
    lines.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.chars().any(|c| c.is_control() && c != '\n')
}

/// A string line by line, with its header; no line break behind the last line.
pub(super) fn literal(text: &str, indent: usize) -> String {
    let body = text.trim_end_matches('\n');
    let ends = text.len() - body.len();
    let header = match ends {
        0 => "|-",
        1 => "|",
        _ => "|+",
    };
    let pad = " ".repeat(indent);
    let line = |line: &str| match line {
        "" => String::new(),
        line => format!("{pad}{line}"),
    };
    let lines: Vec<String> = body.split('\n').map(line).collect();
    let more = "\n".repeat(ends.saturating_sub(1));
    format!("{header}\n{}{more}", lines.join("\n"))
}

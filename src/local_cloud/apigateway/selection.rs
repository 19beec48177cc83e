//! Selection expressions: which route, template or response is taken (API Gateway developer guide,
//! "Use selection expressions"), and the values of parameter mappings, which name parts of a
//! request in the same words.

use super::template::{JsonPath, Value};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What an expression may name.
#[derive(Debug, Clone, Default)]
pub struct Scope<'s> {
    /// The payload of the request, or of the integration's response.
    pub body: &'s str,
    /// The headers, by names in any case.
    pub headers: Option<&'s BTreeMap<String, String>>,
    /// The query.
    pub querystring: Option<&'s BTreeMap<String, String>>,
    /// The parameters in the path; the whole path under an empty name.
    pub path: Option<&'s BTreeMap<String, String>>,
    /// The status of the integration's response.
    pub status: Option<u16>,
    /// `$context`.
    pub context: Option<&'s Json>,
    /// The stage's variables.
    pub stage_variables: Option<&'s BTreeMap<String, String>>,
}

/// The value of an expression, such as `$request.body.action`, `${request.body.a}-x` or the
/// constant `\$default`. None where something that it names is not there or is no scalar.
pub fn select(expression: &str, scope: &Scope<'_>) -> Option<String> {
    let mut out = String::new();
    let mut rest = expression;
    while let Some(at) = rest.find(['$', '\\']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("\\$") {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let (name, after) = after.split_once('}')?;
            out.push_str(&named(name, scope)?);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('$') {
            let length = name_length(after);
            if length == 0 || after[..length] == *"default" {
                out.push('$');
                out.push_str(&after[..length]);
            } else {
                out.push_str(&named(&after[..length], scope)?);
            }
            rest = &after[length..];
        } else {
            out.push('\\');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Some(out)
}

/// How far a name without braces goes. A name in brackets may hold anything.
fn name_length(text: &str) -> usize {
    let mut inside = false;
    let ends = |c: char| {
        inside = match c {
            '[' => true,
            ']' => false,
            _ => inside,
        };
        !(inside || c.is_alphanumeric() || "._-[]".contains(c))
    };
    let length = text.find(ends).unwrap_or(text.len());
    text[..length].trim_end_matches(['.', '-']).len()
}

/// The value of a mapping: a constant between single quotes, or a part of the request.
pub fn mapped(value: &str, scope: &Scope<'_>) -> Option<String> {
    let constant = value
        .strip_prefix('\'')
        .and_then(|it| it.strip_suffix('\''));
    if let Some(constant) = constant {
        return Some(constant.to_owned());
    }
    let value = value.strip_prefix('$').unwrap_or(value);
    named(value.strip_prefix("route.").unwrap_or(value), scope)
}

/// What a name such as `request.body.a` or `context.stage` stands for.
fn named(name: &str, scope: &Scope<'_>) -> Option<String> {
    let starts = ["integration.response.", "response.", "request."];
    let part = starts.iter().find_map(|start| name.strip_prefix(start));
    if let Some(part) = part {
        return part_of(part, scope);
    }
    if let Some(name) = name.strip_prefix("stageVariables.") {
        return scope.stage_variables?.get(name).cloned();
    }
    let mut value = scope.context?;
    for part in name.strip_prefix("context.")?.split('.') {
        value = value.get(part)?;
    }
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn part_of(part: &str, scope: &Scope<'_>) -> Option<String> {
    if part.eq_ignore_ascii_case("statuscode") {
        return scope.status.map(|status| status.to_string());
    }
    if part == "body" {
        return Some(scope.body.to_owned());
    }
    if part == "path" {
        return scope.path?.get("").cloned();
    }
    if let Some(path) = part.strip_prefix("body") {
        let body = super::template::parse_json(scope.body).ok()?;
        let path = JsonPath::parse(&format!("${path}")).ok()?;
        return match path.of(&body)? {
            Value::Null => None,
            value => value.to_text(),
        };
    }
    let (place, name) = part.split_once('.')?;
    let of = |pairs: Option<&BTreeMap<String, String>>| {
        let mut pairs = pairs?.iter();
        let pair = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name));
        pair.map(|(_, value)| value.clone())
    };
    match place {
        "header" | "multivalueheader" => of(scope.headers),
        "querystring" | "multivaluequerystring" => of(scope.querystring),
        "path" => of(scope.path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_name_parts_of_a_request() {
        let context = json!({"stage": "live", "identity": {"sourceIp": "1.2.3.4"}});
        let pairs = BTreeMap::from([("X-Kind".to_owned(), "h".to_owned())]);
        let scope = Scope {
            body: r#"{"action": "a", "n": 1, "o": {"p": ["q"]}, "null": null}"#,
            headers: Some(&pairs),
            status: Some(200),
            context: Some(&context),
            stage_variables: Some(&pairs),
            ..Scope::default()
        };
        for (expression, expected) in [
            ("$request.body.action", Some("a")),
            ("${request.body.action}", Some("a")),
            ("${request.body.action}-${request.body.n}", Some("a-1")),
            ("$request.body.o.p[0]", Some("q")),
            ("$request.body['action']", Some("a")),
            ("$request.body.no", None),
            ("$request.body.null", None),
            ("x$request.body.action/y", Some("xa/y")),
            ("\\$default", Some("$default")),
            ("$default", Some("$default")),
            ("constant", Some("constant")),
            ("$context.stage", Some("live")),
            ("${context.identity.sourceIp}", Some("1.2.3.4")),
            ("$context.identity", None),
            ("$request.header.x-kind", Some("h")),
            ("$stageVariables.X-Kind", Some("h")),
            ("${integration.response.statuscode}", Some("200")),
            ("${integration.response.body.action}", Some("a")),
            ("${request.body.action", None),
        ] {
            let selected = select(expression, &scope);
            assert_eq!(selected.as_deref(), expected, "{expression}");
        }
        let plain = Scope {
            body: "no json",
            ..Scope::default()
        };
        assert_eq!(select("$request.body.action", &plain), None);
    }

    #[test]
    fn mappings_are_constants_or_parts() {
        let scope = Scope {
            body: r#"{"a": 1}"#,
            ..Scope::default()
        };
        for (value, expected) in [
            ("'text/plain'", Some("text/plain")),
            ("''", Some("")),
            ("route.request.body.a", Some("1")),
            ("$request.body.a", Some("1")),
            ("request.body", Some(r#"{"a": 1}"#)),
            ("context.no", None),
        ] {
            assert_eq!(mapped(value, &scope).as_deref(), expected, "{value}");
        }
    }
}

//! Which route a request takes: of those that match its method and its path the most specific one,
//! else `$default` (API Gateway developer guide, "Create routes for HTTP APIs").

use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::collections::BTreeMap;

/// A route, and what its path's variables stand for.
#[derive(Debug, PartialEq)]
pub(super) struct Route<'r> {
    pub(super) route: &'r Value,
    pub(super) parameters: BTreeMap<String, String>,
}

/// How specific a part of a route's path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// `{name+}`
    Greedy,
    /// `{name}`
    Variable,
    Fixed,
}

pub(super) fn find<'r>(routes: &'r [Value], method: &str, path: &str) -> Option<Route<'r>> {
    let key = |route: &'r Value| route["routeKey"].as_str().unwrap_or_default();
    let matching = routes.iter().filter_map(|route| {
        let (verb, pattern) = key(route).split_once(' ')?;
        (verb == method || verb == "ANY").then_some(())?;
        let (parts, parameters) = matched(pattern, path)?;
        Some(((parts, verb != "ANY"), Route { route, parameters }))
    });
    let best = matching.max_by(|(one, _), (other, _)| one.cmp(other));
    best.map(|(_, route)| route).or_else(|| {
        let route = routes.iter().find(|route| key(route) == "$default")?;
        Some(Route {
            route,
            parameters: BTreeMap::new(),
        })
    })
}

/// The parts of a pattern that matches a path, and what its variables stand for.
fn matched(pattern: &str, path: &str) -> Option<(Vec<Part>, BTreeMap<String, String>)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut parts = Vec::new();
    let mut parameters = BTreeMap::new();
    let mut rest = path.strip_prefix('/')?;
    let mut patterns = pattern.strip_prefix('/')?.split('/').peekable();
    while let Some(pattern) = patterns.next() {
        let name = pattern
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'));
        if let Some(name) = name.and_then(|name| name.strip_suffix('+')) {
            (!rest.is_empty()).then_some(())?;
            parameters.insert(name.to_owned(), decoded(rest));
            parts.push(Part::Greedy);
            return Some((parts, parameters));
        }
        let (segment, after) = match rest.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (rest, None),
        };
        match name {
            Some(name) if !segment.is_empty() => {
                parameters.insert(name.to_owned(), decoded(segment));
                parts.push(Part::Variable);
            }
            None if decoded(segment) == pattern => parts.push(Part::Fixed),
            _ => return None,
        }
        match (after, patterns.peek()) {
            (Some(after), Some(_)) => rest = after,
            (None, None) => return Some((parts, parameters)),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_most_specific_route_is_taken() {
        let keys = [
            "GET /pets/dog/1",
            "GET /pets/dog/{id}",
            "GET /pets/{proxy+}",
            "ANY /{proxy+}",
            "ANY /pets",
            "GET /",
            "$default",
        ];
        let routes: Vec<Value> = keys.iter().map(|key| json!({"routeKey": key})).collect();
        for (method, path, key, parameters) in [
            ("GET", "/pets/dog/1", "GET /pets/dog/1", json!({})),
            (
                "GET",
                "/pets/dog/2",
                "GET /pets/dog/{id}",
                json!({"id": "2"}),
            ),
            (
                "GET",
                "/pets/dog/a%2Fb",
                "GET /pets/dog/{id}",
                json!({"id": "a/b"}),
            ),
            (
                "GET",
                "/pets/cat/1",
                "GET /pets/{proxy+}",
                json!({"proxy": "cat/1"}),
            ),
            (
                "POST",
                "/pets/dog/1",
                "ANY /{proxy+}",
                json!({"proxy": "pets/dog/1"}),
            ),
            ("POST", "/pets", "ANY /pets", json!({})),
            ("GET", "/pets/", "ANY /{proxy+}", json!({"proxy": "pets/"})),
            ("GET", "/", "GET /", json!({})),
            ("PUT", "/", "$default", json!({})),
        ] {
            let found = find(&routes, method, path).unwrap();
            assert_eq!(found.route["routeKey"], key, "{method} {path}");
            assert_eq!(json!(found.parameters), parameters, "{method} {path}");
        }
        assert_eq!(find(&routes[..1], "GET", "/other"), None);
    }
}

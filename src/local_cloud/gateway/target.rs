//! Which API and stage a request is for.

use percent_encoding::percent_decode_str;

/// An API, and a path below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) api: String,
    /// With its leading slash; still percent-encoded.
    pub(super) path: String,
}

impl Target {
    /// By path, else by host; none where neither names an API.
    pub(super) fn of<B>(request: &http::Request<B>) -> Option<Self> {
        let host = request
            .headers()
            .get("host")
            .and_then(|it| it.to_str().ok());
        let host = request.uri().authority().map(|it| it.as_str()).or(host);
        Self::named(host.unwrap_or_default(), request.uri().path())
    }

    fn named(host: &str, path: &str) -> Option<Self> {
        let (api, path) = match path.strip_prefix("/_api/") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => {
                let (api, rest) = host.split_once('.')?;
                rest.starts_with("execute-api.").then_some(())?;
                (api, path)
            }
        };
        let path = if path.is_empty() { "/" } else { path };
        (!api.is_empty()).then(|| Self {
            api: api.to_ascii_lowercase(),
            path: path.to_owned(),
        })
    }

    /// The stage that the path begins with, and the rest of it: empty, or with its slash.
    pub(super) fn stage(&self) -> Option<(String, &str)> {
        let path = self.path.strip_prefix('/')?;
        let (stage, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
        let stage = percent_decode_str(stage).decode_utf8().ok()?;
        let is_name = !stage.is_empty() && !stage.contains('/');
        is_name.then(|| (stage.into_owned(), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_named_by_path_or_host() {
        let own = "a1.execute-api.localhost:4566";
        let aws = "A1.execute-api.us-west-2.amazonaws.com";
        for (host, path, expected) in [
            ("127.0.0.1:1", "/_api/a1/live", "a1 live "),
            ("127.0.0.1:1", "/_api/a1/live/", "a1 live /"),
            (own, "/live/x/y%2F", "a1 live /x/y%2F"),
            (aws, "/live", "a1 live "),
            (own, "/_api/b2/s", "b2 s "),
            (own, "/", "a1 - -"),
            ("127.0.0.1:1", "/_api/a1", "a1 - -"),
            ("127.0.0.1:1", "/_api/a1/", "a1 - -"),
            ("127.0.0.1:1", "/_api/a1/x%2Fy", "a1 - -"),
            ("127.0.0.1:1", "/_api//x", "none"),
            ("127.0.0.1", "/live", "none"),
            ("localhost", "/", "none"),
        ] {
            let found = Target::named(host, path).map_or("none".to_owned(), |target| {
                let (stage, rest) = target.stage().unwrap_or_else(|| ("-".to_owned(), "-"));
                format!("{} {stage} {rest}", target.api)
            });
            assert_eq!(found, expected, "{host} {path}");
        }
    }
}

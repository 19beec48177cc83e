//! Which API and stage a request is for.

use percent_encoding::percent_decode_str;

/// An API's stage, and the rest of the path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) api: String,
    pub(super) stage: String,
    /// Empty, or with its leading slash; still percent-encoded.
    pub(super) rest: String,
}

impl Target {
    /// By path, else by host; none where neither names an API and a stage.
    pub(super) fn of<B>(request: &http::Request<B>) -> Option<Self> {
        let host = request.headers().get("host").and_then(|it| it.to_str().ok());
        let host = request.uri().authority().map(|it| it.as_str()).or(host);
        Self::named(host.unwrap_or_default(), request.uri().path())
    }

    fn named(host: &str, path: &str) -> Option<Self> {
        let (api, path) = match path.strip_prefix("/_api/") {
            Some(rest) => rest.split_once('/')?,
            None => {
                let (api, rest) = host.split_once('.')?;
                rest.starts_with("execute-api.").then_some(())?;
                (api, path.strip_prefix('/')?)
            }
        };
        let end = path.find('/').unwrap_or(path.len());
        let stage = percent_decode_str(&path[..end]).decode_utf8().ok()?;
        let is_name = !api.is_empty() && !stage.is_empty() && !stage.contains('/');
        is_name.then(|| Self {
            api: api.to_ascii_lowercase(),
            stage: stage.into_owned(),
            rest: path[end..].to_owned(),
        })
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
            ("127.0.0.1:1", "/_api/a1/live", Some(("a1", "live", ""))),
            ("127.0.0.1:1", "/_api/a1/live/", Some(("a1", "live", "/"))),
            (own, "/live/x/y%2F", Some(("a1", "live", "/x/y%2F"))),
            (aws, "/live", Some(("a1", "live", ""))),
            (own, "/_api/b2/s", Some(("b2", "s", ""))),
            (own, "/", None),
            ("127.0.0.1:1", "/_api/a1", None),
            ("127.0.0.1:1", "/_api/a1/", None),
            ("127.0.0.1:1", "/_api/a1/x%2Fy", None),
            ("127.0.0.1", "/live", None),
            ("localhost", "/", None),
        ] {
            let target = Target::named(host, path);
            let target = target.as_ref();
            let found = target.map(|it| (it.api.as_str(), it.stage.as_str(), it.rest.as_str()));
            assert_eq!(found, expected, "{host} {path}");
        }
    }
}

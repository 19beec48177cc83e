//! CORS as the API has it configured: API Gateway answers preflights by itself, and its headers
//! replace those of the integration (API Gateway developer guide, "Configure CORS for HTTP APIs").

use crate::local_cloud::service::Reply;
use serde_json::Value;

/// What a request's origin may.
pub(super) struct Cors<'c> {
    /// None: the API has no configuration.
    settings: Option<&'c Value>,
    /// The value of `access-control-allow-origin`; none where the origin is not allowed.
    origin: Option<String>,
}

impl<'c> Cors<'c> {
    pub(super) fn of(api: &'c Value, origin: Option<&str>) -> Self {
        let settings = api.get("corsConfiguration").filter(|it| it.is_object());
        let allowed = settings.and_then(|settings| {
            let origin = origin?;
            let origins = settings["allowOrigins"].as_array()?;
            let mut origins = origins.iter().filter_map(Value::as_str);
            origins.find_map(|allowed| match allowed {
                "*" => Some("*".to_owned()),
                // `https://*` is every origin of that scheme.
                allowed => {
                    let start = allowed.strip_suffix("://*");
                    let scheme = start.is_some_and(|scheme| {
                        origin.split_once("://").is_some_and(|(it, _)| it == scheme)
                    });
                    (scheme || allowed == origin).then(|| origin.to_owned())
                }
            })
        });
        Self {
            settings,
            origin: allowed,
        }
    }

    /// The reply to a preflight; none where the request is none, or the API has no configuration.
    pub(super) fn preflight<B>(&self, request: &http::Request<B>) -> Option<Reply> {
        let has = |name: &str| request.headers().contains_key(name);
        let is = request.method() == http::Method::OPTIONS
            && has("origin")
            && has("access-control-request-method");
        let settings = self.settings.filter(|_| is)?;
        let mut reply = Reply {
            status: 204,
            ..Reply::default()
        };
        self.add(&mut reply);
        if self.origin.is_some() {
            for (header, member) in [
                ("access-control-allow-methods", "allowMethods"),
                ("access-control-allow-headers", "allowHeaders"),
            ] {
                push(&mut reply, header, joined(&settings[member]));
            }
            let age = settings["maxAge"].as_i64().map(|age| age.to_string());
            push(&mut reply, "access-control-max-age", age);
        }
        Some(reply)
    }

    /// Puts the headers into a reply, in the place of those that the integration returned.
    pub(super) fn add(&self, reply: &mut Reply) {
        let Some(settings) = self.settings else {
            return;
        };
        let is_cors = |name: &str| name.to_ascii_lowercase().starts_with("access-control-");
        reply.headers.retain(|(name, _)| !is_cors(name));
        let Some(origin) = &self.origin else {
            return;
        };
        push(reply, "access-control-allow-origin", Some(origin.clone()));
        let credentials = settings["allowCredentials"] == true;
        let credentials = credentials.then(|| "true".to_owned());
        push(reply, "access-control-allow-credentials", credentials);
        let exposed = joined(&settings["exposeHeaders"]);
        push(reply, "access-control-expose-headers", exposed);
    }
}

fn push(reply: &mut Reply, name: &str, value: Option<String>) {
    reply
        .headers
        .extend(value.map(|value| (name.to_owned(), value)));
}

fn joined(list: &Value) -> Option<String> {
    let texts: Vec<&str> = list.as_array()?.iter().filter_map(Value::as_str).collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(allowed: &[&str], origin: &str) -> Vec<(String, String)> {
        let api = json!({"corsConfiguration": {
            "allowOrigins": allowed, "allowMethods": ["GET", "PUT"], "maxAge": 5,
            "exposeHeaders": ["x-a"],
        }});
        let request = http::Request::builder()
            .method("OPTIONS")
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .body(())
            .unwrap();
        let reply = Cors::of(&api, Some(origin)).preflight(&request).unwrap();
        assert_eq!(reply.status, 204);
        reply.headers
    }

    #[test]
    fn a_preflight_is_answered_for_the_origins_that_are_allowed() {
        let local = "http://localhost:3000";
        for (allowed, expected) in [
            (&["*"][..], "*"),
            (&[local][..], local),
            (&["http://*"][..], local),
        ] {
            let headers = headers(allowed, local);
            let origin = (
                "access-control-allow-origin".to_owned(),
                expected.to_owned(),
            );
            assert!(headers.contains(&origin), "{headers:?}");
            let methods = (
                "access-control-allow-methods".to_owned(),
                "GET,PUT".to_owned(),
            );
            assert!(headers.contains(&methods), "{headers:?}");
        }
        assert_eq!(headers(&["https://*"], local), []);
    }

    #[test]
    fn headers_of_the_integration_are_replaced() {
        let api = json!({"corsConfiguration": {"allowOrigins": ["*"]}});
        let mut reply = Reply::default();
        push(
            &mut reply,
            "Access-Control-Allow-Origin",
            Some("http://x".to_owned()),
        );
        Cors::of(&api, Some("http://y")).add(&mut reply);
        let origin = ("access-control-allow-origin".to_owned(), "*".to_owned());
        assert_eq!(reply.headers, [origin]);
        let none = json!({});
        Cors::of(&none, Some("http://y")).add(&mut reply);
        assert_eq!(reply.headers.len(), 1);
    }
}

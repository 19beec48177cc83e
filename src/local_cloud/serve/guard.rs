//! Who may ask: programs of this machine, not the pages that a browser has open.
//!
//! A page can send requests to 127.0.0.1, and one whose name resolves to it can read the replies.
//! So the `Host` must be this machine's or AWS's own (an SDK whose calls are redirected keeps it),
//! and what a browser says of where a request comes from must not be there. Pages that are served
//! from this machine may call the APIs of a stack, as they would at AWS, but not the AWS API.

use hyper::body::Incoming;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// An API of API Gateway.
    Api,
    /// The AWS API.
    Aws,
}

/// Whether a request may go on, and where to; or why not.
pub(super) fn admit(request: &http::Request<Incoming>) -> Result<For, String> {
    let header = |name: &str| request.headers().get(name).map(|value| value.as_bytes());
    let text = |name: &str| header(name).map(String::from_utf8_lossy);
    let authority = request.uri().authority().map(|it| it.as_str().into());
    let host = authority.or_else(|| text("host")).unwrap_or_default();
    let name = name_of(&host);
    if !is_local(&name) && !is_aws(&name) {
        return Err(format!(
            "The local cloud is for this machine, and the request names the host {host:?}."
        ));
    }
    let target = target(&name, request.uri().path());
    if let Some(origin) = text("origin")
        && !(target == For::Api && is_local_origin(&origin))
    {
        return Err(format!(
            "The local cloud is not for web pages, and the request comes from {origin:?}."
        ));
    }
    let site = header("sec-fetch-site");
    if target == For::Aws && site.is_some_and(|site| site != b"none") {
        return Err("The local cloud is not for web pages.".to_owned());
    }
    Ok(target)
}

fn target(host: &str, path: &str) -> For {
    let mut labels = host.split('.').skip(1);
    if labels.next() == Some("execute-api") || path.starts_with("/_api/") {
        return For::Api;
    }
    For::Aws
}

/// A host's name without its port, in lower case.
fn name_of(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_local(name: &str) -> bool {
    name == "127.0.0.1" || name == "localhost" || name.ends_with(".localhost")
}

fn is_aws(name: &str) -> bool {
    name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn")
}

fn is_local_origin(origin: &str) -> bool {
    let rest = origin.split_once("://").map(|(_, rest)| rest);
    rest.is_some_and(|host| is_local(&name_of(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine_and_of_aws_are_known() {
        for host in [
            "localhost:4566",
            "127.0.0.1",
            "bucket.LOCALHOST:1",
            "localhost.",
        ] {
            assert!(is_local(&name_of(host)), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "127.0.0.2",
        ] {
            assert!(!is_local(&name_of(host)), "{host}");
        }
        assert!(is_aws(&name_of("sqs.us-west-2.amazonaws.com:443")));
        assert!(!is_aws(&name_of("evilamazonaws.com")));
    }

    #[test]
    fn an_api_is_named_by_host_or_path() {
        assert_eq!(target("a1.execute-api.localhost", "/x"), For::Api);
        assert_eq!(
            target("a1.execute-api.us-west-2.amazonaws.com", "/"),
            For::Api
        );
        assert_eq!(target("127.0.0.1", "/_api/a1/live"), For::Api);
        assert_eq!(target("127.0.0.1", "/execute-api/x"), For::Aws);
        assert_eq!(target("execute-api.localhost", "/"), For::Aws);
    }

    #[test]
    fn pages_of_this_machine_are_told_from_others() {
        assert!(is_local_origin("http://localhost:3000"));
        assert!(!is_local_origin("null"));
        assert!(!is_local_origin("https://localhost.example.com"));
    }
}

//! Requests that go on to an HTTP endpoint as they are.

use super::super::integration::Call;
use super::super::integration::http::{Headers, encoded, send};
use super::request::Request;
use crate::local_cloud::service::Reply;

/// Headers that belong to one connection (RFC 9110, section 7.6.1), or are written anew.
const OWN: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The reply of the endpoint, or the end of a sentence that says why there is none.
pub(super) async fn call(call: &Call<'_>, uri: &str, request: &Request) -> Result<Reply, String> {
    let kept = |headers: &Headers| -> Headers {
        let kept = headers
            .iter()
            .filter(|(name, _)| !OWN.iter().any(|own| name.eq_ignore_ascii_case(own)));
        kept.cloned().collect()
    };
    let method = match call.text("integrationMethod") {
        "ANY" | "" => request.method.as_str(),
        method => method,
    };
    let key = call.incoming.context["routeKey"]
        .as_str()
        .unwrap_or_default();
    // What a greedy variable stands for keeps its slashes.
    let mut url = uri.to_owned();
    for (name, value) in &request.parameters {
        let greedy = key.contains(&format!("{{{name}+}}"));
        let value = match greedy {
            true => value.split('/').map(encoded).collect::<Vec<_>>().join("/"),
            false => encoded(value),
        };
        url = url.replace(&format!("{{{name}}}"), &value);
    }
    if let Some(path) = &request.mapped_path {
        let start = url.find("://").map_or(0, |at| at + 3);
        let end = url[start..]
            .find(['/', '?'])
            .map_or(url.len(), |at| start + at);
        url = format!("{}{path}", &url[..end]);
    }
    if !request.query.is_empty() {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&request.query)
            .finish();
        let mark = if url.contains('?') { '&' } else { '?' };
        url = format!("{url}{mark}{query}");
    }
    let returned = send(method, &url, &kept(&request.headers), request.body.clone()).await?;
    Ok(Reply {
        status: returned.status,
        headers: kept(&returned.headers),
        body: returned.body,
    })
}

//! HTTP requests as the services see them, and their replies as HTTP has them: for the SDK's
//! client in this process, and for those on the wire.

use super::service::{Reply, Request};
use super::stamps;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Who signed a request, and for what. Signatures are not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// The access key id.
    pub(super) key: String,
    pub(super) region: String,
    /// The signing name of the service.
    pub(super) service: String,
}

impl Scope {
    /// From the `Authorization` header or, in a URL that was signed, from its query (Signature
    /// Version 4; of S3 also Version 2, which has no region). Without either all of it is empty.
    pub(super) fn of(request: &Request) -> Self {
        let header = request.headers.get("authorization");
        let credential = header.and_then(|text| text.split_once("Credential="));
        let credential = credential.and_then(|(_, rest)| rest.split(',').next());
        let query = |name: &str| {
            let found = request.query.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let version_2 = || {
            query("Signature")?;
            Some(Self {
                key: query("AWSAccessKeyId")?.to_owned(),
                region: String::new(),
                service: "s3".to_owned(),
            })
        };
        credential
            .or_else(|| query("X-Amz-Credential"))
            .and_then(Self::parse)
            .or_else(version_2)
            .unwrap_or_default()
    }

    /// `<key>/<date>/<region>/<service>/aws4_request`; a key may hold slashes.
    fn parse(credential: &str) -> Option<Self> {
        let mut parts = credential.trim().rsplitn(5, '/').skip(1);
        let service = parts.next()?.to_owned();
        let region = parts.next()?.to_owned();
        let key = parts.nth(1)?.to_owned();
        Some(Self {
            key,
            region,
            service,
        })
    }
}

/// A request without its body.
pub(super) fn request<'h>(
    method: &str,
    uri: &http::Uri,
    headers: impl Iterator<Item = (&'h str, &'h str)>,
) -> Request {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        // As the HTTP that there would be on a wire: RFC 9110, section 5.5.
        let value = value.trim_matches([' ', '\t']);
        all.entry(name.to_ascii_lowercase())
            .and_modify(|all| {
                all.push(',');
                all.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    if let Some(authority) = uri.authority() {
        all.entry("host".to_owned())
            .or_insert_with(|| authority.to_string());
    }
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let mut request = Request {
        method: method.to_owned(),
        path: uri.path().to_owned(),
        query,
        headers: all,
        body: Bytes::new(),
        region: String::new(),
        now: 0,
    };
    request.region = Scope::of(&request).region;
    request
}

/// Gives a reply what every reply has: a request id and the length of its body.
pub(super) fn complete(reply: &mut Reply) {
    let has = |name: &str| {
        let mut names = reply.headers.iter();
        names.any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let (id, length) = (
        has("x-amzn-requestid") || has("x-amz-request-id"),
        has("content-length"),
    );
    if !id {
        let id = stamps::uuid();
        reply.headers.push(("x-amzn-requestid".to_owned(), id));
    }
    if !length {
        let length = reply.body.len().to_string();
        reply.headers.push(("content-length".to_owned(), length));
    }
}

/// A reply of nobody in particular, in the form of AWS's JSON services.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply {
        status,
        headers: vec![
            (
                "content-type".to_owned(),
                "application/x-amz-json-1.1".to_owned(),
            ),
            ("x-amzn-errortype".to_owned(), code.to_owned()),
        ],
        body: serde_json::json!({"__type": code, "message": message})
            .to_string()
            .into(),
    }
}

/// The reply to a request for a service that the local cloud does not have.
pub(super) fn no_service(service: &str) -> Reply {
    let message = if service.is_empty() {
        "The request is not signed, so the local cloud cannot determine the service.".to_owned()
    } else {
        format!("The local cloud has no service with the signing name {service}.")
    };
    refusal(404, "UnknownOperationException", &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(uri: &str, authorization: Option<&str>) -> Scope {
        let headers = authorization.map(|value| ("Authorization", value));
        let uri = uri.parse().unwrap();
        Scope::of(&request("GET", &uri, headers.into_iter()))
    }

    #[test]
    fn the_signature_names_key_region_and_service() {
        let expected = Scope {
            key: "te/st".to_owned(),
            region: "us-west-2".to_owned(),
            service: "sqs".to_owned(),
        };
        let credential = "te/st/20261201/us-west-2/sqs/aws4_request";
        let header = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host");
        assert_eq!(scope("/", Some(&header)), expected);
        let signed = credential.replace('/', "%2F");
        assert_eq!(
            scope(&format!("/a?X-Amz-Credential={signed}"), None),
            expected
        );
    }

    #[test]
    fn what_is_not_signed_has_no_scope() {
        for header in [
            None,
            Some("Bearer x"),
            Some("AWS4-HMAC-SHA256 Credential=a/b"),
        ] {
            assert_eq!(scope("/", header), Scope::default());
        }
    }

    #[test]
    fn a_reply_gets_an_id_and_a_length_once() {
        let mut reply = refusal(404, "X", "y");
        complete(&mut reply);
        let headers = reply.headers.clone();
        complete(&mut reply);
        assert_eq!(reply.headers, headers);
        let length = ("content-length".to_owned(), reply.body.len().to_string());
        assert!(reply.headers.contains(&length));
    }
}

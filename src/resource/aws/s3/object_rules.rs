//! The rules between an object's properties.

use crate::resource::author::*;
use crate::resource::aws::time::time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What is wrong with the properties beyond what the schema says.
pub fn faults(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let sources = ["source", "content", "contentBase64"];
    let given: Vec<&str> = sources
        .into_iter()
        .filter(|name| rules.given(name))
        .collect();
    if given.len() != 1 {
        broken.push(
            Broken::at(
                given.last().copied().unwrap_or_default(),
                "exactly one of source, content and contentBase64 is given",
            )
            .code("SK0614"),
        );
    }
    let encryption = rules.known("serverSideEncryption").and_then(Value::as_str);
    let kms = rules.given("kmsKeyId") || encryption.is_some_and(|kind| kind.starts_with("aws:kms"));
    if kms && rules.given("etag") {
        broken.push(
            Broken::at(
                "etag",
                "with KMS encryption S3's ETag is no MD5; use sourceHash",
            )
            .code("SK0615"),
        );
    }
    if rules.given("kmsKeyId") && encryption == Some("AES256") {
        broken.push(Broken::at("kmsKeyId", "AES256 uses no KMS key; use aws:kms").code("SK0616"));
    }
    if rules.given("objectLockMode") != rules.given("objectLockRetainUntilDate") {
        broken.push(
            Broken::at(
                "objectLockMode",
                "objectLockMode and objectLockRetainUntilDate go together",
            )
            .code("SK0617"),
        );
    }
    broken.extend(value_faults(rules));
    broken.extend(tags::rules(rules, tags::Tagging::Plain));
    broken
}

fn value_faults(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let text = |name: &str| rules.known(name).and_then(Value::as_str);
    if text("key").is_some_and(|key| key.len() > 1024) {
        broken.push(Broken::at("key", "a key has at most 1,024 bytes in UTF-8").code("SK0618"));
    }
    let decode = |text: &str| STANDARD.decode(text);
    if let Some(Err(error)) = text("contentBase64").map(decode) {
        broken.push(Broken::at(
            "contentBase64",
            format!("this is no base64: {error}"),
        ));
    }
    if let Some(Err(error)) = text("objectLockRetainUntilDate").map(time) {
        broken.push(Broken::at("objectLockRetainUntilDate", error.to_string()));
    }
    let redirect = text("websiteRedirect").unwrap_or("/");
    let targets = ["/", "http://", "https://"];
    if !targets.iter().any(|start| redirect.starts_with(start)) {
        broken.push(Broken::at(
            "websiteRedirect",
            "websiteRedirect begins with /, http:// or https://",
        ));
    }
    broken.extend(header_faults(rules));
    broken
}

/// The properties that are sent as headers of their own.
const HEADERS: &[&str] = &[
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "websiteRedirect",
];

/// Values that would not come back from S3 as they were sent: HTTP drops white space around a
/// header's value and has no control characters in it (RFC 9110, section 5.5).
fn header_faults(rules: &Rules<'_>) -> Vec<Broken> {
    let metadata = rules.known("metadata").and_then(Value::as_object);
    let metadata = metadata.into_iter().flatten();
    let metadata = metadata.map(|(key, value)| (Path::dotted("metadata").join(key), value));
    let single = HEADERS
        .iter()
        .filter_map(|name| Some((Path::dotted(name), rules.known(name)?)));
    single
        .chain(metadata)
        .filter_map(|(path, value)| {
            let text = value.as_str()?;
            let known = rules.props.unknown_at(&path).is_none();
            let message = header_fault(text).filter(|_| known)?;
            let message = format!("{path} is sent as a header: {message}");
            Some(Broken::new(path, message))
        })
        .collect()
}

fn header_fault(text: &str) -> Option<&'static str> {
    if text.ends_with(['\n', '\r']) {
        return Some("it must not end in a line end. In YAML, |- and >- leave it out of a block");
    }
    if text.chars().any(char::is_control) {
        return Some("it must not hold line ends, tabs or other control characters");
    }
    if text.trim() != text {
        return Some("it must not begin or end with white space, which HTTP drops");
    }
    if !text.is_ascii() {
        return Some("it must be ASCII");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use serde_json::json;

    fn broken(more: Value) -> Vec<String> {
        let base = json!({"bucket": "abc", "key": "k", "content": "c"});
        let props = Data::from(Attributes::new(base).with(&more).into_value());
        let found = faults(&Rules {
            props: &props,
            peer: &|_| None,
        });
        found.iter().map(|broken| broken.path.to_string()).collect()
    }

    #[test]
    fn what_http_changes_is_refused_in_every_header() {
        for name in HEADERS {
            let fine = json!({(*name): "/a b; c=\"d\", e"});
            assert_eq!(broken(fine), [""; 0], "{name}");
            for value in [
                "/a ", "/a\n", "/a\r\n", "/a\tb", "/a\nb", "/a\u{7f}", "/\u{e9}",
            ] {
                assert_eq!(broken(json!({(*name): value})), [*name], "{name} {value:?}");
            }
        }
        for value in [" a", "a ", "a\n", "\ta", "a\0", "\u{a0}a", "ä"] {
            let found = broken(json!({"metadata": {"k": value, "fine": "a b"}}));
            assert_eq!(found, ["metadata.k"], "{value:?}");
        }
    }

    #[test]
    fn a_redirect_goes_to_a_path_or_a_url() {
        assert_eq!(
            broken(json!({"websiteRedirect": "index.html"})),
            ["websiteRedirect"]
        );
        assert_eq!(
            broken(json!({"websiteRedirect": "https://a.example"})),
            [""; 0]
        );
    }
}

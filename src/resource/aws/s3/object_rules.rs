//! The rules between an object's properties.

use crate::data::Path;
use crate::resource::aws::s3::{tag_faults, upload::time};
use crate::resource::{Broken, Rules};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What is wrong with the properties beyond what the schema says.
pub fn faults(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let sources = ["source", "content", "contentBase64"];
    let given: Vec<&str> = sources
        .into_iter()
        .filter(|name| rules.given(name))
        .collect();
    if given.len() != 1 {
        broken.push(Broken::at(
            given.last().copied().unwrap_or_default(),
            "exactly one of source, content and contentBase64 is given",
        ));
    }
    let encryption = rules.known("serverSideEncryption").and_then(Value::as_str);
    let kms = rules.given("kmsKeyId") || encryption.is_some_and(|kind| kind.starts_with("aws:kms"));
    if kms && rules.given("etag") {
        broken.push(Broken::at(
            "etag",
            "with KMS encryption S3's ETag is no MD5; use sourceHash",
        ));
    }
    if rules.given("kmsKeyId") && encryption == Some("AES256") {
        broken.push(Broken::at(
            "kmsKeyId",
            "AES256 uses no KMS key; use aws:kms",
        ));
    }
    if rules.given("objectLockMode") != rules.given("objectLockRetainUntilDate") {
        broken.push(Broken::at(
            "objectLockMode",
            "objectLockMode and objectLockRetainUntilDate go together",
        ));
    }
    broken.extend(value_faults(rules));
    broken.extend(tag_faults(rules));
    broken
}

fn value_faults(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let text = |name: &str| rules.known(name).and_then(Value::as_str);
    if text("key").is_some_and(|key| key.len() > 1024) {
        broken.push(Broken::at("key", "a key has at most 1,024 bytes in UTF-8"));
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
    let metadata = rules.known("metadata").and_then(Value::as_object);
    for (key, value) in metadata.into_iter().flatten() {
        let plain = |value: &str| value.chars().all(|c| matches!(c, ' '..='~'));
        if !value.as_str().is_none_or(plain) {
            broken.push(Broken::new(
                Path::dotted("metadata").join(key),
                "metadata is sent as headers, so a value is printable ASCII",
            ));
        }
    }
    broken
}

//! Request bodies: digests and XML.

use super::super::service::Refusal;
use super::Call;
use super::error::error;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A body with what was said about it.
pub(super) struct Payload {
    pub(super) bytes: Bytes,
    /// `x-amz-checksum-…` headers, those that came as trailers among them.
    pub(super) checksums: BTreeMap<String, String>,
}

/// The body of a request, compared with its digests.
pub(super) fn payload(call: &Call<'_>) -> Result<Payload, Refusal> {
    let mut checksums = BTreeMap::new();
    for (name, value) in &call.request.headers {
        note_checksum(&mut checksums, name, value);
    }
    let bytes = call.request.body.clone();
    check_digests(call, &bytes, &checksums)?;
    Ok(Payload { bytes, checksums })
}

/// What locks an object is taken with a digest of the content only; `what` is "Put Object" or "Put
/// Part". (<https://github.com/versity/versitygw/issues/1535> shows S3's reply,
/// <https://github.com/s3tools/s3cmd/issues/1436> that of a part.)
pub(super) fn require_digest(
    call: &Call<'_>,
    payload: &Payload,
    headers: &BTreeMap<String, String>,
    what: &str,
) -> Result<(), Refusal> {
    let locks = headers
        .keys()
        .any(|name| name.starts_with("x-amz-object-lock-"));
    if locks && payload.checksums.is_empty() && call.header("content-md5").is_none() {
        let message = format!(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for {what} requests with \
             Object Lock parameters"
        );
        return Err(error("InvalidRequest", &message));
    }
    Ok(())
}

fn note_checksum(checksums: &mut BTreeMap<String, String>, name: &str, value: &str) {
    let about_content = name.starts_with("x-amz-checksum-")
        && ![
            "x-amz-checksum-mode",
            "x-amz-checksum-type",
            "x-amz-checksum-algorithm",
        ]
        .contains(&name);
    if about_content {
        checksums.insert(name.to_owned(), value.to_owned());
    }
}

fn check_digests(
    call: &Call<'_>,
    bytes: &[u8],
    checksums: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    if let Some(digest) = call.header("content-md5") {
        let digest = BASE64_STANDARD.decode(digest).unwrap_or_default();
        if digest.len() != 16 {
            return Err(error("InvalidDigest", ""));
        }
        if digest != Md5::digest(bytes).as_slice() {
            return Err(error("BadDigest", ""));
        }
    }
    type Digest = fn(&[u8]) -> Vec<u8>;
    let known: [(&str, &str, Digest); 2] = [
        ("SHA256", "x-amz-checksum-sha256", |bytes| {
            Sha256::digest(bytes).to_vec()
        }),
        ("SHA1", "x-amz-checksum-sha1", |bytes| {
            Sha1::digest(bytes).to_vec()
        }),
    ];
    for (name, header, digest) in known {
        let stated = checksums.get(header);
        if stated.is_some_and(|stated| *stated != BASE64_STANDARD.encode(digest(bytes))) {
            let message =
                format!("The {name} you specified did not match the calculated checksum.");
            return Err(error("BadDigest", &message));
        }
    }
    Ok(())
}

/// Bytes as an XML document; none when there are none.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<roxmltree::Document<'_>>, Refusal> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| error("MalformedXML", ""))?;
    let document = roxmltree::Document::parse(text).map_err(|_| error("MalformedXML", ""))?;
    Ok(Some(document))
}

/// Bytes as the XML document that the operation needs.
pub(super) fn require(bytes: &[u8]) -> Result<roxmltree::Document<'_>, Refusal> {
    parse(bytes)?.ok_or_else(|| error("MissingRequestBodyError", "Request Body is empty"))
}
